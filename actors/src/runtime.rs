//! Tasks with a name: the one place that spawns.

use std::future::Future;

use tokio::task::JoinHandle;
use tracing::Instrument;

/// Spawns a long-lived task; its log lines carry the name.
pub fn spawn_named<F>(name: &'static str, task: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    spawn_light(task.instrument(tracing::info_span!("task", name)))
}

/// Spawns a short piece of work on the path of a command; a span for each would cost more than it.
#[expect(clippy::disallowed_methods, reason = "the one place that spawns")]
pub fn spawn_light<F>(task: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    tokio::spawn(task)
}
