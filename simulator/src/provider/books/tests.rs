//! What the books decide, mood by mood.

use super::*;

fn request(key: &str, minor: i64) -> ChargeRequest {
    let amount = Amount { minor, currency: "USD".into() };
    ChargeRequest { key: key.into(), order_id: "o".into(), amount, token: "tok_ok".into() }
}

fn refund(key: &str, minor: i64) -> RefundRequest {
    let amount = Amount { minor, currency: "USD".into() };
    RefundRequest { key: key.into(), charge_key: "k".into(), amount }
}

fn books(mood: Mood) -> Books {
    Books { setting: Setting { mood, ..Setting::default() }, ..Books::default() }
}

fn status(deed: &Deed) -> Option<u16> {
    match deed.reply {
        Reply::Answer(status, _) => Some(status),
        Reply::Silence => None,
    }
}

#[test]
fn one_key_is_captured_once_however_often_it_comes() {
    let mut books = books(Mood::Ok);
    let first = books.charge(&request("k", 5));
    let second = books.charge(&request("k", 5));
    assert_eq!((status(&first), first.entries.len()), (Some(200), 1));
    assert_eq!((status(&second), second.entries.len()), (Some(200), 0));
    assert_eq!(second.reply, first.reply);
}

#[test]
fn one_key_with_two_amounts_is_held_against_the_caller() {
    let mut books = books(Mood::Ok);
    books.charge(&request("k", 5));
    let again = books.charge(&request("k", 6));
    assert_eq!((status(&again), again.entries.len()), (Some(409), 1));
}

#[test]
fn each_mood_does_and_says_what_its_name_says() {
    for (mood, answer, taken, known) in [
        (Mood::Ok, Some(200), 1, Some(200)),
        (Mood::Decline, Some(402), 1, Some(200)),
        (Mood::Slow { ms: 5 }, Some(200), 1, Some(200)),
        (Mood::ServerError, Some(500), 0, Some(500)),
        (Mood::TimeOut, None, 0, None),
        (Mood::CapturedServerError, Some(500), 1, Some(200)),
        (Mood::Late { ms: 5 }, None, 0, Some(404)),
    ] {
        let mut books = books(mood);
        let deed = books.charge(&request("k", 5));
        assert_eq!((status(&deed), deed.entries.len()), (answer, taken), "{mood:?}");
        assert_eq!(status(&books.question("k")), known, "{mood:?}");
    }
}

#[test]
fn never_more_goes_back_than_was_taken() {
    let mut books = books(Mood::Ok);
    assert_eq!(status(&books.refund(&refund("r", 1))), Some(404));
    books.charge(&request("k", 5));
    assert_eq!(books.refund(&refund("r", 3)).entries.len(), 1);
    assert_eq!(books.refund(&refund("r", 3)).entries.len(), 0);
    assert_eq!(status(&books.refund(&refund("s", 3))), Some(409));
    assert_eq!(status(&books.refund(&refund("s", -3))), Some(409));
    assert_eq!(status(&books.refund(&refund("s", 2))), Some(200));
}

#[test]
fn a_ledger_gives_the_books_back() {
    let mut books = books(Mood::Ok);
    let mut entries = books.charge(&request("k", 5)).entries;
    entries.extend(books.refund(&refund("r", 3)).entries);
    let mut again = Books::of(&entries);
    assert_eq!(again.charges, books.charges);
    assert_eq!(again.refund(&refund("r", 3)).entries, []);
    assert_eq!(status(&again.refund(&refund("s", 3))), Some(409));
}

#[test]
fn a_setting_is_read_as_it_is_written() {
    let text = r#"{"mood":"late","ms":250,"callbacks":"early"}"#;
    let setting: Setting = serde_json::from_str(text).unwrap();
    let expected = Setting { mood: Mood::Late { ms: 250 }, callbacks: Callbacks::Early };
    assert_eq!(setting, expected);
    assert_eq!(serde_json::to_value(setting).unwrap()["ms"], 250);
}
