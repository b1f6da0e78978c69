//! The task that tells one endpoint.

use std::sync::Arc;
use std::time::Duration;

use engine::endpoint::{BOOK, Endpoint, EndpointCommand, Endpoints};
use engine::values::EndpointId;
use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use metrics::counter;
use persistence::StoreError;
use persistence::journal::Shard;
use tokio::time::{Instant, sleep};
use tracing::{debug, warn};

use super::{Attempt, Delivery, NotTaken, Outcome, Webhooks, follower};
use crate::directory::Hosted as _;
use crate::followers::lanes::{Lanes, Turned};
use crate::followers::{Told, places};
use crate::metrics::WEBHOOK_DELIVERIES_TOTAL;
use crate::outcome::{Asking, Cause, Position};

/// Events of one turn. Memory is a page for each turn under way.
const PAGE: u32 = 200;

/// Messages of one turn, so that its place is stored often.
const TOLD_MAX: u32 = 32;

/// Pause after the stores have failed.
const STORE_PAUSE: Duration = Duration::from_secs(1);

/// Lets what belongs together come together, so that a busy journal is not read event by event.
const GATHER: Duration = Duration::from_millis(50);

/// Longest time for noting how an endpoint does.
const NOTE_WITHIN: Duration = Duration::from_secs(5);

/// Tells one endpoint in one of its runs.
pub(super) struct Worker {
    webhooks: Arc<Webhooks>,
    endpoint: EndpointId,
    run: u32,
}

/// The end of a turn: its shard, what came of it, and what was wrong.
type Ended = (Shard, Turned, Option<String>);

impl Worker {
    pub(super) const fn new(webhooks: Arc<Webhooks>, endpoint: EndpointId, run: u32) -> Self {
        Self { webhooks, endpoint, run }
    }

