//! `doctor`: says what is wrong when the system does not move, and what to do about it.
//!
//! It only looks; nothing is changed. Where something cannot be reached, what depends on it is not looked at, so that one
//! cause makes one finding.
//!
//! | file | what it holds |
//! |---|---|
//! | `addresses.rs` | where the parts are: from flags, a data directory, or the usual ports |
//! | `nodes.rs` | the nodes of a Restate cluster |
//! | `parts.rs` | does each part answer, and does it fail on purpose |
//! | `probe.rs` | what answers at an address, and who has its port |
//! | `runtime.rs` | what Restate knows: deployments, subscriptions, orders, drivers |
//! | `invocations.rs` | which invocations do not go on, and why |
//! | `topics.rs` | Kafka's topics: settings that lose records, readers that do not go on |
//! | `finding.rs` | what was found, in words |

mod addresses;
mod finding;
mod invocations;
mod nodes;
mod parts;
mod probe;
mod runtime;
mod topics;

use anyhow::bail;

use self::addresses::Addresses;
pub use self::addresses::Args;
use self::finding::Finding;

/// Looks at everything and says what it finds.
///
/// # Errors
/// If anything is wrong, so that scripts can tell.
pub async fn main(args: Args) -> anyhow::Result<()> {
    let addresses = Addresses::find(args)?;
    say!("Looking at {}.\n", addresses.origin);
    let (mut findings, up) = parts::look(&addresses).await;
    let (runtime, topics, faults) = futures::join!(
        runtime::look(&addresses, &up),
        topics::look(&addresses, &up),
        parts::faults(&addresses, &up)
    );
    findings.extend(faults);
    findings.extend(runtime);
    findings.extend(topics);

    let wrong = findings.iter().filter(|found| found.is_wrong()).count();
    for finding in &findings {
        say!("{finding}");
    }
    match wrong {
        0 => {
            say!("\nNothing is wrong.");
            Ok(())
        }
        1 => bail!("one thing is wrong"),
        wrong => bail!("{wrong} things are wrong"),
    }
}

/// What was found out about `subject`, or that it could not be.
fn or_unknown(subject: &str, looked: anyhow::Result<Vec<Finding>>) -> Vec<Finding> {
    looked.unwrap_or_else(|error| {
        vec![Finding::wrong(
            subject,
            format!("cannot be looked at: {error:#}"),
            "see the log of restate-server",
        )]
    })
}
