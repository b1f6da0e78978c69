//! A feed of a partner: taken in, read, and taken into the catalogue row by row.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use actors::intake::{Batch, Interrupted, NamedRow};
use actors::outcome::{Accepted, Asking};
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use bytes::Bytes;
use engine::import::{FEED_BYTES_MAX, FeedFormat, Import, ImportCommand, ImportStatus, NewFeed};
use engine::partner::PartnerCommand;
use engine::toggle::Toggle;
use engine::values::{Fingerprint, ImportId, PartnerId};
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http::{Method, StatusCode};
use http_body_util::Limited;
use metrics::counter;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout};

use super::body::ImportBody;
use super::reading::{Arrived, Stretch, arrive};
use super::{known_partner, may_feed, partner_id};
use crate::call::Call;
use crate::feeds::{Adapter, adapter_for};
use crate::idempotency::{RequestKey, row_of_feed};
use crate::metrics::FEED_ROWS_TOTAL;
use crate::problem::{Code, Problem, ProblemBody};
use crate::reply::Reply;
use crate::routes::{Edge, Shared};
use crate::wire::Path;

/// Feeds that are taken in at once, in the whole shop.
const FEEDS_MAX: usize = 4;
/// Longest time for a whole feed.
pub(crate) const FEED_WITHIN: Duration = Duration::from_mins(30);
/// Longest time for one question about a feed.
const STEP_WITHIN: Duration = Duration::from_secs(5);

/// Whether a request brings a feed, whose body is read while it arrives.
pub(crate) fn is_feed(method: &Method, path: &str) -> bool {
    let partner = path.strip_prefix("/v1/partners/").and_then(|rest| rest.strip_suffix("/catalog"));
    method == Method::POST
        && partner.is_some_and(|partner| !partner.is_empty() && !partner.contains('/'))
}

/// The body of a feed, which is read while it arrives.
pub(crate) fn streamed<B>(body: B) -> Result<Body, Problem>
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<axum::BoxError>,
{
    // Whoever announces too much need not send it.
    if FEED_BYTES_MAX < body.size_hint().lower() {
        let detail = format!("a feed has at most {FEED_BYTES_MAX} bytes");
        return Err(Problem::new(Code::BodyTooLarge, detail));
    }
    let limit = usize::try_from(FEED_BYTES_MAX).unwrap_or(usize::MAX);
    Ok(Body::new(Limited::new(body, limit)))
}

/// The feeds that are under way.
#[derive(Debug)]
pub struct FeedPlaces {
    places: Arc<Semaphore>,
    imports: Arc<Mutex<BTreeSet<ImportId>>>,
}

impl Default for FeedPlaces {
    fn default() -> Self {
        Self { places: Arc::new(Semaphore::new(FEEDS_MAX)), imports: Arc::default() }
    }
}

/// A feed that nobody else takes in meanwhile.
struct UnderWay {
    import: ImportId,
    imports: Arc<Mutex<BTreeSet<ImportId>>>,
    _place: OwnedSemaphorePermit,
}

impl FeedPlaces {
    fn enter(&self, import: ImportId) -> Result<UnderWay, Problem> {
        let full = |_| Problem::new(Code::Overloaded, "enough feeds are taken in already");
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(full)?;
        let mut under_way = self.imports.lock().unwrap_or_else(PoisonError::into_inner);
        if !under_way.insert(import) {
            return Err(Problem::new(Code::FeedUnderWay, "the same feed is being taken in"));
        }
        Ok(UnderWay { import, imports: Arc::clone(&self.imports), _place: place })
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.imports.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.import);
    }
}

