//! The only place where HTTP clients are created, responses are read, and URLs with ids are built.
//!
//! Responses of other servers are not trusted. Every client from here, except [`downloading_client`] in the first two points,
//!
//! - follows no redirects: a redirect counts as the response, since a POST that follows one would arrive as a GET or elsewhere;
//! - ignores proxies in the environment (`HTTP_PROXY` etc.) and connects directly;
//! - has a timeout for connecting, and one for the whole response with its body;
//! - requests no compression and decompresses nothing, so a limit in bytes applies to the bytes that arrive;
//! - accepts a server's certificate for `https` only if one of the machine's authorities has signed it. `SSL_CERT_FILE` and
//!   `SSL_CERT_DIR` name others, for example those of a company.
//!
//! [`body`] reads a response up to a limit. `clippy.toml` forbids reqwest's own constructors and its methods that read bodies of
//! any length.

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{Client, ClientBuilder, Response, Url, redirect};
use rustls::{ClientConfig, RootCertStore};

/// The timeout for connecting.
const CONNECT_WITHIN: Duration = Duration::from_secs(2);
/// The timeout for connecting to a server on the internet.
const DOWNLOAD_CONNECT_WITHIN: Duration = Duration::from_secs(20);

/// The limit for responses with a few fields and for error documents, in bytes: 1 MiB.
pub const SHORT: usize = 1 << 20;

/// A client whose requests may take `limit`, from connecting to the last byte of the response body.
///
/// `RequestBuilder::timeout` can set a shorter timeout for a request.
pub fn client(limit: Duration) -> ClientBuilder {
    streaming_client().timeout(limit)
}

/// A client for responses that are streamed without a timeout. The caller limits the time.
pub fn streaming_client() -> ClientBuilder {
    bare_client()
        .connect_timeout(CONNECT_WITHIN)
        .redirect(redirect::Policy::none())
        .no_proxy()
}

/// A client for downloads from public servers, which may take `limit` each. Unlike the others it follows redirects, and uses the
/// proxy that the environment names.
pub fn downloading_client(limit: Duration) -> ClientBuilder {
    bare_client()
        .connect_timeout(DOWNLOAD_CONNECT_WITHIN)
        .timeout(limit)
}

#[expect(clippy::disallowed_methods, reason = "clients are created only here")]
fn bare_client() -> ClientBuilder {
    Client::builder()
        // Even if other crates enable these features of reqwest.
        .no_gzip()
        .no_brotli()
        .no_zstd()
        .no_deflate()
        .referer(false)
        .tls_backend_preconfigured(tls())
}

/// Whether this is a URL that a client can use: `http` or `https`, with a host.
#[must_use]
pub fn is_http(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https") && url.has_host()
}

/// The TLS of clients for `https`. It trusts the authorities of the machine; reading them takes long, so this happens once.
#[expect(
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "ring supports these versions of TLS"
)]
pub fn tls() -> ClientConfig {
    static CONFIG: OnceLock<ClientConfig> = OnceLock::new();
    let config = CONFIG.get_or_init(|| {
        let found = rustls_native_certs::load_native_certs();
        for error in &found.errors {
            tracing::warn!(%error, "reading the machine's certificate authorities");
        }
        let mut authorities = RootCertStore::empty();
        authorities.add_parsable_certificates(found.certs);
        let ring = Arc::new(rustls::crypto::ring::default_provider());
        ClientConfig::builder_with_provider(ring)
            .with_safe_default_protocol_versions()
            .expect("TLS 1.2 and 1.3")
            .with_root_certificates(authorities)
            .with_no_client_auth()
    });
    config.clone()
}

/// Why a request got no usable response.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There was no response, or it was incomplete, or it took too long.
    #[error(transparent)]
    Http(#[from] reqwest::Error),
    /// The response is longer than permitted.
    #[error("the answer is longer than {most} bytes")]
    TooLong {
        /// The limit, in bytes.
        most: usize,
    },
}

/// The message of an error with those of its causes, which reqwest does not include.
pub fn with_sources(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ")
}

/// An error of a request, for [`Upstream::ask`](crate::Upstream::ask).
pub trait Failure: fmt::Display {
    /// Whether the request was not sent, because no connection was made.
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

/// Reads the body of a response, of at most `most` bytes. Stops before more is in memory.
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

/// Reads the body as text, with replacement characters for invalid UTF-8.
pub async fn text(response: Response, most: usize) -> Result<String, Error> {
    let body = body(response, most).await?;
    Ok(String::from_utf8_lossy(&body).into_owned())
}

/// The error for a text that cannot be a segment of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it cannot be a segment of a path, because it is empty or consists of one or two dots")]
pub struct InvalidSegment;

/// Whether a text can be encoded as one segment of a path. URLs cannot represent the others: `%2e%2e` also means `..`.
#[must_use]
pub fn is_segment(text: &str) -> bool {
    !matches!(text, "" | "." | "..")
}

/// The characters that are encoded in a segment: all except RFC 3986's unreserved characters and the colon, which ids may contain.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b':');

/// Encodes a text as one segment of a path. [`is_segment`] must be true for it.
#[must_use]
pub fn encoded(segment: &str) -> impl fmt::Display {
    utf8_percent_encode(segment, ENCODED)
}

/// The URL of a path below `base`. Each of `segments` becomes one segment, whatever characters it contains.
pub fn below(base: &Url, segments: &[&str]) -> Result<Url, InvalidSegment> {
    let mut path = base.path().trim_end_matches('/').to_owned();
    for segment in segments {
        if !is_segment(segment) {
            return Err(InvalidSegment);
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

    /// A server that answers every request with `answer`, followed by chunks without end if it is `endless`.
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
    async fn an_endless_body_is_aborted() {
        let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
        let read = read(server(chunked, true).await, SHORT).await;
        assert!(matches!(read, Err(Error::TooLong { most: SHORT })));
    }

    #[tokio::test]
    async fn a_body_with_too_long_a_content_length_is_not_read() {
        // The body never arrives, so a client that reads it would time out.
        let huge = "HTTP/1.1 200 OK\r\ncontent-length: 400000000\r\n\r\n";
        let read = read(server(huge, false).await, SHORT).await;
        assert!(matches!(read, Err(Error::TooLong { most: SHORT })));
    }

    #[tokio::test]
    async fn redirects_are_not_followed() {
        let elsewhere = "HTTP/1.1 302 Found\r\nlocation: /login\r\ncontent-length: 0\r\n\r\n";
        let client = client(LIMIT).build().unwrap();
        let answer = client.get(server(elsewhere, false).await).send().await;
        assert_eq!(answer.unwrap().status(), 302);
    }

    #[tokio::test]
    async fn the_timeout_includes_the_body() {
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
            panic!("the body was read");
        };
        assert!(error.is_timeout(), "{error}");
    }

    #[test]
    fn an_id_becomes_one_segment_whatever_it_contains() {
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
            assert_eq!(below(&base, &["payments", id]), Err(InvalidSegment), "{id}");
        }
    }

    proptest! {
        #[test]
        fn an_id_stays_one_segment(id in "(?s).{1,40}") {
            let base: Url = "http://a:1".parse().unwrap();
            if let Ok(url) = below(&base, &["payments", &id, "refunds"]) {
                // The server parses the URL's text again.
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
