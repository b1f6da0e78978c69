//! A product as the outside sees it.

use engine::catalog::{Listing, ProductStatus};
use engine::inventory::StockView;
use serde::Serialize;

use super::media::PLACE;
use super::terms::TermsBody;
use crate::media::PictureBody;
use crate::wire::MoneyBody;

/// A product with its stock.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Product)]
pub(crate) struct ProductBody<'a> {
    /// The shop's own name for it.
    id: &'a str,
    /// What people read.
    name: &'a str,
    /// Price of one unit.
    price: MoneyBody,
    /// `active`; `inactive`: shown, but not to be ordered; or `archived`: gone for good.
    status: &'static str,
    /// On what terms it is sold; absent where the price is all there is.
    #[serde(skip_serializing_if = "Option::is_none")]
    terms: Option<TermsBody>,
    /// Counts the changes of the listing.
    version: u64,
    /// Its units.
    stock: StockBody,
    /// Its pictures, at most 20.
    media: Vec<PictureBody>,
}

impl<'a> ProductBody<'a> {
    pub(crate) fn new(listing: &'a Listing, stock: StockView) -> Self {
        Self {
            id: listing.product.as_str(),
            name: &listing.name,
            price: listing.price.into(),
            status: match listing.status {
                ProductStatus::Active => "active",
                ProductStatus::Inactive => "inactive",
                ProductStatus::Archived => "archived",
            },
            terms: listing.terms.as_deref().map(TermsBody::from),
            version: listing.version,
            stock: stock.into(),
            media: listing.pictures.iter().map(|p| PictureBody::below(PLACE, p)).collect(),
        }
    }
}

/// Units of a product: `on_hand = held + available`.
#[derive(Clone, Copy, Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Stock)]
pub(crate) struct StockBody {
    /// Units that are here, held ones included.
    on_hand: u32,
    /// Units set aside for orders that are not finished.
    held: u32,
    /// Units that can be bought.
    available: u32,
    /// Units sold and gone.
    sold: u32,
    /// Counts the changes; what `If-Match` compares.
    version: u64,
}

impl From<StockView> for StockBody {
    fn from(stock: StockView) -> Self {
        Self {
            on_hand: stock.on_hand.units(),
            held: stock.held.units(),
            available: stock.available.units(),
            sold: stock.sold.units(),
            version: stock.version,
        }
    }
}

/// A page of products.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct ProductPage<'a> {
    /// The products, by id.
    pub(crate) items: Vec<ProductBody<'a>>,
    /// Where the next page starts; null on the last one.
    pub(crate) next_cursor: Option<String>,
    /// Entries asked for.
    pub(crate) limit: u32,
}
