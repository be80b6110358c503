//! What a connection remembers, and how another connection can cancel its query.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::Mutex;
use pgwire::api::cancel::CancelHandler;
use pgwire::api::{ClientInfo, PidSecretKeyGenerator, RandomPidSecretKeyGenerator};
use pgwire::messages::cancel::CancelRequest;
use pgwire::messages::startup::SecretKey;
use sqlparser::ast::Statement;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::error::{Error, Result};
use crate::rewrite;

/// How many statements of SQL's own `PREPARE` a connection may keep.
const MAX_PREPARED: usize = 1_000;

/// A connection's memory.
#[derive(Debug)]
pub(crate) struct Session {
    state: Mutex<State>,
    longest_statement: Duration,
}

#[derive(Debug)]
struct State {
    about: rewrite::Session,
    settings: BTreeMap<String, String>,
    prepared: HashMap<String, Arc<Prepared>>,
    running: Running,
}

/// A statement of SQL's own `PREPARE`.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) statement: Statement,
    /// The text it came in, for positions of errors.
    pub(crate) text: Arc<str>,
}

/// What limits the statement that is being run.
#[derive(Debug, Clone)]
pub(crate) struct Running {
    pub(crate) cancelled: CancellationToken,
    pub(crate) deadline: Instant,
}

impl Running {
    /// Ends with an error when the statement is to end before `work` is done.
    pub(crate) async fn limit<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        tokio::select! {
            biased;
            () = self.cancelled.cancelled() => {
                Err(Error::new("57014", "canceling statement due to user request"))
            }
            done = work => done,
            () = tokio::time::sleep_until(self.deadline) => {
                Err(Error::new("57014", "canceling statement due to statement timeout")
                    .hint("SET statement_timeout, up to the gateway's --statement-timeout."))
            }
        }
    }
}

/// Settings that tools ask for, as they are at the beginning.
pub(crate) const SETTINGS: [(&str, &str); 25] = [
    ("application_name", ""),
    ("bytea_output", "hex"),
    ("client_encoding", "UTF8"),
    ("client_min_messages", "notice"),
    ("datestyle", "ISO, MDY"),
    ("default_transaction_isolation", "read committed"),
    ("default_transaction_read_only", "on"),
    ("extra_float_digits", "1"),
    ("in_hot_standby", "off"),
    ("integer_datetimes", "on"),
    ("intervalstyle", "postgres"),
    ("is_superuser", "off"),
    ("lc_collate", "C"),
    ("lc_ctype", "C"),
    ("max_identifier_length", "63"),
    ("role", "none"),
    ("search_path", "public"),
    ("server_encoding", "UTF8"),
    ("server_version", rewrite::SERVER_VERSION),
    ("server_version_num", "140000"),
    ("standard_conforming_strings", "on"),
    ("statement_timeout", "0"),
    ("timezone", "UTC"),
    ("transaction_isolation", "read committed"),
    ("transaction_read_only", "on"),
];

/// Settings whose values clients keep track of, in the spelling they know.
pub(crate) const REPORTED: [&str; 12] = [
    "application_name",
    "client_encoding",
    "DateStyle",
    "default_transaction_read_only",
    "in_hot_standby",
    "integer_datetimes",
    "IntervalStyle",
    "is_superuser",
    "server_encoding",
    "server_version",
    "standard_conforming_strings",
    "TimeZone",
];

/// Settings that cannot be changed.
const FIXED: [&str; 7] = [
    "server_version",
    "server_version_num",
    "server_encoding",
    "integer_datetimes",
    "in_hot_standby",
    "is_superuser",
    "max_identifier_length",
];

fn defaults() -> BTreeMap<String, String> {
    SETTINGS
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
}

impl Session {
    pub(crate) fn new(longest_statement: Duration) -> Self {
        Self {
            state: Mutex::new(State {
                about: rewrite::Session {
                    user: "restate".to_owned(),
                    database: "restate".to_owned(),
                    pid: 0,
                },
                settings: defaults(),
                prepared: HashMap::new(),
                running: Running {
                    cancelled: CancellationToken::new(),
                    deadline: Instant::now(),
                },
            }),
            longest_statement,
        }
    }

