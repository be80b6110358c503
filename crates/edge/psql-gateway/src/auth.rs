//! Who may come in: anyone on this machine, or who knows a password of the password file.

use std::collections::HashMap;
use std::fmt::Debug;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use futures::{Sink, SinkExt};
use ipnet::IpNet;
use parking_lot::Mutex;
use pgwire::api::auth::sasl::SASLAuthStartupHandler;
use pgwire::api::auth::sasl::scram::{SCRAM_ITERATIONS, ScramAuth, gen_salted_password};
use pgwire::api::auth::{
    AuthSource, LoginInfo, Password, ServerParameterProvider, StartupHandler,
    finish_authentication, protocol_negotiation, save_startup_parameters_to_metadata,
};
use pgwire::api::{ClientInfo, PidSecretKeyGenerator};
use pgwire::error::{PgWireError, PgWireResult};
use pgwire::messages::startup::{NegotiateProtocolVersion, SecretKey};
use pgwire::messages::{PgWireBackendMessage, PgWireFrontendMessage};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tracing::debug;

use crate::error::Error;
use crate::gateway::Gateway;
use crate::session::Session;
use crate::settings::{boolean, reported};
use crate::tls::Tls;

/// The minor version of the latest protocol that is spoken here, 3.2. There has never been a 3.1.
const LATEST: u16 = 2;

/// Users and their passwords, salted and hashed as SCRAM-SHA-256 wants them.
#[derive(Debug)]
pub(crate) struct Passwords(HashMap<String, ([u8; 16], Vec<u8>)>);

/// Why a password file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PasswordFileError {
    /// It cannot be read.
    #[error("reading the password file: {0}")]
    Unreadable(#[from] std::io::Error),
    /// A line of it is no user and password.
    #[error("line {0} of the password file must be <user>:<password>")]
    Malformed(usize),
    /// Nobody is in it.
    #[error("the password file names no user; each line must be <user>:<password>")]
    Empty,
}

impl Passwords {
    /// Reads a file with a line `user:password` for each user. Empty lines and those that begin with `#` do not count.
    pub(crate) fn read(path: &Path) -> Result<Self, PasswordFileError> {
        let text = std::fs::read_to_string(path)?;
        let mut users = HashMap::new();
        for (index, line) in text.lines().enumerate() {
            if line.trim().is_empty() || line.starts_with('#') {
                continue;
            }
            let (user, password) = line
                .split_once(':')
                .filter(|(user, password)| !user.is_empty() && !password.is_empty())
                .ok_or(PasswordFileError::Malformed(index + 1))?;
            let salt: [u8; 16] = rand::random();
            let salted = gen_salted_password(password, &salt, SCRAM_ITERATIONS);
            users.insert(user.to_owned(), (salt, salted));
        }
        if users.is_empty() {
            return Err(PasswordFileError::Empty);
        }
        Ok(Self(users))
    }
}

#[async_trait]
impl AuthSource for Passwords {
    async fn get_password(&self, login: &LoginInfo) -> PgWireResult<Password> {
        let user = login.user().unwrap_or_default();
        match self.0.get(user) {
            Some((salt, salted)) => Ok(Password::new(Some(salt.to_vec()), salted.clone())),
            // An unknown user learns no more than one with a wrong password.
            None => Ok(Password::new(
                Some(rand::random::<[u8; 16]>().to_vec()),
                rand::random::<[u8; 32]>().to_vec(),
            )),
        }
    }
}

/// Who comes in by what.
#[derive(Debug, Clone)]
pub(crate) struct Guests {
    pub(crate) passwords: Option<Arc<Passwords>>,
    /// Networks whose clients need no password.
    pub(crate) neighbours: Vec<IpNet>,
    /// The gateway listens on loopback: whoever reaches it is on this machine.
    pub(crate) only_from_here: bool,
}

