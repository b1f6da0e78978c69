//! The statements of followers: the same text on both databases, with the connection of each.

use engine::values::Moment;

use super::{Notice, NoticeId, NoticeStatus};
use crate::StoreError;
use crate::journal::{Shard, StreamId};

pub(super) const CURSORS: &str = "SELECT shard, position FROM follower_cursors WHERE follower = $1";

pub(super) const ADVANCE: &str = "INSERT INTO follower_cursors (follower, shard, position) \
    VALUES ($1, $2, $3) ON CONFLICT (follower, shard) DO UPDATE \
    SET position = excluded.position WHERE follower_cursors.position < excluded.position";

pub(super) const RESET: &str = "INSERT INTO follower_cursors (follower, shard, position) \
    VALUES ($1, $2, $3) ON CONFLICT (follower, shard) DO UPDATE SET position = excluded.position";

pub(super) const FORGET: &str = "DELETE FROM follower_cursors WHERE follower = $1";

pub(super) const BOOK: &str = "INSERT INTO notices (shard, position, template, stream, status, \
    tries, written_at, due_at, settled_at, trouble) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING";

pub(super) const SETTLE: &str = "UPDATE notices SET status = $4, tries = $5, due_at = $6, \
    settled_at = $7, trouble = $8 WHERE shard = $1 AND position = $2 AND template = $3";

pub(super) const DUE: &str = "SELECT shard, position, template, stream, status, tries, written_at, \
    due_at, settled_at, trouble FROM notices WHERE due_at IS NOT NULL AND due_at <= $1 \
    ORDER BY due_at LIMIT $2";

pub(super) const LIST: &str = "SELECT shard, position, template, stream, status, tries, \
    written_at, due_at, settled_at, trouble FROM notices \
    WHERE (written_at, shard, position, template) < ($1, $2, $3, $4) \
    ORDER BY written_at DESC, shard DESC, position DESC, template DESC LIMIT $5";

pub(super) const LIST_STATUS: &str = "SELECT shard, position, template, stream, status, tries, \
    written_at, due_at, settled_at, trouble FROM notices \
    WHERE status = $6 AND (written_at, shard, position, template) < ($1, $2, $3, $4) \
    ORDER BY written_at DESC, shard DESC, position DESC, template DESC LIMIT $5";

pub(super) const PRUNE: &str =
    "DELETE FROM notices WHERE settled_at IS NOT NULL AND settled_at < $1";

/// A row of `notices`.
#[derive(sqlx::FromRow)]
pub(super) struct Row {
    shard: i32,
    position: i64,
    template: String,
    stream: String,
    status: String,
    tries: i32,
    written_at: i64,
    due_at: Option<i64>,
    settled_at: Option<i64>,
    trouble: Option<String>,
}

impl Row {
    pub(super) fn into_notice(self) -> Result<Notice, StoreError> {
        let corrupt = |what: &str| StoreError::Corrupt(format!("a notice has no {what}"));
        let moment = Moment::from_unix_micros;
        Ok(Notice {
            id: NoticeId {
                written_at: moment(self.written_at),
                shard: shard(self.shard)?,
                position: self.position.cast_unsigned(),
                template: self.template,
            },
            stream: StreamId::parse(&self.stream).ok_or_else(|| corrupt("stream"))?,
            status: NoticeStatus::parse(&self.status).ok_or_else(|| corrupt("status"))?,
            tries: u32::try_from(self.tries).unwrap_or_default(),
            due_at: self.due_at.map(moment),
            settled_at: self.settled_at.map(moment),
            trouble: self.trouble,
        })
    }
}

pub(super) fn shard(number: i32) -> Result<Shard, StoreError> {
    let shard = u16::try_from(number).map(Shard);
    shard.map_err(|_| StoreError::Corrupt(format!("a follower stands in shard {number}")))
}

/// Where a list begins that begins with the newest.
pub(super) fn newest() -> NoticeId {
    NoticeId {
        written_at: Moment::from_unix_micros(i64::MAX),
        shard: Shard(u16::MAX),
        position: i64::MAX.cast_unsigned(),
        template: String::new(),
    }
}

