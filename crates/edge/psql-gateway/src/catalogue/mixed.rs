//! Queries of the catalogue and of the runtime at once.
//!
//! SQLite answers the parts that concern the catalogue alone: subqueries, `WITH` queries, tables in a `FROM` with the conditions on
//! them, and functions of constants. Their rows take their places as `VALUES`, and the runtime answers the rest.

use std::collections::HashSet;
use std::ops::ControlFlow;
use std::sync::Arc;

use pgwire::api::Type;
use rusqlite::types::Value as SqliteValue;
use sqlparser::ast::{
    BinaryOperator, Expr, Ident, JoinConstraint, JoinOperator, Parens, Query, Select, SelectItem,
    SetExpr, TableFactor, Value, Visit, VisitMut, Visitor, VisitorMut, visit_expressions,
};

use super::answers::is_ours;
use super::concerns::{Concerns, concerns, is_catalogue};
use super::{Catalogue, Found, facts, kind};
use crate::error::{Error, Result};
use crate::session::Session;
use crate::sql::{self, join_constraint, literal};
use crate::{parameters, parse};

/// The most rows of a part. The runtime gets them as a text.
const ROWS: usize = 1_000;
/// The most parts of a query.
const PARTS: usize = 64;

/// Replaces the parts of a query that concern the catalogue with their rows.
pub(super) fn resolve(
    query: &mut Query,
    catalogue: &Catalogue,
    session: &Arc<Session>,
) -> Result<()> {
    let mut names = Names::default();
    let _ = Visit::visit(&*query, &mut names);
    let mut mixer = Mixer {
        catalogue,
        session,
        names,
        with: HashSet::new(),
        parts: 0,
    };
    sql::walked(query.visit(&mut mixer))
}

struct Mixer<'a> {
    catalogue: &'a Catalogue,
    session: &'a Arc<Session>,
    names: Names,
    /// The names of the `WITH` queries.
    with: HashSet<String>,
    parts: usize,
}

impl VisitorMut for Mixer<'_> {
    type Break = Error;

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<Error> {
        self.with.extend(sql::with_names(query));
        sql::flow(self.query(query))
    }

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<Error> {
        sql::flow(self.select(select))
    }

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<Error> {
        sql::flow(self.table(factor, Vec::new()))
    }

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Error> {
        if let Expr::Function(function) = expr
            && sql::last(&function.name).is_some_and(|name| is_ours(&name))
            && columns_in(expr).is_some_and(|columns| columns.is_empty())
        {
            return sql::flow(self.constant(expr));
        }
        ControlFlow::Continue(())
    }
}

/// The columns that a query names.
#[derive(Default)]
struct Names {
    columns: HashSet<String>,
    /// Whether it reads others too.
    all: bool,
}

impl Visitor for Names {
    type Break = ();

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<()> {
        let mut items = select.projection.iter();
        self.all |= items.any(|item| sql::output(item).is_none());
        for join in select.from.iter().flat_map(|table| &table.joins) {
            match join_constraint!(&join.join_operator) {
                Some(JoinConstraint::Using(using)) => {
                    self.columns.extend(using.iter().filter_map(sql::last));
                }
                Some(JoinConstraint::Natural) => self.all = true,
                _ => {}
            }
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        self.columns.extend(sql::column(expr).map(sql::folded));
        ControlFlow::Continue(())
    }
}

impl Mixer<'_> {
    fn find(&mut self, query: &Query) -> Result<Found> {
        self.parts += 1;
        if self.parts > PARTS {
            let message = format!("a query with more than {PARTS} parts about the catalogue");
            return Err(Error::new("54000", message));
        }
        self.catalogue.find(query, self.session, ROWS)
    }

