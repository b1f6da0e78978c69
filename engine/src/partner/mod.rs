//! Partners that supply products, and the keys that they come in with.
//!
//! One stream holds all of them, so that who may come in is one view. A key is a secret of 256 bits;
//! only its SHA-256 is kept.
//!
//! - PARTNER-1: a digest opens the door for one partner at most, and never again once its key was
//!   revoked or has expired.

mod decide;
mod evolve;
mod model;
#[cfg(test)]
mod tests;

pub use model::{
    KEY_USE_GRAIN, KEYS_MAX, KeyDigest, NAME_MAX, NewKey, PARTNERS_MAX, Partner, PartnerCommand,
    PartnerEvent, PartnerKey, PartnerRefusal, Partners, REGISTER, Registered, Standing,
};
