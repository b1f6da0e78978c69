//! Carries out intents: to other entities through their mailboxes, to the provider through the
//! breaker. What can be answered from a published view is answered at once.

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use engine::Aggregate;
use engine::buyer::{Buyer, BuyerCommand};
use engine::cart::CartCommand;
use engine::catalog::Product;
use engine::inventory::{Inventory, InventoryCommand, InventoryRefusal};
use engine::order::OrderCommand;
use engine::process::{Answer, HeldUnits, Intent};
use engine::promo::Promo;
use engine::reviews::{Reviews, ReviewsCommand, Waiting};
use engine::values::CartId;
use futures::FutureExt as _;
use metrics::counter;
use tokio::time::Instant;
use tracing::{error, warn};

use crate::answers;
use crate::directory::Hosted;
use crate::entity::{Asked, Neighbour, ReplyTo};
use crate::metrics::REFUNDS_FAILED_TOTAL;
use crate::outcome::{Accepted, Asking, Cause, NotDone};
use crate::payments::{ChargeRequest, ProviderFailure};
use crate::runtime::spawn_light;
use crate::system::World;

/// How long work between actors may wait in a mailbox before it is tried again.
const INTERNAL_DEADLINE: Duration = Duration::from_secs(5);

/// What readers see of an entity, or why nobody can tell.
type Seen<A> = Result<<A as Aggregate>::View, NotDone<<A as Aggregate>::Refusal>>;

impl World {
    /// Starts an intent of an entity. Its answer is returned when it is known at once, else given to
    /// `answer`.
    pub(crate) fn perform(
        self: &Arc<Self>,
        intent: Intent,
        from: Neighbour,
        answer: impl FnOnce(Answer) + Send + 'static,
    ) -> Option<Answer> {
        match intent {
            Intent::Lookup { product } => {
                self.seen::<Product>(product.as_str(), answers::of_listing, answer)
            }
            Intent::LookupPromo { code } => {
                self.seen::<Promo>(code.as_str(), answers::of_promo, answer)
            }
            Intent::NoteOrder { customer, order, within } => {
                let counting = (order, within, self.clock.now());
                let reply =
                    ReplyTo::callback(move |said| answer(answers::of_orders(said, counting)));
                let asked = asked(BuyerCommand::Note { order }, from, reply);
                self.kinds.buyers.send(self, customer.as_str(), asked, deadline());
                None
            }
            Intent::AskTrust { customer } => {
                self.seen::<Buyer>(customer.as_str(), answers::of_trust, answer)
            }
            Intent::NoteReview { order, customer, until } => {
                let command = match until {
                    Some(until) => {
                        ReviewsCommand::Open { order, waiting: Waiting { customer, until } }
                    }
                    None => ReviewsCommand::Close { order },
                };
                let reply = ReplyTo::callback(move |verdict| answer(answers::of_reviews(&verdict)));
                let asked = asked(command, from, reply);
                self.kinds.reviews.send_without_place(self, Reviews::KEY, asked, deadline());
                None
            }
            Intent::Hold { ref units, .. } => self.hold(&intent, units, from, answer),
            Intent::Deposit { ref units, .. } => {
                self.each(&intent, std::slice::from_ref(units), from, answer);
                None
            }
            Intent::Extend { ref units, .. }
            | Intent::Commit { ref units }
            | Intent::Release { ref units }
            | Intent::Restock { ref units }
            | Intent::TakeBack { ref units } => {
                self.each(&intent, units, from, answer);
                None
            }
            Intent::ClaimCart { cart, order, contents } => {
                self.cart(cart, CartCommand::CheckOut { order, contents }, from, answer);
                None
            }
            Intent::ReopenCart { cart, order } => {
                self.cart(cart, CartCommand::Reopen { order }, from, answer);
                None
            }
            Intent::Charge { key, order, amount, token } => {
                let payments = Arc::clone(self.payments());
                let request = ChargeRequest { key, order, amount, token };
                let charge = async move { answers::of_charge(payments.charge(&request).await) };
                at_once_or_later(charge, answer)
            }
            Intent::QueryCharge { key } => {
                let payments = Arc::clone(self.payments());
                at_once_or_later(
                    async move { answers::of_charge(payments.query(key).await) },
                    answer,
                )
            }
            Intent::Refund { key, amount } => {
                let payments = Arc::clone(self.payments());
                let refund = async move {
                    let answer = counted(payments.refund(key, amount).await);
                    // That of a return is told once it is durable.
                    if answer == Answer::Failed {
                        warn!(event = "refund_failed", %key, "a refund failed, it is tried again");
                    }
                    answer
                };
                at_once_or_later(refund, answer)
            }
            Intent::RefundPart { key, rma, amount } => {
                let payments = Arc::clone(self.payments());
                let refund = async move { counted(payments.refund_part(key, rma, amount).await) };
                at_once_or_later(refund, answer)
            }
            Intent::ForReturn { order, rma, wish } => {
                let command = OrderCommand::ForReturn { rma, wish };
                let reply = ReplyTo::callback(move |verdict| answer(answers::of_order(verdict)));
                let (key, asked) = (order.to_string(), asked(command, from, reply));
                // With a place: an order that is done goes to sleep between two questions.
                self.kinds.orders.send(self, &key, asked, deadline());
                None
            }
        }
    }

