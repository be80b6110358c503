//! `serve`: one or several parts of the system in this process.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::pin::Pin;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Args as ClapArgs;
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use tokio::net::{TcpListener, TcpSocket};
use tokio::runtime::{Builder, Runtime};
use tokio_util::sync::CancellationToken;

use crate::edge::Edge;
use crate::listen::Listen;
use crate::psql::Psql;
use crate::settings::Settings;
use crate::{Part, broker, flags, keys, shutdown};

/// Arguments of `serve`.
#[derive(Debug, ClapArgs)]
pub struct Args {
    /// The parts to run
    #[arg(required = true)]
    parts: Vec<Part>,
    #[command(flatten)]
    kafka: flags::Kafka,
    #[command(flatten)]
    restate_ingress: flags::RestateIngress,
    /// The payment provider
    #[arg(
        long,
        env = "FOOD_ORDERING_PAYMENT_URL",
        default_value = "http://127.0.0.1:5060",
        value_name = "URL"
    )]
    payment_url: String,
    /// The restaurants' point of sale
    #[arg(
        long,
        env = "FOOD_ORDERING_RESTAURANT_URL",
        default_value = "http://127.0.0.1:5050",
        value_name = "URL"
    )]
    restaurant_url: String,
    /// The gateway's address for restaurants, who call it when an order is ready
    #[arg(
        long,
        env = "FOOD_ORDERING_CALLBACK_URL",
        default_value = "http://127.0.0.1:3000",
        value_name = "URL"
    )]
    callback_url: String,
    #[command(flatten)]
    listen: Listen,
    /// Where the restaurants' point of sale keeps its books
    #[arg(
        long,
        env = "FOOD_ORDERING_RESTAURANT_DATABASE",
        default_value = ".food-ordering/restaurant-pos.sqlite",
        value_name = "FILE"
    )]
    restaurant_database: PathBuf,
    /// Where the payment provider keeps its books
    #[arg(
        long,
        env = "FOOD_ORDERING_PAYMENT_DATABASE",
        default_value = ".food-ordering/payment-provider.sqlite",
        value_name = "FILE"
    )]
    payment_database: PathBuf,
    /// A file to which the embedded broker writes its address, because it chooses its port itself
    #[arg(long, env = "FOOD_ORDERING_KAFKA_ADDRESS_FILE", value_name = "FILE")]
    kafka_address_file: Option<PathBuf>,
    /// How long the gateway continues to serve after it was told to stop, while `/ready` answers 503, so that load balancers
    /// notice
    #[arg(long, env = "FOOD_ORDERING_DRAIN", default_value = "0s", value_parser = humantime::parse_duration, value_name = "DURATION")]
    drain: Duration,
    #[command(flatten)]
    keys: keys::Files,
    #[command(flatten)]
    operators: Operators,
    #[command(flatten)]
    edge: Box<Edge>,
    #[command(flatten)]
    psql: Box<Psql>,
    /// A label of this build, such as a commit or an image's tag; Restate shows it beside the version
    #[arg(long, env = "FOOD_ORDERING_BUILD", value_name = "TEXT")]
    build: Option<String>,
    /// The number of threads; one is the most efficient, more use more cores
    #[arg(long, env = "FOOD_ORDERING_THREADS", default_value_t = NonZeroUsize::MIN, value_name = "N")]
    threads: NonZeroUsize,
    #[command(flatten)]
    settings: Settings,
}

impl Args {
    /// The parts, as traces name them.
    pub(crate) fn names(&self) -> String {
        let names: Vec<_> = self.parts.iter().map(|part| part.name()).collect();
        names.join("+")
    }

    /// The version of the durable services, as Restate shows it.
    fn version(&self) -> String {
        let version = env!("CARGO_PKG_VERSION");
        match self.build.as_deref() {
            None | Some("") => version.to_owned(),
            Some(build) => format!("{version}+{build}"),
        }
    }

    /// The runtime that the parts run on.
    pub(crate) fn runtime(&self) -> std::io::Result<Runtime> {
        let mut runtime = match self.threads.get() {
            1 => Builder::new_current_thread(),
            _ => Builder::new_multi_thread(),
        };
        runtime
            .worker_threads(self.threads.get())
            .enable_all()
            .build()
    }
}

/// What operators find through the gateway.
#[derive(Debug, ClapArgs)]
struct Operators {
    /// The address of Restate's UI for operators' browsers
    #[arg(long, env = "FOOD_ORDERING_RESTATE_UI", value_name = "URL")]
    restate_ui: Option<String>,
}

type Running<'a> = Pin<Box<dyn Future<Output = (Part, anyhow::Result<()>)> + 'a>>;

