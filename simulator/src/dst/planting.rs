//! Which bug is planted in a thread, and how it gets into another one.

#[cfg(feature = "planted")]
use engine::planted::{Bug, plant, planted};

/// What is planted in a thread: at most one bug, and none in a build that has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Planted(#[cfg(feature = "planted")] Option<Bug>);

#[cfg(feature = "planted")]
impl Planted {
    /// The bug of that name, if there is one.
    pub(super) fn named(name: Option<&str>) -> Self {
        Self(name.and_then(Bug::named))
    }

    /// What is planted here.
    pub(super) fn here() -> Self {
        Self(Bug::ALL.iter().copied().find(|bug| planted(*bug)))
    }

    /// Plants it here, and takes out whatever else was planted.
    pub(super) fn plant(self) {
        plant(self.0);
    }

    /// What the bug is called.
    pub(super) fn name(self) -> Option<&'static str> {
        self.0.map(Bug::name)
    }
}

#[cfg(not(feature = "planted"))]
#[expect(clippy::unused_self, reason = "stands for the methods of builds with planted bugs")]
impl Planted {
    /// A build without planted bugs knows none by name.
    pub(super) const fn named(_name: Option<&str>) -> Self {
        Self()
    }

    /// Nothing.
    pub(super) const fn here() -> Self {
        Self()
    }

    /// There is nothing to plant.
    pub(super) const fn plant(self) {}

    /// Nothing has no name.
    pub(super) const fn name(self) -> Option<&'static str> {
        None
    }
}

#[cfg(all(test, feature = "planted"))]
mod tests {
    use super::*;

    #[test]
    fn what_is_planted_in_one_thread_is_planted_in_another_only_by_hand() {
        Planted::named(Some("oversells")).plant();
        let mine = Planted::here();
        let theirs = std::thread::spawn(move || {
            let before = Planted::here();
            mine.plant();
            (before, Planted::here())
        });
        assert_eq!(theirs.join().unwrap(), (Planted(None), Planted(Some(Bug::Oversells))));
        assert_eq!(mine.name(), Some("oversells"));
        Planted::named(None).plant();
        assert_eq!(Planted::here(), Planted(None));
    }
}