    /// What readers see of an entity: at once where that is published, else once it was woken.
    fn seen<A: Hosted>(
        self: &Arc<Self>,
        key: &str,
        told: fn(Seen<A>) -> Answer,
        answer: impl FnOnce(Answer) + Send + 'static,
    ) -> Option<Answer> {
        if let Some(published) = A::directory(self).view(key) {
            return Some(told(Ok(published.view)));
        }
        let (world, key) = (Arc::clone(self), key.to_owned());
        spawn_light(async move {
            let asking = Asking { deadline: deadline(), cause: Cause::default() };
            let verdict = A::directory(&world).ask(&world, &key, None, asking).await;
            answer(told(verdict.map(|accepted| accepted.view)));
        });
        None
    }

    fn hold(
        self: &Arc<Self>,
        intent: &Intent,
        unit: &HeldUnits,
        from: Neighbour,
        answer: impl FnOnce(Answer) + Send + 'static,
    ) -> Option<Answer> {
        // A wake-up is what brings lapsed units back, so nobody is refused for longer than that.
        let published = self.kinds.inventories.view(unit.product.as_str());
        if let Some(refusal) = published.and_then(|known| known.view.refusal(unit.quantity)) {
            return Some(Answer::StockRefused(refusal));
        }
        let command = InventoryCommand::of(intent, unit)?;
        let reply = ReplyTo::callback(move |verdict| answer(answers::of_stock(verdict)));
        let asked = asked(command, from, reply);
        self.kinds.inventories.send(self, unit.product.as_str(), asked, deadline());
        None
    }

    fn cart(
        self: &Arc<Self>,
        cart: CartId,
        command: CartCommand,
        from: Neighbour,
        answer: impl FnOnce(Answer) + Send + 'static,
    ) {
        let reply = ReplyTo::callback(move |verdict| answer(answers::of_cart(verdict)));
        let asked = asked(command, from, reply);
        self.kinds.carts.send_without_place(self, &cart.to_string(), asked, deadline());
    }

    /// Sends one command per product and answers once all have answered: the worst answer counts.
    fn each(
        self: &Arc<Self>,
        intent: &Intent,
        units: &[HeldUnits],
        from: Neighbour,
        answer: impl FnOnce(Answer) + Send + 'static,
    ) {
        if let [unit] = units {
            let answered = move |verdict| answer(answers::of_stock(verdict));
            return self.one(intent, unit, from, ReplyTo::callback(answered));
        }
        let join = Arc::new(Mutex::new(Join {
            open: units.len(),
            worst: Answer::StockDone,
            answer: Some(Box::new(answer)),
        }));
        for unit in units {
            let join = Arc::clone(&join);
            let reply = ReplyTo::callback(move |verdict| Join::answered(&join, verdict));
            self.one(intent, unit, from, reply);
        }
    }

    fn one(
        self: &Arc<Self>,
        intent: &Intent,
        unit: &HeldUnits,
        from: Neighbour,
        reply: ReplyTo<Inventory>,
    ) {
        // Without a command the reply is dropped, and says that nothing happened.
        let Some(command) = InventoryCommand::of(intent, unit) else { return };
        let (key, asked) = (unit.product.as_str(), asked(command, from, reply));
        self.kinds.inventories.send_without_place(self, key, asked, deadline());
    }
}

/// The answer to a refund; one that failed is counted.
fn counted(outcome: Result<(), ProviderFailure>) -> Answer {
    let answer = answers::of_refund(outcome);
    if answer == Answer::Failed {
        counter!(REFUNDS_FAILED_TOTAL).increment(1);
    }
    answer
}

/// Work between actors.
fn asked<A: Aggregate>(
    command: A::Command,
    from: Neighbour,
    reply: ReplyTo<A>,
) -> Asked<A, ReplyTo<A>> {
    Asked { command: Some(command), cause: Cause::default(), reply, from: Some(from) }
}

fn deadline() -> Instant {
    Instant::now() + INTERNAL_DEADLINE
}

/// Answers of several products on their way to one.
struct Join {
    open: usize,
    worst: Answer,
    answer: Option<Box<dyn FnOnce(Answer) + Send>>,
}

impl Join {
    fn answered(
        join: &Mutex<Self>,
        verdict: Result<Accepted<Inventory>, NotDone<InventoryRefusal>>,
    ) {
        let Ok(mut join) = join.lock() else { return };
        join.open = join.open.saturating_sub(1);
        join.worst = answers::worse(join.worst.clone(), answers::of_stock(verdict));
        if join.open == 0
            && let Some(answer) = join.answer.take()
        {
            let worst = join.worst.clone();
            drop(join);
            answer(worst);
        }
    }
}

/// Begins a call to the outside. What is answered at once needs no task and no message of its own.
fn at_once_or_later(
    call: impl Future<Output = Answer> + Send + 'static,
    answer: impl FnOnce(Answer) + Send + 'static,
) -> Option<Answer> {
    let mut call = Box::pin(answered_anyway(call));
    // Whoever goes on with it polls it anew, so this first waker is never waited for.
    if let Poll::Ready(known) = call.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        return Some(known);
    }
    spawn_light(async move { answer(call.await) });
    None
}

/// A call that panics is answered as well: whoever waits for it would do so for ever.
async fn answered_anyway(call: impl Future<Output = Answer>) -> Answer {
    AssertUnwindSafe(call).catch_unwind().await.unwrap_or_else(|_| {
        error!("a call to the payment provider panicked, it is tried again");
        Answer::Failed
    })
}
