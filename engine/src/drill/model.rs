//! State, commands, events and refusals of the log of drills.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::aggregate::EventName;
use crate::values::Moment;

/// The key of the one stream that holds all drills.
pub const LOG: &str = "faults";

/// Every call fails.
pub const PER_MILLION_MAX: u32 = 1_000_000;

/// Longest delay that can be injected, in milliseconds.
pub const FAULT_MILLIS_MAX: u32 = 60_000;

/// The aggregate of the log of drills.
#[derive(Clone, Copy, Debug)]
pub struct Drill;

/// What can be made to go wrong, by name. At most one of each is injected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultName {
    /// Calls to the payment provider come to nothing.
    PaymentFailure,
    /// Calls to the payment provider take longer.
    PaymentLatency,
    /// Appends to the journal wait.
    JournalStall,
    /// Nothing is announced over Redis, and nothing heard.
    RedisCut,
}

impl FaultName {
    /// Every fault.
    pub const ALL: [Self; 4] =
        [Self::PaymentFailure, Self::PaymentLatency, Self::JournalStall, Self::RedisCut];

    /// Its name in paths, answers and labels.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PaymentFailure => "payment_failure",
            Self::PaymentLatency => "payment_latency",
            Self::JournalStall => "journal_stall",
            Self::RedisCut => "redis_cut",
        }
    }

    /// The fault of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|fault| fault.as_str() == name)
    }
}

/// How a call to the payment provider comes to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailedPayment {
    /// The provider declines the charge.
    Declined,
    /// The provider answers an error, having moved no money.
    Error,
    /// The provider does what it was asked, and its answer gets lost.
    Timeout,
}

/// What goes wrong, and how much of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// A share of the calls to the payment provider comes to nothing.
    PaymentFailure {
        /// How.
        kind: FailedPayment,
        /// How many calls of a million.
        per_million: u32,
    },
    /// Every call to the payment provider takes longer.
    PaymentLatency {
        /// By how much.
        millis: u32,
    },
    /// Every append to the journal waits.
    JournalStall {
        /// For how long; `None` until the fault ends.
        millis: Option<u32>,
    },
    /// Redis is out of reach.
    RedisCut,
}

impl Fault {
    /// Its name.
    pub const fn name(&self) -> FaultName {
        match self {
            Self::PaymentFailure { .. } => FaultName::PaymentFailure,
            Self::PaymentLatency { .. } => FaultName::PaymentLatency,
            Self::JournalStall { .. } => FaultName::JournalStall,
            Self::RedisCut => FaultName::RedisCut,
        }
    }

    /// Whether its numbers are such as can be injected.
    pub fn is_in_range(&self) -> bool {
        let delay = |millis: u32| (1..=FAULT_MILLIS_MAX).contains(&millis);
        match self {
            Self::PaymentFailure { per_million, .. } => *per_million <= PER_MILLION_MAX,
            Self::PaymentLatency { millis } => delay(*millis),
            Self::JournalStall { millis } => millis.is_none_or(delay),
            Self::RedisCut => true,
        }
    }
}

/// Who asked for something, and with which request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asker {
    /// A stable account id.
    pub by: String,
    /// The request's name in answers and log lines.
    pub request: String,
}

/// A fault that is injected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Injection {
    /// What goes wrong.
    pub fault: Fault,
    /// Since when.
    pub since: Moment,
    /// When it ends by itself.
    pub until: Option<Moment>,
    /// Who asked for it.
    pub asker: Asker,
}

/// How a fault ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// Somebody lifted it.
    Lifted(Asker),
    /// Its time ran out.
    Expired,
    /// The process in which it was injected is gone.
    Restarted,
}

/// The kinds of actors that can be killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActorKind {
    /// A product's listing.
    Product,
    /// A product's stock.
    Inventory,
    /// A cart.
    Cart,
    /// An order.
    Order,
}

impl ActorKind {
    /// The kind as streams name it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Product => "product",
            Self::Inventory => "inventory",
            Self::Cart => "cart",
            Self::Order => "order",
        }
    }
}

/// What is injected now, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DrillState(pub BTreeMap<FaultName, Injection>);

/// What can be asked of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DrillCommand {
    /// Let a fault be injected, in the place of one with the same name.
    Inject {
        /// What goes wrong.
        fault: Fault,
        /// When it ends by itself.
        until: Option<Moment>,
        /// Who asks.
        asker: Asker,
    },
    /// Let a fault end.
    End {
        /// Which.
        fault: FaultName,
        /// Only the one that was injected then; absent: whichever it is.
        since: Option<Moment>,
        /// How.
        how: Ending,
    },
    /// Note that an actor is about to be killed.
    KillActor {
        /// Of which kind.
        kind: ActorKind,
        /// Which one.
        key: String,
        /// Who asks.
        asker: Asker,
    },
}

/// What happened in a drill. Journaled: add variants, never change one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DrillEvent {
    /// A fault was let loose; one of the same name before it has been replaced.
    FaultInjected {
        /// What goes wrong.
        fault: Fault,
        /// When it ends by itself.
        until: Option<Moment>,
        /// Who asked for it.
        asker: Asker,
    },
    /// A fault ended.
    FaultEnded {
        /// Which.
        fault: FaultName,
        /// How.
        how: Ending,
    },
    /// An actor was about to be killed.
    ActorKilled {
        /// Of which kind.
        kind: ActorKind,
        /// Which one.
        key: String,
        /// Who asked for it.
        asker: Asker,
    },
}

impl EventName for DrillEvent {
    fn name(&self) -> &'static str {
        match self {
            Self::FaultInjected { .. } => "drill.fault_injected",
            Self::FaultEnded { .. } => "drill.fault_ended",
            Self::ActorKilled { .. } => "drill.actor_killed",
        }
    }
}

/// Why a command was turned down.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DrillRefusal {
    /// A number of the fault is not one that can be injected.
    #[error("a number of the fault is outside of what is allowed")]
    OutOfRange,
}
