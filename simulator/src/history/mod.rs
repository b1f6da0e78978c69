//! What clients asked and heard, written down as it happens and judged against a model of a shop.
//!
//! [`Recorder`] writes a line when a question leaves and one when it has ended. [`History::read`]
//! pairs the lines again, and [`check`] says whether an honest shop can have given these answers.
//! Positions in the answers give the order of changes, so checking is sorting and replaying.

pub mod event;
pub mod judge;
mod load;
mod model;
mod recorder;
#[cfg(test)]
mod tests;
mod witness;

pub use event::{Ask, End, LineSeen, OrderSeen, Payment, Position, Seen, Status, Wanted};
pub use judge::{Fractions, Judgement, Verdict, check};
pub use load::{BadHistory, History, Op};
pub use recorder::{Client, Open, Recorder};
pub use witness::Witness;
pub(crate) use witness::end;
