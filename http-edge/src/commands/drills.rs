//! Whether faults may be injected: outside of the demo only when two places say so.

use tracing::warn;

use super::Failure;
use super::serve::is_known;
use crate::cli::ServeArgs;

/// The variable that holds the key for drills. The command line cannot: one place must not do.
const VARIABLE: &str = "MILLRACE_FAULTS_KEY";

/// The key for drills, where both the flag and the variable want them.
pub(super) fn key(args: &ServeArgs) -> Result<Option<String>, Failure> {
    let set = std::env::var(VARIABLE).ok().filter(|key| !key.is_empty());
    agreed(args.faults, set, args.api_key.as_deref())
}

fn agreed(
    flag: bool,
    key: Option<String>,
    api_key: Option<&str>,
) -> Result<Option<String>, Failure> {
    match (flag, key) {
        (true, Some(key)) if is_known(&key) || api_key == Some(key.as_str()) => {
            Err(Failure::Misused(format!(
                "{VARIABLE} is a key that everybody knows, or the same as API_KEY: choose another \
                 long random key, for example with `openssl rand -hex 32`."
            )))
        }
        (true, Some(key)) => Ok(Some(key)),
        (true, None) => {
            warn!("--faults without {VARIABLE}: no faults can be injected");
            Ok(None)
        }
        (false, Some(_)) => {
            warn!("{VARIABLE} without --faults: no faults can be injected");
            Ok(None)
        }
        (false, None) => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_need_the_flag_and_the_variable() {
        let key = || Some("a-key-for-drills".to_owned());
        for (flag, set, expected) in
            [(true, key(), key()), (true, None, None), (false, key(), None), (false, None, None)]
        {
            assert_eq!(agreed(flag, set, Some("a-key")).unwrap_or_default(), expected);
        }
    }

    #[test]
    fn the_key_for_drills_is_a_key_of_its_own() {
        for key in ["secret-key-123", "changeme", "a-key"] {
            let refused = agreed(true, Some(key.to_owned()), Some("a-key"));
            assert!(matches!(refused, Err(Failure::Misused(_))), "{key}");
        }
    }
}
