//! From PostgreSQL's dialect to SQLite's, in the syntax tree.

use std::ops::ControlFlow;
use std::sync::Arc;

use pgwire::api::Type;
use sqlparser::ast::{
    AccessExpr, BinaryOperator, DataType, Expr, Function, FunctionArg, FunctionArgExpr,
    FunctionArguments, Ident, ObjectName, OrderByExpr, OrderByKind, OrderBySort, Query, Select,
    SelectItem, SetExpr, Subscript, TableAliasColumnDef, TableFactor, TableFunctionArgs,
    TableWithJoins, TrimWhereField, UnaryOperator, Value, VisitMut, VisitorMut,
    visit_expressions_mut,
};

use super::facts;
use crate::about::About;
use crate::error::{Error, Result};
use crate::parse;
use crate::rewrite;
use crate::session::Session;
use crate::sql::{self, binary, call, literal, text};

/// Puts a query of the catalogue, whose columns have these types, into SQLite's dialect.
pub(super) fn translate(
    query: &mut Query,
    kinds: &[Option<Type>],
    session: &Arc<Session>,
) -> Result<()> {
    let mut translator = Translator {
        about: session.about(),
        session,
        renamed: Vec::new(),
        tables: Vec::new(),
        functions: 0,
    };
    sql::walked(query.visit(&mut translator))?;
    if !translator.renamed.is_empty() {
        rename(query, &translator.renamed);
    }
    name_oids(&mut query.body, kinds);
    Ok(())
}

struct Translator<'a> {
    about: About,
    session: &'a Arc<Session>,
    /// The columns of functions in a `FROM`: table, name, and the expression of SQLite that it stands for.
    renamed: Vec<(String, String, Expr)>,
    /// What tables are called, and their names.
    tables: Vec<(String, String)>,
    /// How many functions that return rows were moved into a `FROM`.
    functions: usize,
}

fn moved_name(number: usize) -> String {
    format!("rows_{number}")
}

/// Puts the columns of SQLite's functions in place of those of PostgreSQL's.
fn rename(query: &mut Query, renamed: &[(String, String, Expr)]) {
    let _ = visit_expressions_mut(query, |expr| {
        let (table, column) = match expr {
            Expr::Identifier(column) => (None, sql::folded(column)),
            Expr::CompoundIdentifier(parts) if parts.len() == 2 => {
                (Some(sql::folded(&parts[0])), sql::folded(&parts[1]))
            }
            _ => return ControlFlow::<()>::Continue(()),
        };
        let found = renamed.iter().find(|(of, name, _)| {
            *name == column && table.as_ref().is_none_or(|table| table == of)
        });
        if let Some((_, _, value)) = found {
            *expr = value.clone();
        }
        ControlFlow::Continue(())
    });
}

/// Names in place of oids in the columns of type `regclass` and `regtype`.
fn name_oids(body: &mut SetExpr, kinds: &[Option<Type>]) {
    sql::selects(body, &mut |select| {
        for (item, kind) in select.projection.iter_mut().zip(kinds) {
            if let (Some(expr), Some(kind)) = (sql::output_mut(item), kind)
                && let Some(name) = naming(kind.name())
            {
                *expr = call(&name, [sql::take(expr)]);
            }
        }
    });
}

/// Takes selects that are branches of a `UNION` out of their parentheses, which SQLite does not know.
fn bare_branches(body: &mut SetExpr) {
    let SetExpr::SetOperation { left, right, .. } = body else {
        return;
    };
    for branch in [left, right] {
        bare_branches(branch);
        if let SetExpr::Query(query) = &mut **branch
            && let bare = (
                query.with.as_ref(),
                query.order_by.as_ref(),
                query.limit_clause.as_ref(),
            )
            && bare == (None, None, None)
            && let SetExpr::Select(select) = &*query.body
        {
            **branch = SetExpr::Select(select.clone());
        }
    }
}

/// The function that returns the name of an oid of this type.
fn naming(kind: &str) -> Option<String> {
    ["regclass", "regtype"]
        .contains(&kind)
        .then(|| format!("pg_{kind}_name"))
}

/// An expression that will be a text: the name of what is an oid so far.
fn named(expr: &Expr) -> Expr {
    if let Expr::Function(function) = expr
        && let Some(last) = sql::last(&function.name)
        && let Some((_, kind)) = last.split_once('_')
        && let Some(name) = naming(kind)
    {
        return call(&name, [expr.clone()]);
    }
    expr.clone()
}

