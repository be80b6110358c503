//! The brokers that `up` can start: [Apache Kafka](apache), which keeps its records on disk, and one [in memory](in_memory).
//!
//! | file | contents |
//! |---|---|
//! | `apache.rs` | the command line, configuration and storage of a node of Apache Kafka |
//! | `jars.rs`, `jars.txt` | fetching the jars of Apache Kafka |
//! | `java.rs` | finding Java, or installing it |
//! | `download.rs` | downloads with a known checksum |
//! | `in_memory.rs` | the broker in memory |

pub mod apache;
mod download;
pub(crate) mod in_memory;
mod jars;
mod java;

use std::path::PathBuf;

use clap::ValueEnum;

/// A broker that this program can start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Broker {
    /// Apache Kafka, which keeps records on disk; it and, if necessary, Java are installed once (80 MB)
    Apache,
    /// A broker in memory, which loses its records when it ends; it starts at once and needs no Java
    InMemory,
}

impl std::fmt::Display for Broker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Apache => "apache",
            Self::InMemory => "in-memory",
        })
    }
}

/// Which broker to start.
#[derive(Debug, Clone, clap::Args)]
#[group(skip)]
pub struct Choice {
    /// The broker to start
    #[arg(
        long = "kafka",
        env = "FOOD_ORDERING_KAFKA",
        default_value = "apache",
        value_name = "BROKER"
    )]
    pub broker: Broker,
    /// Java program for Apache Kafka, version 17 or later [default: that of `JAVA_HOME`, else the one on PATH, else one that is
    /// installed once]
    #[arg(long, env = "FOOD_ORDERING_JAVA", value_name = "FILE")]
    pub java: Option<PathBuf>,
}
