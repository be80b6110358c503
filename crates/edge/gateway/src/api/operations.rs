//! For operators: dead letters, faults, load.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::json;
use reqwest::Url;
use serde_json::Value;

use super::extract::{JsonBytes, JsonOf, Operator, Segments, malformed, no_operator};
use super::orders::{self, Claim};
use super::problem::{Problem, kind, later, of_field, of_violations};
use super::responses::{JsonBody, Operators, OperatorsChange, problems};
use super::{App, NO_STORE};
use crate::edge::access::{COOKIE, Denied};
use crate::edge::visitor::Visitor;
use crate::model::{Accepted, Load, Replay, Session, schema};
use crate::operations::faults;

/// How long a session lasts, in seconds: a working day.
const SESSION: u32 = 12 * 60 * 60;

/// Publish an event again
///
/// Publishes a corrected dead letter. It is checked like the body of `POST /api/orders`.
#[utoipa::path(
    post,
    path = "/api/operations/dead-letters/replay",
    operation_id = "replayDeadLetter",
    tag = "operations",
    request_body(content = Replay, description = "The event, at most 64 KiB."),
    responses(
        (status = 202, description = "The order is stored and will be processed.", body = Accepted,
            headers(("location" = String, description = "Where to read the order's status."))),
        OperatorsChange,
        JsonBody,
        NotReplayed,
    )
)]
pub(super) async fn replay(
    _: Operator,
    State(app): State<Arc<App>>,
    JsonOf(Replay { value, key }): JsonOf<Replay>,
) -> Result<Response, Problem> {
    let event = value.as_bytes();
    if let Err(error) = json::Value::parse(event) {
        return Err(of_field(kind::INVALID_ORDER, "value", error.to_string()));
    }
    orders::take(&app, event, key, Claim::Any, None).await
}

/// The faults of a stub
#[utoipa::path(
    get,
    path = "/api/operations/faults/{stub}",
    operation_id = "getFaults",
    tag = "operations",
    params(("stub" = inline(schema::Stub), Path, description = "Which stub.")),
    responses(
        (status = 200, description = "The present faults.", body = Object),
        Operators,
        NoFaults,
    )
)]
pub(super) async fn get_faults(
    _: Operator,
    State(app): State<Arc<App>>,
    Segments(stub): Segments<String>,
) -> Result<Response, Problem> {
    faults_answer(app.stubs.get(faults_of(&app, &stub)?).await)
}

/// Set faults of a stub
///
/// Changes the faults that are named, and leaves the others.
#[utoipa::path(
    put,
    path = "/api/operations/faults/{stub}",
    operation_id = "setFaults",
    tag = "operations",
    params(("stub" = inline(schema::Stub), Path, description = "Which stub.")),
    request_body(content = Object, description = "Faults by name, such as `{\"errorRate\": 0.5}`; `GET` shows which there are."),
    responses(
        (status = 200, description = "The faults after the change.", body = Object),
        OperatorsChange,
        JsonBody,
        FaultsNotSet,
    )
)]
pub(super) async fn put_faults(
    _: Operator,
    State(app): State<Arc<App>>,
    Segments(stub): Segments<String>,
    JsonBytes(wish): JsonBytes,
) -> Result<Response, Problem> {
    json::Value::parse(&wish).map_err(|error| malformed(&error))?;
    faults_answer(app.stubs.put(faults_of(&app, &stub)?, wish).await)
}

fn faults_of(app: &App, stub: &str) -> Result<Url, Problem> {
    let detail = "only restaurant and payment have faults";
    let faults = app.stubs.faults_of(stub);
    faults.ok_or_else(|| Problem::new(kind::NOT_FOUND, detail))
}

