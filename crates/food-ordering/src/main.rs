//! The launcher: runs the whole system, sets it up, puts load on it.

use clap::Parser;

fn main() -> anyhow::Result<()> {
    food_ordering::Cli::parse().run()
}
