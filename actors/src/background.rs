//! Keeps tasks in the background running: one that panics is started again, within a budget, and
//! everybody can see it.

use std::collections::VecDeque;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use futures::FutureExt as _;
use metrics::counter;
use tokio::time::{Instant, sleep, timeout};
use tracing::error;

use crate::admission::{Dependency, Report, ServiceHealth};
use crate::metrics::TASK_PANICS_TOTAL;
use crate::runtime::spawn_named;

/// Panics within [`WINDOW`] after which a task is given up.
const PANICS_MAX: usize = 5;

/// The window for counting panics.
const WINDOW: Duration = Duration::from_mins(1);

/// Pause before a task is started again.
const PAUSE: Duration = Duration::from_secs(1);

/// A task that has run for so long since it panicked is well again.
const WELL_AFTER: Duration = Duration::from_secs(10);

/// Who starts tasks and watches over them.
pub(crate) struct Background {
    health: Arc<ServiceHealth>,
    given_up: AtomicU32,
}

impl Background {
    /// Says to `health` how its tasks do.
    pub(crate) fn new(health: Arc<ServiceHealth>) -> Arc<Self> {
        Arc::new(Self { health, given_up: AtomicU32::new(0) })
    }

    /// Whether no task was given up.
    pub(crate) fn is_whole(&self) -> bool {
        self.given_up.load(Ordering::Relaxed) == 0
    }

    /// Runs what `start` makes until it comes to its end by itself.
    pub(crate) fn keep<F>(
        self: &Arc<Self>,
        name: &'static str,
        start: impl FnMut() -> F + Send + 'static,
    ) where
        F: Future<Output = ()> + Send + 'static,
    {
        let background = Arc::clone(self);
        spawn_named(name, async move { background.run(name, start).await });
    }

    async fn run<F>(&self, name: &'static str, mut start: impl FnMut() -> F + Send)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let part = Dependency::Task(name);
        let mut panics = VecDeque::new();
        loop {
            let task = AssertUnwindSafe(async { start().await }).catch_unwind();
            let mut task = std::pin::pin!(task);
            let early = timeout(WELL_AFTER, task.as_mut()).await;
            let ended = if let Ok(ended) = early {
                ended
            } else {
                self.health.report(part, Report::Working);
                task.await
            };
            if ended.is_ok() {
                return;
            }
            let now = Instant::now();
            panics.push_back(now);
            while panics.front().is_some_and(|first| WINDOW <= now.duration_since(*first)) {
                panics.pop_front();
            }
            counter!(TASK_PANICS_TOTAL, "task" => name).increment(1);
            if PANICS_MAX <= panics.len() {
                return self.give_up(name);
            }
            error!(task = name, "{name} panicked and is started again");
            self.health.report(part, Report::Failing("it panicked and was started again"));
            sleep(PAUSE).await;
        }
    }

    /// Books a task that cannot be started again.
    pub(crate) fn give_up(&self, name: &'static str) {
        error!(task = name, "{name} panicked and is given up: this process must be started again");
        let part = Dependency::Task(name);
        self.given_up.fetch_add(1, Ordering::Relaxed);
        // The reason is another one now.
        self.health.report(part, Report::Working);
        self.health.report(part, Report::Failing("it panicked and was given up"));
    }
}

#[cfg(test)]
mod tests {
    use engine::values::Moment;

    use super::*;
    use crate::clock::TokioClock;

    fn background() -> (Arc<Background>, Arc<ServiceHealth>) {
        let clock = Arc::new(TokioClock::starting_at(Moment::default()));
        let health = Arc::new(ServiceHealth::new(clock));
        (Background::new(Arc::clone(&health)), health)
    }

    /// A task that panics as often as told, and then goes on for ever.
    fn frail(
        panics: u32,
    ) -> (Arc<AtomicU32>, impl FnMut() -> futures::future::BoxFuture<'static, ()>) {
        let starts = Arc::new(AtomicU32::new(0));
        let counted = Arc::clone(&starts);
        let start = move || {
            let start = counted.fetch_add(1, Ordering::Relaxed);
            async move {
                assert!(panics <= start, "this start is a deadly one");
                std::future::pending::<()>().await;
            }
            .boxed()
        };
        (starts, start)
    }

    #[tokio::test(start_paused = true)]
    async fn a_task_that_panics_is_started_again_and_seen_until_it_is_well() {
        let (background, health) = background();
        let (starts, start) = frail(2);
        background.keep("frail", start);

        sleep(Duration::from_secs(5)).await;
        assert_eq!(starts.load(Ordering::Relaxed), 3);
        assert!(health.is_out(Dependency::Task("frail")));
        assert!(background.is_whole());

        sleep(Duration::from_secs(15)).await;
        assert!(!health.is_out(Dependency::Task("frail")));
    }

    #[tokio::test(start_paused = true)]
    async fn a_task_that_keeps_panicking_is_given_up_where_everybody_sees_it() {
        let (background, health) = background();
        let (starts, start) = frail(u32::MAX);
        background.keep("frail", start);

        sleep(Duration::from_mins(10)).await;

        assert_eq!(starts.load(Ordering::Relaxed), 5);
        assert!(!background.is_whole());
        let removed = health.removed();
        let removal = removed.get(&Dependency::Task("frail")).unwrap();
        assert_eq!(removal.reason, "it panicked and was given up");
    }

    #[tokio::test(start_paused = true)]
    async fn a_task_that_comes_to_its_end_is_not_started_again() {
        let (background, _) = background();
        let starts = Arc::new(AtomicU32::new(0));
        let counted = Arc::clone(&starts);
        background.keep("brief", move || {
            counted.fetch_add(1, Ordering::Relaxed);
            std::future::ready(())
        });
        sleep(Duration::from_mins(1)).await;
        assert_eq!(starts.load(Ordering::Relaxed), 1);
    }
}
