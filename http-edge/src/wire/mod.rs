//! What stands on the wire, shared by several routes: JSON objects, money, times, text limits.

mod json;
mod money;
mod object;
mod text;
mod time;

pub(crate) use json::Raw;
pub use json::{Json, parse};
pub use money::MoneyBody;
pub use object::Object;
pub use text::{Texts, card_number_in};
pub use time::{Instant, instant};
