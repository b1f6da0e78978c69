//! A shop in which a drill takes place: server, provider, shelves, and what the crowd was told.

use std::sync::Arc;
use std::time::Duration;

use acceptance_tests::crowd::{Audit, Burst, Money, Shelf, Try};
use acceptance_tests::provider::{Mood, Provider};
use acceptance_tests::server::{Launch, Server};
use acceptance_tests::shop::Shop;
use anyhow::{Context as _, Result};
use tokio::time::sleep;

use super::chronicle::Chronicle;
use super::findings::Findings;
use super::ground::Ground;
use super::probe::{AT_ONCE, Beat, PRODUCT, Pace, insist};

/// Sold out before most drills end, so that scarcity is drilled as well.
const SCARCE: i64 = 200;
const PLENTY: i64 = 10_000_000;
/// Short, so that holds which a fault orphans run out while the drill watches.
const HOLD_SECONDS: &str = "5";
/// Recovery has snapshots to start from, and a tail behind them.
const SNAPSHOT_EVERY: &str = "64";

/// A shop in which a drill takes place.
#[derive(Debug)]
pub(super) struct Scene {
    /// The server.
    pub(super) server: Server,
    /// A client of it.
    pub(super) shop: Shop,
    /// Who takes the money. No drill kills it.
    pub(super) provider: Provider,
    /// What the crowd was told so far.
    pub(super) tries: Vec<Try>,
    chronicle: Arc<Chronicle>,
    shelves: Vec<Shelf>,
    bursts: u64,
}

