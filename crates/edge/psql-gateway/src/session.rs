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

use crate::catalogue::facts::{self, Setting};
use crate::cursor::Cursor;
use crate::error::{Error, Result};
use crate::handler::Parsed;
use crate::rewrite;
pub(crate) use crate::rewrite::Session as About;
use crate::zone::Zone;

/// How many prepared statements a connection may keep.
const MAX_PREPARED: usize = 1_000;
/// How many cursors a connection may keep. Each is a query of the runtime that has not ended.
const MAX_CURSORS: usize = 100;

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
    /// The zone in which times are shown.
    zone: Arc<Zone>,
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

/// Settings whose values differ from PostgreSQL's defaults, and those without one.
pub(crate) const DEFAULTS: [(&str, &str); 18] = [
    ("application_name", ""),
    ("client_encoding", "UTF8"),
    ("datestyle", "ISO, MDY"),
    ("default_transaction_read_only", "on"),
    ("in_hot_standby", "off"),
    ("integer_datetimes", "on"),
    ("is_superuser", "off"),
    ("lc_collate", "C"),
    ("lc_ctype", "C"),
    ("max_identifier_length", "63"),
    ("role", "none"),
    ("search_path", "public"),
    ("server_encoding", "UTF8"),
    ("server_version", rewrite::SERVER_VERSION),
    ("server_version_num", "150000"),
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

/// The value of a setting at the beginning.
pub(crate) fn default(name: &str) -> Option<&'static str> {
    let ours = DEFAULTS.iter().find(|(known, _)| *known == name);
    ours.map(|(_, value)| *value)
        .or_else(|| Some(setting(name)?.default))
}

/// A setting of PostgreSQL, by its name in any case.
pub(crate) fn setting(name: &str) -> Option<&'static Setting> {
    let mut settings = facts::settings().iter();
    settings.find(|setting| setting.name.eq_ignore_ascii_case(name))
}

