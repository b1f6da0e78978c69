//! Freshness: nobody is shown a thing as it was before something that somebody else was told of it.

use std::collections::BTreeMap;

use super::docket::{Docket, Shown, shown};
use crate::checks::{Check, Findings};
use crate::history::load::Op;

/// Whoever asks after anybody was told a version of a thing sees that version at least: clients
/// see their own changes, and reads never go back. One rule for the whole shop is stricter than
/// one for each client, and holds where one process answers.
pub(super) fn reads_are_fresh(docket: &Docket<'_>) -> Check {
    let mut findings = Findings::default();
    let mut by_ask: Vec<(&Op, Shown<'_>)> =
        docket.history.ops.iter().filter_map(|op| Some((op, shown(op)?))).collect();
    let mut by_end = by_ask.clone();
    by_ask.sort_by_key(|(op, _)| op.asked);
    by_end.sort_by_key(|(op, _)| op.ended);
    let mut ended = by_end.into_iter().peekable();
    let mut known: BTreeMap<&str, (&Op, Shown<'_>)> = BTreeMap::new();
    for (op, now) in &by_ask {
        while let Some((over, told)) = ended.next_if(|(over, _)| over.ended < op.asked) {
            let newest = known.entry(told.thing).or_insert((over, told));
            if newest.1.version < told.version {
                *newest = (over, told);
            }
        }
        let Some((over, told)) = known.get(now.thing) else { continue };
        findings.unless(told.version <= now.version, || {
            let place = told.at.map(|at| format!(" at {at}")).unwrap_or_default();
            format!(
                "{} sees version {} of {}, after version {}{place} in {}",
                op.name(),
                now.version,
                now.thing,
                told.version,
                over.name()
            )
        });
    }
    let figure = format!("{} answers with a version, of {} things", by_ask.len(), known.len());
    findings.into_check("reads_are_fresh", figure)
}
