//! One sample of every event: each match names every variant and hands on to the next sample, so
//! that a new variant does not compile before it has a place here.

use std::sync::Arc;

use super::{
    ORDER, RMA, adjustment, cart, customer, hold, keyed, picture, product, seconds, units, usd,
};
use crate::buyer::{BuyerEvent, Trusted};
use crate::cart::CartEvent;
use crate::drill::{ActorKind, Asker, DrillEvent, Ending, FailedPayment, Fault, FaultName};
use crate::fraud::Suspicion;
use crate::inventory::InventoryEvent;
use crate::job::{JobEvent, Tally};
use crate::order::{
    Amounts, CancelReason, Line, OrderEvent, OrderStatus, Personal, Placement, RefundMethod, Units,
    Wish,
};
use crate::promo::PromoUse;
use crate::reviews::{ReviewsEvent, Waiting};
use crate::rma::{ReturnEvent, ReturnLine, ReturnRequest};
use crate::validation::Warning;
use crate::values::{
    Fingerprint, KeyedRequest, Moment, PaymentMethod, PaymentToken, PostalAddress, ProductId,
    PromoCode, Quantity,
};

/// A card order for two laptops.
pub(crate) fn placement() -> Placement {
    let wish = Wish { method: PaymentMethod::Card, token: Some(PaymentToken::new("tok_ok")) };
    placement_of(Some(wish), &[("laptop", 2, 99_999)])
}

/// An order of `lines`, each a product, its units and the price of one.
pub(crate) fn placement_of(payment: Option<Wish>, lines: &[(&str, u32, i64)]) -> Placement {
    let line = |(index, (name, count, price)): (u16, &(&str, u32, i64))| Line {
        id: ORDER.item(index),
        product: product(name),
        quantity: units(*count),
        unit_price: usd(*price),
        listing_version: 1,
        listed_price: None,
        paid: None,
    };
    let lines: Vec<Line> = (0_u16..).zip(lines).map(line).collect();
    let amounts = lines.iter().map(|line| line.unit_price.times(line.quantity).unwrap());
    let subtotal = amounts.fold(usd(0), |sum, amount| sum.checked_add(amount).unwrap());
    Placement {
        order: ORDER,
        customer: customer("alice"),
        channel: "web".to_owned(),
        lines,
        amounts: Amounts {
            subtotal,
            discount: usd(0),
            shipping: usd(0),
            duties: usd(0),
            tax: usd(0),
            total: subtotal,
        },
        promo: None,
        payment,
        held_until: seconds(60),
        fingerprint: Fingerprint::from_bytes([7; 16]),
        personal: Personal::default(),
        suspicions: Vec::new(),
        warnings: Vec::new(),
    }
}

fn with_address(placement: Placement) -> Placement {
    let shipping_address = PostalAddress {
        name: "Alice Doe".to_owned(),
        lines: vec!["1 High Street".to_owned(), "Flat 2".to_owned()],
        city: "Springfield".to_owned(),
        postal_code: Some("12345".to_owned()),
        country: "US".to_owned(),
        phone: Some("+15550100".to_owned()),
    };
    let personal = Personal { shipping_address: Some(shipping_address), ..Personal::default() };
    Placement { personal, ..placement }
}

pub(super) fn all<E>(first: E, next: fn(&E) -> Option<E>) -> Vec<E> {
    let mut samples = vec![first];
    while let Some(event) = samples.last().and_then(next) {
        samples.push(event);
    }
    samples
}

pub(super) fn request() -> KeyedRequest {
    keyed(0xca11, 7)
}

pub(super) fn laptop() -> ProductId {
    product("laptop")
}

pub(super) fn inventories() -> Vec<InventoryEvent> {
    let first = InventoryEvent::Adjusted {
        adjustment: adjustment(1),
        delta: -3,
        reason: "broken".to_owned(),
    };
    all(first, |event| {
        let quantity: Quantity = units(2);
        Some(match event {
            InventoryEvent::Adjusted { .. } => InventoryEvent::LimitSet { limit: Some(quantity) },
            InventoryEvent::LimitSet { .. } => InventoryEvent::Held {
                hold: hold(1),
                quantity,
                customer: customer("alice"),
                expires_at: seconds(60),
            },
            InventoryEvent::Held { .. } => {
                InventoryEvent::Extended { hold: hold(1), expires_at: seconds(900) }
            }
            InventoryEvent::Extended { .. } => {
                InventoryEvent::Committed { hold: hold(1), quantity }
            }
            InventoryEvent::Committed { .. } => {
                InventoryEvent::CommittedLate { hold: hold(1), quantity }
            }
            InventoryEvent::CommittedLate { .. } => {
                InventoryEvent::Released { hold: hold(1), quantity }
            }
            InventoryEvent::Released { .. } => InventoryEvent::Expired { hold: hold(1), quantity },
            InventoryEvent::Expired { .. } => InventoryEvent::Restocked { hold: hold(1), quantity },
            InventoryEvent::Restocked { .. } => {
                InventoryEvent::TakenBack { hold: RMA.hold(), quantity }
            }
            InventoryEvent::TakenBack { .. } => return None,
        })
    })
}

