//! The JSON of the API, as types: what handlers answer and what the `OpenAPI` document describes.
//!
//! These types are separate from those of [`domain`] and [`order_status`], so that an internal change does not change the API
//! unnoticed: a new internal field does not compile here until someone decides whether the API shows it.

pub(crate) mod schema;

use domain::json::{Fields, FromJson, Value, Violation};
use domain::{DriverId, Location, Money, OrderId, RestaurantId, Status, restaurant};
use order_workflow::CancelAnswer;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Implements `From` for types of the API that have the same fields as an internal type.
macro_rules! same_fields {
    ($($inside:path => $api:ident { $($field:ident),+ })+) => {$(
        impl From<$inside> for $api {
            fn from(inside: $inside) -> Self {
                let $inside { $($field),+ } = inside;
                Self { $($field),+ }
            }
        }
    )+};
}

same_fields! {
    domain::Product => Line { product_id, description, quantity }
    domain::restaurant::Dish => Dish { product_id, name, description, price, vegetarian }
    order_status::HistoryEntry => HistoryEntry { status, at, version, reason }
    CancelAnswer => Cancellation { accepted, status, reason }
}

/// An order to be placed. The JSON is that of the order events of topic `orders`, except that the id may be left out. `null`
/// counts as left out.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({
    "restaurantId": "la-piazza",
    "products": [{"productId": "margherita", "description": "Pizza Margherita", "quantity": 2}],
    "totalCost": 25.00,
    "deliveryDelay": 0,
}))]
pub struct NewOrder {
    /// The order's id. The client chooses it, so that the request can be repeated safely: sending the same order again changes
    /// nothing, and another order under the same id is refused. If left out, the gateway makes one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Id>)]
    pub order_id: Option<OrderId>,
    /// The restaurant that cooks it: one of `GET /api/restaurants`, or any other that an ordering provider knows.
    #[schema(value_type = schema::Id)]
    pub restaurant_id: RestaurantId,
    /// What to cook.
    #[schema(min_items = 1, max_items = 100)]
    pub products: Vec<Line>,
    /// What the customer pays, in US dollars. For a restaurant of `GET /api/restaurants`, exactly what its menu says.
    #[schema(value_type = schema::Money)]
    pub total_cost: Money,
    /// How long to wait before the preparation starts, in ms.
    #[schema(minimum = 0, maximum = 2_592_000_000_u64)]
    pub delivery_delay: u64,
    /// Where to deliver it; must be in or near the region. If left out, a place in the region is made up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer_location: Option<Place>,
    /// The region in which it is cooked and delivered; San Jose if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::Region>)]
    pub region: Option<domain::Region>,
    /// The W3C trace context of the request that placed the order; if left out, that of the request header of this name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
}

/// A line of an order. Texts are a single line without control characters and without characters that change the writing direction.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Line {
    /// The restaurant's id for the dish.
    #[schema(min_length = 1, max_length = 500, example = "margherita")]
    pub product_id: String,
    /// What to cook.
    #[schema(min_length = 1, max_length = 500, example = "Pizza Margherita")]
    pub description: String,
    /// The quantity.
    #[schema(minimum = 1, maximum = 999)]
    pub quantity: u32,
}

/// A place in degrees (WGS 84).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
pub struct Place {
    /// Degrees east.
    #[schema(minimum = -180, maximum = 180, example = -121.8946)]
    pub lon: f64,
    /// Degrees north.
    #[schema(minimum = -90, maximum = 90, example = 37.3366)]
    pub lat: f64,
}

impl From<Location> for Place {
    fn from(location: Location) -> Self {
        Self {
            lon: location.lon(),
            lat: location.lat(),
        }
    }
}

/// An accepted order: it is stored and will be processed.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Accepted {
    /// The order's id: the one in the request, or a new one.
    #[schema(value_type = schema::Id)]
    pub order_id: OrderId,
    /// `NEW`: its processing has not started.
    #[schema(value_type = schema::Status)]
    pub status: Status,
    /// The order's key, for reading, following and cancelling it. Present if the gateway has made the id. If the client has chosen
    /// the id, present only if the request brought the key or came from an operator. Absent if the gateway issues no keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub key: Option<String>,
    /// Why there is no key, if orders have keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub note: Option<&'static str>,
    /// Where the order can be read and cancelled.
    pub links: Links,
}

