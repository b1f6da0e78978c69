//! How each database is opened and what it must prove before it is trusted.

#[cfg(test)]
pub(crate) mod plans;
#[cfg(feature = "postgres")]
pub(crate) mod postgres;
#[cfg(feature = "sqlite")]
pub(crate) mod sqlite;
#[cfg(feature = "sqlite")]
pub(crate) mod sqlite_rows;
#[cfg(feature = "sqlite")]
pub(crate) mod sqlite_views;

use sqlx::migrate::{MigrateError, Migrator};

use crate::StoreError;
use crate::crash_points::{CrashPoint, crash_point};

/// Runs the migrations that are missing. Tables that another build made differently are refused.
async fn migrate<C: sqlx::migrate::Migrate>(
    migrations: &Migrator,
    connection: &mut C,
    trouble: fn(sqlx::Error) -> StoreError,
) -> Result<(), StoreError> {
    match migrations.run_direct(None, connection, false).await {
        Ok(()) => {
            crash_point(CrashPoint::StoreMigrated);
            Ok(())
        }
        Err(MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _)) => {
            Err(trouble(error))
        }
        Err(other) => Err(StoreError::Unsafe(other.to_string())),
    }
}
