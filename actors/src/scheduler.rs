//! Durable timers: looks for due wake-ups in the read models and brings them to their entities.
//!
//! The table is a projection, so a hold lapses on time after a restart too, and an order that was
//! interrupted is resumed without anybody asking.

use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::time::Duration;

use futures::stream::{self, StreamExt as _};
use metrics::counter;
use persistence::crash_points::{CrashPoint, crash_point};
use persistence::journal::StreamId;
use persistence::read_models::Wakeup;
use tokio::time::sleep;
use tracing::warn;

use crate::directory::Hosted;
use crate::entity::NextWake;
use crate::kinds::WithKind;
use crate::metrics::WAKEUPS_TOTAL;
use crate::outcome::NotAccepted;
use crate::system::World;

/// Wake-ups in one round.
const ROUND_MAX: u32 = 1_000;

/// Entities woken at once.
const AT_ONCE: usize = 256;

/// An entity that still has open work is woken again after this. It is also the longest time that
/// an order which was interrupted may lie still after a restart, so it is short.
const RECHECK_AFTER: Duration = Duration::from_secs(5);

/// Runs until the world is gone, drains, or has lost the journal.
pub(crate) async fn run(world: Weak<World>) {
    loop {
        let Some(world) = world.upgrade() else { return };
        if world.is_draining() || world.writer().is_stopped() {
            return;
        }
        let interval = world.config.wakeup_interval;
        let full = round(&world).await;
        drop(world);
        if !full {
            sleep(interval).await;
        }
    }
}

/// Wakes what is due; whether more may be due.
async fn round(world: &Arc<World>) -> bool {
    let now = world.clock.now();
    let due = match world.stores.read_models.due_wakeups(now, ROUND_MAX).await {
        Ok(due) => due,
        Err(error) => {
            warn!(error = %error, "due wake-ups cannot be read");
            return false;
        }
    };
    if !due.is_empty() {
        crash_point(CrashPoint::TimerDue);
    }
    counter!(WAKEUPS_TOTAL).increment(due.len() as u64);
    // Many at once, so that their histories are read together.
    let full = u64::from(ROUND_MAX) == due.len() as u64;
    let recheck = now.saturating_add(RECHECK_AFTER);
    let waking = stream::iter(due).map(|wakeup| async move {
        let Wakeup { stream, version, .. } = wakeup;
        match wake(world, &stream).await {
            // Open work that has just been taken up here is looked at again.
            Some(Ok(NextWake { due, version })) => {
                let due = due.map(|due| if due <= now { recheck } else { due });
                Wakeup { stream, due, version }
            }
            // The earliest come first, so what cannot be woken now must not stay among them. One that
            // heard it and did not answer is at work, which is soon over.
            Some(Err(NotAccepted::Restarting)) => {
                let due = Some(now.saturating_add(world.config.wakeup_interval));
                Wakeup { stream, due, version }
            }
            Some(Err(_)) | None => Wakeup { stream, due: Some(recheck), version },
        }
    });
    let woken: Vec<Wakeup> = waking.buffer_unordered(AT_ONCE).collect().await;
    if let Err(error) = world.stores.read_models.set_wakeups(&woken).await {
        warn!(error = %error, "wake-ups cannot be put back");
        return false;
    }
    if !woken.is_empty() {
        crash_point(CrashPoint::TimerPutBack);
    }
    full
}

/// Nothing where the kind is unknown.
async fn wake(world: &Arc<World>, stream: &StreamId) -> Option<Result<NextWake, NotAccepted>> {
    let waking = world.with_kind(stream.kind(), WakeKey { world, key: stream.key() })?;
    Some(waking.await)
}

struct WakeKey<'a> {
    world: &'a Arc<World>,
    key: &'a str,
}

type Waking<'a> = Pin<Box<dyn Future<Output = Result<NextWake, NotAccepted>> + Send + 'a>>;

impl<'a> WithKind for WakeKey<'a> {
    type Output = Waking<'a>;

    fn call<A: Hosted>(self, _world: &World) -> Waking<'a> {
        let Self { world, key } = self;
        Box::pin(async move { A::directory(world).wake(world, key).await })
    }
}
