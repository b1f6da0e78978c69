//! Phone numbers: how they are written, and what is kept of them.
//!
//! The form is ITU-T E.164. Where a region is set, its local form is read as well, and numbers of
//! the Philippines must have as many digits as those have. Numbering plans of other countries are
//! not known here: they change, and a number in the form of E.164 can be tried.

use super::policy::Region;

/// Digits after the plus, with the country code.
const DIGITS: std::ops::RangeInclusive<usize> = 8..=15;
/// The country code of the Philippines.
pub(super) const PHILIPPINES: &str = "63";

/// The number in E.164 form; `None` where it is none.
pub fn e164(text: &str, region: Region) -> Option<String> {
    let (international, rest) = match text.trim().strip_prefix('+') {
        Some(rest) => (true, rest),
        None => (false, text.trim()),
    };
    let digits = digits(rest)?;
    let digits = match (international, region) {
        (true, _) => digits,
        (false, Region::Philippines) => format!("{PHILIPPINES}{}", digits.strip_prefix('0')?),
        (false, Region::Generic) => return None,
    };
    let is_counted = DIGITS.contains(&digits.len()) && !digits.starts_with('0');
    let fits_its_country = digits.strip_prefix(PHILIPPINES).is_none_or(is_philippine);
    (is_counted && fits_its_country).then(|| format!("+{digits}"))
}

/// The digits alone. People group them; letters mean that it is something else.
fn digits(text: &str) -> Option<String> {
    let is_gap = |c: char| matches!(c, ' ' | '-' | '.' | '(' | ')' | '\u{a0}');
    let known = text.chars().all(|c| c.is_ascii_digit() || is_gap(c));
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    (known && !digits.is_empty()).then_some(digits)
}

/// A mobile number has ten digits and begins with 9; one of a house has an area code and seven or
/// eight digits, eight to ten in all.
fn is_philippine(national: &str) -> bool {
    match national.as_bytes() {
        [b'9', ..] => national.len() == 10,
        [b'2'..=b'8', ..] => (8..=10).contains(&national.len()),
        _ => false,
    }
}
