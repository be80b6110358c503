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
    /// Restate's public keys, one per line (restate-identity.pub): the durable services accept only requests signed with one of them.
    /// Without this file they accept every request, and may listen on loopback only
    #[arg(long, env = "FOOD_ORDERING_RESTATE_IDENTITY_FILE", value_name = "FILE")]
    pub restate_identity_file: Option<PathBuf>,
    /// A label for this build, such as a commit or an image tag; Restate shows it next to the version
    #[arg(long, env = "FOOD_ORDERING_BUILD", value_name = "TEXT")]
    pub build: Option<String>,
}

impl Options {
    /// Which requests the services that listen on `address` accept.
    pub fn identity(&self, address: SocketAddr) -> Result<Identity, Error> {
        match &self.restate_identity_file {
            Some(file) => Identity::read(file),
            None if address.ip().to_canonical().is_loopback() => {
                tracing::warn!(
                    %address,
                    "anyone who can reach this address can control orders as Restate does: set --restate-identity-file"
                );
                Ok(Identity::default())
            }
            None => Err(Error::Open(address)),
        }
    }

    /// The services' version that Restate shows.
    #[must_use]
    pub fn version(&self) -> String {
        let version = env!("CARGO_PKG_VERSION");
        match self.build.as_deref() {
            None | Some("") => version.to_owned(),
            Some(build) => format!("{version}+{build}"),
        }
    }
}
