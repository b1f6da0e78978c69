//! What can happen next in the small shop, and how often it does.

use engine::order::{OrderStatus, RefundMethod};
use engine::values::PaymentMethod;
use proptest::prelude::*;

use crate::provider::Luck;
use crate::returns::{Act, RETURNS, any_act, any_refund_method};
use crate::world::{ORDERS, PRODUCTS};

/// What happens next.
#[derive(Clone, Debug)]
pub(crate) enum Turn {
    Receive {
        product: usize,
        count: i64,
    },
    Limit {
        product: usize,
        limit: Option<u32>,
    },
    Place {
        order: usize,
        items: Vec<(usize, i64)>,
        method: Option<PaymentMethod>,
        from_cart: bool,
        luck: [Luck; 2],
    },
    /// Somebody finds the cart taken and looks whether it has to be.
    FreeCart,
    Work {
        order: usize,
        pick: usize,
        luck: Luck,
        declines: bool,
    },
    Cancel {
        order: usize,
        as_operator: bool,
    },
    Move {
        order: usize,
        status: OrderStatus,
    },
    Decide {
        order: usize,
        approve: bool,
    },
    Callback {
        order: usize,
    },
    /// Somebody takes the money at the counter, or gives it back there.
    Counter {
        order: usize,
        takes: bool,
    },
    /// Everything that an order goes through until it has arrived.
    Deliver {
        order: usize,
    },
    Act {
        index: usize,
        act: Act,
        luck: Luck,
    },
    /// Everything that a return goes through, as far as it gets.
    SendBack {
        index: usize,
        units: u32,
        method: RefundMethod,
        luck: [Luck; 3],
    },
    ReturnWork {
        index: usize,
        luck: Luck,
    },
    Provider {
        is_down: bool,
    },
    Wake {
        order: usize,
    },
    Expire {
        product: usize,
    },
    /// A copy of an earlier message to the stocks arrives; nobody hears the answer.
    LateCopy {
        pick: usize,
    },
    Pass {
        seconds: u64,
    },
}

pub(crate) fn any_luck() -> impl Strategy<Value = Luck> {
    prop_oneof![
        5 => Just(Luck::Good),
        1 => Just(Luck::NotAccepted),
        1 => Just(Luck::RequestLost),
        2 => Just(Luck::AnswerLost),
        2 => (1_u64..50).prop_map(Luck::Delayed),
    ]
}

pub(crate) fn any_method() -> impl Strategy<Value = Option<PaymentMethod>> {
    prop_oneof![
        4 => Just(Some(PaymentMethod::Card)),
        1 => Just(Some(PaymentMethod::Cash)),
        1 => Just(Some(PaymentMethod::Cod)),
        2 => Just(None),
    ]
}

/// Any method, and store credit, which may be too little.
fn any_way() -> impl Strategy<Value = Option<PaymentMethod>> {
    prop_oneof![3 => any_method(), 1 => Just(Some(PaymentMethod::StoreCredit))]
}

pub(crate) fn any_items() -> impl Strategy<Value = Vec<(usize, i64)>> {
    let count = || 1_i64..3;
    prop_oneof![
        count().prop_map(|cups| vec![(0, cups)]),
        count().prop_map(|pans| vec![(1, pans)]),
        (count(), count()).prop_map(|(cups, pans)| vec![(0, cups), (1, pans)]),
    ]
}

pub(crate) fn any_turn() -> impl Strategy<Value = Turn> {
    let order = || 0..ORDERS;
    let product = || 0..PRODUCTS.len();
    let status = prop::sample::select(OrderStatus::ALL.to_vec());
    prop_oneof![
        2 => (product(), 1_i64..4).prop_map(|(product, count)| Turn::Receive { product, count }),
        1 => (product(), prop::option::weighted(0.3, 1_u32..4))
            .prop_map(|(product, limit)| Turn::Limit { product, limit }),
        8 => (order(), any_items(), any_way(), any::<bool>(), [any_luck(), any_luck()]).prop_map(
            |(order, items, method, from_cart, luck)| Turn::Place {
                order, items, method, from_cart, luck
            }
        ),
        2 => Just(Turn::FreeCart),
        20 => (order(), 0_usize..3, any_luck(), prop::bool::weighted(0.2)).prop_map(
            |(order, pick, luck, declines)| Turn::Work { order, pick, luck, declines }
        ),
        2 => (order(), any::<bool>())
            .prop_map(|(order, as_operator)| Turn::Cancel { order, as_operator }),
        3 => (order(), status).prop_map(|(order, status)| Turn::Move { order, status }),
        3 => (order(), any::<bool>())
            .prop_map(|(order, approve)| Turn::Decide { order, approve }),
        1 => order().prop_map(|order| Turn::Callback { order }),
        3 => (order(), prop::bool::weighted(0.7))
            .prop_map(|(order, takes)| Turn::Counter { order, takes }),
        8 => order().prop_map(|order| Turn::Deliver { order }),
        20 => (0..RETURNS, any_act(), any_luck())
            .prop_map(|(index, act, luck)| Turn::Act { index, act, luck }),
        12 => (0..RETURNS, 1_u32..3, any_refund_method(), [any_luck(), any_luck(), any_luck()])
            .prop_map(|(index, units, method, luck)| Turn::SendBack { index, units, method, luck }),
        8 => (0..RETURNS, any_luck()).prop_map(|(index, luck)| Turn::ReturnWork { index, luck }),
        2 => any::<bool>().prop_map(|is_down| Turn::Provider { is_down }),
        2 => order().prop_map(|order| Turn::Wake { order }),
        3 => product().prop_map(|product| Turn::Expire { product }),
        2 => any::<usize>().prop_map(|pick| Turn::LateCopy { pick }),
        5 => prop_oneof![0_u64..4, 20_u64..70, 300_u64..500, 800_u64..1_000]
            .prop_map(|seconds| Turn::Pass { seconds }),
    ]
}
