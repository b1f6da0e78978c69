//! `kill -9` in the middle of bursts, again and again: nothing acknowledged may be lost.
//!
//! What the crowd was told is kept here, outside the process that dies. Each kill comes after a
//! number of answers, never after a length of time, so it hits a server at work on any machine.

use acceptance_tests::crowd::{Audit, Burst, Shelf};
use acceptance_tests::figures;
use acceptance_tests::server::{Launch, Store};
use anyhow::{Result, ensure};

const KILLS: u64 = 20;
const SHOPPERS: u64 = 24;
/// Sold out before the drill ends, so that scarcity is killed as well.
const SCARCE: i64 = 300;
const PLENTY: i64 = 1_000_000;
/// Short, so that holds orphaned by a kill run out while the drill watches.
const HOLD_SECONDS: &str = "5";

mod sqlite {
    #[tokio::test]
    async fn kill_nine_in_the_middle_of_bursts_loses_nothing() -> anyhow::Result<()> {
        super::drill(acceptance_tests::server::Store::Sqlite).await
    }
}

mod postgres {
    #[tokio::test]
    async fn kill_nine_in_the_middle_of_bursts_loses_nothing() -> anyhow::Result<()> {
        super::drill(acceptance_tests::server::Store::Postgres).await
    }
}

async fn drill(store: Store) -> Result<()> {
    let launch = Launch::demo(store)
        .await?
        .variable("MILLRACE_HOLD_SECONDS", HOLD_SECONDS)
        // Recovery has snapshots to start from, and a tail behind them.
        .variable("MILLRACE_SNAPSHOT_EVERY", "64");
    let mut server = launch.start().await?;
    let shop = server.shop()?;
    let shelves = [
        Shelf { product: shop.stocked("scarce", 1250, SCARCE).await?, units: SCARCE },
        Shelf { product: shop.stocked("plenty", 990, PLENTY).await?, units: PLENTY },
    ];
    let mut tries = Vec::new();
    for round in 0..KILLS {
        let name = format!("round-{round}");
        let mut burst = Burst::start(&shop, &name, SHOPPERS, &["scarce", "plenty"]);
        burst.answered(20 + round * 37 % 90).await?;
        server.kill().await?;
        tries.extend(burst.stop().await?);
        server.start().await?;
    }
    let audit = Audit::take(&shop, &tries, &shelves).await?;
    figures::report("crash", &format!("store={} kills={KILLS} {audit}", store.name()))?;
    audit.clean()?;
    let scarce = shop.stock("scarce").await?;
    ensure!(scarce.sold == SCARCE, "the scarce product did not sell out: {scarce:?}");
    let status = server.terminate().await?;
    ensure!(status.success(), "left with {status}");
    server.launch().verify().await
}
