//! Determines who sends a request, and limits how often.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{ConnectInfo, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::App;
use super::extract::Operator;
use super::problem::{Problem, kind};
use crate::edge::access::Denied;
use crate::edge::rates::{Budget, Charge};
use crate::edge::refusals;
use crate::edge::visitor::Visitor;

/// Middleware that determines who sends a request and charges it to that client's budget. Operators have no budget.
pub(super) async fn visitors(
    State(app): State<Arc<App>>,
    mut request: Request,
    next: Next,
) -> Response {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let peer = peer.map(|ConnectInfo(peer)| *peer);
    let visitor = Visitor::of(&request, peer, &app.access, &app.proxies);
    request.extensions_mut().insert(visitor);
    if visitor.is_operator() {
        return next.run(request).await;
    }
    if visitor.operator == Err(Denied::WrongToken) {
        let charge = app.rates.charge(visitor.client, Budget::Tokens);
        if charge.left.is_err() {
            return too_many(&charge);
        }
    }
    let Some(budget) = Budget::of(request.method(), request.uri().path()) else {
        return next.run(request).await;
    };
    let charge = app.rates.charge(visitor.client, budget);
    if charge.left.is_err() {
        return too_many(&charge);
    }
    let mut response = next.run(request).await;
    add_headers(&mut response, &charge);
    response
}

fn too_many(charge: &Charge) -> Response {
    let (name, refusal) = charge.budget.names();
    refusals::count(refusal);
    let wait = charge.left.err().unwrap_or_default();
    let detail = format!(
        "too many requests from your address: wait as long as the header retry-after says; the limit for {name} is in the header \
         ratelimit-policy"
    );
    let mut response = Problem::new(kind::TOO_MANY_REQUESTS, detail)
        .retry_after(wait)
        .into_response();
    add_headers(&mut response, charge);
    response
}

fn add_headers(response: &mut Response, charge: &Charge) {
    for (name, value) in charge.headers() {
        if let Some(value) = value {
            response.headers_mut().insert(name, value);
        }
    }
}

/// Middleware for what only operators may see.
pub(super) async fn operators(_: Operator, request: Request, next: Next) -> Response {
    next.run(request).await
}
