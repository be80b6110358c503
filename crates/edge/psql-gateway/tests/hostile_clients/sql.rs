//! SQL of all kinds: mostly queries that can be read, with everything in them that the gateway looks at; some that cannot.
//!
//! A text is made by choices, each taken from the next byte of a sequence. Where there is none left the first, which is the
//! simplest, is chosen: so shorter sequences make simpler texts, and a failure shrinks to a short one.

use proptest::collection::vec;
use proptest::prelude::*;

/// How deep queries are nested.
const DEPTH: u32 = 4;

const NAMES: &[&str] = &[
    "key",
    "service_key",
    "component",
    "component_key",
    "handler",
    "service",
    "id",
    "status",
    "value_utf8",
    "s.key",
    "s.component",
    "state.component",
    "public.state.component",
    "\"Key\"",
    "\"component\"",
    "x",
    "x.id",
    "o.status",
    "age",
    "a.b.c.d",
    "ctid",
    "current_user",
    "relname",
];
const LITERALS: &[&str] = &[
    "1",
    "-1",
    "1.5e3",
    "'pizza-1'",
    "'it''s'",
    "''",
    "E'a\\nb'",
    "U&'\\00e4'",
    "N'a'",
    "$$a$$",
    "x'0aff'",
    "null",
    "true",
    "$1",
    "$2",
    "$1",
    "interval '1 s'",
    "date '2026-01-02'",
    "99999999999999999999999",
    "'ä€😀'",
    "array[1, null]",
];
const TYPES: &[&str] = &[
    "text",
    "int",
    "bigint",
    "numeric(10, 2)",
    "timestamptz",
    "json",
    "jsonb",
    "regclass",
    "name",
    "varchar(3)",
    "bool",
    "text[]",
    "pg_catalog.text",
    "bytea",
    "double precision",
];
const TABLES: &[&str] = &[
    "state",
    "state s",
    "state as s(a, b)",
    "public.state",
    "restate.public.state",
    "sys_invocation",
    "sys_invocation x",
    "sys_status",
    "sys_invocation_status i",
    "sys_journal",
    "sys_component",
    "orders",
    "orders o",
    "stuck_orders",
    "order_history h(x, y)",
    "public.drivers",
    "nope",
    "x",
    "pg_class c",
    "pg_catalog.pg_attribute",
    "information_schema.columns",
    "generate_series(1, 3) g",
    "unnest(array[1, 2]) as u(x)",
    "\"State\"",
];
const OPERATORS: &[&str] = &[
    "=",
    "<>",
    "<",
    ">=",
    "+",
    "-",
    "*",
    "/",
    "%",
    "||",
    "and",
    "or",
    "like",
    "ilike",
    "~",
    "!~*",
    "->",
    "->>",
    "#>>",
    "@>",
    "is distinct from",
    "operator(pg_catalog.~)",
    "&",
    "^",
];
const FUNCTIONS: &[&str] = &[
    "round",
    "mod",
    "power",
    "greatest",
    "every",
    "variance",
    "array_upper",
    "generate_series",
    "concat",
    "lag",
];
const JOINS: &[&str] = &[
    "join",
    "left join",
    "right outer join",
    "full join",
    "left join lateral",
];
const WORDS: &[&str] = &[
    "select",
    "from",
    "where",
    "(",
    ")",
    ",",
    ";",
    "as",
    "with",
    "join",
    "on",
    "by",
    "group",
    "order",
    "set",
    "show",
    "copy",
    "to",
    "stdout",
    "explain",
    "prepare",
    "execute",
    "begin",
    "insert",
    "into",
    "declare",
    "'",
    "\"",
    "$$",
    "--",
    "/*",
    "e'\\",
    "[",
    "]",
    "::",
    ".",
    "*",
    "\u{feff}",
    "key",
    "component",
    "state",
    "orders",
    "1",
    "$1",
    "=",
    "->>",
];

