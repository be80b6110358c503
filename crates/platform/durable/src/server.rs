//! The HTTP server: Restate's endpoint, `GET /metrics` and `GET /health`, and a span around each attempt.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Once;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::{BodyExt, Either, Full};
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use restate_sdk::endpoint::{Endpoint, HandleOptions, ProtocolMode, ResponseBody};
use telemetry::metrics::Counters;
use telemetry::span::{self, Outcome};
use telemetry::trace::{TraceParent, is_enabled};
use telemetry::{http, metrics};
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use tracing::Span;

use crate::costs::{Costs, Meter};
use crate::identity::{Identity, Refusal};
use crate::protocol::{Answers, Beginning};
use crate::trace::{resumed, traceparent_in};

/// How many bytes of an attempt are inspected before it begins. An order event has a hundredth of that.
const LONGEST_BEGINNING: usize = 256 * 1024;

/// The response header that identifies services of Restate. The SDK sends it too.
const X_RESTATE_SERVER: HeaderName = HeaderName::from_static("x-restate-server");

static REFUSED: Counters<1> = Counters::new(
    "restate_requests_refused",
    "Requests to the durable services that were refused because they were not signed with a known key of Restate",
    ["reason"],
);

/// A handler whose input is an order event, which may contain a trace context.
#[derive(Debug, Clone, Copy)]
pub struct Source {
    /// The service.
    pub service: &'static str,
    /// The handler.
    pub handler: &'static str,
    /// Whether to start a trace here if the event contains none.
    pub begins: bool,
}

/// Serves durable services.
///
/// Like the SDK's own server it speaks HTTP/2 with Restate, and also HTTP/1.1, for clients that read the metrics.
#[derive(Clone)]
pub struct Server {
    endpoint: Endpoint,
    identity: Identity,
    sources: &'static [Source],
    keyed_by_order: &'static [&'static str],
}

impl Server {
    /// A server of the services in `endpoint`.
    #[must_use]
    pub fn new(endpoint: Endpoint) -> Self {
        Self {
            endpoint,
            identity: Identity::default(),
            sources: &[],
            keyed_by_order: &[],
        }
    }

    /// Which requests are accepted; by default all.
    #[must_use]
    pub fn identity(mut self, identity: Identity) -> Self {
        self.identity = identity;
        self
    }

    /// The handlers whose input may contain a trace context.
    #[must_use]
    pub fn sources(mut self, sources: &'static [Source]) -> Self {
        self.sources = sources;
        self
    }

