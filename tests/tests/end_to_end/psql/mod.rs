//! SQL queries from the real `psql` and from drivers, against the real Restate with orders in it.

mod any_restate;
mod drivers;
mod encryption;
mod hostile;
mod oracle;

use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use end_to_end_tests::{Options, SOON, System, eventually, order};
use serde_json::json;
use tokio::process::Command;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, NoTls};

/// Queries that existing guides for this kind of example use, verbatim.
const CLASSIC: [&str; 3] = [
    "select component, component_key, key, value_utf8 from state s where s.component='OrderStatusService';",
    "select component, component_key, key, value_utf8 from state s where s.component not in ('DriverMobileAppSimulator');",
    "select component, handler, component_key, id, status, invoked_by_component, invoked_by_id from sys_invocation_status;",
];

/// A query that would take hours.
const LONG: &str = "select count(*) from range(1000000000000) r where r.value % 7 = 3";

/// The gateway's address as a connection URL.
fn url(system: &System) -> anyhow::Result<String> {
    Ok(format!(
        "{}/restate?user=test",
        system.address("psql-gateway")?
    ))
}

fn psql(system: &System, arguments: &[&str]) -> anyhow::Result<Command> {
    let mut command = Command::new("psql");
    command
        .args(["--no-psqlrc", "--no-align", "--set=VERBOSITY=verbose"])
        .args(arguments)
        .arg(url(system)?)
        .env("PAGER", "")
        .stdin(Stdio::null());
    Ok(command)
}

/// Runs commands in `psql`. Returns its standard output and standard error.
async fn run(system: &System, commands: &[&str]) -> anyhow::Result<(String, String)> {
    let commands: Vec<String> = commands
        .iter()
        .map(|command| format!("--command={command}"))
        .collect();
    let commands: Vec<&str> = commands.iter().map(String::as_str).collect();
    let output = psql(system, &commands)?
        .output()
        .await
        .context("running psql, which `cargo xtask test` checks for")?;
    let text = |bytes: Vec<u8>| String::from_utf8(bytes);
    Ok((text(output.stdout)?, text(output.stderr)?))
}

/// Runs a query under `watch -n 1` until it was answered twice, each time on a new connection.
async fn watched(system: &System, query: &str) -> anyhow::Result<()> {
    let directory = tempfile::tempdir()?;
    let seen = directory.path().join("seen");
    let command = format!(
        "psql --no-psqlrc --command=\"{query}\" '{}' >>'{}'",
        url(system)?,
        seen.display()
    );
    let mut watch = Command::new("watch")
        .args(["-n", "1", &command])
        .env("TERM", "xterm")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .context("running watch, which `cargo xtask test` checks for")?;
    eventually("two answers under watch", SOON, async || {
        let text = std::fs::read_to_string(&seen).unwrap_or_default();
        let answers = text.matches("component_key").count();
        if answers >= 2 && text.contains("pizza-1") {
            Ok(())
        } else {
            Err(text)
        }
    })
    .await;
    watch.kill().await?;
    Ok(())
}

