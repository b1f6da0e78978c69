//! The lines of one cart go to another.

use axum::extract::State;
use axum::response::Response;
use engine::cart::{CartCommand, CartRefusal};
use engine::values::CartId;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use actors::outcome::NotDone;

use super::taken::{CartLife, ask_free};
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
/// changes again. A repeat changes nothing, and one that was cut off is completed by its repeat.
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
    edge.shop.cart(into).await?.ok_or_else(unknown)?;
    let asking = || call.asking(Some(&key), None);
    let join = CartCommand::Join { cart: into };
    let joined = match ask_free(&edge, &call, from, join, asking(), CartLife::Once).await {
        Ok(joined) => joined,
        Err(problem) if edge.shop.cart(from).await?.is_some() => return Err(problem),
        Err(_) => return Err(unknown_from()),
    };
    let lines = joined.view.as_ref().ok_or_else(unknown_from)?.lines.clone();
    let take = CartCommand::Take { from, lines };
    let taken = match edge.shop.ask_cart(into, take, asking()).await {
        Ok(taken) => taken,
        Err(NotDone::Refused(refusal)) => {
            // Nobody took its lines, so it goes on as it was.
            let leave = CartCommand::Leave { cart: into };
            edge.shop.ask_cart(from, leave, asking()).await?;
            return Err(match refusal {
                CartRefusal::Unknown => unknown(),
                refusal => refusal.into(),
            });
        }
        Err(not_done) => return Err(not_done.into()),
    };
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
