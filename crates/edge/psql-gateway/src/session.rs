//! What a connection remembers, and how another connection can cancel its query.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::Mutex;
use pgwire::api::cancel::CancelHandler;
use pgwire::api::{ClientInfo, PidSecretKeyGenerator, RandomPidSecretKeyGenerator};
use pgwire::messages::cancel::CancelRequest;
use pgwire::messages::startup::SecretKey;
use pgwire::types::format::FormatOptions;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::about::{About, Changed};
use crate::catalogue::facts;
use crate::cursor::Cursor;
use crate::error::{Error, Result};
use crate::prepared::Parsed;
use crate::settings::{self, boolean, default, setting};
use crate::zone::Zone;

/// How many prepared statements a connection may keep.
const MAX_PREPARED: usize = 1_000;
/// How many cursors a connection may keep. Each is a query of the runtime that has not ended.
const MAX_CURSORS: usize = 100;
/// How many settings a connection may change.
const MAX_SETTINGS: usize = 1_000;
/// How many bytes they may have.
const MAX_SETTINGS_BYTES: usize = 64 * 1024;
/// How many bytes of settings a transaction may keep to undo what is set: each `SET` counts with all of them.
const MAX_UNDO_BYTES: usize = 16 * 1024 * 1024;
/// How many savepoints a transaction may have. pgjdbc makes one for each statement with `autosave=always`, and forgets none.
const MAX_SAVEPOINTS: usize = 100_000;

/// A connection's memory.
#[derive(Debug)]
pub(crate) struct Session {
    state: Mutex<State>,
    longest_statement: Duration,
}

#[derive(Debug)]
struct State {
    about: About,
    /// The prepared statements of SQL and of the extended protocol; nothing for an empty one.
    prepared: HashMap<String, Option<Parsed>>,
    cursors: HashMap<String, Cursor>,
    /// The settings as the client was told of them.
    told: BTreeMap<&'static str, String>,
    /// The settings of the beginning, and those that are left after the transaction: without those of `SET LOCAL`.
    first: Changed,
    lasting: Changed,
    /// The beginning of the transaction, without a name, and its savepoints, each with the settings of the time and those that would last.
    marks: Vec<(String, [Changed; 2])>,
    /// What they may keep of settings that have changed since, in bytes.
    undo_bytes: usize,
    running: Running,
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

impl Session {
    pub(crate) fn new(longest_statement: Duration) -> Self {
        Self {
            state: Mutex::new(State {
                about: About {
                    user: "restate".to_owned(),
                    database: "restate".to_owned(),
                    pid: 0,
                    settings: Changed::default(),
                },
                prepared: HashMap::new(),
                cursors: HashMap::new(),
                told: BTreeMap::new(),
                first: Changed::default(),
                lasting: Changed::default(),
                marks: Vec::new(),
                undo_bytes: 0,
                running: Running {
                    cancelled: CancellationToken::new(),
                    deadline: Instant::now(),
                },
            }),
            longest_statement,
        }
    }

    /// Takes over what the client says of itself: its user, its database and its settings, also those in `options`.
    pub(crate) fn introduce(&self, parameters: &BTreeMap<String, String>) -> Result<()> {
        let nobody = || Error::new("28000", "no PostgreSQL user name in the startup packet");
        let user = parameters.get("user").ok_or_else(nobody)?;
        let database = parameters.get("database").unwrap_or(user);
        let mut state = self.state.lock();
        state.about.user.clone_from(user);
        state.about.database.clone_from(database);
        drop(state);
        self.set("session_authorization", user, false)?;
        let options = parameters.get("options").map_or("", String::as_str);
        for (name, value) in settings::options(options)? {
            self.set(&name, &value, false)?;
        }
        for (name, value) in parameters {
            let name = name.to_lowercase();
            // libpq names the encoding of its terminal; whatever that is, UTF-8 is what it gets, and it is told so.
            let mut others = "user database options replication client_encoding".split(' ');
            let is_other = others.any(|other| other == name);
            if !is_other && !name.starts_with("_pq_.") {
                self.set(&name, value, false)?;
            }
        }
        let mut state = self.state.lock();
        state.first = state.lasting.clone();
        drop(state);
        self.news();
        Ok(())
    }

    /// The settings that have changed since this was asked for, and of which clients keep track.
    pub(crate) fn news(&self) -> Vec<(&'static str, String)> {
        let now = settings::reported().filter_map(|name| Some((name, self.setting(name).ok()?)));
        let now: BTreeMap<_, _> = now.collect();
        let before = std::mem::replace(&mut self.state.lock().told, now.clone());
        let is_new = |(name, value): &(&str, String)| before.get(name) != Some(value);
        now.into_iter().filter(is_new).collect()
    }

