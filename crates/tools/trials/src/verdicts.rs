//! Prints the audit's verdicts.

use anyhow::bail;
use audit::Verdict;

/// How many violations of an invariant are shown. `trials chaos --facts` can recompute all of them.
const SHOWN: usize = 10;

/// Prints the verdicts. Fails if an invariant is broken.
pub(crate) fn print(verdicts: &[Verdict]) -> anyhow::Result<()> {
    say!("\nInvariants, from books, topics and the runtime's state:");
    for verdict in verdicts {
        let mark = if verdict.holds() { "holds " } else { "BROKEN" };
        say!(
            "  {mark}  {} ({} checked)",
            verdict.invariant.sentence(),
            verdict.checked
        );
        for violation in verdict.violations.iter().take(SHOWN) {
            say!("          {violation}");
        }
        if let Some(more @ 1..) = verdict.violations.len().checked_sub(SHOWN) {
            say!("          and {more} more");
        }
    }
    let broken = verdicts.iter().filter(|verdict| !verdict.holds()).count();
    if broken > 0 {
        bail!("{broken} invariants are broken");
    }
    Ok(())
}
