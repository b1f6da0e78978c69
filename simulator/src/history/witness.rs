//! A client whose questions over HTTP are written down.

use super::event::{Ask, Changed, End, LineSeen, No, OrderSeen, Payment, Seen, ShelfSeen, Status};
use super::recorder::{Client, Open, Recorder};
use crate::client::{Call, Fault, Pool, Reply};
use crate::record::{Answer, Money, OrderFacts, OrderView, Stock};

/// Somebody who asks over HTTP, one question at a time.
#[derive(Debug)]
pub struct Witness {
    client: Client,
}

impl Witness {
    /// Somebody new.
    pub fn new(recorder: &Recorder) -> Self {
        Self { client: recorder.client() }
    }

    /// Notes a call that is about to be sent.
    pub fn asks(&self, recorder: &Recorder, call: &Call, ask: &Ask) -> Open {
        recorder.invoke(&self.client, call.key(), ask)
    }

    /// Notes how a call ended.
    pub fn hears(
        &mut self,
        recorder: &Recorder,
        open: &Open,
        ask: &Ask,
        result: &Result<Reply, Fault>,
    ) {
        recorder.complete(&mut self.client, open, &end(ask, result));
    }

    /// Sends one call and notes both ends of it.
    ///
    /// # Errors
    /// As [`Pool::exchange`].
    pub async fn exchange(
        &mut self,
        recorder: &Recorder,
        pool: &Pool,
        call: &Call,
        ask: &Ask,
    ) -> Result<Reply, Fault> {
        let open = self.asks(recorder, call, ask);
        let result = pool.exchange(call).await;
        self.hears(recorder, &open, ask, &result);
        result
    }
}

/// How a call ended, in the words of a history.
pub(crate) fn end(ask: &Ask, result: &Result<Reply, Fault>) -> End {
    let reply = match result {
        Ok(reply) => reply,
        Err(Fault::NotConnected(_) | Fault::NoFreeConnection) => {
            return End::Rejected(No { http: 0, code: Some("not_sent".into()) });
        }
        Err(Fault::Cut(_) | Fault::TimedOut) => return End::Unknown,
    };
    let answer = Answer::read(reply);
    if answer.is_unknown() {
        return End::Unknown;
    }
    if !answer.is_accepted() {
        return End::Rejected(No { http: answer.status, code: answer.code });
    }
    let seen = match ask {
        Ask::Place(_) | Ask::Cancel(_) | Ask::Move(..) | Ask::Read(_) => {
            answer.order.and_then(|order| order_seen(*order, reply)).map(Seen::Order)
        }
        Ask::Look(_) => shelf_seen(reply).map(Seen::Shelf),
        Ask::Restock(..) => {
            Some(Seen::Changed(Changed { ver: reply.version, pos: reply.position }))
        }
    };
    End::Ok(seen.unwrap_or(Seen::Nothing))
}

/// The order in a few words; `None` when its amounts are of several currencies or its states
/// are unheard of.
fn order_seen(order: OrderView, reply: &Reply) -> Option<Box<OrderSeen>> {
    fn state<T: serde::de::DeserializeOwned>(word: String) -> Option<T> {
        serde_json::from_value(serde_json::Value::String(word)).ok()
    }
    let OrderView { facts, status, payment_status, version } = order;
    let currency = facts.total.currency.clone();
    let minor = |money: &Money| (money.currency == currency).then_some(money.minor);
    let lines = facts.items.iter().map(|line| {
        Some(LineSeen {
            id: line.id.as_deref().map(Box::from),
            product: (&*line.product_id).into(),
            n: line.quantity,
            unit: minor(&line.unit_price)?,
        })
    });
    let OrderFacts { id, subtotal, discount, shipping, duties, tax, total, .. } = &facts;
    Some(Box::new(OrderSeen {
        order: (&**id).into(),
        http: reply.status,
        status: state::<Status>(status)?,
        payment: state::<Payment>(payment_status)?,
        ver: reply.version.or(version),
        pos: reply.position,
        replayed: reply.replayed,
        facts: super::event::Facts {
            lines: lines.collect::<Option<_>>()?,
            subtotal: minor(subtotal)?,
            discount: minor(discount)?,
            shipping: minor(shipping)?,
            duties: minor(duties)?,
            tax: minor(tax)?,
            total: minor(total)?,
            currency: currency.clone().into(),
        },
    }))
}

fn shelf_seen(reply: &Reply) -> Option<ShelfSeen> {
    #[derive(serde::Deserialize)]
    struct Page {
        stock: Versioned,
        price: Option<Money>,
    }
    #[derive(serde::Deserialize)]
    struct Versioned {
        #[serde(flatten)]
        stock: Stock,
        version: Option<u64>,
    }
    let page: Page = serde_json::from_slice(&reply.body).ok()?;
    Some(ShelfSeen { stock: page.stock.stock, price: page.price, ver: page.stock.version })
}