/// Links of an order.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Links {
    /// The order's status (GET).
    #[serde(rename = "self")]
    pub this: String,
    /// Cancels the order (POST).
    pub cancel: String,
}

impl Accepted {
    /// `needs_key`: without its key, only operators can read the order.
    pub(crate) fn new(order_id: OrderId, key: Option<String>, needs_key: bool) -> Self {
        const NO_KEY: &str = "Only operators can read this order, because keys are issued only for ids that the gateway has made. \
             Leave `orderId` out, or get an id and its key from POST /api/order-ids first.";
        let this = format!("/api/orders/{order_id}");
        Self {
            links: Links {
                cancel: format!("{this}/cancel"),
                this,
            },
            order_id,
            status: Status::New,
            note: (needs_key && key.is_none()).then_some(NO_KEY),
            key,
        }
    }
}

/// An id for a future order.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct OrderTicket {
    /// The id, which no other order has.
    #[schema(value_type = schema::Id)]
    pub order_id: OrderId,
    /// Its key, to be sent as header `order-key` with every request about this order. Absent if the gateway issues no keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub key: Option<String>,
}

/// The status of an order.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct OrderStatus {
    /// The order's id.
    #[schema(value_type = schema::Id)]
    pub order_id: OrderId,
    /// The status.
    #[schema(value_type = schema::Status)]
    pub status: Status,
    /// Expected arrival in ms since the epoch; null while unknown.
    #[schema(required)]
    pub eta: Option<i64>,
    /// Counts the order's changes from 1; 0 if its processing has not started.
    pub version: u64,
    /// Why the order was rejected or cancelled.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub reason: Option<String>,
    /// The driver who has the order.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = schema::Id)]
    pub driver_id: Option<DriverId>,
    /// Whether the order is delayed: its driver is silent or late.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schema(required = false)]
    pub delayed: bool,
    /// Every status the order has had, oldest first; empty once the history of an ended order has been deleted.
    pub history: Vec<HistoryEntry>,
    /// What was ordered; left out some time after the order has ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub order: Option<OrderDetails>,
    /// The time of the answer by the gateway's clock, in ms since the epoch, for clients whose own clock is wrong.
    pub now: i64,
}

/// What was ordered, and where it is cooked and delivered.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct OrderDetails {
    /// The restaurant that cooks it.
    #[schema(value_type = schema::Id)]
    pub restaurant_id: RestaurantId,
    /// The dishes.
    pub products: Vec<Line>,
    /// What the customer pays, in US dollars.
    #[schema(value_type = schema::Money)]
    pub total_cost: Money,
    /// How long to wait before the preparation starts, in ms.
    pub delivery_delay: u64,
    /// The region in which it is cooked and delivered.
    #[schema(value_type = schema::Region)]
    pub region: domain::Region,
    /// The location of the restaurant.
    pub restaurant_location: Place,
    /// The location of the customer.
    pub customer_location: Place,
}

impl From<domain::Order> for OrderDetails {
    fn from(order: domain::Order) -> Self {
        let customer_location = order.destination().into();
        let domain::Order {
            order_id: _,
            restaurant_id,
            products,
            total_cost,
            delivery_delay,
            customer_location: _,
            region,
            traceparent: _,
        } = order;
        Self {
            restaurant_location: restaurant::location(&restaurant_id, region).into(),
            customer_location,
            restaurant_id,
            products: products.into_iter().map(Line::from).collect(),
            total_cost,
            delivery_delay: u64::try_from(delivery_delay.as_millis()).unwrap_or(u64::MAX),
            region,
        }
    }
}

/// A status that an order has had.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct HistoryEntry {
    /// The status.
    #[schema(value_type = schema::Status)]
    pub status: Status,
    /// When the order got this status, in ms since the epoch.
    pub at: i64,
    /// The version of that change.
    pub version: u64,
    /// Why the order was rejected or cancelled.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub reason: Option<String>,
}

impl OrderStatus {
    pub(crate) fn new(status: order_status::OrderStatus, now: i64) -> Self {
        let order_status::OrderStatus {
            order_id,
            status,
            eta,
            version,
            reason,
            driver_id,
            delayed,
            history,
        } = status;
        Self {
            order_id,
            status,
            eta,
            version,
            reason,
            driver_id,
            delayed,
            history: history.into_iter().map(HistoryEntry::from).collect(),
            order: None,
            now,
        }
    }

