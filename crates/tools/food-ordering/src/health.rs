//! `health`: checks whether parts on this machine can do their work, so that a container's health check needs no `curl`.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, ensure};
use settings::networks::here;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::Part;
use crate::http::{self, Protocol};

/// Arguments of `health`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The parts to check
    #[arg(required = true)]
    parts: Vec<Part>,
    #[command(flatten)]
    order_services: order_workflow::Listen,
    #[command(flatten)]
    driver_simulator: driver_simulator::Listen,
    #[command(flatten)]
    restaurant_pos: restaurant_pos::Listen,
    #[command(flatten)]
    payment_provider: payment_provider::Listen,
    #[command(flatten)]
    gateway: gateway::Listen,
    #[command(flatten)]
    psql_gateway: psql_gateway::Listen,
    #[command(flatten)]
    kafka: kafka::Options,
}

/// How long the psql gateway may take to answer; the same as for parts that speak HTTP ([`http::answers`]).
const TIMEOUT: Duration = Duration::from_secs(1);

/// `health`: fails with the name of the first part that cannot work.
pub async fn main(args: Args) -> anyhow::Result<()> {
    for &part in &args.parts {
        check(part, &args)
            .await
            .with_context(|| format!("{part} is not healthy"))?;
    }
    Ok(())
}

async fn check(part: Part, args: &Args) -> anyhow::Result<()> {
    let (listen, path, protocol) = match part {
        Part::Kafka => {
            kafka::Cluster::discover(&args.kafka.connection()?).await?;
            return Ok(());
        }
        Part::PsqlGateway => return psql(here(args.psql_gateway.address)).await,
        Part::OrderServices => (args.order_services.address, "/health", Protocol::Http2),
        Part::DriverSimulator => (args.driver_simulator.address, "/health", Protocol::Http2),
        Part::RestaurantPos => (args.restaurant_pos.address, "/health", Protocol::Http1),
        Part::PaymentProvider => (args.payment_provider.address, "/health", Protocol::Http1),
        // `/health` would not do: without Kafka or Restate the gateway is alive but cannot work.
        Part::Gateway => (args.gateway.address, "/ready", Protocol::Http1),
    };
    let url = format!("http://{}{path}", here(listen));
    ensure!(http::answers(&url, protocol).await, "GET {url} failed");
    Ok(())
}

/// Asks for TLS, as any client of PostgreSQL may, and expects the answer yes (`S`) or no (`N`).
async fn psql(address: SocketAddr) -> anyhow::Result<()> {
    /// `SSLRequest`: its own length, and a special number in place of the protocol's version.
    const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];
    let ask = async {
        let mut stream = TcpStream::connect(address).await?;
        stream.write_all(&SSL_REQUEST).await?;
        stream.read_u8().await
    };
    let answer = timeout(TIMEOUT, ask)
        .await
        .with_context(|| format!("no answer from {address} within {TIMEOUT:?}"))?
        .with_context(|| format!("connecting to {address}"))?;
    ensure!(
        [b'S', b'N'].contains(&answer),
        "the server at {address} does not speak PostgreSQL's protocol"
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn only_a_server_that_answers_like_postgresql_is_healthy() {
        for (answer, is_healthy) in [(&b"N"[..], true), (b"S", true), (b"H", false), (b"", false)] {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            let server = async {
                let (mut client, _) = listener.accept().await.unwrap();
                let mut request = [0; 8];
                client.read_exact(&mut request).await.unwrap();
                client.write_all(answer).await.unwrap();
            };
            let (healthy, ()) = tokio::join!(psql(address), server);
            assert_eq!(healthy.is_ok(), is_healthy, "{answer:?}: {healthy:?}");
        }
    }
}
