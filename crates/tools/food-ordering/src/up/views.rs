//! The views of food ordering for SQL. `psql-gateway` reads views from a directory; this program contains them, so that it can be
//! installed without one.

use std::fs;
use std::path::Path;

use anyhow::Context;

macro_rules! views {
    ($($name:literal),*) => {
        [$(($name, include_str!(concat!("../../../../../sql/views/", $name)))),*]
    };
}

/// The files in `sql/views`.
const VIEWS: [(&str, &str); 6] = views!(
    "deliveries.sql",
    "dispatch_queue.sql",
    "drivers.sql",
    "order_history.sql",
    "orders.sql",
    "stuck_orders.sql"
);

/// Writes the views, and removes everything else in the directory, such as the views of an earlier version.
pub(super) fn write(directory: &Path) -> anyhow::Result<()> {
    let write = || {
        if directory.exists() {
            fs::remove_dir_all(directory)?;
        }
        fs::create_dir(directory)?;
        VIEWS
            .iter()
            .try_for_each(|(name, text)| fs::write(directory.join(name), text))
    };
    write().with_context(|| format!("writing the views for SQL to {}", directory.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(directory: &Path) -> Vec<String> {
        let entries = fs::read_dir(directory).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> = names.collect();
        names.sort();
        names
    }

    #[test]
    fn all_views_of_the_repository_are_written_and_nothing_else_is_left() {
        let root = tempfile::tempdir().unwrap();
        let directory = root.path().join("views");
        fs::create_dir(&directory).unwrap();
        fs::write(directory.join("former.sql"), "select 1").unwrap();
        write(&directory).unwrap();
        let repository = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../sql/views");
        assert_eq!(names(&directory), names(repository.as_ref()));
    }
}
