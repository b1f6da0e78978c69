//! Keeping a rendered result.

use std::path::Path;

use anyhow::Context as _;

/// Writes a result where the flags say.
///
/// # Errors
/// A file that cannot be written.
pub fn save(path: &Path, text: &str) -> anyhow::Result<()> {
    std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}
