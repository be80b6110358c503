//! How large and how deep a query may be.
//!
//! The stack is what a query can use up: of the gateway, which walks through syntax trees, and of the runtime, which dies of a
//! stack overflow and takes everybody's orders with it. Both are asked nothing that comes near. A query is measured three
//! times: its words, before they are parsed; its tree; and the tree that is sent, with views and values in it.
//!
//! Seen with Restate 1.7.12 (DataFusion 54.1) on Linux, `x86_64`, in a default configuration:
//!
//! | what | dies or is lost in thought at | bound |
//! |---|---|---|
//! | chain of operators (`a or b or …`) | 2,000 terms: stack overflow | [`DEPTH`] |
//! | tables in one `FROM` | 400: stack overflow; 150: 15 s | [`JOINED`] |
//! | `WITH` queries that read each other | 390: over a minute on a busy machine | [`NAMED`] |
//! | `WITH` queries that double each other | 14 of them (8,192 scans): 5 s; 100: 8 GB | [`SCANS`] |
//! | functions or subqueries in each other, `->` after `->` | 20: 7 to 11 s, and one more doubles it | [`WORK`] |
//! | views joined by `union` | 390 of `orders`: 8 s of a core | [`CALCULATIONS`] |
//! | columns in one `ORDER BY` | 1,600: 15 s | [`SORTED`] |
//! | window functions | 500: 30 s | [`WINDOWS`] |
//! | brackets in each other | 48 casts: for ever | [`BRACKETS`], [`CASTS`] |
//! | `cube(…)` | 100 columns: 12 GB | [`CUBE`] |
//! | `range(1, 1000000000000)` and other functions that make as much as they are told to | 10 GB in 15 s | [`MADE`] |
//! | the same in a query of many rows, which it makes 8,192 at a time: `array_repeat(value, 1000000)` | 3.7 GB in 5 s | [`MADE`] |
//! | texts doubled by `s || s`, 30 times through `WITH` queries; `replace` in `replace` | 6 GB in 10 s | [`MADE`] |
//! | `levenshtein` of two long texts | a thread for minutes | [`COMPARED`] |
//! | `array_agg(…) over (…)`, which keeps a list for each row | 2.7 GB for 20,000 rows | refused |

use std::fmt::{Arguments, Display};
use std::ops::ControlFlow;

use sqlparser::ast::{
    BinaryOperator, Expr, Function, FunctionArguments, ObjectName, OrderBy, OrderByKind, Query,
    Select, SetExpr, TableFactor, UnaryOperator, Visit, Visitor,
};
use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Token, TokenWithSpan};

use crate::error::{Error, Result};
use crate::sql;
use crate::with_queries::WithQueries;

/// The most words and signs in a query.
const WORDS: usize = 100_000;
/// The most words and signs from the beginning of a list's item to its end, together with those around it. A tree is never
/// deeper than that.
const WORDS_OF_AN_ITEM: usize = 4_000;
/// The most brackets in each other. DataFusion's parser gives up at fifty levels, of which a bracket takes up to two.
const BRACKETS: usize = 40;
/// The most types in each other: `int[][]`.
const DIMENSIONS: usize = 8;
/// The most levels of a tree.
const DEPTH: usize = 400;
/// The most expressions in a query.
const EXPRESSIONS: usize = 50_000;
/// The most of them that are no literals. The view `orders` has about 100.
const CALCULATIONS: usize = 10_000;
/// The most expressions to sort by.
const SORTED: usize = 400;
/// The most window functions.
const WINDOWS: usize = 64;
/// The most tables in one `FROM`.
const JOINED: usize = 64;
/// The most queries in one `WITH`.
const NAMED: usize = 64;
/// The most tables that a query reads, where one in a `WITH` query counts as often as that is read.
const SCANS: u64 = 1_000;
/// The most that the runtime may have to look at: every expression, twice as often for each function or subquery around it.
const WORK: u64 = 100_000;
/// The most columns of all `cube(…)` together: n of them group the rows in 2^n ways.
const CUBE: usize = 8;
/// The most casts and signs in each other. A sign is sent with a bracket, and each cast doubles the time in which DataFusion's
/// parser finds out that it is too deep.
const CASTS: usize = 12;
/// The most bytes that the functions and operators of a `SELECT` may make for each row: see [`Measure::made_by`]. The runtime works
/// on 8,192 rows at a time.
const MADE: u64 = 100_000;
/// So many bytes are taken for a value of a column, an element of a list, and what a function makes that does not make more than
/// it was given.
const VALUE: u64 = 50;
/// The bytes of a number.
const NUMBER: u64 = 8;
/// The most characters of the shorter one of two texts of which the distance is asked for.
const COMPARED: usize = 100;
/// The most output columns, as in PostgreSQL.
const COLUMNS: usize = 1_664;

