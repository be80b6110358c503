//! The values of a column.
//!
//! `arrow-pg` writes values of every type, and looks at the type again for each. Most values are texts, bytes and integers, of
//! which a big answer has millions: for those the type is looked at once a batch, and the value goes straight into the row.
//! That both write the same is a test.

use std::fmt::{Display, LowerExp};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Decimal128Type, IntervalMonthDayNanoType};
use arrow_array::{
    Array, ArrayRef, BinaryArray, BinaryViewArray, BooleanArray, Float32Array, Float64Array,
    Int32Array, Int64Array, IntervalMonthDayNanoArray, LargeBinaryArray, LargeStringArray,
    StringArray, StringViewArray, UInt32Array, UInt64Array, UnionArray,
};
use arrow_buffer::IntervalMonthDayNano;
use arrow_cast::cast::cast_with_options;
use arrow_pg::encoder::encode_value;
use arrow_schema::{ArrowError, DataType, Field, FieldRef, IntervalUnit};
use bytes::{BufMut, BytesMut};
use pgwire::api::Type;
use pgwire::api::results::{FieldFormat, FieldInfo};
use pgwire::error::PgWireResult;
use postgres_types::{IsNull, Kind};

use crate::error::Error;
use crate::interval;
use crate::moment::{CHECKED, Moments};
use crate::parameters::array_text;
use crate::row_encoder::{Layout, RowEncoder};
use crate::zone::Zone;

/// A column of a batch, ready to be written value by value: it writes the value of a row.
pub(crate) type Column = Box<dyn Fn(usize, &mut RowEncoder) -> PgWireResult<()> + Send>;

/// A column that a client wants as `wanted` says.
pub(crate) fn column(
    array: &ArrayRef,
    field: &FieldRef,
    wanted: &FieldInfo,
    zone: &Arc<Zone>,
) -> crate::error::Result<Column> {
    let plain = match array.data_type() {
        DataType::Union(..) => texts(array),
        DataType::Interval(_) | DataType::Duration(_) => one_unit(array),
        _ => Ok(Arc::clone(array)),
    };
    let failed = |error: ArrowError| match error {
        ArrowError::ArithmeticOverflow(_)
        | ArrowError::CastError(_)
        | ArrowError::ComputeError(_) => out_of_range(),
        error => error.into(),
    };
    let array = &plain.map_err(failed)?;
    if let Some(moments) = Moments::new(array, wanted.datatype(), zone).map_err(failed)? {
        return Ok(of_moments(moments, wanted.format()));
    }
    if let Some(lists) = list(array, wanted, zone)? {
        return Ok(lists);
    }
    Ok(plain_values(array, wanted)?.unwrap_or_else(|| {
        let field = (**field).clone().with_data_type(array.data_type().clone());
        other(Arc::clone(array), field, wanted.clone())
    }))
}

