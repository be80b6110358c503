//! SQL over PostgreSQL's protocol for any Restate: a server for clients of PostgreSQL, which asks Restate's `POST /query`.
//!
//! A client's query is parsed, its views are put in, names of the past are replaced, and it is asked of the runtime's
//! `POST /query`. The rows stream through: a batch at a time is in memory, and none is fetched before the client has read those
//! before it. The catalogue, by which `psql` and drivers find their way, is answered here.
//! `docs/sql.md` says what can be asked.
//!
//! | module | what it does |
//! |---|---|
//! | `main.rs`, `cli.rs`, `options.rs`, `health.rs` | the program, its settings, its health check |
//! | `server.rs`, `limits.rs` | accepts connections, limits them and their messages |
//! | `auth.rs`, `tls.rs` | lets clients in |
//! | `handler.rs` | the simple and the extended protocol |
//! | `session.rs`, `settings.rs`, `about.rs`, `prepared.rs` | what a connection remembers; cancelling its query |
//! | `statement.rs`, `copy.rs`, `cursor.rs` | what each kind of statement does |
//! | `parameters.rs`, `interval.rs` | parameters of prepared statements, and texts as values of a type |
//! | `literals.rs` | literals and names: read and printed without a change |
//! | `bounds.rs`, `products.rs`, `with_queries.rs`, `chains.rs` | how large and deep a query may be, and how many tables it may multiply; chains of comparisons become lists |
//! | `parse.rs`, `forms.rs`, `sql.rs`, `rewrite/`, `aliases.rs`, `views.rs` | from the query asked to the query the runtime answers |
//! | `runtime.rs`, `discovery.rs`, `schema.rs` | asks the runtime, also which tables it has |
//! | `catalogue/` | `pg_catalog` and `information_schema` |
//! | `numbers.rs` | the types that PostgreSQL gives to columns, where the runtime has others |
//! | `rows.rs`, `encoded.rs`, `values.rs`, `moment.rs`, `zone.rs`, `row_encoder.rs` | record batches as rows, in the formats of the protocol and of `COPY` |
//! | `error.rs` | errors and their SQLSTATE |

mod about;
mod aliases;
mod auth;
mod bounds;
mod catalogue;
mod chains;
mod cli;
mod copy;
mod cursor;
mod discovery;
mod encoded;
mod error;
mod forms;
mod gateway;
mod handler;
mod health;
mod interval;
mod limits;
mod literals;
mod moment;
mod numbers;
mod options;
mod parameters;
mod parse;
mod prepared;
mod products;
mod rewrite;
mod row_encoder;
mod rows;
mod runtime;
mod schema;
mod server;
mod session;
mod settings;
mod sql;
mod statement;
mod tls;
mod values;
mod views;
mod with_queries;
mod zone;

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpListener;
use tracing::{info, warn};

pub use self::auth::PasswordFileError;
pub use self::cli::Cli;
pub use self::options::Options;
pub use self::tls::TlsError;
pub use self::views::ViewsError;

use self::auth::{Guests, Passwords};
use self::gateway::Gateway;
use self::runtime::Runtime;
use self::server::{Limits, Server};
use self::views::Views;

/// Why the gateway does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// It would be open to the network.
    #[error(
        "refusing to listen on {0}, which others can reach, without a password: name a file with lines <user>:<password> by --password-file, or listen on 127.0.0.1"
    )]
    Open(SocketAddr),
    /// The passwords.
    #[error(transparent)]
    Passwords(#[from] PasswordFileError),
    /// The certificate.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The listener's address cannot be told.
    #[error("the listener: {0}")]
    Listener(#[from] std::io::Error),
    /// The views.
    #[error(transparent)]
    Views(#[from] ViewsError),
    /// The HTTP client cannot be made.
    #[error("making an HTTP client: {0}")]
    Client(#[from] reqwest::Error),
}

/// Answers clients that connect to `listener` until `shutdown`.
pub async fn serve(
    options: Options,
    listener: TcpListener,
    shutdown: impl Future<Output = ()>,
) -> Result<(), StartError> {
    let address = listener.local_addr()?;
    let only_from_here = address.ip().to_canonical().is_loopback();
    let neighbours = options.neighbours();
    if !only_from_here && options.password_file.is_none() && neighbours.is_empty() {
        return Err(StartError::Open(address));
    }
    let passwords = options.password_file.as_deref().map(Passwords::read);
    let passwords = passwords.transpose()?;
    let tls = (options.tls_cert.as_ref().zip(options.tls_key.as_ref()))
        .map(|(certificate, key)| tls::read(certificate, key))
        .transpose()?;
    if !only_from_here && neighbours.is_empty() && tls.is_none() {
        warn!(
            "passwords are safe by SCRAM-SHA-256, but rows travel in the clear: see --tls-cert and --tls-key"
        );
    }
    let views = options.views.as_deref().map(Views::read).transpose()?;
    let views = views.unwrap_or_default();
    info!(%address, runtime = %options.restate_admin, views = views.all().len(), "psql gateway listens");
    let server = Server {
        gateway: Arc::new(Gateway::new(Runtime::new(options.restate_admin)?, views)),
        guests: Guests {
            passwords: passwords.map(Arc::new),
            neighbours,
            only_from_here,
        },
        tls,
        limits: Limits {
            connections: server::connections(options.connections),
            message: options.max_message,
            startup: options.startup_timeout,
            statement: options.statement_timeout,
        },
    };
    server.run(listener, shutdown).await;
    Ok(())
}
