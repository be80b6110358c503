//! The launcher: runs the whole system, sets it up, and looks after it.

use std::process::ExitCode;

/// The services live on small, short allocations: with the system's allocator they cost a tenth more CPU. How it is tuned stands
/// in `.cargo/config.toml`.
#[global_allocator]
static GLOBAL: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    match food_ordering::Cli::read().run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nError: {}", food_ordering::said(&error));
            ExitCode::FAILURE
        }
    }
}
