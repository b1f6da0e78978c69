//! Checking a journal in one pass, from its first event to its last: bytes, places, promises.
//!
//! R9 (epochs and fences) and R16 (bytes, chain, places) are checked as the frames are read, R17
//! (events can be read) as they are decoded, R15 (snapshots) by folding their streams again, and
//! everything else by the ledger. Shards are read side by side, each in order.

mod findings;
mod shard;
mod snapshots;
#[cfg(test)]
mod tests;

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use engine::ledger::{Place, close};
use persistence::journal::Fence;
use persistence::stores::Database;
use persistence::{StoreError, Stores};
use tokio::runtime::Handle;
use tokio::time::Instant;

use self::findings::{Findings, Told};
use self::shard::{Audit, Spent};
use super::{Failure, on_runtime, stores};
use crate::cli::StoreArgs;

/// Checks the journal that the arguments name.
pub(super) fn verify(args: &StoreArgs) -> Result<ExitCode, Failure> {
    let config = stores::config(args)?;
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    on_runtime(threads, async {
        let stores = Stores::inspect(&config).await?.ok_or_else(|| nothing(&config.database))?;
        let findings = audit(&stores, threads).await?;
        std::io::stdout().write_all(findings.to_string().as_bytes())?;
        Ok(if findings.is_sound() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    })
}

/// A name that was mistyped, or a file that was emptied, must not be told as a sound journal.
fn nothing(database: &Database) -> Failure {
    Failure::Misused(match database {
        Database::Sqlite(file) => format!("there is no journal at {}", file.display()),
        Database::Postgres(_) | Database::Memory => "there is no journal there".to_owned(),
    })
}

/// Reads everything once.
async fn audit(stores: &Stores, threads: usize) -> Result<Findings, StoreError> {
    let started = Instant::now();
    let snapshots = stores.snapshots.list().await?;
    let cursors = stores.read_models.cursors(stores.journal.shards()).await?;
    // All fences at one moment are a cut through the journal: what an event refers to lies before
    // the cut if the event does. What a running server adds meanwhile is not looked at.
    let fences = stores.journal.fences().await?;
    let mut told = Told::default();
    one_owner_per_epoch(&fences, &mut told);
    nothing_known_is_missing(&cursors, &fences, &mut told);
    let audits = read_all(stores, &fences, &snapshots, threads)?;
    let closing = close(audits.iter().map(|audit| &audit.ledger));
    // Where a part is missing, the listings and the credit may be in it.
    if audits.iter().all(|audit| audit.is_whole) {
        let found = closing.mispriced.iter().chain(&closing.missing_credit);
        found.for_each(|violation| told.violation(violation));
    }
    // What was learnt is done with here; to forget it takes time of its own.
    let took = started.elapsed();
    let (mut spent, mut snapshots) = (Spent::default(), 0_u64);
    for audit in audits {
        spent.add(&audit.spent);
        snapshots = snapshots.saturating_add(audit.snapshots);
        told.absorb(audit.told);
    }
    let shards = stores.journal.shards();
    Ok(Findings { closing, told, shards, snapshots, spent, threads, took })
}

/// R9: whoever has an epoch has it alone.
fn one_owner_per_epoch(fences: &[Fence], told: &mut Told) {
    let mut owners: BTreeMap<u64, &Fence> = BTreeMap::new();
    for fence in fences {
        let known = owners.entry(fence.epoch).or_insert(fence);
        if known.owner != fence.owner {
            let place = Place { shard: fence.shard.0, position: fence.next_position };
            let (epoch, other) = (fence.epoch, known.shard);
            told.broken("R9", place, &format!("epoch {epoch} has another owner in shard {other}"));
        }
    }
}

/// R16: what the read models have seen is there. They follow the journal, so they know of events
/// that were lost together with their fence, or of those behind the copy that was put back.
fn nothing_known_is_missing(cursors: &[u64], fences: &[Fence], told: &mut Told) {
    for fence in fences {
        let seen = cursors.get(usize::from(fence.shard.0)).copied().unwrap_or_default();
        if fence.next_position <= seen {
            let place = Place { shard: fence.shard.0, position: seen };
            let end = fence.next_position.saturating_sub(1);
            told.broken("R16", place, &format!("it was seen, and the shard ends at {end}"));
        }
    }
}

/// Reads every shard, as many at once as there are threads; the longest first, so that none is left
/// for the end.
fn read_all(
    stores: &Stores,
    fences: &[Fence],
    snapshots: &[(String, u64)],
    threads: usize,
) -> Result<Vec<Audit>, StoreError> {
    let mut longest_first: Vec<&Fence> = fences.iter().collect();
    longest_first.sort_by_key(|fence| Reverse(fence.next_position));
    let (next, done) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let runtime = Handle::current();
    std::thread::scope(|scope| {
        for _ in 0..threads.min(longest_first.len()) {
            scope.spawn(|| {
                while let Some(fence) = longest_first.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let audit = runtime.block_on(shard::audit(stores, fence, snapshots));
                    done.lock().unwrap_or_else(PoisonError::into_inner).push(audit);
                }
            });
        }
    });
    done.into_inner().unwrap_or_else(PoisonError::into_inner).into_iter().collect()
}
