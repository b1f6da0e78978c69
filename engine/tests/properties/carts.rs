//! Carts: bounded, and unchanged once they became an order.

use engine::Aggregate;
use engine::cart::{CART_LINES_MAX, Cart, CartCommand, CartEvent, CartState, LINE_UNITS_MAX};
use engine::ledger::{Ledger, LedgerEvent};
use engine::values::{
    CartId, CustomerId, Fingerprint, KeyedRequest, Moment, OrderId, ProductId, Quantity,
};
use proptest::prelude::*;
use uuid::Uuid;

use crate::entry;

const fn order(number: u128) -> OrderId {
    OrderId::new(Uuid::from_u128(number))
}

fn any_command() -> impl Strategy<Value = CartCommand> {
    let product = (0_u32..60).prop_map(|n| ProductId::parse(&format!("p{n}")).unwrap());
    let quantity = prop_oneof![0_u32..4, LINE_UNITS_MAX - 1..LINE_UNITS_MAX + 2];
    let customer = prop::option::of(Just(CustomerId::parse("alice").unwrap()));
    prop_oneof![
        1 => customer.prop_map(|customer| {
            CartCommand::Open { cart: CartId::new(Uuid::from_u128(1)), customer }
        }),
        80 => (product, quantity).prop_map(|(product, quantity)| {
            CartCommand::SetLine { product, quantity: Quantity::new(quantity) }
        }),
        20 => (0_u32..60, 0_u32..40).prop_map(|(n, units)| CartCommand::AddUnits {
            product: ProductId::parse(&format!("p{n}")).unwrap(),
            quantity: Quantity::new(units),
        }),
        20 => (0_u128..9, 0_u32..60, 0_u32..40).prop_map(|(key, n, units)| CartCommand::Once {
            request: KeyedRequest {
                key: Uuid::from_u128(key),
                fingerprint: Fingerprint::from_bytes([0; 16]),
            },
            command: Box::new(CartCommand::AddUnits {
                product: ProductId::parse(&format!("p{n}")).unwrap(),
                quantity: Quantity::new(units),
            }),
        }),
        1 => Just(CartCommand::Clear),
        3 => (0_u128..2, prop::option::of(0_u64..300)).prop_map(|(n, contents)| {
            CartCommand::CheckOut { order: order(n), contents }
        }),
        1 => (0_u128..2).prop_map(|n| CartCommand::Reopen { order: order(n) }),
        1 => (0_u128..2).prop_map(|n| CartCommand::Empty { order: order(n) }),
        1 => (0_u128..2).prop_map(|n| CartCommand::Abandon { order: order(n) }),
    ]
}

proptest! {
    #[test]
    fn a_cart_stays_within_its_limits_and_is_unchanged_while_it_belongs_to_an_order(
        commands in prop::collection::vec(any_command(), 1..300),
    ) {
        let open = CartCommand::Open { cart: CartId::new(Uuid::from_u128(1)), customer: None };
        let mut cart = CartState::default();
        let mut ledger = Ledger::default();
        let mut history: Vec<(CartEvent, Moment)> = Vec::new();
        for (tick, command) in (0_i64..).zip(std::iter::once(open).chain(commands)) {
            // A claim that nobody renews runs out after a few commands.
            let now = Moment::from_unix_micros(tick * 20_000_000);
            let before = cart.clone();
            let Ok(events) = Cart::decide(&cart, &command, now) else { continue };
            for event in events {
                Cart::evolve(&mut cart, &event, now);
                history.push((event, now));
                let version = u64::try_from(history.len())?;
                let event = LedgerEvent::Cart(&history.last().unwrap().0);
                prop_assert_eq!(ledger.book(&entry("cart/1", version, now, event)), Ok(()));
            }

            let view = Cart::view(&cart).unwrap();
            // CART-A
            prop_assert!(view.lines.len() <= CART_LINES_MAX);
            prop_assert!(view.lines.values().all(|count| (1..=LINE_UNITS_MAX).contains(&count.units())));
            // CART-B
            if before.0.is_some_and(|open| open.ordered_as.is_some() && open.lines != view.lines) {
                let is_emptied = matches!(command, CartCommand::Empty { .. });
                prop_assert!(is_emptied, "changed by {:?}", command);
            }
            if !matches!(command, CartCommand::AddUnits { .. }) {
                prop_assert_eq!(Cart::decide(&cart, &command, now), Ok(vec![]), "a repeat is free");
            }
            if let CartCommand::SetLine { product, quantity } = &command {
                prop_assert_eq!(view.lines.get(product).copied().unwrap_or_default(), *quantity);
            }
        }
        let history_again = history.iter().map(|(event, at)| (event, *at));
        prop_assert_eq!(&Cart::replay(history_again), &cart);
        let json = serde_json::to_string(&cart)?;
        prop_assert_eq!(serde_json::from_str::<CartState>(&json)?, cart);
    }
}
