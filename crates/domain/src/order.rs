//! The order event of the ordering providers, and the checked order that it becomes.
//!
//! [`OrderEvent::parse`] reads the JSON, [`OrderEvent::check`] looks at every field and names all that is wrong, not only the
//! first. An [`Order`] can be had in no other way, so who holds one need not look again.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_ignored::Path;
use serde_json::value::RawValue;

use crate::{Location, Money, OrderId, Region, RestaurantId};

/// The most lines an order may have.
pub const MAX_PRODUCTS: usize = 100;
/// The most of one product in an order.
pub const MAX_QUANTITY: u32 = 999;
/// The longest product id and description, in bytes.
pub const MAX_TEXT: usize = 500;
/// The farthest an order may be scheduled ahead.
pub const MAX_DELAY: Duration = Duration::from_hours(24 * 30);

/// An order that has passed every check.
///
/// In JSON it has the field names of the order event, and reading it checks it again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", try_from = "OrderEvent")]
pub struct Order {
    /// The provider's id of the order.
    pub order_id: OrderId,
    /// Who cooks it.
    pub restaurant_id: RestaurantId,
    /// What was ordered: at least one line.
    pub products: Vec<Product>,
    /// What the customer pays.
    pub total_cost: Money,
    /// How long to wait before the preparation starts, in ms.
    #[serde(rename = "deliveryDelay", with = "millis")]
    pub delivery_delay: Duration,
    /// Where to bring it; a place in the region is made up where the provider names none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer_location: Option<Location>,
    /// In which region it is cooked and delivered.
    pub region: Region,
    /// The W3C trace context of the request that placed the order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
}

/// A line of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Product {
    /// The provider's id of the product.
    pub product_id: String,
    /// What to cook.
    pub description: String,
    /// How many.
    pub quantity: u32,
}

/// An order event as it came: of the right shape, nothing else is sure.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderEvent {
    order_id: Option<String>,
    restaurant_id: Option<String>,
    products: Option<Vec<ProductEvent>>,
    total_cost: Option<Box<RawValue>>,
    delivery_delay: Option<i64>,
    customer_location: Option<Place>,
    region: Option<String>,
    traceparent: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ProductEvent {
    product_id: Option<String>,
    description: Option<String>,
    quantity: Option<i64>,
}

#[derive(Debug, Deserialize)]
struct Place {
    #[serde(alias = "long")]
    lon: f64,
    lat: f64,
}

/// Everything that is wrong with an order event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid order: {}", violations.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
pub struct Invalid {
    /// The order the event names, where that much can be read.
    pub order_id: Option<OrderId>,
    /// What is wrong, at least one entry.
    pub violations: Vec<Violation>,
}

/// One thing that is wrong with an order event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Violation {
    /// The field, as in `products[0].quantity`; empty where the event as a whole is at fault.
    pub field: String,
    /// What the field must be.
    pub message: String,
}

impl std::fmt::Display for Violation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.field.is_empty() {
            f.write_str(&self.message)
        } else {
            write!(f, "{} {}", self.field, self.message)
        }
    }
}

impl OrderEvent {
    /// Reads an event's JSON; an error means that it is not of the right shape. Fields that are not known are left unread:
    /// ordering providers may send more than is asked for.
    pub fn parse(json: &[u8]) -> Result<Self, Invalid> {
        Self::read(json, |_| ())
    }

    /// The same, but a field that is not known is an error: who misspells a field is to be told, not brought the wrong food.
    pub fn parse_strictly(json: &[u8]) -> Result<Self, Invalid> {
        let mut unknown = Vec::new();
        let event = Self::read(json, |path| {
            if unknown.len() < MAX_UNKNOWN {
                unknown.push(unknown_field(path));
            }
        })?;
        if unknown.is_empty() {
            return Ok(event);
        }
        Err(Invalid {
            order_id: order_id_of(json),
            violations: unknown,
        })
    }

