//! Invalid answers, as login pages, proxies and unfinished programs send them in place of a third party.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

const HTML: &str = "text/html; charset=utf-8";
const JSON: &str = "application/json";
/// The length of the longest of these answers, in bytes: far more than is reasonable.
const HUGE: usize = 4 << 20;
/// The number of kinds of invalid answers.
const KINDS: usize = 6;

/// An invalid answer, chosen by a random number from [`crate::faults::draw`].
pub(crate) fn answer(draw: f64) -> Response {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "from 0 to the number of kinds"
    )]
    let kind = (draw * KINDS as f64) as usize;
    let of_type = |media_type, body: &'static str| {
        (StatusCode::OK, [(header::CONTENT_TYPE, media_type)], body).into_response()
    };
    match kind {
        0 => of_type(HTML, "<!doctype html><title>Log in</title>"),
        1 => (StatusCode::FOUND, [(header::LOCATION, "/login")]).into_response(),
        2 => of_type(JSON, ""),
        3 => of_type(JSON, r#"["ok"]"#),
        4 => of_type(JSON, r#"{"paymentId":"#),
        _ => ([(header::CONTENT_TYPE, JSON)], vec![b' '; HUGE]).into_response(),
    }
}
