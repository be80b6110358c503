//! Order events as ordering providers send them.

use serde_json::{Value, json};

/// A valid order event for $23.50, to be delivered at once.
#[must_use]
pub fn order(id: &str) -> Value {
    json!({
        "orderId": id,
        "restaurantId": format!("restaurant-of-{id}"),
        "products": [{ "productId": "margherita", "description": "Pizza Margherita", "quantity": 2 }],
        "totalCost": 23.5,
        "deliveryDelay": 0,
    })
}

/// The same order event with `field` set to `value`, or without it if `value` is null.
///
/// # Panics
/// Never: an order event is an object.
#[must_use]
pub fn order_with(id: &str, field: &str, value: Value) -> Value {
    let mut event = order(id);
    let fields = event.as_object_mut().expect("an order event is an object");
    if value.is_null() {
        fields.remove(field);
    } else {
        fields.insert(field.to_owned(), value);
    }
    event
}
