//! Texts that people write: their shape, and nothing in them that a browser would act on.

use email_address::{EmailAddress, Options};

use super::finding::Finding;
use super::phone;
use super::policy::Region;
use super::table::Rule;
use crate::order::PlaceOrder;

/// Longest note.
pub const NOTE_CHARACTERS_MAX: usize = 500;
/// Longest channel.
const CHANNEL_MAX: usize = 32;
/// Where orders come from, as far as the shop knows.
const CHANNELS: &[&str] = &[
    "api",
    "web",
    "app",
    "mobile",
    "pos",
    "kiosk",
    "phone",
    "partner",
    "marketplace",
    "social",
    "compat",
];

pub(super) fn judge(place: &PlaceOrder, found: &mut Vec<Finding>) {
    promo_code(place, found);
    channel(place, found);
    contact(place, found);
    for (field, text) in free_texts(place) {
        if holds_markup(text) {
            found.push(Rule::MarkupRefused.found(field, "the text holds markup"));
        }
    }
}

fn promo_code(place: &PlaceOrder, found: &mut Vec<Finding>) {
    if place.promo.as_ref().is_some_and(|promo| promo.code.is_none()) {
        found.push(Rule::PromoCodeMalformed.found("promo_code", "not a promo code"));
    }
}

fn channel(place: &PlaceOrder, found: &mut Vec<Finding>) {
    if !is_word(&place.channel, CHANNEL_MAX, |b| matches!(b, b'-' | b'_' | b'.')) {
        found.push(Rule::ChannelMalformed.found("channel", "not a channel"));
    } else if !CHANNELS.contains(&place.channel.as_str()) {
        found.push(Rule::ChannelUnknown.found("channel", "the channel is not one that is known"));
    }
}

fn contact(place: &PlaceOrder, found: &mut Vec<Finding>) {
    let personal = &place.personal;
    if personal.email.as_deref().is_some_and(|text| !is_email(text)) {
        found.push(Rule::EmailMalformed.found("email", "not an e-mail address"));
    }
    let note = personal.note.as_deref().map_or(0, |note| note.chars().count());
    if NOTE_CHARACTERS_MAX < note {
        let message = format!("{note} characters, at most {NOTE_CHARACTERS_MAX} allowed");
        found.push(Rule::NoteTooLong.found("note", message));
    }
    let id = place.customer.as_str();
    let is_phone = id.starts_with('+') && phone::e164(id, Region::Generic).is_some();
    if is_phone || is_email(id) {
        let message = "the id of the customer looks like an address or a number of theirs";
        found.push(Rule::CustomerIdPersonal.found("customer_id", message));
    }
}

/// Letters, digits and what else is allowed; not empty.
fn is_word(text: &str, max: usize, also: impl Fn(u8) -> bool) -> bool {
    let fits = (1..=max).contains(&text.len());
    fits && text.bytes().all(|b| b.is_ascii_alphanumeric() || also(b))
}

/// One address without a name around it, at a host that has a domain.
fn is_email(text: &str) -> bool {
    let options =
        Options::default().without_display_text().without_domain_literal().with_required_tld();
    // Most ids have no such sign, and need not be parsed.
    text.contains('@') && EmailAddress::parse_with_options(text, options).is_ok()
}

fn free_texts(place: &PlaceOrder) -> impl Iterator<Item = (&'static str, &str)> {
    let note = place.personal.note.iter().map(|text| ("note", text));
    let address = place.personal.shipping_address.as_ref();
    let parts = address.into_iter().flat_map(|address| {
        let lines = address.lines.iter().map(|text| ("shipping_address.lines", text));
        let name = ("shipping_address.name", &address.name);
        let city = ("shipping_address.city", &address.city);
        [name].into_iter().chain(lines).chain([city])
    });
    note.chain(parts).map(|(field, text)| (field, text.as_str()))
}

/// What opens a tag, a comment or a declaration, or names a script. Nobody lives there, and pages
/// escape what they show; this keeps it from those who do not.
fn holds_markup(text: &str) -> bool {
    let opens = |pair: &[u8]| matches!(pair, [b'<', next] if next.is_ascii_alphabetic() || matches!(next, b'/' | b'!' | b'?'));
    let scripts = || {
        let text = text.to_ascii_lowercase();
        ["javascript:", "data:text/html", "vbscript:"].iter().any(|word| text.contains(word))
    };
    text.as_bytes().windows(2).any(opens) || (text.contains(':') && scripts())
}
