//! A real PostgreSQL as the oracle: it gets the tables of the gateway, both get what clients send, and their answers must be the same,
//! message by message. `statements.sql` has the statements, and what psql and `pg_dump` are asked to do. The gateway's Restate has no
//! data.
//!
//! PostgreSQL 15 must be installed, as by Debian's `postgresql-15`; where it is not, the test says so and does nothing.
//! `FOOD_ORDERING_TEST_POSTGRES` names another directory of its programs.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt, chown};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};
use tokio::process::{Child, Command};

use super::any_restate::{Gateway, Restate};

/// How long it may take to start a PostgreSQL.
const SOON: Duration = Duration::from_mins(1);
/// The user that runs PostgreSQL where the test is run by root, which PostgreSQL refuses to be.
const NOBODY: u32 = 65_534;

/// How many of a hundred cases must be equal at least. Each other one has its reason in the list.
const LEAST: usize = 95;
/// The oids that tables of users get, which depend on what else was created.
const OIDS: std::ops::Range<u32> = 16_384..17_000;

/// A PostgreSQL with an empty database. It ends with this value.
struct Postgres {
    socket: PathBuf,
    _directory: tempfile::TempDir,
    _server: Child,
}

impl Postgres {
    /// Starts one; nothing if none is installed.
    async fn start() -> Option<Self> {
        let programs = std::env::var_os("FOOD_ORDERING_TEST_POSTGRES");
        let programs = programs.map_or_else(|| "/usr/lib/postgresql/15/bin".into(), PathBuf::from);
        if !programs.join("postgres").exists() {
            // Not captured by the test harness.
            let text = format!(
                "SKIPPED: there is no PostgreSQL 15 in {}\n",
                programs.display()
            );
            std::io::stderr()
                .write_all(text.as_bytes())
                .expect("it can be started and read");
            return None;
        }
        let directory = tempfile::tempdir().expect("it can be started and read");
        let data = directory.path().join("data");
        let is_root = directory
            .path()
            .metadata()
            .expect("it can be started and read")
            .uid()
            == 0;
        if is_root {
            chown(directory.path(), Some(NOBODY), Some(NOBODY))
                .expect("it can be started and read");
        }
        let run = |program: &str| {
            let mut command = Command::new(programs.join(program));
            command.arg("-D").arg(&data).current_dir(directory.path());
            command
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .kill_on_drop(true);
            if is_root {
                command.uid(NOBODY).gid(NOBODY);
            }
            command
        };
        let mut initdb = run("initdb");
        initdb.args([
            "--username=restate",
            "--auth=trust",
            "--locale=C",
            "--encoding=UTF8",
            "--no-sync",
        ]);
        assert!(
            initdb
                .status()
                .await
                .expect("it can be started and read")
                .success(),
            "initdb failed"
        );
        let mut server = run("postgres");
        server.args([
            "-c",
            "listen_addresses=",
            "-c",
            "fsync=off",
            "-c",
            "timezone=UTC",
            "-k",
        ]);
        let server = server
            .arg(directory.path())
            .spawn()
            .expect("it can be started and read");
        let socket = directory.path().join(".s.PGSQL.5432");
        let begin = Instant::now();
        loop {
            if let Ok(stream) = UnixStream::connect(&socket).await
                && Client::start(stream).await.is_some()
            {
                break;
            }
            assert!(begin.elapsed() < SOON, "PostgreSQL does not start");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Some(Self {
            socket,
            _directory: directory,
            _server: server,
        })
    }
}

/// A client that sees each message.
struct Client<S>(S);

impl<S: AsyncRead + AsyncWrite + Unpin> Client<S> {
    /// Logs in; nothing if the server is not ready for that.
    async fn start(mut stream: S) -> Option<Self> {
        let body = b"\0\x03\0\0user\0restate\0database\0postgres\0TimeZone\0UTC\0\0";
        stream
            .write_u32(u32::try_from(body.len() + 4).ok()?)
            .await
            .ok()?;
        stream.write_all(body).await.ok()?;
        let mut client = Self(stream);
        let answer = client.answer().await?;
        answer
            .last()
            .is_some_and(|last| last.starts_with("ready"))
            .then_some(client)
    }

    /// Asks by the simple protocol.
    async fn ask(&mut self, statement: &str) -> Vec<String> {
        let length = u32::try_from(statement.len() + 5).expect("a short statement");
        let length = length.to_be_bytes();
        let message = [b"Q", &length[..], statement.as_bytes(), b"\0"].concat();
        self.0
            .write_all(&message)
            .await
            .expect("a server that reads");
        let mut answer = self.answer().await.expect("a server that answers");
        // An error may be found before or after the columns.
        if answer.iter().any(|message| message.starts_with("error")) {
            answer.retain(|message| !message.starts_with("columns"));
        }
        // Rows have no order then.
        let outside = statement.rsplit(')').next().unwrap_or_default();
        if !outside.to_lowercase().contains("order by") {
            answer.sort();
        }
        answer
    }

