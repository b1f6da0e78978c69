//! What a feed does, rule by rule; its rows are judged in `rows`, hostile ones in `hostile`.

mod hostile;
mod rows;

use super::{
    ERRORS_KEPT_MAX, FeedFormat, Import, ImportCommand, ImportEvent, ImportRefusal, ImportState,
    ImportStatus, NewFeed, ROWS_MAX, RowError, RowFault, RowField, Tally,
};
use crate::aggregate::Aggregate as _;
use crate::samples::{import, partner};
use crate::testkit::given;
use crate::values::{Fingerprint, Moment};

fn new(rows: u32, refused: u32) -> NewFeed {
    NewFeed {
        id: import(1),
        partner: partner("acme"),
        format: FeedFormat("csv".into()),
        digest: Fingerprint::from_bytes([7; 16]),
        bytes: 1_234,
        rows,
        refused,
        errors: errors(refused),
        errors_total: refused.into(),
    }
}

fn errors(count: u32) -> Vec<RowError> {
    (1..=u64::from(count))
        .map(|line| RowError { line, field: RowField::Price, code: RowFault::NotANumber })
        .collect()
}

fn start(rows: u32, refused: u32) -> ImportCommand {
    ImportCommand::Start(Box::new(new(rows, refused)))
}

fn started(rows: u32, refused: u32) -> ImportEvent {
    let NewFeed { id, partner, format, digest, bytes, errors_total, .. } = new(rows, refused);
    ImportEvent::Started { import: id, partner, format, digest, bytes, rows, refused, errors_total }
}

fn tally(created: u32, updated: u32, unchanged: u32, refused: u32) -> Tally {
    Tally { created, updated, unchanged, refused }
}

fn advance(after: u32, upto: u32, tally: Tally) -> ImportCommand {
    let errors = errors(tally.refused);
    ImportCommand::Advance { after, upto, tally, errors }
}

fn advanced(after: u32, upto: u32, tally: Tally) -> ImportEvent {
    ImportEvent::Advanced { after, upto, tally, errors_more: tally.refused.into() }
}

#[test]
fn a_feed_is_begun_once_and_goes_on_with_the_same_content() {
    given::<Import>(&[]).when(start(3, 0)).then(&[started(3, 0)]);
    given::<Import>(&[started(3, 0)]).when(start(3, 0)).then(&[]);
}

#[test]
fn a_feed_does_not_go_on_with_other_content() {
    let others = [
        NewFeed { digest: Fingerprint::from_bytes([8; 16]), ..new(3, 0) },
        NewFeed { bytes: 1, ..new(3, 0) },
        NewFeed { partner: partner("other"), ..new(3, 0) },
        NewFeed { format: FeedFormat("xml".into()), ..new(3, 0) },
    ];
    for other in others {
        given::<Import>(&[started(3, 0)])
            .when(ImportCommand::Start(Box::new(other)))
            .then_refused(ImportRefusal::OtherContent);
    }
}

#[test]
fn a_feed_without_rows_is_finished_at_once() {
    given::<Import>(&[]).when(start(0, 0)).then(&[started(0, 0), ImportEvent::Finished]);
}

#[test]
fn a_feed_has_no_more_rows_than_are_allowed_and_refuses_no_more_than_it_has() {
    for (rows, refused) in [(ROWS_MAX.saturating_add(1), 0), (1, 2)] {
        given::<Import>(&[]).when(start(rows, refused)).then_refused(ImportRefusal::Miscounted);
    }
}

#[test]
fn rows_are_taken_in_their_order_and_the_last_one_finishes() {
    given::<Import>(&[started(3, 0)]).when(advance(0, 2, tally(1, 1, 0, 0))).then(&[advanced(
        0,
        2,
        tally(1, 1, 0, 0),
    )]);
    let begun = [started(3, 0), advanced(0, 2, tally(1, 1, 0, 0))];
    given::<Import>(&begun)
        .when(advance(2, 3, tally(0, 0, 1, 0)))
        .then(&[advanced(2, 3, tally(0, 0, 1, 0)), ImportEvent::Finished]);
}