impl Session {
    pub(crate) fn new(longest_statement: Duration) -> Self {
        Self {
            state: Mutex::new(State {
                about: About {
                    user: "restate".to_owned(),
                    database: "restate".to_owned(),
                    pid: 0,
                    settings: BTreeMap::new(),
                },
                prepared: HashMap::new(),
                cursors: HashMap::new(),
                zone: Arc::default(),
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
        let mut state = self.state.lock();
        if let Some(user) = parameters.get("user") {
            state.about.user.clone_from(user);
            state.about.database.clone_from(user);
        }
        if let Some(database) = parameters.get("database") {
            state.about.database.clone_from(database);
        }
        drop(state);
        let options = parameters.get("options").map(|text| options(text));
        for (name, value) in options.transpose()?.unwrap_or_default() {
            self.set(&name, &value)?;
        }
        for (name, value) in parameters {
            let name = name.to_lowercase();
            // libpq names the encoding of its terminal; whatever that is, UTF-8 is what it gets, and it is told so.
            let is_setting = ![
                "user",
                "database",
                "options",
                "replication",
                "client_encoding",
            ]
            .contains(&name.as_str());
            if is_setting && !name.starts_with("_pq_.") {
                self.set(&name, value)?;
            }
        }
        Ok(())
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
        let changed = self.state.lock().about.settings.get(&name).cloned();
        if name == "transaction_isolation" && changed.is_none() {
            return self.setting("default_transaction_isolation");
        }
        let value = changed.or_else(|| default(&name).map(str::to_owned));
        value.ok_or_else(|| unknown_setting(&name))
    }

    /// The zone in which times are shown.
    pub(crate) fn zone(&self) -> Arc<Zone> {
        self.state.lock().zone.clone()
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
        let names = facts::settings().iter().map(|setting| setting.name);
        let names = names.chain(DEFAULTS.map(|(name, _)| name));
        let mut all: BTreeMap<String, String> = names
            .filter_map(|name| {
                Some((
                    name.to_lowercase(),
                    default(&name.to_lowercase())?.to_owned(),
                ))
            })
            .collect();
        all.extend(self.about().settings);
        all
    }

    /// Changes a setting. Values that PostgreSQL would refuse are refused; what has no effect here is remembered all the same.
    pub(crate) fn set(&self, name: &str, value: &str) -> Result<()> {
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
            "statement_timeout" => {
                let limit = timeout(value)?.unwrap_or_default();
                limit.as_millis().to_string()
            }
            "timezone" => {
                let zone = Arc::new(Zone::named(value).ok_or_else(invalid)?);
                let name = zone.name().to_owned();
                self.state.lock().zone = zone;
                name
            }
            "datestyle" => date_style(&self.setting("datestyle")?, value)?.ok_or_else(invalid)?,
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
        self.state.lock().about.settings.insert(name, value);
        Ok(())
    }

    /// Gives a setting, or all, the value of the beginning.
    pub(crate) fn reset(&self, name: Option<&str>) -> Result<()> {
        let Some(name) = name.map(str::to_lowercase) else {
            let mut state = self.state.lock();
            state.about.settings.clear();
            state.zone = Arc::default();
            return Ok(());
        };
        if default(&name).is_none() && !name.contains('.') {
            return Err(unknown_setting(&name));
        }
        let mut state = self.state.lock();
        if name == "timezone" {
            state.zone = Arc::default();
        }
        state.about.settings.remove(&name);
        Ok(())
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
            let message = format!("more than {MAX_PREPARED} prepared statements");
            return Err(
                Error::new("54000", message).hint("DEALLOCATE those that are not needed any more.")
            );
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
            return Err(Error::new(
                "42P03",
                format!("cursor \"{name}\" already exists"),
            ));
        }
        if state.cursors.len() >= MAX_CURSORS {
            let message = format!("more than {MAX_CURSORS} cursors");
            return Err(
                Error::new("54000", message).hint("CLOSE those that are not needed any more.")
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

fn unknown_setting(name: &str) -> Error {
    let message = format!("unrecognized configuration parameter \"{name}\"");
    Error::new("42704", message)
}

pub(crate) fn unknown_cursor(name: &str) -> Error {
    Error::new("34000", format!("cursor \"{name}\" does not exist"))
}

/// The settings in the startup parameter `options`, which is written like arguments of a command: `-c name=value` or
/// `--name=value`, where a backslash makes the next character a part of the argument.
fn options(text: &str) -> Result<Vec<(String, String)>> {
    let mut words: Vec<String> = Vec::new();
    let mut letters = text.chars();
    let mut is_new = true;
    while let Some(letter) = letters.next() {
        if letter.is_whitespace() {
            is_new = true;
            continue;
        }
        if std::mem::take(&mut is_new) {
            words.push(String::new());
        }
        let letter = if letter == '\\' {
            letters.next()
        } else {
            Some(letter)
        };
        words
            .last_mut()
            .into_iter()
            .for_each(|word| word.extend(letter));
    }
    let mut settings = Vec::new();
    let mut words = words.into_iter();
    while let Some(word) = words.next() {
        let given = match word.strip_prefix("--").or_else(|| word.strip_prefix("-c")) {
            Some("") => words.next(),
            given => given.map(str::to_owned),
        };
        let setting = given.as_ref().and_then(|given| given.split_once('='));
        let Some((name, value)) = setting else {
            let message = format!("invalid command-line argument for server process: {word}");
            return Err(Error::new("42601", message).hint("Write settings as -c name=value."));
        };
        settings.push((name.trim().replace('-', "_"), value.to_owned()));
    }
    Ok(settings)
}

/// Units of time in milliseconds.
const UNITS: [(u64, &str); 5] = [
    (86_400_000, "d"),
    (3_600_000, "h"),
    (60_000, "min"),
    (1_000, "s"),
    (1, "ms"),
];

/// A number of milliseconds in the largest unit in which it is whole, as `SHOW` has it.
pub(crate) fn with_unit(milliseconds: &str) -> String {
    let number: u64 = milliseconds.parse().unwrap_or(0);
    let unit = UNITS
        .iter()
        .find(|(factor, _)| number > 0 && number.is_multiple_of(*factor));
    unit.map_or_else(
        || "0".to_owned(),
        |(factor, unit)| format!("{}{unit}", number / factor),
    )
}

/// A truth value as settings take it.
pub(crate) fn boolean(value: &str) -> Option<bool> {
    match value.to_lowercase().as_str() {
        "on" | "true" | "t" | "yes" | "y" | "1" => Some(true),
        "off" | "false" | "f" | "no" | "n" | "0" => Some(false),
        _ => None,
    }
}

impl Setting {
    /// The value as it is shown, if it is a valid one.
    fn valid(&self, value: &str) -> Option<String> {
        match self.kind {
            "bool" => boolean(value).map(|value| if value { "on" } else { "off" }.to_owned()),
            "enum" => {
                let mut values = self.values.trim_matches(['{', '}']).split(',');
                let known =
                    values.find(|known| known.trim_matches('"').eq_ignore_ascii_case(value));
                known
                    .map(|known| known.trim_matches('"').to_owned())
                    .or_else(|| {
                        boolean(value)
                            .map(|_| value.to_lowercase())
                            .filter(|_| self.values.contains("on"))
                    })
            }
            "integer" | "real" => {
                let digits = value.trim().trim_start_matches('-');
                digits
                    .starts_with(|c: char| c.is_ascii_digit())
                    .then(|| value.to_owned())
            }
            _ => Some(value.to_owned()),
        }
    }
}

/// A date style that is `now` and is changed by the words of `wished`: an output style, an order of the parts, or both.
fn date_style(now: &str, wished: &str) -> Result<Option<String>> {
    let (style, mut order) = now.split_once(", ").unwrap_or(("ISO", "MDY"));
    for word in wished.split(',').map(str::trim) {
        match word.to_lowercase().as_str() {
            "iso" => {}
            "sql" | "postgres" | "postgresql" | "german" => {
                let message = format!("date style {word}");
                return Err(
                    Error::unsupported(message).hint("Dates are sent as ISO 8601 has them.")
                );
            }
            "mdy" | "us" | "noneuropean" | "default" => order = "MDY",
            "dmy" | "euro" | "european" => order = "DMY",
            "ymd" => order = "YMD",
            _ => return Ok(None),
        }
    }
    Ok(Some(format!("{style}, {order}")))
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
    let unit = if unit.trim().is_empty() {
        "ms"
    } else {
        unit.trim()
    };
    let factor = UNITS.iter().find(|(_, name)| *name == unit);
    let number: Option<u64> = number.parse().ok();
    match number
        .zip(factor)
        .and_then(|(number, (factor, _))| number.checked_mul(*factor))
    {
        Some(ms) => Ok((ms > 0).then(|| Duration::from_millis(ms))),
        None => Err(Error::new(
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
        session.reset(None).unwrap();
        assert_eq!(session.setting("STATEMENT_TIMEOUT").unwrap(), "0");
    }
}
