//! State, commands, events and refusals of a product listing.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::terms::Terms;
use crate::aggregate::EventName;
use crate::values::{Answered, KeyedRequest, MediaName, Money, PartnerId, Picture, ProductId};

/// Most pictures of one product.
pub const PICTURES_MAX: usize = 20;

/// A supplier's product has this version at most when it has just been offered.
pub const VERSION_WHEN_SUPPLIED_MAX: u64 = 4;

/// The aggregate of one product's listing.
#[derive(Clone, Copy, Debug)]
pub struct Product;

/// Whether a product may be ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProductStatus {
    /// Can be ordered.
    Active,
    /// Shown, but cannot be ordered.
    Inactive,
    /// Gone for good; kept for the orders that name it.
    Archived,
}

/// What a product is called and costs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listing {
    /// The shop's name for it.
    pub product: ProductId,
    /// What people read.
    pub name: String,
    /// Price of one unit.
    pub price: Money,
    /// Whether it may be ordered.
    pub status: ProductStatus,
    /// On what terms it is sold, where the price is not all there is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terms: Option<Arc<Terms>>,
    /// Counts the listing's changes; an order records the version it was priced with.
    pub version: u64,
    /// Its pictures, in the order in which they came.
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    pub pictures: Arc<[Picture]>,
}

/// A listing, once there is one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListingState {
    /// The listing.
    pub listing: Option<Listing>,
    /// The last requests that came under keys. Orders copy listings, and need not copy these.
    #[serde(default, skip_serializing_if = "Answered::is_empty")]
    pub answered: Answered,
    /// The partner that supplies it; nobody else's feed changes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supplier: Option<PartnerId>,
}

impl From<Option<Listing>> for ListingState {
    fn from(listing: Option<Listing>) -> Self {
        Self { listing, answered: Answered::default(), supplier: None }
    }
}

/// What can be asked of a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProductCommand {
    /// Offer a product for the first time.
    Publish {
        /// Its id.
        product: ProductId,
        /// Its name.
        name: String,
        /// Price of one unit; not negative.
        price: Money,
    },
    /// Change name, price or status; what is absent stays.
    Revise {
        /// New name.
        name: Option<String>,
        /// New price, in the same currency.
        price: Option<Money>,
        /// New status.
        status: Option<ProductStatus>,
    },
    /// Show a picture that is stored.
    AddPicture {
        /// The picture.
        picture: Picture,
    },
    /// Stop showing a picture.
    RemovePicture {
        /// Which.
        name: MediaName,
    },
    /// Offer a product of a partner, or let it be what the partner says of it now. Does something once
    /// under the same key, and is remembered where it does.
    Supply {
        /// The request.
        request: KeyedRequest,
        /// Who supplies it.
        by: PartnerId,
        /// Its id.
        product: ProductId,
        /// Its name.
        name: String,
        /// Price of one unit; not negative.
        price: Money,
        /// Whether it may be ordered; stays as it is when absent.
        status: Option<ProductStatus>,
    },
    /// Sell it on these terms instead of those before.
    SetTerms {
        /// The terms, as a whole.
        terms: Terms,
    },
    /// Do something once, however often it is asked under the same key.
    Once {
        /// The request.
        request: KeyedRequest,
        /// What to do.
        command: Box<ProductCommand>,
    },
}

/// What happened to a listing. Journaled: add variants, never change one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProductEvent {
    /// It was offered for the first time.
    Published {
        /// Its id.
        product: ProductId,
        /// Its name.
        name: String,
        /// Price of one unit.
        price: Money,
    },
    /// It was renamed.
    Renamed {
        /// New name.
        name: String,
    },
    /// It got another price.
    Repriced {
        /// New price of one unit.
        price: Money,
    },
    /// It may now be ordered, or not any more.
    StatusChanged {
        /// New status.
        status: ProductStatus,
    },
    /// It shows one more picture.
    PictureAdded {
        /// The picture, which is stored.
        picture: Picture,
    },
    /// It does not show a picture any more.
    PictureRemoved {
        /// Which.
        name: MediaName,
    },
    /// It is sold on other terms.
    TermsSet {
        /// The terms, as a whole.
        terms: Arc<Terms>,
    },
    /// A request under a key was done; a repeat of it changes nothing.
    Answered {
        /// The request.
        request: KeyedRequest,
    },
    /// It is a partner's; directly after it was offered for the first time.
    Supplied {
        /// Who supplies it.
        by: PartnerId,
    },
}

impl EventName for ProductEvent {
    fn name(&self) -> &'static str {
        match self {
            Self::Published { .. } => "product.published",
            Self::Renamed { .. } => "product.renamed",
            Self::Repriced { .. } => "product.repriced",
            Self::StatusChanged { .. } => "product.status_changed",
            Self::PictureAdded { .. } => "product.picture_added",
            Self::PictureRemoved { .. } => "product.picture_removed",
            Self::TermsSet { .. } => "product.terms_set",
            Self::Answered { .. } => "product.answered",
            Self::Supplied { .. } => "product.supplied",
        }
    }
}

/// Why a change of a listing was turned down.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProductRefusal {
    /// Another listing has this id.
    #[error("product {0} exists with other data")]
    Exists(ProductId),
    /// Another request was answered under its key.
    #[error("the key was used for another request")]
    KeyReused,
    /// It belongs to the shop or to another partner.
    #[error("product {0} is not supplied by this partner")]
    NotSupplied(ProductId),
    /// There is no such product.
    #[error("product is unknown")]
    Unknown,
    /// A price below zero makes no sense.
    #[error("price is negative")]
    NegativePrice,
    /// A listing keeps its currency.
    #[error("price is in another currency than before")]
    CurrencyChanged,
    /// A listing shows only so many pictures.
    #[error("the product has {PICTURES_MAX} pictures")]
    TooManyPictures,
    /// It does not show this picture.
    #[error("the product has no such picture")]
    UnknownPicture,
    /// An archived listing stays as it is.
    #[error("the product is archived")]
    Archived,
    /// A part of the terms is out of its range or in another currency.
    #[error("{0} is out of range, or in another currency than the price")]
    TermsUnsound(&'static str),
}
