//! The third parties: payment provider and restaurants.
//!
//! Their answers are classified at the boundary ([`answer`]): an agreed yes or no is an answer, and so is a refusal that was not
//! agreed; everything that may be different next time is a [`Failure`], which is retried. No status of a third party becomes an
//! error code of ours.

mod answer;
#[cfg(test)]
mod tests;

use std::time::{Duration, Instant};

use domain::json::{Fields, FromJson, Value};
use domain::{Money, Order, OrderId};
use reqwest::{Client, RequestBuilder, Url};
use secrets::ExposeSecret;
use secrets::callback::{self, Callbacks};
use serde::{Deserialize, Serialize};
use serde_json::json;
use telemetry::metrics::{self, Counters, Times};
use telemetry::span;
use tracing::Instrument;
use upstream::http;

pub(crate) use answer::{Amount, Failure, PaymentId};
use answer::{Classified, Digits, RawAnswer};

/// An operation of a third party, as metrics and traces name it.
#[derive(Debug, Clone, Copy)]
struct Operation {
    party: &'static str,
    name: &'static str,
    /// The path, without ids.
    path: &'static str,
}

const PAYMENT_PROVIDER: &str = "payment-provider";
const RESTAURANT: &str = "restaurant";

const CHARGE: Operation = Operation::of(PAYMENT_PROVIDER, "charge", "/payments");
const REFUND: Operation =
    Operation::of(PAYMENT_PROVIDER, "refund", "/payments/{paymentId}/refunds");
const PREPARE: Operation = Operation::of(RESTAURANT, "prepare", "/prepare");
const CANCEL: Operation = Operation::of(RESTAURANT, "cancel", "/preparations/{orderId}/cancel");

impl Operation {
    const fn of(party: &'static str, name: &'static str, path: &'static str) -> Self {
        Self { party, name, path }
    }
}

static REQUESTS: Times<3> = Times::made_by(
    "third_party_request_duration_seconds",
    "Time until a third party answered a request, or the request failed",
    ["party", "operation", "outcome"],
    metrics::fast,
);
static PAYMENTS: Counters<2> = Counters::new(
    "payments",
    "Requests to the payment provider: done, refused (declined), transient (no answer, or later), violation (no answer as agreed)",
    ["operation", "outcome"],
);

/// How long a third party has to answer one request completely.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// The clients of both third parties. Cheap to clone.
#[derive(Clone)]
pub(crate) struct ThirdParties {
    http: Client,
    payment: Url,
    restaurant: Url,
    /// Where restaurants send callbacks.
    callback_url: String,
    callbacks: Callbacks,
}

/// Why the clients cannot be created.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The HTTP client cannot be made.
    #[error("HTTP client: {0}")]
    Client(#[from] reqwest::Error),
    /// An address is invalid.
    #[error("the address of the {party} must be like http://127.0.0.1:5060, but is {address:?}")]
    Address {
        /// The third party.
        party: &'static str,
        /// The address.
        address: String,
    },
}

/// The payment provider's answer to a charge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "result")]
pub(crate) enum Charge {
    /// The customer has paid what was requested.
    #[serde(rename_all = "camelCase")]
    Charged { payment_id: PaymentId },
    /// The customer has paid something else, which must be given back.
    OtherAmount(Payment),
    /// The customer cannot pay.
    Declined { reason: String },
    /// The provider refused the request with a status that was not agreed; `reason` names it.
    Refused { reason: String },
}

/// Money that the payment provider has taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Payment {
    /// Its id.
    pub(crate) id: PaymentId,
    /// How much it is.
    pub(crate) amount: Amount,
}

/// A restaurant's answer to an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "result")]
pub(crate) enum Preparation {
    /// It will be cooked.
    Accepted,
    /// It will not be cooked.
    Refused { reason: String },
    /// The restaurant refused the request with a status that was not agreed; `reason` names it.
    NotTaken { reason: String },
}

