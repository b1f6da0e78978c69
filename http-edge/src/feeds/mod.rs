//! Feeds of partners: one adapter for each format, which turns bytes into rows and knows nothing else.
//!
//! Everything behind an adapter knows rows only. A new format is a file beside the others and a line
//! in [`ADAPTERS`]; docs/partner-feeds.md shows one.

#[cfg(test)]
mod contract;
mod csv;
#[cfg(test)]
mod example;
mod json;
mod meter;
mod xml;

use std::borrow::Cow;
use std::io::{BufRead, Read};

use engine::import::{ROWS_MAX, RawRow};
use http::HeaderValue;

use self::meter::{Meter, metered};

/// Every format that is taken.
pub(crate) static ADAPTERS: &[&dyn Adapter] = &[&csv::Csv, &json::Json, &xml::Xml];

/// Reads one format.
pub(crate) trait Adapter: Send + Sync {
    /// Its name, for answers and events.
    fn name(&self) -> &'static str;

    /// The media types that announce it, in lower case and without parameters.
    fn media_types(&self) -> &'static [&'static str];

    /// Hands on one row after the other, the bad ones with what is wrong with them. It keeps no more
    /// than one row in memory.
    ///
    /// # Errors
    ///
    /// [`FeedFault`] when what follows cannot be told apart into rows, or nobody wants more.
    fn read(&self, input: &mut dyn BufRead, rows: &mut Rows<'_>) -> Result<(), FeedFault>;
}

/// Why a feed as a whole cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FeedFault {
    /// Stable code for machines.
    pub(crate) code: &'static str,
    /// Where: the line, or the number of the row.
    pub(crate) line: u64,
    /// What is wrong, for people; never what was sent.
    pub(crate) message: Cow<'static, str>,
}

impl FeedFault {
    /// What is there is not of the format.
    pub(crate) fn malformed(line: u64, message: impl Into<Cow<'static, str>>) -> Self {
        Self { code: "malformed_feed", line, message: message.into() }
    }

    pub(crate) fn new(code: &'static str, line: u64, message: &'static str) -> Self {
        Self { code, line, message: message.into() }
    }
}

/// Where rows go to.
pub(crate) struct Rows<'a> {
    take: &'a mut dyn FnMut(RawRow) -> bool,
    meter: &'a Meter,
    count: u32,
}

impl Rows<'_> {
    /// Hands a row on.
    ///
    /// # Errors
    ///
    /// When there are too many, or nobody wants more.
    pub(crate) fn push(&mut self, row: RawRow) -> Result<(), FeedFault> {
        self.meter.row_ended();
        self.count = self.count.saturating_add(1);
        if ROWS_MAX < self.count {
            let message = "a feed has at most 200,000 rows";
            return Err(FeedFault::new("too_many_rows", row.line(), message));
        }
        if (self.take)(row) {
            Ok(())
        } else {
            Err(FeedFault::new("stopped", 0, "nobody wants more rows"))
        }
    }

    /// The number of the row that comes next, for formats that know no lines.
    pub(crate) fn next(&self) -> u64 {
        u64::from(self.count).saturating_add(1)
    }
}

/// Reads a feed to its end. `take` says whether it wants more rows.
pub(crate) fn read(
    adapter: &dyn Adapter,
    input: impl Read,
    take: &mut dyn FnMut(RawRow) -> bool,
) -> Result<(), FeedFault> {
    let meter = Meter::default();
    let mut rows = Rows { take, meter: &meter, count: 0 };
    let mut input = metered(input, &meter);
    let read = adapter.read(&mut input, &mut rows);
    // Whatever the format made of it: it was given no more.
    if meter.is_spent() {
        let message = "a row has at most 64 KiB";
        return Err(FeedFault::new("row_too_large", rows.next(), message));
    }
    read
}

/// The adapter for a media type; its only parameter may be the encoding, which is UTF-8.
pub(crate) fn adapter_for(media: &HeaderValue) -> Option<&'static dyn Adapter> {
    let text = media.to_str().ok()?.to_ascii_lowercase();
    let mut parts = text.split(';').map(str::trim);
    let media = parts.next()?;
    if !parts.all(|part| matches!(part, "charset=utf-8" | "charset=\"utf-8\"" | "header=present")) {
        return None;
    }
    ADAPTERS.iter().copied().find(|adapter| adapter.media_types().contains(&media))
}
