//! A whole shop in memory behind its front, asked without a network.

use std::net::{IpAddr, Ipv4Addr};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use actors::admission::{Admission, AdmissionConfig, ServiceHealth};
use actors::clock::{Clock, SystemClock};
use actors::config::EngineConfig;
use actors::faults::Faults;
use actors::payments::{PaymentProvider, PaymentsConfig, SandboxConfig, SandboxProvider};
use actors::system::{OrderSystem, Ports};
use axum::body::Body;
use http::{HeaderMap, HeaderValue, Method, Request};
use http_edge::access::{Keys, Principal, Scope};
use http_edge::front::{Front, FrontConfig};
use http_edge::media::MediaRoom;
use http_edge::outside::Outside;
use http_edge::routes::webhooks::WebhookSecret;
use http_edge::routes::{Edge, router};
use http_edge::shop::Shop;
use persistence::Stores;
use persistence::media::{MediaStore, MemoryMedia};
use serde_json::{Value, json};
use tokio::time::Instant;

pub(crate) const KEY: &str = "a-key-with-every-scope";
pub(crate) const CLERK_KEY: &str = "a-key-for-orders-only";
pub(crate) const WEBHOOK_SECRET: &str = "whsec_c2VjcmV0LW9mLXRoZS10ZXN0";

/// A shop, and the front that leads to it.
pub(crate) struct TestShop {
    front: Front,
    pub(crate) admission: Arc<Admission>,
    pub(crate) health: Arc<ServiceHealth>,
    pub(crate) system: Arc<OrderSystem>,
    pub(crate) shop: Shop,
    pub(crate) media: Arc<dyn MediaStore>,
}

