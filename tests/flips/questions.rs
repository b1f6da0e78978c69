//! What can be asked of the shop, and whether its answers are what they were.

use std::collections::BTreeMap;
use std::time::Duration;

use acceptance_tests::shop::{Answer, Shop, card_order};
use acceptance_tests::wait;
use anyhow::{Result, bail, ensure};
use serde_json::{Value, json};

const ORDERS: usize = 48;
/// How long lists may take to follow the journal.
const LISTS_FOLLOW_WITHIN: Duration = Duration::from_secs(10);

/// Everything that is asked.
pub(crate) struct Asked {
    /// Answered from the journal at once.
    single: Vec<String>,
    /// Answered from views, which follow the journal.
    lists: Vec<String>,
    /// Keys of orders: a repeat must find the order, not place another one.
    keys: Vec<(String, Value)>,
}

/// What was answered, by question.
pub(crate) struct Answers(BTreeMap<String, Said>);

#[derive(Clone, Debug, PartialEq)]
enum Said {
    Body(Value),
    /// An honest "not now": 5xx with a problem.
    Refused,
}

/// How a changed file sounds.
pub(crate) enum Heard {
    /// As before.
    Same,
    /// Nothing else than before, but not everything.
    Refused,
    /// Something else.
    Wrong(String),
}

/// A day in the life of a shop: orders in several states, carts, deliveries.
pub(crate) async fn day(shop: &Shop) -> Result<Asked> {
    let mut asked = Asked {
        single: vec!["/v1/products/mug".to_owned(), "/v1/products/cup".to_owned()],
        lists: vec![
            "/v1/orders?limit=100".to_owned(),
            "/v1/orders?limit=100&status=CANCELLED".to_owned(),
            "/v1/products?limit=50".to_owned(),
        ],
        keys: Vec::new(),
    };
    shop.stocked("mug", 1250, 500).await?;
    shop.stocked("cup", 700, 500).await?;
    for number in 0..ORDERS {
        let key = format!("flips-{number}");
        let token = if number % 8 == 7 { "tok_declined" } else { "tok_ok" };
        let wish = card_order(if number % 3 == 0 { "cup" } else { "mug" }, 1, token);
        let placed = shop.place(&key, &wish).await?;
        let id = placed.text(if placed.status == 402 { "/order_id" } else { "/id" })?.to_owned();
        let path = format!("/v1/orders/{id}");
        match number % 8 {
            1 => drop(shop.delete(&path).await?.expect(200)?),
            2 => {
                let status = json!({"status": "PROCESSING"});
                shop.put(&format!("{path}/status"), &status).await?.expect(200)?;
            }
            _ => {}
        }
        if number % 8 == 0 {
            asked.keys.push((key, wish));
        }
        asked.single.push(format!("{path}/history"));
        asked.single.push(path);
    }
    for quantity in 1..4 {
        let cart = shop.post("/v1/carts", &json!({})).await?.expect(201)?.text("/id")?.to_owned();
        let line = json!({"quantity": quantity});
        shop.put(&format!("/v1/carts/{cart}/items/mug"), &line).await?.expect(200)?;
        asked.single.push(format!("/v1/carts/{cart}"));
    }
    settled(shop, &asked).await?;
    Ok(asked)
}

/// Cancelled orders are refunded and lists have caught up.
async fn settled(shop: &Shop, asked: &Asked) -> Result<()> {
    wait::until("everything settles", Duration::from_secs(30), || async {
        let list = shop.get("/v1/orders?limit=100").await?.expect(200)?;
        ensure!(list.list("/items")?.len() == ORDERS, "{} orders are listed", list.body);
        for listed in list.list("/items")? {
            let id = listed.get("id").and_then(Value::as_str).unwrap_or_default();
            let order = shop.order(id).await?.expect(200)?;
            ensure!(order.body == *listed, "{id} is listed as it was");
            let (status, paid) = (order.text("/status")?, order.text("/payment_status")?);
            ensure!(status != "CANCELLED" || paid != "paid", "{id} is not refunded yet");
        }
        let mut previous = Answers::of(shop, asked).await?.0;
        let again = Answers::of(shop, asked).await?.0;
        previous.retain(|question, said| again.get(question) != Some(said));
        ensure!(previous.is_empty(), "still changing: {previous:?}");
        Ok(())
    })
    .await
}

impl Answers {
    /// Asks everything.
    pub(crate) async fn of(shop: &Shop, asked: &Asked) -> Result<Self> {
        let mut answers = BTreeMap::new();
        for path in asked.single.iter().chain(&asked.lists) {
            answers.insert(path.clone(), said(shop.get(path).await?));
        }
        for (key, wish) in &asked.keys {
            answers.insert(key.clone(), said(shop.place(key, wish).await?));
        }
        Ok(Self(answers))
    }

    /// Itself, if every question was answered.
    pub(crate) fn whole(self) -> Result<Self> {
        for (question, said) in &self.0 {
            if *said == Said::Refused {
                bail!("{question} was refused before anything was changed");
            }
        }
        Ok(self)
    }

    /// Asks everything again, and lists until they have followed or were given time to.
    pub(crate) async fn heard_again(&self, shop: &Shop, asked: &Asked) -> Result<Heard> {
        let again = wait::until("lists follow", LISTS_FOLLOW_WITHIN, || async {
            for path in &asked.lists {
                let answer = said(shop.get(path).await?);
                let known = self.0.get(path);
                ensure!(answer == Said::Refused || Some(&answer) == known, "{path} is behind");
            }
            Ok(())
        })
        .await;
        // Whatever came of it, what is answered now is judged.
        drop(again);
        let Ok(again) = Self::of(shop, asked).await else { return Ok(Heard::Refused) };
        let mut refused = false;
        for (question, before) in &self.0 {
            match again.0.get(question) {
                Some(now) if now == before => {}
                Some(Said::Refused) | None => refused = true,
                Some(Said::Body(now)) => {
                    return Ok(Heard::Wrong(format!("{question} says {now}, not {before:?}")));
                }
            }
        }
        Ok(if refused { Heard::Refused } else { Heard::Same })
    }
}

/// 5xx promises nothing; everything else must be what it was, whatever its status.
fn said(answer: Answer) -> Said {
    match answer.status {
        500.. => Said::Refused,
        // A repeat of a declined order says so in its body, and so does an order that is not found.
        _ => Said::Body(answer.body),
    }
}
