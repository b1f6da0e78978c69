//! A cart: what a customer means to buy, before any stock is promised.
//!
//! - CART-A: a line has 1 to 100 units, a cart at most 50 lines, one line per product.
//! - CART-B: a cart that was checked out never changes again.

mod decide;
mod evolve;
mod model;
#[cfg(test)]
mod tests;

pub use model::{
    CART_LINES_MAX, Cart, CartCommand, CartEvent, CartRefusal, CartState, LINE_UNITS_MAX, OpenCart,
};
