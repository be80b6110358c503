//! The types of the columns of a catalogue query: those that the catalogue's columns were declared with, or what an expression
//! can be seen to be.

use std::rc::Rc;

use pgwire::api::Type;
use sqlparser::ast::{
    AccessExpr, BinaryOperator, DataType as SqlType, Expr, Function, FunctionArguments, Ident,
    Query, SelectItem, SetExpr, TableAlias, TableFactor, UnaryOperator, Value,
};

use super::facts;
use crate::rewrite::output_names;
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
struct Scope {
    /// The columns, with their table.
    columns: Vec<(String, String, Option<Type>)>,
    /// Whether these are all.
    all: bool,
    /// The `WITH` queries.
    with: Vec<Rc<(String, Columns)>>,
}

/// What each output column of a query can be seen to be.
pub(crate) fn of_query(query: &Query) -> Vec<Option<Type>> {
    let columns = named(query, &Scope::default()).known.into_iter();
    columns.map(|(_, of)| of).collect()
}

/// The output columns of a query.
fn named(query: &Query, around: &Scope) -> Columns {
    let mut scope = Scope {
        with: around.with.clone(),
        all: true,
        ..Scope::default()
    };
    for cte in query.with.iter().flat_map(|with| &with.cte_tables) {
        let columns = named(&cte.query, &scope).under(&cte.alias);
        let name = sql::folded(&cte.alias.name);
        scope.with.push(Rc::new((name, columns)));
    }
    let mut body = &*query.body;
    let select = loop {
        match body {
            SetExpr::Select(select) => break select,
            SetExpr::SetOperation { left, .. } => body = left,
            SetExpr::Query(query) => return named(query, &scope),
            _ => return Columns::default(),
        }
    };
    for table in &select.from {
        let joined = table.joins.iter().map(|join| &join.relation);
        for factor in std::iter::once(&table.relation).chain(joined) {
            scope.offer(factor);
        }
    }
    let names = output_names(query).unwrap_or_default();
    let mut columns = Columns::default();
    for (index, item) in select.projection.iter().enumerate() {
        match item {
            SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => {
                let name = match item {
                    SelectItem::ExprWithAlias { alias, .. } => Some(sql::folded(alias)),
                    _ => names.get(index).cloned().flatten(),
                };
                let column = (name.unwrap_or_default(), of(expr, &scope));
                columns.known.push(column);
            }
            SelectItem::Wildcard(_) if scope.all && select.from.len() == 1 => {
                let all = scope.columns.iter();
                let all = all.map(|(_, name, of)| (name.clone(), of.clone()));
                columns.known.extend(all);
            }
            // How many columns there are is not known.
            _ => return columns,
        }
    }
    columns.all = true;
    columns
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

impl Scope {
    /// Adds the columns of a table.
    fn offer(&mut self, factor: &TableFactor) {
        let (columns, alias) = match factor {
            TableFactor::Table { name, alias, .. } => {
                let called = sql::last(name).unwrap_or_default();
                let with = self.with.iter().rfind(|with| with.0 == called);
                let facts = facts::columns_of(&called);
                let columns = match with {
                    Some(with) if name.0.len() == 1 => with.1.clone(),
                    _ if called == "generate_series" => Columns {
                        known: vec![(
                            (alias.as_ref()).map_or(called, |alias| sql::folded(&alias.name)),
                            Some(Type::INT4),
                        )],
                        all: true,
                    },
                    _ => Columns {
                        known: (facts.iter())
                            .map(|(name, of)| ((*name).to_owned(), of.clone()))
                            .collect(),
                        all: !facts.is_empty(),
                    },
                };
                (columns, alias)
            }
            TableFactor::Derived {
                subquery, alias, ..
            } => (named(subquery, self), alias),
            TableFactor::UNNEST {
                array_exprs, alias, ..
            } => {
                let array = array_exprs.first().and_then(|array| of(array, self));
                let element = array.and_then(|array| match array.kind() {
                    postgres_types::Kind::Array(element) => Some(element.clone()),
                    _ => None,
                });
                let named = |alias: &TableAlias| sql::folded(&alias.name);
                let name = alias.as_ref().map_or_else(|| "unnest".to_owned(), named);
                let known = vec![(name, element)];
                (Columns { known, all: true }, alias)
            }
            _ => (Columns::default(), &None),
        };
        let called = match (alias, factor) {
            (Some(alias), _) => sql::folded(&alias.name),
            (None, TableFactor::Table { name, .. }) => sql::last(name).unwrap_or_default(),
            _ => String::new(),
        };
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
        Expr::Subquery(query) => first_of(query, scope),
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
            let element = first_of(query, scope);
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
            "array_remove" | "coalesce" | "nullif" | "min" | "max" | "greatest" | "least" => {
                first.and_then(of)
            }
            _ => None,
        },
    }
}

/// The type of the first column.
fn first_of(query: &Query, around: &Scope) -> Option<Type> {
    named(query, around).known.into_iter().next()?.1
}

/// The type of a column.
fn find(scope: &Scope, table: Option<&Ident>, column: &Ident) -> Option<Type> {
    let (table, column) = (table.map(sql::folded), sql::folded(column));
    let mut columns = scope.columns.iter();
    let found = columns
        .find(|(of, name, _)| *name == column && table.as_ref().is_none_or(|table| table == of));
    found.and_then(|(.., of)| of.clone())
}

fn is_null(expr: &Expr) -> bool {
    matches!(expr, Expr::Value(value) if value.value == Value::Null)
}

fn of_cast(data_type: &SqlType) -> Option<Type> {
    facts::type_in_sql(&data_type.to_string())
}
