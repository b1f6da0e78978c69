//! The table of rules: each with its code, severity and hint, and what must be known to judge it.

use super::finding::{Finding, Severity};

/// What a broken rule means to the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// The form of the request; it can never be right as it stands.
    Form,
    /// A rule of business: the same request may be right at another time (C-11).
    Business,
}

/// What must be known before a rule can be judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// The request alone.
    Request,
    /// What the shop demands, see [`Policy`](super::Policy).
    Shop,
    /// The listings of the products.
    Listings,
    /// What the promo code takes off.
    Promo,
}

impl Need {
    /// The word in the catalogue.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Request => "the request",
            Self::Shop => "the shop's policy",
            Self::Listings => "the listings",
            Self::Promo => "the promo code",
        }
    }
}

/// What the table says about one rule.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// The stable word for machines.
    pub code: &'static str,
    /// Where it looks; `[]` stands for each item.
    pub field: &'static str,
    /// How bad it is when it is broken.
    pub severity: Severity,
    /// What it means to the caller.
    pub class: Class,
    /// What must be known.
    pub needs: Need,
    /// What is wrong when it is broken.
    pub means: &'static str,
    /// What to do about it.
    pub hint: &'static str,
}

macro_rules! rules {
    ($($name:ident $code:literal $field:literal $severity:ident $class:ident $needs:ident
        $means:literal $hint:literal;)*) => {
        /// One rule. A new one does not compile until the table has its line.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Rule {
            $(#[doc = $means] $name,)*
        }

        impl Rule {
            /// Every rule, in the order of the table.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// Its line in the table.
            pub const fn entry(self) -> Entry {
                match self {
                    $(Self::$name => Entry {
                        code: $code,
                        field: $field,
                        severity: Severity::$severity,
                        class: Class::$class,
                        needs: Need::$needs,
                        means: $means,
                        hint: $hint,
                    },)*
                }
            }
        }
    };
}

