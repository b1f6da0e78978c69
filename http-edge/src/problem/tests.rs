//! The table of codes: complete, unambiguous, and the same as the documentation.

use std::collections::BTreeSet;

use engine::validation::Rule;
use engine::values::{AdjustmentId, HoldId, ProductId, Quantity};
use uuid::Uuid;

use super::*;

fn code_of(problem: impl Into<Problem>) -> &'static str {
    problem.into().code().entry().code
}

#[test]
fn every_code_is_a_word_of_its_own() {
    let words: BTreeSet<&str> = Code::ALL.iter().map(|code| code.entry().code).collect();
    assert_eq!(words.len(), Code::ALL.len());
    for code in Code::ALL {
        let entry = code.entry();
        assert!(entry.code.chars().all(|c| c.is_ascii_lowercase() || c == '_'), "{}", entry.code);
        assert!(!entry.title.is_empty() && entry.hint.ends_with('.'), "{}", entry.code);
    }
}

#[test]
fn a_status_tells_what_happened() {
    for code in Code::ALL {
        let entry = code.entry();
        let expected = match entry.status.as_u16() {
            402 => Outcome::Recorded,
            500 | 504 => Outcome::Unknown,
            _ => Outcome::NothingHappened,
        };
        assert_eq!(entry.outcome, expected, "{}", entry.code);
        // A refund that failed is the one thing recorded that asking again may mend.
        let passing = matches!(entry.status.as_u16(), 408 | 429)
            || entry.status.is_server_error()
            || *code == Code::RefundFailed;
        assert_eq!(entry.retryable, passing, "{}", entry.code);
    }
}

#[test]
fn refusals_of_the_stock_have_their_codes() {
    use engine::inventory::InventoryRefusal as Refusal;
    let (hold, adjustment) = (HoldId::new(Uuid::nil()), AdjustmentId::new(Uuid::nil()));
    let (requested, available) = (Quantity::new(3), Quantity::new(1));
    for (refusal, code) in [
        (Refusal::EmptyQuantity, "validation_failed"),
        (Refusal::NotEnoughStock { requested, available }, "insufficient_stock"),
        (Refusal::OverLimit { limit: available }, "purchase_limit_reached"),
        (Refusal::HoldMismatch(hold), "idempotency_key_reused"),
        (Refusal::Lapsed(hold), "insufficient_stock"),
        (Refusal::Stale, "overloaded"),
        (Refusal::AdjustmentMismatch(adjustment), "idempotency_key_reused"),
        (Refusal::VersionMismatch { actual: 3 }, "stale_version"),
        (Refusal::CountOutOfRange, "validation_failed"),
    ] {
        assert_eq!(code_of(refusal.clone()), code, "{refusal}");
    }
}

#[test]
fn refusals_of_an_order_have_their_codes() {
    use engine::order::{OrderRefusal as Refusal, OrderStatus};
    use engine::process::Unavailable;
    let product = ProductId::parse("mug").unwrap();
    let (requested, available) = (Quantity::new(3), Quantity::new(1));
    let (from, to) = (OrderStatus::Shipped, OrderStatus::Pending);
    for (refusal, code) in [
        (Refusal::Unknown, "not_found"),
        (Refusal::Invalid(Vec::new()), "validation_failed"),
        (
            Refusal::InsufficientStock { product: product.clone(), requested, available },
            "insufficient_stock",
        ),
        (
            Refusal::OverLimit { product: product.clone(), limit: available },
            "purchase_limit_reached",
        ),
        (
            Refusal::StockUnavailable { product: product.clone(), why: Unavailable::Overloaded },
            "overloaded",
        ),
        (Refusal::StockUnavailable { product, why: Unavailable::Quarantined }, "unavailable"),
        (Refusal::CartUnavailable { why: Unavailable::Unreachable }, "unavailable"),
        (Refusal::UnderReview, "under_review"),
        (Refusal::NotUnderReview, "not_under_review"),
        (Refusal::KeyReused, "idempotency_key_reused"),
        (Refusal::InvalidTransition { from, to }, "invalid_transition"),
    ] {
        assert_eq!(code_of(refusal.clone()), code, "{refusal}");
    }
}

#[test]
fn rules_of_business_alone_are_a_bad_request_c_11() {
    let code = |rules: &[Rule]| {
        let found = |rule: &Rule| Finding { rule: *rule, field: "f".into(), message: "m".into() };
        Problem::broken(rules.iter().map(found).collect()).code().entry().code
    };
    let (business, form) = (Rule::CountryNotServed, Rule::NoItems);
    assert_eq!(code(&[business]), "business_rule_broken");
    assert_eq!(code(&[business, Rule::ChannelUnknown]), "business_rule_broken");
    assert_eq!(code(&[business, form]), "validation_failed");
    assert_eq!(code(&[form]), "validation_failed");
    assert_eq!(code(&[]), "validation_failed");
}

