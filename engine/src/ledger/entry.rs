//! One stored event as the ledger takes it, and where it lies.

use std::fmt;

use crate::buyer::BuyerEvent;
use crate::cart::CartEvent;
use crate::catalog::ProductEvent;
use crate::drill::DrillEvent;
use crate::endpoint::EndpointEvent;
use crate::import::ImportEvent;
use crate::inventory::InventoryEvent;
use crate::job::JobEvent;
use crate::order::OrderEvent;
use crate::partner::PartnerEvent;
use crate::promo::PromoEvent;
use crate::reviews::ReviewsEvent;
use crate::rma::ReturnEvent;
use crate::toggle::ToggleEvent;
use crate::values::Moment;

/// Where an event lies; shown as `shard:position`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Which part of the journal.
    pub shard: u16,
    /// Its place there, from 1.
    pub position: u64,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.shard, self.position)
    }
}

/// One stored event of any kind.
#[derive(Clone, Copy, Debug)]
pub enum LedgerEvent<'a> {
    /// Of a listing.
    Product(&'a ProductEvent),
    /// Of a stock.
    Inventory(&'a InventoryEvent),
    /// Of a cart.
    Cart(&'a CartEvent),
    /// Of an order.
    Order(&'a OrderEvent),
    /// Of a buyer.
    Buyer(&'a BuyerEvent),
    /// Of the list of reviews.
    Reviews(&'a ReviewsEvent),
    /// Of a return.
    Return(&'a ReturnEvent),
    /// Of the log of drills.
    Drill(&'a DrillEvent),
    /// Of the webhook endpoints.
    Endpoint(&'a EndpointEvent),
    /// Of a feed.
    Import(&'a ImportEvent),
    /// Of the register of partners.
    Partner(&'a PartnerEvent),
    /// Of the switches of features.
    Toggle(&'a ToggleEvent),
    /// Of a promo code.
    Promo(&'a PromoEvent),
    /// Of a job.
    Job(&'a JobEvent),
}

/// A stored event with everything that the ledger looks at.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// Where it lies.
    pub place: Place,
    /// Whose history: `kind/key`.
    pub stream: &'a str,
    /// Its place in that history, from 1.
    pub version: u64,
    /// When it was decided.
    pub at: Moment,
    /// What happened.
    pub event: LedgerEvent<'a>,
}

/// Which event it was, for what is judged only when all were read.
#[derive(Clone, Debug)]
pub(super) struct Origin {
    pub(super) place: Place,
    pub(super) stream: String,
    pub(super) version: u64,
}

impl Entry<'_> {
    /// Which event this is.
    pub(super) fn origin(&self) -> Origin {
        Origin { place: self.place, stream: self.stream.to_owned(), version: self.version }
    }

    /// The part of the stream's name that tells entities of a kind apart.
    pub(super) fn key(&self) -> &str {
        self.stream.split_once('/').map_or(self.stream, |(_, key)| key)
    }
}