rules! {
    NoItems "no_items" "items" Error Form Request
        "The order has no items." "Add at least one item.";
    TooManyItems "too_many_items" "items" Error Form Request
        "The order has more than 50 items." "Split the order.";
    QuantityOutOfRange "quantity_out_of_range" "items[].quantity" Error Form Request
        "The quantity is outside of 1 to 100." "Choose a quantity from 1 to 100.";
    DuplicateProduct "duplicate_product" "items[].product_id" Error Form Request
        "The product stands in more than one item." "Put all units of a product into one item.";
    PaymentRequired "payment_required" "payment" Error Form Shop
        "The shop takes no order without a payment method." "Say how the order is paid.";
    PaymentMethodUnavailable "payment_method_unavailable" "payment.method" Error Business Shop
        "The shop does not take this method." "Choose another method.";
    TokenRequired "token_required" "payment.token" Error Form Request
        "Card payments need a token." "Tokenise the card with the payment provider and send the token.";
    TokenUnexpected "token_unexpected" "payment.token" Error Form Request
        "Only card payments have a token." "Leave the token out, or pay by card.";
    TokenMalformed "token_malformed" "payment.token" Error Form Request
        "The text cannot be a token of the payment provider." "Send the token as the provider gave it.";
    AddressRequired "address_required" "shipping_address" Error Form Shop
        "The shop takes no order without a shipping address." "Say where the goods go.";
    AddressIncomplete "address_incomplete" "shipping_address" Error Form Request
        "A part of the address is missing." "Fill in name, one to five lines, and city.";
    CountryMalformed "country_malformed" "shipping_address.country" Error Form Request
        "The text is not a country code." "Send two capital letters, as in ISO 3166.";
    CountryNotServed "country_not_served" "shipping_address.country" Error Business Shop
        "The shop does not deliver to this country." "Choose an address in a country that the shop delivers to.";
    PostalCodeMalformed "postal_code_malformed" "shipping_address.postal_code" Error Form Request
        "The postal code does not have the form of its country." "Check the postal code; the country tells its form.";
    PostalCodeMissing "postal_code_missing" "shipping_address.postal_code" Warning Form Request
        "The country has postal codes, and the address has none." "Add the postal code, so that the goods arrive sooner.";
    PhoneRequired "phone_required" "shipping_address.phone" Error Form Shop
        "The shop delivers nothing without a phone number." "Add the phone number of whoever receives.";
    PhoneMalformed "phone_malformed" "shipping_address.phone" Error Form Request
        "The text is not a phone number." "Send it in E.164 form, for example +639171234567.";
    PhoneFromElsewhere "phone_from_elsewhere" "shipping_address.phone" Warning Form Shop
        "The phone number and the address are in different countries." "Check that whoever delivers can call this number.";
    AddressAdvised "address_advised" "shipping_address" Warning Form Request
        "Somebody is to pay on delivery, and nobody knows where." "Add a shipping address, or choose cash.";
    EmailMalformed "email_malformed" "email" Error Form Request
        "The text is not an e-mail address." "Send one address, as in name@example.com.";
    NoteTooLong "note_too_long" "note" Error Form Request
        "The note has more than 500 characters." "Shorten the note.";
    PromoCodeMalformed "promo_code_malformed" "promo_code" Error Form Request
        "The text cannot be a promo code." "Send 1 to 32 letters, digits, - and _.";
    UnknownPromoCode "unknown_promo_code" "promo_code" Error Form Promo
        "There is no such promo code." "Remove the promo code.";
    PromoEnded "promo_ended" "promo_code" Error Business Promo
        "The promo code was ended by the shop." "Remove the promo code.";
    PromoNotYetValid "promo_not_yet_valid" "promo_code" Error Business Promo
        "The promo code cannot be used yet." "Remove the promo code, or come back later.";
    PromoExpired "promo_expired" "promo_code" Error Business Promo
        "The promo code cannot be used any more." "Remove the promo code.";
    PromoMinimumNotReached "promo_minimum_not_reached" "promo_code" Error Business Promo
        "The goods cost less than the promo code asks for." "Order more, or remove the promo code.";
    PromoOtherCurrency "promo_other_currency" "promo_code" Error Business Promo
        "The promo code is for orders in another currency." "Remove the promo code.";
    ChannelMalformed "channel_malformed" "channel" Error Form Request
        "The text cannot be a channel." "Send a word of up to 32 letters, digits, -, _ and dots.";
    ChannelUnknown "channel_unknown" "channel" Warning Form Request
        "The shop does not know the channel; figures by channel count it under its own name."
        "Use one of api, web, app, mobile, pos, kiosk, phone, partner, marketplace, social, compat.";
    CustomerIdPersonal "customer_id_personal" "customer_id" Warning Form Request
        "The customer's id looks like an e-mail address or a phone number; ids are never erased."
        "Use a name for the customer that tells nobody who it is.";
    MarkupRefused "markup_refused" "any text" Error Form Request
        "The text holds what a browser would take for markup or a script." "Send plain text.";
    UnknownProduct "unknown_product" "items[].product_id" Error Form Listings
        "There is no product with this id." "Check the product id against the catalogue.";
    ProductUnavailable "product_unavailable" "items[].product_id" Error Form Listings
        "The product cannot be ordered now." "Remove the item.";
    PriceMismatch "price_mismatch" "items[].unit_price" Error Form Listings
        "The price differs from the present one." "Leave the price out, or send the present one.";
    PriceOutOfRange "price_out_of_range" "items[].unit_price" Error Form Listings
        "The price is below zero." "Send a price of zero or more.";
    MixedCurrencies "mixed_currencies" "items[]" Error Form Listings
        "The items are priced in different currencies." "Split the order by currency.";
    TotalOutOfRange "total_out_of_range" "items" Error Form Listings
        "The total cannot be represented." "Order fewer units.";
}

impl Rule {
    /// Says where it was broken, and how.
    pub(crate) fn found(self, field: impl Into<String>, message: impl Into<String>) -> Finding {
        Finding { rule: self, field: field.into(), message: message.into() }
    }
}
