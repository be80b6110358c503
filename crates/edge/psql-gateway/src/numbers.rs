//! Columns in the types that PostgreSQL gives them, where the runtime has others: whole numbers are `bigint` there, other numbers
//! `double precision`, and `json`, `uuid` and the like are texts.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Decimal256Type, DecimalType, Float64Type};
use arrow_array::{Array, ArrayRef, ListArray, RecordBatch, RecordBatchOptions, StringArray};
use arrow_buffer::i256;
use arrow_cast::cast::cast_with_options;
use arrow_schema::{
    ArrowError, DECIMAL256_MAX_PRECISION, DataType, FieldRef, Schema as ArrowSchema, TimeUnit,
};
use bytes::BytesMut;
use futures::StreamExt;
use pgwire::api::Type;
use postgres_types::Kind;
use sqlparser::ast::{BinaryOperator, DateTimeField, Expr, FunctionArguments, Query};

use crate::catalogue::facts;
use crate::error::{Error, Result};
use crate::moment::CHECKED;
use crate::rows::{MODIFIER_KEY, TYPE_KEY};
use crate::runtime::Answer;
use crate::sql;
use crate::values::put_float;

/// The types whose values are texts in the runtime.
const OF_TEXT: [Type; 6] = [
    Type::UUID,
    Type::JSON,
    Type::JSONB,
    Type::NAME,
    Type::VARCHAR,
    Type::BPCHAR,
];
/// The types of whole numbers, and `numeric`.
const OF_WHOLE: [Type; 4] = [Type::INT2, Type::INT4, Type::INT8, Type::NUMERIC];

/// How many digits of a `numeric` are shown after the point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Digits {
    /// As few as say what it is.
    Few,
    /// So many.
    Just(usize),
    /// As of a quotient: at least 16 that count.
    Quotient,
    /// As of a square root.
    Root,
}

/// What PostgreSQL makes of a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Column {
    of: Type,
    digits: Digits,
    /// The modifier of the type, such as the length; -1 if it has none.
    modifier: i32,
}

/// How the output columns of a query are shown: the digits of a number, and the modifier of the type.
pub(crate) fn shown(query: &Query) -> Vec<(Digits, i32)> {
    of_items(query, |expr| (digits(expr), modifier(expr)))
}

/// What PostgreSQL makes of columns of these types that are shown so.
pub(crate) fn kinds(types: Vec<Option<Type>>, shown: &[(Digits, i32)]) -> Vec<Option<Column>> {
    let columns = types.into_iter().enumerate().map(|(index, of)| {
        let (digits, modifier) = *shown.get(index).unwrap_or(&(Digits::Few, -1));
        Some(Column {
            of: of?,
            digits,
            modifier,
        })
    });
    columns.collect()
}

/// The answer with its columns in these types, where the runtime's values can be sent as such.
pub(crate) fn typed(answer: Answer, kinds: Vec<Option<Column>>) -> Answer {
    let fields = answer.schema.fields();
    // One that is not seen would put all that follow in the wrong place.
    if kinds.len() != fields.len() {
        return answer;
    }
    let kinds = kinds.into_iter().zip(fields);
    let (kinds, fields): (Vec<_>, Vec<_>) = kinds
        .map(|(kind, field)| {
            let modifier = kind.as_ref().map_or(-1, |kind| kind.modifier);
            let kind = kind.filter(|kind| becomes(field.data_type(), &kind.of));
            let field = match &kind {
                Some(kind) => field_of(field, &kind.of),
                None => Arc::clone(field),
            };
            (kind, modified(field, modifier))
        })
        .unzip();
    let schema = Arc::new(ArrowSchema::new(fields));
    let converted = {
        let schema = Arc::clone(&schema);
        move |batch: RecordBatch| convert(&batch, &schema, &kinds)
    };
    Answer {
        schema,
        batches: Box::pin(answer.batches.map(move |batch| converted(batch?))),
    }
}

/// A column whose type has a modifier.
fn modified(field: FieldRef, modifier: i32) -> FieldRef {
    if modifier < 0 {
        return field;
    }
    let mut about = field.metadata().clone();
    about.insert(MODIFIER_KEY.to_owned(), modifier.to_string());
    Arc::new((*field).clone().with_metadata(about))
}

