//! The HTTP API of the payment provider.

use axum::Router;
use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use domain::json::{Fields, FromJson, Value};
use domain::{Money, OrderId};
use stub_kit::extract::{Json, Paged, Query, Segment};
use stub_kit::problem::{
    INVALID, MEDIA_TYPE, NOT_FOUND, Problem, UNAVAILABLE, kinds, of_field, problem,
};
use stub_kit::{fault_plan, faults};

use crate::Provider;
use crate::books::{self, Answer, Charge, Currency, Entry, Refund, Summary};

kinds! { pub(crate)
    KEY_REUSED: UNPROCESSABLE_ENTITY, "idempotency-key-reused", "Idempotency key reused";
    TOO_MUCH: CONFLICT, "refund-exceeds-charge", "Refund exceeds charge";
}

fault_plan! {
    /// The faults that are injected: the body of `/faults`.
    pub struct FaultPlan {
        /// The rate at which a charge is booked but answered with 503, so that the caller cannot know what happened. If the request is
        /// repeated under the same key, it gets the proper answer.
        error_after_charge_rate: "errorAfterChargeRate",
        /// The rate at which a charge is declined.
        decline_rate: "declineRate",
        /// The rate at which a charge is booked as requested, but answered with another amount and currency.
        wrong_amount_rate: "wrongAmountRate",
    }
}

/// The payment provider's HTTP API.
pub fn router(provider: Provider) -> Router {
    let faults = provider.faults.clone();
    let database = provider.books.database.clone();
    let routes = faults
        .guard(
            Router::new()
                .route("/payments", post(charge))
                .route("/payments/{paymentId}/refunds", post(refund)),
        )
        // The books can always be read, whichever faults are injected.
        .route("/ledger", get(ledger))
        .route("/ledger/summary", get(summary))
        .with_state(provider);
    stub_kit::server::app(routes, &database, &faults)
}

/// Called by the order workflow once an order is created. Books a charge, or stores that it was declined.
async fn charge(
    State(provider): State<Provider>,
    IdempotencyKey(key): IdempotencyKey,
    Json(charge): Json<Charge>,
) -> Result<Answer, Problem> {
    let plan = provider.faults.current();
    let [decline, fail, err] = faults::draw();
    let declined = plan.decline_rate.occurs(decline);
    let answer = provider.books.charge(key, charge, declined).await?;
    if declined && !answer.replayed {
        faults::count("declineRate");
    }
    if answer.is_new_booking() && plan.error_after_charge_rate.occurs(fail) {
        faults::count("errorAfterChargeRate");
        let detail = "it is unknown what was done: repeat the request with the same Idempotency-Key (fault errorAfterChargeRate)";
        return Err(problem(UNAVAILABLE, detail));
    }
    // A refusal contains no amount.
    if answer.status.is_success() && plan.wrong_amount_rate.occurs(err) {
        faults::count("wrongAmountRate");
        return Ok(answer.with_another_amount());
    }
    Ok(answer)
}

/// Called by the order workflow when a paid order will not be delivered. Books a refund.
async fn refund(
    State(provider): State<Provider>,
    Segment(payment_id): Segment<String>,
    IdempotencyKey(key): IdempotencyKey,
    Json(RefundBody { amount }): Json<RefundBody>,
) -> Result<Answer, Problem> {
    let refund = Refund { payment_id, amount };
    Ok(provider.books.refund(key, refund).await?)
}

#[derive(Debug)]
struct RefundBody {
    amount: Money,
}

impl FromJson for RefundBody {
    const IS_STRICT: bool = false;

    fn from_fields(fields: &mut Fields<'_, '_>) -> Option<Self> {
        let amount = fields.required("amount", Money::from_json);
        fields.or_default("currency", Value::parsed::<Currency>)?;
        Some(Self { amount: amount? })
    }
}

impl FromJson for Charge {
    const IS_STRICT: bool = false;

    fn from_fields(fields: &mut Fields<'_, '_>) -> Option<Self> {
        let order_id = fields.required("orderId", Value::parsed);
        let amount = fields.required("amount", Money::from_json);
        fields.or_default("currency", Value::parsed::<Currency>)?;
        Some(Self {
            order_id: order_id?,
            amount: amount?,
        })
    }
}

/// Called by people, and by programs that check the books. Returns a page of the ledger.
async fn ledger(
    State(provider): State<Provider>,
    query: Query,
) -> Result<axum::Json<Paged<Entry>>, Problem> {
    let page = query.page()?;
    let order: Option<OrderId> = query.get("orderId")?;
    Ok(axum::Json(provider.books.ledger(order, page).await?))
}

/// Called by people, and by programs that check the books. Returns the totals of the ledger.
async fn summary(State(provider): State<Provider>) -> Result<axum::Json<Summary>, Problem> {
    Ok(axum::Json(provider.books.summary().await?))
}

/// The header with which a caller identifies a request, so that it is carried out only once, however often it is sent.
struct IdempotencyKey(String);

const IDEMPOTENCY_KEY: &str = "Idempotency-Key";
/// The response header of an answer that was given before (the name is Stripe's).
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

impl<S: Send + Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        let mut values = parts.headers.get_all(IDEMPOTENCY_KEY).iter();
        let key = match (values.next(), values.next()) {
            (Some(value), None) => value.to_str().ok(),
            _ => None,
        };
        let is_key = |text: &&str| {
            (1..=255).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
        };
        key.filter(is_key).map(|key| Self(key.to_owned())).ok_or_else(|| {
            let detail = "send one Idempotency-Key of 1 to 255 visible ASCII characters, the same whenever the request is repeated";
            of_field(INVALID, IDEMPOTENCY_KEY, detail)
        })
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let media_type = if self.status.is_success() {
            "application/json"
        } else {
            MEDIA_TYPE
        };
        let mut response =
            (self.status, [(header::CONTENT_TYPE, media_type)], self.body).into_response();
        if self.replayed {
            response
                .headers_mut()
                .insert(REPLAYED, HeaderValue::from_static("true"));
        }
        response
    }
}

impl From<books::Error> for Problem {
    fn from(error: books::Error) -> Self {
        let detail = error.to_string();
        match error {
            books::Error::KeyReused => of_field(KEY_REUSED, IDEMPOTENCY_KEY, detail),
            books::Error::UnknownPayment => of_field(NOT_FOUND, "paymentId", detail),
            books::Error::TooMuch { left } => {
                of_field(TOO_MUCH, "amount", detail).with("left", &left)
            }
            books::Error::Database(error) => error.into(),
        }
    }
}
