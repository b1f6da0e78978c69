//! A source at work: its clients, their connections, and what they do when they are turned away.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use mio::{Registry, Token};
use rand::SeedableRng as _;
use rand::rngs::Xoshiro256PlusPlus;
use tokio::time::Instant;

use super::behaviour::Patience;
use super::generator::{Heard, Load, Source};
use super::honesty::Sales;
use super::line::{ANSWER_MAX, Line, Read, Try, Unsent};
use super::ports::Ports;
use super::schedule::{Schedule, Step};
use super::tally::{BEHIND_MAX, DEADLINE, Ending, Tally};
use crate::rig::request::Template;
use crate::rig::response::{self, Answer};

/// Requests that leave between two looks at the answers.
const BURST: usize = 64;
/// Numbers that the connections of one source have for themselves.
const SPAN: usize = 1 << 16;

/// The number of the first connection of a source.
pub(super) fn first_token(source: usize) -> usize {
    source * SPAN
}

/// The source to which a connection belongs.
pub(super) fn source_of(token: usize) -> usize {
    token / SPAN
}

/// A source at work.
pub(super) struct Stream {
    template: Template,
    schedule: Option<Schedule>,
    patience: Patience,
    chance: Xoshiro256PlusPlus,
    to: SocketAddr,
    ports: Ports,
    /// Number of its first connection.
    first: usize,
    lines: Vec<Line>,
    lines_max: usize,
    /// Connections that nobody waits at; the open ones come last and are taken first.
    free: VecDeque<usize>,
    /// Tries under way in the order of their deadlines.
    waiting: VecDeque<(Instant, usize, Try)>,
    retries: BinaryHeap<Reverse<Try>>,
    arrivals: u64,
    opening: Instant,
    /// Where each step ends, from the opening on.
    ends: Vec<Duration>,
    tallies: Vec<Tally>,
    sales: Sales,
    buffer: Box<[u8; ANSWER_MAX]>,
}

impl Stream {
    /// Opens its connections.
    pub(super) fn open(
        source: &Source,
        load: &Load,
        first: usize,
        registry: &Registry,
    ) -> io::Result<Self> {
        let count = usize::from(source.connections);
        let mut ports = Ports::of(&source.from).starting_at(rand::random());
        let mut lines: Vec<Line> =
            (0..count).map(|line| Line::new(load.address, Token(first + line))).collect();
        for line in &mut lines {
            line.open(&mut ports, registry)?;
        }
        let schedule = source.per_second.as_ref().map(|rates| {
            let steps = load.steps.iter().zip(rates);
            let steps = steps.map(|(lasts, rate)| Step { lasts: *lasts, per_second: *rate });
            Schedule::new(&steps.collect::<Vec<_>>())
        });
        let ends = load.steps.iter().scan(Duration::ZERO, |end, lasts| {
            *end += *lasts;
            Some(*end)
        });
        Ok(Self {
            template: source.template.clone(),
            schedule,
            patience: Patience::new(source.behaviour),
            chance: Xoshiro256PlusPlus::seed_from_u64(1),
            to: load.address,
            ports,
            first,
            lines,
            lines_max: usize::from(source.connections_max).max(count),
            free: (0..count).collect(),
            waiting: VecDeque::new(),
            retries: BinaryHeap::new(),
            arrivals: 0,
            opening: Instant::now(),
            ends: ends.collect(),
            tallies: load.steps.iter().map(|lasts| Tally::new(*lasts)).collect(),
            sales: Sales::default(),
            buffer: Box::new([0; ANSWER_MAX]),
        })
    }

    /// From here on people come.
    pub(super) fn begin(&mut self, opening: Instant) {
        self.opening = opening;
    }

    /// What its clients went through. Who would have come back after the end stays away.
    pub(super) fn finish(mut self) -> Heard {
        for Reverse(attempt) in std::mem::take(&mut self.retries) {
            self.leave(attempt);
        }
        Heard { steps: self.tallies, sales: self.sales }
    }

    /// Whether anything may still happen.
    pub(super) fn is_open(&self) -> bool {
        Instant::now() < self.end() || !self.waiting.is_empty() || self.arrival().is_some()
    }

    /// The next moment at which something is to be done without an answer.
    pub(super) fn next(&self) -> Instant {
        let end = self.end();
        let retry = self.retries.peek().map(|Reverse(attempt)| attempt.due);
        let overdue = self.waiting.front().map(|(deadline, ..)| *deadline);
        let due = retry.filter(|due| *due < end).into_iter().chain(self.arrival());
        due.chain(overdue).min().unwrap_or(end)
    }

