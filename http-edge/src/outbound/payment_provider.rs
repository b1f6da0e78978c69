//! A payment provider over HTTP. Whatever is not a definite answer is told as unknown.
//!
//! How long an answer may take is up to `Payments`, which drops a call that takes longer.

use std::time::Duration;

use actors::payments::{ChargeRequest, PaymentProvider, ProviderFailure};
use async_trait::async_trait;
use engine::process::ChargeOutcome;
use engine::values::{ChargeKey, Money, OrderId, ReturnId};
use reqwest::{Client, RequestBuilder, StatusCode, Url};
use serde::{Deserialize, Serialize};

use crate::wire::MoneyBody;

/// Longest wait for a connection, inside of that for an answer.
const CONNECT_WITHIN: Duration = Duration::from_millis(500);
/// Largest answer that is read, in bytes; definite ones have some hundred.
const ANSWER_MAX: usize = 64 * 1_024;

/// A provider at an address.
#[derive(Clone, Debug)]
pub struct HttpProvider {
    client: Client,
    charges: Url,
    refunds: Url,
}

#[derive(Serialize)]
struct Charge<'a> {
    key: String,
    order_id: OrderId,
    amount: MoneyBody,
    token: &'a str,
}

#[derive(Serialize)]
struct Refund {
    key: String,
    charge_key: String,
    amount: MoneyBody,
}

#[derive(Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
enum Told {
    Captured { reference: String },
    Declined { reason: String },
}

impl From<Told> for ChargeOutcome {
    fn from(told: Told) -> Self {
        match told {
            Told::Captured { reference } => Self::Captured { reference },
            Told::Declined { reason } => Self::Declined { reason },
        }
    }
}

impl HttpProvider {
    /// A provider below `base`, for example `http://127.0.0.1:9000`.
    ///
    /// # Errors
    ///
    /// When `base` is not an HTTP address, or TLS cannot be set up.
    pub fn new(base: &str) -> anyhow::Result<Self> {
        let base = Url::parse(&format!("{}/", base.trim_end_matches('/')))?;
        anyhow::ensure!(matches!(base.scheme(), "http" | "https"), "expected an HTTP address");
        let client = Client::builder()
            .connect_timeout(CONNECT_WITHIN)
            .tcp_nodelay(true)
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        Ok(Self { client, charges: base.join("charges")?, refunds: base.join("refunds")? })
    }

    /// Gives money back under a key of its own.
    async fn give_back(
        &self,
        key: String,
        charge: ChargeKey,
        amount: Money,
    ) -> Result<(), ProviderFailure> {
        let refund = Refund { key, charge_key: charge.to_string(), amount: amount.into() };
        let request = self.client.post(self.refunds.clone()).json(&refund);
        match Self::send(request).await? {
            (StatusCode::OK, _) => Ok(()),
            _ => Err(ProviderFailure::Unknown),
        }
    }

    /// Status and body, when there is an answer.
    async fn send(request: RequestBuilder) -> Result<(StatusCode, Vec<u8>), ProviderFailure> {
        let mut response = request.send().await.map_err(|error| {
            // Without a connection nothing can have left.
            if error.is_connect() { ProviderFailure::NotSent } else { ProviderFailure::Unknown }
        })?;
        let status = response.status();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|_| ProviderFailure::Unknown)? {
            if ANSWER_MAX < body.len().saturating_add(chunk.len()) {
                return Err(ProviderFailure::Unknown);
            }
            body.extend_from_slice(&chunk);
        }
        Ok((status, body))
    }
}

fn told(body: &[u8]) -> Result<ChargeOutcome, ProviderFailure> {
    let told: Told = serde_json::from_slice(body).map_err(|_| ProviderFailure::Unknown)?;
    Ok(told.into())
}

/// The key of the refund of a whole charge; there is one per charge.
fn refund_key(charge: ChargeKey) -> String {
    format!("{charge}-refund")
}

#[async_trait]
impl PaymentProvider for HttpProvider {
    async fn charge(&self, request: &ChargeRequest) -> Result<ChargeOutcome, ProviderFailure> {
        let charge = Charge {
            key: request.key.to_string(),
            order_id: request.order,
            amount: request.amount.into(),
            token: request.token.expose(),
        };
        let request = self.client.post(self.charges.clone()).json(&charge);
        match Self::send(request).await? {
            (StatusCode::OK | StatusCode::PAYMENT_REQUIRED, body) => told(&body),
            _ => Err(ProviderFailure::Unknown),
        }
    }

    async fn query(&self, key: ChargeKey) -> Result<ChargeOutcome, ProviderFailure> {
        let mut address = self.charges.clone();
        address.set_path(&format!("{}/{key}", address.path()));
        match Self::send(self.client.get(address)).await? {
            (StatusCode::OK, body) => told(&body),
            (StatusCode::NOT_FOUND, _) => Ok(ChargeOutcome::NotCharged),
            _ => Err(ProviderFailure::Unknown),
        }
    }

    async fn refund(&self, key: ChargeKey, amount: Money) -> Result<(), ProviderFailure> {
        self.give_back(refund_key(key), key, amount).await
    }