impl ThirdParties {
    pub(crate) fn new(
        payment_url: &str,
        restaurant_url: &str,
        callback_url: &str,
        callbacks: Callbacks,
    ) -> Result<Self, Error> {
        let base = |party, address: &str| {
            let url = Url::parse(address).ok();
            let url = url.filter(http::is_http);
            url.ok_or_else(|| Error::Address {
                party,
                address: address.to_owned(),
            })
        };
        Ok(Self {
            http: http::client(ANSWER_WITHIN).build()?,
            payment: base(PAYMENT_PROVIDER, payment_url)?,
            restaurant: base(RESTAURANT, restaurant_url)?,
            callback_url: callback_url.trim_end_matches('/').to_owned(),
            callbacks,
        })
    }

    /// Charges the customer of `order_id`. The idempotency key is derived from the order's id, so an order is charged once,
    /// whatever is repeated or replayed, and by whomever.
    ///
    /// 409 refuses the first request. For a later one it means that the first is still in progress, as in the IETF's draft on the
    /// `Idempotency-Key` header, so the request is repeated.
    pub(crate) async fn charge(
        &self,
        order_id: &OrderId,
        amount: Money,
        asking: Asking,
    ) -> Result<Charge, Failure> {
        let requested = Amount::from(amount);
        let request = post(&self.http, &self.payment, &["payments"])?
            .header("idempotency-key", format!("charge-{order_id}"))
            .json(&PaymentRequest::new(Some(order_id), &requested));
        call(CHARGE, request, |reply| {
            match reply.unless_busy(asking)?.classify(&[200, 201], &[402])? {
                Classified::Yes(content) => {
                    let payment = content.parse::<Receipt>()?.payment(order_id)?;
                    if payment.amount == requested {
                        let payment_id = payment.id;
                        return Ok((Outcome::Done, Charge::Charged { payment_id }));
                    }
                    tracing::error!(
                        order = %order_id,
                        payment = payment.id.as_str(),
                        %requested,
                        charged = %payment.amount,
                        "the payment provider charged another amount than requested"
                    );
                    Ok((Outcome::Violation, Charge::OtherAmount(payment)))
                }
                Classified::No(reason) => Ok((Outcome::Refused, Charge::Declined { reason })),
                Classified::Refused(reason) => Ok((Outcome::Violation, Charge::Refused { reason })),
            }
        })
        .await
    }

    /// Refunds `payment`, which `order_id` was charged, in full.
    pub(crate) async fn refund(
        &self,
        order_id: &OrderId,
        payment: &Payment,
    ) -> Result<(), Failure> {
        let path = ["payments", payment.id.as_str(), "refunds"];
        let request = post(&self.http, &self.payment, &path)?
            .header("idempotency-key", format!("refund-{order_id}"))
            .json(&PaymentRequest::new(None, &payment.amount));
        call(REFUND, request, |reply| {
            match reply.classify(&[200, 201, 202], &[])? {
                Classified::Yes(content) => {
                    let refunded: Refunded = content.parse()?;
                    refunded
                        .check(order_id, payment)
                        .map(|()| (Outcome::Done, ()))
                }
                Classified::No(reason) | Classified::Refused(reason) => {
                    Err(Failure::invalid(format!("status {reason}")))
                }
            }
        })
        .await
    }

    /// Has the restaurant cook `order` and call back when it is ready; the callback resolves `awakeable_id`.
    ///
    /// The callback's address and secret are derived from the ids, so a repeated request is the same. They are in no journal,
    /// because this runs inside `ctx.run` and does not return them.
    ///
    /// 409 means the same as for [`charge`](Self::charge).
    pub(crate) async fn prepare(
        &self,
        order: &Order,
        awakeable_id: &str,
        asking: Asking,
    ) -> Result<Preparation, Failure> {
        let order_id = order.order_id.as_str();
        let path = callback::path(order_id, awakeable_id);
        let secret = self.callbacks.secret(order_id, awakeable_id);
        let request = post(&self.http, &self.restaurant, &["prepare"])?.json(&json!({
            "orderId": order.order_id,
            "restaurantId": order.restaurant_id,
            "products": order.products,
            "callback": {
                "url": format!("{}{path}", self.callback_url),
                "secret": secret.expose_secret(),
            },
        }));
        call(PREPARE, request, |reply| {
            match reply
                .unless_busy(asking)?
                .classify(&[200, 201, 202], &[422])?
            {
                Classified::Yes(content) => {
                    let Ticket(about) = content.parse()?;
                    about.check(&order.order_id, &["ACCEPTED", "PREPARING"])?;
                    Ok((Outcome::Done, Preparation::Accepted))
                }
                Classified::No(reason) => Ok((Outcome::Refused, Preparation::Refused { reason })),
                Classified::Refused(reason) => {
                    Ok((Outcome::Violation, Preparation::NotTaken { reason }))
                }
            }
        })
        .await
    }

