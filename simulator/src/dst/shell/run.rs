//! One seed through real engines, from beginning to end.

use std::sync::Arc;
use std::time::Duration;

use engine::values::Moment;
use tokio::task::yield_now;

use super::super::books::Violation;
use super::super::calls::{self, CallEvent};
use super::super::case::Case;
use super::super::clients;
use super::super::diary::{Diary, Run};
use super::super::outside::{Event, Outside};
use super::super::panics;
use super::super::plan::What;
use super::super::planting::Planted;
use super::super::world::{self, lost_with_its_process};
use super::super::writing;
use super::engines::{self, Kept};
use super::ground::{Ground, Inside};
use super::rest::Rest;
use super::shelf::Shelf;
use super::{asking, rest};

/// How often a world that has nothing on its agenda is looked at.
const LOOK: u64 = 1_000_000;

/// Longest time from the last event to rest, nights not counted.
const REST_WITHIN: u64 = 2 * 3_600_000_000;

/// A time without anything to do that is longer is a night.
const NIGHT: Duration = Duration::from_mins(1);

/// Of a thousand crashes, those in which the processes are told before.
const GENTLY: u64 = 250;

/// Turns that engines may have between two events of one moment.
const TURNS_MAX: u64 = 8;

/// Runs a case. The last `tells` steps are kept for people.
pub(in crate::dst) fn run(case: &Case, tells: usize) -> Run {
    // On a thread of its own: its caller may be in a runtime already, and panics are counted by thread.
    // So are planted bugs.
    let planted = Planted::here();
    let runs = || {
        planted.plant();
        panics::caught(|| alone(case, tells))
    };
    let ran = std::thread::scope(|scope| scope.spawn(runs).join());
    ran.unwrap_or_else(|_| Err("the world panicked".to_owned())).unwrap_or_else(|said| {
        let mut outside = world::outside(case);
        outside.judge(Err(Violation::new("assertion", said)));
        Diary::new(tells).close(&mut outside)
    })
}

fn alone(case: &Case, tells: usize) -> Run {
    let mut outside = world::outside(case);
    let mut builder = tokio::runtime::Builder::new_current_thread();
    match builder.enable_time().start_paused(true).build() {
        Ok(runtime) => runtime.block_on(live(outside, Diary::new(tells))),
        Err(error) => {
            outside.judge(Err(Violation::new("none", format!("no runtime: {error}"))));
            Diary::new(tells).close(&mut outside)
        }
    }
}

async fn live(outside: Outside, diary: Diary) -> Run {
    let ground = Ground::of(outside, diary);
    let kept = Kept { views: Arc::default(), shelf: Shelf::of(&ground) };
    go_on(&ground, &kept).await;
    if !is_broken(&ground) {
        rest::judge(&ground).await;
    }
    ground.with(|Inside { outside, diary, .. }| {
        if let Some(panic) = panics::first() {
            outside.judge(Err(Violation::new("assertion", panic)));
        }
        let mut diary = std::mem::replace(diary, Diary::new(0));
        for shard in 0..outside.options.shards {
            let last = outside.store.shard(shard).ok().and_then(|mut records| records.pop());
            diary.seal(last.map(|record| record.hash));
        }
        diary.close(outside)
    })
}

fn is_broken(ground: &Ground) -> bool {
    ground.with(|inside| inside.outside.violation.is_some())
}

/// What is to be done next.
enum Next {
    /// This happens.
    Step(Event),
    /// Something is due then.
    At(u64),
    /// Nothing is on the agenda since then.
    Nothing { since: u64, now: u64 },
}

/// Until the world is at rest, or a promise is broken.
async fn go_on(ground: &Arc<Ground>, kept: &Kept) {
    let mut last = 0;
    while !is_broken(ground) {
        see_off(ground);
        match next(ground, last) {
            Next::Step(event) => {
                last = step(event, ground, kept);
                for _ in 0..ground.with(|inside| inside.outside.luck.below(TURNS_MAX)) {
                    yield_now().await;
                }
            }
            Next::At(at) => ground.wait_until(at).await,
            Next::Nothing { since, now } => match rest::look(ground, kept) {
                Rest::Reached => return,
                Rest::Sleeping(due) if NIGHT <= outlook(due, ground) => {
                    sleep_through(due, ground);
                    last = now;
                }
                Rest::Open(open) if since.saturating_add(REST_WITHIN) < now => {
                    let restless = Err(Violation::new("R20", format!("no rest: {open}")));
                    ground.with(|inside| inside.outside.judge(restless));
                }
                Rest::Sleeping(_) | Rest::Open(_) => {
                    ground.wait_until(now.saturating_add(LOOK)).await;
                }
            },
        }
    }
}

/// How long it is to a moment.
fn outlook(due: Moment, ground: &Ground) -> Duration {
    ground.with(|inside| due.saturating_since(inside.outside.wall()))
}

