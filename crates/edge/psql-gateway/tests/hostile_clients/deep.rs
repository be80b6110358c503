//! Queries that are deep, long, or many times as large as they look.
//!
//! The gateway's own tests ask them of a stand-in, the end-to-end tests of the real runtime.

/// A kind of query, by how many parts it has.
pub(crate) type Shape = (&'static str, fn(usize) -> String);

fn chain(count: usize, by: &str, part: impl Fn(usize) -> String) -> String {
    (0..count).map(part).collect::<Vec<_>>().join(by)
}

fn around(count: usize, before: &str, inner: &str, after: &str) -> String {
    before.repeat(count) + inner + &after.repeat(count)
}

/// One of each kind.
pub(crate) const SHAPES: &[Shape] = &[
    ("equalities", |n| {
        format!(
            "select count(*) from state where {}",
            chain(n, " or ", |i| format!("key = '{i}'"))
        )
    }),
    ("or", |n| {
        format!(
            "select count(*) from state where {}",
            chain(n, " or ", |i| format!("key < '{i}'"))
        )
    }),
    ("and", |n| {
        format!(
            "select count(*) from state where {}",
            chain(n, " and ", |i| format!("key <> service_key || '{i}'"))
        )
    }),
    ("and in or", |n| {
        format!(
            "select count(*) from state where {}",
            chain(n, " or ", |i| format!(
                "(key = '{i}' and service_key = '{i}')"
            ))
        )
    }),
    ("or of a view", |n| {
        format!(
            "select count(*) from orders where {}",
            chain(n, " or ", |i| format!("status = '{i}' and id = '{i}'"))
        )
    }),
    ("or of the catalogue", |n| {
        format!(
            "select count(*) from pg_class where {}",
            chain(n, " or ", |i| format!("relname < '{i}'"))
        )
    }),
    ("sum", |n| {
        format!("select {}", chain(n, "+", |_| "1".to_owned()))
    }),
    ("sum of the catalogue", |n| {
        format!(
            "select {} from pg_class",
            chain(n, "+", |_| "oid".to_owned())
        )
    }),
    ("concatenation", |n| {
        format!("select {} from state", chain(n, "||", |_| "key".to_owned()))
    }),
    ("intervals", |n| {
        format!("select now() {}", "+ interval '1 s' ".repeat(n))
    }),
    ("comparisons", |n| {
        format!("select {}", chain(n, " = ", |_| "true".to_owned()))
    }),
    ("union all", |n| {
        chain(n, " union all ", |_| "select 1".to_owned())
    }),
    ("union", |n| {
        chain(n, " union ", |i| {
            format!("select key from state where key = '{i}'")
        })
    }),
    ("union of the catalogue", |n| {
        chain(n, " union all ", |_| "select oid from pg_class".to_owned())
    }),
    ("views", |n| {
        chain(n, " union all ", |_| "select id from orders".to_owned())
    }),
    ("brackets", |n| {
        format!("select {}", around(n, "(", "1", ")"))
    }),
    ("case", |n| {
        format!("select {}", around(n, "case when true then ", "1", " end"))
    }),
    ("cases", |n| {
        format!(
            "select case {} end from state",
            chain(n, " ", |i| format!("when key = '{i}' then {i}"))
        )
    }),
    ("functions", |n| {
        format!("select {}", around(n, "abs(", "1", ")"))
    }),
    ("functions of the catalogue", |n| {
        format!("select {}", around(n, "quote_ident(", "'a'", ")"))
    }),
    ("subqueries", |n| {
        format!(
            "select * from {}",
            around(n, "(select * from ", "state", ") as x")
        )
    }),
    ("scalar subqueries", |n| {
        format!("select {}", around(n, "(select ", "1", ")"))
    }),
    ("exists", |n| {
        format!(
            "select 1 where {}",
            around(n, "exists (select 1 where ", "true", ")")
        )
    }),
    ("in", |n| {
        format!(
            "select 1 from state where {}",
            around(n, "key in (select key from state where ", "true", ")")
        )
    }),
    ("not", |n| format!("select {}true", "not ".repeat(n))),
    ("minus", |n| format!("select {}1", "- ".repeat(n))),
    ("arrays", |n| {
        format!("select {}", around(n, "array[", "1", "]"))
    }),
    ("subscripts", |n| {
        format!("select (array[1]){}", "[1]".repeat(n))
    }),
    ("list", |n| {
        format!(
            "select count(*) from state where key in ({})",
            chain(n, ",", |i| format!("'{i}'"))
        )
    }),
    ("list of pairs", |n| {
        format!(
            "select count(*) from state where (key, service_key) in ({})",
            chain(n, ",", |i| format!("('{i}', '{i}')"))
        )
    }),
    ("values", |n| {
        format!(
            "select count(*) from (values {}) as t(x)",
            chain(n, ",", |i| format!("({i})"))
        )
    }),
    ("columns", |n| {
        format!("select {}", chain(n, ",", |i| format!("{i} as c{i}")))
    }),
    ("from", |n| {
        format!(
            "select count(*) from {}",
            chain(n, ",", |i| format!("(select 1 as x) as t{i}"))
        )
    }),
    ("join", |n| {
        format!(
            "select count(*) from state t {}",
            chain(n, " ", |i| format!("join state t{i} on t{i}.key = t.key"))
        )
    }),
    ("join of joins", |n| {
        format!(
            "select count(*) from {}",
            around(n, "(", "state t", " join state u using (key))")
        )
    }),
    ("join on on", |n| {
        format!(
            "select count(*) from state t {} {}",
            chain(n, " ", |i| format!("join state t{i}")),
            "on true ".repeat(n)
        )
    }),
    ("with", |n| {
        let queries = chain(n, ",", |i| match i {
            0 => "c0 as (select key from state)".to_owned(),
            i => format!("c{i} as (select * from c{})", i - 1),
        });
        format!(
            "with {queries} select count(*) from c{}",
            n.saturating_sub(1)
        )
    }),
    ("with, doubled", |n| {
        let queries = chain(n, ",", |i| match i {
            0 => "c0 as (select key from state)".to_owned(),
            i => format!(
                "c{i} as (select * from c{0} union all select * from c{0})",
                i - 1
            ),
        });
        format!(
            "with {queries} select count(*) from c{}",
            n.saturating_sub(1)
        )
    }),
    ("with, doubled, of the catalogue", |n| {
        let queries = chain(n, ",", |i| match i {
            0 => "c0 as (select oid from pg_class)".to_owned(),
            i => format!(
                "c{i} as (select * from c{0} union all select * from c{0})",
                i - 1
            ),
        });
        format!(
            "with {queries} select count(*) from c{}",
            n.saturating_sub(1)
        )
    }),
    ("casts", |n| format!("select 1{}", "::int".repeat(n))),
    ("casts in casts", |n| {
        format!("select {}", around(n, "cast(", "1", " as int)"))
    }),
    ("casts in nots", |n| {
        format!(
            "select {}{}",
            "not ".repeat(n),
            around(n, "cast(", "true", " as bool)")
        )
    }),
    ("array types", |n| {
        format!("select null::int{}", "[]".repeat(n))
    }),
    ("array types in angle brackets", |n| {
        format!("select null::{}", around(n, "array<", "int", ">"))
    }),
    ("is null", |n| format!("select 1{}", " is null".repeat(n))),
    ("isnull", |n| format!("select 1{}", " isnull".repeat(n))),
    ("between", |n| {
        format!("select {}1", "1 between 0 and ".repeat(n))
    }),
    ("json", |n| {
        format!("select value_utf8{} from state", "->'a'".repeat(n))
    }),
    ("name", |n| {
        format!("select {}", chain(n, ".", |_| "a".to_owned()))
    }),
    ("literal", |n| {
        format!("select length('{}')", "a'' ".repeat(n))
    }),
    ("cube", |n| {
        format!(
            "select count(*) from state group by cube({})",
            chain(n, ",", |i| format!("key || '{i}'"))
        )
    }),
    ("cubes", |n| {
        format!(
            "select count(*) from state group by {}",
            chain(n, ",", |i| format!("cube(key || '{i}')"))
        )
    }),
    ("group by", |n| {
        format!(
            "select count(*) from state group by {}",
            chain(n, ",", |i| format!("key || '{i}'"))
        )
    }),
    ("order by", |n| {
        format!(
            "select key from state order by {}",
            chain(n, ",", |i| format!("key || '{i}'"))
        )
    }),
    ("repeat", |n| {
        format!("select length({})", around(n, "repeat(", "'a'", ", 1000)"))
    }),
    ("windows", |n| {
        format!(
            "select {} from state",
            chain(n, ",", |i| format!("count(*) over (order by key || '{i}')"))
        )
    }),
    ("comments", |n| {
        format!("select 1 {}", around(n, "/*", "", "*/"))
    }),
    ("statements", |n| {
        chain(n, ";", |_| "show timezone".to_owned())
    }),
    ("explain", |n| {
        format!(
            "explain select count(*) from state where {}",
            chain(n, " or ", |i| format!("key < '{i}'"))
        )
    }),
    ("copy", |n| {
        format!(
            "copy (select count(*) from state where {}) to stdout",
            chain(n, " or ", |i| format!("key < '{i}'"))
        )
    }),
    ("prepare", |n| {
        format!(
            "prepare p as select {}; execute p; deallocate p",
            chain(n, "+", |_| "1".to_owned())
        )
    }),
    ("prepare in prepare", |n| {
        format!("{}select 1", "prepare p as ".repeat(n))
    }),
    ("execute", |n| {
        format!(
            "prepare p as select $1; execute p ({}); deallocate p",
            chain(n, "+", |_| "1".to_owned())
        )
    }),
    ("set", |n| {
        format!("set application_name = {}", around(n, "(", "1", ")"))
    }),
    ("create", |n| {
        format!("create table t (a int{})", "[]".repeat(n))
    }),
];
