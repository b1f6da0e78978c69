//! Placing an order: what the client wishes, what was looked up for it, and what comes of both.

use std::sync::Arc;
use std::time::Duration;

use super::event::OrderEvent;
use super::placement::{Personal, Placement, Wish};
use super::refusal::OrderRefusal;
use super::wished::{
    ClaimAnswer, HoldAnswer, WishedCart, WishedItem, WishedPromo, credit_of, use_of,
};
use crate::aggregate::Step;
use crate::cart::CART_LINES_MAX;
use crate::fraud::{self, FraudPolicy, Suspicion, Vetting};
use crate::inventory::HOLD_COMMAND_VALID;
use crate::process::{Answer, HeldUnits, Intent};
use crate::validation::{self, Finding, Policy, Warning};
use crate::values::{CreditAccount, CustomerId, Fingerprint, Moment, OrderId, PaymentMethod};

/// The wish to buy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlaceOrder {
    /// The order's id, derived from the idempotency key.
    pub order: OrderId,
    /// Who buys.
    pub customer: CustomerId,
    /// Through which channel.
    pub channel: String,
    /// What.
    pub items: Vec<WishedItem>,
    /// The cart that it comes from.
    pub cart: Option<WishedCart>,
    /// How it is to be paid.
    pub payment: Option<Wish>,
    /// The promo code that it is to use.
    pub promo: Option<WishedPromo>,
    /// What belongs to a person.
    pub personal: Personal,
    /// Whether the caller may set prices (C-12).
    pub trusted_price: bool,
    /// What the shop demands of orders.
    pub policy: Arc<Policy>,
    /// What is known about the buyer.
    pub vetting: Vetting,
    /// What the request said.
    pub fingerprint: Fingerprint,
    /// How long holds last at first, usually [`HOLD_FIRST`](super::HOLD_FIRST). Short, so that one
    /// that is orphaned by a crash lapses soon; an order that needs longer extends it.
    pub hold_for: Duration,
    /// What the customer's store credit says about the hold, where it pays.
    pub credit: Option<HoldAnswer>,
    /// When the holds lapse that this placement takes; set when they are asked for.
    pub held_until: Option<Moment>,
}

impl PlaceOrder {
    pub(super) fn held_units(&self, item: &WishedItem) -> HeldUnits {
        HeldUnits { product: item.product.clone(), hold: self.order.hold(), quantity: item.units() }
    }

    pub(super) fn held_use(&self, promo: &WishedPromo) -> Option<HeldUnits> {
        promo.code.as_ref().map(|code| use_of(code, self.order.hold()))
    }

    /// The store credit that pays for all of it, where that is how it is paid.
    pub(super) fn held_credit(&self, now: Moment) -> Option<HeldUnits> {
        // Nothing is priced for an order that is paid otherwise.
        let method = self.payment.as_ref().map(|wish| wish.method);
        let method = method.filter(|method| *method == PaymentMethod::StoreCredit)?;
        let total = self.amounts(now).ok()?.total;
        credit_of(Some(method), &self.customer, total, self.order.hold())
    }

    /// Listings and the promo code first, then the buyer where somebody may be suspected, then holds,
    /// then the cart; nothing more once something is refused. Listings are
    /// looked up for a request with faults, too, so that all of them are told together.
    pub(super) fn next_step(&self, now: Moment) -> Step {
        if self.unseen().is_some() || self.unseen_promo().is_some() {
            return Step::Ready;
        }
        if self.items.iter().any(|item| item.hold.is_some()) {
            return self.claim_step(now);
        }
        let lookups = self.lookups();
        if !lookups.is_empty() {
            return Step::Needs(lookups);
        }
        if validation::blocks(&self.findings(now)) {
            return Step::Ready;
        }
        if let Some(vetting) = self.vetting_step(now) {
            return Step::Needs(vec![vetting]);
        }
        let promo = self.promo.as_ref().and_then(|promo| self.held_use(promo));
        let units = self.items.iter().map(|item| self.held_units(item)).chain(promo);
        let units = units.chain(self.held_credit(now));
        let holds = units.map(|units| Intent::Hold {
            units,
            customer: self.customer.clone(),
            expires_at: now.saturating_add(self.hold_for),
            valid_until: now.saturating_add(HOLD_COMMAND_VALID),
        });
        Step::Needs(holds.collect())
    }

