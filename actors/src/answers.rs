//! From what comes of a command to the answer that its asker understands: pure, and the same in
//! production and in simulation.

use std::sync::Arc;
use std::time::Duration;

use engine::buyer::{Buyer, BuyerRefusal, BuyerState};
use engine::cart::{Cart, CartRefusal};
use engine::catalog::{Listing, ProductRefusal};
use engine::inventory::{Inventory, InventoryRefusal};
use engine::order::{NotReturnable, Order, OrderRefusal};
use engine::planted::{Bug, planted};
use engine::process::{Answer, ChargeOutcome, StockRefusal, Unavailable};
use engine::promo::{OpenPromo, PromoRefusal};
use engine::reviews::{Reviews, ReviewsRefusal};
use engine::values::{Moment, OrderId};

use crate::outcome::{Accepted, NotAccepted, NotDone};
use crate::payments::ProviderFailure;

/// What readers see of somebody, told as an answer.
fn seen<V, R>(verdict: Result<V, NotDone<R>>, says: impl FnOnce(V) -> Answer) -> Answer {
    match verdict {
        Ok(view) => says(view),
        Err(NotDone::NotAccepted(reason)) => not_accepted(reason),
        Err(NotDone::Refused(_) | NotDone::Unknown) => Answer::Failed,
    }
}

/// What a promo code says to a lookup.
pub fn of_promo(verdict: Result<Option<Arc<OpenPromo>>, NotDone<PromoRefusal>>) -> Answer {
    seen(verdict, Answer::Promo)
}

/// What a product says to a lookup.
pub fn of_listing(verdict: Result<Option<Listing>, NotDone<ProductRefusal>>) -> Answer {
    seen(verdict, Answer::Listing)
}

/// What a cart says.
pub fn of_cart(verdict: Result<Accepted<Cart>, NotDone<CartRefusal>>) -> Answer {
    match verdict {
        Ok(_) => Answer::CartDone,
        Err(NotDone::Refused(refusal)) => Answer::CartRefused(refusal),
        Err(NotDone::NotAccepted(reason)) => not_accepted(reason),
        Err(NotDone::Unknown) => Answer::Failed,
    }
}

/// What a buyer says of their orders before this one.
pub fn of_orders(
    verdict: Result<Accepted<Buyer>, NotDone<BuyerRefusal>>,
    (order, within, now): (OrderId, Duration, Moment),
) -> Answer {
    seen(verdict, |accepted| Answer::Counted(accepted.view.counted(order, within, now)))
}

/// What a buyer says of their trust.
pub fn of_trust(verdict: Result<BuyerState, NotDone<BuyerRefusal>>) -> Answer {
    seen(verdict, |buyer| Answer::Trust(is_trusted(&buyer)))
}

/// Whether the last word about a buyer was one of trust.
pub fn is_trusted(buyer: &BuyerState) -> bool {
    buyer.trust.as_ref().is_some_and(|trust| trust.is_trusted)
}

/// What the list of reviews says. On a full one there is no room, so it is tried again.
pub fn of_reviews(verdict: &Result<Accepted<Reviews>, NotDone<ReviewsRefusal>>) -> Answer {
    match verdict {
        Ok(_) => Answer::ReviewNoted,
        Err(NotDone::NotAccepted(reason)) => not_accepted(*reason),
        Err(NotDone::Refused(ReviewsRefusal::Full)) => Answer::NotAccepted(Unavailable::Overloaded),
        Err(NotDone::Unknown) => Answer::Failed,
    }
}

/// What a stock says.
pub fn of_stock(verdict: Result<Accepted<Inventory>, NotDone<InventoryRefusal>>) -> Answer {
    match verdict {
        Ok(_) => Answer::StockDone,
        Err(NotDone::NotAccepted(reason)) => not_accepted(reason),
        Err(NotDone::Unknown) => Answer::Failed,
        Err(NotDone::Refused(refusal)) => Answer::StockRefused(match refusal {
            InventoryRefusal::NotEnoughStock { available, .. } => {
                StockRefusal::NotEnough { available }
            }
            InventoryRefusal::OverLimit { limit } => StockRefusal::OverLimit { limit },
            InventoryRefusal::Lapsed(_) => StockRefusal::Lapsed,
            InventoryRefusal::Stale => return Answer::NotAccepted(Unavailable::Overloaded),
            InventoryRefusal::EmptyQuantity
            | InventoryRefusal::HoldMismatch(_)
            | InventoryRefusal::AdjustmentMismatch(_)
            | InventoryRefusal::VersionMismatch { .. }
            | InventoryRefusal::CountOutOfRange => StockRefusal::Invalid,
        }),
    }
}

/// What an order says to a return.
pub fn of_order(verdict: Result<Accepted<Order>, NotDone<OrderRefusal>>) -> Answer {
    match verdict {
        Ok(accepted) => accepted.view.map_or(Answer::Failed, Answer::OrderDone),
        Err(NotDone::Refused(OrderRefusal::Return(refusal))) => Answer::OrderRefused(refusal),
        Err(NotDone::Refused(OrderRefusal::Unknown)) => {
            Answer::OrderRefused(NotReturnable::UnknownOrder)
        }
        Err(NotDone::NotAccepted(reason)) => not_accepted(reason),
        Err(NotDone::Refused(_) | NotDone::Unknown) => Answer::Failed,
    }
}

/// What the provider says about a charge.
pub fn of_charge(outcome: Result<ChargeOutcome, ProviderFailure>) -> Answer {
    if planted(Bug::SilenceIsDecline) && outcome.is_err() {
        return Answer::Charge(ChargeOutcome::Declined { reason: "no answer".to_owned() });
    }
    outcome.map_or_else(not_answered, Answer::Charge)
}

/// What the provider says about a refund.
pub fn of_refund(outcome: Result<(), ProviderFailure>) -> Answer {
    outcome.map_or_else(not_answered, |()| Answer::Refunded)
}

/// Of two answers of several stocks to one intent the one that counts for both: what must be tried
/// again outweighs what is final, and an answer is final only for all products.
#[must_use]
pub fn worse(one: Answer, other: Answer) -> Answer {
    let other_counts = (rank(&one) < rank(&other)) != planted(Bug::BestAnswer);
    if other_counts { other } else { one }
}

/// Without a place nobody has failed: it is tried again, and nothing is written down.
const fn not_answered(failure: ProviderFailure) -> Answer {
    match failure {
        ProviderFailure::NoPlace => Answer::NotAccepted(Unavailable::Overloaded),
        ProviderFailure::NotSent | ProviderFailure::Unknown => Answer::Failed,
    }
}

const fn not_accepted(reason: NotAccepted) -> Answer {
    Answer::NotAccepted(match reason {
        NotAccepted::Overloaded | NotAccepted::DeadlinePassed => Unavailable::Overloaded,
        NotAccepted::Quarantined => Unavailable::Quarantined,
        NotAccepted::Restarting | NotAccepted::Draining | NotAccepted::NotWritten => {
            Unavailable::Unreachable
        }
    })
}

const fn rank(answer: &Answer) -> u8 {
    match answer {
        Answer::Failed => 3,
        Answer::NotAccepted(_) => 2,
        Answer::StockRefused(_) => 1,
        Answer::Listing(_)
        | Answer::Promo(_)
        | Answer::Counted(_)
        | Answer::Trust(_)
        | Answer::ReviewNoted
        | Answer::StockDone
        | Answer::CartDone
        | Answer::CartRefused(_)
        | Answer::Charge(_)
        | Answer::Refunded
        | Answer::OrderDone(_)
        | Answer::OrderRefused(_) => 0,
    }
}
