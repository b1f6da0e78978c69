//! Takes the rows of a feed into catalogue and stock, some at once, each exactly once.
//!
//! Every row is named after its feed and its number, and whoever receives it knows that name. So rows
//! that were taken when the process died are recognised when the feed is sent again, and the feed
//! itself notes how far it is after each batch.

use std::time::Duration;

use engine::catalog::{Product, ProductCommand, ProductRefusal, VERSION_WHEN_SUPPLIED_MAX};
use engine::import::{
    Import, ImportCommand, ImportRefusal, PartnerRow, RowError, RowFault, RowField, Supply, Tally,
};
use engine::inventory::{Inventory, InventoryCommand, InventoryRefusal};
use engine::values::{AdjustmentId, ImportId, KeyedRequest, PartnerId};
use futures::FutureExt as _;
use futures::stream::{self, StreamExt as _};
use tokio::time::{Instant, sleep};

use crate::directory::Hosted;
use crate::outcome::{Accepted, Asking, Cause, NotAccepted, NotDone};
use crate::system::OrderSystem;

/// Rows of a feed that are taken at once; a shop at work has most of the journal for itself.
const ROWS_AT_ONCE: usize = 32;
/// Longest time for one try of one step.
const STEP_WITHIN: Duration = Duration::from_secs(5);
/// Longest time for one step with all its tries.
const TRY_WITHIN: Duration = Duration::from_secs(20);
/// Pause before a step is tried again.
const PAUSE: Duration = Duration::from_millis(100);

/// A row under the names that make it recognisable.
#[derive(Clone, Debug)]
pub struct NamedRow {
    /// What it says.
    pub row: PartnerRow,
    /// Names what it does to the listing.
    pub request: KeyedRequest,
    /// Names what it does to the stock.
    pub adjustment: AdjustmentId,
}

/// The next rows of a feed.
#[derive(Clone, Debug)]
pub struct Batch {
    /// Which feed.
    pub import: ImportId,
    /// Whose.
    pub partner: PartnerId,
    /// The number of the row before.
    pub after: u32,
    /// The number of the last row. Numbers without a row are of those that can never be taken.
    pub upto: u32,
    /// The rows.
    pub rows: Vec<NamedRow>,
}

/// Why a feed does not go on. Its rows up to there are taken; sent again it goes on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Interrupted {
    /// The engine did not take what it was asked, or did not say so in time.
    #[error("the shop is too busy, or its journal is out of service")]
    NotNow,
    /// The engine is going down.
    #[error("the server is going down")]
    Draining,
    /// The feed itself refused to note what came of its rows.
    #[error("the feed is out of step: {0}")]
    OutOfStep(ImportRefusal),
}

/// What became of one row.
enum Fate {
    Created,
    Updated,
    Unchanged,
    Refused(RowError),
}

impl OrderSystem {
    /// Takes the next rows, and lets the feed note what came of them.
    ///
    /// # Errors
    ///
    /// [`Interrupted`]; taking the same rows again does nothing twice.
    pub async fn take_rows(
        &self,
        batch: &Batch,
        cause: &Cause,
    ) -> Result<Accepted<Import>, Interrupted> {
        let taking = batch.rows.iter().map(|row| self.take_row(&batch.partner, row, cause).boxed());
        let taking: Vec<_> = taking.collect();
        let fates: Vec<_> = stream::iter(taking).buffered(ROWS_AT_ONCE).collect().await;
        let (mut tally, mut errors) = (Tally::default(), Vec::new());
        for fate in fates {
            let counted = match fate? {
                Fate::Created => &mut tally.created,
                Fate::Updated => &mut tally.updated,
                Fate::Unchanged => &mut tally.unchanged,
                Fate::Refused(error) => {
                    errors.push(error);
                    &mut tally.refused
                }
            };
            *counted = counted.saturating_add(1);
        }
        let key = batch.import.to_string();
        let (after, upto) = (batch.after, batch.upto);
        let advance = ImportCommand::Advance { after, upto, tally, errors };
        match self.insist::<Import>(&key, advance, cause).await? {
            Ok(advanced) => Ok(advanced),
            Err(refusal) => Err(Interrupted::OutOfStep(refusal)),
        }
    }

