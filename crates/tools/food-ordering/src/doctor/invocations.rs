//! Finds invocations that are stuck: which, since when, and why.
//!
//! A few of each kind are named; the rest are only counted.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;

use super::addresses::{Addresses, first};
use super::finding::Finding;
use crate::restate::admin::Admin;

/// How many invocations of each kind are named.
const NAMED: usize = 5;

/// A way in which an invocation can be stuck.
struct Kind {
    /// The SQL condition that finds these invocations.
    condition: &'static str,
    /// What is wrong with one of them; follows its name.
    what: &'static str,
    remedy: Remedy,
}

/// What to do about it.
#[derive(Clone, Copy)]
enum Remedy {
    /// Setup resumes all of them.
    SetUp,
    /// Nothing: Restate retries.
    Wait,
    /// Resume it by its id.
    Resume,
    /// Inspect it, and kill it if it is not wanted.
    Inspect,
}

/// How long is too long depends on the services' own limits: a workflow waits at most 30 days (`deliveryDelay`), every other
/// invocation waits only for other services.
const KINDS: [Kind; 4] = [
    Kind {
        condition: "status = 'paused'",
        what: "is paused",
        remedy: Remedy::SetUp,
    },
    Kind {
        condition: "status = 'backing-off'",
        what: "is backing-off",
        remedy: Remedy::Wait,
    },
    Kind {
        condition: "status = 'suspended' and modified_at < now() - case when target_service_name = 'OrderWorkflow' \
            then interval '31 days' else interval '15 minutes' end",
        what: "is suspended",
        remedy: Remedy::Resume,
    },
    Kind {
        // `expire`, which forgets ended orders, is scheduled long before.
        condition: "status = 'scheduled' and target_handler_name <> 'expire' \
            and scheduled_start_at > now() + interval '1 day'",
        what: "is scheduled later than this system schedules anything",
        remedy: Remedy::Inspect,
    },
];

/// An invocation that is stuck.
#[derive(Debug, Deserialize)]
struct Stuck {
    id: String,
    target: String,
    /// Empty if the query does not select it.
    #[serde(default)]
    service: String,
    #[serde(default)]
    key: Option<String>,
    /// For how many seconds it has been stuck.
    #[serde(default)]
    seconds: Option<u64>,
    #[serde(default)]
    retry_count: Option<u64>,
    #[serde(default)]
    last_failure: Option<String>,
}

/// The findings about stuck invocations.
pub(super) async fn check(admin: &Admin, addresses: &Addresses) -> anyhow::Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for kind in &KINDS {
        let stuck: Vec<Stuck> = admin.query(&named(kind.condition)).await?;
        if stuck.is_empty() {
            continue;
        }
        let number = count(admin, kind.condition).await?;
        let failures = failures(admin, &stuck).await?;
        for it in &stuck {
            let waiting = match &it.key {
                Some(key) => waiting_behind(admin, &it.service, key).await?,
                None => 0,
            };
            let failure = it.last_failure.as_ref().or_else(|| failures.get(&it.id));
            let what = it.described(kind.what, failure.map(String::as_str), waiting);
            let remedy = kind.remedy.for_one(addresses, &it.id);
            findings.push(Finding::wrong("invocations", what, remedy));
        }
        if number > stuck.len() {
            let what = format!("and {} more {}", number - stuck.len(), kind.what);
            let remedy = kind.remedy.for_others(addresses);
            findings.push(Finding::wrong("invocations", what, remedy));
        }
    }
    if findings.is_empty() {
        findings.push(Finding::fine("invocations", "none is stuck"));
    }
    Ok(findings)
}

/// The query for those with the most retries, or else those that have been stuck longest.
fn named(condition: &str) -> String {
    format!(
        "select id, target, target_service_name as service, target_service_key as key, retry_count, last_failure, \
         cast(date_part('epoch', now()) - date_part('epoch', modified_at) as bigint) as seconds \
         from sys_invocation where {condition} order by retry_count desc nulls last, modified_at limit {NAMED}"
    )
}

