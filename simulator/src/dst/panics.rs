//! Panics of a world: an assertion of the rules is a promise too, and one that fails must not end the
//! campaign.

use std::cell::{Cell, RefCell};
use std::panic::{self, AssertUnwindSafe, PanicHookInfo};
use std::sync::Once;

thread_local! {
    /// Whether this thread runs a world.
    static CATCHES: Cell<bool> = const { Cell::new(false) };
    /// What the last panic in it said.
    static SAID: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Runs a world, which is only looked at when it has panicked.
///
/// # Errors
///
/// What the panic said, and where.
pub(super) fn caught(run: impl FnOnce()) -> Result<(), String> {
    static LISTENS: Once = Once::new();
    LISTENS.call_once(listen);
    CATCHES.set(true);
    let ended = panic::catch_unwind(AssertUnwindSafe(run));
    CATCHES.set(false);
    ended.map_err(|_| SAID.take())
}

/// What is caught is told as a broken promise; all other panics are told as ever.
fn listen() {
    let others = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        if CATCHES.get() {
            SAID.set(said(panic));
        } else {
            others(panic);
        }
    }));
}

fn said(panic: &PanicHookInfo<'_>) -> String {
    let words = panic.payload_as_str().unwrap_or("a rule panicked");
    let place = panic.location().map_or_else(String::new, |place| format!(" ({place})"));
    format!("{words}{place}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_in_a_world_is_caught_with_its_words_and_its_place() {
        let said = caught(|| panic!("one unit is missing")).unwrap_err();
        assert!(said.starts_with("one unit is missing (simulator/src/dst/panics.rs:"), "{said}");
        assert_eq!(caught(|| {}), Ok(()));
    }
}
