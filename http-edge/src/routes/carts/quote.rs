//! What a cart would cost now, and how each number comes about.

use axum::extract::State;
use axum::response::Response;
use engine::catalog::{Listing, ProductStatus};
use engine::order::Amounts;
use engine::pricing::{LineQuote, line, steps};
use engine::promo::{OpenPromo, Promo};
use engine::validation::usable;
use engine::values::{CartId, Moment, Money, MoneyError, ProductId, Quantity};
use serde::Serialize;

use super::promo::unknown as unknown_promo;
use super::{cart_id, unknown};
use crate::access::Scope;
use crate::call::{Call, Fresh};
use crate::problem::{FieldError, Problem, ProblemBody};
use crate::reply::Reply;
use crate::routes::Shared;
use crate::wire::{Instant, MoneyBody, Path, instant};

/// What a cart would cost, were it ordered at this moment. It promises neither price nor stock.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = CartQuote)]
pub(crate) struct QuoteBody<'a> {
    /// The cart.
    #[schema(value_type = Uuid)]
    cart_id: CartId,
    /// The moment that prices are of.
    #[schema(value_type = String, format = DateTime)]
    priced_at: Instant,
    /// Its lines, by product.
    items: Vec<QuotedItem<'a>>,
    /// Products that cannot be ordered now, and are not in the sum.
    #[schema(value_type = Vec<String>)]
    unavailable: Vec<&'a ProductId>,
    /// What the cart's promo code takes off, or why it cannot be used; absent without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    promo: Option<QuotedPromo>,
    /// The sum; absent when nothing in the cart can be ordered.
    #[serde(skip_serializing_if = "Option::is_none")]
    amounts: Option<AmountsBody>,
}

/// One line of a quote.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct QuotedItem<'a> {
    /// Which product.
    #[schema(value_type = String)]
    product_id: &'a ProductId,
    /// How many units.
    quantity: u32,
    /// Price of one unit.
    unit_price: MoneyBody,
    /// What the line costs.
    amounts: AmountsBody,
    /// How it comes about: the codes are `listed_price`, `flash_sale_price`, `discount`, `promo_code`,
    /// `shipping_fee`, `import_duty` and `tax`, the amounts make the total.
    steps: Vec<StepBody>,
}

/// Parts of a price: total = subtotal − discount + shipping + duties + tax.
#[derive(Clone, Copy, Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Amounts)]
pub(crate) struct AmountsBody {
    /// Quantity × unit price.
    subtotal: MoneyBody,
    /// Taken off.
    discount: MoneyBody,
    /// Put on for shipping.
    shipping: MoneyBody,
    /// Put on for import.
    duties: MoneyBody,
    /// Put on for tax.
    tax: MoneyBody,
    /// What is to be paid.
    total: MoneyBody,
}

/// One step to a total.
#[derive(Clone, Copy, Debug, Serialize, utoipa::ToSchema)]
#[schema(as = PriceStep)]
pub(crate) struct StepBody {
    /// The stable word for it.
    code: &'static str,
    /// What it puts on; below zero, what it takes off.
    amount: MoneyBody,
}

impl From<Amounts> for AmountsBody {
    fn from(amounts: Amounts) -> Self {
        Self {
            subtotal: amounts.subtotal.into(),
            discount: amounts.discount.into(),
            shipping: amounts.shipping.into(),
            duties: amounts.duties.into(),
            tax: amounts.tax.into(),
            total: amounts.total.into(),
        }
    }
}

impl<'a> QuotedItem<'a> {
    fn new(product_id: &'a ProductId, quantity: u32, quoted: &LineQuote) -> Self {
        let steps = steps(quoted);
        let body =
            |step: &engine::pricing::Step| StepBody { code: step.code, amount: step.amount.into() };
        Self {
            product_id,
            quantity,
            unit_price: quoted.unit_price.into(),
            amounts: quoted.amounts.into(),
            steps: steps.iter().map(body).collect(),
        }
    }
}

