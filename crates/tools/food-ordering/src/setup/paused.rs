//! Resumes invocations that do not continue by themselves.
//!
//! Our services' retry policies never pause an invocation (`durable::declared`). It can still be paused if it began on a version
//! without a retry policy, or if an operator pauses it. Also, an invocation stays with the deployment that it began on: if that
//! deployment was removed by force, no attempt can succeed until the invocation is moved to the newest one.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures::StreamExt;
use serde::Deserialize;
use tokio::time::{Instant, sleep};

use crate::restate::admin::Admin;

/// How many invocations are queried at a time.
const PAGE: usize = 1_000;
/// How many are resumed at a time.
const AT_ONCE: usize = 32;
/// How long to wait before checking again whether an invocation has been paused.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// An invocation that does not continue by itself.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct Stuck {
    id: String,
    /// `service/handler`
    handler: String,
    status: String,
    /// Whether the deployment it began on is gone.
    is_stranded: bool,
}

/// What to do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Remedy {
    Resume,
    ResumeOnNewest,
    /// Pause it first: only a paused or suspended invocation can be moved to another deployment.
    PauseFirst,
}

impl Stuck {
    fn remedy(&self) -> Remedy {
        match (self.is_stranded, self.status.as_str()) {
            (true, "paused" | "suspended") => Remedy::ResumeOnNewest,
            (true, _) => Remedy::PauseFirst,
            (false, _) => Remedy::Resume,
        }
    }
}

/// What was done.
#[derive(Debug, Default)]
struct Done {
    /// How many were resumed, by handler.
    resumed: BTreeMap<String, usize>,
    /// How many of them were resumed on the newest version, because the one they began on is gone.
    on_newest: usize,
    /// How many could not be resumed, and why the last one could not.
    failed: usize,
    last_error: String,
    /// Whether the deadline passed before all were resumed.
    is_cut_short: bool,
}

/// Resumes every paused invocation, and those whose deployment is gone, until `deadline`. Returns a line about what was resumed;
/// `None` if there was nothing to resume.
pub(super) async fn resume(admin: &Admin, deadline: Instant) -> anyhow::Result<Option<String>> {
    let mut done = Done::default();
    // An invocation that is paused again at once has failed again, and is not resumed a second time.
    let mut seen = BTreeSet::new();
    loop {
        let known = admin.deployments().await?;
        let known: Vec<&str> = known.iter().map(|known| known.id.as_str()).collect();
        let found: Vec<Stuck> = admin.query(&query(&known)).await?;
        let is_last = found.len() < PAGE;
        let new: Vec<Stuck> = (found.into_iter())
            .filter(|stuck| seen.insert((stuck.id.clone(), stuck.status.clone())))
            .collect();
        let is_pausing = new.iter().any(|it| it.remedy() == Remedy::PauseFirst);
        let is_idle = new.is_empty();
        let mut acted = futures::stream::iter(new)
            .map(|stuck| async move {
                let acted = match stuck.remedy() {
                    Remedy::Resume => admin.resume(&stuck.id, false).await,
                    Remedy::ResumeOnNewest => admin.resume(&stuck.id, true).await,
                    Remedy::PauseFirst => admin.pause(&stuck.id).await,
                };
                (stuck, acted)
            })
            .buffer_unordered(AT_ONCE);
        while let Some((stuck, acted)) = acted.next().await {
            done.record(stuck, acted);
        }
        done.is_cut_short = Instant::now() >= deadline;
        if is_idle || done.is_cut_short || (is_last && !is_pausing) {
            return Ok(done.described());
        }
        sleep(POLL_INTERVAL).await;
    }
}

/// The query for these invocations. `known` are the ids of the existing deployments.
fn query(known: &[&str]) -> String {
    let known: Vec<String> = known.iter().map(|id| format!("'{id}'")).collect();
    let stranded = if known.is_empty() {
        "false".to_owned()
    } else {
        format!(
            "coalesce(pinned_deployment_id not in ({}), false)",
            known.join(", ")
        )
    };
    format!(
        "select id, status, {stranded} as is_stranded, target_service_name || '/' || target_handler_name as handler \
         from sys_invocation where status = 'paused' or (status in ('backing-off', 'suspended') and {stranded}) \
         limit {PAGE}"
    )
}

impl Done {
    fn record(&mut self, stuck: Stuck, acted: anyhow::Result<()>) {
        match (stuck.remedy(), acted) {
            (_, Err(error)) => {
                self.failed += 1;
                self.last_error = format!("{error:#}");
            }
            (Remedy::PauseFirst, Ok(())) => {}
            (remedy, Ok(())) => {
                self.on_newest += usize::from(remedy == Remedy::ResumeOnNewest);
                *self.resumed.entry(stuck.handler).or_default() += 1;
            }
        }
    }

    fn described(&self) -> Option<String> {
        let resumed: usize = self.resumed.values().sum();
        if resumed + self.failed == 0 {
            return None;
        }
        let of_handlers: Vec<String> = (self.resumed.iter())
            .map(|(handler, count)| format!("{count} of {handler}"))
            .collect();
        let of_which = if of_handlers.is_empty() {
            String::new()
        } else {
            format!(" ({})", of_handlers.join(", "))
        };
        let on_newest = match self.on_newest {
            0 => String::new(),
            number => format!(
                ", {number} of them on the newest version, because the one they began on is gone"
            ),
        };
        let failed = match self.failed {
            0 => String::new(),
            number => format!("; {number} could not be resumed: {}", self.last_error),
        };
        let more = if self.is_cut_short {
            "; there may be more: run setup again"
        } else {
            ""
        };
        Some(format!(
            "paused invocations: {resumed} resumed{of_which}{on_newest}{failed}{more}"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stuck(status: &str, is_stranded: bool) -> Stuck {
        Stuck {
            id: "inv_1".to_owned(),
            handler: "OrderWorkflow/run".to_owned(),
            status: status.to_owned(),
            is_stranded,
        }
    }

    #[test]
    fn only_invocations_whose_deployment_is_gone_are_moved_to_the_newest_one() {
        for (status, is_stranded, remedy) in [
            ("paused", false, Remedy::Resume),
            ("paused", true, Remedy::ResumeOnNewest),
            ("suspended", true, Remedy::ResumeOnNewest),
            ("backing-off", true, Remedy::PauseFirst),
        ] {
            assert_eq!(stuck(status, is_stranded).remedy(), remedy, "{status}");
        }
    }

    #[test]
    fn resumed_invocations_are_reported_by_handler_and_none_are_not_reported() {
        let mut done = Done::default();
        done.record(stuck("backing-off", true), Ok(()));
        assert_eq!(done.described(), None);
        done.record(stuck("paused", true), Ok(()));
        done.record(stuck("paused", false), Ok(()));
        done.record(stuck("paused", false), Err(anyhow::anyhow!("gone")));
        assert_eq!(
            done.described().unwrap(),
            "paused invocations: 2 resumed (2 of OrderWorkflow/run), 1 of them on the newest version, because the one they began \
             on is gone; 1 could not be resumed: gone"
        );
    }
}
