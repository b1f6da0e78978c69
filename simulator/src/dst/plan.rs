//! What happens to the world of a seed, and when: everything that clients, operators and fate do.
//!
//! A plan is a list, so that a shorter one can be tried: whatever is left out, the rest stays where
//! it was. That is how a failing seed is shrunk.

use serde::{Deserialize, Serialize};

use super::chance::{Chance, Purpose};
use super::options::Options;

/// One thing that happens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Act {
    /// When, in microseconds after the beginning.
    pub(super) at: u64,
    /// What.
    pub(super) what: What,
}

/// What happens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum What {
    /// A client wants to buy, under a key of its own.
    Buy(Wish),
    /// A client uses the key of an order for other content.
    Reuse { order: usize },
    /// A client or an operator calls an order off.
    Cancel { order: usize, as_operator: bool },
    /// An operator moves an order on.
    MoveOn { order: usize },
    /// A client reads its order.
    Read { order: usize },
    /// An operator adds or takes units.
    Adjust { product: usize, delta: i64 },
    /// An operator changes the price.
    Reprice { product: usize },
    /// Somebody puts units into a cart.
    AddToCart { cart: usize, product: usize, quantity: u32 },
    /// Somebody looks whether a cart whose order came to nothing is free again.
    FreeCart { cart: usize },
    /// The process is killed, and started again after a while.
    Crash { down_for: u64 },
    /// Another process takes the journal over.
    TakeOver,
    /// The store cannot be reached for a while.
    StoreOutage { lasts: u64 },
    /// The provider does not answer for a while.
    ProviderOutage { lasts: u64 },
    /// The wall clock jumps by so many seconds.
    ClockStep { seconds: i64 },
}

/// What a client wants to buy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Wish {
    /// The number of the order, which is its key.
    pub(super) order: usize,
    /// Which customer.
    pub(super) customer: u64,
    /// Products and units.
    pub(super) items: Vec<(usize, u32)>,
    /// How it is paid.
    pub(super) pays: Pays,
    /// From which cart; the items are the cart's then.
    pub(super) cart: Option<usize>,
    /// Whether the client says what it believes a unit costs.
    #[serde(default)]
    pub(super) believes: bool,
}

/// How an order is paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Pays {
    /// With a card that the provider takes.
    Card,
    /// With a card that the provider declines.
    BadCard,
    /// At the door.
    Cod,
    /// Nobody has said how.
    Later,
}

/// The plan of a seed, in the order of time.
pub(super) fn of(seed: u64, options: &Options) -> Vec<Act> {
    let mut chance = Chance::of(seed, Purpose::Plan);
    let mut acts = Vec::new();
    for order in 0..options.visits {
        let at = chance.below(options.span);
        let wish = wish(order, options, &mut chance);
        acts.push(Act { at, what: What::Buy(wish) });
        follow_up(order, at, options, &mut chance, &mut acts);
    }
    wares(options, &mut chance, &mut acts);
    faults(options, &mut chance, &mut acts);
    // Stable, so that what is drawn first stays first.
    acts.sort_by_key(|act| act.at);
    acts
}

fn wish(order: usize, options: &Options, chance: &mut Chance) -> Wish {
    let count = if chance.permille(250) { 2 } else { 1 };
    let first = chance.index(options.products);
    let mut items: Vec<(usize, u32)> = (0..count.min(options.products))
        .map(|item| {
            let units = u32::try_from(chance.between(1, 3)).unwrap_or(1);
            ((first + item) % options.products, units)
        })
        .collect();
    if chance.permille(30) {
        // One product in two items, which is against the rules.
        items.extend_from_within(..1);
    }
    let pays = if chance.permille(options.faults.declines) {
        Pays::BadCard
    } else {
        chance.one_of(Pays::Card, &[Pays::Card, Pays::Card, Pays::Cod, Pays::Later])
    };
    let from_cart = 0 < options.carts && chance.permille(200);
    Wish {
        order,
        customer: chance.below(8),
        items,
        pays,
        cart: from_cart.then(|| chance.index(options.carts)),
        believes: chance.permille(300),
    }
}

