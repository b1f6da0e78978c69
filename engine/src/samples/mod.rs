//! Small values that tests share, and one sample of every event.

mod catalogues;
mod endpoints;
mod events;
mod feeds;
mod golden;
mod products;
mod promos;

pub(crate) use events::{back, orders as order_events, placement, placement_of, return_request};
pub(crate) use products::products as product_events;

use std::sync::Arc;

use crate::catalog::{Listing, ProductStatus};
use crate::values::{
    AdjustmentId, CartId, Currency, CustomerId, Fingerprint, HoldId, ImportId, KeyedRequest,
    MediaFormat, MediaName, MediaOwner, Moment, Money, OrderId, PartnerId, PartnerKeyId, Picture,
    ProductId, Quantity, ReturnId,
};
use uuid::Uuid;

pub(crate) const ORDER: OrderId = OrderId::new(Uuid::from_u128(0xa11ce));

pub(crate) const RMA: ReturnId = ReturnId::new(Uuid::from_u128(0x7e7));

pub(crate) const fn hold(number: u128) -> HoldId {
    HoldId::new(Uuid::from_u128(number))
}

pub(crate) const fn cart(number: u128) -> CartId {
    CartId::new(Uuid::from_u128(number))
}

pub(crate) const fn adjustment(number: u128) -> AdjustmentId {
    AdjustmentId::new(Uuid::from_u128(number))
}

pub(crate) const fn import(number: u128) -> ImportId {
    ImportId::new(Uuid::from_u128(number))
}

pub(crate) const fn partner_key(number: u128) -> PartnerKeyId {
    PartnerKeyId::new(Uuid::from_u128(number))
}

pub(crate) fn partner(name: &str) -> PartnerId {
    PartnerId::parse(name).unwrap()
}

pub(crate) fn product(name: &str) -> ProductId {
    ProductId::parse(name).unwrap()
}

pub(crate) fn customer(name: &str) -> CustomerId {
    CustomerId::parse(name).unwrap()
}

pub(crate) const fn usd(minor: i64) -> Money {
    Money::new(minor, Currency::USD)
}

pub(crate) const fn units(count: u32) -> Quantity {
    Quantity::new(count)
}

/// That many seconds after the epoch.
pub(crate) const fn seconds(count: i64) -> Moment {
    Moment::from_unix_micros(count.saturating_mul(1_000_000))
}

/// A request under a key, which says something.
pub(crate) const fn keyed(key: u128, says: u8) -> KeyedRequest {
    KeyedRequest { key: Uuid::from_u128(key), fingerprint: Fingerprint::from_bytes([says; 16]) }
}

/// A picture of a product whose bytes have a digest of this one byte.
pub(crate) fn picture(of: &str, digest: u8) -> Picture {
    let owner = MediaOwner::product(&product(of));
    let name = |digest, format| MediaName::new(owner.clone(), [digest; 32], format);
    Picture {
        name: name(digest, MediaFormat::Jpeg),
        thumbnail: name(digest ^ 0xff, MediaFormat::Png),
        width: 640,
        height: 480,
        bytes: 70_000,
    }
}

pub(crate) fn listing(name: &str, price: Money) -> Listing {
    Listing {
        product: product(name),
        name: name.to_owned(),
        price,
        status: ProductStatus::Active,
        terms: None,
        version: 1,
        pictures: Arc::default(),
    }
}
