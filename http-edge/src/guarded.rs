//! The bytes of one connection: what is sent must be taken in time, and every rejection has a body.

use std::io::{self, IoSlice};
use std::pin::{Pin, pin};
use std::sync::LazyLock;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use http::StatusCode;
use persistence::crash_points::{CrashPoint, crash_point_after};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep};

use crate::problem::{Code, fixed_body};

/// Longest time for the other side to take what is sent, however little it is.
const TAKEN_WITHIN: Duration = Duration::from_secs(10);
/// Whoever takes more has a second more for each so many bytes.
const BYTES_A_SECOND: u64 = 16 * 1_024;

/// A rejection with all its bytes, for those to whom no handler gets to answer.
pub(crate) fn rejection(code: Code, detail: &str, headers: &str) -> Vec<u8> {
    let (status, body) = (code.entry().status, fixed_body(code, detail));
    let mut bytes = format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/problem+json\r\nconnection: close\r\n\
         {headers}content-length: {}\r\n\r\n",
        body.len()
    )
    .into_bytes();
    bytes.extend_from_slice(&body);
    bytes
}

/// What is said instead of the bare status with which hyper rejects a head that it cannot read.
static UNREADABLE: LazyLock<[(StatusCode, Vec<u8>); 3]> = LazyLock::new(|| {
    let unreadable = "the head of the request is not HTTP/1.1";
    let too_large = "the head of a request has at most 100 headers and 16 KiB";
    [
        (StatusCode::BAD_REQUEST, rejection(Code::MalformedRequest, unreadable, "")),
        (StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, rejection(Code::HeadTooLarge, too_large, "")),
        (StatusCode::URI_TOO_LONG, rejection(Code::HeadTooLarge, too_large, "")),
    ]
});

/// The words for `bytes`, if they are a rejection without any. Answers of handlers all have some.
fn words_for(bytes: &[u8]) -> Option<&'static [u8]> {
    let status = bytes.strip_prefix(b"HTTP/1.1 4")?;
    let head = status.strip_suffix(b"\r\n\r\n")?;
    let has_none = head.split(|byte| *byte == b'\n').any(|line| line == b"content-length: 0\r");
    let status = status.first_chunk::<2>().filter(|_| has_none)?;
    let found = UNREADABLE.iter().find(|(code, _)| code.as_str().as_bytes().ends_with(status))?;
    Some(&found.1)
}

/// With this a client begins who takes HTTP/2 for granted. hyper would hang up without a word.
const PREFACE: &[u8] = b"PRI * HTTP/2.0";

/// Makes of the preface a head of a version that nobody knows, which is refused aloud.
#[derive(Debug)]
struct Preface {
    /// What of it has not come yet; empty when it has, and when it cannot come any more.
    ahead: &'static [u8],
}

impl Preface {
    fn look_at(&mut self, bytes: &mut [u8]) {
        for byte in bytes {
            match self.ahead {
                [last] if last == byte => {
                    *byte = b'9';
                    self.ahead = &[];
                }
                [next, rest @ ..] if next == byte => self.ahead = rest,
                _ => {
                    self.ahead = &[];
                    return;
                }
            }
        }
    }
}

/// How long the other side may still take.
#[derive(Debug)]
struct Patience {
    within: Duration,
    /// Set while something waits to be taken.
    due: Option<Pin<Box<Sleep>>>,
}

impl Patience {
    /// The other side takes nothing now; fails when that has been so for too long.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        let due = self.due.get_or_insert_with(|| Box::pin(sleep(self.within)));
        ready!(due.as_mut().poll(cx));
        Poll::Ready(io::Error::new(io::ErrorKind::TimedOut, "answers are not taken"))
    }

    /// It has taken something, but not all.
    fn took(&mut self, bytes: usize) {
        let Some(due) = &mut self.due else { return };
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        let longer = Duration::from_millis(bytes.saturating_mul(1_000) / BYTES_A_SECOND);
        let latest = Instant::now() + self.within;
        // Taking much at first earns nobody a long rest afterwards.
        let until = (due.deadline() + longer).min(latest);
        due.as_mut().reset(until);
    }

    /// It has taken all.
    fn rest(&mut self) {
        self.due = None;
    }
}

/// A connection as hyper sees it.
#[derive(Debug)]
pub(crate) struct Guarded {
    stream: TcpStream,
    patience: Patience,
    /// How much was sent of the words that stand for a bare rejection.
    words_sent: usize,
    preface: Preface,
}

impl Guarded {
    pub(crate) const fn new(stream: TcpStream) -> Self {
        Self::patient(stream, TAKEN_WITHIN)
    }

    const fn patient(stream: TcpStream, within: Duration) -> Self {
        let (patience, preface) = (Patience { within, due: None }, Preface { ahead: PREFACE });
        Self { stream, patience, words_sent: 0, preface }
    }

