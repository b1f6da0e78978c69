//! Carries out intents: to other entities through their mailboxes, to the provider through the
//! breaker. What can be answered from a published view is answered at once.

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use engine::Aggregate;
use engine::cart::{Cart, CartCommand, CartRefusal};
use engine::inventory::{Inventory, InventoryCommand, InventoryRefusal};
use engine::process::{Answer, ChargeOutcome, HeldUnits, Intent, StockRefusal};
use engine::values::{CartId, CustomerId, Moment, ProductId, Quantity};
use futures::FutureExt as _;
use metrics::counter;
use tokio::time::Instant;
use tracing::error;

use crate::entity::{Asked, EntityMessage, ReplyTo};
use crate::metrics::REFUNDS_FAILED_TOTAL;
use crate::outcome::{Accepted, Asking, Cause, NotDone};
use crate::payments::{ChargeRequest, ProviderFailure};
use crate::runtime::spawn_light;
use crate::system::World;

/// How long work between actors may wait in a mailbox before it is tried again.
const INTERNAL_DEADLINE: Duration = Duration::from_secs(5);

type CartVerdict = Result<Accepted<Cart>, NotDone<CartRefusal>>;
type StockVerdict = Result<Accepted<Inventory>, NotDone<InventoryRefusal>>;

impl World {
    /// Starts an intent. Its answer is returned when it is known at once, else given to `answer`.
    pub(crate) fn perform(
        self: &Arc<Self>,
        intent: Intent,
        answer: impl FnOnce(Answer) + Send + 'static,
    ) -> Option<Answer> {
        match intent {
            Intent::Lookup { product } => self.look_up(product, answer),
            Intent::Hold { units, customer, expires_at, valid_until } => {
                self.hold(&units, customer, expires_at, valid_until, answer)
            }
            Intent::Extend { units, expires_at } => {
                self.each(&units, answer, |unit| InventoryCommand::Extend {
                    hold: unit.hold,
                    expires_at,
                });
                None
            }
            Intent::Commit { units } => {
                self.each(&units, answer, |unit| InventoryCommand::Commit {
                    hold: unit.hold,
                    quantity: unit.quantity,
                });
                None
            }
            Intent::Release { units } => {
                self.each(&units, answer, |unit| InventoryCommand::Release { hold: unit.hold });
                None
            }
            Intent::Restock { units } => {
                self.each(&units, answer, |unit| InventoryCommand::Restock {
                    hold: unit.hold,
                    quantity: unit.quantity,
                });
                None
            }
            Intent::ClaimCart { cart, order, contents } => {
                self.cart(cart, CartCommand::CheckOut { order, contents }, answer);
                None
            }
            Intent::ReopenCart { cart, order } => {
                self.cart(cart, CartCommand::Reopen { order }, answer);
                None
            }
            Intent::Charge { key, order, amount, token } => {
                let payments = Arc::clone(self.payments());
                let request = ChargeRequest { key, order, amount, token };
                let charge = async move { charged(payments.charge(&request).await) };
                at_once_or_later(charge, answer)
            }
            Intent::QueryCharge { key } => {
                let payments = Arc::clone(self.payments());
                at_once_or_later(async move { charged(payments.query(key).await) }, answer)
            }
            Intent::Refund { key, amount } => {
                let payments = Arc::clone(self.payments());
                let refund = async move {
                    let outcome = payments.refund(key, amount).await;
                    if outcome.is_err() {
                        counter!(REFUNDS_FAILED_TOTAL).increment(1);
                    }
                    outcome.map_or(Answer::Failed, |()| Answer::Refunded)
                };
                at_once_or_later(refund, answer)
            }
        }
    }

    fn look_up(
        self: &Arc<Self>,
        product: ProductId,
        answer: impl FnOnce(Answer) + Send + 'static,
    ) -> Option<Answer> {
        if let Some(published) = self.products.view(product.as_str()) {
            return Some(Answer::Listing(published.view));
        }
        let world = Arc::clone(self);
        spawn_light(async move {
            let found = world.products.ask(&world, product.as_str(), None, internal()).await;
            answer(found.map_or(Answer::Failed, |accepted| Answer::Listing(accepted.view)));
        });
        None
    }

    fn hold(
        self: &Arc<Self>,
        units: &HeldUnits,
        customer: CustomerId,
        expires_at: Moment,
        valid_until: Moment,
        answer: impl FnOnce(Answer) + Send + 'static,
    ) -> Option<Answer> {
        let key = units.product.as_str();
        // A sold-out product is refused without a message. Only a durable view may do so, and a
        // wake-up is what brings lapsed units back, so nobody is refused for longer than that.
        if let Some(published) = self.inventories.view(key)
            && published.view.held == Quantity::ZERO
            && published.view.available < units.quantity
        {
            let available = published.view.available;
            return Some(Answer::StockRefused(StockRefusal::NotEnough { available }));
        }
        let command = InventoryCommand::Hold {
            hold: units.hold,
            quantity: units.quantity,
            customer,
            expires_at,
            valid_until,
        };
        let answered = move |verdict| answer(stock_answer(verdict));
        let reply = ReplyTo::callback(answered);
        self.inventories.send(self, key, Some(command), internal(), reply, true);
        None
    }

