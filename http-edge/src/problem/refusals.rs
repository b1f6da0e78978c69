//! From what the engine says to what the client is told. No wildcard: a new refusal needs a line.

use actors::outcome::{NotAccepted, NotDone};
use engine::buyer::BuyerRefusal;
use engine::cart::CartRefusal;
use engine::catalog::ProductRefusal;
use engine::drill::DrillRefusal;
use engine::endpoint::EndpointRefusal;
use engine::import::ImportRefusal;
use engine::inventory::InventoryRefusal;
use engine::job::JobRefusal;
use engine::order::{NotReturnable, OrderRefusal};
use engine::partner::PartnerRefusal;
use engine::process::Unavailable;
use engine::promo::PromoRefusal;
use engine::rma::ReturnRefusal;
use engine::toggle::ToggleRefusal;

use super::{Code, FieldError, Problem};

/// How long what kept failing is left alone.
const QUARANTINE_SECONDS: u32 = 60;

/// Nothing happened, because somebody could not be asked.
fn unavailable(why: Unavailable, detail: String) -> Problem {
    match why {
        Unavailable::Overloaded => Problem::new(Code::Overloaded, detail),
        Unavailable::Unreachable => Problem::new(Code::Unavailable, detail),
        Unavailable::Quarantined => {
            Problem::new(Code::Unavailable, detail).retry_after(QUARANTINE_SECONDS)
        }
    }
}

impl From<OrderRefusal> for Problem {
    fn from(refusal: OrderRefusal) -> Self {
        let code = match refusal {
            OrderRefusal::Unknown => return Self::new(Code::NotFound, "there is no such order"),
            OrderRefusal::Invalid(findings) => return Self::broken(findings),
            OrderRefusal::InsufficientStock { .. } => Code::InsufficientStock,
            OrderRefusal::OverLimit { .. } => Code::PurchaseLimitReached,
            OrderRefusal::Cart(CartRefusal::Unknown) => {
                return Self::invalid(vec![FieldError::new(
                    "cart_id",
                    "unknown_cart",
                    "there is no such cart",
                    "Leave cart_id out, or send the id of an open cart.",
                )]);
            }
            OrderRefusal::Cart(refusal) => return refusal.into(),
            OrderRefusal::PromoUsedUp(_) => Code::PromoUsedUp,
            OrderRefusal::PromoOverLimit { .. } => Code::PromoLimitReached,
            OrderRefusal::StockUnavailable { why, .. }
            | OrderRefusal::PromoUnavailable { why }
            | OrderRefusal::CreditUnavailable { why }
            | OrderRefusal::CartUnavailable { why } => {
                return unavailable(why, refusal.to_string());
            }
            OrderRefusal::NotCharged => {
                return Self::invalid(vec![FieldError::new(
                    "key",
                    "invalid_value",
                    "the provider was not asked for money for the order under that key",
                    "Send callbacks for charges that were asked for only.",
                )]);
            }
            OrderRefusal::InsufficientCredit { .. } => Code::InsufficientStoreCredit,
            OrderRefusal::OtherAmount { .. } => {
                return Self::invalid(vec![FieldError::new(
                    "amount",
                    "amount_differs",
                    refusal.to_string(),
                    "Send the order's total.",
                )]);
            }
            OrderRefusal::NotPayable { .. } => Code::NotPayable,
            OrderRefusal::NothingToHandBack => Code::NothingToHandBack,
            OrderRefusal::UnderReview => Code::UnderReview,
            OrderRefusal::NotUnderReview => Code::NotUnderReview,
            OrderRefusal::KeyReused => Code::IdempotencyKeyReused,
            OrderRefusal::InvalidTransition { .. } => Code::InvalidTransition,
            OrderRefusal::Return(refusal) => return refusal.into(),
        };
        Self::new(code, refusal.to_string())
    }
}

