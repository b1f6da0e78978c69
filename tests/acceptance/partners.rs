//! Partners and their feeds: who may send one, what becomes of it, and that it is taken once.

use std::fmt::Write as _;
use std::time::Duration;

use acceptance_tests::server::Server;
use acceptance_tests::shop::{Answer, Shop, fresh_key};
use acceptance_tests::wait;
use anyhow::{Context as _, Result, ensure};
use reqwest::Method;
use serde_json::{Value, json};

crate::on_both_stores! {
    a_feed_of_each_format_comes_into_the_catalogue,
    good_rows_are_taken_and_bad_ones_told,
    the_same_feed_again_changes_nothing,
    a_feed_under_a_key_of_another_is_refused,
    a_feed_that_cannot_be_read_changes_nothing,
    hostile_rows_leave_nothing_behind,
    only_the_partner_and_the_shop_may_feed,
    a_revoked_key_opens_nothing,
    a_key_expires_by_itself,
    a_partner_changes_nothing_of_others,
    a_feed_that_is_killed_goes_on_when_it_is_sent_again,
    feeds_are_switched_off_and_on,
}

const CSV: &str = "sku,name,price,currency,stock\nmug-1,Blue mug,12.50,USD,40\ncup,Cup,3,USD,7\n";

/// Lists lag by a fraction of a second.
const LISTED_WITHIN: Duration = Duration::from_secs(15);

/// A registered partner's client.
async fn partner(server: &Server, id: &str) -> Result<Shop> {
    let registered = server
        .shop()?
        .post("/v1/partners", &json!({"id": id, "name": format!("{id} Ltd")}))
        .await?
        .expect(201)?;
    Ok(server.shop()?.with_key(Some(registered.text("/api_key")?)))
}

async fn feed(shop: &Shop, partner: &str, key: &str, media: &str, body: &str) -> Result<Answer> {
    let headers = [("idempotency-key", key), ("content-type", media)];
    let path = format!("/v1/partners/{partner}/catalog");
    shop.send(Method::POST, &path, &headers, Some(body.as_bytes().to_vec())).await
}

async fn csv(shop: &Shop, partner: &str, body: &str) -> Result<Answer> {
    feed(shop, partner, &fresh_key("feed"), "text/csv", body).await
}

/// Created, updated, unchanged, refused.
fn counts(answer: &Answer) -> Result<[i64; 4]> {
    Ok([
        answer.int("/created")?,
        answer.int("/updated")?,
        answer.int("/unchanged")?,
        answer.int("/refused")?,
    ])
}

async fn a_feed_of_each_format_comes_into_the_catalogue(server: Server) -> Result<()> {
    let (shop, acme) = (server.shop()?, partner(&server, "acme").await?);
    let json = r#"[{"sku":"a","name":"A","price":1.99,"currency":"USD","stock":5}]"#;
    let lines = "{\"sku\":\"b\",\"name\":\"B\",\"price\":\"2\",\"currency\":\"USD\"}\n";
    let mut told = Vec::new();
    let xml = "<products><product><sku>c</sku><name>C &amp; D</name><price>3</price>\
               <currency>USD</currency><received>2</received></product></products>";
    for (media, body, created) in [
        ("text/csv", CSV, 2),
        ("application/json", json, 1),
        ("application/x-ndjson", lines, 1),
        ("application/xml", xml, 1),
    ] {
        let fed = feed(&acme, "acme", &fresh_key("feed"), media, body).await?.expect(201)?;
        assert_eq!(counts(&fed)?, [created, 0, 0, 0], "{media}");
        assert_eq!(fed.text("/status")?, "finished");
        let place = fed.header("location").context("no location")?.to_owned();
        let again = acme.get(&place).await?.expect(200)?;
        assert_eq!(again.body, fed.body);
        told.push(fed.at("/id")?.clone());
    }
    let listed = async || {
        let page = acme.get("/v1/partners/acme/imports?status=finished").await?.expect(200)?;
        let items = page.list("/items")?.iter().map(|feed| feed["id"].clone());
        Ok::<_, anyhow::Error>(items.rev().collect::<Vec<_>>())
    };
    wait::until("the feeds are listed", LISTED_WITHIN, || async {
        let listed = listed().await?;
        ensure!(listed == told, "{listed:?}");
        Ok(())
    })
    .await?;
    partner(&server, "other").await?.get("/v1/partners/acme/imports").await?.expect(403)?;
    let mug = shop.get("/v1/products/acme:mug-1").await?.expect(200)?;
    assert_eq!((mug.text("/name")?, mug.int("/price/minor")?), ("Blue mug", 1250));
    assert_eq!(mug.stock()?.available, 40);
    assert_eq!(shop.get("/v1/products/acme:c").await?.expect(200)?.text("/name")?, "C & D");
    assert_eq!(shop.stock("acme:c").await?.on_hand, 2);
    Ok(())
}

