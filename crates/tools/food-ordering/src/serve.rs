//! `serve`: runs one or more parts of the system in this process.
//!
//! Each part is a subcommand with the settings that its own crate declares. A `--` is followed by another part for the same
//! process, with its own flags; see "Settings" in `docs/architecture.md`.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::pin::Pin;

use anyhow::{Context, bail};
use clap::{Args as ClapArgs, Parser, Subcommand};
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

use crate::Part;
use crate::broker::in_memory;

/// Arguments of `serve`.
#[derive(Debug, ClapArgs)]
pub struct Args {
    /// Number of threads of this process; one is the most efficient, more can use more cores
    #[arg(long, env = "FOOD_ORDERING_THREADS", default_value_t = NonZeroUsize::MIN, value_name = "N")]
    threads: NonZeroUsize,
    #[command(subcommand)]
    part: Served,
}

/// A part with its settings.
#[derive(Debug, Subcommand)]
enum Served {
    /// Runs a Kafka broker that keeps records only in memory
    Kafka(PartArgs<in_memory::Options>),
    /// Runs all durable services except the driver simulator
    OrderServices(Box<PartArgs<order_workflow::Options>>),
    /// Runs the durable service that stands in for the drivers' phones
    DriverSimulator(Box<PartArgs<driver_simulator::Options>>),
    /// Passes on only those positions of drivers that can change something
    PositionFilter(PartArgs<position_filter::Options>),
    /// Runs the stub of the restaurants' point-of-sale system
    RestaurantPos(PartArgs<restaurant_pos::Options>),
    /// Runs the stub of the payment provider
    PaymentProvider(PartArgs<payment_provider::Options>),
    /// Runs the web UI and its HTTP API
    Gateway(Box<PartArgs<gateway::Options>>),
}

#[derive(Debug, ClapArgs)]
struct PartArgs<T: ClapArgs> {
    #[command(flatten)]
    options: T,
    /// Another part for this process, with its own flags; a further `--` adds one more
    #[arg(last = true, help_heading = "Arguments", value_name = "PART…")]
    also: Vec<OsString>,
}

/// Another part for this process, with its own flags
#[derive(Debug, Parser)]
#[command(name = "food-ordering serve … --", no_binary_name = true)]
struct NextPart {
    #[command(subcommand)]
    part: Served,
}

impl Served {
    /// Which part this is, and the command line of the next one.
    fn part(&self) -> (Part, &[OsString]) {
        match self {
            Self::Kafka(part) => (Part::Kafka, &part.also),
            Self::OrderServices(part) => (Part::OrderServices, &part.also),
            Self::DriverSimulator(part) => (Part::DriverSimulator, &part.also),
            Self::PositionFilter(part) => (Part::PositionFilter, &part.also),
            Self::RestaurantPos(part) => (Part::RestaurantPos, &part.also),
            Self::PaymentProvider(part) => (Part::PaymentProvider, &part.also),
            Self::Gateway(part) => (Part::Gateway, &part.also),
        }
    }

    /// Runs the part until `stop`.
    async fn run(self, stop: CancellationToken) -> anyhow::Result<()> {
        let shutdown = stop.clone().cancelled_owned();
        macro_rules! serve {
            ($part:ident, $options:expr) => {{
                let options = $options;
                let listener = listen(options.listen.address)?;
                $part::serve(options, listener, shutdown).await?;
            }};
        }
        match self {
            Self::Kafka(part) => in_memory::serve(&part.options, stop).await?,
            Self::OrderServices(part) => serve!(order_workflow, part.options),
            Self::DriverSimulator(part) => serve!(driver_simulator, part.options),
            Self::PositionFilter(part) => serve!(position_filter, part.options),
            Self::RestaurantPos(part) => serve!(restaurant_pos, part.options),
            Self::PaymentProvider(part) => serve!(payment_provider, part.options),
            Self::Gateway(part) => serve!(gateway, part.options.with_files()?),
        }
        Ok(())
    }
}

fn listen(address: SocketAddr) -> anyhow::Result<TcpListener> {
    settings::listen(address).with_context(|| format!("listening on {address}"))
}

