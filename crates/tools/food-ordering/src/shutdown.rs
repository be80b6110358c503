//! Being told to stop.

use anyhow::Context;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// What Ctrl-C and SIGTERM ask for.
#[derive(Debug, Clone)]
pub struct Shutdown {
    /// Cancelled at the first of them: stop, in order.
    pub asked: CancellationToken,
    /// Cancelled at the second: stop waiting.
    pub insisted: CancellationToken,
}

/// From this call on neither ends the process by itself.
pub fn on_signal() -> anyhow::Result<Shutdown> {
    let mut interrupt = signal(SignalKind::interrupt()).context("listening for Ctrl-C")?;
    let mut terminate = signal(SignalKind::terminate()).context("listening for SIGTERM")?;
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
            }
            token.cancel();
        }
    });
    Ok(shutdown)
}
