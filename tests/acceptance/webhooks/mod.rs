//! Webhooks: told at least once and in order, whatever the receiver and the server go through.

mod receiver;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use acceptance_tests::server::{Launch, Server, Store};
use acceptance_tests::shop::{Answer, Shop, card_order, fresh_key};
use acceptance_tests::wait;
use anyhow::{Context as _, Result, ensure};
use reqwest::Method;
use serde_json::{Value, json};

use self::receiver::{Message, Mood, Receiver, place};

const HEARD_WITHIN: Duration = Duration::from_mins(1);

/// Runs each story against a demo that may tell receivers on this machine.
macro_rules! told_on_both_stores {
    ($($story:ident,)+) => {
        mod sqlite {
            $(#[tokio::test]
            async fn $story() -> anyhow::Result<()> {
                super::$story(super::open(acceptance_tests::server::Store::Sqlite).await?).await
            })+
        }
        mod postgres {
            $(#[tokio::test]
            async fn $story() -> anyhow::Result<()> {
                super::$story(super::open(acceptance_tests::server::Store::Postgres).await?).await
            })+
        }
    };
}

told_on_both_stores! {
    every_event_is_told_in_order_though_receiver_and_server_fail,
    an_endpoint_is_told_again_from_a_position_on,
    an_endpoint_is_paused_resumed_and_taken_away,
    a_secret_is_exchanged_with_both_signing_meanwhile,
    a_slow_receiver_keeps_no_other_from_hearing,
}

async fn open(store: Store) -> Result<Server> {
    Launch::demo(store).await?.argument("--webhooks-allow-private").start().await
}

async fn endpoint(shop: &Shop, receiver: &Receiver) -> Result<Answer> {
    let body = json!({"url": receiver.url()});
    shop.post_with_key("/v1/webhook-endpoints", &fresh_key("hook"), &body).await?.expect(201)
}

async fn orders(shop: &Shop, count: usize) -> Result<Vec<String>> {
    let mut placed = Vec::new();
    for _ in 0..count {
        let order = shop.placed(&card_order("mouse", 1, "tok_ok")).await?;
        placed.push(order.text("/id")?.to_owned());
    }
    Ok(placed)
}

/// Every public event of the journal, page by page.
async fn public_events(shop: &Shop) -> Result<Vec<Value>> {
    let (mut events, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = shop.get(&format!("/v1/events?limit=7{cursor}")).await?.expect(200)?;
        events.extend(page.list("/items")?.iter().cloned());
        cursor = format!("&cursor={}", page.text("/next_cursor")?);
        if !page.at("/more")?.as_bool().context("more")? {
            return Ok(events);
        }
    }
}

fn about_orders(events: &[Value]) -> impl Iterator<Item = &Value> {
    events.iter().filter(|event| event.pointer("/data/order_id").is_some())
}

fn id(event: &Value) -> &str {
    event.get("id").and_then(Value::as_str).unwrap_or_default()
}

/// Waits until everything that the journal tells about orders was taken.
async fn heard_all(shop: &Shop, receiver: &Receiver) -> Result<Vec<Message>> {
    wait::until("every event is told", HEARD_WITHIN, || async {
        let events = public_events(shop).await?;
        let taken = receiver.taken();
        let ids: BTreeSet<&str> = taken.iter().map(|message| message.id.as_str()).collect();
        let missing = about_orders(&events).filter(|event| !ids.contains(id(event))).count();
        ensure!(missing == 0, "{missing} of {} events were not told", events.len());
        Ok(taken)
    })
    .await
}

/// In each shard no event comes for the first time after a later one has.
fn assert_in_order(taken: &[Message]) -> Result<()> {
    let mut latest: BTreeMap<u32, u64> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    for message in taken {
        let (shard, position) = message.place()?;
        if seen.insert(message.id.clone()) {
            let before = latest.insert(shard, position).unwrap_or_default();
            ensure!(before < position, "{shard}:{position} was first told after {before}");
        }
    }
    Ok(())
}

