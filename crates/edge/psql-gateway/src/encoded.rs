//! Rows in the formats of the protocol and of `COPY`, as the client reads them.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use arrow_array::RecordBatch;
use bytes::BytesMut;
use futures::{Stream, TryStreamExt, stream};
use pgwire::api::portal::Format;
use pgwire::api::results::{FieldInfo, QueryResponse};
use pgwire::error::PgWireResult;
use pgwire::messages::data::DataRow;

use crate::copy::{Copied, CopyOptions};
use crate::error::Result;
use crate::row_encoder::{Layout, RowEncoder};
use crate::rows::Rows;
use crate::runtime::{Answer, Batches};
use crate::session::Session;
use crate::values::{self, Column};
use crate::zone::Zone;

impl Rows {
    /// The rows as an answer to a query. They end when the session's statement is cancelled or out of time.
    pub(crate) fn respond(
        self,
        tag: &str,
        format: &Format,
        session: &Arc<Session>,
    ) -> Result<QueryResponse> {
        let fields = self.fields(format, session)?;
        let count = i16::try_from(fields.len()).unwrap_or(i16::MAX);
        let rows = Encoded::new(self.answer, fields.clone(), session, Layout::Message)
            .map_ok(move |row| DataRow::new(row, count));
        let mut response = QueryResponse::new(fields, rows);
        response.set_command_tag(tag);
        Ok(response)
    }

    /// The rows as `COPY … TO STDOUT` sends them.
    pub(crate) fn copy(
        self,
        options: &CopyOptions,
        session: &Arc<Session>,
    ) -> PgWireResult<Copied> {
        let (format, binary) = match options.layout {
            Layout::Binary => (Format::UnifiedBinary, true),
            _ => (Format::UnifiedText, false),
        };
        let fields = self.fields(&format, session)?;
        let names = self.columns.names();
        let layout = options.layout.clone();
        Ok(Copied {
            binary,
            columns: fields.len(),
            header: options.header_line(names)?,
            rows: Box::pin(Encoded::new(self.answer, fields, session, layout)),
        })
    }

    /// The description of the columns, for a client of this session.
    fn fields(&self, format: &Format, session: &Session) -> Result<Arc<Vec<FieldInfo>>> {
        let fields = self.columns.fields(format)?.into_iter();
        let formats = session.formats();
        let fields = fields.map(|field| field.with_format_options(formats.clone()));
        Ok(Arc::new(fields.collect()))
    }
}

/// Rows that are encoded one by one as they are asked for; one batch at a time is in memory.
struct Encoded {
    batches: Batches,
    fields: Arc<Vec<FieldInfo>>,
    encoder: RowEncoder,
    /// The zone in which times are shown.
    zone: Arc<Zone>,
    /// The current batch, the next row of it, and how many it has.
    columns: Vec<Column>,
    row: usize,
    rows: usize,
}

impl Encoded {
    fn new(
        answer: Answer,
        fields: Arc<Vec<FieldInfo>>,
        session: &Arc<Session>,
        layout: Layout,
    ) -> Self {
        let zone = session.zone();
        let session = session.clone();
        let limited = stream::try_unfold(answer.batches, move |mut batches| {
            let session = session.clone();
            async move {
                let next = session.running().limit(batches.try_next()).await?;
                Ok(next.map(|batch| (batch, batches)))
            }
        });
        Self {
            batches: Box::pin(limited),
            encoder: RowEncoder::new(layout, fields.len()),
            zone,
            fields,
            columns: Vec::new(),
            row: 0,
            rows: 0,
        }
    }

    fn begin(&mut self, batch: &RecordBatch) -> Result<()> {
        let columns = batch.columns().iter().zip(batch.schema_ref().fields());
        let columns = columns
            .zip(&*self.fields)
            .map(|((column, field), wanted)| values::column(column, field, wanted, &self.zone));
        self.columns = columns.collect::<Result<_>>()?;
        self.row = 0;
        self.rows = batch.num_rows();
        Ok(())
    }

    fn next_row(&mut self) -> PgWireResult<BytesMut> {
        for column in &self.columns {
            column(self.row, &mut self.encoder)?;
        }
        self.row += 1;
        Ok(self.encoder.take())
    }
}

impl Stream for Encoded {
    type Item = PgWireResult<BytesMut>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        while self.row == self.rows {
            // Before another batch comes, this one goes.
            self.columns.clear();
            match ready!(self.batches.as_mut().poll_next(context)?) {
                Some(batch) => self.begin(&batch)?,
                None => return Poll::Ready(None),
            }
        }
        Poll::Ready(Some(self.next_row()))
    }
}
