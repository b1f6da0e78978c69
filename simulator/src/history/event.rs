//! The words of a history: what can be asked, and how a question can end.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::record::{Money, Stock};

/// Where an event lies in the journal; positions compare within a shard only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Which shard.
    pub shard: u32,
    /// Which place in it.
    pub at: u64,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.shard, self.at)
    }
}

impl FromStr for Position {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = "a position has the form <shard>:<place>";
        let (shard, at) = text.split_once(':').ok_or(wrong)?;
        Ok(Self { shard: shard.parse().map_err(|_| wrong)?, at: at.parse().map_err(|_| wrong)? })
    }
}

impl Serialize for Position {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Position {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <&str>::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// Where the goods of an order are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Status {
    /// Placed.
    Pending,
    /// Being made ready.
    Processing,
    /// On its way.
    Shipped,
    /// Arrived.
    Delivered,
    /// Called off.
    Cancelled,
}

/// Where the money of an order is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Payment {
    /// Nothing was taken yet.
    Unpaid,
    /// The provider will be asked again.
    Queued,
    /// Promised by the provider.
    Authorised,
    /// Taken.
    Paid,
    /// Will not be taken.
    Failed,
    /// Some of it went back.
    PartlyRefunded,
    /// All of it went back.
    Refunded,
}

/// A line that a client wants to buy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wanted {
    /// What.
    pub product: Box<str>,
    /// How many units.
    pub n: u64,
}

/// What a client asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    /// Places an order.
    Place(Vec<Wanted>),
    /// Calls an order off.
    Cancel(Box<str>),
    /// Moves an order on.
    Move(Box<str>, Status),
    /// Changes the stock of a product by hand.
    Restock(Box<str>, i64),
    /// Reads an order.
    Read(Box<str>),
    /// Reads the stock of a product.
    Look(Box<str>),
}

impl Ask {
    /// The word for it.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Place(_) => "place",
            Self::Cancel(_) => "cancel",
            Self::Move(..) => "move",
            Self::Restock(..) => "restock",
            Self::Read(_) => "read",
            Self::Look(_) => "look",
        }
    }

    /// Whether it is meant to change anything.
    pub fn is_mutation(&self) -> bool {
        !matches!(self, Self::Read(_) | Self::Look(_))
    }
}

/// One line of an order as a client saw it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineSeen {
    /// Id of the line; part of what must not change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Box<str>>,
    /// What was bought.
    pub product: Box<str>,
    /// How many units.
    pub n: u64,
    /// Price of one, in minor units.
    pub unit: i64,
}

/// What may never change about an order once a client has seen it. Amounts are minor units of
/// one currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// What was bought.
    pub lines: Vec<LineSeen>,
    /// ISO currency of every amount.
    pub currency: Box<str>,
    /// Sum of the lines.
    pub subtotal: i64,
    /// Taken off.
    pub discount: i64,
    /// Added for shipping.
    pub shipping: i64,
    /// Added for duties.
    pub duties: i64,
    /// Added for tax.
    pub tax: i64,
    /// What the customer pays.
    pub total: i64,
}

/// An order as a client saw it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderSeen {
    /// Its id.
    pub order: Box<str>,
    /// HTTP status of the answer.
    pub http: u16,
    /// Where the goods are.
    pub status: Status,
    /// Where the money is.
    pub payment: Payment,
    /// Its version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ver: Option<u64>,
    /// Where its last event lies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pos: Option<Position>,
    /// The answer said that it repeats an earlier one.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub replayed: bool,
    /// What may never change.
    pub facts: Facts,
}

impl OrderSeen {
    /// Paid, and nobody took it back: its units are sold, or soon will be.
    pub fn stands(&self) -> bool {
        self.payment == Payment::Paid && self.status != Status::Cancelled
    }

    /// Its units are sold. Whoever is told "accepted" instead of "done" may see them held for a
    /// while, although the money is there: the store may have gone in between.
    pub fn is_sold(&self) -> bool {
        self.stands() && (self.http == 201 || self.status != Status::Pending)
    }

    /// It came to an end in which its units went back.
    pub fn came_to_nothing(&self) -> bool {
        self.status == Status::Cancelled || self.payment == Payment::Failed
    }

    /// Its payment has not come to an end.
    pub fn is_open(&self) -> bool {
        self.status != Status::Cancelled
            && matches!(self.payment, Payment::Unpaid | Payment::Queued | Payment::Authorised)
    }
}

/// The stock of a product as a client saw it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShelfSeen {
    /// Units.
    #[serde(flatten)]
    pub stock: Stock,
    /// Price of one unit, when the page tells it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<Money>,
    /// Version of the stock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ver: Option<u64>,
}

/// Where a change by hand stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changed {
    /// Version of what was changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ver: Option<u64>,
    /// Where its last event lies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pos: Option<Position>,
}

/// What a yes showed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Seen {
    /// An order.
    Order(Box<OrderSeen>),
    /// A stock.
    Shelf(ShelfSeen),
    /// A change by hand.
    Changed(Changed),
    /// Nothing that could be read.
    Nothing,
}

/// A definite no.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct No {
    /// HTTP status; 0 when nothing was sent.
    pub http: u16,
    /// The stable code of the problem.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Box<str>>,
}

/// How a question ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// It was done.
    Ok(Seen),
    /// It was surely not done.
    Rejected(No),
    /// Nobody knows. A question that never ended is one of these.
    Unknown,
}
