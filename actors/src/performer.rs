//! Carries out intents: to other entities through their mailboxes, to the provider through the
//! breaker. What can be answered from a published view is answered at once.

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use engine::Aggregate;
use engine::cart::{Cart, CartCommand, CartRefusal};
use engine::inventory::{Inventory, InventoryCommand, InventoryRefusal};
use engine::process::{Answer, ChargeOutcome, HeldUnits, Intent, StockRefusal, Unavailable};
use engine::values::{CartId, CustomerId, Moment, ProductId, Quantity};
use futures::FutureExt as _;
use metrics::counter;
use tokio::time::Instant;
use tracing::error;

use crate::entity::{Asked, ReplyTo};
use crate::metrics::REFUNDS_FAILED_TOTAL;
use crate::outcome::{Accepted, Asking, Cause, NotAccepted, NotDone};
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
                    let answer = outcome.map_or_else(not_answered, |()| Answer::Refunded);
                    if answer == Answer::Failed {
                        counter!(REFUNDS_FAILED_TOTAL).increment(1);
                    }
                    answer
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
            let asking = Asking { deadline: deadline(), cause: Cause::default() };
            answer(match world.products.ask(&world, product.as_str(), None, asking).await {
                Ok(accepted) => Answer::Listing(accepted.view),
                Err(NotDone::NotAccepted(reason)) => not_accepted(reason),
                Err(NotDone::Refused(_) | NotDone::Unknown) => Answer::Failed,
            });
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
        let reply = ReplyTo::callback(move |verdict| answer(stock_answer(verdict)));
        self.inventories.send(self, key, asked(command, reply), deadline());
        None
    }

    fn cart(
        self: &Arc<Self>,
        cart: CartId,
        command: CartCommand,
        answer: impl FnOnce(Answer) + Send + 'static,
    ) {
        let reply = ReplyTo::callback(move |verdict| answer(cart_answer(verdict)));
        let asked = asked(command, reply);
        self.carts.send_without_place(self, &cart.to_string(), asked, deadline());
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
        let (key, asked) = (unit.product.as_str(), asked(command, reply));
        self.inventories.send_without_place(self, key, asked, deadline());
    }
}

/// Work between actors, which is answered ahead of the disk.
fn asked<A: Aggregate>(command: A::Command, reply: ReplyTo<A>) -> Asked<A, ReplyTo<A>> {
    Asked { command: Some(command), cause: Cause::default(), reply, ahead: true }
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
    outcome.map_or_else(not_answered, Answer::Charge)
}

/// Without a place nobody has failed: it is tried again, and nothing is written down.
const fn not_answered(failure: ProviderFailure) -> Answer {
    match failure {
        ProviderFailure::NoPlace => Answer::NotAccepted(Unavailable::Overloaded),
        ProviderFailure::NotSent | ProviderFailure::Unknown => Answer::Failed,
    }
}

/// What must be tried again outweighs what is final: an answer is final only for all products.
const fn rank(answer: &Answer) -> u8 {
    match answer {
        Answer::Failed => 3,
        Answer::NotAccepted(_) => 2,
        Answer::StockRefused(_) => 1,
        Answer::Listing(_)
        | Answer::StockDone
        | Answer::CartDone
        | Answer::CartRefused(_)
        | Answer::Charge(_)
        | Answer::Refunded => 0,
    }
}

fn cart_answer(verdict: CartVerdict) -> Answer {
    match verdict {
        Ok(_) => Answer::CartDone,
        Err(NotDone::Refused(refusal)) => Answer::CartRefused(refusal),
        Err(NotDone::NotAccepted(reason)) => not_accepted(reason),
        Err(NotDone::Unknown) => Answer::Failed,
    }
}

fn not_accepted(reason: NotAccepted) -> Answer {
    Answer::NotAccepted(match reason {
        NotAccepted::Overloaded | NotAccepted::DeadlinePassed => Unavailable::Overloaded,
        NotAccepted::Quarantined => Unavailable::Quarantined,
        NotAccepted::Restarting | NotAccepted::Draining | NotAccepted::NotWritten => {
            Unavailable::Unreachable
        }
    })
}

fn stock_answer(verdict: StockVerdict) -> Answer {
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
