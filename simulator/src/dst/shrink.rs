//! Makes a case that breaks a promise smaller for as long as it breaks the same promise: fewer acts,
//! fewer faults, a plainer world.

use tokio::time::Instant;

use super::case::Case;
use super::diary::Runs;
use super::options::Options;
use super::plan::What;

/// A smaller case may meet the fault under another schedule only, so that many are tried.
const SCHEDULES: u64 = 4;

/// What became of a case.
pub(super) struct Shrunk {
    /// The smallest case that was found.
    pub(super) case: Case,
    /// How many worlds were run for it.
    pub(super) runs: u64,
}

struct Shrinker {
    case: Case,
    promise: &'static str,
    world: Runs,
    until: Instant,
    runs: u64,
}

/// Shrinks a case that breaks `promise` in this kind of world, until nothing can be left out or time is
/// up.
pub(super) fn shrink(case: Case, promise: &'static str, world: Runs, until: Instant) -> Shrunk {
    let mut shrinker = Shrinker { case, promise, world, until, runs: 0 };
    while shrinker.fewer_acts() | shrinker.fewer_faults() | shrinker.plainer() {}
    Shrunk { case: shrinker.case, runs: shrinker.runs }
}

impl Shrinker {
    /// Keeps a smaller case if it breaks the promise too.
    fn accept(&mut self, smaller: &Case) -> bool {
        let seeds = (0..SCHEDULES).map(|step| smaller.seed.wrapping_add(step));
        for candidate in seeds.map(|seed| smaller.under(seed)) {
            if self.until <= Instant::now() {
                return false;
            }
            self.runs = self.runs.saturating_add(1);
            let violation = (self.world)(&candidate, 0).violation;
            if violation.is_some_and(|found| found.promise == self.promise) {
                self.case = candidate;
                return true;
            }
        }
        false
    }

    /// Leaves out halves of the plan, then quarters, and so on down to single acts.
    fn fewer_acts(&mut self) -> bool {
        let before = self.case.plan.len();
        let mut length = before.div_ceil(2);
        while 0 < length {
            let mut from = 0;
            while from < self.case.plan.len() {
                let mut smaller = self.case.clone();
                let to = from.saturating_add(length).min(smaller.plan.len());
                smaller.plan.drain(from..to);
                if !self.accept(&smaller) {
                    from = to;
                }
            }
            length /= 2;
        }
        self.case.plan.len() < before
    }

    /// Leaves out one kind of fault after the other.
    fn fewer_faults(&mut self) -> bool {
        let mut fewer = false;
        for number in 0..self.case.options.faults.all().len() {
            let mut smaller = self.case.clone();
            let Some(share) = smaller.options.faults.all().into_iter().nth(number) else { break };
            if std::mem::take(share) != 0 {
                fewer |= self.accept(&smaller);
            }
        }
        fewer
    }

    /// Gives the world a form in which less happens at a time.
    fn plainer(&mut self) -> bool {
        let simplifications: [fn(&mut Options); 8] = [
            |options| options.shards = 1,
            |options| options.batch_events_max = 512,
            |options| options.snapshot_every = 1_000,
            |options| options.slots = 1_024,
            |options| options.turn = 50,
            |options| options.commit = 300,
            |options| options.patience = 1_000_000,
            |options| options.limit = None,
        ];
        let mut simpler = self.fit();
        for simplify in simplifications {
            let mut smaller = self.case.clone();
            simplify(&mut smaller.options);
            simpler |= smaller.options != self.case.options && self.accept(&smaller);
        }
        simpler
    }

    /// Leaves out products, carts and orders at the end that the plan does not name.
    fn fit(&mut self) -> bool {
        let mut smaller = self.case.clone();
        let (mut products, mut carts, mut orders) = (1, 0, 1);
        for act in &smaller.plan {
            let (product, cart, order) = named(&act.what);
            products = products.max(product);
            carts = carts.max(cart);
            orders = orders.max(order);
        }
        smaller.options.products = products;
        smaller.options.carts = carts;
        smaller.options.visits = orders;
        smaller.options != self.case.options && self.accept(&smaller)
    }
}

/// One more than the last product, cart and order that are named.
fn named(what: &What) -> (usize, usize, usize) {
    let after = |last: Option<usize>| last.map_or(0, |last| last.saturating_add(1));
    match what {
        What::Buy(wish) => {
            let product = wish.items.iter().map(|(product, _)| *product).max();
            (after(product), after(wish.cart), after(Some(wish.order)))
        }
        What::Reuse { order }
        | What::Cancel { order, .. }
        | What::MoveOn { order }
        | What::Read { order } => (0, 0, after(Some(*order))),
        What::Adjust { product, .. } | What::Reprice { product } => (after(Some(*product)), 0, 0),
        What::AddToCart { cart, product, .. } => (after(Some(*product)), after(Some(*cart)), 0),
        What::FreeCart { cart } => (0, after(Some(*cart)), 0),
        What::Crash { .. }
        | What::TakeOver
        | What::StoreOutage { .. }
        | What::ProviderOutage { .. }
        | What::ClockStep { .. } => (0, 0, 0),
    }
}

#[cfg(all(test, feature = "planted"))]
mod tests {
    use std::time::Duration;

    use engine::planted::{Bug, plant};

    use super::super::world;
    use super::*;

    #[test]
    fn a_shrunk_case_breaks_the_same_promise_with_less() {
        plant(Some(Bug::Oversells));
        let found = (0..100).map(Case::of).find_map(|case| {
            let promise = world::run(&case, 0).violation?.promise;
            Some((case, promise))
        });
        let (case, promise) = found.unwrap();
        let whole = case.plan.len();
        let until = Instant::now() + Duration::from_secs(20);
        let Shrunk { case, runs } = shrink(case, promise, world::run, until);
        let again = world::run(&case, 0).violation.unwrap();
        plant(None);

        assert_eq!(again.promise, promise);
        assert!(case.plan.len() < whole.div_ceil(4), "{} acts of {whole}", case.plan.len());
        assert!(0 < runs);
        assert_eq!(world::run(&case, 0).violation, None, "without the bug nothing is broken");
    }
}
