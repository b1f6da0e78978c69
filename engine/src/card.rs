//! A card as the sandbox's tokeniser judges it: number, expiry, code. Nothing of it is kept.
//!
//! Only numbers that are published for tests have a token; the number of a real card is refused,
//! because a sandbox is no place for it.

use crate::values::PaymentToken;

/// Digits of a card number.
const DIGITS: std::ops::RangeInclusive<usize> = 13..=19;
/// Years that can be printed on a card.
const YEARS: std::ops::RangeInclusive<i64> = 2_000..=2_099;

/// Numbers for tests, and the token of the sandbox that each stands for.
const TEST_NUMBERS: &[(&str, Brand, &str)] = &[
    ("4242424242424242", Brand::Visa, "tok_ok"),
    ("5555555555554444", Brand::Mastercard, "tok_ok"),
    ("378282246310005", Brand::Amex, "tok_ok"),
    ("4000000000000002", Brand::Visa, "tok_declined"),
    ("4000000000000101", Brand::Visa, "tok_timeout"),
    ("4000000000000119", Brand::Visa, "tok_error"),
    ("4000000000000127", Brand::Visa, "tok_late_success"),
    ("4000000000000135", Brand::Visa, "tok_duplicate_callback"),
];

/// Who issued a card's kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Brand {
    /// Visa.
    Visa,
    /// Mastercard.
    Mastercard,
    /// American Express, whose code has four digits.
    Amex,
}

impl Brand {
    /// The word that the outside reads.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Visa => "visa",
            Self::Mastercard => "mastercard",
            Self::Amex => "amex",
        }
    }

    const fn code_digits(self) -> usize {
        match self {
            Self::Visa | Self::Mastercard => 3,
            Self::Amex => 4,
        }
    }
}

/// What somebody typed from a card. It has no `Debug`, so that it reaches no log.
#[derive(Clone, Copy)]
pub struct Card<'a> {
    /// Its number; blanks and dashes between digits do not matter.
    pub number: &'a str,
    /// The month in which it ends, from 1.
    pub exp_month: i64,
    /// The year in which it ends, in full.
    pub exp_year: i64,
    /// The code beside the number.
    pub cvc: &'a str,
}

/// What is wrong with a card. Faults never repeat anything of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CardFault {
    /// Too few or too many digits, something else than digits, or a wrong check digit.
    Number,
    /// It may be a real one.
    NotForTests,
    /// No month and year that can be printed on a card.
    Expiry,
    /// It has ended.
    Expired,
    /// Not as many digits as the code of its kind has.
    Code,
}

/// The token of a card, for the month `(year, month)` in which it is asked for.
///
/// # Errors
///
/// Everything that is wrong with it.
pub fn token(card: Card<'_>, now: (i64, i64)) -> Result<(PaymentToken, Brand), Vec<CardFault>> {
    let mut faults = Vec::new();
    let digits = digits(card.number);
    let is_number = digits.as_deref().is_some_and(is_card_number);
    let known = TEST_NUMBERS.iter().find(|(number, ..)| digits.as_deref() == Some(number));
    match known {
        Some(_) => {}
        None if is_number => faults.push(CardFault::NotForTests),
        None => faults.push(CardFault::Number),
    }
    if !(1..=12).contains(&card.exp_month) || !YEARS.contains(&card.exp_year) {
        faults.push(CardFault::Expiry);
    } else if (card.exp_year, card.exp_month) < now {
        faults.push(CardFault::Expired);
    }
    let wanted = known.map_or(3..=4, |(_, brand, _)| brand.code_digits()..=brand.code_digits());
    if !wanted.contains(&card.cvc.len()) || !card.cvc.bytes().all(|b| b.is_ascii_digit()) {
        faults.push(CardFault::Code);
    }
    match known {
        Some((_, brand, token)) if faults.is_empty() => Ok((PaymentToken::new(token), *brand)),
        Some(_) | None => Err(faults),
    }
}

