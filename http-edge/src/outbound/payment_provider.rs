//! A payment provider over HTTP. Whatever is not a definite answer is told as unknown.

use std::time::Duration;

use actors::payments::{ChargeRequest, PaymentProvider, ProviderFailure};
use async_trait::async_trait;
use engine::process::ChargeOutcome;
use engine::values::{ChargeKey, Money, OrderId};
use reqwest::{Client, RequestBuilder, StatusCode, Url};
use serde::{Deserialize, Serialize};

use crate::wire::MoneyBody;

/// Longest wait for one answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);
/// Longest wait for a connection, inside of the above.
const CONNECT_WITHIN: Duration = Duration::from_millis(500);

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
            .timeout(ANSWER_WITHIN)
            .connect_timeout(CONNECT_WITHIN)
            .tcp_nodelay(true)
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        Ok(Self { client, charges: base.join("charges")?, refunds: base.join("refunds")? })
    }

    /// Status and body, when there is an answer.
    async fn send(request: RequestBuilder) -> Result<(StatusCode, Vec<u8>), ProviderFailure> {
        let response = request.send().await.map_err(|error| {
            // Without a connection nothing can have left.
            if error.is_connect() { ProviderFailure::NotSent } else { ProviderFailure::Unknown }
        })?;
        let status = response.status();
        let body = response.bytes().await.map_err(|_| ProviderFailure::Unknown)?;
        Ok((status, body.to_vec()))
    }
}

fn told(body: &[u8]) -> Result<ChargeOutcome, ProviderFailure> {
    let told: Told = serde_json::from_slice(body).map_err(|_| ProviderFailure::Unknown)?;
    Ok(told.into())
}

/// The key of the refund of a charge; there is one per charge.
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
        let refund =
            Refund { key: refund_key(key), charge_key: key.to_string(), amount: amount.into() };
        let request = self.client.post(self.refunds.clone()).json(&refund);
        match Self::send(request).await? {
            (StatusCode::OK, _) => Ok(()),
            _ => Err(ProviderFailure::Unknown),
        }
    }
}
