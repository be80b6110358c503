//! Stub of a restaurant's point-of-sale system: a third party that cooks what it is asked to and says when it is ready.
//!
//! Whoever has an order prepared names an address to call back, and a secret to sign that with as Standard Webhooks has it; it
//! knows nothing else of the system it works for. It keeps its tickets in `SQLite` and forgets nothing when it is killed: what
//! was cooking then is ready on time, or called back at once where that time has passed.
//!
//! | request | what it does |
//! |---|---|
//! | `POST /prepare` | has an order cooked; once per order, however often it is asked |
//! | `POST /preparations/{orderId}/cancel` | calls it off, unless it was handed over |
//! | `GET /preparations`, `GET /preparations/{orderId}` | what is cooking, and what became of it |
//! | `GET`, `PUT`, `DELETE /faults` | what goes wrong on purpose ([`FaultPlan`]) |
//! | `GET /health` | 200 while the tickets can be read |
//!
//! `api` speaks HTTP, `books` remembers, `kitchen` waits for what is due, `callback` tells whoever has asked, and `options` has the settings.

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

/// Why it cannot run.
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

/// The restaurant with its tickets open and its kitchen at work; clones share them.
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
    /// Opens the tickets and resumes what was cooking. To be called from within a tokio runtime.
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

    /// What goes wrong on purpose.
    #[must_use]
    pub fn faults(&self) -> &Faults<FaultPlan> {
        &self.faults
    }

    /// Finishes the callbacks in hand, then closes the tickets, also for clones. What is still cooking is resumed by the next
    /// [`open`](Self::open).
    pub async fn close(self) {
        self.kitchen.close().await;
        self.books.database.close().await;
    }
}

/// Runs the restaurant on `listener` until `shutdown` is over, then finishes the requests and callbacks in hand and closes
/// the tickets.
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
