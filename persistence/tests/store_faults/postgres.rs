//! Faults of a server, and of other processes on it.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use persistence::journal::AppendError;
use persistence::stores::{Database, StorageConfig};
use persistence::{StoreError, Stores};
use sqlx::sqlite::SqliteConnection;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::place::{Place, SHARDS};
use crate::support::rows::everything;
use crate::support::writer::Writer;

/// Makes every append hang while it holds the fence.
const HANG: &str = "CREATE FUNCTION hang() RETURNS trigger LANGUAGE plpgsql AS $$ \
    BEGIN PERFORM pg_sleep(600); RETURN NEW; END $$; \
    CREATE TRIGGER hang BEFORE INSERT ON journal FOR EACH STATEMENT EXECUTE FUNCTION hang()";

async fn count(connection: &mut PgConnection, query: &'static str) -> i64 {
    sqlx::query_scalar(query).fetch_one(connection).await.unwrap()
}

/// Returns once the query counts something.
async fn until(connection: &mut PgConnection, query: &'static str) {
    while count(connection, query).await == 0 {
        tokio::task::yield_now().await;
    }
}

const WAITING_FOR_A_LOCK: &str = "SELECT count(*) FROM pg_locks l JOIN pg_database d \
    ON d.oid = l.database WHERE NOT l.granted AND d.datname = current_database()";

const HANGING: &str = "SELECT count(*) FROM pg_stat_activity \
    WHERE wait_event = 'PgSleep' AND datname = current_database()";

