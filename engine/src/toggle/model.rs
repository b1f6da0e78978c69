//! State, commands, events and refusals of the switches of features.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::aggregate::EventName;
use crate::values::{Answered, KeyedRequest, Moment};

/// The key of the one stream that holds all switches.
pub const SWITCHES: &str = "switches";

/// Longest reason, in bytes.
pub const REASON_MAX: usize = 200;

/// The aggregate of all switches.
#[derive(Clone, Copy, Debug)]
pub struct Switchboard;

macro_rules! toggles {
    ($($name:ident $word:literal $default:literal $meaning:literal;)*) => {
        /// A feature that can be switched off.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Toggle {
            $(#[doc = $meaning] $name,)*
        }

        impl Toggle {
            /// Every feature.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// Its name in paths, answers and events.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// What it does while it is on.
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$name => $meaning,)* }
            }

            /// Whether it is on as long as nobody has switched it.
            pub const fn is_on_at_first(self) -> bool {
                match self { $(Self::$name => $default,)* }
            }
        }
    };
}

toggles! {
    FlashSale "flash_sale" true "Prices of flash sales apply.";
    PartnerIngestion "partner_ingestion" true "Catalogues of partners are taken in.";
}

impl Toggle {
    /// The feature of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|toggle| toggle.as_str() == name)
    }
}

/// How a feature was switched last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Switch {
    /// Whether it is on.
    pub on: bool,
    /// Who did it: a stable account id.
    pub by: String,
    /// Why, in their words.
    pub why: String,
    /// When.
    pub at: Moment,
}

/// All switches that were ever thrown.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Switches {
    /// How each was thrown last.
    pub thrown: BTreeMap<Toggle, Switch>,
    /// The last requests that came under keys.
    #[serde(default, skip_serializing_if = "Answered::is_empty")]
    pub answered: Answered,
}

impl Switches {
    /// Whether a feature is on.
    pub fn is_on(&self, toggle: Toggle) -> bool {
        self.thrown.get(&toggle).map_or_else(|| toggle.is_on_at_first(), |switch| switch.on)
    }
}

/// What can be asked of the switches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ToggleCommand {
    /// Let a feature be on or off.
    Set {
        /// Which.
        toggle: Toggle,
        /// Whether it is to be on.
        on: bool,
        /// Who asks: a stable account id.
        by: String,
        /// Why, in their words.
        why: String,
    },
    /// Do something once, however often it is asked under the same key.
    Once {
        /// The request.
        request: KeyedRequest,
        /// What to do.
        command: Box<ToggleCommand>,
    },
}

/// What happened to the switches. Journaled: add variants, never change one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ToggleEvent {
    /// A feature was switched on or off.
    Switched {
        /// Which.
        toggle: Toggle,
        /// Whether it is on now.
        on: bool,
        /// Who did it: a stable account id.
        by: String,
        /// Why, in their words.
        why: String,
    },
    /// A request under a key was done; a repeat of it changes nothing.
    Answered {
        /// The request.
        request: KeyedRequest,
    },
}

impl EventName for ToggleEvent {
    fn name(&self) -> &'static str {
        match self {
            Self::Switched { .. } => "toggle.switched",
            Self::Answered { .. } => "toggle.answered",
        }
    }
}

/// Why a switch was not thrown.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ToggleRefusal {
    /// Nobody says why, or at too great a length.
    #[error("a switch is thrown for a reason of 1 to {REASON_MAX} bytes")]
    ReasonOutOfRange,
    /// Another request was answered under its key.
    #[error("the key was used for another request")]
    KeyReused,
}
