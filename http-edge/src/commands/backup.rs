//! `backup`: a copy of an embedded store with its pictures, made while the shop is open.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use persistence::media::MediaFiles;
use persistence::stores::{Database, back_up};

use super::stores::{MEDIA, config};
use super::{Failure, on_runtime};
use crate::cli::BackupArgs;

/// Worker threads.
const WORKERS: usize = 2;

/// Copies everything into a new folder. A copy that is not whole never has its name.
pub(super) fn backup(args: &BackupArgs) -> Result<ExitCode, Failure> {
    let Database::Sqlite(journal) = config(&args.store)?.database else {
        return Err(Failure::Misused(
            "backup copies the embedded store. Use `pg_dump --format=custom` for PostgreSQL, and \
             copy the folder `media` of the data folder afterwards."
                .to_owned(),
        ));
    };
    if args.to.exists() {
        return Err(Failure::Misused(format!("{} is there already", args.to.display())));
    }
    let partial = beside(&args.to);
    on_runtime(WORKERS, async {
        let made = || format!("cannot make {}", partial.display());
        std::fs::create_dir_all(&partial).with_context(made)?;
        let copies = back_up(&journal, &partial).await?;
        if copies.is_empty() {
            std::fs::remove_dir(&partial)?;
            let words = format!("there is no journal at {}", journal.display());
            return Err(Failure::Misused(words));
        }
        // After the journal, so that every picture that it names is there.
        let pictures = MediaFiles::at(&args.store.data_dir.join(MEDIA));
        let pictures = pictures.copy_to(&partial.join(MEDIA)).await?;
        std::fs::File::open(&partial)?.sync_all()?;
        std::fs::rename(&partial, &args.to)?;
        let to = args.to.display();
        writeln!(std::io::stdout(), "{} files and {pictures} pictures in {to}", copies.len())?;
        Ok(ExitCode::SUCCESS)
    })
}

/// Where a copy lies until it is whole.
fn beside(to: &Path) -> PathBuf {
    let mut name = to.file_name().unwrap_or_default().to_owned();
    name.push(".partial");
    to.with_file_name(name)
}
