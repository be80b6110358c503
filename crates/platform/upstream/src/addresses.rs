//! Parses the base URLs in a flag.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use reqwest::Url;

use crate::http;

/// The base URLs of a service, at least one: `http://10.0.0.1:8080,http://10.0.0.2:8080`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addresses(Vec<Url>);

/// The error for a text that is not a list of base URLs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{url:?} is not a base URL such as http://127.0.0.1:8080: {reason}; separate several URLs with commas"
)]
pub struct InvalidAddress {
    url: String,
    reason: String,
}

impl Addresses {
    /// The addresses called `name`, `name-2`, `name-3` and so on in a list such as the `endpoints.json` of `food-ordering up`; `None` if
    /// `name` is missing.
    pub fn named(
        list: &BTreeMap<String, String>,
        name: &str,
    ) -> Result<Option<Self>, InvalidAddress> {
        let first = list.get(name).into_iter();
        let others = (2..).map_while(|number| list.get(&format!("{name}-{number}")));
        let urls: Vec<Url> = (first.chain(others))
            .map(|text| base(text))
            .collect::<Result<_, _>>()?;
        Ok((list.contains_key(name)).then_some(Self(urls)))
    }

    /// Each address, without a trailing slash.
    pub fn each(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|url| url.as_str().trim_end_matches('/'))
    }

    pub(crate) fn into_urls(self) -> Vec<Url> {
        self.0
    }
}

impl FromStr for Addresses {
    type Err = InvalidAddress;

    fn from_str(text: &str) -> Result<Self, InvalidAddress> {
        text.split(',')
            .map(base)
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

fn base(text: &str) -> Result<Url, InvalidAddress> {
    let text = text.trim();
    let wrong = |reason: String| InvalidAddress {
        url: text.to_owned(),
        reason,
    };
    let url = Url::parse(text).map_err(|error| wrong(error.to_string()))?;
    if !http::is_http(&url) {
        return Err(wrong("it must begin with http:// or https://".to_owned()));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(wrong("it must not have a query or fragment".to_owned()));
    }
    Ok(url)
}

impl fmt::Display for Addresses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.each().collect::<Vec<_>>().join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_are_found_by_name() {
        let list = BTreeMap::from(
            [
                ("admin", "http://a:1"),
                ("admin-2", "http://b:2"),
                ("admin-4", "http://d:4"),
                ("administrator", "nobody"),
            ]
            .map(|(name, url)| (name.to_owned(), url.to_owned())),
        );
        let named = |name| Addresses::named(&list, name).unwrap();
        let found = named("admin").map(|found| found.to_string());
        assert_eq!(found.as_deref(), Some("http://a:1,http://b:2"));
        assert_eq!(named("ingress"), None);
        assert!(Addresses::named(&list, "administrator").is_err());
    }

    #[test]
    fn a_list_in_a_flag_is_parsed_and_formatted() {
        for (text, written) in [
            ("http://a:1", "http://a:1"),
            ("http://a:1/, http://b/x/", "http://a:1,http://b/x"),
        ] {
            assert_eq!(text.parse::<Addresses>().unwrap().to_string(), written);
        }
        for bad in [
            "",
            "a:1",
            "ftp://a",
            "mailto:a",
            "http://a,",
            "http://a,http://b?x=1",
        ] {
            assert!(bad.parse::<Addresses>().is_err(), "{bad}");
        }
    }
}
