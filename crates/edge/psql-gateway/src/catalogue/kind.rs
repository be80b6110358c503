//! What the columns of a catalogue query hold, and their values as Arrow's.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::{
    ArrayRef, BooleanArray, Float32Array, Int16Array, Int32Array, Int64Array, RecordBatch,
    RecordBatchOptions, StringArray,
};
use arrow_pg::datatypes::{PG_CHAR_KEY, PG_OID_ALIAS_KEY};
use arrow_schema::{DataType, Field, Schema};
use rusqlite::types::Value as SqliteValue;

use crate::error::{Error, Result};

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Bool,
    Int2,
    Int4,
    Int8,
    Float4,
    Oid,
    Char,
    Text,
}

impl Kind {
    /// What a column was declared with in `tables.sql`.
    pub(super) fn declared(text: &str) -> Option<Self> {
        Some(
            match text.split_whitespace().next()?.to_lowercase().as_str() {
                "bool" => Self::Bool,
                "int2" => Self::Int2,
                "int4" => Self::Int4,
                "int8" => Self::Int8,
                "float4" => Self::Float4,
                "oid" => Self::Oid,
                "char" => Self::Char,
                _ => Self::Text,
            },
        )
    }

    fn field(self, name: &str) -> Field {
        let tagged = |data_type, key: &str, value: &str| {
            Field::new(name, data_type, true)
                .with_metadata(HashMap::from([(key.to_owned(), value.to_owned())]))
        };
        match self {
            Self::Bool => Field::new(name, DataType::Boolean, true),
            Self::Int2 => Field::new(name, DataType::Int16, true),
            Self::Int4 => Field::new(name, DataType::Int32, true),
            Self::Int8 => Field::new(name, DataType::Int64, true),
            Self::Float4 => Field::new(name, DataType::Float32, true),
            Self::Oid => tagged(DataType::Int32, PG_OID_ALIAS_KEY, "oid"),
            Self::Char => tagged(DataType::Utf8, PG_CHAR_KEY, "char"),
            Self::Text => Field::new(name, DataType::Utf8, true),
        }
    }

    fn array(self, values: &[SqliteValue]) -> ArrayRef {
        let integers = || values.iter().map(integer);
        let narrow = || integers().map(|value| value.and_then(|value| i32::try_from(value).ok()));
        match self {
            Self::Bool => Arc::new(
                integers()
                    .map(|value| value.map(|value| value != 0))
                    .collect::<BooleanArray>(),
            ),
            Self::Int2 => Arc::new(
                integers()
                    .map(|value| value.and_then(|value| i16::try_from(value).ok()))
                    .collect::<Int16Array>(),
            ),
            Self::Int4 | Self::Oid => Arc::new(narrow().collect::<Int32Array>()),
            Self::Int8 => Arc::new(integers().collect::<Int64Array>()),
            Self::Float4 => {
                let floats = narrow().map(|value| {
                    value
                        .and_then(|value| i16::try_from(value).ok())
                        .map(f32::from)
                });
                Arc::new(floats.collect::<Float32Array>())
            }
            Self::Char | Self::Text => Arc::new(values.iter().map(text).collect::<StringArray>()),
        }
    }
}

fn integer(value: &SqliteValue) -> Option<i64> {
    match value {
        SqliteValue::Integer(value) => Some(*value),
        SqliteValue::Text(text) => text.parse().ok(),
        #[expect(
            clippy::cast_possible_truncation,
            reason = "the catalogue's numbers are whole and small"
        )]
        SqliteValue::Real(value) => Some(*value as i64),
        SqliteValue::Null | SqliteValue::Blob(_) => None,
    }
}

fn text(value: &SqliteValue) -> Option<String> {
    match value {
        SqliteValue::Null => None,
        SqliteValue::Integer(value) => Some(value.to_string()),
        SqliteValue::Real(value) => Some(value.to_string()),
        SqliteValue::Text(text) => Some(text.clone()),
        SqliteValue::Blob(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
    }
}

/// The columns as one batch of so many rows.
pub(super) fn batch(
    columns: &[(String, Kind)],
    values: &[Vec<SqliteValue>],
    rows: usize,
) -> Result<RecordBatch> {
    let fields: Vec<Field> = columns
        .iter()
        .map(|(name, kind)| kind.field(name))
        .collect();
    let arrays = columns
        .iter()
        .zip(values)
        .map(|((_, kind), values)| kind.array(values));
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), arrays.collect(), &options)
        .map_err(|error| Error::new("XX000", error.to_string()))
}
