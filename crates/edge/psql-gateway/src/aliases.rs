//! The names that tables and columns had in earlier versions of Restate.
//!
//! Up to 0.8 the tables spoke of `service` and `method`, in 0.9 of `component` and `handler`; since 1.0 they have the names of
//! today. The queries of this example family are written for 0.9. `aliases.tsv` has them: the tables that have a column of the name, the name, and
//! what stands for it today, a column or an expression of columns. What was three columns of the journal is one today, `Service/key/handler`
//! or `Service/handler`.

/// The columns of a table under names of the past, and what stands for each.
pub(crate) fn columns(table: &str) -> impl Iterator<Item = (&'static str, &'static str)> {
    let lines = include_str!("aliases.tsv").lines();
    lines.filter_map(move |line| {
        let (tables, names) = line.split_once('\t')?;
        let mut tables = tables.split(' ');
        tables.find(|known| *known == table)?;
        names.split_once('\t')
    })
}

/// A table under a name of the past, and its name today. `aliases.tsv` has it as a column of no table.
pub(crate) fn table(name: &str) -> Option<(&'static str, &'static str)> {
    columns("-").find(|(past, _)| *past == name)
}