    async fn refund_part(
        &self,
        key: ChargeKey,
        rma: ReturnId,
        amount: Money,
    ) -> Result<(), ProviderFailure> {
        self.give_back(format!("{key}-return-{rma}"), key, amount).await
    }
}

#[cfg(test)]
mod tests {
    use actors::runtime::spawn_light;
    use axum::Json;
    use axum::Router;
    use axum::extract::Path;
    use axum::routing::{get, post};
    use engine::values::{Currency, PaymentToken};
    use serde_json::{Value, json};
    use tokio::net::TcpListener;
    use uuid::Uuid;

    use super::*;

    /// A provider that answers by the token, and by the attempt when it is asked.
    async fn provider() -> HttpProvider {
        let charge = async |Json(charge): Json<Value>| {
            assert_eq!(charge["amount"], json!({"minor": 5, "currency": "USD"}));
            assert_eq!(charge["key"], format!("{}-1", charge["order_id"].as_str().unwrap()));
            match charge["token"].as_str().unwrap() {
                "tok_ok" => (StatusCode::OK, json!({"outcome": "captured", "reference": "r"})),
                "tok_no" => {
                    (StatusCode::PAYMENT_REQUIRED, json!({"outcome": "declined", "reason": "n"}))
                }
                "tok_odd" => (StatusCode::OK, json!({"outcome": "maybe"})),
                "tok_long" => {
                    let reference = "r".repeat(ANSWER_MAX);
                    (StatusCode::OK, json!({"outcome": "captured", "reference": reference}))
                }
                _ => (StatusCode::INTERNAL_SERVER_ERROR, json!({})),
            }
        };
        let charge = async move |body| {
            let (status, body) = charge(body).await;
            (status, Json(body))
        };
        let question = async |Path(key): Path<String>| {
            let known = key.ends_with("-1");
            let status = if known { StatusCode::OK } else { StatusCode::NOT_FOUND };
            (status, Json(json!({"outcome": "captured", "reference": "r"})))
        };
        let refund = async |Json(refund): Json<Value>| {
            let charge = refund["charge_key"].as_str().unwrap();
            let rma = ReturnId::new(Uuid::from_u128(9));
            let keys = [format!("{charge}-refund"), format!("{charge}-return-{rma}")];
            assert!(keys.iter().any(|key| refund["key"] == **key), "{refund}");
            if charge.ends_with("-1") { StatusCode::OK } else { StatusCode::CONFLICT }
        };
        let router = Router::new()
            .route("/pay/charges", post(charge))
            .route("/pay/charges/{key}", get(question))
            .route("/pay/refunds", post(refund));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        spawn_light(async move { axum::serve(listener, router).await });
        HttpProvider::new(&format!("http://{address}/pay/")).unwrap()
    }

    fn request(token: &str) -> ChargeRequest {
        let order = OrderId::new(Uuid::from_u128(7));
        let amount = Money::new(5, Currency::USD);
        ChargeRequest { key: order.charge(1), order, amount, token: PaymentToken::new(token) }
    }

    #[tokio::test]
    async fn only_a_definite_answer_counts() {
        let provider = provider().await;
        let captured = ChargeOutcome::Captured { reference: "r".to_owned() };
        let declined = ChargeOutcome::Declined { reason: "n".to_owned() };
        assert_eq!(provider.charge(&request("tok_ok")).await, Ok(captured.clone()));
        assert_eq!(provider.charge(&request("tok_no")).await, Ok(declined));
        for token in ["tok_odd", "tok_long", "tok_broken"] {
            let answer = provider.charge(&request(token)).await;
            assert_eq!(answer, Err(ProviderFailure::Unknown), "{token}");
        }
        let order = request("tok_ok").order;
        assert_eq!(provider.query(order.charge(1)).await, Ok(captured));
        assert_eq!(provider.query(order.charge(2)).await, Ok(ChargeOutcome::NotCharged));
        let amount = request("tok_ok").amount;
        assert_eq!(provider.refund(order.charge(1), amount).await, Ok(()));
        let rma = ReturnId::new(Uuid::from_u128(9));
        assert_eq!(provider.refund_part(order.charge(1), rma, amount).await, Ok(()));
        let refused = provider.refund(order.charge(2), amount).await;
        assert_eq!(refused, Err(ProviderFailure::Unknown));
    }

    #[tokio::test]
    async fn without_a_connection_nothing_was_sent() {
        // Nobody listens on the port any more.
        let address =
            TcpListener::bind("127.0.0.1:0").await.and_then(|listener| listener.local_addr());
        let provider = HttpProvider::new(&format!("http://{}", address.unwrap())).unwrap();
        let answer = provider.charge(&request("tok_ok")).await;
        assert_eq!(answer, Err(ProviderFailure::NotSent));
    }

    #[test]
    fn an_address_that_is_not_http_is_refused() {
        for address in ["", "127.0.0.1:9000", "ftp://127.0.0.1"] {
            assert!(HttpProvider::new(address).is_err(), "{address}");
        }
    }
}
