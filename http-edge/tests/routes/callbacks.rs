//! What the payment provider tells by itself.

use actors::{Clock as _, SystemClock};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::Method;
use serde_json::{Value, json};
use sha2::Sha256;

use crate::shop::{Answer, TestShop, WEBHOOK_SECRET, card_order};

/// Tells that a charge was captured, signed as the provider signs.
async fn tell_captured(shop: &TestShop, order: &str) -> Answer {
    let body = json!({"key": format!("{order}-1"), "outcome": "captured", "reference": "ch_1"});
    let timestamp = (SystemClock.now().as_unix_micros() / 1_000_000).to_string();
    let secret = BASE64_STANDARD.decode(WEBHOOK_SECRET.trim_start_matches("whsec_")).unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(&secret).unwrap();
    mac.update(format!("m-1.{timestamp}.{body}").as_bytes());
    let signature = format!("v1,{}", BASE64_STANDARD.encode(mac.finalize().into_bytes()));
    let headers = [
        ("webhook-id", "m-1"),
        ("webhook-timestamp", timestamp.as_str()),
        ("webhook-signature", signature.as_str()),
    ];
    shop.call(Method::POST, "/v1/payments/webhooks/sandbox", &headers, Some(body)).await
}

async fn read(shop: &TestShop, order: &str) -> Value {
    shop.get(&format!("/v1/orders/{order}")).await.expect(200).body
}

#[tokio::test]
async fn a_charge_for_an_order_that_is_paid_elsewhere_is_refused_and_changes_nothing() {
    let shop = TestShop::open().await;
    shop.stocked("mug", 1_250, 10).await;
    for method in ["cash", "cod"] {
        let body = json!({
            "items": [{"product_id": "mug", "quantity": 1}],
            "payment": {"method": method},
        });
        let placed = shop.place(method, body).await.expect(201);
        let order = placed.body["id"].as_str().unwrap();
        let before = read(&shop, order).await;

        let refused = tell_captured(&shop, order).await.expect_problem(422, "validation_failed");

        assert_eq!(refused.body["errors"][0]["field"], "key");
        assert_eq!(read(&shop, order).await, before);
    }
}

#[tokio::test(start_paused = true)]
async fn a_charge_that_was_asked_for_is_noted_once() {
    let shop = TestShop::open().await;
    shop.stocked("mug", 1_250, 10).await;
    let placed = shop.place("k-1", card_order("mug", 1, "tok_timeout")).await.expect(202);
    let order = placed.body["id"].as_str().unwrap();
    assert_eq!(shop.stock("mug").await, [10, 1, 9, 0]);
    for _ in 0..2 {
        let noted = tell_captured(&shop, order).await.expect(200);
        assert_eq!(noted.body["payment_status"], "paid");
        let history = shop.get(&format!("/v1/orders/{order}/history")).await.expect(200);
        assert_eq!(history.body["items"].as_array().unwrap().len(), 1);
        assert_eq!(shop.stock("mug").await, [9, 0, 9, 1]);
    }
}
