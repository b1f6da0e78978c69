//! What a row must be, field by field.

use super::super::{
    Judge, NAME_MAX, PRICE_MINOR_MAX, PartnerRow, RawRow, RowError, RowFault, RowField, STOCK_MAX,
    Supply,
};
use crate::catalog::ProductStatus;
use crate::samples::usd;
use crate::values::{Currency, Money, Quantity, Sku};

/// A good row, with some fields as given; an empty text takes one away.
pub(super) fn raw(fields: &[(&str, &str)]) -> RawRow {
    let mut row = RawRow::at(7);
    for (name, text) in
        [("sku", "mug-1"), ("name", "Blue mug"), ("price", "12.50"), ("currency", "USD")]
    {
        if !fields.iter().any(|(given, _)| *given == name) {
            row.put(name, text);
        }
    }
    for (name, text) in fields {
        row.put(name, text);
    }
    row
}

fn judged(fields: &[(&str, &str)]) -> Result<PartnerRow, Vec<RowError>> {
    Judge::default().judge(raw(fields))
}

fn good(fields: &[(&str, &str)]) -> PartnerRow {
    judged(fields).unwrap()
}

/// The one thing that is wrong.
#[track_caller]
pub(super) fn fault(fields: &[(&str, &str)]) -> (RowField, RowFault) {
    let errors = judged(fields).unwrap_err();
    let [RowError { line: 7, field, code }] = errors.as_slice() else { panic!("{errors:?}") };
    (*field, *code)
}

#[test]
fn a_row_is_read_as_it_is_said() {
    let row = good(&[("stock", "40"), ("status", "inactive")]);
    let expected = PartnerRow {
        line: 7,
        sku: Sku::parse("mug-1").unwrap(),
        name: "Blue mug".to_owned(),
        price: usd(1_250),
        status: Some(ProductStatus::Inactive),
        supply: Some(Supply::OnHand(Quantity::new(40))),
    };
    assert_eq!(row, expected);
    let row = good(&[("received", "5"), ("status", "active")]);
    assert_eq!(row.supply, Some(Supply::Received(Quantity::new(5))));
    assert_eq!(row.status, Some(ProductStatus::Active));
    assert_eq!(good(&[("received", "0")]).supply, None);
    assert_eq!(good(&[("stock", "0")]).supply, Some(Supply::OnHand(Quantity::ZERO)));
}

#[test]
fn prices_are_read_digit_by_digit() {
    for (text, code, minor) in [
        ("0", "USD", 0),
        ("19.99", "USD", 1_999),
        ("19.9", "USD", 1_990),
        ("0019.990", "USD", 1_999),
        ("500", "JPY", 500),
        ("1.234", "KWD", 1_234),
        ("1000000000.00", "USD", PRICE_MINOR_MAX),
    ] {
        let currency = Currency::from_code(code).unwrap();
        let row = good(&[("price", text), ("currency", code)]);
        assert_eq!(row.price, Money::new(minor, currency), "{text}");
    }
    assert_eq!(
        fault(&[("price", "0.5"), ("currency", "JPY")]),
        (RowField::Price, RowFault::TooPrecise)
    );
}

#[test]
fn what_must_be_there_is_missed() {
    for field in ["sku", "name", "price", "currency"] {
        let (where_, what) = fault(&[(field, "")]);
        assert_eq!((where_.as_str(), what), (field, RowFault::Missing));
    }
    assert_eq!(fault(&[("name", "   ")]), (RowField::Name, RowFault::Missing));
    let nothing = Judge::default().judge(RawRow::at(1)).unwrap_err();
    assert_eq!(nothing.len(), 4);
}

#[test]
fn a_field_that_is_not_known_or_stands_twice_is_refused() {
    assert_eq!(fault(&[("colour", "blue")]), (RowField::Row, RowFault::UnknownField));
    assert_eq!(fault(&[("row", "1")]), (RowField::Row, RowFault::UnknownField));
    assert_eq!(fault(&[("name", "A"), ("name", "B")]), (RowField::Name, RowFault::DuplicateField));
}

#[test]
fn a_value_of_another_kind_is_refused_once() {
    let mut row = raw(&[("name", "")]);
    row.put_misfit("name");
    row.put_misfit("nonsense");
    let errors = Judge::default().judge(row).unwrap_err();
    let found: Vec<_> = errors.iter().map(|error| (error.field, error.code)).collect();
    assert_eq!(
        found,
        [(RowField::Name, RowFault::WrongType), (RowField::Row, RowFault::UnknownField)]
    );
}

#[test]
fn a_product_stands_once_in_a_feed() {
    let mut judge = Judge::default();
    assert!(judge.judge(raw(&[])).is_ok());
    let errors = judge.judge(raw(&[("name", "Red mug")])).unwrap_err();
    assert_eq!((errors[0].field, errors[0].code), (RowField::Sku, RowFault::DuplicateSku));
    assert!(judge.judge(raw(&[("sku", "mug-2")])).is_ok());
}

#[test]
fn everything_that_is_wrong_is_told_at_once() {
    let errors = judged(&[("sku", "a b"), ("name", "<b>"), ("price", "x"), ("stock", "-1")]);
    let found: Vec<_> = errors.unwrap_err().iter().map(|error| (error.field, error.code)).collect();
    assert_eq!(
        found,
        [
            (RowField::Sku, RowFault::InvalidSku),
            (RowField::Name, RowFault::Markup),
            (RowField::Price, RowFault::NotANumber),
            (RowField::Stock, RowFault::OutOfRange),
        ]
    );
}

#[test]
fn stock_is_counted_or_added_to_but_not_both() {
    assert_eq!(fault(&[("stock", "1"), ("received", "1")]), (RowField::Row, RowFault::StockTwice));
    let most = STOCK_MAX.to_string();
    assert_eq!(good(&[("stock", &most)]).supply, Some(Supply::OnHand(Quantity::new(STOCK_MAX))));
}

#[test]
fn names_that_only_look_odd_are_taken() {
    for name in [
        "AT&T phone, 5G & more",
        "Jack & Jill; a book",
        "Ünïcödé Tässe – 0,5 l",
        "ناصر\u{200c}",
        "Men's T-shirt (3-pack) #1",
        "Union Jack: select edition",
        "100 % cotton, size = M",
        "Drop-leaf table",
        "Delete key cap",
        &"x".repeat(NAME_MAX),
    ] {
        assert_eq!(good(&[("name", name)]).name, name);
    }
}

#[test]
fn every_fault_has_a_code_of_its_own() {
    let mut codes: Vec<&str> = RowFault::ALL.iter().map(|fault| fault.as_str()).collect();
    for fault in RowFault::ALL {
        let stored = serde_json::to_string(fault).unwrap();
        assert_eq!(stored.trim_matches('"'), fault.as_str());
        assert!(fault.message().ends_with('.'));
    }
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), RowFault::ALL.len());
    for field in RowField::NAMED {
        assert_eq!(RowField::parse(field.as_str()), Some(field));
    }
}

#[test]
fn a_row_does_not_show_in_a_log_what_a_stranger_sent() {
    assert!(!format!("{:?}", raw(&[])).contains("mug"));
}
