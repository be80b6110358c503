//! The project's own commands: `cargo xtask demo`, `test`, `bench`, `soak`, `chaos`, `broker`, `kafka`, `compose-test`,
//! `kubernetes-test`.

mod compose;
mod dependencies;
mod kubernetes;
mod node;
mod prerequisites;
mod python;
mod steps;
mod web_ui;

use std::ffi::OsString;
use std::num::NonZero;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::Context;
use clap::{Parser, Subcommand};

use crate::node::Packages;
use crate::python::Environment;
use crate::steps::Steps;
use crate::web_ui::WebUi;

/// The project's own commands.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    command: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Builds everything, and runs it until Ctrl-C
    Demo {
        /// Build with optimisations, which takes longer
        #[arg(long)]
        release: bool,
        /// Do not build the web UI, so that Node.js is not needed
        #[arg(long)]
        no_web_ui: bool,
        /// Flags for `food-ordering up`, such as --drivers 10; `-- --help` lists them
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        flags: Vec<OsString>,
    },
    /// Checks everything: format, lints, dependencies, unit tests, the web UI in a browser, end-to-end tests
    Test,
    /// Builds with optimisations, and measures what an order costs
    Bench {
        /// Flags for `trials bench`, such as --orders 500; `-- --help` lists them
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        flags: Vec<OsString>,
    },
    /// Builds with optimisations, and checks that memory and latency stay flat under a steady load; takes 30 minutes
    Soak {
        /// Flags for `trials soak`, such as --duration 10m; `-- --help` lists them
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        flags: Vec<OsString>,
    },
    /// Builds with optimisations, injects faults into a system under load, and checks every payment and delivery
    Chaos {
        /// Flags for `trials chaos`, such as --seed 7; `-- --help` lists them
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        flags: Vec<OsString>,
    },
    /// Builds with optimisations, and checks that no accepted order is lost when the broker is killed
    Broker {
        /// Flags for `trials broker`, such as --kills 3; `-- --help` lists them
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        flags: Vec<OsString>,
    },
    /// Builds the images, and tests docker-compose.yaml on a Docker engine
    ///
    /// Tests the first start, a restart, the loss of Kafka's records, killed containers, and load. Takes some minutes, and the first
    /// build takes longer.
    ComposeTest,
    /// Applies deploy/kubernetes/overlays/local to a cluster, and tests it there
    ///
    /// Tests the first start, network policies, a new version under load, deleted pods, a drained node, restarts, scaling and setup's
    /// schedule. The cluster needs Restate's operator and Strimzi. Takes about half an hour, and leaves the system there.
    KubernetesTest {
        /// How to reach the cluster
        #[arg(long, env = "KUBECONFIG", value_name = "FILE")]
        kubeconfig: PathBuf,
        /// The image, which the cluster must be able to pull, or have
        #[arg(long, default_value = "food-ordering:0.1.0")]
        image: String,
        /// The image of the test rig (`docker build --target trials`) [default: that of --image with -trials after its name]
        #[arg(long, value_name = "IMAGE")]
        trials_image: Option<String>,
    },
    /// Runs Apache Kafka on this machine until Ctrl-C
    Kafka {
        /// Flags for `trials kafka`, such as --port 9092; `-- --help` lists them
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        flags: Vec<OsString>,
    },
}

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Task::Demo {
            release,
            no_web_ui,
            flags,
        } => demo(release, no_web_ui, &flags),
        Task::Test => test(),
        Task::Bench { flags } => run_trials(true, "bench", &flags),
        Task::Soak { flags } => run_trials(true, "soak", &flags),
        Task::Chaos { flags } => run_trials(true, "chaos", &flags),
        Task::Broker { flags } => run_trials(true, "broker", &flags),
        Task::ComposeTest => compose::test(&mut Steps::new(), &mut cargo()),
        Task::KubernetesTest {
            kubeconfig,
            image,
            trials_image,
        } => kubernetes::test(
            &mut Steps::new(),
            &kubeconfig,
            &image,
            trials_image.as_deref(),
            [&mut cargo(), &mut cargo()],
        ),
        Task::Kafka { flags } => run_trials(false, "kafka", &flags),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nError: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn demo(release: bool, no_web_ui: bool, flags: &[OsString]) -> anyhow::Result<()> {
    prerequisites::check()?;
    let web_ui = WebUi::new();
    if !no_web_ui {
        web_ui.make(|name, command| {
            println!("Preparing the {name} …");
            steps::succeed(command)
        })?;
    }
    build(release, &["food-ordering", "psql-gateway"])?;
    let mut up = Command::new(binary(release, "food-ordering")?);
    up.arg("up").args(flags);
    // A variable, because a flag would conflict with one that the user gives. A variable that the user has set stays.
    if std::env::var_os(WEB_UI).is_none() {
        up.env(WEB_UI, web_ui.dist());
    }
    Err(exec(&mut up))
}

/// The environment variable that tells `up` where the built web UI is.
const WEB_UI: &str = "FOOD_ORDERING_WEB_UI";

/// Builds the test rig, the launcher and the psql gateway, and replaces this process with a command of the test rig.
fn run_trials(release: bool, command: &str, flags: &[OsString]) -> anyhow::Result<()> {
    prerequisites::check()?;
    build(release, &["food-ordering", "psql-gateway", "trials"])?;
    let mut trials = Command::new(binary(release, "trials")?);
    Err(exec(trials.arg(command).args(flags)))
}

