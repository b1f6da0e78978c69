//! Webhooks: every endpoint is told every public event that it wants, in the order of each shard.
//!
//! Each active endpoint has a task of its own, so a slow one keeps no other from hearing. Where it
//! stands is kept under the name of its present run; a replay begins another run at a moment. So
//! whatever is lost, an endpoint is told something twice rather than not at all.

mod attempts;
mod worker;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use engine::Aggregate as _;
use engine::endpoint::{BOOK, Endpoint, EndpointStatus, Endpoints, SigningSecret};
use engine::values::{EndpointId, Moment};
use persistence::journal::Shard;
use tokio::task::AbortHandle;
use tokio::time::timeout;
use tracing::{info, warn};

use self::attempts::Attempts;
pub use self::attempts::{Attempt, Outcome};
use self::worker::Worker;
use super::Told;
use crate::directory::Hosted as _;
use crate::outcome::Position;
use crate::payments::{Draw, chance};
use crate::reads::ReadError;
use crate::runtime::spawn_named;
use crate::system::{OrderSystem, World};

/// How often it is looked whether endpoints have come, changed or gone.
const LOOK_EVERY: Duration = Duration::from_millis(250);

type Book = Arc<BTreeMap<EndpointId, Endpoint>>;

/// One message on its way.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// Where it goes.
    pub url: String,
    /// What it is signed with, the newest first; at least one.
    pub secrets: Vec<SigningSecret>,
    /// When it is sent.
    pub at: Moment,
    /// What it says.
    pub told: Told,
}

/// Why a message was not taken, in a few words that may be shown.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotTaken(pub String);

/// Brings messages to addresses.
#[async_trait]
pub trait WebhookSender: Send + Sync + 'static {
    /// Sends one message once; what the other side answered when it took it. Ends in bounded time.
    ///
    /// # Errors
    ///
    /// [`NotTaken`]; the other side may have it all the same.
    async fn send(&self, delivery: &Delivery) -> Result<u16, NotTaken>;
}

/// What tells the endpoints.
pub struct Webhooks {
    world: Arc<World>,
    sender: Arc<dyn WebhookSender>,
    draw: Draw,
    desk: Mutex<Desk>,
}

/// What is known of the endpoints and of those who tell them.
#[derive(Default)]
struct Desk {
    book: Book,
    reports: BTreeMap<EndpointId, Report>,
    workers: BTreeMap<EndpointId, (u32, AbortHandle)>,
}

/// What is known of one endpoint's messages since the process started.
#[derive(Default)]
struct Report {
    attempts: Attempts,
    places: Vec<(Shard, u64)>,
}

/// How far an endpoint has heard in one shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heard {
    /// Everything up to here was told, or was not for it.
    pub place: Position,
    /// The last place of the shard.
    pub head: u64,
}

impl OrderSystem {
    /// Starts telling the endpoints.
    ///
    /// # Errors
    ///
    /// [`ReadError`] when it cannot be read which endpoints there are.
    pub async fn start_webhooks(
        &self,
        sender: Arc<dyn WebhookSender>,
    ) -> Result<Arc<Webhooks>, ReadError> {
        let book = self.endpoints().await?;
        let desk = Mutex::new(Desk { book, ..Desk::default() });
        let world = Arc::clone(&self.world);
        let webhooks = Arc::new(Webhooks { world, sender, draw: chance(), desk });
        let watched = Arc::clone(&webhooks);
        self.background().keep("webhooks", move || Arc::clone(&watched).watch());
        Ok(webhooks)
    }

    /// All endpoints as they are durable.
    ///
    /// # Errors
    ///
    /// [`ReadError`] when that cannot be told now.
    pub async fn endpoints(&self) -> Result<Book, ReadError> {
        self.view_of::<Endpoints>(BOOK).await
    }
}

