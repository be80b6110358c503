//! `keys`: creates the keys of the system.

use std::path::PathBuf;

/// Arguments of `keys`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Where the files are created; only the user who runs this can read them
    #[arg(long, env = "FOOD_ORDERING_KEYS_DIRECTORY", value_name = "DIRECTORY")]
    directory: PathBuf,
}

/// `keys`: makes what is missing and says what was made.
pub fn main(args: &Args) -> anyhow::Result<()> {
    let made = secrets::keys::make_missing(&args.directory)?;
    for name in &made {
        say!("made {}", args.directory.join(name).display());
    }
    if made.is_empty() {
        say!("nothing is missing in {}", args.directory.display());
    }
    Ok(())
}
