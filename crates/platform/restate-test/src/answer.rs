//! Unwraps the result of a call in a test.

use restate_sdk::ingress::{CallResponse, ClientError, RequestExecutor};
use restate_sdk::serde::Deserialize;

/// The result of a call.
pub trait Answer {
    /// The handler's output.
    type Body;

    /// Returns the handler's output.
    ///
    /// # Panics
    /// If the call failed.
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