/// The values of a column that is neither of times nor of lists, if they are not left to `arrow-pg`.
fn plain_values(array: &ArrayRef, wanted: &FieldInfo) -> crate::error::Result<Option<Column>> {
    /// The values of an array of this kind, if it is one.
    macro_rules! values {
        ($kind:ty, $put:expr) => {
            values!($kind, $put, array)
        };
        ($kind:ty, $put:expr, $array:expr) => {
            ($array.as_any().downcast_ref::<$kind>().cloned()).map(|array| -> Column {
                Box::new(move |row, to| {
                    to.value(|out| {
                        if array.is_null(row) {
                            return Ok(IsNull::Yes);
                        }
                        $put(array.value(row), out);
                        Ok(IsNull::No)
                    })
                })
            })
        };
    }
    let text = || {
        values!(StringArray, put_text)
            .or_else(|| values!(LargeStringArray, put_text))
            .or_else(|| values!(StringViewArray, put_text))
    };
    Ok(match (wanted.datatype(), wanted.format()) {
        // An empty one is a zero byte.
        (&Type::CHAR, FieldFormat::Binary) if is_text(array) => {
            let put = |text: &str, out: &mut BytesMut| {
                out.put_u8(text.bytes().next().unwrap_or(0));
            };
            values!(StringArray, put).or_else(text)
        }
        // A text is the same in both formats, and in the text format the catalogue's values of other types are texts too.
        (&(Type::TEXT | Type::NAME | Type::VARCHAR | Type::BPCHAR | Type::JSON), _)
        | (_, FieldFormat::Text)
            if is_text(array) =>
        {
            text()
        }
        (&Type::INTERVAL, format) => {
            let style = wanted.format_options().interval_style.clone();
            let put = move |value, out: &mut BytesMut| put_interval(value, format, &style, out);
            values!(IntervalMonthDayNanoArray, put)
        }
        (of @ &(Type::UUID | Type::JSONB), FieldFormat::Binary) if is_text(array) => {
            let texts = cast_with_options(array, &DataType::Utf8, &CHECKED)?;
            let put: fn(&str, &mut BytesMut) = match *of {
                Type::UUID => put_uuid,
                _ => put_jsonb,
            };
            values!(StringArray, put, texts)
        }
        (&Type::NUMERIC, FieldFormat::Binary) if is_text(array) => {
            values!(StringArray, put_decimal)
        }
        (other, FieldFormat::Binary) if is_text(array) && array.null_count() < array.len() => {
            return Err(
                Error::unsupported(format!("values of type {other} in binary"))
                    .hint("Ask for text, or cast them to text."),
            );
        }
        (&Type::BYTEA, FieldFormat::Text) => values!(BinaryArray, put_hex)
            .or_else(|| values!(LargeBinaryArray, put_hex))
            .or_else(|| values!(BinaryViewArray, put_hex)),
        (&Type::BOOL, FieldFormat::Text) => values!(BooleanArray, put_bool),
        (&Type::INT4, FieldFormat::Text) => values!(Int32Array, put_integer),
        (&Type::INT8, FieldFormat::Text) => {
            values!(Int64Array, put_integer).or_else(|| values!(UInt32Array, put_integer))
        }
        (&Type::NUMERIC, format) => match array.as_primitive_opt::<Decimal128Type>().cloned() {
            Some(decimals) => {
                let put: fn(&str, &mut BytesMut) = match format {
                    FieldFormat::Text => put_text,
                    FieldFormat::Binary => put_decimal,
                };
                Some(Box::new(move |row, to| {
                    to.value(|out| {
                        if decimals.is_null(row) {
                            return Ok(IsNull::Yes);
                        }
                        put(&decimals.value_as_string(row), out);
                        Ok(IsNull::No)
                    })
                }))
            }
            None if format == FieldFormat::Text => values!(UInt64Array, put_integer),
            None => None,
        },
        (&Type::FLOAT4, FieldFormat::Text) => values!(Float32Array, put_float),
        (&Type::FLOAT8, FieldFormat::Text) => values!(Float64Array, put_float),
        _ => None,
    })
}

fn of_moments(moments: Moments, format: FieldFormat) -> Column {
    Box::new(move |row, to| {
        let mut is_in_range = Some(());
        to.value(|out| {
            if moments.is_null(row) {
                return Ok(IsNull::Yes);
            }
            is_in_range = moments.put(row, format, out);
            Ok(IsNull::No)
        })?;
        is_in_range.ok_or_else(|| out_of_range().into())
    })
}

/// Arrays of values that have no parts.
fn list(
    array: &ArrayRef,
    wanted: &FieldInfo,
    zone: &Arc<Zone>,
) -> crate::error::Result<Option<Column>> {
    let (Kind::Array(of), DataType::List(field)) = (wanted.datatype().kind(), array.data_type())
    else {
        return Ok(None);
    };
    let Some(array) = array.as_list_opt::<i32>().cloned() else {
        return Ok(None);
    };
    if field.data_type().is_nested() {
        return Ok(None);
    }
    let name = wanted.name().to_owned();
    let element = FieldInfo::new(name, None, None, of.clone(), wanted.format())
        .with_format_options(Arc::clone(wanted.format_options()));
    let elements = column(array.values(), field, &element, zone)?;
    Ok(Some(Box::new(move |row, to| {
        let mut encoder = RowEncoder::new(Layout::Message, 1);
        let mut values = Vec::new();
        for index in array.value_offsets()[row]..array.value_offsets()[row + 1] {
            elements(usize::try_from(index).unwrap_or(0), &mut encoder)?;
            // The length is before the value, and -1 for NULL.
            values.push(encoder.take());
        }
        to.value(|out| {
            if array.is_null(row) {
                return Ok(IsNull::Yes);
            }
            put_array(&values, &element, out);
            Ok(IsNull::No)
        })
    })))
}

/// Whatever `arrow-pg` is to write.
fn other(array: ArrayRef, field: Field, wanted: FieldInfo) -> Column {
    Box::new(move |row, to| {
        // It calculates without looking, so a value far out of range ends it.
        let written = AssertUnwindSafe(|| encode_value(to, &array, row, &field, &wanted));
        catch_unwind(written).unwrap_or_else(|_| Err(out_of_range().into()))
    })
}

