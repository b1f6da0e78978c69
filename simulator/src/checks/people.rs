//! Checks on answers: everybody got one, it was definite, and errors were honest.

use super::{Check, Evidence, Findings};
use crate::record::{Outcome, Verdict};

/// No 5xx but a 503 that says when to come again.
pub(super) fn no_server_errors(evidence: &Evidence<'_>) -> Check {
    let mut findings = Findings::default();
    let mut busy = 0_usize;
    for record in evidence.records {
        for answer in record.answers().filter(|answer| answer.status >= 500) {
            if answer.status == 503 && answer.retry_after.is_some() {
                busy = busy.saturating_add(1);
            } else if answer.status == 503 {
                findings.add(|| format!("shopper {}: 503 without Retry-After", record.shopper));
            } else {
                findings.add(|| format!("shopper {}: {}", record.shopper, answer.status));
            }
        }
    }
    let count = findings.count;
    findings.into_check(
        "no_server_errors",
        format!("{count} server errors, {busy} honest 503 with Retry-After"),
    )
}

/// Time-outs and cut connections may happen; staying unknown after a repeat may not.
pub(super) fn outcomes_known(evidence: &Evidence<'_>) -> Check {
    let mut findings = Findings::default();
    let (mut time_outs, mut cuts, mut unknown_answers) = (0_usize, 0_usize, 0_usize);
    for record in evidence.records {
        for attempt in &record.attempts {
            let counter = match &attempt.outcome {
                Outcome::TimedOut => &mut time_outs,
                Outcome::Cut => &mut cuts,
                Outcome::Answered(answer) if answer.is_unknown() => &mut unknown_answers,
                Outcome::Answered(_) | Outcome::NotSent => continue,
            };
            *counter = counter.saturating_add(1);
        }
        findings.unless(record.verdict() != Verdict::Unknown, || {
            format!("shopper {}: nobody knows whether key {} bought", record.shopper, record.key)
        });
    }
    let left = findings.count;
    findings.into_check(
        "outcomes_known",
        format!(
            "{time_outs} time-outs, {cuts} cut connections, {unknown_answers} unknown answers; {left} stayed unknown"
        ),
    )
}

/// Accepted and refused together are the whole crowd.
pub(super) fn everybody_answered(evidence: &Evidence<'_>) -> Check {
    let mut findings = Findings::default();
    let (mut accepted, mut refused) = (0_usize, 0_usize);
    for record in evidence.records {
        match record.verdict() {
            Verdict::Accepted => accepted = accepted.saturating_add(1),
            Verdict::Refused | Verdict::TurnedAway => refused = refused.saturating_add(1),
            Verdict::Unknown | Verdict::Unreached => {
                findings.add(|| format!("shopper {} got no answer", record.shopper));
            }
        }
    }
    let sent = usize::try_from(evidence.shoppers).unwrap_or(usize::MAX);
    findings.unless(evidence.records.len() == sent, || {
        format!("{} shoppers came back of {sent}", evidence.records.len())
    });
    findings.into_check(
        "everybody_answered",
        format!("{accepted} accepted and {refused} refused of {sent} shoppers"),
    )
}