impl From<NotReturnable> for Problem {
    fn from(refusal: NotReturnable) -> Self {
        let (field, code, hint) = match refusal {
            NotReturnable::UnknownOrder => {
                ("order_id", "unknown_order", "Send the id of an order of this customer.")
            }
            NotReturnable::NotBought(_) => {
                ("items", "unknown_product", "Send products that are in the order.")
            }
            NotReturnable::NoUnits(_) => {
                ("items", "out_of_range", "Send at least one unit of each product.")
            }
            NotReturnable::NoCard => {
                ("method", "no_card", "Choose original, cash or store_credit.")
            }
            NotReturnable::NotDelivered(_)
            | NotReturnable::NotPaid(_)
            | NotReturnable::WindowOver { .. }
            | NotReturnable::TooMany { .. }
            | NotReturnable::TooManyReturns => {
                return Self::new(Code::ReturnNotAllowed, refusal.to_string());
            }
        };
        Self::invalid(vec![FieldError::new(field, code, refusal.to_string(), hint)])
    }
}

impl From<ReturnRefusal> for Problem {
    fn from(refusal: ReturnRefusal) -> Self {
        let code = match refusal {
            ReturnRefusal::Unknown => return Self::new(Code::NotFound, "there is no such return"),
            ReturnRefusal::KeyReused => Code::IdempotencyKeyReused,
            ReturnRefusal::NotReturnable(refusal) => return refusal.into(),
            ReturnRefusal::OrderUnavailable { why } => {
                return unavailable(why, refusal.to_string());
            }
            ReturnRefusal::TooMany { .. } => {
                return Self::invalid(vec![FieldError::new(
                    "items",
                    "out_of_range",
                    refusal.to_string(),
                    "Send no more units than were requested, and after that no more than were approved.",
                )]);
            }
            ReturnRefusal::TooManyPhotos => {
                return Self::invalid(vec![FieldError::new(
                    "photos",
                    "too_many",
                    refusal.to_string(),
                    "Show the units with those that are there.",
                )]);
            }
            ReturnRefusal::OtherMethod(_) | ReturnRefusal::InvalidTransition { .. } => {
                Code::InvalidTransition
            }
        };
        Self::new(code, refusal.to_string())
    }
}

impl From<InventoryRefusal> for Problem {
    fn from(refusal: InventoryRefusal) -> Self {
        let code = match refusal {
            InventoryRefusal::EmptyQuantity => {
                return Self::invalid(vec![FieldError::new(
                    "delta",
                    "out_of_range",
                    "a change by zero units makes no sense",
                    "Send how many units are added, or taken when negative.",
                )]);
            }
            InventoryRefusal::CountOutOfRange => {
                return Self::invalid(vec![FieldError::new(
                    "delta",
                    "out_of_range",
                    "the count would pass what can be counted",
                    "Change the stock by fewer units.",
                )]);
            }
            InventoryRefusal::NotEnoughStock { .. } | InventoryRefusal::Lapsed(_) => {
                Code::InsufficientStock
            }
            InventoryRefusal::OverLimit { .. } => Code::PurchaseLimitReached,
            InventoryRefusal::HoldMismatch(_) | InventoryRefusal::AdjustmentMismatch(_) => {
                Code::IdempotencyKeyReused
            }
            InventoryRefusal::Stale => Code::Overloaded,
            InventoryRefusal::VersionMismatch { .. } => Code::StaleVersion,
        };
        Self::new(code, refusal.to_string())
    }
}

