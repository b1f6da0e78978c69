//! What a run remembers: every answer that every shopper got, and what the shelves held.

use std::rc::Rc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::client::{Fault, Reply};

/// An amount on the wire: integer minor units and an ISO currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Money {
    /// Cents, or whatever the smallest unit of the currency is.
    pub minor: i64,
    /// Three letters.
    pub currency: String,
}

/// One line of an order as the server shows it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct OrderLine {
    /// Id of the line; part of what must not change.
    pub id: Option<String>,
    /// What was bought.
    pub product_id: String,
    /// How many units.
    pub quantity: u64,
    /// Price of one unit.
    pub unit_price: Money,
}

/// The part of an order that may never change once a client has seen it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct OrderFacts {
    /// Name of the order.
    pub id: String,
    /// What was bought.
    pub items: Vec<OrderLine>,
    /// Sum of the lines.
    pub subtotal: Money,
    /// Taken off.
    pub discount: Money,
    /// Added for shipping.
    pub shipping: Money,
    /// Added for duties.
    pub duties: Money,
    /// Added for tax.
    pub tax: Money,
    /// What the customer pays.
    pub total: Money,
}

/// An order as read at one moment: its fixed facts and where it stands.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct OrderView {
    /// What may never change.
    #[serde(flatten)]
    pub facts: OrderFacts,
    /// `PENDING`, `PROCESSING`, `SHIPPED`, `DELIVERED` or `CANCELLED`.
    pub status: String,
    /// `queued`, `paid`, `failed` …
    pub payment_status: String,
    /// Which version of the order this is.
    pub version: Option<u64>,
}

impl OrderView {
    /// The payment has not come to an end yet.
    pub fn is_open(&self) -> bool {
        self.status != "CANCELLED"
            && matches!(self.payment_status.as_str(), "queued" | "authorised" | "unpaid")
    }
}

/// The stock of a product as its page shows it, in units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stock {
    /// In the house: held and available together.
    pub on_hand: u64,
    /// Promised to orders that are not finished.
    pub held: u64,
    /// Free to be bought.
    pub available: u64,
    /// Gone to paid orders.
    pub sold: u64,
}

/// A reading of one product's stock during the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct StockSample {
    /// Milliseconds since the doors opened.
    pub at_ms: u64,
    /// What the product page said.
    pub stock: Stock,
}

/// A product of the run, before and after.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shelf {
    /// The product's id.
    pub product: Rc<str>,
    /// Stock when the doors opened.
    pub before: Stock,
    /// Stock when everything had settled; `None` when it could not be read.
    pub after: Option<Stock>,
}

/// One definite or indefinite answer from the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// The stable `code` of a problem body.
    pub code: Option<Box<str>>,
    /// The order in a 2xx body; `None` when there is none or it cannot be read.
    pub order: Option<Box<OrderView>>,
    /// The wait that the server asked for.
    pub retry_after: Option<Duration>,
    /// `idempotent-replayed: true` was set.
    pub replayed: bool,
}

impl Answer {
    /// Reads a reply as the answer to placing or reading an order.
    pub fn read(reply: &Reply) -> Self {
        #[derive(Deserialize)]
        struct Problem {
            code: Option<Box<str>>,
        }
        let accepted = (200..300).contains(&reply.status);
        let order = accepted.then(|| serde_json::from_slice(&reply.body).ok()).flatten();
        let code = (!accepted)
            .then(|| serde_json::from_slice::<Problem>(&reply.body).ok()?.code)
            .flatten();
        Self {
            status: reply.status,
            code,
            order,
            retry_after: reply.retry_after,
            replayed: reply.replayed,
        }
    }

    /// 2xx: done, or a durable order that finishes by itself.
    pub fn is_accepted(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// 429 or 503: nothing happened, come again.
    pub fn is_turned_away(&self) -> bool {
        matches!(self.status, 429 | 503)
    }

    /// The server itself does not say whether anything happened.
    pub fn is_unknown(&self) -> bool {
        self.status >= 500 && self.status != 503
    }
}

/// How one try ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The server answered.
    Answered(Answer),
    /// No request left this machine.
    NotSent,
    /// The connection broke after the request had left.
    Cut,
    /// The client's patience ended before an answer came.
    TimedOut,
}

