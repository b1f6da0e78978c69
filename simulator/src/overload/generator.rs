//! An open-loop HTTP/1 client on one thread: arrivals keep their moments whatever the answers take.
//!
//! It polls readiness by itself. With a task for each connection it would need as long for a
//! request as the server does for a rejection, and could not offer twenty times the capacity.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use mio::{Events, Poll, Token};
use rand::SeedableRng as _;
use rand::rngs::Xoshiro256PlusPlus;
use tokio::time::Instant;

use super::behaviour::{Behaviour, Patience};
use super::line::{Line, Read, Try};
use super::schedule::Schedule;
use super::tally::{DEADLINE, Ending, Tally};
use crate::rig::request::Template;
use crate::rig::response::{self, Answer};

/// Events that are taken from the system at once.
const EVENTS: usize = 1_024;
/// Shorter waits are spent looking: the system's timer is not finer.
const SPIN_BELOW: Duration = Duration::from_millis(2);
/// Requests that leave between two looks at the answers.
const BURST: usize = 64;

/// Requests of one kind.
#[derive(Clone, Debug)]
pub(super) struct Source {
    /// The request.
    pub(super) template: Template,
    /// Arrivals a second; `None`: each connection sends as soon as it has its answer.
    pub(super) per_second: Option<f64>,
    /// What its clients do when they are turned away.
    pub(super) behaviour: Behaviour,
    /// Connections of its own.
    pub(super) connections: u16,
    /// The address that they come from, when it matters.
    pub(super) from: Option<IpAddr>,
}

/// Everything that is sent at the same time.
#[derive(Clone, Debug)]
pub(super) struct Load {
    /// Where the server listens.
    pub(super) address: SocketAddr,
    /// By kind.
    pub(super) sources: Vec<Source>,
    /// How long people arrive.
    pub(super) lasts: Duration,
}

/// Sends a load and waits for the last answers; blocks its thread.
///
/// # Errors
/// When the system gives no connections.
pub(super) fn run(load: &Load) -> io::Result<Vec<Tally>> {
    let mut poll = Poll::new()?;
    let mut streams = Vec::new();
    let mut first = 0;
    for source in &load.sources {
        streams.push(Stream::open(source, load, first, &poll)?);
        first += usize::from(source.connections);
    }
    let opening = Instant::now();
    let mut events = Events::with_capacity(EVENTS);
    loop {
        let mut next = opening + load.lasts + DEADLINE;
        let mut open = false;
        for stream in &mut streams {
            stream.expire(opening);
            stream.send_due(opening, load.lasts, &poll);
            open |= stream.is_open(opening, load.lasts);
            next = next.min(stream.next(opening, load.lasts));
        }
        if !open {
            return Ok(streams.into_iter().map(|stream| stream.tally).collect());
        }
        let wait = next.saturating_duration_since(Instant::now());
        let wait = if wait < SPIN_BELOW { Duration::ZERO } else { wait.min(SPIN_BELOW * 5) };
        match poll.poll(&mut events, Some(wait)) {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error),
            _ => {}
        }
        for event in &events {
            let Token(place) = event.token();
            let stream = streams.iter_mut().rev().find(|stream| stream.first <= place);
            if let Some(stream) = stream {
                stream.take(place, opening, load.lasts, &poll);
            }
        }
    }
}

/// A source at work.
struct Stream {
    template: Template,
    schedule: Option<Schedule>,
    patience: Patience,
    chance: Xoshiro256PlusPlus,
    /// Number of its first connection.
    first: usize,
    lines: Vec<Line>,
    free: VecDeque<usize>,
    /// Tries under way in the order of their deadlines.
    waiting: VecDeque<(Instant, usize, u64)>,
    retries: BinaryHeap<Reverse<(Instant, u64, u8)>>,
    arrivals: u64,
    tally: Tally,
}

impl Stream {
    fn open(source: &Source, load: &Load, first: usize, poll: &Poll) -> io::Result<Self> {
        let count = usize::from(source.connections);
        let mut lines: Vec<Line> = (0..count)
            .map(|line| Line::new(source.from, load.address, Token(first + line)))
            .collect();
        for line in &mut lines {
            line.open(poll.registry())?;
        }
        Ok(Self {
            template: source.template.clone(),
            schedule: source.per_second.map(Schedule::new),
            patience: Patience::new(source.behaviour),
            chance: Xoshiro256PlusPlus::seed_from_u64(1),
            first,
            lines,
            free: (0..count).collect(),
            waiting: VecDeque::new(),
            retries: BinaryHeap::new(),
            arrivals: 0,
            tally: Tally::new(load.lasts),
        })
    }

    /// Whether anything may still happen. What would come back after the end stays away.
    fn is_open(&self, opening: Instant, lasts: Duration) -> bool {
        opening.elapsed() < lasts || !self.waiting.is_empty()
    }