/// Whether the runtime's values of one type can be sent as another's. Each is checked then.
fn becomes(from: &DataType, to: &Type) -> bool {
    match (from, to.kind()) {
        (DataType::List(element), Kind::Array(of)) => becomes(element.data_type(), of),
        (DataType::Utf8 | DataType::Utf8View, _) => OF_TEXT.contains(to) || facts::is_foreign(to),
        (DataType::Decimal128(_, 0), _) => *to == Type::INT8,
        (DataType::Decimal256(..), _) => *to == Type::NUMERIC,
        (DataType::Int32, _) if *to == Type::FLOAT8 => true,
        (DataType::UInt64, _) if *to == Type::NUMERIC => false,
        (from, _) if from.is_integer() => OF_WHOLE.contains(to),
        (DataType::Float64, _) => *to == Type::NUMERIC,
        // The runtime's `now()` has no zone.
        (DataType::Timestamp(_, None), _) => *to == Type::TIMESTAMPTZ,
        _ => false,
    }
}

/// What values of a type are in a batch.
fn data_type(from: &FieldRef, to: &Type) -> DataType {
    match (from.data_type(), to.kind()) {
        (DataType::List(element), Kind::Array(of)) => DataType::List(field_of(element, of)),
        (DataType::Utf8View, _) => DataType::Utf8View,
        _ => match *to {
            Type::INT2 => DataType::Int16,
            Type::INT4 => DataType::Int32,
            Type::INT8 => DataType::Int64,
            Type::FLOAT8 => DataType::Float64,
            Type::TIMESTAMPTZ => DataType::Timestamp(TimeUnit::Microsecond, Some("+00:00".into())),
            _ => DataType::Utf8,
        },
    }
}

fn field_of(field: &FieldRef, of: &Type) -> FieldRef {
    let mut about = field.metadata().clone();
    about.insert(TYPE_KEY.to_owned(), of.oid().to_string());
    let field = (**field).clone().with_data_type(data_type(field, of));
    Arc::new(field.with_metadata(about))
}

fn convert(
    batch: &RecordBatch,
    schema: &Arc<ArrowSchema>,
    kinds: &[Option<Column>],
) -> Result<RecordBatch> {
    let columns = batch.columns().iter().zip(schema.fields()).zip(kinds);
    let columns = columns.map(|((column, field), kind)| match kind {
        Some(kind) => array(column, field, &kind.of, kind.digits),
        None => Ok(Arc::clone(column)),
    });
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    let columns = columns.collect::<Result<_>>()?;
    Ok(RecordBatch::try_new_with_options(
        Arc::clone(schema),
        columns,
        &options,
    )?)
}

/// The values of a column in another type.
fn array(column: &ArrayRef, field: &FieldRef, of: &Type, digits: Digits) -> Result<ArrayRef> {
    let failed = |error: ArrowError| match error {
        ArrowError::CastError(_) => {
            let name = facts::name_in_sql(of.oid());
            Error::new("22003", format!("{name} out of range"))
        }
        error => error.into(),
    };
    match (column.data_type(), field.data_type(), of.kind()) {
        (DataType::List(_), DataType::List(element), Kind::Array(of)) => {
            let list = column.as_list::<i32>();
            let values = array(list.values(), element, of, digits)?;
            let (offsets, nulls) = (list.offsets().clone(), list.nulls().cloned());
            let list = ListArray::try_new(Arc::clone(element), offsets, values, nulls);
            Ok(Arc::new(list.map_err(failed)?))
        }
        (DataType::Float64, DataType::Utf8, _) => {
            let values = column.as_primitive::<Float64Type>().iter();
            let texts = values.map(|value| value.map(|value| decimal(value, digits)).transpose());
            Ok(Arc::new(texts.collect::<Result<StringArray>>()?))
        }
        (DataType::Decimal256(_, scale), _, _) if digits == Digits::Quotient => {
            let values = column.as_primitive::<Decimal256Type>().iter();
            let texts = values.map(|value| Some(quotient(value?, *scale)));
            Ok(Arc::new(texts.collect::<StringArray>()))
        }
        (_, DataType::Utf8, _) if digits != Digits::Few && *of == Type::NUMERIC => {
            let floats = cast_with_options(column, &DataType::Float64, &CHECKED);
            array(&floats.map_err(failed)?, field, of, digits)
        }
        (_, to, _) => cast_with_options(column, to, &CHECKED).map_err(failed),
    }
}

