//! What the sandbox's tokens stand for, as the contract words it.

use std::time::Duration;

use acceptance_tests::server::Server;
use acceptance_tests::shop::{card_order, fresh_key};
use acceptance_tests::wait;
use anyhow::{Result, ensure};
use serde_json::json;

crate::on_both_stores! {
    a_card_becomes_a_token_and_is_found_nowhere,
    a_declined_card_is_recorded_and_nothing_is_held,
    a_declined_order_replays_its_answer,
    a_provider_that_times_out_leaves_a_queued_order_with_its_hold,
    a_provider_error_leaves_a_queued_order_with_its_hold,
    a_late_success_is_paid_in_the_end_and_once,
    a_doubled_callback_pays_once,
}

async fn a_declined_card_is_recorded_and_nothing_is_held(server: Server) -> Result<()> {
    let shop = server.shop()?;
    let mug = shop.stocked("mug", 1250, 5).await?;
    let declined = shop.place(&fresh_key("poor"), &card_order(&mug, 2, "tok_declined")).await?;
    let declined = declined.expect_problem(402, "payment_declined")?;
    let order = shop.order(declined.text("/order_id")?).await?.expect(200)?;
    assert_eq!(order.text("/status")?, "CANCELLED");
    assert_eq!(order.text("/payment_status")?, "failed");
    let stock = shop.stock(&mug).await?;
    assert_eq!((stock.on_hand, stock.held, stock.available, stock.sold), (5, 0, 5, 0));
    Ok(())
}

async fn a_declined_order_replays_its_answer(server: Server) -> Result<()> {
    let shop = server.shop()?;
    let mug = shop.stocked("mug", 1250, 5).await?;
    let (key, order) = (fresh_key("poor"), card_order(&mug, 1, "tok_declined"));
    let first = shop.place(&key, &order).await?.expect_problem(402, "payment_declined")?;
    let again = shop.place(&key, &order).await?.expect_problem(402, "payment_declined")?;
    assert_eq!(again.text("/order_id")?, first.text("/order_id")?);
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(shop.stock(&mug).await?.available, 5);
    Ok(())
}

async fn a_provider_that_times_out_leaves_a_queued_order_with_its_hold(
    server: Server,
) -> Result<()> {
    queued(&server, "tok_timeout").await
}

async fn a_provider_error_leaves_a_queued_order_with_its_hold(server: Server) -> Result<()> {
    queued(&server, "tok_error").await
}

async fn queued(server: &Server, token: &str) -> Result<()> {
    let shop = server.shop()?;
    let mug = shop.stocked("mug", 1250, 5).await?;
    let (key, order) = (fresh_key("patient"), card_order(&mug, 2, token));
    let queued = shop.place(&key, &order).await?.expect(202)?;
    assert_eq!(queued.text("/status")?, "PENDING");
    assert_eq!(queued.text("/payment_status")?, "queued");
    let read = shop.order(queued.text("/id")?).await?.expect(200)?;
    assert_eq!(read.text("/payment_status")?, "queued");
    let stock = shop.stock(&mug).await?;
    assert_eq!((stock.on_hand, stock.held, stock.sold), (5, 2, 0));
    // Until it is final, a repeat hears the same.
    let again = shop.place(&key, &order).await?.expect(202)?;
    assert_eq!(again.text("/id")?, queued.text("/id")?);
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    Ok(())
}

async fn a_late_success_is_paid_in_the_end_and_once(server: Server) -> Result<()> {
    paid_in_the_end(&server, "tok_late_success").await
}

async fn a_doubled_callback_pays_once(server: Server) -> Result<()> {
    paid_in_the_end(&server, "tok_duplicate_callback").await
}

async fn paid_in_the_end(server: &Server, token: &str) -> Result<()> {
    let shop = server.shop()?;
    let mug = shop.stocked("mug", 1250, 5).await?;
    let placed = shop.place(&fresh_key("late"), &card_order(&mug, 1, token)).await?;
    ensure!(matches!(placed.status, 201 | 202), "{}: {}", placed.status, placed.body);
    let id = placed.text("/id")?.to_owned();
    wait::until("the order is paid and its unit is sold", Duration::from_mins(1), || async {
        let order = shop.order(&id).await?.expect(200)?;
        ensure!(order.text("/payment_status")? == "paid", "{}", order.body);
        let stock = shop.stock(&mug).await?;
        ensure!((stock.on_hand, stock.held, stock.sold) == (4, 0, 1), "{stock:?}");
        Ok(())
    })
    .await
}

async fn a_card_becomes_a_token_and_is_found_nowhere(mut server: Server) -> Result<()> {
    let shop = server.shop()?;
    let card =
        |number: &str| json!({"number": number, "exp_month": 12, "exp_year": 2099, "cvc": "907"});
    let path = "/v1/payments/tokens";
    let token = shop.post(path, &card("5555555555554444")).await?.expect(200)?;
    assert_eq!((token.text("/token")?, token.text("/brand")?), ("tok_ok", "mastercard"));
    // A number that could be a real one is refused, and is kept no more than the others.
    let refused = shop.post(path, &card("6011000990139424")).await?;
    refused
        .expect_problem(422, "validation_failed")?
        .expect_field("number", "test_card_required")?;
    shop.placed(&card_order("mouse", 1, token.text("/token")?)).await?;
    server.terminate().await?;
    let log = server.log()?;
    // The embedded store lies in the data folder; the other one keeps the same payloads.
    let files: Vec<_> = match server.launch().database() {
        Some(_) => Vec::new(),
        None => std::fs::read_dir(server.launch().data())?.collect::<Result<_, _>>()?,
    };
    ensure!(server.launch().database().is_some() || !files.is_empty(), "there is no journal");
    for number in ["5555555555554444", "6011000990139424"] {
        ensure!(!log.contains(number), "the number is in the log");
        for path in files.iter().map(std::fs::DirEntry::path).filter(|path| path.is_file()) {
            let bytes = std::fs::read(&path)?;
            let holds = bytes.windows(number.len()).any(|found| found == number.as_bytes());
            ensure!(!holds, "the number is in {}", path.display());
        }
    }
    Ok(())
}
