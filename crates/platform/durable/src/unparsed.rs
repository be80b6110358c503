//! Inputs that a handler parses itself.

use std::marker::PhantomData;

use bytes::Bytes;
use restate_sdk::serde::{Deserialize, InputMetadata, OutputMetadata, PayloadMetadata, Serialize};
use schemars::{JsonSchema, schema_for};

/// The bytes of an input that should be the JSON of a `T`. The handler parses them, so it decides what happens to invalid input.
///
/// The service's discovery shows the schema of `T`.
pub struct Unparsed<T>(Vec<u8>, PhantomData<fn() -> T>);

impl<T> Unparsed<T> {
    /// The unparsed bytes.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

impl<T> From<Vec<u8>> for Unparsed<T> {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes, PhantomData)
    }
}

impl<T> Serialize for Unparsed<T> {
    type Error = <Vec<u8> as Serialize>::Error;

    fn serialize(&self) -> Result<Bytes, Self::Error> {
        self.0.serialize()
    }
}

impl<T> Deserialize for Unparsed<T> {
    type Error = <Vec<u8> as Deserialize>::Error;

    fn deserialize(bytes: &mut Bytes) -> Result<Self, Self::Error> {
        Vec::deserialize(bytes).map(Self::from)
    }
}

impl<T: JsonSchema> PayloadMetadata for Unparsed<T> {
    fn json_schema() -> Option<serde_json::Value> {
        Some(schema_for!(T).to_value())
    }

    fn input_metadata() -> InputMetadata {
        Vec::<u8>::input_metadata()
    }

    fn output_metadata() -> OutputMetadata {
        Vec::<u8>::output_metadata()
    }
}
