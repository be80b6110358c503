//! `dlq`: lets operators list, show and replay dead letters.
//!
//! A dead letter has the key and value of the original record. Its headers say where the record came from and why it was
//! rejected. Replaying publishes the record to the topic it came from. This is safe to repeat, because an order is recognised by
//! its id, and a position by its time.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::{Context, bail, ensure};
use clap::Subcommand;
use domain::order::is_hidden;
use domain::topic;
use kafka::records::{self, Record};
use kafka::{Connection, Publisher, dead_letter};

use crate::up;

/// Arguments of `dlq`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Addresses of Kafka's brokers [default: those of the system in the data directory]
    #[arg(
        long,
        global = true,
        env = "FOOD_ORDERING_KAFKA_BROKERS",
        value_parser = kafka::brokers, value_name = "HOST:PORT,…"
    )]
    kafka_brokers: Option<String>,
    #[command(flatten)]
    kafka_properties: kafka::PropertiesFile,
    /// Data directory of a running `up`
    #[arg(
        long,
        global = true,
        env = "FOOD_ORDERING_DATA_DIR",
        default_value = ".food-ordering",
        value_name = "DIRECTORY"
    )]
    data_dir: PathBuf,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Lists the dead letters with position, source, key and reason
    List,
    /// Shows one dead letter with its value
    Show {
        /// Position of the dead letter, as `list` shows it: orders-dlq/0/12
        letter: Position,
    },
    /// Publishes a dead letter again, to the topic it came from
    Replay {
        /// Position of the dead letter, as `list` shows it: orders-dlq/0/12
        letter: Position,
        /// File with the corrected value; - reads standard input [default: the original value]
        #[arg(long, value_name = "FILE")]
        value: Option<PathBuf>,
        /// Corrected key [default: the original key]
        #[arg(long, value_name = "TEXT")]
        key: Option<String>,
    },
}

/// The position of a record in Kafka.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Position {
    topic: String,
    partition: i32,
    offset: i64,
}

impl FromStr for Position {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parse = || {
            let [topic, partition, offset] = text.split('/').collect::<Vec<_>>()[..] else {
                return None;
            };
            Some(Self {
                topic: DLQ_TOPICS
                    .iter()
                    .find(|(name, _)| *name == topic)?
                    .0
                    .to_owned(),
                partition: partition.parse().ok()?,
                offset: offset.parse().ok()?,
            })
        };
        parse().ok_or_else(|| {
            let topics = DLQ_TOPICS.map(|(topic, _)| topic).join(" or ");
            format!("must be <topic>/<partition>/<offset> as `list` shows it, with topic {topics}")
        })
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.topic, self.partition, self.offset)
    }
}

/// The topics of dead letters, each with the topic that its records come from.
const DLQ_TOPICS: [(&str, &str); 2] = [
    (topic::ORDERS_DLQ, topic::ORDERS),
    (topic::DRIVER_UPDATES_DLQ, topic::DRIVER_UPDATES),
];

/// `dlq`: lists, shows or replays dead letters.
pub async fn main(args: Args) -> anyhow::Result<()> {
    let kafka = match args.kafka_brokers {
        Some(brokers) => args.kafka_properties.connection(&brokers)?,
        None => kafka_of(&args.data_dir)?,
    };
    // Explains why the brokers cannot be reached.
    kafka::Cluster::discover(&kafka).await?;
    match args.action {
        Action::List => {
            let mut lines = String::new();
            for (topic, _) in DLQ_TOPICS {
                for letter in read(&kafka, topic).await? {
                    lines += &harmless(&line(topic, &letter));
                    lines.push('\n');
                }
            }
            if lines.is_empty() {
                lines += "There are no dead letters.\n";
            }
            print(lines.as_bytes())?;
        }
        Action::Show { letter } => {
            let record = find(&kafka, &letter).await?;
            print(&shown(&letter, &record, io::stdout().is_terminal()))?;
        }
        Action::Replay { letter, value, key } => {
            let record = find(&kafka, &letter).await?;
            let (topic, key, value) = replayed(&letter, &record, value.as_deref(), key)?;
            Publisher::new(&kafka, "dlq")?
                .publish(topic, key.as_deref(), &value, &[])
                .await?;
            say!("{letter} was published to topic {topic} again.");
        }
    }
    Ok(())
}

