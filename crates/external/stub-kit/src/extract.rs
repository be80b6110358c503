//! Extractors for handlers. If anything is wrong with a request, the answer is a [`Problem`] that names the field.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, RawPathParams, Request};
use axum::http::request::Parts;
use domain::json::{self, FromJson, Unusable};
use serde::Serialize;

use crate::problem::{INVALID, NOT_FOUND, Problem, of_field, problem, with_reason};

/// The longest body that is accepted, in bytes.
const MAX_BODY: usize = 2 * 1024 * 1024;

/// The JSON body of a request.
///
/// Refuses a content type other than JSON and any content coding (415), a body that is too long (413) or arrives too slowly (408),
/// and one that is not valid JSON or does not match `T` (400).
#[derive(Debug, Clone, Copy)]
pub struct Json<T>(pub T);

impl<S: Send + Sync, T: FromJson> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let JsonBytes(body) = JsonBytes::from_request(request, state).await?;
        json::read(&body, "the body").map(Self).map_err(unusable)
    }
}

/// The bytes of a body whose content type is JSON.
#[derive(Debug, Clone)]
pub(crate) struct JsonBytes(pub(crate) Bytes);

impl<S: Send + Sync> FromRequest<S> for JsonBytes {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let body = inbound::json::bytes(request, MAX_BODY).await;
        body.map(Self).map_err(with_reason)
    }
}

/// The problem document for an invalid body.
pub(crate) fn unusable(error: Unusable) -> Problem {
    match error {
        Unusable::Malformed(error) => problem(INVALID, format!("the body {error}")),
        Unusable::Invalid(violations) => match &violations[..] {
            [only] => of_field(INVALID, &only.field, &only.message),
            several => {
                let first = several.first().map_or("", |violation| &violation.field);
                of_field(INVALID, first, json::in_one_line(several))
            }
        },
    }
}

/// The only variable segment of the path.
#[derive(Debug, Clone, Copy)]
pub struct Segment<T>(pub T);

impl<S: Send + Sync, T: FromStr<Err: Display>> FromRequestParts<S> for Segment<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let segments = RawPathParams::from_request_parts(parts, state).await;
        let detail = "the path is not UTF-8 after its percent-encoding is decoded";
        let segments = segments.map_err(|_| problem(INVALID, detail))?;
        let first = segments.iter().next();
        let (name, text) =
            first.ok_or_else(|| problem(NOT_FOUND, "this path has no variable segment"))?;
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
            .map_err(|_| {
                problem(
                    INVALID,
                    "the query must consist of name=value pairs joined by &",
                )
            })
    }
}

impl Query {
    /// The parameter `name`, if the query has it.
    pub fn get<T: FromStr<Err: Display>>(&self, name: &str) -> Result<Option<T>, Problem> {
        let given = self.0.iter().find(|(given, _)| given == name);
        given.map(|(_, text)| parse(name, text)).transpose()
    }

    /// The parameters `after` (a sequence number, default 0) and `limit` (default 1,000, at most 10,000).
    pub fn page(&self) -> Result<Page, Problem> {
        Ok(Page {
            after: self.number("after", 0, 0..=i64::MAX)?,
            limit: self.number("limit", 1000, 1..=10_000)?,
        })
    }

    /// The parameter `name`, a whole number within `range`; `default` if the query does not have it.
    fn number<T>(&self, name: &str, default: T, range: RangeInclusive<T>) -> Result<T, Problem>
    where
        T: FromStr + Display + PartialOrd,
    {
        let Some(text) = self.get::<String>(name)? else {
            return Ok(default);
        };
        let number = text.parse().ok().filter(|number| range.contains(number));
        number.ok_or_else(|| {
            let (from, to) = (range.start(), range.end());
            let detail = format!("must be a whole number from {from} to {to}");
            of_field(INVALID, name, detail)
        })
    }
}

fn parse<T: FromStr<Err: Display>>(name: &str, text: &str) -> Result<T, Problem> {
    text.parse()
        .map_err(|error: T::Err| of_field(INVALID, name, error.to_string()))
}

