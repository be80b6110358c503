//! Downloads of files with a known checksum.

use std::fmt::Write;
use std::time::Duration;

use anyhow::{Context, ensure};
use reqwest::Client;
use sha2::{Digest, Sha256};
use upstream::http;

/// How long one file may take.
const LIMIT: Duration = Duration::from_mins(10);
/// The size of the largest file is 36 MB.
const MAX_FILE: usize = 64 << 20;

/// A client for downloads. Unlike others it uses the proxy of the environment, as npm does.
pub(super) fn client() -> anyhow::Result<Client> {
    http::downloading_client(LIMIT)
        .build()
        .context("making an HTTP client")
}

/// Downloads a file and checks its SHA-256.
pub(super) async fn file(client: &Client, url: &str, sha256: &str) -> anyhow::Result<Vec<u8>> {
    let read = async {
        let answer = client.get(url).send().await?.error_for_status()?;
        anyhow::Ok(http::body(answer, MAX_FILE).await?)
    };
    let content = read.await.with_context(|| format!("downloading {url}"))?;
    let found = hex(&Sha256::digest(&content));
    ensure!(
        found == sha256,
        "{url} is not the expected file: its SHA-256 is {found}, and not {sha256}"
    );
    Ok(content.into())
}

/// Bytes in hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
