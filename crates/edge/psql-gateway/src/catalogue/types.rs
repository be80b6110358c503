//! The types that PostgreSQL gives to the columns of a query: those that the tables' columns have, or what follows for an expression from
//! PostgreSQL's operators, functions and casts.

use std::ops::ControlFlow;
use std::rc::Rc;

use pgwire::api::Type;
use postgres_types::Kind;
use sqlparser::ast::{
    AccessExpr, BinaryOperator, DataType as SqlType, ExactNumberInfo, Expr, Function,
    FunctionArguments, GroupByExpr, Ident, JoinConstraint, ObjectName, Query, Select, SelectItem,
    SelectItemQualifiedWildcardKind, SetExpr, Subscript, TableAlias, TableFactor, TableWithJoins,
    TimezoneInfo, UnaryOperator, Value, VisitMut, VisitorMut, visit_expressions,
};

use super::facts;
use crate::parameters::number;
use crate::parse;
use crate::rewrite::output_names;
use crate::schema::{Schema, pg_type};
use crate::settings::boolean;
use crate::sql;

/// The columns of a query or a table, as far as they are known.
#[derive(Debug, Clone, Default)]
struct Columns {
    known: Vec<(String, Option<Type>)>,
    /// Whether these are all.
    all: bool,
}

/// What can be seen at a place of a query.
#[derive(Default)]
struct Scope<'a> {
    /// The columns, with their table.
    columns: Vec<(String, String, Option<Type>)>,
    /// Whether these are all.
    all: bool,
    /// The `WITH` queries.
    with: Vec<Rc<(String, Columns)>>,
    /// The tables of the runtime, and the views.
    schema: Option<&'a Schema>,
    /// The types of the parameters.
    parameters: &'a [Type],
}

/// What each output column of a query with parameters of these types can be seen to be.
pub(crate) fn of_query(query: &Query, schema: &Schema, parameters: &[Type]) -> Vec<Option<Type>> {
    shown(query, &Scope::of(schema, parameters).within(query))
}

/// The types of the output columns of a query, in whose expressions this can be seen.
fn shown(query: &Query, scope: &Scope<'_>) -> Vec<Option<Type>> {
    let columns = of_body(&query.body, scope).known.into_iter();
    // A literal that nothing gives another type is a text.
    let known = |of: Type| if of == Type::UNKNOWN { Type::TEXT } else { of };
    columns.map(|(_, of)| of.map(known)).collect()
}

/// The output columns of a query.
fn named(query: &Query, around: &Scope<'_>) -> Columns {
    let mut columns = of_body(&query.body, &around.within(query));
    for (index, name) in output_names(query).into_iter().flatten().enumerate() {
        if let (Some((column, _)), Some(name)) = (columns.known.get_mut(index), name) {
            *column = name;
        }
    }
    columns
}

/// The output columns of a query without its names.
fn of_body(body: &SetExpr, around: &Scope<'_>) -> Columns {
    match body {
        SetExpr::Select(select) => of_select(select, around),
        SetExpr::SetOperation { left, right, .. } => {
            let mut columns = of_body(left, around);
            let others = of_body(right, around);
            for ((_, of), (_, other)) in columns.known.iter_mut().zip(others.known) {
                *of = facts::common([of.take(), other]);
            }
            columns
        }
        SetExpr::Query(query) => named(query, around),
        SetExpr::Values(values) => {
            let width = values.rows.first().map_or(0, |row| row.content.len());
            let column = |index: usize| {
                let values = values.rows.iter();
                let types = values.map(|row| of(row.content.get(index)?, around));
                (format!("column{}", index + 1), facts::common(types))
            };
            Columns {
                known: (0..width).map(column).collect(),
                all: true,
            }
        }
        _ => Columns::default(),
    }
}

/// What can be seen in the expressions of a select.
fn scope_of<'a>(select: &Select, around: &Scope<'a>) -> Scope<'a> {
    let mut scope = Scope {
        all: true,
        ..around.outside()
    };
    sql::factors(&select.from).for_each(|factor| scope.offer(factor));
    scope.all &= !select.from.iter().any(merges_columns);
    scope
}

