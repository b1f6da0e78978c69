//! Watches the product page while the crowd is there, over a connection of its own.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use super::Plan;
use super::ask::stock_of;
use crate::client::Call;
use crate::record::{Shelf, StockSample};
use crate::report::millis;

/// Most readings that are kept; a run that lasts longer keeps its beginning.
const KEPT: usize = 2_000;
/// Shortest time between two readings.
const BEAT: Duration = Duration::from_millis(50);

/// A running watch on the first product of a run. With many products there is none:
/// reading a thousand pages would be a load of its own.
#[derive(Debug)]
pub(super) struct Watch {
    samples: Rc<RefCell<Vec<StockSample>>>,
    task: Option<JoinHandle<()>>,
}

impl Watch {
    /// Starts watching when there is exactly one product.
    pub(super) fn start(plan: &Plan, shelves: &[Shelf], opened: Instant) -> Self {
        let samples = Rc::new(RefCell::new(Vec::new()));
        let [shelf] = shelves else { return Self { samples, task: None } };
        let call = Call::get(format!("/v1/products/{}", shelf.product));
        let beat = BEAT.max(plan.window / 500);
        let (pool, kept) = (plan.pool(1), Rc::clone(&samples));
        let task = actix::spawn(async move {
            while kept.borrow().len() < KEPT {
                // A reading that fails is a gap in the chart; the checks read again later.
                if let Ok(reply) = pool.exchange(&call).await
                    && let Ok(stock) = stock_of(&reply)
                {
                    kept.borrow_mut().push(StockSample { at_ms: millis(opened.elapsed()), stock });
                }
                sleep(beat).await;
            }
        });
        Self { samples, task: Some(task) }
    }

    /// Ends the watch and hands over what it saw.
    pub(super) fn stop(mut self) -> Vec<StockSample> {
        if let Some(task) = self.task.take() {
            task.abort();
        }
        self.samples.take()
    }
}
