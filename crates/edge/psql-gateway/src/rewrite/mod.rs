//! From the query that was asked to the query that the runtime answers: views are put in, names of the past replaced.
//!
//! Everything happens in the syntax tree. A name of the past is replaced only where it can mean nothing else: where it stands
//! for a column of one of the runtime's tables in whose scope it is, and no column of that name is there today. So `component`
//! of a derived table, of a `WITH` query or of an output column stays what its author meant.
//!
//! | file | what it holds |
//! |---|---|
//! | `keys.rs` | from a key to its partition key |
//! | `recursion.rs` | `WITH RECURSIVE` |
//! | `scope.rs` | which names mean which columns at a place in the query |
//! | `names.rs` | what PostgreSQL would call the output columns |
//! | `dialect.rs` | what PostgreSQL writes in another way than the runtime |

mod dialect;
mod keys;
mod names;
mod recursion;
mod scope;

use std::ops::ControlFlow;
use std::sync::Arc;

use sqlparser::ast::{
    Expr, GroupByExpr, JoinConstraint, ObjectName, OrderByKind, Query, Select, SelectItem,
    SelectItemQualifiedWildcardKind, SetExpr, TableAlias, TableAliasColumnDef, TableFactor,
    TableWithJoins, VisitMut, VisitorMut, visit_expressions_mut,
};

use self::dialect::adapt;
pub(crate) use self::names::{expand, name as column_name, output_names};
use self::scope::{Found, Keyed, Relation, Scope};
use crate::about::About;
use crate::error::{Error, Result};
use crate::schema::Schema;
use crate::sql::{self, join_constraint, table_alias};
use crate::views::View;
use crate::{aliases, bounds, literals, parse, products};

/// The functions that are tables in the runtime.
const TABLE_FUNCTIONS: [&str; 3] = ["generate_series", "range", "unnest"];

/// Replaces views and names of the past, all through `query`.
fn rewrite(query: &mut Query, schema: &Schema) -> Result<()> {
    Rewriter::new(schema).query(query)?;
    names::tell_apart(query);
    Ok(())
}

/// The query as the runtime is asked.
pub(crate) fn for_runtime(mut query: Query, schema: &Schema, about: &About) -> Result<String> {
    rewrite(&mut query, schema)?;
    adapt(&mut query, about)?;
    names::tell_apart(&mut query);
    // Views and values may have made it larger than it came.
    bounds::check(&query)?;
    products::check(&query)?;
    literals::print(query)
}

/// The columns of a query that stands alone, such as a view.
pub(crate) fn columns_of(query: &Query, schema: &Schema) -> Result<Vec<String>> {
    let offered = Rewriter::new(schema).query(&mut query.clone())?;
    Ok(offered.columns)
}

struct Rewriter<'a> {
    schema: &'a Schema,
    /// The `FROM` clauses around the place that is being rewritten, innermost last.
    scopes: Vec<Scope>,
    /// The `WITH` queries that can be seen there.
    ctes: Vec<(String, Relation)>,
}

impl<'a> Rewriter<'a> {
    fn new(schema: &'a Schema) -> Self {
        Self {
            schema,
            scopes: Vec::new(),
            ctes: Vec::new(),
        }
    }

    /// Rewrites a query; answers what it offers to the query around it.
    fn query(&mut self, query: &mut Query) -> Result<Relation> {
        let known = self.ctes.len();
        let rewritten = self.query_with_ctes(query);
        self.ctes.truncate(known);
        rewritten
    }

    fn query_with_ctes(&mut self, query: &mut Query) -> Result<Relation> {
        if let Some(with) = &mut query.with {
            for cte in &mut with.cte_tables {
                let name = sql::folded(&cte.alias.name);
                if with.recursive {
                    recursion::check(cte)?;
                    // It may mean itself, so it must be known before it is looked at.
                    self.ctes.push((name.clone(), Relation::opaque(&name)));
                }
                let relation = self.query(&mut cte.query)?.under(&cte.alias);
                self.ctes.push((name, relation));
            }
        }
        match &mut *query.body {
            SetExpr::Select(select) => self.scoped(|this| {
                let offered = this.select(select)?;
                this.order_by(query.order_by.as_mut(), &offered)?;
                Ok(offered)
            }),
            body => {
                let offered = self.set_expr(body)?;
                self.expressions(&mut query.order_by)?;
                Ok(offered)
            }
        }
    }

