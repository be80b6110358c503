//! Who is an operator: a client on this machine, or one that has the token.

use std::net::IpAddr;

use axum::extract::Request;
use axum::http::{HeaderMap, header, uri::Authority};
use secrets::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;

use super::settings::Neighbours;

/// The cookie that carries the token for clients that cannot set headers.
pub(crate) const COOKIE: &str = "operator-session";
/// Headers with which a proxy says that the request comes from elsewhere.
const OF_PROXIES: [&str; 5] = [
    "forwarded",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-real-ip",
    "via",
];

/// Decides who is an operator.
#[derive(Debug, Clone, Default)]
pub(crate) struct Access {
    /// Each of them is accepted: there are two while one is being replaced.
    tokens: Vec<Token>,
    /// Clients that are operators without a token.
    neighbours: Neighbours,
}

/// Why a client is not an operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Denied {
    /// No token is set, so no client from there is an operator.
    NotFromThere,
    /// The token is missing.
    NoToken,
    /// The token is wrong.
    WrongToken,
}

/// A token as in RFC 6750, so that it fits into a header and into a cookie unchanged.
#[derive(Debug, Clone)]
pub(crate) struct Token(SecretString);

impl Token {
    /// The token in `text`, if it is valid.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let body = text.trim_end_matches('=');
        let is_token = !body.is_empty()
            && body
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"-._~+/".contains(&b));
        is_token.then(|| Self(text.into()))
    }

    /// Compares in a time that does not reveal where the texts differ.
    fn is(&self, given: &str) -> bool {
        let token = self.0.expose_secret().as_bytes();
        token.ct_eq(given.as_bytes()).into()
    }
}

impl Access {
    /// Makes `neighbours` operators without a token.
    pub(crate) fn new(tokens: Vec<Token>, neighbours: Neighbours) -> Self {
        Self { tokens, neighbours }
    }

    /// Checks the token in these headers.
    pub(crate) fn check_token_of(&self, headers: &HeaderMap) -> Result<(), Denied> {
        self.check_token(bearer(headers).or_else(|| cookie(headers)))
    }

    /// Checks a token given by a client that is not on this machine.
    pub(crate) fn check_token(&self, given: Option<&str>) -> Result<(), Denied> {
        if self.tokens.is_empty() {
            return Err(Denied::NotFromThere);
        }
        let given = given.ok_or(Denied::NoToken)?;
        if self.tokens.iter().any(|token| token.is(given)) {
            Ok(())
        } else {
            Err(Denied::WrongToken)
        }
    }

    /// Whether the request comes from this machine and is meant for it.
    pub(crate) fn is_from_here(&self, peer: Option<IpAddr>, request: &Request) -> bool {
        let headers = request.headers();
        peer.is_some_and(|peer| self.neighbours.include(peer))
            && !OF_PROXIES.iter().any(|name| headers.contains_key(*name))
            // A stranger's page may have its own host name resolve to 127.0.0.1. The name in the request gives it away.
            && headers.get(header::HOST).is_none_or(|host| host.to_str().is_ok_and(is_local_name))
            && request.uri().authority().is_none_or(|authority| is_local_name(authority.as_str()))
    }
}

fn is_local_name(host: &str) -> bool {
    host.parse::<Authority>().is_ok_and(|authority| {
        let host = authority.host();
        let address = host.trim_start_matches('[').trim_end_matches(']');
        host.eq_ignore_ascii_case("localhost")
            || address
                .parse::<IpAddr>()
                .is_ok_and(|address| address.is_loopback())
    })
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then_some(token.trim())
}