impl VisitorMut for Translator<'_> {
    type Break = Error;

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<Error> {
        query.locks.clear();
        bare_branches(&mut query.body);
        // NULL comes last, or first of all in descending order: SQLite has it the other way round.
        let order = query.order_by.as_mut().map(|order| &mut order.kind);
        if let Some(OrderByKind::Expressions(by)) = order {
            for OrderByExpr { options, .. } in by {
                let is_descending = matches!(options.sort, Some(OrderBySort::Desc));
                options.nulls_first.get_or_insert(is_descending);
            }
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Error> {
        match expr {
            Expr::Identifier(name) => quote_reserved(name),
            Expr::CompoundIdentifier(parts) => parts.iter_mut().for_each(quote_reserved),
            _ => {}
        }
        ControlFlow::Continue(())
    }

    /// Columns keep the names that PostgreSQL gives them, whatever becomes of their expressions.
    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<Error> {
        for factor in sql::factors(&select.from) {
            if let TableFactor::Table { name, .. } = factor {
                let named = sql::called(factor).zip(sql::last(name));
                self.tables.extend(named);
            }
        }
        for item in &mut select.projection {
            if let SelectItem::UnnamedExpr(expr) = item
                && let Some(name) = rewrite::column_name(expr)
            {
                *item = SelectItem::ExprWithAlias {
                    expr: sql::take(expr),
                    // It may be a word of SQL, such as `case`.
                    alias: Ident::with_quote('"', &name),
                };
            } else if let SelectItem::ExprWithAlias { alias, .. } = item {
                quote_reserved(alias);
            }
        }
        ControlFlow::Continue(())
    }

    fn post_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<Error> {
        sql::flow(self.table_factor(factor))
    }

    /// Functions that return rows stand in the `SELECT` list of PostgreSQL, and in the `FROM` of SQLite. The rows of all of them are
    /// in step.
    fn post_visit_select(&mut self, select: &mut Select) -> ControlFlow<Error> {
        let before = self.functions;
        let mut tables = Vec::new();
        visit_expressions_mut(&mut select.projection, |expr| {
            if let Some((name, rows)) = rows_of(expr) {
                let table = moved_name(before + tables.len());
                tables.push(each(rows, &table));
                *expr = column(&table, &name);
            }
            ControlFlow::Continue(())
        })?;
        self.functions += tables.len();
        // All columns of a function are those of PostgreSQL's.
        if let ([SelectItem::Wildcard(_)], [from]) = (&select.projection[..], &select.from[..])
            && let TableFactor::Table {
                alias: Some(alias),
                args: Some(_),
                ..
            } = &from.relation
            && from.joins.is_empty()
        {
            let of = sql::folded(&alias.name);
            let columns = self.renamed.iter().filter(|(table, ..)| *table == of);
            let columns = columns.map(|(_, name, expr)| SelectItem::ExprWithAlias {
                expr: expr.clone(),
                alias: Ident::with_quote('"', name),
            });
            let columns: Vec<_> = columns.collect();
            if !columns.is_empty() {
                select.projection = columns;
            }
        }
        for (index, table) in tables.into_iter().enumerate() {
            if index > 0 {
                let [this, first] = [index, 0].map(|index| moved_name(before + index));
                let selection = select.selection.take();
                let selection = selection.unwrap_or(literal(Value::Boolean(true)));
                let written = format!("($1) AND {this}.key = {first}.key");
                select.selection = Some(sql::flow(parse::expression(&written, &[selection]))?);
            }
            select.from.push(TableWithJoins {
                relation: table,
                joins: Vec::new(),
            });
        }
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Error> {
        let any_case = matches!(expr, Expr::ILike { .. });
        let translated = match expr {
            Expr::Function(function) => sql::flow(self.function(function))?,
            Expr::Cast {
                expr, data_type, ..
            } => cast(expr, data_type),
            Expr::BinaryOp { left, op, right } => operator(left, op, right),
            Expr::Like {
                negated,
                expr,
                pattern,
                escape_char,
                ..
            }
            | Expr::ILike {
                negated,
                expr,
                pattern,
                escape_char,
                ..
            } => {
                let pattern = match escape_char {
                    Some(escape) => sql::escaped_by_backslash((**pattern).clone(), escape),
                    None => (**pattern).clone(),
                };
                let any_case = literal(Value::Boolean(any_case));
                let matched = call("pg_like", [(**expr).clone(), pattern, any_case]);
                Some(not_if(*negated, matched))
            }
            Expr::Collate { expr, .. } => Some((**expr).clone()),
            Expr::AnyOp {
                left,
                compare_op: BinaryOperator::Eq,
                right,
                ..
            } => Some(any(left, right)),
            Expr::AllOp {
                left,
                compare_op: BinaryOperator::NotEq,
                right,
            } => Some(not_if(true, any(left, right))),
            Expr::Array(array) => Some(call("pg_array", array.elem.clone())),
            Expr::CompoundFieldAccess { root, access_chain } => accessed(root, access_chain),
            Expr::CompoundIdentifier(parts) => self.system_column(parts),
            Expr::Identifier(name) => self.system_column(std::slice::from_ref(name)),
            Expr::Trim {
                expr,
                trim_where,
                trim_what,
                trim_characters,
            } => {
                let function = match trim_where {
                    Some(TrimWhereField::Leading) => "ltrim",
                    Some(TrimWhereField::Trailing) => "rtrim",
                    Some(TrimWhereField::Both) | None => "trim",
                };
                let what = trim_what.iter().map(|what| (**what).clone());
                let what = what.chain(trim_characters.iter().flatten().cloned());
                let arguments = std::iter::once((**expr).clone()).chain(what);
                Some(call(function, arguments))
            }
            Expr::Substring {
                expr,
                substring_from: Some(from),
                substring_for,
                ..
            } => {
                let length = substring_for.iter().map(|length| (**length).clone());
                let given = [(**expr).clone(), (**from).clone()];
                Some(call("substr", given.into_iter().chain(length)))
            }
            _ => None,
        };
        if let Some(translated) = translated {
            *expr = translated;
        }
        ControlFlow::Continue(())
    }
}

impl Translator<'_> {
    fn function(&self, function: &mut Function) -> Result<Option<Expr>> {
        const TIMES: &str = "now transaction_timestamp statement_timestamp clock_timestamp pg_postmaster_start_time \
            pg_conf_load_time";
        let parts = sql::parts(&function.name).unwrap_or_default();
        if parts.len() > 1 {
            function.name.0.drain(..parts.len() - 1);
        }
        let name = parts.last().map(String::as_str).unwrap_or_default();
        let arguments: Vec<&Expr> = match &function.args {
            FunctionArguments::None => Vec::new(),
            FunctionArguments::Subquery(query) => {
                return Ok((name == "array").then(|| collected(query)).flatten());
            }
            FunctionArguments::List(list) => list.args.iter().filter_map(sql::argument).collect(),
        };
        let constant = |text: String| Some(sql::string(text));
        match (name, arguments.as_slice()) {
            _ if TIMES.split(' ').any(|known| known == name) => {
                let time = chrono::Utc::now().format("%F %T%.6f+00");
                Ok(constant(time.to_string()))
            }
            (_, []) => Ok(self.about.value(name).map(literal)),
            ("current_schemas", [Expr::Value(value)]) if value.value == Value::Boolean(false) => {
                Ok(constant("{public}".to_owned()))
            }
            ("current_schemas", _) => Ok(constant("{pg_catalog,public}".to_owned())),
            ("least" | "bool_and" | "every", _) => {
                Ok(Some(call("min", arguments.into_iter().cloned())))
            }
            ("strpos", _) => Ok(Some(call("instr", arguments.into_iter().cloned()))),
            ("greatest" | "bool_or", _) => Ok(Some(call("max", arguments.into_iter().cloned()))),
            ("current_setting", [setting, rest @ ..]) => {
                let Some(setting) = text(uncast(setting)) else {
                    return Ok(None);
                };
                match self.session.shown(setting) {
                    Ok(value) => Ok(constant(value)),
                    // `current_setting(name, true)`: nothing where there is none.
                    Err(_) if !rest.is_empty() => Ok(Some(literal(Value::Null))),
                    Err(error) => Err(error),
                }
            }
            ("set_config", [setting, value, is_local]) => {
                if let (Some(setting), Some(value)) = (text(uncast(setting)), text(uncast(value))) {
                    let is_local = uncast(is_local).to_string() == "true";
                    self.session.set(setting, value, is_local)?;
                    return Ok(constant(self.session.shown(setting)?));
                }
                Ok(None)
            }
            _ => Ok(None),
        }
    }
}

impl Translator<'_> {
    /// The columns that every table of PostgreSQL has. Nothing changes the catalogue, so they have the same value in all rows.
    fn system_column(&self, parts: &[Ident]) -> Option<Expr> {
        let (name, table) = parts.split_last()?;
        let number = match sql::folded(name).as_str() {
            "xmin" => "1",
            "xmax" | "cmin" | "cmax" => "0",
            "tableoid" => {
                let called = table.last().map(sql::folded);
                let mut tables = self.tables.iter().rev();
                let found = tables.find(|(name, _)| called.as_ref().is_none_or(|of| of == name));
                let known = found.and_then(|(_, table)| facts::relation(table));
                return Some(sql::number(known.map_or(0, |known| known.oid).to_string()));
            }
            _ => return None,
        };
        Some(sql::number(number))
    }

    /// Functions in a `FROM`, and aliases with columns.
    fn table_factor(&mut self, factor: &mut TableFactor) -> Result<()> {
        let rows = match factor {
            TableFactor::UNNEST {
                array_exprs,
                alias,
                with_ordinality,
                ..
            } => {
                let array = array_exprs.first().cloned();
                let rows = array.map(|array| call("pg_array_json", [array]));
                rows.map(|rows| (rows, "unnest".to_owned(), alias, *with_ordinality))
            }
            TableFactor::Table {
                name,
                args: Some(args),
                alias,
                with_ordinality,
                ..
            } => {
                let arguments = args.args.iter().filter_map(sql::argument).cloned();
                let mut function = sql::last(name).unwrap_or_default();
                let rows = match function.as_str() {
                    "string_to_array" | "current_schemas" => {
                        // One row with the value.
                        let value = call(&function, arguments);
                        function = String::from("value");
                        Some(call("json_array", [value]))
                    }
                    _ => rows(&function, arguments),
                };
                rows.map(|rows| (rows, function, alias, *with_ordinality))
            }
            _ => None,
        };
        if let Some((rows, name, alias, with_ordinality)) = rows {
            let table = alias.as_ref().map(|alias| sql::folded(&alias.name));
            let table = table.unwrap_or_else(|| name.clone());
            let columns = alias.iter().flat_map(|alias| &alias.columns);
            let columns: Vec<String> = columns.map(|column| sql::folded(&column.name)).collect();
            let value = columns.first().unwrap_or(&table).clone();
            self.renamed
                .push((table.clone(), value, column(&table, &name)));
            if with_ordinality {
                let ordinality = columns.get(1).map_or("ordinality", String::as_str);
                let number = column(&table, "generate_subscripts");
                self.renamed
                    .push((table.clone(), ordinality.to_owned(), number));
            }
            *factor = each(rows, &table);
            return Ok(());
        }
        function_of_table(factor);
        name_columns(factor)
    }
}

