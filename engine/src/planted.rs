//! Bugs on purpose, which prove that the simulation bites: each is one line in the code that it
//! spoils, chosen while the program runs, and absent from every build without the feature `planted`.
//!
//! A hook asks [`planted`]. Without the feature that is `false` before anything is compiled, so
//! neither the question nor the names below are in the binary.

#[cfg(all(feature = "planted", not(debug_assertions)))]
compile_error!("planted bugs are for builds with debug assertions, never for a release");

macro_rules! bugs {
    ($(#[doc = $sentence:literal] $bug:ident = $name:literal,)+) => {
        /// A bug that can be planted: each breaks a promise.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Bug {
            $(#[doc = $sentence] $bug,)+
        }

        #[cfg(feature = "planted")]
        impl Bug {
            /// Every bug, from the rules outwards to the store.
            pub const ALL: &[Self] = &[$(Self::$bug,)+];

            /// What people call it.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$bug => $name,)+
                }
            }

            /// The bug of that name.
            pub fn named(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|bug| bug.name() == name)
            }

            /// What it does.
            pub const fn sentence(self) -> &'static str {
                match self {
                    $(Self::$bug => $sentence.trim_ascii(),)+
                }
            }
        }
    };
}

bugs! {
    // Stocks.
    /// A stock grants one unit more than it has.
    Oversells = "oversells",
    /// A stock sells under a hold that has lapsed without looking whether units are free.
    SellsLapsed = "sells-lapsed",
    /// A repeated hold sets units aside once more.
    HoldsTwice = "holds-twice",
    /// A hold lapses before its time.
    LapsesEarly = "lapses-early",
    /// Nobody is woken to let a hold lapse.
    NeverLapses = "never-lapses",
    /// The end of a hold is forgotten with the next event.
    ForgetsEnds = "forgets-ends",
    /// Units that went back go back once more.
    RestocksTwice = "restocks-twice",
    /// A customer may buy any number of units.
    IgnoresLimit = "ignores-limit",
    /// A repeated change by hand counts again.
    AdjustsTwice = "adjusts-twice",
    /// Units that are promised to somebody are taken away by hand.
    TakesPromised = "takes-promised",
    /// A stock that is read from a snapshot has forgotten how holds ended.
    SnapshotForgets = "snapshot-forgets",
    // Carts and the catalogue.
    /// A cart that belongs to an order is given to another.
    CartTwice = "cart-twice",
    /// A repeated change of a cart counts again.
    CartRepeats = "cart-repeats",
    /// A new price is written down and not applied.
    OldPrice = "old-price",
    // Placing an order.
    /// An order is placed at another price than its client was promised.
    AnyPrice = "any-price",
    /// The total counts one unit of each line.
    WrongTotal = "wrong-total",
    /// A product in two lines is held once and sold twice.
    DoubleLine = "double-line",
    /// A key answers with the order of another request.
    IgnoresFingerprint = "ignores-fingerprint",
    /// A refused order keeps what it has held.
    KeepsRefusedHold = "keeps-refused-hold",
    // The life of an order.
    /// What was shipped can be called off.
    CancelsShipped = "cancels-shipped",
    /// Goods leave before they are sold.
    ShipsUnsold = "ships-unsold",
    /// A callback after the answer takes the money once more.
    CapturesTwice = "captures-twice",
    /// Money that arrives after the order was called off is not noticed.
    IgnoresLateMoney = "ignores-late-money",
    /// A charge on its way is believed never to come.
    BelievesTooEarly = "believes-too-early",
    /// An order is called off without asking what became of its charge.
    CancelsUnasked = "cancels-unasked",
    /// An order that nobody pays waits for ever.
    WaitsForEver = "waits-for-ever",
    /// The money of an order that was called off stays.
    KeepsMoney = "keeps-money",
    /// More goes back than was taken.
    RefundsMore = "refunds-more",
    // What an order owes to others.
    /// A charge that is tried again gets a new key.
    NewChargeKey = "new-charge-key",
    /// An order whose card was declined keeps its units.
    KeepsDeclinedHold = "keeps-declined-hold",
    /// Units that are sold already are released instead of put back.
    ReleasesSold = "releases-sold",
    /// Units are sold before they are paid.
    SellsUnpaid = "sells-unpaid",
    /// A stock that did not answer is believed to have sold.
    SilenceIsSold = "silence-is-sold",
    /// An interrupted order is not taken up again.
    ForgetsWork = "forgets-work",
    /// An interrupted refund is not taken up again.
    ForgetsRefund = "forgets-refund",
    // Answers, pauses and time.
    /// Of several stocks the best answer counts.
    BestAnswer = "best-answer",
    /// A provider that did not answer is believed to have declined.
    SilenceIsDecline = "silence-is-decline",
    /// An open breaker lets nobody try again.
    NeverProbes = "never-probes",
    /// A leap of the wall clock is followed at once.
    FollowsLeaps = "follows-leaps",
    // Entities.
    /// A client is answered before the events are durable.
    AnswersEarly = "answers-early",
    /// A client is answered before the order has settled.
    AnswersUnsettled = "answers-unsettled",
    /// The provider is called on the strength of events that are not durable.
    CallsEarly = "calls-early",
    /// An entity serves one whose generation has ended.
    ServesOutdated = "serves-outdated",
    /// A client is told that nothing happened although its events are durable.
    DeniesDurable = "denies-durable",
    /// A client is told that nothing happened although units are held for it.
    ForgetsTaken = "forgets-taken",
    /// What could not go back at the first try is forgotten.
    UndoesOnce = "undoes-once",
    /// A refusal leaves before what was held for it is durably back.
    RefusesEarly = "refuses-early",
    /// Whoever waits for the order's first request is never served.
    LosesWaiting = "loses-waiting",
    /// A snapshot is kept before its events are durable.
    SnapshotAhead = "snapshot-ahead",
    /// A snapshot claims an event that is not in it.
    SnapshotMisses = "snapshot-misses",
    /// A history is read without its last event.
    ReadsShort = "reads-short",
    // The writer.
    /// Histories that were read before a failure are continued after it.
    KeepsGeneration = "keeps-generation",
    /// Events of an ended generation are written.
    TakesOutdated = "takes-outdated",
    /// An append of unknown outcome is called failed.
    UnknownIsFailure = "unknown-is-failure",
    /// An append of unknown outcome is called durable.
    UnknownIsSuccess = "unknown-is-success",
    /// A batch that is absent is taken for present.
    AbsentIsPresent = "absent-is-present",
    /// Who submitted twice is told of the first only.
    TellsFirst = "tells-first",
    /// What was submitted last is written first.
    LastComesFirst = "last-comes-first",
    /// A batch is chained to the one before the last.
    ForgetsChain = "forgets-chain",
    // The store.
    /// A writer whose epoch is over appends.
    TakesOldEpoch = "takes-old-epoch",
    /// A batch of unknown outcome is looked for without fencing first.
    LooksUnfenced = "looks-unfenced",
    /// A batch that has landed is not found.
    FindsNothing = "finds-nothing",
    /// A batch lands without its last event.
    TearsBatch = "tears-batch",
    /// A broken chain is not noticed.
    SkipsChain = "skips-chain",
}

/// Whether that bug is planted.
#[cfg(not(feature = "planted"))]
#[inline]
pub const fn planted(_bug: Bug) -> bool {
    false
}

#[cfg(feature = "planted")]
pub use chosen::{plant, planted};

#[cfg(feature = "planted")]
mod chosen {
    use std::cell::Cell;

    use super::Bug;

    thread_local! {
        /// A seed has one thread, so each thread has a choice of its own.
        static CHOSEN: Cell<Option<Bug>> = const { Cell::new(None) };
    }

    /// Plants a bug in everything that this thread runs; `None` takes it out.
    pub fn plant(bug: Option<Bug>) {
        CHOSEN.set(bug);
    }

    /// Whether that bug is planted.
    #[inline]
    pub fn planted(bug: Bug) -> bool {
        CHOSEN.get() == Some(bug)
    }
}
