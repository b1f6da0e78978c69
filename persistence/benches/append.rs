//! Events per second that each journal makes durable, by batch size.
//!
//! `cargo bench -p persistence --features sqlite,postgres`. PostgreSQL takes part when
//! `MILLRACE_TEST_POSTGRES_URL` names a server.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a benchmark that cannot run has nothing to say"
)]

#[path = "../tests/support"]
mod support {
    pub(crate) mod database;
    pub(crate) mod fixture;
    pub(crate) mod writer;
}

use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use persistence::Stores;
use support::fixture::Fixture;
use support::writer::Writer;
use tokio::runtime::Runtime;
use tokio::time::Instant;

const BATCHES: [usize; 6] = [1, 4, 16, 64, 256, 1_024];

/// Appends that many batches of that many events, three of each stream, and says how long the
/// appends alone took.
async fn append(stores: &Stores, batches: u64, length: usize) -> Duration {
    let mut writer = Writer::of(&*stores.journal).await;
    // Distinct streams over all runs: an epoch has one owner.
    let epoch = writer.tenure().epoch;
    let mut spent = Duration::ZERO;
    for number in 0..batches {
        let keys: Vec<String> =
            (0..length).map(|event| format!("{epoch}-{number}-{}", event / 3)).collect();
        let events: Vec<(&str, u64)> =
            keys.iter().zip(0_u64..).map(|(key, at)| (key.as_str(), at % 3 + 1)).collect();
        let batch = writer.batch(&events);
        let started = Instant::now();
        stores.journal.append(&batch).await.unwrap();
        spent += started.elapsed();
    }
    spent
}

fn measure(criterion: &mut Criterion, runtime: &Runtime, name: &str, stores: &Stores) {
    let mut group = criterion.benchmark_group(name);
    group.sample_size(20).warm_up_time(Duration::from_secs(1));
    group.measurement_time(Duration::from_secs(4));
    for length in BATCHES {
        group.throughput(Throughput::Elements(length as u64));
        group.bench_function(length.to_string(), |bencher| {
            let run = |batches| append(stores, batches, length);
            bencher.to_async(runtime).iter_custom(run);
        });
    }
    group.finish();
}

fn appends(criterion: &mut Criterion) {
    let runtime = Runtime::new().unwrap();
    let sqlite = runtime.block_on(Fixture::sqlite());
    measure(criterion, &runtime, "sqlite", &sqlite.stores);
    runtime.block_on(sqlite.close());
    let memory = runtime.block_on(Fixture::memory());
    measure(criterion, &runtime, "memory", &memory.stores);
    runtime.block_on(memory.close());
    if std::env::var_os("MILLRACE_TEST_POSTGRES_URL").is_some() {
        let postgres = runtime.block_on(Fixture::postgres());
        measure(criterion, &runtime, "postgres", &postgres.stores);
        runtime.block_on(postgres.close());
    }
}

criterion_group!(benches, appends);
criterion_main!(benches);
