//! An order and its payment, from the wish to buy to delivered or cancelled.
//!
//! - ORDER-1: `placed` comes first and once; its lines and amounts never change.
//! - ORDER-2: the public status follows PENDING → PROCESSING → SHIPPED → DELIVERED, or CANCELLED.
//! - ORDER-3: captured money is matched by committed stock, or it goes back.
//! - ORDER-4: refunded is never more than captured.
//! - ORDER-5: a cancelled order ends with no held and no sold units.
//! - ORDER-6: what an order came to first stays its answer, whatever comes later.
//! - ORDER-7: a suspicious order is neither charged nor sold before somebody has approved it.
//! - ORDER-8: of no line come more units back than were bought, whatever returns ask at once.
//! - ORDER-9: store credit is held, spent and given back with the units that it pays for.
//!
//! The order is also the process manager of its checkout: [`outstanding`] derives from the state
//! what is still owed, so a crash after step *n* is repaired by doing step *n* again.

mod decide;
mod event;
mod evolve;
mod giver;
mod granted;
mod life;
mod model;
mod outstanding;
mod place;
mod placement;
mod priced;
mod refund;
mod refusal;
mod returning;
mod review;
mod taking;
#[cfg(test)]
mod tests;
mod wished;

pub use event::OrderEvent;
pub use life::{Fate, OrderStatus, PaymentStatus};
pub use model::{
    Actor, CHARGE_ARRIVES_WITHIN, CancelReason, HOLD_FIRST, Order, OrderCommand, OrderState,
    OrderStock, Payment, QUEUE_LONGEST, RECONCILE_LONGEST, Transition, UNPAID_HOLD,
};
pub use outstanding::outstanding;
pub use place::PlaceOrder;
pub use placement::{Amounts, Line, Personal, Placement, Wish};
pub use refusal::OrderRefusal;
pub use returning::{
    NotReturnable, PartRefund, RETURNS_MAX, RefundMethod, RefundStand, ReturnWish, ReturnedPart,
    Units,
};
pub use wished::{ClaimAnswer, HoldAnswer, WishedCart, WishedItem, WishedPromo};
