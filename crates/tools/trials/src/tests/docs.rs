//! Checks `README.md` and `docs/` against the code: every link, and every table that repeats what the code declares.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use clap::{Command, CommandFactory};
use delivery::{
    DeliveryManager, DispatchBacklog, DriverDeliveryMatcher, DriverDigitalTwin, DriverUpdateIntake,
};
use domain::topic;
use driver_simulator::DriverMobileAppSimulator;
use food_ordering::variables::Known;
use order_status::OrderStatusService;
use order_workflow::{OrderIntake, OrderWorkflow};
use restate_sdk::discovery::{Handler, HandlerType, Service, ServiceType};
use restate_sdk::service::Discoverable;

/// The root of the repository, without `..` so that paths can be compared.
fn root() -> PathBuf {
    fs::canonicalize(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..")).unwrap()
}

/// A Markdown file.
struct Document {
    path: PathBuf,
    text: String,
}

impl Document {
    fn read(path: PathBuf) -> Self {
        let text =
            fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Self { path, text }
    }

    fn name(&self) -> String {
        let root = root();
        let path = self.path.strip_prefix(root).unwrap_or(&self.path);
        path.display().to_string()
    }

    /// Its lines outside of code blocks.
    fn prose(&self) -> impl Iterator<Item = &str> {
        let mut is_code = false;
        self.text.lines().filter(move |line| {
            let is_fence = line.trim_start().starts_with("```");
            is_code ^= is_fence;
            !is_code && !is_fence
        })
    }

    /// The anchors of its headings, as GitHub makes them.
    fn anchors(&self) -> BTreeSet<String> {
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        let headings = self.prose().filter_map(|line| {
            let level = line.bytes().take_while(|byte| *byte == b'#').count();
            line.get(level..)?.strip_prefix(' ').filter(|_| level > 0)
        });
        headings
            .map(|heading| {
                let slug: String = (heading.trim().to_lowercase().chars())
                    .filter(|c| c.is_alphanumeric() || " -_".contains(*c))
                    .map(|c| if c == ' ' { '-' } else { c })
                    .collect();
                let count = seen.entry(slug.clone()).or_default();
                *count += 1;
                match *count {
                    1 => slug,
                    count => format!("{slug}-{}", count - 1),
                }
            })
            .collect()
    }

    /// The targets of its links.
    fn links(&self) -> Vec<&str> {
        self.prose()
            .flat_map(|line| line.split("](").skip(1))
            .filter_map(|rest| rest.split_once(')'))
            .map(|(target, _)| target)
            .collect()
    }

    /// Its tables, each as a list of rows and each row as a list of cells. The first row is the header.
    fn tables(&self) -> Vec<Vec<Vec<String>>> {
        let mut tables = vec![Vec::new()];
        for line in self.prose() {
            match cells(line) {
                Some(cells) => tables.last_mut().unwrap().push(cells),
                None => tables.push(Vec::new()),
            }
        }
        tables.retain(|rows| !rows.is_empty());
        tables
    }

    /// The rows below this header. Panics unless exactly one table has it.
    fn table(&self, header: &[&str]) -> Vec<Vec<String>> {
        let mut found = self.tables();
        found.retain(|rows| rows[0] == header);
        assert_eq!(found.len(), 1, "{}: tables {header:?}", self.name());
        // After the header comes the line of dashes.
        found.remove(0).split_off(2)
    }
}

/// The cells of a row of a table.
fn cells(line: &str) -> Option<Vec<String>> {
    let row = line.strip_prefix('|')?.strip_suffix('|')?;
    let mut cells = vec![String::new()];
    let mut is_code = false;
    for c in row.chars() {
        is_code ^= c == '`';
        match c {
            '|' if !is_code => cells.push(String::new()),
            c => cells.last_mut().unwrap().push(c),
        }
    }
    Some(cells.iter().map(|cell| cell.trim().to_owned()).collect())
}

/// Every document, `README.md` first.
fn documents() -> Vec<Document> {
    let mut paths = [
        "README.md",
        "CHANGELOG.md",
        "crates/edge/psql-gateway/README.md",
    ]
    .map(|name| root().join(name))
    .to_vec();
    let mut directories = vec![root().join("docs")];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                directories.push(path);
            } else if path.extension().is_some_and(|ending| ending == "md") {
                paths.push(path);
            }
        }
    }
    paths.into_iter().map(Document::read).collect()
}

