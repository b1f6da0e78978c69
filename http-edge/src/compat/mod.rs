//! Routes of older installations, mapped to the same commands. They take and give decimal numbers.
//!
//! A user has one cart for ever, named after the user; a checkout empties it.

mod paying;

use actors::outcome::Accepted;
use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{delete, get, post, put};
use engine::cart::{CART_LINES_MAX, Cart, CartCommand, LINE_UNITS_MAX, OpenCart};
use engine::values::{CartId, CustomerId, Money, ProductId, Quantity};
use http::header::CONTENT_LENGTH;
use http::{Method, Uri};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tokio::time::timeout_at;

use crate::access::Scope;
use crate::call::{Call, Fresh};
use crate::idempotency::{RequestKey, fingerprint};
use crate::problem::{Code, FieldError, Problem};
use crate::query::Query;
use crate::reply::Reply;
use crate::routes::carts::once;
use crate::routes::carts::taken::{CartLife, TakenCart, ask_free, free};
use crate::routes::orders::place::{Placing, replay};
use crate::routes::orders::wish::{NewItem, NewOrder, NewPayment};
use crate::routes::orders::{life, list, read};
use crate::routes::products::unknown;
use crate::routes::{Edge, Shared, products, returns};
use crate::wire::{
    Json, JsonText, MoneyBody, Object, Path, Texts, amount, parse, parse_list, with_decimals,
};

/// Largest answer that is rewritten: a full page of full orders.
const REWRITTEN_MAX: usize = 32 * 1_024 * 1_024;

/// The routes that take a body.
pub(crate) const WITH_BODY: [(Method, &str); 6] = [
    (Method::POST, "/orders"),
    (Method::POST, "/orders/"),
    (Method::PUT, "/orders/{id}/status"),
    (Method::POST, "/orders/{id}/payment"),
    (Method::POST, "/returns"),
    (Method::POST, "/checkout"),
];

/// The routes.
pub(crate) fn router() -> Router<Shared> {
    let written = axum::middleware::map_response(decimals);
    Router::new()
        .route("/orders", post(place).get(list::list))
        .route("/orders/", post(place).get(list::list))
        .route("/orders/{id}", get(read).delete(life::delete))
        .route("/orders/{id}/status", put(life::set_status))
        .route("/orders/{id}/payment", post(paying::pay_order))
        .route("/pay", post(paying::pay))
        .route("/returns", get(returns::list).post(returns::open))
        .route("/returns/{id}", get(returns::read))
        .route("/products", get(products::list))
        .route("/cart/{user_id}", get(read_cart))
        .route("/cart/{user_id}/add", post(add))
        .route("/cart/{user_id}/clear", delete(clear))
        .route("/checkout", post(check_out))
        .route_layer(written)
}

/// Rewrites a canonical body; problems come later and stay as they are.
async fn decimals(response: Response) -> Result<Response, Problem> {
    if !response.status().is_success() {
        return Ok(response);
    }
    let (mut head, body) = response.into_parts();
    let unreadable = || Problem::new(Code::Internal, "the answer could not be rewritten");
    let body = axum::body::to_bytes(body, REWRITTEN_MAX).await.map_err(|_| unreadable())?;
    let mut body: Value = serde_json::from_slice(&body).map_err(|_| unreadable())?;
    name_currency(&mut body);
    head.headers.remove(CONTENT_LENGTH);
    Ok(Response::from_parts(head, Body::from(with_decimals(&body))))
}

/// Decimals have lost their currency; every order, product and cart names its own.
fn name_currency(body: &mut Value) {
    if let Some(items) = body.get_mut("items").and_then(Value::as_array_mut) {
        items.iter_mut().for_each(name_currency);
    }
    let money = ["total", "price", "unit_price"].iter().find_map(|name| body.get(name));
    let currency = money.and_then(|money| money.get("currency")).cloned();
    if let (Some(currency), Some(fields)) = (currency, body.as_object_mut()) {
        fields.entry("currency").or_insert(currency);
    }
}

/// An id that may be a number.
#[derive(Deserialize)]
#[serde(untagged)]
enum AnyId {
    Text(String),
    Number(u64),
}

