//! Mailboxes: ractor beside actix and a bare tokio channel, in the two shapes that we use.
//!
//! *tell*: four producers send without waiting for answers, and the time ends when the last
//! message has been handled. *ask*: 64 or 256 clients each wait for an answer before they send
//! again. The work is one addition, so that only the mailbox is seen.
//!
//! Like for like: the same shapes, counts and runtime threads (two), one task per client, an
//! answer through a one-shot channel in *ask*. Not like for like: ractor's mailbox is unbounded
//! and each actor can be supervised; actix is told with `do_send`, which passes its bound, runs
//! the actor on an arbiter's own thread and gives no supervision here; the channel is bounded
//! (1,024), so that its producers wait for room, and has neither a name nor a life cycle.
//! What a permit, a deadline and the journal add in Millrace is in none of them.
#![expect(clippy::expect_used, reason = "a bench that cannot send has nothing to measure")]

use std::hint::black_box;
use std::sync::mpsc as std_mpsc;
use std::time::Duration;

use actix::{Actor as _, Arbiter};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use ractor::{ActorProcessingErr, ActorRef};
use tokio::runtime::Runtime;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::Instant;

const PRODUCERS: u64 = 4;
const TELLS: u64 = 100_000;
const ASKS: u64 = 100_000;
const CLIENTS: [u64; 2] = [64, 256];
/// Room in the bare channel.
const ROOM: usize = 1_024;

/// Two threads, as on the machine that we measure on.
fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime")
}

/// What every receiver understands; `Sum` is answered after all that came before it.
enum Message {
    Add(u64),
    Ask(u64, oneshot::Sender<u64>),
    Sum(oneshot::Sender<u64>),
}

/// The state that a mailbox guards.
#[derive(Default)]
struct Total(u64);

impl Total {
    fn handle(&mut self, message: Message) {
        match message {
            Message::Add(amount) => self.0 = self.0.wrapping_add(amount),
            Message::Ask(amount, answer) => {
                self.0 = self.0.wrapping_add(amount);
                // A client that has gone needs no answer.
                let _ = answer.send(self.0);
            }
            Message::Sum(answer) => {
                let _ = answer.send(self.0);
            }
        }
    }
}

/// A way to reach a receiver.
trait Mailbox: Clone + Send + 'static {
    /// Puts a message into the mailbox.
    fn send(&self, message: Message) -> impl Future<Output = ()> + Send;
}

struct Ractor;

impl ractor::Actor for Ractor {
    type Msg = Message;
    type State = Total;
    type Arguments = ();

    async fn pre_start(&self, _: ActorRef<Message>, (): ()) -> Result<Total, ActorProcessingErr> {
        Ok(Total::default())
    }

    async fn handle(
        &self,
        _: ActorRef<Message>,
        message: Message,
        total: &mut Total,
    ) -> Result<(), ActorProcessingErr> {
        total.handle(message);
        Ok(())
    }
}

impl Mailbox for ActorRef<Message> {
    async fn send(&self, message: Message) {
        assert!(self.send_message(message).is_ok(), "the actor has ended");
    }
}

struct Actix(Total);

impl actix::Actor for Actix {
    type Context = actix::Context<Self>;
}

impl actix::Message for Message {
    type Result = ();
}

impl actix::Handler<Message> for Actix {
    type Result = ();

    fn handle(&mut self, message: Message, _: &mut Self::Context) {
        self.0.handle(message);
    }
}

impl Mailbox for actix::Addr<Actix> {
    async fn send(&self, message: Message) {
        self.do_send(message);
    }
}

impl Mailbox for mpsc::Sender<Message> {
    async fn send(&self, message: Message) {
        assert!(self.send(message).await.is_ok(), "the receiver has ended");
    }
}