/// The connection to the Kafka of the system whose data is in `directory`.
fn kafka_of(directory: &Path) -> anyhow::Result<Connection> {
    let file = directory.join(up::ENDPOINTS);
    let text = std::fs::read_to_string(&file).with_context(|| {
        format!(
            "reading {}; give Kafka's addresses with --kafka-brokers, or the data directory of a running `up` with --data-dir",
            file.display()
        )
    })?;
    let addresses: BTreeMap<String, String> = serde_json::from_str(&text)?;
    Connection::from_endpoints(&addresses)?
        .with_context(|| format!("{} does not contain Kafka's address", file.display()))
}

async fn read(kafka: &Connection, topic: &'static str) -> anyhow::Result<Vec<Record>> {
    let kafka = kafka.clone();
    let read = tokio::task::spawn_blocking(move || records::read(&kafka, topic)).await??;
    Ok(read.records)
}

async fn find(kafka: &Connection, position: &Position) -> anyhow::Result<Record> {
    let topic = DLQ_TOPICS
        .map(|(topic, _)| topic)
        .into_iter()
        .find(|topic| *topic == position.topic)
        .context("no topic of dead letters")?;
    let mut letters = read(kafka, topic).await?.into_iter();
    letters
        .find(|letter| (letter.partition, letter.offset) == (position.partition, position.offset))
        .with_context(|| {
            format!("there is no dead letter {position}; `food-ordering dlq list` lists them")
        })
}

/// How many characters of a key are shown.
const SHOWN_KEY: usize = 80;

/// A dead letter on one line.
fn line(topic: &str, letter: &Record) -> String {
    format!(
        "{topic}/{}/{}  from {}  key {}  {}",
        letter.partition,
        letter.offset,
        source(letter),
        key_of(letter),
        letter.header(dead_letter::REASON)
    )
}

/// A dead letter with its value. The value is as it was received, unless it goes to a terminal.
fn shown(position: &Position, letter: &Record, for_terminal: bool) -> Vec<u8> {
    let length = letter.header(dead_letter::CUT_FROM);
    let cut = if length.is_empty() {
        String::new()
    } else {
        let first = letter.value.len();
        format!("value   (the first {first} of {length} bytes)\n")
    };
    let head = format!(
        "letter  {position}\nfrom    {}\nreason  {}\nkey     {}\n{cut}",
        source(letter),
        letter.header(dead_letter::REASON),
        key_of(letter)
    );
    let shown = [head.as_bytes(), &letter.value, b"\n"].concat();
    if for_terminal {
        harmless(&String::from_utf8_lossy(&shown)).into_bytes()
    } else {
        shown
    }
}

/// The text with escapes instead of characters that a terminal obeys.
fn harmless(text: &str) -> String {
    let mut harmless = String::with_capacity(text.len());
    for c in text.chars() {
        if is_hidden(c) && !matches!(c, '\n' | '\t') {
            harmless.extend(c.escape_default());
        } else {
            harmless.push(c);
        }
    }
    harmless
}

/// Prints what was asked for. It is no error that a reader such as `head` has seen enough, but a full disk is.
fn print(output: &[u8]) -> anyhow::Result<()> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(output).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(error).context("writing to standard output")
        }
        _ => Ok(()),
    }
}

/// Where the record came from: `topic/partition/offset`.
fn source(letter: &Record) -> String {
    [
        dead_letter::TOPIC,
        dead_letter::PARTITION,
        dead_letter::OFFSET,
    ]
    .map(|header| letter.header(header))
    .join("/")
}

fn key_of(letter: &Record) -> String {
    let Some(key) = &letter.key else {
        return "none".to_owned();
    };
    let text = String::from_utf8_lossy(key);
    if text.chars().count() > SHOWN_KEY {
        let start: String = text.chars().take(SHOWN_KEY).collect();
        let length = letter.header(dead_letter::KEY_CUT_FROM);
        let length = if length.is_empty() {
            key.len().to_string()
        } else {
            length.to_owned()
        };
        return format!("{start:?}… ({length} bytes)");
    }
    format!("{text:?}")
}

