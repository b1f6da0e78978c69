//! What the provider tells the shop by itself, signed as Standard Webhooks describes.

use std::cell::RefCell;
use std::time::Duration;

use anyhow::Context as _;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::Request;
use http::header::{CONTENT_TYPE, HOST};
use http_body_util::Full;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use sha2::Sha256;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::books::Callbacks;
use crate::client::Endpoint;

/// How long the shop may take to listen.
const WITHIN: Duration = Duration::from_secs(5);

/// Tells the shop. A shop that does not listen has to ask: nothing is told again.
#[derive(Debug)]
pub(super) struct Teller {
    shop: Endpoint,
    secret: Vec<u8>,
    /// What waits for the next piece of news to overtake it.
    kept_back: RefCell<Option<Value>>,
}

impl Teller {
    /// `secret` is `whsec_` and base64, or any text.
    ///
    /// # Errors
    /// When there is no base64 behind `whsec_`.
    pub(super) fn new(shop: Endpoint, secret: &str) -> anyhow::Result<Self> {
        let secret = match secret.strip_prefix("whsec_") {
            Some(text) => BASE64_STANDARD.decode(text).context("no base64 behind whsec_")?,
            None => secret.into(),
        };
        Ok(Self { shop, secret, kept_back: RefCell::default() })
    }

    /// Tells one piece of news in the way that was asked for.
    pub(super) async fn tell(&self, way: Callbacks, news: Value) {
        match way {
            Callbacks::None => {}
            Callbacks::Once | Callbacks::Early => self.send(&news).await,
            Callbacks::Duplicate => {
                for _ in 0..3 {
                    self.send(&news).await;
                }
            }
            Callbacks::Reordered => {
                let earlier = self.kept_back.borrow_mut().take();
                match earlier {
                    None => *self.kept_back.borrow_mut() = Some(news),
                    Some(earlier) => {
                        self.send(&news).await;
                        self.send(&earlier).await;
                    }
                }
            }
        }
    }

    /// Tells what is still kept back.
    pub(super) async fn flush(&self) {
        let kept = self.kept_back.borrow_mut().take();
        if let Some(news) = kept {
            self.send(&news).await;
        }
    }

    async fn send(&self, news: &Value) {
        // Nobody learns of a callback that fails: it is the shop's to find out by a question.
        let _ = timeout(WITHIN, self.post(news)).await;
    }

    async fn post(&self, news: &Value) -> anyhow::Result<()> {
        let body = Bytes::from(news.to_string());
        let id = format!("msg_{:032x}", rand::random::<u128>());
        let timestamp = jiff::Timestamp::now().as_second().to_string();
        let signature = sign(&self.secret, &id, &timestamp, &body)?;
        let stream = TcpStream::connect((self.shop.host.as_str(), self.shop.port)).await?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        // The task ends with its connection, and the connection with its sender.
        actix::spawn(async move { drop(connection.await) });
        let request = Request::post(self.shop.path_or_root())
            .header(HOST, self.shop.authority())
            .header(CONTENT_TYPE, "application/json")
            .header("webhook-id", id)
            .header("webhook-timestamp", timestamp)
            .header("webhook-signature", signature)
            .body(Full::new(body))?;
        sender.send_request(request).await?;
        Ok(())
    }
}

fn sign(secret: &[u8], id: &str, timestamp: &str, body: &[u8]) -> anyhow::Result<String> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret)?;
    for part in [id.as_bytes(), b".", timestamp.as_bytes(), b".", body] {
        mac.update(part);
    }
    Ok(format!("v1,{}", BASE64_STANDARD.encode(mac.finalize().into_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_specification_is_signed_as_there() {
        let shop = Endpoint::parse("http://127.0.0.1:1").unwrap();
        let teller = Teller::new(shop, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let id = "msg_p5jXN8AQM9LWM0D4loKWxJek";
        let signed = sign(&teller.secret, id, "1614265330", br#"{"test": 2432232314}"#).unwrap();
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }
}
