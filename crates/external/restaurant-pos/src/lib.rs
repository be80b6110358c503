//! Stub of a restaurant's point-of-sale system: a third party that prepares orders and calls back when they are ready.
//!
//! A request to prepare an order contains an address to call back and a secret for signing the callback according to Standard
//! Webhooks. The stub knows nothing else about the system that calls it. It keeps its tickets in `SQLite`, so it loses nothing when it
//! is killed: after a restart, orders are called back on time, or at once if they are overdue.
//!
//! | request | what it does |
//! |---|---|
//! | `POST /prepare` | prepares an order; only once, however often it is requested |
//! | `POST /preparations/{orderId}/cancel` | cancels it, unless it was handed over |
//! | `GET /preparations`, `GET /preparations/{orderId}` | all orders and their status |
//! | `GET`, `PUT`, `DELETE /faults` | the faults that are injected ([`FaultPlan`]) |
//! | `GET /health` | 200 while the tickets can be read |
//!
//! `api` has the HTTP handlers, `books` the storage, `kitchen` the timing of callbacks, `callback` sends them, and `options` has the
//! settings.

mod api;
mod books;
mod callback;
mod faults;
mod kitchen;
mod options;

use std::io;
use std::path::Path;
use std::time::Duration;

use stub_kit::{Faults, database};
use tokio::net::TcpListener;

pub use api::router;
use books::Books;
use callback::Caller;
pub use faults::FaultPlan;
use kitchen::Kitchen;
pub use options::{Cooking, Listen, Options};

/// Why the restaurant cannot run.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The tickets cannot be opened.
    #[error(transparent)]
    Database(#[from] database::Error),
    /// The HTTP client cannot be set up.
    #[error("cannot set up the HTTP client: {0}")]
    Client(#[from] reqwest::Error),
    /// The listener failed.
    #[error("cannot serve requests: {0}")]
    Serve(#[from] io::Error),
}

/// The restaurant with its tickets and its kitchen, which clones share.
///
/// The kitchen stops when the last clone is dropped.
#[derive(Debug, Clone)]
pub struct Restaurant {
    books: Books,
    kitchen: Kitchen,
    faults: Faults<FaultPlan>,
    preparation_time: Duration,
}

impl Restaurant {
    /// Opens the tickets and resumes pending orders. Must be called within a tokio runtime.
    pub async fn open(database: &Path, cooking: &Cooking) -> Result<Self, Error> {
        let caller = Caller::new()?;
        let books = Books::open(database).await?;
        let pending = books.pending().await?;
        if !pending.is_empty() {
            tracing::info!(pending = pending.len(), "resuming preparations");
        }
        Ok(Self {
            kitchen: Kitchen::start(books.clone(), caller, pending),
            books,
            faults: Faults::default(),
            preparation_time: cooking.preparation_time,
        })
    }

    /// The faults that are injected.
    #[must_use]
    pub fn faults(&self) -> &Faults<FaultPlan> {
        &self.faults
    }

    /// Finishes the callbacks under way, then closes the tickets, for all clones. The next [`open`](Self::open) resumes pending
    /// orders.
    pub async fn close(self) {
        self.kitchen.close().await;
        self.books.database.close().await;
    }
}

/// Runs the restaurant on `listener` until `shutdown` completes, then finishes open requests and callbacks, and closes the
/// tickets.
pub async fn serve(
    options: Options,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), Error> {
    let restaurant = Restaurant::open(&options.database, &options.cooking).await?;
    tracing::info!(address = %listener.local_addr()?, database = %options.database.display(), "restaurant started");
    stub_kit::server::serve(router(restaurant.clone()), listener, shutdown).await;
    restaurant.close().await;
    tracing::info!("restaurant stopped");
    Ok(())
}

#[cfg(test)]
mod tests;