#[test]
fn noting_the_same_rows_again_changes_nothing() {
    let begun = [started(3, 0), advanced(0, 2, tally(2, 0, 0, 0))];
    given::<Import>(&begun).when(advance(0, 2, tally(0, 0, 2, 0))).then(&[]);
    given::<Import>(&begun).when(advance(0, 1, tally(0, 0, 1, 0))).then(&[]);
}

#[test]
fn rows_are_neither_skipped_nor_taken_twice() {
    let begun = || given::<Import>(&[started(9, 0), advanced(0, 2, tally(2, 0, 0, 0))]);
    for (after, upto) in [(3, 4), (1, 4), (0, 3)] {
        let out_of_step = ImportRefusal::OutOfStep { done: 2 };
        begun().when(advance(after, upto, tally(0, 0, 1, 0))).then_refused(out_of_step);
    }
    given::<Import>(&[])
        .when(advance(0, 1, tally(1, 0, 0, 0)))
        .then_refused(ImportRefusal::Unknown);
}

#[test]
fn the_counts_of_a_feed_add_up() {
    for (upto, counts) in [
        // More than were looked at.
        (2, tally(3, 0, 0, 0)),
        // Past the end.
        (4, tally(4, 0, 0, 0)),
        // At the end one row is missing; another one can never be taken.
        (3, tally(1, 0, 0, 0)),
        (3, tally(3, 0, 0, 0)),
    ] {
        given::<Import>(&[started(3, 1)])
            .when(advance(0, upto, counts))
            .then_refused(ImportRefusal::Miscounted);
    }
    given::<Import>(&[started(3, 1)])
        .when(advance(0, 3, tally(2, 0, 0, 0)))
        .then(&[advanced(0, 3, tally(2, 0, 0, 0)), ImportEvent::Finished]);
}

/// The state after commands that are all taken.
fn after(commands: &[ImportCommand]) -> ImportState {
    let mut state = ImportState::default();
    for command in commands {
        for event in Import::decide(&state, command, Moment::default()).unwrap() {
            Import::evolve(&mut state, &event, Moment::default());
        }
    }
    state
}

#[test]
fn the_first_reasons_are_kept_and_all_are_counted() {
    let many = u32::try_from(ERRORS_KEPT_MAX).unwrap() - 10;
    let state = after(&[
        start(many + 50, many),
        advance(0, many + 20, tally(0, 0, 0, 20)),
        advance(many + 20, many + 50, tally(0, 0, 0, 30)),
    ]);
    let feed = state.0.unwrap();
    assert_eq!(feed.errors.len(), ERRORS_KEPT_MAX);
    assert_eq!((feed.errors_total, feed.tally.refused), (u64::from(many) + 50, many + 50));
    assert_eq!(feed.status, ImportStatus::Finished);
}

#[test]
fn a_feed_tells_how_far_it_is() {
    let state = after(&[start(3, 1), advance(0, 2, tally(1, 0, 0, 0))]);
    let feed = state.0.unwrap();
    assert_eq!((feed.done, feed.rows, feed.status), (2, 3, ImportStatus::Running));
    assert_eq!(feed.tally, tally(1, 0, 0, 1));
    assert_eq!(feed.errors, errors(1));
}

#[test]
#[should_panic(expected = "IMPORT-1 violated")]
fn a_history_that_takes_rows_twice_stops_the_feed() {
    let rows = || advanced(0, 2, tally(2, 0, 0, 0));
    given::<Import>(&[started(9, 0), rows(), rows()]);
}

#[test]
#[should_panic(expected = "IMPORT-1 violated")]
fn a_history_that_ends_early_stops_the_feed() {
    given::<Import>(&[started(9, 0), ImportEvent::Finished]);
}

#[test]
fn what_happens_before_the_start_is_kept_as_nothing() {
    let state = given::<Import>(&[ImportEvent::RowsRefused { errors: errors(1) }]);
    assert_eq!(*state.state(), ImportState::default());
}