    /// Who and what this connection is.
    pub(crate) fn about(&self) -> About {
        self.state.lock().about.clone()
    }

    /// Starts a statement, or continues one after some of its rows were fetched. It can be cancelled from now on, and its time limit
    /// starts now.
    pub(crate) fn begin(&self) -> Running {
        let mut state = self.state.lock();
        let wished = state.about.settings.get("statement_timeout");
        let wished = wished.and_then(|text| settings::timeout(text).ok()?);
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
        let changed = self.state.lock().about.settings.get(&name).cloned();
        if name == "transaction_isolation" && changed.is_none() {
            return self.setting("default_transaction_isolation");
        }
        let value = changed.or_else(|| default(&name).map(str::to_owned));
        value.ok_or_else(|| unknown_setting(&name))
    }

    /// The value of a setting with its unit, as `SHOW` has it.
    pub(crate) fn shown(&self, name: &str) -> Result<String> {
        let value = self.setting(name)?;
        Ok(settings::shown(name, &value))
    }

    /// The zone in which times are shown.
    pub(crate) fn zone(&self) -> Arc<Zone> {
        let name = self.setting("timezone").unwrap_or_default();
        Arc::new(Zone::named(&name).unwrap_or_default())
    }

    /// How values are written.
    pub(crate) fn formats(&self) -> Arc<FormatOptions> {
        let mut formats = FormatOptions::default();
        if let Ok(style) = self.setting("intervalstyle") {
            formats.interval_style = style;
        }
        Arc::new(formats)
    }

    /// The names of all settings, and their values.
    pub(crate) fn settings(&self) -> BTreeMap<String, String> {
        let all = facts::settings().iter();
        let all = all.map(|setting| (setting.name, setting.default));
        let all = all.chain(settings::defaults());
        let all = all.map(|(name, value)| (name.to_lowercase(), value.to_owned()));
        let changed = self.about().settings;
        all.chain((*changed).clone()).collect()
    }

    /// Changes a setting, or does so for the rest of the transaction only. Values that PostgreSQL would refuse are refused; what has no
    /// effect here is remembered all the same.
    pub(crate) fn set(&self, name: &str, value: &str, is_local: bool) -> Result<()> {
        let name = name.to_lowercase();
        let invalid = || {
            let message = format!("invalid value for parameter \"{name}\": \"{value}\"");
            Error::new("22023", message)
        };
        let value = match name.as_str() {
            "client_encoding" => {
                let plain = value.to_uppercase().replace(['-', '_'], "");
                if !["UTF8", "UNICODE", "SQLASCII"].contains(&plain.as_str()) {
                    return Err(Error::unsupported(format!(
                        "encoding {value}: only UTF8 is spoken here"
                    )));
                }
                "UTF8".to_owned()
            }
            "transaction_read_only" | "default_transaction_read_only"
                if boolean(value) == Some(false) =>
            {
                return Err(Error::read_only("set transaction read-write mode"));
            }
            "standard_conforming_strings" if boolean(value) == Some(false) => {
                return Err(Error::unsupported("literals in which backslashes escape"));
            }
            "statement_timeout" => {
                let limit = settings::timeout(value)?.unwrap_or_default();
                limit.as_millis().to_string()
            }
            "timezone" => {
                let zone = Zone::named(value).ok_or_else(invalid)?;
                zone.name().to_owned()
            }
            "datestyle" => {
                settings::date_style(&self.setting("datestyle")?, value)?.ok_or_else(invalid)?
            }
            "intervalstyle"
                if ["sql_standard", "postgres_verbose"].contains(&&*value.to_lowercase()) =>
            {
                return Err(Error::unsupported(format!("interval style {value}"))
                    .hint("The styles here are postgres and iso_8601."));
            }
            "transaction_isolation" | "role" | "session_authorization" => value.to_owned(),
            // Names with a dot are of extensions and applications.
            name if name.contains('.') => value.to_owned(),
            _ => {
                let known = setting(&name);
                let is_variable = known.is_some_and(|known| known.is_variable);
                if !is_variable && default(&name).is_some() {
                    let message = format!("parameter \"{name}\" cannot be changed");
                    return Err(Error::new("55P02", message));
                }
                let known = known.ok_or_else(|| unknown_setting(&name))?;
                known.valid(value).ok_or_else(invalid)?
            }
        };
        let is_local = is_local || name == "transaction_isolation";
        let mut state = self.state.lock();
        let changed = &state.about.settings;
        if changed.len() >= MAX_SETTINGS && !changed.contains_key(&name) {
            return Err(too_many("settings", MAX_SETTINGS));
        }
        let bytes = changed.iter().map(|(name, value)| name.len() + value.len());
        let bytes = bytes.sum::<usize>() + name.len() + value.len();
        if bytes > MAX_SETTINGS_BYTES {
            return Err(too_many("bytes of settings", MAX_SETTINGS_BYTES));
        }
        if !state.marks.is_empty() {
            state.undo_bytes += bytes;
            if state.undo_bytes > MAX_UNDO_BYTES {
                let what = "bytes of settings for one transaction to undo";
                return Err(too_many(what, MAX_UNDO_BYTES));
            }
        }
        if !is_local {
            Arc::make_mut(&mut state.lasting).insert(name.clone(), value.clone());
        }
        if !is_local || !state.marks.is_empty() {
            Arc::make_mut(&mut state.about.settings).insert(name, value);
        }
        Ok(())
    }

