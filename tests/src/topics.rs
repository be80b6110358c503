//! Reads topics, as a provider or an operator would.

use std::collections::BTreeMap;

use kafka::Connection;
pub use kafka::records::Record;
use kafka::records::read;

/// A topic that is read from its beginning.
pub struct Topic {
    kafka: Connection,
    name: String,
    /// The next offset of each partition.
    next: BTreeMap<i32, i64>,
}

impl Topic {
    /// The topic `name`.
    #[must_use]
    pub fn of(kafka: impl Into<Connection>, name: &str) -> Self {
        Self {
            kafka: kafka.into(),
            name: name.to_owned(),
            next: BTreeMap::new(),
        }
    }

    /// The records that were published since the last call.
    pub fn new_records(&mut self) -> anyhow::Result<Vec<Record>> {
        let mut records = read(&self.kafka, &self.name)?.records;
        records.retain(|record| {
            let next = self.next.entry(record.partition).or_default();
            let is_new = record.offset >= *next;
            if is_new {
                *next = record.offset + 1;
            }
            is_new
        });
        Ok(records)
    }
}
