//! A flag shared by several commands.

use std::path::PathBuf;

use clap::Args;

/// The data directory of an `up`.
#[derive(Debug, Clone, Args)]
pub(crate) struct DataDirectory {
    /// Data directory of `food-ordering up`, with data, keys and logs
    #[arg(
        id = "data-dir",
        long,
        env = "FOOD_ORDERING_DATA_DIR",
        default_value = ".food-ordering",
        value_name = "DIRECTORY"
    )]
    pub(crate) path: PathBuf,
}
