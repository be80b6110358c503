//! What PostgreSQL writes in another way than the runtime.

use std::ops::ControlFlow;

use pgwire::api::Type;
use postgres_types::Kind;
use sqlparser::ast::{
    ArrayElemTypeDef, BinaryOperator, CastKind, DataType, DateTimeField, Expr, FunctionArguments,
    Ident, ObjectName, Query, Select, SelectItem, SetExpr, UnaryOperator, Value, VisitMut,
    VisitorMut,
};

use crate::about::About;
use crate::catalogue::facts;
use crate::error::{Error, Result};
use crate::sql::{self, table_alias};
use crate::{parameters, parse};

/// Puts a query into the runtime's dialect.
pub(crate) fn adapt(query: &mut Query, about: &About) -> Result<()> {
    type_items(&mut query.body);
    sql::walked(query.visit(&mut Adapter { about }))
}

/// How many digits after the point the numbers of an expression may have together: the runtime's decimals have 38 in all.
const FRACTION: usize = 16;

/// Makes numbers with a point decimals, as they are in PostgreSQL, where the runtime calculates with these as it does: not in a
/// division, whose result would have few digits.
fn decimals(expr: &mut Expr, left: &mut usize) {
    match expr {
        Expr::Nested(expr) | Expr::UnaryOp { expr, .. } => decimals(expr, left),
        Expr::BinaryOp {
            left: one,
            op: BinaryOperator::Plus | BinaryOperator::Minus | BinaryOperator::Multiply,
            right: other,
        } => {
            decimals(one, left);
            decimals(other, left);
        }
        Expr::Case {
            conditions,
            else_result,
            ..
        } => {
            let results = conditions.iter_mut().map(|when| &mut when.result);
            for result in results.chain(else_result.as_deref_mut()) {
                decimals(result, left);
            }
        }
        number => {
            if let Some(text) = sql::digits(number)
                && let Some((_, fraction)) = text.split_once('.')
                && let Some(rest) = left.checked_sub(fraction.len())
                && let Ok(decimal) = parameters::typed(text, &Type::NUMERIC)
            {
                *left = rest;
                *number = decimal;
            }
        }
    }
}

/// Makes numbers in output columns decimals, and gives those that are cast to `char(n)` the length.
fn type_items(body: &mut SetExpr) {
    sql::selects(body, &mut |select| {
        for expr in select.projection.iter_mut().filter_map(sql::output_mut) {
            if let Expr::Cast { data_type, .. } = &*expr
                && facts::type_in_sql(&data_type.to_string()) == Some(Type::BPCHAR)
                && let Some(length) = length(data_type)
            {
                *expr = sql::call("rpad", [sql::take(expr), length]);
            }
            decimals(expr, &mut FRACTION.clone());
        }
    });
}

struct Adapter<'a> {
    about: &'a About,
}

impl VisitorMut for Adapter<'_> {
    type Break = Error;

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<Error> {
        if query.locks.is_empty() {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(Error::read_only("SELECT FOR UPDATE"))
        }
    }

    /// The runtime has `EXISTS` in conditions only.
    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<Error> {
        for expr in select.projection.iter_mut().filter_map(sql::output_mut) {
            if let Expr::Exists { subquery, negated } = expr {
                *expr = sql::flow(exists(subquery, *negated))?;
            }
        }
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Error> {
        sql::flow(self.expression(expr))
    }
}

/// Puts something else first in the list of an `IN`, where a query would be read as that of `IN (SELECT …)`.
fn no_query_first(list: &mut [Expr]) {
    match list.iter().position(|item| !begins_with_query(item)) {
        Some(other) => list.swap(0, other),
        None => {
            if let Some(first) = list.first_mut() {
                *first = sql::call("coalesce", [sql::take(first)]);
            }
        }
    }
}

/// Whether the text of an expression begins with a query in parentheses.
fn begins_with_query(expr: &Expr) -> bool {
    match expr {
        Expr::Nested(first) | Expr::BinaryOp { left: first, .. } => begins_with_query(first),
        expr => matches!(expr, Expr::Subquery(_)),
    }
}

