//! One sale from the empty shelf to the verdict: prepare, open the doors, look again, judge.

mod aftermath;
mod ask;
mod prepare;
mod sampler;

use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use http::HeaderValue;
use tokio::time::Instant;

use crate::checks::{self, Evidence};
use crate::client::{Endpoint, Pool};
use crate::crowd::arrivals::{self, Shape};
use crate::crowd::retry::Patience;
use crate::crowd::{Board, Crowd, Offer, Street, Visit, open_doors};
use crate::history::{self, History, Judgement, Recorder};
use crate::progress::Line;
use crate::provider;
use crate::record::{Shelf, ShopperRecord, Stock, StockSample};
use crate::report::latency::{Percentiles, curve};
use crate::report::{Latencies, Options, RunReport, SCHEMA, TOOL, millis, summary};

use ask::Clerk;
pub use ask::SaleError;

/// Calls that are out at once before and after the sale.
const SIDE_CALLS: usize = 32;

/// Everything that a sale was asked to be.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Name of the command, for the report.
    pub command: &'static str,
    /// The server as it was written.
    pub url: String,
    /// The server as it is reached.
    pub endpoint: Endpoint,
    /// Key for the server.
    pub api_key: HeaderValue,
    /// Name of the run; unique, because every idempotency key starts with it.
    pub run: String,
    /// Decides arrivals, picks and jitter.
    pub seed: u64,
    /// Size of the crowd.
    pub shoppers: u32,
    /// Number of products.
    pub products: u32,
    /// Id of the product, or first part of the ids of several.
    pub product_id: Option<String>,
    /// Units of each product; `None` leaves an existing product as it is.
    pub stock: Option<u64>,
    /// Units of a product that has to be created, unless `stock` says otherwise.
    pub fresh_stock: u64,
    /// Units in each order.
    pub quantity: u32,
    /// Length of the arrival window.
    pub window: Duration,
    /// How arrivals spread over it.
    pub shape: Shape,
    /// Connections that the client may hold.
    pub connections: usize,
    /// Tries per shopper, the first included.
    pub tries: u32,
    /// The client's time-out per try.
    pub timeout: Duration,
    /// How long queued orders may take to settle.
    pub settle: Duration,
    /// Where the history is kept; else it goes when the run is over.
    pub history: Option<PathBuf>,
    /// The ledger of the payment provider, to be joined with the history.
    pub ledger: Option<PathBuf>,
}

impl Plan {
    fn pool(&self, connections: usize) -> Pool {
        Pool::new(self.endpoint.clone(), self.api_key.clone(), connections, self.timeout)
    }
}

/// Runs a sale and judges it. Must run inside an actix system.
///
/// # Errors
/// [`SaleError`] when the sale cannot be prepared. Whatever happens after the doors have
/// opened is a finding in the report.
pub async fn run(plan: &Plan) -> Result<RunReport, SaleError> {
    let side = plan.pool(SIDE_CALLS.min(plan.connections));
    let folder = tempfile::tempdir()?;
    let kept = plan.history.clone().unwrap_or_else(|| folder.path().join("history"));
    let recorder = Rc::new(Recorder::create(&kept)?);
    let clerk = Clerk { pool: &side, recorder: &recorder };
    let earlier = entries(plan)?.map_or(0, |entries| entries.len());
    let mut shelves = {
        let _line = Line::step("preparing the products");
        prepare::shelves(clerk, plan).await?
    };
    let (mut crowd, samples, opened) = let_them_in(plan, &shelves, &recorder).await;
    let _line = Line::step("checking from outside");
    aftermath::resolve(clerk, plan, &mut crowd.records).await;
    // Looks come last: only what nobody changes any more can be held against what was told.
    aftermath::replay_keys(clerk, plan, &crowd.records).await;
    let deadline = Instant::now() + plan.settle;
    aftermath::read_orders(clerk, plan, &crowd.records, deadline).await;
    aftermath::read_stock(clerk, plan, &mut shelves, deadline).await;
    recorder.finish()?;
    let entries = entries(plan)?;
    let entries = entries.as_deref().map(|entries| entries.get(earlier..).unwrap_or_default());
    let judgement = history::check(&History::read(&kept)?, entries);
    let people = checks::all(&Evidence {
        shoppers: plan.shoppers,
        records: &crowd.records,
        shelves: &shelves,
    });
    Ok(report(plan, &crowd, &shelves, samples, judgement, people, opened))
}