    /// The services whose key is an order id, so that log lines can name the order.
    #[must_use]
    pub fn keyed_by_order(mut self, services: &'static [&'static str]) -> Self {
        self.keyed_by_order = services;
        self
    }

    /// Serves on `listener` until `shutdown`. Then running attempts get a little time to finish, and waiting ones are suspended at
    /// once, so that Restate continues them elsewhere or later.
    pub async fn serve(self, listener: TcpListener, shutdown: impl Future<Output = ()>) {
        let graceful = GracefulShutdown::new();
        let stopping = CancellationToken::new();
        let mut shutdown = std::pin::pin!(shutdown);
        while let Some((stream, remote)) =
            inbound::accept(&listener, shutdown.as_mut(), || ()).await
        {
            let server = self.clone();
            let stop = stopping.clone();
            let service = service_fn(move |request| {
                let (server, stop) = (server.clone(), stop.clone());
                async move { Ok::<_, Infallible>(server.answer(request, &stop).await) }
            });
            let builder = auto::Builder::new(TokioExecutor::new());
            let connection = builder.serve_connection(TokioIo::new(stream), service);
            let connection = graceful.watch(connection.into_owned());
            tokio::spawn(async move {
                if let Err(error) = connection.await {
                    tracing::debug!(%remote, %error, "a connection broke");
                }
            });
        }
        // New connections are refused from now on. Clients retry, with another instance or with the next one at this address.
        drop(listener);
        // Each open connection tells Restate to send no new attempts over it.
        stopping.cancel();
        inbound::drain(graceful).await;
    }

    async fn answer(
        &self,
        request: Request<Incoming>,
        stopping: &CancellationToken,
    ) -> Response<Answer> {
        let path = request.uri().path();
        if request.method() == Method::GET {
            // Anyone may request these: they contain no order data.
            match path {
                "/metrics" => return text(metrics::CONTENT_TYPE, metrics::text()),
                "/health" => return text("application/json", r#"{"status":"UP"}"#),
                _ => {}
            }
        }
        if let Err(refusal) = self.identity.check(request.headers(), path) {
            return refused(&refusal);
        }
        let Some((service, handler)) = target(path) else {
            let (parts, body) = request.into_parts();
            let request = Request::from_parts(parts, InspectedBody::uninspected(body, stopping));
            return self.handle(request, Span::none(), false, None);
        };
        let (service, handler) = (service.to_owned(), handler.to_owned());
        let runtime = http::parent_of(request.headers());
        let (parts, body) = request.into_parts();
        let (mut inspected, beginning) = InspectedBody::beginning_of(body, stopping).await;
        let request = |body| Request::from_parts(parts, body);
        let Some(beginning) = Beginning::read(&beginning) else {
            return self.handle(request(inspected), Span::none(), false, None);
        };
        let (received, sent) = Costs::meters(&service, &handler, &beginning);
        inspected.meter = Some(received);
        let span = self.span(&service, &handler, &beginning, runtime);
        self.handle(request(inspected), span, beginning.is_resumed(), Some(sent))
    }

    fn handle(
        &self,
        request: Request<InspectedBody>,
        span: Span,
        is_resumed: bool,
        sent: Option<Meter>,
    ) -> Response<Answer> {
        let options = HandleOptions {
            protocol_mode: ProtocolMode::BidiStream,
        };
        let response = self.endpoint.handle_with_options(request, options);
        // Only handlers that exist have costs.
        let sent = sent.filter(|_| response.status() == StatusCode::OK);
        response.map(|body| Either::Right(Attempt::new(body, span, is_resumed, sent)))
    }

    /// The span of an attempt with this beginning.
    fn span(
        &self,
        service: &str,
        handler: &str,
        beginning: &Beginning,
        runtime: Option<TraceParent>,
    ) -> Span {
        let source = (self.sources.iter())
            .find(|source| source.service == service && source.handler == handler);
        let of_caller = || beginning.traceparent.as_ref()?.parse::<TraceParent>().ok();
        let of_event = || {
            source?;
            traceparent_in(&beginning.input)?.parse().ok()
        };
        let parent = of_caller().or_else(of_event);
        let id = &beginning.invocation;
        let begins = source.is_some_and(|source| source.begins) && is_enabled();
        let own = parent
            .map(|parent| parent.of_invocation(id))
            .or_else(|| begins.then(|| TraceParent::begun_by_invocation(id)));
        span::attempt(&span::Attempt {
            service,
            handler,
            key: &beginning.key,
            key_is_order: self.keyed_by_order.contains(&service),
            invocation: id,
            is_resumed: beginning.is_resumed(),
            retries: beginning.retries,
            from_kafka: beginning.from_kafka,
            parent,
            own,
            runtime,
        })
    }
}

/// An answer that does not come from the SDK.
fn text(media_type: &'static str, text: impl Into<Bytes>) -> Response<Answer> {
    let mut response = Response::new(Either::Left(Full::new(text.into())));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    let version = concat!("food-ordering/", env!("CARGO_PKG_VERSION"));
    headers.insert(X_RESTATE_SERVER, HeaderValue::from_static(version));
    response
}

/// The answer to a request that is not accepted.
fn refused(refusal: &Refusal) -> Response<Answer> {
    static LOGGED: Once = Once::new();
    REFUSED.inc([match refusal {
        Refusal::Unsigned => "unsigned",
        Refusal::NotVerified(_) => "other key",
    }]);
    // Logged only once, so that repeated requests cannot fill the log.
    LOGGED.call_once(|| {
        tracing::warn!("a request was refused; further ones are only counted: {refusal}");
    });
    let mut response = text("text/plain; charset=utf-8", refusal.to_string());
    *response.status_mut() = StatusCode::UNAUTHORIZED;
    response
}

