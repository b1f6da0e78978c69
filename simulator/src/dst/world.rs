//! One seed from beginning to end: a world in which things go wrong, then heals, and must come to
//! rest with every promise kept.

use actors::outcome::NotAccepted;

use super::books::{self, Violation};
use super::calls::{self, CallEvent};
use super::case::Case;
use super::chance::{Chance, Purpose};
use super::clients::{self, Outcome, Request};
use super::diary::{Diary, Run};
use super::outside::{Event, Outside};
use super::panics;
use super::plan::What;
use super::process::Process;
use super::sights::Sight;
use super::writing;

/// When the plan begins: by then the shop is open.
const OPENING: u64 = 3_000_000;

/// More steps than any world needs that comes to rest.
const STEPS_MAX: u64 = 400_000;

/// The world of a seed.
struct World {
    outside: Outside,
    processes: Vec<Process>,
    started: u32,
    diary: Diary,
}

/// Runs a case. The last `tells` steps are kept for people.
pub(super) fn run(case: &Case, tells: usize) -> Run {
    let mut world = World::new(case, tells);
    if let Err(said) = panics::caught(|| world.run()) {
        world.outside.judge(Err(Violation::new("assertion", said)));
    }
    world.diary.close(&mut world.outside)
}

/// What is around the processes before the first one starts.
pub(super) fn outside(case: &Case) -> Outside {
    let Case { seed, options, mut plan } = case.clone();
    for act in &mut plan {
        act.at = act.at.saturating_add(OPENING);
    }
    let last = plan.last().map_or(OPENING, |act| act.at);
    let mut outside = Outside::new(seed, options, plan);
    outside.agenda.at(0, Event::Start);
    let calm_after = Chance::of(seed, Purpose::Options).below(60_000_000);
    outside.agenda.at(last.saturating_add(calm_after), Event::Heal);
    open(&mut outside);
    outside
}

/// The shop gets its wares before anybody comes.
fn open(outside: &mut Outside) {
    let (products, carts) = (outside.options.products, outside.options.carts);
    let (stock, limit) = (outside.options.stock, outside.options.limit);
    for product in 0..products {
        clients::send(Request::Publish { product }, 1_000, outside);
        let adjustment = uuid::Uuid::from_u128((1 << 91) + product as u128);
        let delta = i64::from(stock);
        clients::send(Request::Adjust { product, delta, adjustment }, 1_000, outside);
        if let Some(units) = limit {
            clients::send(Request::SetLimit { product, units }, 1_000, outside);
        }
    }
    for cart in 0..carts {
        clients::send(Request::OpenCart { cart }, 1_000, outside);
    }
}

/// What happens outside of the processes.
pub(super) fn befall(what: &What, index: usize, outside: &mut Outside) {
    let now = outside.now();
    match what {
        What::StoreOutage { lasts } => outside.store.fail_until(now.saturating_add(*lasts)),
        What::ProviderOutage { lasts } => outside.provider.fail_until(now.saturating_add(*lasts)),
        What::ClockStep { seconds } => {
            let off = seconds.saturating_mul(1_000_000);
            outside.clock_off = outside.clock_off.saturating_add(off);
            outside.see(if *seconds < 0 { Sight::ClockWentBack } else { Sight::ClockLeapt });
        }
        what => clients::act(what, index, outside),
    }
}

/// Whether an append that was on its way when its process died is lost; nobody knows how far it came.
pub(super) fn lost_with_its_process(outside: &mut Outside) -> bool {
    let is_lost = outside.luck.permille(500);
    outside.see(if is_lost { Sight::LostWithCrash } else { Sight::LandedAfterCrash });
    is_lost
}

impl World {
    fn new(case: &Case, tells: usize) -> Self {
        Self { outside: outside(case), processes: Vec::new(), started: 0, diary: Diary::new(tells) }
    }

    fn run(&mut self) {
        while let Some(event) = self.outside.agenda.next() {
            self.diary.note(&event, &self.outside);
            self.step(event);
            for process in &mut self.processes {
                process.settle(&mut self.outside);
            }
            if self.outside.violation.is_some() {
                return;
            }
            if STEPS_MAX < self.diary.steps() {
                let sentence = format!("no rest after {} steps", self.diary.steps());
                return self.outside.judge(Err(Violation::new("R20", sentence)));
            }
        }
        let owed = self.processes.iter().map(Process::owed).sum();
        let Outside { books, names, store, provider, .. } = &self.outside;
        let closed = books.close(names, store, provider);
        self.outside.judge(closed);
        self.outside.judge(books::nothing_owed(owed));
    }

    fn process(&mut self, id: u32) -> Option<(&mut Process, &mut Outside)> {
        let process = self.processes.iter_mut().find(|process| process.id == id)?;
        Some((process, &mut self.outside))
    }

