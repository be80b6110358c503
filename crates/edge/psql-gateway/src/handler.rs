//! Queries of one connection, by the simple and by the extended protocol.

use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;
use futures::{Sink, SinkExt, StreamExt};
use pgwire::api::portal::{Format, Portal, PortalExecutionState};
use pgwire::api::query::{
    ExtendedQueryHandler, SimpleQueryHandler, send_describe_response, send_execution_response,
    send_ready_for_query,
};
use pgwire::api::results::{
    DescribePortalResponse, DescribeResponse, DescribeStatementResponse, FieldInfo, QueryResponse,
    Response, Tag,
};
use pgwire::api::stmt::{QueryParser, StoredStatement};
use pgwire::api::store::{Entry, PortalStore};
use pgwire::api::{ClientInfo, ClientPortalStore, DEFAULT_NAME, PgWireConnectionState, Type};
use pgwire::error::{PgWireError, PgWireResult};
use pgwire::messages::PgWireBackendMessage;
use pgwire::messages::data::RowDescription;
use pgwire::messages::extendedquery::{
    Bind, BindComplete, Close, CloseComplete, Describe, Execute, Parse, ParseComplete,
    PortalSuspended, Sync as SyncMessage, TARGET_TYPE_BYTE_STATEMENT,
};
use pgwire::messages::response::{EmptyQueryResponse, ReadyForQuery, TransactionStatus};
use pgwire::messages::simplequery::Query;
use pgwire::messages::startup::ParameterStatus;
use sqlparser::ast::Statement;

use crate::error::{Error, Result};
use crate::gateway::Gateway;
use crate::prepared::Parsed;
use crate::rows::Columns;
use crate::session::{Session, known_cursor, unknown_cursor};
use crate::statement::{Done, Task};
use crate::{parameters, parse};

/// Answers the queries of one connection.
pub(crate) struct Handler {
    pub(crate) gateway: Arc<Gateway>,
    pub(crate) session: Arc<Session>,
}

impl Handler {
    /// A statement that begins now.
    fn task<'a>(&'a self, text: &'a str, types: &'a [Type]) -> Task<'a> {
        self.session.begin();
        Task {
            gateway: &self.gateway,
            session: &self.session,
            text,
            types,
        }
    }

    async fn columns(&self, parsed: &Parsed) -> Result<Option<Columns>> {
        let task = self.task(&parsed.text, &parsed.types);
        let describe = async || task.describe(&parsed.statement).await;
        let described = parsed.columns.get_or_try_init(describe);
        described.await.cloned()
    }

    async fn describe(&self, parsed: &Parsed) -> Result<DescribeStatementResponse> {
        let fields = match self.columns(parsed).await? {
            Some(columns) => columns.fields(&Format::UnifiedText)?,
            None => Vec::new(),
        };
        Ok(DescribeStatementResponse::new(parsed.types.clone(), fields))
    }

    /// Tells of the settings that have changed and of which clients keep track.
    async fn tell<C>(&self, client: &mut C) -> PgWireResult<()>
    where
        C: Sink<PgWireBackendMessage> + Unpin,
        PgWireError: From<C::Error>,
    {
        for (name, value) in self.session.news() {
            let report = ParameterStatus::new(name.to_owned(), value);
            let report = PgWireBackendMessage::ParameterStatus(report);
            client.feed(report).await?;
        }
        Ok(())
    }

    /// Begins a portal; what needs no `RowDescription` is sent at once, rows are answered.
    async fn begin<C>(
        &self,
        client: &mut C,
        portal: &Portal<Parsed>,
    ) -> PgWireResult<Option<QueryResponse>>
    where
        C: ClientInfo + Sink<PgWireBackendMessage> + Unpin + Send,
        PgWireError: From<C::Error>,
        C::Error: Debug,
    {
        let parsed = &portal.statement.statement;
        let values = parameters::values(portal, &parsed.types)?;
        let task = self.task(&parsed.text, &parsed.types);
        let status = client.transaction_status();
        let done = task.run(&parsed.statement, &values, status).await?;
        let format = &portal.result_column_format;
        self.send_done(client, done, format).await
    }

    /// Sends what needs no `RowDescription`; answers the rows that are left.
    async fn send_done<C>(
        &self,
        client: &mut C,
        done: Done,
        format: &Format,
    ) -> PgWireResult<Option<QueryResponse>>
    where
        C: ClientInfo + Sink<PgWireBackendMessage> + Unpin + Send,
        PgWireError: From<C::Error>,
        C::Error: Debug,
    {
        let tag = match done {
            Done::Rows(rows, tag) => {
                return Ok(Some(rows.respond(tag, format, &self.session)?));
            }
            Done::Copy(rows, options) => {
                rows.copy(&options, &self.session)?.send(client).await?;
                return Ok(None);
            }
            Done::Moved(rows) => {
                send_execution_response(client, Tag::new("MOVE").with_rows(rows)).await?;
                return Ok(None);
            }
            Done::Tag(tag) => tag,
            Done::Transaction(tag, status) => {
                client.set_transaction_status(status);
                tag
            }
        };
        send_execution_response(client, Tag::new(tag)).await?;
        Ok(None)
    }
}