fn cookie(headers: &HeaderMap) -> Option<&str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(name, _)| *name == COOKIE)
        .map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edge::settings::Edge;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        (pairs.iter())
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
            .collect()
    }

    fn request(uri: &str, pairs: &[(&'static str, &str)]) -> Request {
        let mut request = Request::new(axum::body::Body::empty());
        *request.uri_mut() = uri.parse().unwrap();
        *request.headers_mut() = headers(pairs);
        request
    }

    /// The clients trusted by a gateway on loopback, and by one that is published on loopback out of a container.
    fn neighbours() -> Neighbours {
        let edge = Edge {
            neighbours: vec!["172.18.0.0/16".parse().unwrap()],
            ..Edge::default()
        };
        edge.neighbours("0.0.0.0".parse().unwrap())
    }

    fn is_from_here(peer: &str, uri: &str, pairs: &[(&'static str, &str)]) -> bool {
        Access::new(Vec::new(), neighbours())
            .is_from_here(Some(peer.parse().unwrap()), &request(uri, pairs))
    }

    #[test]
    fn a_client_on_this_machine_is_known_by_its_address_and_by_the_name_it_uses() {
        for (peer, host) in [
            ("127.0.0.1", "127.0.0.1:3000"),
            ("127.0.0.1", "LocalHost"),
            ("127.0.0.9", "localhost"),
            ("::1", "[::1]:3000"),
            ("::ffff:127.0.0.1", "localhost:5173"),
            ("172.18.0.1", "127.0.0.1:3000"),
        ] {
            assert!(is_from_here(peer, "/", &[("host", host)]), "{peer} {host}");
        }
        assert!(is_from_here("127.0.0.1", "http://localhost:3000/", &[]));
    }

    #[test]
    fn a_client_from_elsewhere_or_behind_a_proxy_is_not_on_this_machine() {
        for (peer, uri, pairs) in [
            ("10.0.0.7", "/", &[][..]),
            ("10.0.0.7", "/", &[("host", "127.0.0.1")]),
            ("172.18.0.1", "/", &[("host", "gateway:3000")]),
            ("127.0.0.1", "/", &[("x-forwarded-for", "10.0.0.7")]),
            ("127.0.0.1", "/", &[("forwarded", "for=10.0.0.7")]),
            ("127.0.0.1", "/", &[("host", "evil.example:3000")]),
            ("127.0.0.1", "/", &[("host", "localhost.evil.example")]),
            (
                "127.0.0.1",
                "http://evil.example/",
                &[("host", "localhost")],
            ),
            (
                "127.0.0.1",
                "/",
                &[("authorization", "Bearer x"), ("via", "1.1 p")],
            ),
        ] {
            assert!(!is_from_here(peer, uri, pairs), "{peer} {uri} {pairs:?}");
        }
        assert!(!Access::new(Vec::new(), neighbours()).is_from_here(None, &request("/", &[])));
        let here = Some("127.0.0.1".parse().unwrap());
        let nobody = Neighbours::default();
        assert!(!Access::new(Vec::new(), nobody).is_from_here(here, &request("/", &[])));
    }

    #[test]
    fn without_a_token_setting_no_token_is_accepted() {
        let access = Access::new(Vec::new(), neighbours());
        let given = headers(&[("authorization", "Bearer x")]);
        assert_eq!(access.check_token_of(&given), Err(Denied::NotFromThere));
    }

    #[test]
    fn the_token_is_accepted_in_a_header_and_in_a_cookie_and_a_wrong_one_in_neither() {
        for (pairs, expected) in [
            (&[("authorization", "Bearer s3cret")][..], Ok(())),
            (&[("authorization", "bearer  s3cret")], Ok(())),
            (&[("cookie", "a=b; operator-session=s3cret; c=d")], Ok(())),
            (&[], Err(Denied::NoToken)),
            (&[("authorization", "Basic s3cret")], Err(Denied::NoToken)),
            (
                &[("authorization", "Bearer s3cre")],
                Err(Denied::WrongToken),
            ),
            (&[("authorization", "Bearer ")], Err(Denied::WrongToken)),
            (&[("cookie", "operator-session=x")], Err(Denied::WrongToken)),
        ] {
            let access = Access::new(
                Token::parse("s3cret").into_iter().collect(),
                Neighbours::default(),
            );
            let found = access.check_token_of(&headers(pairs));
            assert_eq!(found, expected, "{pairs:?}");
        }
    }

    #[test]
    fn a_token_fits_into_headers_and_cookies() {
        for good in ["a", "A-z0._~+/", "YWJj=="] {
            assert!(Token::parse(good).is_some(), "{good}");
        }
        for bad in ["", "==", "a b", "a;b", "a=b", "ü", "a\n"] {
            assert!(Token::parse(bad).is_none(), "{bad:?}");
        }
        let shown = format!("{:?}", Token::parse("secret").unwrap());
        assert!(!shown.contains("secret"), "{shown}");
    }
}
