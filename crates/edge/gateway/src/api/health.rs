//! Health: is the gateway alive, and can it do its work?

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::App;
use crate::edge::visitor::Visitor;
use crate::model::{Health, Readiness};

/// How long an answer is reused. However many clients ask, Kafka and Restate are checked no more often.
const FRESH: Duration = Duration::from_secs(1);

/// The last answer, and its time.
#[derive(Default)]
pub(super) struct Cache(Mutex<Option<(Instant, Readiness)>>);

/// Is the gateway alive?
#[utoipa::path(
    get,
    path = "/health",
    operation_id = "getHealth",
    tag = "health",
    responses((status = 200, description = "It is.", body = Health))
)]
pub(super) async fn live() -> Json<Health> {
    Json(Health::UP)
}

/// Can the gateway do its work?
///
/// It can if Kafka and Restate answer, if it reads the topics, and if it is not shutting down. The answer may be a second old.
/// Only operators are told the details of what is wrong.
#[utoipa::path(
    get,
    path = "/ready",
    operation_id = "getReadiness",
    tag = "health",
    responses(
        (status = 200, description = "It can.", body = Readiness),
        (status = 503, description = "It cannot: the body says what is missing.", body = Readiness),
    )
)]
pub(super) async fn ready(State(app): State<Arc<App>>, visitor: Visitor) -> Response {
    let mut readiness = app.readiness().await;
    if !visitor.is_operator() {
        // They contain internal addresses.
        readiness = readiness.without_details();
    }
    if app.leaving.load(Ordering::Relaxed) {
        readiness = readiness.leaving();
    }
    let code = if readiness.is_up() {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (code, [(header::CACHE_CONTROL, "no-store")], Json(readiness)).into_response()
}

impl App {
    async fn readiness(&self) -> Readiness {
        // Requests that come meanwhile wait for the same answer.
        let mut last = self.readiness.0.lock().await;
        match &*last {
            Some((found, readiness)) if found.elapsed() < FRESH => readiness.clone(),
            _ => {
                let (kafka, restate) = futures::join!(self.broker.check(), self.ingress.check());
                let readiness = Readiness::new(kafka, restate, self.hub.is_reading());
                *last = Some((Instant::now(), readiness.clone()));
                readiness
            }
        }
    }
}
