//! A case: one world with its plan, as a seed draws it or as it was left when a seed was shrunk. Some
//! are kept in files, and must pass for ever.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::options::Options;
use super::plan::{self, Act};

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
        let path = folder.join(format!("{name}.json"));
        std::fs::create_dir_all(folder)
            .and_then(|()| std::fs::write(&path, self.render()?))
            .with_context(|| format!("cannot write {}", path.display()))?;
        Ok(path)
    }

    /// Plants the bug that it was kept for, where this build has any; its name.
    #[cfg(feature = "planted")]
    pub(super) fn plant(&self) -> Option<&str> {
        let name = self.planted.as_deref()?;
        let known = engine::planted::Bug::ALL.iter().copied().find(|bug| bug.name() == name);
        engine::planted::plant(known);
        known.map(engine::planted::Bug::name)
    }

    /// A build without planted bugs has none to plant.
    #[cfg(not(feature = "planted"))]
    #[expect(clippy::unused_self, reason = "stands for the method of builds with planted bugs")]
    pub(super) const fn plant(&self) -> Option<&str> {
        None
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
    use super::super::world;
    use super::*;

    /// A case is a world and a plan. Which schedule meets the fault depends on everything that
    /// draws, so it is run under several.
    const SCHEDULES: u64 = 64;

    fn kept() -> Vec<(PathBuf, KeptCase)> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases");
        let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        files.map(|path| (path.clone(), KeptCase::read(&path).unwrap())).collect()
    }

    fn broken(case: &Case) -> Option<(u64, String)> {
        let seeds = (0..SCHEDULES).map(|step| case.seed.wrapping_add(step));
        seeds.into_iter().find_map(|seed| {
            let violation = world::run(&case.under(seed), 0).violation?;
            Some((seed, violation.promise.to_owned()))
        })
    }

    #[test]
    fn what_once_broke_a_promise_keeps_all_of_them() {
        let kept = kept();
        assert!(!kept.is_empty());
        for (path, kept) in kept {
            assert_eq!(broken(&kept.case), None, "{}", path.display());
        }
    }

    #[cfg(feature = "planted")]
    #[test]
    fn a_kept_case_still_finds_the_bug_that_it_was_kept_for() {
        use engine::planted::{Bug, plant};

        let named = |name: &str| Bug::ALL.iter().copied().find(|bug| bug.name() == name).unwrap();
        for (path, kept) in kept() {
            let Some(name) = &kept.planted else { continue };
            plant(Some(named(name)));
            let found = broken(&kept.case);
            plant(None);
            assert_eq!(found.map(|(_, promise)| promise), Some(kept.promise), "{}", path.display());
        }
    }

    #[test]
    fn a_case_in_a_file_is_the_case_that_was_saved() {
        let folder = tempfile::tempdir().unwrap();
        let kept = KeptCase {
            why: "a \"quoted\" reason".to_owned(),
            promise: "R1".to_owned(),
            planted: None,
            case: Case::of(7),
        };
        let path = kept.save(folder.path()).unwrap();
        assert_eq!(KeptCase::read(&path).unwrap(), kept);
    }
}