    /// The messages up to the one that the server is ready. Nothing if it hangs up before.
    async fn answer(&mut self) -> Option<Vec<String>> {
        let mut messages = Vec::new();
        loop {
            let kind = self.0.read_u8().await.ok()?;
            let length = usize::try_from(self.0.read_u32().await.ok()?).ok()?;
            let mut body = vec![0; length.checked_sub(4)?];
            self.0.read_exact(&mut body).await.ok()?;
            messages.extend(readable(kind, &body));
            if kind == b'Z' {
                return Some(messages);
            }
        }
    }
}

/// A message of the server, without what may differ: texts of errors, notices, and which table a column is of.
fn readable(kind: u8, body: &[u8]) -> Option<String> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let number = |at: usize| {
        i32::from_be_bytes(
            body[at..at + 4]
                .try_into()
                .expect("it can be started and read"),
        )
    };
    Some(match kind {
        b'T' => {
            let mut columns = Vec::new();
            let mut at = 2;
            while at < body.len() {
                let name = body[at..]
                    .split(|byte| *byte == 0)
                    .next()
                    .expect("it can be started and read");
                at += name.len() + 1;
                columns.push(format!(
                    "{} {} {}",
                    text(name),
                    number(at + 6),
                    number(at + 9) & 0xFFFF
                ));
                at += 18;
            }
            format!("columns {}", columns.join(", "))
        }
        b'D' => {
            let mut values = Vec::new();
            let mut at = 2;
            while at < body.len() {
                let length = usize::try_from(number(at)).ok();
                at += 4;
                values.push(length.map(|length| {
                    let value = text(&body[at..at + length]);
                    let oid = value.parse().ok().filter(|oid| OIDS.contains(oid));
                    oid.map_or(value, |_| "an oid".to_owned())
                }));
                at += length.unwrap_or(0);
            }
            format!("row {values:?}")
        }
        b'C' => format!("complete {}", text(body)),
        b'E' => {
            let mut fields = body.split(|byte| *byte == 0);
            let code = fields.find_map(|field| field.strip_prefix(b"C"));
            format!("error {}", text(code.unwrap_or_default()))
        }
        b'S' => format!("reported {}", text(body)),
        b'Z' => format!("ready {}", text(body)),
        b'I' => "empty".to_owned(),
        _ => return None,
    })
}

/// Something that a client does.
struct Case {
    client: &'static str,
    /// A statement, a command of psql, or `pg_dump` with its arguments.
    text: String,
    /// Why the answers differ, if they may.
    difference: Option<&'static str>,
}

/// The cases of the list.
fn cases() -> Vec<Case> {
    let mut client = "";
    let mut cases = Vec::new();
    for block in include_str!("statements.sql").split("\n\n") {
        let mut difference = None;
        let mut text = Vec::new();
        for line in block.lines() {
            if let Some(name) = line.strip_prefix("--- ") {
                client = name;
            } else if let Some(reason) = line.strip_prefix("--! ") {
                difference = Some(reason);
            } else if !line.starts_with("-- ") {
                text.push(line);
            }
        }
        if !text.is_empty() {
            cases.push(Case {
                client,
                text: text.join("\n"),
                difference,
            });
        }
    }
    cases
}

/// Runs a program of PostgreSQL's with this host and port. Returns what it says.
async fn program(case: &str, host: &str, port: &str) -> anyhow::Result<Vec<String>> {
    let mut command = if case.starts_with('\\') {
        let mut psql = Command::new("psql");
        psql.args(["--no-psqlrc", "--set=VERBOSITY=sqlstate"])
            .arg(format!("--command={case}"));
        psql
    } else {
        let mut words = case.split(' ');
        let mut command = Command::new(words.next().context("a program")?);
        command.args(words);
        command
    };
    command
        .args(["--host", host, "--port", port, "--username", "restate"])
        .args(["--dbname", "postgres"])
        .envs([("PAGER", ""), ("TZ", "UTC"), ("LC_ALL", "C.UTF-8")])
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let output = command.output().await?;
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    Ok(said.lines().map(str::to_owned).collect())
}

