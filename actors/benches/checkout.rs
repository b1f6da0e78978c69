//! What a checkout costs in the actors alone: memory stores, a sandbox provider, no HTTP.
//!
//! Prints checkouts per second and CPU µs per checkout; run with `cargo bench -p actors`.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a tool for people, not a service")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use actors::admission::ServiceHealth;
use actors::payments::{PaymentProvider, PaymentsConfig, SandboxConfig, SandboxProvider};
use actors::runtime::spawn_named;
use actors::{Asking, Cause, EngineConfig, OrderSystem, Ports, SystemClock};
use engine::catalog::{Product, ProductCommand};
use engine::inventory::{Inventory, InventoryCommand};
use engine::order::{HOLD_FIRST, Order, OrderCommand, Personal, PlaceOrder, Wish, WishedItem};
use engine::values::{
    AdjustmentId, Currency, CustomerId, Fingerprint, Money, OrderId, PaymentMethod, PaymentToken,
    ProductId,
};
use persistence::Stores;
use tokio::time::Instant;
use uuid::Uuid;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const SHOPPERS: u32 = 256;
const CHECKOUTS: u32 = 200_000;

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(run());
}

async fn run() {
    let system = open().await;
    let next = Arc::new(AtomicU32::new(0));
    let began = Instant::now();
    let cpu_before = cpu();
    let crowd: Vec<_> = (0..SHOPPERS)
        .map(|_| spawn_named("shopper", shop(Arc::clone(&system), Arc::clone(&next))))
        .collect();
    for shopper in crowd {
        shopper.await.unwrap();
    }
    let (elapsed, spent) = (began.elapsed(), cpu().saturating_sub(cpu_before));
    let per_second = f64::from(CHECKOUTS) / elapsed.as_secs_f64();
    let micros = spent.as_secs_f64() * 1e6 / f64::from(CHECKOUTS);
    println!("{CHECKOUTS} checkouts: {per_second:.0} per second, {micros:.1} µs of CPU each");
}

async fn shop(system: Arc<OrderSystem>, next: Arc<AtomicU32>) {
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if CHECKOUTS <= number {
            return;
        }
        let order = OrderId::new(Uuid::from_u128((u128::from(number) + 1) << 64));
        let wish = OrderCommand::Place(Box::new(wish(order)));
        let accepted = system.ask::<Order>(&order.to_string(), wish, asking()).await;
        assert!(accepted.is_ok(), "{accepted:?}");
    }
}

fn wish(order: OrderId) -> PlaceOrder {
    let token = Some(PaymentToken::new("tok_ok"));
    PlaceOrder {
        order,
        customer: CustomerId::parse("crowd").unwrap(),
        channel: "bench".to_owned(),
        items: vec![WishedItem::new(ProductId::parse("hot").unwrap(), 1, None)],
        payment: Some(Wish { method: PaymentMethod::Card, token }),
        cart: None,
        promo: None,
        personal: Personal::default(),
        trusted_price: false,
        policy: Arc::default(),
        vetting: engine::fraud::Vetting::default(),
        fingerprint: Fingerprint::from_bytes([1; 16]),
        hold_for: HOLD_FIRST,
        credit: None,
        held_until: None,
    }
}

async fn open() -> Arc<OrderSystem> {
    let clock = Arc::new(SystemClock);
    let provider = Arc::new(SandboxProvider::new(SandboxConfig::default()));
    let ports = Ports {
        provider: provider as Arc<dyn PaymentProvider>,
        payments: PaymentsConfig::default(),
        health: Arc::new(ServiceHealth::new(clock.clone())),
    };
    let config = EngineConfig::default();
    let system = OrderSystem::start(config, Stores::in_memory(), ports, clock).await.unwrap();
    let publish = ProductCommand::Publish {
        product: ProductId::parse("hot").unwrap(),
        name: "hot".to_owned(),
        price: Money::new(1_999, Currency::USD),
    };
    system.ask::<Product>("hot", publish, asking()).await.unwrap();
    let adjust = InventoryCommand::Adjust {
        adjustment: AdjustmentId::new(Uuid::from_u128(1)),
        delta: i64::from(CHECKOUTS),
        reason: "bench".to_owned(),
        if_version: None,
    };
    system.ask::<Inventory>("hot", adjust, asking()).await.unwrap();
    system
}

fn asking() -> Asking {
    Asking { deadline: Instant::now() + Duration::from_secs(30), cause: Cause::default() }
}

/// CPU time of this process so far, user and system; 10 ms steps.
fn cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let after_name = stat.rsplit_once(')').unwrap().1;
    let ticks: u64 =
        after_name.split_whitespace().skip(11).take(2).map(|t| t.parse::<u64>().unwrap()).sum();
    Duration::from_millis(ticks * 10)
}
