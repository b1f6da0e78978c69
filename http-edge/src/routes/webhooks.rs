//! What the payment provider tells by itself: signed callbacks about charges.

use std::str::FromStr as _;
use std::time::Duration;

use actors::outcome::NotDone;
use axum::extract::State;
use axum::response::Response;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use engine::order::OrderCommand;
use engine::process::ChargeOutcome;
use engine::values::{ChargeKey, Money, OrderId};
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::HeaderMap;
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use uuid::Uuid;

use super::Shared;
use super::orders::unknown;
use crate::call::Call;
use crate::problem::{Code, FieldError, Problem, ProblemBody};
use crate::reply::Reply;
use crate::wire::{MoneyBody, Object, Raw, Texts, parse};

/// How old or new a callback may be, as Standard Webhooks recommends.
const TOLERANCE: Duration = Duration::from_mins(5);
/// Signatures in one header that are looked at.
const SIGNATURES_MAX: usize = 8;
/// Longest reference or reason, in bytes.
const WORDS_MAX: usize = 255;

/// The secret that callbacks are signed with.
#[derive(Clone)]
pub struct WebhookSecret(Vec<u8>);

impl std::fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("WebhookSecret(..)")
    }
}

impl WebhookSecret {
    /// Reads `whsec_` and base64, or takes any other text as it is.
    ///
    /// # Errors
    ///
    /// What is wrong with it: an empty secret would let anybody sign, and one that was cut short or
    /// mistyped would believe nobody.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let secret = match text.strip_prefix("whsec_") {
            Some(encoded) => BASE64_STANDARD
                .decode(encoded)
                .map_err(|_| "has whsec_ and then no base64 (with its padding)")?,
            None => text.as_bytes().to_vec(),
        };
        if secret.is_empty() { Err("is empty") } else { Ok(Self(secret)) }
    }

    /// Whether one of the signatures is that of id, timestamp and body.
    fn has_signed(&self, id: &str, timestamp: &str, body: &[u8], signatures: &str) -> bool {
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.0) else { return false };
        for part in [id.as_bytes(), b".", timestamp.as_bytes(), b".", body] {
            mac.update(part);
        }
        signatures.split(' ').take(SIGNATURES_MAX).any(|signature| {
            let encoded = signature.strip_prefix("v1,").unwrap_or_default();
            let decoded = BASE64_STANDARD.decode(encoded).unwrap_or_default();
            // The comparison takes as long whatever differs.
            mac.clone().verify_slice(&decoded).is_ok()
        })
    }
}

/// What became of a charge.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChargeCallback {
    /// The key under which the charge was asked for: `<order>-<attempt>`.
    key: String,
    /// `captured` or `declined`.
    outcome: CallbackOutcome,
    /// The provider's own name for the charge, when it was captured.
    reference: Option<String>,
    /// Why it was declined.
    reason: Option<String>,
    /// How much; refused when it is not the order's total.
    #[schema(value_type = Option<MoneyBody>)]
    amount: Option<Object<MoneyBody>>,
}

#[derive(Clone, Copy, Debug, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
enum CallbackOutcome {
    Captured,
    Declined,
}

/// The order after the callback.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Noted {
    /// Which order.
    #[schema(value_type = Uuid)]
    order_id: OrderId,
    /// Where its money is now.
    payment_status: &'static str,
}

