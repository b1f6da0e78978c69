//! The sandbox's tokeniser: a card comes in, a token goes out, and nothing of the card is kept.

use axum::extract::State;
use axum::response::Response;
use engine::card::{Card, CardFault, token};
use serde::{Deserialize, Serialize};

use super::{Shared, not_found};
use crate::access::Scope;
use crate::call::Call;
use crate::problem::{FieldError, Problem, ProblemBody};
use crate::reply::Reply;
use crate::wire::{Json, month};

/// A card. It has no `Debug`, so that it reaches no log.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewToken, example = json!({
    "number": "4242424242424242", "exp_month": 12, "exp_year": 2030, "cvc": "123",
}))]
pub(crate) struct CardBody {
    /// One of the numbers for tests.
    number: String,
    /// The month in which it ends, 1 to 12.
    exp_month: i64,
    /// The year in which it ends, in four digits.
    exp_year: i64,
    /// The code beside the number.
    cvc: String,
}

/// What stands for a card from now on.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = CardToken)]
pub(crate) struct TokenBody<'a> {
    /// What an order takes as `payment.token`.
    token: &'a str,
    /// `visa`, `mastercard` or `amex`.
    brand: &'static str,
}

/// Turns a card into a token of the sandbox. Number, expiry and code are judged and neither kept nor
/// logged. Only numbers for tests are taken. A server with a payment provider of its own has no such
/// route: there the provider turns cards into tokens.
#[utoipa::path(
    post, path = "/v1/payments/tokens", operation_id = "create_token", tag = "payments",
    request_body = CardBody,
    responses(
        (status = 200, description = "The token", body = TokenBody<'static>),
        (status = 404, description = "The server has no sandbox", body = ProblemBody<'static>),
        (status = 422, description = "Everything that is wrong with the card",
         body = ProblemBody<'static>),
    ),
)]
pub(crate) async fn create(
    State(edge): State<Shared>,
    call: Call,
    body: Json<CardBody>,
) -> Result<Response, Problem> {
    call.allowed(Scope::Orders)?;
    if !edge.outside.has_sandbox {
        return Err(not_found().await);
    }
    let CardBody { number, exp_month, exp_year, cvc } = &body.0;
    let (exp_month, exp_year) = (*exp_month, *exp_year);
    let now = month(edge.shop.clock().now());
    let (token, brand) = token(Card { number, exp_month, exp_year, cvc }, now)
        .map_err(|faults| Problem::invalid(faults.into_iter().map(told).collect()))?;
    let body = TokenBody { token: token.expose(), brand: brand.as_str() };
    Ok(Reply::ok(&body).into_response())
}

fn told(fault: CardFault) -> FieldError {
    let (field, code, message, hint) = match fault {
        CardFault::Number => (
            "number",
            "card_number_invalid",
            "not the number of a card",
            "Check the digits, 13 to 19 of them.",
        ),
        CardFault::NotForTests => (
            "number",
            "test_card_required",
            "the sandbox takes no number but those for tests",
            "Use 4242 4242 4242 4242, or another number of the documentation.",
        ),
        CardFault::Expiry => (
            "exp_month",
            "card_expiry_invalid",
            "no month and year of a card",
            "Send the month as 1 to 12, and the year in four digits.",
        ),
        CardFault::Expired => {
            ("exp_month", "card_expired", "the card has ended", "Use a card that is still good.")
        }
        CardFault::Code => (
            "cvc",
            "cvc_invalid",
            "not as many digits as the code of such a card has",
            "Send the three digits of its back, or the four of an American Express.",
        ),
    };
    FieldError::new(field, code, message, hint)
}
