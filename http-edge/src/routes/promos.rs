//! Promo codes: made, read, listed, ended.

use axum::extract::State;
use axum::response::Response;
use engine::Aggregate as _;
use engine::inventory::{Inventory, InventoryCommand, StockView};
use engine::promo::{NewPromo, OpenPromo, Promo, PromoCommand, Rebate, USES_UNLIMITED};
use engine::values::{Money, PromoCode, Quantity};
use http::{StatusCode, Uri};
use serde::{Deserialize, Serialize};

use super::entries::{Wanted, next_cursor};
use super::products::terms::moment;
use super::{Edge, Shared};
use crate::access::Scope;
use crate::call::{Call, Fresh};
use crate::idempotency::{RequestKey, first_delivery};
use crate::problem::{Code, FieldError, Problem, ProblemBody};
use crate::reply::Reply;
use crate::wire::{Instant, Json, MoneyBody, Object, Path, Texts, instant};

/// Why the stock of uses has them.
const FIRST_USES: &str = "uses of a promo code";

/// A new promo code: a share or an amount, and its conditions; what is absent does not limit it.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewPromo, example = json!({
    "code": "SPRING10", "percent_bps": 1000, "minimum": {"minor": 5000, "currency": "USD"},
    "uses_max": 100, "uses_per_customer": 1,
}))]
pub(crate) struct NewPromoBody {
    /// 1 to 32 letters, digits, `-` and `_`; small letters are read as capitals.
    code: String,
    /// A share of the goods in basis points, 1 to 10000.
    percent_bps: Option<u32>,
    /// An amount off the goods, up to what they cost.
    #[schema(value_type = Option<MoneyBody>)]
    amount: Option<Object<MoneyBody>>,
    /// What the goods have to cost at least.
    #[schema(value_type = Option<MoneyBody>)]
    minimum: Option<Object<MoneyBody>>,
    /// The first moment at which it can be used, in RFC 3339.
    #[schema(format = DateTime)]
    starts_at: Option<String>,
    /// The first moment at which it can be used no more, in RFC 3339.
    #[schema(format = DateTime)]
    ends_at: Option<String>,
    /// How many orders can use it.
    uses_max: Option<u32>,
    /// How many orders of one customer can use it.
    uses_per_customer: Option<u32>,
}

impl NewPromoBody {
    fn read(self) -> Result<NewPromo, Problem> {
        let mut texts = Texts::default();
        texts.no_card(|| "code".to_owned(), &self.code);
        let code = PromoCode::parse(&self.code);
        if let Err(error) = &code {
            let hint = "Send letters, digits, - and _.";
            texts.push(FieldError::new("code", "invalid_value", error.to_string(), hint));
        }
        let rebate = match (self.percent_bps, self.amount) {
            (Some(share), None) => Some(Rebate::PercentBps(share)),
            (None, Some(amount)) => Some(Rebate::Amount(amount.into())),
            (Some(_), Some(_)) | (None, None) => {
                let message = "a promo code takes a share or an amount off";
                let hint = "Send percent_bps or amount.";
                texts.push(FieldError::new("amount", "invalid_value", message, hint));
                None
            }
        };
        let starts_at = self.starts_at.map(|text| moment(&mut texts, "starts_at", &text));
        let ends_at = self.ends_at.map(|text| moment(&mut texts, "ends_at", &text));
        texts.finish()?;
        let (Ok(code), Some(rebate)) = (code, rebate) else {
            return Err(Problem::new(Code::Internal, "a promo code without its parts"));
        };
        Ok(NewPromo {
            code,
            rebate,
            minimum: self.minimum.map(Money::from),
            starts_at: starts_at.flatten(),
            ends_at: ends_at.flatten(),
            uses_max: self.uses_max,
            uses_per_customer: self.uses_per_customer,
        })
    }
}