async fn good_rows_are_taken_and_bad_ones_told(server: Server) -> Result<()> {
    let (shop, acme) = (server.shop()?, partner(&server, "acme").await?);
    let body = "sku,name,price,currency\nok,Fine,1,USD\nbad,=1+1,1,USD\nworse,<b>,x,USD\n";
    let fed = csv(&acme, "acme", body).await?.expect(201)?;
    assert_eq!((counts(&fed)?, fed.int("/rows")?), ([1, 0, 0, 2], 3));
    let told = fed.list("/errors")?.iter().map(|e| (e["line"].clone(), e["code"].clone()));
    let told: Vec<_> = told.collect();
    let expected = [(3, "formula"), (4, "markup"), (4, "not_a_number")];
    assert_eq!(told, expected.map(|(line, code)| (json!(line), json!(code))));
    shop.get("/v1/products/acme:ok").await?.expect(200)?;
    shop.get("/v1/products/acme:bad").await?.expect(404)?;
    Ok(())
}

async fn the_same_feed_again_changes_nothing(server: Server) -> Result<()> {
    let (shop, acme) = (server.shop()?, partner(&server, "acme").await?);
    let body = "sku,name,price,currency,received\nmug,Mug,1,USD,5\n";
    let first = feed(&acme, "acme", "monday", "text/csv", body).await?.expect(201)?;
    let again = feed(&acme, "acme", "monday", "text/csv", body).await?.expect(201)?;
    assert_eq!(again.body, first.body);
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(shop.stock("acme:mug").await?.on_hand, 5);
    // Another day's feed that says the same of listing and stock is a feed of its own.
    let same = "sku,name,price,currency,stock\nmug,Mug,1,USD,5\n";
    assert_eq!(counts(&csv(&acme, "acme", same).await?.expect(201)?)?, [0, 0, 1, 0]);
    let other = "sku,name,price,currency,stock\nmug,Mug,2,USD,9\n";
    assert_eq!(counts(&csv(&acme, "acme", other).await?.expect(201)?)?, [0, 1, 0, 0]);
    assert_eq!(shop.stock("acme:mug").await?.on_hand, 9);
    Ok(())
}

async fn a_feed_under_a_key_of_another_is_refused(server: Server) -> Result<()> {
    let (shop, acme) = (server.shop()?, partner(&server, "acme").await?);
    feed(&acme, "acme", "monday", "text/csv", CSV).await?.expect(201)?;
    let other = CSV.replace("12.50", "0.01");
    let refused = feed(&acme, "acme", "monday", "text/csv", &other).await?;
    refused.expect_problem(422, "idempotency_key_reused")?;
    let mug = shop.get("/v1/products/acme:mug-1").await?.expect(200)?;
    assert_eq!(mug.int("/price/minor")?, 1250);
    Ok(())
}

async fn a_feed_that_cannot_be_read_changes_nothing(server: Server) -> Result<()> {
    let (shop, acme) = (server.shop()?, partner(&server, "acme").await?);
    let bomb =
        "<!DOCTYPE p [<!ENTITY a \"aaaa\">]><products><product><sku>x</sku></product></products>";
    let cut = "<products><product><sku>x</sku><name>X</name><price>1</price><currency>USD</currency></product>";
    let long = format!("sku,name,price,currency\nx,{},1,USD\n", "x".repeat(200_000));
    for (media, body, code) in [
        ("application/xml", bomb, "dtd_refused"),
        ("application/xml", cut, "malformed_feed"),
        (
            "application/json",
            "[{\"sku\":\"x\",\"name\":\"X\",\"price\":1,\"currency\":\"USD\"}",
            "malformed_feed",
        ),
        ("text/csv", "sku,nonsense\nx,1\n", "unknown_field"),
        ("text/csv", &long, "row_too_large"),
    ] {
        let refused = feed(&acme, "acme", &fresh_key("feed"), media, body).await?;
        let refused = refused.expect_problem(422, "validation_failed")?;
        let found = refused.at("/errors/0/code")?;
        ensure!(found == code, "expected {code}: {}", refused.body);
    }
    let zipped = [("content-type", "text/csv"), ("content-encoding", "gzip")];
    let body = Some(CSV.as_bytes().to_vec());
    let refused = acme.send(Method::POST, "/v1/partners/acme/catalog", &zipped, body).await?;
    refused.expect_problem(415, "unsupported_media_type")?;
    csv(&acme, "acme", "").await?.expect_problem(422, "validation_failed")?;
    shop.get("/v1/products/acme:x").await?.expect(404)?;
    Ok(())
}

