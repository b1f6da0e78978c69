//! Blocks of `field: value`, with an empty line between two rows: the format that the guide shows.

use std::io::BufRead;

use engine::import::RawRow;

use super::{Adapter, FeedFault, Rows};

/// The format.
pub(super) struct Blocks;

impl Adapter for Blocks {
    fn name(&self) -> &'static str {
        "blocks"
    }

    fn media_types(&self) -> &'static [&'static str] {
        &["text/x-blocks"]
    }

    fn read(&self, input: &mut dyn BufRead, rows: &mut Rows<'_>) -> Result<(), FeedFault> {
        let (mut row, mut line, mut number) = (None, Vec::new(), 0_u64);
        loop {
            line.clear();
            number += 1;
            let read = input.read_until(b'\n', &mut line);
            let read =
                read.map_err(|_| FeedFault::malformed(number, "the feed ended too early"))?;
            let text = line.trim_ascii_end();
            if text.is_empty() {
                // A row ends here, if one has begun.
                if let Some(whole) = row.take() {
                    rows.push(whole)?;
                }
            } else {
                let missing =
                    || FeedFault::malformed(number, "a line is a field, a colon and a value");
                let colon = text.iter().position(|byte| *byte == b':').ok_or_else(missing)?;
                let (name, value) = text.split_at(colon);
                let name = std::str::from_utf8(name).map_err(|_| missing())?;
                let value = value.get(1..).unwrap_or_default().trim_ascii();
                row.get_or_insert_with(|| RawRow::at(number)).put_bytes(name, value);
            }
            if read == 0 {
                return Ok(());
            }
        }
    }
}
