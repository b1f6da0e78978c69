//! The lines of one cart go to another.

use axum::extract::State;
use axum::response::Response;
use engine::cart::CartCommand;
use engine::values::CartId;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::taken::{CartLife, ask_free, free};
use super::{CartBody, cart_id, unknown};
use crate::access::Scope;
use crate::call::Call;
use crate::idempotency::RequestKey;
use crate::problem::{FieldError, Problem, ProblemBody};
use crate::reply::Reply;
use crate::routes::Shared;
use crate::wire::{Json, Path};

/// Which cart's lines are to be taken.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CartMerge)]
pub(crate) struct MergeBody {
    /// That cart.
    from: Uuid,
}

/// Takes the lines of another cart, all or none; units of one product add up. The other cart never
/// changes again, and its promo code stays with it. A repeat changes nothing, and one that was cut off,
/// or refused because this cart has just been changed, is completed by its repeat.
#[utoipa::path(
    post, path = "/v1/carts/{id}/merge", operation_id = "merge_carts", tag = "carts",
    params(
        ("id" = Uuid, Path, description = "The cart that takes"),
        ("Idempotency-Key" = Option<String>, Header, description = "Not needed: the carts name it"),
    ),
    request_body = MergeBody,
    responses(
        (status = 200, description = "The cart as it is now", body = CartBody<'static>),
        (status = 404, description = "There is no such cart", body = ProblemBody<'static>),
        (status = 409, description = "One of them has become an order, or was merged elsewhere",
         body = ProblemBody<'static>),
        (status = 422, description = "Too many lines or units, or an unknown cart",
         body = ProblemBody<'static>),
    ),
)]
pub(crate) async fn merge(
    State(edge): State<Shared>,
    call: Call,
    Path(id): Path<String>,
    key: RequestKey,
    body: Json<MergeBody>,
) -> Result<Response, Problem> {
    call.allowed(Scope::Carts)?;
    let (into, from) = (cart_id(&id)?, CartId::new(body.0.from));
    let target = edge.shop.cart(into).await?.ok_or_else(unknown)?;
    let source = edge.shop.cart(from).await?.ok_or_else(unknown_from)?;
    if let Some(order) = target.ordered_as {
        free(&edge, &call, into, order, CartLife::Once).await?;
    }
    let target = edge.shop.cart(into).await?.ok_or_else(unknown)?;
    target.could_take(from, &source.lines)?;
    let asking = || call.asking(Some(&key), None);
    let join = CartCommand::Join { cart: into };
    let joined = ask_free(&edge, &call, from, join, asking(), CartLife::Once).await?;
    let lines = joined.view.as_ref().ok_or_else(unknown_from)?.lines.clone();
    let taken = edge.shop.ask_cart(into, CartCommand::Take { from, lines }, asking()).await?;
    let view = taken.view.as_deref().ok_or_else(unknown)?;
    Ok(Reply::ok(&CartBody::from(view))
        .etag(view.version)
        .standing(&taken)
        .replayed(key.replayed(&taken))
        .into_response())
}

fn unknown_from() -> Problem {
    Problem::invalid(vec![FieldError::new(
        "from",
        "unknown_cart",
        "there is no such cart",
        "Send the id of another cart.",
    )])
}
