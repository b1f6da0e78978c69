//! What can be sold: one product's name, price and status.
//!
//! Stock is another aggregate, so that a price change never waits behind a crowd of buyers.
//!
//! - CATALOG-1: a listing is published once and keeps its currency for ever.

mod decide;
mod evolve;
mod model;
#[cfg(test)]
mod tests;

pub use model::{
    Listing, ListingState, Product, ProductCommand, ProductEvent, ProductRefusal, ProductStatus,
};