    /// The status of an accepted order whose processing has not started.
    pub(crate) fn of_new_order(order_id: OrderId, now: i64) -> Self {
        Self {
            order_id,
            status: Status::New,
            eta: None,
            version: 0,
            reason: None,
            driver_id: None,
            delayed: false,
            history: Vec::new(),
            order: None,
            now,
        }
    }
}

/// The result of a cancellation.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Cancellation {
    /// Whether the order is cancelled or being cancelled.
    pub accepted: bool,
    /// The order's status now.
    #[schema(value_type = schema::Status)]
    pub status: Status,
    /// Why it cannot be cancelled, or why it was cancelled.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub reason: Option<String>,
}

/// A restaurant with its menu.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Restaurant {
    /// The id, which orders refer to.
    #[schema(value_type = schema::Id)]
    pub restaurant_id: RestaurantId,
    /// The name.
    #[schema(example = "La Piazza")]
    pub name: &'static str,
    /// The cuisine.
    #[schema(example = "Italian")]
    pub cuisine: &'static str,
    /// One sentence for guests.
    pub description: &'static str,
    /// The location.
    pub location: Place,
    /// The region it delivers in.
    #[schema(value_type = schema::Region)]
    pub region: domain::Region,
    /// The menu.
    pub menu: Vec<Dish>,
}

/// A dish on a menu.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Dish {
    /// The id, which orders refer to.
    #[schema(example = "margherita")]
    pub product_id: &'static str,
    /// Name of the dish.
    #[schema(example = "Pizza Margherita")]
    pub name: &'static str,
    /// The ingredients.
    pub description: &'static str,
    /// The price of one, in US dollars.
    #[schema(value_type = schema::Money)]
    pub price: Money,
    /// Whether it is free of meat and fish.
    pub vegetarian: bool,
}

impl From<domain::restaurant::Restaurant> for Restaurant {
    fn from(restaurant: domain::restaurant::Restaurant) -> Self {
        let domain::restaurant::Restaurant {
            restaurant_id,
            name,
            cuisine,
            description,
            location,
            region,
            menu,
        } = restaurant;
        Self {
            restaurant_id,
            name,
            cuisine,
            description,
            location: location.into(),
            region,
            menu: menu.into_iter().map(Dish::from).collect(),
        }
    }
}

/// One fault of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldError {
    /// The field; empty if the body as a whole is at fault.
    #[schema(example = "products[0].quantity")]
    pub field: String,
    /// The field as a JSON pointer into the body, in the form of a URI fragment.
    #[schema(example = "#/products/0/quantity")]
    pub pointer: String,
    /// What the field must be, and what it is.
    #[schema(example = "must be a whole number from 1 to 999, but is 1000")]
    pub detail: String,
}

impl From<Violation> for FieldError {
    fn from(violation: Violation) -> Self {
        let Violation { field, message } = violation;
        Self {
            pointer: pointer(&field),
            field,
            detail: message,
        }
    }
}

/// Turns `products[0].quantity` into `#/products/0/quantity`. Names of fields contain nothing that needs escaping.
fn pointer(field: &str) -> String {
    field
        .split(['.', '[', ']'])
        .filter(|step| !step.is_empty())
        .fold("#".to_owned(), |pointer, step| pointer + "/" + step)
}

/// The operators' settings for the web UI.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct UiConfig {
    /// The address of Restate's UI, for operators; null if none is set, and for everyone else.
    #[schema(required, example = "http://127.0.0.1:9070")]
    pub restate_ui: Option<String>,
    /// The URL of a tile server, with `{z}`, `{x}` and `{y}`; null for the map that comes with the web UI.
    #[schema(required)]
    pub tile_url: Option<String>,
    /// The attribution that the map must show for the tiles.
    #[schema(required)]
    pub tile_attribution: Option<String>,
}

/// A corrected event, to be published again.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Replay {
    /// The order event: JSON as a string.
    pub value: String,
    /// The order's id, for an event without one. The key of the published record is always the order's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub key: Option<String>,
}

impl FromJson for Replay {
    fn from_fields(fields: &mut Fields<'_, '_>) -> Option<Self> {
        let key = fields.optional("key", Value::string);
        let value = fields.required("value", Value::string)?;
        Some(Self { value, key })
    }
}