/// A statement: a query, something around one, or words in any order.
pub(crate) fn statement() -> impl Strategy<Value = String> {
    let made = vec(any::<u8>(), 0..200).prop_map(|bytes| Choices(bytes.iter()).statement());
    prop_oneof![15 => made, 1 => any::<String>()]
}

struct Choices<'a>(std::slice::Iter<'a, u8>);

impl Choices<'_> {
    /// One of the numbers below `below`.
    fn pick(&mut self, below: usize) -> usize {
        self.0.next().map_or(0, |byte| usize::from(*byte) % below)
    }

    fn word(&mut self, words: &[&'static str]) -> &'static str {
        words[self.pick(words.len())]
    }

    fn list(&mut self, most: usize, mut item: impl FnMut(&mut Self) -> String) -> String {
        let items: Vec<String> = (0..=self.pick(most)).map(|_| item(self)).collect();
        items.join(", ")
    }

    /// Nothing, or `before` and what `what` makes.
    fn optional(&mut self, before: &str, what: impl FnOnce(&mut Self) -> String) -> String {
        match self.pick(3) {
            0 => String::new(),
            _ => format!(" {before} {}", what(self)),
        }
    }

    fn statement(&mut self) -> String {
        match self.pick(16) {
            1 => format!("explain (analyze, verbose) {}", self.query(DEPTH)),
            2 => format!(
                "copy ({}) to stdout with (format csv, header, delimiter '|')",
                self.query(DEPTH)
            ),
            3 => format!("copy ({}) to stdout (format binary)", self.query(DEPTH)),
            4 => format!(
                "prepare p as {}; execute p(1, 'a'); deallocate p",
                self.query(DEPTH)
            ),
            5 => format!(
                "begin; {}; {}; commit",
                self.query(DEPTH),
                self.query(DEPTH)
            ),
            6 => format!("insert into state {}", self.query(DEPTH)),
            7 => format!("declare c cursor for {}", self.query(DEPTH)),
            8 | 9 => (0..self.pick(30))
                .map(|_| self.word(WORDS).to_owned() + " ")
                .collect(),
            _ => self.query(DEPTH),
        }
    }

    fn query(&mut self, depth: u32) -> String {
        let Some(below) = depth.checked_sub(1) else {
            return self.select(0);
        };
        let with = match self.pick(5) {
            1 => format!(
                "{} {} as ({}) ",
                self.word(&["with", "with recursive"]),
                self.word(&["x", "x(a, b)", "orders", "state"]),
                self.query(below)
            ),
            _ => String::new(),
        };
        let body = match self.pick(9) {
            1 => format!(
                "{} {} {}",
                self.select(below),
                self.word(&["union", "union all", "intersect", "except"]),
                self.select(below)
            ),
            2 => {
                let values = self.list(3, |this| this.expression(below));
                format!("values ({values}), ({values})")
            }
            3 => format!("({})", self.query(below)),
            _ => self.select(depth),
        };
        let order = self.optional("order by", |this| {
            this.list(2, |this| {
                let order = this.word(&["", " desc nulls last"]);
                this.expression(below) + order
            })
        });
        let limit = self.word(&[
            "",
            "",
            " limit 3",
            " limit $1 offset 2",
            " fetch first 2 rows only",
            " for update",
        ]);
        format!("{with}{body}{order}{limit}")
    }

    fn select(&mut self, depth: u32) -> String {
        let distinct = self.word(&["", "", "", "distinct ", "distinct on (key) ", "all "]);
        let items = self.list(3, |this| this.item(depth));
        let from = self.optional("from", |this| this.from(depth));
        let selection = self.optional("where", |this| this.expression(depth));
        let group = match self.pick(4) {
            1 => format!(" group by {}", self.list(2, |this| this.expression(depth))),
            2 => format!(
                " group by {} having {}",
                self.expression(depth),
                self.expression(depth)
            ),
            _ => String::new(),
        };
        let window = self.word(&["", "", "", " window w as (order by key)"]);
        format!("select {distinct}{items}{from}{selection}{group}{window}")
    }

    fn item(&mut self, depth: u32) -> String {
        match self.pick(7) {
            1 => self
                .word(&["*", "s.*", "public.orders.*", "count(*)", "x.*"])
                .to_owned(),
            2 | 3 => {
                let alias = self.word(&["x", "id", "component", "\"A b\"", "key"]);
                format!("{} as {alias}", self.expression(depth))
            }
            _ => self.expression(depth),
        }
    }

    fn from(&mut self, depth: u32) -> String {
        let mut all = self.table(depth);
        for _ in 0..self.pick(3) {
            let table = self.table(depth);
            let next = match self.pick(6) {
                1 => format!(", {table}"),
                2 => format!(" cross join {table}"),
                3 => format!(" natural join {table}"),
                4 => {
                    let columns = self.word(&["id", "component", "component, key"]);
                    format!(" {} {table} using ({columns})", self.word(JOINS))
                }
                _ => format!(
                    " {} {table} on {}",
                    self.word(JOINS),
                    self.expression(depth.saturating_sub(1))
                ),
            };
            all.push_str(&next);
        }
        all
    }

    fn table(&mut self, depth: u32) -> String {
        match (self.pick(7), depth.checked_sub(1)) {
            (1, Some(below)) => {
                let alias = self.word(&["x", "as x(a, b)", "s", ""]);
                format!("({}) {alias}", self.query(below))
            }
            (2, Some(below)) => format!("lateral ({}) as x", self.query(below)),
            (3, Some(below)) => {
                format!("({} join {} on true)", self.table(below), self.table(below))
            }
            _ => self.word(TABLES).to_owned(),
        }
    }

    fn expression(&mut self, depth: u32) -> String {
        let kind = self.pick(34);
        let Some(below) = depth.checked_sub(1).filter(|_| kind > 0) else {
            return self.leaf();
        };
        if (1..=5).contains(&kind) {
            return self.leaf();
        }
        let a = self.expression(below);
        match kind {
            6 | 7 => format!("({a} {} {})", self.word(OPERATORS), self.expression(below)),
            8 | 9 => format!("{a} {} {}", self.word(OPERATORS), self.expression(below)),
            10 => format!("({a})::{}", self.word(TYPES)),
            11 => format!("cast({a} as {})", self.word(TYPES)),
            12 => format!("not {a}"),
            13 => format!("({a}) is not null"),
            14 => format!(
                "({a}) between {} and {}",
                self.expression(below),
                self.expression(below)
            ),
            15 => format!(
                "({a}) not in ({})",
                self.list(3, |this| this.expression(below))
            ),
            16 => format!("({a}) in ({})", self.query(below)),
            17 => format!("exists ({})", self.query(below)),
            18 => format!("({})", self.query(below)),
            19 => format!("array({})", self.query(below)),
            20 => format!(
                "case when {a} then {} else {} end",
                self.expression(below),
                self.expression(below)
            ),
            21 => format!("case {a} when 1 then {} end", self.expression(below)),
            22 => format!("({a}) = any({})", self.expression(below)),
            23 => format!("coalesce({a}, {})", self.expression(below)),
            24 => format!("array[{}]", self.list(3, |this| this.expression(below))),
            25 => format!(
                "count(distinct {a}) filter (where {})",
                self.expression(below)
            ),
            26 => format!(
                "row_number() over (partition by {a} order by {} desc)",
                self.expression(below)
            ),
            27 => format!("array_agg({a} order by {})", self.expression(below)),
            28 => format!("substring({a} from 1 for 2) collate \"C\""),
            29 => {
                let field = self.word(&["epoch", "second", "year", "nope"]);
                format!("extract({field} from {a})")
            }
            30 => format!("pg_catalog.pg_get_userbyid({a})"),
            31 => format!("nullif({a}, current_database())"),
            _ => {
                let function = self.word(FUNCTIONS);
                format!("{function}({a}, {})", self.expression(below))
            }
        }
    }

    fn leaf(&mut self) -> String {
        let words = [NAMES, NAMES, LITERALS][self.pick(3)];
        self.word(words).to_owned()
    }
}
