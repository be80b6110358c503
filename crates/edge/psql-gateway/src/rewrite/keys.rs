//! A key names its partition key.
//!
//! The runtime orders its state by partition key, a hash of the object's key, but does not see that a filter by `service_key`
//! is one by `partition_key` too: it reads the whole table. So the gateway says it. Over 100,000 rows that is 3 ms instead of
//! 110 ms. A filter by a view's `id` is one by the `service_key` of the state that the view reads.

use std::ops::ControlFlow;

use sqlparser::ast::{
    BinaryOperator, Expr, Query, Select, SelectItem, SetExpr, TableFactor, TableWithJoins, Value,
    VisitMut, VisitorMut,
};
use xxhash_rust::xxh3::xxh3_64;

use super::scope::{Relation, Scope};
use crate::sql;

/// The table whose rows lie where their key says.
pub(super) const KEYED: &str = "state";
/// Its key.
pub(super) const KEY: &str = "service_key";
/// What views call it.
pub(super) const VIEW_KEY: &str = "id";

/// The partition key of an object or workflow: the hash of its key as Rust hashes a text, which ends with a byte 0xff.
fn partition_key(key: &str) -> u64 {
    xxh3_64(&[key.as_bytes(), &[0xff]].concat())
}

/// Adds to a filter by a key one by the partition key that follows from it: to `selection` for a table, within the view for a
/// view.
pub(super) fn add_partition_key(selection: &mut Expr, scope: &Scope, from: &mut [TableWithJoins]) {
    let mut found = Vec::new();
    conjuncts(selection, &mut |expr| {
        found.extend(implied(expr, scope));
    });
    for (relation, key) in found {
        if relation.key == Some(KEY) {
            let column = vec![sql::ident(&relation.name), sql::ident("partition_key")];
            add(selection, Expr::CompoundIdentifier(column), &key);
        } else if let Some(view) = derived(from, &relation.name) {
            let _ = view.visit(&mut Scans(&key));
        }
    }
}

/// Adds `column = <partition key>` to a filter.
fn add(selection: &mut Expr, column: Expr, key: &str) {
    let hash = Value::Number(partition_key(key).to_string(), false);
    *selection = Expr::BinaryOp {
        left: Box::new(Expr::Nested(Box::new(sql::take(selection)))),
        op: BinaryOperator::And,
        right: Box::new(Expr::BinaryOp {
            left: Box::new(column),
            op: BinaryOperator::Eq,
            right: Box::new(sql::literal(hash)),
        }),
    };
}

/// The query that stands for a view of this name.
fn derived<'a>(from: &'a mut [TableWithJoins], name: &str) -> Option<&'a mut Query> {
    from.iter_mut()
        .flat_map(|table| {
            let joined = table.joins.iter_mut().map(|join| &mut join.relation);
            std::iter::once(&mut table.relation).chain(joined)
        })
        .find_map(|factor| match factor {
            TableFactor::Derived {
                subquery,
                alias: Some(alias),
                ..
            } if sql::folded(&alias.name) == name => Some(&mut **subquery),
            _ => None,
        })
}

/// Adds the partition key of this key to every scan of the state whose rows are told apart by it.
struct Scans<'a>(&'a str);

impl VisitorMut for Scans<'_> {
    type Break = ();

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        if let SetExpr::Select(select) = &mut *query.body
            && is_keyed_scan(select)
            && let Some(selection) = &mut select.selection
        {
            let column = Expr::Identifier(sql::ident("partition_key"));
            add(selection, column, self.0);
        }
        ControlFlow::Continue(())
    }
}

/// Whether it is `SELECT service_key AS id, … FROM state`.
fn is_keyed_scan(select: &Select) -> bool {
    let [from] = select.from.as_slice() else {
        return false;
    };
    let is_state = matches!(&from.relation, TableFactor::Table { name, .. }
        if sql::parts(name).is_some_and(|parts| parts == [KEYED]));
    let names_key = select.projection.iter().any(|item| {
        matches!(item, SelectItem::ExprWithAlias { expr: Expr::Identifier(column), alias }
            if sql::folded(column) == KEY && sql::folded(alias) == VIEW_KEY)
    });
    is_state && names_key && from.joins.is_empty()
}

fn conjuncts(expr: &Expr, look: &mut impl FnMut(&Expr)) {
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

/// The relation whose key an expression says, and the key.
fn implied<'a>(expr: &Expr, scope: &'a Scope) -> Option<(&'a Relation, String)> {
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
    (relation.key == Some(name.as_str())).then(|| (relation, key.clone()))
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_partition_key_is_the_runtimes() {
        // Seen in `state` of Restate 1.7.12.
        assert_eq!(super::partition_key("pizza-1"), 15_363_141_179_342_843_928);
    }
}
