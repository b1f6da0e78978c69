//! Wall clocks that are wrong: a shop sells on, whatever they say.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use crate::shop::{Shop, Wishing as _, place};
use actors::{Clock, EngineConfig};
use engine::values::Moment;
use persistence::Stores;

/// A wall clock that is set by hand, in seconds.
struct SetClock(AtomicI64);

impl Clock for SetClock {
    fn now(&self) -> Moment {
        Moment::from_unix_micros(self.0.load(Ordering::Relaxed) * 1_000_000)
    }
}

#[tokio::test(start_paused = true)]
async fn a_product_is_sold_on_after_the_clock_was_set_back_also_by_the_next_process() {
    let clock = Arc::new(SetClock(AtomicI64::new(100_000)));
    let stores = Stores::in_memory();
    let shop = Shop::by(clock.clone(), EngineConfig::default(), stores.clone()).await;
    shop.publish("mouse").await;
    shop.receive("mouse", 10).await;
    shop.place(1, place(1, "mouse", 1).card("tok_ok")).await.unwrap();

    clock.0.store(92_800, Ordering::Relaxed);
    shop.place(2, place(2, "mouse", 1).card("tok_ok")).await.unwrap();

    let again = Shop::by(clock, EngineConfig::default(), stores).await;
    again.place(3, place(3, "mouse", 1).card("tok_ok")).await.unwrap();
}
