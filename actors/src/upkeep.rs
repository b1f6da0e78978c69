//! What runs beside the entities for as long as the engine lives.

use std::sync::{Arc, Weak};
use std::time::Duration;

use metrics::gauge;
use persistence::crash_points::{CrashPoint, crash_point};
use persistence::{StoreError, Stores};
use tokio::sync::{Mutex, Notify, mpsc};
use tokio::time::{sleep, timeout};
use tracing::warn;

use crate::background::Background;
use crate::directory::Hosted;
use crate::eviction;
use crate::jobs;
use crate::kinds::{Kinds, WithKind};
use crate::metrics::ACTORS_LIVE;
use crate::newcomers;
use crate::projector::{Progress, Projector};
use crate::scheduler;
use crate::system::{Encoding, World};

/// How often idle entities are looked for.
const SWEEP_INTERVAL: Duration = Duration::from_secs(5);

/// How long a crowd that has no room waits for the next look.
const SWEEP_PAUSE: Duration = Duration::from_millis(250);

/// Starts all of it.
pub(crate) fn start(
    world: &Arc<World>,
    background: &Arc<Background>,
    projector: Projector,
    progress: &Progress,
    snapshots: mpsc::Receiver<Encoding>,
) {
    let projector = Arc::new(Mutex::new(projector));
    let commits = world.writer().commits();
    background.keep("projector", move || {
        let (projector, mut commits) = (Arc::clone(&projector), commits.clone());
        // What a round lost that panicked is not announced again.
        commits.mark_changed();
        async move { projector.lock().await.run(commits).await }
    });
    let stores = world.stores.clone();
    let queue = Arc::new(Mutex::new(snapshots));
    background.keep("snapshots", move || keep_snapshots(stores.clone(), Arc::clone(&queue)));
    let here = Arc::downgrade(world);
    background.keep("scheduler", move || scheduler::run(Weak::clone(&here)));
    if let Some(interval) = world.config.process_pending_every {
        let here = Arc::downgrade(world);
        background.keep("jobs", move || jobs::run(Weak::clone(&here), interval));
    }
    let (newcomers, views) =
        (Arc::downgrade(&world.newcomers), Arc::clone(&world.stores.read_models));
    background
        .keep("newcomers", move || newcomers::fill(Weak::clone(&newcomers), Arc::clone(&views)));
    let (here, crowded) = (Arc::downgrade(world), Arc::clone(&world.crowded));
    background.keep("sweeper", move || sweep(Weak::clone(&here), Arc::clone(&crowded)));
    let (here, progress) = (Arc::downgrade(world), progress.clone());
    background.keep("eviction", move || eviction::run(Weak::clone(&here), progress.clone()));
}

async fn keep_snapshots(stores: Stores, queue: Arc<Mutex<mpsc::Receiver<Encoding>>>) {
    let mut queue = queue.lock().await;
    while let Some(encoding) = queue.recv().await {
        let encoded = tokio::task::spawn_blocking(encoding).await;
        let kept = match encoded {
            Ok(Ok(snapshot)) => {
                crash_point(CrashPoint::SnapshotEncoded);
                let kept = stores.snapshots.save(&snapshot).await;
                if kept.is_ok() {
                    crash_point(CrashPoint::SnapshotStored);
                }
                kept
            }
            Ok(Err(error)) => Err(error),
            Err(panic) => Err(StoreError::Corrupt(panic.to_string())),
        };
        if let Err(error) = kept {
            warn!(error = %error, "a snapshot was not kept");
        }
    }
}

/// Puts the idle to sleep: now and then, and at once when somebody found no room.
async fn sweep(world: Weak<World>, crowded: Arc<Notify>) {
    loop {
        let _ = timeout(SWEEP_INTERVAL, crowded.notified()).await;
        let Some(world) = world.upgrade() else { return };
        Kinds::with_each(&world, Sweep);
        drop(world);
        sleep(SWEEP_PAUSE).await;
    }
}

#[derive(Clone, Copy)]
struct Sweep;

impl WithKind for Sweep {
    type Output = ();

    fn call<A: Hosted>(self, world: &World) {
        let directory = A::directory(world);
        let idle = if directory.is_crowded() { Duration::ZERO } else { world.config.idle_after };
        directory.put_idle_to_sleep(idle.as_secs());
        directory.release_quarantined();
        #[expect(clippy::cast_precision_loss, reason = "a gauge shows magnitudes")]
        gauge!(ACTORS_LIVE, "actor" => A::KIND).set(directory.live() as f64);
    }
}