    /// Takes over what the client says of itself.
    pub(crate) fn introduce(&self, parameters: &BTreeMap<String, String>) {
        let mut state = self.state.lock();
        if let Some(user) = parameters.get("user") {
            state.about.user.clone_from(user);
            state.about.database.clone_from(user);
        }
        if let Some(database) = parameters.get("database") {
            state.about.database.clone_from(database);
        }
        drop(state);
        for (name, value) in parameters {
            let name = name.to_lowercase();
            // libpq names the encoding of its terminal; whatever that is, UTF-8 is what it gets, and it is told so.
            if SETTINGS.iter().any(|(known, _)| *known == name) && name != "client_encoding" {
                let _ = self.set(&name, value);
            }
        }
    }

    /// Who and what this connection is.
    pub(crate) fn about(&self) -> rewrite::Session {
        self.state.lock().about.clone()
    }

    /// Starts a statement, or continues one after some of its rows were fetched. It can be cancelled from now on, and its time limit
    /// starts now.
    pub(crate) fn begin(&self) -> Running {
        let mut state = self.state.lock();
        let wished = state.settings.get("statement_timeout");
        let wished = wished.and_then(|text| timeout(text).ok()).flatten();
        let longest = self.longest_statement;
        state.running = Running {
            cancelled: CancellationToken::new(),
            deadline: Instant::now() + wished.map_or(longest, |wished| wished.min(longest)),
        };
        state.running.clone()
    }

    /// The limits of the statement that is being run.
    pub(crate) fn running(&self) -> Running {
        self.state.lock().running.clone()
    }

    /// The value of a setting.
    pub(crate) fn setting(&self, name: &str) -> Result<String> {
        let name = name.to_lowercase();
        let value = self.state.lock().settings.get(&name).cloned();
        value.ok_or_else(|| {
            let message = format!("unrecognized configuration parameter \"{name}\"");
            Error::new("42704", message).about(&name)
        })
    }

    /// All settings.
    pub(crate) fn settings(&self) -> BTreeMap<String, String> {
        self.state.lock().settings.clone()
    }

    /// Changes a setting; what has no effect here is remembered all the same, as tools set what they are used to.
    pub(crate) fn set(&self, name: &str, value: &str) -> Result<()> {
        let name = name.to_lowercase();
        let value = match name.as_str() {
            fixed if FIXED.contains(&fixed) => {
                let message = format!("parameter \"{name}\" cannot be changed");
                return Err(Error::new("55P02", message));
            }
            "client_encoding" => {
                let plain = value.to_uppercase().replace(['-', '_'], "");
                if !["UTF8", "UNICODE", "SQLASCII"].contains(&plain.as_str()) {
                    return Err(Error::unsupported(format!(
                        "encoding {value}: only UTF8 is spoken here"
                    )));
                }
                "UTF8"
            }
            "statement_timeout" => {
                timeout(value)?;
                value
            }
            "transaction_read_only" | "default_transaction_read_only"
                if ["off", "false", "0", "no"].contains(&value.to_lowercase().as_str()) =>
            {
                return Err(Error::read_only("set transaction read-write mode"));
            }
            "timezone"
                if !["utc", "etc/utc", "gmt", "default"]
                    .contains(&value.to_lowercase().as_str()) =>
            {
                // Times are sent with their offset, +00, so nobody is misled.
                "UTC"
            }
            _ => value,
        };
        self.state.lock().settings.insert(name, value.to_owned());
        Ok(())
    }

    /// Gives a setting, or all, the value of the beginning.
    pub(crate) fn reset(&self, name: Option<&str>) {
        let mut state = self.state.lock();
        let Some(name) = name.map(str::to_lowercase) else {
            state.settings = defaults();
            return;
        };
        match SETTINGS.iter().find(|(known, _)| *known == name) {
            Some((_, value)) => state.settings.insert(name, (*value).to_owned()),
            None => state.settings.remove(&name),
        };
    }

    /// Keeps a statement under a name.
    pub(crate) fn prepare(&self, name: &str, prepared: Prepared) -> Result<()> {
        let mut state = self.state.lock();
        if state.prepared.contains_key(name) {
            let message = format!("prepared statement \"{name}\" already exists");
            return Err(Error::new("42P05", message));
        }
        if state.prepared.len() >= MAX_PREPARED {
            let message = format!("more than {MAX_PREPARED} prepared statements");
            return Err(
                Error::new("54000", message).hint("DEALLOCATE those that are not needed any more.")
            );
        }
        state.prepared.insert(name.to_owned(), Arc::new(prepared));
        Ok(())
    }

