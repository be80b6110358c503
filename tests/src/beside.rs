//! A part beside those that `up` runs.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

use anyhow::Context;

use crate::System;
use crate::launcher::binary;

/// Another process of the order services, as a new version of them is. Killed with this value.
#[derive(Debug)]
pub struct Beside {
    process: Child,
    url: String,
}

impl Beside {
    /// Starts the order services once more, as build `build`, on a port of their own. Restate does not know of them.
    pub fn order_services(system: &System, build: &str) -> anyhow::Result<Self> {
        // Free a moment ago, and taken by nobody else but for bad luck.
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let log = std::fs::File::create(system.directory().join(format!("{build}.log")))?;
        let process = Command::new(binary()?)
            .args(["serve", "order-services"])
            .arg(format!("--order-services-listen={address}"))
            .arg(format!("--kafka-brokers={}", system.address("kafka")?))
            .arg(format!(
                "--payment-url={}",
                system.address("payment-provider")?
            ))
            .arg(format!(
                "--restaurant-url={}",
                system.address("restaurant-pos")?
            ))
            .arg(format!("--callback-url={}", system.address("gateway")?))
            .arg(format!(
                "--callback-secret-file={}",
                system.key("callback.secret").display()
            ))
            .arg(format!(
                "--restate-identity-file={}",
                system.key("restate-identity.pub").display()
            ))
            .env("FOOD_ORDERING_BUILD", build)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .context("starting the order services once more")?;
        Ok(Self {
            process,
            url: format!("http://{address}"),
        })
    }

    /// Where Restate finds it.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