impl Scene {
    /// The products of every scene.
    pub(super) const PRODUCTS: [&'static str; 2] = ["scarce", PRODUCT];

    /// Starts a server with two products. What is asked from here on is written down.
    pub(super) async fn open(ground: &Ground, launch: Launch) -> Result<Self> {
        let provider = Provider::start().await?;
        provider.set(Mood::Ok);
        let launch = launch
            .variable("MILLRACE_HOLD_SECONDS", HOLD_SECONDS)
            .variable("MILLRACE_SNAPSHOT_EVERY", SNAPSHOT_EVERY)
            // What the clients did not ask for would only blur what they are judged by.
            .variable("MILLRACE_PROCESS_PENDING_SECONDS", "0")
            .variable("MILLRACE_PROVIDER_URL", &provider.url());
        let server = launch.start().await?;
        let chronicle = Arc::new(Chronicle::begin(ground.history())?);
        let shop = server.shop()?.heard_by(Arc::<Chronicle>::clone(&chronicle));
        let (tries, shelves) = (Vec::new(), Vec::new());
        let mut scene = Self { server, shop, provider, tries, chronicle, shelves, bursts: 0 };
        for (product, units) in Self::PRODUCTS.into_iter().zip([SCARCE, PLENTY]) {
            scene.shelve(product, units).await?;
        }
        Ok(scene)
    }

    /// Puts a product on a shelf of its own, and gives its id.
    pub(super) async fn stock(&mut self, product: &str) -> Result<String> {
        self.shelve(product, PLENTY).await
    }

    async fn shelve(&mut self, product: &str, units: i64) -> Result<String> {
        let product = self.shop.stocked(product, 1_250, units).await?;
        // The history begins with what was there before anybody bought.
        self.shop.stock(&product).await?;
        self.shelves.push(Shelf { product: product.clone(), units });
        Ok(product)
    }

    /// Orders at a fixed pace for a while, and gives what became of them.
    pub(super) async fn pace(
        &mut self,
        name: &str,
        a_second: u32,
        window: Duration,
    ) -> Result<Vec<Beat>> {
        let pace = Pace::start(&self.shop, name, a_second);
        sleep(window).await;
        self.end(pace).await
    }

    /// Waits for what is still due of a pace, and remembers what was told.
    pub(super) async fn end(&mut self, pace: Pace) -> Result<Vec<Beat>> {
        let beats = pace.stop().await?;
        self.tries.extend(beats.iter().map(|beat| beat.attempt.clone()));
        Ok(beats)
    }

    /// Sends a crowd in that no other burst of this scene shares keys with.
    pub(super) fn burst(&mut self, shoppers: u64) -> Burst {
        self.bursts += 1;
        Burst::start(&self.shop, &format!("burst-{}", self.bursts), shoppers, &Self::PRODUCTS)
    }

    /// Demands that the process which was started last is there still; says whether it is.
    pub(super) fn still_serves(&mut self, findings: &mut Findings) -> bool {
        let same = self.server.is_running();
        findings.demand("the same process still serves", same, "true", same);
        same
    }

    /// Demands that everybody who was heard so far was served at once.
    pub(super) fn all_were_served(&self, findings: &mut Findings) {
        let refused = self.tries.iter().filter(|attempt| attempt.outcome.order_id().is_none());
        findings.zero("orders not acknowledged at once", counted(refused.count()));
    }

    /// Takes stock and money from outside, then lets the server leave and reads its journal.
    pub(super) async fn reckon(mut self, ground: &Ground, findings: &mut Findings) -> Result<()> {
        ground.say("taking stock");
        let reckoned = self.leave(findings).await;
        ground.keep_log(self.server.log_tail());
        reckoned
    }

    /// The same for one shop of several: counts add up, and what was found before an error stays.
    pub(super) async fn reckon_with_others(
        self,
        ground: &Ground,
        findings: &mut Findings,
    ) -> Result<()> {
        let mut own = Findings::default();
        let reckoned = self.reckon(ground, &mut own).await;
        findings.add(own);
        reckoned
    }

    async fn leave(&mut self, findings: &mut Findings) -> Result<()> {
        self.take_stock(findings).await?;
        if self.server.is_running() {
            let status = self.server.terminate().await?;
            findings.demand("last exit", status, "exit status: 0", status.success());
        }
        let verified = self.server.launch().verify().await;
        findings.demand("journal", word(verified.is_ok()), "sound", verified.is_ok());
        verified.context("the journal is not sound")
    }

    /// Takes stock and money from outside, and lets the server go on.
    pub(super) async fn take_stock(&mut self, findings: &mut Findings) -> Result<()> {
        let audit = Audit::take(&self.shop, &self.tries, &self.shelves).await?;
        let money = Money::compare(&self.shop, &self.provider, audit.paid).await?;
        findings.note("orders acknowledged", audit.acked);
        findings.note("orders that came to nothing (402)", audit.failed);
        findings.note("definite refusals", audit.refused);
        findings.note("outcomes unknown at first", audit.unknown);
        findings.zero("acknowledged orders lost", counted(audit.lost));
        findings.zero("keys that became another order", counted(audit.changed));
        findings.zero("orders that nobody placed", audit.duplicated);
        findings.zero("units oversold", audit.oversold);
        findings.zero("units unbalanced", audit.unbalanced);
        findings.zero("holds leaked", audit.held);
        findings.zero("orders never settled", counted(audit.stuck));
        findings.zero("answers outside the contract", counted(audit.foreign));
        findings.zero("double charges", counted(money.double + money.conflicts));
        findings.zero("captures neither paid nor refunded", counted(money.kept));
        findings.zero("orders paid without a capture", counted(money.missing));
        self.chronicle.judge(&self.provider, findings)?;
        let panics = self.server.log()?.matches("panicked at").count();
        findings.zero("panics in the log", counted(panics));
        Ok(())
    }

    /// Asks under one key until it is acknowledged, and says how long that took.
    pub(super) async fn until_acknowledged(&mut self, within: Duration) -> Result<Duration> {
        self.bursts += 1;
        let key = format!("probe-{}", self.bursts);
        let served = insist(&self.shop, key, AT_ONCE, within).await?;
        self.tries.push(served.attempt);
        Ok(served.took)
    }
}

fn counted(number: usize) -> i128 {
    i128::try_from(number).unwrap_or(i128::MAX)
}

const fn word(is_sound: bool) -> &'static str {
    if is_sound { "sound" } else { "broken" }
}
