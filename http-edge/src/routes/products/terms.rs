//! On what terms a product is sold: rebate, shipping, duty, tax and flash sale, set as a whole.

use axum::extract::State;
use axum::response::Response;
use engine::catalog::{Discount, FlashSale, ProductCommand, Terms};
use engine::values::{Moment, Money};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::body::ProductBody;
use super::{once, product_id, revise};
use crate::access::Scope;
use crate::call::Call;
use crate::idempotency::RequestKey;
use crate::problem::{FieldError, Problem, ProblemBody};
use crate::routes::Shared;
use crate::wire::{Json, MoneyBody, Object, Path, Texts, instant};

/// What is taken off and put on; whatever is absent is nothing. Shares are in basis points, 500 of
/// which are five percent.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Terms, example = json!({
    "discount": {"percent_bps": 1000}, "shipping_fee": {"minor": 500, "currency": "USD"},
    "duty_bps": 250, "tax_bps": 2000,
}))]
pub(crate) struct TermsBody {
    /// What is taken off the price.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<DiscountBody>)]
    discount: Option<Object<DiscountBody>>,
    /// What it costs to ship one unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<MoneyBody>)]
    shipping_fee: Option<Object<MoneyBody>>,
    /// Import duty on the goods as discounted, at most 10000.
    #[serde(default)]
    duty_bps: u32,
    /// Tax on goods, shipping and duty, at most 10000.
    #[serde(default)]
    tax_bps: u32,
    /// When it costs something else.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<FlashSaleBody>)]
    flash_sale: Option<Object<FlashSaleBody>>,
}

/// One of the two.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Discount)]
pub(crate) struct DiscountBody {
    /// A share of the line, at most 10000.
    #[serde(skip_serializing_if = "Option::is_none")]
    percent_bps: Option<u32>,
    /// An amount of each unit, up to what the unit costs.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<MoneyBody>)]
    amount: Option<Object<MoneyBody>>,
}

/// A price for a while; nothing else is taken off it.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = FlashSale)]
pub(crate) struct FlashSaleBody {
    /// What one unit costs meanwhile.
    #[schema(value_type = MoneyBody)]
    price: Object<MoneyBody>,
    /// The first moment at which it does, in RFC 3339.
    #[schema(format = DateTime)]
    starts_at: String,
    /// The first moment at which it does no more, in RFC 3339.
    #[schema(format = DateTime)]
    ends_at: String,
}

impl From<&Terms> for TermsBody {
    fn from(terms: &Terms) -> Self {
        let money = |money: Money| Object(MoneyBody::from(money));
        let discount = terms.discount.map(|discount| match discount {
            Discount::PercentBps(share) => DiscountBody { percent_bps: Some(share), amount: None },
            Discount::Amount(off) => DiscountBody { percent_bps: None, amount: Some(money(off)) },
        });
        let flash_sale = terms.flash_sale.map(|sale| FlashSaleBody {
            price: money(sale.price),
            starts_at: instant(sale.starts_at).to_string(),
            ends_at: instant(sale.ends_at).to_string(),
        });
        Self {
            discount: discount.map(Object),
            shipping_fee: terms.shipping_fee.map(money),
            duty_bps: terms.duty_bps,
            tax_bps: terms.tax_bps,
            flash_sale: flash_sale.map(Object),
        }
    }
}

impl TermsBody {
    fn terms(self) -> Result<Terms, Problem> {
        let mut texts = Texts::default();
        let discount = self.discount.and_then(|discount| discount.0.read(&mut texts));
        let flash_sale = self.flash_sale.and_then(|sale| sale.0.read(&mut texts));
        texts.finish()?;
        let shipping_fee = self.shipping_fee.map(Money::from);
        let Self { duty_bps, tax_bps, .. } = self;
        Ok(Terms { discount, shipping_fee, duty_bps, tax_bps, flash_sale })
    }
}

impl DiscountBody {
    fn read(self, texts: &mut Texts) -> Option<Discount> {
        match (self.percent_bps, self.amount) {
            (Some(share), None) => Some(Discount::PercentBps(share)),
            (None, Some(amount)) => Some(Discount::Amount(amount.into())),
            (Some(_), Some(_)) | (None, None) => {
                let message = "a discount is a share or an amount";
                let hint = "Send percent_bps or amount.";
                texts.push(FieldError::new("discount", "invalid_value", message, hint));
                None
            }
        }
    }
}

impl FlashSaleBody {
    fn read(self, texts: &mut Texts) -> Option<FlashSale> {
        let starts_at = moment(texts, "flash_sale.starts_at", &self.starts_at);
        let ends_at = moment(texts, "flash_sale.ends_at", &self.ends_at);
        Some(FlashSale { price: self.price.into(), starts_at: starts_at?, ends_at: ends_at? })
    }
}

pub(crate) fn moment(texts: &mut Texts, field: &'static str, text: &str) -> Option<Moment> {
    let read: Option<Timestamp> = text.parse().ok();
    if read.is_none() {
        let message = "the text is not a moment";
        let hint = "Send it in RFC 3339, for example 2026-11-27T08:00:00Z.";
        texts.push(FieldError::new(field, "invalid_value", message, hint));
    }
    read.map(|read| Moment::from_unix_micros(read.as_microsecond()))
}

/// Sets the terms on which a product is sold from now on, as a whole. `{}` leaves the price alone.
#[utoipa::path(
    put, path = "/v1/products/{id}/terms", operation_id = "put_product_terms", tag = "products",
    params(
        ("id" = String, Path, description = "The product"),
        ("Idempotency-Key" = Option<String>, Header,
         description = "Names the change, as in the PATCH"),
    ),
    request_body = TermsBody,
    responses(
        (status = 200, description = "The product as it is now", body = ProductBody<'static>),
        (status = 404, description = "There is no such product", body = ProblemBody<'static>),
        (status = 409, description = "The product is archived", body = ProblemBody<'static>),
        (status = 422, description = "A field cannot be used, or the key was used before",
         body = ProblemBody<'static>),
    ),
)]
pub(crate) async fn put(
    State(edge): State<Shared>,
    call: Call,
    Path(id): Path<String>,
    key: RequestKey,
    body: Json<TermsBody>,
) -> Result<Response, Problem> {
    let account = &call.allowed(Scope::Catalogue)?.account;
    let id = product_id(&id)?;
    let request = key.request(account, &("terms", &body.0))?;
    let command = ProductCommand::SetTerms { terms: body.0.terms()? };
    revise(&edge, &call, &key, &id, once(request, command)).await
}
