//! A sample of every event of a listing.

use std::sync::Arc;

use super::events::{all, laptop, request};
use super::{partner, picture, seconds, usd};
use crate::catalog::{Discount, FlashSale, ProductEvent, ProductStatus, Terms};

/// Terms of which every part says something.
fn terms() -> Terms {
    let (starts_at, ends_at) = (seconds(60), seconds(120));
    Terms {
        discount: Some(Discount::PercentBps(1_000)),
        shipping_fee: Some(usd(500)),
        duty_bps: 250,
        tax_bps: 2_000,
        flash_sale: Some(FlashSale { price: usd(79_999), starts_at, ends_at }),
    }
}

/// Other forms of events that have alternative parts, under their own names.
pub(super) fn other_products() -> Vec<(&'static str, ProductEvent)> {
    let terms = Terms { discount: Some(Discount::Amount(usd(100))), ..Terms::default() };
    let set = |terms| ProductEvent::TermsSet { terms: Arc::new(terms) };
    vec![
        (
            "product.status_changed.archived",
            ProductEvent::StatusChanged { status: ProductStatus::Archived },
        ),
        ("product.terms_set.amount", set(terms)),
        ("product.terms_set.plain", set(Terms::default())),
    ]
}

pub(crate) fn products() -> Vec<ProductEvent> {
    let name = || "Laptop 14".to_owned();
    let first = ProductEvent::Published { product: laptop(), name: name(), price: usd(99_999) };
    all(first, |event| match event {
        ProductEvent::Published { .. } => {
            Some(ProductEvent::Renamed { name: "Laptop \"14\" – new".to_owned() })
        }
        ProductEvent::Renamed { .. } => Some(ProductEvent::Repriced { price: usd(89_999) }),
        ProductEvent::Repriced { .. } => {
            Some(ProductEvent::StatusChanged { status: ProductStatus::Inactive })
        }
        ProductEvent::StatusChanged { .. } => {
            Some(ProductEvent::TermsSet { terms: Arc::new(terms()) })
        }
        ProductEvent::TermsSet { .. } => {
            Some(ProductEvent::PictureAdded { picture: picture("laptop", 0xa5) })
        }
        ProductEvent::PictureAdded { .. } => {
            Some(ProductEvent::PictureRemoved { name: picture("laptop", 0xa5).name })
        }
        ProductEvent::PictureRemoved { .. } => Some(ProductEvent::Answered { request: request() }),
        ProductEvent::Answered { .. } => Some(ProductEvent::Supplied { by: partner("acme") }),
        ProductEvent::Supplied { .. } => None,
    })
}
