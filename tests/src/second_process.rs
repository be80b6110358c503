//! A part that runs in addition to those of `up`.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

use anyhow::Context;

use crate::System;
use crate::launcher::binary;

/// A second process of the order services, as for a new version. It is killed when this is dropped.
#[derive(Debug)]
pub struct SecondProcess {
    process: Child,
    url: String,
}

impl SecondProcess {
    /// Starts a second process of the order services, as build `build`, on its own port. Restate does not know it yet.
    pub fn order_services(system: &System, build: &str) -> anyhow::Result<Self> {
        // Another process could take this port before the services do, but that is unlikely.
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
            .context("starting a second process of the order services")?;
        Ok(Self {
            process,
            url: format!("http://{address}"),
        })
    }

    /// Its URL for Restate.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for SecondProcess {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