    /// Tells the restaurant that nobody will fetch the order. An order that it does not know or has handed over needs no more.
    pub(crate) async fn cancel_preparation(&self, order_id: &OrderId) -> Result<(), Failure> {
        let path = ["preparations", order_id.as_str(), "cancel"];
        let request = post(&self.http, &self.restaurant, &path)?;
        call(CANCEL, request, |reply| {
            match reply.classify(&[200, 201, 202], &[404, 409])? {
                Classified::Yes(content) => {
                    let Ticket(about) = content.parse()?;
                    about.check(order_id, &["CANCELLED", "REFUSED", "FAILED"])?;
                    Ok((Outcome::Done, ()))
                }
                Classified::No(_) => Ok((Outcome::Refused, ())),
                Classified::Refused(reason) => Err(Failure::invalid(format!("status {reason}"))),
            }
        })
        .await
    }
}

/// Whether a request is made for the first time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asking {
    First,
    /// An earlier request had no valid answer.
    Again,
}

/// The body of a charge or a refund.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PaymentRequest<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    order_id: Option<&'a OrderId>,
    amount: Digits,
    currency: &'a str,
}

impl<'a> PaymentRequest<'a> {
    fn new(order_id: Option<&'a OrderId>, amount: &'a Amount) -> Self {
        Self {
            order_id,
            amount: Digits(amount.amount),
            currency: &amount.currency,
        }
    }
}

/// The answer to a charge.
struct Receipt {
    payment_id: String,
    amount: Digits,
    currency: String,
    about: About,
}

impl FromJson for Receipt {
    const IS_STRICT: bool = false;

    fn from_fields(fields: &mut Fields<'_, '_>) -> Option<Self> {
        let payment_id = fields.required("paymentId", Value::string);
        let amount = fields.required("amount", Digits::from_json);
        let currency = fields.required("currency", Value::string);
        let about = About::from_fields(fields);
        Some(Self {
            payment_id: payment_id?,
            amount: amount?,
            currency: currency?,
            about: about?,
        })
    }
}

impl Receipt {
    fn payment(self, order_id: &OrderId) -> Result<Payment, Failure> {
        self.about.check(order_id, &["CHARGED"])?;
        Ok(Payment {
            id: PaymentId::parse(self.payment_id)?,
            amount: Amount::new(self.amount.0, &self.currency)?,
        })
    }
}

/// The answer to a refund. What it says about the payment must be true.
struct Refunded {
    payment_id: Option<String>,
    amount: Option<Digits>,
    currency: Option<String>,
    about: About,
}

impl FromJson for Refunded {
    const IS_STRICT: bool = false;

    fn from_fields(fields: &mut Fields<'_, '_>) -> Option<Self> {
        Some(Self {
            payment_id: fields.optional("paymentId", Value::string),
            amount: fields.optional("amount", Digits::from_json),
            currency: fields.optional("currency", Value::string),
            about: About::from_fields(fields)?,
        })
    }
}

impl Refunded {
    fn check(&self, order_id: &OrderId, payment: &Payment) -> Result<(), Failure> {
        self.about.check(order_id, &["REFUNDED", "PENDING"])?;
        let id = self.payment_id.as_deref().unwrap_or(payment.id.as_str());
        let amount = Amount::new(
            self.amount
                .map_or(payment.amount.amount, |Digits(amount)| amount),
            self.currency.as_deref().unwrap_or(&payment.amount.currency),
        )?;
        if id != payment.id.as_str() || amount != payment.amount {
            return Err(Failure::invalid("a refund of something else"));
        }
        Ok(())
    }
}

