//! From PostgreSQL's dialect to SQLite's, in the syntax tree.

use std::ops::ControlFlow;
use std::sync::Arc;

use sqlparser::ast::{
    AccessExpr, BinaryOperator, DataType, Expr, Function, FunctionArg, FunctionArgExpr,
    FunctionArguments, Ident, Query, SelectItem, SetExpr, Subscript, TableFactor, TrimWhereField,
    UnaryOperator, Value, VisitMut, VisitorMut,
};

use crate::error::{Error, Result};
use crate::parse;
use crate::rewrite;
use crate::session::Session;
use crate::sql::{self, call, literal, text};

/// Puts a query of the catalogue into SQLite's dialect.
pub(super) fn translate(query: &mut Query, session: &Arc<Session>) -> Result<()> {
    let mut translator = Translator {
        about: session.about(),
        session,
    };
    sql::walked(query.visit(&mut translator))
}

struct Translator<'a> {
    about: rewrite::Session,
    session: &'a Arc<Session>,
}

impl VisitorMut for Translator<'_> {
    type Break = Error;

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<Error> {
        query.locks.clear();
        ControlFlow::Continue(())
    }

    /// `unnest(array) x` as `(SELECT value AS x FROM json_each(…)) AS x`.
    fn post_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<Error> {
        let TableFactor::Table {
            name,
            alias,
            args: Some(arguments),
            ..
        } = factor
        else {
            return ControlFlow::Continue(());
        };
        if sql::last(name).as_deref() == Some("unnest")
            && let [array] = arguments.args.as_slice()
            && let Some(array) = sql::argument(array)
        {
            let mut alias = alias.take();
            let column = alias
                .as_mut()
                .and_then(|alias| alias.columns.drain(..).next());
            let called = match (column, &alias) {
                (Some(column), _) => column.name,
                (None, Some(alias)) => alias.name.clone(),
                (None, None) => sql::ident("unnest"),
            };
            match elements(array.clone(), called) {
                Ok(query) => {
                    *factor = TableFactor::Derived {
                        lateral: false,
                        subquery: Box::new(query),
                        alias,
                        sample: None,
                    };
                }
                Err(error) => return ControlFlow::Break(error),
            }
        }
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Error> {
        let translated = match expr {
            Expr::Function(function) => match self.function(function) {
                Ok(translated) => translated,
                Err(error) => return ControlFlow::Break(error),
            },
            Expr::Cast {
                expr, data_type, ..
            } => cast(expr, data_type),
            Expr::BinaryOp { left, op, right } => operator(left, op, right),
            Expr::Like {
                negated,
                expr,
                pattern,
                ..
            } => Some(like(expr, pattern, false, *negated)),
            Expr::ILike {
                negated,
                expr,
                pattern,
                ..
            } => Some(like(expr, pattern, true, *negated)),
            Expr::Collate { expr, .. } => Some((**expr).clone()),
            Expr::AnyOp {
                left,
                compare_op: BinaryOperator::Eq,
                right,
                ..
            } => Some(any(left, right)),
            Expr::AllOp {
                left,
                compare_op: BinaryOperator::NotEq,
                right,
            } => Some(not(any(left, right))),
            Expr::Array(array) => Some(call("pg_array", array.elem.clone())),
            Expr::CompoundFieldAccess { root, access_chain } => match access_chain.as_slice() {
                [AccessExpr::Subscript(Subscript::Index { index })] => {
                    Some(call("pg_element", [(**root).clone(), index.clone()]))
                }
                _ => None,
            },
            Expr::Trim {
                expr,
                trim_where,
                trim_what,
                trim_characters,
            } => {
                let function = match trim_where {
                    Some(TrimWhereField::Leading) => "ltrim",
                    Some(TrimWhereField::Trailing) => "rtrim",
                    Some(TrimWhereField::Both) | None => "trim",
                };
                let what = trim_what.iter().map(|what| (**what).clone());
                let what = what.chain(trim_characters.iter().flatten().cloned());
                let arguments = std::iter::once((**expr).clone()).chain(what);
                Some(call(function, arguments))
            }
            Expr::Substring {
                expr,
                substring_from: Some(from),
                substring_for,
                ..
            } => {
                let length = substring_for.iter().map(|length| (**length).clone());
                let given = [(**expr).clone(), (**from).clone()];
                Some(call("substr", given.into_iter().chain(length)))
            }
            _ => None,
        };
        if let Some(translated) = translated {
            *expr = translated;
        }
        ControlFlow::Continue(())
    }
}

impl Translator<'_> {
    fn function(&self, function: &mut Function) -> Result<Option<Expr>> {
        let parts = sql::parts(&function.name).unwrap_or_default();
        if parts.len() > 1 {
            function.name.0.drain(..parts.len() - 1);
        }
        let name = parts.last().map(String::as_str).unwrap_or_default();
        let arguments: Vec<&Expr> = match &function.args {
            FunctionArguments::None => Vec::new(),
            FunctionArguments::Subquery(query) => {
                return Ok((name == "array").then(|| collected(query)).flatten());
            }
            FunctionArguments::List(list) => list.args.iter().filter_map(sql::argument).collect(),
        };
        let constant = |text: String| Some(literal(Value::SingleQuotedString(text)));
        match (name, arguments.as_slice()) {
            (_, []) => Ok(self.about.value(name).map(literal)),
            ("current_schemas", _) => Ok(constant("{pg_catalog,public}".to_owned())),
            ("current_setting", [setting, rest @ ..]) => {
                let Some(setting) = text(setting) else {
                    return Ok(None);
                };
                match self.session.setting(setting) {
                    Ok(value) => Ok(constant(value)),
                    // `current_setting(name, true)`: nothing where there is none.
                    Err(_) if !rest.is_empty() => Ok(Some(literal(Value::Null))),
                    Err(error) => Err(error),
                }
            }
            ("set_config", [setting, value, ..]) => {
                if let (Some(setting), Some(value)) = (text(setting), text(value)) {
                    self.session.set(setting, value)?;
                    return Ok(constant(self.session.setting(setting)?));
                }
                Ok(None)
            }
            _ => Ok(None),
        }
    }
}

