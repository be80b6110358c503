//! The connections between the nodes of a cluster. They lead through this process, which can cut a node off from the others.
//!
//! A node that is cut off still runs, and its clients still reach it. What it and the others send to each other is held back, as TCP
//! does where a network loses all packets, and arrives when the link is mended.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context;
use food_ordering::sockets;
use food_ordering::up::{PORTS, PROCESSES};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::plan::Victim;

/// The nodes, and the names of their ports in `ports.json`.
const NODES: [(Victim, &str); 3] = [
    (Victim::Restate, "restate-node"),
    (Victim::Restate2, "restate-node-2"),
    (Victim::Restate3, "restate-node-3"),
];
/// The pause after a connection that could not be accepted.
const AGAIN_AFTER: Duration = Duration::from_millis(100);

/// A proxy in front of each node.
#[derive(Debug)]
pub(super) struct Links {
    /// Where the nodes reach each other, in the sequence of [`NODES`].
    addresses: Vec<SocketAddr>,
    network: Arc<Network>,
    /// Only one node is cut off at a time: two nodes of three must be able to agree.
    one: tokio::sync::Mutex<()>,
    /// The proxies, which end with this.
    _proxies: JoinSet<()>,
}

#[derive(Debug)]
struct Network {
    /// The data directory of the system.
    directory: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    cut_off: Option<Victim>,
    connections: Vec<Connection>,
}

/// A connection from one node to another, through this process.
#[derive(Debug)]
struct Connection {
    from: SocketAddr,
    to: Victim,
    is_open: watch::Sender<bool>,
}

impl Links {
    /// Starts the proxies of a system whose data will be in `directory`.
    pub(super) async fn start(directory: &Path) -> anyhow::Result<Self> {
        let network = Arc::new(Network {
            directory: directory.to_owned(),
            state: Mutex::default(),
        });
        let mut addresses = Vec::new();
        let mut proxies = JoinSet::new();
        for (node, port) in NODES {
            let listener = TcpListener::bind("127.0.0.1:0").await;
            let listener = listener.context("listening for connections between nodes")?;
            addresses.push(listener.local_addr()?);
            proxies.spawn(Arc::clone(&network).accept(listener, node, port));
        }
        Ok(Self {
            addresses,
            network,
            one: tokio::sync::Mutex::default(),
            _proxies: proxies,
        })
    }

    /// The flag with which `up` sends the nodes' connections through the proxies.
    pub(super) fn flag(&self) -> String {
        let urls: Vec<String> = self
            .addresses
            .iter()
            .map(|address| format!("http://{address}/"))
            .collect();
        format!("--restate-links={}", urls.join(","))
    }

    /// Cuts a node off from the others for the time `lasts`.
    pub(super) async fn cut_off(&self, node: Victim, lasts: Duration) {
        let _one = self.one.lock().await;
        self.network.cut_off(Some(node));
        sleep(lasts).await;
        self.network.cut_off(None);
    }
}

impl Network {
    /// Changes which node is cut off, for existing connections and new ones.
    fn cut_off(&self, node: Option<Victim>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.cut_off = node;
        (state.connections).retain(|connection| !connection.is_open.is_closed());
        for connection in &state.connections {
            let is_open = self.is_open(node, connection.from, connection.to);
            connection.is_open.send_replace(is_open);
        }
    }

    /// Whether a connection passes while `cut_off` is cut off: if both its ends are on the same side.
    fn is_open(&self, cut_off: Option<Victim>, from: SocketAddr, to: Victim) -> bool {
        let Some(node) = cut_off else { return true };
        let processes: BTreeMap<String, u32> = self.read(PROCESSES).unwrap_or_default();
        let is_from_node =
            (processes.get(node.name())).is_some_and(|pid| sockets::is_connected_from(*pid, from));
        is_from_node == (to == node)
    }

    fn read<T: serde::de::DeserializeOwned>(&self, name: &str) -> anyhow::Result<T> {
        Ok(serde_json::from_slice(&std::fs::read(
            self.directory.join(name),
        )?)?)
    }

