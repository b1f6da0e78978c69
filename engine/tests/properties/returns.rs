//! Returns in the small shop: requested, moved on, paid back and taken into stock again.

use std::time::Duration;

use engine::ledger::LedgerEvent;
use engine::order::{NotReturnable, Order, OrderCommand, OrderRefusal, RefundMethod};
use engine::process::Answer;
use engine::rma::{
    OpenReturn, Return, ReturnCommand, ReturnEvent, ReturnLine, ReturnRefusal, ReturnState,
    ReturnStatus,
};
use engine::values::{Fingerprint, OrderId, ProductId, Quantity, ReturnId};
use engine::{Aggregate, Step};
use proptest::prelude::*;
use uuid::Uuid;

use crate::entry;
use crate::provider::Luck;
use crate::world::{ORDERS, Shop, order_id, product};

/// Two returns of each order: often enough for the same units.
pub(crate) const RETURNS: usize = 2 * ORDERS;

/// One return with its history.
#[derive(Debug, Default)]
pub(crate) struct Parcel {
    pub(crate) state: ReturnState,
    version: u64,
}

/// What somebody does with a return.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    Open { units: u32 },
    Authorize { units: Option<u32> },
    Reject,
    Cancel,
    Receive,
    Inspect { units: Option<u32> },
    Refund { method: RefundMethod },
}

pub(crate) fn any_refund_method() -> impl Strategy<Value = RefundMethod> {
    prop_oneof![
        Just(RefundMethod::Original),
        Just(RefundMethod::Card),
        Just(RefundMethod::Cash),
        Just(RefundMethod::StoreCredit),
    ]
}

pub(crate) fn any_act() -> impl Strategy<Value = Act> {
    let units = || prop::option::weighted(0.3, 0_u32..3);
    prop_oneof![
        4 => (0_u32..3).prop_map(|units| Act::Open { units }),
        3 => units().prop_map(|units| Act::Authorize { units }),
        1 => Just(Act::Reject),
        1 => Just(Act::Cancel),
        3 => Just(Act::Receive),
        3 => units().prop_map(|units| Act::Inspect { units }),
        4 => any_refund_method().prop_map(|method| Act::Refund { method }),
    ]
}

fn return_id(index: usize) -> ReturnId {
    ReturnId::new(Uuid::from_u128(u128::try_from(index).unwrap() + 500_000))
}

/// The product that a return is about: that of the even ones, or of the odd ones.
fn about(index: usize) -> ProductId {
    product(index % 2)
}

impl Shop {
    fn ask_return(&mut self, index: usize, command: &ReturnCommand) -> Result<(), ReturnRefusal> {
        let parcel = &mut self.parcels[index];
        for event in Return::decide(&parcel.state, command, self.now)? {
            Return::evolve(&mut parcel.state, &event, self.now);
            parcel.version += 1;
            let stream = format!("return/{}", return_id(index));
            let (version, now) = (parcel.version, self.now);
            let json = serde_json::to_string(&event).unwrap();
            assert_eq!(serde_json::from_str::<ReturnEvent>(&json).unwrap(), event);
            let entry = entry(&stream, version, now, LedgerEvent::Return(&event));
            self.ledger.book(&entry).expect("a sound journal");
        }
        Ok(())
    }

    /// Does something with a return; what is refused changes nothing.
    pub(crate) fn act(&mut self, index: usize, act: &Act, luck: Luck) {
        let by = || "ops".into();
        let chosen = |units: Option<u32>| {
            units.map(|units| [(about(index), Quantity::new(units))].into_iter().collect())
        };
        let command = match *act {
            Act::Open { units } => return self.open(index, units, luck),
            Act::Authorize { units } => {
                ReturnCommand::Authorize { approved: chosen(units), by: by(), reason: None }
            }
            Act::Reject => ReturnCommand::Reject { by: by(), reason: None },
            Act::Cancel => ReturnCommand::Cancel { by: by(), reason: None },
            Act::Receive => ReturnCommand::Receive { by: by() },
            Act::Inspect { units } => {
                ReturnCommand::Inspect { passed: chosen(units), by: by(), reason: None }
            }
            Act::Refund { method } => ReturnCommand::Refund { method, by: by() },
        };
        let _refused = self.ask_return(index, &command);
    }

    fn open(&mut self, index: usize, units: u32, luck: Luck) {
        let line = ReturnLine {
            product: about(index),
            quantity: Quantity::new(units),
            reason: "too small".to_owned(),
        };
        let mut command = ReturnCommand::Open(Box::new(OpenReturn {
            id: return_id(index),
            order: order_id(index / 2),
            customer: None,
            lines: vec![line],
            note: None,
            number: None,
            within: Duration::from_hours(24 * 30),
            by: "ops".into(),
            fingerprint: Fingerprint::from_bytes([u8::try_from(units).unwrap(); 16]),
            answer: None,
        }));
        let state = &self.parcels[index].state;
        if let Step::Needs(needs) = Return::next_step(state, &command, self.now) {
            for need in needs {
                let answer = self.carry_out(&need, luck, false);
                Return::supply(&mut command, &need, answer);
            }
        }
        let _refused = self.ask_return(index, &command);
    }

    /// Does one piece of a return's work; whether something was owed.
    pub(crate) fn return_work(&mut self, index: usize, luck: Luck) -> bool {
        let owed = Return::outstanding(&self.parcels[index].state, self.now);
        let Some(intent) = owed.first() else { return false };
        let answer = self.carry_out(intent, luck, false);
        if let Some(command) = Return::absorb(intent, answer) {
            self.ask_return(index, &command).expect("an answer is never refused");
        }
        true
    }

    /// A refund that failed is asked for again, as somebody does some day.
    pub(crate) fn refund_again(&mut self, index: usize) {
        let Some(known) = self.parcels[index].state.0.clone() else { return };
        let failed = known.status == ReturnStatus::RefundFailed;
        if let Some(refund) = known.refund.as_ref().filter(|_| failed) {
            let again = ReturnCommand::Refund { method: refund.method, by: "ops".into() };
            self.ask_return(index, &again).unwrap();
        }
    }

    /// What an order says to a return.
    pub(crate) fn order_answer(&mut self, order: OrderId, command: &OrderCommand) -> Answer {
        let index = (0..ORDERS).find(|index| order_id(*index) == order).unwrap();
        match self.ask_order(index, command) {
            Ok(()) => {
                Order::view(&self.lives[index].state).map_or(Answer::Failed, Answer::OrderDone)
            }
            Err(OrderRefusal::Return(refusal)) => Answer::OrderRefused(refusal),
            Err(OrderRefusal::Unknown) => Answer::OrderRefused(NotReturnable::UnknownOrder),
            Err(_) => Answer::Failed,
        }
    }

    /// Units that came back from customers and are in stock again.
    pub(crate) fn restocked(&self, product: &ProductId) -> u32 {
        let known = self.parcels.iter().filter_map(|parcel| parcel.state.0.as_deref());
        let passed = known
            .filter(|known| known.restocked)
            .filter_map(|known| known.passed.as_ref()?.get(product).copied());
        passed.map(Quantity::units).sum()
    }
}
