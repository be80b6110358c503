//! What PostgreSQL would call the output columns. The runtime calls `count(*)` just that, PostgreSQL calls it `count`.

use std::collections::HashSet;
use std::ops::ControlFlow;

use sqlparser::ast::{
    AccessExpr, Expr, Query, SelectItem, SelectItemQualifiedWildcardKind, SetExpr, TableFactor,
    TableWithJoins, TrimWhereField, TypedString, WildcardAdditionalOptions, visit_expressions_mut,
};

use crate::catalogue::facts;
use crate::schema::Schema;
use crate::sql;

/// For each output column the name to show, or nothing where the runtime's is right; nothing at all where the columns are not
/// known before the runtime answers.
pub(crate) fn output_names(query: &Query) -> Option<Vec<Option<String>>> {
    let select = sql::first_select(query)?;
    let names = select.projection.iter().map(|item| match item {
        SelectItem::UnnamedExpr(expr) => {
            Some(Some(name(expr).unwrap_or_else(|| "?column?".to_owned())))
        }
        SelectItem::ExprWithAlias { alias, .. } => Some(Some(sql::folded(alias))),
        SelectItem::ExprWithAliases { .. }
        | SelectItem::Wildcard(_)
        | SelectItem::QualifiedWildcard(..) => None,
    });
    names.collect()
}

/// Writes the columns of a `*` out that is not the only item: `SELECT age, * FROM orders`. The runtime takes no output column twice, and
/// [`tell_apart`] can give only those names that it sees.
pub(crate) fn expand(query: &mut Query, schema: &Schema) {
    let ctes: Vec<String> = sql::with_names(query).collect();
    let SetExpr::Select(select) = &mut *query.body else {
        return;
    };
    let [TableWithJoins { relation, joins }] = &select.from[..] else {
        return;
    };
    let TableFactor::Table {
        name, args: None, ..
    } = relation
    else {
        return;
    };
    let named = match sql::parts(name).as_deref() {
        Some([named]) if !ctes.contains(named) => named.clone(),
        Some([schema, named]) if schema == "public" => named.clone(),
        _ => return,
    };
    let table = schema.tables.iter().find(|table| table.name == named);
    let (Some(table), true) = (table, joins.is_empty() && select.projection.len() > 1) else {
        return;
    };
    let called = sql::called(relation).map(|called| vec![called]);
    let is_all = |item: &SelectItem| match item {
        SelectItem::Wildcard(options) => *options == WildcardAdditionalOptions::default(),
        SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(of), options) => {
            *options == WildcardAdditionalOptions::default() && sql::parts(of) == called
        }
        _ => false,
    };
    let items = std::mem::take(&mut select.projection);
    for item in items {
        if is_all(&item) {
            let columns = table.columns.iter().map(|column| sql::ident(column.name()));
            let columns = columns.map(|column| SelectItem::UnnamedExpr(Expr::Identifier(column)));
            select.projection.extend(columns);
        } else {
            select.projection.push(item);
        }
    }
}

/// Gives output columns that are there twice names of their own, which the runtime insists on. What is shown is
/// [`output_names`] of the query as it was.
pub(super) fn tell_apart(query: &mut Query) {
    let SetExpr::Select(select) = &mut *query.body else {
        return;
    };
    let mut seen = HashSet::new();
    for (index, item) in select.projection.iter_mut().enumerate() {
        let (name, expr) = match item {
            SelectItem::UnnamedExpr(expr) => (name_in_runtime(expr), expr.clone()),
            SelectItem::ExprWithAlias { expr, alias } => (sql::folded(alias), expr.clone()),
            _ => continue,
        };
        if !seen.insert(name) {
            let alias = sql::ident(&format!("column_{}", index + 1));
            *item = SelectItem::ExprWithAlias { expr, alias };
        }
    }
}

