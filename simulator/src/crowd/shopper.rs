//! One shopper: an actor that tries to buy, waits when told to, and reports what it saw.

use std::rc::Rc;
use std::time::Duration;

use actix::{
    Actor, ActorContext as _, ActorFutureExt as _, AsyncContext as _, Context, WrapFuture as _,
};
use rand::rngs::Xoshiro256PlusPlus;
use tokio::sync::mpsc;

use super::{Board, Offer, Street, Visit};
use crate::client::Call;
use crate::history::Witness;
use crate::record::{Attempt, Outcome, ShopperRecord, Verdict};

/// A shopper with one key for all its tries.
#[derive(Debug)]
pub(super) struct Shopper {
    number: u32,
    key: String,
    offer: Rc<Offer>,
    street: Rc<Street>,
    witness: Witness,
    chance: Xoshiro256PlusPlus,
    report: mpsc::Sender<ShopperRecord>,
    arrived: Duration,
    intended: Duration,
    attempts: Vec<Attempt>,
}

impl Shopper {
    /// A shopper for `visit`, who starts as soon as the actor does.
    pub(super) fn new(
        number: u32,
        run: &str,
        visit: Visit,
        street: Rc<Street>,
        chance: Xoshiro256PlusPlus,
        report: mpsc::Sender<ShopperRecord>,
    ) -> Self {
        Self {
            number,
            key: format!("{run}-{number}"),
            offer: visit.offer,
            witness: Witness::new(&street.recorder),
            street,
            chance,
            report,
            arrived: visit.at,
            intended: visit.at,
            attempts: Vec::with_capacity(1),
        }
    }

    fn attempt(&mut self, context: &mut Context<Self>) {
        let street = Rc::clone(&self.street);
        let call = Call::post("/v1/orders", self.key.clone(), self.offer.body.clone());
        Board::bump(&street.board.in_flight);
        let open = self.witness.asks(&street.recorder, &call, &self.offer.ask);
        let exchange = async move { street.pool.exchange(&call).await };
        context.spawn(exchange.into_actor(self).map(move |result, shopper, context| {
            let Self { witness, street, offer, .. } = &mut *shopper;
            witness.hears(&street.recorder, &open, &offer.ask, &result);
            shopper.judge(Outcome::from(result), context);
        }));
    }

    fn judge(&mut self, outcome: Outcome, context: &mut Context<Self>) {
        let in_flight = &self.street.board.in_flight;
        in_flight.set(in_flight.get().saturating_sub(1));
        let finished = self.street.opened.elapsed();
        let made = u32::try_from(self.attempts.len()).unwrap_or(u32::MAX).saturating_add(1);
        let wait = self.street.patience.next(made, &outcome, &mut self.chance);
        self.attempts.push(Attempt { intended: self.intended, finished, outcome });
        match wait {
            Some(wait) => {
                self.intended = finished.saturating_add(wait);
                context.run_later(wait, Self::attempt);
            }
            None => self.go_home(context),
        }
    }

    fn go_home(&mut self, context: &mut Context<Self>) {
        let record = ShopperRecord {
            shopper: self.number,
            key: std::mem::take(&mut self.key),
            product: Rc::clone(&self.offer.product),
            quantity: self.offer.quantity,
            arrived: self.arrived,
            attempts: std::mem::take(&mut self.attempts),
        };
        let board = &self.street.board;
        Board::bump(&board.answered);
        if record.verdict() == Verdict::Accepted {
            board.sold.set(board.sold.get().saturating_add(u64::from(record.quantity)));
        } else {
            Board::bump(&board.refused);
        }
        // A missing record is a shopper without an answer, which a check reports.
        drop(self.report.try_send(record));
        context.stop();
    }
}

impl Actor for Shopper {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Self::Context) {
        self.attempt(context);
    }
}
