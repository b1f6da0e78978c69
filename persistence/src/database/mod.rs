//! How each database is opened and what it must prove before it is trusted.

#[cfg(feature = "sqlite")]
pub(crate) mod sqlite;

use crate::StoreError;

/// Any trouble of the driver while reading or preparing.
pub(crate) fn unavailable(error: sqlx::Error) -> StoreError {
    StoreError::Unavailable(error.into())
}
