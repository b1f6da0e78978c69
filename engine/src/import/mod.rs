//! A feed of a partner on its way into the catalogue: what it says, how far it is, what was refused.
//!
//! The shop knows a partner's product as a [`PartnerRow`]; formats end where rows begin.
//!
//! - IMPORT-1: a feed's rows are taken in their order, each once, and at the end every row was
//!   created, updated, unchanged or refused.
//! - IMPORT-2: a feed that was begun goes on with the same content only.

mod decide;
mod evolve;
mod model;
mod row;
#[cfg(test)]
mod tests;
mod text;

pub use model::{
    ERRORS_IN_EVENT, ERRORS_KEPT_MAX, FEED_BYTES_MAX, Feed, FeedFormat, Import, ImportCommand,
    ImportEvent, ImportRefusal, ImportState, ImportStatus, NewFeed, ROW_BYTES_MAX, ROWS_MAX, Tally,
};
pub use row::{
    Judge, NAME_MAX, NUMBER_MAX, PRICE_MINOR_MAX, PartnerRow, RawRow, RowError, RowFault, RowField,
    STOCK_MAX, Supply,
};
