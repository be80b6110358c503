//! The three restaurants of the demo's own shop, and where any restaurant lies.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use crate::{Location, Money, Region, RestaurantId};

/// A restaurant with its menu, as the shop shows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Restaurant {
    /// The id that order events carry.
    pub restaurant_id: RestaurantId,
    /// The name.
    pub name: &'static str,
    /// The cuisine.
    pub cuisine: &'static str,
    /// One sentence for guests.
    pub description: &'static str,
    /// The location.
    pub location: Location,
    /// The region.
    pub region: Region,
    /// The menu.
    pub menu: Vec<Dish>,
}

/// A dish on a menu.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Dish {
    /// The id that order events carry.
    pub product_id: &'static str,
    /// The name.
    pub name: &'static str,
    /// The ingredients.
    pub description: &'static str,
    /// The price of one.
    pub price: Money,
    /// Whether it is free of meat and fish.
    pub vegetarian: bool,
}

#[expect(
    clippy::expect_used,
    reason = "the file is part of the program, and a test reads it"
)]
static CATALOGUE: LazyLock<Vec<Restaurant>> = LazyLock::new(|| {
    serde_json::from_str(include_str!("restaurants.json"))
        .expect("restaurants.json lists restaurants")
});

/// The restaurants of the demo's own shop.
///
/// Ordering providers may name any other restaurant too: this list is what the shop sells, not what may be ordered.
#[must_use]
pub fn catalogue() -> Vec<Restaurant> {
    CATALOGUE.clone()
}

/// Where a restaurant lies.
///
/// Those of the [`catalogue`] have their address. Order events carry none, so any other restaurant is given a fixed place
/// that follows from its id, such that many ids spread evenly over the region.
#[must_use]
pub fn location(id: &RestaurantId, region: Region) -> Location {
    let known = CATALOGUE
        .iter()
        .find(|known| known.region == region && known.restaurant_id == *id);
    known.map_or_else(|| place_for(id.as_str(), region), |known| known.location)
}

/// A place in `region` that follows from `id`, such that many ids spread evenly.
#[must_use]
pub fn place_for(id: &str, region: Region) -> Location {
    let [x, y] = spread(id);
    region.at(x, y)
}

/// Two numbers from 0 to 1 that depend on nothing but `text` and are even over many texts.
///
/// FNV-1a (its offset basis and prime from RFC 9923) followed by the finaliser of `SplitMix64`, which spreads the last
/// characters over all bits. Not the standard library's hasher: that one may change between releases, and restaurants stay.
fn spread(text: &str) -> [f64; 2] {
    let mut hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^= hash >> 31;
    let fraction = |bits: u64| {
        #[expect(clippy::cast_precision_loss, reason = "an f64 holds 32 bits exactly")]
        let numerator = (bits & 0xffff_ffff) as f64;
        numerator / f64::from(u32::MAX)
    };
    [fraction(hash >> 32), fraction(hash)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shop_has_three_restaurants_in_san_jose_with_full_menus() {
        let restaurants = catalogue();
        assert_eq!(restaurants.len(), 3);
        for restaurant in restaurants {
            assert!(Region::SanJose.centre().distance(restaurant.location) < 0.0675);
            assert_eq!(restaurant.menu.len(), 6);
            assert_eq!(
                location(&restaurant.restaurant_id, Region::SanJose),
                restaurant.location
            );
        }
    }

    #[test]
    fn other_restaurants_keep_their_place_and_spread_evenly() {
        let places: Vec<_> = (0..4000)
            .map(|n| location(&format!("restaurant-{n}").parse().unwrap(), Region::SanJose))
            .collect();
        let centre = Region::SanJose.centre();
        for east in [false, true] {
            for north in [false, true] {
                let quarter = places
                    .iter()
                    .filter(|p| {
                        (p.lon() > centre.lon()) == east && (p.lat() > centre.lat()) == north
                    })
                    .count();
                // 1000 expected with a standard deviation of 27: five of them is far outside chance, and the input is fixed.
                assert!((865..=1135).contains(&quarter), "{quarter}");
            }
        }
        assert_eq!(
            places[17],
            location(&"restaurant-17".parse().unwrap(), Region::SanJose)
        );
    }
}
