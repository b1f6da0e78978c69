//! Comma-separated values with a header line (RFC 4180).

use std::io::BufRead;

use csv::{ByteRecord, ReaderBuilder};
use engine::import::{RawRow, RowFault, RowField};

use super::{Adapter, FeedFault, Rows};

/// The format.
pub(super) struct Csv;

impl Adapter for Csv {
    fn name(&self) -> &'static str {
        "csv"
    }

    fn media_types(&self) -> &'static [&'static str] {
        &["text/csv", "application/csv"]
    }

    fn read(&self, input: &mut dyn BufRead, rows: &mut Rows<'_>) -> Result<(), FeedFault> {
        // Rows with too few or too many columns are refused one by one, not all that follow.
        let mut reader = ReaderBuilder::new().flexible(true).has_headers(false).from_reader(input);
        let mut record = ByteRecord::new();
        let malformed = |line| FeedFault::malformed(line, "the feed cannot be read any further");
        if !reader.read_byte_record(&mut record).map_err(|_| malformed(1))? {
            return Err(FeedFault::malformed(1, "the first line names the columns"));
        }
        let names = names(&record)?;
        while reader.read_byte_record(&mut record).map_err(|_| malformed(rows.next()))? {
            let line = record.position().map_or(0, csv::Position::line);
            let mut row = RawRow::at(line);
            if record.len() != names.len() {
                row.refuse(RowField::Row, RowFault::WrongColumns);
            }
            for (name, text) in names.iter().zip(&record) {
                row.put_bytes(name.as_str(), text);
            }
            rows.push(row)?;
        }
        Ok(())
    }
}

/// The columns, each known and named once.
fn names(header: &ByteRecord) -> Result<Vec<RowField>, FeedFault> {
    let mut names = Vec::with_capacity(header.len());
    for column in header {
        let known =
            std::str::from_utf8(column).ok().map(|name| name.trim_start_matches('\u{feff}'));
        let Some(field) = known.and_then(RowField::parse) else {
            return Err(FeedFault::new("unknown_field", 1, "a column is not known"));
        };
        if names.contains(&field) {
            return Err(FeedFault::new("duplicate_field", 1, "a column stands twice"));
        }
        names.push(field);
    }
    Ok(names)
}
