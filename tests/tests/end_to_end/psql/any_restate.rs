//! `psql-gateway` alone, with a Restate that knows nothing about food ordering.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::Stdio;

use anyhow::{Context, ensure};
use end_to_end_tests::{Options, SOON, System, eventually, order, psql_gateway, run};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;
use tokio::process::{Child, Command};
use tokio::time::timeout;

/// A port that nobody uses. Another process could take it before it is used, but that is unlikely.
fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// A Restate server without any services. It is killed on drop.
pub(super) struct Restate {
    admin: String,
    _process: Child,
    _directory: TempDir,
}

impl Restate {
    pub(super) async fn start() -> anyhow::Result<Self> {
        let found = tokio::task::spawn_blocking(|| run(["restate-server-path"], "")).await??;
        ensure!(found.success, "{}", found.output);
        let server = found.output.lines().next().context("a path")?.to_owned();
        let directory = tempfile::tempdir()?;
        let admin = free_port()?;
        let config = directory.path().join("restate.toml");
        fs::write(
            &config,
            format!(
                "node-name = \"alone\"\nbase-dir = \"{}\"\nlisten-mode = \"tcp\"\nbind-ip = \"127.0.0.1\"\nbind-port = {}\n\
                 default-num-partitions = 1\ndisable-telemetry = true\nrocksdb-total-memory-size = \"128 MB\"\n\
                 [ingress]\nbind-port = {}\n[admin]\nbind-port = {admin}\n[bifrost]\ndefault-provider = \"local\"\n",
                directory.path().display(),
                free_port()?,
                free_port()?,
            ),
        )?;
        let process = Command::new(server)
            .arg("--config-file")
            .arg(config)
            // Removes Restate settings of the user who runs the test.
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        let admin = format!("http://127.0.0.1:{admin}");
        // Its partition may be there later than it is healthy.
        eventually("Restate to answer queries", SOON, async || {
            let answer = end_to_end_tests::http()
                .post(format!("{admin}/query"))
                .json(&serde_json::json!({ "query": "select count(*) from state" }))
                .send()
                .await;
            let answer = answer.and_then(reqwest::Response::error_for_status);
            answer.map_err(|error| error.to_string())
        })
        .await;
        Ok(Self {
            admin,
            _process: process,
            _directory: directory,
        })
    }
}

fn command(port: u16) -> anyhow::Result<Command> {
    let mut command = Command::new(psql_gateway()?);
    command
        .arg(format!("--listen=127.0.0.1:{port}"))
        .stdin(Stdio::null())
        .kill_on_drop(true);
    Ok(command)
}

/// Runs `--health`. Returns whether a gateway answers, and what was said.
async fn health(port: u16) -> anyhow::Result<(bool, String)> {
    let output = command(port)?.arg("--health").output().await?;
    Ok((output.status.success(), String::from_utf8(output.stderr)?))
}

/// A running psql gateway. It is killed on drop.
pub(super) struct Gateway {
    process: Child,
    pub(super) port: u16,
    log: tempfile::NamedTempFile,
}

impl Gateway {
    pub(super) async fn start(restate: &Restate, views: Option<&Path>) -> anyhow::Result<Self> {
        Self::at(&restate.admin, views).await
    }

    /// The gateway of the Restate with this admin API.
    async fn at(admin: &str, views: Option<&Path>) -> anyhow::Result<Self> {
        let port = free_port()?;
        let log = tempfile::NamedTempFile::new()?;
        let mut command = command(port)?;
        command.arg(format!("--restate-admin={admin}"));
        if let Some(views) = views {
            command.arg("--views").arg(views);
        }
        let process = command.stderr(log.reopen()?).spawn()?;
        eventually("the gateway to be healthy", SOON, async || {
            match health(port).await {
                Ok((true, _)) => Ok(()),
                other => Err(format!("{other:?}")),
            }
        })
        .await;
        Ok(Self { process, port, log })
    }

