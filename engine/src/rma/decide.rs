//! The rules of a return.

use std::sync::Arc;

use super::life::ReturnStatus;
use super::model::{
    OpenReturn, PHOTOS_MAX, Return, ReturnCommand, ReturnEvent, ReturnRequest, ReturnState,
};
use super::outstanding;
use super::refusal::ReturnRefusal;
use crate::aggregate::{Aggregate, Entry, Step};
use crate::order::{NotReturnable, RefundMethod, ReturnWish, Units};
use crate::process::{Answer, Intent, Unavailable};
use crate::values::{Moment, Picture, Quantity};

type Decision = Result<Vec<ReturnEvent>, ReturnRefusal>;

/// The aggregate of one return. [`Return`] is its state.
impl Aggregate for Return {
    const KIND: &'static str = "return";
    const IS_LISTED: bool = true;
    type State = ReturnState;
    type Command = ReturnCommand;
    type Event = ReturnEvent;
    type Refusal = ReturnRefusal;
    type View = Option<Arc<Self>>;

    fn decide(state: &ReturnState, command: &ReturnCommand, _now: Moment) -> Decision {
        if let ReturnCommand::Open(open) = command {
            return match &state.0 {
                None => request(open),
                Some(known) if known.request.fingerprint == open.fingerprint => Ok(Vec::new()),
                Some(_) => Err(ReturnRefusal::KeyReused),
            };
        }
        let known = state.0.as_deref().ok_or(ReturnRefusal::Unknown)?;
        match command {
            ReturnCommand::Open(_) => Ok(Vec::new()),
            ReturnCommand::Authorize { approved, by, reason } => {
                let approved = chosen(approved.as_ref(), &known.requested())?;
                authorize(known, approved, by.clone(), reason.clone())
            }
            ReturnCommand::Reject { by, reason } => {
                let event = ReturnEvent::Rejected { by: by.clone(), reason: reason.clone() };
                ends(known, ReturnStatus::Rejected, "be rejected", event)
            }
            ReturnCommand::AddPhoto { photo } => show(known, photo),
            ReturnCommand::Cancel { by, reason } => {
                let event = ReturnEvent::Cancelled { by: by.clone(), reason: reason.clone() };
                ends(known, ReturnStatus::Cancelled, "be cancelled", event)
            }
            ReturnCommand::Ship { tracking, by } => {
                let (by, tracking) = (by.clone(), tracking.clone());
                let is_repeat =
                    known.status == ReturnStatus::InTransit && known.tracking == tracking;
                let event = ReturnEvent::Shipped { by, tracking };
                known.goes_on(&[ReturnStatus::Authorized], is_repeat, "be sent", event)
            }
            ReturnCommand::Receive { by } => {
                let from = [ReturnStatus::Authorized, ReturnStatus::InTransit];
                let is_repeat = known.status == ReturnStatus::Received;
                let event = ReturnEvent::Received { by: by.clone() };
                known.goes_on(&from, is_repeat, "be received", event)
            }
            ReturnCommand::Inspect { passed, by, reason } => {
                let approved = known.approved.clone().unwrap_or_default();
                let passed = chosen(passed.as_ref(), &approved)?;
                let is_over =
                    matches!(known.status, ReturnStatus::Inspected | ReturnStatus::Closed);
                let is_repeat = is_over && known.passed.as_ref() == Some(&passed);
                let (by, reason) = (by.clone(), reason.clone());
                let event = ReturnEvent::Inspected { by, passed, reason };
                known.goes_on(&[ReturnStatus::Received], is_repeat, "be inspected", event)
            }
            ReturnCommand::Refund { method, by } => refund(known, *method, by.clone()),
            ReturnCommand::RecordSetApart => {
                Ok(known.when(ReturnStatus::Requested, ReturnEvent::SetApart))
            }
            ReturnCommand::RecordNotSetApart { why } => {
                let event = ReturnEvent::NotSetApart { why: why.to_string() };
                Ok(known.when(ReturnStatus::Requested, event))
            }
            ReturnCommand::RecordNarrowed { units } => {
                let is_news = known.apart.as_ref().is_some_and(|apart| apart != units);
                Ok(if is_news {
                    vec![ReturnEvent::Narrowed { units: units.clone() }]
                } else {
                    Vec::new()
                })
            }
            ReturnCommand::RecordRefunded { amount } => {
                Ok(known
                    .when(ReturnStatus::RefundPending, ReturnEvent::Refunded { amount: *amount }))
            }
            ReturnCommand::RecordRefundFailed => {
                Ok(known.when(ReturnStatus::RefundPending, ReturnEvent::RefundFailed))
            }
            ReturnCommand::RecordRestocked => {
                Ok(known.to_restock().map_or_else(Vec::new, |units| {
                    vec![ReturnEvent::Restocked { units: units.clone() }]
                }))
            }
        }
    }

    fn evolve(state: &mut ReturnState, event: &ReturnEvent, at: Moment) {
        super::evolve::evolve(state, event, at);
    }

    fn view(state: &ReturnState) -> Option<Arc<Self>> {
        state.0.clone()
    }

    fn next_step(state: &ReturnState, command: &ReturnCommand, _now: Moment) -> Step {
        match (&state.0, command) {
            (None, ReturnCommand::Open(open)) if open.answer.is_none() => {
                let wish = ReturnWish::Check {
                    customer: open.customer.clone(),
                    units: open.units(),
                    within: open.within,
                };
                Step::Needs(vec![Intent::ForReturn { order: open.order, rma: open.id, wish }])
            }
            _ => Step::Ready,
        }
    }

    fn supply(command: &mut ReturnCommand, _need: &Intent, answer: Answer) {
        if let ReturnCommand::Open(open) = command {
            open.supply(answer);
        }
    }

