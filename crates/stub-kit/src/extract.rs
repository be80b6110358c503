//! What handlers take from a request; whatever is wrong is answered with a [`Problem`] that names the field.

use std::fmt::Display;
use std::str::FromStr;

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, RawPathParams, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use serde::Serialize;
use serde::de::{DeserializeOwned, Deserializer};

use crate::Problem;

/// The JSON body of a request.
///
/// Refused are a content type other than JSON (415), a body over axum's limit of 2 MB (413), and what is not JSON or not of
/// the shape of `T` (400).
#[derive(Debug, Clone, Copy)]
pub struct Json<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        if !is_json(request.headers()) {
            return Err(Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported-media-type",
                "Unsupported media type",
                "send JSON, with the header content-type: application/json",
            )
            .field("content-type"));
        }
        let body = Bytes::from_request(request, state)
            .await
            .map_err(|rejection| {
                let mut problem = Problem::invalid(rejection.body_text());
                if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
                    problem = Problem::new(
                        rejection.status(),
                        "body-too-large",
                        "Body too large",
                        "send at most 2 MB",
                    );
                }
                problem
            })?;
        let mut deserializer = serde_json::Deserializer::from_slice(&body);
        let value = deserialize(&mut deserializer)?;
        deserializer
            .end()
            .map_err(|error| Problem::invalid(format!("send one JSON value: {error}")))?;
        Ok(Self(value))
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .map(|value| value.split(';').next().unwrap_or_default().trim())
        .is_some_and(|media_type| {
            media_type.eq_ignore_ascii_case("application/json")
                || media_type.to_ascii_lowercase().ends_with("+json")
        })
}

/// Reads a `T`; a [`Problem`] names the field that is at fault.
pub(crate) fn deserialize<'de, T, D>(deserializer: D) -> Result<T, Problem>
where
    T: DeserializeOwned,
    D: Deserializer<'de, Error: Display>,
{
    serde_path_to_error::deserialize(deserializer).map_err(|error| {
        let message = error.inner().to_string();
        let path = error.path().to_string();
        // "." is the value as a whole.
        let parent = Some(path.as_str()).filter(|path| *path != ".");
        let field = match (parent, missing_field(&message)) {
            (Some(parent), Some(child)) => Some(format!("{parent}.{child}")),
            (field, None) | (None, field) => field.map(str::to_owned),
        };
        let problem = Problem::invalid(message);
        match field {
            Some(field) => problem.field(field),
            None => problem,
        }
    })
}

/// The field that a message of serde says is missing: its error knows only where the object is that lacks it.
fn missing_field(message: &str) -> Option<&str> {
    let (field, _) = message.strip_prefix("missing field `")?.split_once('`')?;
    Some(field)
}

/// The one variable segment of the path.
#[derive(Debug, Clone, Copy)]
pub struct Segment<T>(pub T);

impl<S: Send + Sync, T: FromStr<Err: Display>> FromRequestParts<S> for Segment<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let segments = RawPathParams::from_request_parts(parts, state)
            .await
            .map_err(|rejection| Problem::invalid(rejection.body_text()))?;
        let (name, text) = segments
            .iter()
            .next()
            .ok_or_else(|| Problem::not_found("this path names nothing"))?;
        parse(name, text).map(Self)
    }
}

/// The parameters of the query.
#[derive(Debug, Clone)]
pub struct Query(Vec<(String, String)>);

impl<S: Send + Sync> FromRequestParts<S> for Query {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        axum::extract::Query::from_request_parts(parts, state)
            .await
            .map(|axum::extract::Query(pairs)| Self(pairs))
            .map_err(|rejection| Problem::invalid(rejection.body_text()))
    }
}

impl Query {
    /// The parameter called `name`, where the query has one.
    pub fn get<T: FromStr<Err: Display>>(&self, name: &str) -> Result<Option<T>, Problem> {
        self.0
            .iter()
            .find(|(given, _)| given == name)
            .map(|(_, text)| parse(name, text))
            .transpose()
    }

    /// The parameters `after` (a sequence number, default 0) and `limit` (default 1,000, at most 10,000).
    pub fn page(&self) -> Result<Page, Problem> {
        let page = Page {
            after: self.get("after")?.unwrap_or(0),
            limit: self.get("limit")?.unwrap_or(1000),
        };
        if page.after < 0 {
            return Err(Problem::invalid("must be a sequence number: 0 or more").field("after"));
        }
        if !(1..=10_000).contains(&page.limit) {
            return Err(Problem::invalid("must be from 1 to 10000").field("limit"));
        }
        Ok(page)
    }
}

fn parse<T: FromStr<Err: Display>>(name: &str, text: &str) -> Result<T, Problem> {
    text.parse()
        .map_err(|error: T::Err| Problem::invalid(error.to_string()).field(name))
}

/// Which part of a long list is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// Only entries with a higher sequence number.
    pub after: i64,
    /// At most so many entries.
    pub limit: usize,
}

