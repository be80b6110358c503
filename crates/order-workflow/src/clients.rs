//! The third parties: payment provider and restaurants.
//!
//! What they answer is sorted in one place, [`call`]: a business "no" is an answer, everything that may be different next time
//! is retried, and the rest is a mistake of ours that no repetition mends.

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use domain::{Money, Order, OrderId};
use reqwest::{RequestBuilder, StatusCode};
use restate_sdk::prelude::*;
use secrets::ExposeSecret;
use secrets::callback::{self, Callbacks};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use telemetry::metrics::{self, Counters, Times};
use telemetry::span;
use tracing::Instrument;

/// What a third party is asked to do, as metrics and traces name it.
#[derive(Debug, Clone, Copy)]
struct Operation {
    party: &'static str,
    name: &'static str,
    /// The path, without what is in it of ids.
    path: &'static str,
}

const PAYMENT_PROVIDER: &str = "payment-provider";
const RESTAURANT: &str = "restaurant";

const CHARGE: Operation = Operation {
    party: PAYMENT_PROVIDER,
    name: "charge",
    path: "/payments",
};
const REFUND: Operation = Operation {
    party: PAYMENT_PROVIDER,
    name: "refund",
    path: "/payments/{paymentId}/refunds",
};
const PREPARE: Operation = Operation {
    party: RESTAURANT,
    name: "prepare",
    path: "/prepare",
};
const CANCEL: Operation = Operation {
    party: RESTAURANT,
    name: "cancel",
    path: "/preparations/{orderId}/cancel",
};

static REQUESTS: LazyLock<Times<3>> = LazyLock::new(|| {
    Times::new(
        "third_party_request_duration_seconds",
        "Time until a third party answered a request, or did not",
        ["party", "operation", "outcome"],
        metrics::fast,
    )
});
static PAYMENTS: LazyLock<Counters<2>> = LazyLock::new(|| {
    Counters::new(
        "payments",
        "Requests to the payment provider: done, refused (declined), or failed and tried again",
        ["operation", "outcome"],
    )
});

/// How long a third party has to answer one request.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// Talks to both third parties. Cheap to clone.
#[derive(Clone)]
pub(crate) struct ThirdParties {
    http: reqwest::Client,
    payment_url: String,
    restaurant_url: String,
    /// Where restaurants call back.
    callback_url: String,
    callbacks: Callbacks,
}

/// What the payment provider says to a charge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "result")]
pub(crate) enum Charge {
    /// The customer has paid.
    #[serde(rename_all = "camelCase")]
    Charged { payment_id: String },
    /// The customer cannot pay.
    Declined { reason: String },
}

/// What a restaurant says to an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "result")]
pub(crate) enum Preparation {
    /// It will be cooked.
    Accepted,
    /// It will not be cooked.
    Refused { reason: String },
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ChargeRequest {
    order_id: OrderId,
    amount: Money,
}

#[derive(Serialize)]
struct RefundRequest {
    amount: Money,
}

/// An answer that is neither an error of transport nor of ours.
enum Answer {
    Yes(Value),
    No { code: StatusCode, reason: String },
}

/// Something that a repetition may mend.
#[derive(Debug, thiserror::Error)]
enum Passing {
    #[error("no answer from {url}: {source}")]
    NoAnswer { url: String, source: reqwest::Error },
    #[error("{url} answered {code}: {body}")]
    Trouble {
        url: String,
        code: StatusCode,
        body: String,
    },
}

impl ThirdParties {
    pub(crate) fn new(
        payment_url: &str,
        restaurant_url: &str,
        callback_url: &str,
        callbacks: Callbacks,
    ) -> Result<Self, reqwest::Error> {
        let base = |url: &str| url.trim_end_matches('/').to_owned();
        Ok(Self {
            http: reqwest::Client::builder()
                .connect_timeout(Duration::from_secs(2))
                .timeout(ANSWER_WITHIN)
                .build()?,
            payment_url: base(payment_url),
            restaurant_url: base(restaurant_url),
            callback_url: base(callback_url),
            callbacks,
        })
    }

    /// Charges the customer of `order_id`. The key follows from the order's id, so that whatever is repeated or replayed, and
    /// by whomever, an order is charged once.
    pub(crate) async fn charge(
        &self,
        order_id: OrderId,
        amount: Money,
    ) -> HandlerResult<Json<Charge>> {
        let request = self
            .http
            .post(format!("{}/payments", self.payment_url))
            .header("idempotency-key", format!("charge-{order_id}"))
            .json(&ChargeRequest { order_id, amount });
        match call(CHARGE, request).await? {
            Answer::Yes(body) => {
                let payment_id = body["paymentId"].as_str().ok_or_else(|| {
                    TerminalError::new(format!(
                        "payment provider: no paymentId in its answer {body}"
                    ))
                })?;
                Ok(Json(Charge::Charged {
                    payment_id: payment_id.to_owned(),
                }))
            }
            Answer::No {
                code: StatusCode::PAYMENT_REQUIRED,
                reason,
            } => Ok(Json(Charge::Declined { reason })),
            Answer::No { code, reason } => Err(refused("payment provider", code, &reason).into()),
        }
    }