/// A function of the rows of a table, such as `pg_show_all_settings()`, is that table.
fn function_of_table(factor: &mut TableFactor) {
    if let TableFactor::Table {
        name,
        args: args @ Some(_),
        ..
    } = factor
        && let Some(function) = sql::last(name)
        && function.starts_with("pg_")
    {
        let table = match function.as_str() {
            "pg_show_all_settings" => "pg_settings",
            other => other,
        };
        *name = ObjectName::from(vec![sql::ident("pg_catalog"), sql::ident(table)]);
        *args = None;
    }
}

/// Column aliases of a table: SQLite names columns in a `WITH` only.
fn name_columns(factor: &mut TableFactor) -> Result<()> {
    let (TableFactor::Table { alias, .. } | TableFactor::Derived { alias, .. }) = &mut *factor
    else {
        return Ok(());
    };
    let Some(mut named) = alias.take_if(|alias| !alias.columns.is_empty()) else {
        return Ok(());
    };
    if let TableFactor::Table { name, .. } = factor {
        // The columns without an alias keep their names.
        let columns = facts::columns_of(&sql::last(name).unwrap_or_default());
        let rest = columns.iter().skip(named.columns.len());
        let rest = rest.map(|(name, ..)| TableAliasColumnDef::from_name(*name));
        named.columns.extend(rest);
    }
    let mut query = parse::query("WITH t AS (SELECT * FROM t) SELECT * FROM t")?;
    if let Some(with) = &mut query.with
        && let [cte] = with.cte_tables.as_mut_slice()
    {
        cte.alias.columns = std::mem::take(&mut named.columns);
        if let SetExpr::Select(select) = &mut *cte.query.body {
            select.from[0].relation = factor.clone();
        }
    }
    *factor = sql::derived(query, Some(named));
    Ok(())
}