    fn step(&mut self, event: Event) {
        match event {
            Event::Act(index) => self.act(index),
            Event::Start => self.start(false),
            Event::Heal => self.heal(),
            Event::Exit { process } => self.exit(process),
            Event::Turn { process, who, life } => {
                if let Some((process, outside)) = self.process(process) {
                    process.turn(who, life, outside);
                }
            }
            Event::Loaded { process, who, life } => {
                if let Some((process, outside)) = self.process(process) {
                    process.loaded(who, life, outside);
                }
            }
            Event::Pursue { process, who, life } => {
                if let Some((process, outside)) = self.process(process) {
                    process.pursue(who, life, outside);
                }
            }
            Event::Write { process } => {
                if let Some((process, outside)) = self.process(process) {
                    process.write(outside);
                }
            }
            Event::Land { process, flight, batch, reports } => {
                self.land(process, flight, &batch, reports);
            }
            Event::Appended { process, flight, outcome } => {
                if let Some((process, outside)) = self.process(process) {
                    process.appended(flight, outcome, outside);
                }
            }
            Event::Resolve { process, until } => {
                if let Some((process, outside)) = self.process(process) {
                    process.resolve(until, outside);
                }
            }
            Event::Reacquire { process } => {
                if let Some((process, outside)) = self.process(process) {
                    process.reacquire(outside);
                }
            }
            Event::Keep(snapshot) => {
                self.outside.see(Sight::SnapshotKept);
                self.outside.store.keep(&snapshot);
            }
            Event::Project => self.project(),
            Event::Tick { process } => {
                if let Some((process, outside)) = self.process(process) {
                    process.tick(outside);
                }
            }
            Event::Evict { process, who, version } => {
                if let Some((process, _)) = self.process(process) {
                    process.evict(who, version);
                }
            }
            Event::Call(event) => self.call(event),
            Event::Request { attempt } => self.request(attempt),
            Event::Heard { attempt, outcome } => {
                clients::heard(attempt, &outcome, &mut self.outside);
            }
            Event::GiveUp { attempt } => clients::give_up(attempt, &mut self.outside),
        }
    }

    fn act(&mut self, index: usize) {
        let Some(act) = self.outside.plan.get(index) else { return };
        match act.what.clone() {
            What::Crash { down_for } => {
                let ids: Vec<u32> = self.processes.iter().map(|process| process.id).collect();
                for id in ids {
                    self.kill(id);
                }
                self.outside.agenda.after(down_for, Event::Start);
            }
            What::TakeOver => self.start(true),
            what => {
                befall(&what, index, &mut self.outside);
                if let What::ClockStep { .. } = what {
                    for process in &mut self.processes {
                        process.plan_tick(&mut self.outside);
                    }
                }
            }
        }
        if self.outside.strikes(|faults| faults.sleeps)
            && let Some(process) = self.processes.last_mut()
        {
            process.sleep_all(&mut self.outside);
        }
    }

    /// A process starts, unless one runs already and this is no take-over.
    fn start(&mut self, takes_over: bool) {
        if !self.processes.is_empty() && !takes_over {
            return;
        }
        if !self.outside.store.is_up(self.outside.now()) {
            return self.outside.agenda.after(100_000, Event::Start);
        }
        self.started = self.started.saturating_add(1);
        let id = self.started;
        let Ok(tenure) = self.outside.store.acquire(&format!("process {id}")) else { return };
        let acquired = self.outside.books.acquired(tenure.epoch, id);
        self.outside.judge(acquired);
        if !self.processes.is_empty() {
            self.outside.see(Sight::TwoProcesses);
        }
        if tenure.holdings.iter().any(|holding| 1 < holding.next_position) {
            self.outside.see(Sight::StartedAgain);
        }
        // Nothing is served before the read models have everything.
        self.outside.rows.catch_up();
        let mut process = Process::new(id, tenure, &self.outside);
        process.plan_tick(&mut self.outside);
        self.processes.push(process);
    }

    fn kill(&mut self, id: u32) {
        let Some(index) = self.processes.iter().position(|process| process.id == id) else {
            return;
        };
        let process = self.processes.remove(index);
        self.outside.see(Sight::Crashed);
        if process.desk.is_busy() {
            self.outside.see(Sight::CrashedWithAppendUnderWay);
        }
        drop(process);
        clients::cut(id, &mut self.outside);
    }

    /// A process that has lost the journal ends; somebody starts another if it was the last.
    fn exit(&mut self, id: u32) {
        self.kill(id);
        if self.processes.is_empty() {
            self.outside.agenda.after(200_000, Event::Start);
        }
    }

    /// From here on nothing goes wrong.
    fn heal(&mut self) {
        self.outside.heal();
        let mut ids: Vec<u32> = self.processes.iter().map(|process| process.id).collect();
        ids.pop();
        for id in ids {
            self.kill(id);
        }
        self.outside.agenda.after(1, Event::Start);
    }

    fn land(
        &mut self,
        process: u32,
        flight: u64,
        batch: &persistence::journal::Batch,
        reports: bool,
    ) {
        let is_orphan = self.process(process).is_none();
        if is_orphan && lost_with_its_process(&mut self.outside) {
            return;
        }
        writing::land(process, flight, batch, reports, &mut self.outside);
    }

    fn project(&mut self) {
        self.outside.rows.catch_up();
        for process in &mut self.processes {
            process.plan_tick(&mut self.outside);
        }
    }

    fn call(&mut self, event: CallEvent) {
        match event {
            CallEvent::Arrives { process, call, attempt, of, answers } => {
                calls::arrives(process, call, attempt, of, answers, &mut self.outside);
            }
            CallEvent::Ends { process, call, attempt, said } => {
                if let Some((process, outside)) = self.process(process) {
                    process.call_ended(call, attempt, said, outside);
                }
            }
            CallEvent::Again { process, call } => {
                if let Some((process, outside)) = self.process(process) {
                    process.attempt(call, outside);
                }
            }
        }
    }

    /// A request reaches whichever process takes the connection.
    fn request(&mut self, attempt: usize) {
        let count = self.processes.len();
        let index = self.outside.luck.index(count);
        let Some(process) = self.processes.get_mut(index) else {
            let refused = Outcome::NotAccepted(NotAccepted::Restarting);
            return clients::answered(attempt, refused, &mut self.outside);
        };
        process.request(attempt, &mut self.outside);
    }
}
