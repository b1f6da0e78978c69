//! Products: listed, read, created, changed; their stock is in `stock`.

pub mod body;
pub mod media;
pub mod stock;
pub mod terms;

use actors::outcome::NotDone;
use actors::reads::stock_view;
use axum::extract::State;
use axum::response::Response;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use engine::catalog::{Listing, ProductCommand, ProductStatus};
use engine::inventory::{InventoryCommand, InventoryRefusal, StockView};
use engine::values::{KeyedRequest, Money, ProductId};
use http::{StatusCode, Uri};
use serde::{Deserialize, Serialize};

use self::body::{ProductBody, ProductPage};
use super::{Edge, Shared};
use crate::access::Scope;
use crate::call::{Call, Fresh};
use crate::idempotency::{RequestKey, first_delivery, remembered};
use crate::problem::{Code, FieldError, Problem, ProblemBody};
use crate::query::Query;
use crate::reply::Reply;
use crate::wire::{Json, MoneyBody, Object, Path, Texts};

/// Longest name, in bytes.
const NAME_MAX: usize = 200;
/// Entries of a page when nobody says how many.
const LIMIT: u32 = 100;
/// Most entries of a page.
const LIMIT_MAX: u32 = 1_000;
/// Why the first units came.
const FIRST_DELIVERY: &str = "first delivery";
/// What is done about a new product before its first delivery.
const OFFERED: &str = "the product is offered";

/// There is no such product.
pub(crate) fn unknown() -> Problem {
    Problem::new(Code::NotFound, "there is no such product")
}

/// An id in a path. Whatever cannot be an id names no product.
pub(crate) fn product_id(text: &str) -> Result<ProductId, Problem> {
    ProductId::parse(text).map_err(|_| unknown())
}

/// Products by id.
#[utoipa::path(
    get, path = "/v1/products", operation_id = "list_products", tag = "products",
    params(
        ("limit" = Option<u32>, Query, description = "1 to 1000, 100 when absent"),
        ("cursor" = Option<String>, Query, description = "next_cursor of the page before"),
        ("x-min-position" = Option<String>, Header, description = "At least this fresh"),
    ),
    responses(
        (status = 200, description = "A page", body = ProductPage<'static>),
        (status = 422, description = "A parameter cannot be used", body = ProblemBody<'static>),
    ),
)]
pub(crate) async fn list(
    State(edge): State<Shared>,
    call: Call,
    uri: Uri,
    fresh: Fresh,
) -> Result<Response, Problem> {
    call.allowed(Scope::Catalogue)?;
    let mut query = Query::of(&uri, &["limit", "cursor"])?;
    let limit = query.number("limit", 1, u64::from(LIMIT_MAX));
    let limit = limit.and_then(|limit| u32::try_from(limit).ok()).unwrap_or(LIMIT);
    let after = query.read("cursor", "a next_cursor", |text| {
        let id = BASE64_URL_SAFE_NO_PAD.decode(text).ok()?;
        ProductId::parse(std::str::from_utf8(&id).ok()?).ok()
    });
    query.finish()?;
    edge.shop.wait_for(fresh).await?;
    // One more than is shown tells whether there are more.
    let mut rows = edge.shop.list_products(after.as_ref(), limit.saturating_add(1)).await?;
    let shown = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = shown < rows.len();
    rows.truncate(shown);
    let last = rows.last().filter(|_| more);
    let next_cursor = last.map(|row| BASE64_URL_SAFE_NO_PAD.encode(row.product.as_str()));
    let shown = rows.iter().filter_map(|row| {
        row.listing.as_ref().map(|listing| ProductBody::new(listing, stock_view(row)))
    });
    Ok(Reply::ok(&ProductPage { items: shown.collect(), next_cursor, limit }).into_response())
}

/// One product with its stock.
#[utoipa::path(
    get, path = "/v1/products/{id}", operation_id = "get_product", tag = "products",
    params(
        ("id" = String, Path, description = "The product"),
        ("x-min-position" = Option<String>, Header, description = "At least this fresh"),
    ),
    responses(
        (status = 200, description = "The product; ETag is the version of its stock", body = ProductBody<'static>),
        (status = 404, description = "There is no such product", body = ProblemBody<'static>),
    ),
)]
pub(crate) async fn read(
    State(edge): State<Shared>,
    call: Call,
    Path(id): Path<String>,
    fresh: Fresh,
) -> Result<Response, Problem> {
    call.allowed(Scope::Catalogue)?;
    let id = product_id(&id)?;
    edge.shop.wait_for(fresh).await?;
    let (listing, stock) = edge.shop.product(&id).await?.ok_or_else(unknown)?;
    Ok(Reply::ok(&ProductBody::new(&listing, stock)).etag(stock.version).into_response())
}

