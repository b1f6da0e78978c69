//! Connections: accepted up to a cap, served over HTTP/1.1, brought to their end when asked.

use std::io::Write as _;
use std::net::SocketAddr;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use actors::admission::ConnectionCap;
use actors::runtime::spawn_light;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use crate::front::{Answer, Front};
use crate::guarded::{Guarded, rejection};
use crate::problem::Code;

/// Connections that may wait in the kernel to be accepted.
const BACKLOG: u32 = 4_096;
/// Longest time for the head of a request to arrive.
const HEAD_WITHIN: Duration = Duration::from_secs(5);
/// Largest head of a request, and what is buffered of a body.
const BUFFER_MAX: usize = 16 * 1_024;
/// Pause after the system had no room for one more connection.
const NO_ROOM_PAUSE: Duration = Duration::from_millis(50);
/// Told to one connection too many.
static FULL: LazyLock<Vec<u8>> =
    LazyLock::new(|| rejection(Code::Overloaded, "too many connections", "retry-after: 1\r\n"));

/// Listens.
///
/// # Errors
///
/// When the address cannot be had.
pub fn bind(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // A restart must not wait for connections of the life before.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Serves until `stop`, then lets requests under way come to their end.
///
/// Returns whether all of them did within `drain`.
pub async fn serve(
    listener: TcpListener,
    front: Arc<Front>,
    cap: ConnectionCap,
    stop: CancellationToken,
    drain: Duration,
) -> bool {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD_WITHIN).max_buf_size(BUFFER_MAX);
    let graceful = GracefulShutdown::new();
    loop {
        let accepted = tokio::select! {
            biased;
            () = stop.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                warn!(%error, "connection not accepted");
                sleep(NO_ROOM_PAUSE).await;
                continue;
            }
        };
        let Some(place) = cap.open_one() else {
            reject(stream);
            continue;
        };
        // Answers are small; waiting for more of them would only delay.
        if let Err(error) = stream.set_nodelay(true) {
            debug!(%error, "connection gone before it was served");
            continue;
        }
        let front = Arc::clone(&front);
        let service = service_fn(move |request: Request<Incoming>| {
            let front = Arc::clone(&front);
            async move { Answer::Ok(front.answer(peer.ip(), request).await) }
        });
        let stream = TokioIo::new(Guarded::new(stream));
        let connection = graceful.watch(http.serve_connection(stream, service));
        spawn_light(async move {
            let _place = place;
            if let Err(error) = connection.await {
                debug!(%error, %peer, "connection ended early");
            }
        });
    }
    drop(listener);
    timeout(drain, graceful.shutdown()).await.is_ok()
}

/// Says why, if that fits into the socket at once, and hangs up.
fn reject(stream: TcpStream) {
    if let Ok(mut stream) = stream.into_std() {
        // Nobody waits for this; the other side sees a closed connection otherwise.
        let _ = stream.write(&FULL);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_to_one_connection_too_many_is_whole() {
        let text = std::str::from_utf8(&FULL).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
        assert_eq!(length.parse::<usize>().unwrap(), body.len());
        let body: serde_json::Value = serde_json::from_str(body).unwrap();
        assert_eq!(body["code"], "overloaded");
    }
}
