//! What PostgreSQL writes in another way than the runtime.

use std::ops::ControlFlow;

use pgwire::api::Type;
use postgres_types::Kind;
use sqlparser::ast::{
    ArrayElemTypeDef, BinaryOperator, CastKind, DataType, DateTimeField, Expr, FunctionArg,
    FunctionArgExpr, FunctionArguments, Ident, ObjectName, Query, Select, SelectItem, SetExpr,
    UnaryOperator, Value, VisitMut, VisitorMut,
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
        Expr::Value(value) => {
            if let Value::Number(text, _) = &value.value
                && let Some((_, fraction)) = text.split_once('.')
                && let Some(rest) = left.checked_sub(fraction.len())
                && let Ok(decimal) = parameters::typed(text, &Type::NUMERIC)
            {
                *left = rest;
                *expr = decimal;
            }
        }
        _ => {}
    }
}

/// Makes numbers in output columns decimals, and gives those that are cast to `char(n)` the length.
fn type_items(body: &mut SetExpr) {
    match body {
        SetExpr::Select(select) => {
            for item in &mut select.projection {
                if let SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } = item
                {
                    if let Expr::Cast { data_type, .. } = &*expr
                        && facts::type_in_sql(&data_type.to_string()) == Some(Type::BPCHAR)
                        && let Some(length) = length(data_type)
                    {
                        *expr = sql::call("rpad", [sql::take(expr), length]);
                    }
                    decimals(expr, &mut FRACTION.clone());
                }
            }
        }
        SetExpr::SetOperation { left, right, .. } => {
            type_items(left);
            type_items(right);
        }
        SetExpr::Query(query) => type_items(&mut query.body),
        _ => {}
    }
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
        for item in &mut select.projection {
            if let SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } = item
                && let Expr::Exists { subquery, negated } = expr
            {
                *expr = sql::flow(exists(subquery, *negated))?;
            }
        }
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Error> {
        sql::flow(self.expression(expr))
    }
}

