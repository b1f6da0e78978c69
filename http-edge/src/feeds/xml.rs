//! XML: `<products><product><sku>…</sku>…</product></products>`, without a document type.
//!
//! There are no entities but the five of XML itself, so nothing can grow while it is read.

use std::io::BufRead;

use engine::import::{RawRow, RowFault, RowField};
use quick_xml::Reader;
use quick_xml::events::{BytesRef, BytesStart, Event};

use super::{Adapter, FeedFault, Rows};

/// The format.
pub(super) struct Xml;

impl Adapter for Xml {
    fn name(&self) -> &'static str {
        "xml"
    }

    fn media_types(&self) -> &'static [&'static str] {
        &["application/xml", "text/xml"]
    }

    fn read(&self, input: &mut dyn BufRead, rows: &mut Rows<'_>) -> Result<(), FeedFault> {
        let mut reader = Reader::from_reader(input);
        reader.config_mut().expand_empty_elements = true;
        let mut place = Place::default();
        let mut buffer = Vec::new();
        loop {
            let event = reader.read_event_into(&mut buffer).map_err(|_| {
                FeedFault::malformed(rows.next(), "the feed is no XML from here on")
            })?;
            if matches!(event, Event::Eof) {
                return place.end(rows);
            }
            place.step(&event, rows)?;
            buffer.clear();
        }
    }
}

/// Where in the document the reader is.
#[derive(Default)]
struct Place {
    /// Elements that are open.
    depth: usize,
    is_over: bool,
    row: RawRow,
    field: Vec<u8>,
    text: Vec<u8>,
    /// Whether the field holds elements.
    is_nested: bool,
}

impl Place {
    fn step(&mut self, event: &Event<'_>, rows: &mut Rows<'_>) -> Result<(), FeedFault> {
        let at = rows.next();
        match event {
            Event::Start(start) => self.open(start, at),
            Event::End(_) => self.close(rows),
            Event::Text(text) => self.write(text, at),
            Event::CData(text) => self.write(text, at),
            Event::GeneralRef(reference) => self.refer(reference, at),
            Event::DocType(_) => {
                Err(FeedFault::new("dtd_refused", at, "a feed has no document type"))
            }
            Event::PI(_) => {
                Err(FeedFault::malformed(at, "a feed has no instructions for programs"))
            }
            Event::Decl(decl) => match decl.encoding() {
                None => Ok(()),
                Some(Ok(name)) if name.eq_ignore_ascii_case(b"utf-8") => Ok(()),
                Some(_) => Err(FeedFault::malformed(at, "a feed is encoded as UTF-8")),
            },
            Event::Comment(_) | Event::Empty(_) | Event::Eof => Ok(()),
        }
    }

    fn open(&mut self, start: &BytesStart<'_>, at: u64) -> Result<(), FeedFault> {
        let name = start.name();
        let has_attributes = start.attributes().next().is_some();
        match self.depth {
            0 if self.is_over || name.as_ref() != b"products" || has_attributes => {
                return Err(FeedFault::malformed(at, "a feed is one element called products"));
            }
            0 => {}
            1 if name.as_ref() == b"product" => self.row = RawRow::at(at),
            1 => return Err(FeedFault::malformed(at, "rows are elements called product")),
            2 => {
                self.field = name.as_ref().to_vec();
                self.text.clear();
                self.is_nested = false;
            }
            _ => self.is_nested = true,
        }
        if has_attributes {
            self.row.refuse(RowField::Row, RowFault::UnknownField);
        }
        self.depth = self.depth.saturating_add(1);
        Ok(())
    }

    fn close(&mut self, rows: &mut Rows<'_>) -> Result<(), FeedFault> {
        self.depth = self.depth.saturating_sub(1);
        match self.depth {
            0 => self.is_over = true,
            1 => rows.push(std::mem::take(&mut self.row))?,
            2 => {
                // What is no text is no name that is known.
                let name = std::str::from_utf8(&self.field).unwrap_or_default();
                if self.is_nested {
                    self.row.put_misfit(name);
                } else {
                    self.row.put_bytes(name, &self.text);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn write(&mut self, text: &[u8], at: u64) -> Result<(), FeedFault> {
        match self.depth {
            3 => self.text.extend_from_slice(text),
            _ if text.iter().all(u8::is_ascii_whitespace) => {}
            2 => self.row.refuse(RowField::Row, RowFault::WrongType),
            0 | 1 => return Err(FeedFault::malformed(at, "a text stands outside of all rows")),
            _ => {}
        }
        Ok(())
    }

    fn refer(&mut self, reference: &BytesRef<'_>, at: u64) -> Result<(), FeedFault> {
        let character = match reference.resolve_char_ref() {
            Ok(Some(character)) => character,
            Ok(None) => match &**reference {
                b"lt" => '<',
                b"gt" => '>',
                b"amp" => '&',
                b"quot" => '"',
                b"apos" => '\'',
                _ => {
                    return Err(FeedFault::new("entity_refused", at, "the entity is not known"));
                }
            },
            Err(_) => return Err(FeedFault::malformed(at, "there is no such character")),
        };
        self.write(character.encode_utf8(&mut [0; 4]).as_bytes(), at)
    }

    fn end(&self, rows: &Rows<'_>) -> Result<(), FeedFault> {
        if self.is_over && self.depth == 0 {
            Ok(())
        } else {
            Err(FeedFault::malformed(rows.next(), "the feed ends too early"))
        }
    }
}
