//! `backup` and `restore`: save the data directory of a stopped `up` to one file, and restore it.
//!
//! The file is a tar archive compressed with gzip, whose checksum covers the whole content. The first entry is a label with
//! versions and the number of files. The system must be stopped: a running Restate can be copied consistently only by a snapshot
//! of the volume (<https://docs.restate.dev/operate/data-backup>), and the stubs' books must be from the same moment.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context, bail, ensure};
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde::{Deserialize, Serialize};
use tar::{Archive, Builder, EntryType, Header};

use crate::{flags, restate, up};

/// The first entry of an archive.
const LABEL: &str = "food-ordering-backup.json";
/// The version of the archive's layout.
const FORMAT: u32 = 1;
/// The subdirectory of Restate's data. Every data directory has it.
const RESTATE_DATA: &str = "restate";
/// Entries that are not saved, because they are useless elsewhere or later: logs, locks, addresses, configurations, and the data of
/// `trials kafka`, which is not from the same moment.
const LEFT_OUT: [&str; 10] = [
    LOST_AND_FOUND,
    "logs",
    "tmp",
    "soak",
    "apache-kafka",
    "up.lock",
    "up.out",
    "kafka.address",
    "kafka-server.properties",
    "restate.toml",
];

/// The directory that some file systems have at their root.
const LOST_AND_FOUND: &str = "lost+found";

/// Arguments of `backup`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// File to write; it must not exist yet
    file: PathBuf,
    #[command(flatten)]
    data_dir: flags::DataDirectory,
}

/// Arguments of `restore`.
#[derive(Debug, clap::Args)]
pub struct RestoreArgs {
    /// File that `backup` wrote
    file: PathBuf,
    /// Data directory to create; it must be empty or not exist yet
    #[arg(
        long,
        env = "FOOD_ORDERING_DATA_DIR",
        default_value = ".food-ordering",
        value_name = "DIRECTORY"
    )]
    data_dir: PathBuf,
}

/// The label of an archive.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Label {
    format: u32,
    /// When it was made, as RFC 3339.
    made_at: String,
    /// The versions of this program and of the Restate server that it is tested with.
    food_ordering: String,
    restate: String,
    /// How many files and directories follow.
    files: usize,
}

/// `backup`: writes the archive, and reads it again to verify it.
pub fn main(args: &Args) -> anyhow::Result<()> {
    let directory = std::path::absolute(&args.data_dir.path)?;
    let file = std::path::absolute(&args.file)?;
    ensure!(
        directory.join(RESTATE_DATA).is_dir(),
        "{} is not a data directory of `food-ordering up`; give the right one with --data-dir",
        directory.display()
    );
    let parent = file.parent().context("a file has a directory")?;
    let place = fs::canonicalize(parent).with_context(|| format!("writing {}", file.display()))?;
    ensure!(
        !place.starts_with(fs::canonicalize(&directory)?),
        "{} is inside the directory to be saved; choose another place",
        file.display()
    );
    // Prevents `up` from starting in this directory during the backup.
    let _lock = up::lock(&directory)?;
    let mut new = file.clone().into_os_string();
    new.push(".new");
    let new = PathBuf::from(new);
    let written = write(&directory, &file, &new);
    if written.is_err() {
        // An incomplete file is useless. If it cannot be removed, the first error still matters most.
        let _ = fs::remove_file(&new);
    }
    let label = written.with_context(|| format!("saving {}", directory.display()))?;
    say!(
        "{} holds {} files of {}; `food-ordering restore {0}` restores them.",
        file.display(),
        label.files,
        directory.display()
    );
    Ok(())
}

fn write(directory: &Path, file: &Path, new: &Path) -> anyhow::Result<Label> {
    ensure!(
        !file.exists(),
        "{} already exists and is not overwritten",
        file.display()
    );
    let mut found = Vec::new();
    collect(directory, Path::new(""), &mut found)?;
    let label = Label {
        format: FORMAT,
        made_at: humantime::format_rfc3339_seconds(now()).to_string(),
        food_ordering: env!("CARGO_PKG_VERSION").to_owned(),
        restate: restate::binary::VERSION.to_owned(),
        files: found.len(),
    };
    // Only for the owner: it contains keys and customers' orders.
    let archive = File::options()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(new)
        .with_context(|| format!("writing {}", new.display()))?;
    let mut tar = Builder::new(GzEncoder::new(archive, Compression::fast()));
    // Parts of the data may be on another disk.
    tar.follow_symlinks(true);
    // Kafka's indexes have holes; gzip makes them small as well.
    tar.sparse(false);
    let json = serde_json::to_vec_pretty(&label)?;
    let mut header = Header::new_gnu();
    header.set_size(json.len() as u64);
    header.set_mode(0o600);
    tar.append_data(&mut header, LABEL, &json[..])?;
    tar.append_dir(".", directory)?;
    for path in &found {
        let from = directory.join(path);
        tar.append_path_with_name(&from, path)
            .with_context(|| format!("reading {}", from.display()))?;
    }
    let archive = tar.into_inner()?.finish()?;
    archive.sync_all()?;
    drop(archive);
    // A backup that cannot be read is useless, so verify it.
    read(new, |_| Ok(())).context("verifying the archive")?;
    fs::rename(new, file).with_context(|| format!("renaming it to {}", file.display()))?;
    Ok(label)
}