fn of_select(select: &Select, around: &Scope<'_>) -> Columns {
    let scope = scope_of(select, around);
    let mut columns = Columns::default();
    for item in &select.projection {
        if let Some(expr) = sql::output(item) {
            columns.known.push((String::new(), of(expr, &scope)));
            continue;
        }
        let table = match item {
            SelectItem::Wildcard(_) if scope.all => None,
            SelectItem::QualifiedWildcard(
                SelectItemQualifiedWildcardKind::ObjectName(table),
                _,
            ) if scope.all => sql::last(table),
            // How many columns there are is not known.
            _ => return columns,
        };
        let all = scope.columns.iter();
        let all = all.filter(|(of, ..)| table.as_ref().is_none_or(|table| table == of));
        (columns.known).extend(all.map(|(_, name, of)| (name.clone(), of.clone())));
    }
    columns.all = true;
    columns
}

/// Writes out what PostgreSQL does by the types of values, and the runtime does not: what is cast to a whole number is rounded, halves of
/// `double precision` to even numbers; a time with a zone loses it by `AT TIME ZONE 'UTC'`; a date plus an interval is a time; `real` becomes
/// `double precision`; a `bigint` does not overflow; and a quotient has enough digits. Answers what [`of_query`] does.
pub(crate) fn by_types(query: &mut Query, schema: &Schema, given: &[Type]) -> Vec<Option<Type>> {
    let around = Scope::of(schema, given).within(query);
    let types = shown(query, &around);
    let mut order_by = query.order_by.take();
    let is_one = matches!(&*query.body, SetExpr::Select(_));
    sql::selects(&mut query.body, &mut |select| {
        let mut writer = ByTypes {
            scope: scope_of(select, &around),
            depth: 0,
        };
        writer.calculate(select);
        let _ = select.visit(&mut writer);
        if is_one {
            let _ = order_by.visit(&mut writer);
        }
    });
    query.order_by = order_by;
    types
}

/// Looks at the expressions of a select, and not of those within it.
struct ByTypes<'a> {
    scope: Scope<'a>,
    depth: usize,
}

impl ByTypes<'_> {
    /// Makes sums and products of type `bigint` decimals, which are too large for one then, and so are seen to be; and quotients decimals
    /// with enough digits. They have to look like what the query groups by or tells apart, so it may do neither.
    fn calculate(&self, select: &mut Select) {
        let grouped = match &select.group_by {
            GroupByExpr::All(_) => true,
            GroupByExpr::Expressions(by, _) => !by.is_empty(),
        };
        let is_seen = |item: &SelectItem| sql::output(item).is_some();
        if grouped || select.distinct.is_some() || !select.projection.iter().all(is_seen) {
            return;
        }
        let items = select.projection.iter_mut().filter_map(sql::output_mut);
        for expr in items.filter(|expr| operators(expr) > 0) {
            match of(expr, &self.scope) {
                Some(Type::INT8) => widen(expr),
                Some(Type::NUMERIC) => self.divide(expr),
                _ => {}
            }
        }
    }

    /// Makes both sides of a quotient decimals with 76 digits, if what they are is known exactly.
    fn divide(&self, expr: &mut Expr) {
        if let Expr::BinaryOp {
            left,
            op: BinaryOperator::Divide,
            right,
        } = expr
            && let (Some(dividend), Some(divisor)) = (self.exact(left), self.exact(right))
        {
            for (side, number, after) in [(left, dividend, 26), (right, divisor, 16)] {
                let decimal = ExactNumberInfo::PrecisionAndScale(76, after);
                **side = sql::cast(number, SqlType::Decimal(decimal));
            }
        }
    }

    /// What becomes a decimal without a change: a whole number, or the text of a literal.
    fn exact(&self, expr: &Expr) -> Option<Expr> {
        if let Some(text) = sql::digits(expr) {
            let (whole, after) = text.split_once('.').unwrap_or((text, ""));
            let mut digits = whole.bytes().chain(after.bytes());
            let is_short = whole.len() <= 19 && after.len() <= 16;
            let is_plain = is_short && digits.all(|digit| digit.is_ascii_digit());
            return is_plain.then(|| sql::string(text));
        }
        match expr {
            Expr::Value(_) => None,
            Expr::Nested(expr) => self.exact(expr),
            Expr::Cast {
                expr, data_type, ..
            } if of_cast(data_type) == Some(Type::NUMERIC)
                && !data_type.to_string().contains('(') =>
            {
                self.exact(expr)
            }
            other => match of(other, &self.scope) {
                Some(Type::INT2 | Type::INT4 | Type::INT8) => Some(other.clone()),
                _ => None,
            },
        }
    }

    /// Makes a text that is compared with a truth value one itself.
    fn truth(&self, one: &mut Expr, other: &Expr) {
        if let Some(value) = sql::text(one).and_then(boolean)
            && of(other, &self.scope) == Some(Type::BOOL)
        {
            *one = sql::literal(Value::Boolean(value));
        }
    }

    /// Gives the operands of a short calculation the types that PostgreSQL gives them.
    fn operands(&self, left: &mut Expr, op: &BinaryOperator, right: &mut Expr) {
        if !is_arithmetic(op) || operators(left) + operators(right) >= MOST_OPERATORS {
            return;
        }
        let types = [&*left, &*right].map(|side| of(side, &self.scope));
        let result = facts::result_of_operator(&op.to_string(), &types);
        for (side, of) in [left, right].into_iter().zip(&types) {
            let wanted = match (of, &result) {
                (Some(Type::DATE), Some(Type::TIMESTAMP)) => {
                    SqlType::Timestamp(None, TimezoneInfo::None)
                }
                (Some(Type::FLOAT4), Some(Type::FLOAT8)) => SqlType::DoublePrecision,
                _ => continue,
            };
            *side = sql::cast(sql::take(side), wanted);
        }
    }
}

