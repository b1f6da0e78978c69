//! What the provider tells by itself, signed as Standard Webhooks describes: in any order, as often
//! as it likes, with one effect.

use std::time::Duration;

use acceptance_tests::provider::Mood;
use acceptance_tests::shop::{Answer, fresh_key};
use acceptance_tests::wait;
use anyhow::{Context as _, Result, ensure};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use reqwest::Method;
use serde_json::{Value, json};
use sha2::Sha256;

use crate::Scene;

/// The secret that the server of a scene is given.
pub(crate) const SECRET: &str = "a secret between the provider and the shop";

const SANDBOX: &str = "/v1/payments/webhooks/sandbox";

/// A callback as the provider would send it.
struct Callback {
    body: Value,
    id: String,
    /// Seconds by which its clock differs from ours.
    skew: i64,
    secret: &'static str,
}

impl Callback {
    fn captured(key: &str) -> Self {
        let body = json!({"key": key, "outcome": "captured", "reference": "ref-callback"});
        Self { body, id: fresh_key("msg"), skew: 0, secret: SECRET }
    }

    fn declined(key: &str) -> Self {
        let body = json!({"key": key, "outcome": "declined", "reason": "insufficient funds"});
        Self { body, id: fresh_key("msg"), skew: 0, secret: SECRET }
    }

    async fn send(&self, scene: &Scene) -> Result<Answer> {
        let body = serde_json::to_vec(&self.body)?;
        let timestamp = (jiff::Timestamp::now().as_second() + self.skew).to_string();
        let mut mac = Hmac::<Sha256>::new_from_slice(self.secret.as_bytes())?;
        for part in [self.id.as_bytes(), b".", timestamp.as_bytes(), b".", &body] {
            mac.update(part);
        }
        let signature = format!("v1,{}", BASE64_STANDARD.encode(mac.finalize().into_bytes()));
        let headers = [
            ("webhook-id", self.id.as_str()),
            ("webhook-timestamp", &timestamp),
            ("webhook-signature", &signature),
        ];
        scene.shop.with_key(None).send(Method::POST, SANDBOX, &headers, Some(body)).await
    }
}

/// An order whose charge nobody answered, and the key of that charge.
async fn waiting(scene: &Scene) -> Result<(String, String)> {
    let id = scene.queued(scene.buy().await?).await?;
    let key = scene.provider.asked().last().cloned().context("nothing was charged")?;
    Ok((id, key))
}

#[tokio::test]
async fn a_callback_pays_a_waiting_order_once() -> Result<()> {
    let scene = Scene::set(Mood::TimeOut).await?;
    let (id, key) = waiting(&scene).await?;
    let callback = Callback::captured(&key);
    for _ in 0..3 {
        callback.send(&scene).await?.expect(200)?;
        scene.paid(&id).await?;
    }
    // The same news in another envelope is still old news.
    Callback::captured(&key).send(&scene).await?.expect(200)?;
    wait::until("the unit is sold", Duration::from_secs(15), || async {
        let stock = scene.shop.stock(&scene.mug).await?;
        ensure!((stock.on_hand, stock.held, stock.sold) == (999, 0, 1), "{stock:?}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_declining_callback_gives_the_units_back() -> Result<()> {
    let scene = Scene::set(Mood::TimeOut).await?;
    let (id, key) = waiting(&scene).await?;
    Callback::declined(&key).send(&scene).await?.expect(200)?;
    let order = scene.shop.order(&id).await?.expect(200)?;
    assert_eq!((order.text("/status")?, order.text("/payment_status")?), ("CANCELLED", "failed"));
    wait::until("the unit is back", Duration::from_secs(15), || async {
        let stock = scene.shop.stock(&scene.mug).await?;
        ensure!((stock.on_hand, stock.held, stock.sold) == (1000, 0, 0), "{stock:?}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_callback_after_the_answer_changes_nothing() -> Result<()> {
    let scene = Scene::set(Mood::Ok).await?;
    let order = scene.buy().await?.expect(201)?;
    let key = scene.provider.asked().pop().context("nothing was charged")?;
    Callback::captured(&key).send(&scene).await?.expect(200)?;
    let read = scene.shop.order(order.text("/id")?).await?.expect(200)?;
    assert_eq!(read.lasting(), order.lasting());
    Ok(())
}

#[tokio::test]
async fn callbacks_that_are_not_to_be_trusted_change_nothing() -> Result<()> {
    let scene = Scene::set(Mood::TimeOut).await?;
    let (id, key) = waiting(&scene).await?;
    let before = scene.shop.order(&id).await?.expect(200)?;
    let right = Callback::captured(&key);
    for callback in [
        Callback { skew: -400, ..Callback::captured(&key) },
        Callback { skew: 400, ..Callback::captured(&key) },
        Callback { secret: "another secret", ..Callback::captured(&key) },
        Callback { secret: "", ..Callback::captured(&key) },
    ] {
        callback.send(&scene).await?.expect(401)?;
    }
    let mut amount = Callback::captured(&key);
    amount.body["amount"] = json!({"minor": 1, "currency": "USD"});
    amount.send(&scene).await?.expect(422)?;
    let nobody = format!("{}-1", uuid::Uuid::from_u128(7));
    Callback::captured(&nobody).send(&scene).await?.expect(404)?;
    assert_eq!(scene.shop.order(&id).await?.lasting(), before.lasting());
    ensure!(right.send(&scene).await?.status == 200, "the right one is taken");
    Ok(())
}
