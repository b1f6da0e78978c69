//! How each database is opened and what it must prove before it is trusted.

#[cfg(test)]
pub(crate) mod plans;
#[cfg(feature = "postgres")]
pub(crate) mod postgres;
#[cfg(feature = "sqlite")]
pub(crate) mod sqlite;
#[cfg(feature = "sqlite")]
pub(crate) mod sqlite_views;
