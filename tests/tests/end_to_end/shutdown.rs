//! Each part is stopped in the middle of its work.

use std::cell::Cell;
use std::time::Duration;

use end_to_end_tests::{
    Options, SOON, System, assert_books_balance, assert_nothing_left_behind, eventually, order,
};
use nix::sys::signal::Signal;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::Instant;

use crate::many_orders::wait_for_all_delivered;

/// The parts, and how long each may take to stop. A part first finishes the requests in progress, which takes a few hundred
/// milliseconds; the limits leave room for a busy machine, well below the 10 s after which work is aborted.
const PARTS: [(&str, Duration); 6] = [
    ("order-services", Duration::from_secs(5)),
    ("driver-simulator", Duration::from_secs(5)),
    ("restaurant-pos", Duration::from_secs(5)),
    ("payment-provider", Duration::from_secs(5)),
    ("psql-gateway", Duration::from_secs(5)),
    ("gateway", Duration::from_secs(5)),
];

/// Places orders through the gateway until `stop` is notified. Returns the ids of the accepted orders, or an error if a request
/// got another answer or was aborted. Retries while the gateway refuses connections.
async fn keep_ordering(
    system: &System,
    stop: &tokio::sync::Notify,
    placed: &Cell<usize>,
) -> anyhow::Result<Vec<String>> {
    let mut ids = Vec::new();
    let mut each = tokio::time::interval(Duration::from_millis(100));
    let stopped = stop.notified();
    tokio::pin!(stopped);
    loop {
        tokio::select! {
            _ = each.tick() => {}
            () = &mut stopped => return Ok(ids),
        }
        let id = format!("rolling-{}", ids.len());
        let url = format!("{}/api/orders", system.address("gateway")?);
        // Each customer has a connection of their own.
        let client = end_to_end_tests::http();
        match client.post(url).json(&order(&id)).send().await {
            Ok(answer) => {
                let code = answer.status();
                anyhow::ensure!(code == 202, "{id}: {code}: {}", answer.text().await?);
                ids.push(id);
                placed.set(ids.len());
            }
            Err(error) => anyhow::ensure!(error.is_connect(), "{id}: {error:?}"),
        }
    }
}

#[tokio::test]
async fn every_part_stops_in_time_without_losing_an_order_or_a_request() -> anyhow::Result<()> {
    // Drivers take a moment for each move, so that some invocations are always running.
    let system = System::start(
        Options::default()
            .drivers(15)
            .with("--move-interval=50ms")
            .with("--step=0.005")
            .with("--preparation-time=500ms"),
    )
    .await?;
    let stop = tokio::sync::Notify::new();
    let placed = Cell::new(0);
    let roll = async {
        for (part, limit) in PARTS {
            let before = placed.get();
            eventually("more orders", SOON, async || {
                let more = placed.get() - before;
                if more >= 2 {
                    Ok(())
                } else {
                    Err(more.to_string())
                }
            })
            .await;
            eventually("work under way", SOON, async || {
                let rows = system
                    .sql("select id from sys_invocation where status = 'running' limit 1")
                    .await;
                match rows {
                    Ok(rows) if !rows.is_empty() => Ok(()),
                    other => Err(format!("{other:?}")),
                }
            })
            .await;
            let begin = Instant::now();
            let how = system.stop_part(part, Signal::SIGTERM).await?;
            let took = begin.elapsed();
            assert_eq!(how, "ended with exit code 0", "{part}");
            assert!(took < limit, "{part} took {took:?}");
        }
        stop.notify_one();
        anyhow::Ok(())
    };
    let (ids, rolled) = tokio::join!(keep_ordering(&system, &stop, &placed), roll);
    rolled?;
    let ids = ids?;
    assert!(ids.len() >= 2 * PARTS.len(), "{ids:?}");
    wait_for_all_delivered(&system, ids.len()).await;
    assert_books_balance(&system, &ids, 2350).await;
    assert_nothing_left_behind(&system).await;
    for (part, _) in PARTS {
        let log = system.log(part)?;
        let errors: Vec<&str> = log.lines().filter(|line| line.contains("ERROR")).collect();
        assert!(errors.is_empty(), "{part}: {errors:?}");
        assert!(!log.contains("stopped without finishing"), "{part}: {log}");
    }
    Ok(())
}