/// Takes a catalogue of a partner in: CSV, JSON or XML, at most 50 MB and 200,000 rows. Good rows are
/// taken and others are told, each with its line. The same feed again under the same key changes nothing; one that was
/// interrupted goes on where it was when it is sent again under the same key.
#[utoipa::path(
    post, path = "/v1/partners/{id}/catalog", operation_id = "feed_catalog", tag = "partners",
    params(
        ("id" = String, Path, description = "The partner"),
        ("Idempotency-Key" = Option<String>, Header,
         description = "Names the feed; with other content it is refused"),
    ),
    request_body(content(
        (String = "text/csv"),
        (String = "application/json"),
        (String = "application/xml"),
    )),
    responses(
        (status = 201, description = "All rows were looked at", body = ImportBody),
        (status = 404, description = "There is no such partner", body = ProblemBody<'static>),
        (status = 409, description = "The same feed is being taken in", body = ProblemBody<'static>),
        (status = 422, description = "The feed cannot be read, or the key names another feed",
         body = ProblemBody<'static>),
        (status = 503, description = "Feeds are switched off, or enough are under way",
         body = ProblemBody<'static>),
        (status = 504, description = "It was interrupted; sent again it goes on",
         body = ProblemBody<'static>),
    ),
)]
pub(crate) async fn feed(
    State(edge): State<Shared>,
    call: Call,
    Path(id): Path<String>,
    key: RequestKey,
    request: Request,
) -> Result<Response, Problem> {
    let partner = partner_id(&id)?;
    may_feed(&call, &partner)?;
    is_switched_on(&edge)?;
    known_partner(&edge, &partner)?;
    let adapter = adapter_of(&request)?;
    let import = key.import(&partner);
    let _under_way = edge.feeds.enter(import)?;
    note_use(&edge, &call).await;
    // A sender may trickle for as long as the whole feed may take, and no longer: places are few.
    let arrived = timeout(FEED_WITHIN, arrive(request.into_body(), adapter)).await;
    let late = |_| Problem::new(Code::RequestTimeout, "the feed did not arrive in time");
    let arrived = arrived.map_err(late)??;
    let feed = FeedOf { edge, call, key, partner, import, adapter };
    let accepted = feed.take(arrived).await?;
    let view = accepted.view.clone().ok_or_else(super::imports::unknown)?;
    let below = format!("/v1/partners/{}/imports", feed.partner);
    Ok(Reply::new(StatusCode::CREATED, &ImportBody::from(&*view))
        .location(&below, import)
        .standing(&accepted)
        .replayed(feed.key.replayed(&accepted))
        .into_response())
}

fn is_switched_on(edge: &Edge) -> Result<(), Problem> {
    if edge.shop.system().toggles().is_on(Toggle::PartnerIngestion) {
        return Ok(());
    }
    let detail = format!("{} is switched off", Toggle::PartnerIngestion.as_str());
    Err(Problem::new(Code::FeatureOff, detail))
}

fn adapter_of(request: &Request) -> Result<&'static dyn Adapter, Problem> {
    let media = request.headers().get(CONTENT_TYPE);
    let adapter = media.and_then(adapter_for);
    match adapter {
        Some(adapter) if !request.headers().contains_key(CONTENT_ENCODING) => Ok(adapter),
        _ => {
            let detail =
                "a feed is text/csv, application/json or application/xml in UTF-8, not compressed";
            Err(Problem::new(Code::UnsupportedMediaType, detail))
        }
    }
}

/// Notes that a partner's key was used. The feed does not hang on it.
async fn note_use(edge: &Edge, call: &Call) {
    let used = call.principal.as_ref().and_then(|principal| principal.partner.clone());
    if let Some((partner, key)) = used {
        let system = edge.shop.system();
        let command = PartnerCommand::NoteUse { partner, key };
        if let Err(error) = system.ask_register(system.partners(), command, step(call, None)).await
        {
            tracing::warn!(?error, "the use of a partner's key was not noted");
        }
    }
}

/// How a step of a feed is asked: it may take its time, the feed takes longer.
fn step(call: &Call, key: Option<&RequestKey>) -> Asking {
    Asking { deadline: Instant::now() + STEP_WITHIN, ..call.asking(key, None) }
}

/// A feed that has arrived, on its way into the catalogue.
struct FeedOf {
    edge: Shared,
    call: Call,
    key: RequestKey,
    partner: PartnerId,
    import: ImportId,
    adapter: &'static dyn Adapter,
}

impl FeedOf {
    async fn take(&self, arrived: Arrived) -> Result<Accepted<Import>, Problem> {
        let system = self.edge.shop.system();
        let (digest, rows) = (arrived.digest, arrived.rows);
        let start = ImportCommand::Start(Box::new(NewFeed {
            id: self.import,
            partner: self.partner.clone(),
            format: FeedFormat(self.adapter.name().into()),
            digest,
            bytes: arrived.bytes,
            rows,
            refused: arrived.refused,
            errors: arrived.errors.clone(),
            errors_total: arrived.errors_total,
        }));
        let asking = step(&self.call, Some(&self.key));
        let cause = asking.cause.clone();
        let mut accepted = system.ask::<Import>(&self.import.to_string(), start, asking).await?;
        let begun = accepted.view.as_ref().ok_or_else(super::imports::unknown)?;
        if begun.status == ImportStatus::Finished {
            return Ok(accepted);
        }
        let mut stretches = arrived.rows_after(self.adapter, begun.done);
        while let Some(stretch) = stretches.recv().await {
            is_switched_on(&self.edge).map_err(|off| self.interrupted(&accepted, off))?;
            if self.call.deadline <= Instant::now() {
                let late = Problem::new(Code::OutcomeUnknown, "the feed takes too long");
                return Err(self.interrupted(&accepted, late));
            }
            let batch = self.named(stretch, digest);
            match system.take_rows(&batch, &cause).await {
                Ok(advanced) => accepted = advanced,
                Err(interrupted) => {
                    let problem = match &interrupted {
                        Interrupted::Draining => Code::Draining,
                        Interrupted::NotNow | Interrupted::OutOfStep(_) => Code::Unavailable,
                    };
                    let problem = Problem::new(problem, interrupted.to_string());
                    return Err(self.interrupted(&accepted, problem));
                }
            }
        }
        match &accepted.view {
            Some(feed) if feed.status == ImportStatus::Finished => {
                for (outcome, rows) in [
                    ("created", feed.tally.created),
                    ("updated", feed.tally.updated),
                    ("unchanged", feed.tally.unchanged),
                    ("refused", feed.tally.refused),
                ] {
                    counter!(FEED_ROWS_TOTAL, "outcome" => outcome).increment(rows.into());
                }
                Ok(accepted)
            }
            _ => {
                let problem = Problem::new(Code::Unavailable, "the feed could not be read again");
                Err(self.interrupted(&accepted, problem))
            }
        }
    }

    fn named(&self, stretch: Stretch, digest: Fingerprint) -> Batch {
        let Stretch { after, upto, rows } = stretch;
        let named = rows.into_iter().map(|(number, row)| {
            let (request, adjustment) = row_of_feed(self.import, number, digest);
            NamedRow { row, request, adjustment }
        });
        let rows = named.collect();
        Batch { import: self.import, partner: self.partner.clone(), after, upto, rows }
    }

    fn interrupted(&self, accepted: &Accepted<Import>, problem: Problem) -> Problem {
        let done = accepted.view.as_ref().map_or(0, |feed| feed.done);
        let told = format!("rows up to {done} of feed {} are taken", self.import);
        problem.after(&told)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn feeds_are_told_apart_by_their_path() {
        assert!(is_feed(&Method::POST, "/v1/partners/acme/catalog"));
        for (method, path) in [
            (Method::GET, "/v1/partners/acme/catalog"),
            (Method::POST, "/v1/partners//catalog"),
            (Method::POST, "/v1/partners/a/b/catalog"),
            (Method::POST, "/v1/partners/acme/catalog/"),
            (Method::POST, "/v1/partners/acme"),
        ] {
            assert!(!is_feed(&method, path), "{method} {path}");
        }
    }

    #[test]
    fn a_feed_is_under_way_once_and_few_are_at_the_same_time() {
        let places = FeedPlaces::default();
        let import = |number| ImportId::new(uuid::Uuid::from_u128(number));
        let first = places.enter(import(1)).unwrap_or_else(|_| panic!("there is room"));
        let again = places.enter(import(1)).err().map(|problem| problem.code());
        assert_eq!(again, Some(Code::FeedUnderWay));
        let others: Vec<_> =
            (2..=4).filter_map(|number| places.enter(import(number)).ok()).collect();
        assert_eq!(others.len(), 3);
        let full = places.enter(import(5)).err().map(|problem| problem.code());
        assert_eq!(full, Some(Code::Overloaded));
        drop(first);
        assert!(places.enter(import(1)).is_ok());
    }
}