/// The elements of an array as rows of one column.
fn elements(array: Expr, called: Ident) -> Result<Query> {
    let mut query = parse::query("SELECT value FROM json_each(0)")?;
    if let SetExpr::Select(select) = &mut *query.body {
        select.projection = vec![SelectItem::ExprWithAlias {
            expr: Expr::Identifier(sql::ident("value")),
            alias: called,
        }];
        if let TableFactor::Table {
            args: Some(arguments),
            ..
        } = &mut select.from[0].relation
        {
            let json = call("pg_array_json", [array]);
            arguments.args = vec![FunctionArg::Unnamed(FunctionArgExpr::Expr(json))];
        }
    }
    Ok(query)
}

/// `ARRAY(SELECT x …)` as `(SELECT pg_array_agg(x) FROM (SELECT x …))`.
fn collected(query: &Query) -> Option<Expr> {
    let mut query = query.clone();
    let SetExpr::Select(select) = &mut *query.body else {
        return None;
    };
    if let Some(SelectItem::UnnamedExpr(expr)) = select.projection.first() {
        select.projection[0] = SelectItem::ExprWithAlias {
            expr: expr.clone(),
            alias: sql::ident("element"),
        };
    }
    let mut outer =
        parse::query("SELECT pg_array_agg(element) FROM (SELECT 1) AS elements").ok()?;
    if let SetExpr::Select(select) = &mut *outer.body
        && let TableFactor::Derived { subquery, .. } = &mut select.from[0].relation
    {
        **subquery = query;
    }
    Some(Expr::Subquery(Box::new(outer)))
}

fn cast(expr: &Expr, data_type: &DataType) -> Option<Expr> {
    let name = match data_type {
        DataType::Custom(name, _) => sql::last(name)?,
        DataType::Regclass => "regclass".to_owned(),
        other => other.to_string().to_lowercase(),
    };
    let is_text = text(expr).is_some();
    let to = |data_type| Some(sql::cast(expr.clone(), data_type));
    let name = name.split('(').next().unwrap_or(&name);
    match name {
        "regclass" if is_text => Some(call("pg_regclass_oid", [expr.clone()])),
        "regclass" => Some(call("pg_regclass_name", [expr.clone()])),
        "regtype" if is_text => Some(call("pg_regtype_oid", [expr.clone()])),
        "regtype" => Some(call("pg_regtype_name", [expr.clone()])),
        "oid" | "int2" | "int4" | "int8" | "int" | "integer" | "bigint" | "smallint" | "xid" => {
            to(DataType::Integer(None))
        }
        "text" | "name" | "varchar" | "character varying" | "bpchar" | "char" => to(DataType::Text),
        // The rest are texts already, or NULL.
        _ => Some(expr.clone()),
    }
}

fn operator(left: &Expr, op: &BinaryOperator, right: &Expr) -> Option<Expr> {
    let name = match op {
        BinaryOperator::PGRegexMatch => "~",
        BinaryOperator::PGRegexIMatch => "~*",
        BinaryOperator::PGRegexNotMatch => "!~",
        BinaryOperator::PGRegexNotIMatch => "!~*",
        BinaryOperator::PGLikeMatch => "~~",
        BinaryOperator::PGILikeMatch => "~~*",
        BinaryOperator::PGNotLikeMatch => "!~~",
        BinaryOperator::PGNotILikeMatch => "!~~*",
        BinaryOperator::PGCustomBinaryOperator(parts) => parts.last()?,
        _ => return None,
    };
    let compared = |op| {
        // `OPERATOR(…)` binds otherwise than the operator itself.
        Some(Expr::Nested(Box::new(Expr::BinaryOp {
            left: Box::new(left.clone()),
            op,
            right: Box::new(right.clone()),
        })))
    };
    let function = match name.trim_start_matches('!').trim_end_matches('*') {
        "~" => "pg_regex",
        "~~" => "pg_like",
        "=" => return compared(BinaryOperator::Eq),
        "<>" => return compared(BinaryOperator::NotEq),
        _ => return None,
    };
    let any_case = literal(Value::Boolean(name.ends_with('*')));
    let matched = call(function, [left.clone(), right.clone(), any_case]);
    Some(if name.starts_with('!') {
        not(matched)
    } else {
        matched
    })
}

fn like(expr: &Expr, pattern: &Expr, any_case: bool, negated: bool) -> Expr {
    let any_case = literal(Value::Boolean(any_case));
    let matched = call("pg_like", [expr.clone(), pattern.clone(), any_case]);
    if negated { not(matched) } else { matched }
}

fn any(left: &Expr, right: &Expr) -> Expr {
    match right {
        Expr::Subquery(query) => Expr::InSubquery {
            expr: Box::new(left.clone()),
            subquery: query.clone(),
            negated: false,
        },
        Expr::Nested(inner) => any(left, inner),
        other => call("pg_any_equal", [left.clone(), other.clone()]),
    }
}

fn not(expr: Expr) -> Expr {
    Expr::Nested(Box::new(Expr::UnaryOp {
        op: UnaryOperator::Not,
        expr: Box::new(expr),
    }))
}
