//! Times on the wire: RFC 3339, UTC, microseconds.

use std::fmt;

use engine::values::Moment;
use jiff::Timestamp;
use jiff::tz::Offset;
use serde::{Serialize, Serializer};

/// A moment that serialises as `2026-11-21T03:32:20.123456Z`.
#[derive(Clone, Copy, Debug)]
pub struct Instant(Timestamp);

/// The moment as the wire tells it; what no calendar can tell becomes the nearest that it can.
pub fn instant(moment: Moment) -> Instant {
    let micros = moment.as_unix_micros();
    let beyond = if micros < 0 { Timestamp::MIN } else { Timestamp::MAX };
    Instant(Timestamp::from_microsecond(micros).unwrap_or(beyond))
}

/// Year and month of the moment, in UTC.
pub(crate) fn month(moment: Moment) -> (i64, i64) {
    let date = Offset::UTC.to_datetime(instant(moment).0);
    (i64::from(date.year()), i64::from(date.month()))
}

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl Serialize for Instant {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_told_in_utc() {
        let text = serde_json::to_string(&instant(Moment::from_unix_micros(1_700_000_000_000_001)));
        assert_eq!(text.unwrap(), "\"2023-11-14T22:13:20.000001Z\"");
    }

    #[test]
    fn a_month_begins_at_midnight_in_utc() {
        let micros = 1_767_225_600_000_000;
        assert_eq!(month(Moment::from_unix_micros(micros)), (2026, 1));
        assert_eq!(month(Moment::from_unix_micros(micros - 1)), (2025, 12));
    }

    #[test]
    fn a_moment_beyond_the_calendar_is_told_as_its_end() {
        let text = serde_json::to_string(&instant(Moment::from_unix_micros(i64::MAX))).unwrap();
        assert!(text.starts_with("\"9999-"), "{text}");
    }
}
