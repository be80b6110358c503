//! The `WITH` queries that are visible at the current place of a walk through a query.

use sqlparser::ast::{ObjectName, Query};

use crate::sql;

/// The visible `WITH` queries, each with what is known about it.
#[derive(Default)]
pub(crate) struct WithQueries<T> {
    /// The queries around the current place, the innermost last.
    around: Vec<Level>,
    /// The names of the visible `WITH` queries, and what is known about each.
    visible: Vec<(String, T)>,
}

#[derive(Default)]
struct Level {
    /// The name of the query, if it belongs to a `WITH`.
    name: Option<String>,
    /// Its own `WITH` queries that the walk has not reached yet, the next one last.
    to_come: Vec<String>,
    /// The number of `WITH` queries that were visible before it.
    visible: usize,
}

impl<T> WithQueries<T> {
    /// Enters a query.
    pub(crate) fn enter(&mut self, query: &Query) {
        let name = (self.around.last_mut()).and_then(|level| level.to_come.pop());
        self.around.push(Level {
            name,
            to_come: sql::with_names(query).rev().collect(),
            visible: self.visible.len(),
        });
    }

    /// Leaves the innermost query, about which `known` was found out. Returns whether it belongs to a `WITH` and so is visible from now on.
    pub(crate) fn leave(&mut self, known: T) -> bool {
        let Level { name, visible, .. } = self.around.pop().unwrap_or_default();
        self.visible.truncate(visible);
        let is_named = name.is_some();
        self.visible.extend(name.map(|name| (name, known)));
        is_named
    }

    /// What is known about the visible `WITH` query with this name, if there is one.
    pub(crate) fn find(&self, name: &ObjectName) -> Option<&T> {
        let [name] = &sql::parts(name)?[..] else {
            return None;
        };
        let mut visible = self.visible.iter().rev();
        visible
            .find(|(known, _)| known == name)
            .map(|(_, known)| known)
    }
}