/// So much stack must be left for work on a syntax tree, or there is a new one, of [`STACK`] bytes. A tree of [`DEPTH`] takes
/// a part of it even in a debug build.
const RED_ZONE: usize = 16 << 20;
const STACK: usize = 64 << 20;

/// Does work on a syntax tree with as much stack as that takes.
pub(crate) fn with_stack<T>(work: impl FnOnce() -> T) -> T {
    stacker::maybe_grow(RED_ZONE, STACK, work)
}

/// Refuses a text before it is parsed if its tree could be too deep to be walked through.
pub(crate) fn check_words(tokens: &[TokenWithSpan], sql: &str) -> Result<()> {
    let mut words = 0_usize;
    // The words of the current item up to now, and those of the items around it. A branch of a CASE is an item too.
    let mut item = 0_usize;
    let mut items_around: Vec<(usize, bool)> = Vec::new();
    let mut brackets_around = 0_usize;
    let mut around = 0_usize;
    let mut dimensions = 0_usize;
    let mut before = &Token::EOF;
    for token in tokens {
        if matches!(token.token, Token::Whitespace(_)) {
            continue;
        }
        words += 1;
        item += 1;
        let is_long = around + item > WORDS_OF_AN_ITEM;
        let is_in_case = items_around.last().is_some_and(|(_, is_case)| *is_case);
        let keyword = match &token.token {
            Token::Word(word) if word.quote_style.is_none() => word.keyword,
            _ => Keyword::NoKeyword,
        };
        match (&token.token, keyword) {
            (Token::LParen | Token::LBracket | Token::LBrace, _) | (_, Keyword::CASE) => {
                around += item;
                let is_case = keyword == Keyword::CASE;
                items_around.push((item, is_case));
                item = 0;
                brackets_around += usize::from(!is_case);
            }
            (Token::RParen | Token::RBracket | Token::RBrace, _) => {
                // A CASE without END, which is a name, ends here too.
                while let Some((outer, is_case)) = items_around.pop() {
                    around -= outer;
                    item = outer;
                    if !is_case {
                        brackets_around -= 1;
                        break;
                    }
                }
            }
            (_, Keyword::END) if is_in_case => {
                let (outer, _) = items_around.pop().unwrap_or_default();
                around -= outer;
                item = outer;
            }
            (_, Keyword::WHEN) if is_in_case => item = 1,
            (Token::Comma | Token::SemiColon, _) => item = 0,
            _ => {}
        }
        // `int[][]`, or `array<array<int>>`, where the types are in each other though the brackets are not.
        match (before, &token.token) {
            (Token::LBracket, Token::RBracket) | (_, Token::Lt) => dimensions += 1,
            (Token::RBracket, Token::LBracket) | (Token::Lt, Token::Word(_)) => {}
            _ => dimensions = 0,
        }
        before = &token.token;
        let refused = if words > WORDS {
            too_large(format_args!("more than {WORDS} words and signs"))
        } else if is_long {
            too_deep(format_args!(
                "an expression of more than {WORDS_OF_AN_ITEM} words and signs"
            ))
        } else if brackets_around > BRACKETS {
            brackets()
        } else if dimensions > DIMENSIONS {
            too_deep(format_args!("more than {DIMENSIONS} types in each other"))
        } else {
            continue;
        };
        return Err(refused.at(sql, token.span.start));
    }
    Ok(())
}