impl From<ProductRefusal> for Problem {
    fn from(refusal: ProductRefusal) -> Self {
        let hint = match refusal {
            ProductRefusal::Exists(_) => {
                return Self::new(Code::ProductExists, refusal.to_string());
            }
            ProductRefusal::KeyReused => {
                return Self::new(Code::IdempotencyKeyReused, refusal.to_string());
            }
            ProductRefusal::NotSupplied(_) => {
                return Self::new(Code::Forbidden, refusal.to_string());
            }
            ProductRefusal::Unknown => {
                return Self::new(Code::NotFound, "there is no such product");
            }
            ProductRefusal::UnknownPicture => {
                return Self::new(Code::NotFound, refusal.to_string());
            }
            ProductRefusal::TooManyPictures => {
                let hint = "Remove a picture first.";
                let error = FieldError::new("media", "too_many", refusal.to_string(), hint);
                return Self::invalid(vec![error]);
            }
            ProductRefusal::Archived => {
                return Self::new(Code::ProductArchived, refusal.to_string());
            }
            ProductRefusal::TermsUnsound(field) => {
                let hint = "Send shares of 0 to 10000 basis points, amounts of zero or more in the \
                            currency of the price, and an end after the start.";
                let message = refusal.to_string();
                return Self::invalid(vec![FieldError::new(field, "out_of_range", message, hint)]);
            }
            ProductRefusal::NegativePrice => "Send a price of zero or more.",
            ProductRefusal::CurrencyChanged => "Send the price in the currency of the product.",
        };
        Self::invalid(vec![FieldError::new("price", "invalid_value", refusal.to_string(), hint)])
    }
}

impl From<CartRefusal> for Problem {
    fn from(refusal: CartRefusal) -> Self {
        match refusal {
            CartRefusal::Unknown => Self::new(Code::NotFound, "there is no such cart"),
            // Ids of carts come from keys: the key named a cart of somebody else's.
            CartRefusal::Exists | CartRefusal::KeyReused => {
                Self::new(Code::IdempotencyKeyReused, refusal.to_string())
            }
            CartRefusal::CheckedOut(order) => {
                Self::new(Code::CartCheckedOut, refusal.to_string()).about(order)
            }
            CartRefusal::Changed => Self::new(Code::CartChanged, refusal.to_string()),
            CartRefusal::Joined(_) => Self::new(Code::CartMerged, refusal.to_string()),
            CartRefusal::Itself => Self::invalid(vec![FieldError::new(
                "from",
                "invalid_value",
                refusal.to_string(),
                "Send the id of another cart.",
            )]),
            CartRefusal::TooManyTaken => Self::new(Code::LimitReached, refusal.to_string()),
            CartRefusal::TooManyUnits => Self::invalid(vec![FieldError::new(
                "quantity",
                "out_of_range",
                refusal.to_string(),
                "Choose a quantity from 1 to 100.",
            )]),
            CartRefusal::TooManyLines => Self::invalid(vec![FieldError::new(
                "items",
                "too_many",
                refusal.to_string(),
                "Use another cart for the rest.",
            )]),
        }
    }
}

impl From<PromoRefusal> for Problem {
    fn from(refusal: PromoRefusal) -> Self {
        match refusal {
            PromoRefusal::Unknown => Self::new(Code::NotFound, refusal.to_string()),
            PromoRefusal::Exists => Self::new(Code::PromoExists, refusal.to_string()),
            PromoRefusal::Unsound(field) => Self::invalid(vec![FieldError::new(
                field,
                "out_of_range",
                refusal.to_string(),
                "Send a value within the limits that the interface describes.",
            )]),
        }
    }
}

impl From<BuyerRefusal> for Problem {
    fn from(refusal: BuyerRefusal) -> Self {
        match refusal {
            BuyerRefusal::Unknown => Self::new(Code::NotFound, "nothing is known of such a buyer"),
        }
    }
}

impl From<DrillRefusal> for Problem {
    fn from(refusal: DrillRefusal) -> Self {
        let hint = "Send numbers within the limits that the interface describes.";
        let error = match refusal {
            DrillRefusal::OutOfRange => {
                FieldError::new("body", "out_of_range", refusal.to_string(), hint)
            }
        };
        Self::invalid(vec![error])
    }
}

