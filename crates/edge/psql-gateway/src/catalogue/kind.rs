//! What the columns of a catalogue query hold, and their values as Arrow's.

use std::collections::HashMap;
use std::str::FromStr;
use std::sync::Arc;

use arrow_array::builder::{Int16Builder, ListBuilder, StringBuilder};
use arrow_array::{
    ArrayRef, BooleanArray, Float32Array, Float64Array, Int16Array, Int32Array, Int64Array,
    RecordBatch, RecordBatchOptions, StringArray,
};
use arrow_pg::datatypes::PG_OID_ALIAS_KEY;
use arrow_schema::{Field, Schema};
use pgwire::api::Type;
use rusqlite::types::Value as SqliteValue;

use crate::error::Result;
use crate::parameters::text_array;
use crate::rows::TYPE_KEY;

fn field(name: &str, of: &Type, array: &ArrayRef) -> Field {
    let mut about = HashMap::from([(TYPE_KEY.to_owned(), of.oid().to_string())]);
    if *of == Type::OID {
        about.insert(PG_OID_ALIAS_KEY.to_owned(), "oid".to_owned());
    }
    Field::new(name, array.data_type().clone(), true).with_metadata(about)
}

fn array(of: &Type, values: &[SqliteValue]) -> ArrayRef {
    fn numbers<T: TryFrom<i64>>(values: &[SqliteValue]) -> impl Iterator<Item = Option<T>> {
        values.iter().map(|value| T::try_from(integer(value)?).ok())
    }
    fn floats<T: FromStr>(values: &[SqliteValue]) -> impl Iterator<Item = Option<T>> {
        values.iter().map(|value| text(value)?.parse().ok())
    }
    match *of {
        Type::BOOL => {
            let values = values.iter().map(|value| Some(integer(value)? != 0));
            Arc::new(values.collect::<BooleanArray>())
        }
        Type::INT2 => Arc::new(numbers(values).collect::<Int16Array>()),
        Type::INT4 | Type::OID => Arc::new(numbers(values).collect::<Int32Array>()),
        Type::INT8 => Arc::new(numbers(values).collect::<Int64Array>()),
        Type::FLOAT4 => Arc::new(floats(values).collect::<Float32Array>()),
        Type::FLOAT8 => Arc::new(floats(values).collect::<Float64Array>()),
        Type::INT2_ARRAY => {
            let mut list = ListBuilder::new(Int16Builder::new());
            for value in values {
                let elements = text(value).map(|array| elements(&array).into_iter());
                list.append_option(elements.map(|all| all.map(|one| one?.parse().ok())));
            }
            Arc::new(list.finish())
        }
        Type::TEXT_ARRAY | Type::NAME_ARRAY => {
            let mut list = ListBuilder::new(StringBuilder::new());
            for value in values {
                list.append_option(text(value).map(|array| elements(&array)));
            }
            Arc::new(list.finish())
        }
        _ => Arc::new(values.iter().map(text).collect::<StringArray>()),
    }
}

fn integer(value: &SqliteValue) -> Option<i64> {
    match value {
        SqliteValue::Integer(value) => Some(*value),
        SqliteValue::Text(text) => match text.as_str() {
            "t" | "true" => Some(1),
            "f" | "false" => Some(0),
            text => text.parse().ok(),
        },
        // The catalogue's numbers are whole.
        SqliteValue::Real(value) => format!("{:.0}", value.trunc()).parse().ok(),
        SqliteValue::Null | SqliteValue::Blob(_) => None,
    }
}

pub(super) fn text(value: &SqliteValue) -> Option<String> {
    match value {
        SqliteValue::Null => None,
        SqliteValue::Integer(value) => Some(value.to_string()),
        SqliteValue::Real(value) => Some(value.to_string()),
        SqliteValue::Text(text) => Some(text.clone()),
        SqliteValue::Blob(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
    }
}

/// The elements of an array or vector: arrays are texts here, as PostgreSQL writes them, `{a,b}`, or `1 2` for an `int2vector`.
pub(super) fn elements(array: &str) -> Vec<Option<String>> {
    text_array(array).unwrap_or_else(|| {
        let words = array.split_whitespace();
        words.map(|one| Some(one.to_owned())).collect()
    })
}

/// The columns as one batch of so many rows.
pub(super) fn batch(
    columns: &[(String, Type)],
    values: &[Vec<SqliteValue>],
    rows: usize,
) -> Result<RecordBatch> {
    let columns = columns.iter().zip(values).map(|((name, of), values)| {
        let array = array(of, values);
        (field(name, of, &array), array)
    });
    let (fields, arrays): (Vec<Field>, Vec<ArrayRef>) = columns.unzip();
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    let schema = Arc::new(Schema::new(fields));
    Ok(RecordBatch::try_new_with_options(schema, arrays, &options)?)
}