/// Runs the parts until one of them fails or the process is told to stop; then lets all of them finish what they have in hand.
/// Who tells it again is obeyed at once.
pub async fn run(args: Args) -> anyhow::Result<()> {
    let shutdown = shutdown::on_signal()?;
    tokio::select! {
        ended = run_parts(&args, &shutdown.asked) => ended,
        () = shutdown.insisted.cancelled() => bail!("told to stop a second time: requests in hand were not finished"),
    }
}

async fn run_parts(args: &Args, stop: &CancellationToken) -> anyhow::Result<()> {
    let mut parts: FuturesUnordered<Running<'_>> = args
        .parts
        .iter()
        .map(|&part| -> Running<'_> {
            let running = run_part(part, args, stop.clone());
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

async fn run_part(part: Part, args: &Args, stop: CancellationToken) -> anyhow::Result<()> {
    let kafka = || args.kafka.connection();
    let shutdown = stop.clone().cancelled_owned();
    let settings = &args.settings;
    match part {
        Part::Kafka => broker::serve(args.kafka_address_file.as_deref(), stop).await?,
        Part::OrderServices => {
            let listener = listen(args.listen.order_services)?;
            let config = order_workflow::Config {
                identity: args.keys.identity(args.listen.order_services)?,
                kafka: kafka()?,
                payment_url: args.payment_url.clone(),
                restaurant_url: args.restaurant_url.clone(),
                callback_url: args.callback_url.clone(),
                callbacks: args.keys.callbacks()?,
                payment_limit: settings.orders.payment_limit,
                preparation_limit: settings.orders.preparation_limit,
                driver_limit: settings.orders.driver_limit,
                delivery_limit: settings.orders.delivery_limit,
                driver_silence: settings.orders.driver_silence,
                order_retention: settings.orders.order_retention,
                workflow_retention: settings.orders.workflow_retention,
                driver_speed: settings.driver_speed(),
                version: args.version(),
            };
            order_workflow::serve(config, listener, shutdown).await?;
        }
        Part::DriverSimulator => {
            let listener = listen(args.listen.driver_simulator)?;
            let config = driver_simulator::Config {
                identity: args.keys.identity(args.listen.driver_simulator)?,
                kafka: kafka()?,
                poll_interval: settings.simulator.poll_interval,
                move_interval: settings.simulator.move_interval,
                pause: settings.simulator.pause,
                step: settings.simulator.step,
                version: args.version(),
            };
            driver_simulator::serve(config, listener, shutdown).await?;
        }
        Part::RestaurantPos => {
            let listener = listen(args.listen.restaurant_pos)?;
            let config = restaurant_pos::Config {
                database: args.restaurant_database.clone(),
                preparation_time: settings.restaurant.preparation_time,
            };
            restaurant_pos::serve(config, listener, shutdown).await?;
        }
        Part::PaymentProvider => {
            let listener = listen(args.listen.payment_provider)?;
            let config = payment_provider::Config {
                database: args.payment_database.clone(),
            };
            payment_provider::serve(config, listener, shutdown).await?;
        }
        Part::Gateway => {
            let listener = listen(args.listen.gateway)?;
            let config = gateway::Config {
                restaurant_url: args.restaurant_url.clone(),
                payment_url: args.payment_url.clone(),
                drain: args.drain,
                web_ui: Some(settings.web_ui.files.clone()),
                order_links_secrets: args.edge.order_links_secrets()?,
                edge: args.edge.settings(),
                operator_tokens: args.keys.operator_tokens()?,
                callbacks: Some(args.keys.callbacks()?),
                restate_ui: args.operators.restate_ui.clone(),
                tile_url: settings.web_ui.tile_url.clone(),
                tile_attribution: settings.web_ui.tile_attribution.clone(),
                ..gateway::Config::new(kafka()?, &args.restate_ingress.urls)
            };
            gateway::serve(config, listener, shutdown).await?;
        }
        Part::PsqlGateway => {
            let listener = listen(args.listen.psql_gateway)?;
            args.psql.serve(listener, shutdown).await?;
        }
    }
    Ok(())
}

/// Listens with Nagle's algorithm off, which the accepted connections inherit: durable handlers and Restate exchange many small
/// frames, and one that waits for the acknowledgement of the one before costs tens of milliseconds.
fn listen(address: SocketAddr) -> anyhow::Result<TcpListener> {
    let listen = || {
        let socket = match address {
            SocketAddr::V4(_) => TcpSocket::new_v4(),
            SocketAddr::V6(_) => TcpSocket::new_v6(),
        }?;
        // As `TcpListener::bind` does: a restarted part takes its port back at once.
        socket.set_reuseaddr(true)?;
        socket.set_nodelay(true)?;
        socket.bind(address)?;
        socket.listen(1024)
    };
    listen().with_context(|| format!("listening on {address}"))
}
