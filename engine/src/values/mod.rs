//! The small exact values that everything else is made of.

mod address;
mod credit;
mod ids;
mod media;
mod moment;
mod money;
mod partner;
mod payment;
mod promo;
mod quantity;
mod request;
#[cfg(test)]
mod tests;

pub use address::PostalAddress;
pub use credit::CreditAccount;
pub use ids::{
    AdjustmentId, CartId, ChargeKey, CustomerId, EndpointId, Fingerprint, HoldId, IdError,
    ImportId, ItemId, OrderId, PartnerKeyId, ProductId, ReturnId,
};
pub use media::{MediaArea, MediaFormat, MediaName, MediaNameError, MediaOwner, Picture};
pub use moment::Moment;
pub use money::{Currency, Money, MoneyError};
pub use partner::{PartnerId, PartnerNameError, Sku};
pub use payment::{PaymentMethod, PaymentToken};
pub use promo::{PromoCode, PromoCodeError};
pub use quantity::Quantity;
pub use request::{Answered, KeyUse, KeyedRequest, REQUESTS_REMEMBERED_MAX};
