//! Every code that a problem body can carry, with all that is said about it: one table.

use http::StatusCode;
use serde::Serialize;

/// What a refusal says about the state of the shop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The request changed nothing.
    NothingHappened,
    /// An order was written, and it says what came of it; nothing stays held or charged.
    Recorded,
    /// It may or may not have happened; repeating it with the same key tells.
    Unknown,
}

impl Outcome {
    /// The word in the body.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NothingHappened => "nothing_happened",
            Self::Recorded => "recorded",
            Self::Unknown => "unknown",
        }
    }
}

/// What the table says about one code.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// The stable word for machines.
    pub code: &'static str,
    /// HTTP status.
    pub status: StatusCode,
    /// What people read first; the same for every occurrence.
    pub title: &'static str,
    /// Whether repeating the same request can succeed without anything else being changed.
    pub retryable: bool,
    /// What it says about the state of the shop.
    pub outcome: Outcome,
    /// What to do about it.
    pub hint: &'static str,
}

macro_rules! codes {
    ($($name:ident $code:literal $status:ident $retryable:ident $outcome:ident $title:literal $hint:literal;)*) => {
        /// A stable code. A new one does not compile until the table has its line.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Code {
            $(#[doc = $title] $name,)*
        }

        impl Code {
            /// Every code, by status.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// Its line in the table.
            pub const fn entry(self) -> Entry {
                match self {
                    $(Self::$name => Entry {
                        code: $code,
                        status: StatusCode::$status,
                        title: $title,
                        retryable: codes!(@ $retryable),
                        outcome: Outcome::$outcome,
                        hint: $hint,
                    },)*
                }
            }
        }
    };
    (@ again) => { true };
    (@ never) => { false };
}