/// Service and handler of `…/invoke/<service>/<handler>`.
fn target(path: &str) -> Option<(&str, &str)> {
    let mut segments = path.rsplit('/');
    let (handler, service) = (segments.next()?, segments.next()?);
    (segments.next() == Some("invoke")).then_some((service, handler))
}

type Answer = Either<Full<Bytes>, Attempt>;

/// A request body whose beginning has been inspected.
///
/// When the server stops, the body ends early. Restate itself asks for a suspension in this way: a waiting attempt is suspended
/// when no more input can arrive, and a running one continues until it waits.
struct InspectedBody {
    frames: VecDeque<Frame<Bytes>>,
    rest: Incoming,
    stopping: Pin<Box<WaitForCancellationFutureOwned>>,
    meter: Option<Meter>,
}

impl InspectedBody {
    fn uninspected(rest: Incoming, stopping: &CancellationToken) -> Self {
        Self {
            frames: VecDeque::new(),
            rest,
            stopping: Box::pin(stopping.clone().cancelled_owned()),
            meter: None,
        }
    }

    /// Reads the messages that describe the attempt. Restate sends these at once, without waiting for an answer.
    async fn beginning_of(mut body: Incoming, stopping: &CancellationToken) -> (Self, Vec<u8>) {
        let mut frames = VecDeque::new();
        let mut bytes = Vec::new();
        while bytes.len() < LONGEST_BEGINNING && Beginning::read(&bytes).is_none() {
            // The SDK reports the error, if there is one.
            let Some(Ok(frame)) = body.frame().await else {
                break;
            };
            if let Some(data) = frame.data_ref() {
                bytes.extend_from_slice(data);
            }
            frames.push_back(frame);
        }
        let inspected = Self {
            frames,
            ..Self::uninspected(body, stopping)
        };
        (inspected, bytes)
    }
}

impl Body for InspectedBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        // Data that has arrived is read first: an attempt cannot begin without its whole journal.
        let polled = match self.frames.pop_front() {
            Some(frame) => Poll::Ready(Some(Ok(frame))),
            None => Pin::new(&mut self.rest).poll_frame(context),
        };
        if let Poll::Ready(Some(Ok(frame))) = &polled
            && let (Some(meter), Some(data)) = (&mut self.meter, frame.data_ref())
        {
            meter.pass(data, |_| ());
        }
        match polled {
            Poll::Pending => self.stopping.as_mut().poll(context).map(|()| None),
            ready @ Poll::Ready(_) => ready,
        }
    }
}

/// A running attempt: the SDK runs the handler while the response body is read.
struct Attempt {
    body: ResponseBody,
    span: Span,
    is_resumed: bool,
    answers: Answers,
    meter: Option<Meter>,
}

impl Attempt {
    fn new(body: ResponseBody, span: Span, is_resumed: bool, meter: Option<Meter>) -> Self {
        Self {
            body,
            span,
            is_resumed,
            answers: Answers::default(),
            meter,
        }
    }
}

impl Body for Attempt {
    type Data = Bytes;
    type Error = <ResponseBody as Body>::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let Self {
            body,
            span,
            is_resumed,
            answers,
            meter,
        } = &mut *self;
        let frame = {
            let _entered = span.enter();
            let poll = || Pin::new(body).poll_frame(context);
            ready!(resumed(*is_resumed, poll))
        };
        if let (Some(meter), Some(Ok(frame))) = (meter, &frame)
            && let Some(data) = frame.data_ref()
        {
            meter.pass(data, |kind| answers.add(kind));
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        let Some(meter) = &self.meter else { return };
        meter.record();
        if is_enabled() {
            let outcome = self.answers.outcome.unwrap_or(Outcome::CutOff);
            span::ended(&self.span, outcome, self.answers.did_something);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_target_of_an_attempt_is_in_its_path() {
        assert_eq!(target("/invoke/A/b"), Some(("A", "b")));
        assert_eq!(target("/prefix/invoke/A/b"), Some(("A", "b")));
        assert_eq!(target("/discover"), None);
        assert_eq!(target("/health"), None);
    }
}