/// The process is taken away, and another one started when it is time: nobody sits through a night.
fn sleep_through(due: Moment, ground: &Ground) {
    let gone = outlook(due, ground);
    let alive = ground.with(|inside| inside.alive.clone());
    for process in alive {
        engines::kill(process, ground);
    }
    ground.with(|Inside { outside, .. }| {
        let passed = i64::try_from(gone.as_micros()).unwrap_or(i64::MAX);
        outside.clock_off = outside.clock_off.saturating_add(passed);
        outside.agenda.after(1, Event::Start);
    });
}

fn next(ground: &Ground, last: u64) -> Next {
    ground.with(|Inside { outside, diary, .. }| {
        let now = outside.now();
        match outside.agenda.due() {
            Some(at) if now < at => Next::At(at),
            Some(_) => match outside.agenda.next() {
                Some(event) => {
                    diary.note(&event, outside);
                    Next::Step(event)
                }
                None => Next::At(now),
            },
            None => Next::Nothing { since: last, now },
        }
    })
}

/// Who has lost the journal is to end, as the server does.
fn see_off(ground: &Ground) {
    ground.with(|Inside { outside, engines, .. }| {
        for engine in engines.iter_mut().filter(|engine| engine.system.is_fenced()) {
            if !std::mem::replace(&mut engine.is_leaving, true) {
                outside.agenda.within(50_000, Event::Exit { process: engine.process });
            }
        }
    });
}

/// One thing happens; when.
fn step(event: Event, ground: &Arc<Ground>, kept: &Kept) -> u64 {
    match event {
        Event::Act(index) => act(index, ground, kept),
        Event::Start => engines::start(ground, kept, false),
        Event::Heal => heal(ground),
        Event::Exit { process } => engines::exit(process, ground),
        Event::Request { attempt } => asking::request(attempt, ground),
        event => ground.with(|inside| happen(event, inside)),
    }
    ground.with(|inside| inside.outside.now())
}

fn act(index: usize, ground: &Arc<Ground>, kept: &Kept) {
    let Some(what) = ground.with(|inside| Some(inside.outside.plan.get(index)?.what.clone()))
    else {
        return;
    };
    match what {
        What::Crash { down_for } => crash(down_for, ground),
        What::TakeOver => engines::start(ground, kept, true),
        what => ground.with(|inside| world::befall(&what, index, &mut inside.outside)),
    }
}

/// Every process dies, or is taken down by somebody who has time.
fn crash(down_for: u64, ground: &Arc<Ground>) {
    let (alive, gently) =
        ground.with(|inside| (inside.alive.clone(), inside.outside.luck.permille(GENTLY)));
    for process in alive {
        if gently {
            engines::take_down(process, ground);
        } else {
            engines::kill(process, ground);
        }
    }
    ground.with(|inside| inside.outside.agenda.after(down_for, Event::Start));
}

/// From here on nothing goes wrong, and only the newest process goes on.
fn heal(ground: &Ground) {
    let mut alive = ground.with(|inside| {
        inside.outside.heal();
        inside.alive.clone()
    });
    alive.pop_last();
    for process in alive {
        engines::kill(process, ground);
    }
    ground.with(|inside| inside.outside.agenda.after(1, Event::Start));
}

/// What needs no engine.
fn happen(event: Event, inside: &mut Inside) {
    let Inside { outside, alive, flights, calls, .. } = inside;
    match event {
        Event::Land { process, .. }
            if !alive.contains(&process) && lost_with_its_process(outside) => {}
        Event::Land { process, flight, batch, reports } => {
            writing::land(process, flight, &batch, reports, outside);
        }
        // Whoever was to hear it may have died.
        Event::Appended { process, flight, outcome } => {
            flights.remove(&(process, flight)).map(|tells| tells.send(outcome));
        }
        Event::Call(CallEvent::Ends { process, call, said, .. }) => {
            calls.remove(&(process, call)).map(|tells| tells.send(said));
        }
        Event::Call(CallEvent::Arrives { process, call, attempt, of, answers }) => {
            calls::arrives(process, call, attempt, of, answers, outside);
        }
        Event::Project => outside.rows.catch_up(),
        Event::Heard { attempt, outcome } => clients::heard(attempt, &outcome, outside),
        // `step` does the first five, engines the others by themselves. Were one lost here, what hangs
        // on it would never be judged.
        Event::Act(_)
        | Event::Start
        | Event::Heal
        | Event::Exit { .. }
        | Event::Request { .. }
        | Event::Turn { .. }
        | Event::Loaded { .. }
        | Event::Pursue { .. }
        | Event::Write { .. }
        | Event::Resolve { .. }
        | Event::Reacquire { .. }
        | Event::Keep(_)
        | Event::Tick { .. }
        | Event::Evict { .. }
        | Event::Call(CallEvent::Again { .. })
        | Event::GiveUp { .. } => {
            let lost = format!("nobody does what is on the agenda: {}", event.name());
            outside.judge(Err(Violation::new("assertion", lost)));
        }
    }
}
