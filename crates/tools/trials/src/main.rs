//! The test rig: puts load on a system, measures it, strikes it, and decides whether money and food are right.

use std::process::ExitCode;

use clap::Parser;

/// As in the launcher, beside which this runs.
#[global_allocator]
static GLOBAL: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    match trials::Cli::parse().run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nError: {error:#}");
            ExitCode::FAILURE
        }
    }
}
