//! What judging an order costs: every rule and every suspicion, and the whole decision around them;
//! and what a quote costs, with a promo code and without.
//!
//! Prints µs for each; run with `cargo bench -p engine`.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a tool for people, not a service"
)]

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use engine::catalog::{Listing, ProductStatus};
use engine::fraud::{Counted, FraudPolicy, Pace, Vetting};
use engine::order::{
    HOLD_FIRST, Order, OrderCommand, OrderState, Personal, PlaceOrder, Wish, WishedItem,
};
use engine::pricing;
use engine::process::{Answer, Intent};
use engine::promo::{NewPromo, OpenPromo, Rebate};
use engine::validation::{Policy, Region, usable};
use engine::values::{
    Currency, CustomerId, Fingerprint, Moment, Money, OrderId, PaymentMethod, PaymentToken,
    PostalAddress, ProductId, PromoCode, Quantity,
};
use engine::{Aggregate as _, Step};
use uuid::Uuid;

const ROUNDS: u32 = 200_000;

fn main() {
    for (name, items, is_full) in [
        ("plain, 1 item", 1, false),
        ("everything said, 1 item", 1, true),
        ("everything said, 50 items", 50, true),
    ] {
        let command = ready(place(items, is_full));
        let OrderCommand::Place(place) = &command else { return };
        let rules = per_round(|| {
            black_box(engine::validation::request(black_box(place)));
            black_box(engine::validation::listings(black_box(place), Moment::default()));
        });
        let suspicions = per_round(|| {
            black_box(engine::fraud::suspicions(black_box(place), Moment::default()));
        });
        let nothing = OrderState::default();
        let decision = per_round(|| {
            black_box(Order::decide(&nothing, black_box(&command), Moment::default()).unwrap());
        });
        println!(
            "{name}: all rules {rules:.2} µs, all suspicions {suspicions:.2} µs, \
             the whole decision {decision:.2} µs"
        );
    }
    let promo = fifteen_percent();
    for items in [1, 50] {
        let listed: Vec<Listing> =
            place(items, false).items.iter().map(|item| listing(&item.product)).collect();
        let plain = per_round(|| {
            black_box(quoted(black_box(&listed), None));
        });
        let under_code = per_round(|| {
            black_box(quoted(black_box(&listed), Some(black_box(&promo))));
        });
        println!("quote, {items} lines: {plain:.2} µs, with a promo code {under_code:.2} µs");
    }
}

/// What a quote works out: the price of each line, and what a promo code takes off it.
fn quoted(listed: &[Listing], promo: Option<&OpenPromo>) -> Money {
    let (at, count) = (Moment::default(), Quantity::new(2));
    let line = |listing, rebate| pricing::line(listing, count, None, at, rebate).unwrap();
    let sum = |one: Money, other: Money| one.checked_add(other).unwrap();
    let rebates = promo.map_or_else(Vec::new, |promo| {
        let goods = listed.iter().map(|listing| line(listing, None).goods().unwrap());
        let goods: Vec<Money> = goods.collect();
        let all = goods.iter().copied().reduce(sum);
        assert!(usable(promo, all, at).is_empty(), "a code that is good");
        promo.made.rebate.spread(&goods).unwrap()
    });
    let mut rebates = rebates.into_iter();
    let totals = listed.iter().map(|listing| line(listing, rebates.next()).amounts.total);
    totals.reduce(sum).unwrap()
}

fn fifteen_percent() -> OpenPromo {
    let made = NewPromo {
        code: PromoCode::parse("SPRING").unwrap(),
        rebate: Rebate::PercentBps(1_500),
        minimum: Some(Money::new(1, Currency::PHP)),
        starts_at: None,
        ends_at: None,
        uses_max: None,
        uses_per_customer: None,
    };
    let at = Moment::default();
    OpenPromo { made, is_active: true, created_at: at, updated_at: at, version: 1 }
}

fn listing(product: &ProductId) -> Listing {
    Listing {
        product: product.clone(),
        name: product.to_string(),
        price: Money::new(1_999, Currency::PHP),
        status: ProductStatus::Active,
        version: 1,
        pictures: Arc::default(),
        terms: None,
    }
}

fn per_round(mut work: impl FnMut()) -> f64 {
    let began = Instant::now();
    for _ in 0..ROUNDS {
        work();
    }
    began.elapsed().as_secs_f64() * 1e6 / f64::from(ROUNDS)
}

fn place(items: usize, is_full: bool) -> PlaceOrder {
    let address = PostalAddress {
        name: "Juan dela Cruz".to_owned(),
        lines: vec!["12 Mabini St".to_owned(), "Poblacion".to_owned()],
        city: "Makati".to_owned(),
        postal_code: Some("1200".to_owned()),
        country: "PH".to_owned(),
        phone: Some("0917 123 4567".to_owned()),
    };
    let personal = Personal {
        shipping_address: Some(address),
        email: Some("juan@example.com".to_owned()),
        note: Some("Please ring twice; the dog is friendly.".to_owned()),
        ..Personal::default()
    };
    let fraud = FraudPolicy {
        cod_limit: Some(Money::new(5_000_000, Currency::PHP)),
        first_order_limit: Some(Money::new(5_000_000, Currency::PHP)),
        pace: Some(Pace { orders: 20, within: Duration::from_mins(10) }),
        address_mismatch: true,
    };
    let counted = Some(Counted { recent: 1, has_earlier: true });
    let item = |number| WishedItem::new(ProductId::parse(&format!("p-{number}")).unwrap(), 2, None);
    PlaceOrder {
        order: OrderId::new(Uuid::from_u128(1)),
        customer: CustomerId::parse("customer-17").unwrap(),
        channel: "web".to_owned(),
        items: (0..items).map(item).collect(),
        cart: None,
        payment: Some(Wish {
            method: PaymentMethod::Card,
            token: Some(PaymentToken::new("tok_ok")),
        }),
        promo: None,
        personal: if is_full { personal } else { Personal::default() },
        trusted_price: false,
        policy: Arc::new(Policy {
            region: if is_full { Region::Philippines } else { Region::Generic },
            fraud: if is_full { fraud } else { FraudPolicy::default() },
            ..Policy::default()
        }),
        vetting: Vetting { is_named: true, counted, was_asked: true, is_trusted: None },
        fingerprint: Fingerprint::from_bytes([1; 16]),
        hold_for: HOLD_FIRST,
        credit: None,
        held_until: None,
    }
}

/// The command with every need answered.
fn ready(place: PlaceOrder) -> OrderCommand {
    let mut command = OrderCommand::Place(Box::new(place));
    let nothing = OrderState::default();
    while let Step::Needs(needs) = Order::next_step(&nothing, &command, Moment::default()) {
        for need in needs {
            let answer = match &need {
                Intent::Lookup { product } => Answer::Listing(Some(listing(product))),
                _ => Answer::StockDone,
            };
            Order::supply(&mut command, &need, answer);
        }
    }
    command
}
