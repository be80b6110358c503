//! Checks that files outside of this crate match its command line.
/// The command that these words name; for `serve`, the subcommand of the part.
fn command<'a>(cli: &'a clap::Command, words: &[impl AsRef<str>]) -> &'a clap::Command {
    let names = words.iter().map(AsRef::as_ref);
    let found = names.scan(cli, |command, name| {
        *command = command.find_subcommand(name)?;
        Some(*command)
    });
    found.last().expect("a command")
}

mod compose;
mod kafka_integration;
mod kubernetes;
mod layers;