/// What is cast.
fn uncast(expr: &Expr) -> &Expr {
    match expr {
        Expr::Cast { expr, .. } => uncast(expr),
        other => other,
    }
}

/// A part of a value: an element of an array, or a part of what `_pg_expandarray` returns.
fn accessed(root: &Expr, chain: &[AccessExpr]) -> Option<Expr> {
    chain
        .iter()
        .try_fold(root.clone(), |value, access| match (value, access) {
            (Expr::Identifier(table), AccessExpr::Dot(Expr::Identifier(column))) => {
                Some(Expr::CompoundIdentifier(vec![table, column.clone()]))
            }
            (value, AccessExpr::Dot(Expr::Identifier(part))) => {
                let path = format!("$.{}", sql::folded(part));
                Some(call("json_extract", [value, sql::string(path)]))
            }
            (value, AccessExpr::Subscript(Subscript::Index { index })) => {
                Some(call("pg_element", [value, index.clone()]))
            }
            _ => None,
        })
}

/// The name of a function that returns several rows, and what they are made of: an array in JSON.
fn rows_of(expr: &Expr) -> Option<(String, Expr)> {
    let Expr::Function(function) = expr else {
        return None;
    };
    let name = sql::last(&function.name)?;
    let FunctionArguments::List(list) = &function.args else {
        return None;
    };
    let arguments = list.args.iter().filter_map(sql::argument).cloned();
    let rows = rows(&name, arguments)?;
    Some((name, rows))
}

