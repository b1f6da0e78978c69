//! The client's half of the PostgreSQL wire protocol, as far as it takes to see a commit coming.
//!
//! An append to the journal is one autocommit statement: Parse (once), Bind, Execute, Sync. The
//! watch remembers which prepared statements and portals write to the journal, and speaks up when
//! one of them is executed.

use std::collections::{BTreeMap, BTreeSet};

use bytes::{Buf as _, Bytes, BytesMut};

const SSL_REQUEST: u32 = 80_877_103;
const GSS_REQUEST: u32 = 80_877_104;

/// One message from the client, with the bytes that it came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The type byte; `None` for the messages of the start, which have none.
    pub kind: Option<u8>,
    /// The whole message, header included.
    pub bytes: Bytes,
}

/// Cuts a stream of bytes into frames.
#[derive(Debug, Default)]
pub struct Frames {
    waiting: BytesMut,
    started: bool,
}

impl Frames {
    /// Takes bytes as they come.
    pub fn push(&mut self, bytes: &[u8]) {
        self.waiting.extend_from_slice(bytes);
    }

    /// The next whole frame, if there is one.
    pub fn next_frame(&mut self) -> Option<Frame> {
        let header = usize::from(self.started);
        let length = usize::try_from(u32_at(&self.waiting, header)?).ok()?;
        let total = header + length.max(4);
        if self.waiting.len() < total {
            return None;
        }
        let kind = if self.started { self.waiting.first().copied() } else { None };
        let bytes = self.waiting.split_to(total).freeze();
        if kind.is_none() {
            // A request for encryption is answered by one byte, and then the start comes again.
            let code = u32_at(&bytes, 4).unwrap_or_default();
            self.started = code != SSL_REQUEST && code != GSS_REQUEST;
        }
        Some(Frame { kind, bytes })
    }
}

/// What a frame means for the journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// Nothing.
    Other,
    /// From here on the journal may change.
    Append,
    /// The end of a statement: the server commits when it sees this.
    Sync,
}

/// Remembers which statements and portals of one connection write to the journal.
#[derive(Debug, Default)]
pub struct Watch {
    statements: BTreeMap<Bytes, bool>,
    portals: BTreeSet<Bytes>,
}

impl Watch {
    /// Looks at the next frame of the client.
    pub fn see(&mut self, frame: &Frame) -> Meaning {
        let mut rest = frame.bytes.clone();
        rest.advance(5.min(rest.len()));
        match frame.kind {
            Some(b'P') => {
                let (name, text) = (text(&mut rest), text(&mut rest));
                self.statements.insert(name, appends(&text));
                Meaning::Other
            }
            Some(b'B') => {
                let (portal, statement) = (text(&mut rest), text(&mut rest));
                if self.statements.get(&statement).copied().unwrap_or_default() {
                    self.portals.insert(portal);
                } else {
                    self.portals.remove(&portal);
                }
                Meaning::Other
            }
            Some(b'C') => {
                let kind = rest.first().copied();
                rest.advance(1.min(rest.len()));
                let name = text(&mut rest);
                if kind == Some(b'S') {
                    self.statements.remove(&name);
                } else {
                    self.portals.remove(&name);
                }
                Meaning::Other
            }
            Some(b'E') if self.portals.contains(&text(&mut rest)) => Meaning::Append,
            Some(b'Q') if appends(&text(&mut rest)) => Meaning::Append,
            Some(b'S') => Meaning::Sync,
            _ => Meaning::Other,
        }
    }
}

/// Whether a statement writes to the journal.
fn appends(statement: &[u8]) -> bool {
    let words = String::from_utf8_lossy(statement).to_lowercase();
    let mut words = words.split_whitespace();
    while let Some(word) = words.next() {
        if word.trim_start_matches('(') == "insert" && words.next() == Some("into") {
            let table = words.next().unwrap_or_default();
            let table = table.split('(').next().unwrap_or_default().replace('"', "");
            if table.rsplit('.').next() == Some("journal") {
                return true;
            }
        }
    }
    false
}

