//! The keys of the system: the command that makes them, and the flags by which the parts are given theirs.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::bail;
use durable::Identity;

/// Arguments of `keys`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Where the files are made; only the user who runs this can read them
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

/// The keys of the parts that `serve` runs. Each is a file; what is in it never stands on a command line.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Keys, as `food-ordering keys` makes them")]
pub(crate) struct Files {
    /// The public keys of the Restate that may call the durable services, one a line (restate-identity.pub); without it, whoever
    /// reaches them may, and they listen on loopback only
    #[arg(long, env = "FOOD_ORDERING_RESTATE_IDENTITY_FILE", value_name = "FILE")]
    restate_identity_file: Option<PathBuf>,
}

impl Files {
    /// Whose requests the durable services take that listen on `address`.
    pub(crate) fn identity(&self, address: SocketAddr) -> anyhow::Result<Identity> {
        match &self.restate_identity_file {
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