impl From<AnyId> for String {
    fn from(id: AnyId) -> Self {
        match id {
            AnyId::Text(text) => text,
            AnyId::Number(number) => number.to_string(),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OldItem {
    product_id: AnyId,
    quantity: i64,
    #[serde(alias = "price")]
    unit_price: Option<Box<RawValue>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OldOrder {
    #[serde(alias = "user_id")]
    customer_id: Option<AnyId>,
    items: Vec<Object<OldItem>>,
    payment: Option<Object<NewPayment>>,
}

/// Places an order: an object, or a list of items with the user in the address.
async fn place(
    State(edge): State<Shared>,
    call: Call,
    uri: Uri,
    key: RequestKey,
    body: JsonText,
) -> Result<Response, Problem> {
    call.allowed(Scope::Orders)?;
    let mut query = Query::of(&uri, &["user_id"])?;
    let user = query.read("user_id", "an id", |text| Some(text.to_owned()));
    query.finish()?;
    let is_list = body.0.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[');
    let order = if is_list {
        OldOrder { customer_id: None, items: parse_list(&body.0)?, payment: None }
    } else {
        parse(&body.0)?
    };
    // What is refused for its length is not looked up, and nobody looks for longer than the caller has.
    let looks_up = order.items.len() <= CART_LINES_MAX;
    let mut items = Vec::with_capacity(order.items.len().min(64));
    for (index, Object(item)) in order.items.into_iter().enumerate().take(1_000) {
        let item = timeout_at(call.deadline, new_item(&edge, index, item, looks_up)).await;
        let late = |_| Problem::new(Code::Unavailable, "the products cannot be read in time");
        items.push(Object(item.map_err(late)??));
    }
    let customer = order.customer_id.map(String::from).or(user);
    let wish = wish(customer, items, order.payment);
    let (call, key) = (&call, &key);
    Placing { edge: &edge, call, key, trusted_price: false, says: None, cart: None }
        .answer(&wish)
        .await
}

fn wish(
    customer_id: Option<String>,
    items: Vec<Object<NewItem>>,
    payment: Option<Object<NewPayment>>,
) -> NewOrder {
    NewOrder {
        customer_id,
        items,
        payment,
        shipping_address: None,
        promo_code: None,
        cart_id: None,
        channel: None,
        email: None,
        note: None,
    }
}

/// An item in its canonical form: the decimal is read in the currency of the product.
async fn new_item(
    edge: &Edge,
    index: usize,
    item: OldItem,
    looks_up: bool,
) -> Result<NewItem, Problem> {
    let product_id = String::from(item.product_id);
    let mut unit_price = None;
    if let Some(text) = item.unit_price
        && looks_up
        && let Ok(product) = ProductId::parse(&product_id)
        && let Some((listing, _)) = edge.shop.product(&product).await?
    {
        let price = amount(&text, listing.price.currency()).ok_or_else(|| {
            let message = "not an amount in the currency of the product";
            let hint = "Send a decimal number such as 19.99.";
            let field = format!("items[{index}].unit_price");
            Problem::invalid(vec![FieldError::new(field, "invalid_value", message, hint)])
        })?;
        unit_price = Some(Object(MoneyBody::from(price)));
    }
    Ok(NewItem { product_id, quantity: item.quantity, unit_price })
}

/// The cart of a user, and whose it is.
fn cart_of(call: &Call, user: &str) -> Result<(CartId, CustomerId), Problem> {
    let account = &call.allowed(Scope::Carts)?.account;
    let mut texts = Texts::default();
    let customer = texts.customer(user);
    texts.finish()?;
    let unknown = || Problem::new(Code::NotFound, "there is no such user");
    let customer = customer.ok_or_else(unknown)?;
    Ok((RequestKey::composed(&format!("user:{user}")).cart(account), customer))
}

/// What is in the cart of a user; a cart that nobody has filled is empty.
async fn read_cart(
    State(edge): State<Shared>,
    call: Call,
    Path(user): Path<String>,
    fresh: Fresh,
) -> Result<Response, Problem> {
    let (cart, _) = cart_of(&call, &user)?;
    edge.shop.wait_for(fresh).await?;
    let found = edge.shop.cart(cart).await?;
    let body = cart_body(&edge, &user, found.as_deref()).await?;
    Ok(Reply::ok(&body).into_response())
}

/// A cart with its prices of now. What cannot be added up has no total.
async fn cart_body(edge: &Edge, user: &str, cart: Option<&OpenCart>) -> Result<Value, Problem> {
    let mut items = Vec::new();
    let mut prices = Vec::new();
    for (product, quantity) in cart.iter().flat_map(|cart| &cart.lines) {
        let found = edge.shop.product(product).await?;
        let price = found.map(|(listing, _)| listing.price);
        let unit_price = price.map(MoneyBody::from);
        items.push(json!({"product_id": product, "quantity": quantity, "unit_price": unit_price}));
        prices.push(price.and_then(|price| price.times(*quantity).ok()));
    }
    let total = total(&prices).map(MoneyBody::from);
    Ok(json!({"user_id": user, "items": items, "total": total}))
}

/// The sum, if all of it can be added up.
fn total(prices: &[Option<Money>]) -> Option<Money> {
    let prices: Option<Vec<Money>> = prices.iter().copied().collect();
    Money::sum(prices?).ok().flatten()
}

/// Answers a change of a user's cart that is durable already.
async fn changed(
    edge: &Edge,
    user: &str,
    key: &RequestKey,
    change: &Accepted<Cart>,
    done: &str,
) -> Result<Response, Problem> {
    let body = cart_body(edge, user, change.view.as_deref()).await;
    let body = body.map_err(|problem| problem.after(done))?;
    Ok(Reply::ok(&body).standing(change).replayed(key.replayed(change)).into_response())
}

/// Adds units of a product to the cart of a user.
async fn add(
    State(edge): State<Shared>,
    call: Call,
    Path(user): Path<String>,
    uri: Uri,
    key: RequestKey,
) -> Result<Response, Problem> {
    let (cart, customer) = cart_of(&call, &user)?;
    let mut query = Query::of(&uri, &["product_id", "quantity"])?;
    let product = query.read("product_id", "a product id", |text| ProductId::parse(text).ok());
    let units = query.number("quantity", 1, u64::from(LINE_UNITS_MAX)).unwrap_or(1);
    let quantity = Quantity::new(u32::try_from(units).unwrap_or(u32::MAX));
    query.finish()?;
    let product = product.ok_or_else(unknown)?;
    edge.shop.product(&product).await?.ok_or_else(unknown)?;
    let says = ("add", &product, quantity);
    let add = CartCommand::AddUnits { product: product.clone(), quantity };
    let add = once(&call, &key, &says, add)?;
    let filled = change(&edge, &call, &key, (cart, customer), add).await?;
    changed(&edge, &user, &key, &filled, "the units are in the cart").await
}

/// Empties the cart of a user.
async fn clear(
    State(edge): State<Shared>,
    call: Call,
    Path(user): Path<String>,
    key: RequestKey,
) -> Result<Response, Problem> {
    let cart = cart_of(&call, &user)?;
    let clear = once(&call, &key, &"clear", CartCommand::Clear)?;
    let cleared = change(&edge, &call, &key, cart, clear).await?;
    changed(&edge, &user, &key, &cleared, "the cart was emptied").await
}

/// Changes the cart of a user, which is opened when nobody has used it before.
async fn change(
    edge: &Edge,
    call: &Call,
    key: &RequestKey,
    (cart, customer): (CartId, CustomerId),
    command: CartCommand,
) -> Result<Accepted<Cart>, Problem> {
    let asking = call.asking(Some(key), None);
    let open = CartCommand::Open { cart, customer: Some(customer) };
    ask_free(edge, call, cart, open, asking.clone(), CartLife::Again).await?;
    ask_free(edge, call, cart, command, asking, CartLife::Again).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OldCheckout {
    #[serde(alias = "user_id")]
    customer_id: AnyId,
    payment: Option<Object<NewPayment>>,
}

/// Turns the cart of a user into an order, and empties it. Without a key of the client the cart
/// with its present contents is the key.
async fn check_out(
    State(edge): State<Shared>,
    call: Call,
    key: RequestKey,
    body: Json<OldCheckout>,
) -> Result<Response, Problem> {
    let user = String::from(body.0.customer_id);
    let (cart, _) = cart_of(&call, &user)?;
    let account = &call.allowed(Scope::Orders)?.account;
    let says = fingerprint(&("checkout", &user, &body.0.payment))?;
    if key.is_from_client()
        // The first try has emptied the cart; its order is the answer to all others.
        && let placed = edge.shop.order_as_it_stands(key.order(account)).await?
        && placed.view.is_some()
    {
        return replay(&placed, says);
    }
    let mut found = edge.shop.cart(cart).await?;
    // An order before may have left it as it was.
    if let Some(order) = found.as_ref().and_then(|cart| cart.ordered_as)
        && order != checkout_key(&key, cart, found.as_deref()).order(account)
        && free(&edge, &call, cart, order, CartLife::Again).await?
    {
        found = edge.shop.cart(cart).await?;
    }
    let key = checkout_key(&key, cart, found.as_deref());
    let lines = found.iter().flat_map(|cart| &cart.lines).map(|(product, quantity)| {
        let (product_id, quantity) = (product.to_string(), i64::from(quantity.units()));
        Object(NewItem { product_id, quantity, unit_price: None })
    });
    let wish = wish(Some(user), lines.collect(), body.0.payment);
    let contents = found.as_ref().map(|cart| cart.contents);
    let taken = Some(TakenCart { cart, contents, life: CartLife::Again });
    let (call, key, says) = (&call, &key, Some(says));
    let placing = Placing { edge: &edge, call, key, trusted_price: false, says, cart: taken };
    placing.answer(&wish).await
}

fn checkout_key(key: &RequestKey, cart: CartId, found: Option<&OpenCart>) -> RequestKey {
    if key.is_from_client() {
        return key.clone();
    }
    let contents = found.map_or(0, |cart| cart.contents);
    RequestKey::composed(&format!("user-cart:{cart}:{contents}"))
}
