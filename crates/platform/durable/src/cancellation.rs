//! An operator's cancellation of an invocation, told apart from every error.
//!
//! `restate invocations cancel` sends the invocation a signal, and the SDK ends whatever the invocation waits for with a
//! [`TerminalError`] of code 409. A third party, or another handler of ours, may say 409 as well, so the code proves nothing.
//! Here the signal itself is asked for: [`unless_cancelled`] waits for anything but a `ctx.run`, and [`step!`](crate::step) is a
//! `ctx.run` whose work cannot end in a [`TerminalError`].

use std::future::Future;

use restate_sdk::context::DurableFuture;
use restate_sdk::prelude::{HandlerError, HandlerResult, TerminalError};

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

/// Why a [`step!`](crate::step) was not done.
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

/// An error of the work of a [`step!`](crate::step), which is tried again. No [`TerminalError`] becomes one.
pub type Retryable = Box<dyn std::error::Error + Send + Sync>;

/// Waits for a call, a timer, a promise or an awakeable, unless the invocation is cancelled.
///
/// An answer that happens to look like a cancellation, such as that of a callee that was cancelled itself, is an answer.
pub async fn unless_cancelled<F: DurableFuture>(future: F) -> Result<F::Output, Cancelled> {
    restate_sdk::select! {
        output = future => Ok(output),
        on_cancel => Err(Cancelled)
    }
}

/// Makes a call, and makes it again whenever the invocation is cancelled meanwhile: for what has to be done whatever an operator
/// wants. The callee must bear being called twice.
pub async fn despite_cancellation<F: DurableFuture>(call: impl Fn() -> F) -> F::Output {
    loop {
        if let Ok(output) = unless_cancelled(call()).await {
            return output;
        }
    }
}

/// Runs a future as a step of the journal, and tries it again by a retry policy while it fails:
/// `step!(ctx, "name", retries, async move { … })`. It must not borrow. Answers `Result<_, NotDone>`.
///
/// A business "no" belongs into the answer: no error of the future ends the step, as it becomes a [`Retryable`], so what a third
/// party says can neither fail the invocation nor pass for a cancellation.
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

/// A [`step!`] that a cancellation does not end: the work, made anew by the expression each time, begins again. Answers
/// `Result<_, String>`; the error is the last one before the retry policy gave up.
#[macro_export]
macro_rules! step_despite_cancellation {
    ($ctx:expr, $name:expr, $retries:expr, $work:expr) => {
        loop {
            match $crate::step!($ctx, $name, $retries, $work) {
                Ok(done) => break Ok(done),
                Err($crate::NotDone::GaveUp(last)) => break Err(last),
                Err($crate::NotDone::Cancelled(_)) => {
                    tracing::warn!("cancelled during {}, which goes on", $name);
                }
            }
        }
    };
}

/// For [`step!`]: every error of `work` may be tried again.
#[doc(hidden)]
pub async fn retryable<T, E: Into<Retryable>>(
    work: impl Future<Output = Result<T, E>>,
) -> HandlerResult<T> {
    work.await.map_err(|error| HandlerError::from(error.into()))
}

impl NotDone {
    /// For [`step!`]: the errors of a `ctx.run` whose work only ever fails in a way that may be tried again. That is its last
    /// error, as code 500, or the SDK's own for a cancellation.
    #[doc(hidden)]
    #[must_use]
    pub fn of_step(error: &TerminalError) -> Self {
        if error.code() == CANCELLED {
            Self::Cancelled(Cancelled)
        } else {
            Self::GaveUp(error.message().to_owned())
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
            NotDone::GaveUp(last.to_owned())
        );
        let cancelled = TerminalError::from(Cancelled);
        assert_eq!(NotDone::of_step(&cancelled), NotDone::Cancelled(Cancelled));
    }
}
