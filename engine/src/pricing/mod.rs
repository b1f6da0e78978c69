//! What products cost on their terms, and how each number came about.
//!
//! - PRICING-1: subtotal − discount + shipping + duties + tax = total, and no part is below zero.
//! - PRICING-2: a discount is never more than the line that it is taken off.

mod line;
mod steps;
#[cfg(test)]
mod tests;

pub use line::{Basis, LineQuote, line, unit_price};
pub use steps::{Step, steps};
