//! `keys`: creates the system's missing keys.

use std::path::PathBuf;

/// Arguments of `keys`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Directory to create the files in; only the user who runs this command can read them
    #[arg(long, env = "FOOD_ORDERING_KEYS_DIRECTORY", value_name = "DIRECTORY")]
    directory: PathBuf,
}

/// `keys`: creates the missing keys and prints their paths.
pub fn main(args: &Args) -> anyhow::Result<()> {
    let made = secrets::keys::make_missing(&args.directory)?;
    for name in &made {
        say!("created {}", args.directory.join(name).display());
    }
    if made.is_empty() {
        say!("no key is missing in {}", args.directory.display());
    }
    Ok(())
}
