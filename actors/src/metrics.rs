//! The names of all measurements of the engine, and what each of them means.
//!
//! Base units, `_total` for counters. Label values come from enums or `&'static str`s, so their
//! number is known; an id or an error text is never a label. `docs/metrics.md` says what to look at.

/// Commands turned away because a mailbox was full, or too many actors of the kind were in memory. Labels: `actor`.
pub const MAILBOX_REJECTED_TOTAL: &str = "millrace_mailbox_rejected_total";
/// Time from acceptance by a mailbox to handling. Labels: `actor`.
pub const MAILBOX_WAIT_SECONDS: &str = "millrace_mailbox_wait_seconds";
/// Incarnations started because one before died. Labels: `actor`.
pub const ACTOR_RESTARTS_TOTAL: &str = "millrace_actor_restarts_total";
/// Histories that were looked for in the journal, because their entity was asleep. Labels: `actor`.
pub const HISTORIES_READ_TOTAL: &str = "millrace_histories_read_total";
/// Actors in memory. Labels: `actor`.
pub const ACTORS_LIVE: &str = "millrace_actors_live";
/// Panics of tasks in the background. Labels: `task`.
pub const TASK_PANICS_TOTAL: &str = "millrace_task_panics_total";
/// Streams that are not served because they make their actor fail. Labels: `actor`.
pub const QUARANTINED: &str = "millrace_quarantined";

/// Events in one commit.
pub const WRITER_BATCH_EVENTS: &str = "millrace_writer_batch_events";
/// Time that one successful append took.
pub const WRITER_COMMIT_SECONDS: &str = "millrace_writer_commit_seconds";
/// Events that wait for the writer.
pub const WRITER_QUEUE_EVENTS: &str = "millrace_writer_queue_events";
/// Durable events. Labels: `kind`.
pub const JOURNAL_EVENTS_TOTAL: &str = "millrace_journal_events_total";
/// Ends of appends. Labels: `outcome`.
pub const WRITER_OUTCOMES_TOTAL: &str = "millrace_writer_outcomes_total";
/// Durable events that the read models have not seen.
pub const PROJECTION_LAG_EVENTS: &str = "millrace_projection_lag_events";
/// Durable timers that came due and were delivered.
pub const WAKEUPS_TOTAL: &str = "millrace_wakeups_total";

/// Durable events of returns, each a step of a status or of its bookkeeping. Labels: `event`.
pub const RETURN_STATUS_TRANSITION_TOTAL: &str = "millrace_return_status_transition_total";

/// State of a circuit breaker: 0 closed, 1 half-open, 2 open. Labels: `dependency`.
pub const BREAKER_STATE: &str = "millrace_breaker_state";
/// Time from the opening of a breaker until it closed. Labels: `dependency`.
pub const BREAKER_MTTR_SECONDS: &str = "millrace_breaker_mttr_seconds";
/// Attempts to call the payment provider. Labels: `outcome`.
pub const PROVIDER_CALLS_TOTAL: &str = "millrace_provider_calls_total";
/// Time that one attempt took.
pub const PROVIDER_SECONDS: &str = "millrace_provider_seconds";
/// Callbacks of the sandbox provider that found their queue full.
pub const PROVIDER_CALLBACKS_DROPPED_TOTAL: &str = "millrace_provider_callbacks_dropped_total";

/// Requests that may be in flight at once.
pub const ADMISSION_LIMIT: &str = "millrace_admission_limit";
/// Requests in flight.
pub const ADMISSION_IN_FLIGHT: &str = "millrace_admission_in_flight";
/// Requests that wait for a place in flight.
pub const ADMISSION_WAITING: &str = "millrace_admission_waiting";
/// Requests turned away at the door. Labels: `reason`.
pub const ADMISSION_REJECTED_TOTAL: &str = "millrace_admission_rejected_total";
/// Connections that are open.
pub const CONNECTIONS_OPEN: &str = "millrace_connections_open";
/// Parts that are out of service. Labels: `dependency`.
pub const OUT_OF_SERVICE: &str = "millrace_out_of_service";

/// Faults that are injected on purpose: 1 for each that is. Labels: `fault`.
pub const FAULTS_ACTIVE: &str = "millrace_faults_active";
/// Faults that were injected on purpose. Labels: `fault`.
pub const FAULTS_INJECTED_TOTAL: &str = "millrace_faults_injected_total";

/// Tries to tell a webhook endpoint something. Labels: `outcome`.
pub const WEBHOOK_DELIVERIES_TOTAL: &str = "millrace_webhook_deliveries_total";
/// Tries to send a message to a customer. Labels: `outcome`.
pub const NOTICES_TOTAL: &str = "millrace_notices_total";

/// Checkouts that were asked for.
pub const ORDERS_SUBMITTED_TOTAL: &str = "orders_submitted_total";
/// Checkouts that were completed or durably queued.
pub const ORDERS_ACCEPTED_TOTAL: &str = "orders_accepted_total";
/// Refunds that the provider did not carry out when asked.
pub const REFUNDS_FAILED_TOTAL: &str = "refunds_failed_total";
/// Time from the opening of the payment breaker until it closed.
pub const PAYMENT_CIRCUIT_MTTR_SECONDS: &str = "payment_circuit_mttr_seconds";
/// Time from the arrival of a checkout to its answer, in milliseconds.
pub const ORDER_PROCESSING_LATENCY_MS: &str = "order_processing_latency_ms";

/// What a metric does over time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Only rises.
    Counter,
    /// Rises and falls.
    Gauge,
    /// Counts observations by size.
    Histogram,
}

