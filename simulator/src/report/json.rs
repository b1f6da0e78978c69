//! Results as JSON files.

use serde::Serialize;

/// A result, indented, with a final line break.
///
/// # Errors
/// Never for a result that a run made; the signature is serde's.
pub fn render(result: &impl Serialize) -> serde_json::Result<String> {
    let mut text = serde_json::to_string_pretty(result)?;
    text.push('\n');
    Ok(text)
}
