//! An open-loop HTTP/1 client on one thread: arrivals keep their moments whatever the answers take.
//!
//! It polls readiness by itself. With a task for each connection it would need as long for a
//! request as the server does for a rejection, and could not offer twenty times the capacity. What
//! it cannot send all the same is counted, and is no part of what the server is measured by.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use mio::{Events, Poll, Token};
use tokio::time::Instant;

use super::behaviour::Behaviour;
use super::honesty::Sales;
use super::stream::{self, Stream};
use super::tally::{DEADLINE, Tally};
use crate::rig::request::Template;

/// Events that are taken from the system at once.
const EVENTS: usize = 1_024;
/// Shorter waits are spent looking: the system's timer is not finer.
const SPIN_BELOW: Duration = Duration::from_millis(2);

/// Requests of one kind.
#[derive(Clone, Debug)]
pub(super) struct Source {
    /// The request.
    pub(super) template: Template,
    /// Arrivals a second in each step; `None`: each connection sends as soon as it has its answer.
    pub(super) per_second: Option<Vec<f64>>,
    /// What its clients do when they are turned away.
    pub(super) behaviour: Behaviour,
    /// Connections that are open from the beginning.
    pub(super) connections: u16,
    /// Most connections, with those that a client opens who finds none free.
    pub(super) connections_max: u16,
    /// The addresses that they come from; the system's choice when there are none.
    pub(super) from: Vec<IpAddr>,
}

/// Everything that is sent at the same time.
#[derive(Clone, Debug)]
pub(super) struct Load {
    /// Where the server listens.
    pub(super) address: SocketAddr,
    /// By kind.
    pub(super) sources: Vec<Source>,
    /// How long people arrive, step after step. Who is under way at the end of a step, or about to
    /// come back, stays so.
    pub(super) steps: Vec<Duration>,
}

/// What the clients of one source went through.
#[derive(Clone, Debug)]
pub(super) struct Heard {
    /// By step.
    pub(super) steps: Vec<Tally>,
    /// What they bought.
    pub(super) sales: Sales,
}

/// Sends a load and waits for the last answers; blocks its thread.
///
/// # Errors
/// When the system gives no connections.
pub(super) fn run(load: &Load) -> io::Result<Vec<Heard>> {
    let mut poll = Poll::new()?;
    let mut streams = Vec::new();
    for (place, source) in load.sources.iter().enumerate() {
        streams.push(Stream::open(source, load, stream::first_token(place), poll.registry())?);
    }
    let opening = Instant::now();
    for stream in &mut streams {
        stream.begin(opening);
    }
    let mut events = Events::with_capacity(EVENTS);
    loop {
        let mut next = Instant::now() + DEADLINE;
        let mut open = false;
        for stream in &mut streams {
            stream.expire();
            stream.send_due(poll.registry());
            open |= stream.is_open();
            next = next.min(stream.next());
        }
        if !open {
            return Ok(streams.into_iter().map(Stream::finish).collect());
        }
        let wait = next.saturating_duration_since(Instant::now());
        let wait = if wait < SPIN_BELOW { Duration::ZERO } else { wait.min(SPIN_BELOW * 5) };
        match poll.poll(&mut events, Some(wait)) {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error),
            _ => {}
        }
        for event in &events {
            let Token(token) = event.token();
            if let Some(stream) = streams.get_mut(stream::source_of(token)) {
                stream.take(token, poll.registry());
            }
        }
    }
}
