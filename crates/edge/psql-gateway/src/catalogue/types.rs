//! The types of the columns of a catalogue query: those that the catalogue's columns were declared with, or what an expression
//! can be seen to be.

use pgwire::api::Type;
use sqlparser::ast::{
    AccessExpr, BinaryOperator, DataType as SqlType, Expr, Function, FunctionArguments, Ident,
    Query, SelectItem, SetExpr, TableFactor, UnaryOperator, Value,
};

use super::facts;
use crate::rewrite::output_names;
use crate::sql;

/// The columns that can be seen at a place of a query, with their table, and the types of those where they are known.
type Scope = Vec<(String, String, Option<Type>)>;

/// What each output column of a query can be seen to be.
pub(crate) fn of_query(query: &Query) -> Vec<Option<Type>> {
    named(query).into_iter().map(|(_, of)| of).collect()
}

/// The output columns of a query, as far as they are known.
fn named(query: &Query) -> Vec<(String, Option<Type>)> {
    let mut body = &*query.body;
    let select = loop {
        match body {
            SetExpr::Select(select) => break select,
            SetExpr::SetOperation { left, .. } => body = left,
            SetExpr::Query(query) => body = &query.body,
            _ => return Vec::new(),
        }
    };
    let mut scope = Scope::new();
    for table in &select.from {
        let joined = table.joins.iter().map(|join| &join.relation);
        for factor in std::iter::once(&table.relation).chain(joined) {
            offer(factor, &mut scope);
        }
    }
    let names = output_names(query).unwrap_or_default();
    let mut columns = Vec::new();
    for (index, item) in select.projection.iter().enumerate() {
        match item {
            SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => {
                let name = match item {
                    SelectItem::ExprWithAlias { alias, .. } => Some(sql::folded(alias)),
                    _ => names.get(index).cloned().flatten(),
                };
                columns.push((name.unwrap_or_default(), of(expr, &scope)));
            }
            SelectItem::Wildcard(_) if select.from.len() == 1 => {
                let all = scope.iter().map(|(_, name, of)| (name.clone(), of.clone()));
                columns.extend(all);
            }
            // How many columns there are is not known.
            _ => return columns,
        }
    }
    columns
}

/// Adds the columns of a table.
fn offer(factor: &TableFactor, scope: &mut Scope) {
    match factor {
        TableFactor::Table { name, alias, .. } => {
            let name = sql::last(name).unwrap_or_default();
            let called = alias
                .as_ref()
                .map_or_else(|| name.clone(), |alias| sql::folded(&alias.name));
            if name == "generate_series" {
                let column = alias.iter().flat_map(|alias| &alias.columns).next();
                let column =
                    column.map_or_else(|| called.clone(), |column| sql::folded(&column.name));
                scope.push((called.clone(), column, Some(Type::INT4)));
            }
            let columns = facts::columns_of(&name).iter();
            scope
                .extend(columns.map(|(name, of)| (called.clone(), (*name).to_owned(), of.clone())));
        }
        TableFactor::Derived {
            subquery, alias, ..
        } => {
            let called = alias
                .as_ref()
                .map(|alias| sql::folded(&alias.name))
                .unwrap_or_default();
            let columns = named(subquery).into_iter();
            scope.extend(columns.map(|(name, of)| (called.clone(), name, of)));
        }
        _ => {}
    }
}

