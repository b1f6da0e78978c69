//! A payment provider that loses and delays requests and answers, but never takes money twice for
//! one key.

use std::collections::BTreeMap;

use engine::process::{Answer, ChargeOutcome, Unavailable};
use engine::values::{ChargeKey, Moment, Money, ReturnId};

/// What happens to a call on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Luck {
    /// It arrives and so does its answer.
    Good,
    /// It never arrives, and everybody knows.
    NotAccepted,
    /// It never arrives.
    RequestLost,
    /// It arrives, but its answer does not.
    AnswerLost,
    /// It arrives so many seconds later, when nobody waits for its answer any more.
    Delayed(u64),
}

/// What became of one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Charge {
    Declined,
    Captured { amount: Money, refunded: Option<Money> },
}

/// A request to charge that is still on its way.
#[derive(Debug)]
struct Underway {
    key: ChargeKey,
    amount: Money,
    declines: bool,
    arrives_at: Moment,
}

#[derive(Debug, Default)]
pub(crate) struct Provider {
    /// Nobody gets through to it.
    pub(crate) is_down: bool,
    pub(crate) charges: BTreeMap<ChargeKey, Charge>,
    parts: BTreeMap<ReturnId, Money>,
    underway: Vec<Underway>,
}

impl Luck {
    /// The answer, unless it or the request was lost.
    pub(crate) fn carry(self, act: impl FnOnce() -> Answer) -> Answer {
        match self {
            Self::Good => act(),
            Self::NotAccepted => Answer::NotAccepted(Unavailable::Overloaded),
            Self::RequestLost | Self::Delayed(_) => Answer::Failed,
            Self::AnswerLost => {
                let _lost = act();
                Answer::Failed
            }
        }
    }
}

impl Provider {
    /// What happens to a call that would otherwise have had `luck`.
    pub(crate) const fn luck(&self, luck: Luck) -> Luck {
        if self.is_down { Luck::RequestLost } else { luck }
    }

    pub(crate) fn charge(&mut self, key: ChargeKey, amount: Money, declines: bool) -> Answer {
        let fresh =
            if declines { Charge::Declined } else { Charge::Captured { amount, refunded: None } };
        let known = self.charges.entry(key).or_insert(fresh);
        if let Charge::Captured { amount: taken, .. } = known {
            assert_eq!(*taken, amount, "a key is repeated with another amount");
        }
        Answer::Charge(self.outcome(key))
    }

    /// A request to charge that arrives later.
    pub(crate) fn charge_at(
        &mut self,
        arrives_at: Moment,
        key: ChargeKey,
        amount: Money,
        declines: bool,
    ) {
        self.underway.push(Underway { key, amount, declines, arrives_at });
    }

    /// Lets every delayed request arrive whose time has come.
    pub(crate) fn pass(&mut self, now: Moment) {
        let (arrived, underway) =
            self.underway.drain(..).partition(|request| request.arrives_at <= now);
        self.underway = underway;
        for Underway { key, amount, declines, .. } in arrived {
            let _nobody_waits = self.charge(key, amount, declines);
        }
    }

    pub(crate) fn outcome(&self, key: ChargeKey) -> ChargeOutcome {
        match self.charges.get(&key) {
            None => ChargeOutcome::NotCharged,
            Some(Charge::Declined) => ChargeOutcome::Declined { reason: "no funds".to_owned() },
            Some(Charge::Captured { .. }) => ChargeOutcome::Captured { reference: key.to_string() },
        }
    }

    pub(crate) fn refund(&mut self, key: ChargeKey, back: Money) -> Answer {
        let Some(Charge::Captured { amount, refunded }) = self.charges.get_mut(&key) else {
            panic!("a refund of {key}, which was never captured");
        };
        assert!(back <= *amount, "ORDER-4: {back} of {amount}");
        *refunded = Some(back);
        Answer::Refunded
    }

    /// A part goes back once for each return.
    pub(crate) fn refund_part(&mut self, key: ChargeKey, rma: ReturnId, part: Money) -> Answer {
        let Some(Charge::Captured { amount, refunded }) = self.charges.get_mut(&key) else {
            panic!("a refund of {key}, which was never captured");
        };
        if let Some(known) = self.parts.insert(rma, part) {
            assert_eq!(known, part, "a return is repeated with another amount");
            return Answer::Refunded;
        }
        let before = refunded.unwrap_or_else(|| Money::zero(amount.currency()));
        let back = before.checked_add(part).unwrap();
        assert!(back <= *amount, "R13: {back} of {amount}");
        *refunded = Some(back);
        Answer::Refunded
    }
}
