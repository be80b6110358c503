//! Record batches as rows of the wire protocol.

use std::sync::{Arc, Mutex, PoisonError};

use arrow_array::{
    Array, ArrayRef, DictionaryArray, Int32Array, RecordBatch, StringArray, UnionArray,
};
use arrow_pg::encoder::{Encoder, encode_value};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use futures::{Stream, TryStreamExt, stream};
use pgwire::api::Type;
use pgwire::api::portal::Format;
use pgwire::api::results::{DataRowEncoder, FieldFormat, FieldInfo, QueryResponse};
use pgwire::error::{PgWireError, PgWireResult};

use crate::copy::{Copied, CopyFormat, CopyOptions};
use crate::error::{Error, Result};
use crate::runtime::Answer;
use crate::session::Session;

/// The columns of a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Columns(Vec<(String, Type)>);

impl Columns {
    /// The columns of an answer, under the names that PostgreSQL would give them.
    pub(crate) fn new(schema: &Schema, names: Option<&[Option<String>]>) -> Result<Self> {
        let names = names.filter(|names| names.len() == schema.fields().len());
        let columns = schema.fields().iter().enumerate().map(|(index, field)| {
            let name = names.and_then(|names| names[index].clone());
            let data_type = match field.data_type() {
                // A bare NULL is a text in PostgreSQL too.
                DataType::Union(..) | DataType::Null => Type::TEXT,
                _ => arrow_pg::datatypes::field_into_pg_type(field).map_err(|_| {
                    Error::unsupported(format!(
                        "column \"{}\" of the type {} that PostgreSQL does not have",
                        field.name(),
                        field.data_type()
                    ))
                    .hint("Cast it to text.")
                })?,
            };
            Ok((name.unwrap_or_else(|| field.name().clone()), data_type))
        });
        columns.collect::<Result<_>>().map(Self)
    }

    /// The description of the columns in the formats that were asked for.
    pub(crate) fn fields(&self, format: &Format) -> Result<Vec<FieldInfo>> {
        if let Format::Individual(codes) = format
            && codes.len() != self.0.len()
        {
            return Err(Error::new(
                "08P01",
                format!(
                    "bind message has {} result formats but query has {} columns",
                    codes.len(),
                    self.0.len()
                ),
            ));
        }
        let fields = self.0.iter().enumerate().map(|(index, (name, data_type))| {
            FieldInfo::new(
                name.clone(),
                None,
                None,
                data_type.clone(),
                format.format_for(index),
            )
            .with_type_size(size(data_type))
        });
        Ok(fields.collect())
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }
}

/// `pg_type.typlen`
pub(crate) fn size(data_type: &Type) -> i16 {
    match *data_type {
        Type::BOOL | Type::CHAR => 1,
        Type::INT2 => 2,
        Type::INT4 | Type::FLOAT4 | Type::DATE | Type::OID => 4,
        Type::INT8 | Type::FLOAT8 | Type::TIME | Type::TIMESTAMP | Type::TIMESTAMPTZ => 8,
        Type::INTERVAL => 16,
        Type::NAME => 64,
        _ => -1,
    }
}

/// A result whose rows have not been asked for.
pub(crate) struct Rows {
    pub(crate) columns: Columns,
    pub(crate) answer: Answer,
}

impl Rows {
    /// The rows as an answer to a query. They end when the session's statement is cancelled or out of time.
    pub(crate) fn respond(
        self,
        tag: &str,
        format: &Format,
        session: &Arc<Session>,
    ) -> Result<QueryResponse> {
        let fields = Arc::new(self.columns.fields(format)?);
        let encoder = DataRowEncoder::new(fields.clone());
        let rows = encode(self.answer, fields.clone(), session, encoder);
        let mut response = QueryResponse::new(fields, rows);
        response.set_command_tag(tag);
        Ok(response)
    }

    /// The rows as `COPY … TO STDOUT` sends them.
    pub(crate) fn copy(self, options: &CopyOptions, session: &Arc<Session>) -> Result<Copied> {
        let format = match options.format {
            CopyFormat::Binary => Format::UnifiedBinary,
            CopyFormat::Text(_) | CopyFormat::Csv(_) => Format::UnifiedText,
        };
        let fields = Arc::new(self.columns.fields(&format)?);
        let header = options.header(self.columns.names());
        let encoder = options.encoder(&fields);
        Ok(Copied {
            binary: matches!(options.format, CopyFormat::Binary),
            columns: fields.len(),
            header,
            rows: Box::pin(encode(self.answer, fields, session, encoder)),
        })
    }
}

