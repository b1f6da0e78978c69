//! The proxy between a real client and a real server: each cut does what its name says.

mod postgres {
    use std::time::Duration;

    use anyhow::{Result, ensure};
    use sqlx::{Connection as _, Executor as _, PgConnection, Row as _};

    use crate::postgres::Database;
    use crate::proxy::{Cut, Proxy};
    use crate::wait;

    const INSERT: &str = "WITH given AS (SELECT $1::bigint AS position) \
                          INSERT INTO journal (position) SELECT position FROM given";

    async fn prepared() -> Result<(Database, Proxy)> {
        let database = Database::create().await?;
        let mut direct = database.connect().await?;
        direct.execute("CREATE TABLE journal (position BIGINT PRIMARY KEY)").await?;
        let proxy = Proxy::start(database.address()).await?;
        Ok((database, proxy))
    }

    async fn through(database: &Database, proxy: &Proxy) -> Result<PgConnection> {
        Ok(PgConnection::connect(&database.url_through(&proxy.address())).await?)
    }

    async fn rows(database: &Database) -> Result<i64> {
        let mut direct = database.connect().await?;
        let row = sqlx::query("SELECT COUNT(*) FROM journal").fetch_one(&mut direct).await?;
        Ok(row.try_get(0)?)
    }

    /// Appends once to learn the statement, then once more with the cut; gives what the client saw.
    async fn cut(database: &Database, proxy: &Proxy, cut: Cut) -> Result<bool> {
        let mut client = through(database, proxy).await?;
        sqlx::query(INSERT).bind(1_i64).execute(&mut client).await?;
        proxy.cut_next(cut);
        let answer = sqlx::query(INSERT).bind(2_i64).execute(&mut client).await;
        ensure!(proxy.cuts() == 1 && proxy.appends() == 2, "{proxy:?}");
        Ok(answer.is_ok())
    }

    #[tokio::test]
    async fn a_cut_before_writes_nothing() -> Result<()> {
        let (database, proxy) = prepared().await?;
        ensure!(!cut(&database, &proxy, Cut::Before).await?, "the client heard a yes");
        assert_eq!(rows(&database).await?, 1);
        Ok(())
    }

    #[tokio::test]
    async fn a_cut_after_has_written_and_told_nobody() -> Result<()> {
        let (database, proxy) = prepared().await?;
        ensure!(!cut(&database, &proxy, Cut::After).await?, "the client heard a yes");
        assert_eq!(rows(&database).await?, 2);
        Ok(())
    }

    #[tokio::test]
    async fn a_cut_during_tells_nobody_either() -> Result<()> {
        let (database, proxy) = prepared().await?;
        ensure!(!cut(&database, &proxy, Cut::During).await?, "the client heard a yes");
        ensure!(matches!(rows(&database).await?, 1 | 2), "neither written nor not written");
        Ok(())
    }

    #[tokio::test]
    async fn without_a_cut_everything_passes() -> Result<()> {
        let (database, proxy) = prepared().await?;
        let mut client = through(&database, &proxy).await?;
        for position in 0..50_i64 {
            sqlx::query(INSERT).bind(position).execute(&mut client).await?;
        }
        let long = "x".repeat(200_000);
        let echo = sqlx::query("SELECT $1::text").bind(&long).fetch_one(&mut client).await?;
        assert_eq!(echo.try_get::<String, _>(0)?, long);
        assert_eq!((rows(&database).await?, proxy.appends(), proxy.cuts()), (50, 50, 0));
        Ok(())
    }

    #[tokio::test]
    async fn the_next_connection_works_after_a_cut() -> Result<()> {
        let (database, proxy) = prepared().await?;
        cut(&database, &proxy, Cut::Before).await?;
        wait::until("a new connection writes", Duration::from_secs(10), || async {
            let mut client = through(&database, &proxy).await?;
            sqlx::query(INSERT).bind(3_i64).execute(&mut client).await?;
            Ok(())
        })
        .await
    }
}