fn faults_answer(answer: Result<Value, faults::Error>) -> Result<Response, Problem> {
    match answer {
        Ok(plan) => Ok((NO_STORE, Json(plan)).into_response()),
        Err(faults::Error::Refused(violation)) => {
            Err(of_violations(kind::INVALID_REQUEST, vec![violation]))
        }
        Err(faults::Error::Unavailable(why)) => {
            let detail = format!("the stub does not answer: {why}");
            Err(later(kind::UNAVAILABLE, detail))
        }
    }
}

/// The load of demo orders
#[utoipa::path(
    get,
    path = "/api/operations/load",
    operation_id = "getLoad",
    tag = "operations",
    responses(
        (status = 200, description = "The load that this gateway generates.", body = Load),
        Operators,
    )
)]
pub(super) async fn get_load(_: Operator, State(app): State<Arc<App>>) -> Response {
    load_answer(&app)
}

/// Set the load of demo orders
///
/// The gateway places demo orders at this rate until the rate is changed, for ten minutes at most.
#[utoipa::path(
    put,
    path = "/api/operations/load",
    operation_id = "setLoad",
    tag = "operations",
    request_body = Load,
    responses(
        (status = 200, description = "The load is set.", body = Load),
        OperatorsChange,
        JsonBody,
        LoadNotSet,
    )
)]
pub(super) async fn put_load(
    _: Operator,
    State(app): State<Arc<App>>,
    JsonOf(load): JsonOf<Load>,
) -> Result<Response, Problem> {
    app.load.set(load.orders_per_second);
    Ok(load_answer(&app))
}

fn load_answer(app: &App) -> Response {
    let load = Load {
        orders_per_second: app.load.rate(),
    };
    (NO_STORE, Json(load)).into_response()
}

/// Begin a session
///
/// Exchanges the operators' token for a cookie. Browsers need it because their `EventSource` cannot send headers.
#[utoipa::path(
    post,
    path = "/api/operations/session",
    operation_id = "beginSession",
    tag = "operations",
    request_body = Session,
    responses(
        (status = 204, description = "The cookie is set, or none is needed."),
        OperatorsChange,
        JsonBody,
        NoSession,
    )
)]
pub(super) async fn begin_session(
    State(app): State<Arc<App>>,
    visitor: Visitor,
    headers: HeaderMap,
    JsonOf(Session { token }): JsonOf<Session>,
) -> Result<Response, Problem> {
    match app.access.check_token(Some(&token)) {
        Ok(()) => {
            // Behind a proxy that speaks TLS, the browser must never send the cookie unencrypted.
            let scheme = headers.get("x-forwarded-proto");
            let is_secure = scheme.is_some_and(|scheme| scheme == "https");
            let secure = if is_secure { "; Secure" } else { "" };
            let cookie = format!(
                "{COOKIE}={token}; Path=/; Max-Age={SESSION}; HttpOnly; SameSite=Strict{secure}"
            );
            let cookie = [(header::SET_COOKIE, cookie)];
            Ok((StatusCode::NO_CONTENT, cookie, NO_STORE).into_response())
        }
        Err(Denied::NotFromThere) if visitor.is_from_here => {
            Ok((StatusCode::NO_CONTENT, NO_STORE).into_response())
        }
        Err(denied) => Err(no_operator(denied)),
    }
}

problems! {
    /// An event is not published again.
    NotReplayed {
        400: "The body, or the event in it, is not JSON.",
        409: "The id belongs to another order.",
        422: "The order cannot be taken as it is; `errors` names every field at fault.",
        503: "The order is not confirmed: repeat the request.",
    }
    /// The faults are not known.
    NoFaults {
        404: "There is no such stub.",
        503: "The stub does not answer.",
    }
    /// The faults stay as they are.
    FaultsNotSet {
        404: "There is no such stub.",
        422: "A fault is unknown, or its value is invalid.",
        503: "The stub does not answer.",
    }
    /// The load stays as it is.
    LoadNotSet {
        422: "The rate is invalid.",
    }
    /// No session begins.
    NoSession {
        401: "The token is wrong.",
        422: "The body is not valid.",
    }
}
