//! Replays what was told of orders on the model, version by version, and compares every answer.

use std::cmp::Ordering;

use super::docket::Docket;
use crate::checks::{Check, Findings};
use crate::history::event::{Ask, End, OrderSeen, Seen, Status};
use crate::history::load::{Op, code};
use crate::history::model::Shop;

/// Items, amounts, states and refusals are those of an honest shop, and each yes says where it
/// stands.
pub(super) fn answers_agree(docket: &Docket<'_>) -> Check {
    let mut findings = Findings::default();
    let mut shop = Shop::default();
    for (product, shelf) in &docket.shelves {
        if let Some(price) = shelf.opening.and_then(|(_, seen)| seen.price.as_ref()) {
            shop.offer(product, price);
        }
    }
    let mut answers = 0_usize;
    for (id, order) in &docket.orders {
        let mut seen = order.seen.clone();
        seen.sort_by(by_version);
        for (op, seen) in seen {
            answers = answers.saturating_add(1);
            if let Err(fault) = told(&shop, op, seen).and_then(|()| shop.show(seen)) {
                findings.add(|| format!("{}: order {id} {fault}", op.name()));
            }
        }
    }
    for op in &docket.history.ops {
        answers = answers.saturating_add(usize::from(op.ask.is_mutation()));
        if let Some(fault) = refused_in_vain(&shop, op).or_else(|| untold(op)) {
            findings.add(|| format!("{}: {fault}", op.name()));
        }
    }
    findings.into_check("answers_agree", format!("{answers} answers replayed on the model"))
}

fn by_version(one: &(&Op, &OrderSeen), two: &(&Op, &OrderSeen)) -> Ordering {
    let versions = one.1.ver.zip(two.1.ver);
    let ordering = versions.map(|(one, two)| one.cmp(&two));
    ordering.unwrap_or(Ordering::Equal).then(one.0.ended.cmp(&two.0.ended))
}

fn told(shop: &Shop<'_>, op: &Op, seen: &OrderSeen) -> Result<(), String> {
    match &op.ask {
        Ask::Place(wanted) => shop.judge_placed(wanted, seen),
        Ask::Read(id) | Ask::Cancel(id) | Ask::Move(id, _) if **id != *seen.order => {
            Err(format!("was told to who asked for {id}"))
        }
        Ask::Cancel(_) if seen.status != Status::Cancelled => {
            Err("was called off and is not cancelled".to_owned())
        }
        Ask::Move(_, next) if seen.status < *next => {
            Err(format!("was moved to {next:?} and is {:?}", seen.status))
        }
        Ask::Read(_) | Ask::Cancel(_) | Ask::Move(..) | Ask::Look(_) | Ask::Restock(..) => Ok(()),
    }
}

/// A yes that shows nothing, or a no to a step that was possible all the time.
fn refused_in_vain(shop: &Shop<'_>, op: &Op) -> Option<String> {
    match &op.end {
        End::Ok(Seen::Nothing) => Some("a yes whose body cannot be read".to_owned()),
        End::Ok(_) | End::Unknown => None,
        End::Rejected(no) => {
            let (order, next) = match &op.ask {
                Ask::Cancel(order) => (order, Status::Cancelled),
                Ask::Move(order, next) => (order, *next),
                Ask::Place(_) | Ask::Restock(..) | Ask::Read(_) | Ask::Look(_) => return None,
            };
            (code(no) == "invalid_transition" && shop.could_always(order, next))
                .then(|| format!("refused with invalid_transition, and {next:?} is still possible"))
        }
    }
}

/// A yes without the version of what it shows, or to a change without its place. Where nothing is
/// told, nothing is compared, and an answer that says less would pass more.
fn untold(op: &Op) -> Option<String> {
    let End::Ok(seen) = &op.end else { return None };
    let (version, at) = match seen {
        Seen::Order(seen) => (seen.ver, seen.pos),
        Seen::Shelf(seen) => (seen.ver, None),
        Seen::Changed(changed) => (changed.ver, changed.pos),
        Seen::Nothing => return None,
    };
    let missing = match (version, at) {
        (None, _) => "version",
        (Some(_), None) if op.ask.is_mutation() => "position",
        (Some(_), _) => return None,
    };
    Some(format!("a yes without a {missing}"))
}
