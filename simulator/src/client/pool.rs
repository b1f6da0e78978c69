//! A bounded pool of kept HTTP/1 connections; waiting for a free one counts as waiting.

use std::cell::{Cell, RefCell};

use bytes::Bytes;
use http::HeaderValue;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::time::{Duration, Instant, timeout_at};

use super::request::{Call, Endpoint, Fault, Reply};

/// Largest body that is read; a longer one cuts the call.
const BODY_LIMIT: usize = 1 << 20;

/// How often a request that never left is handed to another connection.
const SENDS: u32 = 3;

type Sender = SendRequest<Full<Bytes>>;

/// Connections to one server, used by one thread. Callers beyond the bound queue in
/// order of arrival, each no longer than its own time-out.
#[derive(Debug)]
pub struct Pool {
    endpoint: Endpoint,
    api_key: HeaderValue,
    timeout: Duration,
    slots: Semaphore,
    idle: RefCell<Vec<Sender>>,
    opened: Cell<u64>,
}

impl Pool {
    /// A pool of at most `connections` connections; `timeout` bounds a whole exchange.
    pub fn new(
        endpoint: Endpoint,
        api_key: HeaderValue,
        connections: usize,
        timeout: Duration,
    ) -> Self {
        Self {
            endpoint,
            api_key,
            timeout,
            slots: Semaphore::new(connections.max(1)),
            idle: RefCell::default(),
            opened: Cell::new(0),
        }
    }

    /// How many connections were opened so far, replacements included.
    pub fn opened(&self) -> u64 {
        self.opened.get()
    }

    /// Sends one call and reads the whole answer. Must run inside an actix system.
    ///
    /// # Errors
    /// A [`Fault`]; its variants tell whether the request can have had an effect.
    pub async fn exchange(&self, call: &Call) -> Result<Reply, Fault> {
        let deadline = Instant::now() + self.timeout;
        let Ok(Ok(_slot)) = timeout_at(deadline, self.slots.acquire()).await else {
            return Err(Fault::NoFreeConnection);
        };
        let request = call
            .to_request(&self.endpoint, &self.api_key)
            .map_err(|error| Fault::NotConnected(error.to_string()))?;
        let mut sender = self.kept_or_new(deadline).await?;
        let mut request = Some(request);
        // A kept connection can be closed by the server at any moment. hyper hands back a
        // request that never left, and only such a request may go out a second time.
        for _ in 0..SENDS {
            let Some(attempt) = request.take() else { break };
            match timeout_at(deadline, sender.try_send_request(attempt)).await {
                Err(_) => return Err(Fault::TimedOut),
                Ok(Ok(response)) => {
                    let (head, body) = response.into_parts();
                    let body = match timeout_at(deadline, Limited::new(body, BODY_LIMIT).collect())
                        .await
                    {
                        Err(_) => return Err(Fault::TimedOut),
                        Ok(Err(error)) => return Err(Fault::Cut(error.to_string())),
                        Ok(Ok(body)) => body.to_bytes(),
                    };
                    if !sender.is_closed() {
                        self.idle.borrow_mut().push(sender);
                    }
                    return Ok(Reply::new(head.status.as_u16(), &head.headers, body));
                }
                Ok(Err(mut error)) => match error.take_message() {
                    Some(unsent) => {
                        sender = self.open(deadline).await?;
                        request = Some(unsent);
                    }
                    None => return Err(Fault::Cut(error.error().to_string())),
                },
            }
        }
        Err(Fault::NotConnected("the server closes every connection at once".to_owned()))
    }

    async fn kept_or_new(&self, deadline: Instant) -> Result<Sender, Fault> {
        loop {
            let kept = self.idle.borrow_mut().pop();
            let Some(mut sender) = kept else { return self.open(deadline).await };
            if let Ok(Ok(())) = timeout_at(deadline, sender.ready()).await {
                return Ok(sender);
            }
        }
    }

    async fn open(&self, deadline: Instant) -> Result<Sender, Fault> {
        let connect = TcpStream::connect((self.endpoint.host.as_str(), self.endpoint.port));
        let refused = |error: &dyn std::fmt::Display| Fault::NotConnected(error.to_string());
        let stream = timeout_at(deadline, connect)
            .await
            .map_err(|_| refused(&"time-out"))?
            .map_err(|error| refused(&error))?;
        stream.set_nodelay(true).map_err(|error| refused(&error))?;
        let (mut sender, connection) =
            http1::handshake(TokioIo::new(stream)).await.map_err(|error| refused(&error))?;
        // The task ends with its connection, and the connection with its sender.
        actix::spawn(async move { drop(connection.await) });
        self.opened.set(self.opened.get().saturating_add(1));
        sender.ready().await.map_err(|error| refused(&error))?;
        Ok(sender)
    }
}