pub(super) fn carts() -> Vec<CartEvent> {
    all(CartEvent::Opened { cart: cart(1), customer: Some(customer("alice")) }, |event| {
        Some(match event {
            CartEvent::Opened { .. } => {
                CartEvent::LineSet { product: laptop(), quantity: units(2) }
            }
            CartEvent::LineSet { .. } => CartEvent::LineRemoved { product: laptop() },
            CartEvent::LineRemoved { .. } => CartEvent::Cleared,
            CartEvent::Cleared => {
                CartEvent::PromoSet { code: Some(PromoCode::parse("SPRING").unwrap()) }
            }
            CartEvent::PromoSet { .. } => CartEvent::Joined { cart: cart(2) },
            CartEvent::Joined { .. } => CartEvent::Took { from: cart(2) },
            CartEvent::Took { .. } => CartEvent::CheckedOut { order: ORDER },
            CartEvent::CheckedOut { .. } => CartEvent::Reopened { order: ORDER },
            CartEvent::Reopened { .. } => CartEvent::Answered { request: request() },
            CartEvent::Answered { .. } => return None,
        })
    })
}

pub(crate) fn orders() -> Vec<OrderEvent> {
    all(OrderEvent::Placed(Arc::new(with_address(placement()))), |event| {
        let (attempt, until) = (1, seconds(900));
        Some(match event {
            OrderEvent::Placed(_) => OrderEvent::PaymentQueued { attempt, until },
            OrderEvent::PaymentQueued { .. } => OrderEvent::HoldsExtended { until },
            OrderEvent::HoldsExtended { .. } => OrderEvent::HoldLapsed,
            OrderEvent::HoldLapsed => OrderEvent::PaymentCaptured {
                attempt,
                amount: usd(199_998),
                reference: "ch_1".to_owned(),
            },
            OrderEvent::PaymentCaptured { .. } => OrderEvent::PaymentTaken {
                amount: usd(199_998),
                by: "ops-1".into(),
                reference: Some("till 3, 0042".to_owned()),
            },
            OrderEvent::PaymentTaken { .. } => {
                OrderEvent::PaymentHandedBack { amount: usd(199_998), by: "ops-1".into() }
            }
            OrderEvent::PaymentHandedBack { .. } => {
                OrderEvent::PaymentDeclined { attempt, reason: "insufficient funds".to_owned() }
            }
            OrderEvent::PaymentDeclined { .. } => {
                OrderEvent::PaymentAbandoned { attempt, reconcile_until: Some(until) }
            }
            OrderEvent::PaymentAbandoned { .. } => OrderEvent::PaymentReconciled { attempt },
            OrderEvent::PaymentReconciled { .. } => {
                OrderEvent::PaymentRefunded { amount: usd(199_998) }
            }
            OrderEvent::PaymentRefunded { .. } => {
                OrderEvent::RefundPostponed { until: seconds(64) }
            }
            OrderEvent::RefundPostponed { .. } => OrderEvent::StockCommitted,
            OrderEvent::StockCommitted => OrderEvent::StockReturned,
            OrderEvent::StockReturned => {
                OrderEvent::StatusChanged { status: OrderStatus::Processing, by: "ops-1".into() }
            }
            OrderEvent::StatusChanged { .. } => OrderEvent::ReviewNoted { is_listed: true },
            OrderEvent::ReviewNoted { .. } => OrderEvent::ReviewApproved {
                by: "ops-1".into(),
                reason: Some("called them".to_owned()),
            },
            OrderEvent::ReviewApproved { .. } => OrderEvent::Cancelled {
                by: "alice".into(),
                reason: CancelReason::Asked(Some("changed my mind".to_owned())),
                reconcile_until: Some(until),
            },
            OrderEvent::Cancelled { .. } => {
                OrderEvent::ReturnSetApart { rma: RMA, units: back("laptop", 2) }
            }
            OrderEvent::ReturnSetApart { .. } => {
                OrderEvent::ReturnNarrowed { rma: RMA, units: back("laptop", 1) }
            }
            OrderEvent::ReturnNarrowed { .. } => OrderEvent::PartRefundAsked {
                rma: RMA,
                units: back("laptop", 1),
                amount: usd(99_999),
                method: RefundMethod::Original,
            },
            OrderEvent::PartRefundAsked { .. } => {
                OrderEvent::PartRefunded { rma: RMA, amount: usd(99_999) }
            }
            OrderEvent::PartRefunded { .. } => OrderEvent::PartRefundFailed { rma: RMA },
            OrderEvent::PartRefundFailed { .. } => return None,
        })
    })
}

