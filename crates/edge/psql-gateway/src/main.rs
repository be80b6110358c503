//! SQL over PostgreSQL's protocol for any Restate.

use std::process::ExitCode;

use clap::Parser;

/// The system's allocator keeps more memory that is free. This one is tuned in `.cargo/config.toml`.
#[global_allocator]
static GLOBAL: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    match psql_gateway::Cli::parse().run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("Error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