/// What a cart would cost now. An order that is placed at the same moment costs the same.
#[utoipa::path(
    get, path = "/v1/carts/{id}/quote", operation_id = "quote_cart", tag = "carts",
    params(
        ("id" = Uuid, Path, description = "The cart"),
        ("x-min-position" = Option<String>, Header, description = "At least this fresh"),
    ),
    responses(
        (status = 200, description = "The quote", body = QuoteBody<'static>),
        (status = 404, description = "There is no such cart", body = ProblemBody<'static>),
        (status = 422, description = "The lines have no total: two currencies, or too large a sum",
         body = ProblemBody<'static>),
    ),
)]
pub(crate) async fn quote(
    State(edge): State<Shared>,
    call: Call,
    Path(id): Path<String>,
    fresh: Fresh,
) -> Result<Response, Problem> {
    call.allowed(Scope::Carts)?;
    let id = cart_id(&id)?;
    edge.shop.wait_for(fresh).await?;
    let cart = edge.shop.cart(id).await?.ok_or_else(unknown)?;
    let at = edge.shop.system().now();
    let (mut listed, mut unavailable) = (Vec::new(), Vec::new());
    for (product, quantity) in &cart.lines {
        let found = edge.shop.product(product).await?;
        let listing = found.map(|(listing, _)| edge.shop.policy().sold_as(listing));
        let Some(listing) = listing.filter(|listing| listing.status == ProductStatus::Active)
        else {
            unavailable.push(product);
            continue;
        };
        listed.push((product, *quantity, listing));
    }
    let (promo, rebates) = match &cart.promo {
        None => (None, Vec::new()),
        Some(code) => {
            let found = edge.shop.entity::<Promo>(code.as_str()).await?.view;
            let found = found.ok_or_else(unknown_promo)?;
            judged(&found, &listed, at).map_err(no_total)?
        }
    };
    let (mut items, mut amounts) = (Vec::new(), Vec::new());
    let mut rebates = rebates.into_iter();
    for (product, quantity, listing) in &listed {
        let quoted = line(listing, *quantity, None, at, rebates.next()).map_err(no_total)?;
        amounts.push(quoted.amounts);
        items.push(QuotedItem::new(product, quantity.units(), &quoted));
    }
    let body = QuoteBody {
        cart_id: id,
        priced_at: instant(at),
        items,
        unavailable,
        promo,
        amounts: Amounts::sum(amounts.into_iter().map(Ok))
            .map_err(no_total)?
            .map(AmountsBody::from),
    };
    Ok(Reply::ok(&body).etag(cart.version).into_response())
}

/// What a promo code does for a cart. Whether a use is left is told when it is ordered.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct QuotedPromo {
    /// The code.
    code: String,
    /// What it takes off, as the item's steps say; null when it cannot be used.
    amount: Option<MoneyBody>,
    /// Why it cannot be used.
    errors: Vec<FieldError>,
}

type Listed<'a> = (&'a ProductId, Quantity, Listing);

/// What a code takes off each line, and what is told of that.
fn judged(
    promo: &OpenPromo,
    listed: &[Listed<'_>],
    at: Moment,
) -> Result<(Option<QuotedPromo>, Vec<Money>), MoneyError> {
    let goods =
        |(_, quantity, listing): &Listed<'_>| line(listing, *quantity, None, at, None)?.goods();
    let goods: Vec<Money> = listed.iter().map(goods).collect::<Result<_, _>>()?;
    let all = Money::sum(goods.iter().copied())?;
    let findings = usable(promo, all, at);
    let is_usable = findings.is_empty() && all.is_some();
    let rebates = if is_usable { promo.made.rebate.spread(&goods)? } else { Vec::new() };
    let told = QuotedPromo {
        code: promo.made.code.to_string(),
        amount: Money::sum(rebates.iter().copied())?.map(MoneyBody::from),
        errors: findings.into_iter().map(FieldError::from).collect(),
    };
    Ok((Some(told), rebates))
}

fn no_total(why: MoneyError) -> Problem {
    let (code, hint) = match why {
        MoneyError::CurrencyMismatch => ("mixed_currencies", "Split the cart by currency."),
        MoneyError::OutOfRange => ("total_out_of_range", "Put fewer units into the cart."),
    };
    Problem::invalid(vec![FieldError::new("items", code, why.to_string(), hint)])
}
