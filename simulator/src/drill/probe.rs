//! Single orders beside the crowd: one asked until it is acknowledged, or many at a fixed pace.

use std::time::Duration;

use acceptance_tests::crowd::{Outcome, Try};
use acceptance_tests::shop::{Shop, card_order};
use anyhow::{Result, ensure};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};

/// The product that is asked for where none is named: there is always enough of it.
pub(super) const PRODUCT: &str = "plenty";
/// The longest time to any answer that the contract allows, and room for the rig.
pub(super) const ANSWERED_WITHIN: Duration = Duration::from_millis(5_500);
/// Between two questions of somebody who must know at once.
pub(super) const AT_ONCE: Duration = Duration::from_millis(2);

/// An order that was asked for until it was acknowledged.
#[derive(Debug)]
pub(super) struct Served {
    /// From the first question to that answer.
    pub(super) took: Duration,
    /// Questions that it took.
    pub(super) requests: u64,
    /// What was told at last.
    pub(super) attempt: Try,
}

/// Repeats one order under one key until it is acknowledged.
pub(super) async fn insist(
    shop: &Shop,
    key: String,
    pause: Duration,
    within: Duration,
) -> Result<Served> {
    let (began, order) = (Instant::now(), card_order(PRODUCT, 1, "tok_ok"));
    let mut requests = 0;
    loop {
        requests += 1;
        let outcome = Outcome::of(shop.place(&key, &order).await);
        if let Outcome::Acked(_) = outcome {
            let attempt = Try { key, order, outcome };
            return Ok(Served { took: began.elapsed(), requests, attempt });
        }
        ensure!(began.elapsed() < within, "{key} is not acknowledged in {within:?}: {outcome:?}");
        sleep(pause).await;
    }
}

/// One order of a pace.
#[derive(Debug)]
pub(super) struct Beat {
    /// When it was meant to leave, from the start of the pace.
    pub(super) at: Duration,
    /// From that moment to the whole answer.
    pub(super) took: Duration,
    /// What was told.
    pub(super) attempt: Try,
}

impl Beat {
    /// Whether the order exists.
    pub(super) const fn is_acknowledged(&self) -> bool {
        matches!(self.status(), 201 | 202)
    }

    /// The status of the answer; zero when the outcome is unknown.
    pub(super) const fn status(&self) -> u16 {
        match &self.attempt.outcome {
            Outcome::Acked(answer) | Outcome::Refused(answer) => answer.status,
            Outcome::Unknown => 0,
        }
    }
}

/// How long each of the orders took.
pub(super) fn times<'a>(beats: impl IntoIterator<Item = &'a Beat>) -> Vec<Duration> {
    beats.into_iter().map(|beat| beat.took).collect()
}

/// From a moment of the pace on: when the first order that left later was acknowledged.
pub(super) fn served_after(beats: &[Beat], moment: Duration) -> Option<Duration> {
    let later = beats.iter().filter(|beat| moment <= beat.at && beat.is_acknowledged());
    later.map(|beat| (beat.at + beat.took).saturating_sub(moment)).min()
}

/// Orders that leave at a fixed rate, whatever becomes of them.
#[derive(Debug)]
pub(super) struct Pace {
    began: Instant,
    leave: watch::Sender<bool>,
    driver: JoinSet<Result<Vec<Beat>>>,
}

impl Pace {
    /// Begins; keys begin with `name`.
    pub(super) fn start(shop: &Shop, name: &str, a_second: u32) -> Self {
        Self::among(shop, name, a_second, &[PRODUCT.to_owned()])
    }

    /// The same for these products, which are bought in turn.
    pub(super) fn among(shop: &Shop, name: &str, a_second: u32, products: &[String]) -> Self {
        let (leave, left) = watch::channel(false);
        let (shop, name, products) = (shop.clone(), name.to_owned(), products.to_vec());
        let began = Instant::now();
        let mut driver = JoinSet::new();
        driver.spawn(async move { drive(shop, name, a_second, products, began, left).await });
        Self { began, leave, driver }
    }

    /// How long it has gone on.
    pub(super) fn so_far(&self) -> Duration {
        self.began.elapsed()
    }

    /// Waits for the answers that are still due, and gives all of them.
    pub(super) async fn stop(mut self) -> Result<Vec<Beat>> {
        self.leave.send_replace(true);
        let mut beats = Vec::new();
        while let Some(driven) = self.driver.join_next().await {
            beats.extend(driven??);
        }
        beats.sort_by_key(|beat| beat.at);
        Ok(beats)
    }
}

async fn drive(
    shop: Shop,
    name: String,
    a_second: u32,
    products: Vec<String>,
    began: Instant,
    left: watch::Receiver<bool>,
) -> Result<Vec<Beat>> {
    let mut ticks = interval(Duration::from_secs(1) / a_second.max(1));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let (mut under_way, mut beats) = (JoinSet::new(), Vec::new());
    for (number, product) in products.iter().cycle().enumerate() {
        let due = ticks.tick().await;
        if *left.borrow() {
            break;
        }
        let (shop, key) = (shop.clone(), format!("{name}-{number}"));
        let order = card_order(product, 1, "tok_ok");
        under_way.spawn(async move {
            let outcome = Outcome::of(shop.place(&key, &order).await);
            let attempt = Try { key, order, outcome };
            Beat { at: due.saturating_duration_since(began), took: due.elapsed(), attempt }
        });
        while let Some(ended) = under_way.try_join_next() {
            beats.push(ended?);
        }
    }
    while let Some(ended) = under_way.join_next().await {
        beats.push(ended?);
    }
    Ok(beats)
}
