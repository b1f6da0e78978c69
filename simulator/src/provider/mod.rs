//! A payment provider in a process of its own, with moods, and a ledger that no crash touches.
//!
//! `POST /charges` captures at most once for each key, `GET /charges/{key}` tells what became of
//! a key, `POST /refunds` gives money back, and `PUT /control` sets mood and callbacks.

mod books;
mod callbacks;
mod ledger;

use std::cell::RefCell;
use std::convert::Infallible;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use anyhow::Context as _;
use bytes::Bytes;
use clap::Args;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::time::sleep;

use crate::client::Endpoint;
use books::{Books, Deed, Reply};
use callbacks::Teller;
use ledger::Ledger;

pub use books::{Callbacks, Mood, Setting};
pub use ledger::{BadLedger, Entry, read};

/// Largest body that is read.
const BODY_MAX: usize = 64 * 1_024;
/// Pause after a connection that could not be taken.
const BREATH: Duration = Duration::from_millis(20);

/// `provider`.
#[derive(Debug, Args)]
pub struct ProviderArgs {
    /// Where to listen; the address is printed, so port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:9000")]
    listen: SocketAddr,
    /// The ledger; what is in it already stays decided.
    #[arg(long, value_name = "FILE")]
    ledger: PathBuf,
    /// Where the shop takes callbacks.
    #[arg(long, value_name = "URL", requires = "callback_secret")]
    callback_url: Option<String>,
    /// What callbacks are signed with.
    #[arg(long, env = "MILLRACE_WEBHOOK_SECRET", hide_env_values = true)]
    callback_secret: Option<String>,
}

/// What all requests share.
struct Desk {
    books: RefCell<Books>,
    ledger: Ledger,
    teller: Option<Teller>,
}

/// Serves until the process ends. Must run inside an actix system.
///
/// # Errors
/// When it cannot listen, or its ledger cannot be read or written any more.
pub async fn serve(args: &ProviderArgs) -> anyhow::Result<()> {
    let (ledger, entries, broken) = Ledger::open(&args.ledger)
        .with_context(|| format!("cannot open {}", args.ledger.display()))?;
    let teller = match &args.callback_url {
        None => None,
        Some(url) => {
            let secret = args.callback_secret.as_deref().unwrap_or_default();
            Some(Teller::new(Endpoint::parse(url)?, secret)?)
        }
    };
    let desk = Rc::new(Desk { books: RefCell::new(Books::of(&entries)), ledger, teller });
    let listener = TcpListener::bind(args.listen)
        .await
        .with_context(|| format!("cannot listen on {}", args.listen))?;
    writeln!(std::io::stdout(), "listening on http://{}", listener.local_addr()?)?;
    tokio::select! {
        () = accept(&listener, &desk) => Ok(()),
        error = broken => {
            let error = error.map_or_else(|_| anyhow::anyhow!("its writer is gone"), Into::into);
            Err(error.context("the ledger broke"))
        }
    }
}

async fn accept(listener: &TcpListener, desk: &Rc<Desk>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            sleep(BREATH).await;
            continue;
        };
        let _ = stream.set_nodelay(true);
        let desk = Rc::clone(desk);
        actix::spawn(async move {
            let service = service_fn(move |request| answer(Rc::clone(&desk), request));
            // A caller that hangs up is what this provider is for.
            drop(http1::Builder::new().serve_connection(TokioIo::new(stream), service).await);
        });
    }
}

async fn answer(
    desk: Rc<Desk>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let Ok(body) = Limited::new(body, BODY_MAX).collect().await else {
        return Ok(response(413, &json!({"error": "too large"})));
    };
    let body = body.to_bytes();
    let path: Vec<&str> = head.uri.path().trim_matches('/').split('/').collect();
    let deed = match (&head.method, path.as_slice()) {
        (&Method::POST, ["charges"]) => match form(&body) {
            Ok(request) => desk.charge(request),
            Err(error) => return Ok(unreadable(&error)),
        },
        (&Method::GET, ["charges", key]) => desk.books.borrow().question(key),
        (&Method::POST, ["refunds"]) => match form(&body) {
            Ok(request) => desk.books.borrow_mut().refund(&request),
            Err(error) => return Ok(unreadable(&error)),
        },
        (&Method::PUT, ["control"]) => match form::<Setting>(&body) {
            Ok(setting) => {
                desk.books.borrow_mut().setting = setting;
                if let Some(teller) = &desk.teller {
                    teller.flush().await;
                }
                return Ok(response(200, &json!(setting)));
            }
            Err(error) => return Ok(unreadable(&error)),
        },
        _ => return Ok(response(404, &json!({"error": "not found"}))),
    };
    Ok(desk.carry_out(deed).await)
}

impl Desk {
    fn charge(self: &Rc<Self>, request: books::ChargeRequest) -> Deed {
        let deed = self.books.borrow_mut().charge(&request);
        let mood = self.books.borrow().setting.mood;
        if let Mood::Late { ms } = mood {
            // It goes on when the caller has hung up.
            let desk = Rc::clone(self);
            actix::spawn(async move {
                sleep(Duration::from_millis(ms)).await;
                let deed = desk.books.borrow_mut().decide(&request);
                if desk.ledger.add(deed.entries).await {
                    desk.tell(deed.news);
                }
            });
        }
        deed
    }

    /// Ledger first, callbacks second unless they are early, answer last.
    async fn carry_out(self: &Rc<Self>, deed: Deed) -> Response<Full<Bytes>> {
        let desk = Rc::clone(self);
        let Deed { entries, reply, after, news } = deed;
        // In a task of its own, so that a caller who hangs up undoes nothing.
        let done = actix::spawn(async move {
            if !desk.ledger.add(entries).await {
                return false;
            }
            let early = desk.books.borrow().setting.callbacks == Callbacks::Early;
            if let (true, Some(teller), Some(news)) = (early, &desk.teller, &news) {
                teller.tell(Callbacks::Early, news.clone()).await;
            } else {
                desk.tell(news);
            }
            true
        });
        let durable = done.await.unwrap_or(false);
        sleep(after).await;
        match reply {
            Reply::Answer(status, body) if durable => response(status, &body),
            // Silence lasts until the caller hangs up, and a broken ledger says nothing.
            Reply::Answer(..) | Reply::Silence => std::future::pending().await,
        }
    }

    /// Tells the shop, while everything else goes on.
    fn tell(self: &Rc<Self>, news: Option<Value>) {
        let way = self.books.borrow().setting.callbacks;
        let (Some(news), true) = (news, self.teller.is_some()) else { return };
        let desk = Rc::clone(self);
        actix::spawn(async move {
            if let Some(teller) = &desk.teller {
                teller.tell(way, news).await;
            }
        });
    }
}

fn form<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    serde_json::from_slice(body).map_err(|error| error.to_string())
}

fn unreadable(error: &str) -> Response<Full<Bytes>> {
    response(400, &json!({"error": error}))
}

fn response(status: u16, body: &Value) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body.to_string())));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or_default();
    let json = http::HeaderValue::from_static("application/json");
    response.headers_mut().insert(http::header::CONTENT_TYPE, json);
    response
}
