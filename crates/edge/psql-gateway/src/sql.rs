//! The dialect, and helpers for the nodes of a syntax tree.

use std::ops::ControlFlow;

use sqlparser::ast::{
    BinaryOperator, CastKind, DataType, Expr, Function, FunctionArg, FunctionArgExpr,
    FunctionArgumentList, FunctionArguments, Ident, ObjectName, ObjectNamePart, Query, Select,
    SelectItem, SetExpr, TableAlias, TableFactor, TableWithJoins, Value,
};
use sqlparser::dialect::PostgreSqlDialect;

use crate::error::{Error, Result};

/// What the clients speak.
pub(crate) const DIALECT: PostgreSqlDialect = PostgreSqlDialect {};

/// The name as it is looked up: lower case unless quoted.
pub(crate) fn folded(ident: &Ident) -> String {
    if ident.quote_style.is_some() {
        ident.value.clone()
    } else {
        ident.value.to_lowercase()
    }
}

/// The parts of a name as they are looked up; nothing if it is no plain name.
pub(crate) fn parts(name: &ObjectName) -> Option<Vec<String>> {
    name.0
        .iter()
        .map(|part| match part {
            ObjectNamePart::Identifier(ident) => Some(folded(ident)),
            ObjectNamePart::Function(_) => None,
        })
        .collect()
}

/// The last part of a name, such as the table without its schema.
pub(crate) fn last(name: &ObjectName) -> Option<String> {
    parts(name)?.pop()
}

/// An identifier that means exactly `name`, quoted only where it must be.
pub(crate) fn ident(name: &str) -> Ident {
    let plain = name
        .chars()
        .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        && name.starts_with(|c: char| !c.is_ascii_digit());
    if plain {
        Ident::new(name)
    } else {
        Ident::with_quote('"', name)
    }
}

/// A literal.
pub(crate) fn literal(value: Value) -> Expr {
    Expr::Value(value.into())
}

/// A number as a literal.
pub(crate) fn number(digits: impl Into<String>) -> Expr {
    literal(Value::Number(digits.into(), false))
}

/// A text as a literal.
pub(crate) fn string(text: impl Into<String>) -> Expr {
    literal(Value::SingleQuotedString(text.into()))
}

/// Whether it is the literal `NULL`.
pub(crate) fn is_null(expr: &Expr) -> bool {
    matches!(expr, Expr::Value(value) if value.value == Value::Null)
}

/// The name of a parameter, such as `$1`.
pub(crate) fn placeholder(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Value(value) => match &value.value {
            Value::Placeholder(name) => Some(name),
            _ => None,
        },
        _ => None,
    }
}

/// The digits of a number.
pub(crate) fn digits(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Value(value) => match &value.value {
            Value::Number(digits, _) => Some(digits),
            _ => None,
        },
        _ => None,
    }
}

/// The text of a literal.
pub(crate) fn text(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(text) => Some(text),
            _ => None,
        },
        _ => None,
    }
}

/// The name of a column, without its table.
pub(crate) fn column(expr: &Expr) -> Option<&Ident> {
    match expr {
        Expr::Identifier(name) => Some(name),
        Expr::CompoundIdentifier(parts) => parts.last(),
        _ => None,
    }
}

/// The expression of a function argument.
pub(crate) fn argument(argument: &FunctionArg) -> Option<&Expr> {
    match argument {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr),
        _ => None,
    }
}

/// A call of a function.
pub(crate) fn call(name: &str, arguments: impl IntoIterator<Item = Expr>) -> Expr {
    let arguments = arguments.into_iter();
    Expr::Function(Function {
        name: ObjectName::from(vec![ident(name)]),
        uses_odbc_syntax: false,
        parameters: FunctionArguments::None,
        args: FunctionArguments::List(FunctionArgumentList {
            duplicate_treatment: None,
            args: arguments
                .map(|argument| FunctionArg::Unnamed(FunctionArgExpr::Expr(argument)))
                .collect(),
            clauses: Vec::new(),
        }),
        filter: None,
        null_treatment: None,
        over: None,
        within_group: Vec::new(),
    })
}

/// `CAST(expr AS data_type)`
pub(crate) fn cast(expr: Expr, data_type: DataType) -> Expr {
    Expr::Cast {
        kind: CastKind::Cast,
        expr: Box::new(expr),
        data_type,
        format: None,
    }
}

/// `left op right`
pub(crate) fn binary(left: Expr, op: BinaryOperator, right: Expr) -> Expr {
    Expr::BinaryOp {
        left: Box::new(left),
        op,
        right: Box::new(right),
    }
}

/// `AS name`
pub(crate) fn table_alias(name: &str) -> TableAlias {
    TableAlias {
        explicit: true,
        name: ident(name),
        columns: Vec::new(),
        at: None,
    }
}

/// `(query) AS alias`
pub(crate) fn derived(query: Query, alias: Option<TableAlias>) -> TableFactor {
    TableFactor::Derived {
        lateral: false,
        subquery: Box::new(query),
        alias,
        sample: None,
    }
}

/// The select whose columns a query has, the first of a `UNION`.
pub(crate) fn first_select(query: &Query) -> Option<&Select> {
    let mut body = &*query.body;
    loop {
        match body {
            SetExpr::Select(select) => return Some(select),
            SetExpr::Query(query) => body = &query.body,
            SetExpr::SetOperation { left, .. } => body = left,
            _ => return None,
        }
    }
}

