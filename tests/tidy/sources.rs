//! The files that the rules read, and the small reading that several rules share.

use std::fs;
use std::path::Path;

/// The folders that hold our code.
pub(crate) const CRATES: &[&str] =
    &["engine", "persistence", "actors", "http-edge", "simulator", "tests"];

/// A file: its path from the workspace's folder, with `/`, and its text.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) path: String,
    pub(crate) text: String,
}

impl Source {
    /// A file that exists only in a test.
    #[cfg(test)]
    pub(crate) fn of(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), text: text.to_owned() }
    }

    /// Lines with their numbers, comments taken out.
    pub(crate) fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text.lines().enumerate().filter_map(|(at, line)| {
            let code = line.split("// ").next().unwrap_or(line);
            let comment = line.trim_start().starts_with("//");
            (!comment).then_some((at + 1, code))
        })
    }

    /// A violation at a line of this file.
    pub(crate) fn says(&self, line: usize, rule: &str) -> String {
        format!("{}:{line}: {rule}", self.path)
    }

    /// Whether the file belongs to the suites or to tests inside a crate.
    pub(crate) fn is_test(&self) -> bool {
        self.path.starts_with("tests/")
            || self.path.contains("/tests/")
            || self.path.ends_with("/tests.rs")
            || self.path.contains("/benches/")
    }
}

/// All Rust files of the crates, in a stable order.
pub(crate) fn rust(workspace: &Path) -> Vec<Source> {
    under(workspace, CRATES, &|name| has_ending(name, "rs"))
}

/// All files under some folders whose name passes, in a stable order.
pub(crate) fn under(
    workspace: &Path,
    folders: &[&str],
    wanted: &dyn Fn(&str) -> bool,
) -> Vec<Source> {
    let mut found = Vec::new();
    for folder in folders {
        walk(workspace, &workspace.join(folder), wanted, &mut found);
    }
    found.sort_by(|one, other| one.path.cmp(&other.path));
    found
}

pub(crate) fn has_ending(name: &str, ending: &str) -> bool {
    Path::new(name).extension().is_some_and(|found| found.eq_ignore_ascii_case(ending))
}

fn walk(root: &Path, folder: &Path, wanted: &dyn Fn(&str) -> bool, found: &mut Vec<Source>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
        if path.is_dir() {
            // Built and vendored things are not ours to judge.
            if !matches!(name.as_str(), "target" | "node_modules" | "vendor" | ".git" | "data") {
                walk(root, &path, wanted, found);
            }
        } else if wanted(&name)
            && let Ok(text) = fs::read_to_string(&path)
        {
            let path =
                path.strip_prefix(root).unwrap_or(&path).to_string_lossy().replace('\\', "/");
            found.push(Source { path, text });
        }
    }
}

#[test]
fn comments_are_not_code() {
    let source = Source::of("a.rs", "let a = 1; // why\n// tokio::spawn\nlet b = 2;");
    let code: Vec<_> = source.code().collect();
    assert_eq!(code, [(1, "let a = 1; "), (3, "let b = 2;")]);
}