/// A new product.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewProduct, example = json!({
    "id": "mug-blue", "name": "Blue mug", "price": {"minor": 1250, "currency": "USD"}, "stock": 12,
}))]
pub(crate) struct NewProduct {
    /// The shop's own name for it, up to 64 bytes; minted when absent.
    pub(crate) id: Option<String>,
    /// What people read.
    pub(crate) name: String,
    /// Price of one unit.
    #[schema(value_type = MoneyBody)]
    pub(crate) price: Object<MoneyBody>,
    /// Units of the first delivery.
    pub(crate) stock: Option<u32>,
}

/// Offers a product. Repeating the call changes nothing.
#[utoipa::path(
    post, path = "/v1/products", operation_id = "create_product", tag = "products",
    params(("Idempotency-Key" = Option<String>, Header,
            description = "Names the request, and the product when the body has no id; with another id it is another request")),
    request_body = NewProduct,
    responses(
        (status = 201, description = "Offered", body = ProductBody<'static>),
        (status = 409, description = "It exists with other data", body = ProblemBody<'static>),
        (status = 422, description = "A field cannot be used, or the key was used before",
         body = ProblemBody<'static>),
        (status = 504, description = "Offered, but its first delivery is not known to be booked; repeat",
         body = ProblemBody<'static>),
    ),
)]
pub(crate) async fn create(
    State(edge): State<Shared>,
    call: Call,
    key: RequestKey,
    body: Json<NewProduct>,
) -> Result<Response, Problem> {
    let account = &call.allowed(Scope::Catalogue)?.account;
    let wish = body.0;
    let request = key.request(account, &("create", &wish))?;
    let mut texts = Texts::default();
    judge_name(&mut texts, &wish.name);
    let id = wish.id.unwrap_or_else(|| key.product(account).to_string());
    let product = texts.new_product(&id);
    texts.finish()?;
    let product = product.ok_or_else(unknown)?;
    let offer = Offer { product, name: wish.name, price: wish.price.into(), stock: wish.stock };
    offer.make(&edge, &call, &key, request).await
}

/// A product on its way into the catalogue.
pub(crate) struct Offer {
    pub(crate) product: ProductId,
    pub(crate) name: String,
    pub(crate) price: Money,
    pub(crate) stock: Option<u32>,
}

impl Offer {
    /// Publishes it and books the first delivery. Both may be repeated.
    pub(crate) async fn make(
        self,
        edge: &Edge,
        call: &Call,
        key: &RequestKey,
        request: Option<KeyedRequest>,
    ) -> Result<Response, Problem> {
        let Self { product, name, price, stock } = self;
        let publish = ProductCommand::Publish { product: product.clone(), name, price };
        let publish = once(request, publish);
        let asking = call.asking(Some(key), None);
        let published = edge.shop.ask_product(&product, publish, asking.clone()).await?;
        let listing = published.view.clone().ok_or_else(unknown)?;
        let answer = |body: &ProductBody<'_>| {
            let reply = Reply::new(StatusCode::CREATED, body).location("/v1/products", &product);
            reply.replayed(key.replayed(&published))
        };
        let Some(units) = stock.filter(|units| 0 < *units) else {
            let (listing, stock) = shown(edge, &product, OFFERED).await?;
            let answer = answer(&ProductBody::new(&listing, stock)).standing(&published);
            return Ok(answer.etag(stock.version).into_response());
        };
        let delivery = InventoryCommand::Adjust {
            adjustment: first_delivery(&product),
            delta: i64::from(units),
            reason: FIRST_DELIVERY.to_owned(),
            if_version: Some(0),
        };
        match edge.shop.ask_stock(&product, delivery, asking).await {
            Ok(delivered) => {
                let body = ProductBody::new(&listing, delivered.view);
                let answer = answer(&body).standing(&delivered);
                Ok(answer.etag(delivered.view.version).into_response())
            }
            // Somebody else has booked the first units, of whatever number; or this request has, so
            // long ago that the stock does not remember.
            Err(NotDone::Refused(
                InventoryRefusal::AdjustmentMismatch(_) | InventoryRefusal::VersionMismatch { .. },
            )) if published.changed || key.replayed(&published) => {
                let (listing, stock) = shown(edge, &product, OFFERED).await?;
                let answer = answer(&ProductBody::new(&listing, stock)).standing(&published);
                Ok(answer.etag(stock.version).into_response())
            }
            Err(NotDone::Refused(
                InventoryRefusal::AdjustmentMismatch(_) | InventoryRefusal::VersionMismatch { .. },
            )) => Err(Problem::new(
                Code::ProductExists,
                "the product exists and had another first delivery",
            )),
            Err(not_done) if published.changed => Err(Problem::from(not_done).after(OFFERED)),
            Err(not_done) => Err(not_done.into()),
        }
    }
}

/// A product about which something was `done`, as it is now.
async fn shown(
    edge: &Edge,
    product: &ProductId,
    done: &str,
) -> Result<(Listing, StockView), Problem> {
    let found = edge.shop.product(product).await;
    found.and_then(|found| found.ok_or_else(unknown)).map_err(|problem| problem.after(done))
}

/// What changes about a product; what is absent stays.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ProductChange)]
pub(crate) struct ChangeBody {
    /// New name.
    name: Option<String>,
    /// New price, in the same currency.
    #[schema(value_type = Option<MoneyBody>)]
    price: Option<Object<MoneyBody>>,
    /// `active`, `inactive`, or `archived` for good.
    #[schema(value_type = Option<String>)]
    status: Option<ProductStatus>,
}

/// Changes name, price or status.
#[utoipa::path(
    patch, path = "/v1/products/{id}", operation_id = "change_product", tag = "products",
    params(
        ("id" = String, Path, description = "The product"),
        ("Idempotency-Key" = Option<String>, Header,
         description = "Names the change; the product remembers the last 64, so that a late repeat does not bring an old price back"),
    ),
    request_body = ChangeBody,
    responses(
        (status = 200, description = "The product as it is now", body = ProductBody<'static>),
        (status = 404, description = "There is no such product", body = ProblemBody<'static>),
        (status = 409, description = "The product is archived", body = ProblemBody<'static>),
        (status = 422, description = "A field cannot be used, or the key was used before",
         body = ProblemBody<'static>),
    ),
)]
pub(crate) async fn change(
    State(edge): State<Shared>,
    call: Call,
    Path(id): Path<String>,
    key: RequestKey,
    body: Json<ChangeBody>,
) -> Result<Response, Problem> {
    let account = &call.allowed(Scope::Catalogue)?.account;
    let id = product_id(&id)?;
    let request = key.request(account, &("change", &body.0))?;
    let ChangeBody { name, price, status } = body.0;
    let mut texts = Texts::default();
    if let Some(name) = &name {
        judge_name(&mut texts, name);
    }
    texts.finish()?;
    let command = ProductCommand::Revise { name, price: price.map(Money::from), status };
    revise(&edge, &call, &key, &id, once(request, command)).await
}

/// Takes a product out of the catalogue for good. It is kept for the orders that name it.
#[utoipa::path(
    delete, path = "/v1/products/{id}", operation_id = "archive_product", tag = "products",
    params(("id" = String, Path, description = "The product")),
    responses(
        (status = 200, description = "The product as it is now", body = ProductBody<'static>),
        (status = 404, description = "There is no such product", body = ProblemBody<'static>),
    ),
)]
pub(crate) async fn archive(
    State(edge): State<Shared>,
    call: Call,
    Path(id): Path<String>,
    key: RequestKey,
) -> Result<Response, Problem> {
    call.allowed(Scope::Catalogue)?;
    let id = product_id(&id)?;
    let status = Some(ProductStatus::Archived);
    let command = ProductCommand::Revise { name: None, price: None, status };
    revise(&edge, &call, &key, &id, command).await
}

/// Changes a listing, and shows the product as it is then.
async fn revise(
    edge: &Edge,
    call: &Call,
    key: &RequestKey,
    id: &ProductId,
    command: ProductCommand,
) -> Result<Response, Problem> {
    let revised = edge.shop.ask_product(id, command, call.asking(Some(key), None)).await?;
    let listing: &Listing = revised.view.as_ref().ok_or_else(unknown)?;
    let (_, stock) = shown(edge, id, "the product was changed").await?;
    let body = ProductBody::new(listing, stock);
    Ok(Reply::ok(&body)
        .etag(stock.version)
        .standing(&revised)
        .replayed(key.replayed(&revised))
        .into_response())
}

/// A change that is done once for a key of the client; without one it is done as it is.
fn once(request: Option<KeyedRequest>, command: ProductCommand) -> ProductCommand {
    remembered(request, command, |request, command| ProductCommand::Once { request, command })
}

fn judge_name(texts: &mut Texts, name: &str) {
    texts.judge(|| "name".to_owned(), name, NAME_MAX);
    if name.trim().is_empty() {
        texts.push(FieldError::new("name", "invalid_value", "the name is empty", "Name it."));
    }
}
