//! The `WITH` queries that can be read at a place of a query, while that is walked through.

use sqlparser::ast::{ObjectName, Query};

use crate::sql;

/// What is known of each.
#[derive(Default)]
pub(crate) struct WithQueries<T> {
    /// The queries around this place, the innermost last.
    around: Vec<Level>,
    /// Those that can be read here.
    visible: Vec<(String, T)>,
}

#[derive(Default)]
struct Level {
    /// The name under which it is known if it is one of a `WITH`.
    name: Option<String>,
    /// Its own `WITH` queries that are still to come, the next one last.
    to_come: Vec<String>,
    /// How many of those that are visible were so before.
    visible: usize,
}

impl<T> WithQueries<T> {
    /// A query begins.
    pub(crate) fn enter(&mut self, query: &Query) {
        let name = (self.around.last_mut()).and_then(|level| level.to_come.pop());
        let ctes = query.with.iter().flat_map(|with| &with.cte_tables);
        self.around.push(Level {
            name,
            to_come: ctes.rev().map(|cte| sql::folded(&cte.alias.name)).collect(),
            visible: self.visible.len(),
        });
    }

    /// The innermost query ends, of which this is `known`. Whether it is one of a `WITH`, and so can be read from now on.
    pub(crate) fn leave(&mut self, known: T) -> bool {
        let Level { name, visible, .. } = self.around.pop().unwrap_or_default();
        self.visible.truncate(visible);
        let is_named = name.is_some();
        self.visible.extend(name.map(|name| (name, known)));
        is_named
    }

    /// What is known of the `WITH` query that a name means here, if it means one.
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
