//! Being told to stop.

use anyhow::Context;
use procfs_core::FromRead;
use procfs_core::process::Status;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// What Ctrl-C, SIGTERM and the end of the terminal ask for.
#[derive(Debug, Clone)]
pub struct Shutdown {
    /// Cancelled at the first of them: stop, in order.
    pub asked: CancellationToken,
    /// Cancelled at the second: stop waiting.
    pub insisted: CancellationToken,
}

/// From this call on none of them ends the process by itself. Under `nohup`, the end of the terminal does not ask for anything.
pub fn on_signal() -> anyhow::Result<Shutdown> {
    let mut interrupt = signal(SignalKind::interrupt()).context("listening for Ctrl-C")?;
    let mut terminate = signal(SignalKind::terminate()).context("listening for SIGTERM")?;
    let hangup = (!hangup_is_ignored()).then(|| signal(SignalKind::hangup()));
    let mut hangup = hangup.transpose().context("listening for SIGHUP")?;
    let shutdown = Shutdown {
        asked: CancellationToken::new(),
        insisted: CancellationToken::new(),
    };
    let told = shutdown.clone();
    tokio::spawn(async move {
        for token in [told.asked, told.insisted] {
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

/// Whether whoever started this process wants it to outlive the terminal.
fn hangup_is_ignored() -> bool {
    // Where this cannot be told, the signal is left as it is.
    Status::from_file("/proc/self/status").map_or(true, |status| ignores_hangup(status.sigign))
}

/// `ignored` are the signals that a process ignores, as `/proc/<pid>/status` has them: the lowest bit is SIGHUP.
fn ignores_hangup(ignored: u64) -> bool {
    ignored & 1 == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn under_nohup_the_end_of_the_terminal_is_ignored() {
        assert!(ignores_hangup(0x1001));
        assert!(!ignores_hangup(0x1000));
        if cfg!(target_os = "linux") {
            Status::from_file("/proc/self/status").unwrap();
        }
    }
}