fn architecture() -> Document {
    Document::read(root().join("docs/architecture.md"))
}

#[test]
fn the_readme_is_short() {
    let lines = Document::read(root().join("README.md"))
        .text
        .lines()
        .count();
    assert!(lines <= 150, "README.md has {lines} lines");
}

#[test]
fn every_link_points_at_a_file_and_a_heading_that_exist() {
    let mut broken = Vec::new();
    let mut checked = 0;
    for document in documents() {
        for link in document.links() {
            if link.contains("://") {
                continue;
            }
            checked += 1;
            let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = match path {
                "" => document.path.clone(),
                path => document.path.with_file_name(path),
            };
            let is_right = match (target.exists(), anchor) {
                (exists, "") => exists,
                (exists, _) if !exists || target.is_dir() => false,
                (_, anchor) => Document::read(target).anchors().contains(anchor),
            };
            if !is_right {
                broken.push(format!("{}: {link}", document.name()));
            }
        }
    }
    assert_eq!(broken, Vec::<String>::new());
    assert!(checked > 300, "{checked} links");
}

/// The expected row of a service in the table of handlers: its name, kind and handlers.
fn described(service: &Service) -> (String, &'static str, String) {
    let kind = match service.ty {
        ServiceType::Service => "service",
        ServiceType::VirtualObject => "object",
        ServiceType::Workflow => "workflow",
    };
    let name = |handler: &&Handler| match handler.ingress_private {
        Some(true) => format!("`{}`", handler.name.as_str()),
        _ => format!("**`{}`**", handler.name.as_str()),
    };
    let (shared, others): (Vec<&Handler>, Vec<&Handler>) =
        (service.handlers.iter()).partition(|handler| handler.ty == Some(HandlerType::Shared));
    let list = |handlers: &[&Handler]| handlers.iter().map(name).collect::<Vec<_>>().join(", ");
    let handlers = match shared.as_slice() {
        [] => list(&others),
        shared => format!("{}; shared: {}", list(&others), list(shared)),
    };
    (format!("`{}`", service.name.as_str()), kind, handlers)
}

#[test]
fn the_table_of_handlers_is_what_the_services_declare() {
    let declared = [
        OrderIntake::discover(),
        OrderWorkflow::discover(),
        OrderStatusService::discover(),
        DeliveryManager::discover(),
        DriverDeliveryMatcher::discover(),
        DispatchBacklog::discover(),
        DriverUpdateIntake::discover(),
        DriverDigitalTwin::discover(),
        DriverMobileAppSimulator::discover(),
    ];
    let header = [
        "service",
        "kind · key",
        "handlers (bold: may be called through the ingress)",
    ];
    let rows = architecture().table(&header);
    assert_eq!(rows.len(), declared.len());
    for (row, service) in rows.iter().zip(&declared) {
        let (name, kind, handlers) = described(service);
        let documented = row[1].split(" · ").next().unwrap();
        assert_eq!([&row[0], documented, &row[2]], [&name, kind, &handlers]);
    }
}

#[test]
fn the_table_of_topics_is_what_setup_creates() {
    let rows = architecture().table(&["topic", "partitions", "key", "value", "read by"]);
    let documented: Vec<_> = (rows.iter())
        .map(|row| (row[0].trim_matches('`'), row[1].parse().unwrap()))
        .collect();
    assert_eq!(documented, topic::ALL);
}

