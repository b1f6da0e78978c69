//! The rules of an order's life after it was placed.

use std::sync::Arc;

use super::event::OrderEvent;
use super::life::{OrderStatus, PaymentStatus};
use super::model::{
    Actor, CancelReason, Order, OrderCommand, OrderState, OrderStock, QUEUE_LONGEST,
    RECONCILE_LONGEST,
};
use super::outstanding::{self, charge_may_be_under_way};
use super::refusal::OrderRefusal;
use super::{refund, returning, review, taking};
use crate::aggregate::{Aggregate, Step};
use crate::planted::{Bug, planted};
use crate::process::{Answer, ChargeOutcome, Intent};
use crate::values::{ChargeKey, Moment, Money, PaymentMethod};

type Decision = Result<Vec<OrderEvent>, OrderRefusal>;

/// The aggregate of one order. [`Order`] is its state.
impl Aggregate for Order {
    const KIND: &'static str = "order";
    type State = OrderState;
    type Command = OrderCommand;
    type Event = OrderEvent;
    type Refusal = OrderRefusal;
    type View = Option<Arc<Self>>;

    fn decide(state: &OrderState, command: &OrderCommand, now: Moment) -> Decision {
        if let OrderCommand::Place(place) = command {
            return match &state.0 {
                None => place.judge(now),
                Some(_) if planted(Bug::IgnoresFingerprint) => Ok(Vec::new()),
                Some(order) if order.placement.fingerprint == place.fingerprint => Ok(Vec::new()),
                Some(_) => Err(OrderRefusal::KeyReused),
            };
        }
        let order = state.0.as_deref().ok_or(OrderRefusal::Unknown)?;
        match command {
            OrderCommand::Place(_) => Ok(Vec::new()),
            OrderCommand::Cancel { by, as_operator, reason } => {
                cancel(order, by, *as_operator, reason.clone(), now)
            }
            OrderCommand::DecideReview { approve, by, reason } => {
                review::decided(order, *approve, by, reason.clone())
            }
            OrderCommand::RecordReviewNoted { is_listed } => Ok(review::noted(order, *is_listed)),
            OrderCommand::SetStatus { status, by } => set_status(order, *status, by, now),
            OrderCommand::RecordCharge { key, outcome } => {
                is_charged(order, *key)?;
                Ok(charged(order, *key, outcome, now))
            }
            OrderCommand::TakePayment { amount, reference, by } => {
                taking::taken(order, *amount, reference.as_deref(), by)
            }
            OrderCommand::HandBack { by } => taking::handed_back(order, by),
            OrderCommand::RecordChargeTrouble { key } => Ok(charge_trouble(order, *key, now)),
            OrderCommand::RecordQueryTrouble { key } => Ok(query_trouble(order, *key, now)),
            OrderCommand::RecordStockCommitted => Ok(stock_committed(order)),
            OrderCommand::RecordStockLost => Ok(stock_lost(order)),
            OrderCommand::RecordStockReturned => Ok(stock_returned(order)),
            OrderCommand::RecordHoldsExtended { until } => Ok(match order.stock {
                OrderStock::Held(before) if before < *until => {
                    vec![OrderEvent::HoldsExtended { until: *until }]
                }
                OrderStock::Held(_)
                | OrderStock::Lapsed
                | OrderStock::Committed
                | OrderStock::Returned => Vec::new(),
            }),
            OrderCommand::RecordHoldLapsed => Ok(hold_lapsed(order)),
            OrderCommand::RecordRefunded { key, amount } => Ok(refunded(order, *key, *amount)),
            OrderCommand::RecordRefundTrouble { key } => Ok(refund::postponed(order, *key, now)),
            OrderCommand::ForReturn { rma, wish } => Ok(returning::decide(order, *rma, wish, now)?),
            OrderCommand::RecordPartRefunded { rma, amount } => {
                Ok(returning::refunded(order, *rma, *amount))
            }
            OrderCommand::RecordPartRefundTrouble { rma } => Ok(returning::failed(order, *rma)),
            OrderCommand::Wake => Ok(wake(order, now)),
        }
    }

    fn evolve(state: &mut OrderState, event: &OrderEvent, at: Moment) {
        super::evolve::evolve(state, event, at);
    }

    fn view(state: &OrderState) -> Option<Arc<Self>> {
        state.0.clone()
    }

    fn next_step(state: &OrderState, command: &OrderCommand, now: Moment) -> Step {
        match (&state.0, command) {
            (None, OrderCommand::Place(place)) => place.next_step(now),
            _ => Step::Ready,
        }
    }

    fn supply(command: &mut OrderCommand, need: &Intent, answer: Answer) {
        if let OrderCommand::Place(place) = command {
            place.supply(need, answer);
        }
    }