/// One answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Answer {
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.body);
        self
    }

    #[track_caller]
    pub(crate) fn expect_problem(self, status: u16, code: &str) -> Self {
        let answer = self.expect(status);
        assert_eq!(answer.header("content-type"), "application/problem+json");
        assert_eq!(answer.body["code"], code, "{}", answer.body);
        assert_eq!(answer.body["status"], status);
        answer
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

impl TestShop {
    /// Opens an empty shop.
    pub(crate) fn open() -> Pin<Box<dyn Future<Output = Self>>> {
        // Starting an engine is a large future; tests need not carry it around.
        Box::pin(Self::with(FrontConfig::default(), AdmissionConfig::default()))
    }

    pub(crate) async fn with(config: FrontConfig, admission: AdmissionConfig) -> Self {
        Self::over(Stores::in_memory(), config, admission).await
    }

    /// Opens the shop that is kept in these stores.
    pub(crate) async fn over(
        stores: Stores,
        config: FrontConfig,
        admission: AdmissionConfig,
    ) -> Self {
        Self::build(stores, None, config, admission).await
    }

    /// Opens an empty shop in which faults may be injected.
    pub(crate) fn drilled() -> Pin<Box<dyn Future<Output = Self>>> {
        Box::pin(async {
            let faults = Some(Faults::none(false));
            let (config, admission) = (FrontConfig::default(), AdmissionConfig::default());
            Self::build(Stores::in_memory(), faults, config, admission).await
        })
    }

    async fn build(
        mut stores: Stores,
        faults: Option<Arc<Faults>>,
        config: FrontConfig,
        admission: AdmissionConfig,
    ) -> Self {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let mut provider: Arc<dyn PaymentProvider> =
            Arc::new(SandboxProvider::new(SandboxConfig::default()));
        if let Some(faults) = &faults {
            stores = faults.among(stores).await;
            provider = faults.before(provider);
        }
        let health = Arc::new(ServiceHealth::new(Arc::clone(&clock)));
        let ports =
            Ports { provider, payments: PaymentsConfig::default(), health: Arc::clone(&health) };
        let engine = EngineConfig {
            projection_interval: Duration::from_millis(5),
            ..EngineConfig::default()
        };
        let system = OrderSystem::start(engine, stores, ports, Arc::clone(&clock)).await.unwrap();
        let drills = match faults {
            Some(faults) => Some(system.start_drills(faults).await.unwrap()),
            None => None,
        };
        let watched = admission.health.or_else(|| Some(Arc::clone(&health)));
        let admission = AdmissionConfig { health: watched, ..admission };
        let admission = Admission::start(admission).await.unwrap();
        let media: Arc<dyn MediaStore> = Arc::new(MemoryMedia::default());
        let shop = Shop::new(Arc::clone(&system), Arc::clone(&clock), ::engine::order::HOLD_FIRST);
        let edge = Arc::new(Edge {
            feeds: http_edge::routes::partners::catalog::FeedPlaces::default(),
            shop: shop.clone(),
            media: MediaRoom::new(Arc::clone(&media), clock),
            outside: Outside {
                admission: Arc::clone(&admission),
                health: Arc::clone(&health),
                prometheus: None,
                metrics_token: None,
                webhook_secret: Some(WebhookSecret::parse(WEBHOOK_SECRET).unwrap()),
                has_sandbox: true,
                drills,
                outbound: http_edge::outside::Outbound::default(),
                started: Instant::now(),
                draining: Arc::new(AtomicBool::new(false)),
            },
        });
        let keys = Keys::default()
            .with(KEY, Principal::new("owner", &Scope::ALL).unwrap())
            .with(CLERK_KEY, Principal::new("clerk", &[Scope::Orders]).unwrap());
        let front = Front::new(Arc::clone(&admission), keys, router(edge), config);
        Self { front, admission, health, system, shop, media }
    }

    /// Sends a request from another machine.
    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        self.send_from(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), request).await
    }

    pub(crate) async fn send_from(&self, peer: IpAddr, mut request: Request<Body>) -> Answer {
        request.headers_mut().entry("host").or_insert(HeaderValue::from_static("shop"));
        let response = self.front.answer(peer, request).await;
        let (head, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, 10_000_000).await.unwrap();
        // hyper closes the connection on an answer that contradicts itself.
        if let Some(length) = head.headers.get("content-length") {
            assert_eq!(length.to_str().unwrap(), bytes.len().to_string(), "{head:?}");
        }
        let body = serde_json::from_slice(&bytes)
            .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&bytes).into_owned()));
        Answer { status: head.status.as_u16(), headers: head.headers, body }
    }

    pub(crate) async fn call(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<Value>,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        if !headers.iter().any(|(name, _)| *name == "x-api-key") {
            request = request.header("x-api-key", KEY);
        }
        if body.is_some() {
            request = request.header("content-type", "application/json");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        self.send(request.body(body).unwrap()).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.call(Method::GET, path, &[], None).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.call(Method::POST, path, &[], Some(body)).await
    }

    pub(crate) async fn place(&self, key: &str, body: Value) -> Answer {
        let headers = [("idempotency-key", key)];
        self.call(Method::POST, "/v1/orders", &headers, Some(body)).await
    }

    /// Puts a product on the shelf.
    pub(crate) async fn stocked(&self, id: &str, minor: i64, stock: u32) {
        let price = json!({"minor": minor, "currency": "USD"});
        let product = json!({"id": id, "name": "A thing", "price": price, "stock": stock});
        self.post("/v1/products", product).await.expect(201);
    }

    /// The stock of a product: on hand, held, available, sold.
    pub(crate) async fn stock(&self, id: &str) -> [i64; 4] {
        let product = self.get(&format!("/v1/products/{id}")).await.expect(200);
        ["on_hand", "held", "available", "sold"]
            .map(|name| product.body["stock"][name].as_i64().unwrap())
    }
}

/// An order for one product, paid by card.
pub(crate) fn card_order(product: &str, quantity: i64, token: &str) -> Value {
    json!({
        "items": [{"product_id": product, "quantity": quantity}],
        "payment": {"method": "card", "token": token},
    })
}
