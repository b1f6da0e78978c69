//! The breaker's promises, once as sentences and once as properties of any history.

use proptest::prelude::*;

use super::*;

const POLICY: BreakerPolicy = BreakerPolicy {
    window: Duration::from_secs(10),
    calls_min: 20,
    failed_percent_min: 50,
    open_for: Duration::from_secs(5),
    probe_lost_after: Duration::from_secs(3),
    probes_needed: 3,
};

fn closed() -> Breaker {
    Breaker::new(POLICY, Standing::default())
}

fn at(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn calls(worked: u32, failed: u32) -> Input {
    Input::Calls { worked, failed }
}

fn ended(probe: ProbeId, worked: bool) -> Input {
    Input::ProbeEnded { probe, worked: Some(worked) }
}

fn opened_at(seconds: u64) -> Breaker {
    let mut breaker = closed();
    assert_eq!(breaker.on(calls(0, 20), at(seconds)).changed, Some(BreakerState::Open));
    breaker
}

#[test]
fn nineteen_failures_do_not_open_it_and_the_twentieth_call_does() {
    let mut breaker = closed();
    assert_eq!(breaker.on(calls(0, 19), at(1)), Effects::default());
    assert_eq!(breaker.on(calls(1, 0), at(1)).changed, Some(BreakerState::Open));
}

#[test]
fn forty_nine_percent_failed_stays_closed_and_fifty_opens() {
    let mut breaker = closed();
    assert_eq!(breaker.on(calls(51, 49), at(1)), Effects::default());
    assert_eq!(breaker.on(calls(0, 2), at(1)).changed, Some(BreakerState::Open));
}

#[test]
fn failures_older_than_the_window_are_forgotten() {
    let mut breaker = closed();
    breaker.on(calls(0, 19), at(1));
    assert_eq!(breaker.on(calls(0, 1), at(12)), Effects::default());
    assert_eq!(breaker.state(), BreakerState::Closed);
}

#[test]
fn open_refuses_until_its_time_is_up_then_grants_one_probe() {
    let mut breaker = opened_at(10);
    assert_eq!(breaker.on(Input::ProbeAsked, at(14)).granted, None);
    let first = breaker.on(Input::ProbeAsked, at(15));
    assert_eq!(first.changed, Some(BreakerState::HalfOpen));
    assert!(first.granted.is_some());
    assert_eq!(breaker.on(Input::ProbeAsked, at(15)).granted, None);
}

#[test]
fn three_good_probes_close_it_and_the_outage_is_measured_from_its_beginning() {
    let mut breaker = opened_at(10);
    let probe = breaker.on(Input::ProbeAsked, at(15)).granted.unwrap();
    assert_eq!(breaker.on(ended(probe, false), at(16)).changed, Some(BreakerState::Open));
    let mut last = Effects::default();
    for _ in 0..3 {
        let probe = breaker.on(Input::ProbeAsked, at(22)).granted.unwrap();
        last = breaker.on(ended(probe, true), at(22));
    }
    assert_eq!(last.changed, Some(BreakerState::Closed));
    assert_eq!(last.recovered_after, Some(at(12)));
    let recoveries = breaker.standing().recoveries;
    assert_eq!((recoveries.count, recoveries.last, recoveries.mean()), (1, at(12), at(12)));
    assert_eq!(breaker.on(calls(1, 1), at(22)), Effects::default(), "the count starts afresh");
}

#[test]
fn lost_probe_makes_room_for_the_next_and_its_late_report_is_ignored() {
    let mut breaker = opened_at(10);
    let lost = breaker.on(Input::ProbeAsked, at(15)).granted.unwrap();
    assert_eq!(breaker.on(Input::ProbeAsked, at(17)).granted, None);
    let next = breaker.on(Input::ProbeAsked, at(18)).granted.unwrap();
    assert_eq!(breaker.on(ended(lost, false), at(19)), Effects::default());
    assert_eq!(breaker.on(ended(next, false), at(19)).changed, Some(BreakerState::Open));
}

#[test]
fn abandoned_probe_frees_its_place_and_counts_neither_way() {
    let mut breaker = opened_at(10);
    let probe = breaker.on(Input::ProbeAsked, at(15)).granted.unwrap();
    let abandoned = Input::ProbeEnded { probe, worked: None };
    assert_eq!(breaker.on(abandoned, at(15)), Effects::default());
    assert!(breaker.on(Input::ProbeAsked, at(15)).granted.is_some());
}

#[test]
fn late_ends_of_calls_change_nothing_while_it_is_open() {
    let mut breaker = opened_at(10);
    let before = breaker.standing();
    breaker.on(calls(500, 500), at(11));
    assert_eq!(breaker.standing(), before);
}

#[test]
fn next_incarnation_goes_on_where_the_last_one_ended() {
    let breaker = opened_at(10);
    let mut next = Breaker::new(POLICY, breaker.standing());
    assert_eq!(next.state(), BreakerState::Open);
    assert_eq!(next.on(Input::ProbeAsked, at(14)).granted, None);
    assert!(next.on(Input::ProbeAsked, at(15)).granted.is_some());
}

#[derive(Clone, Debug)]
enum Step {
    Wait(u64),
    Calls(u32, u32),
    Ask,
    End { newest: bool, worked: Option<bool> },
    Tick,
    Restart,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (0_u64..4_000).prop_map(Step::Wait),
        4 => (0_u32..30, 0_u32..30).prop_map(|(worked, failed)| Step::Calls(worked, failed)),
        6 => Just(Step::Ask),
        4 => (any::<bool>(), any::<Option<bool>>())
            .prop_map(|(newest, worked)| Step::End { newest, worked }),
        1 => Just(Step::Tick),
        1 => Just(Step::Restart),
    ];
    prop::collection::vec(step, 0..200)
}