    /// Each product that nobody has looked up, once, and the promo code; none of a list that is too
    /// long anyway.
    fn lookups(&self) -> Vec<Intent> {
        let promo = self.promo.iter().filter(|promo| promo.found.is_none());
        let promo = promo.filter_map(|promo| promo.code.clone());
        let mut lookups: Vec<Intent> = promo.map(|code| Intent::LookupPromo { code }).collect();
        if self.items.len() <= CART_LINES_MAX {
            for item in self.items.iter().filter(|item| item.listing.is_none()) {
                let lookup = Intent::Lookup { product: item.product.clone() };
                if !lookups.contains(&lookup) {
                    lookups.push(lookup);
                }
            }
        }
        lookups
    }

    /// What is to be learnt about the buyer: nothing where nothing can be suspected. Whom the shop
    /// trusts is asked for a suspect only.
    fn vetting_step(&self, now: Moment) -> Option<Intent> {
        if self.policy.fraud == FraudPolicy::default() {
            return None;
        }
        let customer = || self.customer.clone();
        let vetting = &self.vetting;
        if vetting.is_named
            && !vetting.was_asked
            && let Some(within) = self.policy.fraud.counts()
        {
            return Some(Intent::NoteOrder { customer: customer(), order: self.order, within });
        }
        let is_suspect = || !fraud::suspicions(self, now).is_empty();
        (vetting.is_trusted.is_none() && is_suspect())
            .then(|| Intent::AskTrust { customer: customer() })
    }

    /// Everything that the rules find with what is known by now.
    fn findings(&self, now: Moment) -> Vec<Finding> {
        let mut found = validation::request(self);
        found.extend(validation::listings(self, now));
        found.extend(validation::promo(self, now));
        found
    }

    /// The cart comes last: whoever finds a product sold out has not touched it, and between its
    /// answer and the placement there is nothing to wait for.
    fn claim_step(&self, now: Moment) -> Step {
        let granted = |item: &WishedItem| item.hold == Some(HoldAnswer::Granted);
        match &self.cart {
            Some(WishedCart { cart, contents, claim: None })
                if self.items.iter().all(granted)
                    && self.promo.as_ref().is_none_or(WishedPromo::is_granted)
                    && self.has_credit(now) =>
            {
                let claim =
                    Intent::ClaimCart { cart: *cart, order: self.order, contents: *contents };
                Step::Needs(vec![claim])
            }
            Some(_) | None => Step::Ready,
        }
    }

