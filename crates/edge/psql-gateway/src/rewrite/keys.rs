//! A key names its partition key.
//!
//! The runtime orders its state by partition key, a hash of the object's key, but does not see that a filter by `service_key`
//! is one by `partition_key` too: it reads the whole table. So the gateway says it. Over 100,000 rows that is 3 ms instead of
//! 110 ms. A filter by a view's column is one by the `service_key` of the state that the view reads, if the column shows nothing else.

use std::ops::ControlFlow;

use sqlparser::ast::{
    BinaryOperator, Distinct, Expr, GroupByExpr, Join, JoinOperator, Query, Select, SelectItem,
    SetExpr, TableFactor, TableWithJoins, Value, WindowType, visit_expressions,
};
use xxhash_rust::xxh3::xxh3_64;

use super::scope::{Keyed, Relation, Scope};
use crate::sql;

/// The table whose rows lie where their key says.
pub(super) const KEYED: &str = "state";
/// Its key.
const KEY: &str = "service_key";

/// The partition key of an object or workflow: the hash of its key as Rust hashes a text, which ends with a byte 0xff.
fn partition_key(key: &str) -> u64 {
    xxh3_64(&[key.as_bytes(), &[0xff]].concat())
}

/// Adds to a filter by a key one by the partition key that follows from it: to `selection` for a table, within the view for a
/// view.
pub(super) fn add_partition_key(selection: &mut Expr, scope: &Scope, from: &mut [TableWithJoins]) {
    let mut found = Vec::new();
    sql::conjuncts(selection, &mut |expr| {
        found.extend(implied(expr, scope));
    });
    for (relation, column, key) in found {
        if relation.keyed == Some(Keyed::State) {
            let column = vec![sql::ident(&relation.name), sql::ident("partition_key")];
            add(selection, Expr::CompoundIdentifier(column), &key);
        } else if let Some(view) = derived(from, &relation.name) {
            narrow(view, &column, &key);
        }
    }
}

/// Adds `column = <partition key>` to a filter.
fn add(selection: &mut Expr, column: Expr, key: &str) {
    let filter = Expr::Nested(Box::new(sql::take(selection)));
    *selection = sql::binary(filter, BinaryOperator::And, is_in_partition(column, key));
}

/// `column = <partition key>`
fn is_in_partition(column: Expr, key: &str) -> Expr {
    let hash = sql::number(partition_key(key).to_string());
    sql::binary(column, BinaryOperator::Eq, hash)
}

/// The query that stands for a view of this name.
fn derived<'a>(from: &'a mut [TableWithJoins], name: &str) -> Option<&'a mut Query> {
    sql::factors_mut(from).find_map(|factor| match factor {
        TableFactor::Derived {
            subquery,
            alias: Some(alias),
            ..
        } if sql::folded(&alias.name) == name => Some(&mut **subquery),
        _ => None,
    })
}

/// Adds the partition key of `key` to the scan of the state that `query` reads, if its column `column` is the state's key: then a
/// filter by this column leaves the same rows before the query is computed as after it.
fn narrow(query: &mut Query, column: &str, key: &str) {
    let SetExpr::Select(select) = &mut *query.body else {
        return;
    };
    let is_limited = query.with.is_some()
        || query.limit_clause.is_some()
        || query.fetch.is_some()
        || matches!(select.distinct, Some(Distinct::On(_)));
    let Some(inner) = source(select, column).filter(|_| !is_limited) else {
        return;
    };
    let is_of_key = |expr: &Expr| sql::column(expr).is_some_and(|name| sql::folded(name) == inner);
    let is_grouped = match &select.group_by {
        GroupByExpr::Expressions(by, modifiers) => {
            modifiers.is_empty() && (by.is_empty() || by.iter().any(is_of_key))
        }
        GroupByExpr::All(_) => false,
    };
    // Window functions over rows of several keys.
    let is_other = |expr: &Expr| match expr {
        Expr::Function(function) if function.over.is_some() => match &function.over {
            Some(WindowType::WindowSpec(window)) if window.partition_by.iter().any(is_of_key) => {
                ControlFlow::Continue(())
            }
            _ => ControlFlow::Break(()),
        },
        _ => ControlFlow::Continue(()),
    };
    let has_other_windows = visit_expressions(&select.projection, is_other).is_break()
        || visit_expressions(&select.qualify, is_other).is_break()
        || visit_expressions(&query.order_by, is_other).is_break();
    let [from] = select.from.as_mut_slice() else {
        return;
    };
    let keeps_left = |join: &Join| {
        matches!(
            join.join_operator,
            JoinOperator::Join(_)
                | JoinOperator::Inner(_)
                | JoinOperator::Left(_)
                | JoinOperator::LeftOuter(_)
                | JoinOperator::CrossJoin(_)
        )
    };
    if !is_grouped || has_other_windows || !from.joins.iter().all(keeps_left) {
        return;
    }
    match &mut from.relation {
        TableFactor::Derived { subquery, .. } => narrow(subquery, &inner, key),
        TableFactor::Table { name, alias, .. }
            if inner == KEY && sql::last(name).as_deref() == Some(KEYED) =>
        {
            let mut column = vec![sql::ident("partition_key")];
            if !from.joins.is_empty() {
                let alias = alias.as_ref().map(|alias| alias.name.clone());
                column.insert(0, alias.unwrap_or_else(|| sql::ident(KEYED)));
            }
            let column = Expr::CompoundIdentifier(column);
            match &mut select.selection {
                Some(selection) => add(selection, column, key),
                None => select.selection = Some(is_in_partition(column, key)),
            }
        }
        _ => {}
    }
}

