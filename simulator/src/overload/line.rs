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
    from: Option<IpAddr>,
    to: SocketAddr,
    token: Token,
    stream: Option<TcpStream>,
    used: Instant,
    /// What it waits for.
    pub(super) busy: Option<Try>,
    /// What could not leave before the connection is open.
    unsent: Vec<u8>,
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
    pub(super) fn new(from: Option<IpAddr>, to: SocketAddr, token: Token) -> Self {
        Self {
            from,
            to,
            token,
            stream: None,
            used: Instant::now(),
            busy: None,
            unsent: Vec::new(),
            buffer: Box::new([0; ANSWER_MAX]),
            filled: 0,
        }
    }

    /// Opens it, unless it is. Nobody waits for that: a server that takes no connections must not
    /// keep the others from being used.
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
        socket.set_nonblocking(true)?;
        socket.set_tcp_nodelay(true)?;
        // Not without need: a port that is bound before the other side is known must differ from all
        // that were closed within the last minute, and looking for one comes to take milliseconds.
        if let Some(from) = self.from {
            socket.bind(&SocketAddr::new(from, 0).into())?;
        }
        // It is on its way, or refused, which the first use will tell.
        drop(socket.connect(&self.to.into()));
        let mut stream = TcpStream::from_std(socket.into());
        registry.register(&mut stream, self.token, Interest::READABLE | Interest::WRITABLE)?;
        Ok(stream)
    }

    /// Sends a request, now or as soon as the connection is open.
    pub(super) fn send(&mut self, request: &[u8], registry: &Registry) -> io::Result<()> {
        self.filled = 0;
        self.unsent.clear();
        match self.open(registry)?.write(request) {
            // It fits into the socket, because nothing else is on its way.
            Ok(sent) if sent == request.len() => Ok(()),
            Ok(_) => Err(io::ErrorKind::WriteZero.into()),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.unsent.extend_from_slice(request);
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// Sends what waits for the connection to be open; whether it still may.
    fn catch_up(&mut self) -> bool {
        let Some(stream) = self.stream.as_mut().filter(|_| !self.unsent.is_empty()) else {
            return true;
        };
        match stream.write(&self.unsent) {
            Ok(sent) if sent == self.unsent.len() => {
                self.unsent.clear();
                true
            }
            Ok(_) => false,
            Err(error) => error.kind() == io::ErrorKind::WouldBlock,
        }
    }

    /// Reads what is there.
    pub(super) fn read(&mut self) -> Read {
        if !self.catch_up() {
            return Read::Broken;
        }
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
