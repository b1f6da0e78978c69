//! State, commands, events and refusals of one product's stock.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::aggregate::EventName;
use crate::values::{AdjustmentId, CustomerId, HoldId, Moment, Quantity};

/// A hold command is void this long after it was issued, and a committed hold is remembered as long.
/// It equals the longest deadline of a request: nobody waits for an older command.
pub const HOLD_COMMAND_VALID: Duration = Duration::from_secs(5);

/// How long holds that lapsed, were released or restocked are remembered: as long as an order may
/// wait to be paid, and a day more in which its last commit may be repeated.
pub const EXCEPTIONAL_END_REMEMBERED: Duration = Duration::from_hours(48);

/// How long a change by hand is remembered at least. A repeat of one that is forgotten counts again.
pub const ADJUSTMENT_REMEMBERED: Duration = Duration::from_hours(48);
/// The last so many changes by hand are remembered however old they are.
pub const ADJUSTMENTS_REMEMBERED_MIN: usize = 1_024;
/// No more changes by hand are remembered, however young: one each ten seconds for two days.
pub const ADJUSTMENTS_REMEMBERED_MAX: usize = 17_280;

/// The aggregate of one product's stock.
#[derive(Clone, Copy, Debug)]
pub struct Inventory;

/// Units set aside until a moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// Units set aside.
    pub quantity: Quantity,
    /// When the hold lapses.
    pub expires_at: Moment,
    /// When it was taken.
    pub held_at: Moment,
    /// For whom.
    pub customer: CustomerId,
}

/// How a hold ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HoldEnd {
    /// Its units were sold.
    Committed,
    /// Its units went back.
    Released,
    /// Its time ran out and its units went back.
    Expired,
    /// Its units were sold, then went back.
    Restocked,
}

/// A hold that has ended and is still remembered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// How it ended.
    pub how: HoldEnd,
    /// The last moment at which it is surely remembered.
    pub until: Moment,
    /// Who lost it when it lapsed: a late commit counts for them again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer: Option<CustomerId>,
}

/// A change by hand that is still remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Adjustment {
    /// Its id.
    pub id: AdjustmentId,
    /// Units added, or taken when negative.
    pub delta: i64,
    /// When; long ago in books that are older.
    #[serde(default)]
    pub at: Moment,
    /// The reason in few bytes; absent in books that are older.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<u64>,
}

impl Adjustment {
    pub(super) fn new(id: AdjustmentId, delta: i64, reason: &str, at: Moment) -> Self {
        Self { id, delta, at, reason: Some(digest(reason)) }
    }

    /// Whether another request under the same key says the same.
    pub(super) fn says(&self, delta: i64, reason: &str) -> bool {
        self.delta == delta && self.gives(reason)
    }

    /// Whether it was made for the same reason.
    pub(super) fn gives(&self, reason: &str) -> bool {
        self.reason.is_none_or(|known| known == digest(reason))
    }
}