/// A number in digits, without an exponent.
fn decimal(value: f64, digits: Digits) -> Result<String> {
    if !value.is_finite() {
        if digits == Digits::Quotient {
            return Err(Error::new("22012", "division by zero"));
        }
        let mut text = BytesMut::new();
        put_float(value, &mut text);
        return Ok(String::from_utf8_lossy(&text).into_owned());
    }
    let after = match digits {
        Digits::Few => return Ok(value.to_string()),
        Digits::Just(after) => after,
        Digits::Quotient => after_quotient(value.abs()),
        Digits::Root => after_root(value.abs()),
    };
    // Digits beyond those that say what it is are zeros.
    let text = value.to_string();
    let has = text.split_once('.').map_or(0, |(_, after)| after.len());
    Ok(match after.checked_sub(has) {
        Some(0) => text,
        Some(more) if has == 0 => format!("{text}.{:0<more$}", ""),
        Some(more) => format!("{text}{:0<more$}", ""),
        None => format!("{value:.after$}"),
    })
}

/// A quotient with so many digits after the point, rounded to those that PostgreSQL shows.
fn quotient(value: i256, scale: i8) -> String {
    let text = Decimal256Type::format_decimal(value, DECIMAL256_MAX_PRECISION, scale);
    let after = after_quotient(text.parse().map_or(0.0, f64::abs));
    let after = i8::try_from(after).map_or(scale, |after| after.min(scale));
    let step = i256::from_i128(10).wrapping_pow(u32::from((scale - after).unsigned_abs()));
    let half = step.wrapping_div(i256::from_i128(2));
    let rounded = if value.is_negative() {
        value.wrapping_sub(half)
    } else {
        value.wrapping_add(half)
    };
    Decimal256Type::format_decimal(rounded.wrapping_div(step), DECIMAL256_MAX_PRECISION, after)
}

/// How many digits PostgreSQL shows after the point of a quotient: it counts in groups of four, and shows four groups after the first. The
/// first is the one before if dividend and divisor begin alike, as they do if it is a power of 10,000.
fn after_quotient(size: f64) -> usize {
    after(size, 20, (4, 1e4), 1.0)
}

/// How many digits PostgreSQL shows after the point of a square root: 16 in all, if those before the point come in pairs.
fn after_root(size: f64) -> usize {
    after(size.next_up(), 15, (2, 100.0), 100.0)
}

/// So many digits for a number up to `most` and greater than a group less; a group of digits less for each group that it is greater, and one
/// more for each that it is smaller.
fn after(size: f64, mut digits: usize, (group, factor): (usize, f64), mut most: f64) -> usize {
    let mut least = most / factor;
    while digits >= group && size > most {
        digits -= group;
        most *= factor;
    }
    while digits < 39 && size > f64::MIN_POSITIVE && size <= least {
        digits += group;
        least /= factor;
    }
    digits
}

/// The modifier of the type to which an expression is cast: the length of a text, the digits of a number; -1 if it has none.
fn modifier(expr: &Expr) -> i32 {
    let Expr::Cast { data_type, .. } = expr else {
        return -1;
    };
    let text = data_type.to_string();
    let given = text.split_once('(').and_then(|(_, given)| {
        let given = given.split_once(')')?.0.split(',');
        given.map(|one| one.trim().parse::<i32>().ok()).collect()
    });
    let given: Vec<i32> = given.unwrap_or_default();
    // Lengths count their own four bytes.
    match (facts::type_in_sql(&text), &given[..]) {
        (Some(Type::NUMERIC), [all]) => (all << 16) + 4,
        (Some(Type::NUMERIC), [all, after]) => (all << 16) + after + 4,
        (Some(Type::BPCHAR | Type::VARCHAR), [length]) => length + 4,
        (Some(Type::BPCHAR), []) if text.to_lowercase().starts_with("char") => 5,
        _ => -1,
    }
}

