//! Signals that tell the process to stop.

use anyhow::Context;
use procfs_core::FromRead;
use procfs_core::process::Status;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Becomes cancelled on Ctrl-C, SIGTERM, or SIGHUP when the terminal is closed.
#[derive(Debug, Clone)]
pub struct Shutdown {
    /// Cancelled at the first signal: stop in order.
    pub requested: CancellationToken,
    /// Cancelled at the second signal: stop at once.
    pub forced: CancellationToken,
}

/// Handles these signals from now on, so that they no longer end the process by themselves. Under `nohup`, SIGHUP stays ignored.
pub fn on_signal() -> anyhow::Result<Shutdown> {
    let mut interrupt = signal(SignalKind::interrupt()).context("listening for Ctrl-C")?;
    let mut terminate = signal(SignalKind::terminate()).context("listening for SIGTERM")?;
    let hangup = (!hangup_is_ignored()).then(|| signal(SignalKind::hangup()));
    let mut hangup = hangup.transpose().context("listening for SIGHUP")?;
    let shutdown = Shutdown {
        requested: CancellationToken::new(),
        forced: CancellationToken::new(),
    };
    let signalled = shutdown.clone();
    tokio::spawn(async move {
        for token in [signalled.requested, signalled.forced] {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
                Some(()) = async { hangup.as_mut()?.recv().await } => {}
            }
            token.cancel();
        }
    });
    Ok(shutdown)
}

/// Whether this process ignores SIGHUP, as under `nohup`, so that it outlives the terminal.
fn hangup_is_ignored() -> bool {
    // If this is unknown, the signal is left alone.
    Status::from_file("/proc/self/status").map_or(true, |status| ignores_hangup(status.sigign))
}

/// `ignored` is the mask of ignored signals from `/proc/<pid>/status`; its lowest bit is SIGHUP.
fn ignores_hangup(ignored: u64) -> bool {
    ignored & 1 == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sighup_is_ignored_under_nohup() {
        assert!(ignores_hangup(0x1001));
        assert!(!ignores_hangup(0x1000));
        if cfg!(target_os = "linux") {
            Status::from_file("/proc/self/status").unwrap();
        }
    }
}
