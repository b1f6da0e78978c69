//! What a drill has measured, and what it demands of it.

use std::fmt::Display;
use std::time::Duration;

use serde::Serialize;

use super::ground::Ground;
use super::probe::{ANSWERED_WITHIN, Beat, times};

/// One figure; with a demand it decides.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Figure {
    /// What was measured.
    pub(super) name: String,
    /// How much it is.
    pub(super) value: String,
    /// What it must be; none where it only informs.
    pub(super) demand: Option<String>,
    /// Whether it is that.
    pub(super) met: bool,
}

/// All figures of one drill.
#[derive(Debug, Default)]
pub(super) struct Findings {
    figures: Vec<Figure>,
    part: String,
}

impl Findings {
    /// Figures from here on belong to this part of the drill, a store for one.
    pub(super) fn part(&mut self, name: &str) {
        name.clone_into(&mut self.part);
    }

    /// A figure that only informs.
    pub(super) fn note(&mut self, name: &str, value: impl Display) {
        self.push(name, value.to_string(), None, true);
    }

    /// A figure that must satisfy a demand.
    pub(super) fn demand(&mut self, name: &str, value: impl Display, demand: &str, met: bool) {
        self.push(name, value.to_string(), Some(demand.to_owned()), met);
    }

    /// What must not have happened.
    pub(super) fn zero(&mut self, name: &str, count: impl Into<i128>) {
        let count = count.into();
        self.demand(name, count, "0", count == 0);
    }

    /// What must have happened so often at least.
    pub(super) fn at_least(&mut self, name: &str, count: u64, least: u64) {
        self.demand(name, count, &format!("≥ {least}"), least <= count);
    }

    /// What must be true of every one of them, and there must be some.
    pub(super) fn all(&mut self, name: &str, count: usize, of: usize) {
        self.demand(name, format!("{count} of {of}"), "all, and some", count == of && 0 < of);
    }

    /// What must show that the fault was there: half of the orders took that long at least.
    pub(super) fn slowed(&mut self, beats: &[Beat], delay: Duration) {
        let times = times(beats.iter().filter(|beat| beat.is_acknowledged()));
        let usual = quantile(&times, 500);
        let demand = format!("≥ {} ms", delay.as_millis());
        self.demand("p50 of the acknowledged, ms", in_millis(usual), &demand, delay <= usual);
    }

    /// What must not have taken longer.
    pub(super) fn within(&mut self, name: &str, took: Duration, longest: Duration) {
        let demand = format!("≤ {} ms", longest.as_millis());
        self.demand(name, format!("{} ms", in_millis(took)), &demand, took <= longest);
    }

    /// A goal for a machine that does nothing else: in the short version, which runs beside other
    /// tests, it only informs.
    pub(super) fn goal(&mut self, ground: &Ground, name: &str, took: Duration, longest: Duration) {
        if ground.is_short() {
            self.note(&format!("{name}, ms"), in_millis(took));
        } else {
            self.within(name, took, longest);
        }
    }

    /// How long orders took; none may have taken longer than the contract allows.
    pub(super) fn answers(&mut self, beats: &[Beat]) {
        let times = times(beats);
        self.note("p50 ms", in_millis(quantile(&times, 500)));
        self.note("p99 ms", in_millis(quantile(&times, 990)));
        self.within("slowest", quantile(&times, 1_000), ANSWERED_WITHIN);
    }

    /// How long the server was not there for its clients.
    pub(super) fn starts(&mut self, back: &[Duration]) {
        self.note("start → first order, p50 ms", in_millis(quantile(back, 500)));
        self.note("start → first order, p99 ms", in_millis(quantile(back, 990)));
    }

    /// The figures, in the order in which they were found.
    pub(super) fn into_figures(self) -> Vec<Figure> {
        self.figures
    }

    /// The names of the figures that miss their demand.
    pub(super) fn unmet(&self) -> impl Iterator<Item = &str> {
        self.figures.iter().filter(|figure| !figure.met).map(|figure| figure.name.as_str())
    }

    /// Adds up the counts of another reckoning of the same kind; words stay where they are alike.
    pub(super) fn add(&mut self, other: Self) {
        for mut figure in other.figures {
            figure.name = self.named(&figure.name);
            let known = self.figures.iter_mut().find(|known| known.name == figure.name);
            let Some(known) = known else {
                self.figures.push(figure);
                continue;
            };
            match (known.value.parse::<i128>(), figure.value.parse::<i128>()) {
                (Ok(one), Ok(two)) => known.value = (one + two).to_string(),
                _ if figure.met => {}
                _ => known.value = figure.value,
            }
            known.met &= figure.met;
        }
    }

    /// Takes over figures as they are, into the present part.
    pub(super) fn take(&mut self, other: Self) {
        for Figure { name, value, demand, met } in other.figures {
            self.push(&name, value, demand, met);
        }
    }

    fn push(&mut self, name: &str, value: String, demand: Option<String>, met: bool) {
        let name = self.named(name);
        self.figures.push(Figure { name, value, demand, met });
    }

    /// The name of a figure in the present part.
    fn named(&self, name: &str) -> String {
        if self.part.is_empty() { name.to_owned() } else { format!("{}: {name}", self.part) }
    }
}

/// Milliseconds with one digit.
pub(super) fn in_millis(took: Duration) -> String {
    let tenths = (took.as_micros() + 50) / 100;
    format!("{}.{}", tenths / 10, tenths % 10)
}

/// The value below which that many of a thousand lie; zero of nothing.
pub(super) fn quantile(values: &[Duration], per_mille: usize) -> Duration {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    let rank = (sorted.len() * per_mille).div_ceil(1_000).max(1) - 1;
    sorted.get(rank).copied().unwrap_or_default()
}

/// The fault cannot be injected on this machine.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct NotHere(pub(super) String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_beside_its_demand_is_not_met() {
        let mut findings = Findings::default();
        findings.part("sqlite");
        findings.zero("lost", 1);
        findings.at_least("kills", 3, 3);
        findings.within("p99", Duration::from_millis(51), Duration::from_millis(50));
        let met: Vec<(String, bool)> =
            findings.into_figures().into_iter().map(|figure| (figure.name, figure.met)).collect();
        let expected = [("sqlite: lost", false), ("sqlite: kills", true), ("sqlite: p99", false)];
        assert_eq!(met, expected.map(|(name, met)| (name.to_owned(), met)));
    }

    #[test]
    fn a_quantile_is_one_of_the_values() {
        let values: Vec<Duration> = (1..=200).rev().map(Duration::from_millis).collect();
        assert_eq!(quantile(&values, 500), Duration::from_millis(100));
        assert_eq!(quantile(&values, 990), Duration::from_millis(198));
        assert_eq!(quantile(&values, 1_000), Duration::from_millis(200));
        assert_eq!(quantile(&[], 990), Duration::ZERO);
        assert_eq!(in_millis(Duration::from_micros(1_250)), "1.3");
    }
}
