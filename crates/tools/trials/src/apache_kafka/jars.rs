//! Finds Java and fetches the jars of Apache Kafka.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, ensure};
use tokio::process::Command;

use food_ordering::install::{Cache, on_path};

/// The version this system is tested with. Version 4 needs Java 17.
pub(crate) const VERSION: &str = "4.4.0";
/// The version of `slf4j-simple`, which writes the broker's log. It must match the `slf4j-api` that the broker depends on.
const LOG_VERSION: &str = "1.7.36";
const MISSING: &str = "Apache Kafka needs Java 17 or later, and Maven to fetch it (Debian: apt install \
     default-jre-headless maven)";

/// A Java program and the class path of the broker.
#[derive(Debug, Clone)]
pub(super) struct Java {
    pub(super) program: PathBuf,
    pub(super) class_path: OsString,
}

fn cache() -> anyhow::Result<Cache> {
    Cache::of(&format!("kafka-{VERSION}"), None)
}

/// Whether [`find`] can succeed on this machine without installing anything.
pub(crate) fn is_available() -> bool {
    let fetched = cache().is_ok_and(|cache| cache.is_complete());
    on_path("java").is_some() && (fetched || on_path("mvn").is_some())
}

/// Finds Java and the jars. Fetches the jars if they are not in the cache.
pub(super) async fn find(progress: impl Fn(&str)) -> anyhow::Result<Java> {
    let program =
        on_path("java").with_context(|| format!("there is no java on PATH. {MISSING}"))?;
    let cache = cache()?;
    if !cache.is_complete() {
        let _lock = cache.lock("Apache Kafka", &progress).await?;
        // Another process may have fetched them while this one waited.
        if !cache.is_complete() {
            progress(&format!(
                "Fetching Apache Kafka {VERSION} (43 MB, once) into {} …",
                cache.path().display()
            ));
            cache.clear()?;
            fetch(cache.path()).await?;
            cache.complete()?;
        }
    }
    Ok(Java {
        program,
        class_path: cache.path().join("lib/*").into(),
    })
}

/// Runs Maven to resolve the broker's dependencies and copy their jars to `lib/`.
async fn fetch(directory: &Path) -> anyhow::Result<()> {
    let maven = on_path("mvn").with_context(|| format!("there is no mvn on PATH. {MISSING}"))?;
    let pom = directory.join("pom.xml");
    std::fs::write(&pom, pom_xml()).with_context(|| format!("writing {}", pom.display()))?;
    let output = Command::new(maven)
        .args(["--batch-mode", "--quiet", "--file"])
        .arg(&pom)
        .args(["dependency:copy-dependencies", "-DincludeScope=runtime"])
        .arg(format!(
            "-DoutputDirectory={}",
            directory.join("lib").display()
        ))
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .context("running mvn")?;
    ensure!(
        output.status.success(),
        "Maven could not fetch Apache Kafka {VERSION} ({}):\n{}\nCheck the network and Maven's settings.",
        output.status,
        String::from_utf8_lossy(&output.stdout).trim_end()
    );
    Ok(())
}

fn pom_xml() -> String {
    let dependency = |group: &str, artifact: &str, version: &str| {
        format!(
            "    <dependency><groupId>{group}</groupId><artifactId>{artifact}</artifactId>\
             <version>{version}</version></dependency>\n"
        )
    };
    format!(
        "<project xmlns=\"http://maven.apache.org/POM/4.0.0\">\n  <modelVersion>4.0.0</modelVersion>\n  \
         <groupId>food-ordering</groupId><artifactId>kafka</artifactId><version>1</version><packaging>pom</packaging>\n  \
         <dependencies>\n{}{}  </dependencies>\n</project>\n",
        dependency("org.apache.kafka", "kafka_2.13", VERSION),
        dependency("org.slf4j", "slf4j-simple", LOG_VERSION),
    )
}