/// The flags of a command and of its subcommands, each with the defaults it has in them.
fn flags(command: &Command) -> BTreeMap<String, Vec<String>> {
    let mut flags: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for flag in command.get_arguments() {
        if let Some(name) = flag.get_long() {
            let values = flag.get_default_values().iter();
            let values: Vec<_> = values.map(|value| value.to_string_lossy()).collect();
            (flags.entry(format!("--{name}")).or_default()).push(values.join(","));
        }
    }
    for command in command.get_subcommands() {
        for (name, defaults) in self::flags(command) {
            flags.entry(name).or_default().extend(defaults);
        }
    }
    flags
}

/// The flags of all commands of all programs.
fn all_flags() -> BTreeMap<String, Vec<String>> {
    let mut all = flags(&food_ordering::Cli::command());
    for other in [crate::Cli::command(), psql_gateway::Cli::command()] {
        for (name, defaults) in flags(&other) {
            all.entry(name).or_default().extend(defaults);
        }
    }
    all
}

/// The code spans in a line, each with the text that follows it.
fn code(line: &str) -> impl Iterator<Item = (&str, &str)> {
    let pieces: Vec<&str> = line.split('`').collect();
    let found = pieces.windows(2).skip(1).step_by(2);
    found
        .map(|piece| (piece[0], piece[1]))
        .collect::<Vec<_>>()
        .into_iter()
}

#[test]
fn every_flag_in_the_docs_exists() {
    let known = all_flags();
    let mut unknown = Vec::new();
    for document in documents() {
        for line in document.prose() {
            for (code, _) in code(line).filter(|(code, _)| code.starts_with("--")) {
                let flag = code.split([' ', '=']).next().unwrap();
                if !known.contains_key(flag) && flag != "--help" && flag != "--" {
                    unknown.push(format!("{}: {flag}", document.name()));
                }
            }
        }
    }
    assert_eq!(unknown, Vec::<String>::new());
}

#[test]
fn tables_of_settings_have_the_defaults_of_the_command_line() {
    let known = all_flags();
    let mut wrong = Vec::new();
    let mut checked = 0;
    for document in documents() {
        for table in document.tables() {
            let Some(column) = (table[0].iter()).position(|title| title.ends_with("flag, default"))
            else {
                continue;
            };
            for row in &table[2..] {
                for (flag, after) in code(&row[column]).filter(|(code, _)| code.starts_with("--")) {
                    let given = after.trim_start_matches(' ').split([' ', ',', ';']).next();
                    let defaults = known.get(flag).map_or(&[][..], Vec::as_slice);
                    checked += 1;
                    // For a list, the table may show one of its values.
                    let is_right = |default: &String| {
                        Some(default.as_str()) == given
                            || default.split(',').any(|one| Some(one) == given)
                    };
                    if !defaults.iter().any(is_right) {
                        let name = document.name();
                        wrong.push(format!("{name}: {flag} {given:?} is {defaults:?}"));
                    }
                }
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
    assert!(checked > 25, "{checked} settings");
}

#[test]
fn every_environment_variable_in_the_docs_exists() {
    let known = Known::of(&food_ordering::Cli::command());
    let gateway = psql_gateway::Cli::command();
    let of_gateway: BTreeSet<&str> = (gateway.get_arguments())
        .filter_map(|flag| flag.get_env()?.to_str())
        .collect();
    let mut unknown = Vec::new();
    for document in documents() {
        let words = document
            .text
            .split(|c: char| !(c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_'));
        for word in words {
            // The docs write `FOOD_ORDERING_…` for all of them.
            let is_known = match word {
                "FOOD_ORDERING_" | "PSQL_GATEWAY_" => true,
                _ if word.starts_with("FOOD_ORDERING_") => known.contains(word),
                _ => !word.starts_with("PSQL_GATEWAY_") || of_gateway.contains(word),
            };
            if !is_known {
                unknown.push(format!("{}: {word}", document.name()));
            }
        }
    }
    assert_eq!(unknown, Vec::<String>::new());
}
