//! Carries out what entities want from others: from each other through mailboxes, from the provider
//! through the breaker. The counterpart of the performer in production.

use actors::answers;
use actors::entity::{Asked, Entity, Neighbour};
use actors::outcome::{Cause, NotAccepted, NotDone};
use engine::Aggregate;
use engine::cart::{Cart, CartCommand};
use engine::catalog::Product;
use engine::inventory::{Inventory, InventoryCommand};
use engine::process::{Answer, HeldUnits, Intent, Unavailable};

use super::books::holds;
use super::calls::CallOf;
use super::names::{Who, cart_index, product_index};
use super::outside::Outside;
use super::process::Process;
use super::reply::{Asker, Join, Reply, Way};
use super::sights::Sight;

/// How long work between actors may wait in a mailbox.
const INTERNAL_DEADLINE: u64 = 5_000_000;

impl Process {
    /// Starts an intent. Its answer is returned when it is known at once.
    pub(super) fn perform(
        &mut self,
        asker: Asker,
        intent: Intent,
        ahead: bool,
        outside: &mut Outside,
    ) -> Option<Answer> {
        if intent.leaves_the_engine() {
            self.leaves_durable(asker.who, outside);
        }
        let from = Neighbour { generation: self.generation_of(asker.who), ahead };
        match intent {
            Intent::Lookup { product } => {
                let index = product_index(product.as_str())?;
                if let Some(published) = self.products.view(index) {
                    return Some(Answer::Listing(published.view.clone()));
                }
                // It comes from outside, as far as the catalogue is concerned.
                let reply = self.way_back(Way::Entity(asker));
                let question = Asked::<Product, _> {
                    command: None,
                    cause: Cause::default(),
                    reply,
                    from: None,
                };
                self.send(index, question, deadline(outside), true, outside);
                None
            }
            // No shop of the simulation suspects anybody.
            Intent::LookupPromo { .. }
            | Intent::NoteOrder { .. }
            | Intent::AskTrust { .. }
            | Intent::NoteReview { .. } => Some(Answer::Failed),
            Intent::Hold { ref units, .. } => {
                let index = product_index(units.product.as_str())?;
                let published = self.stocks.view(index);
                if let Some(refusal) =
                    published.and_then(|known| known.view.refusal(units.quantity))
                {
                    outside.see(Sight::SoldOutAtTheView);
                    return Some(Answer::StockRefused(refusal));
                }
                let command = InventoryCommand::of(&intent, units);
                let question = self.question::<Inventory>(from, command?, Way::Entity(asker));
                self.send(index, question, deadline(outside), true, outside);
                None
            }
            Intent::Extend { ref units, .. }
            | Intent::Commit { ref units }
            | Intent::Release { ref units }
            | Intent::Restock { ref units } => self.each(asker, from, &intent, units, outside),
            Intent::ClaimCart { cart, order, contents } => {
                let command = CartCommand::CheckOut { order, contents };
                self.ask_cart(asker, from, cart_index(cart)?, command, outside)
            }
            Intent::ReopenCart { cart, order } => {
                let command = CartCommand::Reopen { order };
                self.ask_cart(asker, from, cart_index(cart)?, command, outside)
            }
            Intent::Charge { key, amount, token, .. } => {
                let token = token.expose().to_owned();
                self.call(asker, CallOf::Charge { key, amount, token }, outside)
            }
            Intent::QueryCharge { key } => self.call(asker, CallOf::Query { key }, outside),
            Intent::Refund { key, amount } => {
                self.call(asker, CallOf::Refund { key, amount }, outside)
            }
            // Nobody in these worlds returns anything.
            Intent::RefundPart { .. }
            | Intent::Deposit { .. }
            | Intent::TakeBack { .. }
            | Intent::ForReturn { .. } => Some(Answer::NotAccepted(Unavailable::Unreachable)),
        }
    }

    /// Nobody outside is called on the strength of something that may be lost.
    fn leaves_durable(&mut self, who: Who, outside: &mut Outside) {
        let entity = self.orders.life(who.index).and_then(|life| life.entity.as_ref());
        let version = entity.map_or(0, Entity::version);
        let durable = outside.names.stream(who).map_or(0, |stream| outside.store.version(stream));
        outside.judge(holds("R4", version <= durable, || {
            format!("{who:?}: the provider is called at {version}, of which {durable} are durable")
        }));
    }

    fn way_back(&self, way: Way) -> Reply {
        Reply::new(way, self.lost.clone())
    }

    /// Work between actors.
    fn question<A: Aggregate>(
        &self,
        from: Neighbour,
        command: A::Command,
        way: Way,
    ) -> Asked<A, Reply> {
        let reply = self.way_back(way);
        Asked { command: Some(command), cause: Cause::default(), reply, from: Some(from) }
    }

    fn ask_cart(
        &mut self,
        asker: Asker,
        from: Neighbour,
        index: usize,
        command: CartCommand,
        outside: &mut Outside,
    ) -> Option<Answer> {
        let question = self.question::<Cart>(from, command, Way::Entity(asker));
        self.send(index, question, deadline(outside), false, outside);
        None
    }

    /// One command per product; answered once all have answered, and the worst answer counts.
    fn each(
        &mut self,
        asker: Asker,
        from: Neighbour,
        intent: &Intent,
        units: &[HeldUnits],
        outside: &mut Outside,
    ) -> Option<Answer> {
        let join = Join::of(asker, units.len());
        for unit in units {
            let way =
                if units.len() == 1 { Way::Entity(asker) } else { Way::Together(join.clone()) };
            let index = product_index(unit.product.as_str());
            let command = InventoryCommand::of(intent, unit);
            let (Some(index), Some(command)) = (index, command) else {
                let unknown = answers::of_stock(Err(NotDone::NotAccepted(NotAccepted::Restarting)));
                return Some(unknown);
            };
            let question = self.question::<Inventory>(from, command, way);
            self.send(index, question, deadline(outside), false, outside);
        }
        None
    }
}

const fn deadline(outside: &Outside) -> u64 {
    outside.now().saturating_add(INTERNAL_DEADLINE)
}
