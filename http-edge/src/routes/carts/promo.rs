//! The promo code of a cart.

use axum::extract::State;
use axum::response::Response;
use engine::cart::CartCommand;
use engine::promo::Promo;
use engine::values::PromoCode;
use serde::{Deserialize, Serialize};

use super::{CartBody, cart_id, change, once};
use crate::call::Call;
use crate::idempotency::RequestKey;
use crate::problem::{FieldError, Problem, ProblemBody};
use crate::routes::Shared;
use crate::wire::{Json, Path};

/// Which promo code the order of a cart is to use.
#[derive(Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CartPromo)]
pub(crate) struct CartPromoBody {
    /// The code; null for none.
    #[serde(deserialize_with = "Option::deserialize")]
    #[schema(required = true)]
    promo_code: Option<String>,
}

/// Lets the order of a cart use a promo code, or none. Whether it applies is judged by the quote and
/// by the order.
#[utoipa::path(
    put, path = "/v1/carts/{id}/promo", operation_id = "put_cart_promo", tag = "carts",
    params(
        ("id" = Uuid, Path, description = "The cart"),
        ("Idempotency-Key" = Option<String>, Header, description = "Names the change"),
    ),
    request_body = CartPromoBody,
    responses(
        (status = 200, description = "The cart as it is now", body = CartBody<'static>),
        (status = 404, description = "There is no such cart", body = ProblemBody<'static>),
        (status = 409, description = "The cart has become an order", body = ProblemBody<'static>),
        (status = 422, description = "There is no such code, or the key was used before",
         body = ProblemBody<'static>),
    ),
)]
pub(crate) async fn put(
    State(edge): State<Shared>,
    call: Call,
    Path(id): Path<String>,
    key: RequestKey,
    body: Json<CartPromoBody>,
) -> Result<Response, Problem> {
    let id = cart_id(&id)?;
    let code = match &body.0.promo_code {
        None => None,
        Some(text) => {
            let code = PromoCode::parse(text).map_err(|_| unknown())?;
            let promo = edge.shop.entity::<Promo>(code.as_str()).await?;
            promo.view.ok_or_else(unknown)?;
            Some(code)
        }
    };
    let command = CartCommand::SetPromo { code };
    change(&edge, &call, &key, id, once(&call, &key, &("promo", &body.0), command)?).await
}

pub(super) fn unknown() -> Problem {
    Problem::invalid(vec![FieldError::new(
        "promo_code",
        "unknown_promo_code",
        "there is no such promo code",
        "Check the code, or send null.",
    )])
}