impl Adapter<'_> {
    fn function(&self, expr: &mut Expr) -> Result<()> {
        let Expr::Function(function) = expr else {
            return Ok(());
        };
        // Every function of PostgreSQL may be written with its schema.
        if function.name.0.len() == 2
            && sql::parts(&function.name).is_some_and(|parts| parts[0] == "pg_catalog")
        {
            function.name.0.remove(0);
        }
        let bare = match &function.args {
            FunctionArguments::None => true,
            FunctionArguments::List(list) => list.args.is_empty(),
            FunctionArguments::Subquery(_) => false,
        };
        let name = sql::last(&function.name);
        if let (Some("to_char" | "to_date" | "to_timestamp"), FunctionArguments::List(list)) =
            (name.as_deref(), &mut function.args)
            && let [_, FunctionArg::Unnamed(FunctionArgExpr::Expr(format))] = &mut list.args[..]
            && let Some(text) = sql::text(format)
        {
            let chrono = Value::SingleQuotedString(time_format(text)?);
            *format = sql::literal(chrono);
        }
        let renamed = RENAMED
            .iter()
            .find(|(known, _)| Some(*known) == name.as_deref());
        if let Some((_, renamed)) = renamed {
            function.name = ObjectName::from(vec![Ident::new(*renamed)]);
        }
        if bare && name.as_deref() == Some("localtimestamp") {
            *expr = sql::call("to_local_time", [sql::call("now", [])]);
            return Ok(());
        }
        if name.as_deref() == Some("to_timestamp") {
            *expr = parameters::with_time_zone(sql::take(expr));
            return Ok(());
        }
        if let (Some(called @ ("mod" | "div")), FunctionArguments::List(list)) =
            (name.as_deref(), &mut function.args)
            && let [one, other] = &list.args[..]
            && let (Some(one), Some(other)) = (sql::argument(one), sql::argument(other))
        {
            let nested = |expr: &Expr| Expr::Nested(Box::new(expr.clone()));
            let calculated = |op| sql::binary(nested(one), op, nested(other));
            *expr = if called == "mod" {
                Expr::Nested(Box::new(calculated(BinaryOperator::Modulo)))
            } else {
                sql::call("trunc", [calculated(BinaryOperator::Divide)])
            };
            return Ok(());
        }
        if let (Some("date_part"), FunctionArguments::List(list)) =
            (name.as_deref(), &function.args)
            && let [field, time] = &list.args[..]
            && let (Some(field), Some(time)) = (sql::argument(field), sql::argument(time))
            && let Some(field) = sql::text(field)
        {
            *expr = date_part(&field.to_lowercase(), time);
            return Ok(());
        }
        // The runtime's are unsigned.
        if function.over.is_some()
            && matches!(name.as_deref(), Some("row_number" | "rank" | "dense_rank"))
        {
            *expr = sql::cast(sql::take(expr), DataType::BigInt(None));
            return Ok(());
        }
        if bare && let Some(value) = name.and_then(|name| self.about.value(&name)) {
            *expr = sql::literal(value);
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
                let field = match field {
                    DateTimeField::Custom(name) => name.value.clone(),
                    other => other.to_string(),
                };
                *expr = date_part(&field.to_lowercase(), inner);
            }
            Expr::Collate { expr: inner, .. } => *expr = (**inner).clone(),
            Expr::UnaryOp { .. } => unary(expr),
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
                // The runtime makes whole numbers beyond 64 bits floating ones.
                if let Value::Number(digits, _) = &value.value
                    && digits.bytes().all(|digit| digit.is_ascii_digit())
                    && digits.parse::<u64>().is_err()
                    && digits.len() <= DECIMAL_DIGITS
                {
                    *expr = parameters::cast(digits, "DECIMAL(38, 0)");
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

/// Operators that are functions there, or other operators.
fn unary(expr: &mut Expr) {
    let Expr::UnaryOp { op, expr: inner } = expr else {
        return;
    };
    let function = match op {
        UnaryOperator::BitwiseNot => {
            let one = sql::literal(Value::Number("-1".to_owned(), false));
            let inner = Expr::Nested(Box::new(sql::take(inner)));
            let inverse = sql::binary(one, BinaryOperator::Minus, inner);
            *expr = Expr::Nested(Box::new(inverse));
            return;
        }
        UnaryOperator::PGAbs => "abs",
        UnaryOperator::PGSquareRoot => "sqrt",
        UnaryOperator::PGCubeRoot => "cbrt",
        _ => return,
    };
    *expr = sql::call(function, [sql::take(inner)]);
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
    if matches!(&**pattern, Expr::Value(value) if value.value == Value::Null) {
        return Ok(());
    }
    let escape = escape_char.as_deref().map_or(Some("\\"), sql::text);
    let (Some(text), Some(escape)) = (sql::text(pattern), escape) else {
        return Err(Error::unsupported(
            "SIMILAR TO with a pattern that is no literal",
        ));
    };
    let regex = Value::SingleQuotedString(similar(text, escape.chars().next()));
    let op = if *negated {
        BinaryOperator::PGRegexNotMatch
    } else {
        BinaryOperator::PGRegexMatch
    };
    let matched = sql::binary(sql::take(inner), op, sql::literal(regex));
    *expr = Expr::Nested(Box::new(matched));
    Ok(())
}

/// A pattern of `SIMILAR TO` with this escape character as a regular expression.
fn similar(pattern: &str, escape: Option<char>) -> String {
    let mut regex = String::from("^(?s:");
    let mut in_brackets = false;
    let mut letters = pattern.chars();
    while let Some(letter) = letters.next() {
        let plain = if escape == Some(letter) {
            letters.next()
        } else {
            matches!(letter, '.' | '^' | '$' | '\\').then_some(letter)
        };
        match (letter, plain) {
            (_, Some('^')) if in_brackets && escape != Some(letter) => regex.push('^'),
            (_, Some(plain)) => regex.push_str(&regex::escape(&plain.to_string())),
            ('%', _) if !in_brackets => regex.push_str(".*"),
            ('_', _) if !in_brackets => regex.push('.'),
            ('[' | ']', _) => {
                in_brackets = letter == '[';
                regex.push(letter);
            }
            _ => regex.push(letter),
        }
    }
    regex + ")$"
}

/// Makes a text that is calculated with a number one itself.
fn as_number(expr: &mut Expr, other: &Expr) {
    let is_number = |expr: &Expr| constant(expr).is_some() && sql::text(expr).is_none();
    if is_number(other)
        && let Some(text) = sql::text(expr)
        && text.parse::<u32>().is_ok()
    {
        *expr = sql::literal(Value::Number(text.to_owned(), false));
    }
}

/// A field of a time. The runtime's seconds are whole ones.
fn date_part(field: &str, time: &Expr) -> Expr {
    let part = |field: &str| {
        let field = sql::literal(Value::SingleQuotedString(field.to_owned()));
        sql::call("date_part", [field, time.clone()])
    };
    match field {
        "second" | "seconds" => {
            let million = sql::literal(Value::Number("1e6".to_owned(), false));
            let seconds = sql::binary(part("microsecond"), BinaryOperator::Divide, million);
            Expr::Nested(Box::new(seconds))
        }
        field => part(field),
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
        && matches!(&**null, Expr::Value(value) if value.value == Value::Null)
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
        Some(of)
            if facts::is_foreign(&of)
                && matches!(&**inner, Expr::Value(value) if value.value == Value::Null) =>
        {
            *data_type = DataType::Text;
        }
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
    Some(sql::literal(Value::Number(length, false)))
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
    let number = |digits: &str| sql::literal(Value::Number(digits.to_owned(), false));
    let comparison = if negated {
        BinaryOperator::Eq
    } else {
        BinaryOperator::Gt
    };
    let counted = sql::binary(sql::call("count", [number("1")]), comparison, number("0"));
    let found = sql::derived(subquery.clone(), Some(table_alias("found")));
    let counted = parse::select(vec![SelectItem::UnnamedExpr(counted)], Some(found), None)?;
    Ok(Expr::Subquery(Box::new(counted)))
}

/// A literal that is cast: a text or a number.
fn constant(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(text) | Value::Number(text, _) => Some(text),
            _ => None,
        },
        _ => None,
    }
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
