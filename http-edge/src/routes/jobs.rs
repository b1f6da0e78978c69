//! Jobs: what they did lately, and one that runs now.

use std::time::Duration;

use actors::jobs::NotRun;
use axum::extract::State;
use axum::response::Response;
use engine::Aggregate as _;
use engine::job::{Job, JobState, PROCESS_PENDING, Run};
use persistence::read_models::EntryQuery;
use serde::Serialize;

use super::Shared;
use crate::access::Scope;
use crate::call::{Call, Fresh};
use crate::problem::{Problem, ProblemBody};
use crate::reply::Reply;
use crate::shop::unreadable;
use crate::wire::{Instant, instant};

/// Most jobs in one answer; there are fewer.
const JOBS_MAX: u32 = 100;
/// How long before its deadline a run ends, so that it can be written down.
const MARGIN: Duration = Duration::from_secs(2);

/// The jobs that have run.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Jobs)]
pub(crate) struct JobsBody {
    /// The jobs, the latest first.
    items: Vec<JobBody>,
}

/// A job and its latest runs.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Job)]
pub(crate) struct JobBody {
    /// Its name.
    name: String,
    /// `fine`, or `failing` when its last run could not do everything.
    status: &'static str,
    /// Its latest runs, newest first; 20 at most.
    runs: Vec<RunBody>,
}

/// A run of a job.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = JobRun)]
pub(crate) struct RunBody {
    /// When it started.
    #[schema(value_type = String, format = DateTime)]
    started_at: Instant,
    /// When it ended.
    #[schema(value_type = String, format = DateTime)]
    ended_at: Instant,
    /// Which account asked for it; `system` when it was its time.
    by: String,
    /// Orders that moved on.
    advanced: u64,
    /// Orders that something holds: a payment that is not settled, for example.
    held: u64,
    /// Orders that did not answer; the next run tries them again.
    failed: u64,
    /// Orders that it had no time for.
    left: u64,
}

impl JobBody {
    fn of(name: &str, state: &JobState) -> Option<Self> {
        let status = Job::entry(state)?.status;
        let runs = state.runs.iter().rev().map(RunBody::from).collect();
        Some(Self { name: name.to_owned(), status, runs })
    }
}

impl From<&Run> for RunBody {
    fn from(run: &Run) -> Self {
        Self {
            started_at: instant(run.started_at),
            ended_at: instant(run.ended_at),
            by: run.by.clone(),
            advanced: run.tally.advanced,
            held: run.tally.held,
            failed: run.tally.failed,
            left: run.tally.left,
        }
    }
}

/// What jobs did lately. Runs by the clock that found nothing to do are not listed.
#[utoipa::path(
    get, path = "/v1/jobs", operation_id = "list_jobs", tag = "jobs",
    params(("x-min-position" = Option<String>, Header, description = "At least this fresh")),
    responses(
        (status = 200, description = "The jobs that have run", body = JobsBody),
        (status = 503, description = "Not fresh yet, or not available", body = ProblemBody<'static>),
    ),
)]
pub(crate) async fn list(
    State(edge): State<Shared>,
    call: Call,
    fresh: Fresh,
) -> Result<Response, Problem> {
    super::admin(&call)?;
    edge.shop.wait_for(fresh).await?;
    let query = EntryQuery {
        kind: Job::KIND,
        status: None,
        owner: None,
        limit: JOBS_MAX,
        after: None,
        skip: 0,
    };
    let jobs = edge.shop.list::<Job>(&query).await?;
    let jobs = jobs.entries.iter();
    let items = jobs.filter_map(|(row, state)| JobBody::of(row.stream.key(), state)).collect();
    Ok(Reply::ok(&JobsBody { items }).into_response())
}

/// Moves every PENDING order that nothing holds to PROCESSING, the oldest first, as it happens every
/// five minutes. A repeat finds what is left and changes nothing else, so it needs no
/// `Idempotency-Key`. After a problem some orders may have moved on.
#[utoipa::path(
    post, path = "/v1/jobs/process-pending", operation_id = "process_pending", tag = "jobs",
    params(("x-min-position" = Option<String>, Header, description = "Sees at least this")),
    responses(
        (status = 200, description = "The job with this run", body = JobBody),
        (status = 503, description = "Not fresh yet, or not available", body = ProblemBody<'static>),
    ),
)]
pub(crate) async fn process_pending(
    State(edge): State<Shared>,
    call: Call,
    fresh: Fresh,
) -> Result<Response, Problem> {
    super::admin(&call)?;
    call.allowed(Scope::Operate)?;
    edge.shop.wait_for(fresh).await?;
    let until = call.deadline.checked_sub(MARGIN).unwrap_or(call.deadline);
    let run = edge.shop.system().process_pending(until, call.asking(None, None)).await;
    let run = run.map_err(|not_run| match not_run {
        NotRun::Unreadable(error) => unreadable(&error),
        NotRun::NotWritten(error) => Problem::from(error).after("orders were moved on"),
    })?;
    let body = JobBody::of(PROCESS_PENDING, &run.view);
    Ok(Reply::ok(&body).standing(&run).into_response())
}