/// A record to publish: topic, key, value.
type Replayed = (&'static str, Option<Vec<u8>>, Vec<u8>);

/// The record to publish for a dead letter: the original one with the corrections.
fn replayed(
    position: &Position,
    letter: &Record,
    value: Option<&Path>,
    key: Option<String>,
) -> anyhow::Result<Replayed> {
    let topic = letter.header(dead_letter::TOPIC);
    let Some((_, topic)) = DLQ_TOPICS.into_iter().find(|(_, source)| *source == topic) else {
        bail!("{position} has no header with its source topic: publish it with a Kafka client");
    };
    let value = if let Some(file) = value {
        corrected(file)?
    } else {
        ensure!(
            letter.header(dead_letter::CUT_FROM).is_empty(),
            "only the beginning of {position} was stored: give the whole value with --value FILE"
        );
        letter.value.clone()
    };
    ensure!(
        key.is_some() || letter.header(dead_letter::KEY_CUT_FROM).is_empty(),
        "only the beginning of the key of {position} was stored: give the whole key with --key TEXT"
    );
    Ok((
        topic,
        key.map(String::into_bytes).or_else(|| letter.key.clone()),
        value,
    ))
}

fn corrected(file: &Path) -> anyhow::Result<Vec<u8>> {
    let mut value = Vec::new();
    if file == Path::new("-") {
        std::io::stdin()
            .read_to_end(&mut value)
            .context("reading standard input")?;
    } else {
        value = std::fs::read(file).with_context(|| format!("reading {}", file.display()))?;
    }
    // Editors end a file with a line break, which is not part of the record.
    while value.last().is_some_and(u8::is_ascii_whitespace) {
        value.pop();
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter(headers: &[(&str, &str)]) -> Record {
        Record {
            partition: 0,
            offset: 12,
            key: Some(b"\xff".to_vec()),
            value: b"{".to_vec(),
            headers: headers
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
        }
    }

    fn position() -> Position {
        "orders-dlq/0/12".parse().unwrap()
    }

    #[test]
    fn a_letter_is_named_as_the_list_shows_it() {
        let from_orders = letter(&[
            (dead_letter::REASON, "no order"),
            (dead_letter::TOPIC, "orders"),
            (dead_letter::PARTITION, "3"),
            (dead_letter::OFFSET, "7"),
        ]);
        let line = line(topic::ORDERS_DLQ, &from_orders);
        assert_eq!(
            line,
            "orders-dlq/0/12  from orders/3/7  key \"\u{fffd}\"  no order"
        );
        assert_eq!(
            line.split_whitespace().next().unwrap().parse(),
            Ok(position())
        );
        for bad in ["orders-dlq/0", "orders/0/12", "orders-dlq/x/1", ""] {
            assert!(bad.parse::<Position>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_value_cannot_control_the_terminal_but_a_file_gets_it_unchanged() {
        let mut hostile = letter(&[(dead_letter::REASON, "no\u{1b}[2J order")]);
        hostile.value = b"{\n\t\x1b]0;title\x07\xe2\x80\xae\xff".to_vec();
        let on_terminal = String::from_utf8(shown(&position(), &hostile, true)).unwrap();
        assert!(on_terminal.contains("no\\u{1b}[2J order"), "{on_terminal}");
        assert!(
            on_terminal.ends_with("{\n\t\\u{1b}]0;title\\u{7}\\u{202e}\u{fffd}\n"),
            "{on_terminal}"
        );
        let in_file = shown(&position(), &hostile, false);
        assert!(in_file.ends_with(&[&hostile.value[..], b"\n"].concat()));
    }

    #[test]
    fn a_record_is_replayed_as_received_except_for_corrections() {
        let from_orders = letter(&[(dead_letter::TOPIC, "orders")]);
        assert_eq!(
            replayed(&position(), &from_orders, None, None).unwrap(),
            ("orders", Some(b"\xff".to_vec()), b"{".to_vec())
        );
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "{}\n").unwrap();
        assert_eq!(
            replayed(
                &position(),
                &from_orders,
                Some(file.path()),
                Some("id".to_owned())
            )
            .unwrap(),
            ("orders", Some(b"id".to_vec()), b"{}".to_vec())
        );
    }

    #[test]
    fn a_truncated_record_and_one_without_a_source_are_not_replayed() {
        let cut = letter(&[
            (dead_letter::TOPIC, "orders"),
            (dead_letter::CUT_FROM, "99"),
        ]);
        let error = replayed(&position(), &cut, None, None)
            .unwrap_err()
            .to_string();
        assert!(error.contains("--value"), "{error}");
        assert!(replayed(&position(), &letter(&[]), None, None).is_err());
        let cut = letter(&[
            (dead_letter::TOPIC, "orders"),
            (dead_letter::KEY_CUT_FROM, "99"),
        ]);
        let error = replayed(&position(), &cut, None, None)
            .unwrap_err()
            .to_string();
        assert!(error.contains("--key"), "{error}");
        assert!(replayed(&position(), &cut, None, Some("id".to_owned())).is_ok());
    }

    #[test]
    fn a_long_key_is_shown_truncated() {
        let mut long = letter(&[]);
        long.key = Some(vec![b'k'; 900_000]);
        let shown = key_of(&long);
        assert!(shown.len() < 200, "{}", shown.len());
        assert!(shown.ends_with("(900000 bytes)"), "{shown}");
    }
}