    async fn take_row(
        &self,
        partner: &PartnerId,
        named: &NamedRow,
        cause: &Cause,
    ) -> Result<Fate, Interrupted> {
        let NamedRow { row, request, adjustment } = named;
        let product = partner.product(&row.sku);
        let refused = |field, code| Ok(Fate::Refused(RowError { line: row.line, field, code }));
        let supply = ProductCommand::Supply {
            request: *request,
            by: partner.clone(),
            product: product.clone(),
            name: row.name.clone(),
            price: row.price,
            status: row.status,
        };
        let listed = match self.insist::<Product>(product.as_str(), supply, cause).await? {
            Ok(listed) => listed,
            Err(refusal) => {
                let (field, code) = listing_fault(&refusal);
                return refused(field, code);
            }
        };
        let mut changed = listed.changed;
        if let Some(supply) = row.supply {
            let stocked = self.insist::<Inventory>(
                product.as_str(),
                stock_command(supply, *adjustment, partner),
                cause,
            );
            match stocked.await? {
                Ok(stocked) => changed |= stocked.changed,
                Err(refusal) => return refused(stock_field(supply), stock_fault(&refusal)),
            }
        }
        Ok(if listed.changed && listed.version <= VERSION_WHEN_SUPPLIED_MAX {
            Fate::Created
        } else if changed {
            Fate::Updated
        } else {
            Fate::Unchanged
        })
    }

    /// Asks until there is an answer of the rules. Whoever is asked recognises a repeat.
    async fn insist<A: Hosted>(
        &self,
        key: &str,
        command: A::Command,
        cause: &Cause,
    ) -> Result<Result<Accepted<A>, A::Refusal>, Interrupted> {
        let give_up_at = Instant::now() + TRY_WITHIN;
        loop {
            let asking = Asking { deadline: Instant::now() + STEP_WITHIN, cause: cause.clone() };
            match self.ask::<A>(key, command.clone(), asking).await {
                Ok(accepted) => return Ok(Ok(accepted)),
                Err(NotDone::Refused(refusal)) => return Ok(Err(refusal)),
                Err(NotDone::NotAccepted(NotAccepted::Draining)) => {
                    return Err(Interrupted::Draining);
                }
                Err(_) if give_up_at <= Instant::now() => return Err(Interrupted::NotNow),
                Err(_) => sleep(PAUSE).await,
            }
        }
    }
}

fn stock_command(
    supply: Supply,
    adjustment: AdjustmentId,
    partner: &PartnerId,
) -> InventoryCommand {
    let reason = format!("feed of {partner}");
    match supply {
        Supply::OnHand(on_hand) => InventoryCommand::Count { adjustment, on_hand, reason },
        Supply::Received(units) => {
            let delta = i64::from(units.units());
            InventoryCommand::Adjust { adjustment, delta, reason, if_version: None }
        }
    }
}

const fn stock_field(supply: Supply) -> RowField {
    match supply {
        Supply::OnHand(_) => RowField::Stock,
        Supply::Received(_) => RowField::Received,
    }
}

const fn listing_fault(refusal: &ProductRefusal) -> (RowField, RowFault) {
    match refusal {
        ProductRefusal::NotSupplied(_) => (RowField::Sku, RowFault::NotSupplied),
        ProductRefusal::CurrencyChanged => (RowField::Currency, RowFault::CurrencyChanged),
        ProductRefusal::NegativePrice => (RowField::Price, RowFault::OutOfRange),
        _ => (RowField::Row, RowFault::Refused),
    }
}

const fn stock_fault(refusal: &InventoryRefusal) -> RowFault {
    match refusal {
        InventoryRefusal::NotEnoughStock { .. } => RowFault::StockHeld,
        InventoryRefusal::CountOutOfRange => RowFault::OutOfRange,
        _ => RowFault::Refused,
    }
}
