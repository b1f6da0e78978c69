//! Panics of a world: an assertion of the rules is a promise too, and one that fails must not end the
//! campaign.

use std::cell::{Cell, RefCell};
use std::panic::{self, AssertUnwindSafe, PanicHookInfo};
use std::sync::Once;

thread_local! {
    /// Whether this thread runs a world.
    static WATCHES: Cell<bool> = const { Cell::new(false) };
    /// What the first panic in it said.
    static FIRST: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Runs a world, which is only looked at when it has panicked.
///
/// # Errors
///
/// What the first panic said, and where, when one got out of it.
pub(super) fn caught<T>(run: impl FnOnce() -> T) -> Result<T, String> {
    static LISTENS: Once = Once::new();
    LISTENS.call_once(listen);
    FIRST.set(None);
    WATCHES.set(true);
    let ended = panic::catch_unwind(AssertUnwindSafe(run));
    WATCHES.set(false);
    ended.map_err(|_| first().unwrap_or_default())
}

/// What the first panic of the world on this thread said, also if somebody has survived it.
pub(super) fn first() -> Option<String> {
    FIRST.with_borrow(Clone::clone)
}

/// What is caught is told as a broken promise; all other panics are told as ever.
fn listen() {
    let others = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        if WATCHES.get() {
            FIRST.with_borrow_mut(|first| _ = first.get_or_insert_with(|| said(panic)));
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
        assert_eq!(caught(|| 1), Ok(1));
    }

    #[test]
    fn a_panic_that_somebody_survives_is_seen_all_the_same() {
        let seen = caught(|| {
            assert_eq!(first(), None);
            assert!(panic::catch_unwind(|| panic!("planned here")).is_err());
            first()
        });
        assert!(seen.unwrap().is_some_and(|said| said.starts_with("planned here")));
    }
}