/// What the provider's ledger holds, when it is to be joined.
fn entries(plan: &Plan) -> Result<Option<Vec<provider::Entry>>, SaleError> {
    Ok(plan.ledger.as_deref().map(provider::read).transpose()?)
}

/// Lets the crowd in and watches the stock meanwhile; also gives the number of
/// connections that the crowd opened.
async fn let_them_in(
    plan: &Plan,
    shelves: &[Shelf],
    recorder: &Rc<Recorder>,
) -> (Crowd, Vec<StockSample>, u64) {
    let offers: Vec<Rc<Offer>> = shelves
        .iter()
        .map(|shelf| {
            Rc::new(Offer {
                product: Rc::clone(&shelf.product),
                quantity: plan.quantity,
                body: prepare::order_body(&shelf.product, plan.quantity),
                ask: prepare::order_ask(&shelf.product, plan.quantity),
            })
        })
        .collect();
    let moments = arrivals::moments(plan.seed, plan.shoppers, plan.window, plan.shape);
    let picks = arrivals::picks(plan.seed, plan.shoppers, offers.len());
    let visits: Vec<Visit> = moments
        .into_iter()
        .zip(picks)
        .filter_map(|(at, pick)| Some(Visit { at, offer: Rc::clone(offers.get(pick)?) }))
        .collect();
    let street = Rc::new(Street {
        pool: plan.pool(plan.connections),
        patience: Patience::new(plan.tries),
        recorder: Rc::clone(recorder),
        board: Board::default(),
        opened: Instant::now(),
    });
    let _line = Line::crowd(plan.shoppers, &street);
    let watch = sampler::Watch::start(plan, shelves, street.opened, recorder);
    let crowd = open_doors(&street, visits, &plan.run, plan.seed).await;
    (crowd, watch.stop().await, street.pool.opened())
}

fn report(
    plan: &Plan,
    crowd: &Crowd,
    shelves: &[Shelf],
    samples: Vec<StockSample>,
    judgement: Judgement,
    people: Vec<checks::Check>,
    opened: u64,
) -> RunReport {
    let times = summary::times(&crowd.records);
    let records: &[ShopperRecord] = &crowd.records;
    let Judgement { verdict, ended, mut checks } = judgement;
    checks.extend(people);
    let loaded = shelves.iter().map(|shelf| shelf.before.available).sum();
    RunReport {
        schema: SCHEMA,
        tool: TOOL,
        command: plan.command,
        run: plan.run.clone(),
        seed: plan.seed,
        options: Options {
            url: plan.url.clone(),
            shoppers: plan.shoppers,
            products: plan.products,
            units_loaded: loaded,
            quantity: plan.quantity,
            window_ms: millis(plan.window),
            shape: plan.shape,
            connections: plan.connections,
            tries: plan.tries,
            timeout_ms: millis(plan.timeout),
        },
        passed: checks.iter().all(|check| check.passed),
        verdict,
        questions: ended,
        counts: summary::counts(records, opened),
        latency_us: Latencies {
            accepted: Percentiles::of(&times.accepted),
            refused: Percentiles::of(&times.refused),
            whole_visit: Percentiles::of(&times.whole_visit),
            lateness: Percentiles::of(&crowd.lateness),
        },
        checks,
        per_second: summary::per_second(records),
        units_left: summary::units_left(records, loaded),
        stock_samples: samples,
        stock_after: together(shelves),
        curves: vec![
            ("accepted", curve(&times.accepted)),
            ("refused", curve(&times.refused)),
            ("whole visit", curve(&times.whole_visit)),
        ],
    }
}

/// The stock of all products together, or `None` when one of them could not be read.
fn together(shelves: &[Shelf]) -> Option<Stock> {
    shelves.iter().try_fold(Stock::default(), |sum, shelf| {
        let after = shelf.after?;
        Some(Stock {
            on_hand: sum.on_hand.saturating_add(after.on_hand),
            held: sum.held.saturating_add(after.held),
            available: sum.available.saturating_add(after.available),
            sold: sum.sold.saturating_add(after.sold),
        })
    })
}