impl Webhooks {
    /// The last tries to tell an endpoint, the newest first. Forgotten when the process ends.
    pub fn attempts(&self, endpoint: EndpointId) -> Vec<Attempt> {
        let desk = self.desk();
        desk.reports.get(&endpoint).map(|report| report.attempts.newest_first()).unwrap_or_default()
    }

    /// How far an endpoint has heard; nothing before its first turn in this process.
    ///
    /// # Errors
    ///
    /// [`ReadError`] when the journal cannot be asked how long it is.
    pub async fn heard(&self, endpoint: EndpointId) -> Result<Vec<Heard>, ReadError> {
        let heads = self.world.stores.journal.heads().await?;
        let desk = self.desk();
        let places = desk.reports.get(&endpoint).map(|report| report.places.as_slice());
        let heard = places.unwrap_or_default().iter().map(|(shard, position)| Heard {
            place: Position { shard: *shard, position: *position },
            head: heads.get(usize::from(shard.0)).copied().unwrap_or_default(),
        });
        Ok(heard.collect())
    }

    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All endpoints as they are durable.
    fn book(&self) -> Book {
        let mut desk = self.desk();
        // A view that is not published has not changed since it was.
        if let Some(published) = Endpoints::directory(&self.world).view(BOOK) {
            desk.book = published.view;
        }
        Arc::clone(&desk.book)
    }

    /// An endpoint as it is now, while it is told anything.
    fn active(&self, endpoint: EndpointId, run: u32) -> Option<Endpoint> {
        let book = self.book();
        let known = book.get(&endpoint)?;
        (known.run == run && known.status == EndpointStatus::Active).then(|| known.clone())
    }

    /// Lets every active endpoint have its task, and no other.
    async fn watch(self: Arc<Self>) {
        let mut commits = self.world.writer().commits();
        loop {
            if self.world.is_draining() || self.world.writer().is_stopped() {
                for (_, worker) in std::mem::take(&mut self.desk().workers).into_values() {
                    worker.abort();
                }
                return;
            }
            let gone = self.settle();
            for follower in gone {
                if let Err(error) = self.world.stores.followers.forget(&follower).await {
                    warn!(%error, "the places of a webhook endpoint that is gone are kept");
                }
            }
            tokio::time::sleep(LOOK_EVERY).await;
            // Whoever fails pauses by itself; a new endpoint comes with a commit.
            if timeout(LOOK_EVERY, commits.changed()).await.is_ok_and(|told| told.is_err()) {
                return;
            }
        }
    }

    /// Starts and ends tasks; the names of followers that nobody needs any more.
    fn settle(self: &Arc<Self>) -> Vec<String> {
        let book = self.book();
        let mut desk = self.desk();
        let mut gone = Vec::new();
        let Desk { workers, reports, .. } = &mut *desk;
        workers.retain(|id, (run, worker)| {
            let known = book.get(id);
            let stays = known.is_some_and(|e| e.run == *run && e.status == EndpointStatus::Active);
            if !stays {
                worker.abort();
            }
            if known.is_none_or(|endpoint| endpoint.run != *run) {
                gone.push(follower(*id, *run));
            }
            stays && !worker.is_finished()
        });
        reports.retain(|id, _| book.contains_key(id));
        for endpoint in book.values() {
            let is_active = endpoint.status == EndpointStatus::Active;
            if is_active && !workers.contains_key(&endpoint.id) {
                let worker = Worker::new(Arc::clone(self), endpoint.id, endpoint.run);
                info!(endpoint = %endpoint.id, run = endpoint.run, "endpoint {} is told", endpoint.id);
                let task = spawn_named("webhook", worker.run());
                workers.insert(endpoint.id, (endpoint.run, task.abort_handle()));
            }
        }
        gone
    }
}

/// The name under which the places of an endpoint's run are kept.
fn follower(endpoint: EndpointId, run: u32) -> String {
    format!("{}/{endpoint}/{run}", Endpoints::KIND)
}
