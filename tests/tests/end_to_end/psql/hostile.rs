//! Values that look like SQL, and queries that could crash the server, sent to the real Restate and to the catalogue.

#[path = "../../../../crates/edge/psql-gateway/tests/hostile_clients/deep.rs"]
mod deep;

use anyhow::{Context, ensure};
use end_to_end_tests::{SOON, eventually};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use tokio_postgres::{Client, SimpleQueryMessage};

use super::{connect, delivered};

/// How many random texts are tried.
const TEXTS: usize = 60;

/// Texts with which attackers try to make a value part of the query.
const CLASSIC: &[&str] = &[
    r"\' or 1=1 --",
    r"\\' or 1=1 --",
    "' or '1'='1",
    "' or 1=1 --",
    "'' or ''=''",
    "12'' pizza",
    r"a\'b",
    r"a\",
    "'; drop table state; --",
    "' union select value_utf8 from state --",
    "') or ('a'='a",
    "$$ or 1=1 --",
    "$1",
    "a\"b",
    "\"\" or 1=1",
    "/* */ -- \n#",
    "E'a'",
    r"U&'\0027'",
    "\u{2019} or 1=1 --",
    "\u{ff07} or 1=1 --",
    "%27 or 1=1",
    "null",
    "",
];

fn text() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        3 => prop::sample::select(vec!["'", "''", "\\", "\"", "--", "/*", "$$", "$1", ";", "\n", "\t", " or 1=1 ", "{", ",", "a"])
            .prop_map(str::to_owned),
        1 => "[^\0]{0,4}",
    ];
    vec(part, 0..8).prop_map(|parts| parts.concat())
}

/// The first `count` values of a strategy, the same in every run.
fn samples<T>(strategy: &impl Strategy<Value = T>, count: usize) -> anyhow::Result<Vec<T>> {
    let mut runner = TestRunner::deterministic();
    let sample = |_| match strategy.new_tree(&mut runner) {
        Ok(tree) => Ok(tree.current()),
        Err(reason) => Err(anyhow::anyhow!("{reason}")),
    };
    (0..count).map(sample).collect()
}

/// The only row of a simple query, and its first column's name.
async fn simple(client: &Client, sql: &str) -> anyhow::Result<(String, Vec<Option<String>>)> {
    let answer = client.simple_query(sql).await;
    let answer = answer.with_context(|| sql.to_owned())?;
    let row = answer.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => Some(row),
        _ => None,
    });
    let row = row.with_context(|| format!("no row: {sql}"))?;
    let values = (0..row.len()).map(|index| row.get(index).map(str::to_owned));
    Ok((row.columns()[0].name().to_owned(), values.collect()))
}

/// A text comes back unchanged in every notation: as a literal, as a column name and as a parameter, from Restate and from the
/// catalogue.
async fn is_the_same(client: &Client, text: &str) -> anyhow::Result<()> {
    let plain = format!("'{}'", text.replace('\'', "''"));
    let escaped = format!("E'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"));
    let name = format!("n{}", text.replace('"', "\"\""));
    for table in ["", " from pg_class limit 1"] {
        let sql = format!("select {plain} as \"{name}\", {escaped}, {plain} = {escaped}{table}");
        let (called, values) = simple(client, &sql).await?;
        ensure!(called == format!("n{text}"), "{sql}: {called:?}");
        let is_true = values[2]
            .as_deref()
            .is_some_and(|same| same == "t" || same == "1");
        ensure!(
            values[0].as_deref() == Some(text) && values[1].as_deref() == Some(text) && is_true,
            "{sql}: {values:?}"
        );
        let sql = format!("select $1::text, $2::text{table}");
        let row = client.query_one(&sql, &[&text, &Some(text)]).await?;
        ensure!(
            row.get::<_, &str>(0) == text && row.get::<_, &str>(1) == text,
            "{sql} of {text:?}: {row:?}"
        );
    }
    let all = vec![Some(text), None, Some("")];
    let row = client
        .query_one(
            "select count(*), $1::text, $2::text[] from state where key = $1 or key = any($2)",
            &[&text, &all],
        )
        .await?;
    ensure!(
        row.get::<_, i64>(0) == 0
            && row.get::<_, &str>(1) == text
            && row.get::<_, Vec<Option<&str>>>(2) == all,
        "{text:?}: {row:?}"
    );
    Ok(())
}

