//! Generates any number of realistic orders.

use std::time::Duration;

use domain::restaurant::{Dish, catalogue};
use domain::{Money, Order, Product, Region};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::publish::OrderEvent;

/// How many restaurants the orders go to. A restaurant's location is derived from its id, so many of them are spread evenly over
/// the region.
const RESTAURANTS: u32 = 5_000;
/// How many products an order has.
const LINES: std::ops::RangeInclusive<usize> = 1..=4;
/// The quantity of each product.
const QUANTITY: std::ops::RangeInclusive<u32> = 1..=3;

/// Generates orders. The same seed gives the same orders, except for their ids.
#[derive(Debug)]
pub(crate) struct Generator {
    random: StdRng,
    dishes: Vec<Dish>,
    prefix: String,
    number: u64,
    delivery_delay: Duration,
    region: Region,
}

impl Generator {
    /// A generator of orders with the ids `<prefix>-1`, `<prefix>-2` and so on.
    pub(crate) fn new(prefix: &str, seed: u64, delivery_delay: Duration, region: Region) -> Self {
        Self {
            random: StdRng::seed_from_u64(seed),
            dishes: catalogue()
                .into_iter()
                .flat_map(|restaurant| restaurant.menu)
                .collect(),
            prefix: prefix.to_owned(),
            number: 0,
            delivery_delay,
            region,
        }
    }

    /// The next `count` orders, as records for Kafka.
    pub(crate) fn records(&mut self, count: u32) -> anyhow::Result<Vec<OrderEvent>> {
        (0..count)
            .map(|_| {
                let order = self.make()?;
                Ok(OrderEvent {
                    value: serde_json::to_vec(&order)?,
                    id: order.order_id,
                })
            })
            .collect()
    }

    /// The next order.
    pub(crate) fn make(&mut self) -> anyhow::Result<Order> {
        self.make_in(self.region)
    }

    /// The next order, from a restaurant and to a customer in `region`.
    pub(crate) fn make_in(&mut self, region: Region) -> anyhow::Result<Order> {
        self.number += 1;
        let lines = self.random.random_range(LINES);
        let mut cents = 0;
        let products = (0..lines)
            .map(|_| {
                let dish = &self.dishes[self.random.random_range(0..self.dishes.len())];
                let quantity = self.random.random_range(QUANTITY);
                cents += dish.price.cents() * i64::from(quantity);
                Product {
                    product_id: dish.product_id.to_owned(),
                    description: dish.name.to_owned(),
                    quantity,
                }
            })
            .collect();
        let (x, y) = (self.random.random(), self.random.random());
        Ok(Order {
            order_id: format!("{}-{}", self.prefix, self.number).parse()?,
            restaurant_id: format!("restaurant-{}", self.random.random_range(1..=RESTAURANTS))
                .parse()?,
            products,
            total_cost: Money::from_cents(u32::try_from(cents)?)?,
            delivery_delay: self.delivery_delay,
            customer_location: Some(region.at(x, y)),
            region,
            traceparent: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn generator(prefix: &str, seed: u64) -> Generator {
        Generator::new(prefix, seed, Duration::ZERO, Region::SanJose)
    }

    #[test]
    fn orders_are_valid_and_the_same_for_the_same_seed() {
        let (mut first, mut second) = (generator("a", 7), generator("b", 7));
        for _ in 0..100 {
            let (a, b) = (first.make().unwrap(), second.make().unwrap());
            let json = serde_json::to_vec(&a).unwrap();
            assert_eq!(Order::parse(&json).unwrap(), a);
            assert_ne!(a.order_id, b.order_id);
            assert_eq!((a.products, a.total_cost), (b.products, b.total_cost));
        }
    }

    /// The number of location updates per order in docs/architecture.md ("Costs") depends on this distribution.
    #[test]
    fn restaurants_and_customers_lie_evenly_over_the_region() {
        let mut generator = generator("a", 1);
        let mut distances = 0.0;
        let orders = 2_000;
        for _ in 0..orders {
            let order = generator.make().unwrap();
            let restaurant = domain::restaurant::location(&order.restaurant_id, order.region);
            distances += restaurant.distance(order.customer_location.unwrap());
        }
        // Between two uniformly distributed points of the unit square, the expected distance along the longer axis is 7/15.
        let mean = distances / f64::from(orders);
        let expected = 2.0 * domain::region::HALF_EXTENT * 7.0 / 15.0;
        assert!((mean / expected - 1.0).abs() < 0.05, "{mean} {expected}");
    }
}
