//! Decimal amounts of older interfaces, to and from whole smallest units, digit by digit.

use engine::values::{Currency, Money};
use serde_json::Value;
use serde_json::value::RawValue;

/// Digits behind the point of a currency; 2 where the list does not say.
fn exponent(currency: Currency) -> usize {
    currency.exponent().map_or(2, usize::from)
}

/// Reads a JSON number such as `999.99`; `None` when it is no number, or finer than the currency.
pub(crate) fn amount(text: &RawValue, currency: Currency) -> Option<Money> {
    let text = text.get();
    let (negative, text) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if !is_digits(whole) || !is_digits(fraction) {
        return None;
    }
    let digits = exponent(currency);
    let fraction = fraction.trim_end_matches('0');
    if digits < fraction.len() {
        return None;
    }
    let minor: i64 = format!("{whole}{fraction:0<digits$}").parse().ok()?;
    Some(Money::new(if negative { minor.checked_neg()? } else { minor }, currency))
}

/// Writes JSON in which every `{"minor", "currency"}` has become a decimal number.
pub(crate) fn with_decimals(value: &Value) -> String {
    let mut text = String::new();
    write(value, &mut text);
    text
}

fn write(value: &Value, text: &mut String) {
    match value {
        Value::Object(fields) => {
            if let Some(decimal) = decimal(value) {
                return text.push_str(&decimal);
            }
            let mut separator = '{';
            for (name, value) in fields {
                text.push(separator);
                text.push_str(&Value::from(name.as_str()).to_string());
                text.push(':');
                write(value, text);
                separator = ',';
            }
            text.push_str(if fields.is_empty() { "{}" } else { "}" });
        }
        Value::Array(items) => {
            let mut separator = '[';
            for item in items {
                text.push(separator);
                write(item, text);
                separator = ',';
            }
            text.push_str(if items.is_empty() { "[]" } else { "]" });
        }
        plain => text.push_str(&plain.to_string()),
    }
}

fn decimal(value: &Value) -> Option<String> {
    let fields = value.as_object().filter(|fields| fields.len() == 2)?;
    let minor = fields.get("minor")?.as_i64()?;
    let digits = exponent(Currency::from_code(fields.get("currency")?.as_str()?)?);
    let sign = if minor < 0 { "-" } else { "" };
    let padded = format!("{:0>width$}", minor.unsigned_abs(), width = digits.saturating_add(1));
    let (whole, fraction) = padded.split_at_checked(padded.len().checked_sub(digits)?)?;
    let point = if digits == 0 { "" } else { "." };
    Some(format!("{sign}{whole}{point}{fraction}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(text: &str, currency: Currency) -> Option<i64> {
        let raw: Box<RawValue> = serde_json::from_str(text).unwrap();
        amount(&raw, currency).map(Money::minor)
    }

    #[test]
    fn decimals_are_read_exactly() {
        assert_eq!(read("999.99", Currency::USD), Some(99_999));
        assert_eq!(read("25.5", Currency::USD), Some(2_550));
        assert_eq!(read("25", Currency::USD), Some(2_500));
        assert_eq!(read("0.10", Currency::USD), Some(10));
        assert_eq!(read("1.100", Currency::USD), Some(110));
        assert_eq!(read("-0.01", Currency::USD), Some(-1));
        assert_eq!(read("500", Currency::JPY), Some(500));
        assert_eq!(read("92233720368547758.07", Currency::USD), Some(i64::MAX));
    }

    #[test]
    fn what_is_not_such_an_amount_is_refused() {
        for text in ["0.001", "1e2", "\"1\"", "null", "92233720368547758.08", "true"] {
            assert_eq!(read(text, Currency::USD), None, "{text}");
        }
        assert_eq!(read("0.5", Currency::JPY), None);
    }

    #[test]
    fn amounts_are_written_as_they_are_said() {
        let money = |minor: i64, currency: &str| json!({"minor": minor, "currency": currency});
        let value = json!({"total": money(105_099, "USD"), "none": [], "rest": {},
                           "items": [money(5, "USD"), money(-5, "USD"), money(500, "JPY")]});
        let text = r#"{"items":[0.05,-0.05,500],"none":[],"rest":{},"total":1050.99}"#;
        assert_eq!(with_decimals(&value), text);
    }
}
