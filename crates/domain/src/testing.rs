//! Checks the parsers against the schemas.

use jsonschema::Validator;
use schemars::{JsonSchema, schema_for};
use serde_json::Value;

use crate::json;

/// The validator for the schema of `T`.
pub(crate) fn validator<T: JsonSchema>() -> Validator {
    let schema = schema_for!(T).to_value();
    jsonschema::validator_for(&schema).unwrap_or_else(|error| panic!("{schema}: {error}"))
}

/// Whether the schema allows `sent`. Panics if it does not although a parser has accepted it.
pub(crate) fn allows(schema: &Validator, sent: &[u8], is_accepted: bool) -> bool {
    let value = json::text(sent).ok().map(serde_json::from_str::<Value>);
    let Some(Ok(value)) = value else {
        assert!(!is_accepted, "accepted, but not JSON: {sent:?}");
        return false;
    };
    let errors: Vec<String> = (schema.iter_errors(&value))
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(
        !is_accepted || errors.is_empty(),
        "accepted against the schema: {value}: {errors:?}"
    );
    errors.is_empty()
}