async fn values_are_data(client: &Client) -> anyhow::Result<()> {
    for text in CLASSIC {
        is_the_same(client, text).await?;
    }
    for text in samples(&text(), TEXTS)? {
        is_the_same(client, &text).await?;
    }
    for (bytes, whole, float) in
        samples(&(vec(any::<u8>(), 0..20), any::<i64>(), any::<f64>()), 20)?
            .into_iter()
            .chain([(Vec::new(), i64::MIN, -0.0), (vec![0; 3], i64::MAX, 5e-324)])
    {
        let row = client
            .query_one(
                "select $1::bytea, $2::bigint, $3::double precision, $2 -$2 = 0",
                &[&bytes, &whole, &float],
            )
            .await?;
        ensure!(
            row.get::<_, &[u8]>(0) == bytes
                && row.get::<_, i64>(1) == whole
                && row.get::<_, f64>(2).to_bits() == float.to_bits(),
            "{bytes:?}, {whole}, {float}: {row:?}"
        );
    }
    for (sql, expected) in [
        ("select 'a''''b'", "a''b"),
        (r"select 'a\''b'", r"a\'b"),
        (r"select $$a\'b$$", r"a\'b"),
        ("select 'a'\n'b'", "ab"),
        ("select - -1", "1"),
        ("select 12345678901234567890123", "12345678901234567890123"),
        (r"select '\x00ff'::bytea", r"\x00ff"),
        (
            r#"select '{"a\"b",NULL,""}'::text[]"#,
            r#"{"a\"b",NULL,""}"#,
        ),
    ] {
        let (_, values) = simple(client, sql).await?;
        ensure!(values[0].as_deref() == Some(expected), "{sql}: {values:?}");
    }
    let refused = client.query("select $1::text", &[&"a\0b"]).await;
    let code = refused.err().and_then(|error| error.code().cloned());
    ensure!(
        code.as_ref().is_some_and(|code| code.code() == "22021"),
        "{code:?}"
    );
    Ok(())
}

/// Graphical clients begin with `select * … limit` and then select columns.
async fn views_answer_for_any_columns(client: &Client) -> anyhow::Result<()> {
    for view in [
        "orders",
        "order_history",
        "deliveries",
        "drivers",
        "dispatch_queue",
        "stuck_orders",
    ] {
        let columns = client.prepare(&format!("select * from {view}")).await?;
        let columns: Vec<&str> = columns
            .columns()
            .iter()
            .map(tokio_postgres::Column::name)
            .collect();
        let last = columns.len() - 1;
        let chosen = [
            "*".to_owned(),
            columns.join(", "),
            columns[0].to_owned(),
            columns[..=last / 2].join(", "),
            columns[last / 2..].join(", "),
            format!("{}, {}", columns[last], columns[0]),
            format!("{}, *", columns[last]),
            format!("*, {view}.*, {}", columns[0]),
        ];
        for columns in &chosen {
            for rest in ["", "limit 3", "limit 1 offset 1", "order by 1 limit 2"] {
                let sql = format!("select {columns} from {view} {rest}");
                client.query(&sql, &[]).await.with_context(|| sql.clone())?;
            }
        }
    }
    let rows = client.query("select * from orders limit 3", &[]).await?;
    ensure!(rows.len() == 2, "{rows:?}");
    Ok(())
}

/// Sends queries of every shape, from permitted sizes to sizes that would crash the server; `other` still gets answers after each.
async fn no_query_harms_others(client: &Client, other: &Client) -> anyhow::Result<()> {
    client
        .batch_execute("set statement_timeout = '20s'")
        .await?;
    for (name, shape) in deep::SHAPES {
        for parts in [10, 63, 390, 2_000, 5_000] {
            let sql = shape(parts);
            let asked = if sql.starts_with("copy") {
                client.copy_out(&sql).await.map(|_| ())
            } else {
                client.simple_query(&sql).await.map(|_| ())
            };
            let answers = [asked, client.prepare(&sql).await.map(|_| ())];
            for error in answers.into_iter().filter_map(Result::err) {
                // An error without a code means that the connection has ended.
                error
                    .code()
                    .with_context(|| format!("{name} of {parts}: {error}"))?;
            }
        }
        eventually(
            &format!("another client to be answered after {name}"),
            SOON,
            async || {
                let answer = other.query("select key from state limit 1", &[]).await;
                answer.map_err(|error| error.to_string())
            },
        )
        .await;
    }
    for (name, parts) in [
        ("equalities", 2_000),
        ("equalities", 5_000),
        ("union all", 500),
        ("sum", 1_500),
    ] {
        let shape = deep::SHAPES.iter().find(|(other, _)| *other == name);
        let (_, shape) = shape.context("there is such a shape")?;
        let error = client
            .simple_query(&shape(parts))
            .await
            .err()
            .context(name)?;
        ensure!(
            error.code().is_some_and(|code| code.code() == "54001"),
            "{error}"
        );
    }
    // Answered, because the equalities become one list.
    let (_, values) = simple(client, &(deep::SHAPES[0].1)(900)).await?;
    ensure!(values == [Some("0".to_owned())], "{values:?}");
    Ok(())
}

#[tokio::test]
async fn values_are_data_views_answer_for_any_columns_and_no_query_harms_others()
-> anyhow::Result<()> {
    let system = delivered().await?;
    let before = system.processes()?;
    let other = connect(&system).await?;
    let client = connect(&system).await?;
    values_are_data(&client).await?;
    views_answer_for_any_columns(&client).await?;
    no_query_harms_others(&client, &other).await?;
    let after = system.processes()?;
    ensure!(after == before, "{before:?} {after:?}");
    Ok(())
}
