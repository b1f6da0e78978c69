//! The rules of a listing.

use std::sync::Arc;

use super::model::{
    Listing, ListingState, PICTURES_MAX, Product, ProductCommand, ProductEvent, ProductRefusal,
    ProductStatus,
};
use super::terms::Terms;
use crate::aggregate::Aggregate;
use crate::values::{KeyUse, MediaName, MediaOwner, Moment, Money, PartnerId, ProductId};

type Decision = Result<Vec<ProductEvent>, ProductRefusal>;

impl Aggregate for Product {
    const KIND: &'static str = "product";
    type State = ListingState;
    type Command = ProductCommand;
    type Event = ProductEvent;
    type Refusal = ProductRefusal;
    type View = Option<Listing>;

    fn decide(state: &ListingState, command: &ProductCommand, _now: Moment) -> Decision {
        decide(state, command)
    }

    fn evolve(state: &mut ListingState, event: &ProductEvent, _at: Moment) {
        super::evolve::evolve(state, event);
    }

    fn view(state: &ListingState) -> Option<Listing> {
        state.listing.clone()
    }
}

fn decide(state: &ListingState, command: &ProductCommand) -> Decision {
    match command {
        ProductCommand::Once { request, command } => match state.answered.judge(request) {
            KeyUse::Repeat => Ok(Vec::new()),
            KeyUse::Other => Err(ProductRefusal::KeyReused),
            KeyUse::New => {
                // Offered by another request, be it with the same words: this one has done nothing.
                if let (ProductCommand::Publish { product, .. }, Some(_)) =
                    (&**command, &state.listing)
                {
                    return Err(ProductRefusal::Exists(product.clone()));
                }
                let mut events = decide(state, command)?;
                events.push(ProductEvent::Answered { request: *request });
                Ok(events)
            }
        },
        ProductCommand::Publish { product, name, price } => {
            if price.minor() < 0 {
                return Err(ProductRefusal::NegativePrice);
            }
            match &state.listing {
                None => Ok(vec![ProductEvent::Published {
                    product: product.clone(),
                    name: name.clone(),
                    price: *price,
                }]),
                // Repeating the call is free.
                Some(listing) if listing.name == *name && listing.price == *price => Ok(Vec::new()),
                Some(_) => Err(ProductRefusal::Exists(product.clone())),
            }
        }
        ProductCommand::Revise { name, price, status } => {
            let listing = state.listing.as_ref().ok_or(ProductRefusal::Unknown)?;
            unless_archived(listing, revise(listing, name.as_ref(), *price, *status)?)
        }
        ProductCommand::Supply { request, by, product, name, price, status } => {
            match state.answered.judge(request) {
                KeyUse::Repeat => return Ok(Vec::new()),
                KeyUse::Other => return Err(ProductRefusal::KeyReused),
                KeyUse::New => {}
            }
            let mut events = match &state.listing {
                None => offer(by, product, name, *price, *status)?,
                Some(_) if state.supplier.as_ref() != Some(by) => {
                    return Err(ProductRefusal::NotSupplied(product.clone()));
                }
                Some(listing) => {
                    unless_archived(listing, revise(listing, Some(name), Some(*price), *status)?)?
                }
            };
            // A feed says the same every day; only what it changes is worth an event.
            if !events.is_empty() {
                events.push(ProductEvent::Answered { request: *request });
            }
            Ok(events)
        }
        ProductCommand::SetTerms { terms } => {
            let listing = state.listing.as_ref().ok_or(ProductRefusal::Unknown)?;
            unless_archived(listing, set_terms(listing, terms)?)
        }
        ProductCommand::AddPicture { picture } => {
            let listing = state.listing.as_ref().ok_or(ProductRefusal::Unknown)?;
            if *picture.name.owner() != MediaOwner::product(&listing.product) {
                return Err(ProductRefusal::UnknownPicture);
            }
            if shows(listing, &picture.name) {
                return Ok(Vec::new());
            }
            if PICTURES_MAX <= listing.pictures.len() {
                return Err(ProductRefusal::TooManyPictures);
            }
            Ok(vec![ProductEvent::PictureAdded { picture: picture.clone() }])
        }
        ProductCommand::RemovePicture { name } => {
            let listing = state.listing.as_ref().ok_or(ProductRefusal::Unknown)?;
            if !shows(listing, name) {
                return Err(ProductRefusal::UnknownPicture);
            }
            Ok(vec![ProductEvent::PictureRemoved { name: name.clone() }])
        }
    }
}

fn shows(listing: &Listing, name: &MediaName) -> bool {
    listing.pictures.iter().any(|picture| picture.name == *name)
}

fn offer(
    by: &PartnerId,
    product: &ProductId,
    name: &str,
    price: Money,
    status: Option<ProductStatus>,
) -> Decision {
    if price.minor() < 0 {
        return Err(ProductRefusal::NegativePrice);
    }
    let published =
        ProductEvent::Published { product: product.clone(), name: name.to_owned(), price };
    let mut events = vec![published, ProductEvent::Supplied { by: by.clone() }];
    if status == Some(ProductStatus::Inactive) {
        events.push(ProductEvent::StatusChanged { status: ProductStatus::Inactive });
    }
    Ok(events)
}

/// Whoever asks for what already holds is not refused.
fn unless_archived(listing: &Listing, events: Vec<ProductEvent>) -> Decision {
    if listing.status == ProductStatus::Archived && !events.is_empty() {
        return Err(ProductRefusal::Archived);
    }
    Ok(events)
}

fn revise(
    listing: &Listing,
    name: Option<&String>,
    price: Option<Money>,
    status: Option<ProductStatus>,
) -> Decision {
    let mut events = Vec::new();
    if let Some(name) = name.filter(|name| **name != listing.name) {
        events.push(ProductEvent::Renamed { name: name.clone() });
    }
    if let Some(price) = price.filter(|price| *price != listing.price) {
        events.push(reprice(listing, price)?);
    }
    if let Some(status) = status.filter(|status| *status != listing.status) {
        events.push(ProductEvent::StatusChanged { status });
    }
    Ok(events)
}

fn set_terms(listing: &Listing, terms: &Terms) -> Decision {
    terms.judge(listing.price.currency())?;
    let holds =
        listing.terms.as_deref().map_or_else(|| terms.is_plain(), |present| present == terms);
    let set = || ProductEvent::TermsSet { terms: Arc::new(terms.clone()) };
    Ok((!holds).then(set).into_iter().collect())
}

fn reprice(listing: &Listing, price: Money) -> Result<ProductEvent, ProductRefusal> {
    if price.minor() < 0 {
        return Err(ProductRefusal::NegativePrice);
    }
    if price.currency() != listing.price.currency() {
        return Err(ProductRefusal::CurrencyChanged);
    }
    Ok(ProductEvent::Repriced { price })
}
