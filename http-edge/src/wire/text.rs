//! What any text of a client must keep to: a length, and no card numbers.

use engine::validation::Finding;
use engine::values::{CustomerId, IdError, ProductId};

use super::card_number_in;
use crate::problem::{FieldError, Problem};

/// Collects what is wrong with the texts of one request.
#[derive(Debug, Default)]
pub struct Texts {
    errors: Vec<FieldError>,
}

impl Texts {
    /// Judges one text: not longer than `max` bytes, no control characters, no card number.
    pub fn judge(&mut self, field: impl FnOnce() -> String, text: &str, max: usize) {
        if card_number_in(text) {
            self.refuse_card(field());
        } else if max < text.len() {
            self.errors.push(FieldError::new(
                field(),
                "too_long",
                format!("{} bytes, at most {max} allowed", text.len()),
                "Shorten the text.",
            ));
        } else if text.chars().any(is_deceptive) {
            let message = "control characters are not allowed, seen or unseen";
            self.errors.push(FieldError::new(
                field(),
                "invalid_value",
                message,
                "Remove line breaks and other control characters.",
            ));
        }
    }

    /// Judges why somebody does something by hand: a text as above, and not empty.
    pub fn reason(&mut self, text: &str, max: usize) {
        self.judge(|| "reason".to_owned(), text, max);
        if text.trim().is_empty() {
            let message = "the reason is empty";
            self.push(FieldError::new("reason", "invalid_value", message, "Say why."));
        }
    }

    /// Judges a text whose form the rules of the shop know: only a card number is looked for.
    pub fn no_card(&mut self, field: impl FnOnce() -> String, text: &str) {
        if card_number_in(text) {
            self.refuse_card(field());
        }
    }

    /// Judges a customer's name for itself.
    pub fn customer(&mut self, text: &str) -> Option<CustomerId> {
        let hint = "Send your own name for the customer: 1 to 128 bytes, no spaces and slashes.";
        if card_number_in(text) {
            self.refuse_card("customer_id".to_owned());
            return None;
        }
        self.id("customer_id", text, CustomerId::parse(text), hint)
    }

    /// Judges an id that is given to a new product.
    pub fn new_product(&mut self, text: &str) -> Option<ProductId> {
        let hint = "Choose an id of 1 to 64 bytes without spaces and slashes.";
        self.id("id", text, ProductId::parse(text), hint)
    }

    fn id<T>(
        &mut self,
        field: &'static str,
        text: &str,
        parsed: Result<T, IdError>,
        hint: &'static str,
    ) -> Option<T> {
        let is_plain = |c: char| !is_deceptive(c) && !matches!(c, '\u{200c}' | '\u{200d}');
        let message = match parsed {
            Ok(id) if text.chars().all(is_plain) => return Some(id),
            Ok(_) => "control characters are not allowed, seen or unseen".to_owned(),
            Err(error) => error.to_string(),
        };
        self.push(FieldError::new(field, "invalid_value", message, hint));
        None
    }

    /// Whether nothing was found.
    ///
    /// # Errors
    ///
    /// `validation_failed` with everything that was.
    pub fn finish(self) -> Result<(), Problem> {
        if self.errors.is_empty() { Ok(()) } else { Err(Problem::invalid(self.errors)) }
    }

    /// Notes a text that holds a card number.
    pub fn refuse_card(&mut self, field: String) {
        self.errors.push(FieldError::new(
            field,
            "card_number_refused",
            "the text holds what looks like a card number",
            "Send a token of the payment provider; card numbers are never taken.",
        ));
    }

    /// Notes what the rules of the shop have found.
    pub fn found(&mut self, findings: Vec<Finding>) {
        self.errors.extend(findings.into_iter().map(FieldError::from));
    }

    /// Whether nothing was found so far.
    pub const fn is_clean(&self) -> bool {
        self.errors.is_empty()
    }

    /// Notes something else.
    pub fn push(&mut self, error: FieldError) {
        self.errors.push(error);
    }
}

/// Whether a character changes how others are shown, or is not shown itself: such a text looks
/// different from what it is, in a log above all. Joiners that scripts need are not among them.
fn is_deceptive(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}')
        || matches!(c, '\u{2060}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_that_look_like_others_are_refused() {
        let refused = |text: &str| {
            let mut texts = Texts::default();
            texts.judge(|| "name".to_owned(), text, 20);
            texts.errors.first().map(|error| error.code)
        };
        for text in ["a\nb", "a\u{202e}b", "a\u{200b}", "\u{feff}a", "a\u{2066}b"] {
            assert_eq!(refused(text), Some("invalid_value"), "{text:?}");
        }
        assert_eq!(refused("ناصر\u{200c}"), None);
        assert_eq!(refused("a text that is too long"), Some("too_long"));
    }
}
