//! Sends webhooks over HTTP, signed by the convention of Standard Webhooks.

use std::error::Error as _;
use std::sync::Arc;
use std::time::Duration;

use actors::followers::webhooks::{Delivery, NotTaken, WebhookSender};
use async_trait::async_trait;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use engine::endpoint::SigningSecret;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::header::CONTENT_TYPE;
use reqwest::Client;
use sha2::Sha256;

use super::Targets;
use super::targets::NOT_ALLOWED;
use crate::wire::ToldBody;

/// Longest wait for a connection, inside of that for an answer.
const CONNECT_WITHIN: Duration = Duration::from_secs(3);
/// Longest wait for an answer. Whoever has more to do does it after answering.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// Random bytes of a secret.
const SECRET_BYTES: usize = 24;
/// What a secret begins with, so that people and scanners know it.
const SECRET_PREFIX: &str = "whsec_";

/// Mints a secret that nobody has.
pub(crate) fn mint_secret() -> SigningSecret {
    let bytes: [u8; SECRET_BYTES] = rand::random();
    SigningSecret::new(&format!("{SECRET_PREFIX}{}", BASE64_STANDARD.encode(bytes)))
}

/// Sends over HTTP.
#[derive(Clone, Debug)]
pub struct HttpWebhookSender {
    client: Client,
    targets: Targets,
}

impl HttpWebhookSender {
    /// Sends to what `targets` allow.
    ///
    /// # Errors
    ///
    /// When TLS cannot be set up.
    pub fn new(targets: Targets) -> anyhow::Result<Self> {
        let client = Client::builder()
            .connect_timeout(CONNECT_WITHIN)
            .timeout(ANSWER_WITHIN)
            .dns_resolver(Arc::new(targets))
            // A proxy would resolve names by itself, and a redirect would lead around the rules.
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("millrace/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self { client, targets })
    }
}

/// The signatures of a message, the newest secret's first, separated by spaces.
fn signatures(secrets: &[SigningSecret], id: &str, timestamp: i64, body: &[u8]) -> String {
    let signed = secrets.iter().filter_map(|secret| {
        let text = secret.expose();
        let key = BASE64_STANDARD.decode(text.strip_prefix(SECRET_PREFIX).unwrap_or(text)).ok()?;
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).ok()?;
        for part in [id.as_bytes(), b".", timestamp.to_string().as_bytes(), b".", body] {
            mac.update(part);
        }
        Some(format!("v1,{}", BASE64_STANDARD.encode(mac.finalize().into_bytes())))
    });
    signed.collect::<Vec<_>>().join(" ")
}

#[async_trait]
impl WebhookSender for HttpWebhookSender {
    async fn send(&self, delivery: &Delivery) -> Result<u16, NotTaken> {
        // An address that is written in numbers is not resolved, so it is judged here.
        let url = self.targets.judge(&delivery.url).map_err(|why| NotTaken(why.to_owned()))?;
        let body = ToldBody::from(&delivery.told);
        let id = body.id();
        let body = serde_json::to_vec(&body)
            .map_err(|_| NotTaken("the event has no JSON form".to_owned()))?;
        let timestamp = delivery.at.as_unix_micros().div_euclid(1_000_000);
        let signatures = signatures(&delivery.secrets, &id, timestamp, &body);
        let request = self
            .client
            .post(url)
            .header(CONTENT_TYPE, "application/json")
            .header("webhook-id", &id)
            .header("webhook-timestamp", timestamp)
            .header("webhook-signature", signatures)
            .body(body);
        // The body of the answer is not read: nothing depends on it, however long it is.
        let status = request.send().await.map_err(|error| NotTaken(words(&error)))?.status();
        if status.is_success() {
            return Ok(status.as_u16());
        }
        Err(NotTaken(format!("answered {}", status.as_u16())))
    }
}