    fn end(&self) -> Instant {
        self.opening + self.ends.last().copied().unwrap_or_default()
    }

    fn arrival(&self) -> Option<Instant> {
        Some(self.opening + self.schedule.as_ref()?.due(self.arrivals)?)
    }

    /// Makes the tries whose moment has come.
    pub(super) fn send_due(&mut self, registry: &Registry) {
        let end = self.end();
        for _ in 0..BURST {
            let now = Instant::now();
            let retry = self.retries.peek().map(|Reverse(attempt)| attempt.due);
            if retry.is_some_and(|due| due <= now && due < end) {
                if let Some(Reverse(attempt)) = self.retries.pop() {
                    self.send(attempt, now, registry);
                }
                continue;
            }
            let due = match self.schedule {
                Some(_) => self.arrival(),
                None => (now < end && !self.free.is_empty()).then_some(now),
            };
            let Some(due) = due.filter(|due| *due <= now) else { return };
            let number = self.arrivals;
            self.arrivals += 1;
            if let Some((tally, at)) = self.step(due) {
                tally.arrived(at);
            }
            let attempt = Try { due, number, retries: 0, came: due, is_in_doubt: false };
            self.send(attempt, now, registry);
        }
    }

    fn send(&mut self, attempt: Try, now: Instant, registry: &Registry) {
        let late_by = now.saturating_duration_since(attempt.due);
        if BEHIND_MAX < late_by {
            return self.withhold("not sent: the generator was busy", attempt);
        }
        let Some(place) = self.place() else {
            return self.withhold("not sent: every connection waits for the server", attempt);
        };
        let Some(line) = self.lines.get_mut(place) else { return };
        let request = self.template.stamp(attempt.number);
        let sent = line.send(request, &mut self.ports, registry);
        let left = sent.is_ok() && !line.is_unsent();
        match sent {
            Err(Unsent::NoSocket) => {
                self.free(place);
                self.withhold("not sent: no socket or port", attempt);
            }
            Err(Unsent::Cut) => {
                self.note(attempt.due, |tally| tally.made(late_by));
                self.hang_up(place);
                self.lost("cut while sending", attempt, false);
            }
            Ok(()) => {
                line.busy = Some(attempt);
                self.waiting.push_back((now + DEADLINE, place, attempt));
                self.note(attempt.due, |tally| {
                    tally.made(late_by);
                    tally.sent += u64::from(left);
                });
            }
        }
    }

    /// A connection: an open one, one that was closed, or one more.
    fn place(&mut self) -> Option<usize> {
        if let Some(place) = self.free.pop_back() {
            return Some(place);
        }
        let place = self.lines.len();
        (place < self.lines_max).then(|| {
            self.lines.push(Line::new(self.to, Token(self.first + place)));
            place
        })
    }

    fn free(&mut self, place: usize) {
        if self.lines.get(place).is_some_and(Line::is_open) {
            self.free.push_back(place);
        } else {
            self.free.push_front(place);
        }
    }

    /// Closes a connection, which is free from then on.
    fn hang_up(&mut self, place: usize) {
        if let Some(line) = self.lines.get_mut(place) {
            line.close();
            line.busy = None;
            self.free(place);
        }
    }

    /// Reads from a connection that has something to say.
    pub(super) fn take(&mut self, token: usize, registry: &Registry) {
        let place = token - self.first;
        let Some(line) = self.lines.get_mut(place) else { return };
        let was_unsent = line.is_unsent();
        let read = line.read(&mut self.buffer);
        let left = was_unsent && !line.is_unsent();
        let Some(attempt) = line.busy else {
            // It stays where it is among the free ones, and is opened when its turn comes.
            if !matches!(read, Read::Partly) {
                line.close();
            }
            return;
        };
        self.note(attempt.due, |tally| tally.sent += u64::from(left));
        let has_left = left || !was_unsent;
        match read {
            Read::Partly => {}
            Read::Whole(answer) => {
                if let Some(line) = self.lines.get_mut(place) {
                    line.busy = None;
                }
                self.free(place);
                self.judge(&answer, attempt);
                if self.schedule.is_none() {
                    self.send_due(registry);
                }
            }
            Read::Broken => {
                self.hang_up(place);
                self.lost("cut", attempt, has_left);
            }
        }
        // Tries that were answered need no deadline any more.
        while let Some((_, place, attempt)) = self.waiting.front()
            && !self.waits_for(*place, attempt)
        {
            self.waiting.pop_front();
        }
    }

