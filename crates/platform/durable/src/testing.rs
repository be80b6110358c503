//! Helpers for the tests of crates with durable services.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::header::ACCEPT;
use restate_sdk::discovery;
use restate_sdk::endpoint::Endpoint;
use serde::Deserialize;
use serde_json::Value;

use crate::declared::{ATTEMPTS, LAST_RETRY};

/// How long an invocation may wait before it is suspended.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

#[derive(Deserialize)]
struct Manifest {
    services: Vec<Declared>,
}

/// The options and payloads of a service or a handler.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Declared {
    name: String,
    #[serde(default)]
    handlers: Vec<Declared>,
    input: Option<Payload>,
    output: Option<Payload>,
    inactivity_timeout: Option<u64>,
    retry_policy_max_attempts: Option<u64>,
    retry_policy_max_interval: Option<u128>,
    retry_policy_on_max_attempts: Option<String>,
}

/// A handler's input or output.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Payload {
    content_type: Option<String>,
    required: Option<bool>,
    json_schema: Option<Value>,
}

impl Payload {
    /// Whether it has a schema, which Restate's UI shows. The SDK has no schemas for optional inputs.
    fn is_described(&self) -> bool {
        let schema = self.json_schema.as_ref().and_then(Value::as_object);
        self.content_type.is_none()
            || self.required == Some(false)
            || schema.is_some_and(|schema| !schema.is_empty())
    }
}

/// Checks in the discovery of `endpoint` that every service retries without end, that its waiting invocations are suspended, and that
/// all payloads have schemas. Returns the names of the services.
///
/// # Panics
/// If a service lacks one of these options, a handler has different ones, or a payload has no schema.
#[expect(clippy::expect_used, reason = "a test fails by panicking")]
pub async fn assert_declared(endpoint: &Endpoint) -> Vec<String> {
    let request = Request::get("/discover")
        .header(ACCEPT, "application/vnd.restate.endpointmanifest.v4+json")
        .body(Full::<Bytes>::default())
        .expect("a request");
    let body = endpoint.handle(request).into_body().collect().await;
    let manifest: Manifest = serde_json::from_slice(&body.expect("an answer").to_bytes())
        .expect("the manifest of the services");
    for service in &manifest.services {
        let name = &service.name;
        assert_eq!(service.retry_policy_max_attempts, Some(ATTEMPTS), "{name}");
        let interval = service.retry_policy_max_interval;
        assert_eq!(interval, Some(LAST_RETRY.as_millis()), "{name}");
        let then = service.retry_policy_on_max_attempts.as_deref();
        assert_eq!(then, Some("PAUSE"), "{name}");
        let suspended = service.inactivity_timeout.map_or(u128::MAX, u128::from);
        assert!(suspended <= LONGEST_WAIT.as_millis(), "{name}");
        for handler in &service.handlers {
            assert_eq!(handler.inactivity_timeout, None, "{name}/{}", handler.name);
            let attempts = handler.retry_policy_max_attempts;
            assert_eq!(attempts, None, "{name}/{}", handler.name);
            for payload in [&handler.input, &handler.output].into_iter().flatten() {
                assert!(payload.is_described(), "{name}/{}", handler.name);
            }
        }
    }
    let services = manifest.services.into_iter();
    services.map(|service| service.name).collect()
}

/// The wire names of a service and then of its handlers, where private handlers are marked `(private)`.
#[must_use]
pub fn wire_names(service: &discovery::Service) -> Vec<String> {
    let handlers = service.handlers.iter().map(|handler| {
        let private = handler.ingress_private == Some(true);
        format!(
            "{}{}",
            handler.name.as_str(),
            if private { " (private)" } else { "" }
        )
    });
    std::iter::once(service.name.to_string())
        .chain(handlers)
        .collect()
}
