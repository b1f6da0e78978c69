//! Which event is told to a customer in which words: messages are made of an order and one of its
//! events, and of nothing else, so they can be made again at any time.

mod compose;
mod template;
#[cfg(test)]
mod tests;

pub use compose::{Letter, compose};
pub use template::{Template, about};
