//! An operator's cancellation of an invocation, told apart from every error.
//!
//! `restate invocations cancel` sends the invocation a signal, and the SDK ends whatever the invocation waits for with a
//! [`TerminalError`] of code 409. A third party, or another handler of ours, may say 409 as well, so the code proves nothing.
//! Here the signal itself is asked for: [`unless_cancelled`] waits for anything but a `ctx.run`, and [`step`] is a `ctx.run`
//! whose work cannot end in a [`TerminalError`].

use std::future::Future;

use restate_sdk::context::{ContextSideEffects, DurableFuture, RunFuture, RunRetryPolicy};
use restate_sdk::prelude::{HandlerError, TerminalError};
use restate_sdk::serde::{Deserialize, Serialize};

/// The code with which a cancelled invocation, and whatever it waits for, ends.
const CANCELLED: u16 = 409;

/// An operator cancelled this invocation, by Restate's own signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("cancelled by an operator")]
pub struct Cancelled;

impl From<Cancelled> for TerminalError {
    /// What the SDK itself answers for a handler that does not care.
    fn from(cancelled: Cancelled) -> Self {
        Self::new_with_code(CANCELLED, cancelled.to_string())
    }
}

/// Why a [`step`] was not done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotDone {
    /// An operator cancelled this invocation. Whether the step was done is unknown.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    /// It failed until its retry policy gave up; the text is its last error.
    #[error("{0}")]
    GaveUp(String),
}

impl From<NotDone> for TerminalError {
    fn from(error: NotDone) -> Self {
        match error {
            NotDone::Cancelled(cancelled) => cancelled.into(),
            NotDone::GaveUp(last) => Self::new(last),
        }
    }
}

/// Waits for a call, a timer, a promise or an awakeable, unless the invocation is cancelled.
///
/// An answer that happens to look like a cancellation, such as that of a callee that was cancelled itself, is an answer.
pub async fn unless_cancelled<F: DurableFuture>(future: F) -> Result<F::Output, Cancelled> {
    restate_sdk::select! {
        output = future => Ok(output),
        on_cancel => Err(Cancelled)
    }
}

/// Runs `work` as a step of the journal called `name`, and tries it again by `retries` while it fails.
///
/// # Errors
/// A business "no" belongs into the answer: no error of `work` ends the step, so what a third party says can neither fail the
/// invocation nor pass for a cancellation.
pub async fn step<'ctx, T, E, Fut>(
    ctx: &impl ContextSideEffects<'ctx>,
    name: &'static str,
    retries: RunRetryPolicy,
    work: impl FnOnce() -> Fut + Send + 'ctx,
) -> Result<T, NotDone>
where
    T: Serialize + Deserialize + 'static,
    E: std::error::Error + Send + Sync + 'static,
    Fut: Future<Output = Result<T, E>> + Send + 'ctx,
{
    let work = move || {
        let work = work();
        async move { work.await.map_err(HandlerError::from) }
    };
    let done = ctx.run(work).name(name).retry_policy(retries).await;
    done.map_err(|error| not_done(&error))
}

/// The errors of a `ctx.run` whose work only ever fails in a way that may be tried again: the last one, as code 500, or the
/// SDK's own for a cancellation.
fn not_done(error: &TerminalError) -> NotDone {
    if error.code() == CANCELLED {
        NotDone::Cancelled(Cancelled)
    } else {
        NotDone::GaveUp(error.message().to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_that_gave_up_is_not_cancelled_whatever_its_error_says() {
        let last = "409 Conflict: cancelled";
        assert_eq!(
            not_done(&TerminalError::new(last)),
            NotDone::GaveUp(last.to_owned())
        );
        let cancelled = TerminalError::from(Cancelled);
        assert_eq!(not_done(&cancelled), NotDone::Cancelled(Cancelled));
    }
}
