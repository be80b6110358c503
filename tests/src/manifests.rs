//! The manifests of `deploy/kubernetes`.

use std::fs;
use std::path::Path;

use anyhow::Context;
use serde_json::Value;

/// Every document of every YAML file, including patches that other documents contain as text.
pub fn manifests() -> anyhow::Result<Vec<Value>> {
    let mut documents = Vec::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/kubernetes");
    read(&root, &mut documents)?;
    let inline: Vec<String> = (documents.iter())
        .flat_map(|document| document["patches"].as_array().into_iter().flatten())
        .filter_map(|patch| patch["patch"].as_str().map(str::to_owned))
        .collect();
    for patch in inline {
        documents.extend(serde_saphyr::from_multiple::<Value>(&patch)?);
    }
    Ok(documents)
}

fn read(directory: &Path, documents: &mut Vec<Value>) -> anyhow::Result<()> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() {
            read(&path, documents)?;
        } else if path.extension().is_some_and(|ending| ending == "yaml") {
            let text = fs::read_to_string(&path)?;
            let found = serde_saphyr::from_multiple::<Value>(&text)
                .with_context(|| path.display().to_string())?;
            documents.extend(found);
        }
    }
    Ok(())
}