/// The most operators in a calculation whose operands get types. The types within it are worked out again for each operator around them.
const MOST_OPERATORS: usize = 8;

fn is_arithmetic(op: &BinaryOperator) -> bool {
    use BinaryOperator::{Divide, Minus, Multiply, Plus};
    matches!(op, Plus | Minus | Multiply | Divide)
}

/// How many operators a calculation has.
fn operators(expr: &Expr) -> usize {
    match expr {
        Expr::Nested(expr) => operators(expr),
        Expr::BinaryOp { left, op, right } if is_arithmetic(op) => {
            1 + operators(left) + operators(right)
        }
        _ => 0,
    }
}

/// Makes the operands of sums and products decimals.
fn widen(expr: &mut Expr) {
    match expr {
        Expr::Nested(expr) => widen(expr),
        Expr::BinaryOp {
            left,
            op: BinaryOperator::Plus | BinaryOperator::Minus | BinaryOperator::Multiply,
            right,
        } => {
            widen(left);
            widen(right);
        }
        other => {
            let decimal = ExactNumberInfo::PrecisionAndScale(38, 0);
            *other = sql::cast(sql::take(other), SqlType::Decimal(decimal));
        }
    }
}

/// How many expressions a number may consist of that is rounded to even numbers. It is repeated for that, and so is a number that is
/// rounded within it: without a limit, each rounding around another would make the query five times as large.
const MOST_ROUNDED: usize = 50;