/// The column of the first relation in the `FROM` that an output column of this name shows unchanged.
fn source(select: &Select, column: &str) -> Option<String> {
    let expr = select.projection.iter().find_map(|item| match item {
        SelectItem::ExprWithAlias { expr, alias } if sql::folded(alias) == column => Some(expr),
        SelectItem::UnnamedExpr(expr) if sql::folded(sql::column(expr)?) == column => Some(expr),
        _ => None,
    })?;
    let first = &select.from.first()?.relation;
    let name = sql::folded(sql::column(expr)?);
    let (alias, offers) = match first {
        TableFactor::Table { alias, .. } => (alias, true),
        TableFactor::Derived {
            subquery, alias, ..
        } => {
            let SetExpr::Select(inner) = &*subquery.body else {
                return None;
            };
            (alias, source(inner, &name).is_some())
        }
        _ => return None,
    };
    if (alias.as_ref()).is_some_and(|alias| !alias.columns.is_empty()) {
        return None;
    }
    let called = sql::called(first);
    let is_first = match expr {
        Expr::CompoundIdentifier(parts) => {
            parts.len() == 2 && called == parts.first().map(sql::folded)
        }
        // With joins it could be a column of another table; a derived table says which columns it has.
        _ => select.from[0].joins.is_empty() || matches!(first, TableFactor::Derived { .. }),
    };
    (is_first && offers).then_some(name)
}

/// The relation and the column that an expression compares with a key, and the key.
fn implied<'a>(expr: &Expr, scope: &'a Scope) -> Option<(&'a Relation, String, String)> {
    let Expr::BinaryOp {
        left,
        op: BinaryOperator::Eq,
        right,
    } = expr
    else {
        return None;
    };
    let ((column, Expr::Value(value)) | (Expr::Value(value), column)) = (&**left, &**right) else {
        return None;
    };
    let Value::SingleQuotedString(key) = &value.value else {
        return None;
    };
    let (qualifier, name) = match column {
        Expr::Identifier(name) => (None, name),
        Expr::CompoundIdentifier(parts) => match parts.as_slice() {
            [qualifier, name] => (Some(qualifier), name),
            _ => return None,
        },
        _ => return None,
    };
    let name = sql::folded(name);
    let qualifier = qualifier.map(sql::folded);
    let mut relations = scope.relations.iter().filter(|relation| {
        relation.has(&name)
            && qualifier
                .as_ref()
                .is_none_or(|qualifier| *qualifier == relation.name)
    });
    let (Some(relation), None) = (relations.next(), relations.next()) else {
        return None;
    };
    let is_keyed = match relation.keyed? {
        Keyed::State => name == KEY,
        Keyed::View => true,
    };
    is_keyed.then(|| (relation, name, key.clone()))
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_partition_key_is_the_runtimes() {
        // Seen in `state` of Restate 1.7.12.
        assert_eq!(super::partition_key("pizza-1"), 15_363_141_179_342_843_928);
    }
}