    /// The next moment at which something is to be done without an answer.
    fn next(&self, opening: Instant, lasts: Duration) -> Instant {
        let arrival = self.schedule.map(|schedule| opening + schedule.due(self.arrivals));
        let retry = self.retries.peek().map(|Reverse((due, ..))| *due);
        let overdue = self.waiting.front().map(|(deadline, ..)| *deadline);
        let end = opening + lasts;
        [arrival, retry]
            .into_iter()
            .flatten()
            .filter(|due| *due < end)
            .chain(overdue)
            .min()
            .unwrap_or(end)
    }

    fn send_due(&mut self, opening: Instant, lasts: Duration, poll: &Poll) {
        let end = opening + lasts;
        for _ in 0..BURST {
            let now = Instant::now();
            let retry = self.retries.peek().map(|Reverse((due, ..))| *due);
            if let Some(due) = retry.filter(|due| *due <= now && *due < end) {
                if let Some(Reverse((_, number, retries))) = self.retries.pop() {
                    self.send(Try { number, retries, due }, poll);
                }
                continue;
            }
            let due = match self.schedule {
                Some(schedule) => opening + schedule.due(self.arrivals),
                None if self.free.is_empty() => return,
                None => now,
            };
            if now < due || end <= due {
                return;
            }
            self.tally.arrived(due.saturating_duration_since(opening));
            let number = self.arrivals;
            self.arrivals += 1;
            self.send(Try { number, retries: 0, due }, poll);
        }
    }

    fn send(&mut self, attempt: Try, poll: &Poll) {
        let Some(place) = self.free.pop_front() else {
            self.tally.stuck += 1;
            return;
        };
        let Some(line) = self.lines.get_mut(place) else { return };
        let request = self.template.stamp(attempt.number);
        if line.send(request, poll.registry()).is_err() {
            line.close();
            self.free.push_back(place);
            self.tally.ended(Ending::Unknown("cut while sending"), Duration::ZERO, Duration::MAX);
            return;
        }
        let now = Instant::now();
        self.tally.left(now.saturating_duration_since(attempt.due));
        line.busy = Some(attempt);
        self.waiting.push_back((now + DEADLINE, place, attempt.number));
    }

    /// Reads from a connection that has something to say.
    fn take(&mut self, place: usize, opening: Instant, lasts: Duration, poll: &Poll) {
        let place = place - self.first;
        let Some(line) = self.lines.get_mut(place) else { return };
        match (line.read(), line.busy) {
            (Read::Partly, _) => {}
            (Read::Whole(answer), Some(attempt)) => {
                line.busy = None;
                self.free.push_back(place);
                self.judge(place, &answer, attempt, opening);
                if self.schedule.is_none() {
                    self.send_due(opening, lasts, poll);
                }
            }
            (_, None) => line.close(),
            (Read::Broken, Some(attempt)) => {
                line.close();
                line.busy = None;
                self.free.push_back(place);
                self.lost("cut", attempt, opening);
            }
        }
        // Tries that were answered need no deadline any more.
        while let Some((_, place, number)) = self.waiting.front().copied()
            && self.waits_for(place) != Some(number)
        {
            self.waiting.pop_front();
        }
    }

    fn waits_for(&self, place: usize) -> Option<u64> {
        Some(self.lines.get(place)?.busy?.number)
    }

    fn judge(&mut self, place: usize, answer: &Answer, attempt: Try, opening: Instant) {
        let now = Instant::now();
        let took = now.saturating_duration_since(attempt.due);
        let ending = match answer.status {
            201 => {
                self.patience.earn();
                Ending::Done
            }
            429 | 503 => {
                let asked = Duration::from_secs(answer.retry_after.unwrap_or_default().into());
                self.again(attempt, asked, now);
                Ending::Rejected
            }
            status @ 400..=499 => {
                let bytes = self.lines.get(place).map(Line::answer).unwrap_or_default();
                Ending::Refused(status, response::code(bytes))
            }
            _ => Ending::Unknown("an answer that says neither yes nor no"),
        };
        self.tally.ended(ending, took, now.saturating_duration_since(opening));
    }

    fn lost(&mut self, what: &'static str, attempt: Try, opening: Instant) {
        let now = Instant::now();
        let took = now.saturating_duration_since(attempt.due);
        self.tally.ended(Ending::Unknown(what), took, now.saturating_duration_since(opening));
        self.again(attempt, Duration::ZERO, now);
    }

    fn again(&mut self, attempt: Try, asked: Duration, now: Instant) {
        if let Some(pause) = self.patience.again(attempt.retries, asked, &mut self.chance) {
            let retries = attempt.retries.saturating_add(1);
            self.retries.push(Reverse((now + pause, attempt.number, retries)));
        }
    }

    /// Gives up what nobody waits for any more.
    fn expire(&mut self, opening: Instant) {
        let now = Instant::now();
        while let Some((deadline, place, number)) = self.waiting.front().copied()
            && deadline <= now
        {
            self.waiting.pop_front();
            if self.waits_for(place) != Some(number) {
                continue;
            }
            let Some(line) = self.lines.get_mut(place) else { continue };
            line.close();
            if let Some(attempt) = line.busy.take() {
                self.free.push_back(place);
                self.lost("no answer within 1 s", attempt, opening);
            }
        }
    }
}