/// What went wrong, without the address: it may hold a secret of its owner.
fn words(error: &reqwest::Error) -> String {
    let mut cause = error.source();
    while let Some(inner) = cause {
        if inner.to_string() == NOT_ALLOWED {
            return NOT_ALLOWED.to_owned();
        }
        cause = inner.source();
    }
    let words = if error.is_timeout() {
        "no answer in time"
    } else if error.is_connect() {
        "no connection"
    } else {
        "the connection broke"
    };
    words.to_owned()
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use actors::Position;
    use actors::followers::Told;
    use actors::runtime::spawn_light;
    use axum::Router;
    use axum::body::Bytes;
    use axum::routing::post;
    use engine::public::{Facts, PublicEvent, PublicName, Subject};
    use engine::values::{Currency, Moment, Money, OrderId};
    use http::{HeaderMap, StatusCode};
    use persistence::journal::Shard;
    use tokio::net::TcpListener;
    use uuid::Uuid;

    use super::*;

    const OWN: Targets = Targets { allow_private: true };

    fn delivery(url: String) -> Delivery {
        let told = Told {
            id: Uuid::from_u128(7),
            position: Position { shard: Shard(3), position: 17 },
            version: 2,
            at: Moment::from_unix_micros(1_700_000_000_000_000),
            event: PublicEvent {
                name: PublicName::OrderPaid,
                subject: Subject::Order(OrderId::new(Uuid::from_u128(9))),
                facts: Facts::Amount(Money::new(1_999, Currency::USD)),
            },
        };
        let secrets = vec![SigningSecret::new("whsec_bmV3"), SigningSecret::new("whsec_b2xk")];
        let at = Moment::from_unix_micros(1_700_000_005_000_000);
        Delivery { url, secrets, at, told }
    }

    type Heard = Arc<Mutex<Vec<(HeaderMap, Bytes)>>>;

    /// Somebody who listens, and answers by the path.
    async fn receiver() -> (String, Heard) {
        let heard = Heard::default();
        let note = Arc::clone(&heard);
        let take = move |headers: HeaderMap, body: Bytes| {
            let note = Arc::clone(&note);
            async move {
                note.lock().unwrap().push((headers, body));
                StatusCode::NO_CONTENT
            }
        };
        let note = Arc::clone(&heard);
        let elsewhere = move || {
            let note = Arc::clone(&note);
            async move {
                note.lock().unwrap().push((HeaderMap::new(), Bytes::new()));
                (StatusCode::TEMPORARY_REDIRECT, [("location", "/take")])
            }
        };
        let router = Router::new()
            .route("/take", post(take))
            .route("/elsewhere", post(elsewhere))
            .route("/fail", post(async || StatusCode::INTERNAL_SERVER_ERROR));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        spawn_light(async move { axum::serve(listener, router).await });
        (format!("http://{address}"), heard)
    }

    #[test]
    fn a_signature_is_the_one_of_the_convention() {
        // The example of the convention's own documents.
        let secret = SigningSecret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let signed = signatures(
            &[secret],
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            br#"{"test": 2432232314}"#,
        );
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[tokio::test]
    async fn a_message_is_told_with_its_headers_and_every_secret_signs() {
        let (base, heard) = receiver().await;
        let sender = HttpWebhookSender::new(OWN).unwrap();
        assert_eq!(sender.send(&delivery(format!("{base}/take"))).await, Ok(204));
        let heard = heard.lock().unwrap();
        let (headers, body) = &heard[0];
        assert_eq!(headers["webhook-id"], "evt_00000000-0000-0000-0000-000000000007");
        assert_eq!(headers["webhook-timestamp"], "1700000005");
        let signature = headers["webhook-signature"].to_str().unwrap();
        assert_eq!(signature.split(' ').filter(|s| s.starts_with("v1,")).count(), 2);
        let body: serde_json::Value = serde_json::from_slice(body).unwrap();
        assert_eq!(
            body,
            serde_json::json!({
                "id": "evt_00000000-0000-0000-0000-000000000007",
                "type": "order.paid.v1",
                "timestamp": "2023-11-14T22:13:20Z",
                "position": "3:17",
                "data": {
                    "order_id": "00000000-0000-0000-0000-000000000009",
                    "amount": {"minor": 1_999, "currency": "USD"},
                },
            })
        );
    }

    #[tokio::test]
    async fn whatever_is_no_success_is_not_taken_and_redirects_are_not_followed() {
        let (base, heard) = receiver().await;
        let sender = HttpWebhookSender::new(OWN).unwrap();
        let failed = |why: &str| Err(NotTaken(why.to_owned()));
        assert_eq!(sender.send(&delivery(format!("{base}/fail"))).await, failed("answered 500"));
        let redirected = sender.send(&delivery(format!("{base}/elsewhere"))).await;
        assert_eq!(redirected, failed("answered 307"));
        assert_eq!(heard.lock().unwrap().len(), 1, "nobody went where it led");
    }

    #[tokio::test]
    async fn nobody_is_reached_whose_address_is_not_allowed() {
        let (base, heard) = receiver().await;
        let port = base.rsplit(':').next().unwrap();
        let sender = HttpWebhookSender::new(Targets::default()).unwrap();
        for host in ["127.0.0.1", "2130706433", "[::ffff:127.0.0.1]", "localhost"] {
            let sent = sender.send(&delivery(format!("https://{host}:{port}/take"))).await;
            assert!(sent.is_err(), "{host}");
        }
        // The rule for names aside, what they resolve to is looked at with the connection.
        let resolved = sender.client.post(format!("http://localhost:{port}/take")).send().await;
        assert_eq!(words(&resolved.unwrap_err()), NOT_ALLOWED);
        assert!(heard.lock().unwrap().is_empty());
    }
}
