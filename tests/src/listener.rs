//! Somebody who hears what a client asks, and how each question ends.

use std::fmt::Debug;

use reqwest::Method;
use reqwest::header::HeaderMap;

/// A question that is about to leave.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// HTTP method.
    pub method: &'a Method,
    /// Path and query.
    pub path: &'a str,
    /// The idempotency key.
    pub key: Option<&'a str>,
    /// The body; empty when there is none.
    pub body: &'a [u8],
}

/// How a question ended.
#[derive(Clone, Copy, Debug)]
pub enum Ended<'a> {
    /// With a whole answer.
    Answered {
        /// HTTP status.
        status: u16,
        /// All headers.
        headers: &'a HeaderMap,
        /// The body as it came.
        body: &'a [u8],
    },
    /// No connection could be opened: nothing was sent.
    NotSent,
    /// Without a whole answer.
    Cut,
}

/// Is told how one question ended. A question whose asker was dropped is never told.
pub type Told = Box<dyn FnOnce(Ended<'_>) + Send>;

/// Hears the questions of every clone of a client.
pub trait Listener: Debug + Send + Sync {
    /// A question is about to leave; nothing is given when its end is of no interest.
    fn asked(&self, question: &Question<'_>) -> Option<Told>;
}
