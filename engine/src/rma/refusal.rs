//! Why a return turns a command down.

use super::life::ReturnStatus;
use super::model::PHOTOS_MAX;
use crate::order::{NotReturnable, RefundMethod};
use crate::process::Unavailable;
use crate::values::{ProductId, Quantity};

/// Why a command was turned down.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReturnRefusal {
    /// There is no such return.
    #[error("return is unknown")]
    Unknown,
    /// The key was used for another request.
    #[error("the key names a return with other content")]
    KeyReused,
    /// Its order does not take these units back.
    #[error(transparent)]
    NotReturnable(#[from] NotReturnable),
    /// Its order could not be asked now; nothing happened.
    #[error("the order could not be asked: {why}")]
    OrderUnavailable {
        /// Why.
        why: Unavailable,
    },
    /// More units than the step before has let through.
    #[error("{product}: {units} units, at most {most} are possible")]
    TooMany {
        /// Which product.
        product: ProductId,
        /// Units named.
        units: Quantity,
        /// Units that can be.
        most: Quantity,
    },
    /// It has as many photos as it may.
    #[error("a return has at most {PHOTOS_MAX} photos")]
    TooManyPhotos,
    /// A refund that failed may have happened: it is tried again on the same way only.
    #[error("the refund was asked for as {}, and is tried again like that", .0.as_str())]
    OtherMethod(RefundMethod),
    /// The status cannot change like that.
    #[error("a return that is {} cannot {wish}", .from.as_str())]
    InvalidTransition {
        /// From where.
        from: ReturnStatus,
        /// What was wanted.
        wish: &'static str,
    },
}
