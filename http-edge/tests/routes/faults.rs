//! Faults on purpose: who may inject them, what they take, and what is told about them.

use actors::admission::{Dependency, Report};
use http::Method;
use serde_json::{Value, json};

use crate::shop::{Answer, CLERK_KEY, TestShop, card_order};

const FAULTS: &str = "/v1/ops/faults";
const KILL: &str = "/v1/ops/faults/actor_kill";

async fn put(shop: &TestShop, name: &str, body: Value) -> Answer {
    shop.call(Method::PUT, &format!("{FAULTS}/{name}"), &[], Some(body)).await
}

async fn delete(shop: &TestShop, path: &str) -> Answer {
    shop.call(Method::DELETE, path, &[], None).await
}

fn names(answer: &Answer) -> Vec<&str> {
    let faults = answer.body["faults"].as_array().unwrap();
    faults.iter().map(|fault| fault["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_server_that_was_not_told_so_twice_has_no_faults_at_all() {
    let shop = TestShop::open().await;
    for (method, path) in [
        (Method::GET, FAULTS),
        (Method::DELETE, FAULTS),
        (Method::PUT, "/v1/ops/faults/redis_cut"),
        (Method::POST, KILL),
        (Method::GET, "/v1/ops/faults/log"),
    ] {
        shop.call(method, path, &[], None).await.expect_problem(404, "not_found");
    }
    let described = shop.get("/openapi.json").await.expect(200).body;
    assert!(described["paths"][FAULTS].is_null());
    assert_eq!(shop.get("/health").await.expect(200).body["faults"], json!([]));
}

#[tokio::test]
async fn a_fault_is_told_with_who_asked_for_it_and_when() {
    let shop = TestShop::drilled().await;
    let fault = json!({"probability": 0.25, "kind": "error", "ttl_seconds": 60});
    let headers = [("x-request-id", "drill-17")];
    let path = format!("{FAULTS}/payment_failure");
    let injected = shop.call(Method::PUT, &path, &headers, Some(fault)).await.expect(200);
    assert!(injected.header("x-position").contains(':'));
    assert_eq!(injected.body["probability"], 0.25);
    assert_eq!(injected.body["kind"], "error");
    assert_eq!(injected.body["by"], "owner");
    assert_eq!(injected.body["request_id"], "drill-17");
    let (since, until) = (&injected.body["since"], &injected.body["until"]);
    assert!(since.as_str().unwrap() < until.as_str().unwrap());

    let told = shop.get(FAULTS).await.expect(200);
    assert_eq!(told.body["faults"], json!([injected.body]));
    let available = json!(["payment_failure", "payment_latency", "journal_stall"]);
    assert_eq!(told.body["available"], available);
    let described = shop.get("/openapi.json").await.expect(200).body;
    assert!(described["paths"][FAULTS].is_object());
}

#[tokio::test]
async fn health_says_that_something_goes_wrong_on_purpose() {
    let shop = TestShop::drilled().await;
    put(&shop, "payment_latency", json!({"ms": 1})).await.expect(200);
    let health = shop.get("/health").await.expect(200).body;
    assert_eq!(
        (&health["status"], &health["faults"]),
        (&json!("degraded"), &json!(["payment_latency"]))
    );
    shop.get("/health/ready").await.expect(200);
    delete(&shop, "/v1/ops/faults/payment_latency").await.expect(200);
    assert_eq!(shop.get("/health").await.expect(200).body["status"], "ok");
}

#[tokio::test]
async fn orders_wait_for_their_payment_while_it_fails_and_are_declined_while_it_is() {
    let shop = TestShop::drilled().await;
    shop.stocked("mug", 1_250, 10).await;
    put(&shop, "payment_failure", json!({"probability": 1, "kind": "error"})).await.expect(200);
    let queued = shop.place("k-1", card_order("mug", 1, "tok_ok")).await.expect(202);
    assert_eq!(queued.body["payment_status"], "queued");
    let declining = json!({"probability": 1.0, "kind": "declined"});
    put(&shop, "payment_failure", declining).await.expect(200);
    let declined = shop.place("k-2", card_order("mug", 1, "tok_ok")).await;
    declined.expect_problem(402, "payment_declined");
    delete(&shop, FAULTS).await.expect(200);
    shop.place("k-3", card_order("mug", 1, "tok_ok")).await.expect(201);
}

#[tokio::test]
async fn all_faults_are_lifted_at_once_and_lifting_nothing_changes_nothing() {
    let shop = TestShop::drilled().await;
    put(&shop, "payment_latency", json!({"ms": 1})).await.expect(200);
    put(&shop, "journal_stall", json!({"ms": 1})).await.expect(200);
    assert_eq!(names(&shop.get(FAULTS).await), ["payment_latency", "journal_stall"]);
    for _ in 0..2 {
        assert_eq!(names(&delete(&shop, FAULTS).await.expect(200)), [""; 0]);
    }
    let log = shop.get("/v1/ops/faults/log").await.expect(200).body;
    let what: Vec<_> = log["items"].as_array().unwrap().iter().map(|item| &item["what"]).collect();
    assert_eq!(what, ["lifted", "lifted", "injected", "injected"]);
}

#[tokio::test]
async fn the_log_tells_the_latest_first() {
    let shop = TestShop::drilled().await;
    for ms in [1, 2, 3] {
        put(&shop, "payment_latency", json!({"ms": ms})).await.expect(200);
    }
    let log = shop.get("/v1/ops/faults/log?limit=2").await.expect(200).body;
    let ms: Vec<_> = log["items"].as_array().unwrap().iter().map(|item| &item["ms"]).collect();
    assert_eq!(ms, [3, 2]);
    assert_eq!(log["items"][0]["number"], 3);
    assert_eq!(log["items"][0]["by"], "owner");
    for bad in ["limit=0", "limit=1001", "page=1"] {
        let refused = shop.get(&format!("/v1/ops/faults/log?{bad}")).await;
        refused.expect_problem(422, "validation_failed");
    }
}

#[tokio::test]
async fn each_fault_takes_its_own_fields_within_their_limits() {
    let shop = TestShop::drilled().await;
    for (name, body, field, code) in [
        ("payment_failure", json!({"kind": "error"}), "probability", "missing_field"),
        ("payment_failure", json!({"probability": 0.5}), "kind", "missing_field"),
        (
            "payment_failure",
            json!({"probability": 1.5, "kind": "error"}),
            "probability",
            "out_of_range",
        ),
        (
            "payment_failure",
            json!({"probability": 0.000_000_1, "kind": "error"}),
            "probability",
            "out_of_range",
        ),
        (
            "payment_failure",
            json!({"probability": -0.1, "kind": "error"}),
            "probability",
            "out_of_range",
        ),
        (
            "payment_failure",
            json!({"probability": "1", "kind": "error"}),
            "probability",
            "wrong_type",
        ),
        ("payment_failure", json!({"probability": 1, "kind": "fire"}), "kind", "invalid_value"),
        (
            "payment_failure",
            json!({"probability": 1, "kind": "error", "ms": 1}),
            "ms",
            "unknown_field",
        ),
        ("payment_latency", json!({}), "ms", "missing_field"),
        ("payment_latency", json!({"ms": 0}), "ms", "out_of_range"),
        ("payment_latency", json!({"ms": 60_001}), "ms", "out_of_range"),
        ("payment_latency", json!({"ms": 1.5}), "ms", "wrong_type"),
        ("payment_latency", json!({"ms": 1, "kind": "error"}), "kind", "unknown_field"),
        ("journal_stall", json!({"ms": -1}), "ms", "out_of_range"),
        ("journal_stall", json!({"ttl_seconds": 0}), "ttl_seconds", "out_of_range"),
        ("journal_stall", json!({"ttl_seconds": 86_401}), "ttl_seconds", "out_of_range"),
        ("journal_stall", json!({"forever": true}), "forever", "unknown_field"),
        ("redis_cut", json!({"ms": 1}), "ms", "unknown_field"),
    ] {
        let refused = put(&shop, name, body).await.expect_problem(422, "validation_failed");
        let errors = refused.body["errors"].as_array().unwrap();
        assert_eq!(errors.len(), 1, "{name}: {}", refused.body);
        assert_eq!((&errors[0]["field"], &errors[0]["code"]), (&json!(field), &json!(code)));
    }
    put(&shop, "redis_cut", json!({})).await.expect_problem(409, "fault_unavailable");
    put(&shop, "earthquake", json!({})).await.expect_problem(404, "not_found");
    delete(&shop, "/v1/ops/faults/earthquake").await.expect_problem(404, "not_found");
    put(&shop, "actor_kill", json!({})).await.expect_problem(405, "method_not_allowed");
    assert_eq!(shop.get("/v1/ops/faults/log").await.expect(200).body["items"], json!([]));
}

#[tokio::test]
async fn a_live_actor_is_killed_and_serves_again() {
    let shop = TestShop::drilled().await;
    shop.stocked("mug", 1_250, 10).await;
    let kill = json!({"kind": "inventory", "key": "mug"});
    let killed = shop.post(KILL, kill.clone()).await.expect(200);
    assert_eq!(killed.body, kill);
    // Until its death is known a command may hear that nothing happened.
    let mut placed = shop.place("k-1", card_order("mug", 1, "tok_ok")).await;
    while placed.status == 503 {
        placed = shop.place("k-1", card_order("mug", 1, "tok_ok")).await;
    }
    placed.expect(201);
    assert_eq!(shop.stock("mug").await, [9, 0, 9, 1]);
    let log = shop.get("/v1/ops/faults/log").await.expect(200).body;
    let entry = &log["items"][0];
    assert_eq!((&entry["what"], &entry["actor"]), (&json!("actor_killed"), &json!("inventory")));
    for (kind, key) in
        [("cart", "nobody"), ("order", "17"), ("inventory", "none"), ("product", "a b")]
    {
        let absent = shop.post(KILL, json!({"kind": kind, "key": key})).await;
        absent.expect_problem(404, "not_found");
    }
    let odd = shop.post(KILL, json!({"kind": "drill", "key": "faults"})).await;
    odd.expect_problem(422, "validation_failed");
}

#[tokio::test]
async fn faults_are_for_those_who_have_their_scope() {
    let shop = TestShop::drilled().await;
    for (key, status, code) in [(CLERK_KEY, 403, "forbidden"), ("wrong", 401, "unauthorised")] {
        for (method, path) in [(Method::GET, FAULTS), (Method::DELETE, FAULTS)] {
            let refused = shop.call(method, path, &[("x-api-key", key)], None).await;
            refused.expect_problem(status, code);
        }
    }
}

// Time stands still while nobody waits, so five seconds of a stall pass at once.
#[tokio::test(start_paused = true)]
async fn a_stalled_journal_gives_a_definite_answer_and_can_always_be_let_go() {
    let shop = TestShop::drilled().await;
    shop.stocked("mug", 1_250, 10).await;
    put(&shop, "journal_stall", json!({})).await.expect(200);
    let unknown = shop.place("k-1", card_order("mug", 1, "tok_ok")).await;
    unknown.expect_problem(504, "outcome_unknown");
    put(&shop, "payment_latency", json!({"ms": 1})).await.expect_problem(504, "outcome_unknown");
    shop.get("/v1/products/mug").await.expect(200);

    // Neither a store that is out of service nor a full house keeps anybody from ending a fault.
    shop.health.report(Dependency::Store, Report::Failing("a test says so"));
    assert_eq!(names(&delete(&shop, FAULTS).await.expect(200)), [""; 0]);
    shop.health.report(Dependency::Store, Report::Working);
    shop.place("k-1", card_order("mug", 1, "tok_ok")).await.expect(201);
    assert_eq!(shop.stock("mug").await, [9, 0, 9, 1]);
}
