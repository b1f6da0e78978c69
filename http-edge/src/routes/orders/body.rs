//! An order as the outside sees it.

use engine::order::{Line, Order};
use engine::promo::PromoUse;
use engine::values::Money;
use serde::ser::{SerializeSeq as _, SerializeStruct as _};
use serde::{Serialize, Serializer};
use uuid::Uuid;

use crate::problem::FieldError;
use crate::wire::{MoneyBody, instant};

/// An order. Status and payment status are two axes: where the goods are, where the money is.
///
/// This type only describes the wire form; [`OrderView`] writes it without copying anything.
#[derive(Debug, utoipa::ToSchema)]
#[schema(as = Order)]
#[expect(dead_code, reason = "read by the description of the interface only")]
pub(crate) struct OrderBody {
    /// Named by the idempotency key under which it was placed.
    id: Uuid,
    /// Who buys.
    customer_id: String,
    /// `PENDING`, `PROCESSING`, `SHIPPED`, `DELIVERED` or `CANCELLED`.
    status: String,
    /// `unpaid`, `queued`, `authorised`, `paid`, `failed`, `partly_refunded` or `refunded`.
    payment_status: String,
    /// What is bought.
    items: Vec<ItemBody>,
    /// Sum of quantity × unit price over the items.
    subtotal: MoneyBody,
    /// Taken off.
    discount: MoneyBody,
    /// Put on for shipping.
    shipping: MoneyBody,
    /// Put on for import.
    duties: MoneyBody,
    /// Put on for tax.
    tax: MoneyBody,
    /// What the customer pays.
    total: MoneyBody,
    /// The promo code that it uses; absent without one.
    #[schema(required = false)]
    promo: PromoUseBody<'static>,
    /// Through which channel it came.
    channel: String,
    /// RFC 3339, UTC.
    #[schema(format = DateTime)]
    created_at: String,
    /// RFC 3339, UTC.
    #[schema(format = DateTime)]
    updated_at: String,
    /// Counts the changes.
    version: u64,
    /// `fraud_review` while somebody has to look at it: nothing is charged or sold before; absent
    /// otherwise.
    #[schema(required = false)]
    hold: String,
    /// What the rules had to say that did not block it; absent where they had nothing to say.
    #[schema(required = false)]
    warnings: Vec<FieldError>,
}

/// The use of a promo code.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = PromoUse)]
pub(crate) struct PromoUseBody<'a> {
    /// The code.
    code: &'a str,
    /// What it takes off; a part of `discount`.
    amount: MoneyBody,
}

impl<'a> From<&'a PromoUse> for PromoUseBody<'a> {
    fn from(used: &'a PromoUse) -> Self {
        Self { code: used.code.as_str(), amount: used.amount.into() }
    }
}

/// One line of an order.
#[derive(Debug, utoipa::ToSchema)]
#[schema(as = OrderItem)]
#[expect(dead_code, reason = "read by the description of the interface only")]
pub(crate) struct ItemBody {
    /// The line's own id.
    id: Uuid,
    /// The shop's name for the product.
    product_id: String,
    /// Units.
    quantity: u32,
    /// Price of one unit when it was placed.
    unit_price: MoneyBody,
}

/// Writes an order as [`OrderBody`] describes it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OrderView<'a>(pub(crate) &'a Order);

impl Serialize for OrderView<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let order = self.0;
        let placement = &order.placement;
        let amounts = &placement.amounts;
        let mut body = serializer.serialize_struct("Order", 18)?;
        body.serialize_field("id", &placement.order)?;
        body.serialize_field("customer_id", &placement.customer)?;
        body.serialize_field("status", order.status.as_str())?;
        body.serialize_field("payment_status", order.payment.status.as_str())?;
        body.serialize_field("items", &Items(&placement.lines))?;
        let amount = |money: Money| MoneyBody::from(money);
        body.serialize_field("subtotal", &amount(amounts.subtotal))?;
        body.serialize_field("discount", &amount(amounts.discount))?;
        body.serialize_field("shipping", &amount(amounts.shipping))?;
        body.serialize_field("duties", &amount(amounts.duties))?;
        body.serialize_field("tax", &amount(amounts.tax))?;
        body.serialize_field("total", &amount(amounts.total))?;
        match &placement.promo {
            Some(used) => body.serialize_field("promo", &PromoUseBody::from(used))?,
            None => body.skip_field("promo")?,
        }
        body.serialize_field("channel", &placement.channel)?;
        body.serialize_field("created_at", &instant(order.created_at))?;
        body.serialize_field("updated_at", &instant(order.updated_at))?;
        body.serialize_field("version", &order.version)?;
        if order.awaits_review() {
            body.serialize_field("hold", "fraud_review")?;
        } else {
            body.skip_field("hold")?;
        }
        let warnings: Vec<_> = placement.warnings.iter().filter_map(FieldError::kept).collect();
        if warnings.is_empty() {
            body.skip_field("warnings")?;
        } else {
            body.serialize_field("warnings", &warnings)?;
        }
        body.end()
    }
}

struct Items<'a>(&'a [Line]);

impl Serialize for Items<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut items = serializer.serialize_seq(Some(self.0.len()))?;
        for line in self.0 {
            items.serialize_element(&Item(line))?;
        }
        items.end()
    }
}

struct Item<'a>(&'a Line);

impl Serialize for Item<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let line = self.0;
        let mut item = serializer.serialize_struct("OrderItem", 4)?;
        item.serialize_field("id", &line.id)?;
        item.serialize_field("product_id", &line.product)?;
        item.serialize_field("quantity", &line.quantity)?;
        item.serialize_field("unit_price", &MoneyBody::from(line.unit_price))?;
        item.end()
    }
}
