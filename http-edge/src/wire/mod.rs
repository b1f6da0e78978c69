//! What stands on the wire, shared by several routes: JSON objects, money, times, text limits.

mod cards;
mod decimal;
mod digits;
mod json;
mod money;
mod object;
mod path;
mod text;
mod time;
mod told;

pub use cards::card_number_in;
pub(crate) use cards::{masked, masked_path};
pub(crate) use decimal::{amount, with_decimals};
pub use json::{Json, parse};
pub(crate) use json::{JsonText, Raw, parse_list};
pub use money::MoneyBody;
pub use object::Object;
pub use path::Path;
pub use text::Texts;
pub(crate) use time::month;
pub use time::{Instant, instant};
pub(crate) use told::PublicEventBody;
pub use told::ToldBody;
