//! What a test does with the outcome of a call.

use restate_sdk::ingress::{CallResponse, ClientError, RequestExecutor};
use restate_sdk::serde::Deserialize;

/// The outcome of a call.
pub trait Answer {
    /// What the handler answers.
    type Body;

    /// The handler's answer.
    ///
    /// # Panics
    /// If it did not succeed.
    fn answer(self) -> Self::Body;
}

impl<E: RequestExecutor, Res: Deserialize> Answer for Result<CallResponse<E, Res>, ClientError> {
    type Body = Res;

    fn answer(self) -> Res {
        let answer = self.and_then(CallResponse::into_body);
        answer.unwrap_or_else(|error| {
            let body = error.response().map(hyper::Response::body);
            panic!("{error}: {body:?}")
        })
    }
}
