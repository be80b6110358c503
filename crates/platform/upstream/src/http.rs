//! The one way to make an HTTP client, to read an answer and to address what an id names.
//!
//! What another server answers is not ours to trust. Every client made here
//!
//! - follows no redirects: a redirect is an answer, and a POST that follows one would arrive as a GET or somewhere else;
//! - uses no proxy of the environment (`HTTP_PROXY` and the like): each address it is given is reached directly;
//! - has a limit for connecting, and for the whole answer with its body;
//! - asks for no compression and decompresses nothing, so a limit in bytes means the bytes that arrive.
//!
//! [`body`] reads an answer up to a limit. `clippy.toml` forbids reqwest's own constructors, and its ways to read a body of any
//! length.

use std::fmt;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{Client, ClientBuilder, Response, Url, redirect};

/// How long making a connection may take.
const CONNECT_WITHIN: Duration = Duration::from_secs(2);

/// The most that an answer of a few fields, or an error document, may have, in bytes: 1 MiB.
pub const SHORT: usize = 1 << 20;

/// A client whose answers may take `limit`, from connecting to the last byte of the body.
///
/// A request may have less, by `RequestBuilder::timeout`.
pub fn client(limit: Duration) -> ClientBuilder {
    streaming_client().timeout(limit)
}

/// A client for answers that are read for as long as they come. The caller limits the time.
#[expect(clippy::disallowed_methods, reason = "this is the place")]
pub fn streaming_client() -> ClientBuilder {
    Client::builder()
        .connect_timeout(CONNECT_WITHIN)
        .redirect(redirect::Policy::none())
        .no_proxy()
        // Whatever features other crates switch on in reqwest.
        .no_gzip()
        .no_brotli()
        .no_zstd()
        .no_deflate()
        .referer(false)
}

/// Why a request brought no answer that can be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no answer, or it broke off, or it took too long.
    #[error(transparent)]
    Http(#[from] reqwest::Error),
    /// The answer is longer than it may be.
    #[error("the answer is longer than {most} bytes")]
    TooLong {
        /// How long it may be.
        most: usize,
    },
}

/// An error with what caused it: reqwest itself says only that it could not send.
pub fn with_sources(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ")
}

/// An error of a request, for [`Upstream::ask`](crate::Upstream::ask).
pub trait Failure: fmt::Display {
    /// Whether nobody accepted the connection, so that the request was not sent.
    fn is_unsent(&self) -> bool;
}

impl Failure for reqwest::Error {
    fn is_unsent(&self) -> bool {
        self.is_connect()
    }
}

impl Failure for Error {
    fn is_unsent(&self) -> bool {
        matches!(self, Self::Http(error) if error.is_connect())
    }
}

