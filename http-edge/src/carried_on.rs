//! Work that goes on when whoever asked for it has hung up.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use actors::runtime::spawn_light;
use tokio::runtime::Handle;

/// Does one thing with what came of it, once nobody waits for it any more.
type Then<T> = Box<dyn FnOnce(T) + Send>;

/// A future that is carried on in a task of its own when it is dropped before its end, with
/// everything that it holds.
pub(crate) struct CarriedOn<T: Send + 'static> {
    work: Option<Pin<Box<dyn Future<Output = T> + Send>>>,
    then: Option<Then<T>>,
}

impl<T: Send + 'static> CarriedOn<T> {
    /// Work, and what is done with its result in place of whoever has left.
    pub(crate) fn new(
        work: impl Future<Output = T> + Send + 'static,
        then: impl FnOnce(T) + Send + 'static,
    ) -> Self {
        Self { work: Some(Box::pin(work)), then: Some(Box::new(then)) }
    }
}

impl<T: Send + 'static> Future for CarriedOn<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        let Some(work) = &mut self.work else { return Poll::Pending };
        let polled = work.as_mut().poll(cx);
        if polled.is_ready() {
            self.work = None;
        }
        polled
    }
}

impl<T: Send + 'static> Drop for CarriedOn<T> {
    fn drop(&mut self) {
        // Without a runtime the process is on its way out, and the work with it.
        if let (Some(work), Some(then), Ok(_)) =
            (self.work.take(), self.then.take(), Handle::try_current())
        {
            drop(spawn_light(async move { then(work.await) }));
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn whoever_stays_gets_the_result_and_nobody_else_does() {
        let work = CarriedOn::new(async { 7 }, |_| panic!("somebody waited for it"));
        assert_eq!(work.await, 7);
    }

    #[tokio::test]
    async fn work_that_was_begun_comes_to_its_end_without_whoever_asked() {
        let (go_on, told) = oneshot::channel::<u8>();
        let (then, heard) = oneshot::channel();
        let mut work = CarriedOn::new(told, |result| drop(then.send(result)));
        assert!(futures::poll!(&mut work).is_pending());
        drop(work);
        go_on.send(7).unwrap();
        assert_eq!(heard.await.unwrap(), Ok(7));
    }
}