    pub(super) fn supply(&mut self, need: &Intent, answer: Answer) {
        match need {
            Intent::Lookup { product } => {
                for item in self.items.iter_mut().filter(|item| item.product == *product) {
                    if let Answer::Listing(listing) = &answer {
                        let sold_as = |listing| self.policy.sold_as(listing);
                        item.listing = Some(listing.clone().map(sold_as));
                    } else {
                        item.hold = Some(HoldAnswer::from(answer.clone()));
                    }
                }
            }
            Intent::LookupPromo { .. } => {
                if let Some(promo) = &mut self.promo {
                    if let Answer::Promo(found) = answer {
                        promo.found = Some(found);
                    } else {
                        promo.hold = Some(HoldAnswer::from(answer));
                    }
                }
            }
            Intent::NoteOrder { .. } => {
                self.vetting.was_asked = true;
                if let Answer::Counted(counted) = answer {
                    self.vetting.counted = Some(counted);
                }
            }
            // Whoever cannot be asked about is not trusted: somebody looks, and nothing is lost.
            Intent::AskTrust { .. } => {
                self.vetting.is_trusted = Some(matches!(answer, Answer::Trust(true)));
            }
            Intent::Hold { units, expires_at, .. } => {
                self.held_until = Some(*expires_at);
                let answer = HoldAnswer::from(answer);
                if CreditAccount::is_counted_by(units.product.as_str()) {
                    self.credit = Some(answer);
                    return;
                }
                if let Some(promo) = &mut self.promo
                    && promo.code.as_ref().is_some_and(|code| code.uses() == units.product)
                {
                    promo.hold = Some(answer);
                    return;
                }
                for item in self.items.iter_mut().filter(|item| item.product == units.product) {
                    item.hold = Some(answer.clone());
                }
            }
            Intent::ClaimCart { .. } => {
                let answer = match answer {
                    Answer::CartDone => ClaimAnswer::Granted,
                    Answer::CartRefused(refusal) => ClaimAnswer::Refused(refusal),
                    Answer::NotAccepted(why) => ClaimAnswer::NotAccepted(why),
                    Answer::Failed
                    | Answer::Listing(_)
                    | Answer::Promo(_)
                    | Answer::Counted(_)
                    | Answer::Trust(_)
                    | Answer::ReviewNoted
                    | Answer::StockDone
                    | Answer::StockRefused(_)
                    | Answer::Charge(_)
                    | Answer::Refunded
                    | Answer::OrderDone(_)
                    | Answer::OrderRefused(_) => ClaimAnswer::Unknown,
                };
                if let Some(cart) = &mut self.cart {
                    cart.claim = Some(answer);
                }
            }
            Intent::Extend { .. }
            | Intent::Commit { .. }
            | Intent::Release { .. }
            | Intent::Restock { .. }
            | Intent::NoteReview { .. }
            | Intent::ReopenCart { .. }
            | Intent::Charge { .. }
            | Intent::QueryCharge { .. }
            | Intent::Refund { .. }
            | Intent::RefundPart { .. }
            | Intent::Deposit { .. }
            | Intent::TakeBack { .. }
            | Intent::ForReturn { .. } => {}
        }
    }

    /// A product whose listing could not be looked up; then nothing more is tried.
    pub(super) fn unseen(&self) -> Option<&WishedItem> {
        self.items.iter().find(|item| item.listing.is_none() && item.hold.is_some())
    }

    /// A promo code that could not be looked up.
    fn unseen_promo(&self) -> Option<&WishedPromo> {
        self.promo.as_ref().filter(|promo| promo.found.is_none() && promo.hold.is_some())
    }

    /// The placement, when every rule is kept and everything was granted.
    pub(super) fn judge(&self, now: Moment) -> Result<Vec<OrderEvent>, OrderRefusal> {
        let findings = self.findings(now);
        if validation::blocks(&findings) {
            return Err(OrderRefusal::Invalid(findings));
        }
        if let Some(item) = self.unseen() {
            return Self::judge_hold(item).map(|()| Vec::new());
        }
        if let Some(promo) = self.unseen_promo() {
            return Self::judge_promo(promo).map(|()| Vec::new());
        }
        for item in &self.items {
            Self::judge_hold(item)?;
        }
        self.promo.as_ref().map_or(Ok(()), Self::judge_promo)?;
        self.judge_credit(now)?;
        self.judge_claim()?;
        let (Ok(amounts), Ok(promo), Some(held_until)) =
            (self.amounts(now), self.promo_use(now), self.held_until)
        else {
            return Err(OrderRefusal::Invalid(findings));
        };
        Ok(vec![OrderEvent::Placed(Arc::new(Placement {
            order: self.order,
            customer: self.customer.clone(),
            channel: self.channel.clone(),
            lines: self.lines(now),
            amounts,
            promo,
            payment: self.payment.clone(),
            held_until,
            fingerprint: self.fingerprint,
            personal: self.personal(),
            suspicions: self.suspicions(now),
            warnings: findings.into_iter().map(Warning::from).collect(),
        }))])
    }

    fn suspicions(&self, now: Moment) -> Vec<Suspicion> {
        let is_trusted = self.vetting.is_trusted == Some(true);
        if is_trusted || self.policy.fraud == FraudPolicy::default() {
            return Vec::new();
        }
        fraud::suspicions(self, now)
    }

    /// What is kept of a person: phone numbers in the one form in which they can be compared.
    fn personal(&self) -> Personal {
        let mut personal = self.personal.clone();
        if let Some(address) = &mut personal.shipping_address
            && let Some(phone) = &mut address.phone
            && let Some(number) = validation::e164(phone, self.policy.region)
        {
            *phone = number;
        }
        personal
    }
}
