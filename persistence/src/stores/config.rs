//! Which stores an engine uses, read from addresses that people write.

use std::path::{Path, PathBuf};

use crate::StoreError;

/// The database that holds journal, snapshots and read models.
#[derive(Clone, PartialEq, Eq)]
pub enum Database {
    /// Nothing survives the process.
    Memory,
    /// One file for the journal, and one beside it for what can be rebuilt.
    Sqlite(PathBuf),
    /// The address of a PostgreSQL database. It may hold a password: never log it.
    Postgres(String),
}

impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Memory => f.write_str("Memory"),
            Self::Sqlite(path) => f.debug_tuple("Sqlite").field(path).finish(),
            Self::Postgres(_) => f.write_str("Postgres(..)"),
        }
    }
}

impl Database {
    /// Reads an address: `sqlite:///./shop.db`, `sqlite:shop.db`, `postgresql://…`, `postgres://…`
    /// or `memory:`. None means `millrace.db` in the data folder.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unsafe`] for an address of any other kind; it is not repeated, because it may
    /// hold a password.
    pub fn parse(url: Option<&str>, data_dir: &Path) -> Result<Self, StoreError> {
        let Some(url) = url.map(str::trim).filter(|url| !url.is_empty()) else {
            return Ok(Self::Sqlite(data_dir.join("millrace.db")));
        };
        let (scheme, rest) = url.split_once(':').unwrap_or_default();
        match scheme {
            "memory" => Ok(Self::Memory),
            "postgres" | "postgresql" => Ok(Self::Postgres(url.to_owned())),
            "sqlite" => sqlite_path(rest).map(Self::Sqlite),
            _ => Err(refused("expected sqlite:, postgresql: or memory:")),
        }
    }
}

/// `///./shop.db` and `///shop.db` are relative, `////var/shop.db` is absolute, as in most tools;
/// `//shop.db` and `shop.db` are taken as they stand. Options after `?` are not ours.
fn sqlite_path(rest: &str) -> Result<PathBuf, StoreError> {
    let path = rest.strip_prefix("///").or_else(|| rest.strip_prefix("//")).unwrap_or(rest);
    let path = path.split('?').next().unwrap_or_default();
    match path {
        "" | ":memory:" => Err(refused("sqlite: needs a file; use memory: for none")),
        path => Ok(PathBuf::from(path)),
    }
}

fn refused(why: &str) -> StoreError {
    StoreError::Unsafe(format!("database address: {why}"))
}

/// What to open.
#[derive(Clone, PartialEq, Eq)]
pub struct StorageConfig {
    /// Where everything is kept.
    pub database: Database,
    /// Where announcements go, if beyond this process. It may hold a password: never log it.
    pub redis_url: Option<String>,
    /// How many shards a journal gets that does not exist yet, 1 to 1,024.
    pub shards: u16,
}

impl std::fmt::Debug for StorageConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StorageConfig")
            .field("database", &self.database)
            .field("redis", &self.redis_url.is_some())
            .field("shards", &self.shards)
            .finish()
    }
}

impl StorageConfig {
    /// Refuses what no store could keep.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        if (1..=crate::journal::SLOTS).contains(&self.shards) {
            return Ok(());
        }
        Err(StoreError::Unsafe(format!("{} shards: expected 1 to 1,024", self.shards)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str) -> Option<Database> {
        Database::parse(Some(url), Path::new("data")).ok()
    }

    #[test]
    fn no_address_means_a_file_in_the_data_folder() {
        let file = Database::Sqlite("data/millrace.db".into());
        assert_eq!(Database::parse(None, Path::new("data")).unwrap(), file);
        assert_eq!(parse("  "), Some(file));
    }

    #[test]
    fn files_are_relative_unless_a_fourth_slash_says_otherwise() {
        assert_eq!(parse("sqlite:///./shop.db"), Some(Database::Sqlite("./shop.db".into())));
        assert_eq!(parse("sqlite:///shop.db"), Some(Database::Sqlite("shop.db".into())));
        assert_eq!(parse("sqlite://shop.db"), Some(Database::Sqlite("shop.db".into())));
        assert_eq!(parse("sqlite:shop.db?mode=rwc"), Some(Database::Sqlite("shop.db".into())));
        assert_eq!(parse("sqlite:////var/shop.db"), Some(Database::Sqlite("/var/shop.db".into())));
        assert_eq!(parse("sqlite:/var/shop.db"), Some(Database::Sqlite("/var/shop.db".into())));
    }

    #[test]
    fn both_spellings_of_postgres_are_known() {
        for url in ["postgres://u:p@h/d", "postgresql://u:p@h/d"] {
            assert_eq!(parse(url), Some(Database::Postgres(url.into())));
        }
        assert_eq!(parse("memory:"), Some(Database::Memory));
    }

    #[test]
    fn what_is_no_database_is_refused_without_repeating_it() {
        for url in ["mysql://root:hunter2@h/d", "shop.db", "sqlite:", "sqlite::memory:"] {
            let error = Database::parse(Some(url), Path::new("data")).unwrap_err();
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
        let shown = format!("{:?}", Database::Postgres("postgres://u:hunter2@h/d".into()));
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}
