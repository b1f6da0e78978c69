//! One connection of the generator: opened when it is needed, one request at a time.

use std::io::{self, Read as _, Write as _};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use mio::net::TcpStream;
use mio::{Interest, Registry, Token};
use socket2::{Domain, Socket, Type};
use tokio::time::Instant;

use crate::rig::response::{self, Answer};

/// A connection that was idle for longer is replaced before it is used: servers close such
/// connections, and a close that crosses a request looks like an error.
const IDLE_MAX: Duration = Duration::from_secs(2);
/// Largest answer that is read, head included.
const ANSWER_MAX: usize = 16 * 1_024;
/// Longest time to open a connection on this machine.
const OPEN_WITHIN: Duration = Duration::from_secs(1);

/// A try that waits for its answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Try {
    /// Which order.
    pub(super) number: u64,
    /// Tries before this one.
    pub(super) retries: u8,
    /// When it was meant to leave.
    pub(super) due: Instant,
}

/// A connection.
#[derive(Debug)]
pub(super) struct Line {
    from: IpAddr,
    to: SocketAddr,
    token: Token,
    stream: Option<TcpStream>,
    used: Instant,
    /// What it waits for.
    pub(super) busy: Option<Try>,
    buffer: Box<[u8; ANSWER_MAX]>,
    filled: usize,
}

/// What was read.
#[derive(Debug)]
pub(super) enum Read {
    /// The answer is not complete.
    Partly,
    /// An answer.
    Whole(Answer),
    /// The other side has closed it, or sent what is no answer.
    Broken,
}

impl Line {
    /// A connection that is not open yet.
    pub(super) fn new(from: IpAddr, to: SocketAddr, token: Token) -> Self {
        Self {
            from,
            to,
            token,
            stream: None,
            used: Instant::now(),
            busy: None,
            buffer: Box::new([0; ANSWER_MAX]),
            filled: 0,
        }
    }

    /// Opens it, unless it is.
    pub(super) fn open(&mut self, registry: &Registry) -> io::Result<&mut TcpStream> {
        if self.used.elapsed() > IDLE_MAX {
            self.stream = None;
        }
        let stream = match self.stream.take() {
            Some(stream) => stream,
            None => self.connect(registry)?,
        };
        self.used = Instant::now();
        Ok(self.stream.insert(stream))
    }

    fn connect(&self, registry: &Registry) -> io::Result<TcpStream> {
        let socket = Socket::new(Domain::for_address(self.to), Type::STREAM, None)?;
        socket.bind(&SocketAddr::new(self.from, 0).into())?;
        socket.connect_timeout(&self.to.into(), OPEN_WITHIN)?;
        socket.set_tcp_nodelay(true)?;
        socket.set_nonblocking(true)?;
        let mut stream = TcpStream::from_std(socket.into());
        registry.register(&mut stream, self.token, Interest::READABLE)?;
        Ok(stream)
    }

    /// Sends a request; it fits into the socket, because nothing else is on its way.
    pub(super) fn send(&mut self, request: &[u8], registry: &Registry) -> io::Result<()> {
        self.filled = 0;
        let sent = self.open(registry)?.write(request)?;
        if sent == request.len() { Ok(()) } else { Err(io::ErrorKind::WriteZero.into()) }
    }

    /// Reads what is there.
    pub(super) fn read(&mut self) -> Read {
        let Some(stream) = &mut self.stream else { return Read::Partly };
        loop {
            let room = self.buffer.get_mut(self.filled..).unwrap_or_default();
            match stream.read(room) {
                Ok(0) => return Read::Broken,
                Ok(read) => self.filled = self.filled.saturating_add(read),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Read::Partly,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(_) => return Read::Broken,
            }
            match response::read(self.buffer.get(..self.filled).unwrap_or_default()) {
                Ok(Some(answer)) if answer.length == self.filled => {
                    if answer.closes {
                        self.stream = None;
                    }
                    return Read::Whole(answer);
                }
                Ok(None) if self.filled < ANSWER_MAX => {}
                _ => return Read::Broken,
            }
        }
    }

    /// The bytes of the answer.
    pub(super) fn answer(&self) -> &[u8] {
        self.buffer.get(..self.filled).unwrap_or_default()
    }

    /// Hangs up.
    pub(super) fn close(&mut self) {
        self.stream = None;
    }
}