/// Takes a text that ends with a zero byte.
fn text(rest: &mut Bytes) -> Bytes {
    let end = rest.iter().position(|byte| *byte == 0).unwrap_or(rest.len());
    let found = rest.split_to(end);
    rest.advance(1.min(rest.len()));
    found
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let four = bytes.get(at..at.checked_add(4)?)?;
    Some(u32::from_be_bytes(four.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(kind: u8, body: &[u8]) -> Vec<u8> {
        let length = u32::try_from(body.len() + 4).unwrap();
        [&[kind][..], &length.to_be_bytes(), body].concat()
    }

    fn start(code: u32, body: &[u8]) -> Vec<u8> {
        let length = u32::try_from(body.len() + 8).unwrap();
        [&length.to_be_bytes()[..], &code.to_be_bytes(), body].concat()
    }

    fn see(frames: &mut Frames, watch: &mut Watch, bytes: &[u8]) -> Vec<Meaning> {
        frames.push(bytes);
        let mut seen = Vec::new();
        while let Some(frame) = frames.next_frame() {
            seen.push(watch.see(&frame));
        }
        seen
    }

    fn started() -> Frames {
        let mut frames = Frames::default();
        frames.push(&start(196_608, b"user\0me\0\0"));
        assert_eq!(frames.next_frame().unwrap().kind, None);
        frames
    }

    #[test]
    fn a_request_for_encryption_is_followed_by_the_real_start() {
        let mut frames = Frames::default();
        frames.push(&start(SSL_REQUEST, b""));
        frames.push(&start(196_608, b"user\0me\0\0"));
        frames.push(&message(b'Q', b"SELECT 1\0"));
        assert_eq!(frames.next_frame().unwrap().kind, None);
        assert_eq!(frames.next_frame().unwrap().kind, None);
        assert_eq!(frames.next_frame().unwrap().kind, Some(b'Q'));
    }

    #[test]
    fn a_frame_that_comes_in_pieces_is_whole_before_it_is_seen() {
        let mut frames = started();
        let bytes = message(b'Q', b"SELECT 1\0");
        for byte in bytes.iter().take(bytes.len() - 1) {
            frames.push(&[*byte]);
            assert_eq!(frames.next_frame(), None);
        }
        frames.push(&[0]);
        assert_eq!(frames.next_frame().unwrap().bytes, bytes);
    }

    #[test]
    fn executing_a_statement_that_inserts_into_the_journal_is_an_append() {
        let (mut frames, mut watch) = (started(), Watch::default());
        let parse = message(
            b'P',
            b"s1\0WITH f AS (UPDATE shard) INSERT INTO journal (a) VALUES ($1)\0\0\0",
        );
        let bind = message(b'B', b"\0s1\0\0\0\0\0\0\0");
        let execute = message(b'E', b"\0\0\0\0\0");
        let all = [parse, bind, execute, message(b'S', b"")].concat();
        assert_eq!(
            see(&mut frames, &mut watch, &all),
            [Meaning::Other, Meaning::Other, Meaning::Append, Meaning::Sync]
        );
    }

    #[test]
    fn a_statement_prepared_earlier_is_still_known_by_its_name() {
        let (mut frames, mut watch) = (started(), Watch::default());
        see(&mut frames, &mut watch, &message(b'P', b"s1\0insert into \"journal\"(a)\0\0\0"));
        see(&mut frames, &mut watch, &message(b'P', b"s2\0SELECT 1\0\0\0"));
        let execute = message(b'E', b"\0\0\0\0\0");
        see(&mut frames, &mut watch, &message(b'B', b"\0s1\0"));
        assert_eq!(see(&mut frames, &mut watch, &execute), [Meaning::Append]);
        see(&mut frames, &mut watch, &message(b'B', b"\0s2\0"));
        assert_eq!(see(&mut frames, &mut watch, &execute), [Meaning::Other]);
    }

    #[test]
    fn reading_the_journal_and_writing_elsewhere_is_no_append() {
        for other in [
            "SELECT * FROM journal",
            "INSERT INTO journal_snapshots VALUES ($1)",
            "INSERT INTO orders SELECT * FROM journal",
            "UPDATE journal_shards SET epoch = 2",
        ] {
            assert!(!appends(other.as_bytes()), "{other}");
        }
        assert!(appends(b"INSERT INTO millrace.journal\n(a) VALUES (1)"));
        assert!(appends(b"x AS (INSERT INTO journal(a) SELECT 1)"));
    }

    #[test]
    fn a_closed_statement_is_forgotten() {
        let (mut frames, mut watch) = (started(), Watch::default());
        see(&mut frames, &mut watch, &message(b'P', b"s1\0INSERT INTO journal\0\0\0"));
        see(&mut frames, &mut watch, &message(b'C', b"Ss1\0"));
        see(&mut frames, &mut watch, &message(b'B', b"\0s1\0"));
        let execute = message(b'E', b"\0\0\0\0\0");
        assert_eq!(see(&mut frames, &mut watch, &execute), [Meaning::Other]);
    }
}