/// The answer to a text without a statement.
fn empty() -> PgWireBackendMessage {
    PgWireBackendMessage::EmptyQueryResponse(EmptyQueryResponse::new())
}

/// Sends rows, at most `max` unless it is 0. Answers whether there may be more.
async fn send_rows<C>(client: &mut C, rows: &mut QueryResponse, max: usize) -> PgWireResult<bool>
where
    C: Sink<PgWireBackendMessage> + Unpin,
    PgWireError: From<C::Error>,
{
    let mut sent = 0;
    while max == 0 || sent < max {
        let Some(row) = rows.data_rows().next().await else {
            let tag = Tag::new(rows.command_tag());
            let tag = match rows.command_tag() {
                // They do not say how many rows there were.
                "SHOW" | "EXPLAIN" => tag,
                _ => tag.with_rows(sent),
            };
            let complete = PgWireBackendMessage::CommandComplete(tag.into());
            client.feed(complete).await?;
            return Ok(false);
        };
        client.feed(PgWireBackendMessage::DataRow(row?)).await?;
        sent += 1;
    }
    let suspended = PgWireBackendMessage::PortalSuspended(PortalSuspended::new());
    client.feed(suspended).await?;
    Ok(true)
}

#[async_trait]
impl SimpleQueryHandler for Handler {
    /// Statement by statement: the first one that fails ends the message, as in PostgreSQL, and no later one is begun before the
    /// rows of the one before are sent.
    async fn on_query<C>(&self, client: &mut C, query: Query) -> PgWireResult<()>
    where
        C: ClientInfo + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        client.set_state(PgWireConnectionState::QueryInProgress);
        let text = query.query;
        let statements = parse::statements(&text)?;
        if statements.is_empty() {
            client.feed(empty()).await?;
        }
        for statement in &statements {
            let status = client.transaction_status();
            let done = self.task(&text, &[]).run(statement, &[], status).await?;
            if let Some(mut rows) = self.send_done(client, done, &Format::UnifiedText).await? {
                let columns = rows.row_schema();
                let columns = RowDescription::new(columns.iter().map(Into::into).collect());
                let columns = PgWireBackendMessage::RowDescription(columns);
                client.feed(columns).await?;
                send_rows(client, &mut rows, 0).await?;
            }
        }
        self.tell(client).await?;
        client.set_state(PgWireConnectionState::ReadyForQuery);
        let status = client.transaction_status();
        send_ready_for_query(client, status).await
    }

    async fn do_query<C: Send>(&self, _: &mut C, _: &str) -> PgWireResult<Vec<Response>> {
        Err(Error::new("XX000", "on_query answers all simple queries").into())
    }
}

#[async_trait]
impl QueryParser for Handler {
    type Statement = Parsed;

    async fn parse_sql<C: Sync>(
        &self,
        _: &C,
        sql: &str,
        given: &[Option<Type>],
    ) -> PgWireResult<Option<Parsed>> {
        let mut statements = parse::statements(sql)?;
        let Some(statement) = statements.pop() else {
            return Ok(None);
        };
        if !statements.is_empty() {
            let message = "cannot insert multiple commands into a prepared statement";
            return Err(Error::new("42601", message).into());
        }
        Ok(Some(self.task(sql, &[]).parsed(statement, given).await?))
    }

