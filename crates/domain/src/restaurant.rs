//! The three restaurants of the demo's own shop, and where any restaurant lies.

use serde::Serialize;

use crate::{Location, Money, Region, RestaurantId};

/// A restaurant with its menu, as the shop shows it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Restaurant {
    /// The id that order events carry.
    pub restaurant_id: RestaurantId,
    /// What the sign over the door says.
    pub name: &'static str,
    /// Kind of kitchen.
    pub cuisine: &'static str,
    /// One sentence for guests.
    pub description: &'static str,
    /// Where it is.
    pub location: Location,
    /// Its region.
    pub region: Region,
    /// What it cooks.
    pub menu: Vec<Dish>,
}

/// A dish on a menu.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Dish {
    /// The id that order events carry.
    pub product_id: &'static str,
    /// Name of the dish.
    pub name: &'static str,
    /// What is in it.
    pub description: &'static str,
    /// What one costs.
    pub price: Money,
    /// Whether it is free of meat and fish.
    pub vegetarian: bool,
}

/// A menu as it is written down here: id, name, description, price in cents, vegetarian.
type Menu = &'static [(&'static str, &'static str, &'static str, u32, bool)];

struct Entry {
    id: &'static str,
    name: &'static str,
    cuisine: &'static str,
    description: &'static str,
    location: Location,
    menu: Menu,
}

const ENTRIES: [Entry; 3] = [
    Entry {
        id: "la-piazza",
        name: "La Piazza",
        cuisine: "Italian",
        description: "Wood-fired pizza and fresh pasta, a block from the old market hall.",
        location: Location::known(-121.8946, 37.3366),
        menu: &[
            (
                "margherita",
                "Pizza Margherita",
                "Tomato, mozzarella, basil",
                1250,
                true,
            ),
            (
                "diavola",
                "Pizza Diavola",
                "Tomato, mozzarella, spicy salami",
                1475,
                false,
            ),
            (
                "cacio-e-pepe",
                "Cacio e Pepe",
                "Tonnarelli, pecorino, black pepper",
                1390,
                true,
            ),
            (
                "lasagne",
                "Lasagne",
                "Beef ragù, béchamel, parmesan",
                1525,
                false,
            ),
            (
                "tiramisu",
                "Tiramisù",
                "Mascarpone, espresso, cocoa",
                725,
                true,
            ),
            (
                "limonata",
                "Limonata",
                "Lemon, mint, sparkling water",
                450,
                true,
            ),
        ],
    },
    Entry {
        id: "lotus-garden",
        name: "Lotus Garden",
        cuisine: "Vietnamese",
        description: "Slow broths and crisp herbs from the gardens of Willow Glen.",
        location: Location::known(-121.8990, 37.3050),
        menu: &[
            (
                "pho-bo",
                "Phở Bò",
                "Beef broth, rice noodles, herbs",
                1495,
                false,
            ),
            (
                "pho-chay",
                "Phở Chay",
                "Mushroom broth, tofu, rice noodles",
                1395,
                true,
            ),
            (
                "banh-mi",
                "Bánh Mì",
                "Baguette, pork, pickles, coriander",
                995,
                false,
            ),
            (
                "goi-cuon",
                "Gỏi Cuốn",
                "Rice paper rolls, tofu, peanut sauce",
                825,
                true,
            ),
            (
                "bun-cha",
                "Bún Chả",
                "Grilled pork, vermicelli, herbs",
                1550,
                false,
            ),
            (
                "ca-phe",
                "Cà Phê Sữa Đá",
                "Iced coffee, condensed milk",
                525,
                true,
            ),
        ],
    },
    Entry {
        id: "el-camino",
        name: "El Camino Taquería",
        cuisine: "Mexican",
        description: "Tortillas pressed to order on the east side since 1998.",
        location: Location::known(-121.8510, 37.3530),
        menu: &[
            (
                "tacos-al-pastor",
                "Tacos al Pastor",
                "Three tacos, pork, pineapple",
                1150,
                false,
            ),
            (
                "tacos-de-hongos",
                "Tacos de Hongos",
                "Three tacos, oyster mushrooms",
                1095,
                true,
            ),
            (
                "burrito",
                "Burrito Mission",
                "Carne asada, rice, beans, guacamole",
                1375,
                false,
            ),
            (
                "quesadilla",
                "Quesadilla",
                "Oaxaca cheese, poblano",
                975,
                true,
            ),
            ("elote", "Elote", "Grilled corn, cotija, lime", 595, true),
            ("horchata", "Horchata", "Rice, almond, cinnamon", 475, true),
        ],
    },
];

/// The restaurants of the demo's own shop.
///
/// Ordering providers may name any other restaurant too: this list is what the shop sells, not what may be ordered.
#[must_use]
pub fn catalogue() -> Vec<Restaurant> {
    ENTRIES
        .iter()
        .filter_map(|entry| {
            Some(Restaurant {
                restaurant_id: entry.id.parse().ok()?,
                name: entry.name,
                cuisine: entry.cuisine,
                description: entry.description,
                location: entry.location,
                region: Region::SanJose,
                menu: entry
                    .menu
                    .iter()
                    .filter_map(|&(product_id, name, description, cents, vegetarian)| {
                        Some(Dish {
                            product_id,
                            name,
                            description,
                            price: Money::from_cents(cents).ok()?,
                            vegetarian,
                        })
                    })
                    .collect(),
            })
        })
        .collect()
}

/// Where a restaurant lies.
///
/// Those of the [`catalogue`] have their address. Order events carry none, so any other restaurant is given a fixed place
/// that follows from its id, such that many ids spread evenly over the region.
#[must_use]
pub fn location(id: &RestaurantId, region: Region) -> Location {
    ENTRIES
        .iter()
        .find(|entry| region == Region::SanJose && entry.id == id.as_str())
        .map_or_else(|| place_for(id.as_str(), region), |entry| entry.location)
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
        #[expect(
            clippy::cast_precision_loss,
            reason = "32 bits fit into the 52 of a float"
        )]
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
        for (restaurant, entry) in restaurants.iter().zip(&ENTRIES) {
            assert!(Region::SanJose.centre().distance(restaurant.location) < 0.0675);
            assert_eq!(restaurant.menu.len(), entry.menu.len());
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
