//! The writer's logic, input by input.

use std::sync::{Arc, Mutex};

use engine::values::Moment;
use persistence::journal::{
    AppendError, Batch, Chain, GENESIS, Holding, NewEvent, Shard, StreamId, Tenure,
};

use super::effect::{Notify, Submission, WriterEffect, WriterInput};
use super::logic::WriterLogic;
use crate::outcome::Position;

const SHARDS: u16 = 4;

#[derive(Default)]
struct Heard(Mutex<Vec<String>>);

impl Notify for Heard {
    fn written(&self, version: u64, position: Position) {
        let place = format!("written {version} at {}:{}", position.shard, position.position);
        self.0.lock().unwrap().push(place);
    }

    fn settled(&self) {
        self.0.lock().unwrap().push("settled".into());
    }

    fn failed(&self, unknown: bool) {
        self.0.lock().unwrap().push(if unknown { "unknown" } else { "nothing happened" }.into());
    }
}

fn tenure(epoch: u64, next_position: u64) -> Tenure {
    let holding =
        |shard| Holding { shard: Shard(shard), next_position, last_hash: GENESIS, last_at: None };
    Tenure { epoch, holdings: (0..SHARDS).map(holding).collect() }
}

fn logic() -> WriterLogic {
    WriterLogic::new(tenure(7, 1), SHARDS, 4)
}

fn submission(
    key: &str,
    versions: std::ops::RangeInclusive<u64>,
    heard: &Arc<Heard>,
) -> Submission {
    let event = |version| NewEvent {
        stream: StreamId::new("cart", key),
        version,
        name: "cart.cleared",
        schema: 1,
        at: Moment::default(),
        meta: String::new(),
        payload: "{}".to_owned(),
    };
    let notify = Arc::clone(heard) as Arc<dyn Notify>;
    let publish = Box::new(|_, _| {});
    Submission { generation: 1, events: versions.map(event).collect(), publish, notify }
}

/// Tells submitters what the effects say, and answers with the batch to append, if any.
fn carry_out(effects: Vec<WriterEffect>) -> Option<Arc<Batch>> {
    let mut append = None;
    for effect in effects {
        match effect {
            WriterEffect::Append(batch) => append = Some(batch),
            WriterEffect::Publish(publish, version, position) => publish(version, position),
            WriterEffect::Written(notify, version, position) => notify.written(version, position),
            WriterEffect::Failed(notify, unknown) => notify.failed(unknown),
            WriterEffect::Settled(notify) => notify.settled(),
            WriterEffect::Resolve(_)
            | WriterEffect::Abandon { .. }
            | WriterEffect::Reacquire
            | WriterEffect::Stop => {}
        }
    }
    append
}

fn heard(heard: &Heard) -> Vec<String> {
    std::mem::take(&mut heard.0.lock().unwrap())
}

#[test]
fn one_commit_is_in_flight_and_the_rest_gathers_into_the_next() {
    let (mut writer, a) = (logic(), Arc::<Heard>::default());

    let first = carry_out(writer.on(WriterInput::Submit(submission("a", 1..=1, &a)))).unwrap();
    assert!(carry_out(writer.on(WriterInput::Submit(submission("a", 2..=2, &a)))).is_none());
    assert!(carry_out(writer.on(WriterInput::Submit(submission("a", 3..=3, &a)))).is_none());
    assert_eq!(first.records.len(), 1);
    assert!(heard(&a).is_empty(), "nobody is told before it is durable");

    let second = carry_out(writer.on(WriterInput::Appended(Ok(())))).unwrap();

    assert_eq!(second.records.len(), 2);
    assert_eq!(heard(&a).len(), 1);
}

#[test]
fn positions_are_contiguous_per_shard_and_the_chain_holds_across_batches() {
    let (mut writer, a) = (logic(), Arc::<Heard>::default());
    let mut chain = Chain::after(GENESIS);
    let mut next = 1;
    for version in 1..=6 {
        let effects = writer.on(WriterInput::Submit(submission("a", version..=version, &a)));
        let batch = carry_out(effects).unwrap();
        for record in &batch.records {
            assert_eq!(record.position, next);
            chain.follow(&record.as_stored()).unwrap();
            next += 1;
        }
        assert!(carry_out(writer.on(WriterInput::Appended(Ok(())))).is_none());
    }
}

