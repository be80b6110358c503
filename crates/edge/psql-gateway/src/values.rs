//! The values of a column.
//!
//! `arrow-pg` writes values of every type, and looks at the type again for each. Most values are texts, bytes and integers, of
//! which a big answer has millions: for those the type is looked at once a batch, and the value goes straight into the row.
//! That both write the same is a test.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use arrow_array::{
    Array, ArrayRef, BinaryArray, BinaryViewArray, BooleanArray, DictionaryArray, Int32Array,
    Int64Array, LargeBinaryArray, LargeStringArray, StringArray, StringViewArray, UInt32Array,
    UInt64Array, UnionArray,
};
use arrow_cast::cast::{CastOptions, cast_with_options};
use arrow_pg::encoder::encode_value;
use arrow_schema::{ArrowError, DataType, Field, FieldRef, TimeUnit};
use bytes::{BufMut, BytesMut};
use pgwire::api::Type;
use pgwire::api::results::{FieldFormat, FieldInfo};
use pgwire::error::PgWireResult;
use postgres_types::IsNull;

use crate::error::Error;
use crate::row_encoder::RowEncoder;

/// A column of a batch, ready to be written value by value.
#[derive(Debug)]
pub(crate) enum Column {
    Text(StringArray),
    LargeText(LargeStringArray),
    TextView(StringViewArray),
    Hex(BinaryArray),
    LargeHex(LargeBinaryArray),
    HexView(BinaryViewArray),
    Bool(BooleanArray),
    Int32(Int32Array),
    Int64(Int64Array),
    UInt32(UInt32Array),
    UInt64(UInt64Array),
    /// Whatever `arrow-pg` is to write.
    Other(ArrayRef, Field),
}

impl Column {
    /// A column that a client wants as `wanted` says.
    pub(crate) fn new(
        array: &ArrayRef,
        field: &FieldRef,
        wanted: &FieldInfo,
    ) -> crate::error::Result<Self> {
        fn of<A: Array + Clone + 'static>(
            array: &ArrayRef,
            column: fn(A) -> Column,
        ) -> Option<Column> {
            array.as_any().downcast_ref::<A>().cloned().map(column)
        }
        let plain = match array.data_type() {
            DataType::Union(..) => texts(array),
            DataType::Interval(_) => nullable(array),
            DataType::Duration(_) => microseconds(array),
            _ => Ok(Arc::clone(array)),
        };
        let array = &plain.map_err(|error| match error {
            ArrowError::ArithmeticOverflow(_) => out_of_range(),
            error => Error::new("XX000", error.to_string()),
        })?;
        let found = match (wanted.datatype(), wanted.format()) {
            // A text is the same in both formats.
            (&Type::TEXT, _) => of(array, Self::Text)
                .or_else(|| of(array, Self::LargeText))
                .or_else(|| of(array, Self::TextView)),
            (&Type::BYTEA, FieldFormat::Text) => of(array, Self::Hex)
                .or_else(|| of(array, Self::LargeHex))
                .or_else(|| of(array, Self::HexView)),
            (&Type::BOOL, FieldFormat::Text) => of(array, Self::Bool),
            (&Type::INT4, FieldFormat::Text) => of(array, Self::Int32),
            (&Type::INT8, FieldFormat::Text) => {
                of(array, Self::Int64).or_else(|| of(array, Self::UInt32))
            }
            (&Type::NUMERIC, FieldFormat::Text) => of(array, Self::UInt64),
            _ => None,
        };
        Ok(found.unwrap_or_else(|| {
            let field = (**field).clone().with_data_type(array.data_type().clone());
            Self::Other(Arc::clone(array), field)
        }))
    }

    /// Writes the value of a row.
    pub(crate) fn write(
        &self,
        row: usize,
        wanted: &FieldInfo,
        to: &mut RowEncoder,
    ) -> PgWireResult<()> {
        macro_rules! values {
            ($array:expr, $put:expr) => {
                to.value(|out| {
                    if $array.is_null(row) {
                        return Ok(IsNull::Yes);
                    }
                    $put($array.value(row), out);
                    Ok(IsNull::No)
                })
            };
        }
        match self {
            Self::Text(array) => values!(array, put_text),
            Self::LargeText(array) => values!(array, put_text),
            Self::TextView(array) => values!(array, put_text),
            Self::Hex(array) => values!(array, put_hex),
            Self::LargeHex(array) => values!(array, put_hex),
            Self::HexView(array) => values!(array, put_hex),
            Self::Bool(array) => values!(array, put_bool),
            Self::Int32(array) => values!(array, put_integer),
            Self::Int64(array) => values!(array, put_integer),
            Self::UInt32(array) => values!(array, put_integer),
            Self::UInt64(array) => values!(array, put_integer),
            Self::Other(array, field) => {
                // It calculates without looking, so a value far out of range ends it.
                let written = AssertUnwindSafe(|| encode_value(to, array, row, field, wanted));
                catch_unwind(written).unwrap_or_else(|_| Err(out_of_range().into()))
            }
        }
    }
}

fn out_of_range() -> Error {
    Error::new("22008", "a date, time or interval is out of range")
}

/// Durations in PostgreSQL's unit, if they are not too long for it.
fn microseconds(column: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    let checked = CastOptions {
        safe: false,
        ..CastOptions::default()
    };
    cast_with_options(column, &DataType::Duration(TimeUnit::Microsecond), &checked)
}

fn put_text(text: &str, out: &mut BytesMut) {
    out.put_slice(text.as_bytes());
}

