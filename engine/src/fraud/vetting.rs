//! What is learnt about the buyer of an order before it is judged.

/// Earlier orders of a buyer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// Those within the time that was asked for, at most [`RECENT_MAX`](crate::buyer::RECENT_MAX).
    pub recent: u32,
    /// Whether there was ever one before.
    pub has_earlier: bool,
}

/// What is known about the buyer of an order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Vetting {
    /// Whether the request names a buyer. The account of a key orders for many people, so its own
    /// orders say nothing about any of them.
    pub is_named: bool,
    /// The buyer's orders; nothing while nobody has counted them, or nobody could.
    pub counted: Option<Counted>,
    /// Whether somebody was asked to count.
    pub was_asked: bool,
    /// Whether the shop trusts the buyer; nothing while nobody has asked.
    pub is_trusted: Option<bool>,
}
