//! Carts: opened, filled, read; turned into orders in `checkout`.

pub mod checkout;
pub mod merge;
pub mod promo;
pub mod quote;
pub(crate) mod taken;

use axum::extract::State;
use axum::response::Response;
use engine::cart::{CartCommand, LINE_UNITS_MAX, OpenCart};
use engine::values::{CartId, CustomerId, OrderId, ProductId, PromoCode, Quantity};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use self::taken::{CartLife, ask_free};
use super::{Edge, Shared};
use crate::access::Scope;
use crate::call::{Call, Fresh};
use crate::idempotency::{RequestKey, remembered};
use crate::problem::{Code, FieldError, Problem, ProblemBody};
use crate::reply::Reply;
use crate::wire::{Instant, Json, Path, Texts, instant};

/// There is no such cart.
pub(crate) fn unknown() -> Problem {
    Problem::new(Code::NotFound, "there is no such cart")
}

fn cart_id(text: &str) -> Result<CartId, Problem> {
    Uuid::try_parse(text).map(CartId::new).map_err(|_| unknown())
}

/// A cart. It promises no stock.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Cart)]
pub(crate) struct CartBody<'a> {
    /// Named by the idempotency key under which it was opened.
    #[schema(value_type = Uuid)]
    id: CartId,
    /// Whose it is, if anybody said so.
    #[schema(value_type = Option<String>)]
    customer_id: Option<&'a CustomerId>,
    /// What is in it, by product.
    items: Vec<CartItem<'a>>,
    /// The promo code that its order is to use.
    promo_code: Option<&'a str>,
    /// The cart that has its lines since it was merged; it never changes again.
    #[schema(value_type = Option<Uuid>)]
    merged_into: Option<CartId>,
    /// The order that it belongs to.
    #[schema(value_type = Option<Uuid>)]
    order_id: Option<OrderId>,
    /// When it was opened.
    #[schema(value_type = String, format = DateTime)]
    created_at: Instant,
    /// When it last changed.
    #[schema(value_type = String, format = DateTime)]
    updated_at: Instant,
    /// Counts the changes.
    version: u64,
}

/// One line of a cart.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct CartItem<'a> {
    /// Which product.
    #[schema(value_type = String)]
    product_id: &'a ProductId,
    /// How many units.
    quantity: u32,
}

impl<'a> From<&'a OpenCart> for CartBody<'a> {
    fn from(cart: &'a OpenCart) -> Self {
        let items = cart
            .lines
            .iter()
            .map(|(product_id, quantity)| CartItem { product_id, quantity: quantity.units() });
        Self {
            id: cart.id,
            customer_id: cart.customer.as_ref(),
            items: items.collect(),
            promo_code: cart.promo.as_ref().map(PromoCode::as_str),
            merged_into: cart.joined,
            order_id: cart.ordered_as,
            created_at: instant(cart.created_at),
            updated_at: instant(cart.updated_at),
            version: cart.version,
        }
    }
}

/// A new cart.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewCart {
    /// Whose it is.
    customer_id: Option<String>,
}

/// Opens a cart. The same `Idempotency-Key` always names the same cart.
#[utoipa::path(
    post, path = "/v1/carts", operation_id = "open_cart", tag = "carts",
    params(("Idempotency-Key" = Option<String>, Header, description = "Names the cart")),
    request_body = NewCart,
    responses(
        (status = 201, description = "Opened", body = CartBody<'static>),
        (status = 422, description = "A field cannot be used, or the key was used before",
         body = ProblemBody<'static>),
    ),
)]
pub(crate) async fn open(
    State(edge): State<Shared>,
    call: Call,
    key: RequestKey,
    body: Json<NewCart>,
) -> Result<Response, Problem> {
    let account = &call.allowed(Scope::Carts)?.account;
    let mut texts = Texts::default();
    let customer = body.0.customer_id.as_deref().and_then(|text| texts.customer(text));
    texts.finish()?;
    let cart = key.cart(account);
    let command = CartCommand::Open { cart, customer };
    let opened = edge.shop.ask_cart(cart, command, call.asking(Some(&key), None)).await?;
    let view = opened.view.as_deref().ok_or_else(unknown)?;
    Ok(Reply::new(StatusCode::CREATED, &CartBody::from(view))
        .location("/v1/carts", cart)
        .standing(&opened)
        .replayed(key.replayed(&opened))
        .into_response())
}

/// One cart.
#[utoipa::path(
    get, path = "/v1/carts/{id}", operation_id = "get_cart", tag = "carts",
    params(
        ("id" = Uuid, Path, description = "The cart"),
        ("x-min-position" = Option<String>, Header, description = "At least this fresh"),
    ),
    responses(
        (status = 200, description = "The cart", body = CartBody<'static>),
        (status = 404, description = "There is no such cart", body = ProblemBody<'static>),
    ),
)]
pub(crate) async fn read(
    State(edge): State<Shared>,
    call: Call,
    Path(id): Path<String>,
    fresh: Fresh,
) -> Result<Response, Problem> {
    call.allowed(Scope::Carts)?;
    let id = cart_id(&id)?;
    edge.shop.wait_for(fresh).await?;
    let cart = edge.shop.cart(id).await?.ok_or_else(unknown)?;
    Ok(Reply::ok(&CartBody::from(&*cart)).etag(cart.version).into_response())
}

