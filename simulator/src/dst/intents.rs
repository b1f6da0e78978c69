//! Carries out what entities want from others: from each other through mailboxes, from the provider
//! through the breaker. The counterpart of the performer in production.

use actors::answers;
use actors::entity::Asked;
use actors::outcome::{Cause, NotAccepted, NotDone};
use engine::Aggregate;
use engine::cart::{Cart, CartCommand};
use engine::catalog::Product;
use engine::inventory::{Inventory, InventoryCommand};
use engine::process::{Answer, HeldUnits, Intent};

use super::calls::CallOf;
use super::names::{cart_index, product_index};
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
        outside: &mut Outside,
    ) -> Option<Answer> {
        match intent {
            Intent::Lookup { product } => {
                let index = product_index(product.as_str())?;
                if let Some(published) = self.products.view(index) {
                    return Some(Answer::Listing(published.view.clone()));
                }
                let question = self.question::<Product>(asker, None, Way::Entity(asker));
                self.send(index, question, deadline(outside), true, outside);
                None
            }
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
                let question = self.question::<Inventory>(asker, command, Way::Entity(asker));
                self.send(index, question, deadline(outside), true, outside);
                None
            }
            Intent::Extend { ref units, .. }
            | Intent::Commit { ref units }
            | Intent::Release { ref units }
            | Intent::Restock { ref units } => self.each(asker, &intent, units, outside),
            Intent::ClaimCart { cart, order, contents } => {
                let command = CartCommand::CheckOut { order, contents };
                self.ask_cart(asker, cart_index(cart)?, command, outside)
            }
            Intent::ReopenCart { cart, order } => {
                let command = CartCommand::Reopen { order };
                self.ask_cart(asker, cart_index(cart)?, command, outside)
            }
            Intent::Charge { key, amount, token, .. } => {
                let token = token.expose().to_owned();
                self.call(asker, CallOf::Charge { key, amount, token }, outside)
            }
            Intent::QueryCharge { key } => self.call(asker, CallOf::Query { key }, outside),
            Intent::Refund { key, amount } => {
                self.call(asker, CallOf::Refund { key, amount }, outside)
            }
        }
    }

    /// Work between actors, which is answered ahead of the disk.
    fn question<A: Aggregate>(
        &mut self,
        asker: Asker,
        command: Option<A::Command>,
        way: Way,
    ) -> Asked<A, Reply> {
        // A lookup comes from outside, as far as the catalogue is concerned.
        let generation = command.is_some().then(|| self.generation_of(asker.who));
        let reply = Reply::new(way, self.lost.clone());
        Asked { command, cause: Cause::default(), reply, generation }
    }

    fn ask_cart(
        &mut self,
        asker: Asker,
        index: usize,
        command: CartCommand,
        outside: &mut Outside,
    ) -> Option<Answer> {
        let question = self.question::<Cart>(asker, Some(command), Way::Entity(asker));
        self.send(index, question, deadline(outside), false, outside);
        None
    }

    /// One command per product; answered once all have answered, and the worst answer counts.
    fn each(
        &mut self,
        asker: Asker,
        intent: &Intent,
        units: &[HeldUnits],
        outside: &mut Outside,
    ) -> Option<Answer> {
        let join = Join::of(asker, units.len());
        for unit in units {
            let way =
                if units.len() == 1 { Way::Entity(asker) } else { Way::Together(join.clone()) };
            let Some(index) = product_index(unit.product.as_str()) else {
                let unknown = answers::of_stock(Err(NotDone::NotAccepted(NotAccepted::Restarting)));
                return Some(unknown);
            };
            let question =
                self.question::<Inventory>(asker, InventoryCommand::of(intent, unit), way);
            self.send(index, question, deadline(outside), false, outside);
        }
        None
    }
}

const fn deadline(outside: &Outside) -> u64 {
    outside.now().saturating_add(INTERNAL_DEADLINE)
}