/// Units of one product on their way back.
pub(crate) fn back(name: &str, count: u32) -> Units {
    Units::from([(product(name), units(count))])
}

pub(crate) fn return_request() -> ReturnRequest {
    let line =
        ReturnLine { product: laptop(), quantity: units(2), reason: "does not start".to_owned() };
    ReturnRequest {
        id: RMA,
        order: ORDER,
        customer: customer("alice"),
        lines: vec![line],
        note: Some("both of them".to_owned()),
        number: None,
        by_card: true,
        by: "alice".into(),
        fingerprint: Fingerprint::from_bytes([7; 16]),
    }
}

pub(super) fn returns() -> Vec<ReturnEvent> {
    all(ReturnEvent::Requested(Arc::new(return_request())), |event| {
        let by = || "ops-1".into();
        Some(match event {
            ReturnEvent::Requested(_) => ReturnEvent::SetApart,
            ReturnEvent::SetApart => {
                ReturnEvent::NotSetApart { why: "another return was faster".to_owned() }
            }
            ReturnEvent::NotSetApart { .. } => ReturnEvent::Authorized {
                by: by(),
                number: "RMA-0000000CA11A".to_owned(),
                approved: back("laptop", 1),
                reason: Some("one of them".to_owned()),
            },
            ReturnEvent::Authorized { .. } => {
                ReturnEvent::Rejected { by: by(), reason: Some("worn".to_owned()) }
            }
            ReturnEvent::Rejected { .. } => ReturnEvent::Cancelled { by: by(), reason: None },
            ReturnEvent::Cancelled { .. } => {
                ReturnEvent::PhotoAdded { photo: picture("laptop", 7) }
            }
            ReturnEvent::PhotoAdded { .. } => ReturnEvent::Narrowed { units: back("laptop", 1) },
            ReturnEvent::Narrowed { .. } => {
                ReturnEvent::Shipped { by: by(), tracking: Some("1Z".to_owned()) }
            }
            ReturnEvent::Shipped { .. } => ReturnEvent::Received { by: by() },
            ReturnEvent::Received { .. } => {
                ReturnEvent::Inspected { by: by(), passed: back("laptop", 1), reason: None }
            }
            ReturnEvent::Inspected { .. } => {
                ReturnEvent::RefundAsked { by: by(), method: RefundMethod::Card }
            }
            ReturnEvent::RefundAsked { .. } => ReturnEvent::Refunded { amount: usd(99_999) },
            ReturnEvent::Refunded { .. } => ReturnEvent::RefundFailed,
            ReturnEvent::RefundFailed => ReturnEvent::Restocked { units: back("laptop", 1) },
            ReturnEvent::Restocked { .. } => return None,
        })
    })
}

