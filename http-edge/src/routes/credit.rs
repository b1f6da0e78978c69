//! Store credit of customers: read, given, taken away.

use actors::outcome::NotDone;
use axum::extract::State;
use axum::response::Response;
use engine::inventory::{Inventory, InventoryCommand, InventoryRefusal, StockView};
use engine::values::{CreditAccount, Currency, CustomerId, Money};
use serde::{Deserialize, Serialize};

use super::Shared;
use crate::access::Scope;
use crate::call::{Call, Fresh};
use crate::idempotency::RequestKey;
use crate::problem::{Code, FieldError, Problem, ProblemBody};
use crate::reply::Reply;
use crate::wire::{Json, MoneyBody, Path, Texts};

/// Longest reason, in bytes.
const REASON_MAX: usize = 200;

/// A change of store credit by hand.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CreditChange, example = json!({"delta_minor": 2500, "reason": "late parcel"}))]
pub(crate) struct ChangeBody {
    /// Smallest units of the currency that are added, or taken away when negative.
    delta_minor: i64,
    /// Why.
    reason: String,
}

/// The store credit of a customer in one currency.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = StoreCredit)]
pub(crate) struct CreditBody<'a> {
    /// Whose.
    #[schema(value_type = String)]
    customer_id: &'a CustomerId,
    /// What there is, held or not.
    balance: MoneyBody,
    /// What is held for orders under way.
    held: MoneyBody,
    /// What can be spent.
    available: MoneyBody,
    /// What orders were paid with.
    spent: MoneyBody,
    /// Counts the changes.
    version: u64,
}

impl<'a> CreditBody<'a> {
    fn new(account: &'a CreditAccount, view: &StockView) -> Self {
        Self {
            customer_id: account.customer(),
            balance: account.money(view.on_hand).into(),
            held: account.money(view.held).into(),
            available: account.money(view.available).into(),
            spent: account.money(view.sold).into(),
            version: view.version,
        }
    }
}

/// Whose credit a path names, and in which currency.
fn account(customer: &str, currency: &str) -> Result<CreditAccount, Problem> {
    let mut texts = Texts::default();
    let customer = texts.customer(customer);
    let known = Currency::from_code(currency).filter(|known| known.code() == currency);
    if known.is_none() {
        let message = "the text is no currency";
        let hint = "Send three capital letters, as in ISO 4217.";
        texts.push(FieldError::new("currency", "invalid_value", message, hint));
    }
    texts.finish()?;
    let (Some(customer), Some(currency)) = (customer, known) else {
        return Err(Problem::new(Code::NotFound, "there is no such customer"));
    };
    Ok(CreditAccount::new(customer, currency))
}

/// Adds to the store credit of a customer, or takes away from it. What is held for orders is promised
/// and cannot be taken.
#[utoipa::path(
    post, path = "/v1/customers/{id}/credit/{currency}", operation_id = "change_credit",
    tag = "credit",
    params(
        ("id" = String, Path, description = "The customer"),
        ("currency" = String, Path, description = "ISO 4217 code"),
        ("Idempotency-Key" = Option<String>, Header,
         description = "Names the change; the same key does not count twice"),
    ),
    request_body = ChangeBody,
    responses(
        (status = 200, description = "The credit as it is now", body = CreditBody<'static>),
        (status = 400, description = "There is less", body = ProblemBody<'static>),
        (status = 422, description = "A field cannot be used, or the key was used before",
         body = ProblemBody<'static>),
    ),
)]
pub(crate) async fn change(
    State(edge): State<Shared>,
    call: Call,
    Path((id, currency)): Path<(String, String)>,
    key: RequestKey,
    body: Json<ChangeBody>,
) -> Result<Response, Problem> {
    let by = &call.allowed(Scope::Operate)?.account;
    let account = account(&id, &currency)?;
    let ChangeBody { delta_minor: delta, reason } = body.0;
    let mut texts = Texts::default();
    texts.reason(&reason, REASON_MAX);
    texts.finish()?;
    let stock = account.stock();
    let adjustment = key.adjustment(by, &stock);
    let command = InventoryCommand::Adjust { adjustment, delta, reason, if_version: None };
    let changed = edge.shop.ask_stock(&stock, command, call.asking(Some(&key), None)).await;
    let changed = changed.map_err(|not_done| refused(&account, not_done))?;
    let body = CreditBody::new(&account, &changed.view);
    Ok(Reply::ok(&body)
        .etag(changed.view.version)
        .standing(&changed)
        .replayed(key.replayed(&changed))
        .into_response())
}

/// In words of money, not of units.
fn refused(account: &CreditAccount, not_done: NotDone<InventoryRefusal>) -> Problem {
    let out_of_range = |message: String, hint| {
        Problem::invalid(vec![FieldError::new("delta_minor", "out_of_range", message, hint)])
    };
    match not_done {
        NotDone::Refused(InventoryRefusal::NotEnoughStock { requested, available }) => {
            let [requested, available] = [requested, available].map(|units| account.money(units));
            let detail = format!("{requested} are to be taken away, {available} available");
            Problem::new(Code::InsufficientStoreCredit, detail)
        }
        NotDone::Refused(InventoryRefusal::EmptyQuantity) => out_of_range(
            "a change by nothing makes no sense".to_owned(),
            "Send how much is added, or taken away when negative.",
        ),
        NotDone::Refused(InventoryRefusal::CountOutOfRange) => {
            let most = Money::new(i64::from(u32::MAX), account.currency());
            let message = format!("what a customer has and has spent is at most {most}");
            out_of_range(message, "Change the credit by less.")
        }
        other => other.into(),
    }
}

/// What a customer can spend; nothing where nobody has ever given any.
#[utoipa::path(
    get, path = "/v1/customers/{id}/credit/{currency}", operation_id = "get_credit",
    tag = "credit",
    params(
        ("id" = String, Path, description = "The customer"),
        ("currency" = String, Path, description = "ISO 4217 code"),
        ("x-min-position" = Option<String>, Header, description = "At least this fresh"),
    ),
    responses(
        (status = 200, description = "The credit", body = CreditBody<'static>),
        (status = 422, description = "That is no currency", body = ProblemBody<'static>),
    ),
)]
pub(crate) async fn read(
    State(edge): State<Shared>,
    call: Call,
    Path((id, currency)): Path<(String, String)>,
    fresh: Fresh,
) -> Result<Response, Problem> {
    call.allowed(Scope::Operate)?;
    let account = account(&id, &currency)?;
    edge.shop.wait_for(fresh).await?;
    let found = edge.shop.entity::<Inventory>(account.stock().as_str()).await?;
    let body = CreditBody::new(&account, &found.view);
    Ok(Reply::ok(&body).etag(found.view.version).into_response())
}
