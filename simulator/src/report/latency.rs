//! Latency histograms in microseconds: recorded without gaps, read as percentiles.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;

/// Shares of answers at which a curve is read; the last nines matter most.
const SHARES: [f64; 12] =
    [0.0, 25.0, 50.0, 75.0, 90.0, 95.0, 99.0, 99.5, 99.9, 99.95, 99.99, 100.0];

/// Points of a curve: the share of answers in per cent as a label, and microseconds.
pub type Curve = Vec<(String, u64)>;

/// A histogram from 1 µs to an hour with three significant digits.
///
/// # Panics
/// Never: the bounds are constants that the library accepts.
#[expect(clippy::expect_used, reason = "constant bounds, covered by a test")]
pub fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 3_600_000_000, 3).expect("constant bounds are valid")
}

/// Records one duration; what lies outside the bounds counts as the nearest bound.
pub fn note(histogram: &mut Histogram<u64>, duration: Duration) {
    let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
    histogram.saturating_record(micros.max(1));
}

/// The percentiles that are reported, in microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Percentiles {
    /// How many were recorded.
    pub count: u64,
    /// Half were faster.
    pub p50: u64,
    /// 95 % were faster.
    pub p95: u64,
    /// 99 % were faster.
    pub p99: u64,
    /// 99.9 % were faster.
    pub p99_9: u64,
    /// The slowest.
    pub max: u64,
}

impl Percentiles {
    /// Reads a histogram.
    pub fn of(histogram: &Histogram<u64>) -> Self {
        if histogram.is_empty() {
            return Self::default();
        }
        Self {
            count: histogram.len(),
            p50: histogram.value_at_quantile(0.5),
            p95: histogram.value_at_quantile(0.95),
            p99: histogram.value_at_quantile(0.99),
            p99_9: histogram.value_at_quantile(0.999),
            max: histogram.max(),
        }
    }
}

/// Reads a histogram at each share; empty for an empty one.
pub fn curve(histogram: &Histogram<u64>) -> Curve {
    if histogram.is_empty() {
        return Vec::new();
    }
    SHARES.iter().map(|share| (format!("{share}"), histogram.value_at_percentile(*share))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_within_a_thousandth() {
        let mut histogram = histogram();
        for micros in 1..=10_000_u64 {
            note(&mut histogram, Duration::from_micros(micros));
        }
        let read = Percentiles::of(&histogram);
        assert_eq!(read.count, 10_000);
        for (value, exact) in
            [(read.p50, 5_000), (read.p95, 9_500), (read.p99, 9_900), (read.p99_9, 9_990)]
        {
            assert!(value.abs_diff(exact) <= exact / 1_000, "{value} for {exact}");
        }
        assert!(read.max.abs_diff(10_000) <= 10);
    }

    #[test]
    fn nothing_recorded_reads_as_zero() {
        assert_eq!(Percentiles::of(&histogram()), Percentiles::default());
        assert!(curve(&histogram()).is_empty());
    }

    #[test]
    fn the_unthinkable_is_counted_at_the_bounds() {
        let mut histogram = histogram();
        note(&mut histogram, Duration::ZERO);
        note(&mut histogram, Duration::from_secs(1_000_000));
        assert_eq!(histogram.len(), 2);
        assert_eq!(histogram.min(), 1);
        assert!(histogram.max() >= 3_600_000_000);
    }

    #[test]
    fn a_curve_rises_to_the_maximum() {
        let mut histogram = histogram();
        for micros in [10, 20, 30, 4_000] {
            note(&mut histogram, Duration::from_micros(micros));
        }
        let curve = curve(&histogram);
        assert!(curve.is_sorted_by_key(|(_, micros)| *micros));
        assert_eq!(curve.len(), SHARES.len());
        assert_eq!(curve.last().unwrap().0, "100");
    }
}
