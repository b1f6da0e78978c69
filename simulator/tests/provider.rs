//! The provider as a process: what it has decided stays decided when it is killed.
#![expect(clippy::unwrap_used, reason = "a fixture that fails should end the test")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// A running provider; it is killed at the end.
struct Provider {
    process: Child,
    address: String,
}

impl Provider {
    fn start(ledger: &Path) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_millrace-sim"))
            .args(["provider", "--listen", "127.0.0.1:0", "--ledger"])
            .arg(ledger)
            .env_remove("MILLRACE_WEBHOOK_SECRET")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut said).unwrap();
        let address = said.trim().strip_prefix("listening on http://").unwrap().to_owned();
        Self { process, address }
    }

    /// Sends one request and gives status and body.
    fn ask(&self, method: &str, path: &str, body: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let length = body.len();
        let head = format!("{method} {path} HTTP/1.1\r\nhost: p\r\nconnection: close\r\n");
        write!(stream, "{head}content-length: {length}\r\n\r\n{body}").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
    }

    fn charge(&self, key: &str, minor: i64) -> (u16, String) {
        let amount = format!(r#"{{"minor":{minor},"currency":"USD"}}"#);
        let body =
            format!(r#"{{"key":"{key}","order_id":"o","amount":{amount},"token":"tok_ok"}}"#);
        self.ask("POST", "/charges", &body)
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

#[test]
fn a_kill_undoes_no_charge_and_a_repeat_takes_no_more() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = folder.path().join("ledger");
    let provider = Provider::start(&ledger);
    let first = provider.charge("k", 5);
    assert_eq!(first.0, 200, "{}", first.1);
    drop(provider);
    let provider = Provider::start(&ledger);
    assert_eq!(provider.charge("k", 5), first);
    assert_eq!(provider.charge("k", 6).0, 409);
    assert_eq!(provider.ask("GET", "/charges/k", ""), first);
    assert_eq!(provider.ask("GET", "/charges/other", "").0, 404);
    let written = std::fs::read_to_string(&ledger).unwrap();
    let entries: Vec<&str> = written.lines().collect();
    assert_eq!(entries.len(), 2, "{written}");
    assert!(entries[0].contains("captured") && entries[1].contains("conflict"), "{written}");
}

#[test]
fn a_mood_is_set_from_outside_and_money_goes_back() {
    let folder = tempfile::tempdir().unwrap();
    let provider = Provider::start(&folder.path().join("ledger"));
    assert_eq!(provider.charge("a", 5).0, 200);
    assert_eq!(provider.ask("PUT", "/control", r#"{"mood":"decline"}"#).0, 200);
    assert_eq!(provider.charge("b", 5).0, 402);
    assert_eq!(provider.charge("a", 5).0, 200, "what was decided stays decided");
    assert_eq!(provider.ask("PUT", "/control", r#"{"mood":"moody"}"#).0, 400);
    let back = r#"{"key":"a-refund","charge_key":"a","amount":{"minor":5,"currency":"USD"}}"#;
    assert_eq!(provider.ask("POST", "/refunds", back).0, 200);
    assert_eq!(provider.ask("DELETE", "/charges/a", "").0, 404);
}
