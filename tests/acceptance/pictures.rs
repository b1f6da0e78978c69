//! Pictures of products: sent, looked at by everybody, kept over a crash, taken away.

use acceptance_tests::server::Server;
use acceptance_tests::shop::{Answer, Shop, fresh_key};
use anyhow::{Context as _, Result, ensure};
use reqwest::Method;

crate::on_both_stores! {
    a_picture_is_sent_and_everybody_sees_it,
    a_picture_survives_a_crash_and_a_half_done_upload_does_not,
    what_is_no_picture_leaves_nothing_behind,
}

/// A picture of 2 by 2 pixels with a comment in it.
const PICTURE: &[u8] = include_bytes!("picture.png");
/// What the comment says.
const COMMENT: &[u8] = b"taken at home";

async fn send(shop: &Shop, media_type: &str, bytes: &[u8]) -> Result<Answer> {
    let key = fresh_key("picture");
    let headers = [("content-type", media_type), ("idempotency-key", key.as_str())];
    shop.send(Method::POST, "/v1/products/mouse/media", &headers, Some(bytes.to_vec())).await
}

/// Every file in the folder of pictures.
fn files(server: &Server) -> Result<Vec<std::path::PathBuf>> {
    let (mut folders, mut files) = (vec![server.launch().data().join("media")], Vec::new());
    while let Some(folder) = folders.pop().filter(|folder| folder.is_dir()) {
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    Ok(files)
}

async fn a_picture_is_sent_and_everybody_sees_it(server: Server) -> Result<()> {
    let shop = server.shop()?;
    let added = send(&shop, "image/png", PICTURE).await?.expect(201)?;
    added.position()?;
    let url = added.text("/url")?;
    assert_eq!(added.header("location"), Some(url));
    let everybody = shop.with_key(None);
    let shown = everybody.get(url).await?.expect(200)?;
    assert_eq!(shown.header("content-type"), Some("image/png"));
    assert_eq!(shown.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(shown.header("content-security-policy"), Some("default-src 'none'"));
    let product = shop.get("/v1/products/mouse").await?.expect(200)?;
    assert_eq!(product.text("/media/0/url")?, url);
    ensure!(PICTURE.windows(COMMENT.len()).any(|part| part == COMMENT), "no comment was sent");
    for file in files(&server)? {
        let stored = std::fs::read(&file)?;
        ensure!(!stored.windows(COMMENT.len()).any(|part| part == COMMENT), "{}", file.display());
    }
    let path = format!("/v1/products/mouse/media/{}", added.text("/name")?);
    shop.delete(&path).await?.expect(200)?;
    everybody.get(url).await?.expect_problem(404, "not_found")?;
    server.launch().verify().await
}

async fn a_picture_survives_a_crash_and_a_half_done_upload_does_not(
    mut server: Server,
) -> Result<()> {
    let shop = server.shop()?;
    let added = send(&shop, "image/png", PICTURE).await?.expect(201)?;
    server.kill().await?;
    let incoming = server.launch().data().join("media/incoming");
    std::fs::write(incoming.join("9-half.png"), b"half of a picture")?;
    server.start().await?;
    shop.with_key(None).get(added.text("/url")?).await?.expect(200)?;
    let product = shop.get("/v1/products/mouse").await?.expect(200)?;
    assert_eq!(product.at("/media")?, &serde_json::json!([added.body]));
    assert_eq!(std::fs::read_dir(incoming)?.count(), 0);
    Ok(())
}

async fn what_is_no_picture_leaves_nothing_behind(server: Server) -> Result<()> {
    let shop = server.shop()?;
    let half = PICTURE.get(..PICTURE.len() / 2).context("a picture has two halves")?;
    for (media_type, bytes, status, code) in [
        ("image/svg+xml", &b"<svg onload='alert(1)'/>"[..], 415, "unsupported_image"),
        ("image/png", b"<svg onload='alert(1)'/>", 422, "invalid_image"),
        ("image/png", b"PK\x03\x04", 422, "invalid_image"),
        ("image/jpeg", PICTURE, 422, "invalid_image"),
        ("image/png", half, 422, "invalid_image"),
    ] {
        send(&shop, media_type, bytes).await?.expect_problem(status, code)?;
    }
    assert_eq!(files(&server)?.len(), 0);
    let product = shop.get("/v1/products/mouse").await?.expect(200)?;
    assert_eq!(product.list("/media")?.len(), 0);
    Ok(())
}