codes! {
    MalformedRequest "malformed_request" BAD_REQUEST never NothingHappened
        "The request is not HTTP/1.1" "Send one whole HTTP/1.1 request with one length.";
    DuplicateHeader "duplicate_header" BAD_REQUEST never NothingHappened
        "A header stands twice" "Send the header named in the detail once.";
    MalformedJson "malformed_json" BAD_REQUEST never NothingHappened
        "The body is not JSON" "Send one JSON object, encoded as UTF-8.";
    BusinessRuleBroken "business_rule_broken" BAD_REQUEST never NothingHappened
        "A rule of the shop forbids it now" "Read errors; the same request may be right at another time.";
    ReturnNotAllowed "return_not_allowed" BAD_REQUEST never NothingHappened
        "The order is not taken back like that" "Read the detail: a return is for units of a delivered and paid order that belong to no other return, within the window.";
    PromoUsedUp "promo_used_up" BAD_REQUEST never NothingHappened
        "The promo code was used as often as it may be" "Order without promo_code.";
    PromoLimitReached "promo_limit_reached" BAD_REQUEST never NothingHappened
        "The customer has used the promo code as often as one may" "Order without promo_code.";
    InsufficientStoreCredit "insufficient_store_credit" BAD_REQUEST never NothingHappened
        "The customer has too little store credit" "Pay otherwise, or order less.";
    Unauthorised "unauthorised" UNAUTHORIZED never NothingHappened
        "No valid key" "Send a valid key in the header X-API-Key.";
    InvalidSignature "invalid_signature" UNAUTHORIZED never NothingHappened
        "The signature does not fit" "Sign id, timestamp and body with the shared secret, and send it within five minutes.";
    PaymentDeclined "payment_declined" PAYMENT_REQUIRED never Recorded
        "The payment was declined" "Use another means of payment, with a new Idempotency-Key.";
    PaymentFailed "payment_failed" PAYMENT_REQUIRED never Recorded
        "The payment could not be taken in time" "Order again, with a new Idempotency-Key.";
    OrderCancelled "order_cancelled" PAYMENT_REQUIRED never Recorded
        "The order was cancelled before it was final" "Order again, with a new Idempotency-Key.";
    RefundFailed "refund_failed" PAYMENT_REQUIRED again Recorded
        "The money did not go back" "Ask for the refund again; the provider never gives it back twice.";
    Forbidden "forbidden" FORBIDDEN never NothingHappened
        "The key may not do this" "Use a key that has the scope named in the detail.";
    NotFound "not_found" NOT_FOUND never NothingHappened
        "There is no such thing" "Check the id and the path.";
    MethodNotAllowed "method_not_allowed" METHOD_NOT_ALLOWED never NothingHappened
        "The method does not fit the path" "Use one of the methods in the header Allow.";
    RequestTimeout "request_timeout" REQUEST_TIMEOUT again NothingHappened
        "The request did not arrive in time" "Send the whole body at once.";
    InsufficientStock "insufficient_stock" CONFLICT never NothingHappened
        "Not enough stock" "Order fewer units, or come back when there is more.";
    PurchaseLimitReached "purchase_limit_reached" CONFLICT never NothingHappened
        "The purchase limit is reached" "Order fewer units; each customer may buy only so many.";
    InvalidTransition "invalid_transition" CONFLICT never NothingHappened
        "It cannot change like that" "Read it, and ask only for a status that may follow its present one.";
    NotPayable "not_payable" CONFLICT never NothingHappened
        "The order takes no money by hand" "Read the order: it is paid already, is paid on another way, or was called off.";
    NothingToHandBack "nothing_to_hand_back" CONFLICT never NothingHappened
        "Nobody has to hand money back" "Call the order off first; what the provider took goes back by itself.";
    UnderReview "under_review" CONFLICT never NothingHappened
        "The order waits for a review" "Decide about it with POST /v1/orders/{id}/fraud-decision, or call it off.";
    NotUnderReview "not_under_review" CONFLICT never NothingHappened
        "The order does not wait for such a decision" "Read the order; it was not suspected, or is decided.";
    ProductExists "product_exists" CONFLICT never NothingHappened
        "The product exists with other data" "Choose another id, or change the product with PATCH.";
    ProductArchived "product_archived" CONFLICT never NothingHappened
        "The product is archived" "Offer another product; an archived one never changes again.";
    CartCheckedOut "cart_checked_out" CONFLICT never NothingHappened
        "The cart has become an order" "Open a new cart; the order is named in order_id.";
    CartChanged "cart_changed" CONFLICT never NothingHappened
        "The cart was changed while it was checked out" "Read the cart, and check it out again.";
    CartMerged "cart_merged" CONFLICT never NothingHappened
        "The cart was merged into another" "Go on with the cart named in the detail.";
    PromoExists "promo_exists" CONFLICT never NothingHappened
        "The promo code exists and says something else" "Choose another code.";
    PartnerExists "partner_exists" CONFLICT never NothingHappened
        "The partner exists with another name" "Choose another id.";
    FeedUnderWay "feed_under_way" CONFLICT never NothingHappened
        "The same feed is being taken in" "Wait until the other request has ended.";
    LimitReached "limit_reached" CONFLICT never NothingHappened
        "There are as many as there can be" "Give up one of them first.";
    FaultUnavailable "fault_unavailable" CONFLICT never NothingHappened
        "The fault cannot be injected here" "Inject one of those that GET /v1/ops/faults lists as available.";
    EndpointExists "endpoint_exists" CONFLICT never NothingHappened
        "A webhook endpoint has this address" "Change that endpoint, or take it away first.";
    TooManyEndpoints "too_many_endpoints" CONFLICT never NothingHappened
        "There are as many webhook endpoints as there may be" "Take one away that nobody needs any more.";
    DisabledByDrill "disabled_by_drill" CONFLICT never NothingHappened
        "Disabled by an active drill" "Refund by card while payments are made to fail, or lift the fault.";
    StaleVersion "stale_version" PRECONDITION_FAILED never NothingHappened
        "It has changed since you looked" "Read it again, and send its present version in If-Match.";
    BodyTooLarge "body_too_large" PAYLOAD_TOO_LARGE never NothingHappened
        "The body is too large" "Send a smaller body.";
    UnsupportedMediaType "unsupported_media_type" UNSUPPORTED_MEDIA_TYPE never NothingHappened
        "The body is not said to be JSON" "Send Content-Type: application/json, not compressed.";
    UnsupportedImage "unsupported_image" UNSUPPORTED_MEDIA_TYPE never NothingHappened
        "The body is not said to be a picture that is taken" "Send one picture with Content-Type image/png, image/jpeg, image/webp or image/gif, not compressed.";
    InvalidImage "invalid_image" UNPROCESSABLE_ENTITY never NothingHappened
        "The picture cannot be read" "Save it anew as PNG or JPEG, and send the whole file with its right Content-Type.";
    ImageTooLarge "image_too_large" UNPROCESSABLE_ENTITY never NothingHappened
        "The picture has too many pixels" "Make it smaller: at most 16,777,216 pixels, no side longer than 16,384.";
    ValidationFailed "validation_failed" UNPROCESSABLE_ENTITY never NothingHappened
        "The request can never be right" "Correct the fields listed in errors.";
    IdempotencyKeyReused "idempotency_key_reused" UNPROCESSABLE_ENTITY never NothingHappened
        "The key was used for another request" "Use a new Idempotency-Key for a new request.";
    InvalidIdempotencyKey "invalid_idempotency_key" UNPROCESSABLE_ENTITY never NothingHappened
        "The idempotency key cannot be used" "Send one Idempotency-Key of 1 to 255 visible ASCII characters.";
    InvalidHeader "invalid_header" UNPROCESSABLE_ENTITY never NothingHappened
        "A header cannot be read" "Correct the header named in the detail.";
    Throttled "throttled" TOO_MANY_REQUESTS again NothingHappened
        "Too many requests" "Wait for as long as Retry-After says, then repeat with the same key.";
    HeadTooLarge "head_too_large" REQUEST_HEADER_FIELDS_TOO_LARGE never NothingHappened
        "The head of the request is too large" "Send fewer and shorter headers, and a shorter path.";
    Internal "internal" INTERNAL_SERVER_ERROR again Unknown
        "Something broke on our side" "Repeat with the same Idempotency-Key; report the request_id if it stays.";
    Overloaded "overloaded" SERVICE_UNAVAILABLE again NothingHappened
        "Too busy, nothing happened" "Wait for as long as Retry-After says, then repeat with the same key.";
    Unavailable "unavailable" SERVICE_UNAVAILABLE again NothingHappened
        "Not available now, nothing happened" "Wait for as long as Retry-After says, then repeat with the same key.";
    Draining "draining" SERVICE_UNAVAILABLE again NothingHappened
        "The server is going down, nothing happened" "Repeat with the same key; another server answers.";
    FeatureOff "feature_off" SERVICE_UNAVAILABLE again NothingHappened
        "The feature is switched off" "Come back when it is on; an operator has switched it off.";
    NotFreshYet "not_fresh_yet" SERVICE_UNAVAILABLE again NothingHappened
        "The position has not been reached yet" "Ask again, or without x-min-position.";
    OutcomeUnknown "outcome_unknown" GATEWAY_TIMEOUT again Unknown
        "Nobody can say yet whether it happened" "Repeat with the same Idempotency-Key; that never does it twice.";
}

