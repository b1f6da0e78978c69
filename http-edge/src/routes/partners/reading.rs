//! Reading a feed: once while it arrives, to know all of it, and once more to take its rows.

use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Seek as _, Write as _};
use std::time::Duration;

use axum::body::Body;
use bytes::{Buf as _, Bytes};
use engine::import::{
    ERRORS_KEPT_MAX, FEED_BYTES_MAX, Judge, PartnerRow, RawRow, RowError, RowFault, RowField,
};
use engine::values::Fingerprint;
use http_body_util::{BodyExt as _, LengthLimitError};
use sha2::{Digest as _, Sha256};
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::feeds::{self, Adapter, FeedFault};
use crate::idempotency::fingerprint_of;
use crate::problem::{Code, FieldError, Problem};
use crate::wire::card_number_in;

/// Pieces of a body that wait for their reader.
const PIECES_WAITING: usize = 16;
/// Longest time for the next piece to arrive.
const PIECE_WITHIN: Duration = Duration::from_secs(5);
/// What is still taken of a feed that is refused already, so that its sender hears why.
const REST_MAX: usize = 1_024 * 1_024;
/// Rows that are looked at before somebody notes how far the feed is.
const BATCH_ROWS: u32 = 500;
/// Batches that wait to be taken.
const BATCHES_WAITING: usize = 1;

/// A feed that has arrived.
pub(super) struct Arrived {
    /// All its bytes, in a file that vanishes with the process.
    file: File,
    pub(super) digest: Fingerprint,
    pub(super) bytes: u64,
    pub(super) rows: u32,
    pub(super) refused: u32,
    pub(super) errors: Vec<RowError>,
    pub(super) errors_total: u64,
}

/// Some rows side by side.
pub(super) struct Stretch {
    /// The number of the row before.
    pub(super) after: u32,
    /// The number of the last row.
    pub(super) upto: u32,
    /// The good ones, by number.
    pub(super) rows: Vec<(u32, PartnerRow)>,
}

/// Takes a feed in, and reads it to its end. Nothing happens if anything is wrong with it.
pub(super) async fn arrive(body: Body, adapter: &'static dyn Adapter) -> Result<Arrived, Problem> {
    let (sender, receiver) = mpsc::channel(PIECES_WAITING);
    let reading = tokio::task::spawn_blocking(move || read_first(adapter, receiver));
    let sent = send(body, sender).await;
    let read = reading.await;
    // What ended too early can be of no format.
    sent?;
    read.map_err(|_| Problem::new(Code::Internal, "the feed could not be read"))?
}

async fn send(mut body: Body, sender: mpsc::Sender<Bytes>) -> Result<(), Problem> {
    let (mut sender, mut rest) = (Some(sender), 0_usize);
    loop {
        let piece = timeout(PIECE_WITHIN, body.frame()).await;
        let slow = |_| Problem::new(Code::RequestTimeout, "the feed did not arrive in time");
        let Some(piece) = piece.map_err(slow)? else { return Ok(()) };
        let piece = piece.map_err(|error| {
            if is_too_large(&error) {
                let detail = format!("a feed has at most {FEED_BYTES_MAX} bytes");
                Problem::new(Code::BodyTooLarge, detail)
            } else {
                Problem::new(Code::MalformedJson, "the feed ended too early")
            }
        })?;
        let Ok(piece) = piece.into_data() else { continue };
        if let Some(reader) = &sender
            && reader.send(piece.clone()).await.is_err()
        {
            sender = None;
        }
        if sender.is_none() {
            rest = rest.saturating_add(piece.len());
            if REST_MAX < rest {
                return Ok(());
            }
        }
    }
}

fn is_too_large(error: &axum::Error) -> bool {
    let mut cause: Option<&dyn std::error::Error> = Some(error);
    while let Some(error) = cause {
        if error.is::<LengthLimitError>() {
            return true;
        }
        cause = error.source();
    }
    false
}

/// What arrives, kept and digested while it is read.
struct Arriving {
    pieces: mpsc::Receiver<Bytes>,
    piece: Bytes,
    kept: BufWriter<File>,
    digest: Sha256,
    bytes: u64,
}

