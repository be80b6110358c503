//! Chains of comparisons as lists.
//!
//! `key = 'a' or key = 'b' or …` is a tree as deep as it is long, and `key in ('a', 'b', …)` a flat one that means the same.

use std::ops::ControlFlow;

use sqlparser::ast::{BinaryOperator, Expr, Statement, Value, visit_expressions_mut};

use crate::sql;

/// Makes lists of all chains of equalities in a statement, and `not in` of chains of `<>`.
pub(crate) fn make_lists(statement: &mut Statement) {
    // Inner expressions come first, so the chain before the last comparison has become a list already.
    let _ = visit_expressions_mut(statement, |expr| {
        let Expr::BinaryOp { left, op, right } = expr else {
            return ControlFlow::<()>::Continue(());
        };
        let negated = match op {
            BinaryOperator::Or => false,
            BinaryOperator::And => true,
            _ => return ControlFlow::<()>::Continue(()),
        };
        let joined = join(left, right, negated)
            || match &mut **left {
                // `x or a = 1`, and now `or a = 2`.
                Expr::BinaryOp {
                    op: before,
                    right: last,
                    ..
                } if before == op => join(last, right, negated),
                _ => false,
            };
        if joined {
            *expr = sql::take(left);
        }
        ControlFlow::Continue(())
    });
}

/// Puts the value of the comparison `next` into `list`, a comparison or list of the same column; whether it could.
fn join(list: &mut Expr, next: &mut Expr, negated: bool) -> bool {
    let Some((column, value)) = comparison(next, negated) else {
        return false;
    };
    let joins = match &*list {
        Expr::InList {
            expr,
            list,
            negated: other,
        } => {
            *other == negated
                && **expr == *column
                && list.iter().all(|before| same_kind(before, value))
        }
        other => comparison(other, negated)
            .is_some_and(|(expr, before)| expr == column && same_kind(before, value)),
    };
    if !joins {
        return false;
    }
    let Expr::BinaryOp { right: value, .. } = sql::take(next) else {
        return false;
    };
    match list {
        Expr::InList { list, .. } => list.push(*value),
        comparison => {
            if let Expr::BinaryOp { left, right, .. } = sql::take(comparison) {
                *comparison = Expr::InList {
                    expr: left,
                    list: vec![*right, *value],
                    negated,
                };
            }
        }
    }
    true
}

/// The column and the value of `column = value`, or of `column <> value` if `negated`.
fn comparison(expr: &Expr, negated: bool) -> Option<(&Expr, &Expr)> {
    let wanted = if negated {
        BinaryOperator::NotEq
    } else {
        BinaryOperator::Eq
    };
    match expr {
        Expr::BinaryOp { left, op, right } if *op == wanted => match &**left {
            Expr::Identifier(_) | Expr::CompoundIdentifier(_)
                if matches!(&**right, Expr::Value(_)) =>
            {
                Some((left, right))
            }
            _ => None,
        },
        _ => None,
    }
}

/// Whether two values can be in one list without either becoming another: there all are made values of one type.
fn same_kind(one: &Expr, other: &Expr) -> bool {
    let (Expr::Value(one), Expr::Value(other)) = (one, other) else {
        return false;
    };
    match (&one.value, &other.value) {
        (Value::SingleQuotedString(_), Value::SingleQuotedString(_))
        | (Value::Placeholder(_), Value::Placeholder(_)) => true,
        (Value::Number(one, _), Value::Number(other, _)) => {
            let whole = |digits: &str| digits.bytes().all(|digit| digit.is_ascii_digit());
            whole(one) && whole(other)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use crate::parse;

    #[test]
    fn chains_of_comparisons_with_one_column_become_lists() {
        for (asked, expected) in [
            ("a = 1 or a = 2 or a = 3", "a IN (1, 2, 3)"),
            ("s.a = 'x' or s.a = 'y'", "s.a IN ('x', 'y')"),
            ("a <> 'x' and a <> 'y' and b", "a NOT IN ('x', 'y') AND b"),
            ("a = $1 or a = $2", "a IN ($1, $2)"),
            ("b = 1 or a = 1 or a = 2", "b = 1 OR a IN (1, 2)"),
            ("a = 1 or b = 1 and a = 2", "a = 1 OR b = 1 AND a = 2"),
            ("a in (1, 'x') or a = 3", "a IN (1, 'x') OR a = 3"),
            ("a = 1 or a = 'x'", "a = 1 OR a = 'x'"),
            ("a = 1 or a = 1.5", "a = 1 OR a = 1.5"),
            ("a = 1 and a = 2", "a = 1 AND a = 2"),
            ("a <> 1 or a <> 2", "a <> 1 OR a <> 2"),
            ("a in (1, 2) or a = 3", "a IN (1, 2, 3)"),
            ("a not in (1, 2) or a = 3", "a NOT IN (1, 2) OR a = 3"),
            ("a in (b, 2) or a = 3", "a IN (b, 2) OR a = 3"),
            ("a = 1 or a = null", "a = 1 OR a = NULL"),
            ("f(a) = 1 or f(a) = 2", "f(a) = 1 OR f(a) = 2"),
        ] {
            let query = parse::query(&format!("SELECT 1 WHERE {asked}")).unwrap();
            assert_eq!(query.to_string(), format!("SELECT 1 WHERE {expected}"));
        }
    }
}
