//! The keys of the system: the command that creates them, and the flags by which the parts read them.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::{Context, bail};
use durable::Identity;
use secrets::callback::Callbacks;
use secrets::{SecretString, Secrets};

/// Arguments of `keys`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Where the files are created; only the user who runs this can read them
    #[arg(long, env = "FOOD_ORDERING_KEYS_DIRECTORY", value_name = "DIRECTORY")]
    directory: PathBuf,
}

/// `keys`: makes what is missing and says what was made.
pub fn main(args: &Args) -> anyhow::Result<()> {
    let made = secrets::keys::make_missing(&args.directory)?;
    for name in &made {
        say!("made {}", args.directory.join(name).display());
    }
    if made.is_empty() {
        say!("nothing is missing in {}", args.directory.display());
    }
    Ok(())
}

/// The keys of the parts that `serve` runs. Each is in a file, so that none is on a command line.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Keys, as `food-ordering keys` makes them")]
pub(crate) struct Files {
    /// The public keys of the Restate that may call the durable services, one a line (restate-identity.pub). Without it they accept
    /// every request, and listen on loopback only
    #[arg(
        long = "restate-identity-file",
        env = "FOOD_ORDERING_RESTATE_IDENTITY_FILE",
        value_name = "FILE"
    )]
    restate_identity: Option<PathBuf>,
    /// The secret of restaurants' callbacks (callback.secret); the order services and the gateway need it
    #[arg(
        long = "callback-secret-file",
        env = "FOOD_ORDERING_CALLBACK_SECRET_FILE",
        value_name = "FILE"
    )]
    callback_secret: Option<PathBuf>,
    /// The token of operators who are not at the gateway's own machine (operator.token); without it such requests are refused.
    /// The environment variable `FOOD_ORDERING_OPERATOR_TOKEN` may hold one more token; there is no flag for it, because other
    /// users could read it there
    #[arg(
        long = "operator-token-file",
        env = "FOOD_ORDERING_OPERATOR_TOKEN_FILE",
        value_name = "FILE"
    )]
    operator_token: Option<PathBuf>,
}

/// Holds a token of operators.
pub(crate) const OPERATOR_TOKEN: &str = "FOOD_ORDERING_OPERATOR_TOKEN";

impl Files {
    /// What decides which callbacks of restaurants are believed.
    pub(crate) fn callbacks(&self) -> anyhow::Result<Callbacks> {
        let file = self.callback_secret.as_ref().with_context(|| {
            format!(
                "give --callback-secret-file, the same to order services and gateway: by it they know restaurants' callbacks. \
                 `food-ordering keys --directory DIR` makes it: DIR/{}",
                secrets::keys::CALLBACK
            )
        })?;
        Ok(Callbacks::new(&Secrets::read(file)?))
    }

    /// Any of these an operator has to know.
    pub(crate) fn operator_tokens(&self) -> anyhow::Result<Secrets> {
        let in_file = match &self.operator_token {
            Some(file) => Secrets::read(file)?,
            None => Secrets::default(),
        };
        let in_environment = std::env::var(OPERATOR_TOKEN).ok();
        let in_environment = in_environment.filter(|token| !token.is_empty());
        Ok((in_file.iter().cloned())
            .chain(in_environment.map(SecretString::from))
            .collect())
    }

    /// Whose requests the durable services take that listen on `address`.
    pub(crate) fn identity(&self, address: SocketAddr) -> anyhow::Result<Identity> {
        match &self.restate_identity {
            Some(file) => Ok(Identity::read(file)?),
            None if address.ip().to_canonical().is_loopback() => {
                tracing::warn!(
                    %address,
                    "whoever reaches this address can do with orders what Restate can: give --restate-identity-file"
                );
                Ok(Identity::default())
            }
            None => bail!(
                "others can reach {address}, and could do with orders what Restate can: give --restate-identity-file with the \
                 public key of the Restate that may. `food-ordering keys --directory DIR` makes a pair; the private one, \
                 DIR/{private}, goes into Restate's configuration as request-identity-private-key-pem-file",
                private = secrets::keys::RESTATE_IDENTITY,
            ),
        }
    }
}