impl From<EndpointRefusal> for Problem {
    fn from(refusal: EndpointRefusal) -> Self {
        let code = match refusal {
            EndpointRefusal::Unknown => {
                return Self::new(Code::NotFound, "there is no such webhook endpoint");
            }
            EndpointRefusal::FromTheFuture => {
                let hint = "Send a moment that has passed.";
                let message = refusal.to_string();
                let error = FieldError::new("since", "out_of_range", message, hint);
                return Self::invalid(vec![error]);
            }
            EndpointRefusal::KeyReused => Code::IdempotencyKeyReused,
            EndpointRefusal::AddressTaken(_) => Code::EndpointExists,
            EndpointRefusal::TooMany => Code::TooManyEndpoints,
        };
        Self::new(code, refusal.to_string())
    }
}

impl From<ImportRefusal> for Problem {
    fn from(refusal: ImportRefusal) -> Self {
        let code = match refusal {
            ImportRefusal::Unknown => Code::NotFound,
            ImportRefusal::OtherContent => Code::IdempotencyKeyReused,
            ImportRefusal::OutOfStep { .. } => Code::FeedUnderWay,
            ImportRefusal::Miscounted => Code::Internal,
        };
        Self::new(code, refusal.to_string())
    }
}

impl From<PartnerRefusal> for Problem {
    fn from(refusal: PartnerRefusal) -> Self {
        let code = match refusal {
            PartnerRefusal::Unknown | PartnerRefusal::UnknownKey => Code::NotFound,
            PartnerRefusal::Exists(_) => Code::PartnerExists,
            PartnerRefusal::TooManyPartners | PartnerRefusal::TooManyKeys => Code::LimitReached,
            PartnerRefusal::KeyExists => Code::IdempotencyKeyReused,
            PartnerRefusal::NameOutOfRange | PartnerRefusal::AlreadyExpired => {
                let named = refusal == PartnerRefusal::NameOutOfRange;
                let field = if named { "name" } else { "valid_seconds" };
                let hint = "Send a value within the limits that the interface describes.";
                let error = FieldError::new(field, "out_of_range", refusal.to_string(), hint);
                return Self::invalid(vec![error]);
            }
        };
        Self::new(code, refusal.to_string())
    }
}

impl From<ToggleRefusal> for Problem {
    fn from(refusal: ToggleRefusal) -> Self {
        match refusal {
            ToggleRefusal::KeyReused => Self::new(Code::IdempotencyKeyReused, refusal.to_string()),
            ToggleRefusal::ReasonOutOfRange => Self::invalid(vec![FieldError::new(
                "reason",
                "out_of_range",
                refusal.to_string(),
                "Say why in a few words.",
            )]),
        }
    }
}

impl From<JobRefusal> for Problem {
    fn from(refusal: JobRefusal) -> Self {
        match refusal {
            // Both moments come from the engine's own clock.
            JobRefusal::StartsInFuture => Self::new(Code::Internal, refusal.to_string()),
        }
    }
}

impl From<NotAccepted> for Problem {
    fn from(reason: NotAccepted) -> Self {
        let code = match reason {
            NotAccepted::Overloaded | NotAccepted::DeadlinePassed => Code::Overloaded,
            NotAccepted::Restarting | NotAccepted::NotWritten => Code::Unavailable,
            NotAccepted::Draining => Code::Draining,
            NotAccepted::Quarantined => {
                return Self::new(Code::Unavailable, reason.to_string())
                    .retry_after(QUARANTINE_SECONDS);
            }
        };
        Self::new(code, reason.to_string())
    }
}

impl<R: Into<Self>> From<NotDone<R>> for Problem {
    fn from(not_done: NotDone<R>) -> Self {
        match not_done {
            NotDone::Refused(refusal) => refusal.into(),
            NotDone::NotAccepted(reason) => reason.into(),
            NotDone::Unknown => Self::new(
                Code::OutcomeUnknown,
                "the answer did not come in time, or the journal did not say whether it was written",
            ),
        }
    }
}
