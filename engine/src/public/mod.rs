//! What the outside is told: public events, each made of a stored one, and never the stored one itself.
//!
//! Stored events may gain parts as the engine needs them. What stands in a public event is promised
//! under a name with a version, holds nothing that belongs to a person, and is made from one stored
//! event alone: so it is the same whenever and however often it is made.

mod name;
mod order;
mod product;
#[cfg(test)]
mod tests;

pub use name::PublicName;
pub use order::of_order;
pub use product::of_product;

use crate::values::{CustomerId, Moment, Money, OrderId, ProductId, Quantity};

/// Whom a public event is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// An order.
    Order(OrderId),
    /// A product.
    Product(ProductId),
}

/// One line of an order, as the outside is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicLine {
    /// What.
    pub product: ProductId,
    /// How many units.
    pub quantity: Quantity,
    /// The price of one.
    pub unit_price: Money,
}

/// What is told beside the name and the subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Facts {
    /// What was ordered, by whom and for how much.
    Placed {
        /// The shop's own name for the customer.
        customer: CustomerId,
        /// Through which channel.
        channel: String,
        /// What.
        lines: Vec<PublicLine>,
        /// For how much.
        total: Money,
    },
    /// How much money moved.
    Amount(Money),
    /// How much one unit costs, and how the product is called.
    Listing {
        /// Its name.
        name: String,
        /// The price of one.
        price: Money,
    },
    /// What one unit costs.
    Price(Money),
    /// What it is called.
    Name(String),
    /// Until when it is tried, or when it is tried next.
    Until(Moment),
    /// Why, as one of a few words.
    Reason(&'static str),
    /// Nothing more.
    Nothing,
}

/// Something that happened, as the outside is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicEvent {
    /// Its name, with the version of its shape.
    pub name: PublicName,
    /// Whom it is about.
    pub subject: Subject,
    /// What else is told.
    pub facts: Facts,
}
