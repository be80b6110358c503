//! Whether a query concerns the catalogue, the runtime or both.

use std::ops::ControlFlow;

use sqlparser::ast::{Expr, ObjectName, Query, TableFactor, Visit, Visitor};

use super::answers::is_ours;
use crate::sql;

/// Who answers a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Concerns {
    Catalogue,
    Runtime,
    /// First the catalogue, of which it may read tables or only call functions, and then the runtime.
    Both {
        tables: bool,
    },
}

/// Who answers a query.
pub(crate) fn concerns(query: &Query) -> Concerns {
    let mut seen = Seen::default();
    let _ = query.visit(&mut seen);
    let of_runtime = seen.others.iter().any(|name| !seen.ctes.contains(name));
    match (seen.tables, seen.functions, of_runtime) {
        (false, false, _) => Concerns::Runtime,
        (tables, _, true) => Concerns::Both { tables },
        (.., false) => Concerns::Catalogue,
    }
}

/// What a query mentions.
#[derive(Default)]
struct Seen {
    tables: bool,
    others: Vec<String>,
    ctes: Vec<String>,
    functions: bool,
    /// The function in a `FROM` that is visited next.
    called: Option<ObjectName>,
}

impl Visitor for Seen {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        self.ctes.extend(sql::with_names(query));
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
        if let TableFactor::Table {
            name,
            args: Some(_),
            ..
        } = factor
        {
            self.called = Some(name.clone());
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_relation(&mut self, name: &ObjectName) -> ControlFlow<()> {
        let ours = is_catalogue(name);
        if self.called.take().is_some_and(|called| called == *name) && !ours {
            // A function in a `FROM`.
        } else if ours {
            self.tables = true;
        } else {
            self.others.push(sql::last(name).unwrap_or_default());
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        match expr {
            Expr::Function(function) => {
                let name = sql::last(&function.name);
                self.functions |= name.is_some_and(|name| is_ours(&name));
            }
            Expr::Cast { data_type, .. } => {
                let name = data_type.to_string().to_lowercase();
                let name = name.rsplit('.').next().unwrap_or_default();
                self.functions |= name.starts_with("reg") || name == "oid" || name == "name";
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

/// Whether a table of this name is one of the catalogue.
pub(super) fn is_catalogue(name: &ObjectName) -> bool {
    match sql::parts(name).unwrap_or_default().as_slice() {
        [.., schema, _] => schema == "pg_catalog" || schema == "information_schema",
        [table] => table.starts_with("pg_"),
        [] => false,
    }
}