async fn every_event_is_told_in_order_though_receiver_and_server_fail(
    mut server: Server,
) -> Result<()> {
    let shop = server.shop()?;
    let receiver = Receiver::start(Mood::Fail).await?;
    let made = endpoint(&shop, &receiver).await?;
    let (hook, secret) = (made.text("/id")?.to_owned(), made.text("/secret")?.to_owned());
    let first = orders(&shop, 6).await?;
    let path = format!("/v1/webhook-endpoints/{hook}");
    wait::until("the failure is seen", HEARD_WITHIN, || async {
        let known = shop.get(&path).await?.expect(200)?;
        ensure!(
            known.at("/failing/since")?.is_string() && receiver.refused() > 2,
            "{}",
            known.body
        );
        Ok(())
    })
    .await?;
    assert!(receiver.taken().is_empty());

    receiver.set(Mood::Slow(Duration::from_millis(20)));
    wait::until("something is told", HEARD_WITHIN, || async {
        ensure!(!receiver.taken().is_empty(), "nothing yet");
        Ok(())
    })
    .await?;
    server.kill().await?;
    server.start().await?;
    receiver.set(Mood::Take);
    let second = orders(&shop, 6).await?;
    shop.send(Method::DELETE, &format!("/v1/orders/{}", second[0]), &[], None)
        .await?
        .expect(200)?;

    let taken = heard_all(&shop, &receiver).await?;
    assert_in_order(&taken)?;
    for message in &taken {
        ensure!(message.is_signed_with(&secret)?, "{} is not signed", message.id);
        assert_eq!(message.event["id"], message.id);
        ensure!(!message.event.to_string().contains("tok_ok"), "a token was told");
    }
    for order in first.iter().chain(&second) {
        let kinds: BTreeSet<&str> = taken
            .iter()
            .filter(|message| message.event["data"]["order_id"] == **order)
            .filter_map(|message| message.event["type"].as_str())
            .collect();
        ensure!(kinds.contains("order.placed.v1") && kinds.contains("order.paid.v1"), "{kinds:?}");
    }
    wait::until("all is well again", HEARD_WITHIN, || async {
        let known = shop.get(&path).await?.expect(200)?;
        ensure!(known.body.get("failing").is_none(), "{}", known.body);
        assert_eq!(known.text("/status")?, "active");
        Ok(())
    })
    .await?;
    let seen = shop.get(&format!("{path}/deliveries")).await?.expect(200)?;
    assert!(!seen.list("/items")?.is_empty());
    server.kill().await?;
    server.launch().verify().await
}

async fn an_endpoint_is_told_again_from_a_position_on(server: Server) -> Result<()> {
    let shop = server.shop()?;
    let receiver = Receiver::start(Mood::Take).await?;
    let made = endpoint(&shop, &receiver).await?;
    let placed = orders(&shop, 4).await?;
    let taken = heard_all(&shop, &receiver).await?;
    let last = taken
        .iter()
        .find(|message| message.event["data"]["order_id"] == *placed[3])
        .context("the last order was told")?;
    let before = receiver.taken().len();

    let path = format!("/v1/webhook-endpoints/{}/replay", made.text("/id")?);
    let (key, body) = (fresh_key("replay"), json!({"position": last.event["position"]}));
    let replayed = shop.post_with_key(&path, &key, &body).await?.expect(200)?;
    let again = shop.post_with_key(&path, &key, &body).await?.expect(200)?;
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(again.text("/from")?, replayed.text("/from")?);
    wait::until("it is told again", HEARD_WITHIN, || async {
        let taken = receiver.taken();
        let again = taken[before..].iter().any(|message| message.id == last.id);
        ensure!(again, "{} messages after the replay", taken.len() - before);
        Ok(())
    })
    .await?;
    // Nothing that was decided before is told again.
    let early = taken
        .iter()
        .find(|message| message.event["data"]["order_id"] == *placed[0])
        .context("the first order was told")?;
    ensure!(!receiver.taken()[before..].iter().any(|message| message.id == early.id));
    let (shard, _) = place(&last.event)?;
    let nowhere = json!({"position": format!("{shard}:9999999")});
    shop.post(&path, &nowhere).await?.expect_problem(422, "validation_failed")?;
    shop.post(&path, &json!({"since": "2999-01-01T00:00:00Z"}))
        .await?
        .expect_problem(422, "validation_failed")?;
    shop.post(&path, &json!({})).await?.expect_problem(422, "validation_failed")?;
    Ok(())
}

