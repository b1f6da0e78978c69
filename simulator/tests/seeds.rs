//! Seeds in processes of their own: what a seed does depends on nothing but the seed.
#![expect(clippy::unwrap_used, reason = "a run that does not start should fail the test")]

use std::process::Command;

/// All traces of some seeds in one number, as a process of its own tells it.
fn trace(flags: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_millrace-sim"))
        .args(["dst", "--seeds", "12", "--from", "1000", "--twice-every", "0"])
        .args(flags)
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{told}{}", String::from_utf8_lossy(&output.stderr));
    told.lines().find_map(|line| line.strip_prefix("trace")).unwrap().trim().to_owned()
}

#[test]
fn the_logic_alone_does_the_same_in_every_process() {
    assert_eq!(trace(&["--workers", "1"]), trace(&["--workers", "2"]));
}

#[test]
fn real_actors_do_the_same_in_every_process() {
    assert_eq!(trace(&["--shell", "--workers", "1"]), trace(&["--shell", "--workers", "2"]));
}

#[test]
fn what_only_the_logic_shows_cannot_be_asked_of_real_actors() {
    let status = Command::new(env!("CARGO_BIN_EXE_millrace-sim"))
        .args(["dst", "--shell", "--must-see-all"])
        .output()
        .unwrap()
        .status;
    assert_eq!(status.code(), Some(2));
}
