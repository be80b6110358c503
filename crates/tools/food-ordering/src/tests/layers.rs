//! Checks which group of crates depends on which, and that the files of a crate do not import each other in a circle.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
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

/// Crates with files that import each other in a circle: their services send each other messages, by the clients that the SDK generates
/// beside each service.
const CIRCLES: [(&str, &[&str]); 1] = [(
    "crates/services/delivery",
    &["manager.rs", "matcher.rs", "twin.rs"],
)];

/// The words and punctuation of a source file, without comments and its tests.
fn tokens(source: &str) -> Vec<String> {
    let tests = ["mod ", "pub(super) mod ", "pub(crate) mod "];
    let source = (tests.iter())
        .filter_map(|tests| source.split_once(&format!("#[cfg(test)]\n{tests}")))
        .map(|(before, _)| before)
        .next()
        .unwrap_or(source);
    let mut tokens: Vec<String> = Vec::new();
    for line in source.lines() {
        let mut in_word = false;
        for letter in line.split("//").next().unwrap_or_default().chars() {
            let of_word = letter.is_alphanumeric() || letter == '_';
            match tokens.last_mut() {
                Some(word) if of_word && in_word => word.push(letter),
                _ if letter.is_whitespace() => {}
                _ => tokens.push(letter.to_string()),
            }
            in_word = of_word;
        }
    }
    tokens
}

/// The paths that begin at a place of the source: `a::{b, c::d}` is `a::b` and `a::c::d`. Returns the place after them.
fn paths(
    tokens: &[String],
    mut at: usize,
    mut path: Vec<String>,
    found: &mut Vec<Vec<String>>,
) -> usize {
    loop {
        match tokens.get(at).map(String::as_str) {
            Some("{") => {
                at += 1;
                loop {
                    at = paths(tokens, at, path.clone(), found);
                    match tokens.get(at).map(String::as_str) {
                        Some(",") => at += 1,
                        _ => return at + 1,
                    }
                }
            }
            Some(word)
                if word.starts_with(|letter: char| letter.is_alphabetic() || letter == '_') =>
            {
                path.push(word.to_owned());
                at += 1;
                if tokens.get(at..at + 2) != Some(&[":".to_owned(), ":".to_owned()]) {
                    // `a as b`
                    while tokens.get(at).is_some_and(|word| word == "as") {
                        at += 2;
                    }
                    found.push(path);
                    return at;
                }
                at += 2;
            }
            _ => {
                found.push(path);
                return at;
            }
        }
    }
}

/// The modules of a crate by their paths, each with the modules that it names.
fn imports(source: &Path) -> BTreeMap<Vec<String>, BTreeSet<Vec<String>>> {
    let mut files = Vec::new();
    let mut folders = vec![source.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy();
            if path.is_dir() && name != "tests" {
                folders.push(path);
            } else if name.ends_with(".rs") && !["tests.rs", "lib.rs", "main.rs"].contains(&&*name)
            {
                files.push(path);
            }
        }
    }
    let module = |file: &PathBuf| {
        let words = file.strip_prefix(source).unwrap().with_extension("");
        let words = words.iter().map(|word| word.to_string_lossy().into_owned());
        words.filter(|word| word != "mod").collect::<Vec<_>>()
    };
    let known: BTreeSet<Vec<String>> = files.iter().map(module).collect();
    let named = |file: &PathBuf| {
        let own = module(file);
        let tokens = tokens(&std::fs::read_to_string(file).unwrap());
        let mut found = Vec::new();
        for (at, word) in tokens.iter().enumerate() {
            let base = match word.as_str() {
                _ if at > 0 && tokens[at - 1] == ":" => continue,
                "crate" => Vec::new(),
                "self" => own.clone(),
                "super" => own[..own.len() - 1].to_vec(),
                _ => continue,
            };
            if tokens.get(at + 1).is_some_and(|next| next == ":") {
                paths(&tokens, at + 3, base, &mut found);
            }
        }
        let modules = found.into_iter().filter_map(|path| {
            let lengths = (1..=path.len()).rev();
            lengths
                .map(|length| path[..length].to_vec())
                .find(|path| known.contains(path))
        });
        modules.filter(|module| *module != own).collect()
    };
    files
        .iter()
        .map(|file| (module(file), named(file)))
        .collect()
}

#[test]
fn files_do_not_import_each_other_in_a_circle() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..");
    let mut circles = BTreeMap::new();
    let mut read = 0;
    for folder in [
        "domain",
        "edge/*",
        "external/*",
        "platform/*",
        "services/*",
        "tools/*",
    ] {
        let crates: Vec<PathBuf> = match folder.strip_suffix("/*") {
            None => vec![root.join("crates").join(folder)],
            Some(group) => (std::fs::read_dir(root.join("crates").join(group)).unwrap())
                .map(|entry| entry.unwrap().path())
                .collect(),
        };
        for one in crates {
            let mut imports = imports(&one.join("src"));
            read += imports.len();
            // What nobody in the rest imports, and what imports nothing of the rest, is in no circle.
            loop {
                let rest: BTreeSet<_> = imports.keys().cloned().collect();
                let imported: BTreeSet<_> = imports.values().flatten().cloned().collect();
                imports.retain(|module, named| {
                    named.retain(|other| rest.contains(other));
                    !named.is_empty() && imported.contains(module)
                });
                if imports.len() == rest.len() {
                    break;
                }
            }
            let files: Vec<String> = imports
                .keys()
                .map(|path| format!("{}.rs", path.join("/")))
                .collect();
            if !files.is_empty() {
                let name = one.strip_prefix(&root).unwrap().display().to_string();
                circles.insert(name, files);
            }
        }
    }
    assert!(read > 250, "{read}");
    let allowed = CIRCLES.map(|(name, files)| {
        (
            name.to_owned(),
            files.iter().map(ToString::to_string).collect(),
        )
    });
    assert_eq!(circles, BTreeMap::from(allowed));
}
