//! Faults on purpose: what goes wrong now, and the decorators of ports that make it so.
//!
//! They are built only where faults may be injected; elsewhere the ports stand alone, and nothing on
//! the way of an order knows that there could be faults.

mod drills;
mod journal;
mod provider;
mod pubsub;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use engine::drill::{Fault, FaultName};
use metrics::gauge;
use persistence::Stores;
use tokio::sync::watch;
use tokio::time::timeout;

use crate::metrics::FAULTS_ACTIVE;
use crate::payments::{PaymentProvider, chance};
use journal::FaultyJournal;
use provider::FaultyProvider;
use pubsub::FaultyPubSub;

pub use drills::{Drills, Logged};

/// What goes wrong now. Decorators look here at every call; drills say what they are to find.
#[derive(Debug)]
pub struct Faults {
    now: watch::Sender<BTreeMap<FaultName, Fault>>,
    has_redis: bool,
}

impl Faults {
    /// Nothing goes wrong yet. Without Redis there is nothing to cut.
    pub fn none(has_redis: bool) -> Arc<Self> {
        let faults = Self { now: watch::Sender::default(), has_redis };
        faults.show();
        Arc::new(faults)
    }

    /// The stores, whose journal can be made to stall and whose announcements to get lost.
    pub async fn among(self: &Arc<Self>, stores: Stores) -> Stores {
        let Stores { journal, mut pubsub, .. } = stores;
        let journal = Arc::new(FaultyJournal { inner: journal, faults: Arc::clone(self) });
        if self.has_redis {
            pubsub = FaultyPubSub::over(pubsub, Arc::clone(self)).await;
        }
        Stores { journal, pubsub, ..stores }
    }

    /// The provider, which can be made to fail and to be slow.
    pub fn before(self: &Arc<Self>, inner: Arc<dyn PaymentProvider>) -> Arc<dyn PaymentProvider> {
        Arc::new(FaultyProvider { inner, faults: Arc::clone(self), draw: chance() })
    }

    /// The faults that can be injected here.
    pub fn available(&self) -> impl Iterator<Item = FaultName> {
        let can = |name: &FaultName| self.has_redis || *name != FaultName::RedisCut;
        FaultName::ALL.into_iter().filter(can)
    }

    /// Exactly these go wrong from now on.
    fn set(&self, now: BTreeMap<FaultName, Fault>) {
        let changed = self.now.send_if_modified(|present| {
            let differs = *present != now;
            *present = now;
            differs
        });
        if changed {
            self.show();
        }
    }

    fn show(&self) {
        for name in FaultName::ALL {
            let active = if self.find(name).is_some() { 1.0 } else { 0.0 };
            gauge!(FAULTS_ACTIVE, "fault" => name.as_str()).set(active);
        }
    }

    fn find(&self, name: FaultName) -> Option<Fault> {
        self.now.borrow().get(&name).copied()
    }

    /// Waits for that long, but not for longer than the fault lasts as it is.
    async fn suffer(&self, fault: Fault, at_most: Option<Duration>) {
        let mut now = self.now.subscribe();
        let over = now.wait_for(|now| now.get(&fault.name()) != Some(&fault));
        match at_most {
            // Too late or lifted: either way it is over.
            Some(at_most) => drop(timeout(at_most, over).await),
            None => drop(over.await),
        }
    }
}
