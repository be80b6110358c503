//! For tests of handlers: [`Restate`], a real Restate server with services of ours, ready within about a second. It needs no
//! Docker and no ports, and ends with the test.
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
//! | file | what it holds |
//! |---|---|
//! | `answer.rs` | what a test does with the outcome of a call |
//! | `broker.rs` | a Kafka broker in memory, for services that publish |
//! | `program.rs` | where the server's program is |
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

/// How long anything may take before a test has failed.
const LIMIT: Duration = Duration::from_secs(30);
/// How long it takes until something is asked for again.
const OFTEN: Duration = Duration::from_millis(10);

/// A Restate server with services. It ends when this is dropped.
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
            // So there is no port that another process may take first.
            .arg("--listen-mode=unix")
            .arg("--base-dir")
            .arg(directory.path())
            // Settings of whoever runs the test are variables, too.
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

    /// What the typed client of a service is made from.
    #[must_use]
    #[expect(clippy::missing_panics_doc, reason = "the address is whole")]
    pub fn ingress(&self) -> Client<Executor> {
        let any: Addresses = "http://restate".parse().expect("an address");
        let server = Upstream::new(any, LIMIT);
        Executor::new(self.client("ingress"), server, Repeat::Never).client()
    }

    /// The rows that `query` has in the server's tables.
    pub async fn sql(&self, query: &str) -> Vec<Value> {
        let asked = until("a query is answered", async || {
            let request = self.client("admin").post("http://restate/query");
            let request = request.header("accept", "application/json");
            json_of(request.json(&json!({ "query": query }))).await
        });
        asked.await["rows"].as_array().cloned().unwrap_or_default()
    }

    /// What `restate invocations cancel` does.
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

    fn client(&self, door: &str) -> reqwest::Client {
        let socket = self.directory.path().join(format!("test/{door}.sock"));
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

/// The body of an answer that is a success and JSON.
async fn json_of(request: reqwest::RequestBuilder) -> Option<Value> {
    let response = request.send().await.ok()?.error_for_status().ok()?;
    serde_json::from_slice(&http::body(response, http::SHORT).await.ok()?).ok()
}

/// Asks again and again until there is an answer.
///
/// # Panics
/// If no answer comes within 30 s.
pub async fn until<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + LIMIT;
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(Instant::now() < deadline, "waited {LIMIT:?} until {what}");
        tokio::time::sleep(OFTEN).await;
    }
}

/// The service with all its handlers open to the ingress, also those that only other services may call.
pub fn open<S: Discoverable + IntoServiceDefinition>(service: S) -> ServiceDefinition {
    let handlers = S::discover().handlers.into_iter();
    let options = handlers.fold(ServiceOptions::new(), |options, handler| {
        let open = HandlerOptions::new().ingress_private(false);
        options.handler(handler.name.to_string(), open)
    });
    service.into_service_definition().options(options)
}
