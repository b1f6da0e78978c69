//! Every metric has a line in docs/metrics.md.

use std::fs;

use crate::sources::{self, Source};
use crate::{assert_none, workspace};

/// The names in a file of constants: `pub const X: &str = "millrace_x";`. Other texts, such as label
/// values, do not repeat the name of their constant.
fn names(source: &Source) -> Vec<String> {
    let constants = source.text.split("const ").skip(1);
    let values = constants.filter_map(|rest| {
        let (head, rest) = rest.split_once('=')?;
        let (name, value) = (head.split(':').next()?.to_lowercase(), rest.split('"').nth(1)?);
        let repeats = value.strip_prefix("millrace_").unwrap_or(value) == name;
        (head.contains("str") && (repeats || value.starts_with("millrace_"))).then_some(value)
    });
    values.map(str::to_owned).collect()
}

fn undocumented(sources: &[Source], catalogue: &str) -> Vec<String> {
    let missing = |source: &Source| {
        let names = names(source).into_iter().filter(|name| !catalogue.contains(name.as_str()));
        names
            .map(|name| source.says(1, &format!("{name} is not in docs/metrics.md")))
            .collect::<Vec<_>>()
    };
    sources.iter().flat_map(missing).collect()
}

#[test]
fn every_metric_is_in_the_catalogue() {
    let sources = sources::under(&workspace(), sources::CRATES, &|name| name == "metrics.rs");
    let sources: Vec<Source> =
        sources.into_iter().filter(|source| source.path.contains("/src/")).collect();
    let catalogue = workspace().join("docs/metrics.md");
    if catalogue.exists() {
        let catalogue = fs::read_to_string(catalogue).expect("a catalogue");
        assert_none(&undocumented(&sources, &catalogue));
    }
}

#[test]
fn a_metric_without_a_line_is_found() {
    let text = "pub const A: &str =\n    \"millrace_a_total\";\npub const B: &str = \"millrace_b\";\
                pub const ORDERS_TOTAL: &str = \"orders_total\"; const OK: &str = \"fine\";";
    let sources = [Source::of("actors/src/metrics.rs", text)];
    assert_eq!(names(&sources[0]), ["millrace_a_total", "millrace_b", "orders_total"]);
    assert_eq!(undocumented(&sources, "| `millrace_a_total` | what it counts |").len(), 2);
}
