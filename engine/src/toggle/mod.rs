//! Features that can be switched off and on while the shop is open, by whom and why.
//!
//! One stream holds all of them. A feature that nobody has switched is as the table of features says.
//!
//! - TOGGLE-1: a switch is thrown only when that changes it, and every throw names somebody and a
//!   reason.

mod decide;
mod evolve;
mod model;
#[cfg(test)]
mod tests;

pub use model::{
    REASON_MAX, SWITCHES, Switch, Switchboard, Switches, Toggle, ToggleCommand, ToggleEvent,
    ToggleRefusal,
};
