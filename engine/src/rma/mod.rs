//! A return: units of a delivered order on their way back, and their money with them.
//!
//! - RETURN-1: units come back that were bought and belong to no other return.
//! - RETURN-2: approved is never more than requested, passed never more than approved.
//! - RETURN-3: the status follows the published edges.
//! - RETURN-4: units go back into stock once, and only after they have passed and their money is back.
//!
//! The order owns the counts and the money; a return asks it, and says in `outstanding` what is
//! still to be asked. Calls go from the return to its order and to the stocks, never back.

mod decide;
mod evolve;
mod life;
mod model;
mod outstanding;
mod refusal;
#[cfg(test)]
mod tests;

pub use life::ReturnStatus;
pub use model::{
    OpenReturn, PHOTOS_MAX, REASON_MAX, Return, ReturnCommand, ReturnEvent, ReturnLine,
    ReturnRefund, ReturnRequest, ReturnState, ReturnStep,
};
pub use refusal::ReturnRefusal;