    /// Does work in the scope of another `FROM`.
    fn scoped<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.scopes.push(Scope::default());
        let done = work(self);
        self.scopes.pop();
        done
    }

    fn set_expr(&mut self, body: &mut SetExpr) -> Result<Relation> {
        match body {
            SetExpr::Select(select) => self.scoped(|this| this.select(select)),
            SetExpr::Query(query) => self.query(query),
            SetExpr::SetOperation { left, right, .. } => {
                let offered = self.set_expr(left)?;
                self.set_expr(right)?;
                // Names of the past in one branch need not be those of the other.
                Ok(Relation {
                    aliases: Vec::new(),
                    ..offered
                })
            }
            SetExpr::Values(values) => {
                self.expressions(values)?;
                Ok(Relation::opaque(""))
            }
            SetExpr::Table(table) => {
                let name = table.table_name.clone().unwrap_or_default();
                Ok(self.schema.columns(&name).map_or_else(
                    || Relation::opaque(&name),
                    |columns| Relation::table(&name, columns),
                ))
            }
            SetExpr::Insert(_) | SetExpr::Update(_) | SetExpr::Delete(_) | SetExpr::Merge(_) => {
                Err(Error::read_only("INSERT, UPDATE or DELETE"))
            }
        }
    }

    /// Rewrites a select whose scope is the last one.
    fn select(&mut self, select: &mut Select) -> Result<Relation> {
        if select.into.is_some() {
            return Err(Error::read_only("SELECT INTO"));
        }
        for table in &mut select.from {
            self.table_with_joins(table)?;
        }
        for item in &mut select.projection {
            self.projected(item)?;
        }
        let offered = self.offered(select);
        if let Some(selection) = &mut select.selection {
            self.expressions(selection)?;
            if let Some(scope) = self.scopes.last() {
                keys::add_partition_key(selection, scope, &mut select.from);
            }
        }
        if let GroupByExpr::Expressions(expressions, _) = &mut select.group_by {
            self.expressions(expressions)?;
        }
        self.expressions(&mut select.having)?;
        self.expressions(&mut select.qualify)?;
        self.expressions(&mut select.named_window)?;
        self.expressions(&mut select.distinct)?;
        Ok(offered)
    }

    fn table_with_joins(&mut self, table: &mut TableWithJoins) -> Result<()> {
        self.factor(&mut table.relation)?;
        for join in &mut table.joins {
            self.factor(&mut join.relation)?;
            if let Some(constraint) = join_constraint!(&mut join.join_operator) {
                match constraint {
                    JoinConstraint::On(on) => self.expressions(on)?,
                    JoinConstraint::Using(columns) => self.using(columns)?,
                    JoinConstraint::Natural | JoinConstraint::None => {}
                }
            }
        }
        Ok(())
    }

    fn factor(&mut self, factor: &mut TableFactor) -> Result<()> {
        name_series(factor);
        let relation = match factor {
            TableFactor::Table {
                name,
                alias,
                args: None,
                ..
            } => match self.table(name, self.complete(name, alias)?.as_ref())? {
                Named::Relation(relation) => relation,
                Named::Renamed(today, relation) => {
                    let visible = alias.clone().unwrap_or_else(|| table_alias(&relation.name));
                    *name = ObjectName::from(vec![sql::ident(today)]);
                    *alias = Some(visible);
                    relation
                }
                Named::View(view, relation) => {
                    let alias = alias.take().unwrap_or_else(|| table_alias(&view.name));
                    let mut subquery = view.query.clone();
                    // A view sees the runtime's tables and other views, nothing of the query it is used in.
                    rewrite(&mut subquery, self.schema)?;
                    *factor = sql::derived(subquery, Some(alias));
                    relation
                }
            },
            TableFactor::Derived {
                subquery,
                alias,
                lateral,
                ..
            } => {
                // Only a lateral subquery sees its neighbours.
                let neighbours = if *lateral { None } else { self.scopes.pop() };
                let offered = self.query(subquery);
                self.scopes.extend(neighbours);
                match alias {
                    Some(alias) => offered?.under(alias),
                    None => offered?,
                }
            }
            // A function that is no table there: its value is a row.
            TableFactor::Table {
                name,
                alias,
                args: Some(args),
                ..
            } if !TABLE_FUNCTIONS.contains(&&*sql::last(name).unwrap_or_default()) => {
                let function = sql::last(name).unwrap_or_default();
                let called = alias.get_or_insert_with(|| table_alias(&function));
                let arguments = args.args.iter().filter_map(sql::argument).cloned();
                let row = SelectItem::ExprWithAlias {
                    expr: sql::call(&function, arguments),
                    alias: called.name.clone(),
                };
                *factor = sql::derived(parse::select(vec![row], None, None)?, alias.take());
                return self.factor(factor);
            }
            TableFactor::NestedJoin {
                table_with_joins, ..
            } => return self.table_with_joins(table_with_joins),
            other => {
                self.expressions(other)?;
                Relation::opaque("")
            }
        };
        if let Some(scope) = self.scopes.last_mut() {
            scope.relations.push(relation);
        }
        Ok(())
    }

    /// The alias of a table with a name for each of its columns, if it has some: the others keep theirs.
    fn complete<'b>(
        &self,
        name: &ObjectName,
        alias: &'b mut Option<TableAlias>,
    ) -> Result<&'b Option<TableAlias>> {
        if let Some(alias) = alias
            && !alias.columns.is_empty()
        {
            let (Named::Relation(relation)
            | Named::Renamed(_, relation)
            | Named::View(_, relation)) = self.table(name, None)?;
            let (has, named) = (relation.columns.len(), alias.columns.len());
            if !relation.opaque && named > has {
                let message = format!(
                    "table \"{}\" has {has} columns available but {named} columns specified",
                    relation.name
                );
                return Err(Error::new("42P10", message));
            }
            let rest = relation.columns.iter().skip(named);
            alias.columns.extend(rest.map(|column| TableAliasColumnDef {
                name: sql::ident(column),
                data_type: None,
            }));
        }
        Ok(alias)
    }

    /// What a name in a `FROM` clause means.
    fn table(&self, name: &ObjectName, alias: Option<&TableAlias>) -> Result<Named> {
        let parts = sql::parts(name).unwrap_or_default();
        let (schema, table) = match parts.as_slice() {
            [table] => (None, table.as_str()),
            [schema, table] | [_, schema, table] => (Some(schema.as_str()), table.as_str()),
            _ => return Ok(Named::Relation(Relation::opaque(""))),
        };
        let seen_as = |relation: Relation| match alias {
            Some(alias) => relation.under(alias),
            None => relation,
        };
        if schema.is_none()
            && let Some((_, cte)) = self.ctes.iter().rev().find(|(name, _)| name == table)
        {
            return Ok(Named::Relation(seen_as(cte.clone())));
        }
        if schema.is_some_and(|schema| schema != "public") {
            return Ok(Named::Relation(seen_as(Relation::opaque(table))));
        }
        if let Some(columns) = self.schema.columns(table) {
            let relation = Relation {
                keyed: (table == keys::KEYED && self.schema.keyed).then_some(Keyed::State),
                ..Relation::table(table, columns)
            };
            return Ok(Named::Relation(seen_as(relation)));
        }
        if let Some(view) = self.schema.views.find(table) {
            let relation = Relation {
                columns: columns_of(&view.query, self.schema)?,
                opaque: false,
                keyed: self.schema.keyed.then_some(Keyed::View),
                ..Relation::opaque(table)
            };
            return Ok(Named::View(view.clone(), seen_as(relation)));
        }
        if let Some((past, today)) = aliases::table(table)
            && let Some(columns) = self.schema.columns(today)
        {
            let relation = Relation {
                name: past.to_owned(),
                ..Relation::table(today, columns)
            };
            return Ok(Named::Renamed(today, seen_as(relation)));
        }
        Err(Error::new("42P01", format!("relation \"{table}\" does not exist")).about(table))
    }

    fn projected(&mut self, item: &mut SelectItem) -> Result<()> {
        match item {
            SelectItem::UnnamedExpr(expr) => {
                let name = sql::column(expr).cloned();
                let before = expr.clone();
                self.expressions(expr)?;
                // The column is still called as it was asked for.
                if let Some(name) = name
                    && *expr != before
                    && sql::column(expr).is_none_or(|now| sql::folded(now) != sql::folded(&name))
                {
                    let expr = expr.clone();
                    *item = SelectItem::ExprWithAlias { expr, alias: name };
                }
                Ok(())
            }
            SelectItem::ExprWithAlias { expr, .. } | SelectItem::ExprWithAliases { expr, .. } => {
                self.expressions(expr)
            }
            SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(name), _) => {
                // `public.orders.*`, where the view is a derived table by now.
                if name.0.len() > 1 {
                    name.0.drain(..name.0.len() - 1);
                }
                Ok(())
            }
            SelectItem::QualifiedWildcard(..) | SelectItem::Wildcard(_) => Ok(()),
        }
    }

    /// What a select with this projection offers to the query around it.
    fn offered(&self, select: &Select) -> Relation {
        let mut offered = Relation::default();
        let Some(scope) = self.scopes.last() else {
            return offered;
        };
        for item in &select.projection {
            match item {
                SelectItem::UnnamedExpr(expr) => {
                    let name = sql::column(expr).map(sql::folded);
                    offered.columns.push(name.unwrap_or_default());
                }
                SelectItem::ExprWithAlias { alias, .. } => offered.columns.push(sql::folded(alias)),
                SelectItem::ExprWithAliases { aliases, .. } => {
                    offered.columns.extend(aliases.iter().map(sql::folded));
                }
                SelectItem::Wildcard(_) => scope.relations.iter().for_each(|r| offered.take_in(r)),
                SelectItem::QualifiedWildcard(
                    SelectItemQualifiedWildcardKind::ObjectName(name),
                    _,
                ) => {
                    let name = sql::last(name);
                    let named = scope.relations.iter();
                    let named = named.filter(|relation| Some(&relation.name) == name.as_ref());
                    named.for_each(|relation| offered.take_in(relation));
                }
                SelectItem::QualifiedWildcard(..) => offered.opaque = true,
            }
        }
        offered
    }

    /// An output column goes before an input column of the same name, as in PostgreSQL.
    fn order_by(
        &mut self,
        order_by: Option<&mut sqlparser::ast::OrderBy>,
        offered: &Relation,
    ) -> Result<()> {
        if let Some(OrderByKind::Expressions(items)) = order_by.map(|order| &mut order.kind) {
            for item in items {
                let is_output = matches!(&item.expr, Expr::Identifier(ident) if offered.has(&sql::folded(ident)));
                if !is_output {
                    self.expressions(&mut item.expr)?;
                }
            }
        }
        Ok(())
    }

    fn using(&mut self, columns: &mut [ObjectName]) -> Result<()> {
        let scope = self.scopes.last();
        let Some((right, left)) = scope.and_then(|scope| scope.relations.split_last()) else {
            return Ok(());
        };
        for column in columns {
            let Some(name) = sql::last(column) else {
                continue;
            };
            if right.has(&name) && left.iter().any(|relation| relation.has(&name)) {
                continue;
            }
            let left = left.iter().find_map(|relation| relation.today(&name));
            match (left, right.today(&name)) {
                (Some(left), Some(right)) if left == right => {
                    *column = ObjectName::from(vec![sql::ident(&left)]);
                }
                (None, _) | (_, None) => {}
                (Some(left), Some(right)) => {
                    return Err(Error::unsupported(format!(
                        "USING ({name}) would join column {left} with column {right}"
                    ))
                    .hint(format!("Join them by name: ON l.{left} = r.{right}."))
                    .about(&name));
                }
            }
        }
        Ok(())
    }

    /// Replaces the columns in an expression, and rewrites the queries in it.
    fn expressions(&mut self, node: &mut impl VisitMut) -> Result<()> {
        let mut columns = Columns {
            rewriter: self,
            depth: 0,
        };
        sql::walked(node.visit(&mut columns))
    }

    /// What is to stand for a column, if something else is.
    fn column(&self, qualifier: Option<&str>, name: &str) -> Result<Option<Expr>> {
        for scope in self.scopes.iter().rev() {
            match scope.find(qualifier, name) {
                Found::Column => return Ok(None),
                Found::Alias(expr) => return Ok(Some(*expr)),
                Found::Several => {
                    let message = format!("column reference \"{name}\" is ambiguous");
                    return Err(Error::new("42702", message).about(name));
                }
                Found::Nothing => {}
            }
        }
        Ok(None)
    }
}

