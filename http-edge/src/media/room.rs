//! The room in which pictures are drawn: few at a time, on threads that may block.

use std::sync::Arc;
use std::time::Duration;

use actors::clock::Clock;
use bytes::Bytes;
use engine::values::{MediaName, MediaOwner, Picture};
use persistence::StoreError;
use persistence::media::MediaStore;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::draw::{Drawn, Undrawable, draw};
use super::upload::Upload;
use crate::problem::{Code, Problem};

/// Pictures that are drawn at once: decoding takes a core and up to a quarter of a gigabyte.
const DRAWN_AT_ONCE: usize = 2;
/// Longest time that a picture waits for its turn.
const TURN_WITHIN: Duration = Duration::from_secs(2);

/// Takes pictures in, and keeps them.
pub struct MediaRoom {
    store: Arc<dyn MediaStore>,
    clock: Arc<dyn Clock>,
    turns: Arc<Semaphore>,
}

impl std::fmt::Debug for MediaRoom {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MediaRoom").finish_non_exhaustive()
    }
}

impl MediaRoom {
    /// A room before a store.
    pub fn new(store: Arc<dyn MediaStore>, clock: Arc<dyn Clock>) -> Self {
        Self { store, clock, turns: Arc::new(Semaphore::new(DRAWN_AT_ONCE)) }
    }

    /// Where pictures are kept.
    pub fn store(&self) -> &dyn MediaStore {
        &*self.store
    }

    /// The clock that pictures are dated by.
    pub fn clock(&self) -> &dyn Clock {
        &*self.clock
    }

    /// Draws what was sent and stores it with its thumbnail. Nothing shows the picture until an event
    /// names it; without one it is swept away. The same upload for the same owner is the same picture.
    ///
    /// # Errors
    ///
    /// `invalid_image` or `image_too_large` for what cannot be drawn, `overloaded` when no turn comes,
    /// `unavailable` when it cannot be stored. Nothing happened in each case.
    pub async fn keep(&self, owner: &MediaOwner, upload: Upload) -> Result<Picture, Problem> {
        let turns = Arc::clone(&self.turns).acquire_owned();
        let Ok(Ok(turn)) = timeout(TURN_WITHIN, turns).await else {
            return Err(Problem::new(Code::Overloaded, "too many pictures are being drawn"));
        };
        let drawn = tokio::task::spawn_blocking(move || {
            let Upload { said, bytes, place } = upload;
            let drawn = draw(&bytes, said);
            // Given back here, because a task that blocks goes on when its asker is gone.
            drop((turn, place));
            drawn
        });
        // A decoder that panics has met a picture that is none.
        let (picture, thumbnail) = drawn.await.unwrap_or(Err(Undrawable::Damaged))?;
        let (width, height) = (picture.width, picture.height);
        let bytes = u64::try_from(picture.bytes.len()).unwrap_or(u64::MAX);
        let thumbnail = self.put(owner, thumbnail).await?;
        let name = self.put(owner, picture).await?;
        Ok(Picture { name, thumbnail, width, height, bytes })
    }

    /// Takes every turn, so that there is none for others.
    #[cfg(test)]
    pub(super) async fn all_turns(&self) -> tokio::sync::OwnedSemaphorePermit {
        let all = u32::try_from(DRAWN_AT_ONCE).unwrap();
        Arc::clone(&self.turns).acquire_many_owned(all).await.unwrap()
    }

    async fn put(&self, owner: &MediaOwner, drawn: Drawn) -> Result<MediaName, Problem> {
        let bytes = Bytes::from(drawn.bytes);
        let put = self.store.put(owner, drawn.format, bytes, self.clock.now()).await;
        put.map_err(|error| unstored(&error))
    }
}

/// The store of pictures does not answer.
pub(super) fn unstored(error: &StoreError) -> Problem {
    tracing::error!(error = %error, "the store of pictures failed: {error:?}");
    Problem::new(Code::Unavailable, "the store of pictures does not answer now")
}

impl From<Undrawable> for Problem {
    fn from(why: Undrawable) -> Self {
        match why {
            Undrawable::Damaged => Self::new(
                Code::InvalidImage,
                "the body is not one whole picture of the kind that Content-Type names",
            ),
            Undrawable::TooLarge => Self::new(
                Code::ImageTooLarge,
                "the picture has more than 16,777,216 pixels, or a side of more than 16,384",
            ),
        }
    }
}
