//! The types of the columns of a catalogue query: those that the catalogue's columns were declared with, or what an expression
//! can be seen to be.

use sqlparser::ast::{
    BinaryOperator, DataType as SqlType, Expr, Query, SelectItem, SetExpr, UnaryOperator, Value,
};

use super::functions;
use super::kind::Kind;
use crate::sql;

/// What each output column of a query can be seen to be.
pub(super) fn of_query(query: &Query) -> Vec<Option<Kind>> {
    let mut body = &*query.body;
    loop {
        match body {
            SetExpr::Select(select) => {
                return select
                    .projection
                    .iter()
                    .map(|item| match item {
                        SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => {
                            of(expr)
                        }
                        _ => None,
                    })
                    .collect();
            }
            SetExpr::SetOperation { left, .. } => body = left,
            SetExpr::Query(query) => body = &query.body,
            _ => return Vec::new(),
        }
    }
}

fn of(expr: &Expr) -> Option<Kind> {
    match expr {
        Expr::Value(value) => match &value.value {
            Value::Number(text, _) if text.parse::<i32>().is_ok() => Some(Kind::Int4),
            Value::Number(..) => Some(Kind::Int8),
            Value::Boolean(_) => Some(Kind::Bool),
            _ => Some(Kind::Text),
        },
        Expr::IsNull(_)
        | Expr::IsNotNull(_)
        | Expr::IsTrue(_)
        | Expr::IsFalse(_)
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
        } => Some(Kind::Bool),
        Expr::UnaryOp { expr, .. } | Expr::Nested(expr) => of(expr),
        Expr::BinaryOp { left, op, .. } => match op {
            BinaryOperator::StringConcat => Some(Kind::Text),
            BinaryOperator::Plus
            | BinaryOperator::Minus
            | BinaryOperator::Multiply
            | BinaryOperator::Divide => of(left),
            _ => Some(Kind::Bool),
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
                .chain(else_result.as_deref());
            results.find_map(of)
        }
        Expr::Function(function) => functions::kind(&sql::last(&function.name)?),
        _ => None,
    }
}

fn of_cast(data_type: &SqlType) -> Option<Kind> {
    Some(match data_type {
        SqlType::Boolean | SqlType::Bool => Kind::Bool,
        SqlType::SmallInt(_) | SqlType::Int2(_) => Kind::Int2,
        SqlType::Int(_) | SqlType::Integer(_) | SqlType::Int4(_) => Kind::Int4,
        SqlType::BigInt(_) | SqlType::Int8(_) => Kind::Int8,
        SqlType::Custom(name, _) => match sql::last(name)?.as_str() {
            "oid" => Kind::Oid,
            "int4" => Kind::Int4,
            "int8" => Kind::Int8,
            "int2" => Kind::Int2,
            "bool" => Kind::Bool,
            _ => Kind::Text,
        },
        _ => Kind::Text,
    })
}