/// Refuses a tree that is too deep or too large for the runtime.
pub(crate) fn check(node: &impl Visit) -> Result<()> {
    sql::walked(node.visit(&mut Measure::default()))
}

/// Refuses a text that is about to be sent if its brackets are too deep: printing adds some.
pub(crate) fn check_brackets(tokens: &[Token]) -> Result<()> {
    let mut open = 0_usize;
    for token in tokens {
        match token {
            Token::LParen | Token::LBracket => open += 1,
            Token::RParen | Token::RBracket => open = open.saturating_sub(1),
            _ => {}
        }
        if open > BRACKETS {
            return Err(brackets());
        }
    }
    Ok(())
}

fn brackets() -> Error {
    too_deep(format_args!("more than {BRACKETS} brackets in each other"))
}

fn too_deep(what: Arguments<'_>) -> Error {
    Error::new("54001", format!("statement too complex: {what}")).hint(
        "Split the query. A chain of comparisons can be a list: key IN ('a', 'b'), or key = ANY($1).",
    )
}

/// Breaks off the walk through a tree with an error if `count` is greater than `most`.
fn at_most<N: PartialOrd + Display + Copy>(count: N, most: N, what: &str) -> ControlFlow<Error> {
    if count > most {
        return ControlFlow::Break(too_deep(format_args!("more than {most} {what}")));
    }
    ControlFlow::Continue(())
}

fn too_large(what: Arguments<'_>) -> Error {
    Error::new("54000", format!("statement too large: {what}")).hint("Ask for less at a time.")
}

/// What is known of a query while it is walked through.
#[derive(Default)]
struct Level {
    /// The tables that it reads.
    scans: u64,
    /// How much deeper it makes the tree.
    depth: usize,
    /// For each expression around this place, what is in it up to now.
    parts: Vec<Parts>,
    /// The largest of its values, and all that it makes beside what it reads, in bytes for a row if its columns have [`VALUE`]
    /// each.
    largest: u64,
    made: u64,
    /// How many times as large as [`VALUE`] the columns are that it reads.
    read: u64,
}

/// What is known of a `WITH` query that can be read.
#[derive(Default)]
struct Named {
    scans: u64,
    growth: u64,
}

impl Level {
    /// How many times as large as [`VALUE`] a column of it may be.
    fn growth(&self) -> u64 {
        self.read
            .saturating_mul(self.largest.div_ceil(VALUE))
            .max(1)
    }

    /// A value that is part of the expression around it, or else a column of the result.
    fn value(&mut self, size: u64, made: u64) {
        if let Some(around) = self.parts.last_mut() {
            around.sum = around.sum.saturating_add(size);
            around.largest = around.largest.max(size);
            around.made = around.made.saturating_add(made);
        } else {
            self.largest = self.largest.max(size);
            self.made = self.made.saturating_add(made);
        }
    }
}

/// What is in an expression: in all, the largest of it, and what was made for it.
#[derive(Default)]
struct Parts {
    sum: u64,
    largest: u64,
    made: u64,
}

#[derive(Default)]
struct Measure {
    depth: usize,
    expressions: usize,
    calculations: usize,
    windows: usize,
    work: u64,
    /// How many functions and subqueries are around this place.
    doubled: u32,
    casts: usize,
    cube: usize,
    levels: Vec<Level>,
    named: WithQueries<Named>,
}

impl Measure {
    fn deeper(&mut self, by: usize) -> ControlFlow<Error> {
        self.depth += by;
        let what = "operators, functions and queries in a chain or in each other";
        at_most(self.depth, DEPTH, what)
    }

    fn scan(&mut self, name: &ObjectName) -> ControlFlow<Error> {
        let known = self.named.find(name);
        let (scans, growth) = known.map_or((1, 1), |known| (known.scans.max(1), known.growth));
        if let Some(level) = self.levels.last_mut() {
            level.read = level.read.max(growth);
        }
        self.read(scans)
    }

    fn read(&mut self, scans: u64) -> ControlFlow<Error> {
        let Some(level) = self.levels.last_mut() else {
            return ControlFlow::Continue(());
        };
        level.scans = level.scans.saturating_add(scans);
        let what = "tables are read, counting those of WITH queries each time";
        at_most(level.scans, SCANS, what)
    }

