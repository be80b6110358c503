//! Settings of the part `gateway`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use order_workflow::ThirdPartyUrls;
use secrets::callback::{Callbacks, SecretFile};
use secrets::{SecretString, Secrets};
use upstream::RestateIngress;

use crate::{Edge, Error, Pace};

/// Contains one more operator token. There is no flag for it, because other users could read it there.
pub const OPERATOR_TOKEN: &str = "FOOD_ORDERING_OPERATOR_TOKEN";

/// Where the rest of the system is, whom to trust, and what the web UI looks like.
#[derive(Debug, Clone, Args)]
#[group(skip)]
pub struct Options {
    /// Where it listens.
    #[command(flatten)]
    pub listen: Listen,
    /// The Kafka that orders are published to and events are read from.
    #[command(flatten)]
    pub kafka: kafka::Options,
    /// Restate's ingress.
    #[command(flatten)]
    pub restate_ingress: RestateIngress,
    /// How long Restate may take to answer.
    #[arg(skip = Duration::from_secs(5))]
    pub restate_timeout: Duration,
    /// The stubs of the third parties, whose faults operators switch.
    #[command(flatten)]
    pub stubs: ThirdPartyUrls,
    /// How long the gateway continues to serve after it was told to stop, while `/ready` answers 503, so that load balancers
    /// notice
    #[arg(long, env = "FOOD_ORDERING_DRAIN", default_value = "0s", value_parser = humantime::parse_duration, value_name = "DURATION")]
    pub drain: Duration,
    /// The secret with which restaurants sign their callbacks.
    #[command(flatten)]
    pub callback_secret: SecretFile,
    /// Those secrets, as read from the file; without them every callback is refused.
    #[arg(skip)]
    pub callbacks: Option<Callbacks>,
    /// The token of operators who are not at the gateway's own machine (operator.token); without it such requests are refused.
    /// The environment variable `FOOD_ORDERING_OPERATOR_TOKEN` may hold one more token; there is no flag for it, because other
    /// users could read it there
    #[arg(long, env = "FOOD_ORDERING_OPERATOR_TOKEN_FILE", value_name = "FILE")]
    pub operator_token_file: Option<PathBuf>,
    /// Those tokens, as read; each of them is accepted.
    #[arg(skip)]
    pub operator_tokens: Secrets,
    /// Secrets from which order keys are derived, one a line; the first is for new keys, all are accepted. All gateways need the
    /// same file. Required wherever others than operators can connect
    #[arg(
        long,
        env = "FOOD_ORDERING_ORDER_LINKS_SECRET_FILE",
        value_name = "FILE"
    )]
    pub order_links_secret_file: Option<PathBuf>,
    /// Those secrets, as read; at least 16 bytes each. Without them the gateway serves only where everyone is an operator.
    #[arg(skip)]
    pub order_links_secrets: Secrets,
    /// The address of Restate's UI for operators' browsers
    #[arg(long, env = "FOOD_ORDERING_RESTATE_UI", value_name = "URL")]
    pub restate_ui: Option<String>,
    /// How soon it notices that reading the topics has stalled.
    #[arg(skip)]
    pub pace: Pace,
    /// The web UI.
    #[command(flatten)]
    pub web_ui: WebUi,
    /// Whom to trust, and the limits on everything.
    #[command(flatten)]
    pub edge: Edge,
}

settings::listen_address! {
    /// Where the gateway listens
    "gateway-listen", "FOOD_ORDERING_GATEWAY_LISTEN", "127.0.0.1:3000"
}

/// The gateway's web UI.
#[derive(Debug, Clone, Args)]
#[group(skip)]
#[command(next_help_heading = "Web UI")]
pub struct WebUi {
    /// The directory of the built web UI, which may be built later; `cargo xtask demo` builds it and names it here
    #[arg(
        long = "web-ui",
        env = "FOOD_ORDERING_WEB_UI",
        default_value = "webui/dist",
        value_name = "DIRECTORY"
    )]
    pub files: Option<PathBuf>,
    /// A server of map tiles, as a URL with {z}, {x}, {y} and optionally {s} [default: none, the built-in map]
    #[arg(long, env = "FOOD_ORDERING_TILE_URL", value_name = "URL")]
    pub tile_url: Option<String>,
    /// The attribution that the map shows for those tiles
    #[arg(long, env = "FOOD_ORDERING_TILE_ATTRIBUTION", value_name = "TEXT")]
    pub tile_attribution: Option<String>,
}

impl Options {
    /// The default settings with these addresses, and without a web UI.
    #[must_use]
    pub fn new(brokers: impl Into<String>, restate_ingress: impl Into<String>) -> Self {
        let mut options: Self = settings::defaults();
        options.kafka.brokers = brokers.into();
        options.restate_ingress.urls = restate_ingress.into();
        options.web_ui.files = None;
        options
    }

    /// Reads the secrets from their files, and the networks of this container.
    ///
    /// # Errors
    /// If a file cannot be read, or no file is named for the callback secret.
    pub fn with_files(mut self) -> Result<Self, Error> {
        self.callbacks = Some(self.callback_secret.callbacks()?);
        let in_file = self.operator_token_file.as_deref().map(Secrets::read);
        let in_environment = std::env::var(OPERATOR_TOKEN).ok();
        let in_environment = in_environment.filter(|token| !token.is_empty());
        self.operator_tokens = (in_file.transpose()?.unwrap_or_default().iter().cloned())
            .chain(in_environment.map(SecretString::from))
            .collect();
        if let Some(file) = &self.order_links_secret_file {
            self.order_links_secrets = Secrets::read(file)?;
        }
        self.edge.neighbours = settings::networks::neighbours(self.edge.published_on);
        Ok(self)
    }
}