    fn get_parameter_types(&self, parsed: &Parsed) -> PgWireResult<Vec<Type>> {
        Ok(parsed.types.clone())
    }

    fn get_result_schema(
        &self,
        _parsed: &Parsed,
        _format: Option<&Format>,
    ) -> PgWireResult<Vec<FieldInfo>> {
        Err(Error::new("XX000", "do_describe_… answers all descriptions").into())
    }
}

#[async_trait]
impl ExtendedQueryHandler for Handler {
    type Statement = Parsed;
    type QueryParser = Self;

    fn query_parser(&self) -> Arc<Self> {
        Arc::new(Self {
            gateway: self.gateway.clone(),
            session: self.session.clone(),
        })
    }

    async fn on_parse<C>(&self, client: &mut C, message: Parse) -> PgWireResult<()>
    where
        C: ClientInfo + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        let parsed = StoredStatement::parse(client, &message, self.query_parser()).await?;
        let name = message.name.as_deref().unwrap_or_default();
        let statement = parsed.map(|stored| stored.statement);
        self.session.prepare(name, statement)?;
        let parsed = PgWireBackendMessage::ParseComplete(ParseComplete::new());
        Ok(client.feed(parsed).await?)
    }

    async fn on_close<C>(&self, client: &mut C, message: Close) -> PgWireResult<()>
    where
        C: ClientInfo + ClientPortalStore + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::PortalStore: PortalStore<Statement = Parsed>,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        let name = message.name.as_deref().unwrap_or_default();
        // It is no error to close what is not open.
        if message.target_type == TARGET_TYPE_BYTE_STATEMENT {
            let _ = self.session.deallocate(Some(name));
        } else {
            let portal = if name.is_empty() { DEFAULT_NAME } else { name };
            client.portal_store().rm_portal(portal);
            let _ = self.session.close(name);
        }
        let closed = PgWireBackendMessage::CloseComplete(CloseComplete::new());
        Ok(client.feed(closed).await?)
    }

    /// Statements are those of the session; a portal may also be a cursor of SQL.
    async fn on_describe<C>(&self, client: &mut C, message: Describe) -> PgWireResult<()>
    where
        C: ClientInfo + ClientPortalStore + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::PortalStore: PortalStore<Statement = Parsed>,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        let name = message.name.as_deref().unwrap_or_default();
        if message.target_type == TARGET_TYPE_BYTE_STATEMENT {
            let described = match self.session.prepared(name)? {
                Some(parsed) => self.describe(&parsed).await?,
                None => DescribeStatementResponse::no_data(),
            };
            return send_describe_response(client, &described).await;
        }
        let portal = if name.is_empty() { DEFAULT_NAME } else { name };
        if client.portal_store().get_portal(portal).is_some() {
            return self._on_describe(client, message).await;
        }
        let cursor = self.session.cursor(name)?;
        let fields = cursor.columns.fields(&Format::UnifiedText)?;
        send_describe_response(client, &DescribePortalResponse::new(fields)).await
    }

    async fn on_bind<C>(&self, client: &mut C, message: Bind) -> PgWireResult<()>
    where
        C: ClientInfo + ClientPortalStore + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::PortalStore: PortalStore<Statement = Parsed>,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        let name = message.statement_name.as_deref().unwrap_or_default();
        if let Some(parsed) = self.session.prepared(name)? {
            let types = parsed.types.iter().cloned().map(Some).collect();
            let statement = Arc::new(StoredStatement::new(name.to_owned(), parsed, types));
            let formats = message.parameter_format_codes.len();
            if formats > 1 && formats != message.parameters.len() {
                let message = format!(
                    "bind message has {formats} parameter formats but {} parameters",
                    message.parameters.len()
                );
                return Err(Error::new("08P01", message).into());
            }
            let portal = Portal::try_new(&message, statement)?;
            let name = &portal.name;
            if name != DEFAULT_NAME
                && (client.portal_store().get_portal(name).is_some()
                    || self.session.cursor(name).is_ok())
            {
                return Err(known_cursor(name).into());
            }
            client.portal_store().put_portal(Arc::new(portal));
        } else {
            let name = message.portal_name.as_deref().unwrap_or(DEFAULT_NAME);
            client.portal_store().put_empty_portal(name);
        }
        let bound = PgWireBackendMessage::BindComplete(BindComplete::new());
        Ok(client.feed(bound).await?)
    }

    /// A portal that is described is about to be executed, so its query is begun: it tells its columns, and its rows are there
    /// when they are asked for. That spares one question to the runtime.
    async fn do_describe_portal<C>(
        &self,
        client: &mut C,
        target: &Portal<Parsed>,
    ) -> PgWireResult<DescribePortalResponse>
    where
        C: ClientInfo + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        let parsed = &target.statement.statement;
        if !matches!(parsed.statement, Statement::Query(_)) {
            let columns = self.columns(parsed).await?;
            let fields = columns.map(|columns| columns.fields(&target.result_column_format));
            let fields = fields.transpose()?.unwrap_or_default();
            return Ok(DescribePortalResponse::new(fields));
        }
        let fields = match &mut *target.state().lock().await {
            state @ PortalExecutionState::Initial => match self.begin(client, target).await? {
                Some(rows) => {
                    let fields = rows.row_schema();
                    *state = PortalExecutionState::Suspended(rows);
                    fields
                }
                None => Arc::default(),
            },
            PortalExecutionState::Suspended(rows) => rows.row_schema(),
            PortalExecutionState::Finished => Arc::default(),
        };
        Ok(DescribePortalResponse::new(fields.to_vec()))
    }

    /// Sends rows as they come; none are collected, however many are asked for.
    async fn on_execute<C>(&self, client: &mut C, message: Execute) -> PgWireResult<()>
    where
        C: ClientInfo + ClientPortalStore + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::PortalStore: PortalStore<Statement = Parsed>,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        client.set_state(PgWireConnectionState::QueryInProgress);
        let name = message.name.as_deref().unwrap_or(DEFAULT_NAME);
        let max_rows = usize::try_from(message.max_rows).unwrap_or(0);
        match client.portal_store().get_portal(name) {
            None => return Err(unknown_cursor(name).into()),
            Some(Entry::Empty) => client.feed(empty()).await?,
            Some(Entry::Value(portal)) => {
                let state = portal.state();
                let mut state = state.lock().await;
                let begun = std::mem::replace(&mut *state, PortalExecutionState::Finished);
                let rows = match begun {
                    PortalExecutionState::Initial => self.begin(client, &portal).await?,
                    PortalExecutionState::Suspended(rows) => {
                        self.session.begin();
                        Some(rows)
                    }
                    PortalExecutionState::Finished => {
                        send_execution_response(client, Tag::new("SELECT").with_rows(0)).await?;
                        None
                    }
                };
                if let Some(mut rows) = rows
                    && send_rows(client, &mut rows, max_rows).await?
                {
                    *state = PortalExecutionState::Suspended(rows);
                }
            }
        }
        client.set_state(PgWireConnectionState::ReadyForQuery);
        Ok(())
    }

    async fn on_sync<C>(&self, client: &mut C, _message: SyncMessage) -> PgWireResult<()>
    where
        C: ClientInfo + ClientPortalStore + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::PortalStore: PortalStore<Statement = Parsed>,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        let status = client.transaction_status();
        // Outside of a transaction every portal ends here, and with it its query in the runtime.
        if status == TransactionStatus::Idle {
            client.portal_store().clear_portals();
        }
        self.tell(client).await?;
        let ready = PgWireBackendMessage::ReadyForQuery(ReadyForQuery::new(status));
        Ok(client.send(ready).await?)
    }

    async fn do_query<C: Send>(
        &self,
        _: &mut C,
        _: &Portal<Parsed>,
        _: usize,
    ) -> PgWireResult<Response> {
        Err(Error::new("XX000", "on_execute answers all portals").into())
    }
}
