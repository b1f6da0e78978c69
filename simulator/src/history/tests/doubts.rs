//! What a question that nobody knows the end of excuses, and what ends the doubt.

use acceptance_tests::provider::Entry;

use super::money::captured;
use super::*;

/// Three units, of which `a` and `b` buy two; what `c` hears of its tries is told after that.
fn doubted(ends: &[End]) -> Story {
    let mut story = honest();
    *story.shelf(0) = Stock { on_hand: 3, held: 0, available: 3, sold: 0 };
    story.history.ops.truncate(4);
    for (process, end) in (10..).zip(ends) {
        story.tell(process, Some("c"), wish(1), end.clone());
    }
    story.read(6, read_back("o-a"));
    story.read(6, read_back("o-b"));
    story
}

/// What is found when a unit more is sold, is held, or is paid for at the end.
fn found(ends: &[End]) -> [Vec<&'static str>; 3] {
    let looked = |held, sold, entries: &[Entry]| {
        let mut story = doubted(ends);
        story.look(1, 3 - held - sold, held, sold);
        failed(&check(&story.history, Some(entries)).checks)
    };
    let (a, b) = (captured("o-a"), captured("o-b"));
    [
        looked(0, 3, &[a.clone(), b.clone()]),
        looked(1, 2, &[a.clone(), b.clone()]),
        looked(0, 2, &[a, b, captured("o-c")]),
    ]
}

const NOTHING: [Vec<&str>; 3] = [vec![], vec![], vec![]];

#[test]
fn an_unknown_outcome_excuses_one_order_that_nobody_was_told_of() {
    assert_eq!(found(&[End::Unknown]), NOTHING);
}

#[test]
fn a_cancelled_order_ends_the_doubt_whenever_it_is_told() {
    let cancelled = no(402, "payment_failed");
    let all = [vec!["nothing_oversold"], vec!["stock_adds_up"], vec!["ledger_agrees"]];
    assert_eq!(found(&[End::Unknown, cancelled.clone()]), all);
    assert_eq!(found(&[cancelled, End::Unknown]), all);
}

#[test]
fn a_refusal_ends_no_doubt_about_a_try_that_may_still_be_on_its_way() {
    for refusal in [no(409, "insufficient_stock"), no(503, "overloaded")] {
        // Sold out at that moment: somebody else is being judged.
        let mut story = doubted(&[End::Unknown, refusal.clone()]);
        let now = story.op(5).asked;
        let other = story.tell(8, Some("d"), wish(1), no(402, "payment_declined"));
        (other.asked, other.ended) = (now - 1, now + 1);
        story.look(1, 0, 0, 3);
        assert_eq!(story.failed(), Vec::<&str>::new(), "{refusal:?}");
    }
}
