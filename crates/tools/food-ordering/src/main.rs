//! The launcher: runs, sets up and operates the whole system.

use std::process::ExitCode;

/// The services make many small, short-lived allocations: with the system's allocator they use a tenth more CPU. The allocator is
/// tuned in `.cargo/config.toml`.
#[global_allocator]
static GLOBAL: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    match food_ordering::Cli::read().run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            food_ordering::complain!("\nError: {}", food_ordering::error_chain(&error));
            ExitCode::FAILURE
        }
    }
}
