//! What a client may write into a new order, and what is judged about it before anybody is asked.

use engine::order::{Personal, PlaceOrder, Wish, WishedItem};
use engine::values::{
    CartId, CustomerId, Fingerprint, Money, OrderId, PaymentMethod, PaymentToken, PostalAddress,
    ProductId,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::problem::{FieldError, Problem};
use crate::routes::carts::taken::TakenCart;
use crate::shop::Shop;
use crate::wire::{MoneyBody, Object, Texts, card_number_in};

/// Longest text of an address line, name or town, in bytes.
const LINE_MAX: usize = 200;
/// Most lines of an address.
const LINES_MAX: usize = 5;
/// Longest channel, promo code and token, in bytes.
const CHANNEL_MAX: usize = 32;
const PROMO_MAX: usize = 64;
const TOKEN_MAX: usize = 255;
/// The channel of an order that names none.
const CHANNEL: &str = "api";

/// A wish to buy.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewOrder, example = json!({
    "customer_id": "customer-17",
    "items": [{"product_id": "mouse", "quantity": 2}],
    "payment": {"method": "card", "token": "tok_ok"},
}))]
pub(crate) struct NewOrder {
    /// Who buys; the account of the key when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) customer_id: Option<String>,
    /// What, 1 to 50 items, each product once.
    #[schema(value_type = Vec<NewItem>)]
    pub(crate) items: Vec<Object<NewItem>>,
    /// How it is paid; absent: later, the units are held for a day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<NewPayment>)]
    pub(crate) payment: Option<Object<NewPayment>>,
    /// Where it goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<NewAddress>)]
    pub(crate) shipping_address: Option<Object<NewAddress>>,
    /// A code for a rebate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) promo_code: Option<String>,
    /// The cart that it came from; it belongs to this order and to no other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) cart_id: Option<Uuid>,
    /// Through which channel; `api` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) channel: Option<String>,
}

/// One wished item.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewItem {
    /// The shop's name for the product.
    pub(crate) product_id: String,
    /// Units, 1 to 100.
    pub(crate) quantity: i64,
    /// What the client believes one unit costs; refused when it is wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<MoneyBody>)]
    pub(crate) unit_price: Option<Object<MoneyBody>>,
}

/// How an order is paid.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewPayment {
    /// `card`, `cash`, `cod` or `store_credit`.
    #[schema(value_type = String)]
    pub(crate) method: PaymentMethod,
    /// The provider's token for the means of payment; needed for cards. Never a card number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) token: Option<String>,
}

/// A postal address.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewAddress {
    /// Who receives.
    name: String,
    /// Street and house, one to five lines.
    lines: Vec<String>,
    /// Town.
    city: String,
    /// Postal code, where the country has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    postal_code: Option<String>,
    /// ISO 3166 alpha-2 country.
    country: String,
    /// Phone in E.164 form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    phone: Option<String>,
}

impl From<NewPayment> for Wish {
    fn from(payment: NewPayment) -> Self {
        let token = payment.token.as_deref().map(PaymentToken::new);
        Self { method: payment.method, token }
    }
}

/// Everything that the caller and not the body decides about a new order.
pub(crate) struct Circumstances<'a> {
    pub(crate) order: OrderId,
    pub(crate) customer: &'a CustomerId,
    pub(crate) trusted_price: bool,
    pub(crate) fingerprint: Fingerprint,
    pub(crate) cart: Option<TakenCart>,
}

impl NewOrder {
    /// The command, when every text can be used.
    ///
    /// # Errors
    ///
    /// `validation_failed` with everything that is wrong with the form.
    pub(crate) async fn to_command(
        &self,
        shop: &Shop,
        given: Circumstances<'_>,
    ) -> Result<PlaceOrder, Problem> {
        let mut texts = Texts::default();
        let named = self.customer_id.as_deref().and_then(|text| texts.customer(text));
        let customer = named.unwrap_or_else(|| given.customer.clone());
        self.judge_texts(&mut texts);
        let items = self.items(shop, &mut texts).await?;
        texts.finish()?;
        Ok(PlaceOrder {
            order: given.order,
            customer,
            channel: self.channel.clone().unwrap_or_else(|| CHANNEL.to_owned()),
            items,
            cart: given.cart.map(|taken| taken.wished()),
            payment: self.payment.clone().map(|payment| payment.0.into()),
            promo_code: self.promo_code.clone(),
            personal: Personal { shipping_address: self.address() },
            trusted_price: given.trusted_price,
            fingerprint: given.fingerprint,
            hold_for: shop.hold_for(),
            held_until: None,
        })
    }