    /// Runs commands in `psql`. Returns its standard output and standard error.
    async fn ask(&self, commands: &[&str]) -> anyhow::Result<(String, String)> {
        let output = Command::new("psql")
            .args(["--no-psqlrc", "--no-align", "--set=VERBOSITY=verbose"])
            .args(
                commands
                    .iter()
                    .map(|command| format!("--command={command}")),
            )
            .arg(format!("postgresql://somebody@127.0.0.1:{}/", self.port))
            .env("PAGER", "")
            .stdin(Stdio::null())
            .output()
            .await
            .context("running psql, which `cargo xtask test` checks for")?;
        Ok((
            String::from_utf8(output.stdout)?,
            String::from_utf8(output.stderr)?,
        ))
    }

    /// Sends SIGTERM, and waits for the end. Returns whether it was a success, and the log.
    async fn stop(mut self) -> anyhow::Result<(bool, String)> {
        let pid = self.process.id().context("it runs")?;
        kill(Pid::from_raw(i32::try_from(pid)?), Signal::SIGTERM)?;
        let status = timeout(SOON, self.process.wait()).await??;
        Ok((status.success(), fs::read_to_string(self.log.path())?))
    }
}

/// Restate 1.8 has virtual queues and no `sys_keyed_service_status`. Here the queues are switched on, and the view that takes the
/// table's place there has another name.
#[tokio::test]
async fn a_table_that_restate_1_8_no_longer_has_is_read_from_its_successor() -> anyhow::Result<()> {
    let queues = "--restate-env=RESTATE_EXPERIMENTAL_ENABLE_VQUEUES=true";
    let system = System::start(Options::default().with(queues)).await?;
    let views = tempfile::tempdir()?;
    let view = include_str!(
        "../../../../crates/edge/psql-gateway/src/former/sys_keyed_service_status.sql"
    );
    fs::write(views.path().join("status.sql"), view)?;
    let gateway = Gateway::at(&system.address("restate-admin")?, Some(views.path())).await?;
    system.publish_orders(&[order("held")]).await?;
    let held = "select service_key from status s join sys_invocation i on i.id = s.invocation_id \
                where s.service_name = i.target_service_name and s.service_key = i.target_service_key";
    eventually("an object to be held", SOON, async || {
        let (out, err) = gateway
            .ask(&[held])
            .await
            .map_err(|error| error.to_string())?;
        let is_held = err.is_empty() && !out.contains("(0 rows)");
        is_held.then_some(()).ok_or(format!("{out}{err}"))
    })
    .await;
    let (succeeded, log) = gateway.stop().await?;
    ensure!(succeeded, "{log}");
    Ok(())
}

