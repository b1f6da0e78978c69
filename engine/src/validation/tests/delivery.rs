//! Addresses and phone numbers: judged when they are said, or where a shop demands them.

use super::*;

fn address_with(change: impl Fn(&mut PostalAddress)) -> PlaceOrder {
    let mut address = address();
    change(&mut address);
    goes_to(address)
}

#[test]
fn a_shop_may_demand_an_address_and_a_phone_number_val_7() {
    let demands = Demands { address: true, phone: true, ..Demands::default() };
    let demanding = || Policy { demands, ..Policy::default() };
    assert_eq!(found(&with(plain(), demanding())), ["shipping_address: address_required"]);
    let silent = address_with(|address| address.phone = None);
    let codes = found(&with(silent, demanding()));
    assert_eq!(codes, ["shipping_address.phone: phone_required"]);
    assert_eq!(found(&with(goes_to(address()), demanding())), [""; 0]);
}

#[test]
fn every_part_of_an_address_that_is_missing_is_named_val_7() {
    let empty = address_with(|address| {
        address.name = " ".to_owned();
        address.city = String::new();
        address.lines = vec!["  ".to_owned()];
    });
    assert_eq!(
        found(&empty),
        [
            "shipping_address.name: address_incomplete",
            "shipping_address.city: address_incomplete",
            "shipping_address.lines: address_incomplete",
        ]
    );
    let long = address_with(|address| address.lines = vec!["x".to_owned(); 6]);
    assert_eq!(found(&long), ["shipping_address.lines: address_incomplete"]);
}

#[test]
fn a_country_is_two_capital_letters_val_7() {
    for bad in ["", "ph", "PHL", "P1", "ÄÖ"] {
        let codes = found(&address_with(|address| address.country = bad.to_owned()));
        assert_eq!(codes, ["shipping_address.country: country_malformed"], "{bad}");
    }
}

#[test]
fn a_shop_delivers_where_it_says_val_7() {
    let delivers_to = Some(Arc::from([Country::PH]));
    let near = || Policy { delivers_to: delivers_to.clone(), ..Policy::default() };
    assert_eq!(found(&with(goes_to(address()), near())), [""; 0]);
    let far = address_with(|address| {
        address.country = "DE".to_owned();
        address.postal_code = Some("10115".to_owned());
    });
    let codes = found(&with(far, near()));
    assert_eq!(codes, ["shipping_address.country: country_not_served"]);
}

#[test]
fn a_postal_code_has_the_form_of_its_country_val_7() {
    for (country, code, is_right) in [
        ("PH", "1200", true),
        ("PH", "12000", false),
        ("PH", "12OO", false),
        ("US", "12345", true),
        ("US", "12345-6789", true),
        ("US", "12345 6789", false),
        ("CA", "K1A 0B1", true),
        ("NL", "1012 AB", true),
        ("JP", "100-0001", true),
        ("GB", "SW1A 1AA", true),
        ("GB", "S", false),
        ("BR", "01310-100", true),
        ("BR", "01310_100", false),
    ] {
        let codes = found(&address_with(|address| {
            address.country = country.to_owned();
            address.postal_code = Some(code.to_owned());
        }));
        assert_eq!(codes.is_empty(), is_right, "{country} {code}: {codes:?}");
        if !is_right {
            assert_eq!(codes, ["shipping_address.postal_code: postal_code_malformed"]);
        }
    }
}

#[test]
fn a_missing_postal_code_is_a_warning_where_there_are_some_val_13() {
    let without = |country: &str| {
        address_with(|address| {
            address.country = country.to_owned();
            address.postal_code = None;
        })
    };
    assert_eq!(found(&without("PH")), ["shipping_address.postal_code: postal_code_missing"]);
    assert!(!blocks(&request(&without("PH"))));
    assert_eq!(found(&without("HK")), [""; 0]);
}

#[test]
fn a_phone_number_has_the_form_of_e_164_val_8() {
    let calls = |phone: &str, policy: Policy| {
        found(&with(address_with(|address| address.phone = Some(phone.to_owned())), policy))
    };
    for good in ["+639171234567", "+63 917 123 4567", "+1 (555) 010-0123", "+4930123456"] {
        assert_eq!(calls(good, Policy::default()), [""; 0], "{good}");
    }
    for bad in [
        "",
        "+",
        "call me",
        "09171234567",
        "+0123456789",
        "+1234567",
        "+1234567890123456",
        "+63 917 123 456",
        "+639171234567890",
        "+63117123456",
        "+49 30 x123",
    ] {
        let codes = calls(bad, Policy::default());
        assert_eq!(codes, ["shipping_address.phone: phone_malformed"], "{bad}");
    }
}

#[test]
fn in_the_philippines_a_local_number_is_read_and_kept_with_its_country_c_25() {
    for (text, number) in [
        ("0917 123 4567", Some("+639171234567")),
        ("(02) 8123-4567", Some("+63281234567")),
        ("+63 2 8123 4567", Some("+63281234567")),
        ("9171234567", None),
        ("0917 123 456", None),
        ("01 123 4567", None),
    ] {
        assert_eq!(e164(text, Region::Philippines).as_deref(), number, "{text}");
        let expected = number.filter(|_| text.starts_with('+'));
        assert_eq!(e164(text, Region::Generic).as_deref(), expected, "{text}");
    }
}

#[test]
fn a_number_from_elsewhere_is_a_warning_at_home_val_13() {
    let abroad = || address_with(|address| address.phone = Some("+4930123456".to_owned()));
    let codes = found(&with(abroad(), philippine()));
    assert_eq!(codes, ["shipping_address.phone: phone_from_elsewhere"]);
    assert!(!blocks(&request(&with(abroad(), philippine()))));
    assert_eq!(found(&abroad()), [""; 0]);
}

#[test]
fn whoever_pays_on_delivery_is_asked_where_val_13() {
    let place = wish(Some(pays(PaymentMethod::Cod, None)), &[("laptop", 1)]);
    assert_eq!(found(&place), ["shipping_address: address_advised"]);
    assert!(!blocks(&request(&place)));
    let cash = wish(Some(pays(PaymentMethod::Cash, None)), &[("laptop", 1)]);
    assert_eq!(found(&cash), [""; 0]);
}