/// Whether an expression consists of more than `most` expressions.
fn is_larger_than(expr: &Expr, most: usize) -> bool {
    let mut seen = 0;
    let walk = visit_expressions(expr, |_| {
        seen += 1;
        if seen > most {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    });
    walk.is_break()
}

/// A number of type `double precision` rounded to a whole one, halves to the even one; a large expression as the runtime rounds it, halves
/// away from zero.
fn rounded(number: Expr) -> Expr {
    const EVEN: &str =
        "CASE WHEN abs(($1) - trunc(($1))) = 0.5 THEN 2 * round(($1) / 2) ELSE round(($1)) END";
    let even = (!is_larger_than(&number, MOST_ROUNDED))
        .then(|| parse::expression(EVEN, std::slice::from_ref(&number)).ok());
    even.flatten()
        .unwrap_or_else(|| sql::call("round", [number]))
}

impl VisitorMut for ByTypes<'_> {
    type Break = ();

    fn pre_visit_query(&mut self, _: &mut Query) -> ControlFlow<()> {
        self.depth += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &mut Query) -> ControlFlow<()> {
        self.depth -= 1;
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        match expr {
            _ if self.depth > 0 => {}
            Expr::Cast {
                expr, data_type, ..
            } => {
                if let Some(Type::INT2 | Type::INT4 | Type::INT8) = of_cast(data_type) {
                    match of(expr, &self.scope) {
                        Some(Type::NUMERIC) => **expr = sql::call("round", [sql::take(expr)]),
                        Some(Type::FLOAT4 | Type::FLOAT8) => **expr = rounded(sql::take(expr)),
                        _ => {}
                    }
                }
            }
            Expr::BinaryOp {
                left,
                op: BinaryOperator::Eq | BinaryOperator::NotEq,
                right,
            } => {
                self.truth(left, right);
                self.truth(right, left);
            }
            Expr::BinaryOp { left, op, right } => self.operands(left, op, right),
            Expr::Function(function)
                if sql::last(&function.name).as_deref() == Some("round")
                    && let FunctionArguments::List(list) = &function.args
                    && let [argument] = &list.args[..]
                    && let Some(number) = sql::argument(argument)
                    && let Some(Type::FLOAT4 | Type::FLOAT8) = of(number, &self.scope) =>
            {
                *expr = rounded(number.clone());
            }
            // In other zones the runtime (1.7.12) gets `now()` wrong that way.
            Expr::AtTimeZone {
                timestamp,
                time_zone,
            } if sql::text(time_zone).is_some_and(|zone| zone.eq_ignore_ascii_case("utc"))
                && of(timestamp, &self.scope) == Some(Type::TIMESTAMPTZ) =>
            {
                *expr = sql::call("to_local_time", [sql::take(expr)]);
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

/// Whether a column that two tables have is there once.
fn merges_columns(table: &TableWithJoins) -> bool {
    table.joins.iter().any(|join| {
        matches!(
            sql::join_constraint!(&join.join_operator),
            Some(JoinConstraint::Using(_) | JoinConstraint::Natural)
        )
    })
}

impl Columns {
    /// The same under the names of an alias.
    fn under(mut self, alias: &TableAlias) -> Self {
        for ((name, _), alias) in self.known.iter_mut().zip(&alias.columns) {
            *name = sql::folded(&alias.name);
        }
        self
    }
}

impl<'a> Scope<'a> {
    /// Where nothing but the tables of the runtime and the views can be seen.
    fn of(schema: &'a Schema, parameters: &'a [Type]) -> Self {
        Self {
            schema: Some(schema),
            parameters,
            ..Self::default()
        }
    }

    /// The same without columns.
    fn outside(&self) -> Self {
        Self {
            with: self.with.clone(),
            schema: self.schema,
            parameters: self.parameters,
            ..Self::default()
        }
    }

    /// The same with the `WITH` queries of a query.
    fn within(&self, query: &Query) -> Self {
        let mut scope = self.outside();
        let recursive = query.with.as_ref().is_some_and(|with| with.recursive);
        for cte in query.with.iter().flat_map(|with| &with.cte_tables) {
            // A query that reads itself has the types of the rows with which it begins.
            let columns = match &*cte.query.body {
                SetExpr::SetOperation { left, .. } if recursive => of_body(left, &scope),
                _ => named(&cte.query, &scope),
            };
            let columns = columns.under(&cte.alias);
            let name = sql::folded(&cte.alias.name);
            scope.with.push(Rc::new((name, columns)));
        }
        scope
    }

    /// The columns of a table of this name.
    fn table(&self, name: &ObjectName) -> Columns {
        let parts = sql::parts(name).unwrap_or_default();
        let called = parts.last().map_or("", String::as_str);
        if let Some(with) = self.with.iter().rfind(|with| with.0 == called)
            && parts.len() == 1
        {
            return with.1.clone();
        }
        let mut tables = self.schema.iter().flat_map(|schema| &schema.tables);
        let known: Vec<_> = match tables.find(|table| table.name == called) {
            Some(table) if parts.len() == 1 || parts[0] == "public" => {
                let columns = table.columns.iter();
                columns
                    .map(|column| (column.name().clone(), pg_type(column.data_type())))
                    .collect()
            }
            _ => {
                let columns = facts::columns_of(called).iter();
                let columns = columns.map(|(name, of, _)| ((*name).to_owned(), of.clone()));
                columns.collect()
            }
        };
        let all = !known.is_empty();
        Columns { known, all }
    }

    /// Adds the columns of a table.
    fn offer(&mut self, factor: &TableFactor) {
        let (columns, alias) = match factor {
            TableFactor::Table {
                name,
                alias,
                args: Some(args),
                ..
            } => {
                let given = args.args.iter();
                let given = given.map(|given| of(sql::argument(given)?, self));
                let function = sql::last(name).unwrap_or_default();
                let result = facts::result_of(&function, &given.collect::<Vec<_>>());
                let known = vec![(sql::called(factor).unwrap_or_default(), result)];
                (Columns { known, all: true }, alias)
            }
            TableFactor::Table { name, alias, .. } => (self.table(name), alias),
            TableFactor::Derived {
                subquery, alias, ..
            } => (named(subquery, self), alias),
            TableFactor::UNNEST {
                array_exprs, alias, ..
            } => {
                let array = array_exprs.first().and_then(|array| of(array, self));
                let element = array.as_ref().and_then(element_of);
                let name = sql::called(factor);
                let known = vec![(name.unwrap_or_else(|| "unnest".to_owned()), element)];
                (Columns { known, all: true }, alias)
            }
            _ => (Columns::default(), &None),
        };
        let called = sql::called(factor).unwrap_or_default();
        let columns = match alias {
            Some(alias) => columns.under(alias),
            None => columns,
        };
        self.all &= columns.all;
        let known = columns.known.into_iter();
        self.columns
            .extend(known.map(|(name, of)| (called.clone(), name, of)));
    }
}

fn of(expr: &Expr, scope: &Scope<'_>) -> Option<Type> {
    let of = |expr: &Expr| of(expr, scope);
    match expr {
        Expr::Identifier(column) => find(scope, None, column).or_else(|| {
            // It needs no parentheses.
            (sql::folded(column) == "current_schema").then_some(Type::NAME)
        }),
        Expr::CompoundIdentifier(parts) => match parts.as_slice() {
            [.., table, column] => find(scope, Some(table), column),
            _ => None,
        },
        Expr::Value(value) => match &value.value {
            Value::Number(text, _) if text.parse::<i32>().is_ok() => Some(Type::INT4),
            Value::Number(text, _) if text.parse::<i64>().is_ok() => Some(Type::INT8),
            Value::Number(..) => Some(Type::NUMERIC),
            Value::Boolean(_) => Some(Type::BOOL),
            // One that nothing gives a type is a text, which says nothing of the others.
            Value::Placeholder(_) => {
                let of = scope.parameters.get(number(expr).ok()??.checked_sub(1)?);
                of.filter(|of| **of != Type::TEXT).cloned()
            }
            _ => Some(Type::UNKNOWN),
        },
        Expr::IsNull(_)
        | Expr::IsNotNull(_)
        | Expr::IsTrue(_)
        | Expr::IsFalse(_)
        | Expr::IsNotTrue(_)
        | Expr::IsNotFalse(_)
        | Expr::IsDistinctFrom(..)
        | Expr::IsNotDistinctFrom(..)
        | Expr::Exists { .. }
        | Expr::InList { .. }
        | Expr::InSubquery { .. }
        | Expr::Between { .. }
        | Expr::Like { .. }
        | Expr::ILike { .. }
        | Expr::SimilarTo { .. }
        | Expr::AnyOp { .. }
        | Expr::AllOp { .. }
        | Expr::UnaryOp {
            op: UnaryOperator::Not,
            ..
        } => Some(Type::BOOL),
        Expr::Nested(expr) | Expr::Collate { expr, .. } => of(expr),
        Expr::UnaryOp { op, expr } => facts::result_of_operator(&op.to_string(), &[of(expr)]),
        Expr::BinaryOp { left, op, right } => match op {
            BinaryOperator::And | BinaryOperator::Or => Some(Type::BOOL),
            BinaryOperator::PGCustomBinaryOperator(parts) => {
                facts::result_of_operator(parts.last()?, &[of(left), of(right)])
            }
            op => facts::result_of_operator(&op.to_string(), &[of(left), of(right)]),
        },
        Expr::Cast { data_type, .. } => of_cast(data_type),
        Expr::TypedString(typed) => of_cast(&typed.data_type),
        Expr::Interval(_) => Some(Type::INTERVAL),
        Expr::AtTimeZone { timestamp, .. } => match of(timestamp)? {
            Type::TIMESTAMPTZ => Some(Type::TIMESTAMP),
            Type::TIMESTAMP => Some(Type::TIMESTAMPTZ),
            _ => None,
        },
        Expr::Case {
            conditions,
            else_result,
            ..
        } => {
            // What comes last counts first.
            let results = conditions.iter().map(|when| &when.result);
            facts::common(else_result.as_deref().into_iter().chain(results).map(of))
        }
        Expr::Extract { expr, .. } => facts::result_of("extract", &[Some(Type::TEXT), of(expr)]),
        Expr::Ceil { expr, .. } => facts::result_of("ceil", &[of(expr)]),
        Expr::Floor { expr, .. } => facts::result_of("floor", &[of(expr)]),
        Expr::Position { .. } => Some(Type::INT4),
        Expr::Function(function) => of_function(function, scope),
        Expr::Array(array) => {
            let element = facts::common(array.elem.iter().map(of))?;
            array_of(&element)
        }
        Expr::CompoundFieldAccess { root, access_chain } => match access_chain.last()? {
            // The number of an element of `_pg_expandarray`.
            AccessExpr::Dot(Expr::Identifier(part)) if part.value == "n" => Some(Type::INT4),
            AccessExpr::Subscript(Subscript::Index { .. }) => element_of(&of(root)?),
            _ => None,
        },
        Expr::Subquery(query) => first_of(query, scope),
        _ => None,
    }
}

fn element_of(array: &Type) -> Option<Type> {
    match array.kind() {
        Kind::Array(element) => Some(element.clone()),
        _ => None,
    }
}

fn array_of(element: &Type) -> Option<Type> {
    let is_literal = *element == Type::UNKNOWN;
    facts::array_of(if is_literal { &Type::TEXT } else { element })
}

/// What a function returns.
fn of_function(function: &Function, scope: &Scope<'_>) -> Option<Type> {
    let name = sql::last(&function.name)?;
    let given: Vec<_> = match &function.args {
        FunctionArguments::List(list) => {
            let given = list.args.iter().filter_map(sql::argument);
            given.map(|expr| of(expr, scope)).collect()
        }
        FunctionArguments::Subquery(query) if name == "array" => {
            return array_of(&first_of(query, scope)?);
        }
        _ => Vec::new(),
    };
    match name.as_str() {
        // Words of SQL rather than functions of `pg_proc`.
        "current_catalog" | "current_role" | "user" => Some(Type::NAME),
        "localtimestamp" => Some(Type::TIMESTAMP),
        "coalesce" | "greatest" | "least" => facts::common(given),
        "nullif" => given.into_iter().next()?,
        _ => {
            let ordered = function.within_group.iter().map(|by| of(&by.expr, scope));
            facts::result_of(&name, &given.into_iter().chain(ordered).collect::<Vec<_>>())
        }
    }
}

/// The type of the first column.
fn first_of(query: &Query, around: &Scope<'_>) -> Option<Type> {
    named(query, around).known.into_iter().next()?.1
}

/// The type of a column.
fn find(scope: &Scope<'_>, table: Option<&Ident>, column: &Ident) -> Option<Type> {
    let (table, column) = (table.map(sql::folded), sql::folded(column));
    let mut columns = scope.columns.iter();
    let found = columns
        .find(|(of, name, _)| *name == column && table.as_ref().is_none_or(|table| table == of));
    found.and_then(|(.., of)| of.clone())
}

fn of_cast(data_type: &SqlType) -> Option<Type> {
    facts::type_in_sql(&data_type.to_string())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_schema::{DataType, Field};

    use super::*;
    use crate::parse;
    use crate::schema::Table;

    /// A table with a column of each of some types.
    fn schema() -> Schema {
        let columns = [
            ("small", DataType::Int16),
            ("big", DataType::Int64),
            ("unsigned", DataType::UInt64),
            ("double", DataType::Float64),
            ("price", DataType::Decimal128(38, 2)),
            ("text", DataType::Utf8),
            ("day", DataType::Date32),
        ];
        let columns = columns.map(|(name, of)| Arc::new(Field::new(name, of, true)));
        let table = Table {
            name: "t".to_owned(),
            columns: columns.to_vec(),
            view: None,
        };
        Schema {
            tables: vec![table],
            ..Schema::default()
        }
    }

    fn types(sql: &str) -> String {
        let found = of_query(&parse::query(sql).unwrap(), &schema(), &[Type::INT4]);
        let names = found
            .iter()
            .map(|of| of.as_ref().map_or("?", |of| of.name()));
        names.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn expressions_have_the_types_of_postgres() {
        for (items, expected) in [
            (
                "1, 3000000000, 1.5, 'a', null",
                "int4 int8 numeric text text",
            ),
            (
                "1 + 1, 7 / 2, 1 + 3000000000, 1 + 1.5, -1, -(1.5)",
                "int4 int4 int8 numeric int4 numeric",
            ),
            (
                "small + small, small + 1, big + 1, unsigned + 1, price * 2",
                "int2 int4 int8 numeric numeric",
            ),
            (
                "double * 1.5, 1 + double, 1::real + 1, 1::real + 1::real",
                "float8 float8 float8 float4",
            ),
            (
                "'1' + 1, 1 - '2', '1' || 'a', 1 || 'a', 2 ^ 3, 2.0 ^ 3",
                "int4 int4 text text float8 numeric",
            ),
            (
                "text || text, text = 'a', text ~ 'a', 1 < 2, text operator(pg_catalog.~) 'a'",
                "text bool bool bool bool",
            ),
            (
                "day + 1, day - day, day + interval '1 day', now() - now()",
                "date int4 timestamp interval",
            ),
            (
                "sum(1), sum(small), sum(big), sum(price), sum(double)",
                "int8 int8 numeric numeric float8",
            ),
            (
                "avg(1), avg(big), avg(double), min(1), max(text), count(*), count(text)",
                "numeric numeric float8 int4 text int8 int8",
            ),
            (
                "abs(-1), abs(-1.5), round(1.5), round(1.5, 1), round(1), round(double)",
                "int4 numeric numeric numeric float8 float8",
            ),
            (
                "length(text), upper(text), concat('a', 1), position('a' in text)",
                "int4 text text int4",
            ),
            (
                "extract(year from day), date_part('year', day), date_trunc('day', now())",
                "numeric float8 timestamptz",
            ),
            (
                "case when true then 1 else 2.5 end, case when true then 1 end, case when true then 'a'::name else text end",
                "numeric int4 text",
            ),
            (
                "coalesce(null, 1), coalesce(big, 1), greatest(1, 2.5), nullif(1, 2), coalesce('a', text)",
                "int4 int8 numeric int4 text",
            ),
            (
                "array[1, 2], array[1, 2.5], array['a'], array[1, 2][1], array_agg(1), unnest(array[1])",
                "_int4 _numeric _text int4 _int4 int4",
            ),
            (
                "row_number() over (), lag(1) over (), sum(1) over (), percentile_cont(0.5) within group (order by 1)",
                "int8 int4 int8 float8",
            ),
            (
                "(select 1 + 1), exists (select 1), 1::bigint, cast('1' as numeric(3, 1)), date '2026-01-02'",
                "int4 bool int8 numeric date",
            ),
            (
                "$2 + 1, nope, nope(1), json_get_int(text, 'a') + 1, current_schema, $1, $1 + 1",
                "? ? ? ? name int4 int4",
            ),
            ("t.*", "int2 int8 numeric float8 numeric text date"),
        ] {
            assert_eq!(
                types(&format!("select {items} from t")),
                expected,
                "{items}"
            );
        }
        for (query, expected) in [
            ("select 1 union all select 2.5", "numeric"),
            ("select 'a' union select null", "text"),
            ("values (1, 'a'), (2.5, null)", "numeric text"),
            ("select x + 1 from (values (1)) v(x)", "int4"),
            (
                "with w as (select 1 as x) select x, y from w, (select 2.5 as y) d",
                "int4 numeric",
            ),
            (
                "with recursive w(x) as (select 1 union all select x + 1 from w) select x from w",
                "int4",
            ),
            ("select g + 1 from generate_series(1, 3) g", "int4"),
            ("select * from t natural join t u", ""),
        ] {
            assert_eq!(types(query), expected, "{query}");
        }
    }

    #[test]
    fn what_is_rounded_again_and_again_does_not_grow_without_limit() {
        let mut asked = "double".to_owned();
        for _ in 0..9 {
            asked = format!("round({asked})");
        }
        let mut query = parse::query(&format!("select {asked} from t")).unwrap();
        by_types(&mut query, &schema(), &[]);
        assert!(query.to_string().len() < 10_000);
    }

    #[test]
    fn what_depends_on_types_is_written_out() {
        for (asked, expected) in [
            (
                "select price::int, avg(1)::int, 1.5::bigint from t",
                "SELECT round(price)::INT, round(avg(1))::INT, round(1.5)::BIGINT FROM t",
            ),
            (
                "select 1::int, text::int, big::int, '1'::int, double::text from t",
                "SELECT 1::INT, text::INT, big::INT, '1'::INT, double::TEXT FROM t",
            ),
            (
                "select price::int from t where price::int > 1 group by price::int order by price::int",
                "SELECT round(price)::INT FROM t WHERE round(price)::INT > 1 GROUP BY round(price)::INT ORDER BY round(price)::INT",
            ),
            (
                "select (select price::int from t) from t u union select price::int from t",
                "SELECT (SELECT price::INT FROM t) FROM t u UNION SELECT round(price)::INT FROM t",
            ),
            (
                "select now() at time zone 'UTC', day at time zone 'UTC', now() at time zone 'Europe/Berlin' from t",
                "SELECT to_local_time(now() AT TIME ZONE 'UTC'), day AT TIME ZONE 'UTC', now() AT TIME ZONE 'Europe/Berlin' FROM t",
            ),
            (
                "select day + interval '1 day', interval '1 day' + day, day - interval '1 hour', day + 1 from t",
                "SELECT CAST(day AS TIMESTAMP) + INTERVAL '1 day', INTERVAL '1 day' + CAST(day AS TIMESTAMP), \
                 CAST(day AS TIMESTAMP) - INTERVAL '1 hour', day + 1 FROM t",
            ),
            (
                "select 1::real + 1, 2 / 1::real, 1::real + 1::real from t",
                "SELECT CAST(1::REAL AS DOUBLE PRECISION) + 1, 2 / CAST(1::REAL AS DOUBLE PRECISION), 1::REAL + 1::REAL FROM t",
            ),
            (
                "select round(double), round(price), round(1) from t",
                "SELECT CASE WHEN abs((double) - trunc((double))) = 0.5 THEN 2 * round((double) / 2) ELSE round((double)) END, \
                 round(price), round(1) FROM t",
            ),
            (
                "select big + 1, (big) * (big - 1), small + 1, big / 2, price + 1 from t",
                "SELECT CAST(big AS DECIMAL(38,0)) + CAST(1 AS DECIMAL(38,0)), \
                 (CAST(big AS DECIMAL(38,0))) * (CAST(big AS DECIMAL(38,0)) - CAST(1 AS DECIMAL(38,0))), \
                 small + 1, CAST(big / 2 AS DECIMAL(38,0)), price + 1 FROM t",
            ),
            (
                "select 1.0 / 3, big::numeric / (2.5), price / 3, 7 / 2 from t",
                "SELECT CAST('1.0' AS DECIMAL(76,26)) / CAST('3' AS DECIMAL(76,16)), \
                 CAST(big AS DECIMAL(76,26)) / CAST('2.5' AS DECIMAL(76,16)), price / 3, 7 / 2 FROM t",
            ),
            (
                "select big + 1 from t group by big + 1",
                "SELECT big + 1 FROM t GROUP BY big + 1",
            ),
            (
                "select distinct big + 1 from t",
                "SELECT DISTINCT big + 1 FROM t",
            ),
            (
                "select 't' = (big > 1), text = 't' from t where big = 1 <> 'off'",
                "SELECT true = (big > 1), text = 't' FROM t WHERE big = 1 <> false",
            ),
        ] {
            let mut query = parse::query(asked).unwrap();
            by_types(&mut query, &schema(), &[]);
            assert_eq!(query.to_string(), expected, "{asked}");
        }
    }
}