#[tokio::test]
async fn it_works_with_any_restate_without_views_and_with_those_of_a_directory()
-> anyhow::Result<()> {
    let restate = Restate::start().await?;
    let gateway = Gateway::start(&restate, None).await?;
    let (out, err) = gateway.ask(&["select count(*) from state", "\\d"]).await?;
    ensure!(
        err.is_empty() && out.starts_with("count\n0\n"),
        "{out}{err}"
    );
    ensure!(out.contains("public|sys_invocation|table|"), "{out}");
    ensure!(!out.contains("|view|"), "{out}");
    // Parts about PostgreSQL's catalogue, and the rest about Restate.
    for (query, expected) in [
        (
            "select c.relname, c.relkind = 'r' as is_table, s.key from pg_class c left join state s on s.key = c.relname where c.relname like 'sys_inv%n'",
            "relname|is_table|key\nsys_invocation|t|\n",
        ),
        (
            "select (select current_setting('search_path')) as path, count(*) from sys_invocation where target_service_name in (select nspname from pg_namespace)",
            "path|count\npublic|0\n",
        ),
        (
            "with n as (select nspname, nspacl from pg_namespace where oid < 0) select count(*), max(nspname) from n, state",
            "count|max\n0|\n",
        ),
        (
            "select count(*) from information_schema.columns c, (select 'key' as key) k, sys_service where c.table_schema = 'public' and c.column_name = k.key",
            "count\n0\n",
        ),
        (
            "select exists (select 1 from pg_am where amname = 'heap') as a, relname from pg_class where relname = 'state' union select true, key from state",
            "a|relname\nt|state\n",
        ),
        (
            "select pg_typeof, attnum, '{1,null}'::int[] from (select attnum, attname as pg_typeof, attacl from pg_attribute where attrelid = 'state'::regclass and attname = 'key') a left join state on key = 'x'",
            "pg_typeof|attnum|int4\nkey|",
        ),
    ] {
        let (out, err) = gateway.ask(&[query]).await?;
        ensure!(
            err.is_empty() && out.starts_with(expected),
            "{query}\n{out}{err}"
        );
    }
    let (_, err) = gateway.ask(&["select * from pg_attribute, state"]).await?;
    ensure!(err.contains("ERROR:  54000:"), "{err}");
    let (_, err) = gateway.ask(&["select * from orders"]).await?;
    ensure!(err.contains("ERROR:  42P01:"), "{err}");
    let (succeeded, log) = gateway.stop().await?;
    ensure!(succeeded && log.contains("psql gateway stops"), "{log}");

    let views = tempfile::tempdir()?;
    for (file, text) in [
        (
            "keys_by_service.sql",
            "-- How many keys each service has.\nselect service_name, count(*) as keys from state group by service_name;\n",
        ),
        (
            "busy.sql",
            "select * from keys_by_service where keys > 1000",
        ),
        ("refused.sql", "select nope from state"),
        ("README.md", "no view"),
    ] {
        fs::write(views.path().join(file), text)?;
    }
    let gateway = Gateway::start(&restate, Some(views.path())).await?;
    let (out, err) = gateway
        .ask(&["select count(*) from busy", "\\dv+", "\\d keys_by_service"])
        .await?;
    ensure!(
        err.is_empty() && out.starts_with("count\n0\n"),
        "{out}{err}"
    );
    for part in [
        "public|busy|view|",
        "|How many keys each service has.",
        "\nservice_name|text|",
        "\nkeys|bigint|",
    ] {
        ensure!(out.contains(part), "{part}: {out}");
    }
    ensure!(!out.contains("refused"), "{out}");
    let (_, err) = gateway.ask(&["select * from refused"]).await?;
    ensure!(
        err.contains("ERROR:  42703:") && err.contains("nope"),
        "{err}"
    );
    let (_, log) = gateway.stop().await?;
    ensure!(log.contains("correct refused.sql"), "{log}");
    Ok(())
}

#[tokio::test]
async fn it_refuses_views_that_it_cannot_use_and_tells_whether_it_is_there() -> anyhow::Result<()> {
    let views = tempfile::tempdir()?;
    fs::write(views.path().join("good.sql"), "select key from state")?;
    fs::write(views.path().join("bad.sql"), "select key from\nstate where")?;
    let port = free_port()?;
    let nowhere = views.path().join("nowhere");
    let bad = views.path().join("bad.sql");
    for (directory, named, reason) in [
        (views.path(), &bad, "in line 2, column"),
        (&nowhere, &nowhere, "cannot be read"),
    ] {
        let output = timeout(SOON, command(port)?.arg("--views").arg(directory).output()).await??;
        let said = String::from_utf8(output.stderr)?;
        let start = format!("Error: --views: {}: ", named.display());
        ensure!(
            !output.status.success() && said.contains(&start) && said.contains(reason),
            "{said}"
        );
    }
    let (healthy, said) = health(port).await?;
    let expected = format!("Error: connecting to 127.0.0.1:{port}");
    ensure!(!healthy && said.starts_with(&expected), "{said}");
    Ok(())
}
