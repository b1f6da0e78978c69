//! The job that moves orders from PENDING to PROCESSING, by the clock or because somebody asks.
//!
//! It looks at the list of PENDING orders and asks each as an operator would, the oldest first and one
//! after the other, so that two orders of one customer or for one product never change places. An
//! order that something holds refuses and stays. Running it again changes nothing more, and a run
//! that was cut off is made up for by the next.

use std::collections::VecDeque;
use std::sync::{Arc, Weak};
use std::time::Duration;

use engine::Aggregate as _;
use engine::job::{Job, JobCommand, JobRefusal, PROCESS_PENDING, Tally};
use engine::order::{Actor, Order, OrderCommand, OrderRefusal, OrderStatus};
use engine::values::{Moment, OrderId};
use persistence::StoreError;
use persistence::read_models::{OrderQuery, PageStart};
use tokio::time::{Instant, sleep};
use tracing::{info, warn};

use crate::outcome::{Accepted, Asking, Cause, NotDone};
use crate::system::{OrderSystem, World};

/// Rows of the list that are fetched at once.
const PAGE: u32 = 1_000;

/// Orders that one run looks at; of more, the newest wait for the next run.
const RUN_ORDERS_MAX: usize = 100_000;

/// Longest time for one order, and for writing down what a run did.
const STEP_WITHIN: Duration = Duration::from_secs(1);

/// Who asks when it is time.
const BY_THE_CLOCK: &str = "system";

/// What a run does with what an order said.
enum Step {
    Advanced,
    Held,
    Failed,
    /// It is not PENDING any more, or was already moved on.
    Over,
}

/// Why there is no record of a run.
#[derive(Debug)]
pub enum NotRun {
    /// The list could not be read. Nothing happened.
    Unreadable(StoreError),
    /// What it did could not be written down. It was done all the same.
    NotWritten(NotDone<JobRefusal>),
}

impl OrderSystem {
    /// Moves PENDING orders to PROCESSING now, until there are no more or `until` is over, and writes
    /// down what it did. Shows what the read models know: what was placed in the last moment waits
    /// for the next run.
    ///
    /// # Errors
    ///
    /// [`NotRun`].
    pub async fn process_pending(
        &self,
        until: Instant,
        asking: Asking,
    ) -> Result<Accepted<Job>, NotRun> {
        let started_at = self.world.clock.now();
        let by = asking.cause.by.to_string();
        let tally = advance(&self.world, &asking.cause, until).await.map_err(NotRun::Unreadable)?;
        tell(&tally, &by);
        let recorded = record(&self.world, started_at, by, tally, asking).await;
        recorded.map_err(NotRun::NotWritten)
    }
}

/// Runs the job at every interval until the world is gone or drains.
pub(crate) async fn run(world: Weak<World>, interval: Duration) {
    loop {
        sleep(interval).await;
        let Some(world) = world.upgrade() else { return };
        if world.is_draining() || world.writer().is_stopped() {
            return;
        }
        let started_at = world.clock.now();
        let cause = Cause { by: BY_THE_CLOCK.into(), ..Cause::default() };
        match advance(&world, &cause, Instant::now() + interval).await {
            Ok(tally) if tally.is_no_news() => {}
            Ok(tally) => {
                tell(&tally, BY_THE_CLOCK);
                let asking = Asking { deadline: Instant::now() + STEP_WITHIN, cause };
                let by = BY_THE_CLOCK.to_owned();
                if let Err(error) = record(&world, started_at, by, tally, asking).await {
                    warn!(?error, "what the job {PROCESS_PENDING} did is not written down");
                }
            }
            Err(error) => warn!(error = %error, "the list of PENDING orders cannot be read"),
        }
    }
}

fn tell(tally: &Tally, by: &str) {
    let Tally { advanced, held, failed, left } = tally;
    info!(by, advanced, held, failed, left, "job {PROCESS_PENDING}: {advanced} orders moved on");
}

async fn record(
    world: &Arc<World>,
    started_at: Moment,
    by: String,
    tally: Tally,
    asking: Asking,
) -> Result<Accepted<Job>, NotDone<JobRefusal>> {
    let command = JobCommand::RecordRun { started_at, by, tally };
    world.kinds.jobs.ask(world, PROCESS_PENDING, Some(command), asking).await
}

/// Asks every PENDING order in its turn.
async fn advance(world: &Arc<World>, cause: &Cause, until: Instant) -> Result<Tally, StoreError> {
    let mut tally = Tally::default();
    let mut pending = pending(world).await?.into_iter();
    for order in pending.by_ref() {
        let step = ask(world, order, cause).await;
        let count = match step {
            Step::Advanced => &mut tally.advanced,
            Step::Held => &mut tally.held,
            Step::Failed => &mut tally.failed,
            Step::Over => continue,
        };
        *count = count.saturating_add(1);
        if until <= Instant::now() || world.is_draining() {
            break;
        }
    }
    tally.left = pending.len() as u64;
    Ok(tally)
}

/// The PENDING orders that the lists know, the oldest first.
async fn pending(world: &Arc<World>) -> Result<VecDeque<OrderId>, StoreError> {
    let mut found = VecDeque::new();
    let mut start = PageStart::Offset(0);
    loop {
        let query = OrderQuery { status: Some(OrderStatus::Pending), limit: PAGE, start };
        let page = world.stores.read_models.list_orders(&query).await?;
        for row in &page.rows {
            found.push_front(row.order);
        }
        found.truncate(RUN_ORDERS_MAX);
        let Some(last) = page.rows.last().filter(|_| page.more) else { return Ok(found) };
        start = PageStart::After(last.created_at, last.order);
    }
}

async fn ask(world: &Arc<World>, order: OrderId, cause: &Cause) -> Step {
    let by: Actor = Arc::clone(&cause.by);
    let command = OrderCommand::SetStatus { status: OrderStatus::Processing, by };
    let asking = Asking { deadline: Instant::now() + STEP_WITHIN, cause: cause.clone() };
    let key = order.to_string();
    match world.kinds.orders.ask(world, &key, Some(command), asking).await {
        Ok(accepted) if accepted.changed => Step::Advanced,
        Ok(_) => Step::Over,
        Err(NotDone::Refused(OrderRefusal::InvalidTransition { from, .. }))
            if from != OrderStatus::Pending =>
        {
            Step::Over
        }
        Err(NotDone::Refused(_)) => Step::Held,
        Err(error) => {
            let kind = Order::KIND;
            warn!(?error, "{kind}/{order} was not moved on");
            Step::Failed
        }
    }
}