/// What becomes of an order after it was placed.
fn follow_up(order: usize, at: u64, options: &Options, chance: &mut Chance, acts: &mut Vec<Act>) {
    let mut later = |chance: &mut Chance, what| {
        let after = chance.below(chance_span(options));
        acts.push(Act { at: at.saturating_add(after), what });
    };
    if chance.permille(300) {
        later(chance, What::Read { order });
    }
    if chance.permille(200) {
        let as_operator = chance.permille(300);
        later(chance, What::Cancel { order, as_operator });
    }
    if chance.permille(200) {
        later(chance, What::MoveOn { order });
        later(chance, What::MoveOn { order });
    }
    if chance.permille(80) {
        later(chance, What::Reuse { order });
    }
}

/// Within the same breath, or up to as long as the whole run.
fn chance_span(options: &Options) -> u64 {
    options.span.max(1_000_000)
}

fn wares(options: &Options, chance: &mut Chance, acts: &mut Vec<Act>) {
    for _ in 0..chance.index(6) {
        let product = chance.index(options.products);
        let delta = chance.one_of(1, &[2, 5, -1, -3]);
        acts.push(Act { at: chance.below(options.span), what: What::Adjust { product, delta } });
    }
    for _ in 0..chance.index(3) {
        let product = chance.index(options.products);
        acts.push(Act { at: chance.below(options.span), what: What::Reprice { product } });
    }
    for cart in 0..options.carts {
        for _ in 0..chance.index(8) {
            let product = chance.index(options.products);
            let quantity = u32::try_from(chance.between(1, 2)).unwrap_or(1);
            let what = What::AddToCart { cart, product, quantity };
            acts.push(Act { at: chance.below(options.span), what });
        }
        acts.push(Act { at: chance.below(options.span), what: What::FreeCart { cart } });
    }
}

fn faults(options: &Options, chance: &mut Chance, acts: &mut Vec<Act>) {
    let faults = &options.faults;
    let mut strike = |times: u64, what: &mut dyn FnMut(&mut Chance) -> What| {
        for _ in 0..times {
            let at = chance.below(options.span.saturating_add(1_000_000));
            let what = what(chance);
            acts.push(Act { at, what });
        }
    };
    strike(faults.crashes, &mut |chance| What::Crash {
        down_for: chance.one_of(1_000, &[500_000, 90_000_000]),
    });
    strike(faults.take_overs, &mut |_| What::TakeOver);
    strike(faults.store_outages, &mut |chance| What::StoreOutage {
        lasts: chance.one_of(300_000, &[3_000_000, 20_000_000]),
    });
    strike(faults.provider_outages, &mut |chance| What::ProviderOutage {
        lasts: chance.one_of(5_000_000, &[60_000_000, 1_200_000_000]),
    });
    strike(faults.clock_steps, &mut |chance| What::ClockStep {
        seconds: chance.one_of(70, &[-70, 3_600, -3_600, 1, -1]),
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_is_the_same_for_the_same_seed_and_in_the_order_of_time() {
        let options = Options::of(11);
        let plan = of(11, &options);
        assert_eq!(plan, of(11, &options));
        assert!(plan.is_sorted_by_key(|act| act.at));
        assert!(plan.iter().any(|act| matches!(act.what, What::Buy(_))));
    }

    #[test]
    fn a_calm_seed_has_no_faults() {
        let calm = (0..200).map(|seed| (seed, Options::of(seed)));
        let mut found = 0;
        for (seed, options) in calm.filter(|(_, options)| options.faults.declines == 0) {
            if options.faults.crashes + options.faults.take_overs == 0
                && options.faults.store_outages + options.faults.provider_outages == 0
                && options.faults.clock_steps == 0
            {
                let is_fault = |act: &Act| matches!(act.what, What::Crash { .. } | What::TakeOver);
                assert!(!of(seed, &options).iter().any(is_fault));
                found += 1;
            }
        }
        assert!(0 < found);
    }
}
