//! A flag that several commands have.

use std::path::PathBuf;

use clap::Args;

/// The data directory of an `up`.
#[derive(Debug, Clone, Args)]
pub(crate) struct DataDirectory {
    /// The data directory of `food-ordering up`: data, keys and logs
    #[arg(
        id = "data-dir",
        long,
        env = "FOOD_ORDERING_DATA_DIR",
        default_value = ".food-ordering",
        value_name = "DIRECTORY"
    )]
    pub(crate) path: PathBuf,
}
