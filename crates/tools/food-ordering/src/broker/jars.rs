//! Fetches the jars of Apache Kafka from Maven Central.

use std::path::Path;

use anyhow::Context;
use futures::{StreamExt, TryStreamExt, stream};

use super::download;

/// The version of Apache Kafka. It needs Java 17.
pub const VERSION: &str = "4.4.0";
/// The SHA-256 and path of each jar, as `sha256sum` writes them: what Maven resolves for `org.apache.kafka:kafka_2.13` and for
/// `org.slf4j:slf4j-simple`, which writes the broker's log.
const JARS: &str = include_str!("jars.txt");
const REPOSITORY: &str = "https://repo1.maven.org/maven2";
const AT_ONCE: usize = 6;

fn jars() -> impl Iterator<Item = (&'static str, &'static str)> {
    JARS.lines().filter_map(|line| line.split_once("  "))
}

/// Downloads the jars into a directory, which is created.
pub(super) async fn fetch(directory: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(directory)
        .with_context(|| format!("creating {}", directory.display()))?;
    let client = &download::client()?;
    stream::iter(jars())
        .map(Ok)
        .try_for_each_concurrent(AT_ONCE, async |(sha256, path)| {
            let jar = download::file(client, &format!("{REPOSITORY}/{path}"), sha256).await?;
            let file = directory.join(path.rsplit('/').next().unwrap_or(path));
            std::fs::write(&file, jar).with_context(|| format!("writing {}", file.display()))
        })
        .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_has_the_broker_and_a_checksum_for_each_jar() {
        let broker = format!("org/apache/kafka/kafka_2.13/{VERSION}/kafka_2.13-{VERSION}.jar");
        assert!(jars().any(|(_, path)| path == broker));
        assert_eq!(jars().count(), JARS.lines().count());
        for (sha256, path) in jars() {
            assert!(sha256.len() == 64 && path.contains(".jar"), "{path}");
        }
    }
}
