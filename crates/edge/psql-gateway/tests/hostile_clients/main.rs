//! Clients that send garbage, half a message or nothing at all. Each test has a gateway of its own, whose runtime is a stand-in.
//!
//! What is sent is the same in every run. `PROPTEST_CASES=100000` makes a longer run of something else.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod deep;
mod runtime;
mod sql;

use std::io::Write;
use std::panic::PanicHookInfo;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Once};
use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::{Config as ProptestConfig, TestRng, TestRunner};
use psql_gateway::{Options, StartError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_postgres::NoTls;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::Type;

/// How long anything may take that should happen soon.
const SOON: Duration = Duration::from_secs(30);

/// The views of food ordering.
const VIEWS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../sql/views");

/// A gateway in front of a stand-in.
async fn gateway(change: impl FnOnce(&mut Options)) -> u16 {
    let (admin, _) = runtime::start().await;
    serve(&admin, change).await
}

async fn serve(admin: &str, change: impl FnOnce(&mut Options)) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut options = Options::new(admin.parse().unwrap());
    options.views = Some(VIEWS.into());
    change(&mut options);
    tokio::spawn(psql_gateway::serve(
        options,
        listener,
        std::future::pending(),
    ));
    port
}

/// Panics of connections, which end the connection only and so would not be seen.
static PANICS: Mutex<Vec<String>> = Mutex::new(Vec::new());

fn watch_for_panics() {
    static WATCHING: Once = Once::new();
    WATCHING.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic: &PanicHookInfo<'_>| {
            let file = panic.location().map_or("", |location| location.file());
            // The decoder's way to say that a message ends too early; the gateway takes it so.
            if file.contains("/bytes-") {
                return;
            }
            if !file.ends_with("hostile_clients/main.rs") {
                PANICS.lock().unwrap().push(panic.to_string());
            }
            usual(panic);
        }));
    });
}

fn assert_nothing_panicked() -> Result<(), TestCaseError> {
    let panics = std::mem::take(&mut *PANICS.lock().unwrap());
    prop_assert!(panics.is_empty(), "{panics:?}");
    Ok(())
}

/// Asks something that needs no runtime.
async fn is_alive(port: u16) {
    let config = format!("host=127.0.0.1 port={port} user=test connect_timeout=10");
    let asked = timeout(SOON, async {
        let (client, connection) = tokio_postgres::connect(&config, NoTls).await.unwrap();
        tokio::spawn(connection);
        client.simple_query("show server_version").await.unwrap()
    });
    assert!(asked.await.is_ok(), "the gateway does not answer any more");
}

async fn connect(port: u16) -> TcpStream {
    TcpStream::connect(("127.0.0.1", port)).await.unwrap()
}

/// Everything the gateway says until it hangs up.
async fn rest(stream: &mut TcpStream) -> Vec<u8> {
    let mut said = Vec::new();
    let read = timeout(SOON, stream.read_to_end(&mut said)).await;
    assert!(read.is_ok(), "the gateway does not hang up");
    said
}

fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 4).unwrap();
    [&[kind], length.to_be_bytes().as_slice(), body].concat()
}

fn startup() -> Vec<u8> {
    let body = b"\0\x03\0\0user\0test\0\0";
    let length = u32::try_from(body.len() + 4).unwrap();
    [length.to_be_bytes().as_slice(), body].concat()
}

fn cstring(text: &str) -> Vec<u8> {
    [text.replace('\0', "").as_bytes(), b"\0"].concat()
}

/// A statement by the simple or by the extended protocol, with more or fewer parameters than it has.
fn question() -> impl Strategy<Value = Vec<u8>> {
    let parameter = prop_oneof![
        Just(b"\xff\xff\xff\xff".to_vec()),
        "[a-z0-9 ]{0,8}".prop_map(|text| {
            let length = u32::try_from(text.len()).unwrap();
            [length.to_be_bytes().as_slice(), text.as_bytes()].concat()
        }),
    ];
    let parameters = proptest::collection::vec(parameter, 0..4);
    (
        sql::statement(),
        any::<bool>(),
        parameters,
        0..4_u8,
        0..2_u8,
    )
        .prop_map(|(sql, simple, parameters, rows, binary)| {
            if simple {
                return message(b'Q', &cstring(&sql));
            }
            let count = u8::try_from(parameters.len()).unwrap();
            let parse = [b"\0", &*cstring(&sql), b"\0\0"].concat();
            let bind = [
                &[0, 0, 0, 0, 0, count][..],
                &parameters.concat(),
                &[0, 1, 0, binary],
            ]
            .concat();
            [
                message(b'P', &parse),
                message(b'D', b"S\0"),
                message(b'B', &bind),
                message(b'D', b"P\0"),
                message(b'E', &[0, 0, 0, 0, rows]),
                message(b'S', b""),
            ]
            .concat()
        })
}

