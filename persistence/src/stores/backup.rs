//! A copy of an embedded store that can be served from, made while its server is at work.

use std::path::{Path, PathBuf};

use sqlx::{Connection as _, SqliteConnection};

use crate::StoreError;
use crate::database::sqlite::{holds_journal, open_reader, trouble};
use crate::database::sqlite_views::path_beside;
use crate::followers::sqlite as followers;

/// Copies the file of the journal and the files beside it into a folder, which must be there, and says
/// where the copies lie; nothing is copied where there is no journal. Each copy is one moment of its
/// file. The journal comes last: views that are behind their journal catch up, and views that are ahead
/// of it would be thrown away; followers that are behind go on from where they were.
///
/// # Errors
///
/// [`StoreError`] when a file cannot be read or a copy cannot be written, or is there already.
pub async fn back_up(journal: &Path, to: &Path) -> Result<Vec<PathBuf>, StoreError> {
    if !holds_journal(journal).await? {
        return Ok(Vec::new());
    }
    let mut copies = Vec::new();
    for file in [followers::path_beside(journal), path_beside(journal), journal.to_owned()] {
        let name = file.file_name().filter(|_| file.exists());
        // A server makes its views before it serves; where there are none they are made anew.
        let Some(name) = name else { continue };
        let copy = to.join(name);
        let mut reader = open_reader(&file).await?;
        copy_into(&mut reader, &copy).await?;
        reader.close().await.map_err(trouble)?;
        copies.push(copy);
    }
    Ok(copies)
}

async fn copy_into(reader: &mut SqliteConnection, copy: &Path) -> Result<(), StoreError> {
    let target = copy.to_str().ok_or_else(|| {
        StoreError::Unsafe(format!("{} cannot be written as text", copy.display()))
    })?;
    // Reads one snapshot of the file; a writer goes on meanwhile.
    let copied = sqlx::query("VACUUM INTO $1").bind(target).execute(reader).await;
    copied.map_err(trouble)?;
    let synced = std::fs::File::open(copy).and_then(|file| file.sync_all());
    synced.map_err(|error| StoreError::Unavailable(error.into()))
}
