//! Events in words, for traces and their hashes.

use super::calls::CallEvent;
use super::names::Who;
use super::outside::{Event, Outside};

impl Event {
    /// What happens, in a word.
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Act(_) => "act",
            Self::Start => "start",
            Self::Heal => "heal",
            Self::Exit { .. } => "exit",
            Self::Turn { .. } => "turn",
            Self::Loaded { .. } => "loaded",
            Self::Pursue { .. } => "pursue",
            Self::Write { .. } => "write",
            Self::Land { .. } => "land",
            Self::Appended { .. } => "appended",
            Self::Resolve { .. } => "resolve",
            Self::Reacquire { .. } => "reacquire",
            Self::Keep(_) => "keep",
            Self::Project => "project",
            Self::Tick { .. } => "tick",
            Self::Evict { .. } => "evict",
            Self::Call(CallEvent::Arrives { .. }) => "call arrives",
            Self::Call(CallEvent::Ends { .. }) => "call ends",
            Self::Call(CallEvent::Again { .. }) => "call again",
            Self::Request { .. } => "request",
            Self::Heard { .. } => "heard",
            Self::GiveUp { .. } => "give up",
        }
    }

    /// Numbers that tell it from others of its name.
    pub(super) fn whose(&self) -> (u32, u64) {
        let entity =
            |who: &Who, life: &u64| (life << 12) | ((who.index as u64) << 2) | who.kind as u64;
        match self {
            Self::Act(index) => (0, *index as u64),
            Self::Start | Self::Heal | Self::Project => (0, 0),
            Self::Exit { process }
            | Self::Write { process }
            | Self::Reacquire { process }
            | Self::Tick { process } => (*process, 0),
            Self::Turn { process, who, life }
            | Self::Loaded { process, who, life }
            | Self::Pursue { process, who, life } => (*process, entity(who, life)),
            Self::Evict { process, who, version } => (*process, entity(who, version)),
            Self::Land { process, flight, .. } | Self::Appended { process, flight, .. } => {
                (*process, *flight)
            }
            Self::Resolve { process, until } => (*process, *until),
            Self::Keep(snapshot) => (0, snapshot.version),
            Self::Call(
                CallEvent::Arrives { process, call, .. }
                | CallEvent::Ends { process, call, .. }
                | CallEvent::Again { process, call },
            ) => (*process, *call),
            Self::Request { attempt } | Self::Heard { attempt, .. } | Self::GiveUp { attempt } => {
                (0, *attempt as u64)
            }
        }
    }

    /// What people want to know of it.
    pub(super) fn detail(&self, outside: &Outside) -> String {
        let request = |attempt: &usize| {
            let found = outside.clients.attempts.get(*attempt);
            found.map_or_else(String::new, |found| format!("#{attempt} {:?}", found.request))
        };
        match self {
            Self::Act(index) => format!("{:?}", outside.plan.get(*index).map(|act| &act.what)),
            Self::Turn { process, who, life }
            | Self::Loaded { process, who, life }
            | Self::Pursue { process, who, life } => {
                format!("{:?} {} (process {process}, life {life})", who.kind, who.index)
            }
            Self::Land { batch, reports, .. } => {
                let events: Vec<String> = batch
                    .records
                    .iter()
                    .map(|r| format!("{} v{} {}", r.stream, r.version, r.payload))
                    .collect();
                format!("epoch {} reports {reports}: {}", batch.epoch, events.join(" | "))
            }
            Self::Appended { outcome, .. } => format!("{outcome:?}"),
            Self::Call(CallEvent::Arrives { of, answers, .. }) => {
                format!("{of:?} answers {answers}")
            }
            Self::Call(CallEvent::Ends { call, said, .. }) => format!("{call}: {said:?}"),
            Self::Request { attempt } | Self::GiveUp { attempt } => request(attempt),
            Self::Heard { attempt, outcome } => {
                let outcome = format!("{outcome:?}");
                let short: String = outcome.chars().take(120).collect();
                format!("{}: {short}", request(attempt))
            }
            _ => format!("{:?}", self.whose()),
        }
    }
}
