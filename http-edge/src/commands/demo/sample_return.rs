//! The return of the demo that waits for somebody to allow it (RET-16), and the order behind it.

use std::sync::Arc;

use actors::outcome::NotDone;
use engine::fraud::Vetting;
use engine::order::{
    OrderCommand, OrderRefusal, OrderStatus, Personal, PlaceOrder, Wish, WishedItem,
};
use engine::rma::{OpenReturn, ReturnCommand, ReturnLine};
use engine::values::{CustomerId, Fingerprint, PaymentMethod, ProductId, Quantity};
use tracing::{info, warn};

use super::{ACCOUNT, asking, unseeded};
use crate::commands::Failure;
use crate::idempotency::RequestKey;
use crate::shop::Shop;

/// The number of its parcel.
const NUMBER: &str = "RMA-CP3-DEMO-001";
/// What came, and comes back.
const PRODUCT: &str = "3";
/// Who bought it.
const CUSTOMER: &str = "demo-customer";

/// Puts the return into the shop, once: two mugs that were paid in cash and have arrived, one of them
/// chipped. What is there already stays as it is.
pub(super) async fn seed(shop: &Shop) -> Result<(), Failure> {
    let key = RequestKey::composed(NUMBER);
    let (order, rma) = (key.order(ACCOUNT), key.rma(ACCOUNT));
    let by: Arc<str> = "system".into();
    let (product, customer) = (ProductId::parse(PRODUCT)?, CustomerId::parse(CUSTOMER)?);
    let place = PlaceOrder {
        order,
        customer,
        channel: "web".to_owned(),
        items: vec![WishedItem::new(product.clone(), 2, None)],
        cart: None,
        payment: Some(Wish { method: PaymentMethod::Cash, token: None }),
        promo: None,
        personal: Personal::default(),
        trusted_price: false,
        policy: Arc::default(),
        vetting: Vetting::default(),
        fingerprint: Fingerprint::from_bytes([1; 16]),
        hold_for: shop.hold_for(),
        credit: None,
        held_until: None,
    };
    let placed = shop.ask_order(order, OrderCommand::Place(Box::new(place)), asking()).await;
    let Some(total) = placed.ok().and_then(|placed| Some(placed.view?.placement.amounts.total))
    else {
        // The sample is sold out or somebody else's by now.
        warn!(number = NUMBER, "the sample return could not be made");
        return Ok(());
    };
    let step = |status| OrderCommand::SetStatus { status, by: by.clone() };
    for command in [
        OrderCommand::TakePayment { amount: total, reference: None, by: by.clone() },
        step(OrderStatus::Processing),
        step(OrderStatus::Shipped),
        step(OrderStatus::Delivered),
    ] {
        match shop.ask_order(order, command, asking()).await {
            // A repeat of an earlier step, in a shop that has been open before.
            Ok(_) | Err(NotDone::Refused(OrderRefusal::InvalidTransition { .. })) => {}
            Err(error) => return Err(unseeded("return", &error)),
        }
    }
    let reason = "one of them came chipped".to_owned();
    let open = OpenReturn {
        id: rma,
        order,
        customer: None,
        lines: vec![ReturnLine { product, quantity: Quantity::new(1), reason }],
        note: None,
        number: Some(NUMBER.to_owned()),
        within: shop.return_window(),
        by,
        fingerprint: Fingerprint::from_bytes([1; 16]),
        answer: None,
    };
    match shop.ask_return(rma, ReturnCommand::Open(Box::new(open)), asking()).await {
        Ok(opened) => {
            info!(made = opened.changed, number = NUMBER, %rma, "the sample return is there");
        }
        Err(error) => return Err(unseeded("return", &error)),
    }
    Ok(())
}
