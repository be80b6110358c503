//! What lies outside of this crate and has to fit to its command line.

mod compose;
mod kubernetes;
mod layers;