/// The functions behind an adapter, over its kind of connection.
macro_rules! over_connections {
    ($connection:ty, $trouble:path) => {
        use engine::values::Moment;
        use sqlx::Connection as _;

        use super::statements as say;
        use super::{Notice, NoticeQuery};
        use crate::StoreError;
        use crate::journal::Shard;

        async fn cursors(
            connection: &mut $connection,
            follower: &str,
        ) -> Result<Vec<(Shard, u64)>, StoreError> {
            let rows = sqlx::query_as(say::CURSORS).bind(follower).fetch_all(connection);
            let mut rows: Vec<(i32, i64)> = rows.await.map_err($trouble)?;
            rows.sort_unstable();
            let cursor = |(number, position): (i32, i64)| {
                Ok((say::shard(number)?, position.cast_unsigned()))
            };
            rows.into_iter().map(cursor).collect()
        }

        async fn advance(
            connection: &mut $connection,
            follower: &str,
            places: &[(Shard, u64)],
            notices: &[Notice],
        ) -> Result<(), StoreError> {
            let mut transaction = connection.begin().await.map_err($trouble)?;
            for notice in notices {
                sqlx::query(say::BOOK)
                    .bind(i32::from(notice.id.shard.0))
                    .bind(notice.id.position.cast_signed())
                    .bind(&notice.id.template)
                    .bind(notice.stream.as_str())
                    .bind(notice.status.as_str())
                    .bind(i32::try_from(notice.tries).unwrap_or(i32::MAX))
                    .bind(notice.id.written_at.as_unix_micros())
                    .bind(notice.due_at.map(Moment::as_unix_micros))
                    .bind(notice.settled_at.map(Moment::as_unix_micros))
                    .bind(notice.trouble.as_deref())
                    .execute(&mut *transaction)
                    .await
                    .map_err($trouble)?;
            }
            move_to(&mut transaction, say::ADVANCE, follower, places).await?;
            transaction.commit().await.map_err($trouble)
        }

        async fn reset(
            connection: &mut $connection,
            follower: &str,
            places: &[(Shard, u64)],
        ) -> Result<(), StoreError> {
            let mut transaction = connection.begin().await.map_err($trouble)?;
            move_to(&mut transaction, say::RESET, follower, places).await?;
            transaction.commit().await.map_err($trouble)
        }

        async fn move_to(
            connection: &mut $connection,
            statement: &'static str,
            follower: &str,
            places: &[(Shard, u64)],
        ) -> Result<(), StoreError> {
            for (shard, position) in places {
                sqlx::query(statement)
                    .bind(follower)
                    .bind(i32::from(shard.0))
                    .bind(position.cast_signed())
                    .execute(&mut *connection)
                    .await
                    .map_err($trouble)?;
            }
            Ok(())
        }

        async fn forget(connection: &mut $connection, follower: &str) -> Result<(), StoreError> {
            let done = sqlx::query(say::FORGET).bind(follower).execute(connection).await;
            done.map(drop).map_err($trouble)
        }

        async fn due(
            connection: &mut $connection,
            now: Moment,
            limit: u32,
        ) -> Result<Vec<Notice>, StoreError> {
            let rows = sqlx::query_as(say::DUE).bind(now.as_unix_micros()).bind(i64::from(limit));
            let rows: Vec<say::Row> = rows.fetch_all(connection).await.map_err($trouble)?;
            rows.into_iter().map(say::Row::into_notice).collect()
        }

        async fn settle(connection: &mut $connection, notice: &Notice) -> Result<(), StoreError> {
            let done = sqlx::query(say::SETTLE)
                .bind(i32::from(notice.id.shard.0))
                .bind(notice.id.position.cast_signed())
                .bind(&notice.id.template)
                .bind(notice.status.as_str())
                .bind(i32::try_from(notice.tries).unwrap_or(i32::MAX))
                .bind(notice.due_at.map(Moment::as_unix_micros))
                .bind(notice.settled_at.map(Moment::as_unix_micros))
                .bind(notice.trouble.as_deref())
                .execute(connection)
                .await;
            done.map(drop).map_err($trouble)
        }

        async fn list(
            connection: &mut $connection,
            query: &NoticeQuery,
        ) -> Result<Vec<Notice>, StoreError> {
            let after = query.after.clone().unwrap_or_else(say::newest);
            let statement = if query.status.is_some() { say::LIST_STATUS } else { say::LIST };
            let mut rows = sqlx::query_as(statement)
                .bind(after.written_at.as_unix_micros())
                .bind(i32::from(after.shard.0))
                .bind(after.position.cast_signed())
                .bind(after.template)
                .bind(i64::from(query.limit));
            if let Some(status) = query.status {
                rows = rows.bind(status.as_str());
            }
            let rows: Vec<say::Row> = rows.fetch_all(connection).await.map_err($trouble)?;
            rows.into_iter().map(say::Row::into_notice).collect()
        }

        async fn prune(connection: &mut $connection, before: Moment) -> Result<u64, StoreError> {
            let done = sqlx::query(say::PRUNE).bind(before.as_unix_micros()).execute(connection);
            Ok(done.await.map_err($trouble)?.rows_affected())
        }
    };
}
pub(super) use over_connections;