/// A fact about each output column; none if the columns are not all in the query.
fn of_items<T>(query: &Query, fact: fn(&Expr) -> T) -> Vec<T> {
    let select = sql::first_select(query);
    let items = select.into_iter().flat_map(|select| &select.projection);
    let items = items.map(|item| sql::output(item).map(fact));
    items.collect::<Option<_>>().unwrap_or_default()
}

fn digits(expr: &Expr) -> Digits {
    match expr {
        Expr::Nested(expr) | Expr::UnaryOp { expr, .. } => digits(expr),
        Expr::BinaryOp { left, op, right } => match op {
            BinaryOperator::Divide | BinaryOperator::PGExp => Digits::Quotient,
            BinaryOperator::Plus | BinaryOperator::Minus | BinaryOperator::Multiply => {
                let is_quotient = [left, right].map(|side| digits(side) == Digits::Quotient);
                if is_quotient.contains(&true) {
                    Digits::Quotient
                } else {
                    Digits::Few
                }
            }
            _ => Digits::Few,
        },
        Expr::Extract { field, .. } => match field {
            DateTimeField::Second | DateTimeField::Seconds | DateTimeField::Epoch => {
                Digits::Just(6)
            }
            DateTimeField::Millisecond | DateTimeField::Milliseconds => Digits::Just(3),
            _ => Digits::Few,
        },
        Expr::Case { conditions, .. } => {
            (conditions.first()).map_or(Digits::Few, |when| digits(&when.result))
        }
        Expr::Function(function) => {
            let FunctionArguments::List(list) = &function.args else {
                return Digits::Few;
            };
            let mut given = list.args.iter().filter_map(sql::argument);
            let (first, second) = (given.next(), given.next());
            match sql::last(&function.name).unwrap_or_default().as_str() {
                "avg" | "stddev" | "stddev_samp" | "stddev_pop" | "variance" | "var_samp"
                | "var_pop" | "power" => Digits::Quotient,
                "sqrt" => Digits::Root,
                "round" | "trunc" => second.and_then(count).map_or(Digits::Few, Digits::Just),
                "coalesce" | "nullif" | "greatest" | "least" | "sum" | "min" | "max" | "abs" => {
                    first.map_or(Digits::Few, digits)
                }
                _ => Digits::Few,
            }
        }
        _ => Digits::Few,
    }
}