proptest! {
    #[test]
    fn one_probe_at_a_time_none_while_open_and_it_closes_once_the_provider_heals(steps in steps()) {
        let mut breaker = closed();
        let mut now = Duration::ZERO;
        // Probes that were granted, with the time of the grant, and that nobody has ended.
        let mut under_way: Vec<(ProbeId, Duration)> = Vec::new();
        for step in steps {
            let (before, standing) = (breaker.state(), breaker.standing());
            match step {
                Step::Wait(millis) => now += Duration::from_millis(millis),
                Step::Calls(worked, failed) => {
                    let effects = breaker.on(calls(worked, failed), now);
                    if effects.changed == Some(BreakerState::Open) {
                        prop_assert_eq!(before, BreakerState::Closed);
                        prop_assert!(0 < failed || 0 < worked);
                    }
                }
                Step::Ask => {
                    if let Some(probe) = breaker.on(Input::ProbeAsked, now).granted {
                        let probe_at = standing.outage.map(|outage| outage.probe_at);
                        prop_assert!(probe_at.is_some_and(|probe_at| probe_at <= now));
                        under_way.retain(|(_, since)| now < *since + POLICY.probe_lost_after);
                        prop_assert!(under_way.is_empty(), "two probes at once");
                        under_way.push((probe, now));
                    }
                }
                Step::End { newest, worked } => {
                    let probe = if newest { under_way.pop() } else { under_way.first().copied() };
                    if let Some((probe, _)) = probe {
                        under_way.retain(|(other, _)| *other != probe);
                        breaker.on(Input::ProbeEnded { probe, worked }, now);
                    }
                }
                Step::Tick => { breaker.on(Input::Tick, now); }
                Step::Restart => breaker = Breaker::new(POLICY, standing),
            }
        }
        // The provider is well from here on: a lost probe, the open time and the probes are enough.
        now += POLICY.probe_lost_after.max(POLICY.open_for);
        for _ in 0..POLICY.probes_needed {
            if let Some(probe) = breaker.on(Input::ProbeAsked, now).granted {
                breaker.on(ended(probe, true), now);
            }
        }
        prop_assert_eq!(breaker.state(), BreakerState::Closed);
    }
}
