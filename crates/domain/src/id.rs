//! Identifiers: short texts that are safe as Kafka keys, Restate keys and parts of a URL.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Why a text is not an identifier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It is empty.
    #[error("must not be empty")]
    Empty,
    /// Longer than [`MAX_LEN`].
    #[error("must have at most {MAX_LEN} characters")]
    TooLong,
    /// It contains a character that is not allowed.
    #[error("must consist of ASCII letters, digits and - _ . : ~ but has {0:?}")]
    Character(char),
}

/// The longest identifier, in characters.
pub const MAX_LEN: usize = 64;
/// What identifiers look like, as a regular expression. Dots alone are refused beyond that.
pub const PATTERN: &str = "^[A-Za-z0-9._:~-]+$";

fn check(text: &str) -> Result<(), Error> {
    if text.is_empty() {
        return Err(Error::Empty);
    }
    if text.chars().count() > MAX_LEN {
        return Err(Error::TooLong);
    }
    match text
        .chars()
        .find(|c| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ':' | '~')))
    {
        Some(c) => Err(Error::Character(c)),
        // In a URL a path segment of dots alone refers to another directory.
        None if text.chars().all(|c| c == '.') => Err(Error::Character('.')),
        None => Ok(()),
    }
}

macro_rules! identifier {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(
            Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
        )]
        #[serde(try_from = "String", into = "String")]
        #[schemars(!try_from, !into)]
        pub struct $name(
            #[schemars(length(min = 1, max = MAX_LEN), regex(pattern = PATTERN))] String,
        );

        impl $name {
            /// The text of the identifier.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = Error;

            fn try_from(text: String) -> Result<Self, Error> {
                check(&text).map(|()| Self(text))
            }
        }

        impl FromStr for $name {
            type Err = Error;

            fn from_str(text: &str) -> Result<Self, Error> {
                Self::try_from(text.to_owned())
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }
    };
}

identifier!(
    /// The id of an order, chosen by the ordering provider; also the key of its workflow, its status and its delivery.
    OrderId
);
identifier!(
    /// The id of a driver; the key of the digital twin and of the Kafka records of the driver's phone.
    DriverId
);
identifier!(
    /// The id of a restaurant.
    RestaurantId
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_texts_that_are_safe_everywhere_are_identifiers() {
        for good in ["a", "order-1", "3f2c.8~x_y:z", &"x".repeat(MAX_LEN)] {
            assert!(good.parse::<OrderId>().is_ok(), "{good}");
        }
        for (bad, error) in [
            ("", Error::Empty),
            (&*"x".repeat(MAX_LEN + 1), Error::TooLong),
            ("a/b", Error::Character('/')),
            ("a b", Error::Character(' ')),
            ("ü", Error::Character('ü')),
            ("a\n", Error::Character('\n')),
            ("..", Error::Character('.')),
        ] {
            assert_eq!(bad.parse::<OrderId>(), Err(error), "{bad}");
        }
    }
}