    fn read(json: &[u8], mut ignored: impl FnMut(&Path<'_>)) -> Result<Self, Invalid> {
        let mut deserializer = serde_json::Deserializer::from_slice(json);
        let mut ignored = |path: Path<'_>| ignored(&path);
        let tells_ignored = serde_ignored::Deserializer::new(&mut deserializer, &mut ignored);
        let parsed = serde_path_to_error::deserialize(tells_ignored)
            .map_err(|error| {
                let path = error.path().to_string();
                Violation {
                    field: if path == "." { String::new() } else { path },
                    message: format!("must be readable: {}", error.inner()),
                }
            })
            .and_then(|event| {
                deserializer
                    .end()
                    .map(|()| event)
                    .map_err(|error| Violation {
                        field: String::new(),
                        message: format!("the event must be one JSON object: {error}"),
                    })
            });
        parsed.map_err(|violation| Invalid {
            order_id: order_id_of(json),
            violations: vec![violation],
        })
    }

    /// Gives the order the id `make_id` returns if it has none.
    #[must_use]
    pub fn or_order_id(mut self, make_id: impl FnOnce() -> String) -> Self {
        self.order_id = Some(self.order_id.unwrap_or_else(make_id));
        self
    }

    /// The event with this trace context, unless it brings one of its own.
    #[must_use]
    pub fn or_traceparent(mut self, traceparent: Option<String>) -> Self {
        self.traceparent = self.traceparent.or(traceparent);
        self
    }

    /// Checks every field and makes an order of them.
    pub fn check(self) -> Result<Order, Invalid> {
        let mut found = Violations::default();
        let order_id = found.parse("orderId", self.order_id);
        let restaurant_id = found.parse("restaurantId", self.restaurant_id);
        let products = match self.products {
            Some(products) => found.products(products),
            None => found.missing("products"),
        };
        let total_cost = found
            .required("totalCost", self.total_cost)
            .and_then(|raw| {
                found.ok("totalCost", serde_json::from_str(raw.get()), |e| {
                    money_error(&e)
                })
            });
        let delivery_delay = found
            .required("deliveryDelay", self.delivery_delay)
            .and_then(|ms| {
                let delay = u64::try_from(ms).map(Duration::from_millis);
                match delay {
                    Ok(delay) if delay <= MAX_DELAY => Some(delay),
                    _ => found.add(
                        "deliveryDelay",
                        format!("must be from 0 to {} ms", MAX_DELAY.as_millis()),
                    ),
                }
            });
        let region = match self.region {
            None => Some(Region::default()),
            Some(name) => found.ok("region", name.parse::<Region>(), |e| e.to_string()),
        };
        let customer_location = self.customer_location.and_then(|Place { lon, lat }| {
            let place = found.ok("customerLocation", Location::new(lon, lat), |e| {
                e.to_string()
            })?;
            let region = region?;
            if region.serves(place) {
                Some(place)
            } else {
                found.add("customerLocation", format!("must be near {region}"))
            }
        });
        let order_id_again = order_id.clone();
        let order = (|| {
            Some(Order {
                order_id: order_id?,
                restaurant_id: restaurant_id?,
                products: products?,
                total_cost: total_cost?,
                delivery_delay: delivery_delay?,
                customer_location,
                region: region?,
                // A trace context is a help, never a reason to refuse food.
                traceparent: self.traceparent.filter(|text| is_traceparent(text)),
            })
        })();
        match order {
            Some(order) if found.0.is_empty() => Ok(order),
            _ => Err(Invalid {
                order_id: order_id_again,
                violations: found.0,
            }),
        }
    }
}

impl Order {
    /// Reads and checks an event's JSON.
    pub fn parse(json: &[u8]) -> Result<Self, Invalid> {
        OrderEvent::parse(json)?.check()
    }
}

impl TryFrom<OrderEvent> for Order {
    type Error = Invalid;

    fn try_from(event: OrderEvent) -> Result<Self, Invalid> {
        event.check()
    }
}

/// How many unknown fields are named at most.
const MAX_UNKNOWN: usize = 10;

fn unknown_field(path: &Path<'_>) -> Violation {
    fn write(path: &Path<'_>) -> String {
        match path {
            Path::Root => String::new(),
            Path::Seq { parent, index } => format!("{}[{index}]", write(parent)),
            Path::Map { parent, key } => match write(parent) {
                parent if parent.is_empty() => key.clone(),
                parent => format!("{parent}.{key}"),
            },
            Path::Some { parent }
            | Path::NewtypeStruct { parent }
            | Path::NewtypeVariant { parent } => write(parent),
        }
    }
    let (parent, is_name) = match path {
        Path::Map { parent, key } => {
            let is_name = !key.is_empty() && key.len() <= 64;
            (
                write(parent),
                is_name
                    && key
                        .bytes()
                        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'),
            )
        }
        _ => (String::new(), false),
    };
    if is_name {
        Violation {
            field: write(path),
            message: "is not known: leave it out, or look whether it is misspelt".to_owned(),
        }
    } else {
        // What it is called may not be fit to be shown.
        Violation {
            field: parent,
            message: "must have no other fields than those described".to_owned(),
        }
    }
}

/// The order id in an event that cannot be read as a whole.
fn order_id_of(json: &[u8]) -> Option<OrderId> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct JustTheId {
        order_id: OrderId,
    }
    serde_json::from_slice(json)
        .ok()
        .map(|JustTheId { order_id }| order_id)
}

