//! The opening of stores, and `migrate`, which does nothing else.

use std::process::ExitCode;
use std::sync::Arc;

use persistence::Stores;
use persistence::media::{MediaFiles, MediaStore, MemoryMedia};
use persistence::stores::{Database, SHARDS_DEFAULT, StorageConfig};
use tracing::info;

use super::{Failure, on_runtime};
use crate::cli::StoreArgs;

/// The folder of pictures in the data folder.
pub(super) const MEDIA: &str = "media";

/// Worker threads of a command that ends by itself.
const WORKERS: usize = 2;

/// What the arguments say about the stores.
pub(super) fn config(args: &StoreArgs) -> Result<StorageConfig, Failure> {
    let database = Database::parse(args.database_url().as_deref(), &args.data_dir)
        .map_err(|error| Failure::Misused(format!("DATABASE_URL: {error}")))?;
    Ok(StorageConfig { database, redis_url: args.redis_url(), shards: SHARDS_DEFAULT })
}

/// Opens the stores.
pub(super) async fn open(args: &StoreArgs) -> Result<Stores, Failure> {
    let config = config(args)?;
    info!(database = ?config.database, redis = config.redis_url.is_some(), "opening the stores");
    Ok(Stores::open(&config).await?)
}

/// Opens the store of pictures: a folder beside the embedded database, also when another database is
/// used; memory when that keeps everything else.
pub(super) async fn media(args: &StoreArgs) -> Result<Arc<dyn MediaStore>, Failure> {
    if config(args)?.database == Database::Memory {
        return Ok(Arc::new(MemoryMedia::default()));
    }
    Ok(Arc::new(MediaFiles::open(&args.data_dir.join(MEDIA)).await?))
}

/// Prepares the database.
pub(super) fn migrate(args: &StoreArgs) -> Result<ExitCode, Failure> {
    on_runtime(WORKERS, async {
        let config = config(args)?;
        persistence::stores::migrate(&config).await?;
        info!(database = ?config.database, "the database is prepared");
        Ok(ExitCode::SUCCESS)
    })
}
