//! Distinguishes an operator's cancellation of an invocation from every error.
//!
//! `restate invocations cancel` sends a signal to the invocation, and the SDK fails whatever the invocation waits for with a
//! [`TerminalError`] of code 409. A third party or another handler may also answer 409, so the code proves nothing. This module
//! checks the signal itself: [`unless_cancelled`] waits for anything except a `ctx.run`, and [`step!`](crate::step) is a
//! `ctx.run` whose work cannot fail with a [`TerminalError`].

use std::future::Future;

use restate_sdk::context::DurableFuture;
use restate_sdk::prelude::{HandlerError, HandlerResult, TerminalError};

/// The error code of a cancelled invocation, and of whatever it waits for.
const CANCELLED: u16 = 409;

/// An operator cancelled this invocation with Restate's signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("cancelled by an operator")]
pub struct Cancelled;

impl From<Cancelled> for TerminalError {
    /// The error that the SDK itself returns for a handler that ignores cancellation.
    fn from(cancelled: Cancelled) -> Self {
        Self::new_with_code(CANCELLED, cancelled.to_string())
    }
}

/// Why a [`step!`](crate::step) was not completed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotDone {
    /// An operator cancelled this invocation. It is unknown whether the step was done.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    /// The step failed until its retry policy gave up; the text is its last error.
    #[error("{0}")]
    RetriesExhausted(String),
}

impl From<NotDone> for TerminalError {
    fn from(error: NotDone) -> Self {
        match error {
            NotDone::Cancelled(cancelled) => cancelled.into(),
            NotDone::RetriesExhausted(last) => Self::new(last),
        }
    }
}

/// An error in the work of a [`step!`](crate::step), which is then retried. A [`TerminalError`] does not convert into it.
pub type Retryable = Box<dyn std::error::Error + Send + Sync>;

/// Waits for a call, a timer, a promise or an awakeable, unless the invocation is cancelled.
///
/// An answer that only looks like a cancellation, such as that of a callee that was cancelled itself, counts as an answer.
pub async fn unless_cancelled<F: DurableFuture>(future: F) -> Result<F::Output, Cancelled> {
    restate_sdk::select! {
        output = future => Ok(output),
        on_cancel => Err(Cancelled)
    }
}

/// Makes a call, and repeats it if the invocation is cancelled in the meantime: for work that must be completed despite a
/// cancellation. The callee must be idempotent.
pub async fn despite_cancellation<F: DurableFuture>(call: impl Fn() -> F) -> F::Output {
    loop {
        if let Ok(output) = unless_cancelled(call()).await {
            return output;
        }
    }
}

/// Runs a future as a step in the journal, and retries it with a retry policy while it fails:
/// `step!(ctx, "name", retries, async move { … })`. The future must not borrow. Returns `Result<_, NotDone>`.
///
/// A business refusal belongs in the output, not in an error: every error of the future becomes a [`Retryable`]. So an answer from
/// a third party can neither fail the invocation nor be mistaken for a cancellation.
#[macro_export]
macro_rules! step {
    ($ctx:expr, $name:expr, $retries:expr, $work:expr) => {{
        let work = $work;
        $ctx.run(move || $crate::retryable(work))
            .name($name)
            .retry_policy($retries)
            .await
            .map_err(|error| $crate::NotDone::of_step(&error))
    }};
}

/// A [`step!`] that continues after a cancellation: the expression is evaluated again, and the work starts over. Returns
/// `Result<_, String>`; the error is the last one before the retry policy gave up.
#[macro_export]
macro_rules! step_despite_cancellation {
    ($ctx:expr, $name:expr, $retries:expr, $work:expr) => {
        loop {
            match $crate::step!($ctx, $name, $retries, $work) {
                Ok(done) => break Ok(done),
                Err($crate::NotDone::RetriesExhausted(last)) => break Err(last),
                Err($crate::NotDone::Cancelled(_)) => {
                    tracing::warn!("cancelled during {}, which continues", $name);
                }
            }
        }
    };
}

/// For [`step!`]: makes every error of `work` retryable.
#[doc(hidden)]
pub async fn retryable<T, E: Into<Retryable>>(
    work: impl Future<Output = Result<T, E>>,
) -> HandlerResult<T> {
    work.await.map_err(|error| HandlerError::from(error.into()))
}

impl NotDone {
    /// For [`step!`]: converts the error of a `ctx.run` whose work has only retryable errors. The error is either the last one of
    /// the work, with code 500, or the SDK's own for a cancellation.
    #[doc(hidden)]
    #[must_use]
    pub fn of_step(error: &TerminalError) -> Self {
        if error.code() == CANCELLED {
            Self::Cancelled(Cancelled)
        } else {
            Self::RetriesExhausted(error.message().to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_that_gave_up_is_not_cancelled_whatever_its_error_says() {
        let last = "409 Conflict: cancelled";
        assert_eq!(
            NotDone::of_step(&TerminalError::new(last)),
            NotDone::RetriesExhausted(last.to_owned())
        );
        let cancelled = TerminalError::from(Cancelled);
        assert_eq!(NotDone::of_step(&cancelled), NotDone::Cancelled(Cancelled));
    }
}