/// The parts of a command line.
#[derive(Debug)]
pub(crate) struct Parts(Vec<Served>);

impl Args {
    /// The runtime that the parts run on.
    pub(crate) fn runtime(&self) -> std::io::Result<Runtime> {
        settings::runtime(self.threads)
    }

    /// The parts: the first, and one after each `--`.
    pub(crate) fn parts(self) -> Result<Parts, clap::Error> {
        let mut part = self.part;
        let mut parts = Vec::new();
        loop {
            let also = part.part().1.to_vec();
            parts.push(part);
            if also.is_empty() {
                return Ok(Parts(parts));
            }
            part = NextPart::try_parse_from(also)?.part;
        }
    }
}

impl Parts {
    /// The names of the parts, joined by `+`: the service name in traces.
    pub(crate) fn names(&self) -> String {
        let names: Vec<_> = self.0.iter().map(|part| part.part().0.name()).collect();
        names.join("+")
    }
}

type Running = Pin<Box<dyn Future<Output = (Part, anyhow::Result<()>)>>>;

/// Runs the parts until one of them fails or the process is told to stop, and then lets all of them finish their requests. A
/// second signal stops them at once.
pub(crate) async fn run(parts: Parts) -> anyhow::Result<()> {
    let shutdown = shutdown::on_signal()?;
    tokio::select! {
        ended = run_parts(parts, &shutdown.requested) => ended,
        () = shutdown.forced.cancelled() => bail!("told to stop a second time: open requests were not finished"),
    }
}

async fn run_parts(parts: Parts, stop: &CancellationToken) -> anyhow::Result<()> {
    let mut parts: FuturesUnordered<Running> = (parts.0.into_iter())
        .map(|served| -> Running {
            let (part, running) = (served.part().0, served.run(stop.clone()));
            Box::pin(async move { (part, running.await) })
        })
        .collect();
    let mut result = Ok(());
    while let Some((part, ended)) = parts.next().await {
        result = result.and(ended.with_context(|| format!("{part} ended")));
        stop.cancel();
    }
    result
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, ValueEnum};

    use super::*;

    #[derive(Debug, Parser)]
    struct Serve {
        #[command(flatten)]
        args: Args,
    }

    fn parts(line: &[&str]) -> Result<Parts, clap::Error> {
        let line = std::iter::once("serve").chain(line.iter().copied());
        Serve::try_parse_from(line)?.args.parts()
    }

    #[test]
    fn several_parts_share_a_process_and_each_has_its_own_flags() {
        let line = [
            "order-services",
            "--payment-limit=7s",
            "--",
            "driver-simulator",
            "--pause=9s",
            "--",
            "kafka",
        ];
        let parts = parts(&line).unwrap();
        assert_eq!(parts.names(), "order-services+driver-simulator+kafka");
        let [
            Served::OrderServices(orders),
            Served::DriverSimulator(simulator),
            _,
        ] = &parts.0[..]
        else {
            panic!("{parts:?}");
        };
        assert_eq!(orders.options.times.payment_limit.as_secs(), 7);
        assert_eq!(simulator.options.pace.pause.as_secs(), 9);
    }

    #[test]
    fn a_part_does_not_accept_the_flags_of_another() {
        for line in [
            &["order-services", "--pause=9s"][..],
            &["kafka", "--", "gateway", "--pause=9s"],
            &["kafka", "--", "--pause=9s"],
            &["kafka", "--", "nobody"],
            &[],
        ] {
            assert!(parts(line).is_err(), "{line:?}");
        }
    }

    #[test]
    fn each_part_is_a_subcommand_with_at_most_25_flags() {
        let serve = Serve::command();
        for part in Part::value_variants() {
            let command = serve.find_subcommand(part.name());
            let command = command.unwrap_or_else(|| panic!("no subcommand {part}"));
            let flags = command.get_arguments().filter(|arg| !arg.is_positional());
            assert!(flags.count() <= 25, "{part}");
        }
        assert_eq!(
            serve.get_subcommands().count(),
            Part::value_variants().len()
        );
    }
}
