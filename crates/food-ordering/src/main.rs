//! The launcher: runs the whole system, sets it up, puts load on it.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    match food_ordering::Cli::parse().run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nError: {error:#}");
            ExitCode::FAILURE
        }
    }
}