    fn cart(
        self: &Arc<Self>,
        cart: CartId,
        command: CartCommand,
        answer: impl FnOnce(Answer) + Send + 'static,
    ) {
        let reply = ReplyTo::callback(move |verdict| answer(cart_answer(verdict)));
        let message = message(command, reply);
        // Where it was refused, the dropped reply has answered already.
        let _ = self.carts.tell(self, &cart.to_string(), message);
    }

    /// Sends one command per product and answers once all have answered: the worst answer counts.
    fn each(
        self: &Arc<Self>,
        units: &[HeldUnits],
        answer: impl FnOnce(Answer) + Send + 'static,
        command: impl Fn(&HeldUnits) -> InventoryCommand,
    ) {
        if let [unit] = units {
            let answered = move |verdict| answer(stock_answer(verdict));
            return self.one(unit, command(unit), ReplyTo::callback(answered));
        }
        let join = Arc::new(Mutex::new(Join {
            open: units.len(),
            worst: Answer::StockDone,
            answer: Some(Box::new(answer)),
        }));
        for unit in units {
            let join = Arc::clone(&join);
            let reply = ReplyTo::callback(move |verdict| Join::answered(&join, verdict));
            self.one(unit, command(unit), reply);
        }
    }

    fn one(
        self: &Arc<Self>,
        unit: &HeldUnits,
        command: InventoryCommand,
        reply: ReplyTo<Inventory>,
    ) {
        // Where it was refused, the dropped reply has answered already.
        let _ = self.inventories.tell(self, unit.product.as_str(), message(command, reply));
    }
}

/// Work between actors, which is answered ahead of the disk.
fn message<A: Aggregate>(command: A::Command, reply: ReplyTo<A>) -> EntityMessage<A> {
    let asked = Asked { command: Some(command), cause: Cause::default(), reply, ahead: true };
    let now = Instant::now();
    EntityMessage::Ask { asked: Box::new(asked), deadline: now + INTERNAL_DEADLINE, queued_at: now }
}

/// Answers of several products on their way to one.
struct Join {
    open: usize,
    worst: Answer,
    answer: Option<Box<dyn FnOnce(Answer) + Send>>,
}

impl Join {
    fn answered(join: &Mutex<Self>, verdict: StockVerdict) {
        let Ok(mut join) = join.lock() else { return };
        join.open = join.open.saturating_sub(1);
        let answer = stock_answer(verdict);
        if rank(&join.worst) < rank(&answer) {
            join.worst = answer;
        }
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

fn charged(outcome: Result<ChargeOutcome, ProviderFailure>) -> Answer {
    outcome.map_or(Answer::Failed, Answer::Charge)
}

/// What must be tried again outweighs what is final: an answer is final only for all products.
const fn rank(answer: &Answer) -> u8 {
    match answer {
        Answer::Failed => 2,
        Answer::StockRefused(_) => 1,
        Answer::Listing(_)
        | Answer::StockDone
        | Answer::CartDone
        | Answer::CartRefused(_)
        | Answer::Charge(_)
        | Answer::Refunded => 0,
    }
}

fn internal() -> Asking {
    Asking { deadline: Instant::now() + INTERNAL_DEADLINE, cause: Cause::default() }
}

fn cart_answer(verdict: CartVerdict) -> Answer {
    match verdict {
        Ok(_) => Answer::CartDone,
        Err(NotDone::Refused(refusal)) => Answer::CartRefused(refusal),
        Err(NotDone::NotAccepted(_) | NotDone::Unknown) => Answer::Failed,
    }
}

fn stock_answer(verdict: StockVerdict) -> Answer {
    match verdict {
        Ok(_) => Answer::StockDone,
        Err(NotDone::NotAccepted(_) | NotDone::Unknown) => Answer::Failed,
        Err(NotDone::Refused(refusal)) => Answer::StockRefused(match refusal {
            InventoryRefusal::NotEnoughStock { available, .. } => {
                StockRefusal::NotEnough { available }
            }
            InventoryRefusal::OverLimit { limit } => StockRefusal::OverLimit { limit },
            InventoryRefusal::Lapsed(_) => StockRefusal::Lapsed,
            InventoryRefusal::Stale => return Answer::Failed,
            InventoryRefusal::EmptyQuantity
            | InventoryRefusal::HoldMismatch(_)
            | InventoryRefusal::AdjustmentMismatch(_)
            | InventoryRefusal::VersionMismatch { .. }
            | InventoryRefusal::CountOutOfRange => StockRefusal::Invalid,
        }),
    }
}