/// Runs all checks. Each step runs only if those before it passed. Nothing is printed after the summary of the last step.
fn test() -> anyhow::Result<()> {
    prerequisites::check_for_tests()?;
    let mut steps = Steps::new();
    steps.run("format", cargo().args(["fmt", "--all", "--check"]))?;
    // With the features of the whole workspace, as in the other steps. Otherwise most crates would be built twice.
    steps.run(
        "build and lints",
        linting_cargo().args(["build", "--workspace", "--all-targets"]),
    )?;
    let mut not_checked = dependencies::check_crates(&mut steps, &target_directory()?)?;
    let web_ui = WebUi::new();
    not_checked.extend(dependencies::check_packages(&mut steps, &web_ui)?);
    // Tests use the Restate server. On a new machine, this step installs it.
    steps.run(
        "Restate server",
        Command::new(binary(false, "food-ordering")?).arg("restate-server-path"),
    )?;
    not_checked.extend(compose::check(&mut steps)?);
    web_ui.make(|name, command| steps.run(name, command))?;
    steps.run(
        "web UI types, lint, unit tests",
        &mut web_ui.npm(["run", "--silent", "check"]),
    )?;
    steps.run(
        "web UI size of the first load",
        &mut web_ui.npm(["run", "--silent", "budget"]),
    )?;
    let launcher = binary(false, "food-ordering")?;
    // Not beside the end-to-end tests: both would be too slow for the limits in the browser tests.
    steps.run_both(
        (
            "unit tests",
            linting_cargo().args(["test", "--workspace", "--exclude", "end-to-end-tests"]),
        ),
        (
            "web UI in a browser",
            web_ui
                .npm(["run", "--silent", "e2e"])
                .env("FOOD_ORDERING_BIN", &launcher),
        ),
    )?;
    let node = Packages::new("tests/drivers/node");
    node.install("driver for Node.js", &mut |name, command: &mut Command| {
        steps.run(name, command)
    })?;
    let python = Environment::new(
        "tests/drivers/python/requirements.txt",
        target_directory()?.join("test-drivers/python"),
    );
    python.make("driver for Python", &mut |name, command: &mut Command| {
        steps.run(name, command)
    })?;
    // Repeated here, because the last step takes long and prints a lot.
    for line in not_checked {
        println!("\n{line}");
    }
    // One thread more than there are cores, because these tests wait more than they compute.
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get) + 1;
    steps.run(
        "end-to-end tests",
        linting_cargo()
            .args(["test", "--workspace", "--test", "end_to_end"])
            .args(["--test", "compose", "--test", "kubernetes", "--"])
            .arg(format!("--test-threads={threads}"))
            .env("FOOD_ORDERING_BIN", &launcher)
            .env("FOOD_ORDERING_TEST_PYTHON", python.python()),
    )
}

/// Builds the programs of these packages.
fn build(release: bool, packages: &[&str]) -> anyhow::Result<()> {
    let mut command = cargo();
    command.arg("build");
    for package in packages {
        command.args(["--package", package]);
    }
    if release {
        command.arg("--release");
    }
    steps::succeed(&mut command)
}

/// The path of a program that was built.
fn binary(release: bool, name: &str) -> anyhow::Result<PathBuf> {
    let profile = if release { "release" } else { "debug" };
    Ok(target_directory()?.join(profile).join(name))
}

/// The target directory. This program is in `<target>/<profile>/`.
fn target_directory() -> anyhow::Result<PathBuf> {
    let this = std::env::current_exe().context("finding this program")?;
    let target = this.ancestors().nth(2).map(Path::to_owned);
    target.context("finding the target directory")
}

/// Cargo, without the variables that `cargo run` has set for this program. Build scripts such as ring's watch them: a build by this
/// program and one by hand would compile most crates again each time.
fn cargo() -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    for (name, _) in std::env::vars_os() {
        let is_of = |prefix| name.to_string_lossy().starts_with(prefix);
        if is_of("CARGO_PKG_") || is_of("CARGO_MANIFEST_") {
            cargo.env_remove(&name);
        }
    }
    cargo
}

/// Cargo with Clippy as the compiler of this workspace's crates. `cargo clippy` checks all dependencies before `cargo build`
/// compiles them; this way they are compiled once, and each of our crates is linted while it is compiled.
fn linting_cargo() -> Command {
    let mut cargo = cargo();
    cargo
        .env("RUSTC_WORKSPACE_WRAPPER", "clippy-driver")
        // As `cargo clippy -- --deny warnings` passes it on.
        .env("CLIPPY_ARGS", "--deny__CLIPPY_HACKERY__warnings");
    cargo
}

/// Replaces this process with another program, which then handles Ctrl-C and sets the exit code. Returns only if that fails.
fn exec(command: &mut Command) -> anyhow::Error {
    let error = command.exec();
    anyhow::Error::new(error).context(format!("starting {}", command.get_program().display()))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn flags_of_the_launcher_are_passed_on() {
        for (line, expected) in [
            (
                &["xtask", "demo", "--drivers", "3"][..],
                &["--drivers", "3"][..],
            ),
            (
                &["xtask", "demo", "--release", "--free-ports"],
                &["--free-ports"],
            ),
            (
                &["xtask", "demo", "--no-web-ui", "--drivers=1"],
                &["--drivers=1"],
            ),
            (&["xtask", "demo", "--", "--help"], &["--help"]),
        ] {
            let Task::Demo { flags, .. } = Cli::try_parse_from(line).unwrap().command else {
                panic!("{line:?} is not parsed as demo");
            };
            assert_eq!(flags, expected, "{line:?}");
        }
    }
}
