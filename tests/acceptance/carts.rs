//! Carts: filled, changed, checked out once.

use acceptance_tests::server::Server;
use acceptance_tests::shop::{Answer, Shop, fresh_key};
use anyhow::{Result, ensure};
use serde_json::{Value, json};

crate::on_both_stores! {
    a_cart_is_filled_changed_and_emptied,
    a_cart_becomes_an_order_once,
    an_order_can_name_the_cart_that_it_came_from,
    a_cart_holds_no_stock,
    what_is_not_there_is_not_found,
    a_line_that_can_never_be_right_is_refused,
    fifty_edits_of_three_clients_and_a_merge_lose_no_line,
    a_cart_takes_the_lines_of_another_once,
}

const EDITS: usize = 50;

async fn a_cart_is_filled_changed_and_emptied(server: Server) -> Result<()> {
    let shop = server.shop()?;
    let cart = open(&shop).await?;
    put(&shop, &cart, "mouse", 2).await?.expect(200)?;
    put(&shop, &cart, "laptop", 1).await?.expect(200)?;
    assert_eq!(lines(&shop, &cart).await?, [("laptop".to_owned(), 1), ("mouse".to_owned(), 2)]);
    put(&shop, &cart, "mouse", 5).await?.expect(200)?;
    assert_eq!(lines(&shop, &cart).await?, [("laptop".to_owned(), 1), ("mouse".to_owned(), 5)]);
    let removed = shop.delete(&format!("/v1/carts/{cart}/items/mouse")).await?;
    ensure!(matches!(removed.status, 200 | 204), "{}: {}", removed.status, removed.body);
    assert_eq!(lines(&shop, &cart).await?, [("laptop".to_owned(), 1)]);
    Ok(())
}

async fn a_cart_becomes_an_order_once(server: Server) -> Result<()> {
    let shop = server.shop()?;
    let mug = shop.stocked("mug", 1250, 5).await?;
    let cart = open(&shop).await?;
    put(&shop, &cart, &mug, 2).await?.expect(200)?;
    let pay = json!({"payment": {"method": "card", "token": "tok_ok"}});
    let path = format!("/v1/carts/{cart}/checkout");
    let key = fresh_key("checkout");
    let order = shop.post_with_key(&path, &key, &pay).await?.expect(201)?;
    assert_eq!(order.text("/items/0/product_id")?, mug);
    assert_eq!(order.int("/items/0/quantity")?, 2);
    assert_eq!(order.text("/payment_status")?, "paid");
    let again = shop.post_with_key(&path, &key, &pay).await?.expect(201)?;
    assert_eq!(again.text("/id")?, order.text("/id")?);
    assert_eq!(shop.stock(&mug).await?.sold, 2);
    Ok(())
}

async fn an_order_can_name_the_cart_that_it_came_from(server: Server) -> Result<()> {
    let shop = server.shop()?;
    let cart = open(&shop).await?;
    put(&shop, &cart, "mouse", 1).await?.expect(200)?;
    let order = json!({
        "items": [{"product_id": "mouse", "quantity": 1}],
        "payment": {"method": "card", "token": "tok_ok"},
        "cart_id": cart,
    });
    shop.placed(&order).await?;
    Ok(())
}

async fn a_cart_holds_no_stock(server: Server) -> Result<()> {
    let shop = server.shop()?;
    let mug = shop.stocked("mug", 1250, 2).await?;
    let cart = open(&shop).await?;
    put(&shop, &cart, &mug, 2).await?.expect(200)?;
    let stock = shop.stock(&mug).await?;
    assert_eq!((stock.held, stock.available), (0, 2));
    Ok(())
}

async fn what_is_not_there_is_not_found(server: Server) -> Result<()> {
    let shop = server.shop()?;
    let nobody = "00000000-0000-8000-8000-000000000000";
    shop.get(&format!("/v1/carts/{nobody}")).await?.expect(404)?;
    put(&shop, nobody, "mouse", 1).await?.expect(404)?;
    Ok(())
}

async fn a_line_that_can_never_be_right_is_refused(server: Server) -> Result<()> {
    let shop = server.shop()?;
    let cart = open(&shop).await?;
    for quantity in [json!(-1), json!(101), json!("2"), json!(1.5), Value::Null] {
        let path = format!("/v1/carts/{cart}/items/mouse");
        let refused = shop.put(&path, &json!({"quantity": quantity})).await?;
        refused.expect_problem(422, "validation_failed")?;
    }
    put(&shop, &cart, "no-such-thing", 1).await?.expect_problem(422, "validation_failed")?;
    assert_eq!(lines(&shop, &cart).await?, []);
    Ok(())
}

