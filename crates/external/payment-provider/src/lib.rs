//! Stub of a payment provider: a third party that charges customers and makes refunds.
//!
//! The order workflow calls it. It keeps its books in `SQLite`, so it loses nothing when it is killed. It gives the same answer again
//! to a request with the same idempotency key, so a caller may repeat a request whose answer was lost.
//!
//! | request | what it does |
//! |---|---|
//! | `POST /payments` | charges an order (header `Idempotency-Key`) |
//! | `POST /payments/{paymentId}/refunds` | refunds all or part of it (header `Idempotency-Key`) |
//! | `GET /ledger`, `GET /ledger/summary` | all charges and refunds, and their totals |
//! | `GET`, `PUT`, `DELETE /faults` | the faults that are injected ([`FaultPlan`]) |
//! | `GET /health` | 200 while the books can be read |
//!
//! `api` has the HTTP handlers, `books` the rules and the storage, `options` the settings.

mod api;
mod books;
mod options;

use std::io;
use std::path::Path;

use stub_kit::{Faults, database};
use tokio::net::TcpListener;

pub use api::{FaultPlan, router};
use books::Books;
pub use options::{Listen, Options};

/// Why the payment provider cannot run.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The books cannot be opened.
    #[error(transparent)]
    Database(#[from] database::Error),
    /// The listener failed.
    #[error("cannot serve requests: {0}")]
    Serve(#[from] io::Error),
}

/// The payment provider with its books open; clones share them.
#[derive(Debug, Clone)]
pub struct Provider {
    books: Books,
    faults: Faults<FaultPlan>,
}

impl Provider {
    /// Opens the books.
    pub async fn open(database: &Path) -> Result<Self, Error> {
        Ok(Self {
            books: Books::open(database).await?,
            faults: Faults::default(),
        })
    }

    /// The faults that are injected.
    #[must_use]
    pub fn faults(&self) -> &Faults<FaultPlan> {
        &self.faults
    }

    /// Closes the books, for all clones.
    pub async fn close(self) {
        self.books.database.close().await;
    }
}

/// Runs the payment provider on `listener` until `shutdown` completes, then finishes open requests and closes the books.
pub async fn serve(
    options: Options,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), Error> {
    let provider = Provider::open(&options.database).await?;
    tracing::info!(address = %listener.local_addr()?, database = %options.database.display(), "payment provider started");
    stub_kit::server::serve(router(provider.clone()), listener, shutdown).await;
    provider.close().await;
    tracing::info!("payment provider stopped");
    Ok(())
}

#[cfg(test)]
mod tests;
