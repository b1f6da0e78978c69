//! State, commands, events and refusals of a product listing.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::aggregate::EventName;
use crate::values::{Answered, KeyedRequest, MediaName, Money, Picture, ProductId};

/// Most pictures of one product.
pub const PICTURES_MAX: usize = 20;

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
}

impl From<Option<Listing>> for ListingState {
    fn from(listing: Option<Listing>) -> Self {
        Self { listing, answered: Answered::default() }
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
    /// A request under a key was done; a repeat of it changes nothing.
    Answered {
        /// The request.
        request: KeyedRequest,
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
            Self::Answered { .. } => "product.answered",
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
}
