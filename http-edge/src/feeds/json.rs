//! JSON: an array of objects, or one object after the other.

use std::fmt;
use std::io::BufRead;

use engine::import::{RawRow, RowFault, RowField};
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::{Adapter, FeedFault, Rows};

/// The format.
pub(super) struct Json;

impl Adapter for Json {
    fn name(&self) -> &'static str {
        "json"
    }

    fn media_types(&self) -> &'static [&'static str] {
        &["application/json", "application/x-ndjson", "application/jsonl"]
    }

    fn read(&self, input: &mut dyn BufRead, rows: &mut Rows<'_>) -> Result<(), FeedFault> {
        let malformed = |line| FeedFault::malformed(line, "the feed is no JSON from here on");
        let first = first_byte(input).map_err(|_| malformed(1))?;
        let mut reader = serde_json::Deserializer::from_reader(input);
        if first != Some(b'[') {
            for value in reader.into_iter::<Box<RawValue>>() {
                let value = value.map_err(|_| malformed(rows.next()))?;
                let row = row(rows.next(), &value);
                rows.push(row)?;
            }
            return Ok(());
        }
        let mut stopped = None;
        let list = List { rows, stopped: &mut stopped };
        let read = reader.deserialize_seq(list).and_then(|()| reader.end());
        match (stopped, read) {
            (Some(fault), _) => Err(fault),
            (None, Ok(())) => Ok(()),
            (None, Err(_)) => Err(malformed(rows.next())),
        }
    }
}

/// The first byte that is no space, which stays where it is.
fn first_byte(input: &mut dyn BufRead) -> std::io::Result<Option<u8>> {
    loop {
        let buffer = input.fill_buf()?;
        let blank = buffer.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        let (found, is_end) = (buffer.get(blank).copied(), buffer.is_empty());
        input.consume(blank);
        if found.is_some() || is_end {
            return Ok(found);
        }
    }
}

/// The rows of an array, one after the other.
struct List<'a, 'r> {
    rows: &'a mut Rows<'r>,
    stopped: &'a mut Option<FeedFault>,
}

impl<'de> Visitor<'de> for List<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of rows")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while let Some(value) = list.next_element::<Box<RawValue>>()? {
            let row = row(self.rows.next(), &value);
            if let Err(fault) = self.rows.push(row) {
                *self.stopped = Some(fault);
                return Err(serde::de::Error::custom("stopped"));
            }
        }
        Ok(())
    }
}

/// A row from whatever stands where one should.
fn row(number: u64, value: &RawValue) -> RawRow {
    let mut row = RawRow::at(number);
    let Ok(Fields(fields)) = serde_json::from_str(value.get()) else {
        row.refuse(RowField::Row, RowFault::WrongType);
        return row;
    };
    for (name, value) in fields {
        let text = value.get();
        match text.as_bytes().first() {
            Some(b'"') => match serde_json::from_str::<String>(text) {
                Ok(text) => row.put(&name, &text),
                // Half of a surrogate pair, for one.
                Err(_) => row.put_bytes(&name, b"\xff"),
            },
            Some(b'-' | b'0'..=b'9') => row.put(&name, text),
            Some(b'n') => row.put(&name, ""),
            _ => row.put_misfit(&name),
        }
    }
    row
}

/// The fields of an object as they stand, also those that stand twice.
struct Fields(Vec<(String, Box<RawValue>)>);

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AnyFields;
        impl<'de> Visitor<'de> for AnyFields {
            type Value = Fields;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Fields(fields))
            }
        }
        deserializer.deserialize_map(AnyFields)
    }
}
