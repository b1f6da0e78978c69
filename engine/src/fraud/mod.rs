//! What makes an order suspicious, and what becomes of one that is: it is kept, and somebody looks.
//!
//! A suspicion is no fault: the order is placed, its units are held, nothing is charged and nothing
//! is sold until somebody has decided, see [`Review`]. Buyers whom the shop trusts are not suspected.

mod review;
mod suspicion;
#[cfg(test)]
mod tests;
mod vetting;

pub use review::{REVIEW_LONGEST, Review, Verdict};
pub use suspicion::{FraudPolicy, Pace, Suspicion, suspicions};
pub use vetting::{Counted, Vetting};
