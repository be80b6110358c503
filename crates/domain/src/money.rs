//! Exact amounts of money.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use rust_decimal::Decimal;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser};
use serde_json::value::RawValue;

use crate::json::{Value, decimal};

/// An amount in US dollars, exact to the cent: never negative, at most [`Money::MAX`].
///
/// In JSON it is a plain number with two digits after the point (`23.50`). Reading it never goes through a float: the digits
/// are taken as written in the text, so only `serde_json` can read and write it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Money(Decimal);

/// Why a text or number is not a [`Money`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Not a decimal number.
    #[error("must be a decimal number such as 23.50")]
    NotANumber,
    /// Less than zero.
    #[error("must not be negative")]
    Negative,
    /// More digits after the point than a cent has.
    #[error("must have at most two digits after the decimal point")]
    TooPrecise,
    /// More than [`Money::MAX`].
    #[error("must be at most {}", Money::MAX)]
    TooLarge,
}

impl Money {
    /// The currency, as ISO 4217 calls it.
    pub const CURRENCY: &str = "USD";
    /// No money.
    pub const ZERO: Self = Self(Decimal::from_parts(0, 0, 0, false, 2));
    /// One million dollars: more than any order, small enough that every amount and sum fits everywhere.
    pub const MAX: Self = Self(Decimal::from_parts(100_000_000, 0, 0, false, 2));

    /// The amount of `cents` cents.
    pub fn from_cents(cents: u32) -> Result<Self, Error> {
        Self::try_from(Decimal::new(i64::from(cents), 2))
    }

    /// The amount that is sent as a JSON number, or as a string that holds one.
    pub fn from_json(value: Value<'_>) -> Result<Self, String> {
        let text = value
            .string()
            .unwrap_or_else(|_| value.as_written().to_owned());
        text.parse()
            .map_err(|error: Error| format!("{error}, but is {value}"))
    }

    /// The amount in cents, as stubs keep it in their books.
    #[must_use]
    pub fn cents(self) -> i64 {
        // The scale is two and the value at most `MAX`, so the mantissa is the number of cents and fits.
        i64::try_from(self.0.mantissa()).unwrap_or(i64::MAX)
    }

    /// The decimal itself, for arithmetic.
    #[must_use]
    pub fn decimal(self) -> Decimal {
        self.0
    }
}

impl JsonSchema for Money {
    fn schema_name() -> Cow<'static, str> {
        "Money".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": ["number", "string"],
            "description": "An amount in US dollars with at most two digits after the point, as a number or as a string that holds \
                            one. It is read digit by digit and never rounded.",
            "minimum": 0,
            "maximum": Self::MAX.cents() / 100,
            "pattern": "^[-+.0-9eE]+$",
        })
    }
}

impl TryFrom<Decimal> for Money {
    type Error = Error;

    fn try_from(value: Decimal) -> Result<Self, Error> {
        if value.is_sign_negative() && !value.is_zero() {
            return Err(Error::Negative);
        }
        if value > Self::MAX.0 {
            return Err(Error::TooLarge);
        }
        let mut cents = value.normalize();
        if cents.scale() > 2 {
            return Err(Error::TooPrecise);
        }
        cents.rescale(2);
        cents.set_sign_positive(true);
        Ok(Self(cents))
    }
}

impl FromStr for Money {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match decimal(text) {
            Ok(value) => Self::try_from(value),
            Err(rust_decimal::Error::Underflow) => Err(Error::TooPrecise),
            Err(
                rust_decimal::Error::ExceedsMaximumPossibleValue
                | rust_decimal::Error::LessThanMinimumPossibleValue,
            ) => Err(Error::TooLarge),
            // A number, but beyond the range of a decimal.
            Err(_) => match text.parse::<f64>() {
                Ok(value) if value.is_finite() && value < 0.0 => Err(Error::Negative),
                Ok(value) if value.is_finite() && value > 1.0 => Err(Error::TooLarge),
                Ok(value) if value.is_finite() => Err(Error::TooPrecise),
                _ => Err(Error::NotANumber),
            },
        }
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Money({self})")
    }
}

impl Serialize for Money {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        RawValue::from_string(self.to_string())
            .map_err(ser::Error::custom)?
            .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Money {
    /// Takes a JSON number, or a string holding one.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        let text = raw.get();
        text.strip_prefix('"')
            .and_then(|rest| rest.strip_suffix('"'))
            .unwrap_or(text)
            .parse()
            .map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_are_read_digit_by_digit_and_written_with_cents() {
        for (text, written) in [
            ("23.5", "23.50"),
            ("23.50", "23.50"),
            ("\"19.99\"", "19.99"),
            ("0", "0.00"),
            ("-0.0", "0.00"),
            ("1e2", "100.00"),
            // More zeros than a decimal holds.
            ("2.5000000000000000000000000000000000000000", "2.50"),
            ("3.0000000000000000000000000000000000000000e1", "30.00"),
            ("1000000", "1000000.00"),
            // As a float this would be 1.1500000000000001 × 10^2.
            ("115.15", "115.15"),
        ] {
            let money: Money = serde_json::from_str(text).unwrap();
            assert_eq!(serde_json::to_string(&money).unwrap(), written, "{text}");
        }
    }

    #[test]
    fn nonsense_is_refused_with_what_to_do() {
        for (text, error) in [
            ("-1", Error::Negative),
            ("-0.01", Error::Negative),
            ("1.999", Error::TooPrecise),
            ("19.999999999999999999", Error::TooPrecise),
            ("9.49999999999999999999999999999999999e0", Error::TooPrecise),
            ("1_0.50", Error::NotANumber),
            ("1_0e1", Error::NotANumber),
            ("1000000.01", Error::TooLarge),
            ("1e300", Error::TooLarge),
            ("\"abc\"", Error::NotANumber),
            ("\"\"", Error::NotANumber),
            ("true", Error::NotANumber),
            ("[]", Error::NotANumber),
            ("NaN", Error::NotANumber),
        ] {
            let text = text.trim_matches('"');
            assert_eq!(text.parse::<Money>(), Err(error), "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_amount_survives_json(cents in 0_u32..=100_000_000) {
            let money = Money::from_cents(cents).unwrap();
            let json = serde_json::to_string(&money).unwrap();
            prop_assert_eq!(serde_json::from_str::<Money>(&json).unwrap(), money);
            prop_assert_eq!(money.cents(), i64::from(cents));
        }

        #[test]
        fn no_text_makes_it_panic(text in ".*") {
            let _ = text.parse::<Money>();
        }
    }
}