/// Whether `text` is a W3C `traceparent` of version 00 (<https://www.w3.org/TR/trace-context/#traceparent-header>).
fn is_traceparent(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    matches!(parts[..], ["00", trace, span, flags]
        if [(trace, 32), (span, 16), (flags, 2)].iter().all(|(part, len)| {
            part.len() == *len && part.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
        }) && trace.bytes().any(|b| b != b'0') && span.bytes().any(|b| b != b'0'))
}

fn money_error(error: &serde_json::Error) -> String {
    // serde_json adds where in the text the error is, which means nothing for a single number.
    let text = error.to_string();
    text.split(" at line ").next().unwrap_or(&text).to_owned()
}

/// Collects what is wrong while the fields are read.
#[derive(Default)]
struct Violations(Vec<Violation>);

impl Violations {
    fn add<T>(&mut self, field: &str, message: impl Into<String>) -> Option<T> {
        self.0.push(Violation {
            field: field.to_owned(),
            message: message.into(),
        });
        None
    }

    fn missing<T>(&mut self, field: &str) -> Option<T> {
        self.add(field, "is required")
    }

    fn required<T>(&mut self, field: &str, value: Option<T>) -> Option<T> {
        if value.is_none() {
            return self.missing(field);
        }
        value
    }

    fn ok<T, E>(
        &mut self,
        field: &str,
        result: Result<T, E>,
        message: impl FnOnce(E) -> String,
    ) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(error) => self.add(field, message(error)),
        }
    }

    fn parse<T>(&mut self, field: &str, text: Option<String>) -> Option<T>
    where
        T: TryFrom<String>,
        T::Error: std::fmt::Display,
    {
        let text = self.required(field, text)?;
        self.ok(field, T::try_from(text), |error| error.to_string())
    }

    fn text(&mut self, field: &str, text: Option<String>) -> Option<String> {
        let text = self.required(field, text)?;
        if text.trim().is_empty() || text.len() > MAX_TEXT {
            return self.add(field, format!("must have 1 to {MAX_TEXT} bytes"));
        }
        if text.chars().any(is_hidden) {
            return self.add(
                field,
                "must be one line, without control characters and without those that turn the direction of writing",
            );
        }
        Some(text)
    }

    fn products(&mut self, products: Vec<ProductEvent>) -> Option<Vec<Product>> {
        if products.is_empty() || products.len() > MAX_PRODUCTS {
            return self.add("products", format!("must have 1 to {MAX_PRODUCTS} lines"));
        }
        let lines: Vec<Option<Product>> = products
            .into_iter()
            .enumerate()
            .map(|(line, product)| {
                let field = |name: &str| format!("products[{line}].{name}");
                let product_id = self.text(&field("productId"), product.product_id);
                let description = self.text(&field("description"), product.description);
                let quantity = self
                    .required(&field("quantity"), product.quantity)
                    .and_then(|quantity| match u32::try_from(quantity) {
                        Ok(quantity @ 1..=MAX_QUANTITY) => Some(quantity),
                        _ => self.add(
                            &field("quantity"),
                            format!("must be from 1 to {MAX_QUANTITY}"),
                        ),
                    });
                Some(Product {
                    product_id: product_id?,
                    description: description?,
                    quantity: quantity?,
                })
            })
            .collect();
        lines.into_iter().collect()
    }
}

/// Whether a character shows as nothing and changes how what is around it is shown: in a log, a terminal, a page.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

mod millis {
    use std::time::Duration;

    use serde::Serializer;