    fn outstanding(state: &ReturnState, _now: Moment) -> Vec<Intent> {
        state.0.as_deref().and_then(outstanding::outstanding).into_iter().collect()
    }

    fn absorb(intent: &Intent, answer: Answer) -> Option<ReturnCommand> {
        outstanding::absorb(intent, answer)
    }

    fn is_settled(state: &ReturnState) -> bool {
        state.0.as_deref().and_then(outstanding::outstanding).is_none()
    }

    fn is_dormant(state: &ReturnState) -> bool {
        state.0.is_some() && Self::is_settled(state)
    }

    fn wake_at(state: &ReturnState) -> Option<Moment> {
        state.0.as_deref().and_then(outstanding::wake_at)
    }

    fn entry(state: &ReturnState) -> Option<Entry> {
        let known = state.0.as_deref()?;
        let owner = Some(known.request.customer.to_string());
        Some(Entry { status: known.status.as_str(), owner, at: known.created_at })
    }
}

/// The same photo is shown once. Once somebody has looked at the units themselves, none is needed.
fn show(known: &Return, photo: &Picture) -> Decision {
    if known.photos.iter().any(|shown| shown.name == photo.name) {
        return Ok(Vec::new());
    }
    known.may_be_shown()?;
    if PHOTOS_MAX <= known.photos.len() {
        return Err(ReturnRefusal::TooManyPhotos);
    }
    Ok(vec![ReturnEvent::PhotoAdded { photo: photo.clone() }])
}

impl Return {
    /// Whether photos still help somebody to decide.
    ///
    /// # Errors
    ///
    /// [`ReturnRefusal::InvalidTransition`] once somebody has looked at the units, or nobody will.
    pub fn may_be_shown(&self) -> Result<(), ReturnRefusal> {
        if self.status.is_before_inspection() {
            return Ok(());
        }
        Err(ReturnRefusal::InvalidTransition { from: self.status, wish: "be shown" })
    }

    /// One step along the published edges; a repeat of the last one changes nothing.
    fn goes_on(
        &self,
        from: &[ReturnStatus],
        is_repeat: bool,
        wish: &'static str,
        event: ReturnEvent,
    ) -> Decision {
        if from.contains(&self.status) {
            Ok(vec![event])
        } else if is_repeat {
            Ok(Vec::new())
        } else {
            Err(ReturnRefusal::InvalidTransition { from: self.status, wish })
        }
    }

    fn when(&self, status: ReturnStatus, event: ReturnEvent) -> Vec<ReturnEvent> {
        if self.status == status { vec![event] } else { Vec::new() }
    }
}

fn request(open: &OpenReturn) -> Decision {
    let order = match &open.answer {
        Some(Ok(order)) => order,
        Some(Err(refusal)) => return Err(refusal.clone()),
        None => return Err(ReturnRefusal::OrderUnavailable { why: Unavailable::Unreachable }),
    };
    Ok(vec![ReturnEvent::Requested(Arc::new(ReturnRequest {
        id: open.id,
        order: open.order,
        customer: order.placement.customer.clone(),
        lines: open.lines.clone(),
        note: open.note.clone(),
        number: open.number.clone(),
        by_card: order.payment.captured_by.is_some(),
        by: open.by.clone(),
        fingerprint: open.fingerprint,
    }))])
}

/// What somebody chose of what there is, without products of which they chose nothing; all of it
/// where they did not choose (RETURN-2).
fn chosen(choice: Option<&Units>, all: &Units) -> Result<Units, ReturnRefusal> {
    let Some(choice) = choice else { return Ok(all.clone()) };
    for (product, units) in choice {
        let most = all.get(product).copied().unwrap_or_default();
        if most < *units {
            return Err(ReturnRefusal::TooMany { product: product.clone(), units: *units, most });
        }
    }
    let some = choice.iter().filter(|(_, units)| Quantity::ZERO < **units);
    Ok(some.map(|(product, units)| (product.clone(), *units)).collect())
}

fn authorize(known: &Return, approved: Units, by: Arc<str>, reason: Option<String>) -> Decision {
    let is_authorized = known.status == ReturnStatus::Authorized;
    let is_repeat = is_authorized && known.approved.as_ref() == Some(&approved);
    // Nothing approved is no approval.
    let event = if approved.is_empty() {
        ReturnEvent::Rejected { by, reason }
    } else {
        let number = known.number.clone().unwrap_or_else(|| known.request.id.number());
        ReturnEvent::Authorized { by, number, approved, reason }
    };
    known.goes_on(&[ReturnStatus::PendingAuthorization], is_repeat, "be authorized", event)
}

fn ends(known: &Return, to: ReturnStatus, wish: &'static str, event: ReturnEvent) -> Decision {
    known.goes_on(&[ReturnStatus::PendingAuthorization], known.status == to, wish, event)
}

fn refund(known: &Return, method: RefundMethod, by: Arc<str>) -> Decision {
    if method == RefundMethod::Card && !known.request.by_card {
        return Err(NotReturnable::NoCard.into());
    }
    let before = known.refund.as_ref().map(|refund| refund.method);
    match (known.status, before) {
        (
            ReturnStatus::RefundFailed | ReturnStatus::RefundPending | ReturnStatus::Refunded,
            Some(before),
        ) if before != method => Err(ReturnRefusal::OtherMethod(before)),
        (ReturnStatus::Inspected | ReturnStatus::RefundFailed, _) => {
            Ok(vec![ReturnEvent::RefundAsked { by, method }])
        }
        (ReturnStatus::RefundPending | ReturnStatus::Refunded, _) => Ok(Vec::new()),
        (from, _) => Err(ReturnRefusal::InvalidTransition { from, wish: "be refunded" }),
    }
}