/// FNV-1a: tells texts apart, and stays what it is when they are read again.
fn digest(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |digest, byte| {
        (digest ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// The books of one product. Counts are private so that only events can move them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "super::stored::StoredStock", into = "super::stored::StoredStock")]
pub struct StockLevel {
    pub(super) on_hand: Quantity,
    pub(super) held: Quantity,
    pub(super) sold: Quantity,
    pub(super) limit_per_customer: Option<Quantity>,
    pub(super) holds: BTreeMap<HoldId, Hold>,
    pub(super) expiries: BTreeSet<(Moment, HoldId)>,
    pub(super) ended: BTreeMap<HoldId, Ended>,
    pub(super) forget_at: BTreeSet<(Moment, HoldId)>,
    pub(super) adjustments: VecDeque<Adjustment>,
    pub(super) bought: BTreeMap<CustomerId, Quantity>,
    pub(super) version: u64,
    /// When its last event was decided.
    pub(super) decided_at: Moment,
}

impl StockLevel {
    /// Units that are here, held ones included.
    pub const fn on_hand(&self) -> Quantity {
        self.on_hand
    }

    /// Units set aside.
    pub const fn held(&self) -> Quantity {
        self.held
    }

    /// Units sold and gone.
    pub const fn sold(&self) -> Quantity {
        self.sold
    }

    /// Units that can be held.
    pub fn available(&self) -> Quantity {
        // INVENTORY-1 is asserted after each event, so this cannot fall below zero.
        self.on_hand.checked_sub(self.held).unwrap_or_default()
    }

    /// Live holds by id.
    pub const fn holds(&self) -> &BTreeMap<HoldId, Hold> {
        &self.holds
    }

    /// Ended holds that are still remembered.
    pub const fn ended(&self) -> &BTreeMap<HoldId, Ended> {
        &self.ended
    }

    /// Units that one customer may buy, if there is a limit.
    pub const fn limit_per_customer(&self) -> Option<Quantity> {
        self.limit_per_customer
    }

    /// The earliest moment at which a hold lapses.
    pub fn next_expiry(&self) -> Option<Moment> {
        self.expiries.first().map(|(at, _)| *at)
    }
}

/// What readers see of a stock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StockView {
    /// Units that are here, held ones included.
    pub on_hand: Quantity,
    /// Units set aside.
    pub held: Quantity,
    /// Units that can be held.
    pub available: Quantity,
    /// Units sold and gone.
    pub sold: Quantity,
    /// Counts the changes.
    pub version: u64,
}

/// What can be asked of a stock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InventoryCommand {
    /// Add or take units by hand.
    Adjust {
        /// Names this change; a repeat changes nothing.
        adjustment: AdjustmentId,
        /// Units added, or taken when negative.
        delta: i64,
        /// Why, in the operator's words.
        reason: String,
        /// Refuse unless the stock still has this version.
        if_version: Option<u64>,
    },
    /// Let so many units be here: a count, be it by hand or by whoever supplies them.
    Count {
        /// Names this change; a repeat changes nothing, also when units were sold meanwhile.
        adjustment: AdjustmentId,
        /// Units that are here, held ones included.
        on_hand: Quantity,
        /// Who counted, in the operator's words.
        reason: String,
    },
    /// Limit what one customer may buy; `None` lifts the limit.
    SetLimit {
        /// Units per customer, held and sold together; what was sold before does not count.
        limit: Option<Quantity>,
    },
    /// Set units aside, all or none.
    Hold {
        /// Names the hold.
        hold: HoldId,
        /// Units to set aside.
        quantity: Quantity,
        /// For whom.
        customer: CustomerId,
        /// When the hold lapses.
        expires_at: Moment,
        /// The command is void after this.
        valid_until: Moment,
    },
    /// Let a hold live longer.
    Extend {
        /// Which hold.
        hold: HoldId,
        /// Its new end.
        expires_at: Moment,
    },
    /// Turn a hold into a sale.
    Commit {
        /// Which hold.
        hold: HoldId,
        /// Units it was taken for, in case it lapsed and must be taken again.
        quantity: Quantity,
    },
    /// Give held units back.
    Release {
        /// Which hold.
        hold: HoldId,
    },
    /// Give units back whether they are still held or already sold.
    Restock {
        /// Which hold.
        hold: HoldId,
        /// Units that were sold under it.
        quantity: Quantity,
    },
    /// Take sold units back that a customer returned.
    TakeBack {
        /// Names the return.
        hold: HoldId,
        /// Units that are as good as new.
        quantity: Quantity,
    },
    /// Release every hold whose time has run out.
    Expire,
}

/// What happened to one product's stock. Journaled: add variants, never change one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InventoryEvent {
    /// Units were added or taken by hand.
    Adjusted {
        /// Names the change.
        adjustment: AdjustmentId,
        /// Units added, or taken when negative.
        delta: i64,
        /// Why.
        reason: String,
    },
    /// The limit per customer changed.
    LimitSet {
        /// Units per customer.
        limit: Option<Quantity>,
    },
    /// Units were set aside.
    Held {
        /// The hold.
        hold: HoldId,
        /// Units set aside.
        quantity: Quantity,
        /// For whom.
        customer: CustomerId,
        /// When the hold lapses.
        expires_at: Moment,
    },
    /// A hold lives longer.
    Extended {
        /// The hold.
        hold: HoldId,
        /// Its new end.
        expires_at: Moment,
    },
    /// Held units were sold.
    Committed {
        /// The ended hold.
        hold: HoldId,
        /// Units sold.
        quantity: Quantity,
    },
    /// Units were sold under a hold that had lapsed, because enough were free.
    CommittedLate {
        /// The lapsed hold.
        hold: HoldId,
        /// Units sold.
        quantity: Quantity,
    },
    /// Held units went back.
    Released {
        /// The ended hold.
        hold: HoldId,
        /// Units that went back.
        quantity: Quantity,
    },
    /// The time of a hold ran out and its units went back.
    Expired {
        /// The ended hold.
        hold: HoldId,
        /// Units that went back.
        quantity: Quantity,
    },
    /// Sold units went back, or a lapsed hold was given up for good.
    Restocked {
        /// The hold under which they were sold.
        hold: HoldId,
        /// Units that went back; none when the hold had lapsed.
        quantity: Quantity,
    },
    /// Sold units came back from a customer.
    TakenBack {
        /// Names the return.
        hold: HoldId,
        /// Units that came back.
        quantity: Quantity,
    },
}

impl EventName for InventoryEvent {
    fn name(&self) -> &'static str {
        match self {
            Self::Adjusted { .. } => "inventory.adjusted",
            Self::LimitSet { .. } => "inventory.limit_set",
            Self::Held { .. } => "inventory.held",
            Self::Extended { .. } => "inventory.extended",
            Self::Committed { .. } => "inventory.committed",
            Self::CommittedLate { .. } => "inventory.committed_late",
            Self::Released { .. } => "inventory.released",
            Self::Expired { .. } => "inventory.expired",
            Self::Restocked { .. } => "inventory.restocked",
            Self::TakenBack { .. } => "inventory.taken_back",
        }
    }
}

/// Why a command was turned down.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InventoryRefusal {
    /// Zero units make no sense here.
    #[error("quantity must be positive")]
    EmptyQuantity,
    /// Fewer units are free than were asked for.
    #[error("requested {requested} units, {available} available")]
    NotEnoughStock {
        /// Units asked for.
        requested: Quantity,
        /// Units free right now.
        available: Quantity,
    },
    /// The customer would pass the purchase limit.
    #[error("a customer may buy {limit} units")]
    OverLimit {
        /// Units per customer.
        limit: Quantity,
    },
    /// The id already names a hold of another size, or one that has ended.
    #[error("hold {0} exists with a different quantity or has ended")]
    HoldMismatch(HoldId),
    /// The hold had lapsed and its units are gone.
    #[error("hold {0} has lapsed")]
    Lapsed(HoldId),
    /// The command came too late to be carried out.
    #[error("the command is no longer valid")]
    Stale,
    /// The id already names another change.
    #[error("adjustment {0} exists with another amount or reason")]
    AdjustmentMismatch(AdjustmentId),
    /// The stock has changed since the caller looked.
    #[error("stock is at version {actual}")]
    VersionMismatch {
        /// The present version.
        actual: u64,
    },
    /// The count would pass what can be counted.
    #[error("stock count out of range")]
    CountOutOfRange,
}
