//! The order event of the ordering providers, and the checked order that it becomes.
//!
//! [`Order::parse`] checks every field and names all faults, not only the first. An [`Order`] can be made
//! in no other way, so code that has one need not check again.

use std::fmt;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, de};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use crate::json::{Fields, FromJson, Malformed, Value, Violations, in_one_line};
use crate::{Location, Money, OrderId, Region, RestaurantId, restaurant};

pub use crate::json::Violation;

/// The longest order event, in bytes.
pub const MAX_BYTES: usize = 1024 * 1024;
/// The most lines an order may have.
pub const MAX_PRODUCTS: usize = 100;
/// The most of one product in an order.
pub const MAX_QUANTITY: u32 = 999;
/// The longest product id and description, in characters (Unicode scalar values, as JSON Schema counts them).
pub const MAX_TEXT: usize = 500;
/// The farthest an order may be scheduled ahead.
pub const MAX_DELAY: Duration = Duration::from_millis(MAX_DELAY_MS);
const MAX_DELAY_MS: u64 = 30 * 24 * 60 * 60 * 1000;
/// Texts of one line, without [hidden](is_hidden) characters, as a regular expression.
const ONE_LINE: &str = r"^[^\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]+$";

/// An order that has passed every check.
///
/// In JSON it has the field names of the order event, and reading it checks it again. Its JSON Schema is that of the event: what
/// it refuses, [`parse`](Self::parse) refuses too.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(
    title = "Order event",
    description = "An order of an ordering provider. Unknown fields are ignored, and `null` counts as left out."
)]
pub struct Order {
    /// The provider's id of the order.
    pub order_id: OrderId,
    /// The restaurant that cooks it.
    pub restaurant_id: RestaurantId,
    /// What was ordered: at least one line.
    #[schemars(length(min = 1, max = MAX_PRODUCTS))]
    pub products: Vec<Product>,
    /// What the customer pays.
    pub total_cost: Money,
    /// How long to wait before the preparation starts, in ms.
    #[serde(rename = "deliveryDelay", with = "millis")]
    #[schemars(with = "u64", range(max = MAX_DELAY_MS))]
    pub delivery_delay: Duration,
    /// Where to deliver it, in or near the region; if the provider names no place, one in the region is derived from the order's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer_location: Option<Location>,
    /// The region in which it is cooked and delivered; San Jose if left out.
    #[schemars(with = "Option<Region>")]
    pub region: Region,
    /// The W3C trace context (`traceparent`) of the request that placed the order; anything else is ignored.
    #[schemars(with = "Option<serde_json::Value>")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
}

/// A line of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Product {
    /// The provider's id of the product.
    #[schemars(length(min = 1, max = MAX_TEXT), regex(pattern = ONE_LINE))]
    pub product_id: String,
    /// What to cook.
    #[schemars(length(min = 1, max = MAX_TEXT), regex(pattern = ONE_LINE))]
    pub description: String,
    /// The quantity.
    #[schemars(range(min = 1, max = MAX_QUANTITY))]
    pub quantity: u32,
}

/// All faults of an order event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid order: {}", in_one_line(violations))]
pub struct Invalid {
    /// The order that the event names, if its id can be read.
    pub order_id: Option<OrderId>,
    /// The faults, at least one.
    pub violations: Vec<Violation>,
}

impl Invalid {
    fn as_a_whole(message: String) -> Self {
        Self {
            order_id: None,
            violations: vec![Violation::new("", message)],
        }
    }
}

impl From<Malformed> for Invalid {
    fn from(error: Malformed) -> Self {
        Self::as_a_whole(format!("the event {error}"))
    }
}

/// What is known of an order apart from its event, and how the event is read.
#[derive(Debug, Clone, Default)]
pub struct Given {
    /// The id of an order whose event has none.
    pub order_id: Option<String>,
    /// The trace context of an order whose event has none.
    pub traceparent: Option<String>,
    /// Whether an unknown field is refused. Ordering providers may send additional fields in their events; but a client that
    /// misspells a field in a request should notice.
    pub is_strict: bool,
}

