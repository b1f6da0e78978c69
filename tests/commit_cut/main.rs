//! The connection to PostgreSQL cut before, during and after a commit of the journal.
//!
//! Whatever the server believes afterwards, the crowd must not lose an acknowledgement and must not
//! get an order twice.

use std::time::Duration;

use acceptance_tests::crowd::{Audit, Burst, Shelf};
use acceptance_tests::proxy::{Cut, Proxy};
use acceptance_tests::server::{Launch, Server, Store};
use acceptance_tests::{figures, wait};
use anyhow::{Context as _, Result, ensure};

const CUTS: u64 = 54;
const SHOPPERS: u64 = 12;
const UNITS: i64 = 1_000_000;

mod postgres {
    use super::*;

    #[tokio::test]
    async fn a_cut_around_the_commit_neither_loses_nor_doubles_an_order() -> Result<()> {
        let launch = Launch::demo(Store::Postgres).await?.variable("MILLRACE_HOLD_SECONDS", "5");
        let database = launch.database().context("the store is a database")?;
        let proxy = Proxy::start(database.address()).await?;
        let url = database.url_through(&proxy.address());
        let mut server = launch.variable("DATABASE_URL", &url).start().await?;
        let tries = cut_again_and_again(&server, &proxy).await?;
        let shop = server.shop()?;
        let shelf = Shelf { product: "cut".to_owned(), units: UNITS };
        let audit = Audit::take(&shop, &tries, &[shelf]).await?;
        let (cuts, appends) = (proxy.cuts(), proxy.appends());
        figures::report("commit_cut", &format!("cuts={cuts} appends={appends} {audit}"))?;
        ensure!(cuts >= 50, "only {cuts} cuts");
        audit.clean()?;
        let status = server.terminate().await?;
        ensure!(status.success(), "left with {status}");
        server.launch().verify().await
    }
}

/// Orders one cut after the other while a crowd buys; the next is ordered when the server answers
/// again, so that every cut meets a server that had recovered from the one before.
async fn cut_again_and_again(
    server: &Server,
    proxy: &Proxy,
) -> Result<Vec<acceptance_tests::crowd::Try>> {
    let shop = server.shop()?;
    shop.stocked("cut", 1250, UNITS).await?;
    ensure!(proxy.appends() > 0, "the proxy does not see appends to the journal");
    let mut tries = Vec::new();
    for number in 0..CUTS {
        let cut = match number % 3 {
            0 => Cut::Before,
            1 => Cut::During,
            _ => Cut::After,
        };
        let mut burst = Burst::start(&shop, &format!("cut-{number}"), SHOPPERS, &["cut"]);
        burst.answered(5).await?;
        proxy.cut_next(cut);
        wait::until("the connection is cut", Duration::from_secs(30), || async {
            ensure!(proxy.cuts() > number, "{cut:?}: {} cuts", proxy.cuts());
            Ok(())
        })
        .await?;
        let before = burst.so_far();
        burst
            .answered(before + 20)
            .await
            .with_context(|| format!("after cut {number}, {cut:?}"))?;
        tries.extend(burst.stop().await?);
    }
    Ok(tries)
}
