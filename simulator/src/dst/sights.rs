//! Rare states that a campaign must have seen: a simulation that never meets them proves little.

macro_rules! sights {
    ($($name:ident => $words:literal,)+) => {
        /// A state worth seeing.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Sight {
            $($name,)+
        }

        impl Sight {
            /// Every one of them.
            pub(super) const ALL: &[Self] = &[$(Self::$name,)+];

            /// What was seen, in words.
            pub(super) const fn words(self) -> &'static str {
                match self {
                    $(Self::$name => $words,)+
                }
            }
        }
    };
}

sights! {
    Crashed => "the process was killed",
    CrashedWithAppendUnderWay => "it was killed with an append under way",
    LandedAfterCrash => "an append landed after its process was gone",
    LostWithCrash => "an append was lost with its process",
    StartedAgain => "a process found a journal with events",
    BatchOfMany => "several entities shared a commit",
    UnknownThatLanded => "an append of unknown outcome had landed",
    UnknownThatDidNot => "an append of unknown outcome had not landed",
    LateAppendFenced => "an append arrived after its epoch had ended, and was refused",
    Unavailable => "the store refused an append",
    ResolvedPresent => "an unknown append was found in the journal",
    ResolvedAbsent => "an unknown append was written again",
    Unresolved => "an unknown append could not be resolved in time",
    Reacquired => "the journal was acquired again",
    TakenOver => "a writer found that another owns the journal",
    TwoProcesses => "two processes ran at once",
    DiedOfUnwritten => "an incarnation ended because its events were not written",
    Panicked => "an actor died of a panic",
    DiedAhead => "an actor died while the journal was behind it",
    Quarantined => "a stream was quarantined",
    Unreadable => "a history could not be read",
    SnapshotKept => "a snapshot was kept",
    SnapshotUsed => "an incarnation began from a snapshot",
    SnapshotIgnored => "a snapshot could not be read and was ignored",
    Slept => "an entity was put to sleep",
    MailboxFull => "a mailbox was full",
    Outdated => "an entity was asked by one whose generation had ended",
    TooLate => "a command was heard after its deadline",
    SoldOutAtTheView => "a shopper was refused by a stock's published view",
    SoldOutInside => "a shopper was refused by the stock itself",
    OverLimit => "a customer wanted more than one may buy",
    HeldAndLapsed => "a hold lapsed",
    HeldAndReleased => "a hold was released",
    HoldExtended => "a hold was extended",
    SoldLate => "units were sold under a hold that had lapsed",
    StockLost => "an order lost its units to somebody else",
    Restocked => "sold units went back",
    PaymentQueued => "a payment waited for the provider",
    Declined => "the provider declined",
    Abandoned => "a payment was given up",
    Reconciled => "an abandoned payment was known never to have happened",
    Refunded => "money went back",
    RefundPostponed => "a refund failed and was put off",
    NotPaidInTime => "an order that nobody paid was called off",
    CancelledByClient => "a client called its order off",
    CartClaimed => "a cart became an order",
    CartReopened => "a cart became free again",
    CartRefused => "a cart belonged to another order",
    KeyReused => "a key was used for other content",
    Repeated => "a repeat was answered like the first",
    WokenByTimer => "a timer woke an entity that slept",
    CallbackFirst => "a callback came before the provider's answer",
    CallbackAgain => "a callback came again",
    ProviderLate => "a call reached the provider after its caller had given up",
    BreakerOpened => "the breaker opened",
    BreakerClosed => "the breaker closed again",
    ClockWentBack => "the wall clock went back",
    ClockLeapt => "the wall clock leapt",
}

/// How often each was seen.
#[derive(Clone, Debug)]
pub(super) struct Sights(Vec<u64>);

impl Default for Sights {
    fn default() -> Self {
        Self(vec![0; Sight::ALL.len()])
    }
}

impl Sights {
    pub(super) fn see(&mut self, sight: Sight) {
        if let Some(count) = self.0.get_mut(sight as usize) {
            *count = count.saturating_add(1);
        }
    }

    pub(super) fn add(&mut self, other: &Self) {
        for (count, more) in self.0.iter_mut().zip(&other.0) {
            *count = count.saturating_add(*more);
        }
    }

    /// Each with the number of times.
    pub(super) fn counts(&self) -> impl Iterator<Item = (Sight, u64)> + '_ {
        Sight::ALL.iter().copied().zip(self.0.iter().copied())
    }
}
