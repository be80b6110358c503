//! The command line.

use clap::{CommandFactory as _, Parser, Subcommand};
use food_ordering::{parent, process, variables};

use crate::{apache_kafka, bench, chaos, load, soak};

/// The test rig of food ordering: puts load on a system, measures it, and strikes it.
///
/// Every flag can also be given as the environment variable that its help names.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 120)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Publishes orders to Kafka, waits until they have ended and prints how long each stage took
    Load(load::Args),
    /// Measures what an order costs: starts a fresh system and prints orders/s, CPU, memory, invocations and records per order
    Bench(Box<bench::Args>),
    /// Runs a system of its own under a steady load, and decides whether memory and latency stay flat and no order is lost
    ///
    /// Prints a line a minute, and at the end the drift between the first and the last third and a verdict on each invariant.
    Soak(soak::Args),
    /// Injects faults into a system of its own under load, and decides whether every payment and delivery is right
    ///
    /// The seed determines the faults, their targets and their moments. At the end it reads the third parties' books, the topics and
    /// the runtime's state, and prints a verdict on each invariant.
    Chaos(chaos::Args),
    /// Runs Apache Kafka on this machine, one node, until Ctrl-C; needs Java and Maven
    Kafka(apache_kafka::Args),
    /// Replaces this process by another program, which ends when the parent process ends
    #[command(hide = true)]
    ExecWithParent(parent::Args),
}

impl Cli {
    /// Does what the command line asks for.
    pub fn run(self) -> anyhow::Result<()> {
        process::begin()?;
        if !matches!(self.command, Command::ExecWithParent(_)) {
            for variable in variables::without_effect(&food_ordering::Cli::command(), "") {
                eprintln!("Warning: {variable}");
            }
        }
        let runtime = process::one_thread()?;
        match self.command {
            Command::Load(args) => runtime.block_on(load::main(args)),
            Command::Bench(args) => runtime.block_on(bench::main(*args)),
            Command::Soak(args) => runtime.block_on(soak::main(args)),
            Command::Chaos(args) => runtime.block_on(chaos::main(args)),
            Command::Kafka(args) => runtime.block_on(apache_kafka::main(args)),
            Command::ExecWithParent(args) => Err(parent::exec(&args)),
        }
    }
}
