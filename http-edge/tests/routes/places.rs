//! Where things are, and since when parts of the server are not.

use std::time::Duration;

use actors::admission::{Dependency, Report};
use futures::FutureExt as _;
use serde_json::json;
use tokio::time::timeout;

use crate::shop::{TestShop, card_order};

fn new_product(id: &str) -> serde_json::Value {
    json!({"id": id, "name": "A thing", "price": {"minor": 1, "currency": "USD"}})
}

#[tokio::test]
async fn a_new_thing_is_where_its_location_says() {
    let shop = TestShop::open().await;
    for id in ["a?b", "a#b", "a%2fb", "a;b", "\u{e9}"] {
        let location = shop.post("/v1/products", new_product(id)).await.expect(201);
        let location = location.header("location").to_owned();
        assert_eq!(shop.get(&location).await.expect(200).body["id"], id, "{location}");
    }
}

#[tokio::test]
async fn an_id_that_means_another_place_in_a_path_is_refused() {
    let shop = TestShop::open().await;
    for id in [".", ".."] {
        let refused = shop.post("/v1/products", new_product(id)).await;
        let refused = refused.expect_problem(422, "validation_failed");
        assert_eq!(refused.body["errors"][0]["field"], "id");
        let customer = shop.post("/v1/carts", json!({"customer_id": id})).await;
        customer.expect_problem(422, "validation_failed");
    }
}

#[tokio::test]
async fn whoever_hangs_up_gives_no_place_back_before_the_work_is_done() {
    let shop = TestShop::open().await;
    shop.stocked("mug", 1_250, 10).await;
    let left = shop.place("k", card_order("mug", 1, "tok_ok")).now_or_never();
    assert!(left.is_none(), "nobody waited for the answer");
    assert_eq!(shop.admission.in_flight(), 1);
    let placed = shop.place("k", card_order("mug", 1, "tok_ok")).await.expect(201);
    assert_eq!(placed.header("idempotent-replayed"), "true", "the first one was carried on");
    let empty = async {
        while shop.admission.in_flight() != 0 {
            tokio::task::yield_now().await;
        }
    };
    timeout(Duration::from_secs(10), empty).await.expect("the place is given back");
}

#[tokio::test]
async fn health_says_since_when_a_part_is_out_of_service() {
    let shop = TestShop::open().await;
    shop.health.report(Dependency::Provider, Report::Failing("breaker open"));
    let [ready, health] = [shop.get("/health/ready").await, shop.get("/health").await];
    for answer in [ready.expect(200), health.expect(200)] {
        let out = &answer.body["out_of_service"][0];
        assert_eq!((&out["part"], &out["reason"]), (&json!("provider"), &json!("breaker open")));
        assert!(out["since"].as_str().unwrap().ends_with('Z'), "{out}");
    }
}