    /// Gives back what `order_id` was charged.
    pub(crate) async fn refund(
        &self,
        order_id: OrderId,
        payment_id: String,
        amount: Money,
    ) -> HandlerResult<()> {
        let request = self
            .http
            .post(format!(
                "{}/payments/{payment_id}/refunds",
                self.payment_url
            ))
            .header("idempotency-key", format!("refund-{order_id}"))
            .json(&RefundRequest { amount });
        match call(REFUND, request).await? {
            Answer::Yes(_) => Ok(()),
            Answer::No { code, reason } => Err(refused("payment provider", code, &reason).into()),
        }
    }

    /// Has the restaurant cook `order` and call back when it is ready, which then resolves `awakeable_id`.
    ///
    /// What it is handed for that follows from the ids, so a repeated request is the same. It gets into no journal, as this runs
    /// inside `ctx.run` and answers nothing of it.
    pub(crate) async fn prepare(
        &self,
        order: Order,
        awakeable_id: String,
    ) -> HandlerResult<Json<Preparation>> {
        let order_id = order.order_id.as_str();
        let path = callback::path(order_id, &awakeable_id);
        let secret = self.callbacks.secret(order_id, &awakeable_id);
        let request = self
            .http
            .post(format!("{}/prepare", self.restaurant_url))
            .json(&json!({
                "orderId": order.order_id,
                "restaurantId": order.restaurant_id,
                "products": order.products,
                "callback": {
                    "url": format!("{}{path}", self.callback_url),
                    "secret": secret.expose_secret(),
                },
            }));
        match call(PREPARE, request).await? {
            Answer::Yes(_) => Ok(Json(Preparation::Accepted)),
            Answer::No {
                code: StatusCode::UNPROCESSABLE_ENTITY,
                reason,
            } => Ok(Json(Preparation::Refused { reason })),
            Answer::No { code, reason } => Err(refused("restaurant", code, &reason).into()),
        }
    }

    /// Tells the restaurant that nobody will fetch the order. What it does not know or has handed over is no longer its.
    pub(crate) async fn cancel_preparation(&self, order_id: OrderId) -> HandlerResult<()> {
        let request = self.http.post(format!(
            "{}/preparations/{order_id}/cancel",
            self.restaurant_url
        ));
        match call(CANCEL, request).await? {
            Answer::Yes(_)
            | Answer::No {
                code: StatusCode::NOT_FOUND | StatusCode::CONFLICT,
                ..
            } => Ok(()),
            Answer::No { code, reason } => Err(refused("restaurant", code, &reason).into()),
        }
    }
}

/// Makes a request and sorts what comes back. Done inside `ctx.run`, so what is counted here was really asked.
async fn call(operation: Operation, request: RequestBuilder) -> HandlerResult<Answer> {
    let start = Instant::now();
    let result = ask(operation, request).await;
    let outcome = match &result {
        Ok(Answer::Yes(_)) => "done",
        Ok(Answer::No { .. }) => "refused",
        Err(_) => "failed",
    };
    let Operation { party, name, .. } = operation;
    REQUESTS.observe([party, name, outcome], start.elapsed());
    if party == PAYMENT_PROVIDER {
        PAYMENTS.inc([name, outcome]);
    }
    result
}

async fn ask(operation: Operation, request: RequestBuilder) -> HandlerResult<Answer> {
    let (client, request) = request.build_split();
    let mut request = request?;
    let url = request.url().to_string();
    let no_answer = |source: reqwest::Error| Passing::NoAnswer {
        url: url.clone(),
        source: source.without_url(),
    };
    let span = span::client(request.method().as_str(), operation.path, &url);
    request
        .headers_mut()
        .extend(span.in_scope(telemetry::http::propagation));
    let answer = async {
        let response = client.execute(request).await?;
        Ok((response.status(), response.bytes().await?))
    };
    let answer = answer.instrument(span.clone()).await;
    let status = answer.as_ref().ok().map(|(code, _)| code.as_u16());
    span::answered(&span, status);
    let (code, body) = answer.map_err(no_answer)?;
    let json: Option<Value> = serde_json::from_slice(&body).ok();
    if code.is_success() {
        return Ok(Answer::Yes(json.unwrap_or_default()));
    }
    if is_passing(code) {
        let body = String::from_utf8_lossy(&body).chars().take(200).collect();
        return Err(Passing::Trouble { url, code, body }.into());
    }
    let reason = json
        .as_ref()
        .and_then(|problem| {
            problem["detail"]
                .as_str()
                .or_else(|| problem["title"].as_str())
        })
        .map_or_else(|| code.to_string(), str::to_owned);
    Ok(Answer::No { code, reason })
}

/// Whether the same request may be answered otherwise later.
fn is_passing(code: StatusCode) -> bool {
    code.is_server_error()
        || matches!(
            code,
            StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY
        )
}

fn refused(who: &str, code: StatusCode, reason: &str) -> TerminalError {
    TerminalError::new_with_code(
        code.as_u16(),
        format!("{who} refuses the request: {reason}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_may_change_by_itself_is_tried_again() {
        for (code, passing) in [
            (500, true),
            (502, true),
            (503, true),
            (504, true),
            (429, true),
            (408, true),
            (400, false),
            (402, false),
            (404, false),
            (409, false),
            (422, false),
        ] {
            assert_eq!(
                is_passing(StatusCode::from_u16(code).unwrap()),
                passing,
                "{code}"
            );
        }
    }
}