/// A part of a long list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Paged<T> {
    /// The entries in the order of their sequence numbers.
    pub entries: Vec<T>,
    /// What to send as `after` to get the next part; null where this was the last.
    pub next: Option<i64>,
}

impl Page {
    /// How many entries to fetch: one more than the page has, which tells whether there is another page.
    #[must_use]
    pub fn fetch(self) -> i64 {
        i64::try_from(self.limit).map_or(i64::MAX, |limit| limit.saturating_add(1))
    }

    /// Makes a page of the [`fetch`](Self::fetch)ed entries.
    pub fn cut<T>(self, mut entries: Vec<T>, sequence: impl Fn(&T) -> i64) -> Paged<T> {
        let more = entries.len() > self.limit;
        entries.truncate(self.limit);
        let next = entries.last().filter(|_| more).map(sequence);
        Paged { entries, next }
    }
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::routing::{get, post};
    use serde::Deserialize;
    use serde_json::json;

    use super::*;
    use crate::testing::Client;

    #[derive(Deserialize)]
    struct Body {
        lines: Vec<Line>,
    }

    #[derive(Deserialize)]
    struct Line {
        quantity: u32,
    }

    fn client() -> Client {
        Client::new(
            Router::new()
                .route(
                    "/sum",
                    post(|Json(body): Json<Body>| async move {
                        axum::Json(body.lines.iter().map(|line| line.quantity).sum::<u32>())
                    }),
                )
                .route(
                    "/echo/{number}",
                    get(|Segment(number): Segment<u32>| async move { axum::Json(number) }),
                )
                .route(
                    "/page",
                    get(|query: Query| async move {
                        let page = query.page()?;
                        let numbers = (page.after + 1..=25)
                            .take(usize::try_from(page.fetch()).unwrap())
                            .collect();
                        Ok::<_, Problem>(axum::Json(page.cut(numbers, |number| *number)))
                    }),
                ),
        )
    }

    #[tokio::test]
    async fn a_bad_body_is_answered_with_the_path_of_the_field() {
        let client = client();
        let answer = client
            .post(
                "/sum",
                json!({"lines": [{"quantity": 1}, {"quantity": -1}]}),
            )
            .await;
        assert_eq!(answer.status, 400);
        assert_eq!(answer.body["field"], "lines[1].quantity");

        for (body, field) in [
            (json!({}), "lines"),
            (json!({"lines": [{}]}), "lines[0].quantity"),
        ] {
            let answer = client.post("/sum", body).await;
            assert_eq!(answer.status, 400);
            assert_eq!(answer.body["field"], field);
        }

        for text in ["", "{", r#"{"lines":[]} x"#] {
            let answer = client
                .send(
                    "POST",
                    "/sum",
                    &[("content-type", "application/json")],
                    text,
                )
                .await;
            assert_eq!(answer.status, 400, "{text}");
        }
    }

    #[tokio::test]
    async fn only_json_of_a_moderate_size_is_read() {
        let client = client();
        let answer = client
            .send("POST", "/sum", &[("content-type", "text/plain")], "{}")
            .await;
        assert_eq!(answer.status, 415);
        assert_eq!(answer.body["field"], "content-type");

        let answer = client.post("/sum", json!("x".repeat(3_000_000))).await;
        assert_eq!(answer.status, 413);

        let answer = client
            .send(
                "POST",
                "/sum",
                &[("content-type", "Application/JSON; charset=utf-8")],
                r#"{"lines":[{"quantity":3}]}"#,
            )
            .await;
        assert_eq!((answer.status, answer.body), (200, json!(3)));
    }

    #[tokio::test]
    async fn a_bad_segment_is_answered_with_its_name() {
        let answer = client().get("/echo/x").await;
        assert_eq!(answer.status, 400);
        assert_eq!(answer.body["field"], "number");
        assert_eq!(client().get("/echo/7").await.body, json!(7));
    }

    #[tokio::test]
    async fn pages_follow_each_other_until_there_is_no_next() {
        let client = client();
        let mut seen = Vec::new();
        let mut after = json!(0);
        while !after.is_null() {
            let page = client.get(&format!("/page?limit=10&after={after}")).await;
            seen.extend(page.body["entries"].as_array().unwrap().clone());
            after = page.body["next"].clone();
        }
        assert_eq!(seen, (1..=25).map(|n| json!(n)).collect::<Vec<_>>());

        // A last page that is full has no next one either.
        let page = client.get("/page?limit=25").await;
        assert_eq!(page.body["next"], json!(null));

        for (query, field) in [
            ("limit=0", "limit"),
            ("limit=10001", "limit"),
            ("limit=x", "limit"),
            ("after=-1", "after"),
        ] {
            let answer = client.get(&format!("/page?{query}")).await;
            assert_eq!((answer.status, &answer.body["field"]), (400, &json!(field)));
        }
    }
}
