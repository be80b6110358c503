//! Reads request bodies whose content type is JSON.

use std::time::Duration;

use axum::body::{Bytes, HttpBody};
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};

use crate::problem::{BODY_TOO_LARGE, MALFORMED, Problem, REQUEST_TIMEOUT, UNSUPPORTED_MEDIA_TYPE};

/// How long a body may take to arrive. A few hundred bytes never take that long.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Reads a body of at most `most` bytes. Its content type must be JSON.
///
/// The content type is required because a browser lets any page send other media types to any address, but JSON only if the server
/// permits it (CORS).
pub async fn bytes(request: Request, most: usize) -> Result<Bytes, Problem> {
    if !is_json(request.headers()) {
        let detail = "send JSON, with the header content-type: application/json";
        let accept = HeaderValue::from_static("application/json");
        return Err(Problem::new(UNSUPPORTED_MEDIA_TYPE, detail).header(header::ACCEPT, accept));
    }
    if is_encoded(request.headers()) {
        let detail = "send the body as it is, without the header content-encoding";
        let accept = HeaderValue::from_static("identity");
        return Err(
            Problem::new(UNSUPPORTED_MEDIA_TYPE, detail).header(header::ACCEPT_ENCODING, accept)
        );
    }
    let too_long = || Problem::new(BODY_TOO_LARGE, format!("send at most {most} bytes"));
    let body = request.into_body();
    // Refused before it is read if the client announces the length.
    if usize::try_from(body.size_hint().lower()).is_ok_and(|announced| announced > most) {
        return Err(too_long());
    }
    match tokio::time::timeout(TIMEOUT, Limited::new(body, most).collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_long()),
        Ok(Err(_)) => Err(Problem::new(
            MALFORMED,
            "the connection broke before the end of the body: send the request again",
        )),
        Err(_) => Err(Problem::new(
            REQUEST_TIMEOUT,
            format!("send the whole body within {} s", TIMEOUT.as_secs()),
        )),
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .map(|media_type| media_type.trim().to_ascii_lowercase())
        .is_some_and(|media_type| {
            media_type == "application/json"
                || (media_type.starts_with("application/") && media_type.ends_with("+json"))
        })
}

/// Whether a content coding (RFC 9110, section 8.4) has been applied to the body.
fn is_encoded(headers: &HeaderMap) -> bool {
    headers
        .get_all(header::CONTENT_ENCODING)
        .iter()
        .any(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"identity"))
}
