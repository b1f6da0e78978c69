//! Waiting for a condition, never for a length of time: the only place in the suites that sleeps.

use std::future::Future;
use std::time::Duration;

use anyhow::{Context as _, Result};
use tokio::time::{Instant, sleep};

/// How long a probe rests between two questions.
const PAUSE: Duration = Duration::from_millis(10);

/// Asks `probe` until it answers `Ok`, and gives that answer.
///
/// An `Err` means "not yet, because …". After `within` the last reason becomes the error, so that
/// a test that gives up says what it was still missing.
pub async fn until<T, F, Answer>(what: &str, within: Duration, mut probe: F) -> Result<T>
where
    F: FnMut() -> Answer,
    Answer: Future<Output = Result<T>>,
{
    let deadline = Instant::now() + within;
    loop {
        match probe().await {
            Ok(found) => return Ok(found),
            Err(reason) if Instant::now() >= deadline => {
                return Err(reason).with_context(|| format!("gave up after {within:?}: {what}"));
            }
            Err(_) => sleep(PAUSE).await,
        }
    }
}

/// Lateness that is itself the fault: of a network, of a disk.
pub async fn lag(span: Duration) {
    if !span.is_zero() {
        sleep(span).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn answers_as_soon_as_the_condition_holds() {
        let mut asked = 0;
        let found = until("the third question", Duration::from_secs(5), || {
            asked += 1;
            let now = asked;
            async move {
                anyhow::ensure!(now >= 3, "asked {now} times");
                Ok(now)
            }
        })
        .await;
        assert_eq!(found.unwrap(), 3);
    }

    #[tokio::test]
    async fn a_condition_that_never_holds_ends_with_its_last_reason() {
        let failed =
            until("the impossible", Duration::ZERO, || async { anyhow::bail!("still impossible") });
        let failed: Result<()> = failed.await;
        let told = format!("{:#}", failed.unwrap_err());
        assert!(told.contains("still impossible"), "{told}");
        assert!(told.contains("gave up"), "{told}");
    }
}