/// Messages of all kinds, mostly of the right shape, with bodies that are mostly not.
fn hostile() -> impl Strategy<Value = Vec<u8>> {
    let body = prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..60),
        Just(b"select 1\0".to_vec()),
        Just(b"\0select $1\0\0\0".to_vec()),
        Just(b"\0\0\0\x05\0\x01\0\x01\0\0\0\x04\0\0\0\x01\0\x09\0\x01".to_vec()),
        Just(b"P\0".to_vec()),
        Just(b"\0\0\0\0\0".to_vec()),
    ];
    let proper = (prop::sample::select(b"QPBDECSHXdcfp".to_vec()), body)
        .prop_map(|(kind, body)| message(kind, &body));
    let any = proptest::collection::vec(any::<u8>(), 0..40);
    proptest::collection::vec(prop_oneof![4 => proper, 1 => any], 0..8)
        .prop_map(|messages| messages.concat())
}

/// Cases are the same in every run, unless another number of them is wished.
fn runner(cases: u32) -> TestRunner {
    let wished = std::env::var("PROPTEST_CASES").ok();
    let wished = wished.map(|cases| cases.parse().unwrap());
    let config = ProptestConfig {
        cases: wished.unwrap_or(cases),
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    if wished.is_some() {
        return TestRunner::new(config);
    }
    let seed = TestRng::deterministic_rng(config.rng_algorithm);
    TestRunner::new_with_rng(config, seed)
}

/// Sends this, and answers what the gateway says to it.
async fn send_and_leave(port: u16, bytes: &[u8]) -> Vec<u8> {
    let mut stream = connect(port).await;
    // The gateway may have hung up before all was sent.
    let _ = stream.write_all(bytes).await;
    let _ = stream.shutdown().await;
    rest(&mut stream).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_is_sent_as_startup_the_gateway_lives_on() {
    watch_for_panics();
    let port = gateway(|_| {}).await;
    let handle = tokio::runtime::Handle::current();
    let fuzzed = tokio::task::spawn_blocking(move || {
        let valid = startup();
        let strategy = (
            proptest::collection::vec(any::<u8>(), 0..80),
            0..valid.len(),
            any::<u8>(),
            any::<bool>(),
        );
        runner(300).run(&strategy, |(noise, at, byte, cut)| {
            let mut bytes = valid.clone();
            bytes[at] = byte;
            if cut {
                bytes.truncate(at);
            }
            handle.block_on(send_and_leave(port, &[bytes, noise.clone()].concat()));
            handle.block_on(send_and_leave(port, &noise));
            assert_nothing_panicked()
        })
    });
    fuzzed.await.unwrap().unwrap();
    is_alive(port).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_is_sent_as_messages_the_gateway_lives_on() {
    watch_for_panics();
    let port = gateway(|_| {}).await;
    let handle = tokio::runtime::Handle::current();
    let fuzzed = tokio::task::spawn_blocking(move || {
        runner(300).run(&hostile(), |bytes| {
            handle.block_on(send_and_leave(port, &[startup(), bytes].concat()));
            assert_nothing_panicked()
        })
    });
    fuzzed.await.unwrap().unwrap();
    is_alive(port).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_is_asked_is_answered_and_the_runtime_is_asked_sql() {
    watch_for_panics();
    let (admin, unreadable) = runtime::start().await;
    let port = serve(&admin, |options| {
        options.statement_timeout = Duration::from_secs(2);
    })
    .await;
    let handle = tokio::runtime::Handle::current();
    let count = Arc::new(AtomicUsize::new(0));
    let asked = Arc::clone(&count);
    let fuzzed = tokio::task::spawn_blocking(move || {
        let questions = proptest::collection::vec(question(), 1..4);
        runner(400).run(&questions, |questions| {
            asked.fetch_add(questions.len(), Ordering::Relaxed);
            let bytes = [startup(), questions.concat()].concat();
            let said = handle.block_on(send_and_leave(port, &bytes));
            let answered = questions.len() + 1;
            let ready = said
                .windows(6)
                .filter(|said| said.starts_with(b"Z\0\0\0\x05"));
            prop_assert_eq!(
                ready.count(),
                answered,
                "{}",
                String::from_utf8_lossy(&said)
            );
            let unreadable = std::mem::take(&mut *unreadable.lock().unwrap());
            prop_assert!(unreadable.is_empty(), "{unreadable:?}");
            assert_nothing_panicked()
        })
    });
    let result = fuzzed.await.unwrap();
    // Not captured by the test harness.
    let count = count.load(Ordering::Relaxed);
    writeln!(std::io::stderr(), "{count} statements").unwrap();
    result.unwrap();
    is_alive(port).await;
}

/// An expression that is made of others, each a chain of the one before or something around it.
fn layers() -> impl Strategy<Value = String> {
    let layer = (0..12_usize, 1..60_usize);
    proptest::collection::vec(layer, 1..8).prop_map(|layers| {
        let mut expression = "key".to_owned();
        for (kind, count) in layers {
            // Nothing that could be a part of a query is larger than a message.
            if expression.len() > 20_000 {
                break;
            }
            let repeat = |by: &str| vec![expression.as_str(); count].join(by);
            let around = |before: &str, after: &str| {
                [
                    before.repeat(count),
                    expression.clone(),
                    after.repeat(count),
                ]
                .concat()
            };
            expression = match kind {
                0 => repeat(" or "),
                1 => repeat(" || "),
                2 => around("(", ")"),
                3 => around("lower(", ")"),
                4 => around("case when true then ", " end"),
                5 => around("not ", ""),
                6 => around("cast(", " as text)"),
                7 => around("(select ", ")"),
                8 => around("", "::text"),
                9 => format!("key in ({})", repeat(", ")),
                10 => around("array[", "]"),
                _ => around("", " is null"),
            };
        }
        expression
    })
}

/// The same as a simple and as an extended query, with answers to both.
fn asked_twice(sql: &str) -> Vec<u8> {
    let parse = [b"\0", &*cstring(sql), b"\0\0"].concat();
    [
        message(b'Q', &cstring(sql)),
        message(b'P', &parse),
        message(b'D', b"S\0"),
        message(b'B', &[0; 8]),
        message(b'E', &[0; 5]),
        message(b'S', b""),
    ]
    .concat()
}

/// Asks this, and checks that both were answered.
async fn is_answered(port: u16, sql: &str) -> Result<(), TestCaseError> {
    let said = send_and_leave(port, &[startup(), asked_twice(sql)].concat()).await;
    let ready = said
        .windows(6)
        .filter(|said| said.starts_with(b"Z\0\0\0\x05"));
    prop_assert_eq!(ready.count(), 3, "{}", String::from_utf8_lossy(&said));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn queries_of_any_depth_and_length_are_answered_or_refused() {
    watch_for_panics();
    let (admin, unreadable) = runtime::start().await;
    let port = serve(&admin, |options| {
        options.statement_timeout = Duration::from_secs(10);
    })
    .await;
    for (name, shape) in deep::SHAPES {
        for parts in [12, 40, 390, 1_300, 3_900, 10_000] {
            let sql = shape(parts);
            // A message that is too large ends its connection.
            if sql.len() < 1_000_000 {
                let answered = is_answered(port, &sql).await;
                answered.unwrap_or_else(|error| panic!("{name} of {parts}: {error}"));
            }
        }
    }
    let handle = tokio::runtime::Handle::current();
    let fuzzed = tokio::task::spawn_blocking(move || {
        let place = prop::sample::select(vec![
            "select {}",
            "select key from state where {}",
            "select id from orders where {}",
            "select relname from pg_class where {}",
            "copy (select {} from state) to stdout",
            "explain select {}",
        ]);
        runner(60).run(&(place, layers()), |(place, expression)| {
            handle.block_on(is_answered(port, &place.replace("{}", &expression)))?;
            assert_nothing_panicked()
        })
    });
    fuzzed.await.unwrap().unwrap();
    let unreadable = std::mem::take(&mut *unreadable.lock().unwrap());
    assert!(unreadable.is_empty(), "{unreadable:?}");
    is_alive(port).await;
}

#[tokio::test]
async fn who_says_nothing_or_half_a_word_is_sent_away_and_keeps_nobody_out() {
    let port = gateway(|options| {
        options.startup_timeout = Duration::from_millis(300);
        options.connections = 2;
    })
    .await;
    let mut idle = Vec::new();
    for _ in 0..10 {
        let mut stream = connect(port).await;
        stream.write_all(&startup()[..5]).await.unwrap();
        idle.push(stream);
    }
    is_alive(port).await;
    for mut stream in idle {
        assert_eq!(rest(&mut stream).await, b"");
    }
}

#[tokio::test]
async fn a_message_that_is_too_large_ends_its_connection_before_it_is_read() {
    let port = gateway(|options| options.max_message = 1000).await;
    let mut stream = connect(port).await;
    stream.write_all(&startup()).await.unwrap();
    while stream.read_u8().await.unwrap() != b'Z' {}
    stream
        .write_all(&message(b'Q', &[b' '; 1001])[..20])
        .await
        .unwrap();
    let said = String::from_utf8_lossy(&rest(&mut stream).await).into_owned();
    assert!(said.contains("08P01") && said.contains("1005"), "{said}");
    is_alive(port).await;
}

#[tokio::test]
async fn a_message_that_ends_too_early_ends_its_connection() {
    watch_for_panics();
    let port = gateway(|_| {}).await;
    let mut stream = connect(port).await;
    stream.write_all(&startup()).await.unwrap();
    stream
        .write_all(&message(b'P', b"\0select 1\0\0\x05"))
        .await
        .unwrap();
    let said = String::from_utf8_lossy(&rest(&mut stream).await).into_owned();
    assert!(said.contains("08P01"), "{said}");
    is_alive(port).await;
}

/// The kinds of the messages that the gateway says until it hangs up, and the SQLSTATEs of errors.
async fn told(port: u16, sent: &[u8]) -> String {
    let said = send_and_leave(port, sent).await;
    let mut rest = &said[..];
    let mut told = Vec::new();
    while let [kind, a, b, c, d, ..] = *rest {
        let length = usize::try_from(u32::from_be_bytes([a, b, c, d])).unwrap();
        let mut fields = rest[5..=length].split(|byte| *byte == 0);
        let code = fields.find_map(|field| field.strip_prefix(b"C"));
        let code = code.filter(|_| kind == b'E').unwrap_or_default();
        told.push(char::from(kind).to_string() + &String::from_utf8_lossy(code));
        rest = &rest[length + 1..];
    }
    told.retain(|message| !["S", "K", "R"].contains(&&**message));
    told.join(" ")
}

#[tokio::test]
async fn after_a_fatal_error_there_is_nothing_more() {
    let port = gateway(|_| {}).await;
    let with = |settings: &[u8]| {
        let body = [b"\0\x03\0\0", settings, b"\0"].concat();
        let length = u32::try_from(body.len() + 4).unwrap();
        [&length.to_be_bytes()[..], &body].concat()
    };
    for (sent, expected) in [
        (with(b"user\0a\0nope\x001\0"), "E42704"),
        (with(b"database\0a\0"), "E28000"),
        (with(b"user\0a\0replication\0true\0"), "E0A000"),
        (with(b"user\0a\0replication\0false\0"), "Z"),
        ([startup(), message(b'!', b"")].concat(), "Z E08P01"),
    ] {
        assert_eq!(told(port, &sent).await, expected, "{sent:?}");
    }
}

#[tokio::test]
async fn later_protocols_and_options_of_them_are_negotiated() {
    let port = gateway(|_| {}).await;
    for (minor, option, expected) in [
        (0, &b""[..], None),
        (1, b"", None),
        (2, b"", None),
        (3, b"", Some(&b"\0\x03\0\x02\0\0\0\0"[..])),
        (0, b"_pq_.x\0\0", Some(b"\0\x03\0\0\0\0\0\x01_pq_.x\0")),
        (2, b"_pq_.x\0\0", Some(b"\0\x03\0\x02\0\0\0\x01_pq_.x\0")),
    ] {
        let body = [&b"\0\x03\0"[..], &[minor], b"user\0test\0", option, b"\0"].concat();
        let length = u32::try_from(body.len() + 4).unwrap();
        let said = send_and_leave(port, &[&length.to_be_bytes()[..], &body].concat()).await;
        let expected = expected.map(|body| message(b'v', body)).unwrap_or_default();
        let first = [&expected[..], &message(b'R', &[0; 4])].concat();
        assert!(said.starts_with(&first), "{minor} {option:?}: {said:?}");
    }
}

#[tokio::test]
async fn a_statement_is_described_as_it_is_answered() {
    let port = gateway(|_| {}).await;
    let config = format!("host=127.0.0.1 port={port} user=test");
    let (client, connection) = tokio_postgres::connect(&config, NoTls).await.unwrap();
    tokio::spawn(connection);
    // No statement before it has set a limit of time.
    let refused = client.prepare("explain select key from state").await.err();
    let code = refused.and_then(|error| error.code().cloned());
    assert_ne!(code, Some(SqlState::QUERY_CANCELED));
    let asked = "select $1, $1 + 1, -$1 from pg_class limit 1";
    let statement = client.prepare_typed(asked, &[Type::INT2]).await.unwrap();
    let row = client.query_one(&statement, &[&4_i16]).await.unwrap();
    let values = (row.get::<_, i16>(0), row.get::<_, i32>(1), row.get(2));
    assert_eq!(values, (4, 5, -4_i16));
}

#[tokio::test]
async fn portals_end_with_their_transaction_and_share_names_with_cursors() {
    let port = gateway(|_| {}).await;
    let query = |sql: &str| message(b'Q', &cstring(sql));
    let parse = [&b"s\0select oid from pg_am\0"[..], b"\0\0"].concat();
    let bind = |name: &str| message(b'B', &[&*cstring(name), b"s\0", &[0; 6]].concat());
    let execute = |name: &str| message(b'E', &[&*cstring(name), b"\0\0\0\x01"].concat());
    let sync = message(b'S', b"");
    let cursor = query("declare c cursor for select 1 from pg_am");
    let begin = [
        startup(),
        query("begin"),
        message(b'P', &parse),
        bind("p"),
        execute("p"),
        sync.clone(),
    ]
    .concat();
    for (then, expected) in [
        (vec![query("commit"), execute("p")], "C Z E34000 Z"),
        (vec![query("rollback"), execute("p")], "C Z E34000 Z"),
        (vec![execute("p")], "D s Z"),
        (vec![bind("p")], "E42P03 Z"),
        (vec![cursor, bind("c")], "C Z E42P03 Z"),
        (
            vec![bind(""), execute(""), query("show role"), execute("")],
            "2 D s T D C Z E34000 Z",
        ),
    ] {
        let sent = [begin.clone(), then.concat(), sync.clone()].concat();
        assert_eq!(
            told(port, &sent).await,
            format!("Z C Z 1 2 D s Z {expected}")
        );
    }
}

#[tokio::test]
async fn one_client_too_many_is_told_so_and_comes_in_once_there_is_room() {
    let port = gateway(|options| options.connections = 1).await;
    let config = format!("host=127.0.0.1 port={port} user=test");
    let (client, connection) = tokio_postgres::connect(&config, NoTls).await.unwrap();
    let connection = tokio::spawn(connection);
    let refused = tokio_postgres::connect(&config, NoTls).await.err().unwrap();
    assert_eq!(refused.code().unwrap().code(), "53300");
    drop(client);
    connection.await.unwrap().unwrap();
    let deadline = tokio::time::Instant::now() + SOON;
    while tokio_postgres::connect(&config, NoTls).await.is_err() {
        assert!(
            tokio::time::Instant::now() < deadline,
            "there is never room again"
        );
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_runtime_that_is_down_is_08006_in_less_than_two_seconds_and_the_gateway_lives_on() {
    let gone = TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap();
    let port = serve(&format!("http://{gone}"), |_| {}).await;
    let config = format!("host=127.0.0.1 port={port} user=test");
    let (client, connection) = tokio_postgres::connect(&config, NoTls).await.unwrap();
    tokio::spawn(connection);
    for _ in 0..2 {
        let begin = std::time::Instant::now();
        let error = client
            .simple_query("select * from state")
            .await
            .unwrap_err();
        assert_eq!(error.code().unwrap().code(), "08006", "{error}");
        assert!(
            begin.elapsed() < Duration::from_secs(2),
            "{:?}",
            begin.elapsed()
        );
    }
    client.simple_query("show server_version").await.unwrap();
}

#[tokio::test]
async fn only_who_knows_a_password_comes_in() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("passwords");
    std::fs::write(&file, "anna:secret\n").unwrap();
    let port = gateway(|options| options.password_file = Some(file)).await;
    for (user, password, code) in [
        ("anna", Some("secret"), None),
        ("anna", Some("wrong"), Some("28P01")),
        ("ben", Some("secret"), Some("28P01")),
    ] {
        let mut config = tokio_postgres::Config::new();
        config.host("127.0.0.1").port(port).user(user);
        if let Some(password) = password {
            config.password(password);
        }
        let answer = timeout(SOON, config.connect(NoTls)).await.unwrap();
        let refused = answer
            .err()
            .map(|error| error.code().map(|code| code.code().to_owned()));
        assert_eq!(refused, code.map(|code| Some(code.to_owned())), "{user}");
    }
}

#[tokio::test]
async fn a_gateway_that_others_can_reach_refuses_to_start_without_passwords() {
    let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
    let options = Options::new("http://127.0.0.1:9070".parse().unwrap());
    let refused = psql_gateway::serve(options, listener, std::future::pending()).await;
    assert!(matches!(refused, Err(StartError::Open(_))), "{refused:?}");
}
