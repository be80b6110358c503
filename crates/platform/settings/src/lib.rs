//! What the settings of all parts share.
//!
//! Each part declares its settings once, in its own crate, as a struct that is both its command line (clap's `Args`) and its
//! configuration. `food-ordering serve` makes a subcommand of each.
//!
//! | file | what it holds |
//! |---|---|
//! | `listen.rs` | addresses to listen on, and the listener |
//! | [`networks`] | the networks that this machine is in |
//! | `given.rs` | defaults without a command line; settings that are handed on to child processes |

mod given;
mod listen;
pub mod networks;

pub use given::{Given, defaults};
pub use listen::{address, listen};

/// A distance or a speed in degrees, which must be more than none.
pub fn degrees(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(degrees) if degrees.is_finite() && degrees > 0.0 => Ok(degrees),
        _ => Err("must be a number of degrees above zero, such as 0.005".to_owned()),
    }
}

/// A number of things of which there must be one at least.
pub fn at_least_one(text: &str) -> Result<usize, String> {
    let number: Result<std::num::NonZeroUsize, _> = text.parse();
    number
        .map(std::num::NonZeroUsize::get)
        .map_err(|_| "must be a whole number from 1".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_refused_where_there_must_be_something() {
        for bad in ["0", "-1", "NaN", "x"] {
            assert!(degrees(bad).is_err(), "{bad}");
            assert!(at_least_one(bad).is_err(), "{bad}");
        }
        assert_eq!((degrees("0.5"), at_least_one("7")), (Ok(0.5), Ok(7)));
    }
}
