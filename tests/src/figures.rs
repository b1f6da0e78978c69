//! The figure line of a drill: shown beside the test, and collected for the end of `tests/run`.

use std::fs::OpenOptions;
use std::io::Write as _;

use anyhow::{Context as _, Result};

/// Reports one drill as `name: k=v k=v`, on standard output and in the file that
/// `MILLRACE_TEST_FIGURES` names, if it names one.
pub fn report(drill: &str, figures: &str) -> Result<()> {
    let line = format!("{drill}: {figures}");
    writeln!(std::io::stdout(), "{line}")?;
    if let Some(path) = std::env::var_os("MILLRACE_TEST_FIGURES") {
        let mut file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&path)
            .with_context(|| format!("opening {}", path.display()))?;
        // One write call, so that drills in two processes do not share a line.
        file.write_all(format!("{line}\n").as_bytes())?;
    }
    Ok(())
}