    /// Runs until the endpoint is not told any more.
    pub(super) async fn run(self) {
        let mut lanes = loop {
            match self.open().await {
                Ok(Some(places)) => break Lanes::at(&places),
                Ok(None) => return,
                Err(error) => {
                    warn!(%error, endpoint = %self.endpoint, "an endpoint cannot be told yet");
                    sleep(STORE_PAUSE).await;
                }
            }
        };
        let world = &self.webhooks.world;
        let mut commits = world.writer().commits();
        let mut turns = FuturesUnordered::new();
        loop {
            // Marked before it is looked: what comes meanwhile is looked for again.
            commits.mark_unchanged();
            let has_more = |shard, cursor: u64| {
                world.writer().has_reached(Position { shard, position: cursor.saturating_add(1) })
            };
            for (shard, from) in lanes.begin(world.clock.now(), has_more) {
                turns.push(self.turn(shard, from));
            }
            self.report(&lanes);
            let due = lanes.next_due(world.clock.now());
            let pause = due.map_or(Duration::MAX, |due| due.saturating_since(world.clock.now()));
            tokio::select! {
                Some(ended) = turns.next(), if !turns.is_empty() => {
                    self.end(&mut lanes, ended).await;
                }
                changed = commits.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    sleep(GATHER).await;
                }
                () = sleep(pause), if due.is_some() => {}
            }
            if self.webhooks.active(self.endpoint, self.run).is_none() {
                return;
            }
        }
    }

    /// Where it stands, or where its run begins; `None` when it is not told any more.
    async fn open(&self) -> Result<Option<Vec<(Shard, u64)>>, StoreError> {
        let Some(endpoint) = self.webhooks.active(self.endpoint, self.run) else {
            return Ok(None);
        };
        let stores = &self.webhooks.world.stores;
        let name = follower(self.endpoint, self.run);
        let known = stores.followers.cursors(&name).await?;
        let heads = stores.journal.heads().await?;
        let mut places = Vec::with_capacity(heads.len());
        let mut begun = Vec::new();
        for (shard, head) in (0_u16..).map(Shard).zip(heads) {
            let stood = known.iter().find(|(at, _)| *at == shard).map(|(_, cursor)| *cursor);
            let place = match stood {
                Some(cursor) => places::within(cursor, head),
                None => places::before(&*stores.journal, shard, head, endpoint.from).await?,
            };
            if stood != Some(place) {
                begun.push((shard, place));
            }
            places.push((shard, place));
        }
        stores.followers.reset(&name, &begun).await?;
        Ok(Some(places))
    }

    /// Tells what a shard has gained, until there is a page of it or something is not taken.
    async fn turn(&self, shard: Shard, from: u64) -> Ended {
        let mut turned = Turned { cursor: from, told: 0, failed: false };
        let page = match self.webhooks.world.stores.journal.read_shard(shard, from, PAGE).await {
            Ok(page) => page,
            Err(error) => {
                warn!(%error, endpoint = %self.endpoint, "the journal cannot be read for an endpoint");
                turned.failed = true;
                return (shard, turned, None);
            }
        };
        for record in page {
            let Some(endpoint) = self.webhooks.active(self.endpoint, self.run) else { break };
            let told = match Told::of(&record) {
                Ok(told) => told,
                Err(error) => {
                    turned.failed = true;
                    return (shard, turned, Some(error.to_string()));
                }
            };
            let wanted =
                told.filter(|told| endpoint.from <= told.at && endpoint.hears(told.event.name));
            if let Some(told) = wanted {
                if let Err(NotTaken(why)) = self.tell(&endpoint, told).await {
                    turned.failed = true;
                    return (shard, turned, Some(why));
                }
                turned.told = turned.told.saturating_add(1);
            }
            turned.cursor = record.position;
            if TOLD_MAX <= turned.told {
                break;
            }
        }
        (shard, turned, None)
    }

    async fn tell(&self, endpoint: &Endpoint, told: Told) -> Result<(), NotTaken> {
        let at = self.webhooks.world.clock.now();
        let secrets = endpoint.secrets(at).cloned().collect();
        let delivery = Delivery { url: endpoint.url.clone(), secrets, at, told };
        let began = Instant::now();
        let sent = self.webhooks.sender.send(&delivery).await;
        let Told { id, position, ref event, .. } = delivery.told;
        let outcome = match &sent {
            Ok(status) => Outcome::Taken(*status),
            Err(NotTaken(why)) => Outcome::Failed(why.clone()),
        };
        let label = if sent.is_ok() { "taken" } else { "failed" };
        counter!(WEBHOOK_DELIVERIES_TOTAL, "outcome" => label).increment(1);
        let attempt =
            Attempt { event: id, name: event.name, position, at, took: began.elapsed(), outcome };
        self.webhooks.desk().reports.entry(self.endpoint).or_default().attempts.remember(attempt);
        sent.map(drop)
    }

    async fn end(&self, lanes: &mut Lanes, (shard, turned, why): Ended) {
        let draw = (self.webhooks.draw)();
        let after = lanes.end(shard, turned, self.webhooks.world.clock.now(), draw);
        if let Some(cursor) = after.store {
            let name = follower(self.endpoint, self.run);
            let followers = &self.webhooks.world.stores.followers;
            match followers.advance(&name, &[(shard, cursor)], &[]).await {
                Ok(()) => lanes.stored(shard, cursor),
                // After a crash something is told again; the next place is stored all the same.
                Err(error) => warn!(%error, endpoint = %self.endpoint, "a place was not stored"),
            }
        }
        let endpoint = self.endpoint;
        if after.note_failure {
            let why = why.unwrap_or_else(|| "the journal cannot be read".to_owned());
            self.note(EndpointCommand::NoteFailure { endpoint, why }).await;
        }
        let is_noted = || {
            let known = self.webhooks.active(endpoint, self.run);
            known.is_some_and(|known| known.failing.is_some())
        };
        if after.note_success && is_noted() {
            self.note(EndpointCommand::NoteSuccess { endpoint }).await;
        }
    }

    async fn note(&self, command: EndpointCommand) {
        let cause = Cause { by: "system".into(), ..Cause::default() };
        let asking = Asking { deadline: Instant::now() + NOTE_WITHIN, cause };
        let world = &self.webhooks.world;
        let noted = Endpoints::directory(world).ask(world, BOOK, Some(command), asking).await;
        match noted {
            Ok(noted) => self.webhooks.desk().book = noted.view,
            // It is noted with the next one.
            Err(error) => debug!(?error, endpoint = %self.endpoint, "not noted how it does"),
        }
    }

    fn report(&self, lanes: &Lanes) {
        let places = lanes.places().collect();
        self.webhooks.desk().reports.entry(self.endpoint).or_default().places = places;
    }
}
