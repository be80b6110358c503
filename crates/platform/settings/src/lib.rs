//! Code that the settings of all parts share.
//!
//! Each part declares its settings once, in its own crate, as a struct that is both its command line (clap's `Args`) and its
//! configuration. Each struct becomes a subcommand of `food-ordering serve`.
//!
//! | file | contents |
//! |---|---|
//! | `listen.rs` | addresses to listen on, and the listener |
//! | [`networks`] | the networks of this machine |
//! | `given.rs` | default settings; settings that are passed to child processes |

mod given;
mod listen;
pub mod networks;

use std::num::NonZeroUsize;

use tokio::runtime::{Builder, Runtime};

pub use given::{Given, defaults};
pub use listen::{address, listen};

/// Parses a distance or a speed in degrees, which must be positive.
pub fn degrees(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(degrees) if degrees.is_finite() && degrees > 0.0 => Ok(degrees),
        _ => Err("must be a positive number of degrees, such as 0.005".to_owned()),
    }
}

/// The runtime of a process with this many threads. With one, it has no queue that threads share.
pub fn runtime(threads: NonZeroUsize) -> std::io::Result<Runtime> {
    let mut runtime = match threads.get() {
        1 => Builder::new_current_thread(),
        _ => Builder::new_multi_thread(),
    };
    runtime.worker_threads(threads.get()).enable_all().build()
}

/// Parses a whole number that must be at least 1.
pub fn at_least_one(text: &str) -> Result<usize, String> {
    let number: Result<NonZeroUsize, _> = text.parse();
    number
        .map(NonZeroUsize::get)
        .map_err(|_| "must be a whole number of at least 1".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_is_refused_where_a_positive_number_is_required() {
        for bad in ["0", "-1", "NaN", "x"] {
            assert!(degrees(bad).is_err(), "{bad}");
            assert!(at_least_one(bad).is_err(), "{bad}");
        }
        assert_eq!((degrees("0.5"), at_least_one("7")), (Ok(0.5), Ok(7)));
    }
}
