//! What all connections share.

use std::sync::Arc;
use std::time::Duration;

use crate::catalogue::Catalogue;
use crate::discovery;
use crate::error::{Error, Result};
use crate::runtime::Runtime;
use crate::schema::{Known, Schema};
use crate::session::Sessions;
use crate::views::Views;

/// How long the runtime's tables are believed to be what they were, whatever is said of them.
const BELIEVED_FOR: Duration = Duration::from_secs(5);

/// What all connections share.
#[derive(Debug)]
pub(crate) struct Gateway {
    pub(crate) runtime: Runtime,
    views: Arc<Views>,
    schema: Known<Schema>,
    catalogue: Known<Catalogue>,
    pub(crate) sessions: Arc<Sessions>,
}

impl Gateway {
    pub(crate) fn new(runtime: Runtime, views: Views) -> Self {
        Self {
            runtime,
            views: Arc::new(views),
            schema: Known::default(),
            catalogue: Known::default(),
            sessions: Arc::default(),
        }
    }

    /// The runtime's tables, and the views.
    pub(crate) async fn schema(&self) -> Result<Arc<Schema>> {
        let load = async || discovery::schema(&self.runtime, &self.views).await;
        self.schema.get(load).await
    }

    /// The catalogue of these tables.
    pub(crate) async fn catalogue(&self) -> Result<Arc<Catalogue>> {
        let schema = self.schema().await?;
        let load = async || Ok(Catalogue::new(schema));
        self.catalogue.get(load).await
    }

    /// Asks the runtime for its tables again if an error says that they may be others: it may have been started anew, in another
    /// version.
    pub(crate) async fn doubt(&self, error: &Error) {
        if error.doubts_the_schema() {
            self.schema.forget(BELIEVED_FOR).await;
            self.catalogue.forget(BELIEVED_FOR).await;
        }
    }
}
