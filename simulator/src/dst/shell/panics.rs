//! Panics of a run. None is planned, so each is a fault that was found, also where somebody survives it.

use std::cell::RefCell;
use std::sync::Once;

thread_local! {
    /// What the first panic of this thread's run said; a run never leaves its thread.
    static FIRST: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Watches for panics of a run that begins on this thread.
pub(super) fn watch() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            FIRST.with_borrow_mut(|first| {
                first.get_or_insert_with(|| panic.to_string());
            });
            before(panic);
        }));
    });
    FIRST.set(None);
}

/// What the first panic since then said.
pub(super) fn first() -> Option<String> {
    FIRST.with_borrow(Clone::clone)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_that_was_caught_is_seen_all_the_same() {
        watch();
        assert_eq!(first(), None);
        let caught = std::panic::catch_unwind(|| assert_eq!(1, 2, "planned here"));
        assert!(caught.is_err());
        assert!(first().is_some_and(|said| said.contains("planned here")));
        watch();
        assert_eq!(first(), None);
    }
}