impl Outcome {
    /// Nobody can say from this try alone whether an order exists.
    pub fn is_unknown(&self) -> bool {
        match self {
            Self::Answered(answer) => answer.is_unknown(),
            Self::NotSent => false,
            Self::Cut | Self::TimedOut => true,
        }
    }

    /// The answer, when there was one.
    pub fn answer(&self) -> Option<&Answer> {
        match self {
            Self::Answered(answer) => Some(answer),
            Self::NotSent | Self::Cut | Self::TimedOut => None,
        }
    }
}

impl From<Result<Reply, Fault>> for Outcome {
    fn from(result: Result<Reply, Fault>) -> Self {
        match result {
            Ok(reply) => Self::Answered(Answer::read(&reply)),
            Err(Fault::NotConnected(_) | Fault::NoFreeConnection) => Self::NotSent,
            Err(Fault::Cut(_)) => Self::Cut,
            Err(Fault::TimedOut) => Self::TimedOut,
        }
    }
}

/// One try of a shopper; times are offsets from the opening of the doors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// When it was meant to be sent. Latency counts from here.
    pub intended: Duration,
    /// When it was over.
    pub finished: Duration,
    /// How it ended.
    pub outcome: Outcome,
}

impl Attempt {
    /// From the intended moment to the end, waiting inside the client included.
    pub fn latency(&self) -> Duration {
        self.finished.saturating_sub(self.intended)
    }
}

/// How a shopper went home.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// With an order.
    Accepted,
    /// With a definite no about the order itself.
    Refused,
    /// With "too busy" on the last allowed try.
    TurnedAway,
    /// Without knowing what happened.
    Unknown,
    /// Without any request having left this machine.
    Unreached,
}

/// Everything that one shopper saw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShopperRecord {
    /// Number of the shopper in the crowd, from 0.
    pub shopper: u32,
    /// The idempotency key of all tries.
    pub key: String,
    /// What was wanted.
    pub product: Rc<str>,
    /// How many units were wanted.
    pub quantity: u32,
    /// When the shopper was meant to arrive.
    pub arrived: Duration,
    /// Every try in order.
    pub attempts: Vec<Attempt>,
}

impl ShopperRecord {
    /// The first 2xx answer.
    pub fn accepted(&self) -> Option<&Answer> {
        self.answers().find(|answer| answer.is_accepted())
    }

    /// Every answer in order.
    pub fn answers(&self) -> impl Iterator<Item = &Answer> {
        self.attempts.iter().filter_map(|attempt| attempt.outcome.answer())
    }

    /// How the shopper went home. An unknown try stays unknown until a definite
    /// answer about the order follows it: "too busy" does not tell what became of it.
    pub fn verdict(&self) -> Verdict {
        let mut unknown = false;
        let mut verdict = Verdict::Unreached;
        for attempt in &self.attempts {
            match &attempt.outcome {
                Outcome::Answered(answer) if answer.is_accepted() => return Verdict::Accepted,
                Outcome::Answered(answer) if answer.is_turned_away() => {
                    verdict = Verdict::TurnedAway;
                }
                Outcome::Answered(answer) if !answer.is_unknown() => {
                    verdict = Verdict::Refused;
                    unknown = false;
                }
                Outcome::NotSent => {}
                Outcome::Answered(_) | Outcome::Cut | Outcome::TimedOut => unknown = true,
            }
        }
        if unknown { Verdict::Unknown } else { verdict }
    }

    /// The last definite refusal's code, for counting why people went without.
    pub fn refusal_code(&self) -> Option<String> {
        let answer = self.answers().filter(|answer| !answer.is_accepted()).last()?;
        Some(
            answer
                .code
                .as_ref()
                .map_or_else(|| format!("http_{}", answer.status), ToString::to_string),
        )
    }
}
