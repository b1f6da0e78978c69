//! What the small values promise.

use std::time::Duration;

use uuid::Uuid;

use super::*;
use crate::samples::{ORDER, customer, product, seconds, units, usd};

#[test]
fn money_adds_up_exactly() {
    assert_eq!(usd(1_999).checked_add(usd(1)), Ok(usd(2_000)));
    assert_eq!(usd(1_999).times(units(3)), Ok(usd(5_997)));
    assert_eq!(usd(-5).times(units(2)), Ok(usd(-10)));
    assert_eq!(usd(5).times(Quantity::ZERO), Ok(Money::zero(Currency::USD)));
}

#[test]
fn amounts_of_different_currencies_do_not_add() {
    let euros = Money::new(1, Currency::EUR);
    assert_eq!(usd(1).checked_add(euros), Err(MoneyError::CurrencyMismatch));
}

#[test]
fn money_does_not_wrap() {
    assert_eq!(usd(i64::MAX).checked_add(usd(1)), Err(MoneyError::OutOfRange));
    assert_eq!(usd(i64::MIN).checked_add(usd(-1)), Err(MoneyError::OutOfRange));
    assert_eq!(usd(i64::MAX).times(units(2)), Err(MoneyError::OutOfRange));
}

#[test]
fn money_is_written_as_minor_units_and_a_currency_code() {
    let json = serde_json::to_string(&usd(1_999)).unwrap();
    assert_eq!(json, r#"{"minor":1999,"currency":"USD"}"#);
    assert_eq!(serde_json::from_str::<Money>(&json).unwrap(), usd(1_999));
    assert!(serde_json::from_str::<Money>(r#"{"minor":19.99,"currency":"USD"}"#).is_err());
    assert_eq!(usd(1_999).to_string(), "1999 USD (minor units)");
}

#[test]
fn quantities_neither_wrap_nor_go_below_zero() {
    assert_eq!(units(2).checked_add(units(3)), Some(units(5)));
    assert_eq!(units(u32::MAX).checked_add(units(1)), None);
    assert_eq!(units(3).checked_sub(units(3)), Some(Quantity::ZERO));
    assert_eq!(units(2).checked_sub(units(3)), None);
    assert!(serde_json::from_str::<Quantity>("-1").is_err());
}

#[test]
fn moments_stop_at_the_last_one() {
    let last = Moment::from_unix_micros(i64::MAX);
    assert_eq!(seconds(1).saturating_add(Duration::from_secs(2)), seconds(3));
    assert_eq!(last.saturating_add(Duration::from_micros(1)), last);
    assert_eq!(seconds(1).saturating_add(Duration::MAX), last);
}

#[test]
fn time_since_a_later_moment_is_zero() {
    assert_eq!(seconds(3).saturating_since(seconds(1)), Duration::from_secs(2));
    assert_eq!(seconds(1).saturating_since(seconds(3)), Duration::ZERO);
}

#[test]
fn text_ids_are_short_and_printable_without_slash_or_space() {
    let longest = "p".repeat(ProductId::LENGTH_MAX);
    assert_eq!(ProductId::parse(&longest).unwrap().as_str(), longest);
    for bad in ["", ".", "..", "a b", "a/b", "a\tb", "a\u{0}b", "a\u{a0}b", &format!("{longest}p")]
    {
        assert!(ProductId::parse(bad).is_err(), "{bad:?}");
    }
    assert!(CustomerId::parse(&"c".repeat(CustomerId::LENGTH_MAX)).is_ok());
    assert!(ProductId::parse("größe-42").is_ok());
}

#[test]
fn a_refused_text_id_is_told_the_limit() {
    let words = CustomerId::parse("").unwrap_err().to_string();
    assert_eq!(
        words,
        "expected 1 to 128 printable characters without '/' or space, not '.' or '..'"
    );
}

#[test]
fn ids_are_written_as_plain_strings() {
    let json = serde_json::to_string(&(ORDER, product("mouse"), customer("alice"))).unwrap();
    assert_eq!(json, r#"["00000000-0000-0000-0000-0000000a11ce","mouse","alice"]"#);
    let back: (OrderId, ProductId, CustomerId) = serde_json::from_str(&json).unwrap();
    assert_eq!(back, (ORDER, product("mouse"), customer("alice")));
}

#[test]
fn an_order_holds_under_its_own_id() {
    assert_eq!(ORDER.hold().as_uuid(), ORDER.as_uuid());
}

#[test]
fn the_lines_of_an_order_have_ids_of_their_own() {
    let ids = [ORDER.item(0), ORDER.item(1), ORDER.item(u16::MAX)];
    let mut distinct: Vec<Uuid> = ids.iter().map(|id| id.as_uuid()).collect();
    distinct.push(ORDER.as_uuid());
    distinct.sort_unstable();
    distinct.dedup();
    assert_eq!(distinct.len(), 4);
    let last = OrderId::new(Uuid::max());
    assert_ne!(last.item(0).as_uuid(), last.as_uuid());
}

#[test]
fn each_attempt_to_charge_has_its_own_key() {
    assert_ne!(ORDER.charge(1), ORDER.charge(2));
    assert_eq!(ORDER.charge(2).to_string(), "00000000-0000-0000-0000-0000000a11ce-2");
}

#[test]
fn a_payment_token_does_not_reach_a_log() {
    let token = PaymentToken::new("tok_secret");
    assert_eq!(format!("{token:?}"), "PaymentToken(..)");
    assert_eq!(token.expose(), "tok_secret");
}

#[test]
fn the_name_of_a_picture_says_whose_it_is_and_what_is_in_it() {
    let owner = MediaOwner::product(&product("mug-ä"));
    let name = MediaName::new(owner.clone(), [0xa5; 32], MediaFormat::Jpeg);
    let text = name.to_string();
    assert_eq!(text, format!("product-6d75672dc3a4-{}.jpg", "a5".repeat(32)));
    let read = MediaName::parse(&text).unwrap();
    assert_eq!((read.owner().id(), read.format()), ("mug-ä", MediaFormat::Jpeg));
    assert_eq!(read, name);
    assert_eq!(MediaName::of_file(owner, &name.file()), Some(name));
}

#[test]
fn the_longest_id_of_an_owner_has_a_name() {
    let id = "x".repeat(ProductId::LENGTH_MAX);
    let owner = MediaOwner::product(&product(&id));
    assert_eq!(MediaOwner::of_folder(MediaArea::Product, &owner.folder()), Some(owner));
}

#[test]
fn what_is_no_name_of_a_picture_is_refused() {
    let digest = "a5".repeat(32);
    let good = format!("product-6d-{digest}.png");
    assert!(MediaName::parse(&good).is_ok());
    for bad in [
        "",
        "product",
        "product-6d-",
        "../../etc/passwd",
        "product-..-../x.png",
        &format!("product-6d-{digest}"),
        &format!("product-6d-{digest}.svg"),
        &format!("product-6d-{digest}.png/"),
        &format!("product-6d-{digest}.png.png"),
        &format!("product-6D-{digest}.png"),
        &format!("product-6-{digest}.png"),
        &format!("product--{digest}.png"),
        &format!("product-ff-{digest}.png"),
        &format!("product-{}-{digest}.png", "6d".repeat(65)),
        &format!("other-6d-{digest}.png"),
        &format!("product-6d-{}.png", "a5".repeat(31)),
        &format!("product-6d-{}.png", "A5".repeat(32)),
    ] {
        assert!(MediaName::parse(bad).is_err(), "{bad}");
    }
}
