//! What lies outside of this crate and has to fit to its command line.

/// The command that these words name, with that of a part where it is `serve`.
fn command<'a>(cli: &'a clap::Command, words: &[impl AsRef<str>]) -> &'a clap::Command {
    let names = words.iter().map(AsRef::as_ref);
    let found = names.scan(cli, |command, name| {
        *command = command.find_subcommand(name)?;
        Some(*command)
    });
    found.last().expect("a command")
}

mod compose;
mod kubernetes;
mod layers;