impl Read for Arriving {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        while !self.piece.has_remaining() {
            let Some(piece) = self.pieces.blocking_recv() else { return Ok(0) };
            self.kept.write_all(&piece)?;
            self.digest.update(&piece);
            self.bytes = self.bytes.saturating_add(piece.len() as u64);
            self.piece = piece;
        }
        let read = into.len().min(self.piece.remaining());
        let (into, _) = into.split_at_mut(read);
        self.piece.copy_to_slice(into);
        Ok(read)
    }
}

fn read_first(adapter: &dyn Adapter, pieces: mpsc::Receiver<Bytes>) -> Result<Arrived, Problem> {
    let kept = BufWriter::new(tempfile::tempfile().map_err(|error| no_room(&error))?);
    let mut arriving =
        Arriving { pieces, piece: Bytes::new(), kept, digest: Sha256::new(), bytes: 0 };
    let (mut judge, mut rows, mut refused) = (Judge::default(), 0_u32, 0_u32);
    let (mut errors, mut errors_total) = (Vec::new(), 0_u64);
    feeds::read(adapter, &mut arriving, &mut |row| {
        rows = rows.saturating_add(1);
        if let Err(wrong) = judged(&mut judge, row) {
            refused = refused.saturating_add(1);
            errors_total = errors_total.saturating_add(wrong.len() as u64);
            let room = ERRORS_KEPT_MAX.saturating_sub(errors.len());
            errors.extend(wrong.into_iter().take(room));
        }
        true
    })
    .map_err(|fault| unreadable(&fault))?;
    // Behind the end of some formats there may be spaces, and they are part of what was said.
    std::io::copy(&mut arriving, &mut std::io::sink()).map_err(|error| no_room(&error))?;
    let Arriving { kept, digest, bytes, .. } = arriving;
    let file = kept.into_inner().map_err(|error| no_room(error.error()))?;
    let digest = fingerprint_of(digest.finalize().into());
    Ok(Arrived { file, digest, bytes, rows, refused, errors, errors_total })
}

/// Judges a row, and looks for numbers of cards, which are kept nowhere.
fn judged(judge: &mut Judge, mut row: RawRow) -> Result<PartnerRow, Vec<RowError>> {
    let holds_card = |(field, text): (RowField, &str)| {
        (matches!(field, RowField::Sku | RowField::Name) && card_number_in(text)).then_some(field)
    };
    let cards: Vec<RowField> = row.texts().filter_map(holds_card).collect();
    for field in cards {
        row.refuse(field, RowFault::CardNumber);
    }
    judge.judge(row)
}

fn no_room(error: &std::io::Error) -> Problem {
    tracing::error!(%error, "a feed could not be kept while it is read");
    Problem::new(Code::Unavailable, "there is no room for the feed now")
}

fn unreadable(fault: &FeedFault) -> Problem {
    let field = format!("row {}", fault.line);
    let hint = "Correct the feed, and send it again; nothing of it was taken.";
    Problem::invalid(vec![FieldError::new(field, fault.code, fault.message.clone(), hint)])
}

impl Arrived {
    /// Reads the feed again and gives its rows after a number, some at a time.
    pub(super) fn rows_after(
        self,
        adapter: &'static dyn Adapter,
        done: u32,
    ) -> mpsc::Receiver<Stretch> {
        let (sender, receiver) = mpsc::channel(BATCHES_WAITING);
        let read = move || {
            let mut file = self.file;
            if let Err(error) = file.rewind() {
                tracing::error!(%error, "a feed could not be read again");
                return;
            }
            let (mut judge, mut number) = (Judge::default(), 0_u32);
            let mut stretch = Stretch { after: done, upto: done, rows: Vec::new() };
            let mut wanted = true;
            // It was read to its end before, so nothing can be wrong with it now.
            let _ = feeds::read(adapter, BufReader::new(file), &mut |row| {
                number = number.saturating_add(1);
                let row = judged(&mut judge, row);
                if number <= done {
                    return true;
                }
                stretch.upto = number;
                stretch.rows.extend(row.ok().map(|row| (number, row)));
                if BATCH_ROWS <= number.saturating_sub(stretch.after) {
                    let next = Stretch { after: number, upto: number, rows: Vec::new() };
                    let full = std::mem::replace(&mut stretch, next);
                    wanted = sender.blocking_send(full).is_ok();
                }
                wanted
            });
            if wanted && stretch.after < stretch.upto {
                // Nobody waits for it when the feed was interrupted.
                let _ = sender.blocking_send(stretch);
            }
        };
        tokio::task::spawn_blocking(read);
        receiver
    }
}
