//! `WITH RECURSIVE`. The runtime sets no limit to the rows of a step, so a step may not have more rows than the one before.

use std::ops::ControlFlow;

use sqlparser::ast::{
    Cte, Expr, ObjectName, SelectItem, SetExpr, TableFactor, VisitMut, VisitorMut,
};

use crate::error::{Error, Result};
use crate::sql;

/// Refuses a query that reads more than itself in the part that is repeated. The runtime takes the names of its columns from the
/// first part, so they are put there.
pub(super) fn check(cte: &mut Cte) -> Result<()> {
    let name = sql::folded(&cte.alias.name);
    let columns = cte.alias.columns.iter().map(|column| column.name.clone());
    let columns: Vec<_> = columns.collect();
    let SetExpr::SetOperation { left, right, .. } = &mut *cte.query.body else {
        return Ok(());
    };
    let mut read = Read {
        name: &name,
        itself: false,
        tables: 0,
    };
    let _ = right.visit(&mut read);
    if !read.itself {
        return Ok(());
    }
    if read.tables > 1 {
        let message = format!(
            "the recursive part of \"{name}\" reads more than \"{name}\", so it could grow without limit"
        );
        return Err(Error::new("54000", message)
            .hint("A recursive part may read only its own query, once, and not use unnest."));
    }
    if let SetExpr::Select(select) = &mut **left {
        for (item, alias) in select.projection.iter_mut().zip(columns) {
            if let Some(expr) = sql::output_mut(item).map(sql::take) {
                *item = SelectItem::ExprWithAlias { expr, alias };
            }
        }
    }
    Ok(())
}

/// What a recursive part reads.
struct Read<'a> {
    name: &'a str,
    itself: bool,
    /// How many tables, and functions that return more than one row.
    tables: usize,
}

impl VisitorMut for Read<'_> {
    type Break = ();

    fn pre_visit_relation(&mut self, name: &mut ObjectName) -> ControlFlow<()> {
        self.itself |= sql::last(name).as_deref() == Some(self.name);
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, _: &mut TableFactor) -> ControlFlow<()> {
        self.tables += 1;
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if let Expr::Function(function) = expr
            && sql::last(&function.name).as_deref() == Some("unnest")
        {
            self.tables += 1;
        }
        ControlFlow::Continue(())
    }
}
