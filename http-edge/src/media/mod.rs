//! Pictures that people send: judged, drawn anew, stored, given out again, and swept when nobody's.
//!
//! Nothing that a client has sent is ever stored or given out: what is stored was drawn here from its
//! pixels (ADR 0036). Whoever takes pictures, of products or of anything else, does it by
//! [`MediaRoom::keep`], and tells an aggregate of them; only what a durable event names is shown.

mod draw;
mod room;
mod show;
mod sweep;
#[cfg(test)]
mod tests;
mod upload;

pub use room::MediaRoom;
pub use sweep::sweep;
pub use upload::Upload;

pub(crate) use show::{PictureBody, content, unknown};
pub(crate) use sweep::keep_swept;
pub(crate) use upload::{UPLOADS_MAX, UploadPlace};

/// Largest picture that is taken, in bytes.
pub const BYTES_MAX: usize = 8 * 1_024 * 1_024;
