//! A cart becomes an order.

use axum::extract::State;
use axum::response::Response;
use engine::values::CartId;
use serde::Deserialize;

use super::taken::{CartLife, TakenCart};
use super::{cart_id, unknown};
use crate::access::Scope;
use crate::call::Call;
use crate::idempotency::{RequestKey, fingerprint};
use crate::problem::{Problem, ProblemBody};
use crate::routes::orders::body::OrderBody;
use crate::routes::orders::place::Placing;
use crate::routes::orders::wish::{NewAddress, NewItem, NewOrder, NewPayment};
use crate::routes::{Edge, Shared};
use crate::wire::{Json, Object, Path};

/// How a cart is checked out; what is in it is the order's content.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Checkout {
    /// How it is paid; absent: later, the units are held for a day.
    #[schema(value_type = Option<NewPayment>)]
    payment: Option<Object<NewPayment>>,
    /// Where it goes.
    #[schema(value_type = Option<NewAddress>)]
    shipping_address: Option<Object<NewAddress>>,
    /// A promo code; that of the cart when absent.
    promo_code: Option<String>,
    /// Through which channel; `api` when absent.
    channel: Option<String>,
    /// Where the receipt goes.
    email: Option<String>,
    /// What the buyer has to say about it, up to 500 characters of plain text.
    note: Option<String>,
}

/// Turns a cart into an order. The cart belongs to it from the moment at which it is placed, so it
/// becomes one order whatever the keys; after a refusal or a declined payment it is open again, and
/// another try needs another key.
#[utoipa::path(
    post, path = "/v1/carts/{id}/checkout", operation_id = "check_out_cart", tag = "carts",
    params(
        ("id" = uuid::Uuid, Path, description = "The cart"),
        ("Idempotency-Key" = Option<String>, Header,
         description = "Names the order; the cart with its present contents when absent"),
    ),
    request_body = Checkout,
    responses(
        (status = 201, description = "Placed; durable", body = OrderBody),
        (status = 202, description = "Placed; the payment is queued, or the provider is still being asked (`unpaid`); it finishes by itself", body = OrderBody),
        (status = 402, description = "The payment was declined", body = ProblemBody<'static>),
        (status = 404, description = "There is no such cart", body = ProblemBody<'static>),
        (status = 409, description = "Not enough stock, or the cart has become another order",
         body = ProblemBody<'static>),
        (status = 422, description = "Broken rules, all at once", body = ProblemBody<'static>),
    ),
)]
pub(crate) async fn checkout(
    State(edge): State<Shared>,
    call: Call,
    Path(id): Path<String>,
    key: RequestKey,
    body: Json<Checkout>,
) -> Result<Response, Problem> {
    let cart = cart_id(&id)?;
    let Checkout { payment, shipping_address, promo_code, channel, email, note } = body.0;
    let wish = NewOrder {
        customer_id: None,
        items: Vec::new(),
        payment,
        shipping_address,
        promo_code,
        cart_id: Some(cart.as_uuid()),
        channel,
        email,
        note,
    };
    check_out(&edge, &call, key, cart, wish).await
}

/// Fills `wish` from the cart and places it.
pub(crate) async fn check_out(
    edge: &Edge,
    call: &Call,
    mut key: RequestKey,
    cart: CartId,
    mut wish: NewOrder,
) -> Result<Response, Problem> {
    call.allowed(Scope::Carts)?;
    let found = edge.shop.cart(cart).await?.ok_or_else(unknown)?;
    if !key.is_from_client() {
        // Belonging to an order is no change of what is in it: a repeat finds the same key.
        key = RequestKey::composed(&format!("cart:{cart}:{}", found.contents));
    }
    // What is in the cart belongs to the cart, not to the request.
    let says = Some(fingerprint(&wish)?);
    wish.customer_id = found.customer.as_ref().map(ToString::to_string);
    // That of the request goes first.
    let own = found.promo.as_ref().map(ToString::to_string);
    wish.promo_code = wish.promo_code.or(own);
    wish.items = found
        .lines
        .iter()
        .map(|(product, quantity)| {
            Object(NewItem {
                product_id: product.to_string(),
                quantity: i64::from(quantity.units()),
                unit_price: None,
            })
        })
        .collect();
    let taken = TakenCart { cart, contents: Some(found.contents), life: CartLife::Once };
    let placing = Placing { edge, call, key: &key, trusted_price: false, says, cart: Some(taken) };
    placing.answer(&wish).await
}