/// What the runtime calls a column without an alias: casts and a qualifier make no difference.
fn name_in_runtime(expr: &Expr) -> String {
    let mut expr = expr.clone();
    let _ = visit_expressions_mut(&mut expr, |part| {
        while let Expr::Cast { expr, .. } | Expr::Nested(expr) = part {
            *part = sql::take(expr);
        }
        ControlFlow::<()>::Continue(())
    });
    // Words of SQL are functions there.
    let other = || expr.to_string().to_lowercase();
    sql::column(&expr).map_or_else(other, sql::folded)
}

/// What PostgreSQL calls a column without an alias, as its `FigureColname` does it.
pub(crate) fn name(expr: &Expr) -> Option<String> {
    own_name(expr).or_else(|| match expr {
        // By what it is cast to at last, in the catalogue's words.
        Expr::Cast { data_type, .. } | Expr::TypedString(TypedString { data_type, .. }) => {
            let written = data_type.to_string().to_lowercase();
            let of = facts::type_in_sql(written.trim_end_matches("[]"));
            Some(of.map_or(written, |of| of.name().to_owned()))
        }
        Expr::Nested(expr) | Expr::Collate { expr, .. } => name(expr),
        Expr::Case { .. } => Some("case".to_owned()),
        Expr::Interval(_) => Some("interval".to_owned()),
        _ => None,
    })
}

/// The name of a column, a function or a construct, also where it is cast.
fn own_name(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Identifier(_) | Expr::CompoundIdentifier(_) => sql::column(expr).map(sql::folded),
        Expr::Function(function) => sql::last(&function.name),
        Expr::Cast { expr, .. } | Expr::Nested(expr) | Expr::Collate { expr, .. } => own_name(expr),
        Expr::Case { else_result, .. } => else_result.as_deref().and_then(own_name),
        Expr::Exists { .. } => Some("exists".to_owned()),
        Expr::Array(_) => Some("array".to_owned()),
        Expr::Extract { .. } => Some("extract".to_owned()),
        Expr::Substring { shorthand, .. } => {
            Some(if *shorthand { "substr" } else { "substring" }.to_owned())
        }
        Expr::Overlay { .. } => Some("overlay".to_owned()),
        Expr::AtTimeZone { .. } => Some("timezone".to_owned()),
        Expr::Trim { trim_where, .. } => Some(match trim_where {
            Some(TrimWhereField::Leading) => "ltrim".to_owned(),
            Some(TrimWhereField::Trailing) => "rtrim".to_owned(),
            _ => "btrim".to_owned(),
        }),
        Expr::Ceil { .. } => Some("ceil".to_owned()),
        Expr::Floor { .. } => Some("floor".to_owned()),
        Expr::Position { .. } => Some("position".to_owned()),
        Expr::CompoundFieldAccess { root, access_chain } => match access_chain.last() {
            Some(AccessExpr::Dot(Expr::Identifier(part))) => Some(sql::folded(part)),
            _ => own_name(root),
        },
        Expr::Subquery(query) => output_names(query)?.into_iter().next().flatten(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use sqlparser::ast::Statement;

    use super::*;
    use crate::parse;

    #[test]
    fn columns_are_called_as_postgres_calls_them() {
        for (sql, expected) in [
            (
                "select count(*), Key, s.key, 1, 1 + 1 from state s",
                &["count", "key", "key", "?column?", "?column?"][..],
            ),
            (
                "select key::text, '1'::int, upper(key) as \"K\"",
                &["key", "int4", "K"],
            ),
            (
                "select case when true then 1 end, exists (select 1), substr(key, 1), overlay(key placing 'a' from 1)",
                &["case", "exists", "substr", "overlay"],
            ),
            ("select now() union select 1", &["now"]),
        ] {
            let Some(Statement::Query(query)) = parse::statements(sql).unwrap().pop() else {
                panic!("{sql}");
            };
            let names: Vec<String> = output_names(&query)
                .unwrap()
                .into_iter()
                .flatten()
                .collect();
            assert_eq!(names, expected, "{sql}");
        }
        let Some(Statement::Query(query)) =
            parse::statements("select *, 1 from state").unwrap().pop()
        else {
            panic!();
        };
        assert_eq!(output_names(&query), None);
    }
}