impl Order {
    /// Reads and checks an event's JSON. Unknown fields are ignored.
    pub fn parse(json: &[u8]) -> Result<Self, Invalid> {
        if json.len() > MAX_BYTES {
            return Err(Invalid::as_a_whole(format!(
                "the event must have at most {MAX_BYTES} bytes, but has {}",
                json.len()
            )));
        }
        Self::from_json(Value::parse(json)?, Given::default())
    }

    /// Checks an event, which is JSON, and makes an order of it.
    pub fn from_json(event: Value<'_>, given: Given) -> Result<Self, Invalid> {
        let mut violations = Violations::new(given.is_strict);
        let (order_id, order) = match Fields::of(event, "the event", &mut violations) {
            Some(mut fields) => {
                let order_id = order_id(&mut fields, given.order_id);
                let order = Self::from_fields(&mut fields, order_id.clone(), given.traceparent);
                fields.finish();
                (order_id, order)
            }
            None => (None, None),
        };
        match order {
            Some(order) if violations.is_empty() => Ok(order),
            _ => Err(Invalid {
                order_id,
                violations: violations.into_vec(),
            }),
        }
    }

    fn from_fields(
        fields: &mut Fields<'_, '_>,
        order_id: Option<OrderId>,
        traceparent: Option<String>,
    ) -> Option<Self> {
        let restaurant_id = fields.required("restaurantId", Value::parsed::<RestaurantId>);
        let products = fields.list("products", 1..=MAX_PRODUCTS, Product::from_fields);
        let total_cost = fields.required("totalCost", Money::from_json);
        let delivery_delay = fields.required("deliveryDelay", delay);
        let region = fields.or_default("region", Value::parsed::<Region>);
        let customer_location = customer_location(fields, region);
        // An invalid trace context is no reason to refuse an order.
        let own = fields.optional("traceparent", |value| Ok(value.string().ok()));
        let own = own.flatten().filter(|text| is_traceparent(text));
        Some(Self {
            order_id: order_id?,
            restaurant_id: restaurant_id?,
            products: products?,
            total_cost: total_cost?,
            delivery_delay: delivery_delay?,
            customer_location,
            region: region?,
            traceparent: own.or(traceparent.filter(|text| is_traceparent(text))),
        })
    }

    /// Where to deliver; if the provider names no place, one in the region is derived from the order's id.
    #[must_use]
    pub fn destination(&self) -> Location {
        self.customer_location
            .unwrap_or_else(|| restaurant::place_for(self.order_id.as_str(), self.region))
    }

    /// A fingerprint of the order apart from its id: two events of one id and one content are the same order sent twice, and two
    /// of one id and different content are two orders.
    #[must_use]
    pub fn content(&self) -> Content {
        Content::of(self)
    }
}

impl<'de> Deserialize<'de> for Order {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let event = Box::<RawValue>::deserialize(deserializer)?;
        Self::parse(event.get().as_bytes()).map_err(de::Error::custom)
    }
}

impl FromJson for Product {
    fn from_fields(fields: &mut Fields<'_, '_>) -> Option<Self> {
        let product_id = fields.required("productId", text);
        let description = fields.required("description", text);
        let quantity = fields.required("quantity", |value| {
            let quantity = value.whole_number(1..=i64::from(MAX_QUANTITY))?;
            u32::try_from(quantity).map_err(|error| error.to_string())
        });
        Some(Self {
            product_id: product_id?,
            description: description?,
            quantity: quantity?,
        })
    }
}

/// A fingerprint of what an order is, apart from its id and its trace.
///
/// It does not depend on how the event is written: neither the order of its fields nor white space, escapes, a byte order
/// mark, fields that are not known, `9.5` for `9.50` or a default that is left out make a difference. It is kept for as long as
/// the order's id counts as used, so it must stay the same for ever: a test pins some values.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Content(String);

impl Content {
    /// How much of the hash is kept, in bytes. It guards against mistakes rather than against forgery, and there is one in the
    /// state of every order.
    const LENGTH: usize = 16;