/// A promo code.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Promo)]
pub(crate) struct PromoBody {
    /// The code.
    code: String,
    /// `active` or `ended`.
    status: &'static str,
    /// A share of the goods in basis points.
    #[serde(skip_serializing_if = "Option::is_none")]
    percent_bps: Option<u32>,
    /// An amount off the goods.
    #[serde(skip_serializing_if = "Option::is_none")]
    amount: Option<MoneyBody>,
    /// What the goods have to cost at least.
    minimum: Option<MoneyBody>,
    /// The first moment at which it can be used.
    #[schema(value_type = Option<String>, format = DateTime)]
    starts_at: Option<Instant>,
    /// The first moment at which it can be used no more.
    #[schema(value_type = Option<String>, format = DateTime)]
    ends_at: Option<Instant>,
    /// How many orders can use it.
    uses_max: Option<u32>,
    /// How many orders of one customer can use it.
    uses_per_customer: Option<u32>,
    /// Orders that use it and are sold.
    used: u32,
    /// Orders under way that keep a use.
    held: u32,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    created_at: Instant,
    /// Counts the changes.
    version: u64,
}

impl PromoBody {
    fn new(promo: &OpenPromo, uses: &StockView) -> Self {
        let made = &promo.made;
        let (percent_bps, amount) = match made.rebate {
            Rebate::PercentBps(share) => (Some(share), None),
            Rebate::Amount(amount) => (None, Some(amount.into())),
        };
        Self {
            code: made.code.to_string(),
            status: promo.status(),
            percent_bps,
            amount,
            minimum: made.minimum.map(MoneyBody::from),
            starts_at: made.starts_at.map(instant),
            ends_at: made.ends_at.map(instant),
            uses_max: made.uses_max,
            uses_per_customer: made.uses_per_customer,
            used: uses.sold.units(),
            held: uses.held.units(),
            created_at: instant(promo.created_at),
            version: promo.version,
        }
    }
}

fn unknown() -> Problem {
    Problem::new(Code::NotFound, "there is no such promo code")
}

fn promo_code(text: &str) -> Result<PromoCode, Problem> {
    PromoCode::parse(text).map_err(|_| unknown())
}

async fn shown(edge: &Edge, promo: &OpenPromo) -> Result<PromoBody, Problem> {
    let uses = edge.shop.entity::<Inventory>(promo.made.code.uses().as_str()).await?;
    Ok(PromoBody::new(promo, &uses.view))
}

/// Makes a promo code. The same body again changes nothing, and completes what was cut off.
#[utoipa::path(
    post, path = "/v1/promos", operation_id = "create_promo", tag = "promos",
    params(("Idempotency-Key" = Option<String>, Header, description = "Not needed: the code names it")),
    request_body = NewPromoBody,
    responses(
        (status = 201, description = "Made", body = PromoBody),
        (status = 409, description = "The code exists and says something else",
         body = ProblemBody<'static>),
        (status = 422, description = "A field cannot be used", body = ProblemBody<'static>),
    ),
)]
pub(crate) async fn create(
    State(edge): State<Shared>,
    call: Call,
    key: RequestKey,
    body: Json<NewPromoBody>,
) -> Result<Response, Problem> {
    call.allowed(Scope::Catalogue)?;
    let new = body.0.read()?;
    let (code, uses) = (new.code.clone(), new.code.uses());
    let (limit, count) = (new.uses_per_customer, new.uses_max.unwrap_or(USES_UNLIMITED));
    let asking = call.asking(Some(&key), None);
    let command = PromoCommand::Create(Box::new(new));
    let made = edge.shop.ask_promo(&code, command, asking.clone()).await?;
    // Without its uses it can be used by nobody, so they may come after it.
    if let Some(limit) = limit {
        let limit = InventoryCommand::SetLimit { limit: Some(Quantity::new(limit)) };
        edge.shop.ask_stock(&uses, limit, asking.clone()).await?;
    }
    let supply = InventoryCommand::Adjust {
        adjustment: first_delivery(&uses),
        delta: i64::from(count),
        reason: FIRST_USES.to_owned(),
        if_version: None,
    };
    let supplied = edge.shop.ask_stock(&uses, supply, asking).await?;
    let promo = made.view.as_deref().ok_or_else(unknown)?;
    Ok(Reply::new(StatusCode::CREATED, &PromoBody::new(promo, &supplied.view))
        .location("/v1/promos", &code)
        .standing(&supplied)
        .replayed(!made.changed)
        .into_response())
}