/// Three clients fill two carts, a product each time, while one cart is merged into the other. Who
/// comes too late for a cart that was merged goes on with the other.
async fn fifty_edits_of_three_clients_and_a_merge_lose_no_line(server: Server) -> Result<()> {
    let clients = [server.shop()?, server.shop()?, server.shop()?];
    let shop = &clients[0];
    let mut wanted = Vec::new();
    for number in 0..EDITS {
        let product = shop.stocked(&format!("edit-{number:02}"), 100, 1).await?;
        wanted.push((product, i64::try_from(number % 7)? + 1));
    }
    let (into, from) = (open(shop).await?, open(shop).await?);
    let edit = async |number: usize| -> Result<()> {
        let (client, (product, count)) = (&clients[number % 3], &wanted[number]);
        let cart = if number.is_multiple_of(2) { &into } else { &from };
        let answer = put(client, cart, product, *count).await?;
        if answer.status == 409 {
            answer.expect_problem(409, "cart_merged")?;
            put(client, &into, product, *count).await?.expect(200)?;
            return Ok(());
        }
        answer.expect(200)?;
        Ok(())
    };
    let merge = async || merge(&clients[1], &into, &from).await?.expect(200);
    let (edits, merged) =
        futures::future::join(futures::future::join_all((0..EDITS).map(edit)), merge()).await;
    edits.into_iter().collect::<Result<()>>()?;
    merged?;
    wanted.sort();
    assert_eq!(lines(shop, &into).await?, wanted);
    let gone = shop.get(&format!("/v1/carts/{from}")).await?.expect(200)?;
    assert_eq!(gone.text("/merged_into")?, into);
    Ok(())
}

async fn a_cart_takes_the_lines_of_another_once(server: Server) -> Result<()> {
    let shop = server.shop()?;
    let (into, from) = (open(&shop).await?, open(&shop).await?);
    put(&shop, &into, "mouse", 2).await?.expect(200)?;
    put(&shop, &from, "mouse", 3).await?.expect(200)?;
    put(&shop, &from, "laptop", 1).await?.expect(200)?;
    for _ in 0..2 {
        merge(&shop, &into, &from).await?.expect(200)?;
        let both = [("laptop".to_owned(), 1), ("mouse".to_owned(), 5)];
        assert_eq!(lines(&shop, &into).await?, both);
    }
    put(&shop, &from, "mouse", 1).await?.expect_problem(409, "cart_merged")?;
    let elsewhere = open(&shop).await?;
    merge(&shop, &elsewhere, &from).await?.expect_problem(409, "cart_merged")?;
    merge(&shop, &into, &into).await?.expect_field("from", "invalid_value")?;
    let nobody = "00000000-0000-8000-8000-000000000000";
    merge(&shop, &into, nobody).await?.expect_field("from", "unknown_cart")?;
    merge(&shop, nobody, &elsewhere).await?.expect(404)?;
    // What does not fit stays where it is.
    put(&shop, &elsewhere, "mouse", 96).await?.expect(200)?;
    merge(&shop, &into, &elsewhere).await?.expect_field("quantity", "out_of_range")?;
    put(&shop, &elsewhere, "mouse", 95).await?.expect(200)?;
    merge(&shop, &into, &elsewhere).await?.expect(200)?;
    assert_eq!(lines(&shop, &into).await?[1], ("mouse".to_owned(), 100));
    Ok(())
}

async fn merge(shop: &Shop, into: &str, from: &str) -> Result<Answer> {
    shop.post(&format!("/v1/carts/{into}/merge"), &json!({"from": from})).await
}

async fn open(shop: &Shop) -> Result<String> {
    let cart = shop.post("/v1/carts", &json!({})).await?.expect(201)?;
    Ok(cart.text("/id")?.to_owned())
}

async fn put(shop: &Shop, cart: &str, product: &str, quantity: i64) -> Result<Answer> {
    let path = format!("/v1/carts/{cart}/items/{product}");
    shop.put(&path, &json!({"quantity": quantity})).await
}

async fn lines(shop: &Shop, cart: &str) -> Result<Vec<(String, i64)>> {
    let cart = shop.get(&format!("/v1/carts/{cart}")).await?.expect(200)?;
    let mut lines = Vec::new();
    for item in cart.list("/items")? {
        let product = item.get("product_id").and_then(Value::as_str).unwrap_or_default();
        let quantity = item.get("quantity").and_then(Value::as_i64).unwrap_or_default();
        lines.push((product.to_owned(), quantity));
    }
    lines.sort();
    Ok(lines)
}
