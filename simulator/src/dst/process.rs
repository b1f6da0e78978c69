//! One process of the engine in a simulated world: entities, writer, breakers. Dropping it is
//! `kill -9`.

use std::collections::BTreeMap;
use std::time::Duration;

use actors::Steadied;
use actors::outcome::{NotAccepted, NotDone};
use actors::payments::{Breaker, BreakerPolicy, Standing};
use actors::writer::WriterLogic;
use engine::cart::Cart;
use engine::catalog::Product;
use engine::inventory::Inventory;
use engine::order::Order;
use engine::process::Answer;
use engine::values::Moment;
use persistence::journal::Tenure;

use super::calls::Call;
use super::cast::{Cast, Hosts, Message, Verdict};
use super::clients::{self, Outcome};
use super::names::{Kind, Names, Who};
use super::outside::Outside;
use super::reply::{Asker, Lost, LostReplies, Outbox, Reply, Told, Way};
use super::writing::Desk;

/// A running process.
pub(super) struct Process {
    pub(super) id: u32,
    pub(super) products: Hosts<Product>,
    pub(super) stocks: Hosts<Inventory>,
    pub(super) carts: Hosts<Cart>,
    pub(super) orders: Hosts<Order>,
    pub(super) desk: Desk,
    /// Orders that may have a history, as the filter of newcomers knows them.
    pub(super) seen: Vec<bool>,
    pub(super) told: Outbox<(Who, u64, Told)>,
    pub(super) lost: LostReplies,
    pub(super) charges: Breaker,
    pub(super) refunds: Breaker,
    pub(super) calls: BTreeMap<u64, Call>,
    pub(super) calls_made: u64,
    pub(super) next_tick: Option<u64>,
    lives: u64,
    clock: Steadied,
}

/// Does something with the kind of an entity.
macro_rules! with_kind {
    ($who:expr, $process:ident.$method:ident($($argument:expr),*)) => {
        match $who.kind {
            Kind::Product => $process.$method::<Product>($($argument),*),
            Kind::Stock => $process.$method::<Inventory>($($argument),*),
            Kind::Cart => $process.$method::<Cart>($($argument),*),
            Kind::Order => $process.$method::<Order>($($argument),*),
        }
    };
}

impl Process {
    /// Starts with a journal that was just acquired.
    pub(super) fn new(id: u32, tenure: Tenure, outside: &Outside) -> Self {
        let names: &Names = &outside.names;
        let hosts = |kind| names.count(kind);
        let seen = (0..hosts(Kind::Order)).map(|index| {
            let stream = names.stream(Who::new(Kind::Order, index));
            stream.is_some_and(|stream| 0 < outside.store.version(stream))
        });
        let newest = tenure.newest();
        let breaker = || Breaker::new(BreakerPolicy::default(), Standing::default());
        let logic =
            WriterLogic::new(tenure, outside.options.shards, outside.options.batch_events_max);
        Self {
            id,
            products: Hosts::new(hosts(Kind::Product)),
            stocks: Hosts::new(hosts(Kind::Stock)),
            carts: Hosts::new(hosts(Kind::Cart)),
            orders: Hosts::new(hosts(Kind::Order)),
            desk: Desk::new(logic),
            seen: seen.collect(),
            told: Outbox::default(),
            lost: LostReplies::default(),
            charges: breaker(),
            refunds: breaker(),
            calls: BTreeMap::new(),
            calls_made: 0,
            next_tick: None,
            lives: 0,
            clock: Steadied::new(outside.wall(), Duration::from_micros(outside.now()), newest),
        }
    }

    /// The name under which it owns the journal.
    pub(super) fn owner(&self) -> String {
        format!("process {}", self.id)
    }

    /// The present moment, as the process tells it.
    pub(super) fn wall(&mut self, outside: &Outside) -> Moment {
        self.clock.tell(outside.wall(), Duration::from_micros(outside.now()))
    }

    pub(super) const fn next_life(&mut self) -> u64 {
        self.lives = self.lives.saturating_add(1);
        self.lives
    }

    /// An entity gets its turn.
    pub(super) fn turn(&mut self, who: Who, life: u64, outside: &mut Outside) {
        with_kind!(who, self.turn_of(who.index, life, outside));
    }

    /// An entity's history is there, or cannot be read.
    pub(super) fn loaded(&mut self, who: Who, life: u64, outside: &mut Outside) {
        with_kind!(who, self.loaded_of(who.index, life, outside));
    }

    /// A pause is over.
    pub(super) fn pursue(&mut self, who: Who, life: u64, outside: &mut Outside) {
        with_kind!(who, self.post_if(who.index, life, Message::Pursue, outside));
    }

