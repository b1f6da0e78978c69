//! What the outside is told about products.

use super::{Facts, PublicEvent, PublicName, Subject};
use crate::catalog::{ProductEvent, ProductStatus};
use crate::values::ProductId;

/// What the outside is told about an event of a listing; nothing for its book-keeping.
pub fn of_product(product: ProductId, event: &ProductEvent) -> Option<PublicEvent> {
    let (name, facts) = match event {
        ProductEvent::Published { name, price, .. } => {
            (PublicName::ProductPublished, Facts::Listing { name: name.clone(), price: *price })
        }
        ProductEvent::Renamed { name } => (PublicName::ProductRenamed, Facts::Name(name.clone())),
        ProductEvent::Repriced { price } => (PublicName::ProductRepriced, Facts::Price(*price)),
        ProductEvent::StatusChanged { status } => {
            let name = match status {
                ProductStatus::Active => PublicName::ProductActivated,
                ProductStatus::Inactive | ProductStatus::Archived => PublicName::ProductDeactivated,
            };
            (name, Facts::Nothing)
        }
        ProductEvent::TermsSet { .. }
        | ProductEvent::PictureAdded { .. }
        | ProductEvent::PictureRemoved { .. }
        | ProductEvent::Supplied { .. }
        | ProductEvent::Answered { .. } => return None,
    };
    Some(PublicEvent { name, subject: Subject::Product(product), facts })
}
