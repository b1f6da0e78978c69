//! Promo codes: what one takes off an order, and when.
//!
//! How often a code can still be used is the stock of its uses ([`PromoCode::uses`]): an order holds
//! one beside its units, and it is committed, released and lapses as they do. So no two orders get
//! the last one, whatever happens in between (ADR 0027).
//!
//! - PROMO-1: what a code takes off is settled when it is made; it can only be ended.
//! - PROMO-2: a code takes no more off than the goods cost, and the shares of the lines make exactly
//!   what it takes off.
//!
//! [`PromoCode::uses`]: crate::values::PromoCode::uses

mod decide;
mod evolve;
mod model;
mod rebate;
#[cfg(test)]
mod tests;

pub use model::{
    NewPromo, OpenPromo, Promo, PromoCommand, PromoEvent, PromoRefusal, PromoState, PromoUse,
    USES_UNLIMITED,
};
pub use rebate::Rebate;
