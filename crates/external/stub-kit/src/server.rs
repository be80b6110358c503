//! The routes that every stub has, and the HTTP server.

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::get;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::time::Instant;

use crate::faults::Plan;
use crate::problem::{NOT_FOUND, Problem, UNAVAILABLE, problem, with_reason};
use crate::{Database, Faults};

/// Makes a complete application from a stub's own `routes`: adds `GET /health` (200 while the database answers, else 503),
/// `GET /metrics`, `/faults`, problem documents for unknown paths and methods, and a line in the debug log for each request.
pub fn app<P: Plan>(routes: Router, database: &Database, faults: &Faults<P>) -> Router {
    Router::new()
        .route("/health", get(health))
        .route("/metrics", telemetry::http::metrics_route())
        .with_state(database.clone())
        .merge(faults.routes())
        .merge(routes)
        .fallback(|request: Request| async move {
            problem(NOT_FOUND, format!("there is no {}", request.uri().path()))
        })
        .method_not_allowed_fallback(|request: Request| async move {
            let (method, path) = (request.method(), request.uri().path());
            with_reason(Problem::method_not_allowed(method, path))
        })
        .layer(middleware::from_fn(log))
        .layer(middleware::from_fn(telemetry::http::observe))
}

async fn health(State(database): State<Database>) -> Result<axum::Json<Value>, Problem> {
    let checked = database.check().await;
    checked.map_err(|error| problem(UNAVAILABLE, error.to_string()))?;
    Ok(axum::Json(json!({"status": "UP"})))
}

async fn log(request: Request, next: Next) -> Response {
    let start = Instant::now();
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let response = next.run(request).await;
    let status = response.status().as_u16();
    tracing::debug!(%method, path, status, took = ?start.elapsed(), "request");
    response
}

/// Serves `app` on `listener` until `shutdown` completes, then finishes open requests, for at most [`inbound::GRACE`].
pub async fn serve(app: Router, listener: TcpListener, shutdown: impl Future<Output = ()>) {
    let connections = GracefulShutdown::new();
    let mut shutdown = std::pin::pin!(shutdown);
    while let Some((stream, peer)) = inbound::accept(&listener, shutdown.as_mut(), || ()).await {
        let service = TowerToHyperService::new(app.clone());
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .serve_connection(TokioIo::new(stream), service);
        let connection = connections.watch(connection);
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%peer, %error, "a connection broke");
            }
        });
    }
    drop(listener);
    inbound::drain(connections).await;
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;
    use crate::database::Schema;
    use crate::faults::{Latency, Rate};
    use crate::testing::Client;

    #[derive(Debug, Clone, Copy, Default, serde::Serialize)]
    struct NoPlan;

    impl Plan for NoPlan {
        fn changed(self, _: &mut domain::json::Fields<'_, '_>) -> Option<Self> {
            Some(self)
        }

        fn of_every_stub(&self) -> (Rate, Rate, Latency) {
            (Rate::NEVER, Rate::NEVER, Latency::default())
        }
    }

    async fn database(directory: &tempfile::TempDir) -> Database {
        let schema = Schema {
            version: 1,
            sql: "CREATE TABLE numbers (number INTEGER PRIMARY KEY) STRICT;",
        };
        Database::open(&directory.path().join("books.db"), schema)
            .await
            .unwrap()
    }

    #[tokio::test]
    async fn a_stub_is_healthy_as_long_as_its_database_answers() {
        let directory = tempfile::tempdir().unwrap();
        let database = database(&directory).await;
        let client = Client::new(app(Router::new(), &database, &Faults::<NoPlan>::default()));
        assert_eq!(client.get("/health").await.status, 200);

        database.close().await;
        let answer = client.get("/health").await;
        assert_eq!(
            (answer.status, &answer.body["reason"]),
            (503, &json!("unavailable"))
        );
    }

    #[tokio::test]
    async fn unknown_paths_and_methods_are_problems_too() {
        let directory = tempfile::tempdir().unwrap();
        let database = database(&directory).await;
        let client = Client::new(app(Router::new(), &database, &Faults::<NoPlan>::default()));
        let answer = client.get("/nowhere").await;
        assert_eq!(
            (answer.status, &answer.body["reason"]),
            (404, &json!("not-found"))
        );
        let answer = client.delete("/health").await;
        assert_eq!(
            (answer.status, &answer.body["reason"]),
            (405, &json!("method-not-allowed"))
        );
        assert_eq!(answer.headers["allow"], "GET,HEAD");
    }

    #[tokio::test]
    async fn open_requests_are_finished_when_the_server_stops() {
        let (arrived, arrival) = oneshot::channel();
        let (go, may_go) = oneshot::channel::<()>();
        let once = std::sync::Arc::new(std::sync::Mutex::new(Some((arrived, may_go))));
        let slow = Router::new().route(
            "/slow",
            get(|| async move {
                let (arrived, may_go) = once.lock().unwrap().take().unwrap();
                arrived.send(()).unwrap();
                may_go.await.unwrap();
                "done"
            }),
        );
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let server = tokio::spawn(serve(slow, listener, async {
            let _ = stopped.await;
        }));
        let request = tokio::spawn(crate::testing::raw_get(address, "/slow"));

        arrival.await.unwrap();
        stop.send(()).unwrap();
        go.send(()).unwrap();

        assert!(request.await.unwrap().ends_with("done"));
        server.await.unwrap();
    }
}
