//! The result as a JSON file.

use super::RunReport;

/// The whole report, indented, with a final line break.
///
/// # Errors
/// Never for a report that a run made; the signature is serde's.
pub fn render(report: &RunReport) -> serde_json::Result<String> {
    let mut text = serde_json::to_string_pretty(report)?;
    text.push('\n');
    Ok(text)
}
