//! `doctor`: finds out what is wrong with the system, and says what to do about it.
//!
//! It changes nothing. If a part cannot be reached, the checks that depend on it are skipped, so that one cause makes one
//! finding.
//!
//! | file | what it holds |
//! |---|---|
//! | `addresses.rs` | the addresses of the parts: from flags, from a data directory, or the default ports |
//! | `disk.rs` | the space left for the data directory |
//! | `nodes.rs` | the nodes of a Restate cluster |
//! | `parts.rs` | whether each part answers, and whether faults are switched on |
//! | `probe.rs` | what answers at an address, and which process has its port |
//! | `runtime.rs` | what Restate knows: deployments, subscriptions, orders, drivers |
//! | `invocations.rs` | which invocations are stuck, and why |
//! | `topics.rs` | Kafka's topics: settings that lose records, readers that are stuck |
//! | `finding.rs` | a finding, and how it is printed |

mod addresses;
mod disk;
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

/// Checks everything and prints the findings.
///
/// # Errors
/// If anything is wrong, so that scripts see it in the exit code.
pub async fn main(args: Args) -> anyhow::Result<()> {
    let addresses = Addresses::find(args)?;
    say!("Checking {}.\n", addresses.origin);
    let (mut findings, up) = parts::check(&addresses).await;
    let (runtime, topics, faults) = futures::join!(
        runtime::check(&addresses, &up),
        topics::check(&addresses, &up),
        parts::faults(&addresses, &up)
    );
    findings.extend(faults);
    findings.extend(runtime);
    findings.extend(topics);
    findings.extend(addresses.data_dir.as_deref().map(disk::look));

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

/// The findings of a check, or one finding that the check was impossible.
fn or_failed(subject: &str, checked: anyhow::Result<Vec<Finding>>) -> Vec<Finding> {
    checked.unwrap_or_else(|error| {
        vec![Finding::wrong(
            subject,
            format!("cannot be checked: {error:#}"),
            "see the log of restate-server",
        )]
    })
}