    /// The statement of this name.
    pub(crate) fn prepared(&self, name: &str) -> Result<Arc<Prepared>> {
        let prepared = self.state.lock().prepared.get(name).cloned();
        prepared.ok_or_else(|| unknown_statement(name))
    }

    /// Forgets the statement of this name, or all.
    pub(crate) fn deallocate(&self, name: Option<&str>) -> Result<()> {
        let mut state = self.state.lock();
        let Some(name) = name else {
            state.prepared.clear();
            return Ok(());
        };
        let removed = state.prepared.remove(name).is_some();
        removed.then_some(()).ok_or_else(|| unknown_statement(name))
    }
}

fn unknown_statement(name: &str) -> Error {
    let message = format!("prepared statement \"{name}\" does not exist");
    Error::new("26000", message).about(name)
}

/// A time as `statement_timeout` takes it: a number of ms, or one with a unit. Nothing if it is 0, which stands for no limit.
fn timeout(text: &str) -> Result<Option<Duration>> {
    let text = text.trim();
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, unit) = text.split_at(digits);
    let factor = match unit.trim() {
        "" | "ms" => 1,
        "s" => 1_000,
        "min" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => 0,
    };
    let number: Option<u64> = number.parse().ok();
    match number.and_then(|number| number.checked_mul(factor)) {
        Some(ms) if factor > 0 => Ok((ms > 0).then(|| Duration::from_millis(ms))),
        _ => Err(Error::new(
            "22023",
            format!("invalid value for parameter \"statement_timeout\": \"{text}\""),
        )
        .hint("Valid units are \"ms\", \"s\", \"min\", \"h\", and \"d\".")),
    }
}

/// All connections that can be cancelled, by the key that each of them was given.
#[derive(Debug, Default)]
pub(crate) struct Sessions {
    keys: RandomPidSecretKeyGenerator,
    all: Mutex<HashMap<i32, (SecretKey, Weak<Session>)>>,
}

impl Sessions {
    /// Makes a key for a connection.
    pub(crate) fn enter(
        &self,
        session: &Arc<Session>,
        client: &dyn ClientInfo,
    ) -> (i32, SecretKey) {
        let (pid, secret) = self.keys.generate(client);
        session.state.lock().about.pid = pid;
        let known = (secret.clone(), Arc::downgrade(session));
        self.all.lock().insert(pid, known);
        (pid, secret)
    }

    /// Forgets a connection.
    pub(crate) fn leave(&self, session: &Session) {
        self.all.lock().remove(&session.about().pid);
    }
}

#[async_trait::async_trait]
impl CancelHandler for Sessions {
    async fn on_cancel_request(&self, request: CancelRequest) {
        let session = match self.all.lock().get(&request.pid) {
            Some((secret, session)) if secret.eq_value(&request.secret_key) => session.upgrade(),
            _ => None,
        };
        if let Some(session) = session {
            session.running().cancelled.cancel();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_timeout_is_read_as_postgres_reads_it() {
        for (text, ms) in [
            ("0", None),
            ("1500", Some(1500)),
            ("2s", Some(2000)),
            (" 1 min", Some(60_000)),
            ("1h", Some(3_600_000)),
        ] {
            assert_eq!(timeout(text), Ok(ms.map(Duration::from_millis)), "{text}");
        }
        for text in ["", "-1", "1 year", "s", "99999999999999999999s"] {
            assert_eq!(timeout(text).unwrap_err().code, "22023", "{text}");
        }
    }

    #[test]
    fn a_session_cannot_be_made_writable_nor_outlast_the_servers_limit() {
        let session = Session::new(Duration::from_secs(5));
        assert_eq!(
            session
                .set("default_transaction_read_only", "off")
                .unwrap_err()
                .code,
            "25006"
        );
        session.set("statement_timeout", "1h").unwrap();
        assert!(session.begin().deadline <= Instant::now() + Duration::from_secs(5));
        session.set("statement_timeout", "10ms").unwrap();
        assert!(session.begin().deadline <= Instant::now() + Duration::from_millis(10));
        session.reset(None);
        assert_eq!(session.setting("STATEMENT_TIMEOUT").unwrap(), "0");
    }
}
