//! Checks which group of crates depends on which.

use std::collections::BTreeMap;
use std::process::Command;

use serde_json::Value;

/// The groups of crates, each with the other groups that it may use. `domain` is a single crate.
const GROUPS: [(&str, &[&str]); 6] = [
    (
        "tools",
        &["edge", "services", "external", "platform", "domain"],
    ),
    ("edge", &["services", "platform", "domain"]),
    ("services", &["platform", "domain"]),
    ("external", &["platform", "domain"]),
    ("platform", &["domain"]),
    ("domain", &[]),
];

/// Crates that may use only these other crates.
const STRICTER: [(&str, &[&str]); 1] = [
    // It works with any Restate, and knows nothing about food ordering.
    ("psql-gateway", &["settings", "shutdown", "upstream"]),
];

/// Our crates, each with its group and the other crates of ours that it depends on, tests included.
fn crates() -> BTreeMap<String, (String, Vec<String>)> {
    let asked = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--format-version=1"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    assert!(asked.status.success(), "{asked:?}");
    let metadata: Value = serde_json::from_slice(&asked.stdout).expect("cargo answers JSON");
    let list = |of: &Value, key: &str| of[key].as_array().expect(key).clone();
    let name = |of: &Value| of["name"].as_str().expect("a name").to_owned();
    (list(&metadata, "packages").iter())
        .filter_map(|package| {
            let (_, path) = package["manifest_path"].as_str()?.rsplit_once("/crates/")?;
            let ours = list(package, "dependencies")
                .into_iter()
                .filter(|dependency| dependency["path"].is_string());
            let group = path.split('/').next()?.to_owned();
            Some((name(package), (group, ours.map(|one| name(&one)).collect())))
        })
        .collect()
}

#[test]
fn dependencies_point_downwards_only() {
    let crates = crates();
    assert!(crates.len() > 15, "{crates:?}");
    let mut wrong = Vec::new();
    for (name, (group, dependencies)) in &crates {
        let (_, below) = GROUPS
            .iter()
            .find(|(known, _)| known == group)
            .unwrap_or_else(|| panic!("crates/{group} is not a group of the architecture"));
        let stricter = STRICTER.iter().find(|(strict, _)| strict == name);
        for dependency in dependencies {
            let (of, _) = &crates[dependency];
            let is_allowed = match stricter {
                Some((_, allowed)) => allowed.contains(&dependency.as_str()),
                None => of == group || below.contains(&of.as_str()),
            };
            if !is_allowed {
                wrong.push(format!("{group}/{name} depends on {of}/{dependency}"));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}
