//! Bounds the bytes of one row, whatever its format does with them.

use std::cell::Cell;
use std::io::{BufReader, Read};

use engine::import::ROW_BYTES_MAX;

/// What is read at once.
const BUFFER: usize = 8 * 1_024;
/// Bytes that may be read before a row ends. Formats read ahead, twice at most.
const ROOM: usize = ROW_BYTES_MAX + 4 * BUFFER;

/// Bytes that may still be read before the row ends.
#[derive(Debug)]
pub(super) struct Meter {
    left: Cell<usize>,
    is_spent: Cell<bool>,
}

impl Default for Meter {
    fn default() -> Self {
        Self { left: Cell::new(ROOM), is_spent: Cell::new(false) }
    }
}

impl Meter {
    pub(super) fn row_ended(&self) {
        self.left.set(ROOM);
    }

    pub(super) fn is_spent(&self) -> bool {
        self.is_spent.get()
    }
}

/// An input that ends with an error when a row takes too much of it.
pub(super) fn metered<'a, R: Read + 'a>(input: R, meter: &'a Meter) -> BufReader<impl Read + 'a> {
    BufReader::with_capacity(BUFFER, Metered { input, meter })
}

struct Metered<'a, R> {
    input: R,
    meter: &'a Meter,
}

impl<R: Read> Read for Metered<'_, R> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let left = self.meter.left.get();
        if left == 0 {
            self.meter.is_spent.set(true);
            return Err(std::io::Error::other("the row is too large"));
        }
        let room = into.len().min(left);
        let into = into.get_mut(..room).unwrap_or_default();
        let read = self.input.read(into)?;
        self.meter.left.set(left.saturating_sub(read));
        Ok(read)
    }
}