fn put_bool(value: bool, out: &mut BytesMut) {
    out.put_u8(if value { b't' } else { b'f' });
}

fn put_integer(value: impl itoa::Integer, out: &mut BytesMut) {
    out.put_slice(itoa::Buffer::new().format(value).as_bytes());
}

/// As `bytea_output = hex` has it.
fn put_hex(bytes: &[u8], out: &mut BytesMut) {
    // Without a table, so that the compiler can do many at a time.
    let digit = |nibble: u8| nibble + if nibble < 10 { b'0' } else { b'a' - 10 };
    out.put_slice(b"\\x");
    let begin = out.len();
    out.resize(begin + 2 * bytes.len(), 0);
    for (pair, byte) in out[begin..].chunks_exact_mut(2).zip(bytes) {
        pair[0] = digit(byte >> 4);
        pair[1] = digit(byte & 0xf);
    }
}

/// The values of a union, such as a JSON value, as texts.
fn texts(column: &ArrayRef) -> Result<ArrayRef, ArrowError> {
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
    let texts: StringArray = texts.collect::<Result<_, _>>()?;
    Ok(Arc::new(texts))
}

/// Intervals behind keys: the encoder does not see that an interval is NULL, but it sees that a key is.
fn nullable(column: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    let keys = (0..column.len()).map(|row| {
        let key = i32::try_from(row).ok();
        key.filter(|_| column.is_valid(row))
    });
    let keys: Int32Array = keys.collect();
    Ok(Arc::new(DictionaryArray::try_new(keys, column.clone())?))
}

#[cfg(test)]
mod tests {
    use arrow_array::{DurationMillisecondArray, DurationSecondArray};
    use arrow_pg::encoder::Encoder;
    use pgwire::api::results::DataRowEncoder;
    use proptest::collection::vec;
    use proptest::option::of;
    use proptest::prelude::*;

    use super::*;
    use crate::row_encoder::Layout;

    /// Arrays of all types that do not go through `arrow-pg`.
    fn arrays() -> impl Strategy<Value = ArrayRef> {
        fn array(array: impl Array + 'static) -> ArrayRef {
            Arc::new(array)
        }
        let texts = || vec(of(".{0,20}"), 1..20);
        let bytes = || vec(of(vec(any::<u8>(), 0..20)), 1..20);
        prop_oneof![
            texts().prop_map(|values| array(StringArray::from(values))),
            texts().prop_map(|values| array(LargeStringArray::from(values))),
            texts().prop_map(|values| array(StringViewArray::from_iter(values))),
            bytes().prop_map(|values| array(BinaryArray::from_iter(values))),
            bytes().prop_map(|values| array(LargeBinaryArray::from_iter(values))),
            bytes().prop_map(|values| array(BinaryViewArray::from_iter(values))),
            vec(any::<Option<bool>>(), 1..20).prop_map(|values| array(BooleanArray::from(values))),
            vec(any::<Option<i32>>(), 1..20).prop_map(|values| array(Int32Array::from(values))),
            vec(any::<Option<i64>>(), 1..20).prop_map(|values| array(Int64Array::from(values))),
            vec(any::<Option<u32>>(), 1..20).prop_map(|values| array(UInt32Array::from(values))),
            vec(any::<Option<u64>>(), 1..20).prop_map(|values| array(UInt64Array::from(values))),
        ]
    }

    #[test]
    fn an_interval_that_postgresql_cannot_have_is_an_error_for_its_client_alone() {
        for unit in ["s", "ms"] {
            let seconds = |value| -> ArrayRef {
                match unit {
                    "s" => Arc::new(DurationSecondArray::from(vec![value])),
                    _ => Arc::new(DurationMillisecondArray::from(vec![value])),
                }
            };
            let written = |value| {
                let array = seconds(value);
                let field = Arc::new(Field::new("a", array.data_type().clone(), true));
                let text = FieldFormat::Text;
                let wanted = FieldInfo::new("a".to_owned(), None, None, Type::INTERVAL, text);
                let mut row = RowEncoder::new(Layout::Message, 1);
                let column = Column::new(&array, &field, &wanted).map_err(|error| error.code)?;
                column.write(0, &wanted, &mut row).unwrap();
                Ok(row.take())
            };
            assert_eq!(written(i64::MAX), Err("22008"));
            assert!(written(90).is_ok());
        }
    }

    proptest! {
        #[test]
        fn a_value_is_written_as_arrow_pg_writes_it(
            array in arrays(),
            skipped in 0_usize..20,
            binary in any::<bool>(),
        ) {
            let skipped = skipped.min(array.len() - 1);
            let array = array.slice(skipped, array.len() - skipped);
            let field = Arc::new(Field::new("a", array.data_type().clone(), true));
            let data_type = arrow_pg::datatypes::into_pg_type(array.data_type()).unwrap();
            let format = if binary { FieldFormat::Binary } else { FieldFormat::Text };
            let wanted = FieldInfo::new("a".to_owned(), None, None, data_type, format);

            let mut theirs = DataRowEncoder::new(Arc::new(vec![wanted.clone()]));
            let mut ours = RowEncoder::new(Layout::Message, 1);
            let column = Column::new(&array, &field, &wanted).unwrap();
            prop_assert!(binary || !matches!(column, Column::Other(..)), "{column:?}");
            for row in 0..array.len() {
                encode_value(&mut theirs, &array, row, &field, &wanted).unwrap();
                column.write(row, &wanted, &mut ours).unwrap();
                prop_assert_eq!(&theirs.take_row().data, &ours.take_row());
            }
        }
    }
}