impl Adapter<'_> {
    fn function(&self, expr: &mut Expr) -> Result<()> {
        let Expr::Function(function) = expr else {
            return Ok(());
        };
        // Every function of PostgreSQL may be written with its schema.
        if let Some([schema, _]) = sql::parts(&function.name).as_deref()
            && schema == "pg_catalog"
        {
            function.name.0.remove(0);
        }
        let given: Option<Vec<Expr>> = match &function.args {
            FunctionArguments::None => Some(Vec::new()),
            FunctionArguments::List(list) => {
                let given = list.args.iter().map(|one| sql::argument(one).cloned());
                given.collect()
            }
            FunctionArguments::Subquery(_) => None,
        };
        let name = sql::last(&function.name).unwrap_or_default();
        if let Some((_, renamed)) = RENAMED.iter().find(|(known, _)| *known == name) {
            function.name = ObjectName::from(vec![Ident::new(*renamed)]);
        }
        match (&*name, given.as_deref()) {
            ("to_char" | "to_date" | "to_timestamp", Some([value, format]))
                if sql::text(format).is_some() =>
            {
                let format = time_format(sql::text(format).unwrap_or_default())?;
                *expr = sql::call(&name, [value.clone(), sql::string(format)]);
            }
            ("localtimestamp", Some([])) => *expr = parse::expression("to_local_time(now())", &[])?,
            ("mod", Some(given @ [_, _])) => *expr = parse::expression("(($1) % ($2))", given)?,
            ("div", Some(given @ [_, _])) => {
                *expr = parse::expression("trunc(($1) / ($2))", given)?;
            }
            ("date_part", Some([field, time])) => {
                if let Some(field) = sql::text(field) {
                    *expr = date_part(field, time)?;
                }
            }
            // The runtime's are unsigned.
            ("row_number" | "rank" | "dense_rank", _) if function.over.is_some() => {
                *expr = sql::cast(sql::take(expr), DataType::BigInt(None));
            }
            (_, Some([])) => {
                if let Some(value) = self.about.value(&name) {
                    *expr = sql::literal(value);
                }
            }
            _ => {}
        }
        if name == "to_timestamp" {
            *expr = parameters::with_time_zone(sql::take(expr));
        }
        Ok(())
    }

    fn expression(&self, expr: &mut Expr) -> Result<()> {
        match expr {
            Expr::Function(_) => self.function(expr)?,
            // PostgreSQL has this one without parentheses too.
            Expr::Identifier(ident)
                if ident.quote_style.is_none() && sql::folded(ident) == "current_schema" =>
            {
                if let Some(value) = self.about.value("current_schema") {
                    *expr = sql::literal(value);
                }
            }
            // The runtime has the function, but not this way to call it.
            Expr::Extract {
                field, expr: inner, ..
            } => {
                *expr = match field {
                    DateTimeField::Custom(name) => date_part(&name.value, inner)?,
                    other => date_part(&other.to_string(), inner)?,
                };
            }
            Expr::Collate { expr: inner, .. } => *expr = (**inner).clone(),
            Expr::InList { list, .. } => no_query_first(list),
            Expr::UnaryOp { op, expr: inner } => {
                let written = match op {
                    UnaryOperator::BitwiseNot => "(-1 - ($1))",
                    UnaryOperator::PGAbs => "abs($1)",
                    UnaryOperator::PGSquareRoot => "sqrt($1)",
                    UnaryOperator::PGCubeRoot => "cbrt($1)",
                    _ => return Ok(()),
                };
                *expr = parse::expression(written, &[sql::take(inner)])?;
            }
            Expr::BinaryOp {
                left,
                op:
                    BinaryOperator::Plus
                    | BinaryOperator::Minus
                    | BinaryOperator::Multiply
                    | BinaryOperator::Divide
                    | BinaryOperator::Modulo,
                right,
            } => {
                as_number(left, right);
                as_number(right, left);
            }
            Expr::BinaryOp {
                left,
                op: BinaryOperator::PGExp,
                right,
            } => *expr = sql::call("power", [sql::take(left), sql::take(right)]),
            Expr::TypedString(typed) => {
                if let Value::SingleQuotedString(text) = &typed.value.value
                    && let Some(of) = facts::type_in_sql(&typed.data_type.to_string())
                    && is_read_here(&of, &typed.data_type)
                {
                    *expr = parameters::typed(text, &of)?;
                }
            }
            Expr::Interval(interval) if interval.leading_field.is_none() => {
                if let Some(text) = sql::text(&interval.value) {
                    *expr = parameters::typed(text, &Type::INTERVAL)?;
                }
            }
            Expr::Value(value) => {
                if let Value::Number(digits, _) = &value.value {
                    // The runtime makes whole numbers beyond 64 bits floating ones, and those beyond these infinite.
                    if digits.parse().is_ok_and(f64::is_infinite) {
                        let message = format!("the number {digits} is too large");
                        return Err(Error::new("22003", message));
                    }
                    let is_whole = digits.bytes().all(|digit| digit.is_ascii_digit());
                    if is_whole && digits.parse::<u64>().is_err() && digits.len() <= DECIMAL_DIGITS
                    {
                        *expr = parameters::cast(digits, "DECIMAL(38, 0)");
                    }
                }
            }
            // The runtime panics at any other escape character than a backslash.
            Expr::Like {
                pattern,
                escape_char,
                ..
            }
            | Expr::ILike {
                pattern,
                escape_char,
                ..
            } => {
                if let Some(escape) = escape_char.take() {
                    **pattern = sql::escaped_by_backslash(sql::take(pattern), &escape);
                }
            }
            Expr::SimilarTo { .. } => similar_to(expr)?,
            // A text is an array there.
            Expr::AnyOp { right, .. } | Expr::AllOp { right, .. } => {
                if let Some(text) = sql::text(right) {
                    **right = parameters::typed(text, &Type::TEXT_ARRAY)?;
                }
            }
            Expr::Cast { .. } => cast(expr)?,
            _ => {}
        }
        Ok(())
    }
}