/// One metric.
#[derive(Clone, Copy, Debug)]
pub struct Metric {
    /// Its name in Prometheus.
    pub name: &'static str,
    /// What it does over time.
    pub kind: Kind,
    /// Its unit.
    pub unit: metrics::Unit,
    /// What it means.
    pub meaning: &'static str,
}

const fn metric(
    name: &'static str,
    kind: Kind,
    unit: metrics::Unit,
    meaning: &'static str,
) -> Metric {
    Metric { name, kind, unit, meaning }
}

/// Every metric of this file.
pub const ALL: &[Metric] = {
    use Kind::{Counter, Gauge, Histogram};
    use metrics::Unit::{Count, Milliseconds, Seconds};
    &[
        metric(MAILBOX_REJECTED_TOTAL, Counter, Count, "commands turned away by a full mailbox"),
        metric(MAILBOX_WAIT_SECONDS, Histogram, Seconds, "time from acceptance to handling"),
        metric(ACTOR_RESTARTS_TOTAL, Counter, Count, "incarnations started after a death"),
        metric(HISTORIES_READ_TOTAL, Counter, Count, "histories looked for in the journal"),
        metric(ACTORS_LIVE, Gauge, Count, "actors in memory"),
        metric(TASK_PANICS_TOTAL, Counter, Count, "panics of tasks in the background"),
        metric(QUARANTINED, Gauge, Count, "streams not served because their actor keeps failing"),
        metric(WRITER_BATCH_EVENTS, Histogram, Count, "events in one commit"),
        metric(WRITER_COMMIT_SECONDS, Histogram, Seconds, "time that one successful append took"),
        metric(WRITER_QUEUE_EVENTS, Gauge, Count, "events that wait for the writer"),
        metric(JOURNAL_EVENTS_TOTAL, Counter, Count, "durable events"),
        metric(WRITER_OUTCOMES_TOTAL, Counter, Count, "ends of appends"),
        metric(PROJECTION_LAG_EVENTS, Gauge, Count, "durable events not yet in the read models"),
        metric(WAKEUPS_TOTAL, Counter, Count, "durable timers delivered"),
        metric(RETURN_STATUS_TRANSITION_TOTAL, Counter, Count, "durable events of returns"),
        metric(BREAKER_STATE, Gauge, Count, "0 closed, 1 half-open, 2 open"),
        metric(BREAKER_MTTR_SECONDS, Histogram, Seconds, "time from opening to closing"),
        metric(PROVIDER_CALLS_TOTAL, Counter, Count, "attempts to call the payment provider"),
        metric(PROVIDER_SECONDS, Histogram, Seconds, "time that one attempt took"),
        metric(PROVIDER_CALLBACKS_DROPPED_TOTAL, Counter, Count, "sandbox callbacks not delivered"),
        metric(ADMISSION_LIMIT, Gauge, Count, "requests that may be in flight"),
        metric(ADMISSION_IN_FLIGHT, Gauge, Count, "requests in flight"),
        metric(ADMISSION_WAITING, Gauge, Count, "requests that wait for a place in flight"),
        metric(ADMISSION_REJECTED_TOTAL, Counter, Count, "requests turned away at the door"),
        metric(CONNECTIONS_OPEN, Gauge, Count, "open connections"),
        metric(OUT_OF_SERVICE, Gauge, Count, "parts that are out of service"),
        metric(FAULTS_ACTIVE, Gauge, Count, "faults that are injected on purpose"),
        metric(FAULTS_INJECTED_TOTAL, Counter, Count, "faults that were injected on purpose"),
        metric(NOTICES_TOTAL, Counter, Count, "tries to send a message to a customer"),
        metric(WEBHOOK_DELIVERIES_TOTAL, Counter, Count, "tries to tell a webhook endpoint"),
        metric(ORDERS_SUBMITTED_TOTAL, Counter, Count, "checkouts asked for"),
        metric(ORDERS_ACCEPTED_TOTAL, Counter, Count, "checkouts completed or durably queued"),
        metric(REFUNDS_FAILED_TOTAL, Counter, Count, "refunds not carried out when asked"),
        metric(PAYMENT_CIRCUIT_MTTR_SECONDS, Histogram, Seconds, "payment breaker, open to closed"),
        metric(ORDER_PROCESSING_LATENCY_MS, Histogram, Milliseconds, "checkout, arrival to answer"),
    ]
};

/// Tells the installed recorder what every metric means. Call it once, after installing.
pub fn describe() {
    for Metric { name, kind, unit, meaning } in ALL {
        match kind {
            Kind::Counter => metrics::describe_counter!(*name, *unit, *meaning),
            Kind::Gauge => metrics::describe_gauge!(*name, *unit, *meaning),
            Kind::Histogram => metrics::describe_histogram!(*name, *unit, *meaning),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = include_str!("../../docs/metrics.md");

    fn rows() -> Vec<Vec<&'static str>> {
        let cells = |line: &'static str| line.split('|').map(str::trim).collect::<Vec<_>>();
        PAGE.lines().filter(|line| line.starts_with("| `")).map(cells).collect()
    }

    #[test]
    fn every_metric_has_one_row_on_the_page_with_its_type() {
        for metric in ALL {
            let name = format!("`{}`", metric.name);
            let found: Vec<_> = rows().into_iter().filter(|row| row[1] == name).collect();
            assert_eq!(found.len(), 1, "{name} needs one row in docs/metrics.md");
            assert_eq!(found[0][2], format!("{:?}", metric.kind).to_lowercase(), "{name}");
        }
    }

    #[test]
    fn names_are_unique_and_only_counters_end_in_total() {
        let mut names: Vec<_> = ALL.iter().map(|metric| metric.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), ALL.len());
        for metric in ALL {
            assert_eq!(metric.name.ends_with("_total"), metric.kind == Kind::Counter);
        }
    }
}