/// Does something to all selects of a query, those of a `UNION` each.
pub(crate) fn selects(body: &mut SetExpr, change: &mut impl FnMut(&mut Select)) {
    match body {
        SetExpr::Select(select) => change(select),
        SetExpr::Query(query) => selects(&mut query.body, change),
        SetExpr::SetOperation { left, right, .. } => {
            selects(left, change);
            selects(right, change);
        }
        _ => {}
    }
}

/// The expression of an output column.
pub(crate) fn output(item: &SelectItem) -> Option<&Expr> {
    match item {
        SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => Some(expr),
        _ => None,
    }
}

/// The same, to be changed.
pub(crate) fn output_mut(item: &mut SelectItem) -> Option<&mut Expr> {
    match item {
        SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => Some(expr),
        _ => None,
    }
}

/// What a `FROM` has, joins included.
pub(crate) fn factors(from: &[TableWithJoins]) -> impl Iterator<Item = &TableFactor> {
    from.iter().flat_map(|table| {
        let joined = table.joins.iter().map(|join| &join.relation);
        std::iter::once(&table.relation).chain(joined)
    })
}

/// The same, to be changed.
pub(crate) fn factors_mut(from: &mut [TableWithJoins]) -> impl Iterator<Item = &mut TableFactor> {
    from.iter_mut().flat_map(|table| {
        let joined = table.joins.iter_mut().map(|join| &mut join.relation);
        std::iter::once(&mut table.relation).chain(joined)
    })
}

/// The name by which a query knows a table: its alias, or its own.
pub(crate) fn called(factor: &TableFactor) -> Option<String> {
    match factor {
        TableFactor::Table {
            alias: Some(alias), ..
        }
        | TableFactor::Derived {
            alias: Some(alias), ..
        }
        | TableFactor::UNNEST {
            alias: Some(alias), ..
        } => Some(folded(&alias.name)),
        TableFactor::Table { name, .. } => last(name),
        _ => None,
    }
}

/// The names of the `WITH` queries of a query.
pub(crate) fn with_names(query: &Query) -> impl DoubleEndedIterator<Item = String> {
    let ctes = query.with.iter().flat_map(|with| &with.cte_tables);
    ctes.map(|cte| folded(&cte.alias.name))
}

/// Takes an expression out of the tree and leaves `NULL` in its place until it is replaced.
pub(crate) fn take(expr: &mut Expr) -> Expr {
    std::mem::replace(expr, literal(Value::Null))
}

/// A pattern of `LIKE` with this escape character as one with a backslash. An empty text is no escape character.
pub(crate) fn escaped_by_backslash(pattern: Expr, escape: &Expr) -> Expr {
    let escape = text(escape).unwrap_or_default();
    if escape == "\\" {
        return pattern;
    }
    // A doubled escape character is put aside while the others become backslashes.
    let aside = "\u{E000}";
    let doubled = escape.repeat(2);
    let mut steps = vec![("\\", r"\\")];
    if !escape.is_empty() {
        steps.extend([(&*doubled, aside), (escape, "\\"), (aside, escape)]);
    }
    steps.into_iter().fold(pattern, |pattern, (from, to)| {
        let replaced = text(&pattern).map(|text| string(text.replace(from, to)));
        replaced.unwrap_or_else(|| call("replace", [pattern, string(from), string(to)]))
    })
}

/// A pattern of `LIKE` or `SIMILAR TO` with this escape character as a regular expression. Some of its characters mean only themselves.
pub(crate) fn regex(
    pattern: &str,
    escape: Option<char>,
    is_plain: impl Fn(char) -> bool,
) -> String {
    let mut regex = String::from("^(?s:");
    let mut in_brackets = false;
    let mut letters = pattern.chars();
    while let Some(letter) = letters.next() {
        let plain = if escape == Some(letter) {
            letters.next()
        } else {
            is_plain(letter).then_some(letter)
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

/// The result of a walk through a tree.
pub(crate) fn walked(walk: ControlFlow<Error>) -> Result<()> {
    walk.break_value().map_or(Ok(()), Err)
}

/// Ends a walk through a tree at an error.
pub(crate) fn flow<T>(result: Result<T>) -> ControlFlow<Error, T> {
    result.map_or_else(ControlFlow::Break, ControlFlow::Continue)
}

/// Looks at all conditions that a condition joins by `AND`.
pub(crate) fn conjuncts(expr: &Expr, look: &mut impl FnMut(&Expr)) {
    match expr {
        Expr::BinaryOp {
            left,
            op: BinaryOperator::And,
            right,
        } => {
            conjuncts(left, look);
            conjuncts(right, look);
        }
        Expr::Nested(expr) => conjuncts(expr, look),
        other => look(other),
    }
}

/// The constraint of a join, if its kind has one. Takes a shared or a mutable reference and returns the same kind.
macro_rules! join_constraint {
    ($operator:expr) => {{
        use sqlparser::ast::JoinOperator as Op;
        match $operator {
            Op::Join(it)
            | Op::Inner(it)
            | Op::Left(it)
            | Op::LeftOuter(it)
            | Op::Right(it)
            | Op::RightOuter(it)
            | Op::FullOuter(it)
            | Op::CrossJoin(it)
            | Op::Semi(it)
            | Op::LeftSemi(it)
            | Op::RightSemi(it)
            | Op::Anti(it)
            | Op::LeftAnti(it)
            | Op::RightAnti(it)
            | Op::StraightJoin(it)
            | Op::AsOf { constraint: it, .. } => Some(it),
            _ => None,
        }
    }};
}
pub(crate) use join_constraint;
