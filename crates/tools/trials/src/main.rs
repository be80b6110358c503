//! The test rig: puts load on a system, measures it, injects faults, and checks the system's invariants.

use std::process::ExitCode;

use clap::Parser;

/// The same allocator as in `food-ordering`.
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