fn of(expr: &Expr, scope: &Scope) -> Option<Type> {
    let of = |expr: &Expr| of(expr, scope);
    match expr {
        Expr::Identifier(column) => find(scope, None, column),
        Expr::CompoundIdentifier(parts) => match parts.as_slice() {
            [.., table, column] => find(scope, Some(table), column),
            _ => None,
        },
        Expr::Value(value) => match &value.value {
            Value::Number(text, _) if text.parse::<i32>().is_ok() => Some(Type::INT4),
            Value::Number(text, _) if text.parse::<i64>().is_ok() => Some(Type::INT8),
            Value::Number(..) => Some(Type::NUMERIC),
            Value::Boolean(_) => Some(Type::BOOL),
            _ => Some(Type::TEXT),
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
        | Expr::AnyOp { .. }
        | Expr::AllOp { .. }
        | Expr::UnaryOp {
            op: UnaryOperator::Not,
            ..
        } => Some(Type::BOOL),
        Expr::UnaryOp { expr, .. } | Expr::Nested(expr) | Expr::Collate { expr, .. } => of(expr),
        Expr::BinaryOp { left, op, right } => match op {
            BinaryOperator::StringConcat => Some(Type::TEXT),
            BinaryOperator::Plus
            | BinaryOperator::Minus
            | BinaryOperator::Multiply
            | BinaryOperator::Divide
            | BinaryOperator::Modulo
            | BinaryOperator::BitwiseAnd
            | BinaryOperator::BitwiseOr => of(left).or_else(|| of(right)),
            _ => Some(Type::BOOL),
        },
        Expr::Cast { data_type, .. } => of_cast(data_type),
        Expr::Case {
            conditions,
            else_result,
            ..
        } => {
            let mut results = conditions
                .iter()
                .map(|when| &when.result)
                .chain(else_result.as_deref())
                .filter(|result| !is_null(result));
            // A literal has the type of the others.
            let is_literal = |result: &&Expr| sql::text(result).is_some();
            let mut typed = results.clone().filter(|result| !is_literal(result));
            // Nothing is evaluated twice: that would double with every level.
            typed.find_map(of).or_else(|| of(results.find(is_literal)?))
        }
        Expr::Function(function) => of_function(function, scope),
        Expr::Array(array) => {
            let element = array.elem.iter().find_map(of);
            facts::array_of(&element.unwrap_or(Type::TEXT))
        }
        Expr::CompoundFieldAccess { access_chain, .. } => match access_chain.last()? {
            // The number of an element of `_pg_expandarray`.
            AccessExpr::Dot(Expr::Identifier(part)) if part.value == "n" => Some(Type::INT4),
            _ => None,
        },
        Expr::Subquery(query) => of_query(query).into_iter().next().flatten(),
        _ => None,
    }
}

/// What a function returns.
fn of_function(function: &Function, scope: &Scope) -> Option<Type> {
    let of = |expr: &Expr| of(expr, scope);
    let name = sql::last(&function.name)?;
    match name.as_str() {
        "count" | "row_number" | "rank" | "dense_rank" => return Some(Type::INT8),
        "current_schemas" => return Some(Type::NAME_ARRAY),
        // Words of SQL rather than functions of `pg_proc`.
        "current_catalog" | "current_role" | "user" => return Some(Type::NAME),
        "generate_subscripts" | "generate_series" => return Some(Type::INT4),
        _ => {}
    }
    let first = match &function.args {
        FunctionArguments::List(list) => list.args.first().and_then(sql::argument),
        FunctionArguments::Subquery(query) if name == "array" => {
            let element = of_query(query).into_iter().next().flatten();
            return facts::array_of(&element.unwrap_or(Type::TEXT));
        }
        _ => None,
    };
    let found = facts::result_of(&name);
    match found {
        Some(Type::ANYARRAY | Type::ANYCOMPATIBLEARRAY) if name == "array_agg" => {
            facts::array_of(&first.and_then(of).unwrap_or(Type::TEXT))
        }
        Some(found) if !matches!(found.kind(), postgres_types::Kind::Pseudo) => Some(found),
        _ => match name.as_str() {
            "unnest" => match first.and_then(of)?.kind() {
                postgres_types::Kind::Array(element) => Some(element.clone()),
                _ => None,
            },
            "sum" | "avg" => match first.and_then(of)? {
                Type::INT2 | Type::INT4 if name == "sum" => Some(Type::INT8),
                Type::FLOAT4 if name == "sum" => Some(Type::FLOAT4),
                Type::FLOAT4 | Type::FLOAT8 => Some(Type::FLOAT8),
                _ => Some(Type::NUMERIC),
            },
            "coalesce" | "nullif" | "min" | "max" | "greatest" | "least" => first.and_then(of),
            _ => None,
        },
    }
}

/// The type of a column.
fn find(scope: &Scope, table: Option<&Ident>, column: &Ident) -> Option<Type> {
    let (table, column) = (table.map(sql::folded), sql::folded(column));
    let found = scope
        .iter()
        .find(|(of, name, _)| *name == column && table.as_ref().is_none_or(|table| table == of));
    found.and_then(|(.., of)| of.clone())
}

fn is_null(expr: &Expr) -> bool {
    matches!(expr, Expr::Value(value) if value.value == Value::Null)
}

fn of_cast(data_type: &SqlType) -> Option<Type> {
    facts::type_in_sql(&data_type.to_string())
}