    /// Gives a setting, or all, the value of the beginning.
    pub(crate) fn reset(&self, name: Option<&str>) -> Result<()> {
        let state = &mut *self.state.lock();
        for changed in [&mut state.about.settings, &mut state.lasting] {
            let Some(name) = name.map(str::to_lowercase) else {
                changed.clone_from(&state.first);
                continue;
            };
            if default(&name).is_none() && !name.contains('.') {
                return Err(unknown_setting(&name));
            }
            let changed = Arc::make_mut(changed);
            match state.first.get(&name) {
                Some(value) => changed.insert(name, value.clone()),
                None => changed.remove(&name),
            };
        }
        Ok(())
    }

    /// Begins a transaction, or a part of one that can be undone: a savepoint has a name.
    pub(crate) fn mark(&self, name: &str) -> Result<()> {
        let mut state = self.state.lock();
        if state.marks.len() > MAX_SAVEPOINTS {
            return Err(too_many("savepoints", MAX_SAVEPOINTS));
        }
        let settings = [state.about.settings.clone(), state.lasting.clone()];
        state.marks.push((shortened(name).to_owned(), settings));
        Ok(())
    }

    /// Forgets a savepoint and those after it, or undoes what was set since then.
    pub(crate) fn release(&self, name: &str, undo: bool) -> Result<()> {
        let mut state = self.state.lock();
        let is_this = |mark: &(String, _)| mark.0 == shortened(name);
        let found = state.marks.iter().rposition(is_this);
        let unknown = || Error::new("3B001", format!("savepoint \"{name}\" does not exist"));
        let found = found.ok_or_else(unknown)?;
        state.marks.truncate(found + usize::from(undo));
        if let Some((_, settings)) = state.marks.get(found).cloned() {
            [state.about.settings, state.lasting] = settings;
        }
        Ok(())
    }

    /// Ends a transaction. What was set in one that failed is undone.
    pub(crate) fn end(&self, undo: bool) {
        self.close_cursors(false);
        let mut state = self.state.lock();
        state.undo_bytes = 0;
        let begun = std::mem::take(&mut state.marks).into_iter().next();
        if let Some((_, [_, lasting])) = begun.filter(|_| undo) {
            state.lasting = lasting;
        }
        state.about.settings = state.lasting.clone();
    }

    /// Keeps a statement under a name. The empty name stands for the last statement without a name.
    pub(crate) fn prepare(&self, name: &str, prepared: Option<Parsed>) -> Result<()> {
        let mut state = self.state.lock();
        let exists = state.prepared.contains_key(name);
        if exists && !name.is_empty() {
            let message = format!("prepared statement \"{name}\" already exists");
            return Err(Error::new("42P05", message));
        }
        if !exists && state.prepared.len() >= MAX_PREPARED {
            return Err(too_many("prepared statements", MAX_PREPARED)
                .hint("DEALLOCATE those that are not needed any more."));
        }
        state.prepared.insert(name.to_owned(), prepared);
        Ok(())
    }

