//! What each kind of statement does. Only queries reach the runtime; what tools send around them works on the session; all
//! else is refused.

use std::sync::Arc;

use arrow_array::RecordBatch;
use futures::future::BoxFuture;
use futures::{StreamExt, TryStreamExt};
use pgwire::api::Type;
use pgwire::messages::response::TransactionStatus;
use sqlparser::ast::{
    CloseCursor, ContextModifier, CopySource, CopyTarget, Declare, DiscardObject, Expr, Ident,
    LimitClause, ObjectName, Query, Reset, SelectItem, Set, SetExpr, Statement, TableFactor,
    TransactionMode, Value,
};
use tokio::sync::OnceCell;

use crate::bounds::with_stack;
use crate::catalogue::{self, Concerns, facts};
use crate::copy::CopyOptions;
use crate::cursor::{self, Cursor};
use crate::error::{Error, Result};
use crate::gateway::Gateway;
use crate::prepared::{Parsed, Prepared};
use crate::rewrite;
use crate::rows::{Columns, Rows};
use crate::runtime::Answer;
use crate::session::Session;
use crate::{numbers, parameters, parse, settings, sql};

/// What a statement is answered with.
pub(crate) enum Done {
    /// Rows, and what the command is called.
    Rows(Rows, &'static str),
    /// Rows of a `COPY`.
    Copy(Rows, CopyOptions),
    /// Rows of a cursor were passed over.
    Moved(usize),
    /// Nothing but the word that it is done.
    Tag(&'static str),
    /// A transaction has begun or ended, as far as there are any.
    Transaction(&'static str, TransactionStatus),
}

/// A statement on its way through the gateway.
pub(crate) struct Task<'a> {
    pub(crate) gateway: &'a Gateway,
    pub(crate) session: &'a Arc<Session>,
    /// The text the statement came in.
    pub(crate) text: &'a str,
    /// The types of its parameters.
    pub(crate) types: &'a [Type],
}

impl Task<'_> {
    /// Runs a statement whose parameters have these values.
    pub(crate) async fn run(
        &self,
        statement: &Statement,
        values: &[Expr],
        status: TransactionStatus,
    ) -> Result<Done> {
        if status == TransactionStatus::Error && !ends_transaction(statement) {
            return Err(Error::new(
                "25P02",
                "current transaction is aborted, commands ignored until end of transaction block",
            ));
        }
        self.told(self.dispatch(statement, values, status).await)
            .await
    }

    /// What was done, or the error as the client gets it.
    async fn told<T>(&self, done: Result<T>) -> Result<T> {
        if let Err(error) = &done {
            self.gateway.doubt(error).await;
        }
        done.map_err(|error| error.located_in(self.text))
    }

    /// The columns that a statement will answer with, if it answers with rows.
    pub(crate) async fn describe(&self, statement: &Statement) -> Result<Option<Columns>> {
        let described = match statement {
            Statement::Query(query) => self.describe_query(query).await.map(Some),
            Statement::Explain { .. }
            | Statement::ShowVariable { .. }
            | Statement::Fetch { into: None, .. }
            | Statement::ShowTables { .. } => {
                let nulls = parameters::nulls(self.types);
                let done = self.dispatch(statement, &nulls, TransactionStatus::Idle);
                done.await.map(|done| match done {
                    Done::Rows(rows, _) => Some(rows.columns),
                    _ => None,
                })
            }
            Statement::Execute {
                name: Some(name), ..
            } => {
                let prepared = self.prepared(&prepared_name(name))?;
                let Statement::Query(query) = &prepared.statement else {
                    return Ok(None);
                };
                let types = &prepared.types;
                let task = Task { types, ..*self };
                task.describe_query(query).await.map(Some)
            }
            _ => Ok(None),
        };
        self.told(described).await
    }

    /// The types of a statement's parameters.
    pub(crate) async fn types(&self, statement: &Statement) -> Result<Vec<Type>> {
        let types = with_stack(|| parameters::types(statement, None))?;
        if types.is_empty() {
            return Ok(types);
        }
        let schema = self.gateway.schema().await?;
        with_stack(|| parameters::types(statement, Some(&schema)))
    }

    async fn describe_query(&self, query: &Query) -> Result<Columns> {
        let mut query = with_stack(|| query.clone());
        query.fetch = None;
        query.limit_clause = Some(LimitClause::LimitOffset {
            limit: Some(sql::number("0")),
            offset: None,
            limit_by: Vec::new(),
        });
        let nulls = parameters::nulls(self.types);
        let running = self.session.running();
        let described = running.limit(self.query(query, &nulls)).await;
        described.map(|rows| rows.columns)
    }

    fn dispatch<'a>(
        &'a self,
        statement: &'a Statement,
        values: &'a [Expr],
        status: TransactionStatus,
    ) -> BoxFuture<'a, Result<Done>> {
        Box::pin(async move {
            let running = self.session.running();
            match statement {
                Statement::Query(query) => {
                    let query = with_stack(|| (**query).clone());
                    let rows = running.limit(self.query(query, values)).await?;
                    Ok(Done::Rows(rows, "SELECT"))
                }
                Statement::Explain { .. } => {
                    let rows = running.limit(self.explain(statement, values)).await?;
                    Ok(Done::Rows(rows, "EXPLAIN"))
                }
                Statement::Copy {
                    source,
                    to,
                    target,
                    options,
                    legacy_options,
                    ..
                } => {
                    let (query, options) = copy(source, *to, target, options, legacy_options)?;
                    let rows = running.limit(self.query(query, values)).await?;
                    Ok(Done::Copy(rows, options))
                }
                Statement::Prepare {
                    name,
                    data_types,
                    statement,
                } => {
                    let statement = with_stack(|| (**statement).clone());
                    let given = data_types.iter().map(ToString::to_string);
                    let given = given.map(|of| facts::type_in_sql(&of));
                    let prepared = self.parsed(statement, &given.collect::<Vec<_>>()).await?;
                    self.session.prepare(&sql::folded(name), Some(prepared))?;
                    Ok(Done::Tag("PREPARE"))
                }
                Statement::Declare { stmts } => {
                    self.declare(stmts, values, status).await?;
                    Ok(Done::Tag("DECLARE CURSOR"))
                }
                Statement::Fetch {
                    name,
                    direction,
                    into,
                    ..
                } => {
                    let cursor = self.session.cursor(&sql::folded(name))?;
                    let rows = cursor.fetch(cursor::count(direction)?);
                    // So `MOVE` is read.
                    if into.is_none() {
                        return Ok(Done::Rows(rows, "FETCH"));
                    }
                    let batches = rows.answer.batches.map_ok(|batch| batch.num_rows());
                    let passed = batches.try_fold(0, async |sum, rows| Ok(sum + rows));
                    Ok(Done::Moved(running.limit(passed).await?))
                }
                Statement::Execute {
                    name: Some(name),
                    parameters,
                    ..
                } => self.execute(name, parameters, values, status).await,
                Statement::ShowVariable { variable } => self.show(variable),
                Statement::ShowTables { .. } => {
                    let query = catalogue::tables_query()?;
                    Ok(Done::Rows(self.query(query, &[]).await?, "SHOW"))
                }
                other => self.control(other, status),
            }
        })
    }

    /// A statement with the types of its parameters: those given, or those that follow from it.
    pub(crate) async fn parsed(
        &self,
        statement: Statement,
        given: &[Option<Type>],
    ) -> Result<Parsed> {
        let found = self.types(&statement).await;
        let found = found.map_err(|error| error.located_in(self.text))?;
        let types = (0..found.len().max(given.len())).map(|index| {
            let given = given.get(index).cloned().flatten();
            let given = given.filter(|given| *given != Type::UNKNOWN);
            (given.or_else(|| found.get(index).cloned())).unwrap_or(Type::TEXT)
        });
        let types = types.collect();
        Ok(Arc::new(Prepared {
            statement,
            text: self.text.to_owned(),
            types,
            columns: OnceCell::new(),
        }))
    }

    fn prepared(&self, name: &str) -> Result<Parsed> {
        let prepared = self.session.prepared(name)?;
        prepared
            .ok_or_else(|| Error::new("26000", format!("prepared statement \"{name}\" is empty")))
    }

    async fn declare(
        &self,
        declared: &[Declare],
        values: &[Expr],
        status: TransactionStatus,
    ) -> Result<()> {
        let [
            Declare {
                names,
                binary,
                hold,
                for_query: Some(query),
                ..
            },
        ] = declared
        else {
            return Err(Error::unsupported("DECLARE without a cursor"));
        };
        let is_held = *hold == Some(true);
        if !is_held && status == TransactionStatus::Idle {
            let message = "DECLARE CURSOR can only be used in transaction blocks";
            return Err(Error::new("25P01", message));
        }
        if *binary == Some(true) {
            return Err(
                Error::unsupported("a cursor with BINARY").hint("The format is that of FETCH.")
            );
        }
        let name = names.first().map(sql::folded).unwrap_or_default();
        let query = with_stack(|| (**query).clone());
        let running = self.session.running();
        let rows = running.limit(self.query(query, values)).await?;
        self.session.declare(&name, Cursor::new(rows, is_held))
    }

    fn query<'a>(&'a self, mut query: Query, values: &'a [Expr]) -> BoxFuture<'a, Result<Rows>> {
        Box::pin(async move {
            let schema = self.gateway.schema().await?;
            let (concerns, names, kinds) = with_stack(|| {
                let concerns = catalogue::concerns(&query);
                let of_runtime = concerns != Concerns::Catalogue;
                if of_runtime {
                    rewrite::expand(&mut query, &schema);
                }
                let names = rewrite::output_names(&query);
                let shown = numbers::shown(&query);
                let types = if of_runtime {
                    catalogue::by_types(&mut query, &schema, self.types)
                } else {
                    catalogue::types_of(&query, &schema, self.types)
                };
                let kinds = numbers::kinds(types, &shown);
                parameters::substitute(&mut query, values)?;
                Ok::<_, Error>((concerns, names, kinds))
            })?;
            let answer = if concerns == Concerns::Catalogue {
                let catalogue = self.gateway.catalogue().await?;
                catalogue.query(query, self.session).await?
            } else {
                let sql = self.for_runtime(query, &concerns).await?;
                self.gateway.runtime.query(&sql).await?
            };
            let answer = numbers::typed(answer, kinds);
            let columns = Columns::new(&answer.schema, names.as_deref())?;
            Ok(Rows { columns, answer })
        })
    }

    /// The query as the runtime is asked.
    async fn for_runtime(&self, mut query: Query, concerns: &Concerns) -> Result<String> {
        if let Concerns::Both { .. } = concerns {
            let catalogue = self.gateway.catalogue().await?;
            query = catalogue.mix(query, self.session).await?;
        }
        let schema = self.gateway.schema().await?;
        with_stack(|| rewrite::for_runtime(query, &schema, &self.session.about()))
    }

    async fn explain(&self, statement: &Statement, values: &[Expr]) -> Result<Rows> {
        let Statement::Explain {
            analyze,
            verbose,
            statement: explained,
            options,
            ..
        } = statement
        else {
            return Err(Error::unsupported("EXPLAIN"));
        };
        let Statement::Query(query) = &**explained else {
            return Err(Error::read_only("EXPLAIN of anything but a query"));
        };
        let mut query = with_stack(|| (**query).clone());
        with_stack(|| parameters::substitute(&mut query, values))?;
        let concerns = catalogue::concerns(&query);
        if concerns == Concerns::Catalogue {
            return Err(Error::unsupported(
                "EXPLAIN of a query of the catalogue, which the gateway answers itself",
            ));
        }
        let wished = |option: &str| {
            let mut options = options.iter().flatten().rev();
            options.find(|wished| wished.name.value.eq_ignore_ascii_case(option))
        };
        let sql = self.for_runtime(query, &concerns).await?;
        let word = |is_wished, word| if is_wished { word } else { "" };
        let analyze = word(*analyze || wished("analyze").is_some(), " ANALYZE");
        let format = wished("format").and_then(|option| option.arg.as_ref());
        let format = format.map(plain);
        let is_json = match format.map(|format| format.to_lowercase()).as_deref() {
            None | Some("text") => false,
            Some("json") if analyze.is_empty() => true,
            Some(format @ ("json" | "xml" | "yaml")) => {
                return Err(
                    Error::unsupported(format!("EXPLAIN{analyze} in format {format}"))
                        .hint("EXPLAIN (FORMAT JSON) and EXPLAIN ANALYZE work."),
                );
            }
            Some(other) => {
                let message =
                    format!("unrecognized value for EXPLAIN option \"format\": \"{other}\"");
                return Err(Error::new("22023", message));
            }
        };
        let verbose = word(
            !is_json && (*verbose || wished("verbose").is_some()),
            " VERBOSE",
        );
        let format = word(is_json, " FORMAT pgjson");
        let explain = format!("EXPLAIN{analyze}{verbose}{format} {sql}");
        let mut answer = self.gateway.runtime.query(&explain).await?;
        if is_json {
            // The plan alone, as PostgreSQL has it.
            let plan = |batch: RecordBatch| batch.project(&[1]);
            answer = Answer {
                schema: Arc::new(answer.schema.project(&[1])?),
                batches: Box::pin(answer.batches.map(move |batch| Ok(plan(batch?)?))),
            };
        }
        let name = is_json.then(|| [Some("QUERY PLAN".to_owned())]);
        let columns = Columns::new(&answer.schema, name.as_ref().map(|name| &name[..]))?;
        Ok(Rows { columns, answer })
    }

    async fn execute(
        &self,
        name: &ObjectName,
        given: &[Expr],
        values: &[Expr],
        status: TransactionStatus,
    ) -> Result<Done> {
        let name = prepared_name(name);
        let prepared = self.prepared(&name)?;
        let wanted = prepared.types.len();
        if given.len() != wanted {
            let message = format!(
                "wrong number of parameters for prepared statement \"{name}\": expected {wanted}, got {}",
                given.len()
            );
            return Err(Error::new("42601", message));
        }
        let given = with_stack(|| {
            let mut given = given.to_vec();
            for (value, of) in given.iter_mut().zip(&prepared.types) {
                parameters::substitute(value, values)?;
                if let Some(text) = sql::text(value) {
                    *value = parameters::typed(text, of)?;
                }
            }
            Ok::<_, Error>(given)
        })?;
        let (text, types) = (&*prepared.text, &*prepared.types);
        let task = Task {
            text,
            types,
            ..*self
        };
        task.dispatch(&prepared.statement, &given, status).await
    }

    fn show(&self, variable: &[Ident]) -> Result<Done> {
        let words: Vec<String> = variable.iter().map(sql::folded).collect();
        let name = match words.join(" ").as_str() {
            "transaction isolation level" => "transaction_isolation".to_owned(),
            "time zone" => "timezone".to_owned(),
            // The parser leaves out SESSION.
            "authorization" => "session_authorization".to_owned(),
            "all" => {
                let settings = self.session.settings();
                let rows = settings.iter();
                let rows = rows.map(|(name, value)| [name.as_str(), value.as_str()]);
                let batch = catalogue::texts(&["name", "setting"], rows)?;
                return Ok(Done::Rows(ready(batch)?, "SHOW"));
            }
            name => name.replace(' ', "."),
        };
        let value = self.session.shown(&name)?;
        let name = settings::setting(&name).map_or(&*name, |setting| setting.name);
        Self::shown(name, &value)
    }

    fn shown(name: &str, value: &str) -> Result<Done> {
        let batch = catalogue::texts(&[name], [[value]].into_iter())?;
        Ok(Done::Rows(ready(batch)?, "SHOW"))
    }

    /// Statements about the session and its transactions.
    fn control(&self, statement: &Statement, status: TransactionStatus) -> Result<Done> {
        match statement {
            Statement::Set(set) => self.set(set),
            Statement::Reset(reset) => {
                match &reset.reset {
                    Reset::ALL => self.session.reset(None)?,
                    Reset::ConfigurationParameter(name) => {
                        self.session.reset(Some(&name.to_string()))?;
                    }
                    Reset::SessionAuthorization => {}
                }
                Ok(Done::Tag("RESET"))
            }
            Statement::StartTransaction { modes, begin, .. } => {
                if status == TransactionStatus::Idle {
                    self.session.mark("")?;
                }
                self.modes(modes, true)?;
                let tag = if *begin { "BEGIN" } else { "START TRANSACTION" };
                Ok(Done::Transaction(tag, TransactionStatus::Transaction))
            }
            Statement::Rollback {
                savepoint: Some(_), ..
            }
            | Statement::Savepoint { .. }
            | Statement::ReleaseSavepoint { .. }
                if status == TransactionStatus::Idle =>
            {
                let message = "savepoints can only be used in transaction blocks";
                Err(Error::new("25P01", message))
            }
            Statement::Rollback {
                savepoint: Some(name),
                ..
            } => {
                self.session.release(&sql::folded(name), true)?;
                let status = TransactionStatus::Transaction;
                Ok(Done::Transaction("ROLLBACK", status))
            }
            Statement::Commit { .. } | Statement::Rollback { .. } => {
                let is_failed = status == TransactionStatus::Error;
                let undo = is_failed || matches!(statement, Statement::Rollback { .. });
                self.session.end(undo);
                let tag = if undo { "ROLLBACK" } else { "COMMIT" };
                Ok(Done::Transaction(tag, TransactionStatus::Idle))
            }
            Statement::Savepoint { name } => {
                self.session.mark(&sql::folded(name))?;
                Ok(Done::Tag("SAVEPOINT"))
            }
            Statement::ReleaseSavepoint { name } => {
                self.session.release(&sql::folded(name), false)?;
                Ok(Done::Tag("RELEASE"))
            }
            Statement::Deallocate { name, .. } => {
                if name.quote_style.is_none() && name.value.eq_ignore_ascii_case("all") {
                    self.session.deallocate(None)?;
                    return Ok(Done::Tag("DEALLOCATE ALL"));
                }
                self.session.deallocate(Some(&sql::folded(name)))?;
                Ok(Done::Tag("DEALLOCATE"))
            }
            Statement::Discard { object_type } => {
                if *object_type == DiscardObject::ALL {
                    if status != TransactionStatus::Idle {
                        let message = "DISCARD ALL cannot run inside a transaction block";
                        return Err(Error::new("25001", message));
                    }
                    self.session.reset(None)?;
                    self.session.deallocate(None)?;
                    self.session.close_cursors(true);
                }
                Ok(Done::Tag(match object_type {
                    DiscardObject::ALL => "DISCARD ALL",
                    DiscardObject::PLANS => "DISCARD PLANS",
                    DiscardObject::SEQUENCES => "DISCARD SEQUENCES",
                    DiscardObject::TEMP => "DISCARD TEMP",
                }))
            }
            Statement::Close {
                cursor: CloseCursor::All,
            } => {
                self.session.close_cursors(true);
                Ok(Done::Tag("CLOSE CURSOR ALL"))
            }
            Statement::Close {
                cursor: CloseCursor::Specific { name },
            } => {
                self.session.close(&sql::folded(name))?;
                Ok(Done::Tag("CLOSE CURSOR"))
            }
            Statement::UNLISTEN { .. } => Ok(Done::Tag("UNLISTEN")),
            other => Err(Error::read_only(&command(other))),
        }
    }

    /// Remembers the isolation level of the transaction, or of all that follow. Drivers say `READ WRITE` at the start of any transaction;
    /// each statement that writes is refused.
    fn modes(&self, modes: &[TransactionMode], is_local: bool) -> Result<()> {
        let names = ["default_transaction_isolation", "transaction_isolation"];
        for mode in modes {
            if let TransactionMode::IsolationLevel(level) = mode {
                let level = level.to_string().to_lowercase();
                (self.session).set(names[usize::from(is_local)], &level, is_local)?;
            }
        }
        Ok(())
    }

    fn set(&self, set: &Set) -> Result<Done> {
        let (name, values, is_local) = match set {
            Set::SingleAssignment {
                variable,
                values,
                scope,
                ..
            } => {
                let is_local = *scope == Some(ContextModifier::Local);
                (variable.to_string(), values.as_slice(), is_local)
            }
            Set::SetTimeZone { value, local } => {
                ("timezone".to_owned(), std::slice::from_ref(value), *local)
            }
            Set::SetNames { charset_name, .. } => {
                (self.session).set("client_encoding", &charset_name.value, false)?;
                return Ok(Done::Tag("SET"));
            }
            Set::SetTransaction { modes, session, .. } => {
                self.modes(modes, !session)?;
                return Ok(Done::Tag("SET"));
            }
            Set::SetRole { .. } | Set::SetSessionAuthorization(_) | Set::SetNamesDefault { .. } => {
                return Ok(Done::Tag("SET"));
            }
            other => return Err(Error::unsupported(other.to_string())),
        };
        let name = name.to_lowercase();
        let values: Vec<String> = values.iter().map(plain).collect();
        match values.as_slice() {
            [only] if ["default", "local"].contains(&&*only.to_lowercase()) => {
                self.session.reset(Some(&name))?;
            }
            _ => (self.session).set(&name, &values.join(", "), is_local)?,
        }
        Ok(Done::Tag("SET"))
    }
}

