//! Placing an order, and telling its caller what came of it.

use actors::outcome::{Accepted, NotDone};
use axum::extract::{FromRequestParts, State};
use axum::response::Response;
use engine::cart::CartRefusal;
use engine::order::{Order, OrderCommand, OrderRefusal, PaymentStatus};
use engine::values::{Fingerprint, OrderId};
use http::request::Parts;
use http::{HeaderName, StatusCode};

use super::body::{OrderBody, OrderView};
use super::wish::{Circumstances, NewOrder};
use crate::access::Scope;
use crate::call::Call;
use crate::idempotency::{RequestKey, fingerprint};
use crate::problem::{Code, Problem, ProblemBody};
use crate::reply::{REPLAYED, Reply, standing_headers};
use crate::routes::carts::taken::{CartLife, TakenCart, free};
use crate::routes::{Edge, Shared};
use crate::wire::Json;

/// Says that the prices in the body are to be taken as they are.
const TRUSTED_PRICE: HeaderName = HeaderName::from_static("x-trusted-price");

const DECLINED: &str = "the provider declined the payment; the order is cancelled";
const FAILED: &str = "the payment could not be taken in time; the order is cancelled";

/// Places an order. The same `Idempotency-Key` always names the same order.
#[utoipa::path(
    post, path = "/v1/orders", operation_id = "place_order", tag = "orders",
    params(
        ("Idempotency-Key" = Option<String>, Header,
         description = "Names the order; 1 to 255 visible ASCII characters. Minted when absent"),
        ("x-trusted-price" = Option<bool>, Header,
         description = "`true`: take unit_price as it is; needs the scope trusted_price"),
    ),
    request_body = NewOrder,
    responses(
        (status = 201, description = "Placed; durable", body = OrderBody),
        (status = 202, description = "Placed; the payment is queued and finishes by itself",
         body = OrderBody),
        (status = 400, description = "Not JSON", body = ProblemBody<'static>),
        (status = 402, description = "The payment was declined; recorded, nothing is held or charged",
         body = ProblemBody<'static>),
        (status = 409, description = "Not enough stock, or the purchase limit is reached",
         body = ProblemBody<'static>),
        (status = 422, description = "Broken rules, all at once; or the key was used before",
         body = ProblemBody<'static>),
        (status = 429, description = "Too many requests", body = ProblemBody<'static>),
        (status = 503, description = "Not accepted, nothing happened", body = ProblemBody<'static>),
        (status = 504, description = "Unknown; repeat with the same key", body = ProblemBody<'static>),
    ),
)]
pub(crate) async fn place(
    State(edge): State<Shared>,
    call: Call,
    key: RequestKey,
    TrustedPrice(trusted): TrustedPrice,
    body: Json<NewOrder>,
) -> Result<Response, Problem> {
    let cart = body.0.cart().map(|cart| TakenCart { cart, contents: None, life: CartLife::Once });
    let (call, key) = (&call, &key);
    let placing = Placing { edge: &edge, call, key, trusted_price: trusted, says: None, cart };
    placing.answer(&body.0).await
}

/// One placement under way, from whichever route.
pub(crate) struct Placing<'a> {
    pub(crate) edge: &'a Edge,
    pub(crate) call: &'a Call,
    pub(crate) key: &'a RequestKey,
    pub(crate) trusted_price: bool,
    /// What the request said, where the order is made of something else, too.
    pub(crate) says: Option<Fingerprint>,
    pub(crate) cart: Option<TakenCart>,
}

impl Placing<'_> {
    /// Places the order and answers as the contract says.
    pub(crate) async fn answer(&self, wish: &NewOrder) -> Result<Response, Problem> {
        let placed = self.carry_out(wish).await?;
        respond(&placed.standing, placed.replayed)
    }

    /// Places the order.
    pub(crate) async fn carry_out(&self, wish: &NewOrder) -> Result<Placed, Problem> {
        let principal = self.call.allowed(Scope::Orders)?;
        let order = self.key.order(&principal.account);
        let fingerprint = self.says.map_or_else(|| fingerprint(wish), Ok)?;
        let shop = &self.edge.shop;
        let customer = &principal.customer;
        let trusted_price = self.trusted_price;
        let given = Circumstances { order, customer, trusted_price, fingerprint, cart: self.cart };
        let command = OrderCommand::Place(Box::new(wish.to_command(shop, given).await?));
        let placed = match self.ask(order, command, fingerprint).await? {
            Ok(standing) => Placed { replayed: !standing.changed, standing },
            Err(NotDone::Unknown) => self.look(order, fingerprint).await?,
            Err(not_done) => return Err(not_done.into()),
        };
        if let Some(cart) = &self.cart {
            cart.settle(self.edge, self.call, order, placed.stands()).await;
        }
        Ok(placed)
    }

    /// Asks the order; once more when its cart belonged to another one that came to nothing.
    async fn ask(
        &self,
        order: OrderId,
        command: OrderCommand,
        fingerprint: Fingerprint,
    ) -> Result<Result<Accepted<Order>, NotDone<OrderRefusal>>, Problem> {
        let Self { edge, call, key, cart, .. } = self;
        let asking = call.asking(Some(key), Some(fingerprint));
        let Some(TakenCart { cart, life, .. }) = *cart else {
            return Ok(edge.shop.ask_order(order, command, asking).await);
        };
        match edge.shop.ask_order(order, command.clone(), asking.clone()).await {
            Err(NotDone::Refused(OrderRefusal::Cart(CartRefusal::CheckedOut(other))))
                if free(edge, call, cart, other, life).await? =>
            {
                Ok(edge.shop.ask_order(order, command, asking).await)
            }
            asked => Ok(asked),
        }
    }

    /// The deadline has passed, but a durable order needs nobody to wait for it.
    async fn look(&self, order: OrderId, fingerprint: Fingerprint) -> Result<Placed, Problem> {
        let found = self.edge.shop.order_at_last(order).await;
        let known = found.as_ref().and_then(|found| found.view.as_ref());
        match (known.map(|order| order.placement.fingerprint), found) {
            // Nobody can tell any more whether this request placed it.
            (Some(known), Some(standing)) if known == fingerprint => {
                Ok(Placed { standing, replayed: false })
            }
            (Some(_), _) => Err(OrderRefusal::KeyReused.into()),
            (None, _) => {
                let detail = "the deadline passed before it was known whether the order was placed";
                Err(Problem::new(Code::OutcomeUnknown, detail))
            }
        }
    }
}

/// What a placement came to: a durable order.
pub(crate) struct Placed {
    standing: Accepted<Order>,
    /// Whether an earlier request with the same key has placed it.
    replayed: bool,
}

impl Placed {
    /// Whether there is an order that stands.
    fn stands(&self) -> bool {
        self.standing.view.as_deref().is_some_and(stands)
    }
}

/// Whether it is an order that somebody will get.
pub(crate) fn stands(order: &Order) -> bool {
    matches!(standing(order), Standing::Placed | Standing::Queued)
}

/// Where a placed order stands, as its first answer and every repeat say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// 201.
    Placed,
    /// 202.
    Queued,
    /// 402.
    Declined,
    /// 402.
    Failed,
}

/// The first final answer stays the answer, whatever became of the order later.
pub(crate) fn standing(order: &Order) -> Standing {
    // Money that comes after a decline goes back; the decline stays the answer.
    if order.payment.declined.is_some() {
        return Standing::Declined;
    }
    if order.is_under_way() {
        return Standing::Queued;
    }
    match order.payment.status {
        PaymentStatus::Queued | PaymentStatus::Authorised => Standing::Queued,
        PaymentStatus::Failed => Standing::Failed,
        PaymentStatus::Unpaid
        | PaymentStatus::Paid
        | PaymentStatus::PartlyRefunded
        | PaymentStatus::Refunded => Standing::Placed,
    }
}

/// Answers a repeat of a request that said the same.
pub(crate) fn replay(standing: &Accepted<Order>, says: Fingerprint) -> Result<Response, Problem> {
    match &standing.view {
        Some(order) if order.placement.fingerprint != says => Err(OrderRefusal::KeyReused.into()),
        Some(_) | None => respond(standing, true),
    }
}

/// Answers a placement, with where it stands.
fn respond(accepted: &Accepted<Order>, replayed: bool) -> Result<Response, Problem> {
    let Some(order) = accepted.view.as_ref() else {
        return Err(Problem::new(Code::Internal, "the order was placed and is not there"));
    };
    let id = order.placement.order;
    let status = match standing(order) {
        Standing::Placed => StatusCode::CREATED,
        Standing::Queued => StatusCode::ACCEPTED,
        Standing::Declined => {
            return Err(recorded(Code::PaymentDeclined, DECLINED, id, accepted, replayed));
        }
        Standing::Failed => {
            return Err(recorded(Code::PaymentFailed, FAILED, id, accepted, replayed));
        }
    };
    Ok(Reply::new(status, &OrderView(order))
        .location("/v1/orders", id)
        .standing(accepted)
        .replayed(replayed)
        .into_response())
}

fn recorded(
    code: Code,
    detail: &'static str,
    order: OrderId,
    accepted: &Accepted<Order>,
    replayed: bool,
) -> Problem {
    let mut problem = Problem::new(code, detail).about(order);
    for (name, value) in standing_headers(accepted) {
        problem = problem.header(name, value);
    }
    if replayed {
        problem = problem.header(REPLAYED, http::HeaderValue::from_static("true"));
    }
    problem
}

/// Whether the caller sets the prices. Asked for each time, so that a key with every scope is not
/// surprised by its own mistakes.
pub(crate) struct TrustedPrice(bool);

impl<S: Sync> FromRequestParts<S> for TrustedPrice {
    type Rejection = Problem;

    async fn from_request_parts(head: &mut Parts, _state: &S) -> Result<Self, Problem> {
        match head.headers.get(TRUSTED_PRICE) {
            None => Ok(Self(false)),
            Some(value) if value == "false" => Ok(Self(false)),
            Some(value) if value == "true" => {
                Call::of(head)?.allowed(Scope::TrustedPrice).map(|_| Self(true))
            }
            Some(_) => Err(Problem::new(Code::InvalidHeader, "x-trusted-price is true or false")),
        }
    }
}