#[tokio::test]
async fn streams_and_psql_sessions_are_closed_properly_on_shutdown() -> anyhow::Result<()> {
    let system = System::start(Options::default().with("--preparation-time=1m")).await?;
    system.publish_orders(&[order("watched")]).await?;
    system.wait_for_status("watched", "IN_PREPARATION").await;
    let url = format!("{}/api/orders/watched/events", system.address("gateway")?);
    let mut stream = end_to_end_tests::http()
        .get(url)
        .send()
        .await?
        .error_for_status()?;
    let first = stream.chunk().await?.expect("a snapshot");
    let first = String::from_utf8_lossy(&first).into_owned();
    assert!(first.contains("retry:"), "{first}");
    let how = system.stop_part("gateway", Signal::SIGTERM).await?;
    assert_eq!(how, "ended with exit code 0");
    // The stream ends properly, not with an error.
    while stream.chunk().await?.is_some() {}

    let url = format!("{}/restate?user=test", system.address("psql-gateway")?);
    let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await?;
    let connection = tokio::spawn(connection);
    client.simple_query("select 1").await?;
    let how = system.stop_part("psql-gateway", Signal::SIGTERM).await?;
    assert_eq!(how, "ended with exit code 0");
    let farewell = connection.await?.expect_err("a farewell");
    let code = farewell.code().map(tokio_postgres::error::SqlState::code);
    assert_eq!(code, Some("57P01"), "{farewell}");
    Ok(())
}

#[tokio::test]
async fn a_second_signal_stops_a_part_at_once() -> anyhow::Result<()> {
    let system = System::start(Options::default()).await?;
    // A request whose body never arrives stays in progress for longer than this test takes. The gateway asks for the body once it
    // has begun to handle the request.
    let url = system.address("gateway")?;
    let address = url.trim_start_matches("http://").to_owned();
    let mut client = TcpStream::connect(&address).await?;
    let head = format!(
        "POST /api/orders HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\
         expect: 100-continue\r\n\r\n"
    );
    client.write_all(head.as_bytes()).await?;
    let mut asked = [0; 12];
    client.read_exact(&mut asked).await?;
    assert_eq!(&asked, b"HTTP/1.1 100");

    system.signal("gateway", Signal::SIGTERM)?;
    eventually(
        "the gateway to refuse connections",
        SOON,
        async || match TcpStream::connect(&address).await {
            Err(_) => Ok(()),
            Ok(_) => Err("it accepts connections".to_owned()),
        },
    )
    .await;
    let begin = Instant::now();
    let how = system.stop_part("gateway", Signal::SIGTERM).await?;
    assert_eq!(how, "ended with exit code 1");
    let took = begin.elapsed();
    assert!(took < Duration::from_secs(2), "{took:?}");
    Ok(())
}

#[tokio::test]
async fn waiting_attempts_are_suspended_at_once_on_shutdown() -> anyhow::Result<()> {
    // One move takes far longer than the part may take to stop, and a whole drive is one attempt.
    let system = System::start(
        Options::default()
            .drivers(2)
            .with("--move-interval=30s")
            .with("--step=0.005")
            .with("--preparation-time=0s"),
    )
    .await?;
    system.publish_orders(&[order("slow")]).await?;
    system.wait_for_status("slow", "WAITING_FOR_DRIVER").await;
    let waiting = "select status from sys_invocation where target_service_name = 'DriverMobileAppSimulator' \
        and target_handler_name = 'pollForWork' and status in ('running', 'suspended')";
    eventually("a driver to drive", SOON, async || {
        match system.sql(waiting).await {
            Ok(rows) if rows.iter().any(|row| row["status"] == "running") => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;

    let begin = Instant::now();
    let how = system
        .stop_part("driver-simulator", Signal::SIGTERM)
        .await?;
    let took = begin.elapsed();
    assert_eq!(how, "ended with exit code 0");
    assert!(took < Duration::from_secs(5), "{took:?}");
    // The attempt was suspended, not aborted: Restate saw no failure other than refused connections during the restart.
    let failed = system
        .sql(
            "select target, last_failure from sys_invocation where last_failure is not null \
             and last_failure not like '%Connection refused%'",
        )
        .await?;
    assert!(failed.is_empty(), "{failed:?}");
    Ok(())
}