    fn waits_for(&self, place: usize, attempt: &Try) -> bool {
        self.lines.get(place).and_then(|line| line.busy).as_ref() == Some(attempt)
    }

    fn judge(&mut self, answer: &Answer, attempt: Try) {
        let now = Instant::now();
        match answer.status {
            201 => self.bought(attempt, now),
            429 | 503 => {
                let asked = Duration::from_secs(answer.retry_after.unwrap_or_default().into());
                self.again(attempt, asked);
            }
            400..=499 => self.leave(attempt),
            _ => return self.lost("an answer that says neither yes nor no", attempt, true),
        }
        let bytes = self.buffer.get(..answer.length).unwrap_or_default();
        let ending = match answer.status {
            201 => Ending::Done,
            429 | 503 => Ending::Rejected,
            status => Ending::Refused(status, response::code(bytes)),
        };
        if let Some((place, _)) = step_of(&self.ends, attempt.due - self.opening)
            && let Some(tally) = self.tallies.get_mut(place)
        {
            tally.ended(ending, now - attempt.due, now - attempt.came);
        }
    }

    fn bought(&mut self, attempt: Try, now: Instant) {
        self.patience.earn();
        self.sales.acknowledged(self.template.product(attempt.number));
        if now - attempt.came <= DEADLINE
            && let Some((tally, at)) = self.step(attempt.came)
        {
            tally.served(at);
        }
    }

    /// Nobody knows what came of a try, unless its bytes never left; whoever made it makes another
    /// one, or does not.
    fn lost(&mut self, what: &'static str, attempt: Try, has_left: bool) {
        self.note(attempt.due, |tally| {
            tally.ended(Ending::Unknown(what), Duration::ZERO, Duration::ZERO);
        });
        let is_in_doubt = attempt.is_in_doubt || has_left;
        self.again(Try { is_in_doubt, ..attempt }, Duration::ZERO);
    }

    fn again(&mut self, attempt: Try, asked: Duration) {
        match self.patience.again(attempt.retries, asked, &mut self.chance) {
            Some(pause) => self.retries.push(Reverse(Try {
                due: Instant::now() + pause,
                retries: attempt.retries.saturating_add(1),
                ..attempt
            })),
            None => self.leave(attempt),
        }
    }

    /// A try that the generator cannot make; its client is none of the load any more.
    fn withhold(&mut self, why: &str, attempt: Try) {
        self.note(attempt.due, |tally| tally.withheld(why));
        self.leave(attempt);
    }

    /// A client goes without an acknowledged order.
    fn leave(&mut self, attempt: Try) {
        if attempt.is_in_doubt {
            self.sales.unknown(self.template.product(attempt.number));
        }
    }
    /// Gives up what nobody waits for any more. Whoever does so hangs up.
    pub(super) fn expire(&mut self) {
        let now = Instant::now();
        while let Some((deadline, place, attempt)) = self.waiting.front().copied()
            && deadline <= now
        {
            self.waiting.pop_front();
            if !self.waits_for(place, &attempt) {
                continue;
            }
            let has_left = !self.lines.get(place).is_some_and(Line::is_unsent);
            self.hang_up(place);
            let what = if has_left { "no answer within 1 s" } else { "no connection within 1 s" };
            self.lost(what, attempt, has_left);
        }
    }

    /// The counts of the step in which a moment lies, and when in the step that is.
    fn step(&mut self, moment: Instant) -> Option<(&mut Tally, Duration)> {
        let (place, at) = step_of(&self.ends, moment - self.opening)?;
        Some((self.tallies.get_mut(place)?, at))
    }

    fn note(&mut self, due: Instant, count: impl FnOnce(&mut Tally)) {
        if let Some((tally, _)) = self.step(due) {
            count(tally);
        }
    }
}

/// The step in which a moment lies, and when in the step that is.
fn step_of(ends: &[Duration], moment: Duration) -> Option<(usize, Duration)> {
    let place = ends.partition_point(|end| *end <= moment);
    let opens = place.checked_sub(1).and_then(|before| ends.get(before).copied());
    (place < ends.len()).then(|| (place, moment.saturating_sub(opens.unwrap_or_default())))
}