    fn compensate(state: &OrderState, command: &OrderCommand) -> Vec<Intent> {
        match (&state.0, command) {
            (None, OrderCommand::Place(place)) => place.compensate(),
            _ => Vec::new(),
        }
    }

    fn outstanding(state: &OrderState, now: Moment) -> Vec<Intent> {
        state.0.as_deref().map_or_else(Vec::new, |order| outstanding::outstanding(order, now))
    }

    fn absorb(intent: &Intent, answer: Answer) -> Option<OrderCommand> {
        outstanding::absorb(intent, answer)
    }

    fn is_settled(state: &OrderState) -> bool {
        let stands = |order: &Order| outstanding::is_settled(order) && order.part_owed().is_none();
        state.0.as_deref().is_none_or(stands)
    }

    fn is_dormant(state: &OrderState) -> bool {
        state.0.as_deref().is_some_and(outstanding::is_dormant)
    }

    fn wake() -> Option<OrderCommand> {
        Some(OrderCommand::Wake)
    }

    fn wake_at(state: &OrderState) -> Option<Moment> {
        state.0.as_deref().and_then(outstanding::wake_at)
    }
}

/// Until when to ask about a charge that may be under way while the order is called off.
fn reconcile_until(order: &Order, now: Moment) -> Option<Moment> {
    let asks = charge_may_be_under_way(order) && !planted(Bug::CancelsUnasked);
    asks.then(|| now.saturating_add(RECONCILE_LONGEST))
}

fn cancel(
    order: &Order,
    by: &Actor,
    as_operator: bool,
    reason: Option<String>,
    now: Moment,
) -> Decision {
    if order.status == OrderStatus::Cancelled {
        return Ok(Vec::new());
    }
    let allowed = (order.status.may_become(OrderStatus::Cancelled) || planted(Bug::CancelsShipped))
        && (as_operator || order.status == OrderStatus::Pending);
    if !allowed {
        return Err(OrderRefusal::InvalidTransition {
            from: order.status,
            to: OrderStatus::Cancelled,
        });
    }
    Ok(vec![OrderEvent::Cancelled {
        by: Arc::clone(by),
        reason: CancelReason::Asked(reason),
        reconcile_until: reconcile_until(order, now),
    }])
}

fn set_status(order: &Order, status: OrderStatus, by: &Actor, now: Moment) -> Decision {
    if order.status == status {
        return Ok(Vec::new());
    }
    let refusal = OrderRefusal::InvalidTransition { from: order.status, to: status };
    if !order.status.may_become(status) {
        return Err(refusal);
    }
    if status == OrderStatus::Cancelled {
        return cancel(order, by, true, None, now);
    }
    if order.awaits_review() {
        return Err(OrderRefusal::UnderReview);
    }
    // Goods do not move while nobody knows whether they are paid (C-6), and do not leave before
    // they are sold: a lost stock could not call the order off any more.
    let leaves_unsold = status == OrderStatus::Shipped && order.stock != OrderStock::Committed;
    let leaves_unsold = leaves_unsold && !planted(Bug::ShipsUnsold);
    if charge_may_be_under_way(order) || leaves_unsold {
        return Err(refusal);
    }
    Ok(vec![OrderEvent::StatusChanged { status, by: Arc::clone(by) }])
}

/// The provider is never asked for money that is paid at the counter or at the door: whoever says
/// that it took some speaks of something else, and nothing could be given back. The same holds for
/// an order that somebody has paid by hand, and for an attempt that was never made.
fn is_charged(order: &Order, key: ChargeKey) -> Result<(), OrderRefusal> {
    let was_tried = (1..=order.charge_key().attempt).contains(&key.attempt);
    match order.method() {
        // One that is to be paid later may be paid through the provider.
        Some(PaymentMethod::Card) | None if was_tried && !order.was_taken() => Ok(()),
        Some(PaymentMethod::Card) | None => Err(OrderRefusal::NotCharged),
        Some(PaymentMethod::Cash | PaymentMethod::Cod | PaymentMethod::StoreCredit) => {
            Err(OrderRefusal::NotCharged)
        }
    }
}

