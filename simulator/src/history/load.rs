//! Reads a history back: lines become questions with their ends.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader};
use std::path::Path;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::event::{Ask, End, No, Seen, Status, Wanted};

/// Why a history cannot be judged at all.
#[derive(Debug, thiserror::Error)]
pub enum BadHistory {
    /// The file cannot be read.
    #[error("cannot read the history")]
    Unreadable(#[from] io::Error),
    /// A line is not part of a history.
    #[error("line {line}: {reason}")]
    BadLine {
        /// Counted from 1.
        line: u64,
        /// What is wrong with it.
        reason: String,
    },
}

/// A question and how it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Op {
    /// Who asked.
    pub process: u64,
    /// Number of the line that asked.
    pub index: u64,
    /// The idempotency key.
    pub key: Option<Box<str>>,
    /// What was asked.
    pub ask: Ask,
    /// When it was asked, in nanoseconds.
    pub asked: u64,
    /// When it ended; [`u64::MAX`] when nobody knows whether it ever did.
    pub ended: u64,
    /// How it ended.
    pub end: End,
}

impl Op {
    /// How sentences name it.
    pub fn name(&self) -> String {
        let Self { index, process, ask, .. } = self;
        match &self.key {
            Some(key) => format!("{} {index} (process {process}, key {key})", ask.word()),
            None => format!("{} {index} (process {process})", ask.word()),
        }
    }
}

/// Questions in the order in which they were asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// The questions.
    pub ops: Vec<Op>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line<'a> {
    p: u64,
    i: u64,
    t: Tense,
    ns: u64,
    f: Word,
    #[serde(default)]
    key: Option<Box<str>>,
    #[serde(default, borrow)]
    v: Option<&'a RawValue>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Tense {
    Invoke,
    Ok,
    Rejected,
    Unknown,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Word {
    Place,
    Cancel,
    Move,
    Restock,
    Read,
    Look,
}

#[derive(Deserialize)]
struct Lines {
    lines: Vec<Wanted>,
}

#[derive(Deserialize)]
struct OfOrder {
    order: Box<str>,
    status: Option<Status>,
}

#[derive(Deserialize)]
struct OfProduct {
    product: Box<str>,
    delta: Option<i64>,
}

impl History {
    /// Reads a file that a [`super::Recorder`] wrote. A last line that was cut short is one that
    /// was not written; any other line that cannot be read is an error.
    ///
    /// # Errors
    /// [`BadHistory`], with the line.
    pub fn read(path: &Path) -> Result<Self, BadHistory> {
        let mut reader = BufReader::with_capacity(1 << 20, File::open(path)?);
        let (mut pairing, mut line) = (Pairing::default(), String::new());
        for number in 1_u64.. {
            line.clear();
            if reader.read_line(&mut line)? == 0 || !line.ends_with('\n') {
                break;
            }
            pairing.take(&line).map_err(|reason| BadHistory::BadLine { line: number, reason })?;
        }
        Ok(pairing.history)
    }
}

/// Pairs ends with their questions. Only the open ones are looked up.
#[derive(Default)]
struct Pairing {
    history: History,
    open: BTreeMap<u64, usize>,
    now: u64,
}

impl Pairing {
    fn take(&mut self, text: &str) -> Result<(), String> {
        let line: Line<'_> = serde_json::from_str(text).map_err(|error| error.to_string())?;
        if line.ns < self.now {
            return Err("time runs backwards".to_owned());
        }
        self.now = line.ns;
        match line.t {
            Tense::Invoke => self.ask(line),
            Tense::Ok | Tense::Rejected | Tense::Unknown => self.end(&line),
        }
    }

    fn ask(&mut self, line: Line<'_>) -> Result<(), String> {
        let ask = asked(line.f, line.v).map_err(|error| error.to_string())?;
        if self.open.insert(line.p, self.history.ops.len()).is_some() {
            return Err(format!("process {} asks before it was answered", line.p));
        }
        self.history.ops.push(Op {
            process: line.p,
            index: line.i,
            key: line.key,
            ask,
            asked: line.ns,
            ended: u64::MAX,
            end: End::Unknown,
        });
        Ok(())
    }

    fn end(&mut self, line: &Line<'_>) -> Result<(), String> {
        let unasked = || format!("process {} is answered and had not asked", line.p);
        if let Tense::Unknown = line.t {
            // The question stays open for good, and so does the name of its process.
            return if self.open.contains_key(&line.p) { Ok(()) } else { Err(unasked()) };
        }
        let at = self.open.remove(&line.p).ok_or_else(unasked)?;
        let op = self.history.ops.get_mut(at).ok_or_else(unasked)?;
        let end = match line.t {
            Tense::Ok => seen(line.f, line.v).map(End::Ok),
            Tense::Rejected | Tense::Invoke | Tense::Unknown => value(line.v).map(End::Rejected),
        };
        op.end = end.map_err(|error| error.to_string())?;
        op.ended = line.ns;
        Ok(())
    }
}

fn value<'a, T: Deserialize<'a>>(raw: Option<&'a RawValue>) -> serde_json::Result<T> {
    serde_json::from_str(raw.map_or("null", RawValue::get))
}

fn asked(word: Word, raw: Option<&RawValue>) -> serde_json::Result<Ask> {
    let missing = |what| serde::de::Error::custom(format!("{what} is missing"));
    let order = || value::<OfOrder>(raw);
    let product = || value::<OfProduct>(raw);
    Ok(match word {
        Word::Place => Ask::Place(value::<Lines>(raw)?.lines),
        Word::Cancel => Ask::Cancel(order()?.order),
        Word::Read => Ask::Read(order()?.order),
        Word::Move => {
            let OfOrder { order, status } = order()?;
            Ask::Move(order, status.ok_or_else(|| missing("status"))?)
        }
        Word::Look => Ask::Look(product()?.product),
        Word::Restock => {
            let OfProduct { product, delta } = product()?;
            Ask::Restock(product, delta.ok_or_else(|| missing("delta"))?)
        }
    })
}

fn seen(word: Word, raw: Option<&RawValue>) -> serde_json::Result<Seen> {
    if raw.is_none_or(|raw| raw.get() == "null") {
        return Ok(Seen::Nothing);
    }
    Ok(match word {
        Word::Place | Word::Cancel | Word::Move | Word::Read => Seen::Order(value(raw)?),
        Word::Look => Seen::Shelf(value(raw)?),
        Word::Restock => Seen::Changed(value(raw)?),
    })
}

/// A refusal of a question, for sentences.
pub(super) fn code(no: &No) -> &str {
    no.code.as_deref().unwrap_or("no code")
}
