//! The demo's own restaurants, and the check that orders there pay what the menu says.

use std::hash::{DefaultHasher, Hash, Hasher};

use axum::body::Bytes;
use domain::json::{Violation, Violations};
use domain::restaurant::{self, Restaurant};
use domain::{Order, RestaurantId};
use serde::Serialize;

use crate::model;

/// The restaurants of the shop, with the answers about them prepared in advance.
pub(crate) struct Shop {
    restaurants: Vec<(Restaurant, Page)>,
    list: Page,
}

/// A JSON answer that stays the same while the program runs.
#[derive(Clone)]
pub(crate) struct Page {
    /// The JSON.
    pub(crate) body: Bytes,
    /// Its entity tag, including the quotes.
    pub(crate) etag: String,
}

impl Page {
    pub(crate) fn new(content: &impl Serialize) -> Self {
        // It contains only strings, numbers and lists, so writing it as JSON cannot fail.
        let body = serde_json::to_vec(content).unwrap_or_default();
        // The tag may differ in another build: then clients fetch the menu once more.
        let mut hasher = DefaultHasher::new();
        body.hash(&mut hasher);
        Self {
            body: body.into(),
            etag: format!("\"{:016x}\"", hasher.finish()),
        }
    }
}

impl Shop {
    /// The shop with the restaurants of the [catalogue](restaurant::catalogue).
    pub(crate) fn open() -> Self {
        let catalogue = restaurant::catalogue();
        let models: Vec<model::Restaurant> = catalogue
            .iter()
            .cloned()
            .map(model::Restaurant::from)
            .collect();
        Self {
            list: Page::new(&models),
            restaurants: catalogue
                .into_iter()
                .zip(&models)
                .map(|(restaurant, model)| (restaurant, Page::new(model)))
                .collect(),
        }
    }

    /// All restaurants.
    pub(crate) fn list(&self) -> &Page {
        &self.list
    }

    /// One restaurant with its menu.
    pub(crate) fn page(&self, id: &RestaurantId) -> Option<&Page> {
        self.find(id).map(|(_, page)| page)
    }

    fn find(&self, id: &RestaurantId) -> Option<&(Restaurant, Page)> {
        self.restaurants
            .iter()
            .find(|(restaurant, _)| restaurant.restaurant_id == *id)
    }

    /// The faults of an order at one of the shop's own restaurants: a dish that is not on the menu, a wrong price, another region.
    ///
    /// Clients do not set prices. Other restaurants belong to the ordering providers, who know their prices.
    pub(crate) fn check(&self, order: &Order) -> Vec<Violation> {
        let Some((restaurant, _)) = self.find(&order.restaurant_id) else {
            return Vec::new();
        };
        let mut violations = Violations::default();
        if order.region != restaurant.region {
            violations.add(
                "region",
                format!(
                    "must be {:?}, where {} is",
                    restaurant.region.name(),
                    restaurant.name
                ),
            );
        }
        // At most 100 lines of 999 dishes of a million dollars each: far below the maximum of an `i64`.
        let mut expected_cents = Some(0);
        for (line, product) in order.products.iter().enumerate() {
            let dish = (restaurant.menu.iter()).find(|dish| dish.product_id == product.product_id);
            let cents = dish.map(|dish| dish.price.cents() * i64::from(product.quantity));
            if cents.is_none() {
                violations.add(
                    format!("products[{line}].productId"),
                    format!(
                        "must be on the menu of {}: {}",
                        restaurant.name,
                        ids(restaurant)
                    ),
                );
            }
            // If the price of one dish is unknown, so is the total.
            expected_cents = expected_cents.zip(cents).map(|(sum, cents)| sum + cents);
        }
        if let Some(cents) = expected_cents.filter(|cents| *cents != order.total_cost.cents()) {
            violations.add(
                "totalCost",
                format!(
                    "must be {}.{:02}, the price of these dishes at {}",
                    cents / 100,
                    cents % 100,
                    restaurant.name
                ),
            );
        }
        violations.into_vec()
    }
}

/// The ids of the dishes on the menu, for people.
fn ids(restaurant: &Restaurant) -> String {
    let ids: Vec<_> = restaurant.menu.iter().map(|dish| dish.product_id).collect();
    ids.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn faults(restaurant: &str, products: &[(&str, u32)], more: &Value) -> Vec<(String, String)> {
        let mut event = json!({
            "orderId": "order-1",
            "restaurantId": restaurant,
            "products": products.iter().map(|(id, quantity)| json!({
                "productId": id, "description": "food", "quantity": quantity,
            })).collect::<Vec<_>>(),
            "deliveryDelay": 0,
        });
        event
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        let order = Order::parse(event.to_string().as_bytes()).unwrap();
        Shop::open()
            .check(&order)
            .into_iter()
            .map(|violation| (violation.field, violation.message))
            .collect()
    }

    #[test]
    fn only_the_exact_sum_is_accepted() {
        let order = [("margherita", 2), ("diavola", 1), ("margherita", 1)];
        assert_eq!(
            faults("la-piazza", &order, &json!({"totalCost": 52.25})),
            []
        );
        for wrong in [52.24, 52.26, 0.0, 5225.0] {
            let faults = faults("la-piazza", &order, &json!({"totalCost": wrong}));
            assert_eq!(
                faults,
                [(
                    "totalCost".to_owned(),
                    "must be 52.25, the price of these dishes at La Piazza".to_owned()
                )]
            );
        }
    }

    #[test]
    fn dishes_of_another_restaurant_are_named_and_no_total_is_guessed() {
        let faults = faults(
            "la-piazza",
            &[("margherita", 1), ("burrito", 1)],
            &json!({"totalCost": 1}),
        );
        assert_eq!(faults.len(), 1);
        assert_eq!(faults[0].0, "products[1].productId");
        assert!(faults[0].1.contains("margherita, "), "{}", faults[0].1);
    }

    #[test]
    fn a_restaurant_cooks_in_its_own_region_only() {
        let faults = faults(
            "la-piazza",
            &[("margherita", 1)],
            &json!({"totalCost": 12.5, "region": "Oakland (CA)"}),
        );
        assert_eq!(faults.len(), 1);
        assert_eq!(faults[0].0, "region");
    }

    #[test]
    fn restaurants_of_the_ordering_providers_set_their_own_prices() {
        assert_eq!(
            faults("elsewhere", &[("caviar", 999)], &json!({"totalCost": 0.01})),
            []
        );
    }
}