/// Codes of single fields that the edge itself finds; the rest come from the rules of the shop.
pub const FIELD_CODES: &[(&str, &str)] = &[
    ("card_expired", "The card has ended."),
    ("card_expiry_invalid", "No card ends in that month and year."),
    ("card_number_invalid", "The text is not the number of a card."),
    ("card_number_refused", "The text holds what looks like a card number; those are never taken."),
    ("dtd_refused", "The feed has a document type; none is taken."),
    ("cvc_invalid", "The code of such a card has another number of digits."),
    ("duplicate_field", "The field stands twice in its object."),
    ("entity_refused", "The feed names an entity that XML does not have by itself."),
    ("invalid_value", "The value has the right type, but is not one that can be used here."),
    ("malformed_feed", "The feed is not of its format from there on."),
    ("missing_field", "The field must be there."),
    ("out_of_range", "The number is outside of what is allowed."),
    (
        "target_not_allowed",
        "The address does not lead to a machine of the public internet over https.",
    ),
    ("row_too_large", "A row of the feed has more than 64 KiB."),
    ("test_card_required", "The sandbox takes no number but those for tests."),
    ("too_long", "The text is longer than allowed."),
    ("too_many", "The list is longer than allowed."),
    ("too_many_rows", "The feed has more than 200,000 rows."),
    ("unknown_cart", "There is no cart with this id."),
    ("unknown_field", "The field is not known here."),
    ("unknown_order", "There is no order with this id, or it is somebody else's."),
    ("unknown_product", "There is no product with this id."),
    ("wrong_type", "The value has the wrong JSON type; whole numbers are written without a dot."),
];
