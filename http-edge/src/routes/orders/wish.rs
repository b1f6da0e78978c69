//! What a client may write into a new order, and what is judged about it before anybody is asked.

use std::sync::Arc;

use engine::fraud::Vetting;
use engine::order::{Personal, PlaceOrder, Wish, WishedItem, WishedPromo};
use engine::validation::{self, Region};
use engine::values::{
    CartId, CustomerId, Fingerprint, Money, OrderId, PaymentMethod, PaymentToken, PostalAddress,
    ProductId,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::call::Call;
use crate::problem::{FieldError, Problem};
use crate::routes::carts::taken::TakenCart;
use crate::shop::Shop;
use crate::wire::{MoneyBody, Object, Texts, card_number_in};

/// Longest text of an address line, name or town, in bytes.
const LINE_MAX: usize = 200;
/// Most lines of an address.
const LINES_MAX: usize = 5;
/// Longest token, e-mail address and note, in bytes.
const TOKEN_MAX: usize = 255;
const EMAIL_MAX: usize = 254;
const NOTE_MAX: usize = 4_000;
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
    /// Where the receipt goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) email: Option<String>,
    /// What the buyer has to say about it, up to 500 characters of plain text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) note: Option<String>,
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
    /// Phone in E.164 form, or in the local form of the shop's region.
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
    pub(crate) call: &'a Call,
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
        let is_named = self.customer_id.is_some();
        let named = self.customer_id.as_deref().and_then(|text| texts.customer(text));
        let customer = named.unwrap_or_else(|| given.customer.clone());
        self.judge_texts(&mut texts);
        self.judge_address(shop.policy().region, &mut texts);
        let items = self.items(shop, &mut texts).await?;
        let is_whole = items.len() == self.items.len();
        let place = PlaceOrder {
            order: given.order,
            customer,
            channel: self.channel.clone().unwrap_or_else(|| CHANNEL.to_owned()),
            items,
            cart: given.cart.map(|taken| taken.wished()),
            payment: self.payment.clone().map(|payment| payment.0.into()),
            promo: self.promo_code.as_deref().map(WishedPromo::new),
            personal: self.personal(given.call),
            trusted_price: given.trusted_price,
            policy: Arc::clone(shop.policy()),
            vetting: Vetting { is_named, ..Vetting::default() },
            fingerprint: given.fingerprint,
            hold_for: shop.hold_for(),
            credit: None,
            held_until: None,
        };
        if !texts.is_clean() && is_whole {
            // It is refused here, and all that is wrong with it is to be told together.
            texts.found(validation::request(&place));
        }
        texts.finish()?;
        Ok(place)
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
            texts.no_card(field("channel"), channel);
        }
        if let Some(code) = &self.promo_code {
            texts.no_card(field("promo_code"), code);
        }
        if let Some(token) = self.payment.as_ref().and_then(|payment| payment.0.token.as_ref()) {
            texts.judge(field("payment.token"), token, TOKEN_MAX);
        }
        if let Some(email) = &self.email {
            texts.judge(field("email"), email, EMAIL_MAX);
        }
        if let Some(note) = &self.note {
            texts.judge(field("note"), note, NOTE_MAX);
        }
    }

    fn judge_address(&self, region: Region, texts: &mut Texts) {
        let Some(Object(address)) = &self.shipping_address else { return };
        let field = |name: &'static str| move || format!("shipping_address.{name}");
        texts.judge(field("name"), &address.name, LINE_MAX);
        texts.judge(field("city"), &address.city, LINE_MAX);
        for (index, line) in address.lines.iter().enumerate().take(LINES_MAX) {
            texts.judge(|| format!("shipping_address.lines[{index}]"), line, LINE_MAX);
        }
        if let Some(code) = &address.postal_code {
            texts.judge(field("postal_code"), code, LINE_MAX);
        }
        // A phone number may look like the number of a card.
        if let Some(phone) = &address.phone
            && validation::e164(phone, region).is_none()
        {
            texts.no_card(field("phone"), phone);
        }
    }

    fn personal(&self, call: &Call) -> Personal {
        Personal {
            shipping_address: self.address(),
            email: self.email.clone(),
            note: self.note.clone(),
            ip: Some(call.peer),
            user_agent: call.user_agent(),
        }
    }

    fn address(&self) -> Option<PostalAddress> {
        let Object(address) = self.shipping_address.clone()?;
        let NewAddress { name, lines, city, postal_code, country, phone } = address;
        Some(PostalAddress { name, lines, city, postal_code, country, phone })
    }
}