/// What a client has to show.
#[derive(Debug, Clone)]
pub(crate) enum Entry {
    Nothing,
    Password(Arc<Passwords>),
    /// There is nothing that would let it in.
    Closed,
}

impl Guests {
    /// What a client at this address has to show.
    pub(crate) fn entry(&self, peer: IpAddr) -> Entry {
        let peer = peer.to_canonical();
        let is_neighbour = self.neighbours.iter().any(|net| net.contains(&peer));
        match &self.passwords {
            _ if is_neighbour => Entry::Nothing,
            Some(passwords) => Entry::Password(Arc::clone(passwords)),
            None if self.only_from_here => Entry::Nothing,
            None => Entry::Closed,
        }
    }
}

/// Lets one connection in.
pub(crate) struct Door {
    gateway: Arc<Gateway>,
    session: Arc<Session>,
    seats: Arc<Semaphore>,
    /// Held as long as the connection lasts.
    seat: Mutex<Option<OwnedSemaphorePermit>>,
    /// Who offers TLS wants it.
    encrypted: bool,
    scram: Option<SASLAuthStartupHandler<Parameters>>,
    closed: bool,
}

impl Door {
    pub(crate) fn new(
        gateway: &Arc<Gateway>,
        session: &Arc<Session>,
        seats: &Arc<Semaphore>,
        entry: &Entry,
        tls: Option<&Tls>,
    ) -> Self {
        let passwords = match entry {
            Entry::Password(passwords) => Some(Arc::clone(passwords)),
            Entry::Nothing | Entry::Closed => None,
        };
        let scram = passwords.map(|passwords| {
            let mut scram = ScramAuth::new(passwords);
            if let Some(tls) = tls
                && let Err(error) = scram.configure_certificate(&tls.certificate)
            {
                // Clients that do not insist on channel binding come in without it.
                debug!(%error, "no channel binding with this certificate");
            }
            let keys = Keys {
                gateway: gateway.clone(),
                session: session.clone(),
            };
            SASLAuthStartupHandler::new(Arc::new(Parameters(session.clone())))
                .with_scram(scram)
                .with_pid_secret_key_generator(Arc::new(keys))
        });
        Self {
            gateway: gateway.clone(),
            session: session.clone(),
            seats: seats.clone(),
            seat: Mutex::default(),
            encrypted: tls.is_some(),
            scram,
            closed: matches!(entry, Entry::Closed),
        }
    }
}

#[async_trait]
impl StartupHandler for Door {
    async fn on_startup<C>(
        &self,
        client: &mut C,
        mut message: PgWireFrontendMessage,
    ) -> PgWireResult<()>
    where
        C: ClientInfo + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        if let PgWireFrontendMessage::Startup(startup) = &mut message {
            if self.encrypted && !client.is_secure() {
                return Err(Error::fatal("28000", "this server is reached by TLS only")
                    .hint("Ask for it by sslmode=require, or better sslmode=verify-full.")
                    .into());
            }
            if self.closed {
                let message = "clients from other machines need a password, and there is none";
                return Err(Error::fatal("28000", message)
                .hint(
                    "Start the gateway with --password-file, a file with lines <user>:<password>.",
                )
                .into());
            }
            let seat = self.seats.clone().try_acquire_owned();
            let seat = seat.map_err(|_| {
                Error::fatal("53300", "sorry, too many clients already").hint(
                    "Close a connection, or start the gateway with a larger --psql-connections.",
                )
            })?;
            *self.seat.lock() = Some(seat);
            let replication = startup.parameters.get("replication");
            if replication.is_some_and(|value| boolean(value) != Some(false)) {
                return Err(Error::fatal("0A000", "there is nothing to replicate here").into());
            }
            let introduced = self.session.introduce(&startup.parameters);
            introduced.map_err(Error::at_startup)?;
            // A client of a later protocol has to know which one is spoken here, and which of its options are unknown.
            let options = startup.parameters.keys().cloned();
            let options: Vec<_> = options.filter(|name| name.starts_with("_pq_.")).collect();
            let minor = &mut startup.protocol_number_minor;
            let wished = std::mem::replace(minor, if *minor < LATEST { 0 } else { LATEST });
            if wished > LATEST || !options.is_empty() {
                let spoken = 3 << 16 | i32::from(*minor);
                let answer = NegotiateProtocolVersion::new(spoken, options);
                let answer = PgWireBackendMessage::NegotiateProtocolVersion(answer);
                client.feed(answer).await?;
            }
        }
        if let Some(scram) = &self.scram {
            return scram.on_startup(client, message).await;
        }
        if let PgWireFrontendMessage::Startup(startup) = message {
            protocol_negotiation(client, &startup).await?;
            save_startup_parameters_to_metadata(client, &startup);
            let (pid, secret) = self.gateway.sessions.enter(&self.session, &*client);
            client.set_pid_and_secret_key(pid, secret);
            finish_authentication(client, &Parameters(self.session.clone())).await?;
        }
        Ok(())
    }
}

