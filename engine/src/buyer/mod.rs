//! A buyer: whether the shop trusts them, and how many orders they placed lately.
//!
//! - BUYER-1: only what somebody named has decided changes trust, and each change says who it was.
//! - BUYER-2: an order counts once, and no more than [`RECENT_MAX`] are remembered.
//!
//! Orders are noted only where a shop looks at how fast its buyers order. An attempt that is refused
//! later counts as well: whoever tries a hundred times is as fast as whoever succeeds.

mod decide;
mod evolve;
mod model;
#[cfg(test)]
mod tests;

pub use model::{
    Buyer, BuyerCommand, BuyerEvent, BuyerRefusal, BuyerState, RECENT_MAX, Trust, Trusted,
};