#[tokio::test(flavor = "multi_thread")]
async fn taking_over_waits_for_an_append_in_flight_and_sees_it() {
    let place = Place::server().await;
    let stores = place.open().await;
    let mut writer = Writer::of(&*stores.journal).await;
    let batch = writer.batch(&[("a", 1)]);
    let shard = batch.records[0].shard;
    // An append of another process, up to just before its commit: what it writes is what this one
    // wrote and took back.
    stores.journal.append(&batch).await.unwrap();
    let mut other = place.server_connection().await;
    let frame: (Vec<u8>, i64, Vec<u8>) =
        sqlx::query_as("SELECT last_hash, checksum, events FROM journal")
            .fetch_one(&mut other)
            .await
            .unwrap();
    other.execute("DELETE FROM journal").await.unwrap();
    other.execute("UPDATE shard_fence SET next_position = 1").await.unwrap();
    other.execute("BEGIN").await.unwrap();
    sqlx::query("UPDATE shard_fence SET next_position = 2 WHERE shard = $1")
        .bind(i32::from(shard.0))
        .execute(&mut other)
        .await
        .unwrap();
    sqlx::query("INSERT INTO journal VALUES ($1, 1, 1, $2, $3, $4)")
        .bind(i32::from(shard.0))
        .bind(frame.0)
        .bind(frame.1)
        .bind(frame.2)
        .execute(&mut other)
        .await
        .unwrap();
    let journal = Arc::clone(&stores.journal);
    let mut taking = Box::pin(async move { journal.acquire("successor").await.unwrap() });
    let mut observer = place.server_connection().await;
    tokio::select! {
        tenure = &mut taking => unreachable!("it did not wait: {tenure:?}"),
        () = until(&mut observer, WAITING_FOR_A_LOCK) => {}
    }

    other.execute("COMMIT").await.unwrap();

    let holding = taking.await.holdings[usize::from(shard.0)];
    assert_eq!((holding.next_position, holding.last_hash), (2, batch.records[0].hash));
    place.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_writer_that_hangs_is_ended_by_its_successor() {
    let place = Place::server().await;
    let (first, second) = (place.open().await, place.open().await);
    let mut old = Writer::of(&*first.journal).await;
    place.execute(HANG).await;
    let lost = old.batch(&[("a", 1)]);
    let mut observer = place.server_connection().await;
    let hanging = first.journal.append(&lost);
    let taking = async {
        until(&mut observer, HANGING).await;
        Writer::of(&*second.journal).await
    };

    let (outcome, mut new) = tokio::join!(hanging, taking);

    assert!(matches!(outcome, Err(AppendError::Unknown(_))), "{outcome:?}");
    assert!(!second.journal.contains(&lost).await.unwrap());
    place.execute("DROP TRIGGER hang ON journal").await;
    second.journal.append(&new.batch(&[("a", 1)])).await.unwrap();
    // The old one comes back on a new connection, and is still fenced.
    let error = first.journal.append(&lost).await.unwrap_err();
    assert!(matches!(error, AppendError::Fenced), "{error:?}");
    assert_eq!(everything(&*first.journal).await.len(), 1);
    place.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_append_whose_connection_is_cut_is_unknown_and_can_be_resolved() {
    let place = Place::server().await;
    let stores = place.open().await;
    let mut writer = Writer::of(&*stores.journal).await;
    place.execute(HANG).await;
    let lost = writer.batch(&[("a", 1)]);
    let mut observer = place.server_connection().await;
    let cutting = async {
        until(&mut observer, HANGING).await;
        let cut = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
            WHERE wait_event = 'PgSleep' AND datname = current_database()";
        count(&mut observer, cut).await
    };

    let (outcome, _) = tokio::join!(stores.journal.append(&lost), cutting);

    assert!(matches!(outcome, Err(AppendError::Unknown(_))), "{outcome:?}");
    place.execute("DROP TRIGGER hang ON journal").await;
    let mut writer = Writer::of(&*stores.journal).await;
    assert!(!stores.journal.contains(&lost).await.unwrap());
    stores.journal.append(&writer.batch(&[("a", 1)])).await.unwrap();
    place.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_writer_whose_process_was_ended_recovers() {
    let place = Place::server().await;
    let stores = place.open().await;
    let mut writer = Writer::of(&*stores.journal).await;
    place
        .execute("SELECT pg_terminate_backend(writer_pid) FROM shard_fence GROUP BY writer_pid")
        .await;
    let batch = writer.batch(&[("a", 1)]);

    // Nobody can tell an answer that was lost from a request that was.
    let outcome = stores.journal.append(&batch).await;
    assert!(matches!(outcome, Err(AppendError::Unknown(_))), "{outcome:?}");
    assert!(!stores.journal.contains(&batch).await.unwrap());

    stores.journal.append(&batch).await.unwrap();
    let mut observer = place.server_connection().await;
    let noted = "SELECT count(*) FROM shard_fence f JOIN pg_stat_activity a \
        ON a.pid = f.writer_pid AND a.backend_start = f.writer_started";
    assert_eq!(count(&mut observer, noted).await, i64::from(SHARDS));
    place.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_that_does_not_come_free_means_that_nothing_was_written() {
    let place = Place::server().await;
    let stores = place.open().await;
    let mut writer = Writer::of(&*stores.journal).await;
    let mut other = place.server_connection().await;
    other.execute("BEGIN; LOCK TABLE shard_fence IN ACCESS EXCLUSIVE MODE").await.unwrap();
    let batch = writer.batch(&[("a", 1)]);

    let error = stores.journal.append(&batch).await.unwrap_err();

    assert!(matches!(error, AppendError::Unavailable(_)), "{error:?}");
    other.execute("ROLLBACK").await.unwrap();
    stores.journal.append(&batch).await.unwrap();
    place.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_commits_before_it_syncs_is_refused() {
    let place = Place::server().await;
    let mut server = place.server_connection().await;
    let name: String =
        sqlx::query_scalar("SELECT current_database()").fetch_one(&mut server).await.unwrap();
    for weak in ["off", "local", "remote_write"] {
        let statement = format!("ALTER DATABASE {name} SET synchronous_commit = {weak}");
        server.execute(AssertSqlSafe(statement)).await.unwrap();
        let refused = place.try_open(SHARDS).await;
        assert!(matches!(refused, Err(StoreError::Unsafe(_))), "{weak} was accepted");
    }
    let statement = format!("ALTER DATABASE {name} SET synchronous_commit = remote_apply");
    server.execute(AssertSqlSafe(statement)).await.unwrap();
    place.open().await;
    place.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn people_can_read_the_journal_as_json() {
    let place = Place::server().await;
    let stores = place.open().await;
    let mut writer = Writer::of(&*stores.journal).await;
    stores.journal.append(&writer.batch(&[("a", 1)])).await.unwrap();
    let found: String = sqlx::query_scalar("SELECT payload ->> 'stream' FROM journal_readable")
        .fetch_one(&mut place.server_connection().await)
        .await
        .unwrap();
    assert_eq!(found, "thing/a");
    place.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn both_databases_have_the_same_tables_and_columns() {
    let (server, folder) = (Place::server().await, Place::folder());
    drop((server.open().await, folder.open().await));
    let mut columns: BTreeSet<(String, String)> = sqlx::query_as(
        "SELECT table_name::text, column_name::text FROM information_schema.columns \
         WHERE table_schema = 'public' AND table_name <> '_sqlx_migrations'",
    )
    .fetch_all(&mut server.server_connection().await)
    .await
    .unwrap()
    .into_iter()
    .collect();
    // A file has no server processes.
    for column in ["writer_pid", "writer_started"] {
        assert!(columns.remove(&("shard_fence".into(), column.into())));
    }
    let mut twins: BTreeSet<(String, String)> = BTreeSet::new();
    for file in ["shop.db", "shop.views.db", "shop.followers.db"] {
        let url = format!("sqlite:{}", folder.file(file).display());
        let mut connection = SqliteConnection::connect(&url).await.unwrap();
        let found: Vec<(String, String)> = sqlx::query_as(
            "SELECT t.name, c.name FROM sqlite_schema t, pragma_table_info(t.name) c \
             WHERE t.type IN ('table', 'view') AND t.name <> '_sqlx_migrations'",
        )
        .fetch_all(&mut connection)
        .await
        .unwrap();
        twins.extend(found);
    }
    assert_eq!(twins, columns);
    server.close().await;
}

/// Passes connections on to the server, from `listener`.
async fn pass_on(listener: TcpListener, server: String) -> Infallible {
    let mut open = JoinSet::new();
    loop {
        let (mut client, _) = listener.accept().await.unwrap();
        let mut server = TcpStream::connect(&server).await.unwrap();
        open.spawn(async move { copy_bidirectional(&mut client, &mut server).await });
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_comes_up_late_is_waited_for() {
    let place = Place::server().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let (before, after) = place.url().split_once("127.0.0.1:").map(owned_pair).unwrap();
    let (port, rest) = after.split_once('/').map(owned_pair).unwrap();
    let database = Database::Postgres(format!("{before}{address}/{rest}"));
    let config = StorageConfig { database, redis_url: None, shards: SHARDS };
    let mut opening = Box::pin(async {
        let stores = Stores::open(&config).await.unwrap();
        stores.journal.ping().await.unwrap();
    });
    // The first try meets a closed door.
    assert!(timeout(Duration::from_millis(50), &mut opening).await.is_err());

    let listener = TcpListener::bind(address).await.unwrap();
    tokio::select! {
        () = opening => {}
        never = pass_on(listener, format!("127.0.0.1:{port}")) => match never {},
    };
    place.close().await;
}

fn owned_pair((one, other): (&str, &str)) -> (String, String) {
    (one.to_owned(), other.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_not_there_is_not_waited_for() {
    let place = Place::server().await;
    let database = Database::Postgres(format!("{}_no_such_database", bare(&place.url())));
    let config = StorageConfig { database, redis_url: None, shards: SHARDS };
    // Far less than a server that is down would be given.
    let opened = timeout(Duration::from_secs(15), Stores::open(&config)).await.unwrap();
    assert!(matches!(opened, Err(StoreError::Unavailable(_))));
    place.close().await;
}

fn bare(url: &str) -> &str {
    url.split_once('?').map_or(url, |(address, _)| address)
}
