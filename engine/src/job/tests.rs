//! One rule of a job per test.

use super::*;
use crate::aggregate::{Aggregate as _, Entry};
use crate::samples::seconds;
use crate::testkit::given;

fn ran(started: i64, failed: u64) -> JobEvent {
    let tally = Tally { advanced: 3, held: 1, failed, left: 0 };
    JobEvent::Ran { started_at: seconds(started), by: "system".to_owned(), tally }
}

fn record(started: i64) -> JobCommand {
    let JobEvent::Ran { started_at, by, tally } = ran(started, 0);
    JobCommand::RecordRun { started_at, by, tally }
}

#[test]
fn what_a_run_did_is_written_down() {
    given::<Job>(&[]).at(seconds(9)).when(record(7)).then(&[ran(7, 0)]);
}

#[test]
fn a_run_cannot_end_before_it_starts() {
    given::<Job>(&[]).at(seconds(6)).when(record(7)).then_refused(JobRefusal::StartsInFuture);
}

#[test]
fn only_the_latest_runs_are_remembered() {
    let events: Vec<JobEvent> = (0..50).map(|started| ran(started, 0)).collect();
    let known = given::<Job>(&[]).at(seconds(60)).and(&events);

    let runs = &known.state().runs;
    assert_eq!(runs.len(), RUNS_KEPT);
    assert_eq!(runs.back().map(|run| run.started_at), Some(seconds(49)));
    assert_eq!(runs.front().map(|run| run.started_at), Some(seconds(30)));
}

#[test]
fn a_job_stands_in_its_list_as_its_last_run_left_it() {
    let entry =
        |events: &[JobEvent]| Job::entry(given::<Job>(&[]).at(seconds(9)).and(events).state());
    let listed = |status| Some(Entry { status, owner: None, at: seconds(9) });
    assert_eq!(entry(&[]), None);
    assert_eq!(entry(&[ran(1, 0)]), listed("fine"));
    assert_eq!(entry(&[ran(1, 0), ran(2, 1)]), listed("failing"));
    assert_eq!(entry(&[ran(1, 1), ran(2, 0)]), listed("fine"));
}

#[test]
fn an_order_that_is_still_held_is_no_news() {
    let tally = |advanced, held, failed, left| Tally { advanced, held, failed, left };
    assert!(tally(0, 0, 0, 0).is_no_news() && tally(0, 7, 0, 0).is_no_news());
    for news in [tally(1, 7, 0, 0), tally(0, 0, 1, 0), tally(0, 0, 0, 1)] {
        assert!(!news.is_no_news(), "{news:?}");
    }
}