#[test]
fn a_batch_is_bounded_but_never_tears_a_decision_apart() {
    let (mut writer, a) = (logic(), Arc::<Heard>::default());
    carry_out(writer.on(WriterInput::Submit(submission("a", 1..=1, &a))));
    carry_out(writer.on(WriterInput::Submit(submission("b", 1..=3, &a))));
    carry_out(writer.on(WriterInput::Submit(submission("c", 1..=3, &a))));

    let second = carry_out(writer.on(WriterInput::Appended(Ok(())))).unwrap();
    assert_eq!(second.records.len(), 3);
    let third = carry_out(writer.on(WriterInput::Appended(Ok(())))).unwrap();
    assert_eq!(third.records.len(), 3);
}

#[test]
fn who_submits_twice_within_a_batch_hears_of_both_at_once() {
    let (mut writer, a, b) = (logic(), Arc::<Heard>::default(), Arc::<Heard>::default());
    carry_out(writer.on(WriterInput::Submit(submission("a", 1..=1, &a))));
    carry_out(writer.on(WriterInput::Appended(Ok(()))));
    carry_out(writer.on(WriterInput::Submit(submission("b", 1..=1, &b))));
    assert_eq!(heard(&a).len(), 1);

    carry_out(writer.on(WriterInput::Submit(submission("a", 2..=2, &a))));
    carry_out(writer.on(WriterInput::Submit(submission("b", 2..=2, &b))));
    carry_out(writer.on(WriterInput::Submit(submission("a", 3..=3, &a))));
    carry_out(writer.on(WriterInput::Appended(Ok(()))));
    assert_eq!(heard(&b).len(), 1);

    let effects = writer.on(WriterInput::Appended(Ok(())));
    let published = |effect: &&WriterEffect| matches!(effect, WriterEffect::Publish(_, 3, _));
    assert_eq!(effects.iter().filter(published).count(), 1, "readers see the later view only");
    carry_out(effects);
    let told = heard(&a);
    assert!(told.len() == 1 && told[0].starts_with("written 3 at"), "{told:?}");
    assert_eq!(heard(&b).len(), 1);
}

#[test]
fn an_unknown_outcome_that_landed_is_told_as_written_once_it_was_looked_up() {
    let (mut writer, a) = (logic(), Arc::<Heard>::default());
    carry_out(writer.on(WriterInput::Submit(submission("a", 1..=1, &a))));
    let unknown = AppendError::Unknown("cut".into());
    let effects = writer.on(WriterInput::Appended(Err(unknown)));
    assert!(matches!(effects.as_slice(), [WriterEffect::Resolve(_)]));
    carry_out(writer.on(WriterInput::Submit(submission("b", 1..=1, &a))));
    assert!(heard(&a).is_empty(), "while it is unknown nobody is answered");

    let next = carry_out(writer.on(WriterInput::Resolved { tenure: tenure(8, 2), present: true }));

    assert_eq!(next.unwrap().epoch, 8);
    assert_eq!(heard(&a).len(), 1);
}

#[test]
fn an_unknown_outcome_that_was_lost_is_retried_under_the_same_ids() {
    let (mut writer, a) = (logic(), Arc::<Heard>::default());
    let first = carry_out(writer.on(WriterInput::Submit(submission("a", 1..=2, &a)))).unwrap();
    writer.on(WriterInput::Appended(Err(AppendError::Unknown("cut".into()))));

    let effects = writer.on(WriterInput::Resolved { tenure: tenure(8, 1), present: false });
    let again = carry_out(effects).unwrap();

    let ids = |batch: &Batch| batch.records.iter().map(|r| r.event_id).collect::<Vec<_>>();
    assert_eq!(ids(&again), ids(&first));
    assert_eq!(again.epoch, 8);
    let mut chain = Chain::after(GENESIS);
    for record in &again.records {
        assert_eq!(record.epoch, 8);
        chain.follow(&record.as_stored()).unwrap();
    }
    carry_out(writer.on(WriterInput::Appended(Ok(()))));
    assert_eq!(heard(&a).len(), 1);
}

#[test]
fn an_unavailable_journal_ends_the_generation_and_nothing_happened() {
    let (mut writer, a) = (logic(), Arc::<Heard>::default());
    carry_out(writer.on(WriterInput::Submit(submission("a", 1..=1, &a))));
    carry_out(writer.on(WriterInput::Submit(submission("a", 2..=2, &a))));

    carry_out(writer.on(WriterInput::Appended(Err(AppendError::Unavailable("down".into())))));
    assert_eq!(heard(&a), ["nothing happened", "nothing happened"]);
    assert_eq!(writer.generation(), 2);

    // An incarnation that was loaded before may be ahead of the journal: its events are refused.
    carry_out(writer.on(WriterInput::Submit(submission("a", 2..=2, &a))));
    assert_eq!(heard(&a), ["nothing happened"]);
}

