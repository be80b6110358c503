//! Whether a gateway answers, for health checks of containers.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How long the gateway may take to answer.
const TIMEOUT: Duration = Duration::from_secs(1);

/// Asks for TLS, as any client of PostgreSQL may, and expects the answer yes (`S`) or no (`N`).
pub(crate) async fn check(address: SocketAddr) -> anyhow::Result<()> {
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
            let (healthy, ()) = tokio::join!(check(address), server);
            assert_eq!(healthy.is_ok(), is_healthy, "{answer:?}: {healthy:?}");
        }
    }
}