/// `SIMILAR TO`, whose pattern is a regular expression there.
fn similar_to(expr: &mut Expr) -> Result<()> {
    let Expr::SimilarTo {
        negated,
        expr: inner,
        pattern,
        escape_char,
    } = expr
    else {
        return Ok(());
    };
    if sql::is_null(pattern) {
        return Ok(());
    }
    let escape = escape_char.as_deref().map_or(Some("\\"), sql::text);
    let (Some(text), Some(escape)) = (sql::text(pattern), escape) else {
        return Err(Error::unsupported(
            "SIMILAR TO with a pattern that is no literal",
        ));
    };
    let is_plain = |letter| matches!(letter, '.' | '^' | '$' | '\\');
    let regex = sql::string(sql::regex(text, escape.chars().next(), is_plain));
    let written = if *negated { "($1 !~ $2)" } else { "($1 ~ $2)" };
    *expr = parse::expression(written, &[sql::take(inner), regex])?;
    Ok(())
}

/// Makes a text that is calculated with a number one itself.
fn as_number(expr: &mut Expr, other: &Expr) {
    if sql::digits(other).is_some()
        && let Some(text) = sql::text(expr)
        && text.parse::<u32>().is_ok()
    {
        *expr = sql::number(text);
    }
}

/// A field of a time. The runtime's seconds are whole ones.
fn date_part(field: &str, time: &Expr) -> Result<Expr> {
    match field.to_lowercase().as_str() {
        "second" | "seconds" => parse::expression(
            "(date_part('microsecond', $1) / 1e6)",
            std::slice::from_ref(time),
        ),
        field => Ok(sql::call("date_part", [sql::string(field), time.clone()])),
    }
}

/// Casts to PostgreSQL's types.
fn cast(expr: &mut Expr) -> Result<()> {
    let Expr::Cast {
        data_type,
        expr: inner,
        kind,
        ..
    } = expr
    else {
        return Ok(());
    };
    let of = facts::type_in_sql(&data_type.to_string());
    while let Expr::Nested(bare) = &mut **inner {
        **inner = sql::take(bare);
    }
    // Whatever type a NULL has, it stays one: an array of it would not be NULL.
    if let Expr::Cast { expr: null, .. } = &**inner
        && sql::is_null(null)
    {
        **inner = (**null).clone();
    }
    if *kind == CastKind::DoubleColon {
        *kind = CastKind::Cast;
    }
    match of {
        Some(of) if constant(inner).is_some() && is_read_here(&of, data_type) => {
            let value = parameters::typed(constant(inner).unwrap_or_default(), &of)?;
            match value {
                Expr::Array(_) if !is_of(&value, &of) => **inner = value,
                value => *expr = value,
            }
        }
        // The runtime would give decimals another scale, and does not know `uuid`.
        Some(of) if is_of(inner, &of) && !has_precision(data_type) => {
            *expr = (**inner).clone();
        }
        Some(Type::TIMESTAMP) if !has_precision(data_type) => {
            *expr = parameters::without_time_zone((**inner).clone());
        }
        Some(Type::TIMESTAMPTZ) => *expr = parameters::with_time_zone((**inner).clone()),
        Some(Type::TIMESTAMPTZ_ARRAY) => *expr = parameters::with_time_zones((**inner).clone()),
        // State is JSON in a text, and the runtime's JSON operators take texts.
        Some(Type::JSON | Type::JSONB) => *expr = Expr::Nested(inner.clone()),
        Some(Type::NAME | Type::BPCHAR | Type::TEXT | Type::VARCHAR | Type::UUID) => {
            let length = length(data_type);
            *data_type = DataType::Text;
            if let Some(length) = length {
                *expr = sql::call("left", [sql::take(expr), length]);
            }
        }
        Some(of) if facts::is_foreign(&of) && sql::is_null(inner) => *data_type = DataType::Text,
        Some(Type::UUID_ARRAY) => {
            let text = Box::new(DataType::Text);
            *data_type = DataType::Array(ArrayElemTypeDef::SquareBracket(text, None));
        }
        _ => {}
    }
    Ok(())
}

