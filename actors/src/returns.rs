//! What is told of returns once it is durable: figures, and lines in the log that people look for.

use engine::Aggregate as _;
use engine::rma::Return;
use metrics::counter;
use persistence::journal::Record;
use tracing::{info, warn};

use crate::metrics::RETURN_STATUS_TRANSITION_TOTAL;

/// Tells of an event that has just become durable, if it is one of a return.
pub(crate) fn tell(record: &Record) {
    if record.stream.kind() != Return::KIND {
        return;
    }
    let id = record.stream.key();
    counter!(RETURN_STATUS_TRANSITION_TOTAL, "event" => record.name.clone()).increment(1);
    match &*record.name {
        "return.requested" => info!(event = "returns_created", id, "a return was requested"),
        "return.refund_failed" => {
            warn!(event = "refund_failed", id, "the refund of a return failed");
        }
        _ => {}
    }
}