/// Calls the column of `generate_series` what PostgreSQL calls it: as the table.
fn name_series(factor: &mut TableFactor) {
    if let TableFactor::Table {
        name,
        alias,
        args: Some(args),
        ..
    } = factor
        && sql::last(name).as_deref() == Some("generate_series")
    {
        // It may be given texts.
        let _ = visit_expressions_mut(&mut args.args, |given| {
            if sql::text(given).is_some_and(|text| text.parse::<i64>().is_ok()) {
                *given = sql::number(sql::text(given).unwrap_or_default());
            }
            ControlFlow::<()>::Continue(())
        });
        let alias = alias.get_or_insert_with(|| table_alias("generate_series"));
        if alias.columns.is_empty() {
            let (name, data_type) = (alias.name.clone(), None);
            alias.columns.push(TableAliasColumnDef { name, data_type });
        }
    }
}

/// What a name in a `FROM` clause turned out to be.
enum Named {
    /// What it says.
    Relation(Relation),
    /// A table that has another name today.
    Renamed(&'static str, Relation),
    /// A view.
    View(Arc<View>, Relation),
}

/// Walks through an expression.
struct Columns<'a, 'b> {
    rewriter: &'a mut Rewriter<'b>,
    /// How many subqueries around the current place are rewritten already.
    depth: usize,
}

impl VisitorMut for Columns<'_, '_> {
    type Break = Error;

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<Error> {
        if self.depth == 0 {
            sql::flow(self.rewriter.query(query))?;
        }
        self.depth += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &mut Query) -> ControlFlow<Error> {
        self.depth -= 1;
        ControlFlow::Continue(())
    }

    // After its parts, so that what is put in is not looked at again.
    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Error> {
        if self.depth > 0 {
            return ControlFlow::Continue(());
        }
        let (qualifier, name) = match expr {
            Expr::Identifier(ident) => (None, sql::folded(ident)),
            Expr::CompoundIdentifier(parts) => {
                if let [schema, _, _] = parts.as_slice()
                    && sql::folded(schema) == "public"
                {
                    parts.remove(0);
                }
                let [qualifier, name] = parts.as_slice() else {
                    return ControlFlow::Continue(());
                };
                (Some(sql::folded(qualifier)), sql::folded(name))
            }
            _ => return ControlFlow::Continue(()),
        };
        if let Some(today) = sql::flow(self.rewriter.column(qualifier.as_deref(), &name))? {
            *expr = today;
        }
        ControlFlow::Continue(())
    }
}

#[cfg(test)]
mod tests;
