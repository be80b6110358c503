//! A key names its partition key.
//!
//! The runtime orders its state by partition key, a hash of the object's key, but does not see that a filter by `service_key`
//! is one by `partition_key` too: it reads the whole table. So the gateway says it. Over 100,000 rows that is 3 ms instead of
//! 110 ms.

use sqlparser::ast::{BinaryOperator, Expr, Value};
use xxhash_rust::xxh3::xxh3_64;

use super::scope::Scope;
use crate::sql;

/// The table whose rows lie where their key says.
pub(super) const KEYED: &str = "state";

/// The partition key of an object or workflow: the hash of its key as Rust hashes a text, which ends with a byte 0xff.
fn partition_key(key: &str) -> u64 {
    xxh3_64(&[key.as_bytes(), &[0xff]].concat())
}

/// Adds to a filter by `service_key = '…'` one by the partition key that follows from it.
pub(super) fn add_partition_key(selection: &mut Expr, scope: &Scope) {
    let mut found = Vec::new();
    conjuncts(selection, &mut |expr| found.extend(implied(expr, scope)));
    for filter in found {
        let before = std::mem::replace(selection, Expr::Value(Value::Null.into()));
        *selection = Expr::BinaryOp {
            left: Box::new(Expr::Nested(Box::new(before))),
            op: BinaryOperator::And,
            right: Box::new(filter),
        };
    }
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

fn implied(expr: &Expr, scope: &Scope) -> Option<Expr> {
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
    if sql::folded(name) != "service_key" {
        return None;
    }
    let qualifier_name = qualifier.map(sql::folded);
    let mut relations = scope.relations.iter().filter(|relation| {
        relation.has("service_key")
            && qualifier_name
                .as_ref()
                .is_none_or(|name| *name == relation.name)
    });
    let (Some(relation), None) = (relations.next(), relations.next()) else {
        return None;
    };
    if !relation.keyed {
        return None;
    }
    let column = Expr::CompoundIdentifier(vec![
        sql::ident(&relation.name),
        sql::ident("partition_key"),
    ]);
    let hash = Value::Number(partition_key(key).to_string(), false);
    Some(Expr::BinaryOp {
        left: Box::new(column),
        op: BinaryOperator::Eq,
        right: Box::new(Expr::Value(hash.into())),
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_partition_key_is_the_runtimes() {
        // Seen in `state` of Restate 1.7.12.
        assert_eq!(super::partition_key("pizza-1"), 15_363_141_179_342_843_928);
    }
}
