//! The bookkeeping of a listing.

use std::sync::Arc;

use super::model::{Listing, ListingState, ProductEvent, ProductStatus};
use crate::planted::{Bug, planted};

pub(super) fn evolve(state: &mut ListingState, event: &ProductEvent) {
    if let ProductEvent::Published { product, name, price } = event {
        state.listing = Some(Listing {
            product: product.clone(),
            name: name.clone(),
            price: *price,
            status: ProductStatus::Active,
            terms: None,
            version: 1,
            pictures: Arc::default(),
        });
        return;
    }
    if let ProductEvent::Answered { request } = event {
        state.answered.remember(*request);
    }
    if let ProductEvent::Supplied { by } = event {
        state.supplier = Some(by.clone());
    }
    // Nothing but a publication can come first; a change of nothing is kept as nothing.
    let Some(listing) = &mut state.listing else { return };
    listing.version = listing.version.saturating_add(1);
    match event {
        ProductEvent::Published { .. }
        | ProductEvent::Answered { .. }
        | ProductEvent::Supplied { .. } => {}
        ProductEvent::Repriced { .. } if planted(Bug::OldPrice) => {}
        ProductEvent::Renamed { name } => name.clone_into(&mut listing.name),
        ProductEvent::Repriced { price } => listing.price = *price,
        ProductEvent::StatusChanged { status } => listing.status = *status,
        ProductEvent::PictureAdded { picture } => {
            listing.pictures = listing.pictures.iter().chain([picture]).cloned().collect();
        }
        ProductEvent::PictureRemoved { name } => {
            let others = listing.pictures.iter().filter(|picture| picture.name != *name);
            listing.pictures = others.cloned().collect();
        }
        ProductEvent::TermsSet { terms } => {
            listing.terms = Some(terms).filter(|terms| !terms.is_plain()).cloned();
        }
    }
}
