//! Views: the `*.sql` files of a directory, one query each, over the runtime's tables.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sqlparser::ast::{ObjectName, Query, Statement, Visit, Visitor};

use crate::catalogue::concerns::{Concerns, concerns};
use crate::error::Error;
use crate::{parse, sql};

/// The most views that a view may contain, those in its views included.
const MAX_INSIDE: usize = 100;
/// A table that Restate 1.8 no longer has, because `sys_locks` replaced it.
const FORMER: &str = "sys_keyed_service_status";
/// The longest name, as in PostgreSQL.
const MAX_NAME: usize = 63;

/// A view of schema `public`.
#[derive(Debug)]
pub(crate) struct View {
    /// Its name: that of its file, without `.sql`.
    pub(crate) name: String,
    /// The first line of its file, if that is a comment.
    pub(crate) comment: Option<String>,
    /// Its text, for `\d+`.
    pub(crate) text: String,
    /// What is put in its place in a query.
    pub(crate) query: Query,
}

/// Why the views cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("--views: {}: {reason}", path.display())]
pub struct ViewsError {
    path: PathBuf,
    reason: String,
}

/// All views.
#[derive(Debug, Default)]
pub(crate) struct Views(Vec<Arc<View>>);

impl Views {
    /// Reads a directory. Other files than `*.sql` are ignored.
    pub(crate) fn read(directory: &Path) -> Result<Self, ViewsError> {
        let unreadable = |path: &Path| {
            let path = path.to_owned();
            move |error: std::io::Error| ViewsError {
                path,
                reason: format!("cannot be read: {error}"),
            }
        };
        let entries = directory.read_dir().map_err(unreadable(directory))?;
        let mut paths = entries
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<Result<Vec<_>, _>>()
            .map_err(unreadable(directory))?;
        paths.retain(|path| path.extension().is_some_and(|ending| ending == "sql"));
        paths.sort();
        let views = paths.iter().map(|path| {
            let text = std::fs::read_to_string(path).map_err(unreadable(path))?;
            let named = path.file_stem().unwrap_or_default().to_string_lossy();
            let view = check_name(&named).and_then(|()| View::new(&named, text));
            view.map(Arc::new).map_err(|reason| ViewsError {
                path: path.clone(),
                reason,
            })
        });
        let views = Self(views.collect::<Result<_, _>>()?);
        for (view, path) in views.0.iter().zip(paths) {
            let inside = views.inside(view, &[]);
            inside.map_err(|reason| ViewsError { path, reason })?;
        }
        Ok(views)
    }

    /// These views, and one in place of [`FORMER`] for a Restate with `tables`.
    pub(crate) fn with_former_table(&self, tables: &[String]) -> Self {
        let has = |name: &str| tables.iter().any(|table| table == name);
        let text = include_str!("former/sys_keyed_service_status.sql");
        let former = (has("sys_locks") && !has(FORMER)).then(|| View::new(FORMER, text.to_owned()));
        let former = former.and_then(Result::ok).map(Arc::new);
        Self(self.0.iter().cloned().chain(former).collect())
    }

    /// All views, by name.
    pub(crate) fn all(&self) -> &[Arc<View>] {
        &self.0
    }

    /// The view of this name.
    pub(crate) fn find(&self, name: &str) -> Option<&Arc<View>> {
        self.0.iter().find(|view| view.name == name)
    }

    /// How many views are put in with a view, those in its views included. An error if it contains itself, or too many.
    fn inside(&self, view: &View, around: &[&str]) -> Result<usize, String> {
        let around = [around, &[&view.name]].concat();
        let mut used = Used::default();
        let _ = view.query.visit(&mut used);
        if let Some(name) = used.with.iter().find(|name| self.find(name).is_some()) {
            return Err(format!(
                "its WITH query {name} has the name of a view; choose another name"
            ));
        }
        let mut count = 0;
        for used in used.tables.iter().filter_map(|name| self.find(name)) {
            if around.contains(&used.name.as_str()) {
                let chain = around.join(" contains ");
                return Err(format!("{chain} contains {}, without end", used.name));
            }
            count += 1 + self.inside(used, &around)?;
            if count > MAX_INSIDE {
                return Err(format!(
                    "more than {MAX_INSIDE} views are inserted for it, and for the views in it; use fewer"
                ));
            }
        }
        Ok(count)
    }
}

impl View {
    fn new(name: &str, text: String) -> Result<Self, String> {
        let refused = |error: Error| match error.position {
            Some(position) => format!("{error}{}", place(&text, position)),
            None => error.to_string(),
        };
        let query = match <[Statement; 1]>::try_from(parse::statements(&text).map_err(refused)?) {
            Ok([Statement::Query(query)]) => *query,
            _ => return Err("a view is exactly one query, such as SELECT …".to_owned()),
        };
        if let Concerns::Catalogue | Concerns::Both { tables: true } = concerns(&query) {
            return Err(
                "it is a query of PostgreSQL's catalogue; a view reads Restate's tables".to_owned(),
            );
        }
        let first = text.lines().next().and_then(|line| line.strip_prefix("--"));
        let comment = first.map(|line| line.trim().to_owned());
        Ok(Self {
            name: name.to_owned(),
            comment,
            text,
            query,
        })
    }
}

/// Checks that a view can have this name, and that it needs no quotes.
fn check_name(name: &str) -> Result<(), String> {
    let is_plain = sql::ident(name).quote_style.is_none() && !name.is_empty();
    if !is_plain || name.len() > MAX_NAME {
        return Err(format!(
            "a view has the name of its file, and \"{name}\" cannot be one; rename the file, with at most {MAX_NAME} lower-case \
             letters, digits and underscores, the first of which is not a digit"
        ));
    }
    if name == "state" || ["sys_", "pg_"].iter().any(|start| name.starts_with(start)) {
        return Err(
            "the name state, and names that begin with sys_ or pg_, are those of Restate's and PostgreSQL's tables; \
             rename the file"
                .to_owned(),
        );
    }
    Ok(())
}