/// Four producers tell; the time ends when everything has been handled.
async fn tell<M: Mailbox>(mailbox: &M, rounds: u64) -> Duration {
    let mut spent = Duration::ZERO;
    for _ in 0..rounds {
        let begun = Instant::now();
        let mut producers = JoinSet::new();
        for _ in 0..PRODUCERS {
            let mailbox = mailbox.clone();
            producers.spawn(async move {
                for amount in 0..TELLS / PRODUCERS {
                    mailbox.send(Message::Add(amount)).await;
                    // A producer that never pauses would keep its thread from the receiver.
                    if amount % 256 == 255 {
                        tokio::task::yield_now().await;
                    }
                }
            });
        }
        producers.join_all().await;
        let (sender, drained) = oneshot::channel();
        mailbox.send(Message::Sum(sender)).await;
        black_box(drained.await.expect("an answer"));
        spent += begun.elapsed();
    }
    spent
}

/// Every client waits for its answer before it asks again.
async fn ask<M: Mailbox>(mailbox: &M, clients: u64, rounds: u64) -> Duration {
    let mut spent = Duration::ZERO;
    for _ in 0..rounds {
        let begun = Instant::now();
        let mut all = JoinSet::new();
        for _ in 0..clients {
            let mailbox = mailbox.clone();
            all.spawn(async move {
                for amount in 0..ASKS / clients {
                    let (sender, answer) = oneshot::channel();
                    mailbox.send(Message::Ask(amount, sender)).await;
                    black_box(answer.await.expect("an answer"));
                }
            });
        }
        all.join_all().await;
        spent += begun.elapsed();
    }
    spent
}

/// Both shapes against one mailbox.
fn shapes<M: Mailbox>(criterion: &mut Criterion, name: &str, runtime: &Runtime, mailbox: &M) {
    let mut group = criterion.benchmark_group("tell");
    group.sample_size(10).throughput(Throughput::Elements(TELLS));
    group.bench_function(BenchmarkId::new(name, "4 producers"), |bencher| {
        bencher.to_async(runtime).iter_custom(|rounds| tell(mailbox, rounds));
    });
    group.finish();
    let mut group = criterion.benchmark_group("ask");
    for clients in CLIENTS {
        group.sample_size(10).throughput(Throughput::Elements(ASKS / clients * clients));
        group.bench_function(BenchmarkId::new(name, format!("{clients} clients")), |bencher| {
            bencher.to_async(runtime).iter_custom(|rounds| ask(mailbox, clients, rounds));
        });
    }
    group.finish();
}

fn with_ractor(criterion: &mut Criterion) {
    let runtime = runtime();
    let (actor, handle) = runtime
        .block_on(<Ractor as ractor::Actor>::spawn(None, Ractor, ()))
        .expect("an actor that starts");
    shapes(criterion, "ractor", &runtime, &actor);
    actor.stop(None);
    runtime.block_on(handle).expect("an actor that ends");
}

fn with_actix(criterion: &mut Criterion) {
    let runtime = runtime();
    // The actor lives in a system on a thread of its own; the clients stay on the runtime.
    let (sender, started) = std_mpsc::channel();
    let system = std::thread::spawn(move || {
        let system = actix::System::new();
        let arbiter = Arbiter::new();
        let address = Actix::start_in_arbiter(&arbiter.handle(), |_| Actix(Total::default()));
        sender.send((address, actix::System::current())).expect("somebody who waits");
        system.run().expect("a system that ends in order");
    });
    let (address, current) = started.recv().expect("an actor that starts");
    shapes(criterion, "actix", &runtime, &address);
    current.stop();
    system.join().expect("a system that ends");
}

fn with_channel(criterion: &mut Criterion) {
    let runtime = runtime();
    let (sender, mut receiver) = mpsc::channel(ROOM);
    let task = runtime.spawn(async move {
        let mut total = Total::default();
        while let Some(message) = receiver.recv().await {
            total.handle(message);
        }
    });
    shapes(criterion, "tokio channel", &runtime, &sender);
    drop(sender);
    runtime.block_on(task).expect("a receiver that ends");
}

criterion_group!(mailboxes, with_ractor, with_actix, with_channel);
criterion_main!(mailboxes);