    pub(super) fn serialize<S: Serializer>(
        duration: &Duration,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn good() -> Value {
        json!({
            "orderId": "order-1", "restaurantId": "la-piazza",
            "products": [{"productId": "margherita", "description": "Pizza", "quantity": 2}],
            "totalCost": 23.50, "deliveryDelay": 5000,
        })
    }

    fn with(pointer: &str, value: Value) -> Value {
        let mut event = good();
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        match event.pointer_mut(parent).unwrap() {
            Value::Object(fields) => {
                fields.insert(key.to_owned(), value);
            }
            other => panic!("no object at {parent}: {other}"),
        }
        event
    }

    fn without(field: &str) -> Value {
        let mut event = good();
        event.as_object_mut().unwrap().remove(field);
        event
    }

    fn fields_at_fault(event: &Value) -> Vec<String> {
        Order::parse(event.to_string().as_bytes())
            .unwrap_err()
            .violations
            .into_iter()
            .map(|violation| violation.field)
            .collect()
    }

    #[test]
    fn a_good_event_becomes_an_order_and_back() {
        let order = Order::parse(good().to_string().as_bytes()).unwrap();
        assert_eq!(order.total_cost.to_string(), "23.50");
        assert_eq!(order.delivery_delay, Duration::from_secs(5));
        assert_eq!(order.region, Region::SanJose);
        let json = serde_json::to_string(&order).unwrap();
        assert!(json.contains(r#""totalCost":23.50"#), "{json}");
        assert_eq!(serde_json::from_str::<Order>(&json).unwrap(), order);
    }

    #[test]
    fn texts_are_one_line_that_reads_as_it_is_written() {
        for good in [
            "Phở bò",
            "Crème brûlée 🍮",
            "שקשוקה",
            "a\u{200f}b",
            "30% off; DROP TABLE",
        ] {
            let event = with("/products/0/description", json!(good));
            assert!(
                Order::parse(event.to_string().as_bytes()).is_ok(),
                "{good:?}"
            );
        }
        for bad in [
            "a\0b",
            "a\nINFO paid",
            "a\rb",
            "\u{1b}[2J",
            "a\u{85}b",
            "a\u{202e}b",
            "a\u{2066}b",
            "a\u{2028}b",
            "\t",
        ] {
            let event = with("/products/0/description", json!(bad));
            assert_eq!(
                fields_at_fault(&event),
                ["products[0].description"],
                "{bad:?}"
            );
            let event = with("/products/0/productId", json!(bad));
            assert_eq!(
                fields_at_fault(&event),
                ["products[0].productId"],
                "{bad:?}"
            );
        }
    }

    #[test]
    fn fields_that_are_not_known_are_left_unread_or_named() {
        for (pointer, field) in [
            ("/deliverDelay", "deliverDelay"),
            ("/products/0/price", "products[0].price"),
            ("/weird key\n", ""),
            ("/products/0/../x", "products[0]"),
        ] {
            let (parent, key) = match pointer.strip_prefix("/products/0/") {
                Some(key) => ("/products/0", key),
                None => ("", &pointer[1..]),
            };
            let mut event = good();
            let fields = event.pointer_mut(parent).unwrap().as_object_mut().unwrap();
            fields.insert(key.to_owned(), json!({"deep": [1]}));
            let event = event.to_string();
            assert!(Order::parse(event.as_bytes()).is_ok(), "{pointer}");
            let invalid = OrderEvent::parse_strictly(event.as_bytes()).unwrap_err();
            assert_eq!(invalid.order_id.unwrap().as_str(), "order-1");
            assert_eq!(invalid.violations.len(), 1);
            assert_eq!(invalid.violations[0].field, field, "{pointer}");
        }
        let good = good().to_string();
        let strict = OrderEvent::parse_strictly(good.as_bytes()).unwrap().check();
        assert_eq!(strict, Order::parse(good.as_bytes()));
    }

    #[test]
    fn json_that_says_one_thing_twice_or_goes_down_for_ever_is_no_order() {
        let twice = good()
            .to_string()
            .replacen('{', "{\"orderId\":\"order-2\",", 1);
        let deep = format!(
            "{{\"products\":{}1{}}}",
            "[".repeat(50_000),
            "]".repeat(50_000)
        );
        let deep_unknown = format!("{{\"x\":{}1{}}}", "[".repeat(50_000), "]".repeat(50_000));
        let huge = with("/deliveryDelay", json!(1))
            .to_string()
            .replace(":1,", ":1e400,");
        for event in [twice, deep, deep_unknown, huge] {
            let head: String = event.chars().take(60).collect();
            assert!(Order::parse(event.as_bytes()).is_err(), "{head}");
            assert!(
                OrderEvent::parse_strictly(event.as_bytes()).is_err(),
                "{head}"
            );
        }
    }

    #[test]
    fn each_fault_names_its_field() {
        for (event, field) in [
            (without("orderId"), "orderId"),
            (without("restaurantId"), "restaurantId"),
            (without("products"), "products"),
            (without("totalCost"), "totalCost"),
            (without("deliveryDelay"), "deliveryDelay"),
            (with("/orderId", json!("a b")), "orderId"),
            (with("/orderId", json!(7)), "orderId"),
            (with("/restaurantId", json!("")), "restaurantId"),
            (with("/products", json!([])), "products"),
            (with("/products", json!({})), "products"),
            (
                with("/products/0/quantity", json!(0)),
                "products[0].quantity",
            ),
            (
                with("/products/0/quantity", json!("two")),
                "products[0].quantity",
            ),
            (
                with("/products/0/productId", json!(null)),
                "products[0].productId",
            ),
            (
                with("/products/0/description", json!("")),
                "products[0].description",
            ),
            (with("/totalCost", json!(-1)), "totalCost"),
            (with("/totalCost", json!(0.001)), "totalCost"),
            (with("/totalCost", json!("free")), "totalCost"),
            (with("/deliveryDelay", json!(-1)), "deliveryDelay"),
            (with("/deliveryDelay", json!(1e18)), "deliveryDelay"),
            (with("/region", json!("Atlantis")), "region"),
            (
                with("/customerLocation", json!({"lon": 0, "lat": 0})),
                "customerLocation",
            ),
            (
                with("/customerLocation", json!({"lon": 999, "lat": 0})),
                "customerLocation",
            ),
            (
                with("/customerLocation", json!({"lon": 1})),
                "customerLocation",
            ),
        ] {
            assert_eq!(fields_at_fault(&event), [field], "{event}");
        }
    }

    #[test]
    fn every_fault_is_named_at_once_with_the_order_it_concerns() {
        let event = json!({"orderId": "order-2", "products": [], "totalCost": -5});
        let invalid = Order::parse(event.to_string().as_bytes()).unwrap_err();
        assert_eq!(invalid.order_id, Some("order-2".parse().unwrap()));
        assert_eq!(
            invalid.to_string(),
            "invalid order: restaurantId is required; products must have 1 to 100 lines; totalCost must not be negative; \
             deliveryDelay is required"
        );
    }

    #[test]
    fn an_event_of_the_wrong_shape_still_says_whose_it_is() {
        let event = with("/products", json!("pizza"));
        let invalid = Order::parse(event.to_string().as_bytes()).unwrap_err();
        assert_eq!(invalid.order_id, Some("order-1".parse().unwrap()));
        for nobody in [
            &b""[..],
            b"null",
            b"[]",
            b"{",
            b"\xff\xfe",
            br#"{"orderId":5}"#,
        ] {
            assert_eq!(Order::parse(nobody).unwrap_err().order_id, None);
        }
    }

    #[test]
    fn a_trace_context_is_kept_if_it_is_one() {
        let good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        for (text, kept) in [
            (good, true),
            (
                "00-00000000000000000000000000000000-b7ad6b7169203331-01",
                false,
            ),
            ("01-x", false),
            ("", false),
        ] {
            let order =
                Order::parse(with("/traceparent", json!(text)).to_string().as_bytes()).unwrap();
            assert_eq!(order.traceparent.is_some(), kept, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = Order::parse(&bytes);
        }

        #[test]
        fn what_is_accepted_stays_accepted(cents in 0_u32..5_000_000, quantity in 1_u32..=MAX_QUANTITY, delay in 0_u64..1_000_000) {
            let mut event = good();
            event["products"][0]["quantity"] = json!(quantity);
            event["deliveryDelay"] = json!(delay);
            let text = event.to_string().replace("23.5", &Money::from_cents(cents).unwrap().to_string());
            let order = Order::parse(text.as_bytes()).unwrap();
            prop_assert_eq!(order.total_cost.cents(), i64::from(cents));
            let again = serde_json::to_vec(&order).unwrap();
            prop_assert_eq!(Order::parse(&again).unwrap(), order);
        }
    }
}