/// All files and directories below `directory`, each directory before its content. Links are followed.
fn collect(directory: &Path, inside: &Path, found: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    let here = directory.join(inside);
    let mut entries: Vec<_> = fs::read_dir(&here)
        .and_then(Iterator::collect)
        .with_context(|| format!("reading {}", here.display()))?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let name = entry.file_name();
        let at_top = inside.as_os_str().is_empty();
        let left_out = |name: &str| LEFT_OUT.contains(&name) || is_list(name);
        if at_top && name.to_str().is_some_and(left_out) {
            continue;
        }
        let path = inside.join(&name);
        let from = directory.join(&path);
        let kind = fs::metadata(&from).with_context(|| format!("reading {}", from.display()))?;
        if kind.is_dir() {
            found.push(path.clone());
            collect(directory, &path, found)?;
        } else if kind.is_file() {
            found.push(path);
        }
    }
    Ok(())
}

/// Whether it is a list of addresses or process ids, which are those of a system that no longer runs.
fn is_list(name: &str) -> bool {
    [up::ENDPOINTS, up::PROCESSES].contains(&name)
}

#[expect(
    clippy::disallowed_methods,
    reason = "the label shows when the backup was made"
)]
fn now() -> SystemTime {
    SystemTime::now()
}

/// Reads a whole archive and calls `each` with every entry after the label. Fails if anything is missing or damaged.
fn read(
    file: &Path,
    mut each: impl FnMut(&mut tar::Entry<'_, GzDecoder<File>>) -> anyhow::Result<()>,
) -> anyhow::Result<Label> {
    let opened = File::open(file).with_context(|| format!("reading {}", file.display()))?;
    let mut archive = Archive::new(GzDecoder::new(opened));
    archive.set_preserve_permissions(true);
    let mut label: Option<Label> = None;
    let mut files = 0;
    for entry in archive.entries()? {
        let mut entry = entry?;
        if label.is_none() {
            label = Some(label_of(&mut entry)?);
            continue;
        }
        let kind = entry.header().entry_type();
        ensure!(
            matches!(kind, EntryType::Regular | EntryType::Directory),
            "{} is neither a file nor a directory",
            entry.path()?.display()
        );
        // The directory itself is not counted.
        if entry.path()? != Path::new(".") {
            files += 1;
        }
        each(&mut entry)?;
        io::copy(&mut entry, &mut io::sink())?;
    }
    // Reading to the end verifies the checksum.
    io::copy(&mut archive.into_inner(), &mut io::sink())?;
    let label = label.context("it is empty")?;
    ensure!(
        label.files == files,
        "it contains {files} files instead of {}",
        label.files
    );
    Ok(label)
}

fn label_of(entry: &mut tar::Entry<'_, impl Read>) -> anyhow::Result<Label> {
    ensure!(
        entry.path()? == Path::new(LABEL),
        "it was not made by `food-ordering backup`"
    );
    let mut json = Vec::new();
    entry.take(64 * 1024).read_to_end(&mut json)?;
    let label: Label = serde_json::from_slice(&json).context("its label cannot be read")?;
    ensure!(
        label.format == FORMAT,
        "it has format {}, and this program reads format {FORMAT}; restore it with version {} of food-ordering",
        label.format,
        label.food_ordering
    );
    Ok(label)
}

/// `restore`: recreates the data directory that was saved.
pub fn restore(args: &RestoreArgs) -> anyhow::Result<()> {
    let directory = std::path::absolute(&args.data_dir)?;
    let (exists, is_free) = match fs::read_dir(&directory) {
        Ok(mut entries) => {
            let is_nothing = |entry: io::Result<fs::DirEntry>| {
                entry.is_ok_and(|entry| entry.file_name() == LOST_AND_FOUND)
            };
            (true, entries.all(is_nothing))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => (false, true),
        Err(error) => {
            return Err(error).with_context(|| format!("reading {}", directory.display()));
        }
    };
    ensure!(
        is_free,
        "{} already exists and is not overwritten; give another directory with --data-dir, or move it away",
        directory.display()
    );
    let parent = directory.parent().context("a directory has a parent")?;
    fs::create_dir_all(parent).with_context(|| format!("creating {}", parent.display()))?;
    // Unpacked next to the target, or in it if it exists: it may be a link, a mount point or the current directory, which cannot be
    // replaced. Moved into place when complete, and removed if anything fails.
    let place = if exists { &*directory } else { parent };
    let unpacked = tempfile::Builder::new()
        .prefix(".food-ordering-restore-")
        .tempdir_in(place)
        .with_context(|| format!("making a directory in {}", place.display()))?;
    // The mode of the data directory itself.
    let mut mode = 0o700;
    let label = read(&args.file, |entry| {
        let path = entry.path()?.into_owned();
        if path == Path::new(".") {
            mode = entry.header().mode()?;
            return Ok(());
        }
        let is_inside = entry
            .unpack_in(unpacked.path())
            .with_context(|| format!("writing {}", path.display()))?;
        if !is_inside {
            bail!("{} is outside of the data directory", path.display());
        }
        Ok(())
    })
    .with_context(|| {
        format!(
            "{} cannot be restored, and nothing was changed",
            args.file.display()
        )
    })?;
    let mode = fs::Permissions::from_mode(mode);
    let moved = if exists {
        move_content(unpacked.path(), &directory)
            .and_then(|()| fs::set_permissions(&directory, mode))
    } else {
        fs::set_permissions(unpacked.path(), mode)
            .and_then(|()| fs::rename(unpacked.path(), &directory))
    };
    moved.with_context(|| {
        format!(
            "moving {} to {}",
            unpacked.path().display(),
            directory.display()
        )
    })?;
    say!(
        "{} is restored to its state of {} ({} files). `food-ordering up --data-dir {0}` continues from there.",
        directory.display(),
        label.made_at,
        label.files
    );
    Ok(())
}

fn move_content(from: &Path, to: &Path) -> io::Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        fs::rename(entry.path(), to.join(entry.file_name()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    /// Incompressible data. In a compressed run of equal bytes, flipping a bit may leave the content unchanged.
    fn table() -> Vec<u8> {
        let mixed = (0..200_000_u32).map(|n| n.wrapping_mul(2_654_435_761).rotate_left(n % 32));
        mixed.map(|n| n.to_le_bytes()[3]).collect()
    }

    /// A data directory as `up` leaves it, and arguments to back it up and restore it.
    fn stopped_system() -> (tempfile::TempDir, Args, RestoreArgs) {
        let root = tempfile::tempdir().unwrap();
        let data = root.path().join("data");
        fs::create_dir_all(data.join("restate/local/db")).unwrap();
        fs::create_dir_all(data.join("logs")).unwrap();
        fs::write(data.join("restate/local/db/000001.sst"), table()).unwrap();
        fs::write(data.join("payment-provider.sqlite"), "books").unwrap();
        fs::write(data.join("operator.token"), "secret").unwrap();
        fs::set_permissions(
            data.join("operator.token"),
            fs::Permissions::from_mode(0o600),
        )
        .unwrap();
        fs::write(data.join("logs/gateway.log"), "a line").unwrap();
        fs::write(data.join(up::ENDPOINTS), "{}").unwrap();
        let file = root.path().join("saved.tar.gz");
        let args = Args {
            file: file.clone(),
            data_dir: flags::DataDirectory { path: data },
        };
        let restore = RestoreArgs {
            file,
            data_dir: root.path().join("restored"),
        };
        (root, args, restore)
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn files_are_restored_with_their_modes_except_logs_and_addresses() {
        let (_root, args, to) = stopped_system();
        main(&args).unwrap();
        assert_eq!(mode(&args.file), 0o600);
        restore(&to).unwrap();
        let restored = &to.data_dir;
        assert_eq!(
            fs::read(restored.join("restate/local/db/000001.sst")).unwrap(),
            table()
        );
        assert_eq!(
            fs::read(restored.join("payment-provider.sqlite")).unwrap(),
            b"books"
        );
        assert_eq!(mode(&restored.join("operator.token")), 0o600);
        assert_eq!(mode(restored), mode(&args.data_dir.path));
        for left_out in ["logs", up::ENDPOINTS, "up.lock"] {
            assert!(!restored.join(left_out).exists(), "{left_out}");
        }
    }

    #[test]
    fn data_behind_a_link_is_saved_too() {
        let (root, args, to) = stopped_system();
        let (data, disk) = (&args.data_dir.path, root.path().join("disk"));
        fs::rename(data.join("restate"), &disk).unwrap();
        symlink("../disk", data.join("restate")).unwrap();
        main(&args).unwrap();
        restore(&to).unwrap();
        let restored = fs::read(to.data_dir.join("restate/local/db/000001.sst"));
        assert_eq!(restored.unwrap(), table());

        symlink("nowhere", data.join("kafka")).unwrap();
        let file = root.path().join("another.tar.gz");
        let error = format!("{:#}", main(&Args { file, ..args }).unwrap_err());
        assert!(error.contains("data/kafka"), "{error}");
    }

    #[test]
    fn the_archive_may_not_be_in_the_directory_that_it_holds() {
        let (root, args, _) = stopped_system();
        symlink("data", root.path().join("link")).unwrap();
        for (file, is_inside) in [
            ("link/a", true),
            ("data/logs/a", true),
            ("data/../a", false),
        ] {
            let file = root.path().join(file);
            let data_dir = flags::DataDirectory {
                path: args.data_dir.path.clone(),
            };
            let saved = main(&Args { file, data_dir });
            assert_eq!(saved.is_err(), is_inside, "{saved:?}");
        }
    }

    #[test]
    fn an_existing_directory_is_filled_and_not_replaced() {
        let (root, args, to) = stopped_system();
        main(&args).unwrap();
        let volume = root.path().join("volume");
        fs::create_dir_all(volume.join(LOST_AND_FOUND)).unwrap();
        symlink("volume", &to.data_dir).unwrap();
        restore(&to).unwrap();
        assert!(to.data_dir.is_symlink());
        assert_eq!(mode(&volume), mode(&args.data_dir.path));
        let mut found: Vec<_> = fs::read_dir(&volume)
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        found.sort();
        assert_eq!(
            found,
            [
                "lost+found",
                "operator.token",
                "payment-provider.sqlite",
                "restate"
            ]
        );
    }

    #[test]
    fn a_restore_that_fails_at_the_end_leaves_nothing() {
        let (root, args, to) = stopped_system();
        main(&args).unwrap();
        symlink("nowhere", &to.data_dir).unwrap();
        restore(&to).unwrap_err();
        let left = fs::read_dir(root.path()).unwrap().count();
        assert_eq!(left, 3, "the data, the archive and the link");
    }

    #[test]
    fn existing_files_are_not_overwritten() {
        let (_root, args, to) = stopped_system();
        main(&args).unwrap();
        let error = format!("{:#}", main(&args).unwrap_err());
        assert!(error.contains("not overwritten"), "{error}");
        fs::create_dir(&to.data_dir).unwrap();
        fs::write(to.data_dir.join("mine"), "").unwrap();
        let error = format!("{:#}", restore(&to).unwrap_err());
        assert!(error.contains("not overwritten"), "{error}");
        fs::remove_file(to.data_dir.join("mine")).unwrap();
        restore(&to).unwrap();
    }

    #[test]
    fn a_damaged_archive_is_refused_and_leaves_nothing() {
        let (root, args, to) = stopped_system();
        main(&args).unwrap();
        let whole = fs::read(&args.file).unwrap();
        let middle = whole.len() / 2;
        let damages: [(&str, Vec<u8>); 4] = [
            ("cut short", whole[..middle].to_vec()),
            ("without its checksum", whole[..whole.len() - 4].to_vec()),
            ("changed", {
                let mut changed = whole.clone();
                changed[middle] ^= 1;
                changed
            }),
            ("something else", b"no archive at all".to_vec()),
        ];
        for (how, bytes) in damages {
            fs::write(&args.file, bytes).unwrap();
            let error = format!("{:#}", restore(&to).expect_err(how));
            assert!(error.contains("nothing was changed"), "{how}: {error}");
            assert!(!to.data_dir.exists(), "{how}");
            let left = fs::read_dir(root.path()).unwrap().count();
            assert_eq!(left, 2, "{how}: the data and the archive");
        }
    }

    #[test]
    fn a_running_system_is_not_saved() {
        let (_root, args, _) = stopped_system();
        let _running = up::lock(&args.data_dir.path).unwrap();
        let error = format!("{:#}", main(&args).unwrap_err());
        assert!(error.contains("stop it"), "{error}");
        assert!(!args.file.exists());
    }
}