    /// Counts what an expression makes, once it is known how much is in it.
    ///
    /// A function or operator that puts values together makes as much as they have; one that makes as much as it is told to,
    /// so many times as much. What is made is added up for each query, and multiplied by how much the columns have grown in the
    /// queries that it reads: that is at most [`MADE`].
    fn made_by(&mut self, expr: &Expr) {
        let Some(level) = self.levels.last_mut() else {
            return;
        };
        let parts = level.parts.pop().unwrap_or_default();
        let (size, made) = match Makes::of(expr) {
            Makes::One => (VALUE, parts.made),
            Makes::Largest => {
                let leaf = if parts.sum == 0 { VALUE } else { parts.largest };
                (written(expr).unwrap_or(leaf), parts.made)
            }
            // It is there already.
            Makes::Sum if is_list_of_literals(expr) => (parts.sum, parts.made),
            // What a chain puts together on the way is gone in the end.
            Makes::Sum => (parts.sum, parts.sum.max(parts.made)),
            Makes::Times(times) => {
                // How many is a part too, but nothing that is repeated.
                let repeated = parts.sum.saturating_sub(NUMBER).max(1);
                let size = repeated.saturating_mul(times);
                (size, parts.made.saturating_add(size))
            }
            Makes::Numbers(many) => {
                let size = many.saturating_mul(NUMBER);
                (size, parts.made.saturating_add(size))
            }
        };
        level.value(size, made);
    }
}

impl Visitor for Measure {
    type Break = Error;

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<Error> {
        let named = query.with.as_ref().map_or(0, |with| with.cte_tables.len());
        at_most(named, NAMED, "queries in one WITH")?;
        self.named.enter(query);
        let depth = 1 + set_operations(&query.body);
        self.levels.push(Level {
            depth,
            read: 1,
            ..Level::default()
        });
        self.deeper(depth)
    }