    fn watch(
        &mut self,
        cx: &mut Context<'_>,
        written: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        match written {
            Poll::Ready(Ok(bytes)) => {
                self.patience.took(bytes);
                Poll::Ready(Ok(bytes))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => {
                let error = ready!(self.patience.poll(cx));
                // What nobody takes is not kept by the system either.
                let _ = self.stream.set_zero_linger();
                Poll::Ready(Err(error))
            }
        }
    }

    fn write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        crash_point_after(CrashPoint::AnswerHalfSent, || {
            let half = bytes.get(..bytes.len() / 2).unwrap_or_default();
            let _ = self.stream.try_write(half);
        });
        let written = pin!(&mut self.stream).poll_write(cx, bytes);
        self.watch(cx, written)
    }

    /// Sends the words in the place of `bare`; it counts as sent when they are.
    fn write_words(
        &mut self,
        cx: &mut Context<'_>,
        words: &[u8],
        bare: &[u8],
    ) -> Poll<io::Result<usize>> {
        while let Some(rest) = words.get(self.words_sent..).filter(|rest| !rest.is_empty()) {
            let sent = ready!(self.write(cx, rest))?;
            self.words_sent = self.words_sent.saturating_add(sent);
        }
        self.words_sent = 0;
        Poll::Ready(Ok(bare.len()))
    }
}

impl AsyncRead for Guarded {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = pin!(&mut self.stream).poll_read(cx, buffer);
        if !self.preface.ahead.is_empty()
            && let Some(bytes) = buffer.filled_mut().get_mut(before..)
        {
            self.preface.look_at(bytes);
        }
        read
    }
}

impl AsyncWrite for Guarded {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match words_for(bytes) {
            Some(words) => self.write_words(cx, words, bytes),
            None => self.write(cx, bytes),
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if let [only] = slices
            && let Some(words) = words_for(only)
        {
            return self.write_words(cx, words, only);
        }
        crash_point_after(CrashPoint::AnswerHalfSent, || {
            let first: &[u8] = slices.first().map_or(&[], |first| first);
            let is_all = slices.len() < 2;
            let sent = if is_all { first.len() / 2 } else { first.len() };
            let _ = self.stream.try_write(first.get(..sent).unwrap_or_default());
        });
        let written = pin!(&mut self.stream).poll_write_vectored(cx, slices);
        self.watch(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    /// Asked for when everything was handed to the stream, which keeps nothing back.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.patience.rest();
        pin!(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        pin!(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    #[test]
    fn only_bare_rejections_get_words() {
        let bare = b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\n\
                     content-length: 0\r\ndate: today\r\n\r\n";
        assert!(words_for(bare).is_some());
        for other in [
            &b"HTTP/1.1 400 Bad Request\r\ncontent-length: 2\r\n\r\n"[..],
            b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\nHTTP/1.1 200 OK",
            b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n",
            b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
            b"",
        ] {
            assert_eq!(words_for(other), None, "{}", String::from_utf8_lossy(other));
        }
    }

    #[test]
    fn the_preface_of_http_2_becomes_an_unknown_version_however_it_is_cut() {
        let seen = |sent: &[u8], cut: usize| {
            let mut preface = Preface { ahead: PREFACE };
            let mut bytes = sent.to_vec();
            let (first, rest) = bytes.split_at_mut(cut);
            preface.look_at(first);
            preface.look_at(rest);
            bytes
        };
        let sent = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
        for cut in 0..sent.len() {
            assert_eq!(seen(sent, cut), b"PRI * HTTP/2.9\r\n\r\nSM\r\n\r\n", "{cut}");
        }
        for other in [&b"PRINT / HTTP/2.0\r\n"[..], b"GET / HTTP/1.1\r\n\r\nPRI * HTTP/2.0"] {
            assert_eq!(seen(other, 3), other);
        }
    }

    #[tokio::test]
    async fn an_answer_that_nobody_takes_ends_the_connection() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut other = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (stream, _) = listener.accept().await.unwrap();
        let mut guarded = Guarded::patient(stream, Duration::from_millis(20));
        let error = loop {
            if let Err(error) = guarded.write_all(&[b'x'; 8_192]).await {
                break error;
            }
        };
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        drop(guarded);
        // What it did not take is gone with the connection.
        let read = other.read_to_end(&mut Vec::new()).await;
        assert_eq!(read.map_err(|error| error.kind()), Err(io::ErrorKind::ConnectionReset));
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_takes_little_by_little_has_to_keep_a_pace() {
        // One kilobyte a second is too slow, a hundred are not, however long it takes.
        for (bytes, lasts) in [(1_024, false), (102_400, true)] {
            let mut patience = Patience { within: TAKEN_WITHIN, due: None };
            let waits = async {
                for _ in 0..100 {
                    let overdue = std::future::poll_fn(|cx| patience.poll(cx));
                    if tokio::time::timeout(Duration::from_secs(1), overdue).await.is_ok() {
                        return false;
                    }
                    patience.took(bytes);
                }
                true
            };
            assert_eq!(waits.await, lasts, "{bytes} bytes a second");
        }
    }
}