#[test]
fn what_was_not_accepted_may_be_asked_again() {
    use actors::outcome::{NotAccepted, NotDone};
    use engine::order::OrderRefusal;
    for reason in [
        NotAccepted::Overloaded,
        NotAccepted::Restarting,
        NotAccepted::Draining,
        NotAccepted::Quarantined,
        NotAccepted::DeadlinePassed,
        NotAccepted::NotWritten,
    ] {
        let problem = Problem::from(reason);
        assert_eq!(problem.code().entry().status, http::StatusCode::SERVICE_UNAVAILABLE);
        assert!(problem.0.retry_after.is_some(), "{reason}");
    }
    assert_eq!(code_of(NotDone::<OrderRefusal>::Unknown), "outcome_unknown");
}

#[test]
fn a_rendered_problem_says_everything() {
    let problem = Problem::invalid(vec![FieldError::new("a", "wrong_type", "m", "h")]);
    let mut response = problem.clone().into_response();
    problem.render(&mut response, "/v1/orders", "req-1");
    assert_eq!(response.status(), http::StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(response.headers().get(CONTENT_TYPE), Some(&PROBLEM_JSON));
    let body = futures::executor::block_on(axum::body::to_bytes(response.into_body(), 10_000));
    let body: serde_json::Value = serde_json::from_slice(&body.unwrap()).unwrap();
    assert_eq!(
        body,
        serde_json::json!({
            "type": "urn:millrace:problem:validation_failed",
            "title": "The request can never be right",
            "status": 422,
            "detail": "m",
            "instance": "/v1/orders",
            "code": "validation_failed",
            "retryable": false,
            "outcome": "nothing_happened",
            "hint": "Correct the fields listed in errors.",
            "request_id": "req-1",
            "errors": [
                {"field": "a", "code": "wrong_type", "message": "m", "severity": "error", "hint": "h"}
            ],
        })
    );
}

/// The catalogue as the table tells it.
fn catalogue() -> String {
    let mut text = String::from(
        "# Error codes\n\n\
         Every refusal is an RFC 9457 body (`application/problem+json`) with these codes. Codes are \
         stable; titles, details and hints are for people and may change. `Retry-After` comes with \
         429, 503 and 504.\n\n\
         What `outcome` says: `nothing_happened` (the request changed nothing), `recorded` (an order \
         was written that says what came of it; nothing stays held or charged: what was taken late \
         is in `refund_due` until it has gone back), `unknown` (repeat with \
         the same `Idempotency-Key` to learn what happened; that never does it twice).\n\n\
         | status | code | retryable | outcome | means | what to do |\n|---|---|---|---|---|---|\n",
    );
    for code in Code::ALL {
        let Entry { code, status, title, retryable, outcome, hint } = code.entry();
        let retryable = if retryable { "yes" } else { "no" };
        let outcome = outcome.as_str();
        let status = status.as_u16();
        let row =
            format!("| {status} | `{code}` | {retryable} | `{outcome}` | {title} | {hint} |\n");
        text.push_str(&row);
    }
    text += "\n## Codes of single fields\n\n\
             A `validation_failed` problem lists every broken rule in `errors`, each with `field` (a \
             path such as `items[0].quantity`), `code`, `message`, `severity` and `hint`.\n\n\
             | code | found by | means |\n|---|---|---|\n";
    for (code, means) in FIELD_CODES {
        let row = format!("| `{code}` | the form of the request | {means} |\n");
        text.push_str(&row);
    }
    text += "\n## Rules of an order\n\n\
             They are judged together, and all that are broken are told together. An `error` refuses the \
             order: with 422 `validation_failed`, or with 400 `business_rule_broken` when nothing but \
             rules of business was broken. A `warning` does not block: it stands in `warnings` of the \
             order, for as long as there is one.\n\n\
             | code | field | severity | class | judged by | means | what to do |\n\
             |---|---|---|---|---|---|---|\n";
    for rule in Rule::ALL {
        let entry = rule.entry();
        let class = match entry.class {
            Class::Form => "form",
            Class::Business => "business",
        };
        let (code, field, severity) = (entry.code, entry.field, entry.severity.as_str());
        let (needs, means, hint) = (entry.needs.as_str(), entry.means, entry.hint);
        let row = format!(
            "| `{code}` | `{field}` | {severity} | {class} | {needs} | {means} | {hint} |\n"
        );
        text.push_str(&row);
    }
    text += "\nThis page is generated from the tables in `http-edge/src/problem/codes.rs` and \
             `engine/src/validation/table.rs`; \
             `MILLRACE_BLESS=1 cargo test -p http-edge` writes it anew.\n";
    text
}

#[test]
fn the_documented_catalogue_is_the_table() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/error-codes.md");
    if std::env::var_os("MILLRACE_BLESS").is_some() {
        std::fs::write(path, catalogue()).unwrap();
    }
    let documented = std::fs::read_to_string(path).unwrap();
    assert_eq!(documented, catalogue(), "MILLRACE_BLESS=1 writes it anew");
}

#[test]
fn what_fails_after_something_was_done_does_not_say_that_nothing_happened() {
    for code in Code::ALL {
        let after = Problem::new(*code, "the stock did not answer").after("the product is offered");
        let Entry { outcome, .. } = after.code().entry();
        assert_eq!(outcome, Outcome::Unknown, "{}", code.entry().code);
        assert_eq!(after.0.detail, "the product is offered, and then: the stock did not answer");
    }
}