fn ready(batch: RecordBatch) -> Result<Rows> {
    let answer = Answer::ready(batch);
    let columns = Columns::new(&answer.schema, None)?;
    Ok(Rows { columns, answer })
}

fn ends_transaction(statement: &Statement) -> bool {
    matches!(
        statement,
        Statement::Commit { .. } | Statement::Rollback { .. }
    )
}

/// The query whose rows are copied, and how.
fn copy(
    source: &CopySource,
    to: bool,
    target: &CopyTarget,
    options: &[sqlparser::ast::CopyOption],
    legacy: &[sqlparser::ast::CopyLegacyOption],
) -> Result<(Query, CopyOptions)> {
    if !to {
        return Err(Error::read_only("COPY FROM"));
    }
    if *target != CopyTarget::Stdout {
        return Err(
            Error::new("42501", "COPY to a file or program of the server")
                .hint("Use \\copy of psql, which writes on the client's side."),
        );
    }
    let query = match source {
        CopySource::Query(query) => with_stack(|| (**query).clone()),
        CopySource::Table {
            table_name,
            columns,
        } => {
            let mut query = parse::query("SELECT * FROM t")?;
            if let SetExpr::Select(select) = &mut *query.body {
                if let TableFactor::Table { name, .. } = &mut select.from[0].relation {
                    name.clone_from(table_name);
                }
                if !columns.is_empty() {
                    let columns = columns.iter().cloned().map(Expr::Identifier);
                    select.projection = columns.map(SelectItem::UnnamedExpr).collect();
                }
            }
            query
        }
    };
    Ok((query, CopyOptions::parse(options, legacy)?))
}

/// The name that `PREPARE` gave to a statement.
fn prepared_name(name: &ObjectName) -> String {
    sql::parts(name).unwrap_or_default().join(".")
}

/// The value of a setting as it is meant.
fn plain(value: &Expr) -> String {
    match value {
        Expr::Identifier(ident) => ident.value.clone(),
        // A time zone: an interval counts to the east, what comes after a zone's name to the west.
        Expr::Interval(interval) => {
            let east = plain(&interval.value);
            match east.strip_prefix('-') {
                Some(size) => format!("<{east}>+{size}"),
                None => format!("<{east}>-{}", east.trim_start_matches('+')),
            }
        }
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(text) => text.clone(),
            other => other.to_string(),
        },
        other => other.to_string(),
    }
}

/// What a statement is called: its first word, or two where one does not say enough.
fn command(statement: &Statement) -> String {
    let text = statement.to_string();
    let mut words = text.split_whitespace();
    let first = words.next().unwrap_or_default().to_uppercase();
    match (first.as_str(), words.next()) {
        ("CREATE" | "ALTER" | "DROP", Some(second)) => format!("{first} {}", second.to_uppercase()),
        _ => first,
    }
}
