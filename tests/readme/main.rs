//! The commands that the README shows: each runs here, with the programs that were just built.

use std::fs;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use acceptance_tests::processes::binary;
use acceptance_tests::server::{Launch, Server, Store};
use anyhow::{Context as _, Result, bail, ensure};
use tokio::process::Command;
use tokio::time::timeout;

/// What a command of the README is to this suite.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    /// Starts the demo, which the suite has running already on another port.
    Demo,
    /// Fetches the code, runs this suite, or needs what a test machine has not: not repeated.
    Elsewhere,
    /// Runs against the demo and must succeed.
    Run(String),
}

#[tokio::test]
async fn every_command_of_the_readme_works() -> Result<()> {
    let readme = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../README.md");
    let text = fs::read_to_string(&readme).context("the project has a README.md")?;
    let commands = commands(&text);
    let steps: Result<Vec<Step>> = commands.iter().map(|command| step(command)).collect();
    let steps = steps?;
    ensure!(steps.contains(&Step::Demo), "the README does not start the demo: {commands:?}");
    let curls = commands.iter().filter(|command| command.starts_with("curl")).count();
    ensure!(curls > 0, "the README does not place an order: {commands:?}");
    let server = Launch::demo(Store::Sqlite).await?.start().await?;
    for step in steps {
        if let Step::Run(command) = step {
            run(&server, &command).await?;
        }
    }
    Ok(())
}

/// The commands in fenced `sh`, `bash` and `console` blocks; a backslash joins lines. In a console
/// block only what follows a `$ ` is a command.
fn commands(readme: &str) -> Vec<String> {
    let (mut found, mut fence, mut pending) = (Vec::new(), None::<String>, String::new());
    for line in readme.lines() {
        if let Some(info) = line.trim_start().strip_prefix("```") {
            fence = match fence {
                Some(_) => None,
                None => Some(info.trim().to_owned()),
            };
            continue;
        }
        let Some(kind) = fence.as_deref() else { continue };
        let text = match kind {
            "console" if pending.is_empty() => match line.trim().strip_prefix("$ ") {
                Some(command) => command,
                None => continue,
            },
            "sh" | "bash" | "shell" | "console" => line.trim(),
            _ => continue,
        };
        if pending.is_empty() && (text.is_empty() || text.starts_with('#')) {
            continue;
        }
        pending.push_str(text.strip_suffix('\\').unwrap_or(text));
        if text.ends_with('\\') {
            pending.push(' ');
        } else {
            found.push(std::mem::take(&mut pending));
        }
    }
    found
}

fn step(command: &str) -> Result<Step> {
    let command = command.split("  #").next().unwrap_or(command).trim();
    if command.contains("-- demo") {
        return Ok(Step::Demo);
    }
    let elsewhere = [
        "tests/run",
        "git ",
        "cd ",
        "docker ",
        "podman ",
        "kubectl ",
        "apt-get ",
        ".ci/run",
        "cargo build ",
    ];
    if elsewhere.iter().any(|start| command.trim_start_matches("./").starts_with(start)) {
        return Ok(Step::Elsewhere);
    }
    // Long runs, comparisons and drills have suites of their own.
    let long = ["millrace-sim bench", " -- bench", "millrace-sim drill", " -- overload"];
    if long.iter().any(|part| command.contains(part)) {
        return Ok(Step::Elsewhere);
    }
    let starts = ["curl ", "cargo run ", "target/release/", "millrace", "for ", "jq "];
    if starts.iter().any(|start| command.starts_with(start)) {
        return Ok(Step::Run(command.to_owned()));
    }
    bail!("the README shows a command that its test does not know: {command}")
}

/// The command with the programs of this build instead of a release build, and with the port of
/// this demo. `curl` fails on a status that is an error, unless the README shows one on purpose.
fn translated(command: &str, server: &Server) -> Result<String> {
    let simulator = binary("MILLRACE_SIM_BIN", "millrace-sim")?.display().to_string();
    let millrace = binary("MILLRACE_BIN", "millrace")?.display().to_string();
    let mut translated = command.to_owned();
    for (written, meant) in [
        ("cargo run --release -p simulator --", simulator.as_str()),
        ("cargo run -p simulator --release --", simulator.as_str()),
        ("target/release/millrace-sim", simulator.as_str()),
        ("cargo run --release --", millrace.as_str()),
        ("target/release/millrace", millrace.as_str()),
        ("http://127.0.0.1:8000", server.base().as_str()),
        ("http://localhost:8000", server.base().as_str()),
        ("curl ", "curl --fail-with-body --silent --show-error "),
    ] {
        translated = translated.replace(written, meant);
    }
    ensure!(
        !translated.starts_with("cargo "),
        "a way to run that the test does not know: {command}"
    );
    Ok(translated)
}

async fn run(server: &Server, command: &str) -> Result<()> {
    let translated = translated(command, server)?;
    let mut shell = Command::new("bash");
    // Where the demo was started, so that its data lies in ./data.
    let folder = server.launch().data();
    let folder = folder.parent().context("the data lies in a folder")?;
    shell.args(["-euc", &translated]).current_dir(folder).stdin(Stdio::null());
    let output = timeout(Duration::from_mins(4), shell.kill_on_drop(true).output()).await;
    let output = output.with_context(|| format!("{command}: no end"))??;
    ensure!(
        output.status.success(),
        "{command}\n{}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(())
}

#[test]
fn commands_are_found_in_their_blocks() {
    let readme = "text\n```sh\n# why\ncargo run --release -- demo\ncurl -d \\\n  '{}' x\n```\n\
                  ```json\n{}\n```\n```console\n$ millrace-sim spread\nanswer\n```\n";
    assert_eq!(
        commands(readme),
        ["cargo run --release -- demo", "curl -d  '{}' x", "millrace-sim spread"]
    );
}

#[test]
fn a_command_that_nobody_knows_is_found() {
    assert_eq!(step("cargo run --release -- demo").ok(), Some(Step::Demo));
    assert_eq!(step("tests/run --quick").ok(), Some(Step::Elsewhere));
    assert!(step("frobnicate --all").is_err());
}
