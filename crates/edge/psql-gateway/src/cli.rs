//! The command line.

use std::num::NonZeroUsize;

use anyhow::{Context, bail};
use clap::Parser;
use settings::networks::here;
use tracing_subscriber::filter::{EnvFilter, LevelFilter};

use crate::{Options, health};

/// SQL over PostgreSQL's protocol for any Restate: psql and drivers query state, invocations and journals.
///
/// Every flag can also be set by the environment variable that its help names.
#[derive(Debug, Parser)]
#[command(name = "psql-gateway", version, max_term_width = 120)]
pub struct Cli {
    #[command(flatten)]
    options: Options,
    /// Number of threads; one is the most efficient, more can use more cores
    #[arg(long, env = "PSQL_GATEWAY_THREADS", default_value_t = NonZeroUsize::MIN, value_name = "N")]
    threads: NonZeroUsize,
    /// What to log, as a `tracing` filter: a level, or levels by module
    #[arg(
        long,
        env = "PSQL_GATEWAY_LOG",
        default_value = "info",
        value_name = "FILTER"
    )]
    log: String,
    /// Log one JSON object per line
    #[arg(long, env = "PSQL_GATEWAY_LOG_JSON")]
    log_json: bool,
    /// Start nothing, and check whether a gateway answers at the address of --listen; for health checks of containers
    #[arg(long)]
    health: bool,
}

impl Cli {
    /// Serves until a signal tells the process to stop, and then lets running statements end. A second signal stops it at once.
    pub fn run(self) -> anyhow::Result<()> {
        settings::runtime(self.threads)?.block_on(async {
            if self.health {
                return health::check(here(self.options.listen)).await;
            }
            self.start_log();
            serve(self.options).await
        })
    }

    /// Writes the log to standard error.
    fn start_log(&self) {
        let filter = EnvFilter::builder()
            .with_default_directive(LevelFilter::INFO.into())
            .parse_lossy(&self.log);
        let log = tracing_subscriber::fmt()
            .with_env_filter(filter)
            .with_writer(std::io::stderr)
            .with_ansi(false);
        if self.log_json {
            log.json().init();
        } else {
            log.init();
        }
    }
}

async fn serve(options: Options) -> anyhow::Result<()> {
    let shutdown = shutdown::on_signal()?;
    let address = options.listen;
    let listener = settings::listen(address).with_context(|| format!("listening on {address}"))?;
    tokio::select! {
        ended = crate::serve(options, listener, shutdown.requested.cancelled_owned()) => Ok(ended?),
        () = shutdown.forced.cancelled() => bail!("told to stop a second time: statements were not finished"),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn every_flag_has_an_environment_variable_of_its_own_name() {
        let cli = Cli::command();
        cli.clone().debug_assert();
        for flag in cli.get_arguments().filter(|flag| flag.get_id() != "health") {
            let name = flag.get_long().unwrap().replace('-', "_").to_uppercase();
            let variable = flag.get_env().and_then(|variable| variable.to_str());
            assert_eq!(variable, Some(&*format!("PSQL_GATEWAY_{name}")));
        }
    }
}