/// Queries for statements that create the gateway's tables.
const TABLES: [&str; 2] = [
    "select case table_type when 'VIEW' then 'create view ' || c.table_name || ' as select ' else 'create table ' || c.table_name || ' (' end \
     || string_agg(case table_type when 'VIEW' then 'null::' || data_type || ' as ' || column_name \
     else column_name || ' ' || case data_type when 'ARRAY' then substr(udt_name, 2) || '[]' else data_type end || case is_nullable when 'NO' then ' not null' else '' end end, ', ' order by ordinal_position) \
     || case table_type when 'VIEW' then ' where false' else ')' end \
     from information_schema.columns c join information_schema.tables t on t.table_name = c.table_name and t.table_schema = c.table_schema \
     where c.table_schema = 'public' group by c.table_name",
    "select 'comment on view ' || relname || ' is ' || quote_literal(obj_description(oid, 'pg_class')) from pg_class \
     where relkind = 'v' and relnamespace = 'public'::regnamespace",
];

/// Statements that create the gateway's tables.
async fn tables(gateway: &mut Client<TcpStream>) -> Vec<String> {
    let mut statements = Vec::new();
    for query in TABLES {
        for message in gateway.ask(query).await {
            let row = message.strip_prefix("row [Some(\"");
            let statement = row.and_then(|row| row.strip_suffix("\")]"));
            statements.extend(statement.map(str::to_owned));
        }
    }
    // Tables before the comments on them.
    statements.sort_by_key(|statement| statement.starts_with("comment"));
    statements
}

#[derive(Default)]
struct Count {
    cases: usize,
    equal: usize,
    reasons: BTreeMap<&'static str, usize>,
}

#[tokio::test]
async fn clients_get_the_answers_of_postgres() -> anyhow::Result<()> {
    let Some(postgres) = Postgres::start().await else {
        return Ok(());
    };
    let restate = Restate::start().await?;
    let views = Path::new(env!("CARGO_MANIFEST_DIR")).join("../sql/views");
    let gateway = Gateway::start(&restate, Some(&views)).await?;
    let (host, port) = ("127.0.0.1", gateway.port.to_string());
    let socket = postgres.socket.parent().context("a directory")?;
    let socket = socket.to_str().context("a path")?;

    let stream = TcpStream::connect((host, gateway.port)).await?;
    let mut ours = Client::start(stream).await.context("the gateway")?;
    let stream = UnixStream::connect(&postgres.socket).await?;
    let mut theirs = Client::start(stream).await.context("PostgreSQL")?;
    let tables = tables(&mut ours).await;
    ensure!(tables.len() > 10, "{tables:?}");
    for table in tables {
        let answer = theirs.ask(&table).await;
        ensure!(answer[0].starts_with("complete"), "{table}: {answer:?}");
    }
    let mut different = Vec::new();
    let mut counts = BTreeMap::<_, Count>::new();
    for case in cases() {
        let text = case.text.as_str();
        let [expected, answer] = if text.starts_with('\\') || text.starts_with("pg_dump ") {
            [
                program(text, socket, "5432").await?,
                program(text, host, &port).await?,
            ]
        } else {
            [theirs.ask(text).await, ours.ask(text).await]
        };
        let count = counts.entry(case.client).or_default();
        count.cases += 1;
        count.equal += usize::from(answer == expected);
        if let Some(reason) = case.difference {
            *count.reasons.entry(reason).or_default() += 1;
        }
        if (answer == expected) == case.difference.is_some() {
            let first = expected
                .iter()
                .zip(&answer)
                .position(|(one, other)| one != other);
            let first = first.unwrap_or(expected.len().min(answer.len()));
            different.push(format!(
                "{text}\n  PostgreSQL: {:?}\n  gateway:    {:?}",
                expected.get(first),
                answer.get(first)
            ));
        }
    }
    let mut table = String::new();
    let (mut all, mut equal) = (0, 0);
    for (client, count) in counts {
        let reasons = count.reasons.iter();
        let reasons = reasons.map(|(reason, count)| format!("{count} × {reason}"));
        let reasons = reasons.collect::<Vec<_>>().join("; ");
        writeln!(
            table,
            "| {client} | {} | {} | {reasons} |",
            count.cases, count.equal
        )?;
        all += count.cases;
        equal += count.equal;
    }
    // Not captured by the test harness.
    writeln!(std::io::stderr(), "{table}| all | {all} | {equal} | |")?;
    ensure!(
        different.is_empty(),
        "{} of {all} differ without a reason, or are equal although they have one:\n{}",
        different.len(),
        different.join("\n")
    );
    ensure!(all > 600 && equal * 100 >= all * LEAST, "{equal} of {all}");
    Ok(())
}
