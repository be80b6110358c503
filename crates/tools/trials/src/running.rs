//! `audit`: checks a running system that other programs have put load on.

use std::path::PathBuf;

use anyhow::ensure;
use audit::{Sources, check};

use crate::verdicts;

/// Arguments of `audit`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The addresses of the system's parts: `endpoints.json` in the directory of a running `up`, or a file with the same names
    #[arg(long, env = "FOOD_ORDERING_ENDPOINTS", value_name = "FILE")]
    endpoints: PathBuf,
}

/// `audit`: fails if an invariant is broken, or if there are no orders.
pub async fn main(args: Args) -> anyhow::Result<()> {
    let sources = Sources::from_endpoints(&args.endpoints)?;
    let notes = sources.notes().await?;
    let orders = notes.accepted.len();
    ensure!(orders > 0, "topic orders is empty");
    say!("{orders} orders were accepted");
    verdicts::print(&check(&sources.collect(notes).await?))
}
