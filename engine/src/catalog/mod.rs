//! What can be sold: one product's name, price, terms and status.
//!
//! Stock is another aggregate, so that a price change never waits behind a crowd of buyers.
//!
//! - CATALOG-1: a listing is published once and keeps its currency for ever.
//! - CATALOG-2: a listing shows at most 20 pictures, each once.
//! - CATALOG-3: the feed of a partner changes what that partner supplies, and nothing else.
//! - CATALOG-4: an archived listing keeps its name, price, terms and status.

mod decide;
mod evolve;
mod model;
mod terms;
#[cfg(test)]
mod tests;

pub use model::{
    Listing, ListingState, PICTURES_MAX, Product, ProductCommand, ProductEvent, ProductRefusal,
    ProductStatus, VERSION_WHEN_SUPPLIED_MAX,
};
pub use terms::{BASIS_POINTS_MAX, Discount, FlashSale, Terms};
