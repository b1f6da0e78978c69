//! The HTTP contract, told as stories: one module for each area, every story on both stores.

#![expect(clippy::indexing_slicing, reason = "an answer without the field fails its story")]

mod access;
mod audit;
mod backup;
mod carts;
mod catalogue;
mod credit;
mod events;
mod faults;
mod fraud;
mod idempotency;
mod life;
mod lists;
mod notifications;
mod operations;
mod orders;
mod partners;
mod payments;
mod pictures;
mod positions;
mod pricing;
mod processing;
mod promos;
mod receipts;
mod redis_cut;
mod refusals;
mod returns;
mod rules;
mod start;
mod toggles;
mod webhooks;

/// Runs each story against a demo of its own, as `sqlite::name` and as `postgres::name`.
macro_rules! on_both_stores {
    ($($story:ident,)+) => {
        mod sqlite {
            $(#[tokio::test]
            async fn $story() -> anyhow::Result<()> {
                crate::tell(acceptance_tests::server::Store::Sqlite, super::$story).await
            })+
        }
        mod postgres {
            $(#[tokio::test]
            async fn $story() -> anyhow::Result<()> {
                crate::tell(acceptance_tests::server::Store::Postgres, super::$story).await
            })+
        }
    };
}
use on_both_stores;

use acceptance_tests::server::{Launch, Server, Store};
use anyhow::Result;

/// Starts a demo on an empty store and tells one story to it.
async fn tell<Story, Telling>(at: Store, story: Story) -> Result<()>
where
    Story: FnOnce(Server) -> Telling,
    Telling: Future<Output = Result<()>>,
{
    story(Launch::demo(at).await?.start().await?).await
}

/// Ends a story: the server goes when it is asked to, and its journal keeps every promise.
async fn sound(mut server: Server) -> Result<()> {
    let status = server.terminate().await?;
    anyhow::ensure!(status.success(), "left with {status}");
    server.launch().verify().await
}
