//! Who may come in: a key, the right one, in the right place.

use acceptance_tests::server::Server;
use anyhow::Result;
use reqwest::Method;
use serde_json::json;

crate::on_both_stores! {
    without_a_key_nothing_answers,
    a_wrong_key_is_no_key,
    health_and_documents_are_open,
}

const GUARDED: &[(Method, &str)] = &[
    (Method::GET, "/v1/orders"),
    (Method::POST, "/v1/orders"),
    (Method::GET, "/v1/orders/00000000-0000-8000-8000-000000000000"),
    (Method::PUT, "/v1/orders/00000000-0000-8000-8000-000000000000/status"),
    (Method::DELETE, "/v1/orders/00000000-0000-8000-8000-000000000000"),
    (Method::GET, "/v1/products"),
    (Method::POST, "/v1/products"),
    (Method::POST, "/v1/products/mouse/stock"),
    (Method::POST, "/v1/carts"),
];

async fn without_a_key_nothing_answers(server: Server) -> Result<()> {
    let stranger = server.shop()?.with_key(None);
    let body = serde_json::to_vec(&json!({"items": [{"product_id": "mouse", "quantity": 1}]}))?;
    for (method, path) in GUARDED {
        let refused =
            stranger.send(method.clone(), path, &[], Some(body.clone())).await?.expect(401)?;
        let code = refused.text("/code")?.to_owned();
        refused.expect_problem(401, &code)?;
    }
    // In the address a key would end up in logs.
    stranger.get("/v1/orders?api_key=secret-key-123").await?.expect(401)?;
    Ok(())
}

async fn a_wrong_key_is_no_key(server: Server) -> Result<()> {
    for key in ["", "secret-key-12", "secret-key-1234", "SECRET-KEY-123", "secret-key-123 x"] {
        let stranger = server.shop()?.with_key(Some(key));
        stranger.get("/v1/products/mouse").await?.expect(401)?;
    }
    Ok(())
}

async fn health_and_documents_are_open(server: Server) -> Result<()> {
    let stranger = server.shop()?.with_key(None);
    for path in ["/health", "/health/live", "/health/ready", "/openapi.json"] {
        stranger.get(path).await?.expect(200)?;
    }
    Ok(())
}
