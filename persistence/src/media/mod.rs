//! Pictures as files: put under a name made of owner and content, read back, listed, removed.
//!
//! The store knows no rule: which picture belongs to what is told by events, and a file that no event
//! names is nobody's. It is never served, and a sweep takes it away.

mod files;
mod memory;

use async_trait::async_trait;
use bytes::Bytes;
use engine::values::{MediaFormat, MediaName, MediaOwner, Moment};
use futures::stream::BoxStream;
use sha2::{Digest as _, Sha256};

pub use files::MediaFiles;
pub use memory::MemoryMedia;

use crate::StoreError;

/// A stored picture on its way out.
pub struct MediaContent {
    /// Its size in bytes.
    pub bytes: u64,
    /// Its bytes, piece by piece.
    pub pieces: BoxStream<'static, Result<Bytes, StoreError>>,
}

impl std::fmt::Debug for MediaContent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MediaContent").field("bytes", &self.bytes).finish_non_exhaustive()
    }
}

/// What is known about a stored picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredMedia {
    /// Its name.
    pub name: MediaName,
    /// Its size in bytes.
    pub bytes: u64,
    /// When it was last put.
    pub stored_at: Moment,
}

/// Where pictures are kept. One contract, one conformance suite.
#[async_trait]
pub trait MediaStore: Send + Sync + 'static {
    /// Stores a picture and gives its name; when it answers, the picture is durable. Repeating it
    /// changes nothing but the moment at which it was put.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when it could not be stored; what is left of it is never shown. Likewise below.
    async fn put(
        &self,
        owner: &MediaOwner,
        format: MediaFormat,
        bytes: Bytes,
        now: Moment,
    ) -> Result<MediaName, StoreError>;

    /// A picture; `None` when there is no such file.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    async fn read(&self, name: &MediaName) -> Result<Option<MediaContent>, StoreError>;

    /// Removes a picture that was last put before a moment, and says whether it did. One that is put
    /// again at the same time stays.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    async fn remove(&self, name: &MediaName, put_before: Moment) -> Result<bool, StoreError>;

    /// The first pictures of an owner by name, at most `limit`.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    async fn list(&self, owner: &MediaOwner, limit: usize) -> Result<Vec<StoredMedia>, StoreError>;

    /// Owners that have or had pictures, in a stable order, from behind one of them, at most `limit`.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    async fn owners(
        &self,
        after: Option<&MediaOwner>,
        limit: usize,
    ) -> Result<Vec<MediaOwner>, StoreError>;
}

/// The name of an owner's picture with these bytes.
fn name_of(owner: &MediaOwner, format: MediaFormat, bytes: &[u8]) -> MediaName {
    MediaName::new(owner.clone(), Sha256::digest(bytes).into(), format)
}
