//! Order events: which are accepted, and why the others are refused.

use domain::json::Violation;
use domain::order::Invalid;
use domain::{Order, OrderId};

/// The metric label of an order whose id belongs to another order.
pub(crate) const ORDER_ID_TAKEN: &str = "order_id_taken";
/// The longest key of a record that is quoted, in characters: the reason goes into a header and into the order's status.
const QUOTED_KEY: usize = 100;
/// What an invalid event names as the field at fault if that is the record's key.
const RECORD_KEY: &str = "record key";

/// Why an order with an id of another order is refused.
pub(crate) fn id_taken(order_id: &OrderId) -> String {
    format!(
        "the order id {:?} belongs to another order: send this order under another orderId",
        order_id.as_str()
    )
}

/// The order in an event that was sent to the workflow `key`. The error says why the event is refused.
pub(crate) fn sent_to(key: &str, event: &[u8]) -> Result<Order, String> {
    match Order::parse(event) {
        Ok(order) if order.order_id.as_str() == key => Ok(order),
        Ok(order) => Err(format!(
            "invalid order: orderId must be {key:?}, the key it was sent to, but is {:?}",
            order.order_id.as_str(),
        )),
        Err(invalid) => Err(invalid.to_string()),
    }
}

/// The first field at fault in an invalid event, as a label of a metric. There are as many labels as an order has fields.
pub(crate) fn kind_of(invalid: &Invalid) -> &'static str {
    let field = invalid
        .violations
        .first()
        .map_or("", |violation| violation.field.as_str());
    match field.split(['[', '.']).next().unwrap_or_default() {
        "" => "not_an_order",
        RECORD_KEY => "record_key",
        "orderId" => "order_id",
        "restaurantId" => "restaurant_id",
        "products" => "products",
        "totalCost" => "total_cost",
        "deliveryDelay" => "delivery_delay",
        "customerLocation" => "customer_location",
        "region" => "region",
        _ => "other",
    }
}

/// The order in a record of topic `orders`.
pub(crate) fn of_record(event: &[u8], key: Option<&[u8]>) -> Result<Order, Invalid> {
    let order = Order::parse(event)?;
    let id = order.order_id.as_str();
    let found = match key {
        Some(key) if key == id.as_bytes() => return Ok(order),
        Some(key) => match std::str::from_utf8(key) {
            Ok(key) if key.chars().count() <= QUOTED_KEY => format!("is {key:?}"),
            Ok(key) => format!("is a text of {} characters", key.chars().count()),
            Err(_) => "is not UTF-8".to_owned(),
        },
        None => "is missing".to_owned(),
    };
    let problem = format!("must be the orderId {id:?}, but {found}");
    Err(Invalid {
        order_id: Some(order.order_id),
        violations: vec![Violation::new(RECORD_KEY, problem)],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENT: &[u8] = br#"{"orderId":"order-1","restaurantId":"r","products":[{"productId":"p","description":"Pizza","quantity":1}],
        "totalCost":9.5,"deliveryDelay":0}"#;

    #[test]
    fn a_record_is_an_order_if_its_key_is_the_orders_id() {
        assert!(of_record(EVENT, Some(b"order-1")).is_ok());
        let long = vec![b'k'; 900_000];
        for (key, reason) in [
            (
                Some(&b"order-2"[..]),
                r#"invalid order: record key must be the orderId "order-1", but is "order-2""#,
            ),
            (
                Some(&b"\xff\xfe"[..]),
                r#"invalid order: record key must be the orderId "order-1", but is not UTF-8"#,
            ),
            (
                Some(&long[..]),
                r#"invalid order: record key must be the orderId "order-1", but is a text of 900000 characters"#,
            ),
            (
                None,
                r#"invalid order: record key must be the orderId "order-1", but is missing"#,
            ),
        ] {
            let invalid = of_record(EVENT, key).unwrap_err();
            assert_eq!(invalid.to_string(), reason);
            assert_eq!(invalid.order_id, Some("order-1".parse().unwrap()));
        }
    }

    #[test]
    fn the_metric_label_of_an_invalid_event_is_the_field_at_fault() {
        for (event, kind) in [
            (&b"pizza"[..], "not_an_order"),
            (b"[]", "not_an_order"),
            (b"{}", "order_id"),
            (br#"{"orderId":7}"#, "order_id"),
            (
                br#"{"orderId":"a","restaurantId":"b","products":[{"quantity":0}]}"#,
                "products",
            ),
        ] {
            let invalid = of_record(event, None).unwrap_err();
            assert_eq!(kind_of(&invalid), kind, "{invalid}");
        }
        assert_eq!(kind_of(&of_record(EVENT, None).unwrap_err()), "record_key");
    }
}