    /// Accepts the connections to a node, and forwards them as long as this runs.
    async fn accept(self: Arc<Self>, listener: TcpListener, to: Victim, port: &'static str) {
        let mut forwarding = JoinSet::new();
        loop {
            while forwarding.try_join_next().is_some() {}
            let Ok((stream, from)) = listener.accept().await else {
                sleep(AGAIN_AFTER).await;
                continue;
            };
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            let (is_open, open) = watch::channel(self.is_open(state.cut_off, from, to));
            state.connections.push(Connection { from, to, is_open });
            let network = Arc::clone(&self);
            forwarding.spawn(async move {
                if let Err(error) = network.forward(stream, port, open).await {
                    tracing::debug!("a connection between nodes: {error:#}");
                }
            });
        }
    }

    async fn forward(
        &self,
        from: TcpStream,
        port: &str,
        open: watch::Receiver<bool>,
    ) -> anyhow::Result<()> {
        let ports: BTreeMap<String, u16> = self.read(PORTS)?;
        let port = ports.get(port).with_context(|| format!("no {port}"))?;
        let mut first = open.clone();
        first.wait_for(|open| *open).await?;
        let to = TcpStream::connect(("127.0.0.1", *port)).await?;
        from.set_nodelay(true)?;
        to.set_nodelay(true)?;
        let (from_read, from_write) = from.into_split();
        let (to_read, to_write) = to.into_split();
        let ended = tokio::try_join!(
            copy(from_read, to_write, open.clone()),
            copy(to_read, from_write, open)
        );
        Ok(ended.map(drop)?)
    }
}

/// Copies until the end, and nothing while the link is cut.
async fn copy(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut open: watch::Receiver<bool>,
) -> io::Result<()> {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let count = from.read(&mut buffer).await?;
        let cut = open.wait_for(|open| *open).await;
        cut.map_err(io::Error::other)?;
        if count == 0 {
            return to.shutdown().await;
        }
        to.write_all(buffer.get(..count).unwrap_or_default())
            .await?;
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::timeout;

    use super::*;

    /// This process is the node `from`; the node with `port` echoes.
    async fn network(directory: &Path, from: Victim) -> Links {
        let echo = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = echo.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = echo.accept().await {
                tokio::spawn(async move {
                    let (mut read, mut write) = stream.split();
                    tokio::io::copy(&mut read, &mut write).await.unwrap();
                });
            }
        });
        let ports: BTreeMap<&str, u16> = NODES.map(|(_, name)| (name, port)).into();
        let processes = BTreeMap::from([(from.name(), std::process::id())]);
        std::fs::write(directory.join(PORTS), serde_json::to_vec(&ports).unwrap()).unwrap();
        let processes = serde_json::to_vec(&processes).unwrap();
        std::fs::write(directory.join(PROCESSES), processes).unwrap();
        Links::start(directory).await.unwrap()
    }

    async fn echoes(stream: &mut TcpStream) -> bool {
        stream.write_all(b"x").await.unwrap();
        let mut byte = [0];
        let answer = timeout(Duration::from_millis(200), stream.read_exact(&mut byte)).await;
        answer.is_ok()
    }

    #[tokio::test]
    async fn a_node_that_is_cut_off_reaches_itself_and_no_other_and_what_was_sent_arrives_later() {
        let directory = tempfile::tempdir().unwrap();
        let links = network(directory.path(), Victim::Restate2).await;
        let mut to_itself = TcpStream::connect(links.addresses[1]).await.unwrap();
        let mut to_third = TcpStream::connect(links.addresses[2]).await.unwrap();
        assert!(echoes(&mut to_itself).await && echoes(&mut to_third).await);

        links.network.cut_off(Some(Victim::Restate2));
        assert!(echoes(&mut to_itself).await);
        assert!(!echoes(&mut to_third).await);
        let mut new = TcpStream::connect(links.addresses[0]).await.unwrap();
        assert!(!echoes(&mut new).await);

        // Between the two others: neither this process nor the target is cut off.
        links.network.cut_off(Some(Victim::Restate));
        assert!(echoes(&mut to_itself).await);
        assert!(!echoes(&mut new).await, "to the node that is cut off");

        links.network.cut_off(None);
        let mut bytes = [0; 2];
        timeout(Duration::from_secs(10), new.read_exact(&mut bytes))
            .await
            .unwrap()
            .unwrap();
        assert_eq!(&bytes, b"xx");
    }
}