/// Other forms of events that have optional or alternative parts, under their own names.
pub(super) fn other_forms() -> Vec<(&'static str, OrderEvent)> {
    let cancelled =
        |reason| OrderEvent::Cancelled { by: "system".into(), reason, reconcile_until: None };
    let cash = Wish { method: PaymentMethod::Cash, token: None };
    let bare = placement_of(None, &[("laptop", 1, 99_999), ("mouse", 3, 2_550)]);
    let mut own_price = placement_of(None, &[("mouse", 1, 2_000)]);
    own_price.lines[0].listed_price = Some(usd(2_550));
    let mut advised = placement_of(None, &[("mouse", 1, 2_550)]);
    advised.personal = Personal {
        email: Some("alice@example.com".to_owned()),
        note: Some("Ring twice".to_owned()),
        ip: Some([192, 0, 2, 17].into()),
        user_agent: Some("shop/1.0".to_owned()),
        ..Personal::default()
    };
    let (code, field) = ("channel_unknown".to_owned(), "channel".to_owned());
    advised.warnings = vec![Warning { code, field }];
    let mut suspicious = placement_of(None, &[("mouse", 1, 2_550)]);
    suspicious.suspicions = Suspicion::ALL.to_vec();
    let mut cheaper = placement_of(None, &[("mouse", 2, 2_550)]);
    let code = PromoCode::parse("SPRING").unwrap();
    cheaper.promo = Some(PromoUse { code, amount: usd(510) });
    cheaper.amounts.discount = usd(510);
    cheaper.amounts.total = usd(4_590);
    cheaper.lines[0].paid = Some(usd(4_590));
    vec![
        ("order.placed.promo", OrderEvent::Placed(Arc::new(cheaper))),
        ("order.placed.advised", OrderEvent::Placed(Arc::new(advised))),
        ("order.placed.bare", OrderEvent::Placed(Arc::new(bare))),
        ("order.placed.own_price", OrderEvent::Placed(Arc::new(own_price))),
        (
            "order.placed.cash",
            OrderEvent::Placed(Arc::new(placement_of(Some(cash), &[("mouse", 1, 2_550)]))),
        ),
        (
            "order.payment_abandoned.known",
            OrderEvent::PaymentAbandoned { attempt: 1, reconcile_until: None },
        ),
        ("order.cancelled.asked", cancelled(CancelReason::Asked(None))),
        ("order.cancelled.not_paid_in_time", cancelled(CancelReason::NotPaidInTime)),
        ("order.cancelled.stock_lost", cancelled(CancelReason::StockLost)),
        ("order.cancelled.review_rejected", cancelled(CancelReason::ReviewRejected(None))),
        ("order.cancelled.review_lapsed", cancelled(CancelReason::ReviewLapsed)),
        ("order.placed.suspicious", OrderEvent::Placed(Arc::new(suspicious))),
    ]
}

pub(super) fn buyers() -> Vec<BuyerEvent> {
    let reason = Some("a regular of ten years".to_owned());
    let (customer, by) = (customer("alice"), "ops-1".into());
    all(BuyerEvent::Trusted(Trusted { customer, by, reason }), |event| match event {
        BuyerEvent::Trusted(_) => Some(BuyerEvent::Distrusted { by: "ops-2".into(), reason: None }),
        BuyerEvent::Distrusted { .. } => Some(BuyerEvent::Ordered { order: ORDER }),
        BuyerEvent::Ordered { .. } => None,
    })
}

pub(super) fn reviews() -> Vec<ReviewsEvent> {
    let waiting = Waiting { customer: customer("alice"), until: seconds(86_400) };
    all(ReviewsEvent::Opened { order: ORDER, waiting }, |event| match event {
        ReviewsEvent::Opened { .. } => Some(ReviewsEvent::Closed { order: ORDER }),
        ReviewsEvent::Closed { .. } => None,
    })
}

fn ops() -> Asker {
    Asker { by: "ops-1".to_owned(), request: "trace-17".to_owned() }
}

pub(super) fn drills() -> Vec<DrillEvent> {
    let fault = Fault::PaymentFailure { kind: FailedPayment::Timeout, per_million: 250_000 };
    all(injected(fault, Some(seconds(60))), |event| {
        Some(match event {
            DrillEvent::FaultInjected { .. } => DrillEvent::FaultEnded {
                fault: FaultName::PaymentFailure,
                how: Ending::Lifted(ops()),
            },
            DrillEvent::FaultEnded { .. } => DrillEvent::ActorKilled {
                kind: ActorKind::Inventory,
                key: "laptop".to_owned(),
                asker: ops(),
            },
            DrillEvent::ActorKilled { .. } => return None,
        })
    })
}

/// The same for the log of drills.
pub(super) fn other_drills() -> Vec<(&'static str, DrillEvent)> {
    let ended = |how| DrillEvent::FaultEnded { fault: FaultName::RedisCut, how };
    let (slow, stalled) =
        (Fault::PaymentLatency { millis: 300 }, Fault::JournalStall { millis: None });
    vec![
        ("drill.fault_injected.latency", injected(slow, None)),
        ("drill.fault_injected.stall", injected(stalled, None)),
        ("drill.fault_injected.cut", injected(Fault::RedisCut, None)),
        ("drill.fault_ended.expired", ended(Ending::Expired)),
        ("drill.fault_ended.restarted", ended(Ending::Restarted)),
    ]
}

fn injected(fault: Fault, until: Option<Moment>) -> DrillEvent {
    DrillEvent::FaultInjected { fault, until, asker: ops() }
}

pub(super) fn jobs() -> Vec<JobEvent> {
    let tally = Tally { advanced: 3, held: 1, failed: 0, left: 2 };
    vec![JobEvent::Ran { started_at: seconds(7), by: "system".to_owned(), tally }]
}