/// Names and numbers that mean harm; the engine's own tests have more of them.
const HOSTILE: &[(&str, &str)] = &[
    ("=HYPERLINK(\"\"http://evil.example\"\")", "1"),
    ("+1", "1"),
    ("-1", "1"),
    ("@SUM(A1)", "1"),
    ("\t=1", "1"),
    ("<script>alert(1)</script>", "1"),
    ("&lt;script&gt;", "1"),
    ("%3Cscript%3E", "1"),
    ("javascript:alert(1)", "1"),
    ("Robert'); DROP TABLE products;--", "1"),
    ("x' OR '1'='1", "1"),
    ("a\u{0}b", "1"),
    ("a\u{202e}b", "1"),
    ("4242 4242 4242 4242", "1"),
    ("Mug", "-1"),
    ("Mug", "1e9"),
    ("Mug", "NaN"),
    ("Mug", "99999999999999999999999999"),
];

async fn hostile_rows_leave_nothing_behind(server: Server) -> Result<()> {
    let (shop, acme) = (server.shop()?, partner(&server, "acme").await?);
    let mut body = String::from("sku,name,price,currency\n");
    for (number, (name, price)) in HOSTILE.iter().enumerate() {
        writeln!(body, "evil-{number},\"{name}\",{price},USD")?;
    }
    let fed = csv(&acme, "acme", &body).await?.expect(201)?;
    let rows = i64::try_from(HOSTILE.len())?;
    assert_eq!(counts(&fed)?, [0, 0, 0, rows], "{}", fed.body);
    ensure!(!fed.body.to_string().contains("DROP TABLE"), "what was sent comes back");
    for number in 0..HOSTILE.len() {
        shop.get(&format!("/v1/products/acme:evil-{number}")).await?.expect(404)?;
    }
    server.launch().audit().await?;
    Ok(())
}

async fn only_the_partner_and_the_shop_may_feed(server: Server) -> Result<()> {
    let (shop, acme) = (server.shop()?, partner(&server, "acme").await?);
    let other = partner(&server, "other").await?;
    let nobody = shop.with_key(None);
    let stranger = shop.with_key(Some("mrp_no-such-key"));
    for _ in 0..20 {
        csv(&nobody, "acme", CSV).await?.expect_problem(401, "unauthorised")?;
        csv(&stranger, "acme", CSV).await?.expect_problem(401, "unauthorised")?;
        csv(&other, "acme", CSV).await?.expect_problem(403, "forbidden")?;
    }
    shop.get("/v1/products/acme:mug-1").await?.expect(404)?;
    // A partner's key opens nothing else.
    for path in ["/v1/products", "/v1/orders", "/v1/partners", "/v1/toggles", "/v1/partners/other"]
    {
        acme.get(path).await?.expect(403)?;
    }
    acme.post("/v1/partners", &json!({"id": "third", "name": "T"})).await?.expect(403)?;
    csv(&shop, "acme", CSV).await?.expect(201)?;
    csv(&shop, "nobody-there", CSV).await?.expect(404)?;
    let log = server.log()?;
    for reason in ["no_key", "unknown_key", "other_partner"] {
        let lines = log.lines().filter(|line| {
            line.contains("partner_access_refused") && line.contains(&format!("\"{reason}\""))
        });
        ensure!(20 <= lines.count(), "refusals for {reason} are not in the log");
    }
    let metrics = shop.get("/metrics").await?.expect(200)?;
    let figures = metrics.body.as_str().unwrap_or_default();
    ensure!(figures.contains("millrace_partner_refused_total{reason=\"no_key\"} 20"), "{figures}");
    Ok(())
}

async fn a_revoked_key_opens_nothing(server: Server) -> Result<()> {
    let (shop, acme) = (server.shop()?, partner(&server, "acme").await?);
    csv(&acme, "acme", CSV).await?.expect(201)?;
    let shown = shop.get("/v1/partners/acme").await?.expect(200)?;
    ensure!(shown.at("/keys/0/last_used_at")?.is_string(), "{}", shown.body);
    ensure!(shown.body.get("api_key").is_none(), "the key is shown again");
    let key = shown.text("/keys/0/id")?.to_owned();
    let issued = shop.post("/v1/partners/acme/keys", &json!({})).await?.expect(201)?;
    let second = shop.with_key(Some(issued.text("/api_key")?));
    shop.delete(&format!("/v1/partners/acme/keys/{key}")).await?.expect(200)?;
    csv(&acme, "acme", CSV).await?.expect(401)?;
    csv(&second, "acme", CSV).await?.expect(201)?;
    shop.delete(&format!("/v1/partners/acme/keys/{key}")).await?.expect(200)?;
    let mut server = server;
    server.kill().await?;
    server.start().await?;
    csv(&acme, "acme", CSV).await?.expect(401)?;
    csv(&second, "acme", CSV).await?.expect(201)?;
    ensure!(!server.log()?.contains(issued.text("/api_key")?), "the key is in the log");
    Ok(())
}

