//! A cart: what a customer means to buy, before any stock is promised.
//!
//! - CART-A: a line has 1 to 100 units, a cart at most 50 lines, one line per product.
//! - CART-B: a cart belongs to one order at a time, and does not change while it does.
//!
//! - CART-C: the lines of a cart that is merged into another are in one of the two, and added once.
//!
//! An order claims its cart as the last thing before it is placed. The claim ends only when nobody
//! will get anything for it: the order was refused, its payment failed, or it never came to be. The
//! cart of a user is opened again, and empty, when its order stands.

mod decide;
mod evolve;
mod merge;
mod model;
#[cfg(test)]
mod tests;

pub use model::{
    CART_LINES_MAX, CARTS_TAKEN_MAX, CLAIM_VALID, Cart, CartCommand, CartEvent, CartRefusal,
    CartState, LINE_UNITS_MAX, OpenCart,
};
