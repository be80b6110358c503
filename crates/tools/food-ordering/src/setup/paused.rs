//! Invocations that rest until somebody resumes them.
//!
//! None of our services pauses an invocation by itself (`durable::declared`). It happens all the same: to invocations of versions
//! that had no retry policy of their own, and by an operator's hand. And an invocation stays with the deployment that it began
//! on: if that one was removed by force, no attempt can succeed until it is moved to the newest one.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures::StreamExt;
use serde::Deserialize;
use tokio::time::{Instant, sleep};

use crate::restate::admin::Admin;

/// How many invocations are asked for at a time.
const PAGE: usize = 1_000;
/// How many are resumed at a time.
const AT_ONCE: usize = 32;
/// How long to wait before checking again whether an invocation has been paused.
const SOON: Duration = Duration::from_millis(50);

/// An invocation that does not go on by itself.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct Stuck {
    id: String,
    /// `service/handler`
    handler: String,
    status: String,
    /// The deployment it began on is gone.
    is_stranded: bool,
}

/// What to do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Remedy {
    Resume,
    ResumeOnNewest,
    /// Only what is paused or suspended can be moved to another deployment.
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
    /// How many of each handler go on.
    resumed: BTreeMap<String, usize>,
    /// How many of them on the newest version, as the one they began on is gone.
    on_newest: usize,
    /// How many could not be resumed, and why the last of them.
    failed: usize,
    last_error: String,
    /// The time was over before all had their turn.
    is_cut_short: bool,
}

/// Resumes every invocation that is paused, and those that wait for a deployment that is gone, until `deadline`. Says what was
/// resumed, if anything was.
pub(super) async fn resume(admin: &Admin, deadline: Instant) -> anyhow::Result<Option<String>> {
    let mut done = Done::default();
    // One that is paused again at once has failed again: it had its turn.
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
            done.note(stuck, acted);
        }
        done.is_cut_short = Instant::now() >= deadline;
        if is_idle || done.is_cut_short || (is_last && !is_pausing) {
            return Ok(done.described());
        }
        sleep(SOON).await;
    }
}

/// Finds them; `known` are the deployments that there are.
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
    fn note(&mut self, stuck: Stuck, acted: anyhow::Result<()>) {
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
                ", {number} of them on the newest version, as the one they began on is gone"
            ),
        };
        let failed = match self.failed {
            0 => String::new(),
            number => format!("; {number} could not be: {}", self.last_error),
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
    fn only_what_waits_for_a_deployment_that_is_gone_is_moved_to_the_newest_one() {
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
    fn what_was_resumed_is_told_by_handler_and_nothing_is_told_of_nothing() {
        let mut done = Done::default();
        done.note(stuck("backing-off", true), Ok(()));
        assert_eq!(done.described(), None);
        done.note(stuck("paused", true), Ok(()));
        done.note(stuck("paused", false), Ok(()));
        done.note(stuck("paused", false), Err(anyhow::anyhow!("gone")));
        assert_eq!(
            done.described().unwrap(),
            "paused invocations: 2 resumed (2 of OrderWorkflow/run), 1 of them on the newest version, as the one they began on \
             is gone; 1 could not be: gone"
        );
    }
}
