//! Where the goods go and whom to call, judged when it is said or demanded.

use super::finding::Finding;
use super::phone;
use super::policy::{Country, Policy};
use super::table::Rule;
use crate::order::PlaceOrder;
use crate::values::PostalAddress;

/// Most lines of an address.
const LINES_MAX: usize = 5;

/// Forms of postal codes by country: `9` stands for a digit, `A` for a letter.
const POSTAL_FORMS: &[(&str, &[&str])] = &[
    ("AU", &["9999"]),
    ("CA", &["A9A 9A9", "A9A9A9"]),
    ("DE", &["99999"]),
    ("ES", &["99999"]),
    ("FR", &["99999"]),
    ("IN", &["999999", "999 999"]),
    ("IT", &["99999"]),
    ("JP", &["999-9999", "9999999"]),
    ("NL", &["9999 AA", "9999AA"]),
    ("PH", &["9999"]),
    ("SG", &["999999"]),
    ("US", &["99999", "99999-9999"]),
];

/// Longest and shortest postal code of a country whose form is not known here.
const OTHER_CODES: std::ops::RangeInclusive<usize> = 2..=10;

pub(super) fn judge(place: &PlaceOrder, found: &mut Vec<Finding>) {
    let policy = &*place.policy;
    let Some(address) = &place.personal.shipping_address else {
        if policy.demands.address {
            let message = "nobody says where the goods go";
            found.push(Rule::AddressRequired.found("shipping_address", message));
        }
        return;
    };
    parts(address, found);
    if let Some(country) = Country::parse(&address.country) {
        of_country(address, country, policy, found);
    } else {
        let message = "not a country code";
        found.push(Rule::CountryMalformed.found("shipping_address.country", message));
    }
    phone(address, policy, found);
}

fn parts(address: &PostalAddress, found: &mut Vec<Finding>) {
    for (part, text) in [("name", &address.name), ("city", &address.city)] {
        if text.trim().is_empty() {
            let field = format!("shipping_address.{part}");
            found.push(Rule::AddressIncomplete.found(field, format!("the {part} is empty")));
        }
    }
    let lines = address.lines.iter().filter(|line| !line.trim().is_empty()).count();
    if lines == 0 || LINES_MAX < address.lines.len() {
        let message = format!("{lines} lines with a text, allowed are 1 to {LINES_MAX}");
        found.push(Rule::AddressIncomplete.found("shipping_address.lines", message));
    }
}

fn of_country(
    address: &PostalAddress,
    country: Country,
    policy: &Policy,
    found: &mut Vec<Finding>,
) {
    let serves = policy.delivers_to.as_ref().is_none_or(|served| served.contains(&country));
    if !serves {
        let message = format!("the shop does not deliver to {}", country.as_str());
        found.push(Rule::CountryNotServed.found("shipping_address.country", message));
    }
    let form = POSTAL_FORMS.iter().find(|(code, _)| *code == country.as_str());
    let field = "shipping_address.postal_code";
    match (address.postal_code.as_deref().map(str::trim), form) {
        (Some(code), Some((_, forms))) if !forms.iter().any(|form| has_form(code, form)) => {
            let message =
                format!("a postal code of {} looks like {}", country.as_str(), forms.join(" or "));
            found.push(Rule::PostalCodeMalformed.found(field, message));
        }
        (Some(code), None) if !may_be_a_code(code) => {
            let message = "a postal code has 2 to 10 letters, digits, blanks and dashes";
            found.push(Rule::PostalCodeMalformed.found(field, message));
        }
        (None, Some(_)) => {
            let message = format!("addresses in {} have a postal code", country.as_str());
            found.push(Rule::PostalCodeMissing.found(field, message));
        }
        (Some(_), _) | (None, None) => {}
    }
}

fn has_form(code: &str, form: &str) -> bool {
    code.len() == form.len()
        && code.bytes().zip(form.bytes()).all(|(given, wanted)| match wanted {
            b'9' => given.is_ascii_digit(),
            b'A' => given.is_ascii_alphabetic(),
            other => given == other,
        })
}

fn may_be_a_code(code: &str) -> bool {
    let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b' ' | b'-');
    OTHER_CODES.contains(&code.len()) && code.bytes().all(fits)
}

fn phone(address: &PostalAddress, policy: &Policy, found: &mut Vec<Finding>) {
    let field = "shipping_address.phone";
    let Some(text) = &address.phone else {
        if policy.demands.phone {
            found.push(Rule::PhoneRequired.found(field, "nobody says whom to call"));
        }
        return;
    };
    let Some(number) = phone::e164(text, policy.region) else {
        found.push(Rule::PhoneMalformed.found(field, "not a phone number"));
        return;
    };
    if is_from_elsewhere(address, &number, policy) {
        let message = "the number and the address are in different countries";
        found.push(Rule::PhoneFromElsewhere.found(field, message));
    }
}

/// Whether one of both is at home and the other is not. Nothing is known of other countries.
fn is_from_elsewhere(address: &PostalAddress, number: &str, policy: &Policy) -> bool {
    let Some(home) = policy.region.home() else { return false };
    let goes_home = Country::parse(&address.country) == Some(home);
    let rings_at_home = number.trim_start_matches('+').starts_with(phone::PHILIPPINES);
    goes_home != rings_at_home
}