/// Which page of a list is requested.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// Only entries with a higher sequence number.
    pub after: i64,
    /// The largest number of entries.
    pub limit: usize,
}

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Paged<T> {
    /// The entries, sorted by sequence number.
    pub entries: Vec<T>,
    /// The value of `after` for the next page; null if this is the last page.
    pub next: Option<i64>,
}

impl Page {
    /// How many entries to fetch: one more than the page has, to see whether there is another page.
    #[must_use]
    pub fn fetch(self) -> i64 {
        i64::try_from(self.limit).map_or(i64::MAX, |limit| limit.saturating_add(1))
    }

    /// Makes a page from the [`fetch`](Self::fetch)ed entries.
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
    use domain::json::Fields;
    use serde_json::json;

    use super::*;
    use crate::testing::Client;

    struct Body {
        /// The quantity of each.
        lines: Vec<i64>,
    }

    impl FromJson for Body {
        fn from_fields(fields: &mut Fields<'_, '_>) -> Option<Self> {
            let lines = fields.list("lines", 0..=10, |line| {
                line.required("quantity", |value| value.whole_number(0..=99))
            });
            Some(Self { lines: lines? })
        }
    }

    fn client() -> Client {
        Client::new(
            Router::new()
                .route(
                    "/sum",
                    post(|Json(body): Json<Body>| async move {
                        axum::Json(body.lines.iter().sum::<i64>())
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
    async fn errors_in_a_body_are_explained_in_plain_words() {
        let client = client();
        for (body, detail) in [
            ("", "the body is empty: it must be a JSON object"),
            ("[]", "the body must be a JSON object, but it is an array"),
            (
                "{",
                "the body is incomplete: it ends in the middle of the JSON, at line 1, column 2",
            ),
            (
                "{]",
                "the body is not valid JSON: there is a mistake at line 1, column 2, where it has ']'",
            ),
            (r#"{"lines":7}"#, "must be an array, but is 7"),
            (
                r#"{"lines":[{"quantity":1e400}]}"#,
                "must be a whole number from 0 to 99, but is 1e400",
            ),
            (
                r#"{"lines":[{},{"quantity":"two"}],"x":1}"#,
                "lines[0].quantity is required; lines[1].quantity must be a whole number from 0 to 99, but is the string \
                 \"two\"; x is not known: leave it out, or check how it is spelt",
            ),
        ] {
            let json = [("content-type", "application/json")];
            let answer = client.send("POST", "/sum", &json, body).await;
            assert_eq!(answer.status, 400, "{body}");
            assert_eq!(answer.body["detail"], detail);
        }
        let mark = "\u{feff}{\"lines\":[]}";
        let json = [("content-type", "application/json")];
        assert_eq!(client.send("POST", "/sum", &json, mark).await.status, 200);
        assert_eq!(client.get("/echo/%ff").await.status, 400);
    }

    #[tokio::test]
    async fn only_json_of_a_moderate_size_is_read() {
        let client = client();
        let answer = client
            .send("POST", "/sum", &[("content-type", "text/plain")], "{}")
            .await;
        assert_eq!(answer.status, 415);
        assert_eq!(answer.body["reason"], "unsupported-media-type");

        let answer = client.post("/sum", json!("x".repeat(3_000_000))).await;
        assert_eq!(answer.status, 413);

        for (coding, status) in [("gzip", 415), ("br", 415), ("identity", 200)] {
            let json = ("content-type", "application/json");
            let headers = [json, ("content-encoding", coding)];
            let answer = client
                .send("POST", "/sum", &headers, r#"{"lines":[]}"#)
                .await;
            assert_eq!(answer.status, status, "{coding}");
            let accepted = answer.headers.get("accept-encoding");
            assert_eq!(accepted.is_some(), status == 415, "{accepted:?}");
        }

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
            let detail = answer.body["detail"].as_str().unwrap();
            assert!(
                detail.starts_with("must be a whole number from "),
                "{detail}"
            );
        }
    }
}