    fn of(order: &Order) -> Self {
        // Everything that is not of a fixed length comes with its length, so different orders are never written alike.
        fn text(hash: &mut Sha256, text: &str) {
            number(hash, i64::try_from(text.len()).unwrap_or(i64::MAX));
            hash.update(text);
        }
        fn number(hash: &mut Sha256, number: i64) {
            hash.update(number.to_be_bytes());
        }
        let Order {
            order_id: _,
            restaurant_id,
            products,
            total_cost,
            delivery_delay,
            customer_location,
            region,
            traceparent: _,
        } = order;
        let mut hash = Sha256::new();
        text(&mut hash, restaurant_id.as_str());
        number(&mut hash, i64::try_from(products.len()).unwrap_or(i64::MAX));
        for Product {
            product_id,
            description,
            quantity,
        } in products
        {
            text(&mut hash, product_id);
            text(&mut hash, description);
            number(&mut hash, i64::from(*quantity));
        }
        number(&mut hash, total_cost.cents());
        number(
            &mut hash,
            i64::try_from(delivery_delay.as_millis()).unwrap_or(i64::MAX),
        );
        match customer_location {
            None => hash.update([0]),
            Some(place) => {
                let (lon, lat) = place.millionths();
                hash.update([1]);
                number(&mut hash, lon);
                number(&mut hash, lat);
            }
        }
        text(&mut hash, region.name());
        let hash = hash.finalize();
        let kept = hash[..Self::LENGTH]
            .iter()
            .fold(0_u128, |kept, byte| kept << 8 | u128::from(*byte));
        // The first digit is the version of all this.
        Self(format!("1{kept:032x}"))
    }
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The order's id; `given` where the event has none.
fn order_id(fields: &mut Fields<'_, '_>, given: Option<String>) -> Option<OrderId> {
    let Some(given) = given else {
        return fields.required("orderId", Value::parsed);
    };
    fields.optional_or("orderId", Value::parsed, || {
        given
            .parse()
            .map_err(|error: crate::id::Error| error.to_string())
    })
}

fn text(value: Value<'_>) -> Result<String, String> {
    let text = value.string()?;
    let length = text.chars().count();
    if text.chars().all(is_invisible) {
        return Err(format!(
            "must have 1 to {MAX_TEXT} characters, but is {}",
            if length == 0 { "empty" } else { "blank" }
        ));
    }
    if length > MAX_TEXT {
        return Err(format!(
            "must have 1 to {MAX_TEXT} characters, but has {length}"
        ));
    }
    match text.chars().find(|&c| is_hidden(c)) {
        None => Ok(text),
        Some(hidden) => Err(format!(
            "must be one line without control characters and without characters that change the direction of writing, but \
             has {hidden:?}"
        )),
    }
}

/// Whether a character shows nothing: white space, and Unicode's `Default_Ignorable_Code_Point` (DerivedCoreProperties.txt of Unicode 16).
fn is_invisible(c: char) -> bool {
    c.is_whitespace()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fff8}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}')
}

fn delay(value: Value<'_>) -> Result<Duration, String> {
    let longest = i64::try_from(MAX_DELAY.as_millis()).unwrap_or(i64::MAX);
    let ms = value.whole_number(0..=longest).map_err(|_| {
        value.is_not(&format!(
            "a whole number of milliseconds from 0 to {longest}"
        ))
    })?;
    Ok(Duration::from_millis(ms.unsigned_abs()))
}

/// Where to deliver the order. It must be near the region, unless the region is unknown.
fn customer_location(fields: &mut Fields<'_, '_>, region: Option<Region>) -> Option<Location> {
    let place = fields.object("customerLocation", |fields| {
        let lon = fields.required(fields.first_of(["lon", "long"]), Value::float);
        let lat = fields.required("lat", Value::float);
        Some((lon?, lat?))
    });
    let (lon, lat) = place?;
    let (place, region) = match Location::new(lon, lat) {
        Ok(place) => (place, region?),
        Err(error) => {
            fields.refuse("customerLocation", error.to_string());
            return None;
        }
    };
    if !region.serves(place) {
        fields.refuse("customerLocation", format!("must be near {region}"));
        return None;
    }
    Some(place)
}

/// Whether `text` is a W3C `traceparent` of version 00 (<https://www.w3.org/TR/trace-context/#traceparent-header>).
fn is_traceparent(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    matches!(parts[..], ["00", trace, span, flags]
        if [(trace, 32), (span, 16), (flags, 2)].iter().all(|(part, len)| {
            part.len() == *len && part.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
        }) && trace.bytes().any(|b| b != b'0') && span.bytes().any(|b| b != b'0'))
}

