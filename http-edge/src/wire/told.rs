//! Public events on the wire: the same form for webhooks, pages and live streams.

use actors::followers::Told;
use engine::public::{Facts, PublicLine, Subject};
use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};

use super::{MoneyBody, instant};

/// A public event. What stands in `data` is in docs/events.md, by type.
#[derive(Debug, utoipa::ToSchema)]
#[schema(as = PublicEvent)]
#[expect(dead_code, reason = "read by the description of the interface only")]
pub(crate) struct PublicEventBody {
    /// The same however often it is told.
    id: String,
    /// What happened, with the version of its shape.
    #[schema(rename = "type", example = "order.paid.v1")]
    kind: String,
    /// When it was decided.
    #[schema(format = DateTime)]
    timestamp: String,
    /// Where it lies: `<shard>:<position>`.
    position: String,
    /// What it is about, and what else is told.
    data: serde_json::Value,
}

/// Writes a public event as [`PublicEventBody`] describes it.
#[derive(Clone, Copy, Debug)]
pub struct ToldBody<'a>(&'a Told);

impl<'a> From<&'a Told> for ToldBody<'a> {
    fn from(told: &'a Told) -> Self {
        Self(told)
    }
}

impl ToldBody<'_> {
    /// The event's name for itself.
    pub fn id(&self) -> String {
        format!("evt_{}", self.0.id)
    }
}

impl Serialize for ToldBody<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let told = self.0;
        let mut body = serializer.serialize_map(Some(5))?;
        body.serialize_entry("id", &self.id())?;
        body.serialize_entry("type", told.event.name.as_str())?;
        body.serialize_entry("timestamp", &instant(told.at))?;
        let position = format!("{}:{}", told.position.shard, told.position.position);
        body.serialize_entry("position", &position)?;
        body.serialize_entry("data", &Data(told))?;
        body.end()
    }
}

struct Data<'a>(&'a Told);

impl Serialize for Data<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let event = &self.0.event;
        let mut data = serializer.serialize_map(None)?;
        match &event.subject {
            Subject::Order(order) => data.serialize_entry("order_id", order)?,
            Subject::Product(product) => data.serialize_entry("product_id", product)?,
        }
        match &event.facts {
            Facts::Placed { customer, channel, lines, total } => {
                data.serialize_entry("customer_id", customer)?;
                data.serialize_entry("channel", channel)?;
                let lines: Vec<LineBody<'_>> = lines.iter().map(LineBody).collect();
                data.serialize_entry("items", &lines)?;
                data.serialize_entry("total", &MoneyBody::from(*total))?;
            }
            Facts::Amount(amount) => data.serialize_entry("amount", &MoneyBody::from(*amount))?,
            Facts::Listing { name, price } => {
                data.serialize_entry("name", name)?;
                data.serialize_entry("price", &MoneyBody::from(*price))?;
            }
            Facts::Price(price) => data.serialize_entry("price", &MoneyBody::from(*price))?,
            Facts::Name(name) => data.serialize_entry("name", name)?,
            Facts::Until(moment) => data.serialize_entry("until", &instant(*moment))?,
            Facts::Reason(reason) => data.serialize_entry("reason", reason)?,
            Facts::Nothing => {}
        }
        data.end()
    }
}

struct LineBody<'a>(&'a PublicLine);

impl Serialize for LineBody<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let line = self.0;
        let mut body = serializer.serialize_map(Some(3))?;
        body.serialize_entry("product_id", &line.product)?;
        body.serialize_entry("quantity", &line.quantity)?;
        body.serialize_entry("unit_price", &MoneyBody::from(line.unit_price))?;
        body.end()
    }
}