fn charged(order: &Order, key: ChargeKey, outcome: &ChargeOutcome, now: Moment) -> Vec<OrderEvent> {
    let is_captured = order.payment.captured.is_some() && !planted(Bug::CapturesTwice);
    if key != order.charge_key() || is_captured {
        return Vec::new();
    }
    let attempt = key.attempt;
    let is_open = charge_may_be_under_way(order);
    if planted(Bug::IgnoresLateMoney) && !is_open {
        return Vec::new();
    }
    match outcome {
        // Recorded even after a cancellation: money that arrives late goes back.
        ChargeOutcome::Captured { reference } => vec![OrderEvent::PaymentCaptured {
            attempt,
            amount: order.placement.amounts.total,
            reference: reference.clone(),
        }],
        ChargeOutcome::Declined { reason } if is_open => {
            vec![OrderEvent::PaymentDeclined { attempt, reason: reason.clone() }]
        }
        // A request that is still on its way may take the money yet: the provider is asked again.
        ChargeOutcome::NotCharged
            if !order.every_charge_has_arrived(now) && !planted(Bug::BelievesTooEarly) =>
        {
            query_trouble(order, key, now)
        }
        ChargeOutcome::NotCharged if is_open => {
            vec![OrderEvent::PaymentAbandoned { attempt, reconcile_until: None }]
        }
        ChargeOutcome::Declined { .. } | ChargeOutcome::NotCharged => {
            let ends = order.payment.reconcile_until.is_some();
            if ends { vec![OrderEvent::PaymentReconciled { attempt }] } else { Vec::new() }
        }
    }
}

fn queue_is_over(order: &Order, now: Moment) -> bool {
    order.payment.queued_until.is_some_and(|until| until <= now)
}

fn charge_trouble(order: &Order, key: ChargeKey, now: Moment) -> Vec<OrderEvent> {
    let first = order.payment.status == PaymentStatus::Unpaid && charge_may_be_under_way(order);
    if key == order.charge_key() && first {
        let until = now.saturating_add(QUEUE_LONGEST);
        vec![OrderEvent::PaymentQueued { attempt: key.attempt, until }]
    } else {
        Vec::new()
    }
}

fn query_trouble(order: &Order, key: ChargeKey, now: Moment) -> Vec<OrderEvent> {
    if key != order.charge_key() {
        return Vec::new();
    }
    let attempt = key.attempt;
    if charge_may_be_under_way(order) && queue_is_over(order, now) {
        let reconcile_until = Some(now.saturating_add(RECONCILE_LONGEST));
        return vec![OrderEvent::PaymentAbandoned { attempt, reconcile_until }];
    }
    given_up(order, now)
}

/// Asking what became of a charge ends one day.
fn given_up(order: &Order, now: Moment) -> Vec<OrderEvent> {
    if order.payment.reconcile_until.is_some_and(|until| until <= now) {
        return vec![OrderEvent::PaymentReconciled { attempt: order.payment.attempt }];
    }
    Vec::new()
}

fn stock_committed(order: &Order) -> Vec<OrderEvent> {
    match order.stock {
        OrderStock::Held(_) | OrderStock::Lapsed => {
            [OrderEvent::StockCommitted].into_iter().chain(taking::credit_taken(order)).collect()
        }
        OrderStock::Committed | OrderStock::Returned => Vec::new(),
    }
}

fn hold_lapsed(order: &Order) -> Vec<OrderEvent> {
    match order.stock {
        // Nobody has been told yet that the units are kept for a day, and they may be somebody
        // else's by now.
        OrderStock::Held(_)
            if order.method().is_none() && order.fate.is_none() && !order.awaits_review() =>
        {
            stock_lost(order)
        }
        OrderStock::Held(_) => vec![OrderEvent::HoldLapsed],
        OrderStock::Lapsed | OrderStock::Committed | OrderStock::Returned => Vec::new(),
    }
}

fn stock_lost(order: &Order) -> Vec<OrderEvent> {
    if order.status == OrderStatus::Cancelled || order.stock == OrderStock::Committed {
        return Vec::new();
    }
    vec![OrderEvent::Cancelled {
        by: "system".into(),
        reason: CancelReason::StockLost,
        reconcile_until: None,
    }]
}

fn stock_returned(order: &Order) -> Vec<OrderEvent> {
    if order.status == OrderStatus::Cancelled && order.stock != OrderStock::Returned {
        [OrderEvent::StockReturned].into_iter().chain(taking::credit_back(order)).collect()
    } else {
        Vec::new()
    }
}

fn refunded(order: &Order, key: ChargeKey, amount: Money) -> Vec<OrderEvent> {
    if order.payment.captured_by == Some(key) && order.payment.refunded.is_none() {
        vec![OrderEvent::PaymentRefunded { amount }]
    } else {
        Vec::new()
    }
}

fn wake(order: &Order, now: Moment) -> Vec<OrderEvent> {
    if let Some(lapsed) = review::lapsed(order, now) {
        return vec![lapsed];
    }
    let waited = outstanding::unpaid_until(order).is_some_and(|until| until <= now);
    if waited && !planted(Bug::WaitsForEver) {
        return vec![OrderEvent::Cancelled {
            by: "system".into(),
            reason: CancelReason::NotPaidInTime,
            reconcile_until: None,
        }];
    }
    given_up(order, now)
}
