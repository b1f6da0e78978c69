//! The list of orders that somebody has to look at, so that none of them is forgotten.
//!
//! - REVIEWS-1: each order stands in it once, and no more than [`WAITING_MAX`] do.
//!
//! Orders put themselves on it and take themselves off. One for which there is no room waits for it
//! and is found by its id meanwhile.

mod decide;
mod evolve;
mod model;
#[cfg(test)]
mod tests;

pub use model::{
    Reviews, ReviewsCommand, ReviewsEvent, ReviewsRefusal, ReviewsState, WAITING_MAX, Waiting,
};