async fn connect(system: &System) -> anyhow::Result<Client> {
    let (client, connection) = tokio_postgres::connect(&url(system)?, NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

/// A system with two delivered orders.
async fn delivered() -> anyhow::Result<System> {
    let system = System::start(Options::default()).await?;
    system
        .publish_orders(&[order("pizza-1"), order("pizza-2")])
        .await?;
    for id in ["pizza-1", "pizza-2"] {
        system.wait_for_status(id, "DELIVERED").await;
    }
    Ok(system)
}

#[tokio::test]
async fn psql_answers_the_classic_queries_views_and_its_own_commands() -> anyhow::Result<()> {
    let system = delivered().await?;

    for query in CLASSIC {
        let (out, err) = run(&system, &[query]).await?;
        ensure!(
            err.is_empty() && out.contains("pizza-1") && out.starts_with("component|"),
            "{query}\n{out}\n{err}"
        );
    }
    watched(&system, CLASSIC[0]).await?;

    let (out, err) = run(&system, &["select id, status, restaurant, price, driver is not null as driven, age > interval '0 s' as aged from orders where id = 'pizza-1'"]).await?;
    assert_eq!(err, "");
    assert!(
        out.contains("pizza-1|DELIVERED|restaurant-of-pizza-1|23.50|t|t"),
        "{out}"
    );
    let (out, _) = run(
        &system,
        &["select position, status from order_history where id = 'pizza-2' order by position"],
    )
    .await?;
    assert!(
        out.starts_with("position|status\n1|CREATED\n2|SCHEDULED\n") && out.contains("|DELIVERED"),
        "{out}"
    );
    let (out, err) = run(&system, &[
        "select count(*) from drivers where status is not null and lon is not null and last_seen is not null",
        "select sum(free_drivers) >= 0 from dispatch_queue",
        "select * from deliveries; select * from stuck_orders",
    ])
    .await?;
    assert!(err.is_empty() && out.contains("count\n2\n"), "{out}{err}");

    for (command, part) in [
        ("\\d", "public|orders|view|restate"),
        ("\\dt", "public|state|table|restate"),
        ("\\dv", "public|stuck_orders|view|restate"),
        ("\\d state", "service_name|text"),
        ("\\d orders", "created|timestamp with time zone"),
        ("\\d+ orders", "View definition"),
        ("\\l", "restate|restate|UTF8"),
        ("\\dn", "public|pg_database_owner"),
    ] {
        let (out, err) = run(&system, &[command]).await?;
        assert!(
            err.is_empty() && out.contains(part),
            "{command}\n{out}\n{err}"
        );
    }
    // The query of tab completion after `select * from st`.
    let (out, err) = run(&system, &["SELECT c.relname, NULL::pg_catalog.text FROM pg_catalog.pg_class c WHERE c.relkind IN ('r', 'S', 'v', 'm', 'f', 'p') AND (c.relname) LIKE 'st%' AND pg_catalog.pg_table_is_visible(c.oid) AND c.relnamespace <> (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = 'pg_catalog')\nUNION ALL\nSELECT NULL::pg_catalog.text, n.nspname FROM pg_catalog.pg_namespace n WHERE n.nspname LIKE 'st%' AND n.nspname NOT LIKE E'pg\\\\_%'\nLIMIT 1000"]).await?;
    assert!(
        err.is_empty() && out.contains("state|\nstuck_orders|"),
        "{out}{err}"
    );

    settings_of_psql(&system).await?;

    let (out, err) = run(&system, &["\\timing on", "select 1"]).await?;
    assert!(err.is_empty() && out.contains("Time: "), "{out}{err}");
    copies(&system).await?;
    filters_reach_the_scan(&system).await?;

    let (out, err) = run(
        &system,
        &[
            "prepare p as select key from state where component_key = $1 order by key limit $2",
            "execute p('pizza-2', 1)",
        ],
    )
    .await?;
    assert!(err.is_empty() && out.contains("order\n"), "{out}{err}");

    for (query, code, position) in [
        ("selec 1", "42601", "LINE 1: selec 1\n        ^"),
        (
            "select nope from state",
            "42703",
            "LINE 1: select nope from state\n               ^",
        ),
        (
            "select * from nope",
            "42P01",
            "LINE 1: select * from nope\n                      ^",
        ),
        ("insert into state values (1)", "25006", ""),
        ("drop table state", "25006", ""),
    ] {
        let (_, err) = run(&system, &[query]).await?;
        assert!(
            err.contains(&format!("ERROR:  {code}:")) && err.contains(position),
            "{query}\n{err}"
        );
    }
    Ok(())
}

/// Settings of psql and of its environment have an effect.
async fn settings_of_psql(system: &System) -> anyhow::Result<()> {
    // Rows in batches, by a cursor.
    let keys = "select key from state where service_key = 'pizza-1' order by key";
    let (all, _) = run(system, &[keys]).await?;
    let (out, err) = run(system, &["\\set FETCH_COUNT 3", keys]).await?;
    assert!(out.contains("order\n") && err.is_empty(), "{out}{err}");
    assert_eq!(out, all);
    let long = format!("--command={LONG}");
    let output = psql(system, &["--command=show timezone", &long])?
        .env("PGOPTIONS", "-c statement_timeout=100")
        .env("PGTZ", "<+02>-02")
        .output()
        .await?;
    let (out, err) = (output.stdout, String::from_utf8(output.stderr)?);
    assert!(String::from_utf8(out)?.contains("<+02>-02"), "{err}");
    assert!(err.contains("ERROR:  57014:"), "{err}");
    let output = psql(system, &["--command=select 1"])?
        .env("PGOPTIONS", "-c nonsense=1")
        .output()
        .await?;
    let err = String::from_utf8(output.stderr)?;
    assert!(
        err.contains("unrecognized configuration parameter"),
        "{err}"
    );
    Ok(())
}

/// Copies rows to a file on the client, and to its standard output.
async fn copies(system: &System) -> anyhow::Result<()> {
    let file = tempfile::NamedTempFile::new()?;
    let copy = format!(
        "\\copy (select component_key, key from state where component_key = 'pizza-1' order by key limit 1) to '{}' csv header",
        file.path().display()
    );
    let (out, err) = run(system, &[&copy]).await?;
    assert_eq!((out.trim(), err.as_str()), ("COPY 1", ""));
    assert_eq!(
        std::fs::read_to_string(file.path())?,
        "component_key,key\npizza-1,order\n"
    );
    let copy = "copy (select '' as empty, null as nothing, 'a,\"b' as text) to stdout csv header";
    let (out, err) = run(system, &[copy]).await?;
    assert_eq!(
        (out.as_str(), err.as_str()),
        ("empty,nothing,text\n\"\",,\"a,\"\"b\"\n", "")
    );
    Ok(())
}

/// A filter by a key reaches the scan, together with a filter by the partition key that is computed from it.
async fn filters_reach_the_scan(system: &System) -> anyhow::Result<()> {
    for query in [
        "explain select key from state where component_key = 'pizza-1'",
        "explain select status from orders where id = 'pizza-1'",
    ] {
        let (out, err) = run(system, &[query]).await?;
        let scan = out.lines().find(|line| line.contains("predicate="));
        let scan = scan.unwrap_or_default();
        assert!(
            err.is_empty() && scan.contains("15363141179342843928") && scan.contains("service_key"),
            "{out}{err}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn a_driver_gets_typed_values_and_a_query_can_be_cancelled() -> anyhow::Result<()> {
    let system = delivered().await?;
    let client = connect(&system).await?;

    let statement = client.prepare("select component, created_at, completion_retention is null, suspended_waiting_for_completions, journal_size from sys_invocation where component_key = $1 and handler = $2 and journal_size > $3").await?;
    assert_eq!(statement.params(), [Type::TEXT, Type::TEXT, Type::INT8]);
    let types: Vec<&Type> = statement
        .columns()
        .iter()
        .map(tokio_postgres::Column::type_)
        .collect();
    assert_eq!(
        types,
        [
            &Type::TEXT,
            &Type::TIMESTAMPTZ,
            &Type::BOOL,
            &Type::INT8_ARRAY,
            &Type::INT8
        ]
    );
    let rows = client
        .query(&statement, &[&"pizza-1", &"run", &0_i64])
        .await?;
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].get::<_, &str>(0), "OrderWorkflow");
    let age = rows[0].get::<_, std::time::SystemTime>(1).elapsed()?;
    assert!(age < SOON * 2, "{age:?}");
    assert_eq!(rows[0].get::<_, Option<Vec<i64>>>(3), None);
    assert!(rows[0].get::<_, i64>(4) > 1);

    // An array as a parameter, and an array as a result.
    let keys = vec!["pizza-1", "pizza-2"];
    let rows = client
        .query("select count(*), array_agg(key) from state where key = 'order' and service_key = any($1)", &[&keys])
        .await?;
    assert_eq!(
        (rows[0].get::<_, i64>(0), rows[0].get::<_, Vec<String>>(1)),
        (2, vec!["order".to_owned(); 2])
    );

    // Rows in batches, as JDBC fetches them.
    let mut client = client;
    let transaction = client.transaction().await?;
    let portal = transaction.bind("select key from state", &[]).await?;
    let first = transaction.query_portal(&portal, 3).await?;
    let rest = transaction.query_portal(&portal, 0).await?;
    assert!(
        first.len() == 3 && rest.len() > 3,
        "{} {}",
        first.len(),
        rest.len()
    );
    transaction.rollback().await?;

    let cancel = client.cancel_token();
    let begin = Instant::now();
    let long = client.simple_query(LONG);
    let cancelling = async {
        // A request that arrives before the query has begun has no effect.
        loop {
            cancel
                .cancel_query(NoTls)
                .await
                .expect("the cancel request is accepted");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let answer = tokio::select! {
        answer = long => answer,
        () = cancelling => unreachable!("it goes on until the query has ended"),
    };
    let error = answer.expect_err("it was cancelled");
    assert_eq!(
        error.code().map(tokio_postgres::error::SqlState::code),
        Some("57014"),
        "{error}"
    );
    assert!(
        begin.elapsed() < Duration::from_secs(10),
        "{:?}",
        begin.elapsed()
    );
    client
        .batch_execute("set statement_timeout = '200ms'")
        .await?;
    let error = client
        .simple_query(LONG)
        .await
        .expect_err("it takes too long");
    assert_eq!(
        error.code().map(tokio_postgres::error::SqlState::code),
        Some("57014"),
        "{error}"
    );
    Ok(())
}

#[tokio::test]
async fn a_forgotten_order_is_reported_as_stuck_and_connections_survive_a_restart_of_restate()
-> anyhow::Result<()> {
    let system = delivered().await?;
    let client = connect(&system).await?;

    // An order that has not changed for a long time and has no workflow.
    let bytes = |text: &str| text.bytes().collect::<Vec<u8>>();
    let state = json!({
        "object_key": "forgotten",
        "new_state": {
            "order-status": bytes(r#"{"status":"IN_PREPARATION","version":3}"#),
            "order-history": bytes(r#"[{"status":"CREATED","at":1700000000000,"version":1},{"status":"IN_PREPARATION","at":1700000001000,"version":3}]"#),
        },
    });
    let url = format!(
        "{}/services/OrderStatusService/state",
        system.address("restate-admin")?
    );
    end_to_end_tests::http()
        .post(url)
        .json(&state)
        .send()
        .await?
        .error_for_status()?;
    let why = eventually("the order to be stuck", SOON, async || {
        let rows = client
            .query(
                "select id, why, stuck_for > expected from stuck_orders",
                &[],
            )
            .await;
        let rows = rows.map_err(|error| error.to_string())?;
        match rows.as_slice() {
            [row] if row.get::<_, &str>(0) == "forgotten" && row.get(2) => {
                Ok(row.get::<_, String>(1))
            }
            rows => Err(format!("{rows:?}")),
        }
    })
    .await;
    assert_eq!(why, "no workflow is at work on it");

    system.kill_and_wait_for_return("restate-server").await?;
    eventually("the same connection to answer again", SOON, async || {
        client
            .query("select key from state limit 1", &[])
            .await
            .map_err(|error| error.to_string())
    })
    .await;
    Ok(())
}