    /// Sends everybody to sleep who has nothing to do.
    pub(super) fn sleep_all(&mut self, outside: &mut Outside) {
        for kind in [Kind::Product, Kind::Stock, Kind::Cart, Kind::Order] {
            for index in 0..outside.names.count(kind) {
                let who = Who::new(kind, index);
                with_kind!(who, self.nudge_of(index, outside));
            }
        }
    }

    /// A due timer.
    pub(super) fn wake(&mut self, who: Who, outside: &mut Outside) {
        with_kind!(who, self.wake_of(who.index, outside));
    }

    /// A view of an entity that sleeps may go.
    pub(super) fn evict(&mut self, who: Who, version: u64) {
        with_kind!(who, self.evict_of(who.index, version));
    }

    /// An entity hears the answer to one of its intents, if it lives still.
    pub(super) fn answer(&mut self, asker: Asker, answer: Answer, outside: &mut Outside) {
        let Asker { who, life, ticket } = asker;
        with_kind!(
            who,
            self.post_if(who.index, life, Message::Answered { ticket, answer }, outside)
        );
    }

    /// An answer leaves.
    pub(super) fn deliver<A: Cast>(
        &mut self,
        reply: Reply,
        verdict: Verdict<A>,
        outside: &mut Outside,
    ) {
        let (way, place) = reply.open();
        self.free(place);
        match way {
            Some(Way::Client(attempt)) => {
                clients::answered(attempt, Outcome::of::<A>(verdict), outside);
            }
            Some(Way::Entity(asker)) => self.answer(asker, A::answer(verdict), outside),
            Some(Way::Together(join)) => {
                let whole = join.borrow_mut().answered(A::answer(verdict));
                if let Some((asker, answer)) = whole {
                    self.answer(asker, answer, outside);
                }
            }
            None => {}
        }
    }

    /// Answers that somebody waits for.
    pub(super) fn owed(&self) -> usize {
        fn places<A: Cast>(hosts: &Hosts<A>) -> usize {
            hosts.lives.iter().flatten().map(|life| life.places).sum()
        }
        places(&self.products) + places(&self.stocks) + places(&self.carts) + places(&self.orders)
    }

    /// The generation under which an entity lives.
    pub(super) fn generation_of(&mut self, who: Who) -> u64 {
        with_kind!(who, self.generation_in(who.index))
    }

    /// A place in a mailbox is free again.
    fn free(&mut self, place: Option<(Who, u64)>) {
        if let Some((who, life)) = place {
            with_kind!(who, self.free_of(who.index, life));
        }
    }

    /// Answers that were dropped are heard as what silence means, and the writer's words arrive.
    pub(super) fn settle(&mut self, outside: &mut Outside) {
        loop {
            let lost = std::mem::take(&mut *self.lost.borrow_mut());
            let told = self.told.take();
            if lost.is_empty() && told.is_empty() {
                return;
            }
            for Lost { way, heard, place } in lost {
                let silent = Reply::new(way, LostReplies::default());
                let unheard = NotDone::NotAccepted(NotAccepted::Restarting);
                self.free(place);
                let verdict = Err(if heard { NotDone::Unknown } else { unheard });
                // Of any kind: silence has no refusal in it.
                self.deliver::<Inventory>(silent, verdict, outside);
            }
            for (who, life, told) in told {
                with_kind!(who, self.told_to(who.index, life, told, outside));
            }
        }
    }

    /// The writer has let views out.
    pub(super) fn show(&mut self) {
        fn show<A: Cast>(process: &mut Process) {
            let hosts = A::hosts(process);
            for (index, published) in hosts.published.take() {
                hosts.publish(index, published);
            }
        }
        show::<Product>(self);
        show::<Inventory>(self);
        show::<Cart>(self);
        show::<Order>(self);
    }

    /// Every incarnation is to end: its generation has.
    pub(super) fn abandon_all(&mut self, generation: u64, outside: &mut Outside) {
        fn abandon<A: Cast>(process: &mut Process, generation: u64, outside: &mut Outside) {
            for index in 0..A::hosts(process).lives.len() {
                if let Some(life) = A::hosts(process).life(index) {
                    let number = life.number;
                    process.post_if::<A>(index, number, Message::Outdated { generation }, outside);
                }
            }
        }
        abandon::<Product>(self, generation, outside);
        abandon::<Inventory>(self, generation, outside);
        abandon::<Cart>(self, generation, outside);
        abandon::<Order>(self, generation, outside);
    }
}