async fn count(admin: &Admin, condition: &str) -> anyhow::Result<usize> {
    #[derive(Deserialize)]
    struct Counted {
        number: usize,
    }
    let query = format!("select count(*) as number from sys_invocation where {condition}");
    let counted: Vec<Counted> = admin.query(&query).await?;
    Ok(counted.first().map_or(0, |counted| counted.number))
}

/// How many invocations of an object wait for the one that is running.
async fn waiting_behind(admin: &Admin, service: &str, key: &str) -> anyhow::Result<usize> {
    let key = key.replace('\'', "''");
    let waiting = format!(
        "status = 'pending' and target_service_name = '{service}' and target_service_key = '{key}'"
    );
    count(admin, &waiting).await
}

/// Why invocations were paused, by id. Restate forgets the last failure of an invocation that is no longer retried, but its
/// journal's events still have it.
async fn failures(admin: &Admin, stuck: &[Stuck]) -> anyhow::Result<BTreeMap<String, String>> {
    #[derive(Deserialize)]
    struct Event {
        id: String,
        event_json: String,
    }
    let without: Vec<String> = (stuck.iter())
        .filter(|it| it.last_failure.is_none())
        .map(|it| format!("'{}'", it.id))
        .collect();
    if without.is_empty() {
        return Ok(BTreeMap::new());
    }
    let query = format!(
        "select id, event_json from sys_journal_events where id in ({}) order by appended_at",
        without.join(", ")
    );
    let events: Vec<Event> = admin.query(&query).await?;
    let failures = events.into_iter();
    let failures = failures.filter_map(|it| Some((it.id, message(&it.event_json)?)));
    Ok(failures.collect())
}

/// The failure message in an event.
fn message(event: &str) -> Option<String> {
    let event: serde_json::Value = serde_json::from_str(event).ok()?;
    let failure = event.get("last_failure").unwrap_or(&event);
    Some(failure.get("error_message")?.as_str()?.to_owned())
}

impl Stuck {
    fn described(&self, what: &str, failure: Option<&str>, waiting: usize) -> String {
        let since = self.seconds.map(|seconds| {
            let since = humantime::format_duration(Duration::from_secs(seconds));
            format!(", for {since}")
        });
        let attempts = self.retry_count;
        let attempts = attempts.map(|attempts| format!(", after {attempts} attempts"));
        let waiting = (waiting > 0).then(|| format!(", and {waiting} others wait behind it"));
        let failure = failure.and_then(|failure| failure.lines().next());
        format!(
            "{} {what}{}{}{}: {}",
            self.target,
            since.unwrap_or_default(),
            attempts.unwrap_or_default(),
            waiting.unwrap_or_default(),
            failure.unwrap_or("the cause is unknown")
        )
    }
}

impl Remedy {
    fn for_one(self, addresses: &Addresses, id: &str) -> String {
        let node = first(&addresses.restate_admin);
        match self {
            Self::SetUp => format!(
                "when the cause is fixed: curl -X PATCH {node}/invocations/{id}/resume, or for all of them: {}",
                addresses.setup_command()
            ),
            Self::Wait => {
                format!("it is retried and continues when the cause is fixed; see {node}/ui")
            }
            Self::Resume => format!("curl -X PATCH {node}/invocations/{id}/resume"),
            Self::Inspect => format!(
                "a clock or a setting was wrong when it was sent; docs/operating.md explains the effects. To remove it: \
                 curl -X PATCH {node}/invocations/{id}/kill"
            ),
        }
    }

    fn for_others(self, addresses: &Addresses) -> String {
        match self {
            Self::SetUp => addresses.setup_command(),
            Self::Wait | Self::Resume | Self::Inspect => {
                format!("see all of them: {}/ui", first(&addresses.restate_admin))
            }
        }
    }
}
