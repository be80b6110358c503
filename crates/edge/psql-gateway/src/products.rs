//! How many tables a query may multiply with each other.
//!
//! A join that no equality holds together makes as many rows as its tables have, multiplied. The runtime makes them on a thread that
//! its partitions need, and goes on when nobody waits any more: `select count(*) from state a, state b, state c, state d` stopped
//! Restate 1.7.12 for 80 s with 337 rows of state. So two tables may be multiplied, and no more.

use std::collections::HashMap;
use std::ops::ControlFlow;

use sqlparser::ast::{
    BinaryOperator, Expr, JoinConstraint, Query, Select, SetExpr, TableFactor, TableWithJoins,
    Visit, Visitor,
};

use crate::error::{Error, Result};
use crate::sql::{self, join_constraint};
use crate::with_queries::WithQueries;

/// The most tables of which every row may meet every row of the others.
const MULTIPLIED: usize = 2;

/// Refuses a query that multiplies more tables.
pub(crate) fn check(query: &Query) -> Result<()> {
    sql::walked(query.visit(&mut Products::default()))
}

/// What is known of a query while it is walked through.
#[derive(Default)]
struct Level {
    /// The most tables that one `SELECT` of it multiplies.
    tables: usize,
    /// How many expressions were around it.
    expressions: usize,
}

/// The tables of a `SELECT`, those of the queries that it reads included, and the equalities that hold them together.
struct Joined {
    tables: usize,
    links: usize,
}

#[derive(Default)]
struct Products {
    levels: Vec<Level>,
    selects: Vec<Joined>,
    /// The number of tables that each visible `WITH` query multiplies.
    named: WithQueries<usize>,
    /// How many expressions are around this place.
    expressions: usize,
}

