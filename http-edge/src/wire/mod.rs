//! What stands on the wire, shared by several routes: JSON objects, money, times, text limits.

mod decimal;
mod json;
mod money;
mod object;
mod path;
mod text;
mod time;

pub(crate) use decimal::{amount, with_decimals};
pub use json::{Json, parse};
pub(crate) use json::{JsonText, Raw, parse_list};
pub use money::MoneyBody;
pub use object::Object;
pub use path::Path;
pub use text::{Texts, card_number_in};
pub use time::{Instant, instant};