/// How many units of a product are in a cart.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CartLine)]
pub(crate) struct LineBody {
    /// Units, 1 to 100.
    quantity: i64,
}

/// Makes the line of a product have so many units.
#[utoipa::path(
    put, path = "/v1/carts/{id}/items/{product_id}", operation_id = "put_cart_line", tag = "carts",
    params(
        ("id" = Uuid, Path, description = "The cart"),
        ("product_id" = String, Path, description = "The product"),
        ("Idempotency-Key" = Option<String>, Header,
         description = "Names the change; the cart remembers the last 64, so that a late repeat does not bring an old line back"),
    ),
    request_body = LineBody,
    responses(
        (status = 200, description = "The cart as it is now", body = CartBody<'static>),
        (status = 404, description = "There is no such cart", body = ProblemBody<'static>),
        (status = 409, description = "The cart has become an order", body = ProblemBody<'static>),
        (status = 422, description = "The line cannot be like that, or the key was used before",
         body = ProblemBody<'static>),
    ),
)]
pub(crate) async fn put_line(
    State(edge): State<Shared>,
    call: Call,
    Path((id, product)): Path<(String, String)>,
    key: RequestKey,
    body: Json<LineBody>,
) -> Result<Response, Problem> {
    let id = cart_id(&id)?;
    let quantity = line_units(body.0.quantity)?;
    let product = known_product(&edge, &product).await?;
    let says = ("put", &product, quantity);
    let command = CartCommand::SetLine { product: product.clone(), quantity };
    change(&edge, &call, &key, id, once(&call, &key, &says, command)?).await
}

/// Takes the line of a product away.
#[utoipa::path(
    delete, path = "/v1/carts/{id}/items/{product_id}", operation_id = "remove_cart_line", tag = "carts",
    params(
        ("id" = Uuid, Path, description = "The cart"),
        ("product_id" = String, Path, description = "The product"),
        ("Idempotency-Key" = Option<String>, Header,
         description = "Names the change, as in the PUT"),
    ),
    responses(
        (status = 200, description = "The cart as it is now", body = CartBody<'static>),
        (status = 404, description = "There is no such cart", body = ProblemBody<'static>),
        (status = 409, description = "The cart has become an order", body = ProblemBody<'static>),
        (status = 422, description = "The key was used before", body = ProblemBody<'static>),
    ),
)]
pub(crate) async fn remove_line(
    State(edge): State<Shared>,
    call: Call,
    Path((id, product)): Path<(String, String)>,
    key: RequestKey,
) -> Result<Response, Problem> {
    let id = cart_id(&id)?;
    let product = super::products::product_id(&product)?;
    let says = ("delete", &product);
    let command = CartCommand::SetLine { product: product.clone(), quantity: Quantity::ZERO };
    change(&edge, &call, &key, id, once(&call, &key, &says, command)?).await
}

/// A change of a cart that is done once for a key of the client; without one it is done as it is.
pub(crate) fn once(
    call: &Call,
    key: &RequestKey,
    says: &impl Serialize,
    command: CartCommand,
) -> Result<CartCommand, Problem> {
    let account = &call.allowed(Scope::Carts)?.account;
    let request = key.request(account, says)?;
    Ok(remembered(request, command, |request, command| CartCommand::Once { request, command }))
}

async fn change(
    edge: &Edge,
    call: &Call,
    key: &RequestKey,
    id: CartId,
    command: CartCommand,
) -> Result<Response, Problem> {
    call.allowed(Scope::Carts)?;
    let asking = call.asking(Some(key), None);
    let changed = ask_free(edge, call, id, command, asking, CartLife::Once).await?;
    let view = changed.view.as_deref().ok_or_else(unknown)?;
    Ok(Reply::ok(&CartBody::from(view))
        .etag(view.version)
        .standing(&changed)
        .replayed(key.replayed(&changed))
        .into_response())
}

/// Units of one line.
fn line_units(quantity: i64) -> Result<Quantity, Problem> {
    let units = u32::try_from(quantity).ok().filter(|units| (1..=LINE_UNITS_MAX).contains(units));
    units.map(Quantity::new).ok_or_else(|| {
        Problem::invalid(vec![FieldError::new(
            "quantity",
            "out_of_range",
            format!("the quantity is not one of 1 to {LINE_UNITS_MAX}"),
            "Choose a quantity from 1 to 100; DELETE takes the line away.",
        )])
    })
}

/// A product that is in the catalogue.
async fn known_product(edge: &Edge, text: &str) -> Result<ProductId, Problem> {
    if let Ok(product) = ProductId::parse(text)
        && edge.shop.product(&product).await?.is_some()
    {
        return Ok(product);
    }
    Err(Problem::invalid(vec![FieldError::new(
        "product_id",
        "unknown_product",
        "there is no such product",
        "Check the product id against the catalogue.",
    )]))
}
