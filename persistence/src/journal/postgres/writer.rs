//! The one connection that appends, and when it is given up.

use sqlx::postgres::{PgConnectOptions, PgConnection};

use crate::database::postgres::connect;

/// Which server process the successor has to end if it stands in the way.
pub(super) const NOTE_PROCESS: &str = "UPDATE shard_fence SET writer_pid = pg_backend_pid(), \
    writer_started = (SELECT backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid()) \
    WHERE epoch = $1";

/// How long a statement of the writer waits for a lock before it gives up.
const LOCK_MAX: &str = "2s";

/// A connection that is taken out while a statement runs, and put back only when the statement
/// ended in an answer. So one that broke, or that somebody lost, is never used again.
pub(super) struct Writer {
    options: PgConnectOptions,
    connection: Option<PgConnection>,
}

impl Writer {
    /// A writer that connects when it has to.
    pub(super) fn new(options: PgConnectOptions) -> Self {
        let options = options.options([("lock_timeout", LOCK_MAX)]);
        Self { options, connection: None }
    }

    /// The connection, or a new one that is noted for whoever takes over from `epoch`.
    pub(super) async fn take(&mut self, epoch: u64) -> sqlx::Result<PgConnection> {
        if let Some(connection) = self.connection.take() {
            return Ok(connection);
        }
        let mut connection = connect(&self.options).await?;
        let note = sqlx::query(NOTE_PROCESS).bind(epoch.cast_signed());
        note.execute(&mut connection).await?;
        Ok(connection)
    }

    /// A fresh connection; the one before is dropped.
    pub(super) async fn renew(&mut self) -> sqlx::Result<PgConnection> {
        self.connection = None;
        connect(&self.options).await
    }

    /// Keeps a connection for the next statement.
    pub(super) fn put_back(&mut self, connection: PgConnection) {
        self.connection = Some(connection);
    }
}