#[test]
fn an_unresolved_outcome_is_unknown_for_the_flight_and_nothing_for_the_rest() {
    let (mut writer, a, b) = (logic(), Arc::<Heard>::default(), Arc::<Heard>::default());
    carry_out(writer.on(WriterInput::Submit(submission("a", 1..=1, &a))));
    carry_out(writer.on(WriterInput::Submit(submission("b", 1..=1, &b))));
    writer.on(WriterInput::Appended(Err(AppendError::Unknown("cut".into()))));

    carry_out(writer.on(WriterInput::Unresolved));

    assert_eq!(heard(&a), ["unknown"]);
    assert_eq!(heard(&b), ["nothing happened"]);
    assert!(!writer.is_serving(), "nothing is taken until the journal is ours again");
    writer.on(WriterInput::Reacquired(tenure(9, 2)));
    assert!(writer.is_serving());
}

#[test]
fn a_fenced_writer_stops_for_good() {
    let (mut writer, a) = (logic(), Arc::<Heard>::default());
    carry_out(writer.on(WriterInput::Submit(submission("a", 1..=1, &a))));

    let effects = writer.on(WriterInput::Appended(Err(AppendError::Fenced)));
    assert!(effects.iter().any(|effect| matches!(effect, WriterEffect::Stop)));
    carry_out(effects);

    let mut late = submission("b", 1..=1, &a);
    late.generation = writer.generation();
    carry_out(writer.on(WriterInput::Submit(late)));
    assert_eq!(heard(&a), ["nothing happened", "nothing happened"]);
}

fn barrier(heard: &Arc<Heard>) -> Submission {
    Submission { events: Vec::new(), ..submission("a", 1..=1, heard) }
}

#[test]
fn a_barrier_waits_for_everything_before_it_and_for_nothing_else() {
    let (mut writer, a, b) = (logic(), Arc::<Heard>::default(), Arc::<Heard>::default());
    carry_out(writer.on(WriterInput::Submit(barrier(&b))));
    assert_eq!(heard(&b), ["settled"], "nothing is under way");

    carry_out(writer.on(WriterInput::Submit(submission("a", 1..=1, &a))));
    carry_out(writer.on(WriterInput::Submit(submission("a", 2..=2, &a))));
    carry_out(writer.on(WriterInput::Submit(barrier(&b))));
    carry_out(writer.on(WriterInput::Appended(Ok(()))));
    assert!(heard(&b).is_empty(), "the second event is in flight");

    carry_out(writer.on(WriterInput::Appended(Ok(()))));
    assert_eq!(heard(&b), ["settled"]);
}

#[test]
fn a_barrier_before_a_batch_that_is_given_up_is_settled_too() {
    let (mut writer, a, b) = (logic(), Arc::<Heard>::default(), Arc::<Heard>::default());
    carry_out(writer.on(WriterInput::Submit(submission("a", 1..=1, &a))));
    carry_out(writer.on(WriterInput::Submit(barrier(&b))));
    let error = AppendError::Unavailable("drill".into());
    carry_out(writer.on(WriterInput::Appended(Err(error))));
    assert_eq!(heard(&b), ["nothing happened"]);
}

#[test]
fn a_version_that_somebody_has_written_stops_the_writer() {
    let (mut writer, a, b) = (logic(), Arc::<Heard>::default(), Arc::<Heard>::default());
    carry_out(writer.on(WriterInput::Submit(submission("a", 1..=2, &a))));

    let effects = writer.on(WriterInput::Submit(submission("a", 2..=2, &b)));

    assert!(effects.iter().any(|effect| matches!(effect, WriterEffect::Stop)));
    carry_out(effects);
    assert_eq!(heard(&a), ["unknown"], "its batch may land");
    assert_eq!(heard(&b), ["nothing happened"]);
    assert!(writer.on(WriterInput::Appended(Ok(()))).is_empty(), "nobody is told anything more");
    assert!(!writer.is_serving());
}

#[test]
fn who_was_taken_over_while_looking_stops_and_says_that_it_does_not_know() {
    let (mut writer, a) = (logic(), Arc::<Heard>::default());
    carry_out(writer.on(WriterInput::Submit(submission("a", 1..=1, &a))));
    writer.on(WriterInput::Appended(Err(AppendError::Unknown("drill".into()))));

    let effects = writer.on(WriterInput::TakenOver);

    assert!(effects.iter().any(|effect| matches!(effect, WriterEffect::Stop)));
    carry_out(effects);
    assert_eq!(heard(&a), ["unknown"]);
    assert!(!writer.is_serving());
}
