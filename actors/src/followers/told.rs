//! A durable event as the outside is told.

use engine::Aggregate as _;
use engine::catalog::Product;
use engine::order::Order;
use engine::public::{self, PublicEvent};
use engine::values::{Moment, OrderId, ProductId};
use persistence::journal::Record;
use persistence::{StoreError, codec};
use uuid::Uuid;

use crate::outcome::Position;

/// A public event and where it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// Names it: the same however often it is told.
    pub id: Uuid,
    /// Where the stored event lies.
    pub position: Position,
    /// The stored event's place in its history.
    pub version: u64,
    /// When it was decided.
    pub at: Moment,
    /// What happened.
    pub event: PublicEvent,
}

impl Told {
    /// What the outside is told about a stored event, if anything.
    ///
    /// # Errors
    ///
    /// [`StoreError::Corrupt`] for an event that this build cannot read: it must not be skipped.
    pub(crate) fn of(record: &Record) -> Result<Option<Self>, StoreError> {
        let key = record.stream.key();
        let event = match record.stream.kind() {
            Order::KIND => match Uuid::try_parse(key).map(OrderId::new) {
                Ok(order) => public::of_order(order, &codec::decode::<Order>(record)?),
                Err(_) => None,
            },
            Product::KIND => match ProductId::parse(key) {
                Ok(product) => public::of_product(product, &codec::decode::<Product>(record)?),
                Err(_) => None,
            },
            _ => None,
        };
        let position = Position { shard: record.shard, position: record.position };
        Ok(event.map(|event| Self {
            id: record.event_id,
            position,
            version: record.version,
            at: record.at,
            event,
        }))
    }
}