    fn post_visit_query(&mut self, _: &Query) -> ControlFlow<Error> {
        let Some(level) = self.levels.pop() else {
            return ControlFlow::Continue(());
        };
        self.depth -= level.depth;
        let growth = level.growth();
        let made = level.read.saturating_mul(level.made);
        if made > MADE {
            return ControlFlow::Break(too_large(format_args!(
                "its functions and operators may make more than {MADE} bytes for a row; write as a number how much repeat, lpad, range and the like are to make, and ask for less"
            )));
        }
        let named = Named {
            scans: level.scans,
            growth,
        };
        if !self.named.leave(named) {
            self.read(level.scans)?;
            if let Some(around) = self.levels.last_mut() {
                if around.parts.is_empty() {
                    around.read = around.read.max(growth);
                } else {
                    around.value(growth.saturating_mul(VALUE), made);
                }
            }
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<Error> {
        let joined: usize = select.from.iter().map(|table| 1 + table.joins.len()).sum();
        at_most(joined, JOINED, "tables are joined")?;
        if select.projection.len() > COLUMNS {
            return ControlFlow::Break(Error::new(
                "54011",
                format!("target lists can have at most {COLUMNS} entries"),
            ));
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_order_by(&mut self, order_by: &OrderBy) -> ControlFlow<Error> {
        match &order_by.kind {
            OrderByKind::Expressions(items) => {
                at_most(items.len(), SORTED, "expressions to sort by")
            }
            OrderByKind::All(_) => ControlFlow::Continue(()),
        }
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<Error> {
        self.deeper(1)?;
        match factor {
            TableFactor::Table { name, .. } => self.scan(name),
            TableFactor::NestedJoin {
                table_with_joins, ..
            } => {
                let joined = 1 + table_with_joins.joins.len();
                at_most(joined, JOINED, "tables are joined")
            }
            _ => ControlFlow::Continue(()),
        }
    }

    fn post_visit_table_factor(&mut self, _: &TableFactor) -> ControlFlow<Error> {
        self.depth -= 1;
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<Error> {
        self.deeper(1)?;
        self.expressions += 1;
        if self.expressions > EXPRESSIONS {
            return ControlFlow::Break(too_large(format_args!(
                "more than {EXPRESSIONS} expressions"
            )));
        }
        self.calculations += usize::from(!matches!(expr, Expr::Value(_)));
        self.windows +=
            usize::from(matches!(expr, Expr::Function(function) if function.over.is_some()));
        at_most(
            self.calculations,
            CALCULATIONS,
            "expressions that are no literals",
        )?;
        at_most(self.windows, WINDOWS, "window functions")?;
        self.work = self.work.saturating_add(1 << self.doubled.min(40));
        if self.work > WORK {
            return ControlFlow::Break(too_deep(format_args!(
                "too many functions, subqueries or JSON operators in each other"
            )));
        }
        self.doubled += u32::from(doubles(expr));
        if let Some(refused) = without_bound(expr) {
            return ControlFlow::Break(refused);
        }
        if let Some(level) = self.levels.last_mut() {
            level.parts.push(Parts::default());
        }
        self.casts += usize::from(is_cast(expr));
        at_most(self.casts, CASTS, "casts and signs in each other")?;
        if let Expr::Cube(columns) = expr {
            self.cube += columns.len();
        }
        at_most(self.cube, CUBE, "columns of a cube")
    }

    fn post_visit_expr(&mut self, expr: &Expr) -> ControlFlow<Error> {
        self.depth -= 1;
        self.casts -= usize::from(is_cast(expr));
        self.doubled -= u32::from(doubles(expr));
        self.made_by(expr);
        ControlFlow::Continue(())
    }
}

fn is_cast(expr: &Expr) -> bool {
    match expr {
        Expr::Cast { .. } => true,
        Expr::UnaryOp { op, .. } => *op != UnaryOperator::Not,
        _ => false,
    }
}

/// How much an expression makes of what is in it.
enum Makes {
    /// One value, such as a number.
    One,
    /// Nothing more than the largest of it.
    Largest,
    /// All of it together.
    Sum,
    /// So many times as much.
    Times(u64),
    /// So many numbers.
    Numbers(u64),
}

impl Makes {
    fn of(expr: &Expr) -> Self {
        match expr {
            Expr::BinaryOp { op, .. } if *op == BinaryOperator::StringConcat => Self::Sum,
            Expr::Array(_) | Expr::Struct { .. } | Expr::Tuple(_) | Expr::Overlay { .. } => {
                Self::Sum
            }
            Expr::Function(function) => Self::of_function(function),
            Expr::BinaryOp { .. }
            | Expr::UnaryOp { .. }
            | Expr::InList { .. }
            | Expr::InUnnest { .. }
            | Expr::Like { .. }
            | Expr::ILike { .. }
            | Expr::AnyOp { .. }
            | Expr::AllOp { .. } => Self::One,
            _ => Self::Largest,
        }
    }

    fn of_function(function: &Function) -> Self {
        const TOGETHER: [&str; 7] = [
            "concat", "array_", "list_", "make_", "struct", "named_", "map",
        ];
        let FunctionArguments::List(list) = &function.args else {
            return Self::Largest;
        };
        let argument = |at: usize| list.args.get(at).and_then(sql::argument);
        // More than are allowed if it cannot be seen how many: they are no numbers.
        let number = |expr| whole(expr).or_else(|| length(expr)).unwrap_or(u64::MAX);
        let told = |at: usize| argument(at).map_or(0, number);
        let Some(name) = sql::last(&function.name) else {
            return Self::Sum;
        };
        match name.as_str() {
            "repeat" | "lpad" | "rpad" | "array_repeat" | "list_repeat" | "array_resize"
            | "list_resize" => Self::Times(told(1).max(1)),
            // It is at most as long as its ends are apart.
            "range" | "generate_series" | "gen_series" => {
                let ends = (0..list.args.len()).map(told);
                Self::Numbers(ends.fold(1, u64::saturating_add))
            }
            "replace" | "regexp_replace" | "translate" => {
                Self::Times(argument(2).and_then(written).unwrap_or(VALUE).max(1))
            }
            "array_agg" | "array_length" => Self::Largest,
            name if TOGETHER.iter().any(|begins| name.starts_with(begins)) => Self::Sum,
            _ => Self::Largest,
        }
    }
}

/// Such as the values of a parameter.
fn is_list_of_literals(expr: &Expr) -> bool {
    matches!(expr, Expr::Array(array) if array.elem.iter().all(|element| written(element).is_some()))
}

/// How many bytes a literal has.
fn written(expr: &Expr) -> Option<u64> {
    match expr {
        Expr::Value(_) => u64::try_from(sql::text(expr).map_or(8, str::len)).ok(),
        Expr::Nested(expr) | Expr::Cast { expr, .. } => written(expr),
        _ => None,
    }
}

/// What takes time or memory beyond what can be told from the query.
fn without_bound(expr: &Expr) -> Option<Error> {
    let Expr::Function(function) = expr else {
        return None;
    };
    let name = sql::last(&function.name)?;
    match (name.as_str(), &function.args) {
        ("levenshtein", FunctionArguments::List(list)) => {
            let short = |expr: &Expr| {
                let is_short = written(expr).is_some_and(|size| size <= COMPARED as u64);
                is_short || sql::placeholder(expr).is_some()
            };
            let mut arguments = list.args.iter().filter_map(sql::argument);
            (!arguments.any(short)).then(|| {
                too_large(format_args!(
                    "levenshtein() of two texts of which none is written as a literal of at most {COMPARED} characters"
                ))
            })
        }
        ("array_agg" | "string_agg", _) if function.over.is_some() => Some(too_large(
            format_args!("{name}() over a window, which would keep a list for each row"),
        )),
        _ => None,
    }
}

/// The amount of a number, if one is written. Of a parameter it is not known yet; what is sent has none.
fn whole(expr: &Expr) -> Option<u64> {
    match expr {
        Expr::Nested(expr) | Expr::Cast { expr, .. } | Expr::UnaryOp { expr, .. } => whole(expr),
        _ if sql::is_null(expr) || sql::placeholder(expr).is_some() => Some(0),
        _ => sql::digits(expr)?.trim_start_matches('-').parse().ok(),
    }
}

/// The most that the length of a column can be.
fn length(expr: &Expr) -> Option<u64> {
    let Expr::Function(Function { name, args, .. }) = expr else {
        return None;
    };
    let (name, FunctionArguments::List(list)) = (sql::last(name)?, args) else {
        return None;
    };
    let array = list.args.first().and_then(sql::argument)?;
    let is_length = ["array_lower", "array_upper", "array_length"].contains(&&*name);
    let is_column = matches!(array, Expr::Identifier(_) | Expr::CompoundIdentifier(_));
    (is_length && is_column).then_some(VALUE)
}

/// Whether the runtime looks twice at what is in it.
fn doubles(expr: &Expr) -> bool {
    match expr {
        Expr::BinaryOp { op, .. } => matches!(
            op,
            BinaryOperator::Arrow
                | BinaryOperator::LongArrow
                | BinaryOperator::HashArrow
                | BinaryOperator::HashLongArrow
        ),
        Expr::Function(_)
        | Expr::Subquery(_)
        | Expr::Exists { .. }
        | Expr::InSubquery { .. }
        | Expr::Extract { .. }
        | Expr::Substring { .. }
        | Expr::Trim { .. }
        | Expr::Position { .. }
        | Expr::Overlay { .. }
        | Expr::Ceil { .. }
        | Expr::Floor { .. } => true,
        _ => false,
    }
}

/// How deep the set operations of a query are nested, brackets apart.
fn set_operations(body: &SetExpr) -> usize {
    match body {
        SetExpr::SetOperation { left, right, .. } => {
            1 + set_operations(left).max(set_operations(right))
        }
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse;

    fn refused(sql: &str) -> Option<&'static str> {
        parse::statements(sql).err().map(|error| error.code)
    }

    #[test]
    fn what_people_and_tools_write_is_allowed() {
        let list: Vec<String> = (0..20_000).map(|i| format!("'{i}'")).collect();
        let list = list.join(", ");
        for sql in [
            format!("select 1 where key in ({list})"),
            format!("select 1 where {}", vec!["key = 'a'"; 900].join(" or ")),
            format!("select 1 where {}", vec!["key like 'a%'"; 300].join(" or ")),
            vec!["select key from state"; 300].join(" union all "),
            format!("select {}1{}", "(".repeat(30), ")".repeat(30)),
            format!("select {}1{}", "coalesce(1, ".repeat(12), ")".repeat(12)),
            format!("select {}", vec!["value_utf8->>'a'"; 200].join(", ")),
            format!(
                "select 1 where {}",
                vec!["value_utf8->>'a' = 'b'"; 200].join(" and ")
            ),
            format!("select {}", vec!["1"; 1_600].join(", ")),
            format!("select case {} end", "when key = 'a' then 1 ".repeat(2_000)),
            format!("select 1; {}", "show timezone; ".repeat(5_000)),
            "select a[1][2][3], '{}'::int[][], array[array[]], null                   ".to_owned(),
            "select repeat('ab', 100), unnest(range(1, 10)), lpad(key, $1), rpad(key, 4)"
                .to_owned(),
            "select rpad('', 10000, '='), unnest(range(1, 2000)), replace(key, '-', '')   "
                .to_owned(),
            "select levenshtein(key, 'pizza-1'), levenshtein($1, key), array_agg(key) from state"
                .to_owned(),
            "with a as (select key || '-' || service_key as k from state), b as (select k || k as k from a) select concat(k, ': ', k), upper(k) from b"
                .to_owned(),
            "select s || s from (select s || s as s from (select key || key as s from state) a) b, (select 1 as one) c"
                .to_owned(),
            format!("select {} from state", vec!["key || '-'"; 400].join(", ")),
            format!("select {}'' from state", "key || ', ' || ".repeat(100)),
            format!(
                "select id || k from (select id, case when key = any(array[{list}]) then 'a' else 'b' end as k from state) t"
            ),
            "select count(*) from range(1000000000000) r where r.value % 7 = 3          "
                .to_owned(),
            "select generate_series(array_lower(conkey, 1), array_upper(c.conkey, 1)) from pg_constraint c"
                .to_owned(),
        ] {
            assert_eq!(refused(&sql), None, "{}", &sql[..60]);
        }
    }

    #[test]
    fn what_could_use_up_a_stack_or_the_time_of_others_is_refused() {
        let doubled = |n: usize| {
            let queries: Vec<String> = (1..=n)
                .map(|i| {
                    format!(
                        "c{i} as (select * from c{0} union all select * from c{0})",
                        i - 1
                    )
                })
                .collect();
            format!(
                "with c0 as (select 1 from t), {} select * from c{n}",
                queries.join(", ")
            )
        };
        for (sql, code) in [
            (
                format!("select 1 where {}", vec!["key = 'a'"; 2_000].join(" or ")),
                "54001",
            ),
            (
                format!("select 1 where {}", vec!["key < 'a'"; 450].join(" or ")),
                "54001",
            ),
            (vec!["select 1"; 500].join(" union all "), "54001"),
            (format!("select {}", vec!["1"; 1_500].join("+")), "54001"),
            (
                format!("select {}1{}", "(".repeat(60), ")".repeat(60)),
                "54001",
            ),
            (
                format!("select {}1{}", "abs(".repeat(20), ")".repeat(20)),
                "54001",
            ),
            (format!("select x{}", "->'a'".repeat(20)), "54001"),
            (
                format!("with {} select 1", vec!["c as (select 1)"; 65].join(", ")),
                "54001",
            ),
            (format!("select 1{}", "::int".repeat(20)), "54001"),
            (format!("select {}1", "- ".repeat(20)), "54001"),
            (format!("select null::int{}", "[]".repeat(20)), "54001"),
            (
                format!("select 1 from {}", vec!["a"; 100].join(", ")),
                "54001",
            ),
            (doubled(12), "54001"),
            (
                format!(
                    "select {}1{}",
                    "case when ".repeat(2_100),
                    " end".repeat(2_100)
                ),
                "54001",
            ),
            (
                format!("select case when {} end", vec!["1"; 2_100].join("+")),
                "54001",
            ),
            (
                format!("select {}1{}", "(a end + ".repeat(60), ")".repeat(60)),
                "54001",
            ),
            (
                "select 1 from a group by cube(a, b, c, d, e), cube(f, g, h, i, j)".to_owned(),
                "54001",
            ),
            (
                format!("select 1 where key in ({})", vec!["1"; 60_000].join(",")),
                "54000",
            ),
            (format!("select {}", vec!["1"; 2_000].join(",")), "54011"),
        ] {
            assert_eq!(refused(&sql), Some(code), "{}", &sql[..60]);
        }
        assert_eq!(refused(&doubled(8)), None);
    }

    #[test]
    fn what_would_make_the_runtime_hold_too_much_is_refused() {
        let grown = |n: usize, step: &str| {
            let queries: Vec<String> = (1..=n)
                .map(|i| format!("c{i} as (select {step} as s from c{})", i - 1))
                .collect();
            format!(
                "with c0 as (select key as s from state), {} select s from c{n}",
                queries.join(", ")
            )
        };
        for (sql, code) in [
            (
                "select repeat('a', 2000000000)                                 ".to_owned(),
                "54000",
            ),
            (
                "select repeat(repeat('a', 10000), 10000)                       ".to_owned(),
                "54000",
            ),
            (
                "select array_length(range(1, 1000000000000))                   ".to_owned(),
                "54000",
            ),
            (
                "select lpad('a', 1000 * 1000 * 1000)                           ".to_owned(),
                "54000",
            ),
            (
                "select array_resize(array[1], length(key), 0) from state       ".to_owned(),
                "54000",
            ),
            (
                "select range(1, array_length(array_repeat(value, 90))) from state".to_owned(),
                "54000",
            ),
            (
                "select max(array_length(array_repeat(value, 1000000))) from range(1, 5000)"
                    .to_owned(),
                "54000",
            ),
            (
                format!("select {}", vec!["repeat('a', 10000)"; 20].join(", ")),
                "54000",
            ),
            (
                format!(
                    "select repeat('{}', 1000)                            ",
                    "a".repeat(1_000)
                ),
                "54000",
            ),
            (
                format!(
                    "select {}'a'{}",
                    "replace(".repeat(9),
                    ", 'a', 'aaaaaaaaaa')".repeat(9)
                ),
                "54000",
            ),
            (grown(20, "s || s"), "54000"),
            (grown(20, "concat(s, upper(s))"), "54000"),
            (grown(20, "array[s, s]"), "54000"),
            (grown(20, "(select s || s)"), "54000"),
            (grown(20, "case when s = 'a' then s || s end"), "54000"),
            (
                "select s || s from (select repeat('a', 60000) as s from state) t ".to_owned(),
                "54000",
            ),
            (
                "select levenshtein(repeat('a', 10000), repeat('b', 10000))     ".to_owned(),
                "54000",
            ),
            (
                "select array_agg(value) over (order by value) from range(1, 20000)".to_owned(),
                "54000",
            ),
        ] {
            assert_eq!(refused(&sql), Some(code), "{sql}");
        }
    }

    #[test]
    fn a_with_query_counts_as_often_as_it_is_read() {
        let read = |sql: &str| {
            let mut measure = Measure::default();
            let mut query = parse::query(sql).unwrap();
            // What is left on the level of the whole query is not kept, so it is made a part of another.
            measure.levels.push(Level::default());
            let _ = query.visit(&mut measure);
            query.with = None;
            measure.levels[0].scans
        };
        assert_eq!(
            read("select * from a, b join (select * from c) d on true"),
            3
        );
        assert_eq!(
            read("with x as (select * from a, b) select * from x, x y"),
            4
        );
        assert_eq!(
            read(
                "with x as (with y as (select * from a, b) select * from y, y) select * from x, x z, y"
            ),
            9
        );
        assert_eq!(
            read("select (select 1 from a), exists (select 1 from b, c)"),
            3
        );
    }
}
