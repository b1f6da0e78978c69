//! Serving a shop to try out: sample products, and a key that everybody knows.

mod sample_return;

use std::fmt::Debug;
use std::io::{IsTerminal as _, Write as _};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use actors::outcome::{Asking, Cause, NotDone};
use anyhow::Context as _;
use engine::catalog::ProductCommand;
use engine::inventory::{InventoryCommand, InventoryRefusal};
use engine::validation::Region;
use engine::values::{Currency, Money, ProductId};
use tokio::time::Instant;
use tracing::{info, warn};

use super::serve::{Started, bind};
use super::{Failure, on_runtime};
use crate::access::{DEMO_KEY, Keys, Principal, Scope};
use crate::cli::ServeArgs;
use crate::idempotency::first_delivery;
use crate::shop::Shop;

/// The account behind the demo key.
const ACCOUNT: &str = "demo";
/// Signs provider callbacks of the demo.
const WEBHOOK_SECRET: &str = "whsec_bWlsbHJhY2UtZGVtby1jYWxsYmFja3M=";
/// Longest time for one sample.
const SEED_WITHIN: Duration = Duration::from_secs(30);

/// Id, name, US cents, units.
const SAMPLES: &[(&str, &str, i64, u32)] = &[
    ("1", "Laptop Pro 14", 99_999, 1_000),
    ("2", "Limited sneaker (load target)", 12_900, 100_000),
    ("3", "Ceramic mug", 1_250, 500),
    ("laptop", "Laptop", 99_999, 1_000),
    ("mouse", "Wireless mouse", 2_550, 5_000),
];

/// Serves the demo.
pub(super) fn demo(args: &ServeArgs) -> Result<ExitCode, Failure> {
    let mut args = args.clone();
    args.faults = true;
    args.rules = args.rules.usually_in(Region::Philippines);
    args.webhook_secret.get_or_insert_with(|| WEBHOOK_SECRET.to_owned());
    let account = Principal::new(ACCOUNT, &Scope::ALL)?.exempt();
    let keys = Keys::default().with(DEMO_KEY, account);
    on_runtime(args.edge.workers(), async {
        let listener = bind(&args.edge)?;
        let address = listener.local_addr()?;
        let started = Started::start(&args).await?;
        seed(&started.edge.shop).await?;
        if !args.no_demo_return {
            sample_return::seed(&started.edge.shop).await?;
        }
        if !address.ip().is_loopback() {
            warn!(%address, "the demo is open to other machines, and everybody knows its key");
        }
        welcome(address);
        started.serve(listener, keys, &args.edge).await
    })
}

/// Puts the samples into the catalogue; what is there already stays as it is.
async fn seed(shop: &Shop) -> Result<(), Failure> {
    let mut made = 0_u32;
    for (id, name, minor, units) in SAMPLES {
        let asking = asking();
        let product = ProductId::parse(id)?;
        let publish = ProductCommand::Publish {
            product: product.clone(),
            name: (*name).to_owned(),
            price: Money::new(*minor, Currency::USD),
        };
        match shop.ask_product(&product, publish, asking.clone()).await {
            Ok(published) => made = made.saturating_add(u32::from(published.changed)),
            // Somebody has changed the sample; it is theirs now.
            Err(NotDone::Refused(_)) => continue,
            Err(error) => return Err(unseeded(&format!("product {id}"), &error)),
        }
        let delivery = InventoryCommand::Adjust {
            adjustment: first_delivery(&product),
            delta: i64::from(*units),
            reason: "first delivery".to_owned(),
            if_version: Some(0),
        };
        match shop.ask_stock(&product, delivery, asking).await {
            Ok(_)
            | Err(NotDone::Refused(
                InventoryRefusal::VersionMismatch { .. } | InventoryRefusal::AdjustmentMismatch(_),
            )) => {}
            Err(error) => return Err(unseeded(&format!("product {id}"), &error)),
        }
    }
    info!(made, samples = SAMPLES.len(), "sample products are there");
    Ok(())
}

/// A question of the shop itself, about one sample.
fn asking() -> Asking {
    let cause = Cause { by: "system".into(), ..Cause::default() };
    Asking { deadline: Instant::now() + SEED_WITHIN, cause }
}

fn unseeded(sample: &str, why: &dyn Debug) -> Failure {
    Failure::Broken(anyhow::anyhow!("sample {sample} could not be made: {why:?}"))
}

/// Greets people; a program that reads stdout gets log lines only, and no key in them.
fn welcome(address: SocketAddr) {
    let mut stdout = std::io::stdout();
    if !stdout.is_terminal() {
        return;
    }
    let words = format!(
        "\n  Millrace is open at http://{address}\n  \
         Interface:  http://{address}/docs/\n  \
         Buy a mouse:\n\n    \
         curl -s http://{address}/v1/orders -H 'X-API-Key: {DEMO_KEY}' \\\n      \
         -H 'Content-Type: application/json' -H 'Idempotency-Key: my-first-order' \\\n      \
         -d '{{\"items\":[{{\"product_id\":\"mouse\",\"quantity\":1}}],\
         \"payment\":{{\"method\":\"card\",\"token\":\"tok_ok\"}}}}'\n\n  \
         Ctrl-C ends it; what was sold stays sold.\n\n"
    );
    if let Err(error) = stdout.write_all(words.as_bytes()).context("stdout") {
        warn!(error = format!("{error:#}"), "nobody was greeted");
    }
}