/// The line and the column of a position, both from 1.
fn place(text: &str, position: usize) -> String {
    let before: String = text.chars().take(position.saturating_sub(1)).collect();
    let line = before.matches('\n').count() + 1;
    let column = before
        .rsplit('\n')
        .next()
        .map_or(0, |last| last.chars().count())
        + 1;
    format!(", in line {line}, column {column}")
}

/// The tables and `WITH` queries of a query.
#[derive(Default)]
struct Used {
    tables: Vec<String>,
    with: Vec<String>,
}

impl Visitor for Used {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        self.with.extend(sql::with_names(query));
        ControlFlow::Continue(())
    }

    fn pre_visit_relation(&mut self, name: &ObjectName) -> ControlFlow<()> {
        self.tables.extend(sql::last(name));
        ControlFlow::Continue(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(files: &[(&str, &str)]) -> Result<Views, String> {
        let directory = tempfile::tempdir().unwrap();
        for (name, text) in files {
            std::fs::write(directory.path().join(name), text).unwrap();
        }
        Views::read(directory.path()).map_err(|error| error.to_string())
    }

    #[test]
    fn each_sql_file_is_a_view_and_its_first_line_a_comment() {
        let views = read(&[
            (
                "invocations.sql",
                "-- All of them.\nselect id from sys_invocation;\n",
            ),
            ("README.md", "no view"),
            (
                "busy.sql",
                "select * from invocations join public.invocations i using (id)",
            ),
        ])
        .unwrap();
        let told: Vec<_> = (views.all().iter())
            .map(|view| (view.name.as_str(), view.comment.as_deref()))
            .collect();
        assert_eq!(
            told,
            [("busy", None), ("invocations", Some("All of them."))]
        );
        let busy = views.find("busy").unwrap();
        assert_eq!(views.inside(busy, &[]), Ok(2));
    }

    #[test]
    fn a_table_that_a_later_restate_replaced_is_a_view_there_and_only_there() {
        let names = |views: &Views, tables: &[&str]| -> Vec<String> {
            let tables: Vec<String> = tables.iter().map(ToString::to_string).collect();
            let views = views.with_former_table(&tables);
            views.all().iter().map(|view| view.name.clone()).collect()
        };
        let (status, locks) = ("sys_keyed_service_status", "sys_locks");
        let none = Views::default();
        assert_eq!(names(&none, &["state", locks]), [status]);
        assert_eq!(names(&none, &[status, locks]), [""; 0]);
        assert_eq!(names(&none, &["state"]), [""; 0]);
    }

    #[test]
    fn a_file_that_cannot_be_a_view_is_named_with_the_reason() {
        let good = "select key from state";
        for (name, text, reason) in [
            (
                "a.sql",
                "select key\nfrom state where",
                "in line 2, column 17",
            ),
            ("a.sql", "selec 1", "syntax error"),
            ("a.sql", "drop table state", "exactly one query"),
            ("a.sql", "select 1; select 2", "exactly one query"),
            ("a.sql", "-- nothing\n", "exactly one query"),
            ("a.sql", "select * from pg_class", "PostgreSQL's catalogue"),
            (
                "a.sql",
                "select * from state, pg_class",
                "PostgreSQL's catalogue",
            ),
            ("a.sql", "select * from a", "a contains a, without end"),
            (
                "a.sql",
                "with b as (select 1 from b) select 1",
                "has the name of a view",
            ),
            ("Orders.sql", good, "rename the file"),
            ("a b.sql", good, "rename the file"),
            ("1.sql", good, "rename the file"),
            ("state.sql", good, "are those of Restate's"),
            ("sys_inbox.sql", good, "are those of Restate's"),
            ("pg_class.sql", good, "are those of Restate's"),
        ] {
            let error = read(&[(name, text), ("b.sql", good)]).unwrap_err();
            assert!(
                error.starts_with("--views: /") && error.contains(&format!("/{name}: ")),
                "{error}"
            );
            assert!(error.contains(reason), "{name} {text}: {error}");
        }
        let long = format!("{}.sql", "a".repeat(64));
        assert!(read(&[(&long, good)]).is_err());
        let error = Views::read(Path::new("/nowhere")).unwrap_err().to_string();
        assert!(
            error.starts_with("--views: /nowhere: cannot be read"),
            "{error}"
        );
    }

    #[test]
    fn views_in_views_end() {
        let error = read(&[
            ("a.sql", "select * from b"),
            ("b.sql", "select * from c"),
            (
                "c.sql",
                "select * from state where key in (select key from a)",
            ),
        ]);
        let error = error.unwrap_err();
        assert!(
            error.contains("a contains b contains c contains a"),
            "{error}"
        );
        let doubled = |name: &str| {
            (
                format!("{name}1.sql"),
                format!("select 1 from {name}, {name} o"),
            )
        };
        let files = ["a", "a1", "a11", "a111", "a1111", "a11111"].map(doubled);
        let mut files: Vec<(&str, &str)> = (files.iter())
            .map(|(name, text)| (name.as_str(), text.as_str()))
            .collect();
        files.push(("a.sql", "select 1 from state"));
        let error = read(&files).unwrap_err();
        assert!(error.contains("more than 100 views"), "{error}");
        files.remove(5);
        read(&files).unwrap();
    }
}
