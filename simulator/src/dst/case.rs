//! A case: one world with its plan, as a seed draws it or as it was left when a seed was shrunk. Some
//! are kept in files, and must pass for ever.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::diary::Runs;
use super::options::Options;
use super::plan::{self, Act};
use super::planting::Planted;
use super::{shell, world};

/// Everything that a run depends on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Case {
    /// Draws the schedule, and what goes wrong when.
    pub(super) seed: u64,
    /// What kind of world it is.
    pub(super) options: Options,
    /// What happens in it.
    pub(super) plan: Vec<Act>,
}

impl Case {
    /// What a seed draws.
    pub(super) fn of(seed: u64) -> Self {
        let options = Options::of(seed);
        Self { seed, plan: plan::of(seed, &options), options }
    }

    /// The same world and plan under the schedule of another seed.
    pub(super) fn under(&self, seed: u64) -> Self {
        Self { seed, ..self.clone() }
    }
}

/// What runs a case: whole engines, or their logic alone.
pub(super) fn runs(shell: bool) -> Runs {
    if shell { shell::run } else { world::run }
}

/// A case in a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct KeptCase {
    /// What went wrong, in a line.
    pub(super) why: String,
    /// The promise that was broken.
    pub(super) promise: String,
    /// The planted bug that breaks it; none for a fault that was real.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) planted: Option<String>,
    /// Whether it is real engines that break it, or their logic alone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) shell: bool,
    /// What is run.
    #[serde(flatten)]
    pub(super) case: Case,
}

impl KeptCase {
    /// Reads a file.
    ///
    /// # Errors
    ///
    /// When there is none, or it holds no case.
    pub(super) fn read(path: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(path);
        let text = text.with_context(|| format!("cannot read {}", path.display()))?;
        serde_json::from_str(&text).with_context(|| format!("{} holds no case", path.display()))
    }

    /// Writes it into a folder, under a name that says what it is.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub(super) fn save(&self, folder: &Path) -> anyhow::Result<PathBuf> {
        let seed = format!("seed-{}", self.case.seed);
        let name = self.planted.as_deref().unwrap_or(&seed);
        let tier = if self.shell { "-shell" } else { "" };
        let path = folder.join(format!("{name}{tier}.json"));
        std::fs::create_dir_all(folder)
            .and_then(|()| std::fs::write(&path, self.render()?))
            .with_context(|| format!("cannot write {}", path.display()))?;
        Ok(path)
    }

    /// Plants the bug that it was kept for and no other, where this build has any; its name.
    pub(super) fn plant(&self) -> Option<&'static str> {
        let planted = Planted::named(self.planted.as_deref());
        planted.plant();
        planted.name()
    }

    /// In what kind of world it is run.
    pub(super) fn runs(&self) -> Runs {
        runs(self.shell)
    }

    /// As text that people can read: an act in a line, and only those faults that there are.
    fn render(&self) -> serde_json::Result<String> {
        let mut options = json!(self.case.options);
        if let Some(Value::Object(faults)) = options.get_mut("faults") {
            faults.retain(|_, share| *share != json!(0));
        }
        let mut lines = vec![format!("\"why\": {}", json!(self.why))];
        lines.push(format!("\"promise\": {}", json!(self.promise)));
        lines.extend(self.planted.iter().map(|bug| format!("\"planted\": {}", json!(bug))));
        lines.extend(self.shell.then(|| "\"shell\": true".to_owned()));
        lines.push(format!("\"seed\": {}", self.case.seed));
        lines.push(format!("\"options\": {options}"));
        let acts: Result<Vec<String>, _> =
            self.case.plan.iter().map(serde_json::to_string).collect();
        lines.push(format!("\"plan\": [\n    {}\n  ]", acts?.join(",\n    ")));
        Ok(format!("{{\n  {}\n}}\n", lines.join(",\n  ")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A case is a world and a plan. Which schedule meets the fault depends on everything that
    /// draws, so it is run under several.
    const SCHEDULES: u64 = 64;

    fn kept() -> Vec<(PathBuf, KeptCase)> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases");
        let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        files.map(|path| (path.clone(), KeptCase::read(&path).unwrap())).collect()
    }

    fn broken(kept: &KeptCase) -> Option<(u64, String)> {
        let seeds = (0..SCHEDULES).map(|step| kept.case.seed.wrapping_add(step));
        seeds.into_iter().find_map(|seed| {
            let violation = kept.runs()(&kept.case.under(seed), 0).violation?;
            Some((seed, violation.promise.to_owned()))
        })
    }

    #[test]
    fn what_once_broke_a_promise_keeps_all_of_them() {
        let kept = kept();
        assert!(!kept.is_empty());
        for (path, kept) in kept {
            assert_eq!(broken(&kept), None, "{}", path.display());
        }
    }

    #[cfg(feature = "planted")]
    #[test]
    fn a_kept_case_still_finds_the_bug_that_it_was_kept_for() {
        for (path, kept) in kept() {
            let Some(name) = &kept.planted else { continue };
            assert_eq!(kept.plant(), Some(name.as_str()));
            let found = broken(&kept);
            Planted::named(None).plant();
            assert_eq!(found.map(|(_, promise)| promise), Some(kept.promise), "{}", path.display());
        }
    }

    #[test]
    fn a_case_in_a_file_is_the_case_that_was_saved() {
        let folder = tempfile::tempdir().unwrap();
        for shell in [false, true] {
            let kept = KeptCase {
                why: "a \"quoted\" reason".to_owned(),
                promise: "R1".to_owned(),
                planted: None,
                shell,
                case: Case::of(7),
            };
            let path = kept.save(folder.path()).unwrap();
            assert_eq!(KeptCase::read(&path).unwrap(), kept);
        }
    }

    #[cfg(feature = "planted")]
    #[test]
    fn a_case_of_a_real_fault_is_run_without_the_bug_of_the_case_before_it() {
        let of = |planted: Option<&str>| KeptCase {
            why: String::new(),
            promise: String::new(),
            planted: planted.map(str::to_owned),
            shell: false,
            case: Case::of(0),
        };
        assert_eq!(of(Some("oversells")).plant(), Some("oversells"));
        assert_eq!(of(None).plant(), None);
        assert_eq!(Planted::here().name(), None);
    }
}