    /// Replaces a query that concerns the catalogue alone.
    fn query(&mut self, query: &mut Query) -> Result<()> {
        if concerns(query) != Concerns::Catalogue {
            return self.branches(&mut query.body);
        }
        match self.find(query) {
            Ok(found) => *query = values(&found)?,
            // It may use columns of the query around it, or functions of the runtime. So only its tables are replaced.
            Err(error) if ["42703", "42883", "42P01", "0A000"].contains(&error.code) => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Replaces the branches of a `UNION` that concern the catalogue alone.
    fn branches(&mut self, body: &mut SetExpr) -> Result<()> {
        let SetExpr::SetOperation { left, right, .. } = body else {
            return Ok(());
        };
        for branch in [left, right] {
            self.branches(branch)?;
            if let SetExpr::Select(_) = &**branch {
                let mut query = parse::query("SELECT a")?;
                std::mem::swap(&mut query.body, branch);
                let found = match concerns(&query) {
                    Concerns::Catalogue => self.query(&mut query),
                    _ => Ok(()),
                };
                // Without the query around it: the runtime's parser takes no parentheses at the beginning of a subquery.
                *branch = query.body;
                found?;
            }
        }
        Ok(())
    }

    /// Replaces the tables of a `FROM`. Conditions on one of them are applied to it before, if no outer join may give it other rows.
    fn select(&mut self, select: &mut Select) -> Result<()> {
        let mut joins = select.from.iter().flat_map(|table| &table.joins);
        let is_inner = joins.all(|join| {
            use JoinOperator::{CrossJoin, Inner, Join};
            matches!(join.join_operator, Join(_) | Inner(_) | CrossJoin(_))
        });
        let mut conditions = Vec::new();
        if is_inner && let Some(selection) = &select.selection {
            sql::conjuncts(selection, &mut |condition| {
                conditions.push(condition.clone());
            });
        }
        let mut factors: Vec<_> = sql::factors_mut(&mut select.from).collect();
        let columns: Vec<_> = factors.iter().map(|factor| self.columns(factor)).collect();
        let count = conditions.len();
        for (index, factor) in factors.iter_mut().enumerate() {
            let called = sql::called(factor);
            // Whether a column without a table is one of this table, and of no other.
            let is_own = |column: &String| {
                columns.iter().enumerate().all(|(other, columns)| {
                    let has = columns.as_ref().map(|columns| columns.contains(column));
                    has == Some(other == index)
                })
            };
            let (own, others) = conditions.into_iter().partition(|condition| {
                self.is_bare(factor)
                    && columns_in(condition).is_some_and(|columns| {
                        !columns.is_empty()
                            && columns.iter().all(|(table, column)| match table {
                                Some(table) => called.as_ref() == Some(table),
                                None => is_own(column),
                            })
                    })
            });
            conditions = others;
            self.table(factor, own)?;
        }
        if conditions.len() < count {
            select.selection = conditions.into_iter().reduce(and);
        }
        Ok(())
    }

    /// Whether it is a table of the catalogue.
    fn is_bare(&self, factor: &TableFactor) -> bool {
        let TableFactor::Table { name, .. } = factor else {
            return false;
        };
        let is_with =
            name.0.len() == 1 && sql::last(name).is_some_and(|name| self.with.contains(&name));
        is_catalogue(name) && !is_with
    }

    /// Replaces a table of the catalogue with those of its rows for which the conditions hold.
    fn table(&mut self, factor: &mut TableFactor, conditions: Vec<Expr>) -> Result<()> {
        if !self.is_bare(factor) {
            return Ok(());
        }
        let TableFactor::Table { name, alias, .. } = &*factor else {
            return Ok(());
        };
        let name = sql::last(name).unwrap_or_default();
        let mut alias = alias.clone().unwrap_or_else(|| sql::table_alias(&name));
        let renamed = std::mem::take(&mut alias.columns);
        let columns = facts::columns_of(&name).iter().map(|(column, ..)| *column);
        let is_used = |column: &&str| self.names.columns.contains(*column);
        let used = columns.clone().find(is_used);
        let used = used.or_else(|| columns.clone().next());
        let mut query = parse::query("SELECT * FROM t")?;
        if let SetExpr::Select(select) = &mut *query.body {
            select.from[0].relation = factor.clone();
            select.selection = conditions.into_iter().reduce(and);
            if let Some(first) = used.filter(|_| renamed.is_empty() && !self.names.all) {
                let used = columns.filter(|column| *column == first || is_used(column));
                let used = used.map(|column| Expr::Identifier(sql::ident(column)));
                select.projection = used.map(SelectItem::UnnamedExpr).collect();
            }
        }
        let found = self.find(&query).map_err(|error| match error.code {
            "54000" => {
                let message = format!("more than {ROWS} rows of {name} in a query of the runtime");
                let called = &alias.name;
                let subquery = format!("FROM (SELECT … FROM {name} WHERE …) {called}");
                Error::new("54000", message).hint(format!("Ask for less of it: {subquery}"))
            }
            _ => error,
        })?;
        *factor = sql::derived(values(&found)?, Some(alias));
        Ok(())
    }

    /// Replaces a function of constants with its value.
    fn constant(&mut self, expr: &mut Expr) -> Result<()> {
        let item = SelectItem::UnnamedExpr(expr.clone());
        let found = self.find(&parse::select(vec![item], None, None)?)?;
        if let ([(_, of)], [values]) = (&found.columns[..], &found.values[..])
            && let [value] = &values[..]
        {
            *expr = match value {
                SqliteValue::Null => parameters::null(of),
                value => typed(value, of)?,
            };
        }
        Ok(())
    }

    /// The columns of a table, if they are known.
    fn columns(&self, factor: &TableFactor) -> Option<HashSet<String>> {
        let TableFactor::Table { name, alias, .. } = factor else {
            return None;
        };
        let name = sql::last(name)?;
        if (alias.as_ref()).is_some_and(|alias| !alias.columns.is_empty()) {
            return None;
        }
        if self.is_bare(factor) {
            let columns = facts::columns_of(&name).iter();
            return Some(columns.map(|(column, ..)| (*column).to_owned()).collect());
        }
        let mut tables = self.catalogue.schema.tables.iter();
        let table = tables.find(|table| table.name == name && !self.with.contains(&name))?;
        let columns = table.columns.iter();
        Some(columns.map(|column| column.name().clone()).collect())
    }
}

fn and(left: Expr, right: Expr) -> Expr {
    let nested = |expr| Expr::Nested(Box::new(expr));
    sql::binary(nested(left), BinaryOperator::And, nested(right))
}

/// The columns that an expression reads, with their tables; nothing if it has a subquery.
fn columns_in(expr: &Expr) -> Option<Vec<(Option<String>, String)>> {
    let mut columns = Vec::new();
    let walk = visit_expressions(expr, |part| {
        match part {
            Expr::Identifier(column) => columns.push((None, sql::folded(column))),
            Expr::CompoundIdentifier(parts) => match &parts[..] {
                [table, column] => columns.push((Some(sql::folded(table)), sql::folded(column))),
                _ => return ControlFlow::Break(()),
            },
            Expr::Subquery(_) | Expr::InSubquery { .. } | Expr::Exists { .. } => {
                return ControlFlow::Break(());
            }
            _ => {}
        }
        ControlFlow::Continue(())
    });
    walk.is_continue().then_some(columns)
}

/// Rows as a query of the runtime.
fn values(found: &Found) -> Result<Query> {
    let columns = || found.columns.iter().zip(&found.values);
    let items = columns().enumerate().map(|(index, ((name, of), values))| {
        let is_null = values.iter().all(|value| *value == SqliteValue::Null);
        let column = Ident::new(format!("column{}", index + 1));
        let expr = if is_null {
            parameters::null(of)
        } else {
            Expr::Identifier(column)
        };
        let alias = sql::ident(name);
        SelectItem::ExprWithAlias { expr, alias }
    });
    let items = items.collect();
    if found.rows == 0 {
        return parse::select(items, None, Some(literal(Value::Boolean(false))));
    }
    let mut rows = parse::query("VALUES (1)")?;
    if let SetExpr::Values(values) = &mut *rows.body {
        let row = |row: usize| {
            let row = columns().map(|((_, of), values)| typed(&values[row], of));
            row.collect::<Result<_>>().map(Parens::with_empty_span)
        };
        values.rows = (0..found.rows).map(row).collect::<Result<_>>()?;
    }
    let rows = sql::derived(rows, Some(sql::table_alias("found")));
    parse::select(items, Some(rows), None)
}

/// A value of SQLite as one of the runtime.
fn typed(value: &SqliteValue, of: &Type) -> Result<Expr> {
    match (kind::text(value), of) {
        (None, _) => Ok(literal(Value::Null)),
        // As texts, these are no arrays.
        (Some(text), &(Type::INT2_VECTOR | Type::OID_VECTOR)) => Ok(sql::string(text)),
        (Some(text), of) => parameters::typed(&text, of),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use arrow_schema::{DataType, Field};

    use super::*;
    use crate::schema::{Schema, Table};

    fn resolved(asked: &str) -> Result<String> {
        let columns = ["service_key", "key"];
        let columns = columns.map(|name| Arc::new(Field::new(name, DataType::Utf8, true)));
        let state = Table {
            name: "state".to_owned(),
            columns: columns.to_vec(),
            view: None,
        };
        let catalogue = Catalogue::new(Arc::new(Schema {
            tables: vec![state],
            ..Schema::default()
        }));
        let session = Session::new(Duration::from_mins(1));
        let session = Arc::new(session);
        session.begin();
        let mut query = parse::query(asked)?;
        resolve(&mut query, &catalogue, &session)?;
        Ok(query.to_string())
    }

    #[test]
    fn parts_about_the_catalogue_are_replaced_with_their_rows() {
        let rows =
            |columns: &str, rows: &str| format!("(SELECT {columns} FROM (VALUES {rows}) AS found)");
        let schema = rows("column1 AS nspname", "('public')");
        for (asked, expected) in [
            (
                "select (select nspname from pg_namespace where nspname = 'public'), key from state",
                format!("SELECT {schema}, key FROM state"),
            ),
            (
                "select key from state where key in (select nspname from pg_namespace where nspname = 'public')",
                format!("SELECT key FROM state WHERE key IN {schema}"),
            ),
            (
                "with n as (select nspname from pg_namespace where nspname = 'public') select * from n, state",
                format!("WITH n AS {schema} SELECT * FROM n, state"),
            ),
            (
                "select n.nspname, s.key from pg_namespace n join state s on s.key = n.nspname where n.nspname = 'public' and nspowner > 0 and key > 'a'",
                format!(
                    "SELECT n.nspname, s.key FROM {} n JOIN state s ON s.key = n.nspname WHERE key > 'a'",
                    rows("column1 AS nspname, column2 AS nspowner", "('public', 6171)")
                ),
            ),
            // What an outer join finds nothing for stays.
            (
                "select t.typname from state left join pg_am t on t.oid = 1 where t.amname is null",
                format!(
                    "SELECT t.typname FROM state LEFT JOIN {} t ON t.oid = 1 WHERE t.amname IS NULL",
                    rows(
                        "column1 AS oid, column2 AS amname",
                        "(2, 'heap'), (403, 'btree'), (405, 'hash'), (783, 'gist'), (2742, 'gin'), (3580, 'brin'), (4000, 'spgist')"
                    )
                ),
            ),
            // A subquery that depends on the query around it.
            (
                "select (select count(*) from pg_namespace where nspname = key) from state where key = current_setting('search_path')",
                format!(
                    "SELECT (SELECT count(*) FROM {} AS pg_namespace WHERE nspname = key) FROM state WHERE key = 'public'",
                    rows("column1 AS nspname", "('pg_catalog'), ('pg_toast'), ('public'), ('information_schema')")
                ),
            ),
            (
                "select 1 from state where exists (select 1 from pg_class where relname = 'it''s')",
                "SELECT 1 FROM state WHERE EXISTS (SELECT CAST(NULL AS INTEGER) AS \"?column?\" WHERE false)".to_owned(),
            ),
            (
                "select key from state union select pg_get_userbyid(10)",
                "SELECT key FROM state UNION SELECT column1 AS pg_get_userbyid FROM (VALUES ('restate')) AS found".to_owned(),
            ),
            (
                "select (select pg_get_userbyid(10) union select key from state) = key from state",
                "SELECT (SELECT column1 AS pg_get_userbyid FROM (VALUES ('restate')) AS found UNION SELECT key FROM state) = key FROM state".to_owned(),
            ),
        ] {
            assert_eq!(resolved(asked).unwrap(), expected, "{asked}");
        }
        let too_many = resolved("select * from state, pg_attribute");
        assert_eq!(too_many.map_err(|error| error.code), Err("54000"));
    }
}
