//! Just enough of HTTP/1 to tell where an answer ends and what it said.

/// An answer whose end has been seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    /// HTTP status.
    pub(crate) status: u16,
    /// Bytes from the status line to the end of the body.
    pub(crate) length: usize,
    /// The server will close the connection.
    pub(crate) closes: bool,
    /// Seconds after which it is worth coming back, when the server says so.
    pub(crate) retry_after: Option<u16>,
}

/// What cannot be read as an answer with a stated length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unreadable;

/// Reads the answer at the start of `bytes`; `None` while it is not complete.
///
/// Bodies without a `content-length` are refused: every side that is measured states it.
pub(crate) fn read(bytes: &[u8]) -> Result<Option<Answer>, Unreadable> {
    let mut lines = Lines { bytes, at: 0 };
    let Some(first) = lines.next() else { return Ok(None) };
    let status = status(first).ok_or(Unreadable)?;
    let (mut body, mut closes, mut retry_after) = (None, false, None);
    loop {
        let Some(line) = lines.next() else { return Ok(None) };
        if line.is_empty() {
            break;
        }
        if let Some(value) = field(line, b"content-length:") {
            body = Some(number(value).ok_or(Unreadable)?);
        } else if let Some(value) = field(line, b"connection:") {
            closes = value.eq_ignore_ascii_case(b"close");
        } else if let Some(value) = field(line, b"retry-after:") {
            retry_after = number(value).and_then(|seconds| u16::try_from(seconds).ok());
        }
    }
    let body = if matches!(status, 204 | 304) { 0 } else { body.ok_or(Unreadable)? };
    let length = lines.at.checked_add(body).ok_or(Unreadable)?;
    Ok((bytes.len() >= length).then_some(Answer { status, length, closes, retry_after }))
}

/// The stable `code` of a problem body.
pub(crate) fn code(answer: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(answer).ok()?;
    let (_, rest) = text.split_once(r#""code":""#)?;
    let (code, _) = rest.split_once('"')?;
    let plain = |letter: char| letter.is_ascii_lowercase() || letter == '_';
    (code.len() <= 40 && code.chars().all(plain)).then_some(code)
}

/// The lines of a head, without their ends.
struct Lines<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Lines<'a> {
    fn next(&mut self) -> Option<&'a [u8]> {
        let rest = self.bytes.get(self.at..)?;
        let end = rest.iter().position(|byte| *byte == b'\n')?;
        self.at += end + 1;
        let line = rest.get(..end)?;
        Some(line.strip_suffix(b"\r").unwrap_or(line))
    }
}

fn status(line: &[u8]) -> Option<u16> {
    let digits = line.strip_prefix(b"HTTP/1.1 ")?.get(..3)?;
    u16::try_from(number(digits)?).ok()
}

fn field<'a>(line: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let (start, value) = line.split_at_checked(name.len())?;
    start.eq_ignore_ascii_case(name).then(|| value.trim_ascii())
}

fn number(digits: &[u8]) -> Option<usize> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0_usize, |sum, digit| {
        let digit = char::from(*digit).to_digit(10)?;
        sum.checked_mul(10)?.checked_add(usize::try_from(digit).ok()?)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const CREATED: &[u8] =
        b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nCONTENT-length: 5\r\n\r\nhello";

    #[test]
    fn an_answer_ends_where_its_length_says() {
        let answer =
            Answer { status: 201, length: CREATED.len(), closes: false, retry_after: None };
        assert_eq!(read(CREATED), Ok(Some(answer)));
        let more = [CREATED, b"HTTP/1.1 503"].concat();
        assert_eq!(read(&more), Ok(Some(answer)));
    }

    #[test]
    fn an_answer_cut_anywhere_is_not_complete() {
        for end in 0..CREATED.len() {
            assert_eq!(read(&CREATED[..end]), Ok(None), "cut at {end}");
        }
    }

    #[test]
    fn a_closing_connection_and_an_empty_body_are_seen() {
        let closing =
            b"HTTP/1.1 503 Busy\r\nConnection: Close\r\nRetry-After: 3\r\ncontent-length:0\r\n\r\n";
        let read_closing = read(closing).unwrap().unwrap();
        assert_eq!((read_closing.status, read_closing.closes), (503, true));
        assert_eq!(read_closing.retry_after, Some(3));
        let empty = read(b"HTTP/1.1 204 No Content\r\n\r\n").unwrap().unwrap();
        assert_eq!((empty.status, empty.length), (204, 27));
    }

    #[test]
    fn the_code_of_a_problem_is_found() {
        let problem = br#"{"status":503,"code":"overloaded","retryable":true}"#;
        assert_eq!(code(problem), Some("overloaded"));
        assert_eq!(code(br#"{"code":"not a code"}"#), None);
        assert_eq!(code(b"{}"), None);
    }

    #[test]
    fn what_is_no_answer_is_refused() {
        let strange: [&[u8]; 6] = [
            b"SSH-2.0-OpenSSH\r\n",
            b"HTTP/1.1 2x1 Created\r\n",
            b"HTTP/1.0 200 OK\r\n",
            b"HTTP/1.1 201 Created\r\ncontent-length: five\r\n\r\n",
            b"HTTP/1.1 201 Created\r\ncontent-length: 99999999999999999999999\r\n\r\n",
            b"HTTP/1.1 201 Created\r\ntransfer-encoding: chunked\r\n\r\n",
        ];
        for bytes in strange {
            assert_eq!(read(bytes), Err(Unreadable), "{}", String::from_utf8_lossy(bytes));
        }
    }
}
