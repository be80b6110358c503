//! Which names mean which columns at a place in a query.

use std::ops::ControlFlow;

use sqlparser::ast::{Expr, TableAlias, visit_expressions_mut};

use crate::{aliases, parse, sql};

/// What one entry of a `FROM` clause offers.
#[derive(Debug, Clone, Default)]
pub(super) struct Relation {
    /// The name by which its columns can be qualified.
    pub(super) name: String,
    /// Its columns; a nameless one is empty.
    pub(super) columns: Vec<String>,
    /// Names of the past, and what stands for them.
    pub(super) aliases: Vec<(&'static str, &'static str)>,
    /// It may have columns that are not known here.
    pub(super) opaque: bool,
    /// Whether the value of a column can tell where its rows lie.
    pub(super) keyed: Option<Keyed>,
}

/// A relation whose rows are in partitions by a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keyed {
    /// The state.
    State,
    /// A view, which may read the state.
    View,
}

impl Relation {
    /// One of which nothing is known.
    pub(super) fn opaque(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            opaque: true,
            ..Self::default()
        }
    }

    /// One of the runtime's tables.
    pub(super) fn table(name: &str, columns: Vec<String>) -> Self {
        let aliases = aliases::columns(name);
        let aliases = aliases.filter(|(past, _)| !columns.iter().any(|column| column == past));
        Self {
            name: name.to_owned(),
            aliases: aliases.collect(),
            columns,
            opaque: false,
            keyed: None,
        }
    }

    /// The same under an alias.
    pub(super) fn under(self, alias: &TableAlias) -> Self {
        let renamed = alias.columns.iter().map(|column| sql::folded(&column.name));
        let renamed: Vec<String> = renamed.collect();
        let mut columns = self.columns;
        let kept = columns.split_off(renamed.len().min(columns.len()));
        Self {
            name: sql::folded(&alias.name),
            aliases: if renamed.is_empty() {
                self.aliases
            } else {
                Vec::new()
            },
            opaque: self.opaque,
            keyed: self.keyed.filter(|_| renamed.is_empty()),
            columns: renamed.into_iter().chain(kept).collect(),
        }
    }

    /// Adds all that another one offers: what `*` stands for.
    pub(super) fn take_in(&mut self, other: &Self) {
        self.columns.extend(other.columns.iter().cloned());
        self.aliases.extend(&other.aliases);
        self.opaque |= other.opaque;
    }

    /// Whether it has this column.
    pub(super) fn has(&self, column: &str) -> bool {
        self.columns.iter().any(|other| other == column)
    }

    /// What stands for a name of the past.
    fn alias(&self, name: &str) -> Option<&'static str> {
        if self.has(name) {
            return None;
        }
        let found = self.aliases.iter().find(|(past, _)| *past == name);
        found.map(|(_, today)| *today)
    }

    /// The column that has this name today, if it is one.
    pub(super) fn today(&self, name: &str) -> Option<String> {
        if self.has(name) {
            return Some(name.to_owned());
        }
        self.alias(name)
            .filter(|today| self.has(today))
            .map(str::to_owned)
    }
}

/// The entries of a `FROM` clause.
#[derive(Debug, Default)]
pub(super) struct Scope {
    pub(super) relations: Vec<Relation>,
}

/// What a name means in a scope.
pub(super) enum Found {
    /// A column that is there, or may be.
    Column,
    /// A name of the past, and what stands for it.
    Alias(Box<Expr>),
    /// A name of the past of several relations.
    Several,
    /// Nothing here.
    Nothing,
}

impl Scope {
    /// Looks a name up.
    pub(super) fn find(&self, qualifier: Option<&str>, name: &str) -> Found {
        let is_named = |name: &str| qualifier.is_none_or(|qualifier| name == qualifier);
        let candidates = self.relations.iter();
        let candidates: Vec<_> = candidates.filter(|one| is_named(&one.name)).collect();
        if candidates.iter().any(|relation| relation.has(name)) {
            return Found::Column;
        }
        let mut aliases = candidates
            .iter()
            .filter_map(|relation| relation.alias(name).map(|today| (*relation, today)));
        match (aliases.next(), aliases.next()) {
            (Some((relation, today)), None) => {
                // A name that was unique may not be so any more when it is another.
                let qualify = qualifier.is_some() || self.relations.len() > 1;
                expression(today, qualify.then_some(relation.name.as_str()))
                    .map_or(Found::Nothing, |expr| Found::Alias(Box::new(expr)))
            }
            (Some(_), Some(_)) => Found::Several,
            (None, _) if candidates.iter().any(|relation| relation.opaque) => Found::Column,
            (None, _) => Found::Nothing,
        }
    }
}

/// The expression that stands for a name of the past.
fn expression(today: &str, qualifier: Option<&str>) -> Option<Expr> {
    let mut expr = parse::expression(today, &[]).ok()?;
    if let Some(qualifier) = qualifier {
        let _ = visit_expressions_mut(&mut expr, |expr| {
            if let Expr::Identifier(column) = expr {
                *expr = Expr::CompoundIdentifier(vec![sql::ident(qualifier), column.clone()]);
            }
            ControlFlow::<()>::Continue(())
        });
    }
    Some(expr)
}
