//! Payments that must come to an end, and money that must be where the orders say.

use acceptance_tests::provider::Entry;

use super::*;

pub(super) fn captured(id: &str) -> Entry {
    let (key, currency) = (format!("{id}-1").into(), "USD".into());
    Entry::Captured { key, order: id.into(), minor: PRICE, currency }
}

pub(super) fn refunded(id: &str) -> Entry {
    let (key, charge_key) = (format!("{id}-1-refund").into(), format!("{id}-1").into());
    Entry::Refunded { key, charge_key, minor: PRICE }
}

/// The honest history with another state of `a`, wherever it is shown.
fn standing(http: u16, payment: Payment) -> Story {
    let mut story = honest();
    for at in [1, 3, 5] {
        story.seen(at).payment = payment;
    }
    for at in [1, 3] {
        story.seen(at).http = http;
    }
    story
}

#[test]
fn an_order_that_never_settles_is_found() {
    for payment in [Payment::Queued, Payment::Authorised, Payment::Unpaid] {
        assert_eq!(standing(202, payment).failed(), ["stock_adds_up"], "{payment:?}");
    }
    let on_delivery = standing(201, Payment::Unpaid);
    assert_eq!(on_delivery.failed(), Vec::<&str>::new(), "done, and paid at the door");
    let mut done_later = standing(202, Payment::Unpaid);
    done_later.seen(3).http = 201;
    assert_eq!(done_later.failed(), Vec::<&str>::new(), "accepted first, and done at last");
}

#[test]
fn a_done_order_that_waits_for_its_payment_is_found() {
    for payment in [Payment::Queued, Payment::Authorised] {
        let failed = standing(201, payment).failed();
        assert!(failed.contains(&"answers_agree"), "{payment:?}: {failed:?}");
    }
}

#[test]
fn money_that_was_kept_for_an_order_that_nobody_paid_is_found() {
    let mut story = standing(201, Payment::Unpaid);
    let join =
        |story: &Story, entries: &[Entry]| failed(&check(&story.history, Some(entries)).checks);
    let (a, b) = (captured("o-a"), captured("o-b"));
    let none = Vec::<&str>::new();
    assert_eq!(join(&story, std::slice::from_ref(&b)), none, "never asked for");
    assert_eq!(join(&story, &[a.clone(), b.clone()]), ["ledger_agrees"], "asked for, and kept");
    assert_eq!(join(&story, &[a.clone(), b.clone(), refunded("o-a")]), none, "and given back");
    story.history.ops.remove(5);
    let open = join(&story, &[a, b]);
    assert_eq!(open, ["looks_at_the_end_complete"], "it may have been paid since");
}

#[test]
fn money_is_joined_with_orders_both_ways() {
    let story = honest();
    let join = |entries: &[Entry]| {
        let judgement = check(&story.history, Some(entries));
        failed(&judgement.checks)
    };
    let (a, b) = (captured("o-a"), captured("o-b"));
    let broken = ["ledger_agrees"];
    assert_eq!(join(&[a.clone(), b.clone()]), Vec::<&str>::new());
    assert_eq!(join(std::slice::from_ref(&a)), broken, "paid and never captured");
    assert_eq!(join(&[a.clone(), b.clone(), captured("o-z")]), broken, "captured for nobody");
    assert_eq!(join(&[a.clone(), b.clone(), refunded("o-b")]), broken, "paid and given back");
    assert_eq!(join(&[a.clone(), b.clone(), refunded("o-y")]), broken, "a refund of nothing");
    let fine = [a.clone(), b.clone(), captured("o-z"), refunded("o-z")];
    assert_eq!(join(&fine), Vec::<&str>::new(), "captured for nobody, and given back");
    let change = |change: fn(&mut Box<str>, &mut i64, &mut Box<str>)| {
        let mut b = b.clone();
        if let Entry::Captured { key, minor, currency, .. } = &mut b {
            change(key, minor, currency);
        }
        b
    };
    let twice = change(|key, _, _| *key = "o-b-2".into());
    assert_eq!(join(&[a.clone(), b.clone(), twice]), broken, "captured twice");
    assert_eq!(join(&[a.clone(), change(|_, minor, _| *minor = 1)]), broken, "too little");
    let euros = change(|_, _, currency| *currency = "EUR".into());
    assert_eq!(join(&[a.clone(), euros]), broken, "in another currency");
    assert_eq!(join(&[a, b, Entry::Conflict { key: "o-a-1".into() }]), broken, "key reused");
}
