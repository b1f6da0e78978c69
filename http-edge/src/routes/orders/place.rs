//! Placing an order, and telling its caller what came of it.

use actors::outcome::{Accepted, NotDone};
use axum::extract::{FromRequestParts, State};
use axum::response::Response;
use engine::cart::CartRefusal;
use engine::order::{Fate, Order, OrderCommand, OrderRefusal};
use engine::values::{Fingerprint, OrderId};
use http::request::Parts;
use http::{HeaderName, StatusCode};
use persistence::crash_points::{CrashPoint, crash_point};

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
        (status = 202, description = "Placed; the payment is queued, the provider is still being asked (`unpaid`), or somebody has to look at it first (`hold`); it finishes by itself",
         body = OrderBody),
        (status = 400, description = "Not JSON", body = ProblemBody<'static>),
        (status = 402, description = "The order came to nothing, which is recorded: declined, not paid \
         in time, or cancelled first. Nothing stays held or charged; `refund_due` goes back by itself",
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
        let (cart, call) = (self.cart, self.call);
        let given = Circumstances { order, customer, trusted_price, fingerprint, cart, call };
        let command = OrderCommand::Place(Box::new(wish.to_command(shop, given).await?));
        crash_point(CrashPoint::RequestParsed);
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
pub(crate) const fn stands(order: &Order) -> bool {
    matches!(order.fate, None | Some(Fate::Stands))
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
    // The first final answer stays the answer, whatever became of the order later.
    let (code, detail) = match order.fate {
        Some(Fate::Stands) => return Ok(told(StatusCode::CREATED, order, accepted, replayed)),
        None => return Ok(told(StatusCode::ACCEPTED, order, accepted, replayed)),
        Some(Fate::Declined) => (Code::PaymentDeclined, "the provider declined the payment"),
        Some(Fate::NotPaid) => (Code::PaymentFailed, "the payment could not be taken in time"),
        Some(Fate::CalledOff) => (Code::OrderCancelled, "somebody called the order off"),
        Some(Fate::StockLost) => (Code::OrderCancelled, "somebody else got the units"),
    };
    Err(recorded(code, detail, order, accepted, replayed))
}

fn told(status: StatusCode, order: &Order, accepted: &Accepted<Order>, replayed: bool) -> Response {
    Reply::new(status, &OrderView(order))
        .location("/v1/orders", order.placement.order)
        .standing(accepted)
        .replayed(replayed)
        .into_response()
}

fn recorded(
    code: Code,
    detail: &str,
    order: &Order,
    accepted: &Accepted<Order>,
    replayed: bool,
) -> Problem {
    let due = order.refund_due();
    let owed = match due {
        Some(_) => "; what was taken goes back by itself",
        None => "",
    };
    let detail = format!("{detail}; the order is cancelled{owed}");
    let mut problem = Problem::new(code, detail).about(order.placement.order);
    if let Some(amount) = due {
        problem = problem.refund_due(amount);
    }
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use engine::Aggregate as _;
    use engine::order::{Amounts, CancelReason, Line, OrderEvent, Personal, Placement, Wish};
    use engine::values::{
        Currency, CustomerId, Moment, Money, PaymentMethod, PaymentToken, ProductId, Quantity,
    };
    use uuid::Uuid;

    use super::*;

    const ID: OrderId = OrderId::new(Uuid::from_u128(0xa11ce));

    fn placed() -> OrderEvent {
        let price = Money::new(1_250, Currency::USD);
        let zero = Money::zero(Currency::USD);
        let token = Some(PaymentToken::new("tok_ok"));
        OrderEvent::Placed(Arc::new(Placement {
            order: ID,
            customer: CustomerId::parse("alice").unwrap(),
            channel: "api".to_owned(),
            lines: vec![Line {
                id: ID.item(0),
                product: ProductId::parse("mug").unwrap(),
                quantity: Quantity::new(1),
                unit_price: price,
                listing_version: 1,
                listed_price: None,
                paid: None,
            }],
            amounts: Amounts {
                subtotal: price,
                discount: zero,
                shipping: zero,
                duties: zero,
                tax: zero,
                total: price,
            },
            promo: None,
            payment: Some(Wish { method: PaymentMethod::Card, token }),
            held_until: Moment::default(),
            fingerprint: Fingerprint::from_bytes([7; 16]),
            personal: Personal::default(),
            suspicions: Vec::new(),
            warnings: Vec::new(),
        }))
    }

    /// Status and body of the answer to whoever placed an order with this history.
    async fn told(history: Vec<OrderEvent>) -> (u16, serde_json::Value) {
        let state = Order::replay(history.iter().map(|event| (event, Moment::default())));
        let view = Order::view(&state);
        let standing = Accepted { view, version: 1, position: None, changed: false };
        let mut response = match respond(&standing, true) {
            Ok(response) => response,
            Err(problem) => {
                let mut response = Response::default();
                problem.render(&mut response, "/v1/orders", "r-1");
                response
            }
        };
        let status = response.status().as_u16();
        let body = std::mem::take(response.body_mut());
        let bytes = axum::body::to_bytes(body, 100_000).await.unwrap();
        (status, serde_json::from_slice(&bytes).unwrap())
    }

    #[tokio::test]
    async fn an_order_that_came_to_nothing_is_never_told_as_placed_and_says_what_goes_back() {
        let (attempt, amount) = (1, Money::new(1_250, Currency::USD));
        let queued = || OrderEvent::PaymentQueued { attempt, until: Moment::default() };
        let abandoned = || OrderEvent::PaymentAbandoned { attempt, reconcile_until: None };
        let captured = || OrderEvent::PaymentCaptured { attempt, amount, reference: "c".into() };
        let refunded = || OrderEvent::PaymentRefunded { amount };
        let off = |reason| OrderEvent::Cancelled { by: "x".into(), reason, reconcile_until: None };
        let asked = || off(CancelReason::Asked(None));
        let lost = || off(CancelReason::StockLost);
        let declined = || OrderEvent::PaymentDeclined { attempt, reason: "no".to_owned() };
        let due = serde_json::json!({"minor": 1_250, "currency": "USD"});
        let nothing = serde_json::Value::Null;
        for (code, history, owed) in [
            ("payment_failed", vec![queued(), abandoned()], &nothing),
            ("payment_failed", vec![queued(), abandoned(), captured()], &due),
            ("payment_failed", vec![queued(), abandoned(), captured(), refunded()], &nothing),
            ("payment_declined", vec![declined(), captured()], &due),
            ("order_cancelled", vec![captured(), lost()], &due),
            ("order_cancelled", vec![captured(), asked()], &due),
            ("order_cancelled", vec![asked(), captured(), refunded()], &nothing),
        ] {
            let (status, body) = told([vec![placed()], history].concat()).await;
            assert_eq!((status, &body["code"]), (402, &code.into()), "{body}");
            assert_eq!(&body["refund_due"], owed, "{body}");
            assert_eq!(body["order_id"], ID.as_uuid().to_string());
        }
        // One that stood keeps its answer, and the body says what became of it.
        let stood = vec![placed(), captured(), OrderEvent::StockCommitted, asked()];
        let (status, body) = told(stood).await;
        assert_eq!((status, &body["status"]), (201, &"CANCELLED".into()), "{body}");
    }
}
