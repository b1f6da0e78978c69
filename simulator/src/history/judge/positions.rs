//! Positions: one order of changes for each shard, and no change before it was asked for.

use std::collections::BTreeMap;

use super::docket::{Docket, Shown, shown};
use crate::checks::{Check, Findings};
use crate::history::event::{Ask, Position};
use crate::history::load::Op;

/// A change that was told with its place in the journal.
struct Change<'a> {
    op: &'a Op,
    /// Nothing can have happened to the thing in this answer before.
    born: u64,
    at: Position,
    /// What was changed, and its version then.
    thing: &'a str,
    version: u64,
}

/// No two things share a place, a version has one place and no newer one lies before it, and of
/// two changes of which one was over before the other was asked for, the first lies before the
/// second.
pub(super) fn positions_agree(docket: &Docket<'_>) -> Check {
    let mut findings = Findings::default();
    let changes = changes(docket);
    let count = changes.len();
    one_thing_per_place(&changes, &mut findings);
    let mut shards: BTreeMap<u32, Vec<&Change<'_>>> = BTreeMap::new();
    for change in &changes {
        shards.entry(change.at.shard).or_default().push(change);
    }
    let figure = format!("{count} changes with a position on {} shards", shards.len());
    for changes in shards.into_values() {
        in_real_time(changes, &mut findings);
    }
    findings.into_check("positions_agree", figure)
}

fn changes<'a>(docket: &Docket<'a>) -> Vec<Change<'a>> {
    let mutations = || docket.history.ops.iter().filter(|op| op.ask.is_mutation());
    let mut first_tries: BTreeMap<&str, u64> = BTreeMap::new();
    for op in mutations() {
        let Some(key) = op.key.as_deref() else { continue };
        first_tries.entry(key).or_insert(op.asked);
    }
    let first_try = |op: &Op| {
        let keyed = op.key.as_deref().and_then(|key| first_tries.get(key));
        keyed.copied().unwrap_or(op.asked)
    };
    let change = |op: &'a Op| {
        let Shown { thing, version, at } = shown(op)?;
        let born = if let Ask::Restock(..) = op.ask {
            first_try(op)
        } else {
            // A step that was taken already is answered with the place of an older change.
            let (first, _) = docket.orders.get(thing)?.first;
            if let Ask::Place(_) = first.ask { first_try(first) } else { 0 }
        };
        Some(Change { op, born, at: at?, thing, version })
    };
    mutations().filter_map(change).collect()
}

fn one_thing_per_place(changes: &[Change<'_>], findings: &mut Findings) {
    let mut by_place: Vec<&Change<'_>> = changes.iter().collect();
    by_place.sort_unstable_by_key(|change| (change.at, change.thing));
    for pair in by_place.windows(2) {
        let [one, two] = pair else { continue };
        findings.unless(one.at != two.at || one.thing == two.thing, || {
            format!("{} and {} both lie at {}", one.op.name(), two.op.name(), one.at)
        });
    }
    by_place.sort_unstable_by_key(|change| (change.thing, change.version, change.at));
    for pair in by_place.windows(2) {
        let [one, two] = pair else { continue };
        // An answer that waited shows what was settled then, and the place of what came since.
        let together = one.at == two.at || (one.version < two.version && one.at < two.at);
        findings.unless(one.thing != two.thing || together, || {
            format!(
                "{} has version {} at {} in {} and version {} at {} in {}",
                one.thing,
                one.version,
                one.at,
                one.op.name(),
                two.version,
                two.at,
                two.op.name()
            )
        });
    }
}

/// One sweep: changes by the moment before which they cannot have happened, against the highest
/// position that was told before it.
fn in_real_time(mut by_birth: Vec<&Change<'_>>, findings: &mut Findings) {
    let mut by_end = by_birth.clone();
    by_birth.sort_unstable_by_key(|change| change.born);
    by_end.sort_unstable_by_key(|change| change.op.ended);
    let mut ended = by_end.into_iter().peekable();
    let mut highest: Option<&Change<'_>> = None;
    for change in by_birth {
        while let Some(over) = ended.next_if(|over| over.op.ended < change.born) {
            if highest.is_none_or(|highest| highest.at < over.at) {
                highest = Some(over);
            }
        }
        if let Some(before) = highest {
            findings.unless(before.at < change.at, || {
                format!(
                    "{} was over at {} before {} was asked for, which lies at {}",
                    before.op.name(),
                    before.at,
                    change.op.name(),
                    change.at
                )
            });
        }
    }
}