impl Visitor for Products {
    type Break = Error;

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<Error> {
        self.named.enter(query);
        // A list of rows is a table too.
        let is_table = matches!(&*query.body, SetExpr::Values(values) if values.rows.len() > 1);
        self.levels.push(Level {
            tables: usize::from(is_table),
            expressions: self.expressions,
        });
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &Query) -> ControlFlow<Error> {
        if let Some(level) = self.levels.pop() {
            let around = self.levels.last().map_or(0, |around| around.expressions);
            if !self.named.leave(level.tables)
                && level.expressions == around
                && let Some(select) = self.selects.last_mut()
            {
                select.tables += level.tables;
            }
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<Error> {
        let mut links = Links::default();
        for tables in &select.from {
            links.join(tables);
        }
        if let Some(condition) = &select.selection {
            links.condition(condition);
        }
        self.selects.push(Joined {
            tables: 0,
            links: links.count,
        });
        ControlFlow::Continue(())
    }

    fn post_visit_select(&mut self, _: &Select) -> ControlFlow<Error> {
        let Some(Joined { tables, links }) = self.selects.pop() else {
            return ControlFlow::Continue(());
        };
        let multiplied = tables.saturating_sub(links).max(tables.min(1));
        if multiplied > MULTIPLIED {
            let message = format!(
                "statement too large: every row of {multiplied} tables would meet every row of the others"
            );
            return ControlFlow::Break(Error::new("54000", message).hint(
                "Join the tables by what is equal in them: FROM a JOIN b ON a.key = b.key.",
            ));
        }
        if let Some(level) = self.levels.last_mut() {
            level.tables = level.tables.max(multiplied);
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<Error> {
        if let TableFactor::Table { name, .. } = factor {
            let tables = self.named.find(name).copied().unwrap_or(1);
            if let Some(select) = self.selects.last_mut() {
                select.tables += tables;
            }
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, _: &Expr) -> ControlFlow<Error> {
        self.expressions += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, _: &Expr) -> ControlFlow<Error> {
        self.expressions -= 1;
        ControlFlow::Continue(())
    }
}

/// Equalities of columns, each of which holds two tables together that nothing before it did.
#[derive(Default)]
struct Links {
    count: usize,
    /// Table → another one that it is held together with.
    linked: HashMap<String, String>,
}

impl Links {
    fn join(&mut self, tables: &TableWithJoins) {
        self.nested(&tables.relation);
        for join in &tables.joins {
            self.nested(&join.relation);
            match join_constraint!(&join.join_operator) {
                Some(JoinConstraint::On(condition)) => self.condition(condition),
                Some(JoinConstraint::Using(_) | JoinConstraint::Natural) => self.count += 1,
                Some(JoinConstraint::None) | None => {}
            }
        }
    }

    fn nested(&mut self, factor: &TableFactor) {
        if let TableFactor::NestedJoin {
            table_with_joins, ..
        } = factor
        {
            self.join(table_with_joins);
        }
    }

    fn condition(&mut self, condition: &Expr) {
        sql::conjuncts(condition, &mut |condition| {
            if let Expr::BinaryOp {
                left,
                op: BinaryOperator::Eq,
                right,
            } = condition
            {
                self.equality(left, right);
            }
        });
    }

    fn equality(&mut self, left: &Expr, right: &Expr) {
        let (Some(left), Some(right)) = (Column::of(left), Column::of(right)) else {
            return;
        };
        let (Column::Of(left), Column::Of(right)) = (left, right) else {
            // Which tables these are of is not known here; they are of two, or the query is a strange one.
            self.count += 1;
            return;
        };
        let (left, right) = (self.root(left), self.root(right));
        if left != right {
            self.linked.insert(left, right);
            self.count += 1;
        }
    }

    fn root(&self, mut table: String) -> String {
        while let Some(next) = self.linked.get(&table) {
            table.clone_from(next);
        }
        table
    }
}

/// A column in a condition, and the table that it names.
enum Column {
    Of(String),
    OfAny,
}

impl Column {
    /// The column that an expression is made of, if it is one.
    fn of(expr: &Expr) -> Option<Self> {
        match expr {
            Expr::Nested(inner) | Expr::Cast { expr: inner, .. } => Self::of(inner),
            Expr::CompoundIdentifier(parts) => {
                let table = parts.len().checked_sub(2).and_then(|at| parts.get(at));
                table.map(|table| Self::Of(sql::folded(table)))
            }
            // Or what a function makes of one, such as `lower(a.key)`.
            Expr::Identifier(_) | Expr::Function(_) => Some(Self::OfAny),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse;

    fn refused(asked: &str) -> bool {
        match check(&parse::query(asked).unwrap()) {
            Ok(()) => false,
            Err(error) => {
                assert_eq!(error.code, "54000", "{asked}");
                true
            }
        }
    }

    #[test]
    fn more_than_two_tables_are_not_multiplied() {
        for asked in [
            "select count(*) from state a, state b, state c, state d",
            "select count(*) from state a cross join state b cross join state c",
            "select 1 from state a join state b on true join state c on 1 = 1",
            "select 1 from state a join state b on a.key < b.key join state c on b.key > c.key",
            "select 1 from a, b, c, d where a.x = b.x and a.y = b.y and b.x = a.x",
            "select 1 from (select 1 from a, b) x, c",
            "with x as (select 1 from a, b) select 1 from x, x as y",
            "select 1 where exists (select 1 from a, b, c)",
            "select 1 from (a cross join b) cross join c",
            "select 1 union all select 1 from a, b, c",
            "select 1 from a, b, c where a.x = 1 and b.x = 1 and c.x = 1",
            "select 1 from a, (values (1), (2)) b, (values (1), (2)) c",
        ] {
            assert!(refused(asked), "{asked}");
        }
    }

    #[test]
    fn joins_that_something_holds_together_are_left_alone() {
        for asked in [
            "select 1",
            "select count(*) from state a, state b",
            "select 1 from a, b, c, d where a.x = b.x and b.y = c.y and d.z = a.z",
            "select 1 from a join b on a.x = b.x join c on c.y = b.y left join d using (z)",
            "select 1 from a natural join b natural join c",
            "select 1 from a, b, c where x = y and v = w",
            "select 1 from a join b on lower(a.x) = b.x join c on (c.x::text = b.x and c.y > 1)",
            "select 1 from a, (select count(*) from b) n",
            "select (select 1 from a limit 1), (select 2 from b limit 1), (select 3 from c limit 1) from d",
            "with x as (select 1 from a) select 1 from x, x as y",
            "select 1 from a union all select 1 from b union all select 1 from c",
            "select 1 from (a join b on a.x = b.x) join c on c.x = a.x",
            "select 1 from a, (values (1), (2)) b (x), (values (1)) c where a.x = b.x",
        ] {
            assert!(!refused(asked), "{asked}");
        }
    }
}
