//! Tests of the whole system with the real Restate server and a broker in memory. Each test starts a system of its own.
#![expect(
    clippy::disallowed_methods,
    reason = "tests and the systems they start trust each other"
)]
#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod apache_kafka;
mod attacks;
mod backup;
mod bad_records;
mod callbacks;
mod chaos;
mod clock;
mod cluster;
mod crashes;
mod dead_letters;
mod doctor;
mod drivers;
mod gateway;
mod identity;
mod kubernetes;
mod leaks;
mod lifecycle;
mod machines;
mod many_orders;
mod metrics;
mod order_ids;
mod positions;
mod psql;
mod retention;
mod sabotage;
mod settle;
mod shutdown;
mod stuck;
mod third_parties;
mod traces;
mod unhappy_ends;
mod versions;
