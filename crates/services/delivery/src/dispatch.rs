//! The rules of matching: which driver gets which delivery. Pure code, without the runtime.
//!
//! At any time either deliveries or drivers are waiting, never both. A driver who becomes free takes the delivery that has waited
//! longest. A new delivery takes the nearest free driver, by map cell.

use std::collections::BTreeMap;

use domain::geo::Cell;
use serde::{Deserialize, Serialize};

use crate::segmented::Segmented;

/// How many waiting deliveries a segment holds. With ids of 36 characters, the matcher's part of the queue stays below 1.5 kB.
pub(crate) const PENDING_CAP: usize = 16;
/// How many free drivers of one cell a segment holds. Small, because there are many cells.
pub(crate) const FREE_CAP: usize = 4;

/// The deliveries of a region that wait for a driver, oldest first.
pub(crate) type Pending = Segmented<PENDING_CAP>;
/// The drivers who wait in one cell, in the sequence in which they came.
pub(crate) type Free = Segmented<FREE_CAP>;

/// The number of waiting drivers in each cell. Bounded by the number of cells in a region.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FreeCells(BTreeMap<Cell, u64>);

impl FreeCells {
    /// The cell nearest to `place` in which a driver waits. If several are equally near, always the same one of them.
    pub(crate) fn nearest(&self, place: Cell) -> Option<Cell> {
        self.0
            .keys()
            .copied()
            .min_by_key(|cell| (cell.steps_to(place).unwrap_or(u32::MAX), *cell))
    }

    /// How many drivers wait, in all cells.
    pub(crate) fn drivers(&self) -> usize {
        usize::try_from(self.0.values().sum::<u64>()).unwrap_or(usize::MAX)
    }

    /// Records that `count` drivers now wait in `cell`.
    pub(crate) fn set_count(&mut self, cell: Cell, count: u64) {
        if count == 0 {
            self.0.remove(&cell);
        } else {
            self.0.insert(cell, count);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Region;
    use proptest::prelude::*;

    #[test]
    fn a_delivery_takes_the_nearest_driver() {
        let region = Region::SanJose;
        let restaurant = region.at(0.5, 0.5).cell();
        let next_door = region.at(0.52, 0.5).cell();
        let across = region.at(0.0, 0.0).cell();
        let mut cells = FreeCells::default();
        assert_eq!(cells.nearest(restaurant), None);
        cells.set_count(across, 5);
        assert_eq!(cells.nearest(restaurant), Some(across));
        cells.set_count(next_door, 1);
        assert_eq!(cells.nearest(restaurant), Some(next_door));
        cells.set_count(next_door, 0);
        assert_eq!(cells.nearest(restaurant), Some(across));
    }

    proptest! {
        #[test]
        fn no_free_driver_is_nearer_than_the_chosen_one(
            places in proptest::collection::vec((0.0..1.0, 0.0..1.0), 1..40),
            x in 0.0..1.0,
            y in 0.0..1.0,
        ) {
            let region = Region::SanJose;
            let restaurant = region.at(x, y).cell();
            let mut cells = FreeCells::default();
            for (x, y) in places {
                cells.set_count(region.at(x, y).cell(), 1);
            }
            let taken = cells.nearest(restaurant).unwrap();
            for cell in cells.0.keys() {
                prop_assert!(taken.steps_to(restaurant) <= cell.steps_to(restaurant));
            }
        }
    }
}
