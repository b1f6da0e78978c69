//! How the program starts: what it refuses to start with, and its commands that end by themselves.

use acceptance_tests::server::{Launch, Store};
use acceptance_tests::shop::card_order;
use anyhow::{Context as _, Result, ensure};

const OWN_KEY: &str = "a-key-that-nobody-knows-7f3a";

#[tokio::test]
async fn serve_refuses_to_start_without_a_key() -> Result<()> {
    refuses(Launch::serve(Store::Sqlite).await?).await
}

#[tokio::test]
async fn serve_refuses_to_start_with_the_key_that_everybody_knows() -> Result<()> {
    refuses(Launch::serve(Store::Sqlite).await?.variable("API_KEY", "secret-key-123")).await
}

#[tokio::test]
async fn serve_refuses_a_secret_that_was_cut_short() -> Result<()> {
    for secret in ["whsec_", "whsec_no base64"] {
        let launch = Launch::serve(Store::Sqlite).await?.variable("API_KEY", OWN_KEY);
        let launch = launch.variable("MILLRACE_WEBHOOK_SECRET", secret);
        refuses_for(launch, "MILLRACE_WEBHOOK_SECRET").await?;
    }
    Ok(())
}

#[tokio::test]
async fn serve_refuses_a_database_that_it_does_not_know() -> Result<()> {
    let launch = Launch::serve(Store::Sqlite).await?.variable("API_KEY", OWN_KEY);
    let launch = launch.variable("DATABASE_URL", "mysql://somebody@127.0.0.1/shop");
    let output = launch.run_to_end().await?;
    ensure!(!output.status.success(), "it started");
    Ok(())
}

#[tokio::test]
async fn serve_takes_its_own_key_and_no_other() -> Result<()> {
    let launch = Launch::serve(Store::Sqlite).await?.variable("API_KEY", OWN_KEY);
    let server = launch.start().await?;
    let demo = server.shop()?;
    demo.get("/v1/products").await?.expect(401)?;
    let owner = demo.with_key(Some(OWN_KEY));
    let products = owner.get("/v1/products").await?.expect(200)?;
    ensure!(products.list("/items")?.is_empty(), "serve ships products: {}", products.body);
    Ok(())
}

mod sqlite {
    use super::*;

    #[tokio::test]
    async fn migrate_prepares_a_store_and_may_be_repeated() -> Result<()> {
        migrated(Store::Sqlite).await
    }

    #[tokio::test]
    async fn verify_finds_nothing_wrong_with_a_fresh_journal() -> Result<()> {
        verified(Store::Sqlite).await
    }
}

mod postgres {
    use super::*;

    #[tokio::test]
    async fn migrate_prepares_a_store_and_may_be_repeated() -> Result<()> {
        migrated(Store::Postgres).await
    }

    #[tokio::test]
    async fn verify_finds_nothing_wrong_with_a_fresh_journal() -> Result<()> {
        verified(Store::Postgres).await
    }

    #[tokio::test]
    async fn serve_refuses_a_database_that_commits_before_it_has_written() -> Result<()> {
        let launch = Launch::serve(Store::Postgres).await?.variable("API_KEY", OWN_KEY);
        let database = launch.database().context("the store is a database")?;
        database.set("synchronous_commit", "off").await?;
        let output = launch.run_to_end().await?;
        ensure!(!output.status.success(), "it started");
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        ensure!(told.contains("synchronous_commit"), "it does not say why: {told}");
        Ok(())
    }
}

async fn refuses(launch: Launch) -> Result<()> {
    refuses_for(launch, "API_KEY").await
}

/// It does not start, and names the variable that it cannot serve with.
async fn refuses_for(launch: Launch, variable: &str) -> Result<()> {
    let output = launch.argument("--listen").argument("127.0.0.1:0").run_to_end().await?;
    assert_eq!(output.status.code(), Some(2));
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    ensure!(told.contains(variable), "it does not say what is wrong: {told}");
    Ok(())
}

async fn migrated(store: Store) -> Result<()> {
    let launch = Launch::migrate(store).await?;
    for _ in 0..2 {
        let output = launch.run_to_end().await?;
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(())
}

async fn verified(store: Store) -> Result<()> {
    let mut server = Launch::demo(store).await?.start().await?;
    let shop = server.shop()?;
    for token in ["tok_ok", "tok_declined"] {
        shop.place(token, &card_order("mouse", 1, token)).await?;
    }
    let status = server.terminate().await?;
    ensure!(status.success(), "left with {status}");
    server.launch().verify().await
}
