//! Pictures of products: sent, shown to everybody, taken away, swept.

use std::io::Cursor;

use axum::body::Body;
use engine::values::{MediaFormat, MediaOwner, Moment, ProductId};
use http::{Method, Request};
use http_edge::media::sweep;
use image::{DynamicImage, ImageFormat, RgbImage};
use serde_json::json;

use crate::shop::{Answer, CLERK_KEY, KEY, TestShop};

const LATER: Moment = Moment::from_unix_micros(i64::MAX);

/// A picture of noise, so that no two are alike and nothing compresses it.
fn picture(seed: u32, side: u32) -> Vec<u8> {
    let mut state = seed.wrapping_mul(2_654_435_769) | 1;
    let noise = RgbImage::from_fn(side, side, |_, _| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        let [red, green, blue, _] = state.to_be_bytes();
        image::Rgb([red, green, blue])
    });
    let mut bytes = Cursor::new(Vec::new());
    DynamicImage::from(noise).write_to(&mut bytes, ImageFormat::Png).unwrap();
    bytes.into_inner()
}

async fn send(shop: &TestShop, product: &str, headers: &[(&str, &str)], bytes: Vec<u8>) -> Answer {
    let path = format!("/v1/products/{product}/media");
    let mut request = Request::builder().method(Method::POST).uri(path);
    if !headers.iter().any(|(name, _)| *name == "x-api-key") {
        request = request.header("x-api-key", KEY);
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    shop.send(request.body(Body::from(bytes)).unwrap()).await
}

async fn add(shop: &TestShop, product: &str, seed: u32) -> Answer {
    send(shop, product, &[("content-type", "image/png")], picture(seed, 8)).await
}

/// Without a key, as a browser asks for it.
async fn look(shop: &TestShop, path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = Request::builder().uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    shop.send(request.body(Body::empty()).unwrap()).await
}

async fn stored(shop: &TestShop) -> usize {
    let mut count = 0;
    for owner in shop.media.owners(None, 100).await.unwrap() {
        count += shop.media.list(&owner, 100).await.unwrap().len();
    }
    count
}

async fn with_mug() -> TestShop {
    let shop = TestShop::open().await;
    shop.stocked("mug", 1_250, 10).await;
    shop
}

#[tokio::test]
async fn a_picture_is_sent_and_shown_to_everybody() {
    let shop = with_mug().await;
    let added = send(&shop, "mug", &[("content-type", "image/png")], picture(1, 400)).await;
    let added = added.expect(201);
    let url = added.body["url"].as_str().unwrap();
    assert_eq!(added.header("location"), url);
    assert!(added.header("x-position").contains(':') && !added.header("x-version").is_empty());
    assert_eq!(
        (&added.body["width"], &added.body["media_type"]),
        (&json!(400), &json!("image/png"))
    );
    let product = shop.get("/v1/products/mug").await.expect(200);
    assert_eq!(product.body["media"], json!([added.body]));
    let shown = look(&shop, url, &[]).await.expect(200);
    for (name, value) in [
        ("content-type", "image/png"),
        ("x-content-type-options", "nosniff"),
        ("content-security-policy", "default-src 'none'"),
        ("cache-control", "public, max-age=31536000, immutable"),
        ("content-length", &added.body["bytes"].to_string()),
    ] {
        assert_eq!(shown.header(name), value, "{name}");
    }
    let known = [("if-none-match", shown.header("etag"))];
    let unchanged = look(&shop, url, &known).await.expect(304);
    assert_eq!(unchanged.header("etag"), shown.header("etag"));
    let thumbnail = look(&shop, added.body["thumbnail_url"].as_str().unwrap(), &[]).await;
    assert_ne!(thumbnail.expect(200).header("content-length"), shown.header("content-length"));
}

#[tokio::test]
async fn a_picture_that_was_taken_away_is_shown_no_more() {
    let shop = with_mug().await;
    let added = add(&shop, "mug", 1).await.expect(201);
    let url = added.body["url"].as_str().unwrap();
    let name = added.body["name"].as_str().unwrap();
    let path = format!("/v1/products/mug/media/{name}");
    let removed = shop.call(Method::DELETE, &path, &[], None).await.expect(200);
    assert_eq!(removed.body["media"], json!([]));
    assert!(removed.header("x-position").contains(':'));
    look(&shop, url, &[]).await.expect_problem(404, "not_found");
    shop.call(Method::DELETE, &path, &[], None).await.expect_problem(404, "not_found");
    // It may come back.
    add(&shop, "mug", 1).await.expect(201);
    look(&shop, url, &[]).await.expect(200);
}

#[tokio::test]
async fn a_repeat_is_the_same_picture_and_another_one_under_the_key_is_refused() {
    let shop = with_mug().await;
    let headers = [("content-type", "image/png"), ("idempotency-key", "k-1")];
    let first = send(&shop, "mug", &headers, picture(1, 8)).await.expect(201);
    let again = send(&shop, "mug", &headers, picture(1, 8)).await.expect(201);
    assert_eq!((&again.body, again.header("idempotent-replayed")), (&first.body, "true"));
    let other = send(&shop, "mug", &headers, picture(2, 8)).await;
    other.expect_problem(422, "idempotency_key_reused");
    // Without a key, too, it is shown once.
    add(&shop, "mug", 1).await.expect(201);
    let path = format!("/v1/products/mug/media/{}", first.body["name"].as_str().unwrap());
    shop.call(Method::DELETE, &path, &[], None).await.expect(200);
    // A late repeat does not bring it back.
    send(&shop, "mug", &headers, picture(1, 8)).await.expect(201);
    let product = shop.get("/v1/products/mug").await.expect(200);
    assert_eq!(product.body["media"], json!([]));
}

#[tokio::test]
async fn a_product_has_at_most_twenty_pictures() {
    let shop = with_mug().await;
    for seed in 0..20 {
        add(&shop, "mug", seed).await.expect(201);
    }
    let refused = add(&shop, "mug", 20).await.expect_problem(422, "validation_failed");
    assert_eq!(refused.body["errors"][0]["code"], "too_many");
    let product = shop.get("/v1/products/mug").await.expect(200);
    assert_eq!(product.body["media"].as_array().unwrap().len(), 20);
}

#[tokio::test]
async fn whoever_may_not_change_the_catalogue_sends_no_pictures() {
    let shop = with_mug().await;
    let headers = [("content-type", "image/png"), ("x-api-key", CLERK_KEY)];
    send(&shop, "mug", &headers, picture(1, 8)).await.expect_problem(403, "forbidden");
    let unknown = send(&shop, "cup", &[("content-type", "image/png")], picture(1, 8)).await;
    unknown.expect_problem(404, "not_found");
    assert_eq!(stored(&shop).await, 0);
}

#[tokio::test]
async fn of_hostile_files_nothing_is_stored() {
    let shop = with_mug().await;
    let png = picture(1, 64);
    let half = png[..png.len() / 2].to_vec();
    let svg = br#"<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>"#.to_vec();
    let cases = [
        ("image/svg+xml", svg.clone(), 415, "unsupported_image"),
        ("text/html", b"<script>alert(1)</script>".to_vec(), 415, "unsupported_image"),
        ("application/zip", b"PK\x03\x04".to_vec(), 415, "unsupported_image"),
        ("image/png; charset=utf-8", png.clone(), 415, "unsupported_image"),
        ("multipart/form-data; boundary=x", png.clone(), 415, "unsupported_image"),
        ("", png.clone(), 415, "unsupported_image"),
        ("image/png", svg, 422, "invalid_image"),
        ("image/png", b"<script>alert(1)</script>".to_vec(), 422, "invalid_image"),
        ("image/png", b"PK\x03\x04".to_vec(), 422, "invalid_image"),
        ("image/png", Vec::new(), 422, "invalid_image"),
        ("image/png", half, 422, "invalid_image"),
        ("image/jpeg", png, 422, "invalid_image"),
        ("image/png", vec![0x89; 9 * 1_024 * 1_024], 413, "body_too_large"),
    ];
    for (media_type, bytes, status, code) in cases {
        send(&shop, "mug", &[("content-type", media_type)], bytes)
            .await
            .expect_problem(status, code);
    }
    let compressed = [("content-type", "image/png"), ("content-encoding", "gzip")];
    send(&shop, "mug", &compressed, picture(1, 8)).await.expect_problem(415, "unsupported_image");
    assert_eq!(stored(&shop).await, 0);
}

#[tokio::test]
async fn a_picture_may_be_larger_than_other_bodies() {
    let shop = with_mug().await;
    let large = picture(1, 400);
    assert!(300 * 1_024 < large.len());
    send(&shop, "mug", &[("content-type", "image/png")], large).await.expect(201);
}

#[tokio::test]
async fn names_that_are_none_find_nothing() {
    let shop = with_mug().await;
    for path in ["/media/x", "/media/..%2f..%2fetc%2fpasswd", "/media/product-6d-.png", "/media/"] {
        look(&shop, path, &[]).await.expect_problem(404, "not_found");
    }
    let path = "/v1/products/mug/media/..%2fx";
    shop.call(Method::DELETE, path, &[], None).await.expect_problem(404, "not_found");
}

#[tokio::test]
async fn a_picture_without_an_event_is_never_shown_and_is_swept() {
    let shop = with_mug().await;
    let shown = add(&shop, "mug", 1).await.expect(201);
    let gone = add(&shop, "mug", 2).await.expect(201);
    let path = format!("/v1/products/mug/media/{}", gone.body["name"].as_str().unwrap());
    shop.call(Method::DELETE, &path, &[], None).await.expect(200);
    let mut orphans = Vec::new();
    for id in ["mug", "never-offered"] {
        let owner = MediaOwner::product(&ProductId::parse(id).unwrap());
        let bytes = picture(3, 8).into();
        orphans.push(
            shop.media.put(&owner, MediaFormat::Png, bytes, Moment::default()).await.unwrap(),
        );
    }
    for orphan in &orphans {
        look(&shop, &format!("/media/{orphan}"), &[]).await.expect_problem(404, "not_found");
    }
    // What was put a moment ago may belong to an upload that is under way.
    let just_now = Moment::from_unix_micros(1);
    assert_eq!(sweep(&shop.shop, &*shop.media, just_now).await.unwrap(), 2);
    // So small a picture is its own thumbnail.
    assert_eq!(stored(&shop).await, 2);
    // The removed one goes when its time has come.
    assert_eq!(sweep(&shop.shop, &*shop.media, LATER).await.unwrap(), 1);
    assert_eq!(sweep(&shop.shop, &*shop.media, LATER).await.unwrap(), 0);
    look(&shop, shown.body["url"].as_str().unwrap(), &[]).await.expect(200);
    look(&shop, shown.body["thumbnail_url"].as_str().unwrap(), &[]).await.expect(200);
}