/// A number of digits in a query.
fn count(expr: &Expr) -> Option<usize> {
    let count = sql::digits(expr)?.parse().ok();
    count.filter(|count| *count <= 38)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{Float64Array, Int64Array};
    use arrow_schema::Field;
    use futures::TryStreamExt;

    use super::*;
    use crate::parse;

    #[test]
    fn numerics_have_the_digits_that_postgres_shows() {
        for (value, digits, expected) in [
            (0.1 + 0.2, Digits::Few, "0.30000000000000004"),
            (1e20, Digits::Few, "100000000000000000000"),
            (f64::NAN, Digits::Few, "NaN"),
            (f64::NEG_INFINITY, Digits::Few, "-Infinity"),
            (2.5, Digits::Just(2), "2.50"),
            (-2.0, Digits::Just(6), "-2.000000"),
            (1.25, Digits::Just(1), "1.2"),
            (0.0, Digits::Quotient, "0.00000000000000000000"),
            (1.0 / 3.0, Digits::Quotient, "0.33333333333333330000"),
            (1.0, Digits::Quotient, "1.00000000000000000000"),
            (1.5, Digits::Quotient, "1.5000000000000000"),
            (12345.5, Digits::Quotient, "12345.500000000000"),
            (0.00005, Digits::Quotient, "0.000050000000000000000000"),
            (1e30, Digits::Quotient, "1000000000000000000000000000000"),
            (2.0, Digits::Root, "2.000000000000000"),
            (1000.0, Digits::Root, "1000.0000000000000"),
            (0.5, Digits::Root, "0.50000000000000000"),
        ] {
            assert_eq!(decimal(value, digits).unwrap(), expected, "{value}");
        }
        let error = decimal(f64::INFINITY, Digits::Quotient).unwrap_err();
        assert_eq!(error.code, "22012");
    }

    #[test]
    fn quotients_are_rounded_to_the_digits_that_postgres_shows() {
        for (value, expected) in [
            (10_i128.pow(30) * 2 / 3, "0.66666666666666666667"),
            (-10_i128.pow(30) * 2 / 3, "-0.66666666666666666667"),
            (10_i128.pow(30) * 5 / 2, "2.5000000000000000"),
            (10_i128.pow(30) * 50 / 3, "16.6666666666666667"),
            (0, "0.00000000000000000000"),
        ] {
            assert_eq!(quotient(i256::from_i128(value), 30), expected);
        }
    }

    #[test]
    fn modifiers_are_those_of_casts() {
        let query = "select a::numeric(10, 2), a::numeric(5), a::char(3), a::char, a::varchar(7), a::bpchar, a::numeric, a, a::text";
        let found = of_items(&parse::query(query).unwrap(), modifier);
        let expected = [655_366, 327_684, 7, 5, 11, -1, -1, -1, -1];
        assert_eq!(found, expected);
    }

    #[test]
    fn digits_follow_from_the_expression() {
        let query = "select a / 2, -(avg(a)), round(a, 2), extract(epoch from a), coalesce(avg(a), 0), a + 1, 1 + a / 2, \
                     case when a then stddev(a) end, round(a, b)";
        let found = of_items(&parse::query(query).unwrap(), digits);
        let quotient = Digits::Quotient;
        let expected = [
            quotient,
            quotient,
            Digits::Just(2),
            Digits::Just(6),
            quotient,
            Digits::Few,
            quotient,
            quotient,
            Digits::Few,
        ];
        assert_eq!(found, expected);
        assert_eq!(
            of_items(&parse::query("select *, a / 2").unwrap(), digits),
            []
        );
    }

    fn answer(columns: Vec<(&str, ArrayRef)>) -> Answer {
        Answer::ready(RecordBatch::try_from_iter(columns).unwrap())
    }

    fn wanted(types: &[Option<Type>]) -> Vec<Option<Column>> {
        let digits = Digits::Few;
        let types = types.iter().cloned();
        types
            .map(|of| {
                Some(Column {
                    of: of?,
                    digits,
                    modifier: -1,
                })
            })
            .collect()
    }

    #[tokio::test]
    async fn numbers_are_sent_in_the_types_of_postgres_or_refused() {
        let whole = || Arc::new(Int64Array::from(vec![Some(7), None])) as ArrayRef;
        let list = ListArray::new(
            Arc::new(Field::new_list_field(DataType::Int64, true)),
            arrow_buffer::OffsetBuffer::from_lengths([2, 0]),
            whole(),
            None,
        );
        let found = typed(
            answer(vec![
                ("a", whole()),
                ("b", Arc::new(Float64Array::from(vec![0.5, 2.0]))),
                ("c", Arc::new(list)),
                ("d", whole()),
                ("e", whole()),
            ]),
            wanted(&[
                Some(Type::INT4),
                Some(Type::NUMERIC),
                Some(Type::INT4_ARRAY),
                // Not what it is for the runtime.
                Some(Type::BOOL),
                None,
            ]),
        );
        let types = [
            Some(Type::INT4),
            Some(Type::NUMERIC),
            Some(Type::INT4_ARRAY),
            None,
            None,
        ];
        let told = found.schema.fields().iter().map(|field| {
            let oid = field.metadata().get(TYPE_KEY)?;
            Type::from_oid(oid.parse().unwrap())
        });
        assert_eq!(told.collect::<Vec<_>>(), types);
        let batches: Vec<_> = found.batches.try_collect().await.unwrap();
        let columns = batches[0].columns();
        assert_eq!(*columns[0].data_type(), DataType::Int32);
        assert_eq!(columns[1].as_string::<i32>().value(1), "2");
        let elements = columns[2].as_list::<i32>().value(0);
        assert_eq!(*elements.data_type(), DataType::Int32);
        assert!(columns[0].is_null(1) && elements.is_null(1));

        let large = Arc::new(Int64Array::from(vec![1 << 31]));
        let mut found = typed(answer(vec![("a", large)]), wanted(&[Some(Type::INT4)]));
        let error = found.batches.try_next().await.unwrap_err();
        assert_eq!(
            (error.code, error.message.as_str()),
            ("22003", "integer out of range")
        );
    }
}
