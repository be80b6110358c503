//! The views of the trade: the files in `views/`, one query each, over the runtime's own tables.

use std::sync::LazyLock;

use sqlparser::ast::{Query, Statement};

use crate::parse;

/// A view of schema `public`.
#[derive(Debug)]
pub(crate) struct View {
    /// Its name.
    pub(crate) name: &'static str,
    /// What it says of itself: the first line of its file.
    pub(crate) comment: &'static str,
    /// Its text, for `\d+`.
    pub(crate) text: &'static str,
    /// What stands for it in a query.
    pub(crate) query: Query,
}

macro_rules! files {
    ($($name:literal),*) => { [$(($name, include_str!(concat!("views/", $name, ".sql")))),*] };
}

static VIEWS: LazyLock<Vec<View>> = LazyLock::new(|| {
    files!(
        "orders",
        "order_history",
        "deliveries",
        "drivers",
        "dispatch_queue",
        "stuck_orders"
    )
    .into_iter()
    .filter_map(|(name, text)| {
        let query = match parse::statements(text).ok()?.pop()? {
            Statement::Query(query) => *query,
            _ => return None,
        };
        let comment = text.lines().next()?.trim_start_matches("-- ");
        Some(View {
            name,
            comment,
            text,
            query,
        })
    })
    .collect()
});

/// All views.
pub(crate) fn all() -> &'static [View] {
    &VIEWS
}

/// The view of this name.
pub(crate) fn find(name: &str) -> Option<&'static View> {
    VIEWS.iter().find(|view| view.name == name)
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_view_is_one_query_and_says_what_it_is() {
        assert_eq!(super::all().len(), 6);
        for view in super::all() {
            assert!(
                view.comment.ends_with(['.', ':']) || view.comment.len() > 10,
                "{}",
                view.name
            );
        }
    }
}
