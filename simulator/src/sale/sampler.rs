//! Watches the product page while the crowd is there, over a connection of its own.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use super::Plan;
use super::ask::stock_of;
use crate::client::Call;
use crate::history::{Ask, Recorder, Witness};
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
    over: Rc<Cell<bool>>,
    task: Option<JoinHandle<()>>,
}

impl Watch {
    /// Starts watching when there is exactly one product.
    pub(super) fn start(
        plan: &Plan,
        shelves: &[Shelf],
        opened: Instant,
        recorder: &Rc<Recorder>,
    ) -> Self {
        let (samples, over) = (Rc::default(), Rc::new(Cell::new(false)));
        let [shelf] = shelves else { return Self { samples, over, task: None } };
        let call = Call::get(format!("/v1/products/{}", shelf.product));
        let question = Ask::Look((&*shelf.product).into());
        let beat = BEAT.max(plan.window / 500);
        let (pool, recorder) = (plan.pool(1), Rc::clone(recorder));
        let (kept, ended): (Rc<RefCell<Vec<StockSample>>>, _) =
            (Rc::clone(&samples), Rc::clone(&over));
        let task = actix::spawn(async move {
            let mut witness = Witness::new(&recorder);
            while !ended.get() && kept.borrow().len() < KEPT {
                // A reading that fails is a gap in the chart; the history tells it anyway.
                if let Ok(reply) = witness.exchange(&recorder, &pool, &call, &question).await
                    && let Ok(stock) = stock_of(&reply)
                {
                    kept.borrow_mut().push(StockSample { at_ms: millis(opened.elapsed()), stock });
                }
                sleep(beat).await;
            }
        });
        Self { samples, over, task: Some(task) }
    }

    /// Ends the watch after the look that is under way, and hands over what it saw.
    pub(super) async fn stop(self) -> Vec<StockSample> {
        self.over.set(true);
        if let Some(task) = self.task {
            // A watch that broke leaves what it saw.
            drop(task.await);
        }
        self.samples.take()
    }
}