/// The body of an answer, of at most `most` bytes. A longer one is given up before it is in memory.
pub async fn body(mut response: Response, most: usize) -> Result<Bytes, Error> {
    let announced = response.content_length().unwrap_or(0);
    if usize::try_from(announced).is_ok_and(|length| length > most) {
        return Err(Error::TooLong { most });
    }
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > most {
            return Err(Error::TooLong { most });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

/// The body as text; what is not UTF-8 in it is replaced.
pub async fn text(response: Response, most: usize) -> Result<String, Error> {
    let body = body(response, most).await?;
    Ok(String::from_utf8_lossy(&body).into_owned())
}

/// A text that cannot be one segment of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it cannot be a segment of a path, as it is empty or consists of one or two dots")]
pub struct NoSegment;

/// Whether a text can be one segment of a path, encoded. URLs have no way to write the others: `%2e%2e` means `..` too.
#[must_use]
pub fn is_segment(text: &str) -> bool {
    !matches!(text, "" | "." | "..")
}

/// What is encoded in a segment: all but RFC 3986's unreserved characters, and the colon, which ids here may have.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b':');

/// A text as one segment of a path, which it must be able to be ([`is_segment`]).
#[must_use]
pub fn encoded(segment: &str) -> impl fmt::Display {
    utf8_percent_encode(segment, ENCODED)
}

/// The URL of a path below `base`. Each of `segments` becomes one segment, whatever characters are in it.
pub fn below(base: &Url, segments: &[&str]) -> Result<Url, NoSegment> {
    let mut path = base.path().trim_end_matches('/').to_owned();
    for segment in segments {
        if !is_segment(segment) {
            return Err(NoSegment);
        }
        path.push('/');
        path.extend(utf8_percent_encode(segment, ENCODED));
    }
    let mut url = base.clone();
    url.set_path(&path);
    Ok(url)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    const LIMIT: Duration = Duration::from_secs(30);

    /// A server that answers every request with `answer`, and then with zeros until nobody reads them if it is `endless`.
    async fn server(answer: &'static str, endless: bool) -> Url {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let _ = stream.read(&mut [0; 4096]).await;
                    let _ = stream.write_all(answer.as_bytes()).await;
                    let chunk = [b"2000\r\n", &[b' '; 0x2000][..], b"\r\n"].concat();
                    while endless && stream.write_all(&chunk).await.is_ok() {}
                });
            }
        });
        url.parse().unwrap()
    }

    async fn read(url: Url, most: usize) -> Result<Bytes, Error> {
        let client = client(LIMIT).build().unwrap();
        body(client.get(url).send().await.unwrap(), most).await
    }

    #[tokio::test]
    async fn a_body_is_read_up_to_its_limit() {
        let short = server("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi", false).await;
        assert_eq!(read(short.clone(), 2).await.unwrap(), "hi");
        assert!(matches!(
            read(short, 1).await,
            Err(Error::TooLong { most: 1 })
        ));
    }

    #[tokio::test]
    async fn a_body_that_never_ends_is_given_up() {
        let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
        let read = read(server(chunked, true).await, SHORT).await;
        assert!(matches!(read, Err(Error::TooLong { most: SHORT })));
    }

    #[tokio::test]
    async fn a_body_that_announces_too_much_is_not_read() {
        // It never comes, so a client that waits for it runs into its limit.
        let huge = "HTTP/1.1 200 OK\r\ncontent-length: 400000000\r\n\r\n";
        let read = read(server(huge, false).await, SHORT).await;
        assert!(matches!(read, Err(Error::TooLong { most: SHORT })));
    }

    #[tokio::test]
    async fn a_redirect_is_an_answer() {
        let elsewhere = "HTTP/1.1 302 Found\r\nlocation: /login\r\ncontent-length: 0\r\n\r\n";
        let client = client(LIMIT).build().unwrap();
        let answer = client.get(server(elsewhere, false).await).send().await;
        assert_eq!(answer.unwrap().status(), 302);
    }

    #[tokio::test]
    async fn the_limit_holds_for_the_body_too() {
        let unfinished = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nh";
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let _ = stream.read(&mut [0; 4096]).await;
            let _ = stream.write_all(unfinished.as_bytes()).await;
            std::future::pending::<()>().await;
        });
        let client = client(Duration::from_millis(200)).build().unwrap();
        let response = client.get(url).send().await.unwrap();
        let Err(Error::Http(error)) = body(response, SHORT).await else {
            panic!("it was read");
        };
        assert!(error.is_timeout(), "{error}");
    }

    #[test]
    fn an_id_is_one_segment_whatever_is_in_it() {
        let base: Url = "http://a:1/base/".parse().unwrap();
        for (id, path) in [
            ("pay_1", "/base/payments/pay_1/refunds"),
            (
                "../admin?x=#y",
                "/base/payments/..%2Fadmin%3Fx%3D%23y/refunds",
            ),
            ("%2e%2e", "/base/payments/%252e%252e/refunds"),
            ("...", "/base/payments/.../refunds"),
            ("a\\b\r\nc", "/base/payments/a%5Cb%0D%0Ac/refunds"),
            ("寿", "/base/payments/%E5%AF%BF/refunds"),
        ] {
            let url = below(&base, &["payments", id, "refunds"]).unwrap();
            assert_eq!(url.path(), path, "{id}");
            assert_eq!((url.query(), url.fragment()), (None, None), "{id}");
        }
        for id in ["", ".", ".."] {
            assert_eq!(below(&base, &["payments", id]), Err(NoSegment), "{id}");
        }
    }

    proptest! {
        #[test]
        fn no_id_leaves_its_segment(id in "(?s).{1,40}") {
            let base: Url = "http://a:1".parse().unwrap();
            if let Ok(url) = below(&base, &["payments", &id, "refunds"]) {
                // What travels is text, which the other side parses again.
                let again: Url = url.as_str().parse().unwrap();
                let segments: Vec<_> = again.path_segments().unwrap().collect();
                prop_assert_eq!(segments.len(), 3);
                prop_assert_eq!((segments[0], segments[2]), ("payments", "refunds"));
                let decoded = percent_encoding::percent_decode_str(segments[1]);
                prop_assert_eq!(decoded.decode_utf8().unwrap(), id);
            }
        }
    }
}
