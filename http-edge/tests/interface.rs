//! The description of the interface is what was agreed, and the page that shows it is whole.

use std::path::Path;

fn golden() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/openapi.json")
}

#[test]
fn the_description_is_the_agreed_one() {
    let described = http_edge::routes::openapi().to_pretty_json().unwrap() + "\n";
    if std::env::var_os("MILLRACE_BLESS").is_some() {
        std::fs::write(golden(), &described).unwrap();
    }
    let agreed = std::fs::read_to_string(golden()).unwrap();
    assert!(described == agreed, "the interface has changed; MILLRACE_BLESS=1 writes it anew");
}

#[test]
fn every_operation_says_what_it_is_and_how_it_fails() {
    let described = serde_json::to_value(http_edge::routes::openapi()).unwrap();
    assert_eq!(described["openapi"], "3.1.0");
    let mut ids = std::collections::BTreeSet::new();
    for (path, item) in described["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let place = format!("{method} {path}");
            assert!(operation["summary"].is_string(), "{place} has no summary");
            assert!(operation["tags"].is_array(), "{place} has no tag");
            assert!(
                ids.insert(operation["operationId"].to_string()),
                "{place}: its id stands twice"
            );
            let answers = operation["responses"].as_object().unwrap();
            assert!(answers.keys().any(|status| status.starts_with('2')), "{place} never succeeds");
        }
    }
}

#[test]
fn problems_are_described_as_they_are_sent() {
    let described = serde_json::to_value(http_edge::routes::openapi()).unwrap();
    let problem = "#/components/schemas/Problem";
    for (path, item) in described["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            for (status, answer) in operation["responses"].as_object().unwrap() {
                let place = format!("{method} {path} {status}");
                for (media, content) in answer["content"].as_object().into_iter().flatten() {
                    let is_problem = content["schema"]["$ref"] == problem;
                    assert_eq!(is_problem, media == "application/problem+json", "{place}");
                }
                assert!(answer["headers"]["x-request-id"].is_object(), "{place}");
            }
        }
    }
    let required = described["components"]["schemas"]["Problem"]["required"].as_array().unwrap();
    let always = ["type", "title", "status", "detail", "code", "retryable", "outcome", "hint"];
    assert_eq!(*required, always);
}

#[test]
fn what_all_operations_have_in_common_is_described() {
    let described = serde_json::to_value(http_edge::routes::openapi()).unwrap();
    let answers = &described["paths"]["/v1/orders"]["post"]["responses"];
    for status in ["400", "401", "403", "408", "413", "415", "422", "429", "503", "504"] {
        assert!(answers[status].is_object(), "{status}");
    }
    for (status, headers) in [
        ("201", &["x-position", "x-version", "location", "idempotent-replayed"][..]),
        ("402", &["x-position", "x-version"]),
        ("503", &["retry-after"]),
    ] {
        for header in headers {
            assert!(answers[status]["headers"][header].is_object(), "{status} {header}");
        }
    }
    let read = &described["paths"]["/v1/orders/{id}"]["get"]["responses"];
    assert!(read["200"]["headers"]["x-position"].is_null());
    let open = described["paths"]["/health"]["get"]["responses"].as_object().unwrap();
    assert!(!open.contains_key("401") && !open.contains_key("429"));
}

#[test]
fn the_routes_are_documented() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/http-api.md");
    let page = std::fs::read_to_string(path).unwrap();
    let described = serde_json::to_value(http_edge::routes::openapi()).unwrap();
    for (path, item) in described["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys() {
            let route = format!("`{} {path}`", method.to_uppercase());
            assert!(page.contains(&route), "docs/http-api.md does not mention {route}");
        }
    }
}
