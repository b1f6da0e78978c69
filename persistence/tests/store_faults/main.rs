//! What the SQL stores do when they are reopened, raced, damaged, weakened or cut off.

#![cfg(all(feature = "sqlite", feature = "postgres"))]
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a failed step is a failed test")]

mod both;
mod place;
mod postgres;
mod sqlite;

#[path = "../support"]
mod support {
    pub(crate) mod database;
    pub(crate) mod rows;
    pub(crate) mod writer;
}