/// The operators' token.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Session {
    /// The token.
    pub token: String,
}

impl FromJson for Session {
    fn from_fields(fields: &mut Fields<'_, '_>) -> Option<Self> {
        // The message must not quote the secret.
        let token = fields.required("token", |value| {
            value.string().map_err(|_| "must be a string".to_owned())
        })?;
        Some(Self { token })
    }
}

/// A restaurant's message that an order is ready.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Ready {
    /// The order's id.
    #[schema(value_type = schema::Id)]
    pub order_id: OrderId,
    /// When it became ready, in ms since the epoch.
    pub ready_at: i64,
}

impl FromJson for Ready {
    // Restaurants may send additional fields.
    const IS_STRICT: bool = false;

    fn from_fields(fields: &mut Fields<'_, '_>) -> Option<Self> {
        let order_id = fields.required("orderId", Value::parsed);
        let ready_at = fields.required("readyAt", |value| value.whole_number(i64::MIN..=i64::MAX));
        Some(Self {
            order_id: order_id?,
            ready_at: ready_at?,
        })
    }
}

/// The rate at which the gateway places demo orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Load {
    /// Orders per second. After ten minutes the rate returns to 0.
    #[schema(minimum = 0, maximum = 50)]
    pub orders_per_second: u32,
}

impl Load {
    /// The highest rate, in orders per second.
    pub(crate) const MOST: u32 = 50;
}

impl FromJson for Load {
    fn from_fields(fields: &mut Fields<'_, '_>) -> Option<Self> {
        let rate = fields.required("ordersPerSecond", |value| {
            value.whole_number(0..=i64::from(Self::MOST))
        })?;
        Some(Self {
            orders_per_second: u32::try_from(rate).ok()?,
        })
    }
}

/// Whether the gateway can do its work.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Readiness {
    /// `UP` if everything that it needs is available, else `DOWN`.
    #[schema(value_type = schema::UpOrDown)]
    pub status: &'static str,
    /// Why it is `DOWN` although everything is available.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub detail: Option<String>,
    /// The Kafka brokers.
    pub kafka: Part,
    /// Restate's ingress.
    pub restate: Part,
    /// Whether the gateway reads Kafka's topics, from which it answers clients that follow orders.
    pub events: Part,
}

/// Whether something that the gateway needs is available.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Part {
    /// `UP` or `DOWN`.
    #[schema(value_type = schema::UpOrDown)]
    pub status: &'static str,
    /// The error.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub detail: Option<String>,
}

impl Readiness {
    pub(crate) fn new(
        kafka: Result<(), String>,
        restate: Result<(), String>,
        events: Result<(), String>,
    ) -> Self {
        Self {
            status: up(kafka.is_ok() && restate.is_ok() && events.is_ok()),
            detail: None,
            kafka: kafka.into(),
            restate: restate.into(),
            events: events.into(),
        }
    }

    /// The same, for a gateway that is shutting down.
    pub(crate) fn leaving(self) -> Self {
        Self {
            status: up(false),
            detail: Some("it is shutting down".to_owned()),
            ..self
        }
    }

    /// The same, for clients that must not see internals.
    pub(crate) fn without_details(mut self) -> Self {
        self.kafka.detail = None;
        self.restate.detail = None;
        self.events.detail = None;
        self
    }

    pub(crate) fn is_up(&self) -> bool {
        self.status == up(true)
    }
}

impl From<Result<(), String>> for Part {
    fn from(result: Result<(), String>) -> Self {
        Self {
            status: up(result.is_ok()),
            detail: result.err(),
        }
    }
}

/// The gateway is alive.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Health {
    /// `UP`.
    #[schema(value_type = schema::UpOrDown)]
    pub status: &'static str,
}

impl Health {
    pub(crate) const UP: Self = Self { status: up(true) };
}

const fn up(is_up: bool) -> &'static str {
    if is_up { "UP" } else { "DOWN" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_have_pointers() {
        for (field, expected) in [
            ("", "#"),
            ("totalCost", "#/totalCost"),
            ("products[12].quantity", "#/products/12/quantity"),
            ("customerLocation.lon", "#/customerLocation/lon"),
        ] {
            assert_eq!(pointer(field), expected);
        }
    }
}
