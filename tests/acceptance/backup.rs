//! A backup: taken while people buy, checked, and served from.

use std::sync::atomic::{AtomicBool, Ordering};

use acceptance_tests::server::{Launch, Store};
use acceptance_tests::shop::{card_order, fresh_key};
use anyhow::{Result, ensure};
use reqwest::Method;
use tempfile::TempDir;

const PICTURE: &[u8] = include_bytes!("picture.png");

#[tokio::test]
async fn a_copy_that_is_made_under_load_is_whole_and_can_be_served_from() -> Result<()> {
    let mut server = Launch::demo(Store::Sqlite).await?.start().await?;
    let shop = server.shop()?;
    let headers = [("content-type", "image/png")];
    let path = "/v1/products/mouse/media";
    let picture = shop.send(Method::POST, path, &headers, Some(PICTURE.to_vec())).await?;
    let picture = picture.expect(201)?;
    let before = shop.placed(&card_order("mouse", 1, "tok_ok")).await?;
    // A picture on its way in is the shop's business, not the copy's.
    let arriving = server.launch().data().join("media/incoming/7-arriving.png");
    std::fs::write(&arriving, b"the beginning of a picture")?;
    let folder = TempDir::new()?;
    let to = folder.path().join("copy");
    let copying = Launch::on("backup", None)?.data_in(&server.launch().data());
    let copying = copying.argument("--to").argument(&to.to_string_lossy());
    let copied = AtomicBool::new(false);
    let buying = async {
        let mut bought = 0_u32;
        while !copied.load(Ordering::Relaxed) {
            let orders = (0..8).map(|_| async {
                shop.place(&fresh_key("load"), &card_order("mouse", 1, "tok_ok")).await
            });
            for answer in futures::future::try_join_all(orders).await? {
                answer.expect(201)?;
                bought += 1;
            }
        }
        anyhow::Ok(bought)
    };
    let backing_up = async {
        let output = copying.run_to_end().await;
        copied.store(true, Ordering::Relaxed);
        output
    };
    let (bought, output) = futures::join!(buying, backing_up);
    let output = output?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    ensure!(0 < bought?, "nobody bought while it was copied");
    ensure!(arriving.exists(), "the copy took away what was arriving");
    // The shop that was copied went on, and is as it should be.
    server.terminate().await?;
    server.launch().verify().await?;
    // So is the copy, which is served from as it lies.
    let restored = Launch::on("demo", None)?.data_in(&to);
    restored.verify().await?;
    let restored = restored.start().await?;
    let shop = restored.shop()?;
    let order = shop.order(before.text("/id")?).await?.expect(200)?;
    assert_eq!(order.lasting(), before.lasting());
    shop.with_key(None).get(picture.text("/url")?).await?.expect(200)?;
    shop.placed(&card_order("mouse", 1, "tok_ok")).await?;
    restored.launch().verify().await
}

#[tokio::test]
async fn what_is_there_is_not_written_over_and_nothing_is_made_of_nothing() -> Result<()> {
    let folder = TempDir::new()?;
    let there = folder.path().join("there");
    std::fs::create_dir(&there)?;
    for (store, to) in [("none", "there"), ("none", "new")] {
        let to = folder.path().join(to);
        let launch = Launch::on("backup", None)?.data_in(&folder.path().join(store));
        let output = launch.argument("--to").argument(&to.to_string_lossy()).run_to_end().await?;
        assert_eq!(output.status.code(), Some(2), "{}", String::from_utf8_lossy(&output.stderr));
    }
    assert_eq!(std::fs::read_dir(folder.path())?.count(), 1, "only what was there");
    Ok(())
}

#[tokio::test]
async fn another_database_has_tools_of_its_own() -> Result<()> {
    let launch = Launch::on("backup", None)?.argument("--to").argument("copy");
    let launch = launch.variable("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/shop");
    let output = launch.run_to_end().await?;
    assert_eq!(output.status.code(), Some(2));
    ensure!(String::from_utf8_lossy(&output.stderr).contains("pg_dump"), "it names no tool");
    Ok(())
}