/// Takes a callback of the sandbox provider, signed as Standard Webhooks describes.
#[utoipa::path(
    post, path = "/v1/payments/webhooks/sandbox", operation_id = "take_charge_callback", tag = "payments",
    params(
        ("webhook-id" = String, Header, description = "Names the message"),
        ("webhook-timestamp" = i64, Header, description = "Seconds since the Unix epoch"),
        ("webhook-signature" = String, Header,
         description = "`v1,` and base64 of HMAC-SHA256 over id, timestamp and body, joined by dots"),
    ),
    request_body = ChargeCallback,
    responses(
        (status = 200, description = "Noted; a repeat changes nothing", body = Noted),
        (status = 401, description = "The signature does not fit, or it is too old", body = ProblemBody<'static>),
        (status = 404, description = "There is no such order", body = ProblemBody<'static>),
        (status = 422, description = "A field cannot be used", body = ProblemBody<'static>),
    ),
    security(()),
)]
pub(crate) async fn charge(
    State(edge): State<Shared>,
    call: Call,
    headers: HeaderMap,
    body: Raw,
) -> Result<Response, Problem> {
    let now = edge.shop.clock().now().as_unix_micros().div_euclid(1_000_000);
    authenticate(edge.outside.webhook_secret.as_ref(), &headers, &body.0, now)?;
    let callback: ChargeCallback = parse(&body.0)?;
    let (key, outcome) = callback.judge()?;
    if let Some(amount) = callback.amount {
        let order = edge.shop.order(key.order).await?.ok_or_else(unknown)?;
        if Money::from(amount) != order.placement.amounts.total {
            let message = "the amount is not what the order costs";
            let hint = "Send the callback for the charge that was asked for.";
            return Err(invalid("amount", message, hint));
        }
    }
    let command = OrderCommand::RecordCharge { key, outcome };
    let noted = edge.shop.ask_order(key.order, command, call.asking(None, None)).await;
    if let Err(NotDone::Refused(refusal)) = &noted {
        // It bears the provider's signature: somebody has to find out what it thinks it did.
        tracing::warn!(order = %key.order, %refusal, request_id = %call.request_id,
            "a callback of the provider was refused");
    }
    let noted = noted?;
    let order = noted.view.as_ref().ok_or_else(unknown)?;
    let payment_status = order.payment.status.as_str();
    Ok(Reply::ok(&Noted { order_id: key.order, payment_status }).standing(&noted).into_response())
}

fn invalid(field: &'static str, message: &'static str, hint: &'static str) -> Problem {
    Problem::invalid(vec![FieldError::new(field, "invalid_value", message, hint)])
}

/// Checks the signature over the bytes as they came.
fn authenticate(
    secret: Option<&WebhookSecret>,
    headers: &HeaderMap,
    body: &[u8],
    now_seconds: i64,
) -> Result<(), Problem> {
    let refused = |detail| Problem::new(Code::InvalidSignature, detail);
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let (Some(id), Some(timestamp), Some(signatures)) =
        (text("webhook-id"), text("webhook-timestamp"), text("webhook-signature"))
    else {
        return Err(refused("webhook-id, webhook-timestamp or webhook-signature is missing"));
    };
    let Some(secret) = secret else {
        return Err(refused("this server has no secret for callbacks"));
    };
    if !secret.has_signed(id, timestamp, body, signatures) {
        return Err(refused("no signature fits the body"));
    }
    let sent = i64::from_str(timestamp).map_err(|_| refused("the timestamp is no number"))?;
    if TOLERANCE.as_secs() < now_seconds.abs_diff(sent) {
        return Err(refused("the timestamp is more than five minutes away"));
    }
    Ok(())
}

impl ChargeCallback {
    fn judge(&self) -> Result<(ChargeKey, ChargeOutcome), Problem> {
        let mut texts = Texts::default();
        let words = [("reference", &self.reference), ("reason", &self.reason)];
        for (name, text) in words {
            if let Some(text) = text {
                texts.judge(|| name.to_owned(), text, WORDS_MAX);
            }
        }
        texts.finish()?;
        let hint = "Send the key under which the charge was asked for.";
        let key =
            charge_key(&self.key).ok_or_else(|| invalid("key", "not the key of a charge", hint))?;
        let outcome = match self.outcome {
            CallbackOutcome::Captured => {
                let hint = "Name the charge.";
                let reference = self.reference.clone();
                let missing = || invalid("reference", "a capture needs a reference", hint);
                ChargeOutcome::Captured { reference: reference.ok_or_else(missing)? }
            }
            CallbackOutcome::Declined => {
                let reason = self.reason.clone().unwrap_or_else(|| "declined".to_owned());
                ChargeOutcome::Declined { reason }
            }
        };
        Ok((key, outcome))
    }
}

/// Reads `<order>-<attempt>`.
pub(crate) fn charge_key(text: &str) -> Option<ChargeKey> {
    let (order, attempt) = text.rsplit_once('-')?;
    let order = OrderId::new(Uuid::try_parse(order).ok()?);
    Some(order.charge(attempt.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    // From the specification of Standard Webhooks.
    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const BODY: &[u8] = br#"{"test": 2432232314}"#;
    const SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
    const SENT: i64 = 1_614_265_330;

    fn headers(timestamp: &str, signature: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in
            [("webhook-id", ID), ("webhook-timestamp", timestamp), ("webhook-signature", signature)]
        {
            headers.insert(name, HeaderValue::from_str(value).unwrap());
        }
        headers
    }

    fn is_taken(headers: &HeaderMap, body: &[u8], now: i64) -> bool {
        authenticate(Some(&WebhookSecret::parse(SECRET).unwrap()), headers, body, now).is_ok()
    }

    #[test]
    fn the_example_of_the_specification_is_taken() {
        assert!(is_taken(&headers("1614265330", SIGNATURE), BODY, SENT));
        let several = format!("v1,AAAA v1a,xyz {SIGNATURE}");
        assert!(is_taken(&headers("1614265330", &several), BODY, SENT));
    }

    #[test]
    fn anything_else_is_refused() {
        let good = headers("1614265330", SIGNATURE);
        assert!(!is_taken(&good, br#"{"test":2432232314}"#, SENT), "another body");
        assert!(!is_taken(&headers("1614265331", SIGNATURE), BODY, SENT), "another time");
        assert!(!is_taken(&good, BODY, SENT + 301), "too late");
        assert!(!is_taken(&good, BODY, SENT - 301), "too early");
        for signature in ["", "v1,", "v0,g0hM9SsE", &SIGNATURE["v1,".len()..], "v1,AAAA"] {
            assert!(!is_taken(&headers("1614265330", signature), BODY, SENT), "{signature}");
        }
        assert!(authenticate(None, &good, BODY, SENT).is_err(), "no secret");
        let other = WebhookSecret::parse("whsec_AAAA").unwrap();
        assert!(authenticate(Some(&other), &good, BODY, SENT).is_err(), "another secret");
    }

    #[test]
    fn a_secret_that_signs_nothing_is_none() {
        for bad in ["", "whsec_", "whsec_AAA", "whsec_not base64"] {
            assert!(WebhookSecret::parse(bad).is_err(), "{bad}");
        }
        assert_eq!(WebhookSecret::parse("words").unwrap().0, b"words");
    }

    #[test]
    fn only_so_many_signatures_are_looked_at() {
        let many = format!("{}{SIGNATURE}", "v1,AAAA ".repeat(SIGNATURES_MAX));
        assert!(!is_taken(&headers("1614265330", &many), BODY, SENT));
    }

    #[test]
    fn the_key_of_a_charge_is_read_as_it_is_told() {
        let key = OrderId::new(Uuid::from_u128(5)).charge(3);
        assert_eq!(charge_key(&key.to_string()), Some(key));
        for bad in ["", "x-1", "00000000-0000-0000-0000-000000000005", "-1"] {
            assert_eq!(charge_key(bad), None, "{bad}");
        }
    }
}
