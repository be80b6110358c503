//! The command line.

use clap::{CommandFactory as _, Parser, Subcommand};
use food_ordering::{parent, process, variables};

use crate::{apache_kafka, bench, broker, chaos, load, running, soak};

/// The test rig of food ordering: puts load on a system, measures it, and injects faults.
///
/// Every flag can also be set by the environment variable that its help names.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 120)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Publishes orders to Kafka, waits until they have ended, and prints how long each stage took
    Load(load::Args),
    /// Measures what an order costs: starts a fresh system and prints orders/s, CPU, memory, invocations and records per order
    Bench(Box<bench::Args>),
    /// Runs a system of its own under a steady load, and checks that memory and latency stay flat and no order is lost
    ///
    /// Prints one line a minute. At the end it prints how each figure drifted between the first and the last third of the run, and
    /// the verdict on each invariant.
    Soak(soak::Args),
    /// Injects faults into a system of its own under load, and checks that every payment and delivery is right
    ///
    /// The seed determines the faults, their targets and when they happen. At the end it reads the third parties' books, the topics
    /// and the runtime's state, and prints the verdict on each invariant.
    Chaos(chaos::Args),
    /// Checks that no accepted order is lost when the broker is killed, and measures what a record costs the broker
    Broker(broker::Args),
    /// Checks every payment and delivery of a running system that is at rest: prints the verdict on each invariant
    ///
    /// Takes every valid order in topic `orders` as accepted. The third parties have to be the stubs, and Kafka must still have all
    /// records.
    Audit(running::Args),
    /// Runs one node of Apache Kafka on this machine until Ctrl-C
    Kafka(apache_kafka::Args),
    /// Replaces this process with another program that ends when the parent process ends
    #[command(hide = true)]
    ExecWithParent(parent::Args),
}

impl Cli {
    /// Runs the command.
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
            Command::Broker(args) => runtime.block_on(broker::main(args)),
            Command::Audit(args) => runtime.block_on(running::main(args)),
            Command::Kafka(args) => runtime.block_on(apache_kafka::main(args)),
            Command::ExecWithParent(args) => Err(parent::exec(&args)),
        }
    }
}