/// The digits alone, unless there is something else than digits, blanks and dashes.
fn digits(text: &str) -> Option<String> {
    let is_known = text.chars().all(|c| c.is_ascii_digit() || matches!(c, ' ' | '-'));
    is_known.then(|| text.chars().filter(char::is_ascii_digit).collect())
}

/// Whether so many digits pass the check of Luhn.
fn is_card_number(digits: &str) -> bool {
    let values = digits.bytes().rev().filter(u8::is_ascii_digit);
    let sum: u32 = values
        .enumerate()
        .map(|(place, digit)| {
            let value = u32::from(digit.saturating_sub(b'0'));
            let doubled = value.saturating_mul(2);
            match place % 2 {
                0 => value,
                _ if 9 < doubled => doubled.saturating_sub(9),
                _ => doubled,
            }
        })
        .sum();
    DIGITS.contains(&digits.len()) && sum.is_multiple_of(10) && sum != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: (i64, i64) = (2_026, 11);

    fn card(number: &str) -> Card<'_> {
        Card { number, exp_month: 12, exp_year: 2_030, cvc: "123" }
    }

    fn token_of(card: Card<'_>) -> Result<String, Vec<CardFault>> {
        token(card, NOW).map(|(token, _)| token.expose().to_owned())
    }

    #[test]
    fn every_number_for_tests_passes_the_check_and_has_its_token_pay_2() {
        for (number, brand, token) in TEST_NUMBERS {
            assert!(is_card_number(number), "{token}");
            let cvc = "1234".get(..brand.code_digits()).unwrap();
            assert_eq!(token_of(Card { cvc, ..card(number) }).as_deref(), Ok(*token));
        }
        assert_eq!(token_of(card("4242 4242-4242 4242")).as_deref(), Ok("tok_ok"));
    }

    #[test]
    fn a_number_that_cannot_be_one_is_refused_pay_2() {
        for bad in [
            "",
            "4242",
            "4242424242424241",
            "42424242424242424242",
            "0000000000000000",
            "4242x4242x4242x4242",
            "４２４２４２４２４２４２４２４２",
        ] {
            assert_eq!(token_of(card(bad)), Err(vec![CardFault::Number]), "{bad}");
        }
    }

    #[test]
    fn the_number_of_a_real_card_is_refused_pay_2() {
        assert_eq!(token_of(card("6011000990139424")), Err(vec![CardFault::NotForTests]));
    }

    #[test]
    fn a_card_is_good_to_the_end_of_its_month_pay_2() {
        let ends = |exp_month, exp_year| {
            token_of(Card { exp_month, exp_year, ..card("4242424242424242") })
        };
        assert!(ends(11, 2_026).is_ok());
        assert_eq!(ends(10, 2_026), Err(vec![CardFault::Expired]));
        assert_eq!(ends(12, 2_025), Err(vec![CardFault::Expired]));
        for (month, year) in [(0, 2_030), (13, 2_030), (12, 30), (12, 2_100), (-1, i64::MAX)] {
            assert_eq!(ends(month, year), Err(vec![CardFault::Expiry]), "{month}/{year}");
        }
    }

    #[test]
    fn a_code_has_as_many_digits_as_its_kind_says_pay_2() {
        let has = |number, cvc| token_of(Card { cvc, ..card(number) });
        for (number, bad) in [("4242424242424242", "1234"), ("378282246310005", "123")] {
            assert_eq!(has(number, bad), Err(vec![CardFault::Code]));
        }
        for bad in ["", "12", "12a", "12345"] {
            assert_eq!(has("4242424242424242", bad), Err(vec![CardFault::Code]), "{bad}");
        }
    }

    #[test]
    fn all_faults_are_told_at_once() {
        let card = Card { number: "1", exp_month: 1, exp_year: 2_020, cvc: "x" };
        let faults = vec![CardFault::Number, CardFault::Expired, CardFault::Code];
        assert_eq!(token_of(card), Err(faults));
    }
}
