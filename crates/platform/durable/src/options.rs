//! Settings of every part with durable services.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;

use crate::Identity;
use crate::identity::Error;

/// Settings of every part with durable services.
#[derive(Debug, Clone, Args)]
#[group(skip)]
pub struct Options {
    /// The public keys of the Restate that may call the durable services, one a line (restate-identity.pub). Without it they accept
    /// every request, and listen on loopback only
    #[arg(long, env = "FOOD_ORDERING_RESTATE_IDENTITY_FILE", value_name = "FILE")]
    pub restate_identity_file: Option<PathBuf>,
    /// A label of this build, such as a commit or an image's tag; Restate shows it beside the version
    #[arg(long, env = "FOOD_ORDERING_BUILD", value_name = "TEXT")]
    pub build: Option<String>,
}

impl Options {
    /// Whose requests the services take that listen on `address`.
    pub fn identity(&self, address: SocketAddr) -> Result<Identity, Error> {
        match &self.restate_identity_file {
            Some(file) => Identity::read(file),
            None if address.ip().to_canonical().is_loopback() => {
                tracing::warn!(
                    %address,
                    "whoever reaches this address can do with orders what Restate can: give --restate-identity-file"
                );
                Ok(Identity::default())
            }
            None => Err(Error::Open(address)),
        }
    }

    /// The version of the services, as Restate shows it.
    #[must_use]
    pub fn version(&self) -> String {
        let version = env!("CARGO_PKG_VERSION");
        match self.build.as_deref() {
            None | Some("") => version.to_owned(),
            Some(build) => format!("{version}+{build}"),
        }
    }
}
