//! Checking a journal from its first event to its last: bytes, places, promises.
//!
//! R9 (epochs never go back), R16 (bytes, chain, places) and R17 (events can be read) are checked
//! here, what single histories promise by the ledger. Not checked: R14, because the journal does not
//! say whether a price was trusted, and R15, because snapshots are no part of it.

use std::fmt;
use std::io::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use engine::Aggregate;
use engine::cart::Cart;
use engine::catalog::Product;
use engine::drill::Drill;
use engine::inventory::Inventory;
use engine::ledger::{Closing, Ledger, LedgerEvent};
use engine::order::Order;
use persistence::StoreError;
use persistence::codec::decode;
use persistence::journal::{Digest, GENESIS, Journal, Record, Shard, StreamId};
use tokio::time::Instant;

use super::{Failure, on_runtime, stores};
use crate::cli::StoreArgs;

/// Worker threads.
const WORKERS: usize = 2;
/// Events that are read at once.
const PAGE: u32 = 4_096;
/// Violations that are told one by one; the rest are counted.
const TOLD_MAX: usize = 20;

/// Checks the journal that the arguments name.
pub(super) fn verify(args: &StoreArgs) -> Result<ExitCode, Failure> {
    on_runtime(WORKERS, async {
        let stores = stores::open(args).await?;
        let started = Instant::now();
        let audit = Audit::of(&*stores.journal).await?;
        let findings = Findings { audit, took: started.elapsed() };
        std::io::stdout().write_all(findings.to_string().as_bytes())?;
        let sound = findings.audit.violations == 0;
        Ok(if sound { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    })
}

/// What was found.
#[derive(Debug, Default)]
struct Audit {
    ledger: Ledger,
    shards: u16,
    violations: u64,
    told: Vec<String>,
}

/// How far one shard was read.
struct Place {
    shard: Shard,
    position: u64,
    epoch: u64,
    hash: Digest,
}

impl Audit {
    async fn of(journal: &dyn Journal) -> Result<Self, StoreError> {
        let mut audit = Self { shards: journal.shards(), ..Self::default() };
        // Read first: what a running server adds meanwhile is not missing.
        let heads = journal.heads().await?;
        for (shard, head) in (0..audit.shards).map(Shard).zip(heads) {
            audit.read(journal, shard, head).await?;
        }
        Ok(audit)
    }

    async fn read(
        &mut self,
        journal: &dyn Journal,
        shard: Shard,
        head: u64,
    ) -> Result<(), StoreError> {
        let mut place = Place { shard, position: 0, epoch: 0, hash: GENESIS };
        loop {
            let records = match journal.read_shard(shard, place.position, PAGE).await {
                Ok(records) => records,
                // The row cannot be trusted, and what follows hangs on it.
                Err(StoreError::Corrupt(words)) => {
                    self.broken("R16", &format!("shard {shard}: {words}"));
                    return Ok(());
                }
                Err(error) => return Err(error),
            };
            if records.is_empty() {
                break;
            }
            for record in &records {
                self.check(&mut place, record, journal.shards());
            }
        }
        if place.position < head {
            let missing = head.saturating_sub(place.position);
            self.broken("R16", &format!("shard {shard}: {missing} events are missing at its end"));
        }
        Ok(())
    }

    /// Checks one record's place and bytes, then books its event.
    fn check(&mut self, place: &mut Place, record: &Record, shards: u16) {
        let Place { shard, position, epoch, hash } = place;
        let here = format!("shard {shard} position {}", record.position);
        if position.checked_add(1) != Some(record.position) {
            self.broken("R16", &format!("{here}: it follows position {position}"));
        }
        if record.epoch < *epoch {
            self.broken("R9", &format!("{here}: epoch {} follows epoch {epoch}", record.epoch));
        }
        if let Err(error) = persistence::journal::verify(Some(hash), record) {
            self.broken("R16", &format!("{here}: {error}"));
        }
        let slot = record.stream.slot();
        if record.slot != slot || record.shard != *shard || slot.shard(shards) != *shard {
            self.broken("R16", &format!("{here}: {} lies elsewhere", record.stream));
        }
        (*position, *epoch, *hash) = (record.position, record.epoch, record.hash);
        if let Err(words) = self.book(record) {
            self.violation(words);
        }
    }

    fn book(&mut self, record: &Record) -> Result<(), String> {
        let Record { stream, version, at, .. } = record;
        let unreadable = |error: StoreError| format!("R17 broken: {error}");
        let mut enter = |event: LedgerEvent<'_>| {
            let booked = self.ledger.book(stream.as_str(), *version, *at, event);
            booked.map_err(|violation| violation.to_string())
        };
        match StreamId::kind(stream) {
            Product::KIND => {
                enter(LedgerEvent::Product(&decode::<Product>(record).map_err(unreadable)?))
            }
            Inventory::KIND => {
                enter(LedgerEvent::Inventory(&decode::<Inventory>(record).map_err(unreadable)?))
            }
            Cart::KIND => enter(LedgerEvent::Cart(&decode::<Cart>(record).map_err(unreadable)?)),
            Order::KIND => enter(LedgerEvent::Order(&decode::<Order>(record).map_err(unreadable)?)),
            Drill::KIND => enter(LedgerEvent::Drill(&decode::<Drill>(record).map_err(unreadable)?)),
            _ => Err(format!("R17 broken: {stream} is of a kind that this build does not know")),
        }
    }

    fn broken(&mut self, promise: &str, words: &str) {
        self.violation(format!("{promise} broken: {words}"));
    }

    fn violation(&mut self, words: String) {
        self.violations = self.violations.saturating_add(1);
        if self.told.len() < TOLD_MAX {
            self.told.push(words);
        }
    }
}

/// What is told about an audit.
struct Findings {
    audit: Audit,
    took: Duration,
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Audit { ledger, shards, violations, told } = &self.audit;
        let Closing { events, streams, orders, open_holds, open_captures, units, takings, .. } =
            ledger.finish();
        let micros = self.took.as_micros().max(1);
        let rate = u128::from(events).saturating_mul(1_000_000) / micros;
        writeln!(f, "{events} events of {streams} streams in {shards} shards, {orders} orders")?;
        writeln!(f, "read in {} ms, {rate} events/s", self.took.as_millis())?;
        for (currency, money) in takings {
            let (captured, refunded) = (money.captured, money.refunded);
            let code = currency.code();
            writeln!(f, "{code}: {captured} captured, {refunded} refunded (minor units)")?;
        }
        let (holds, captures) = (open_holds.len(), open_captures.len());
        writeln!(
            f,
            "not finished: {holds} holds, {captures} captures, stock and orders of {} products",
            units.len()
        )?;
        writeln!(f, "not checked: R14 prices, R15 snapshots")?;
        for words in told {
            writeln!(f, "violation: {words}")?;
        }
        match violations {
            0 => writeln!(f, "no violations"),
            1 => writeln!(f, "1 violation"),
            many => writeln!(f, "{many} violations"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use engine::cart::CartEvent;
    use engine::values::{CartId, Moment};
    use persistence::codec::encode;
    use persistence::journal::{Batch, MemoryJournal, ShardMove, event_id, seal};

    use super::*;

    fn opened() -> String {
        let cart = CartId::new(uuid::Uuid::from_u128(1));
        encode::<Cart>(&CartEvent::Opened { cart, customer: None }).unwrap().1
    }

    /// Two events of one cart, and a chance to spoil them before they are sealed or after.
    async fn journal(spoil: impl Fn(&mut Record), forge: impl Fn(&mut Record)) -> MemoryJournal {
        let journal = MemoryJournal::new(1);
        let epoch = journal.acquire("test").await.unwrap().epoch;
        let stream = StreamId::new("cart", &uuid::Uuid::from_u128(1).to_string());
        let mut before = GENESIS;
        let mut records = Vec::new();
        let cleared = encode::<Cart>(&CartEvent::Cleared).unwrap().1;
        for (version, payload) in (1_u64..).zip([opened(), cleared]) {
            let mut record = Record {
                shard: Shard(0),
                position: version,
                epoch,
                slot: stream.slot(),
                stream: stream.clone(),
                version,
                event_id: event_id(epoch, Shard(0), version),
                name: Cow::Borrowed("cart.opened"),
                schema: 1,
                at: Moment::from_unix_micros(0),
                meta: String::new(),
                payload,
                checksum: 0,
                hash: GENESIS,
            };
            spoil(&mut record);
            seal(&before, &mut record);
            before = record.hash;
            forge(&mut record);
            records.push(record);
        }
        let moves = vec![ShardMove { shard: Shard(0), expected: 1, next: 3 }];
        journal.append(&Batch { epoch, moves, records }).await.unwrap();
        journal
    }

    async fn found(spoil: impl Fn(&mut Record), forge: impl Fn(&mut Record)) -> Audit {
        Audit::of(&journal(spoil, forge).await).await.unwrap()
    }

    #[tokio::test]
    async fn a_sound_journal_is_found_sound() {
        let audit = found(|_| {}, |_| {}).await;
        assert_eq!(audit.violations, 0, "{:?}", audit.told);
        assert_eq!(audit.ledger.finish().events, 2);
        let told = Findings { audit, took: Duration::from_millis(1) }.to_string();
        assert!(told.contains("\nread in 1 ms, 2000 events/s\n"), "{told}");
        let ends = "not checked: R14 prices, R15 snapshots\nno violations\n";
        assert!(told.ends_with(ends), "{told}");
    }

    #[tokio::test]
    async fn a_changed_byte_is_found() {
        let audit =
            found(|_| {}, |record| record.payload = record.payload.replace("cleared", "Cleared"));
        let audit = audit.await;
        assert!(audit.told.iter().any(|words| words.contains("checksum")), "{:?}", audit.told);
    }

    #[tokio::test]
    async fn an_event_that_was_replaced_is_found_by_the_chain() {
        let reseal = |record: &mut Record| {
            if record.version == 1 {
                record.meta = "forged".to_owned();
                seal(&GENESIS, record);
            }
        };
        let audit = found(|_| {}, reseal).await;
        assert!(audit.told.iter().any(|words| words.contains("chain")), "{:?}", audit.told);
    }

    #[tokio::test]
    async fn an_event_of_another_slot_is_found() {
        let audit = found(|record| record.slot.0 ^= 1, |_| {}).await;
        assert_eq!(audit.violations, 2, "{:?}", audit.told);
        assert!(audit.told.iter().all(|words| words.starts_with("R16 broken")), "{:?}", audit.told);
        let told = Findings { audit, took: Duration::from_millis(1) }.to_string();
        assert!(told.ends_with("\n2 violations\n"), "{told}");
    }

    #[tokio::test]
    async fn an_event_of_an_older_writer_is_told_as_a_broken_fence() {
        let older = |record: &mut Record| {
            if record.version == 2 {
                record.epoch = 0;
            }
        };
        let audit = found(older, |_| {}).await;
        assert_eq!(audit.told.len(), 1, "{:?}", audit.told);
        assert!(audit.told[0].starts_with("R9 broken: shard 0 position 2: epoch 0 follows"));
    }

    #[tokio::test]
    async fn an_event_that_breaks_a_promise_is_found() {
        let opened_again = |record: &mut Record| record.payload = opened();
        let audit = found(opened_again, |_| {}).await;
        assert_eq!(audit.violations, 1, "{:?}", audit.told);
        let unknown = |record: &mut Record| "\"melted\"".clone_into(&mut record.payload);
        assert_eq!(found(unknown, |_| {}).await.violations, 2);
    }
}