async fn a_key_expires_by_itself(server: Server) -> Result<()> {
    let shop = server.shop()?;
    let brief = json!({"id": "brief", "name": "Brief Ltd", "valid_seconds": 1});
    let registered = shop.post("/v1/partners", &brief).await?.expect(201)?;
    let partner = shop.with_key(Some(registered.text("/api_key")?));
    wait::until("the key has expired", Duration::from_secs(15), || async {
        csv(&partner, "brief", CSV).await?.expect(401)?;
        Ok(())
    })
    .await?;
    let shown = shop.get("/v1/partners/brief").await?.expect(200)?;
    assert_eq!(shown.text("/keys/0/status")?, "expired");
    Ok(())
}

async fn a_partner_changes_nothing_of_others(server: Server) -> Result<()> {
    let (shop, acme) = (server.shop()?, partner(&server, "acme").await?);
    // The shop's own, though it is called like one of the partner's.
    shop.stocked("acme:mug-1", 999, 3).await?;
    let fed = csv(&acme, "acme", CSV).await?.expect(201)?;
    assert_eq!(counts(&fed)?, [1, 0, 0, 1]);
    assert_eq!(fed.text("/errors/0/code")?, "not_supplied");
    let mug = shop.get("/v1/products/acme:mug-1").await?.expect(200)?;
    assert_eq!((mug.int("/price/minor")?, mug.stock()?.on_hand), (999, 3));
    Ok(())
}

async fn a_feed_that_is_killed_goes_on_when_it_is_sent_again(server: Server) -> Result<()> {
    let mut server = server;
    let acme = partner(&server, "acme").await?;
    let rows = 2_000;
    let mut body = String::from("sku,name,price,currency,received\n");
    for number in 0..rows {
        writeln!(body, "p-{number},Product {number},1,USD,3")?;
    }
    let shop = server.shop()?;
    let sending = feed(&acme, "acme", "big", "text/csv", &body);
    let killing = async {
        wait::until("some rows are taken", Duration::from_mins(1), || async {
            shop.get("/v1/products/acme:p-700").await?.expect(200)?;
            Ok(())
        })
        .await?;
        server.kill().await
    };
    let (sent, killed) = futures::join!(sending, killing);
    killed?;
    ensure!(sent.is_err(), "the feed came to its end before the server was killed");
    server.start().await?;
    let fed = feed(&acme, "acme", "big", "text/csv", &body).await?.expect(201)?;
    let [created, updated, unchanged, refused] = counts(&fed)?;
    assert_eq!((created + updated + unchanged, refused, fed.int("/done")?), (rows, 0, rows));
    // No row was taken twice, wherever it was when the process died.
    let shop = server.shop()?;
    for number in (0..rows).step_by(97) {
        assert_eq!(shop.stock(&format!("acme:p-{number}")).await?.on_hand, 3, "row {number}");
    }
    let again = feed(&acme, "acme", "big", "text/csv", &body).await?.expect(201)?;
    assert_eq!(again.body, fed.body);
    let status = server.terminate().await?;
    ensure!(status.success(), "left with {status}");
    server.launch().verify().await
}

async fn feeds_are_switched_off_and_on(server: Server) -> Result<()> {
    let (shop, acme) = (server.shop()?, partner(&server, "acme").await?);
    let off = json!({"on": false, "reason": "an incident"});
    let switched = shop.put("/v1/toggles/partner_ingestion", &off).await?.expect(200)?;
    assert_eq!(switched.at("/on")?, &Value::Bool(false));
    csv(&acme, "acme", CSV).await?.expect_problem(503, "feature_off")?;
    shop.get("/v1/products/acme:mug-1").await?.expect(404)?;
    let on = json!({"on": true, "reason": "it is over"});
    shop.put("/v1/toggles/partner_ingestion", &on).await?.expect(200)?;
    csv(&acme, "acme", CSV).await?.expect(201)?;
    Ok(())
}