    /// The cart that it is to have for itself.
    pub(crate) fn cart(&self) -> Option<CartId> {
        self.cart_id.map(CartId::new)
    }

    async fn items(&self, shop: &Shop, texts: &mut Texts) -> Result<Vec<WishedItem>, Problem> {
        let mut items = Vec::with_capacity(self.items.len().min(64));
        // What the rules refuse for its length alone is not worth an error per item.
        for (index, Object(item)) in self.items.iter().enumerate().take(1_000) {
            let field = || format!("items[{index}].product_id");
            match ProductId::parse(&item.product_id) {
                // An article number may look like a card number; one that is known is not.
                Ok(product)
                    if card_number_in(product.as_str())
                        && shop.product(&product).await?.is_none() =>
                {
                    texts.refuse_card(field());
                }
                Ok(product) => items.push(WishedItem::new(
                    product,
                    item.quantity,
                    item.unit_price.map(Money::from),
                )),
                Err(_) if card_number_in(&item.product_id) => texts.refuse_card(field()),
                Err(error) => texts.push(FieldError::new(
                    field(),
                    "invalid_value",
                    error.to_string(),
                    "Check the product id against the catalogue.",
                )),
            }
        }
        Ok(items)
    }

    fn judge_texts(&self, texts: &mut Texts) {
        let field = |name: &'static str| move || name.to_owned();
        if let Some(channel) = &self.channel {
            texts.judge(field("channel"), channel, CHANNEL_MAX);
        }
        if let Some(code) = &self.promo_code {
            texts.judge(field("promo_code"), code, PROMO_MAX);
        }
        if let Some(token) = self.payment.as_ref().and_then(|payment| payment.0.token.as_ref()) {
            if token.is_empty() || !token.bytes().all(|b| b.is_ascii_graphic() || b == b' ') {
                let message = "not a token of the payment provider";
                let hint = "Send the token as the provider gave it.";
                texts.push(FieldError::new("payment.token", "invalid_value", message, hint));
            }
            texts.judge(field("payment.token"), token, TOKEN_MAX);
        }
        let Some(Object(address)) = &self.shipping_address else { return };
        let required = [("name", &address.name), ("city", &address.city)];
        for (name, text) in required {
            let field = || format!("shipping_address.{name}");
            if text.trim().is_empty() {
                texts.push(FieldError::new(field(), "invalid_value", "empty", "Fill it in."));
            }
            texts.judge(field, text, LINE_MAX);
        }
        if address.lines.is_empty() || LINES_MAX < address.lines.len() {
            let message = format!("{} lines, allowed are 1 to {LINES_MAX}", address.lines.len());
            let hint = "Write street and house into one to five lines.";
            texts.push(FieldError::new("shipping_address.lines", "out_of_range", message, hint));
        }
        for (index, line) in address.lines.iter().enumerate().take(LINES_MAX) {
            texts.judge(|| format!("shipping_address.lines[{index}]"), line, LINE_MAX);
        }
        if let Some(code) = &address.postal_code {
            texts.judge(field("shipping_address.postal_code"), code, 16);
        }
        let country = address.country.as_bytes();
        if country.len() != 2 || !country.iter().all(u8::is_ascii_uppercase) {
            texts.push(FieldError::new(
                "shipping_address.country",
                "invalid_value",
                "not a country code",
                "Send two capital letters, as in ISO 3166.",
            ));
        }
        if let Some(phone) = &address.phone {
            texts.judge_phone(field("shipping_address.phone"), phone);
        }
    }

    fn address(&self) -> Option<PostalAddress> {
        let Object(address) = self.shipping_address.clone()?;
        let NewAddress { name, lines, city, postal_code, country, phone } = address;
        Some(PostalAddress { name, lines, city, postal_code, country, phone })
    }
}
