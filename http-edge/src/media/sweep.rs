//! Takes away pictures that no event names: of uploads that came to nothing, and of removed ones.

use std::collections::BTreeSet;
use std::sync::Weak;
use std::time::Duration;

use engine::catalog::Product;
use engine::values::{MediaArea, MediaName, MediaOwner, Moment, Picture, ProductId, ReturnId};
use persistence::media::MediaStore;
use tokio::time::sleep;
use tracing::{info, warn};
use uuid::Uuid;

use super::room::unstored;
use crate::problem::Problem;
use crate::routes::Edge;
use crate::shop::Shop;

/// How long a picture is left alone after it was put: its event is durable within seconds.
const LEFT_ALONE_FOR: Duration = Duration::from_hours(1);
/// Time between two rounds.
const ROUND_EVERY: Duration = Duration::from_mins(10);
/// Owners that are looked at between two reads of the store.
const OWNERS_AT_ONCE: usize = 256;
/// Pictures of one owner that one round looks at; a round that meets more leaves the rest to the next.
const PICTURES_AT_ONCE: usize = 1_024;

/// Sweeps now and then for as long as the edge is there.
pub(crate) async fn keep_swept(edge: Weak<Edge>) {
    loop {
        sleep(ROUND_EVERY).await;
        let Some(edge) = edge.upgrade() else { return };
        let now = edge.media.clock().now().as_unix_micros();
        let grace = i64::try_from(LEFT_ALONE_FOR.as_micros()).unwrap_or(i64::MAX);
        let put_before = Moment::from_unix_micros(now.saturating_sub(grace));
        match sweep(&edge.shop, edge.media.store(), put_before).await {
            Ok(0) => {}
            Ok(removed) => info!(removed, "{removed} pictures that nobody shows were removed"),
            Err(problem) => warn!(problem = ?problem, "pictures could not be swept"),
        }
    }
}

/// One round: removes what was put before a moment and is named by nothing, and says how many. A second
/// round finds nothing; what cannot be read now is left alone.
///
/// # Errors
///
/// `unavailable` when the store of pictures or an owner cannot be read.
pub async fn sweep(
    shop: &Shop,
    store: &dyn MediaStore,
    put_before: Moment,
) -> Result<u64, Problem> {
    let (mut removed, mut after) = (0_u64, None);
    loop {
        let owners =
            store.owners(after.as_ref(), OWNERS_AT_ONCE).await.map_err(|error| unstored(&error))?;
        let Some(last) = owners.last() else { return Ok(removed) };
        after = Some(last.clone());
        for owner in &owners {
            let stored =
                store.list(owner, PICTURES_AT_ONCE).await.map_err(|error| unstored(&error))?;
            let mut old =
                stored.into_iter().filter(|media| media.stored_at < put_before).peekable();
            if old.peek().is_none() {
                continue;
            }
            let named = named_by(shop, owner).await?;
            for media in old.filter(|media| !named.contains(&media.name)) {
                let gone = store
                    .remove(&media.name, put_before)
                    .await
                    .map_err(|error| unstored(&error))?;
                removed = removed.saturating_add(u64::from(gone));
            }
        }
    }
}

/// Every file that the owner shows.
async fn named_by(shop: &Shop, owner: &MediaOwner) -> Result<BTreeSet<MediaName>, Problem> {
    let pictures = match owner.area() {
        MediaArea::Product => {
            let Ok(id) = ProductId::parse(owner.id()) else { return Ok(BTreeSet::new()) };
            // The listing alone: its stock need not be woken for that.
            let listing = shop.entity::<Product>(id.as_str()).await?.view;
            listing.map_or_else(Vec::new, |listing| listing.pictures.to_vec())
        }
        MediaArea::Return => {
            let Ok(id) = Uuid::try_parse(owner.id()) else { return Ok(BTreeSet::new()) };
            let found = shop.rma(ReturnId::new(id)).await?.view;
            found.map_or_else(Vec::new, |found| found.photos.clone())
        }
    };
    let names = |picture: &Picture| [picture.name.clone(), picture.thumbnail.clone()];
    Ok(pictures.iter().flat_map(names).collect())
}
