//! Promo codes, channels, contacts, notes, and markup in any of them.

use super::*;

fn changed(change: impl Fn(&mut PlaceOrder)) -> Vec<String> {
    let mut place = plain();
    change(&mut place);
    found(&place)
}

#[test]
fn a_promo_code_must_be_known_val_9() {
    let codes = changed(|place| place.promo = Some(unknown_promo()));
    assert_eq!(codes, ["promo_code: unknown_promo_code"]);
}

#[test]
fn a_promo_code_is_a_short_word_val_9() {
    for bad in [String::new(), "SAVE 10".to_owned(), "10%".to_owned(), "X".repeat(33)] {
        let codes = changed(|place| place.promo = Some(WishedPromo::new(&bad)));
        assert_eq!(codes, ["promo_code: promo_code_malformed"], "{bad}");
    }
}

#[test]
fn a_channel_is_a_word_val_15() {
    for bad in [String::new(), "the web".to_owned(), "w".repeat(33)] {
        let codes = changed(|place| place.channel.clone_from(&bad));
        assert_eq!(codes, ["channel: channel_malformed"], "{bad}");
    }
}

#[test]
fn a_channel_that_nobody_knows_is_a_warning_val_13() {
    assert_eq!(changed(|place| place.channel = "kiosk".to_owned()), [""; 0]);
    assert_eq!(
        changed(|place| place.channel = "carrier-1".to_owned()),
        ["channel: channel_unknown"]
    );
}

#[test]
fn an_email_address_has_the_form_of_one_val_15() {
    for good in ["alice@example.com", "a.b+tag@mail.example.co"] {
        assert_eq!(
            changed(|place| place.personal.email = Some(good.to_owned())),
            [""; 0],
            "{good}"
        );
    }
    for bad in [
        "",
        "alice",
        "alice@",
        "@example.com",
        "a b@example.com",
        "alice@localhost",
        "Alice <alice@example.com>",
        "alice@[192.0.2.1]",
        "a@b@example.com",
    ] {
        let codes = changed(|place| place.personal.email = Some(bad.to_owned()));
        assert_eq!(codes, ["email: email_malformed"], "{bad}");
    }
}

#[test]
fn a_note_is_not_a_letter_val_15() {
    let note = |count| Some("é".repeat(count));
    assert_eq!(changed(|place| place.personal.note = note(NOTE_CHARACTERS_MAX)), [""; 0]);
    let codes = changed(|place| place.personal.note = note(NOTE_CHARACTERS_MAX.saturating_add(1)));
    assert_eq!(codes, ["note: note_too_long"]);
}

#[test]
fn an_id_that_tells_who_it_is_is_a_warning_val_13() {
    for bad in ["alice@example.com", "+639171234567"] {
        let codes = changed(|place| place.customer = customer(bad));
        assert_eq!(codes, ["customer_id: customer_id_personal"], "{bad}");
    }
    for good in ["customer_123", "09171234567", "a@b"] {
        assert_eq!(changed(|place| place.customer = customer(good)), [""; 0], "{good}");
    }
}

#[test]
fn what_a_browser_would_act_on_is_refused_in_every_text_val_15() {
    let markup = "<script>alert(1)</script>";
    let codes = changed(|place| {
        place.personal.note = Some(markup.to_owned());
        place.personal.shipping_address = Some(PostalAddress {
            name: markup.to_owned(),
            lines: vec![markup.to_owned()],
            city: "<!-- -->".to_owned(),
            postal_code: None,
            country: "HK".to_owned(),
            phone: None,
        });
    });
    assert_eq!(
        codes,
        [
            "note: markup_refused",
            "shipping_address.name: markup_refused",
            "shipping_address.lines: markup_refused",
            "shipping_address.city: markup_refused",
        ]
    );
    for bad in ["</b>", "see JavaScript:alert(1)", "<?xml", "data:text/html,x"] {
        let codes = changed(|place| place.personal.note = Some(bad.to_owned()));
        assert_eq!(codes, ["note: markup_refused"], "{bad}");
    }
    for good in ["I <3 this shop", "a < b > c", "Ring: twice", "Tom & Jerry"] {
        assert_eq!(changed(|place| place.personal.note = Some(good.to_owned())), [""; 0], "{good}");
    }
}