async fn an_endpoint_is_paused_resumed_and_taken_away(server: Server) -> Result<()> {
    let shop = server.shop()?;
    let receiver = Receiver::start(Mood::Take).await?;
    let key = fresh_key("hook");
    let body = json!({"url": receiver.url(), "event_types": ["order.placed.v1"]});
    let made = shop.post_with_key("/v1/webhook-endpoints", &key, &body).await?.expect(201)?;
    let again = shop.post_with_key("/v1/webhook-endpoints", &key, &body).await?.expect(201)?;
    assert_eq!(
        (again.text("/id")?, again.text("/secret")?),
        (made.text("/id")?, made.text("/secret")?)
    );
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    shop.post("/v1/webhook-endpoints", &body).await?.expect_problem(409, "endpoint_exists")?;
    let path = format!("/v1/webhook-endpoints/{}", made.text("/id")?);
    let known = shop.get(&path).await?.expect(200)?;
    ensure!(known.body.get("secret").is_none(), "the secret is shown once");

    let status = format!("{path}/status");
    let paused = shop.put(&status, &json!({"status": "paused"})).await?.expect(200)?;
    assert_eq!((paused.text("/status")?, paused.text("/paused_because")?), ("paused", "asked"));
    orders(&shop, 3).await?;
    shop.put(&status, &json!({"status": "active"})).await?.expect(200)?;
    wait::until("what was missed is told", HEARD_WITHIN, || async {
        ensure!(receiver.taken().len() >= 3, "{}", receiver.taken().len());
        Ok(())
    })
    .await?;
    let kinds: BTreeSet<String> =
        receiver.taken().iter().map(|message| message.event["type"].to_string()).collect();
    assert_eq!(kinds, BTreeSet::from(["\"order.placed.v1\"".to_owned()]));

    let left = shop.delete(&path).await?.expect(200)?;
    assert!(left.list("/items")?.is_empty());
    shop.delete(&path).await?.expect_problem(404, "not_found")?;
    shop.get(&path).await?.expect_problem(404, "not_found")?;
    shop.get("/v1/webhook-endpoints/17").await?.expect_problem(404, "not_found")?;
    Ok(())
}

async fn a_secret_is_exchanged_with_both_signing_meanwhile(server: Server) -> Result<()> {
    let shop = server.shop()?;
    let receiver = Receiver::start(Mood::Take).await?;
    let made = endpoint(&shop, &receiver).await?;
    let path = format!("/v1/webhook-endpoints/{}/secret", made.text("/id")?);
    let rotated = shop.post_with_key(&path, &fresh_key("rotate"), &json!({})).await?.expect(200)?;
    let (old, new) = (made.text("/secret")?, rotated.text("/secret")?);
    assert_ne!(old, new);
    orders(&shop, 1).await?;
    for message in heard_all(&shop, &receiver).await? {
        ensure!(message.is_signed_with(old)? && message.is_signed_with(new)?, "{message:?}");
    }
    Ok(())
}

async fn a_slow_receiver_keeps_no_other_from_hearing(server: Server) -> Result<()> {
    let shop = server.shop()?;
    let slow = Receiver::start(Mood::Slow(Duration::from_secs(30))).await?;
    let quick = Receiver::start(Mood::Take).await?;
    endpoint(&shop, &slow).await?;
    endpoint(&shop, &quick).await?;
    orders(&shop, 5).await?;
    heard_all(&shop, &quick).await?;
    assert!(slow.taken().is_empty());
    Ok(())
}

#[tokio::test]
async fn no_address_of_an_inner_network_is_taken() -> Result<()> {
    let server = Launch::demo(Store::Sqlite).await?.start().await?;
    let shop = server.shop()?;
    for address in [
        "http://shop.example/",
        "https://127.0.0.1/",
        "https://127.1/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0177.0.0.1/",
        "https://0.0.0.0/",
        "https://10.0.0.1/",
        "https://172.16.0.1/",
        "https://192.168.1.1/",
        "https://169.254.169.254/latest/meta-data/",
        "https://100.64.0.1/",
        "https://[::1]/",
        "https://[::]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[::ffff:a9fe:a9fe]/",
        "https://[fe80::1]/",
        "https://[fd00:ec2::254]/",
        "https://[64:ff9b::7f00:1]/",
        "https://[2002:7f00:1::]/",
        "https://localhost/",
        "https://localhost./",
        "https://metadata.google.internal/",
        "https://redis:6379/",
        "https://user:word@shop.example/",
        "ftp://shop.example/",
    ] {
        let refused = shop.post("/v1/webhook-endpoints", &json!({"url": address})).await?;
        let refused = refused.expect_problem(422, "validation_failed");
        refused
            .and_then(|refused| refused.expect_field("url", "target_not_allowed"))
            .context(address)?;
    }
    assert!(shop.get("/v1/webhook-endpoints").await?.list("/items")?.is_empty());
    Ok(())
}

#[tokio::test]
async fn a_shop_that_is_served_tells_no_inner_network() -> Result<()> {
    let launch = Launch::serve(Store::Sqlite).await?.variable("API_KEY", "a-key-of-ones-own");
    let ended = launch.argument("--webhooks-allow-private").run_to_end().await?;
    assert_eq!(ended.status.code(), Some(2));
    Ok(())
}
