//! Card numbers, wherever a client may have put one: found, and never shown.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use uuid::Uuid;

use super::digits::decimal_digit;

/// Fewest and most digits of a card number.
const DIGITS: std::ops::RangeInclusive<usize> = 13..=19;
/// Most characters between two groups of digits.
const GAP_MAX: usize = 3;
/// A date with its time has as many digits as some cards.
const DATE_AND_TIME: [usize; 6] = [4, 2, 2, 2, 2, 2];

/// Whether `text` holds 13 to 19 decimal digits of any script that pass the Luhn check, with up to
/// three characters between two of them that are neither letter nor digit.
///
/// UUIDs are left alone: one random one in a few hundred would otherwise be refused.
pub fn card_number_in(text: &str) -> bool {
    if !may_hold_card(text) || is_uuid(text) {
        return false;
    }
    let mut run = Run::default();
    for c in text.chars() {
        if let Some(digit) = decimal_digit(c) {
            run.digit(digit);
        } else if !c.is_alphanumeric() && run.gap < GAP_MAX {
            run.gap = run.gap.saturating_add(1);
        } else {
            if run.holds_card() {
                return true;
            }
            run = Run::default();
        }
    }
    run.holds_card()
}

/// The text, with a star for each digit when it holds a card number.
pub(crate) fn masked(text: &str) -> Cow<'_, str> {
    if !card_number_in(text) {
        return Cow::Borrowed(text);
    }
    text.chars().map(|c| if decimal_digit(c).is_some() { '*' } else { c }).collect()
}

/// The same for a path, whose parts may be ids and whose characters may be encoded: those are
/// digits for all that is known.
pub(crate) fn masked_path(path: &str) -> Cow<'_, str> {
    if !may_hold_card(path) {
        return Cow::Borrowed(path);
    }
    let decoded = percent_decode_str(path).decode_utf8_lossy();
    let parts: Vec<&str> =
        decoded.split('/').map(|part| if is_uuid(part) { "id" } else { part }).collect();
    if !card_number_in(&parts.join("/")) {
        return Cow::Borrowed(path);
    }
    let mut encoded = 0_u8;
    path.chars()
        .map(|c| {
            let hidden = 0 < encoded || decimal_digit(c).is_some();
            encoded = if c == '%' { 2 } else { encoded.saturating_sub(1) };
            if hidden { '*' } else { c }
        })
        .collect()
}

/// Cheap, and right when it says no.
fn may_hold_card(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    *DIGITS.start() <= digits || !text.is_ascii() || text.contains('%')
}

fn is_uuid(text: &str) -> bool {
    Uuid::try_parse(text).is_ok()
}

/// Digits in groups, with a gap between two groups.
#[derive(Default)]
struct Run {
    digits: Vec<u8>,
    /// Where each group starts.
    groups: Vec<usize>,
    /// Characters since the last digit.
    gap: usize,
}

impl Run {
    fn digit(&mut self, digit: u8) {
        if 0 < self.gap || self.groups.is_empty() {
            self.groups.push(self.digits.len());
        }
        self.gap = 0;
        self.digits.push(digit);
    }

    /// Whether some groups side by side are a card number; parts of a group never are, because
    /// a longer number is an id of another kind.
    fn holds_card(&self) -> bool {
        let ends = || self.groups.iter().skip(1).copied().chain([self.digits.len()]);
        if ends().zip(&self.groups).map(|(end, start)| end.saturating_sub(*start)).eq(DATE_AND_TIME)
        {
            return false;
        }
        self.groups.iter().enumerate().any(|(first, start)| {
            ends()
                .skip(first)
                .map(|end| self.digits.get(*start..end).unwrap_or_default())
                .take_while(|digits| digits.len() <= *DIGITS.end())
                .any(|digits| DIGITS.contains(&digits.len()) && passes_luhn(digits))
        })
    }
}

fn passes_luhn(digits: &[u8]) -> bool {
    let doubled = |(index, digit): (usize, &u8)| {
        let digit = u32::from(*digit);
        if index % 2 == 0 { digit } else { digit * 2 / 10 + digit * 2 % 10 }
    };
    let sum: u32 = digits.iter().rev().enumerate().map(doubled).sum();
    sum.is_multiple_of(10) && digits.iter().any(|digit| *digit != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn card_numbers_are_found_however_they_are_written() {
        for text in [
            "4242424242424242",
            "4242 4242 4242 4242",
            "4242-4242-4242-4242",
            "378282246310005",
            "my card is 5555 5555 5555 4444, thanks",
            "card4111111111111111",
            "tok_4111111111111111",
            "6011000990139424 12/30",
            "4242.4242.4242.4242",
            "4242/4242/4242/4242",
            "4242_4242:4242,4242",
            "4242\u{2013}4242\u{2014}4242\u{2212}4242",
            "4242\u{a0}4242\u{2009}4242\u{3000}4242",
            "4242 - 4242 - 4242 - 4242",
            "4 2 4 2 4 2 4 2 4 2 4 2 4 2 4 2",
            "4242424242424242a",
            "dead4111111111111111",
            "c0ffee-4242-4242-4242-4242",
            "４２４２４２４２４２４２４２４２",
            "٤٢٤٢-4242-४२४२-𝟒𝟐𝟒𝟐",
        ] {
            assert!(card_number_in(text), "{text}");
            assert!(!masked(text).contains("42") && !masked(text).contains("11"), "{text}");
        }
    }

    #[test]
    fn other_numbers_are_left_alone() {
        for text in [
            "",
            "customer-17",
            "4242424242424241",
            "123456789012",
            "0000000000000000",
            "42424242424242424242",
            "12345678-1234-8234-9234-123456789012",
            "8414a12381239123456789012bcdef01",
            "9d5ed678fe57bcca610140957afab571",
            "0cc175b9c0f1b6a831c399e269772661da39a3ee",
            "tok_ok",
            // Its digits pass the Luhn check.
            "2026-11-25 18:48:43",
        ] {
            assert!(!card_number_in(text), "{text}");
            assert_eq!(masked(text), text);
        }
    }

    #[test]
    fn a_path_is_masked_for_what_it_says_and_not_for_its_ids() {
        for (path, shown) in [
            ("/v1/products/4242424242424242", "/v*/products/****************"),
            ("/v1/products/4242%204242%204242%204242", "/v*/products/****%******%******%******"),
            (
                "/v1/products/%EF%BC%94%D9%A2%E0%A5%AA2424242424242",
                "/v*/products/%**%**%**%**%**%**%**%***************",
            ),
            ("/cart/4242/4242/4242/4242", "/cart/****/****/****/****"),
            (
                "/v1/orders/12345678-1234-8234-9234-123456789012/items/17",
                "/v1/orders/12345678-1234-8234-9234-123456789012/items/17",
            ),
            ("/v1/products/mug", "/v1/products/mug"),
        ] {
            assert_eq!(masked_path(path), shown);
        }
    }
}