    /// The statement of this name; nothing if it is empty.
    pub(crate) fn prepared(&self, name: &str) -> Result<Option<Parsed>> {
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

    /// Keeps a cursor under a name.
    pub(crate) fn declare(&self, name: &str, cursor: Cursor) -> Result<()> {
        let mut state = self.state.lock();
        if state.cursors.contains_key(name) {
            return Err(known_cursor(name));
        }
        if state.cursors.len() >= MAX_CURSORS {
            return Err(
                too_many("cursors", MAX_CURSORS).hint("CLOSE those that are not needed any more.")
            );
        }
        state.cursors.insert(name.to_owned(), cursor);
        Ok(())
    }

    /// The cursor of this name.
    pub(crate) fn cursor(&self, name: &str) -> Result<Cursor> {
        let cursor = self.state.lock().cursors.get(name).cloned();
        cursor.ok_or_else(|| unknown_cursor(name))
    }

    /// Closes the cursor of this name.
    pub(crate) fn close(&self, name: &str) -> Result<()> {
        let closed = self.state.lock().cursors.remove(name);
        closed.map(drop).ok_or_else(|| unknown_cursor(name))
    }

    /// Closes all cursors, or those that end with their transaction.
    pub(crate) fn close_cursors(&self, all: bool) {
        let mut state = self.state.lock();
        state.cursors.retain(|_, cursor| cursor.is_held && !all);
    }
}

fn too_many(of_what: &str, most: usize) -> Error {
    Error::new("54000", format!("more than {most} {of_what}"))
}

/// A name without what PostgreSQL leaves away of it.
fn shortened(name: &str) -> &str {
    &name[..name.floor_char_boundary(63)]
}

fn unknown_setting(name: &str) -> Error {
    let message = format!("unrecognized configuration parameter \"{name}\"");
    Error::new("42704", message)
}

pub(crate) fn known_cursor(name: &str) -> Error {
    Error::new("42P03", format!("cursor \"{name}\" already exists"))
}

pub(crate) fn unknown_cursor(name: &str) -> Error {
    Error::new("34000", format!("cursor \"{name}\" does not exist"))
}

fn unknown_statement(name: &str) -> Error {
    let message = format!("prepared statement \"{name}\" does not exist");
    Error::new("26000", message).about(name)
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
    fn a_session_cannot_be_made_writable_nor_outlast_the_servers_limit() {
        let session = Session::new(Duration::from_secs(5));
        assert_eq!(
            session
                .set("default_transaction_read_only", "off", false)
                .unwrap_err()
                .code,
            "25006"
        );
        session.set("statement_timeout", "1h", false).unwrap();
        assert!(session.begin().deadline <= Instant::now() + Duration::from_secs(5));
        session.set("statement_timeout", "10ms", false).unwrap();
        assert!(session.begin().deadline <= Instant::now() + Duration::from_millis(10));
        session.reset(None).unwrap();
        assert_eq!(session.setting("STATEMENT_TIMEOUT").unwrap(), "0");
    }

    #[test]
    fn settings_are_those_of_the_transaction_and_of_the_beginning() {
        let session = Session::new(Duration::from_secs(5));
        let parameters = [("user", "a"), ("application_name", "first")];
        let parameters = parameters.map(|(name, value)| (name.to_owned(), value.to_owned()));
        session.introduce(&parameters.into()).unwrap();
        let set = |value, is_local| session.set("application_name", value, is_local).unwrap();
        let is = |value: &str| assert_eq!(session.setting("application_name").unwrap(), value);
        set("no transaction", true);
        is("first");
        session.mark("").unwrap();
        set("a", false);
        session.mark("s").unwrap();
        set("b", false);
        session.mark("s").unwrap();
        set("c", true);
        is("c");
        session.release("s", true).unwrap();
        is("b");
        session.release("s", false).unwrap();
        session.release("s", true).unwrap();
        is("a");
        assert_eq!(session.release("t", true).unwrap_err().code, "3B001");
        set("local", true);
        session.end(false);
        is("a");
        session.mark("").unwrap();
        set("d", false);
        session.end(true);
        is("a");
        session.reset(Some("application_name")).unwrap();
        is("first");
        for number in 0..2 * MAX_SETTINGS {
            let _ = session.set(&format!("a.b{number}"), "c", false);
        }
        assert_eq!(session.set("a.b", "c", false).unwrap_err().code, "54000");
        session.reset(None).unwrap();
        let long = "c".repeat(MAX_SETTINGS_BYTES);
        assert_eq!(session.set("a.b", &long, false).unwrap_err().code, "54000");
        session.mark("").unwrap();
        let half = &long[long.len() / 2 + 100..];
        let refused = (0..=MAX_UNDO_BYTES / half.len()).find_map(|_| {
            session.mark("s").unwrap();
            session.set("a.b", half, false).err()
        });
        assert_eq!(refused.unwrap().code, "54000");
        session.end(true);
        for _ in 0..=MAX_SAVEPOINTS {
            session.mark(&"s".repeat(100)).unwrap();
        }
        assert_eq!(session.mark("s").unwrap_err().code, "54000");
        session.release(&"s".repeat(63), false).unwrap();
        session.end(true);
        set("e", false);
        session.reset(None).unwrap();
        is("first");
    }
}
