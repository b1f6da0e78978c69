//! Being asked to leave: the first time politely, the second time at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use actors::runtime::spawn_named;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// The status of a process that was told twice.
const ABORTED: i32 = 130;

/// Cancels the token at the first SIGTERM or SIGINT, after `draining` was raised; ends the process
/// at the second one.
///
/// # Errors
///
/// When signals cannot be listened to.
pub(super) fn stop_when_asked(draining: Arc<AtomicBool>) -> std::io::Result<CancellationToken> {
    let (mut terminate, mut interrupt) =
        (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let stop = CancellationToken::new();
    let stopped = stop.clone();
    spawn_named("signals", async move {
        for already_asked in [false, true] {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            if already_asked {
                warn!("asked to leave for the second time, leaving at once");
                std::process::exit(ABORTED);
            }
            info!("asked to leave, finishing what was begun");
            draining.store(true, Ordering::Release);
            stopped.cancel();
        }
    });
    Ok(stop)
}
