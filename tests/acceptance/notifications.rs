//! Messages to customers: whoever gave an address hears what becomes of their order.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use acceptance_tests::server::{Launch, Server, Store};
use acceptance_tests::shop::{Shop, card_order, fresh_key};
use acceptance_tests::wait;
use anyhow::{Result, ensure};
use serde_json::{Value, json};

crate::on_both_stores! {
    customers_hear_of_their_orders_also_after_a_crash,
    nobody_hears_who_gave_no_address,
}

const HEARD_WITHIN: Duration = Duration::from_mins(1);

fn order_of(email: &str, token: &str) -> Value {
    let mut order = card_order("mouse", 2, token);
    order["email"] = json!(email);
    order
}

/// The messages that lie in the folder, by their subject.
fn letters(server: &Server) -> Result<BTreeMap<String, String>> {
    let mut found = BTreeMap::new();
    let Ok(entries) = fs::read_dir(server.launch().data().join("outbox")) else {
        return Ok(found);
    };
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|ending| ending == "eml") {
            // Long lines of the head go on in the next one.
            let text = fs::read_to_string(path)?.replace("\r\n ", " ");
            let subject = text.lines().find_map(|line| line.strip_prefix("Subject: "));
            found.insert(subject.unwrap_or_default().to_owned(), text);
        }
    }
    Ok(found)
}

async fn heard(server: &Server, subjects: &[String]) -> Result<BTreeMap<String, String>> {
    wait::until("the messages are there", HEARD_WITHIN, || async {
        let letters = letters(server)?;
        for subject in subjects {
            let told: Vec<&String> = letters.keys().collect();
            ensure!(letters.contains_key(subject), "no {subject:?} among {told:?}");
        }
        Ok(letters)
    })
    .await
}

async fn none_waits(shop: &Shop) -> Result<()> {
    wait::until("nothing waits", HEARD_WITHIN, || async {
        let waiting = shop.get("/v1/notifications?status=waiting").await?.expect(200)?;
        ensure!(waiting.list("/items")?.is_empty(), "{}", waiting.body);
        Ok(())
    })
    .await
}

async fn customers_hear_of_their_orders_also_after_a_crash(mut server: Server) -> Result<()> {
    let shop = server.shop()?;
    let order = order_of("alice@example.com", "tok_ok");
    let placed = shop.placed(&order).await?;
    let id = placed.text("/id")?.to_owned();
    // What was acknowledged is told, whatever happens right afterwards.
    server.kill().await?;
    server.start().await?;
    let subjects = [format!("We have your order {id}"), format!("Your order {id} is paid")];
    let letters = heard(&server, &subjects).await?;
    let first = &letters[&subjects[0]];
    assert!(first.contains("To: alice@example.com"), "{first}");
    assert!(first.contains("2 x mouse, 25.50 USD each") && first.contains("51.00 USD"), "{first}");

    shop.deliver(&id).await?;
    let poor = order_of("bob@example.com", "tok_declined");
    let declined = shop.place(&fresh_key("poor"), &poor).await?;
    let declined = declined.expect_problem(402, "payment_declined")?;
    heard(
        &server,
        &[
            format!("Your order {id} is on its way"),
            format!("Your order {id} was delivered"),
            format!("The payment of your order {} was declined", declined.text("/order_id")?),
        ],
    )
    .await?;
    none_waits(&shop).await?;
    let sent = shop.get("/v1/notifications?status=sent&limit=2").await?.expect(200)?;
    assert_eq!(sent.list("/items")?.len(), 2);
    let cursor = sent.text("/next_cursor")?;
    let next = shop.get(&format!("/v1/notifications?status=sent&limit=2&cursor={cursor}")).await?;
    assert_ne!(next.expect(200)?.text("/items/0/id")?, sent.text("/items/0/id")?);
    ensure!(!sent.body.to_string().contains("example.com"), "an address was told");
    shop.get("/v1/notifications?status=lost").await?.expect_problem(422, "validation_failed")?;

    // A restart sends nothing again.
    let before = letters_by_name(&server)?;
    server.terminate().await?;
    server.start().await?;
    none_waits(&shop).await?;
    assert_eq!(letters_by_name(&server)?, before);
    Ok(())
}

fn letters_by_name(server: &Server) -> Result<usize> {
    Ok(fs::read_dir(server.launch().data().join("outbox"))?.count())
}

async fn nobody_hears_who_gave_no_address(server: Server) -> Result<()> {
    let shop = server.shop()?;
    shop.placed(&card_order("mouse", 1, "tok_ok")).await?;
    let order = shop.placed(&order_of("carol@example.com", "tok_ok")).await?;
    heard(&server, &[format!("Your order {} is paid", order.text("/id")?)]).await?;
    let all = shop.get("/v1/notifications").await?.expect(200)?;
    assert_eq!(all.list("/items")?.len(), 2, "{}", all.body);
    Ok(())
}

mod sqlite_only {
    use super::*;

    /// What was sent is known in one file. Without it nothing of the past is sent again.
    #[tokio::test]
    async fn a_shop_that_lost_its_followers_sells_on_and_sends_nothing_twice() -> Result<()> {
        let mut server = Launch::demo(Store::Sqlite).await?.start().await?;
        let shop = server.shop()?;
        let first = shop.placed(&order_of("alice@example.com", "tok_ok")).await?;
        heard(&server, &[format!("Your order {} is paid", first.text("/id")?)]).await?;
        none_waits(&shop).await?;
        let before = letters_by_name(&server)?;
        server.kill().await?;
        for suffix in ["", "-wal", "-shm"] {
            let file = server.launch().data().join(format!("millrace.followers.db{suffix}"));
            if file.exists() {
                fs::remove_file(file)?;
            }
        }
        server.start().await?;
        assert!(server.log()?.contains("notices_begin_at_the_end"), "it is told in the log");
        let second = shop.placed(&order_of("alice@example.com", "tok_ok")).await?;
        let subjects = [
            format!("We have your order {}", second.text("/id")?),
            format!("Your order {} is paid", second.text("/id")?),
        ];
        heard(&server, &subjects).await?;
        none_waits(&shop).await?;
        assert_eq!(letters_by_name(&server)?, before + 2);
        Ok(())
    }
}