/// The length that a type of texts gives them.
fn length(data_type: &DataType) -> Option<Expr> {
    let text = data_type.to_string();
    let length = match (text.split_once('('), data_type) {
        (Some((_, length)), _) => length.trim_end_matches(')'),
        (None, DataType::Char(_) | DataType::Character(_)) => "1",
        _ => return None,
    };
    let length = length.parse::<u32>().ok()?.to_string();
    Some(sql::number(length))
}

/// Functions that the runtime knows by other names.
const RENAMED: [(&str, &str); 5] = [
    ("array_upper", "array_length"),
    ("ceiling", "ceil"),
    ("every", "bool_and"),
    ("sign", "signum"),
    ("variance", "var_samp"),
];

/// Patterns of PostgreSQL's formats of dates and times, those that begin with others first, and what the runtime calls them.
const PATTERNS: [(&str, &str); 18] = [
    ("YYYY", "%Y"),
    ("YY", "%y"),
    ("IYYY", "%G"),
    ("IW", "%V"),
    ("MM", "%m"),
    ("Mon", "%b"),
    ("DDD", "%j"),
    ("DD", "%d"),
    ("Dy", "%a"),
    ("HH24", "%H"),
    ("HH12", "%I"),
    ("HH", "%I"),
    ("MI", "%M"),
    ("SS", "%S"),
    ("MS", "%3f"),
    ("US", "%6f"),
    ("AM", "%p"),
    ("PM", "%p"),
];

/// A format of dates and times as the runtime reads it, which may also be written so.
fn time_format(format: &str) -> Result<String> {
    let mut rest = format;
    let mut read = String::new();
    while let Some(first) = rest.chars().next().filter(|_| !format.contains('%')) {
        let known = PATTERNS.iter().find(|(name, _)| rest.starts_with(name));
        let plain = &rest[..first.len_utf8()];
        if known.is_none() && (first.is_alphabetic() || first == '"') {
            return Err(Error::unsupported(format!("the format {format}"))
                .hint("Use YYYY, MM, DD, HH24, MI, SS, US and the like, or %Y and the like."));
        }
        let (name, pattern) = known.copied().unwrap_or((plain, plain));
        read += pattern;
        rest = &rest[name.len()..];
    }
    Ok(read + rest)
}

/// Whether a subquery has rows.
fn exists(subquery: &Query, negated: bool) -> Result<Expr> {
    let written = if negated {
        "count(1) = 0"
    } else {
        "count(1) > 0"
    };
    let counted = SelectItem::UnnamedExpr(parse::expression(written, &[])?);
    let found = sql::derived(subquery.clone(), Some(table_alias("found")));
    let counted = parse::select(vec![counted], Some(found), None)?;
    Ok(Expr::Subquery(Box::new(counted)))
}

/// A literal that is cast: a text or a number.
fn constant(expr: &Expr) -> Option<&str> {
    sql::text(expr).or_else(|| sql::digits(expr))
}

fn has_precision(data_type: &DataType) -> bool {
    data_type.to_string().contains('(')
}

/// Whether an expression is a value that [`parameters::typed`] made for this type.
fn is_of(expr: &Expr, of: &Type) -> bool {
    match (expr, of.kind()) {
        (Expr::Array(array), Kind::Array(element)) => {
            let mut elements = array.elem.iter();
            elements.any(|value| is_of(value, element) || *element == Type::UUID)
        }
        (Expr::Function(function), _) => {
            *of == Type::TIMESTAMPTZ && sql::last(&function.name).as_deref() == Some("arrow_cast")
        }
        (
            Expr::Cast {
                expr, data_type, ..
            },
            _,
        ) => {
            let is_number = matches!(data_type, DataType::Decimal(_) | DataType::Double(_));
            *of == Type::NUMERIC && is_number && sql::text(expr).is_some()
        }
        _ => false,
    }
}

/// Whether texts of this type are read by the gateway, because PostgreSQL reads more of them than the runtime does.
fn is_read_here(of: &Type, data_type: &DataType) -> bool {
    match *of {
        Type::BYTEA
        | Type::FLOAT8
        | Type::INTERVAL
        | Type::UUID
        | Type::JSON
        | Type::JSONB
        | Type::DATE
        | Type::TIME
        | Type::TIMESTAMP
        | Type::TIMESTAMPTZ => true,
        Type::NUMERIC => !has_precision(data_type),
        _ => matches!(of.kind(), Kind::Array(_)),
    }
}

/// The most digits that a decimal has in the runtime.
const DECIMAL_DIGITS: usize = 38;
