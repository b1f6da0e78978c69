//! What an order must keep before it is placed: a table of rules, judged together.
//!
//! [`Rule`] is the table. [`request`] judges what the request says by itself, [`listings`] what only
//! the catalogue can tell, [`promo`] what only the promo code can; they give all that they find, and
//! each finding knows whether it blocks.
//! What a shop asks for beyond what always holds is its [`Policy`].

mod delivery;
mod finding;
mod items;
mod listings;
mod payment;
mod phone;
mod policy;
mod promo;
mod table;
#[cfg(test)]
mod tests;
mod texts;

pub use finding::{Finding, Severity, Warning, blocks};
pub use listings::listings;
pub use phone::e164;
pub use policy::{Country, Demands, Policy, Region, UnknownRegion};
pub use promo::{promo, usable};
pub use table::{Class, Entry, Need, Rule};
pub use texts::NOTE_CHARACTERS_MAX;

use crate::order::PlaceOrder;

/// Judges what the request says; nothing has to be looked up.
pub fn request(place: &PlaceOrder) -> Vec<Finding> {
    let mut found = Vec::new();
    items::judge(place, &mut found);
    payment::judge(place, &mut found);
    delivery::judge(place, &mut found);
    texts::judge(place, &mut found);
    found
}