/// Makes the key by which a connection's query can be cancelled.
struct Keys {
    gateway: Arc<Gateway>,
    session: Arc<Session>,
}

impl PidSecretKeyGenerator for Keys {
    fn generate(&self, client: &dyn ClientInfo) -> (i32, SecretKey) {
        self.gateway.sessions.enter(&self.session, client)
    }
}

/// What a client is told of the server when it comes in.
struct Parameters(Arc<Session>);

impl ServerParameterProvider for Parameters {
    fn server_parameters<C: ClientInfo>(&self, _client: &C) -> Option<HashMap<String, String>> {
        let settings = self.0.settings();
        let value = |name: &str| settings.get(&name.to_lowercase()).cloned();
        let told = reported().filter_map(|name| Some((name.to_owned(), value(name)?)));
        Some(told.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_on_this_machine_needs_no_password_and_everyone_else_does() {
        let passwords = Arc::new(Passwords(HashMap::new()));
        let guests = |passwords: Option<&Arc<Passwords>>, only_from_here| Guests {
            passwords: passwords.cloned(),
            neighbours: vec!["172.18.0.0/16".parse().unwrap()],
            only_from_here,
        };
        for (guests, peer, expected) in [
            (guests(Some(&passwords), false), "172.18.0.1", "nothing"),
            (
                guests(Some(&passwords), false),
                "::ffff:172.18.0.1",
                "nothing",
            ),
            (guests(Some(&passwords), false), "192.168.1.7", "password"),
            (guests(None, false), "172.18.0.1", "nothing"),
            (guests(None, false), "192.168.1.7", "closed"),
            (guests(Some(&passwords), true), "127.0.0.1", "password"),
            (guests(None, true), "127.0.0.1", "nothing"),
        ] {
            let found = match guests.entry(peer.parse().unwrap()) {
                Entry::Nothing => "nothing",
                Entry::Password(_) => "password",
                Entry::Closed => "closed",
            };
            assert_eq!(found, expected, "{peer}: {guests:?}");
        }
    }

    #[test]
    fn a_password_file_must_hold_users_with_passwords() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("passwords");
        for (text, users) in [
            ("anna:secret\n", Ok(1)),
            ("# operators\nanna:se:cret\n\nben:x\n", Ok(2)),
            ("anna\n", Err("line 1")),
            ("anna:secret\nben:\n", Err("line 2")),
            ("\n", Err("no user")),
        ] {
            std::fs::write(&path, text).unwrap();
            match (Passwords::read(&path), users) {
                (Ok(found), Ok(users)) => assert_eq!(found.0.len(), users, "{text:?}"),
                (Err(error), Err(part)) => assert!(error.to_string().contains(part), "{error}"),
                (found, _) => panic!("{text:?}: {found:?}"),
            }
        }
    }
}
