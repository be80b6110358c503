//! Who is an operator: whoever sits at this machine, or knows the token.

use std::net::{IpAddr, SocketAddr};

use axum::http::{HeaderMap, header, uri::Authority};
use secrets::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;

/// The cookie that carries the token for those who cannot send headers of their own.
pub(crate) const COOKIE: &str = "operator-session";
/// Headers by which a proxy says that the request is not from where it seems to be.
const OF_PROXIES: [&str; 5] = [
    "forwarded",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-real-ip",
    "via",
];

/// What decides who is an operator.
#[derive(Debug, Clone, Default)]
pub(crate) struct Access {
    /// Any of them will do: there are two while one is replaced.
    tokens: Vec<Token>,
    /// Whether the gateway listens on a loopback address only.
    is_local: bool,
}

/// Why someone is not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Denied {
    /// There is no token, so from there nobody is.
    NotFromThere,
    /// The token is missing.
    NoToken,
    /// The token is another one.
    WrongToken,
}

/// A token as RFC 6750 has it, so that it fits into a header and into a cookie as it stands.
#[derive(Debug, Clone)]
pub(crate) struct Token(SecretString);

impl Token {
    /// The token, if it is one.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let body = text.trim_end_matches('=');
        let is_token = !body.is_empty()
            && body
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"-._~+/".contains(&b));
        is_token.then(|| Self(text.into()))
    }

    /// Compares in a time that tells nothing of where the texts differ.
    fn is(&self, given: &str) -> bool {
        let token = self.0.expose_secret().as_bytes();
        token.ct_eq(given.as_bytes()).into()
    }
}

impl Access {
    /// For a gateway that listens there.
    pub(crate) fn new(tokens: Vec<Token>, listener: IpAddr) -> Self {
        Self {
            tokens,
            is_local: listener.to_canonical().is_loopback(),
        }
    }

    /// Whether the request may do what operators may.
    pub(crate) fn check(
        &self,
        peer: Option<SocketAddr>,
        headers: &HeaderMap,
    ) -> Result<(), Denied> {
        if self.is_from_here(peer, headers) {
            return Ok(());
        }
        let given = bearer(headers).or_else(|| cookie(headers));
        self.check_token(given)
    }

    /// Whether this token, given by someone who is not at this machine, is a right one.
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

    /// Whether the request comes from this very machine, and is meant for it.
    pub(crate) fn is_from_here(&self, peer: Option<SocketAddr>, headers: &HeaderMap) -> bool {
        self.is_local
            && peer.is_some_and(|peer| peer.ip().to_canonical().is_loopback())
            && !OF_PROXIES.iter().any(|name| headers.contains_key(*name))
            // A page of a stranger may have its own name point to 127.0.0.1. Its name gives it away.
            && headers.get(header::HOST).is_none_or(|host| host.to_str().is_ok_and(is_local_name))
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

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        (pairs.iter())
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
            .collect()
    }

    fn check(
        token: Option<&str>,
        listener: &str,
        peer: &str,
        pairs: &[(&'static str, &str)],
    ) -> Result<(), Denied> {
        let token = token.map(|token| Token::parse(token).unwrap());
        let tokens = token.into_iter().collect();
        let peer = SocketAddr::new(peer.parse().unwrap(), 50_000);
        Access::new(tokens, listener.parse().unwrap()).check(Some(peer), &headers(pairs))
    }

    #[test]
    fn at_this_machine_no_token_is_needed() {
        for (listener, peer, host) in [
            ("127.0.0.1", "127.0.0.1", "127.0.0.1:3000"),
            ("127.0.0.1", "127.0.0.1", "LocalHost"),
            ("::1", "::1", "[::1]:3000"),
            ("::ffff:127.0.0.1", "::ffff:127.0.0.1", "localhost:5173"),
        ] {
            assert_eq!(check(None, listener, peer, &[("host", host)]), Ok(()));
        }
    }

    #[test]
    fn from_elsewhere_nobody_is_let_in_while_there_is_no_token() {
        for (listener, peer, pairs) in [
            ("127.0.0.1", "10.0.0.7", &[][..]),
            // Where others can come in, even the neighbour may be a proxy for them.
            ("0.0.0.0", "127.0.0.1", &[]),
            ("192.168.0.2", "192.168.0.2", &[]),
            ("127.0.0.1", "127.0.0.1", &[("x-forwarded-for", "10.0.0.7")]),
            ("127.0.0.1", "127.0.0.1", &[("forwarded", "for=10.0.0.7")]),
            ("127.0.0.1", "127.0.0.1", &[("host", "evil.example:3000")]),
            (
                "127.0.0.1",
                "127.0.0.1",
                &[("authorization", "Bearer x"), ("via", "1.1 p")],
            ),
        ] {
            let denied = check(None, listener, peer, pairs);
            assert_eq!(
                denied,
                Err(Denied::NotFromThere),
                "{listener} {peer} {pairs:?}"
            );
        }
        assert!(
            !Access::new(Vec::new(), "127.0.0.1".parse().unwrap())
                .is_from_here(None, &headers(&[]))
        );
    }

    #[test]
    fn the_token_opens_as_a_header_and_as_a_cookie_and_no_other_does() {
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
            assert_eq!(
                check(Some("s3cret"), "0.0.0.0", "10.0.0.7", pairs),
                expected,
                "{pairs:?}"
            );
        }
    }

    #[test]
    fn a_token_is_a_text_that_fits_everywhere() {
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
