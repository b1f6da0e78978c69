//! Crash points: the places on the path of an order at which a drill may take the process away.
//!
//! Without the feature `drill` a point is nothing at all. With it the process ends at the n-th pass
//! of the point that `MILLRACE_CRASH_AT` names, as in `journal.committed:37`: by a signal that
//! nothing can catch, so that no destructor, no flush and no other thread tidies up.

#[cfg(all(feature = "drill", not(debug_assertions)))]
compile_error!("the feature `drill` ends the process on request: no release build may have it");

/// Which point, and at which pass.
#[cfg(feature = "drill")]
const CRASH_AT: &str = "MILLRACE_CRASH_AT";

macro_rules! crash_points {
    ($($(#[doc = $doc:literal])+ $point:ident = $name:literal,)+) => {
        /// A place where a drill may end the process; `docs/crash-points.md` lists them.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum CrashPoint {
            $($(#[doc = $doc])+ $point,)+
        }

        impl CrashPoint {
            /// All of them, along the way of an order.
            pub const ALL: &[Self] = &[$(Self::$point,)+];

            /// What `MILLRACE_CRASH_AT` calls it.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$point => $name,)+
                }
            }
        }
    };
}

crash_points! {
    /// The tables are there; those of a new journal are empty.
    StoreMigrated = "store.migrated",
    /// The epoch is raised in a transaction that is not committed.
    JournalAcquiring = "journal.acquiring",
    /// The journal is ours, nothing has started yet.
    JournalAcquired = "journal.acquired",
    /// The read models have caught up, nothing is served yet.
    ProjectorCaughtUp = "projector.caught_up",
    /// A place in flight is taken, no handler has heard of the request.
    FrontAdmitted = "front.admitted",
    /// The order was read and understood.
    RequestParsed = "request.parsed",
    /// A command lies in a mailbox.
    MailboxSent = "mailbox.sent",
    /// An entity has taken a command out of its mailbox.
    MailboxHeard = "mailbox.heard",
    /// The history of an entity was read.
    EntityLoaded = "entity.loaded",
    /// A command was decided; its events are in memory only.
    EntityDecided = "entity.decided",
    /// Events were handed to the writer.
    WriterSubmitted = "writer.submitted",
    /// A batch is sealed and about to be sent.
    JournalSending = "journal.sending",
    /// The rows of a batch are inserted, the transaction is open (SQLite; one statement elsewhere).
    JournalInserted = "journal.inserted",
    /// A batch is durable, and nobody knows.
    JournalCommitted = "journal.committed",
    /// An entity knows that its events are durable; no answer has left.
    EntityWritten = "entity.written",
    /// An answer is about to leave its entity.
    AnswerLeaving = "answer.leaving",
    /// Half of the bytes of an answer are sent.
    AnswerHalfSent = "answer.half_sent",
    /// The payment provider is about to be asked.
    ProviderAsking = "provider.asking",
    /// The payment provider has answered; nothing of it is written down.
    ProviderAnswered = "provider.answered",
    /// New events are read for the read models.
    ProjectorRead = "projector.read",
    /// Read models and cursors are changed in a transaction that is not committed.
    ViewsChanged = "views.changed",
    /// Read models and cursors are durable; nobody was told.
    ProjectorApplied = "projector.applied",
    /// Subscribers were told.
    ProjectorAnnounced = "projector.announced",
    /// A snapshot is put into words and not stored.
    SnapshotEncoded = "snapshot.encoded",
    /// A snapshot is stored.
    SnapshotStored = "snapshot.stored",
    /// Due timers were read; nobody was woken.
    TimerDue = "timer.due",
    /// Entities were woken and their timers put back.
    TimerPutBack = "timer.put_back",
    /// The engine refuses new commands and waits for those under way.
    EngineDraining = "engine.draining",
}

/// Ends the process here, if a drill wants that.
#[cfg(not(feature = "drill"))]
#[inline]
pub fn crash_point(_point: CrashPoint) {}

/// Ends the process here, if a drill wants that.
#[cfg(feature = "drill")]
pub fn crash_point(point: CrashPoint) {
    crash_point_after(point, || {});
}

/// Ends the process here, if a drill wants that, once `last` has been done.
#[cfg(not(feature = "drill"))]
#[inline]
pub fn crash_point_after(_point: CrashPoint, _last: impl FnOnce()) {}

/// Ends the process here, if a drill wants that, once `last` has been done.
#[cfg(feature = "drill")]
pub fn crash_point_after(point: CrashPoint, last: impl FnOnce()) {
    use std::sync::LazyLock;

    static WANTED: LazyLock<Option<Wanted>> =
        LazyLock::new(|| Wanted::parse(&std::env::var(CRASH_AT).ok()?));
    if WANTED.as_ref().is_some_and(|wanted| wanted.is_met_by(point)) {
        last();
        // It does not fail for the process itself; if it did, an abort tidies up nothing either.
        let _ =
            rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
        std::process::abort();
    }
}

/// The pass that a drill waits for.
#[cfg(feature = "drill")]
struct Wanted {
    point: CrashPoint,
    pass: u64,
    passed: std::sync::atomic::AtomicU64,
}

#[cfg(feature = "drill")]
impl Wanted {
    /// Reads `name:pass`; a name alone means its first pass.
    fn parse(text: &str) -> Option<Self> {
        let (name, pass) = text.split_once(':').unwrap_or((text, "1"));
        let known = CrashPoint::ALL.iter().find(|point| point.name() == name);
        let (point, pass) = (known.copied(), pass.parse().ok());
        let wanted = point.zip(pass).map(|(point, pass)| Self { point, pass, passed: 0.into() });
        if wanted.is_none() {
            tracing::error!("{CRASH_AT}={text} names no crash point and pass; nothing will end");
        }
        wanted
    }

    fn is_met_by(&self, point: CrashPoint) -> bool {
        use std::sync::atomic::Ordering;

        self.point == point && self.passed.fetch_add(1, Ordering::Relaxed) + 1 == self.pass
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_point_has_a_name_of_its_own() {
        let names: BTreeSet<&str> = CrashPoint::ALL.iter().map(|point| point.name()).collect();
        assert_eq!(names.len(), CrashPoint::ALL.len());
    }

    #[test]
    fn a_process_that_was_told_nothing_passes_every_point() {
        for point in CrashPoint::ALL {
            crash_point(*point);
        }
    }

    #[cfg(feature = "drill")]
    #[test]
    fn a_point_is_met_at_its_pass_and_at_no_other() {
        let wanted = Wanted::parse("journal.committed:3").unwrap();
        assert!(!wanted.is_met_by(CrashPoint::JournalSending));
        let met: Vec<bool> =
            (0..5).map(|_| wanted.is_met_by(CrashPoint::JournalCommitted)).collect();
        assert_eq!(met, [false, false, true, false, false]);
        assert_eq!(Wanted::parse("journal.committed").unwrap().pass, 1);
        assert!(Wanted::parse("journal.melted:1").is_none());
        assert!(Wanted::parse("journal.committed:soon").is_none());
    }
}
