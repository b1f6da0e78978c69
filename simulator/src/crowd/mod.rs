//! The crowd: who arrives when, what each of them does, and how patient they are.

pub mod arrivals;
pub mod retry;
mod shopper;

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use actix::Actor as _;
use bytes::Bytes;
use hdrhistogram::Histogram;
use rand::SeedableRng as _;
use rand::rngs::Xoshiro256PlusPlus;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use crate::client::Pool;
use crate::history::{Ask, Recorder};
use crate::record::ShopperRecord;
use crate::report::latency;
use retry::Patience;
use shopper::Shopper;

/// What a shopper can buy: a product and the ready body of the order for it.
#[derive(Clone, Debug)]
pub struct Offer {
    /// The product's id.
    pub product: Rc<str>,
    /// Units in one order.
    pub quantity: u32,
    /// The body of `POST /v1/orders`.
    pub body: Bytes,
    /// The same as the history tells it.
    pub ask: Ask,
}

/// Live counters of a run, for the progress line. One thread, so plain cells.
#[derive(Debug, Default)]
pub struct Board {
    /// Shoppers whose moment has come.
    pub arrived: Cell<u64>,
    /// Shoppers who are done.
    pub answered: Cell<u64>,
    /// Units in accepted orders.
    pub sold: Cell<u64>,
    /// Shoppers who went without.
    pub refused: Cell<u64>,
    /// Requests that are out.
    pub in_flight: Cell<u64>,
}

impl Board {
    /// Adds one to a counter of the board.
    pub fn bump(counter: &Cell<u64>) {
        counter.set(counter.get().saturating_add(1));
    }
}

/// Everything that shoppers share.
#[derive(Debug)]
pub struct Street {
    /// Connections to the shop.
    pub pool: Pool,
    /// How often and when a shopper comes again.
    pub patience: Patience,
    /// Where everything is written down.
    pub recorder: Rc<Recorder>,
    /// Live counters.
    pub board: Board,
    /// When the doors opened; all times of records count from here.
    pub opened: Instant,
}

/// One planned visit.
#[derive(Clone, Debug)]
pub struct Visit {
    /// When, counted from the opening.
    pub at: Duration,
    /// For what.
    pub offer: Rc<Offer>,
}

/// What the crowd brought home.
#[derive(Debug)]
pub struct Crowd {
    /// One record per shopper who came to an end, by shopper number.
    pub records: Vec<ShopperRecord>,
    /// How late the generator itself was, in microseconds.
    pub lateness: Histogram<u64>,
}

/// Sends every shopper at its moment, whatever became of the earlier ones, and waits
/// until all have gone home. `run` makes the keys unique, `seed` the jitter repeatable.
/// Must run inside an actix system.
pub async fn open_doors(street: &Rc<Street>, visits: Vec<Visit>, run: &str, seed: u64) -> Crowd {
    let mut lateness = latency::histogram();
    // Every shopper reports exactly once, so this queue cannot be full.
    let (report, mut reports) = mpsc::channel(visits.len().max(1));
    let expected = visits.len();
    for (number, visit) in (0_u32..).zip(visits) {
        let moment = street.opened + visit.at;
        sleep_until(moment).await;
        latency::note(&mut lateness, moment.elapsed());
        Board::bump(&street.board.arrived);
        let chance = Xoshiro256PlusPlus::seed_from_u64(seed ^ (u64::from(number) << 20));
        Shopper::new(number, run, visit, Rc::clone(street), chance, report.clone()).start();
    }
    drop(report);
    let mut records = Vec::with_capacity(expected);
    while let Some(record) = reports.recv().await {
        records.push(record);
    }
    records.sort_unstable_by_key(|record: &ShopperRecord| record.shopper);
    Crowd { records, lateness }
}
