//! One connection of the generator: opened when it is needed, one request at a time.

use std::io::{self, Read as _, Write as _};
use std::net::SocketAddr;
use std::time::Duration;

use mio::net::TcpStream;
use mio::{Interest, Registry, Token};
use socket2::{Domain, Socket, Type};
use tokio::time::Instant;

use super::ports::Ports;
use crate::rig::response::{self, Answer};

/// A connection that was idle for longer is replaced before it is used: servers close such
/// connections, and a close that crosses a request looks like an error.
const IDLE_MAX: Duration = Duration::from_secs(2);
/// Largest answer that is read, head included.
pub(super) const ANSWER_MAX: usize = 16 * 1_024;
/// Ports that are looked at for one connection.
const PORTS_TRIED: usize = 16;

/// A try: one request of a client, and what the client remembers. Ordered by when it is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Try {
    /// When it is meant to leave.
    pub(super) due: Instant,
    /// Which order.
    pub(super) number: u64,
    /// Tries before this one.
    pub(super) retries: u8,
    /// When the first of them was meant to leave.
    pub(super) came: Instant,
    /// One of them may have bought without a word.
    pub(super) is_in_doubt: bool,
}

/// A connection.
#[derive(Debug)]
pub(super) struct Line {
    to: SocketAddr,
    token: Token,
    stream: Option<TcpStream>,
    used: Instant,
    /// What it waits for.
    pub(super) busy: Option<Try>,
    /// What could not leave before the connection is open.
    unsent: Vec<u8>,
    /// The start of an answer.
    partial: Vec<u8>,
}

/// Why a request is not on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unsent {
    /// This side had no socket or no port for it.
    NoSocket,
    /// The other side has hung up.
    Cut,
}

/// What was read.
#[derive(Debug)]
pub(super) enum Read {
    /// The answer is not complete.
    Partly,
    /// An answer, which is all that there is in the buffer up to its length.
    Whole(Answer),
    /// The other side has closed it, or sent what is no answer.
    Broken,
}

impl Line {
    /// A connection that is not open yet.
    pub(super) fn new(to: SocketAddr, token: Token) -> Self {
        Self {
            to,
            token,
            stream: None,
            used: Instant::now(),
            busy: None,
            unsent: Vec::new(),
            partial: Vec::new(),
        }
    }

    /// Opens it, unless it is. Nobody waits for that: a server that takes no connections must not
    /// keep the others from being used.
    pub(super) fn open(
        &mut self,
        ports: &mut Ports,
        registry: &Registry,
    ) -> io::Result<&mut TcpStream> {
        if self.used.elapsed() > IDLE_MAX {
            self.stream = None;
        }
        let stream = match self.stream.take() {
            Some(stream) => stream,
            None => self.connect(ports, registry)?,
        };
        self.used = Instant::now();
        Ok(self.stream.insert(stream))
    }

    fn connect(&self, ports: &mut Ports, registry: &Registry) -> io::Result<TcpStream> {
        let mut result = Err(io::ErrorKind::AddrInUse.into());
        for _ in 0..PORTS_TRIED {
            result = self.dial(ports.take());
            let kind = result.as_ref().err().map(io::Error::kind);
            if !matches!(kind, Some(io::ErrorKind::AddrInUse | io::ErrorKind::AddrNotAvailable)) {
                break;
            }
        }
        let mut stream = TcpStream::from_std(result?.into());
        registry.register(&mut stream, self.token, Interest::READABLE | Interest::WRITABLE)?;
        Ok(stream)
    }

    fn dial(&self, from: Option<SocketAddr>) -> io::Result<Socket> {
        let socket = Socket::new(Domain::for_address(self.to), Type::STREAM, None)?;
        socket.set_nonblocking(true)?;
        socket.set_tcp_nodelay(true)?;
        if let Some(from) = from {
            // A port whose last connection was closed a moment ago may be used again.
            socket.set_reuse_address(true)?;
            socket.bind(&from.into())?;
        }
        match socket.connect(&self.to.into()) {
            Err(error) if error.kind() == io::ErrorKind::AddrNotAvailable => Err(error),
            // It is on its way, or refused, which the first use will tell.
            _ => Ok(socket),
        }
    }

    /// Sends a request, now or as soon as the connection is open.
    pub(super) fn send(
        &mut self,
        request: &[u8],
        ports: &mut Ports,
        registry: &Registry,
    ) -> Result<(), Unsent> {
        self.unsent.clear();
        self.partial.clear();
        let stream = self.open(ports, registry).map_err(|_| Unsent::NoSocket)?;
        match stream.write(request) {
            // It fits into the socket, because nothing else is on its way.
            Ok(sent) if sent == request.len() => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.unsent.extend_from_slice(request);
                Ok(())
            }
            Ok(_) | Err(_) => Err(Unsent::Cut),
        }
    }

    /// Whether its request still waits for the connection to be open.
    pub(super) fn is_unsent(&self) -> bool {
        !self.unsent.is_empty()
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

    /// Reads what is there into a buffer that all connections share.
    pub(super) fn read(&mut self, buffer: &mut [u8; ANSWER_MAX]) -> Read {
        if !self.catch_up() {
            return Read::Broken;
        }
        let Some(stream) = &mut self.stream else { return Read::Partly };
        let mut filled = self.partial.len();
        if let Some(start) = buffer.get_mut(..filled) {
            start.copy_from_slice(&self.partial);
        }
        loop {
            match stream.read(buffer.get_mut(filled..).unwrap_or_default()) {
                Ok(0) => return Read::Broken,
                Ok(read) => filled = filled.saturating_add(read),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.partial.clear();
                    self.partial.extend_from_slice(buffer.get(..filled).unwrap_or_default());
                    return Read::Partly;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(_) => return Read::Broken,
            }
            match response::read(buffer.get(..filled).unwrap_or_default()) {
                Ok(Some(answer)) if answer.length == filled => {
                    self.partial.clear();
                    if answer.closes {
                        self.stream = None;
                    }
                    return Read::Whole(answer);
                }
                Ok(None) if filled < ANSWER_MAX => {}
                _ => return Read::Broken,
            }
        }
    }

    /// Hangs up.
    pub(super) fn close(&mut self) {
        self.stream = None;
        self.unsent.clear();
    }

    /// Whether it can be used without opening it anew.
    pub(super) fn is_open(&self) -> bool {
        self.stream.is_some()
    }
}