/// Encodes rows one by one as they are asked for; one batch at a time is in memory.
fn encode<E>(
    answer: Answer,
    fields: Arc<Vec<FieldInfo>>,
    session: &Arc<Session>,
    encoder: E,
) -> impl Stream<Item = PgWireResult<E::Item>> + Send + 'static
where
    E: Encoder + Send + 'static,
    E::Item: Send + 'static,
{
    let plain = Plain::new(&answer.schema, &fields);
    let session = session.clone();
    let limited = stream::try_unfold(answer.batches, move |mut batches| {
        let session = session.clone();
        async move {
            let next = session.running().limit(batches.try_next()).await?;
            Ok::<_, PgWireError>(next.map(|batch| (batch, batches)))
        }
    });
    // Rows of all batches are written with one encoder, of which one batch has the use at a time.
    let encoder = Arc::new(Mutex::new(encoder));
    limited
        .map_ok(move |batch| {
            let rows = batch.num_rows();
            let batch = plain.batch(&batch);
            let fields = fields.clone();
            let encoder = encoder.clone();
            let rows = (0..rows).map(move |row| {
                let batch = batch.as_ref().map_err(Clone::clone)?;
                let mut encoder = encoder.lock().unwrap_or_else(PoisonError::into_inner);
                let schema = batch.schema_ref();
                for (index, field) in fields.iter().enumerate() {
                    encode_value(
                        &mut *encoder,
                        batch.column(index),
                        row,
                        schema.field(index),
                        field,
                    )?;
                }
                Ok(encoder.take_row())
            });
            stream::iter(rows)
        })
        .try_flatten()
}

/// Turns columns into such as the encoder knows.
#[derive(Debug, Clone)]
struct Plain {
    /// Nothing where every column is fine as it is.
    schema: Option<SchemaRef>,
}

impl Plain {
    fn new(schema: &SchemaRef, encoded: &[FieldInfo]) -> Self {
        let columns = || schema.fields().iter().zip(encoded);
        let plain = |field: &Field, encoded: &FieldInfo| match field.data_type() {
            DataType::Union(..) => Some(DataType::Utf8),
            // As text a number is a text, and Arrow writes a column of them faster than one decimal after the other is made.
            DataType::UInt64 if encoded.format() == FieldFormat::Text => Some(DataType::Utf8),
            of @ DataType::Interval(_) => Some(DataType::Dictionary(
                Box::new(DataType::Int32),
                Box::new(of.clone()),
            )),
            _ => None,
        };
        if columns().all(|(field, encoded)| plain(field, encoded).is_none()) {
            return Self { schema: None };
        }
        let fields = columns().map(|(field, encoded)| match plain(field, encoded) {
            Some(data_type) => Arc::new(Field::new(field.name(), data_type, true)),
            None => field.clone(),
        });
        Self {
            schema: Some(Arc::new(Schema::new(fields.collect::<Vec<_>>()))),
        }
    }

    fn batch(&self, batch: &RecordBatch) -> Result<RecordBatch> {
        let Some(schema) = &self.schema else {
            return Ok(batch.clone());
        };
        let columns = batch.columns().iter().zip(schema.fields());
        let columns =
            columns.map(
                |(column, field)| match (column.data_type(), field.data_type()) {
                    (DataType::Union(..), _) => texts(column),
                    (DataType::Interval(_), _) => nullable(column),
                    (DataType::UInt64, to @ DataType::Utf8) => arrow_cast::cast(column, to),
                    _ => Ok(column.clone()),
                },
            );
        let columns = columns.collect::<std::result::Result<Vec<_>, _>>();
        columns
            .and_then(|columns| RecordBatch::try_new(schema.clone(), columns))
            .map_err(|error| Error::new("XX000", error.to_string()))
    }
}

/// The values of a union, such as a JSON value, as texts.
fn texts(column: &ArrayRef) -> std::result::Result<ArrayRef, arrow_schema::ArrowError> {
    let Some(union) = column.as_any().downcast_ref::<UnionArray>() else {
        return Ok(column.clone());
    };
    let texts = (0..union.len()).map(|row| {
        let value = union.value(row);
        if value.is_null(0) || *value.data_type() == DataType::Null {
            return Ok(None);
        }
        arrow_cast::display::array_value_to_string(&value, 0).map(Some)
    });
    let texts: StringArray = texts.collect::<std::result::Result<_, _>>()?;
    Ok(Arc::new(texts))
}

/// Intervals behind keys: the encoder does not see that an interval is NULL, but it sees that a key is.
fn nullable(column: &ArrayRef) -> std::result::Result<ArrayRef, arrow_schema::ArrowError> {
    let keys = (0..column.len()).map(|row| {
        let key = i32::try_from(row).ok();
        key.filter(|_| column.is_valid(row))
    });
    let keys: Int32Array = keys.collect();
    Ok(Arc::new(DictionaryArray::try_new(keys, column.clone())?))
}