/// One promo code.
#[utoipa::path(
    get, path = "/v1/promos/{code}", operation_id = "get_promo", tag = "promos",
    params(
        ("code" = String, Path, description = "The code"),
        ("x-min-position" = Option<String>, Header, description = "At least this fresh"),
    ),
    responses(
        (status = 200, description = "The code", body = PromoBody),
        (status = 404, description = "There is no such code", body = ProblemBody<'static>),
    ),
)]
pub(crate) async fn read(
    State(edge): State<Shared>,
    call: Call,
    Path(code): Path<String>,
    fresh: Fresh,
) -> Result<Response, Problem> {
    call.allowed(Scope::Operate)?;
    let code = promo_code(&code)?;
    edge.shop.wait_for(fresh).await?;
    let found = edge.shop.entity::<Promo>(code.as_str()).await?.view.ok_or_else(unknown)?;
    Ok(Reply::ok(&shown(&edge, &found).await?).into_response())
}

/// Ends a promo code: no further order can use it. A repeat changes nothing.
#[utoipa::path(
    delete, path = "/v1/promos/{code}", operation_id = "end_promo", tag = "promos",
    params(("code" = String, Path, description = "The code")),
    responses(
        (status = 200, description = "Ended", body = PromoBody),
        (status = 404, description = "There is no such code", body = ProblemBody<'static>),
    ),
)]
pub(crate) async fn end(
    State(edge): State<Shared>,
    call: Call,
    Path(code): Path<String>,
    key: RequestKey,
) -> Result<Response, Problem> {
    call.allowed(Scope::Catalogue)?;
    let code = promo_code(&code)?;
    let asking = call.asking(Some(&key), None);
    let ended = edge.shop.ask_promo(&code, PromoCommand::End, asking).await?;
    let promo = ended.view.as_deref().ok_or_else(unknown)?;
    Ok(Reply::ok(&shown(&edge, promo).await?).standing(&ended).into_response())
}

/// A page of promo codes.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = PromoPage)]
pub(crate) struct PromoPageBody {
    /// The codes, newest first.
    items: Vec<PromoBody>,
    /// Where the next page starts; null on the last one.
    next_cursor: Option<String>,
    /// How many there are in all that match.
    total: u64,
}

/// Promo codes, newest first.
#[utoipa::path(
    get, path = "/v1/promos", operation_id = "list_promos", tag = "promos",
    params(
        ("status" = Option<String>, Query, description = "active or ended"),
        ("limit" = Option<u32>, Query, description = "1 to 100, 20 when absent"),
        ("cursor" = Option<String>, Query, description = "next_cursor of the page before"),
        ("x-min-position" = Option<String>, Header, description = "At least this fresh"),
    ),
    responses(
        (status = 200, description = "A page", body = PromoPageBody),
        (status = 422, description = "A parameter cannot be used", body = ProblemBody<'static>),
        (status = 503, description = "Not fresh yet, or not available", body = ProblemBody<'static>),
    ),
)]
pub(crate) async fn list(
    State(edge): State<Shared>,
    call: Call,
    uri: Uri,
    fresh: Fresh,
) -> Result<Response, Problem> {
    call.allowed(Scope::Operate)?;
    let wanted = Wanted::of(&uri, None, &OpenPromo::STATUSES)?;
    edge.shop.wait_for(fresh).await?;
    let found = edge.shop.list::<Promo>(&wanted.query(Promo::KIND)).await?;
    let mut items = Vec::with_capacity(found.entries.len());
    for promo in found.entries.iter().filter_map(|(_, view)| view.as_deref()) {
        items.push(shown(&edge, promo).await?);
    }
    let next_cursor = next_cursor(&found);
    Ok(Reply::ok(&PromoPageBody { items, next_cursor, total: found.total }).into_response())
}