fn rows(function: &str, arguments: impl Iterator<Item = Expr>) -> Option<Expr> {
    match function {
        "unnest" | "generate_subscripts" | "_pg_expandarray" => {
            Some(call("pg_array_json", arguments.take(1)))
        }
        "generate_series" => Some(call("pg_series", arguments)),
        _ => None,
    }
}

/// `json_each(json) AS table`, which has a row for each element of an array.
fn each(json: Expr, table: &str) -> TableFactor {
    TableFactor::Table {
        name: ObjectName::from(vec![sql::ident("json_each")]),
        alias: Some(sql::table_alias(table)),
        args: Some(TableFunctionArgs {
            args: vec![FunctionArg::Unnamed(FunctionArgExpr::Expr(json))],
            settings: None,
        }),
        with_hints: Vec::new(),
        version: None,
        with_ordinality: false,
        partitions: Vec::new(),
        json_path: None,
        sample: None,
        index_hints: Vec::new(),
    }
}

/// What a function of an array returns for a row of [`each`].
fn column(table: &str, function: &str) -> Expr {
    let column = |name| Expr::CompoundIdentifier(vec![sql::ident(table), sql::ident(name)]);
    let written = match function {
        "generate_subscripts" => "($1 + 1)",
        "_pg_expandarray" => "json_object('x', $2, 'n', ($1 + 1))",
        _ => "$2",
    };
    let written = parse::expression(written, &[column("key"), column("value")]);
    written.unwrap_or_else(|_| column("value"))
}

/// `ARRAY(SELECT x …)` as `(SELECT coalesce(array_agg(x), '{}') FROM (SELECT x …))`.
fn collected(query: &Query) -> Option<Expr> {
    let mut query = query.clone();
    let SetExpr::Select(select) = &mut *query.body else {
        return None;
    };
    if let Some(item) = select.projection.first_mut()
        && let Some(expr) = sql::output_mut(item).map(sql::take)
    {
        let alias = sql::ident("element");
        *item = SelectItem::ExprWithAlias { expr, alias };
    }
    let all = parse::expression("coalesce(array_agg(element), '{}')", &[]).ok()?;
    let elements = sql::derived(query, Some(sql::table_alias("elements")));
    let outer = parse::select(vec![SelectItem::UnnamedExpr(all)], Some(elements), None);
    Some(Expr::Subquery(Box::new(outer.ok()?)))
}