fn is_text(array: &ArrayRef) -> bool {
    matches!(
        array.data_type(),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View
    )
}

fn out_of_range() -> Error {
    Error::new("22008", "a date, time or interval is out of range")
}

/// The nanoseconds of a day.
const DAY: i64 = 86_400_000_000_000;

/// Durations and intervals in one unit, if they are not too long for it.
fn one_unit(column: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    let unit = DataType::Interval(IntervalUnit::MonthDayNano);
    let intervals = cast_with_options(column, &unit, &CHECKED)?;
    if !matches!(column.data_type(), DataType::Duration(_)) {
        return Ok(intervals);
    }
    // The difference of two times, which PostgreSQL gives in days and hours.
    let intervals = intervals.as_primitive::<IntervalMonthDayNanoType>();
    let in_days = intervals.unary::<_, IntervalMonthDayNanoType>(|value| IntervalMonthDayNano {
        months: 0,
        days: i32::try_from(value.nanoseconds / DAY).unwrap_or(0),
        nanoseconds: value.nanoseconds % DAY,
    });
    Ok(Arc::new(in_days))
}

/// An array of values, each behind its length, which is -1 for NULL.
fn put_array(values: &[BytesMut], element: &FieldInfo, out: &mut BytesMut) {
    let is_null = |value: &BytesMut| value[..4] == [0xFF; 4];
    if element.format() == FieldFormat::Text {
        let texts = values.iter().map(|value| {
            let text = || String::from_utf8_lossy(&value[4..]).into_owned();
            (!is_null(value)).then(text)
        });
        return put_text(&array_text(texts.collect()), out);
    }
    // The number of dimensions, and of the first element.
    out.put_i32(i32::from(!values.is_empty()));
    out.put_i32(i32::from(values.iter().any(is_null)));
    out.put_u32(element.datatype().oid());
    if !values.is_empty() {
        out.put_i32(i32::try_from(values.len()).unwrap_or(i32::MAX));
        out.put_i32(1);
    }
    for value in values {
        out.put_slice(value);
    }
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

/// As few digits as say what it is, with an exponent where PostgreSQL has one.
pub(crate) fn put_float<F: Into<f64> + Copy + Display + LowerExp>(value: F, out: &mut BytesMut) {
    use std::fmt::Write;
    let number: f64 = value.into();
    let size = number.abs();
    // What a `real` cannot say is not shown.
    let is_real = size_of::<F>() == size_of::<f32>();
    let most = if is_real { 1e6 } else { 1e15 };
    let _ = if number.is_nan() {
        out.write_str("NaN")
    } else if number.is_infinite() {
        out.write_str(if number > 0.0 {
            "Infinity"
        } else {
            "-Infinity"
        })
    } else if size != 0.0 && !(1e-4..most).contains(&size) {
        let text = format!("{value:e}");
        let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let (sign, exponent) = match exponent.strip_prefix('-') {
            Some(exponent) => ('-', exponent),
            None => ('+', exponent),
        };
        write!(out, "{digits}e{sign}{exponent:0>2}")
    } else {
        write!(out, "{value}")
    };
}

/// Groups of four digits, as `numeric` has them in binary; before them their number, the weight of the first, the sign and the
/// number of digits after the point.
fn put_decimal(text: &str, out: &mut BytesMut) {
    let special = match text {
        "NaN" => 0xC000,
        "Infinity" => 0xD000,
        "-Infinity" => 0xF000,
        _ => 0,
    };
    if special != 0 {
        return [0, 0, special, 0]
            .iter()
            .for_each(|part| out.put_u16(*part));
    }
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (0x4000, digits),
        None => (0, text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let before = whole.len().div_ceil(4);
    let after = fraction.len().div_ceil(4);
    let padded = format!(
        "{whole:0>before$}{fraction:0<after$}",
        before = 4 * before,
        after = 4 * after
    );
    let digit = |sum, digit: &u8| sum * 10 + i16::from(digit - b'0');
    let groups = padded.as_bytes().chunks_exact(4);
    let groups: Vec<i16> = groups.map(|group| group.iter().fold(0, digit)).collect();
    // Zeros at the beginning and at the end are left out.
    let first = groups.iter().position(|group| *group != 0);
    let last = groups.iter().rposition(|group| *group != 0);
    let sent = first
        .zip(last)
        .map_or(0..0, |(first, last)| first..last + 1);
    let number = |count: usize| i16::try_from(count).unwrap_or(i16::MAX);
    out.put_i16(number(sent.len()));
    out.put_i16(first.map_or(0, |first| number(before) - 1 - number(first)));
    out.put_i16(sign);
    out.put_i16(number(fraction.len()));
    for group in &groups[sent] {
        out.put_i16(*group);
    }
}

fn put_interval(value: IntervalMonthDayNano, format: FieldFormat, style: &str, out: &mut BytesMut) {
    let microseconds = value.nanoseconds / 1_000;
    match format {
        FieldFormat::Binary => {
            out.put_i64(microseconds);
            out.put_i32(value.days);
            out.put_i32(value.months);
        }
        FieldFormat::Text => interval::put((value.months, value.days, microseconds), style, out),
    }
}

/// A version goes before it.
fn put_jsonb(text: &str, out: &mut BytesMut) {
    out.put_u8(1);
    put_text(text, out);
}

fn put_uuid(text: &str, out: &mut BytesMut) {
    let digits = text.chars().filter_map(|digit| digit.to_digit(16));
    let digits: Vec<u32> = digits.collect();
    for pair in digits.chunks_exact(2) {
        out.put_u8(u8::try_from(pair[0] * 16 + pair[1]).unwrap_or(0));
    }
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

#[cfg(test)]
mod tests {
    use arrow_array::builder::{ListBuilder, StringBuilder};
    use arrow_array::{Decimal128Array, DurationMillisecondArray, DurationSecondArray};
    use arrow_pg::encoder::Encoder;
    use pgwire::api::results::DataRowEncoder;
    use proptest::collection::vec;
    use proptest::option::of;
    use proptest::prelude::*;

    use super::*;

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
                let column =
                    column(&array, &field, &wanted, &Arc::default()).map_err(|error| error.code)?;
                column(0, &mut row).unwrap();
                Ok(row.take())
            };
            assert_eq!(written(i64::MAX), Err("22008"));
            assert!(written(90).is_ok());
        }
    }

    #[test]
    fn an_array_in_binary_is_read_as_it_was_written() {
        let id = Some("00000000-0000-0000-0000-000000000005");
        for (of, values) in [
            (Type::TEXT_ARRAY, vec![]),
            (Type::TEXT_ARRAY, vec![Some("a,b"), None, Some("")]),
            (Type::UUID_ARRAY, vec![id, None]),
        ] {
            let mut list = ListBuilder::new(StringBuilder::new());
            list.append_value(values.clone());
            let array: ArrayRef = Arc::new(list.finish());
            let field = Arc::new(Field::new("a", array.data_type().clone(), true));
            let wanted =
                FieldInfo::new("a".to_owned(), None, None, of.clone(), FieldFormat::Binary);
            let column = column(&array, &field, &wanted, &Arc::default()).unwrap();
            let mut written = RowEncoder::new(Layout::Message, 1);
            column(0, &mut written).unwrap();
            let texts = values.into_iter().map(|value| value.map(str::to_owned));
            let texts = array_text(texts.collect()).replace('-', "");
            let read = crate::parameters::from_binary(&written.take()[4..], &of).unwrap();
            assert_eq!(read.unwrap().replace('-', ""), texts);
        }
    }

    proptest! {
        #[test]
        fn a_decimal_in_binary_is_read_as_it_was_written(
            digits in -(10_i128.pow(38) - 1)..10_i128.pow(38),
            shorter in 0_u32..38,
            scale in 0_i8..=38,
        ) {
            let decimal = Decimal128Array::from(vec![digits / 10_i128.pow(shorter)]);
            let decimal = decimal.with_precision_and_scale(38, scale).unwrap();
            let text = decimal.value_as_string(0);
            let mut bytes = BytesMut::new();
            put_decimal(&text, &mut bytes);
            let read = crate::parameters::from_binary(&bytes, &Type::NUMERIC).unwrap().unwrap();
            let typed = crate::parameters::typed(&read, &Type::NUMERIC).unwrap();
            let zero = text.strip_prefix('-').filter(|text| !text.contains(|c| ('1'..='9').contains(&c)));
            let expected = format!("CAST('{}' AS DECIMAL(38,{scale}))", zero.unwrap_or(&text));
            prop_assert_eq!(typed.to_string(), expected);
        }

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
            let column = column(&array, &field, &wanted, &Arc::default()).unwrap();
            let own = plain_values(&array, &wanted).unwrap();
            prop_assert!(binary || own.is_some(), "{:?}", array.data_type());
            for row in 0..array.len() {
                encode_value(&mut theirs, &array, row, &field, &wanted).unwrap();
                column(row, &mut ours).unwrap();
                prop_assert_eq!(&theirs.take_row().data, &ours.take_row());
            }
        }
    }
}