/// Whether a character is invisible and changes how the text around it is shown: in a log, a terminal, a page.
#[must_use]
pub fn is_hidden(c: char) -> bool {
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
    use std::sync::LazyLock;

    use jsonschema::Validator;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::testing::{allows, validator};

    static SCHEMA: LazyLock<Validator> = LazyLock::new(validator::<Order>);

    /// Parses an event, and checks the result against the schema.
    fn parse(event: &[u8]) -> Result<Order, Invalid> {
        let parsed = Order::parse(event);
        allows(&SCHEMA, event, parsed.is_ok());
        parsed
    }

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
        parse(event.to_string().as_bytes())
            .unwrap_err()
            .violations
            .into_iter()
            .map(|violation| violation.field)
            .collect()
    }

    #[test]
    fn a_good_event_becomes_an_order_and_back() {
        let order = parse(good().to_string().as_bytes()).unwrap();
        assert_eq!(order.total_cost.to_string(), "23.50");
        assert_eq!(order.delivery_delay, Duration::from_secs(5));
        assert_eq!(order.region, Region::SanJose);
        let json = serde_json::to_string(&order).unwrap();
        assert!(json.contains(r#""totalCost":23.50"#), "{json}");
        assert_eq!(serde_json::from_str::<Order>(&json).unwrap(), order);
    }

    /// Puts every value in every field: what the schema refuses, the parser must refuse.
    #[test]
    fn what_the_schema_refuses_is_refused() {
        let long = "x".repeat(MAX_TEXT + 1);
        let values = [
            json!(null),
            json!(true),
            json!(0),
            json!(-1),
            json!(1.5),
            json!(1e3),
            json!(2_592_000_001_i64),
            json!(1e300),
            json!(""),
            json!("23.5"),
            json!("-0"),
            json!("a b"),
            json!("a\nb"),
            json!("\u{202e}"),
            json!("Oakland (CA)"),
            json!(long),
            json!([]),
            json!([{}]),
            json!(vec![good()["products"][0].clone(); MAX_PRODUCTS + 1]),
            json!({}),
            json!({"lon": -121.9, "lat": 37.3}),
            json!({"long": -121.9, "lat": 37.3, "lon": null}),
            json!({"long": -121.9, "lat": 37.3}),
            json!({"lon": -121.9, "lat": 37.3, "long": "x"}),
            json!({"lon": 181, "lat": 37.3}),
            json!({"lon": -121.9, "lat": "37.3"}),
        ];
        for (pointer, allowed) in [
            ("/orderId", 2),
            ("/restaurantId", 2),
            ("/products", 0),
            ("/products/0/productId", 4),
            ("/products/0/description", 4),
            ("/products/0/quantity", 0),
            ("/totalCost", 5),
            ("/deliveryDelay", 2),
            ("/customerLocation", 5),
            ("/region", 2),
            ("/traceparent", values.len()),
            ("/somethingElse", values.len()),
        ] {
            let by_schema = values.iter().filter(|value| {
                let event = with(pointer, (*value).clone()).to_string();
                let parsed = Order::parse(event.as_bytes());
                allows(&SCHEMA, event.as_bytes(), parsed.is_ok())
            });
            assert_eq!(by_schema.count(), allowed, "{pointer}");
        }
        for field in [
            "orderId",
            "restaurantId",
            "products",
            "totalCost",
            "deliveryDelay",
        ] {
            assert!(
                !allows(&SCHEMA, without(field).to_string().as_bytes(), false),
                "{field}"
            );
        }
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
            assert!(parse(event.to_string().as_bytes()).is_ok(), "{good:?}");
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

    fn strictly(event: &str) -> Result<Order, Invalid> {
        let given = Given {
            is_strict: true,
            ..Given::default()
        };
        Order::from_json(crate::json::Value::parse(event.as_bytes())?, given)
    }

    #[test]
    fn unknown_fields_are_ignored_or_named() {
        for (pointer, violation) in [
            (
                "/deliverDelay",
                "deliverDelay is not known: leave it out, or check how it is spelt",
            ),
            (
                "/products/0/price",
                "products[0].price is not known: leave it out, or check how it is spelt",
            ),
            ("/weird key\n", r#"must not have a field "weird key\n""#),
            (
                "/products/0/../x",
                r#"products[0] must not have a field "../x""#,
            ),
        ] {
            let (parent, key) = match pointer.strip_prefix("/products/0/") {
                Some(key) => ("/products/0", key),
                None => ("", &pointer[1..]),
            };
            let mut event = good();
            let fields = event.pointer_mut(parent).unwrap().as_object_mut().unwrap();
            fields.insert(key.to_owned(), json!({"deep": [1]}));
            let event = event.to_string();
            assert!(parse(event.as_bytes()).is_ok(), "{pointer}");
            let invalid = strictly(&event).unwrap_err();
            assert_eq!(invalid.order_id.unwrap().as_str(), "order-1");
            assert_eq!(invalid.violations.len(), 1);
            assert_eq!(invalid.violations[0].to_string(), violation);
        }
        let good = good().to_string();
        assert_eq!(strictly(&good), parse(good.as_bytes()));
    }

    #[test]
    fn an_event_with_duplicate_fields_or_too_deep_nesting_is_refused() {
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
            assert!(parse(event.as_bytes()).is_err(), "{head}");
            assert!(strictly(&event).is_err(), "{head}");
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
                "customerLocation.lat",
            ),
        ] {
            assert_eq!(fields_at_fault(&event), [field], "{event}");
        }
    }

    #[test]
    fn every_fault_is_named_at_once_with_the_order_it_concerns() {
        let event = json!({"orderId": "order-2", "products": [], "totalCost": -5});
        let invalid = parse(event.to_string().as_bytes()).unwrap_err();
        assert_eq!(invalid.order_id, Some("order-2".parse().unwrap()));
        assert_eq!(
            invalid.to_string(),
            "invalid order: restaurantId is required; products must have 1 to 100 elements, but has 0; \
             totalCost must not be negative, but is -5; deliveryDelay is required"
        );
    }

    #[test]
    fn an_event_of_the_wrong_shape_still_says_whose_it_is() {
        let event = with("/products", json!("pizza"));
        let invalid = parse(event.to_string().as_bytes()).unwrap_err();
        assert_eq!(invalid.order_id, Some("order-1".parse().unwrap()));
        for nobody in [
            &b""[..],
            b"null",
            b"[]",
            b"{",
            b"\xff\xfe",
            br#"{"orderId":5}"#,
        ] {
            assert_eq!(parse(nobody).unwrap_err().order_id, None);
        }
    }

    #[test]
    #[expect(
        clippy::too_many_lines,
        reason = "a table with an entry for each fault"
    )]
    fn each_fault_is_a_sentence_for_the_sender_of_the_event() {
        let text = |json: &str| good().to_string().replace(r#""Pizza""#, json);
        let quantity = |json: &str| good().to_string().replace(":2}", &format!(":{json}}}"));
        for (event, message) in [
            (
                String::new(),
                "the event is empty: it must be a JSON object",
            ),
            (
                " \r\n".to_owned(),
                "the event is empty: it must be a JSON object",
            ),
            (
                "\u{feff}".to_owned(),
                "the event is empty: it must be a JSON object",
            ),
            (
                "null".to_owned(),
                "the event must be a JSON object, but it is null",
            ),
            (
                "[]".to_owned(),
                "the event must be a JSON object, but it is an array",
            ),
            (
                "7".to_owned(),
                "the event must be a JSON object, but it is 7",
            ),
            (
                r#""pizza""#.to_owned(),
                r#"the event must be a JSON object, but it is the string "pizza""#,
            ),
            (
                "pizza".to_owned(),
                "the event is not valid JSON: there is a mistake at line 1, column 1, where it has 'p'",
            ),
            (
                "{".repeat(200_000),
                "the event is not valid JSON: there is a mistake at line 1, column 2, where it has '{'",
            ),
            (
                "[".repeat(200_000),
                "the event is incomplete: it ends in the middle of the JSON, at line 1, column 200001",
            ),
            (
                format!("{}{}", "[".repeat(200_000), "]".repeat(200_000)),
                "the event is nested deeper than 128 levels",
            ),
            (
                "{\n \"orderId\": \"寿".to_owned(),
                "the event is incomplete: it ends in the middle of the JSON, at line 2, column 15",
            ),
            (
                "{\n\"寿\": 1,}".to_owned(),
                "the event is not valid JSON: there is a mistake at line 2, column 8, where it has '}'",
            ),
            (
                "{'orderId': 1}".to_owned(),
                r"the event is not valid JSON: there is a mistake at line 1, column 2, where it has '\''",
            ),
            (
                "{\"orderId\": \"a\nb\"}".to_owned(),
                r"the event is not valid JSON: there is a mistake at line 1, column 15, where it has '\n'",
            ),
            (
                "{} {}".to_owned(),
                "the event must be one JSON value, but has more behind it, from line 1, column 4",
            ),
            (
                quantity("NaN"),
                "the event is not valid JSON: there is a mistake at line 1, column 114, where it has 'N'",
            ),
            (
                quantity("0"),
                "products[0].quantity must be a whole number from 1 to 999, but is 0",
            ),
            (
                quantity("1.5"),
                "products[0].quantity must be a whole number from 1 to 999, but is 1.5",
            ),
            (
                quantity("1e400"),
                "products[0].quantity must be a whole number from 1 to 999, but is 1e400",
            ),
            (
                quantity("9007199254740993"),
                "products[0].quantity must be a whole number from 1 to 999, but is 9007199254740993",
            ),
            (
                quantity(&"9".repeat(1000)),
                "products[0].quantity must be a whole number from 1 to 999, but is a number of 1000 characters",
            ),
            (
                quantity(r#""2""#),
                r#"products[0].quantity must be a whole number from 1 to 999, but is the string "2""#,
            ),
            (
                quantity("1,\"quantity\":1"),
                "products[0].quantity must be there once, but is there more than once",
            ),
            (
                text(r#""\ud800""#),
                "products[0].description must be text, but has an escape of the kind \\ud800, which alone is not a character",
            ),
            (
                text(r#""a\u0000b""#),
                "products[0].description must be one line without control characters and without characters that change \
                 the direction of writing, but has '\\0'",
            ),
            (
                text("true"),
                "products[0].description must be a string, but is true",
            ),
            (
                text(r#""  ""#),
                "products[0].description must have 1 to 500 characters, but is blank",
            ),
            (
                text(r#""\u200b \u3164\u00ad\ufeff""#),
                "products[0].description must have 1 to 500 characters, but is blank",
            ),
            (
                with("/products", json!("pizza")).to_string(),
                r#"products must be an array, but is the string "pizza""#,
            ),
            (
                with("/products", json!(["pizza"])).to_string(),
                r#"products[0] must be an object, but is the string "pizza""#,
            ),
            (
                with("/totalCost", json!(1.005)).to_string(),
                "totalCost must have at most two digits after the decimal point, but is 1.005",
            ),
            (
                with("/totalCost", json!("12,50")).to_string(),
                r#"totalCost must be a decimal number such as 23.50, but is the string "12,50""#,
            ),
            (
                with("/totalCost", json!({"amount": 1})).to_string(),
                "totalCost must be a decimal number such as 23.50, but is an object",
            ),
            (
                with("/restaurantId", json!("\u{202e}\u{1b}[2J")).to_string(),
                r"restaurantId must consist of ASCII letters, digits and - _ . : ~ but has '\u{202e}'",
            ),
            (
                with("/region", json!("Atlantis\u{202e}\u{1b}")).to_string(),
                r#"region must be one of "San Jose (CA)", "Oakland (CA)", "San Francisco (CA)""#,
            ),
            (
                with("/deliveryDelay", json!("\u{202e}\u{1b}")).to_string(),
                r#"deliveryDelay must be a whole number of milliseconds from 0 to 2592000000, but is the string "\u{202e}\u{1b}""#,
            ),
            (
                with("/customerLocation", json!({"lon": -122, "lat": "37"})).to_string(),
                r#"customerLocation.lat must be a number, but is the string "37""#,
            ),
        ] {
            let head: String = event.chars().take(200).collect();
            let invalid = parse(event.as_bytes()).expect_err(&head);
            assert_eq!(
                invalid.to_string(),
                format!("invalid order: {message}"),
                "{head}"
            );
        }
        let long = vec![b' '; MAX_BYTES + 1];
        assert_eq!(
            parse(&long).unwrap_err().to_string(),
            "invalid order: the event must have at most 1048576 bytes, but has 1048577"
        );
    }

    #[test]
    fn an_event_is_read_in_utf_8_with_or_without_a_byte_order_mark() {
        let good = good().to_string();
        let order = parse(good.as_bytes()).unwrap();
        assert_eq!(parse(format!("\u{feff}{good}").as_bytes()), Ok(order));
        let utf_16 = |unit: fn(u16) -> [u8; 2], mark: &str| {
            let units = mark.encode_utf16().chain(good.encode_utf16());
            units.flat_map(unit).collect::<Vec<u8>>()
        };
        let utf_16s = [
            utf_16(u16::to_le_bytes, "\u{feff}"),
            utf_16(u16::to_be_bytes, "\u{feff}"),
            utf_16(u16::to_le_bytes, ""),
            utf_16(u16::to_be_bytes, ""),
        ];
        for event in utf_16s {
            assert_eq!(
                parse(&event).unwrap_err().to_string(),
                "invalid order: the event is encoded in UTF-16: JSON must be sent in UTF-8"
            );
        }
        let latin_1 = [&b"{\"restaurantId\": \"caf"[..], b"\xe9\"}"].concat();
        assert_eq!(
            parse(&latin_1).unwrap_err().to_string(),
            "invalid order: the event is not text in UTF-8: its byte number 22 does not fit"
        );
        // What gzip makes of anything begins with this.
        assert_eq!(
            parse(b"\x1f\x8b\x08\0").unwrap_err().to_string(),
            "invalid order: the event is compressed with gzip: send the JSON itself"
        );
    }

    #[test]
    fn lengths_are_counted_in_characters() {
        for (letter, characters, is_good) in [
            ("寿", 200, true),
            ("寿", MAX_TEXT, true),
            ("🍮", MAX_TEXT, true),
            ("🍮", MAX_TEXT + 1, false),
            ("a", MAX_TEXT + 1, false),
        ] {
            let event = with("/products/0/description", json!(letter.repeat(characters)));
            let parsed = parse(event.to_string().as_bytes());
            assert_eq!(parsed.is_ok(), is_good, "{letter} {characters}");
        }
        let event = with("/products/0/description", json!("寿".repeat(501)));
        assert_eq!(
            parse(event.to_string().as_bytes()).unwrap_err().to_string(),
            "invalid order: products[0].description must have 1 to 500 characters, but has 501"
        );
    }

    #[test]
    fn of_hundreds_of_faults_some_are_named_and_the_others_counted() {
        let event = with("/products", json!(vec![json!({}); MAX_PRODUCTS]));
        let invalid = parse(event.to_string().as_bytes()).unwrap_err();
        assert_eq!(invalid.violations.len(), crate::json::MAX_VIOLATIONS + 1);
        assert!(invalid.to_string().ends_with("; and 280 more faults"));
        let mut many = good();
        for n in 0..1000 {
            many.as_object_mut()
                .unwrap()
                .insert(format!("x{n}"), json!(n));
        }
        let invalid = strictly(&many.to_string()).unwrap_err();
        assert!(invalid.to_string().ends_with("; and 980 more faults"));
    }

    #[test]
    fn numbers_count_as_what_they_are_however_they_are_written() {
        for (json, quantity) in [("2.0", 2), ("1e2", 100), ("0.5e1", 5)] {
            let event = good().to_string().replace(":2}", &format!(":{json}}}"));
            let order = parse(event.as_bytes()).unwrap();
            assert_eq!(order.products[0].quantity, quantity, "{json}");
        }
        let event = good().to_string().replace(":5000", ":-0");
        assert_eq!(
            parse(event.as_bytes()).unwrap().delivery_delay,
            Duration::ZERO
        );
    }

    /// These must never change: they are in the state of orders for ever.
    #[test]
    fn the_content_of_an_order_is_pinned() {
        let content = |event: &Value| parse(event.to_string().as_bytes()).unwrap().content();
        assert_eq!(
            format!("{:?}", content(&good())),
            "115c2e60d9f427544317942a6733f2797"
        );
        let mut full = with("/customerLocation", json!({"lon": -122.2, "lat": 37.8}));
        full["region"] = json!("Oakland (CA)");
        full["products"] = json!([
            {"productId": "寿", "description": "🍮", "quantity": 999},
            {"productId": "a", "description": "b", "quantity": 1},
        ]);
        assert_eq!(
            format!("{:?}", content(&full)),
            "13cbc2ea1683dfbd9b866a3fdcff547a8"
        );
    }

    #[test]
    fn the_content_of_an_order_is_what_it_says_and_not_how_it_is_written() {
        let content = |event: &str| parse(event.as_bytes()).unwrap().content();
        let good_content = content(&good().to_string());
        let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        for same in [
            with("/orderId", json!("another")).to_string(),
            with("/totalCost", json!("23.50")).to_string(),
            with("/region", json!("San Jose (CA)")).to_string(),
            with("/traceparent", json!(trace)).to_string(),
            with("/customerLocation", json!(null)).to_string(),
            with("/loyaltyCard", json!("1234")).to_string(),
            good().to_string().replace("23.5", "2.350e1"),
            good().to_string().replace("Pizza", "Pi\\u007aza"),
            format!("\u{feff}{:#}", good()),
            serde_json::to_string(&parse(good().to_string().as_bytes()).unwrap()).unwrap(),
        ] {
            assert_eq!(content(&same), good_content, "{same}");
        }
        let mut all = vec![good_content];
        for other in [
            with("/restaurantId", json!("elsewhere")),
            with("/totalCost", json!(23.51)),
            with("/deliveryDelay", json!(5001)),
            with("/region", json!("Oakland (CA)")),
            with("/customerLocation", json!({"lon": -121.9, "lat": 37.3})),
            with(
                "/customerLocation",
                json!({"lon": -121.9, "lat": 37.300_001}),
            ),
            with("/products/0/quantity", json!(3)),
            with("/products/0/productId", json!("margheritaP")),
            with("/products/0/description", json!("izza")),
            with(
                "/products",
                json!([good()["products"][0], good()["products"][0]]),
            ),
        ] {
            all.push(content(&other.to_string()));
        }
        let different: std::collections::HashSet<_> =
            all.iter().map(|content| format!("{content:?}")).collect();
        assert_eq!(different.len(), all.len());
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
            let order = parse(with("/traceparent", json!(text)).to_string().as_bytes()).unwrap();
            assert_eq!(order.traceparent.is_some(), kept, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = parse(&bytes);
        }

        #[test]
        fn an_accepted_order_is_accepted_again(cents in 0_u32..5_000_000, quantity in 1_u32..=MAX_QUANTITY, delay in 0_u64..1_000_000) {
            let mut event = good();
            event["products"][0]["quantity"] = json!(quantity);
            event["deliveryDelay"] = json!(delay);
            let text = event.to_string().replace("23.5", &Money::from_cents(cents).unwrap().to_string());
            let order = parse(text.as_bytes()).unwrap();
            prop_assert_eq!(order.total_cost.cents(), i64::from(cents));
            let again = serde_json::to_vec(&order).unwrap();
            let again = parse(&again).unwrap();
            prop_assert_eq!(again.content(), order.content());
            prop_assert_eq!(again, order);
        }

        /// A place passes through JSON several times, at providers, the gateway and the workflow, and must stay the same.
        #[test]
        fn places_are_not_changed_by_json(lon in -122.0_f64..-121.75, lat in 37.2_f64..37.47) {
            let event = with("/customerLocation", json!({"lon": lon, "lat": lat})).to_string();
            let order = parse(event.as_bytes()).unwrap();
            let again = serde_json::to_vec(&order).unwrap();
            prop_assert_eq!(parse(&again).unwrap().content(), order.content());
        }

        /// Whatever is sent, the answer is short and mentions neither our types nor our parser.
        #[test]
        fn faults_are_described_shortly_and_without_internals(
            event in proptest::sample::select(vec!["", "[]", "{", "{}", "{\"a\":", "{\"products\":[{\"quantity\":", "{\"totalCost\":", "{\"orderId\":"]),
            rest in ".{0,60}",
        ) {
            if let Err(invalid) = parse(format!("{event}{rest}").as_bytes()) {
                let text = invalid.to_string();
                prop_assert!(text.chars().count() < 2000, "{}", text);
                prop_assert!(!text.chars().any(is_hidden), "{}", text);
                for telltale in ["expected", "EOF", "invalid type", "struct", "serde", "trailing"] {
                    prop_assert!(!text.contains(telltale) || rest.contains(telltale), "{}", text);
                }
            }
        }
    }
}