fn cast(expr: &Expr, data_type: &DataType) -> Option<Expr> {
    let name = match data_type {
        DataType::Custom(name, _) => sql::last(name)?,
        DataType::Regclass => "regclass".to_owned(),
        other => other.to_string().to_lowercase(),
    };
    let to = |expr, data_type| Some(sql::cast(expr, data_type));
    let name = name.split('(').next().unwrap_or(&name);
    match name {
        "regclass" => Some(call("pg_regclass", [expr.clone()])),
        "regtype" => Some(call("pg_regtype", [expr.clone()])),
        "regtype[]" => Some(call("pg_regtype_names", [expr.clone()])),
        "regnamespace" => Some(call("pg_regnamespace", [expr.clone()])),
        // The catalogue has the names of functions.
        "regproc" => Some(text(expr).map_or_else(
            || expr.clone(),
            |name| {
                let (_, name) = name.rsplit_once('.').unwrap_or(("", name));
                sql::string(name)
            },
        )),
        "oid" | "int2" | "int4" | "int8" | "int" | "integer" | "bigint" | "smallint" | "xid" => {
            to(expr.clone(), DataType::Integer(None))
        }
        "real" | "double precision" | "float4" | "float8" | "float" => {
            to(expr.clone(), DataType::Real)
        }
        "text" | "name" | "varchar" | "character varying" | "bpchar" | "char" => {
            to(named(expr), DataType::Text)
        }
        // The rest are texts already, or NULL.
        _ => Some(expr.clone()),
    }
}

/// Words that name columns in PostgreSQL, as in `AS table`, and that SQLite reserves.
const RESERVED: &str = "table index default order group select where from to check column constraint create references \
    unique values add all alter commit delete drop foreign in insert into join limit not on primary set transaction \
    union update using when";

fn quote_reserved(name: &mut Ident) {
    let is_reserved = |word| name.value.eq_ignore_ascii_case(word);
    if name.quote_style.is_none() && RESERVED.split(' ').any(is_reserved) {
        *name = Ident::with_quote('"', sql::folded(name));
    }
}

fn operator(left: &Expr, op: &BinaryOperator, right: &Expr) -> Option<Expr> {
    let written = op.to_string();
    let (name, is_qualified) = match op {
        // The catalogue has the names of functions.
        BinaryOperator::Eq if is_oid(left) && is_function(right) => {
            let oid = call("pg_regproc", [right.clone()]);
            return Some(binary(left.clone(), BinaryOperator::Eq, oid));
        }
        BinaryOperator::PGCustomBinaryOperator(parts) => (parts.last()?.as_str(), true),
        BinaryOperator::StringConcat => {
            let parts = (named(left), named(right));
            return ((&parts.0, &parts.1) != (left, right))
                .then(|| binary(parts.0, op.clone(), parts.1));
        }
        _ => (written.as_str(), false),
    };
    let compared = |op| {
        let compared = binary(left.clone(), op, right.clone());
        // `OPERATOR(…)` binds otherwise than the operator itself.
        Some(Expr::Nested(Box::new(compared)))
    };
    let function = match name.trim_start_matches('!').trim_end_matches('*') {
        "~" => "pg_regex",
        "~~" => "pg_like",
        "=" if is_qualified => return compared(BinaryOperator::Eq),
        "<>" if is_qualified => return compared(BinaryOperator::NotEq),
        _ => return None,
    };
    let any_case = literal(Value::Boolean(name.ends_with('*')));
    let matched = call(function, [left.clone(), right.clone(), any_case]);
    Some(not_if(name.starts_with('!'), matched))
}

fn is_oid(expr: &Expr) -> bool {
    sql::column(expr).is_some_and(|name| sql::folded(name) == "oid")
}

/// Whether it is a column of type `regproc`.
fn is_function(expr: &Expr) -> bool {
    let name = sql::column(expr).map(sql::folded);
    name.and_then(|name| facts::type_of_column(&name)) == Some(Type::REGPROC)
}

fn any(left: &Expr, right: &Expr) -> Expr {
    match right {
        Expr::Subquery(query) => Expr::InSubquery {
            expr: Box::new(left.clone()),
            subquery: query.clone(),
            negated: false,
        },
        Expr::Nested(inner) => any(left, inner),
        other => call("pg_any_equal", [left.clone(), other.clone()]),
    }
}

fn not_if(negated: bool, expr: Expr) -> Expr {
    if !negated {
        return expr;
    }
    let (op, expr) = (UnaryOperator::Not, Box::new(expr));
    Expr::Nested(Box::new(Expr::UnaryOp { op, expr }))
}
