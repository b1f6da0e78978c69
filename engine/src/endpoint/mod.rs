//! Addresses of other systems that want to hear what happens: the webhook endpoints of a shop.
//!
//! One stream holds all of them: there are few, they are listed often and change seldom. How far
//! each has heard is not kept here; that is a follower's place in the journal.
//!
//! - HOOK-1: a shop has at most 32 endpoints, and each of their addresses is there once.
//! - HOOK-2: while the signing secret is exchanged, messages are signed with the old one, too.
//! - HOOK-3: an endpoint that has failed for a day without a break is paused, and says so.

mod decide;
mod evolve;
mod model;
#[cfg(test)]
mod tests;

pub use model::{
    BOOK, ENDPOINTS_MAX, Endpoint, EndpointCommand, EndpointEvent, EndpointRefusal, EndpointStatus,
    Endpoints, EndpointsState, FAILING_LONGEST, Failing, PauseReason, SECRET_OVERLAP,
    SigningSecret, TYPES_MAX, URL_BYTES_MAX,
};