/// A restaurant's answer about an order, which it must name.
struct Ticket(About);

impl FromJson for Ticket {
    const IS_STRICT: bool = false;

    fn from_fields(fields: &mut Fields<'_, '_>) -> Option<Self> {
        let order_id = fields.required("orderId", Value::string);
        let status = fields.optional("status", Value::string);
        Some(Self(About {
            order_id: Some(order_id?),
            status,
        }))
    }
}

/// The order that an answer is about, and the status of that, as far as the answer says.
struct About {
    order_id: Option<String>,
    status: Option<String>,
}

impl FromJson for About {
    const IS_STRICT: bool = false;

    fn from_fields(fields: &mut Fields<'_, '_>) -> Option<Self> {
        Some(Self {
            order_id: fields.optional("orderId", Value::string),
            status: fields.optional("status", Value::string),
        })
    }
}

impl About {
    /// Refuses an answer about another order, or with a status that is not one of `agreed`: with a successful HTTP status, that
    /// would be a yes and a no at once.
    fn check(&self, order_id: &OrderId, agreed: &[&str]) -> Result<(), Failure> {
        if (self.order_id.as_deref()).is_some_and(|said| said != order_id.as_str()) {
            return Err(Failure::invalid("about another order"));
        }
        match &self.status {
            Some(status) if !agreed.contains(&status.as_str()) => {
                let agreed = agreed.join(" or ");
                Err(Failure::invalid(format!("a status that is not {agreed}")))
            }
            _ => Ok(()),
        }
    }
}

/// How a request ended, as a label of metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// An agreed yes.
    Done,
    /// An agreed no.
    Refused,
    /// No answer, or "later".
    Transient,
    /// Something that was not agreed.
    Violation,
}

impl Outcome {
    fn label(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Refused => "refused",
            Self::Transient => "transient",
            Self::Violation => "violation",
        }
    }
}

impl From<&Failure> for Outcome {
    fn from(failure: &Failure) -> Self {
        match failure {
            Failure::Transient(_) => Self::Transient,
            Failure::Invalid(_) => Self::Violation,
        }
    }
}

fn post(client: &Client, base: &Url, path: &[&str]) -> Result<RequestBuilder, Failure> {
    let url = http::below(base, path).map_err(|error| Failure::invalid(error.to_string()))?;
    Ok(client.post(url))
}

/// Makes a request and classifies the answer. Runs inside `ctx.run`, so whatever is counted here was really requested.
async fn call<T>(
    operation: Operation,
    request: RequestBuilder,
    classify: impl FnOnce(RawAnswer) -> Result<(Outcome, T), Failure>,
) -> Result<T, Failure> {
    let start = Instant::now();
    let classified = ask(operation, request).await.and_then(classify);
    let outcome = match &classified {
        Ok((outcome, _)) => *outcome,
        Err(failure) => failure.into(),
    };
    let Operation { party, name, .. } = operation;
    REQUESTS.observe([party, name, outcome.label()], start.elapsed());
    if party == PAYMENT_PROVIDER {
        PAYMENTS.inc([name, outcome.label()]);
    }
    if let Err(failure @ Failure::Invalid(_)) = &classified {
        tracing::warn!(party, operation = name, "{failure}");
    }
    classified.map(|(_, value)| value)
}

async fn ask(operation: Operation, request: RequestBuilder) -> Result<RawAnswer, Failure> {
    let (client, request) = request.build_split();
    let mut request = request.map_err(http::Error::from)?;
    let span = span::client(
        request.method().as_str(),
        operation.path,
        request.url().as_str(),
    );
    request
        .headers_mut()
        .extend(span.in_scope(telemetry::http::propagation));
    let reply = async {
        let response = client.execute(request).await?;
        RawAnswer::read(response).await
    };
    let reply = reply.instrument(span.clone()).await;
    let status = reply.as_ref().ok().map(|reply| reply.status().as_u16());
    span::answered(&span, status);
    Ok(reply?)
}
