//! Public events: pages of all, and those of one order as they come.

use std::time::Duration;

use acceptance_tests::server::Server;
use acceptance_tests::shop::{DEMO_KEY, card_order};
use anyhow::{Context as _, Result, ensure};
use reqwest::Client;
use serde_json::{Value, json};
use tokio::time::timeout;

crate::on_both_stores! {
    an_order_is_followed_from_its_beginning_and_from_where_one_was,
    pages_show_events_by_type_and_from_a_place,
}

const HEARD_WITHIN: Duration = Duration::from_secs(30);

/// A stream of server-sent events.
struct Stream {
    response: reqwest::Response,
    text: String,
}

/// Version, type and data.
type Heard = (u64, String, Value);

impl Stream {
    async fn open(server: &Server, order: &str, after: Option<u64>) -> Result<Self> {
        let url = format!("{}/v1/orders/{order}/events", server.base());
        let mut request = Client::builder().no_proxy().build()?.get(url);
        request = request.header("x-api-key", DEMO_KEY);
        if let Some(after) = after {
            request = request.header("last-event-id", after);
        }
        let response = request.send().await?;
        ensure!(response.status() == 200, "{}", response.status());
        let kind = response.headers().get("content-type").context("no type")?;
        assert_eq!(kind, "text/event-stream");
        Ok(Self { response, text: String::new() })
    }

    /// The next event, heartbeats aside.
    async fn next(&mut self) -> Result<Heard> {
        loop {
            if let Some((message, rest)) = self.text.split_once("\n\n") {
                let (message, rest) = (message.to_owned(), rest.to_owned());
                self.text = rest;
                if message.starts_with(':') {
                    continue;
                }
                let field = |name: &str| {
                    let line = message.lines().find_map(|line| line.strip_prefix(name));
                    line.with_context(|| format!("no {name} in {message}"))
                };
                let data = serde_json::from_str(field("data: ")?)?;
                return Ok((field("id: ")?.parse()?, field("event: ")?.to_owned(), data));
            }
            let chunk = timeout(HEARD_WITHIN, self.response.chunk()).await??;
            self.text.push_str(std::str::from_utf8(&chunk.context("the stream has ended")?)?);
        }
    }
}

async fn an_order_is_followed_from_its_beginning_and_from_where_one_was(
    server: Server,
) -> Result<()> {
    let shop = server.shop()?;
    let order = shop.placed(&card_order("mouse", 1, "tok_ok")).await?;
    let id = order.text("/id")?;
    let mut stream = Stream::open(&server, id, None).await?;
    let (placed_at, placed, data) = stream.next().await?;
    assert_eq!((placed_at, placed.as_str()), (1, "order.placed.v1"));
    assert_eq!(data["data"]["order_id"], id);
    assert_eq!(stream.next().await?.1, "order.paid.v1");
    let status = format!("/v1/orders/{id}/status");
    shop.put(&status, &json!({"status": "PROCESSING"})).await?.expect(200)?;
    let (seen, processing, _) = stream.next().await?;
    assert_eq!(processing, "order.processing.v1");
    drop(stream);

    shop.put(&status, &json!({"status": "SHIPPED"})).await?.expect(200)?;
    let mut again = Stream::open(&server, id, Some(seen)).await?;
    assert_eq!(again.next().await?.1, "order.shipped.v1");
    shop.put(&status, &json!({"status": "DELIVERED"})).await?.expect(200)?;
    assert_eq!(
        again.next().await?.1,
        "order.delivered.v1",
        "also of one that goes to sleep at once"
    );

    let unknown = format!("/v1/orders/{}/events", acceptance_tests::shop::fresh_id());
    shop.get(&unknown).await?.expect_problem(404, "not_found")?;
    Ok(())
}

async fn pages_show_events_by_type_and_from_a_place(server: Server) -> Result<()> {
    let shop = server.shop()?;
    let order = shop.placed(&card_order("mouse", 2, "tok_ok")).await?;
    let id = order.text("/id")?;
    let paid = shop.get("/v1/events?type=order.paid.v1").await?.expect(200)?;
    assert_eq!(paid.list("/items")?.len(), 1);
    assert_eq!(paid.text("/items/0/data/order_id")?, id);
    assert_eq!(paid.int("/items/0/data/amount/minor")?, 5_100);
    let place = paid.text("/items/0/position")?;
    let from = shop.get(&format!("/v1/events?from={place}")).await?.expect(200)?;
    assert_eq!(from.text("/items/0/position")?, place);
    let published = shop.get("/v1/events?type=product.published.v1").await?.expect(200)?;
    assert!(published.list("/items")?.len() >= 5);
    for bad in ["type=order.paid", "from=9:x", "from=99:1", "cursor=0:1,0:1", "limit=0", "at=1"] {
        let refused = shop.get(&format!("/v1/events?{bad}")).await?;
        refused.expect_problem(422, "validation_failed").context(bad)?;
    }
    shop.with_key(None).get("/v1/events").await?.expect_problem(401, "unauthorised")?;
    Ok(())
}
