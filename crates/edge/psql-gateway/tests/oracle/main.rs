//! A real PostgreSQL as the oracle: it gets the tables of the gateway, both get the statements of `statements.sql`, and their
//! answers must be the same, message by message. The gateway's runtime is a stand-in, so this is about the catalogue, the session and
//! the protocol.
//!
//! PostgreSQL 15 must be installed, as by Debian's `postgresql-15`; where it is not, the test says so and does nothing.
//! `FOOD_ORDERING_TEST_POSTGRES` names another directory of its programs.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../hostile_clients/runtime.rs"]
mod runtime;

use std::io::Write;
use std::os::unix::fs::{MetadataExt, chown};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::process::{Child, Command};

/// How long it may take to start a PostgreSQL.
const SOON: Duration = Duration::from_mins(1);
/// The user that runs PostgreSQL where the test is run by root, which PostgreSQL refuses to be.
const NOBODY: u32 = 65_534;

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
            std::io::stderr().write_all(text.as_bytes()).unwrap();
            return None;
        }
        let directory = tempfile::tempdir().unwrap();
        let data = directory.path().join("data");
        let is_root = directory.path().metadata().unwrap().uid() == 0;
        if is_root {
            chown(directory.path(), Some(NOBODY), Some(NOBODY)).unwrap();
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
            "--username=test",
            "--auth=trust",
            "--locale=C",
            "--encoding=UTF8",
            "--no-sync",
        ]);
        assert!(initdb.status().await.unwrap().success(), "initdb failed");
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
        let server = server.arg(directory.path()).spawn().unwrap();
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
        let body = b"\0\x03\0\0user\0test\0database\0postgres\0TimeZone\0UTC\0\0";
        stream
            .write_u32(u32::try_from(body.len() + 4).unwrap())
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
        self.0.write_u8(b'Q').await.unwrap();
        let length = u32::try_from(statement.len() + 5).unwrap();
        self.0.write_u32(length).await.unwrap();
        self.0.write_all(statement.as_bytes()).await.unwrap();
        self.0.write_u8(0).await.unwrap();
        self.answer().await.unwrap()
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
    let number = |at: usize| i32::from_be_bytes(body[at..at + 4].try_into().unwrap());
    Some(match kind {
        b'T' => {
            let mut columns = Vec::new();
            let mut at = 2;
            while at < body.len() {
                let name = body[at..].split(|byte| *byte == 0).next().unwrap();
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
                values.push(length.map(|length| text(&body[at..at + length])));
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

/// The statements of the list.
fn statements() -> impl Iterator<Item = String> {
    include_str!("statements.sql")
        .split("\n\n")
        .filter_map(|block| {
            let lines = block.lines().filter(|line| !line.starts_with("--"));
            let statement = lines.collect::<Vec<_>>().join("\n");
            (!statement.is_empty()).then_some(statement)
        })
}

/// Statements that create the gateway's tables.
async fn tables(gateway: &mut Client<TcpStream>) -> Vec<String> {
    let answer = gateway
        .ask(
            "select case table_type when 'VIEW' then 'create view ' || c.table_name || ' as select ' else 'create table ' || c.table_name || ' (' end \
             || string_agg(case table_type when 'VIEW' then 'null::' || data_type || ' as ' || column_name else column_name || ' ' || data_type end, ', ' order by ordinal_position) \
             || case table_type when 'VIEW' then '' else ')' end \
             from information_schema.columns c join information_schema.tables t on t.table_name = c.table_name and t.table_schema = c.table_schema \
             where c.table_schema = 'public' group by c.table_name",
        )
        .await;
    let rows = answer
        .iter()
        .filter_map(|message| message.strip_prefix("row [Some(\""));
    rows.map(|row| row.strip_suffix("\")]").unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn the_gateway_answers_as_postgres_does() {
    let Some(postgres) = Postgres::start().await else {
        return;
    };
    let (admin, _) = runtime::start().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut options = psql_gateway::Options::new(admin.parse().unwrap());
    options.views = Some(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../sql/views").into());
    tokio::spawn(psql_gateway::serve(
        options,
        listener,
        std::future::pending(),
    ));

    let mut ours = Client::start(TcpStream::connect(address).await.unwrap())
        .await
        .unwrap();
    let mut theirs = Client::start(connect(&postgres.socket).await)
        .await
        .unwrap();
    let tables = tables(&mut ours).await;
    assert!(tables.len() > 10, "{tables:?}");
    for table in tables {
        let answer = theirs.ask(&table).await;
        assert!(answer[0].starts_with("complete"), "{table}: {answer:?}");
    }
    let mut different = Vec::new();
    let mut count = 0;
    for statement in statements() {
        count += 1;
        let mut answers = [theirs.ask(&statement).await, ours.ask(&statement).await];
        for answer in &mut answers {
            // An error may be found before or after the columns.
            if answer.iter().any(|message| message.starts_with("error")) {
                answer.retain(|message| !message.starts_with("columns"));
            }
        }
        let [expected, answer] = answers;
        if answer != expected {
            let first = expected
                .iter()
                .zip(&answer)
                .position(|(one, other)| one != other);
            let first = first.unwrap_or(expected.len().min(answer.len()));
            different.push(format!(
                "{statement}\n  PostgreSQL: {:?}\n  gateway:    {:?}",
                expected.get(first),
                answer.get(first)
            ));
        }
    }
    assert!(count > 90, "{count}");
    assert!(
        different.is_empty(),
        "{} of {count}:\n{}",
        different.len(),
        different.join("\n")
    );
}

async fn connect(socket: &Path) -> UnixStream {
    UnixStream::connect(socket).await.unwrap()
}
