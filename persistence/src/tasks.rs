//! Work that its caller cannot cancel: a dropped request must never leave a transaction open.

use std::future::Future;

use crate::StoreError;

/// Runs `work` in a task of its own to its end, whether or not the caller stays to hear of it.
///
/// `None` when the work panicked or the runtime went away under it.
#[expect(
    clippy::disallowed_methods,
    reason = "the task is owned by the call; there is nothing to supervise once it has ended"
)]
pub(crate) async fn detached<T, F>(work: F) -> Option<T>
where
    F: Future<Output = T> + Send + 'static,
    T: Send + 'static,
{
    tokio::spawn(work).await.ok()
}

/// Like [`detached`], for work that ends in a [`StoreError`].
pub(crate) async fn owned<T, F>(work: F) -> Result<T, StoreError>
where
    F: Future<Output = Result<T, StoreError>> + Send + 'static,
    T: Send + 'static,
{
    detached(work)
        .await
        .unwrap_or_else(|| Err(StoreError::Unavailable("the storage task was stopped".into())))
}
