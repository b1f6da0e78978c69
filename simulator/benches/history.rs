//! How long it takes to judge a history of a million questions, reading included.
#![expect(clippy::expect_used, reason = "a bench that cannot write has nothing to measure")]

use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use simulator::history::event::{Facts, ShelfSeen};
use simulator::history::{
    Ask, End, History, LineSeen, OrderSeen, Payment, Position, Recorder, Seen, Status, Verdict,
    Wanted, check,
};
use simulator::record::Stock;

/// Orders; each is placed and read once.
const ORDERS: u64 = 500_000;
const PRODUCTS: u64 = 1_000;

fn order(number: u64) -> OrderSeen {
    let product = format!("p-{}", number % PRODUCTS).into();
    let line = LineSeen { id: Some(format!("{number}-1").into()), product, n: 1, unit: 5 };
    OrderSeen {
        order: format!("00000000-0000-8000-8000-{number:012}").into(),
        http: 201,
        status: Status::Pending,
        payment: Payment::Paid,
        ver: Some(3),
        pos: Some(Position { shard: u32::try_from(number % 16).unwrap_or(0), at: number }),
        replayed: false,
        facts: Facts {
            lines: vec![line],
            currency: "USD".into(),
            subtotal: 5,
            discount: 0,
            shipping: 0,
            duties: 0,
            tax: 0,
            total: 5,
        },
    }
}

fn tell(recorder: &Recorder, key: Option<&str>, ask: &Ask, seen: Seen) {
    let mut client = recorder.client();
    let open = recorder.invoke(&client, key, ask);
    recorder.complete(&mut client, &open, &End::Ok(seen));
}

fn write(recorder: &Recorder) {
    let units = ORDERS / PRODUCTS;
    let look = |on_hand, sold| {
        for product in 0..PRODUCTS {
            let stock = Stock { on_hand, held: 0, available: on_hand, sold };
            let seen = Seen::Shelf(ShelfSeen { stock, price: None, ver: Some(sold) });
            tell(recorder, None, &Ask::Look(format!("p-{product}").into()), seen);
        }
    };
    look(units, 0);
    for number in 0..ORDERS {
        let product = format!("p-{}", number % PRODUCTS).into();
        let (key, ask) = (format!("key-{number}"), Ask::Place(vec![Wanted { product, n: 1 }]));
        tell(recorder, Some(&key), &ask, Seen::Order(Box::new(order(number))));
    }
    for number in 0..ORDERS {
        let seen = OrderSeen { http: 200, pos: None, ..order(number) };
        let ask = Ask::Read(seen.order.clone());
        tell(recorder, None, &ask, Seen::Order(Box::new(seen)));
    }
    look(0, units);
}

fn history(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("history");
    let recorder = Recorder::create(&path).expect("a file");
    write(&recorder);
    recorder.finish().expect("a whole file");
    let mut group = criterion.benchmark_group("history");
    group.sample_size(10).measurement_time(Duration::from_mins(1));
    group.throughput(Throughput::Elements(ORDERS * 2 + PRODUCTS * 2));
    group.bench_function("read and check", |bencher| {
        bencher.iter(|| {
            let history = History::read(&path).expect("a history");
            assert_eq!(check(&history, None).verdict, Verdict::Valid);
        });
    });
    group.finish();
}

criterion_group!(benches, history);
criterion_main!(benches);
