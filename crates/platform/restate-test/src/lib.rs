//! For tests of handlers: [`Restate`] is a real Restate server with this system's services, ready within about a second. It needs
//! no Docker and no free ports, and stops with the test.
//!
//! ```no_run
//! # use restate_sdk::prelude::*;
//! # use restate_test::{Answer, Restate, open};
//! # struct Greeter;
//! # #[restate_sdk::service]
//! # impl Greeter {
//! #     #[handler]
//! #     async fn greet(&self, _: Context<'_>, name: String) -> Result<String, TerminalError> { Ok(format!("Hello {name}")) }
//! # }
//! # async fn test() {
//! let services = Endpoint::builder().bind(open(Greeter)).build();
//! let restate = Restate::with([services]).await;
//! let greeter = GreeterIngressClient::from_client(restate.ingress());
//! assert_eq!(greeter.greet("Ada".to_owned()).call().await.answer(), "Hello Ada");
//! # }
//! ```
//!
//! | file | contents |
//! |---|---|
//! | `answer.rs` | unwrapping the result of a call |
//! | `broker.rs` | a Kafka broker in memory, for services that publish |
//! | `program.rs` | finding the server's executable |
#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod answer;
mod broker;
mod program;

use std::process::Stdio;
use std::time::{Duration, Instant};
use std::{fmt, future};

use durable::Server;
use durable::ingress::Executor;
use restate_sdk::endpoint::{Endpoint, HandlerOptions, ServiceOptions};
use restate_sdk::ingress::Client;
use restate_sdk::service::{Discoverable, IntoServiceDefinition, ServiceDefinition};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use tokio::task::JoinSet;
use upstream::{Addresses, Repeat, Upstream, http};

pub use answer::Answer;
pub use broker::Kafka;

/// How long anything may take before the test fails.
const LIMIT: Duration = Duration::from_secs(30);
/// The interval between attempts.
const INTERVAL: Duration = Duration::from_millis(10);

/// A Restate server with services. Stops on drop.
pub struct Restate {
    _server: Child,
    services: JoinSet<()>,
    directory: TempDir,
}

impl Restate {
    /// Starts a server and registers the services of `endpoints` with it.
    ///
    /// # Panics
    /// If that fails.
    pub async fn with(endpoints: impl IntoIterator<Item = Endpoint>) -> Self {
        let directory = tempfile::tempdir().expect("a directory for the data");
        let log = std::fs::File::create(directory.path().join("log")).expect("a log");
        let server = Command::new(program::path())
            .args(["--node-name=test", "--default-num-partitions=1"])
            // Unix sockets, so that no other process can take the port first.
            .arg("--listen-mode=unix")
            .arg("--base-dir")
            .arg(directory.path())
            // Removes Restate settings of the user who runs the test.
            .env_clear()
            .env("RESTATE_BIFROST__DEFAULT_PROVIDER", "local")
            .env("RESTATE_ROCKSDB_TOTAL_MEMORY_SIZE", "128 MB")
            .env("RESTATE_DISABLE_TELEMETRY", "true")
            .stdin(Stdio::null())
            .stderr(log.try_clone().expect("a log"))
            .stdout(log)
            .kill_on_drop(true)
            .spawn()
            .expect("the server starts");
        let mut restate = Self {
            _server: server,
            services: JoinSet::new(),
            directory,
        };
        for endpoint in endpoints {
            restate.register(endpoint).await;
        }
        restate
    }

    /// The client from which typed clients of services are made.
    #[must_use]
    #[expect(clippy::missing_panics_doc, reason = "the address is valid")]
    pub fn ingress(&self) -> Client<Executor> {
        let any: Addresses = "http://restate".parse().expect("an address");
        let server = Upstream::new(any, LIMIT);
        Executor::new(self.client("ingress"), server, Repeat::Never).client()
    }

    /// Runs a SQL query on the server's tables. Returns the rows.
    pub async fn sql(&self, query: &str) -> Vec<Value> {
        let asked = until("a query is answered", async || {
            let request = self.client("admin").post("http://restate/query");
            let request = request.header("accept", "application/json");
            json_of(request.json(&json!({ "query": query }))).await
        });
        asked.await["rows"].as_array().cloned().unwrap_or_default()
    }

    /// Cancels an invocation, like `restate invocations cancel`.
    pub async fn cancel(&self, invocation: impl fmt::Display) {
        let url = format!("http://restate/invocations/{invocation}/cancel");
        until("an invocation is cancelled", async || {
            let answer = self.client("admin").patch(&url).send().await.ok()?;
            answer.status().is_success().then_some(())
        })
        .await;
    }

    async fn register(&mut self, endpoint: Endpoint) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let server = Server::new(endpoint);
        self.services
            .spawn(server.serve(listener, future::pending()));
        let (admin, ingress) = (self.client("admin"), self.client("ingress"));
        let deployment = json!({ "uri": format!("http://{address}") });
        let registered = until("the server has the services", async || {
            json_of(admin.post("http://restate/deployments").json(&deployment)).await
        })
        .await;
        let services = registered["services"].as_array().expect("a list");
        until("they can be called", async || {
            let health = json_of(ingress.get("http://restate/restate/health")).await?;
            let known = health["services"].as_array()?;
            let mut names = services.iter().map(|service| &service["name"]);
            names.all(|name| known.contains(name)).then_some(())
        })
        .await;
    }

    fn client(&self, api: &str) -> reqwest::Client {
        let socket = self.directory.path().join(format!("test/{api}.sock"));
        let client = http::client(LIMIT).unix_socket(socket);
        client.build().expect("an HTTP client")
    }
}

impl Drop for Restate {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = std::fs::read_to_string(self.directory.path().join("log"));
            eprintln!("The Restate server's log:\n{}", log.unwrap_or_default());
        }
    }
}

/// The JSON body of a successful response.
async fn json_of(request: reqwest::RequestBuilder) -> Option<Value> {
    let response = request.send().await.ok()?.error_for_status().ok()?;
    serde_json::from_slice(&http::body(response, http::SHORT).await.ok()?).ok()
}

/// Calls `ask` repeatedly until it returns an answer.
///
/// # Panics
/// If there is no answer within 30 s.
pub async fn until<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + LIMIT;
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(Instant::now() < deadline, "waited {LIMIT:?} until {what}");
        tokio::time::sleep(INTERVAL).await;
    }
}

/// The service with all its handlers accessible through the ingress, including private ones.
pub fn open<S: Discoverable + IntoServiceDefinition>(service: S) -> ServiceDefinition {
    let handlers = S::discover().handlers.into_iter();
    let options = handlers.fold(ServiceOptions::new(), |options, handler| {
        let open = HandlerOptions::new().ingress_private(false);
        options.handler(handler.name.to_string(), open)
    });
    service.into_service_definition().options(options)
}
