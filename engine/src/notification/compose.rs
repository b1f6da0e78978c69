//! The words of messages: plain text, in which nothing of a customer can be more than text.

use std::fmt::Write as _;

use super::template::{Template, about};
use crate::order::{OrderEvent, Placement};
use crate::values::Money;

/// Longest word of somebody else's that is repeated in a message, in characters.
const WORD_MAX: usize = 128;

/// Most lines of an order that are listed; the rest is counted.
const LINES_MAX: usize = 20;

/// A message without its address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// One line.
    pub subject: String,
    /// Plain text.
    pub text: String,
}

/// The message that an event of an order gives, if any.
pub fn compose(placement: &Placement, event: &OrderEvent) -> Option<Letter> {
    let order = placement.order;
    let (subject, says) = match about(event)? {
        Template::OrderPlaced => (
            format!("We have your order {order}"),
            format!("Thank you. We have received your order.\n\n{}", goods(placement)),
        ),
        Template::PaymentQueued => (
            format!("Your order {order} waits for its payment"),
            "The payment could not be taken yet. Your goods stay reserved, and we try again by \
             ourselves; you need not do anything."
                .to_owned(),
        ),
        Template::OrderPaid => (
            format!("Your order {order} is paid"),
            format!("We have received {}.", moved(event).map(in_words).unwrap_or_default()),
        ),
        Template::PaymentDeclined => (
            format!("The payment of your order {order} was declined"),
            "The payment was declined, so the order is cancelled. Nothing was charged. You may \
             order again with another means of payment."
                .to_owned(),
        ),
        Template::PaymentFailed => (
            format!("Your order {order} could not be paid"),
            "The payment could not be taken in time, so the order is cancelled. If money was taken \
             after all, it goes back by itself."
                .to_owned(),
        ),
        Template::OrderShipped => {
            (format!("Your order {order} is on its way"), goods(placement))
        }
        Template::OrderDelivered => (
            format!("Your order {order} was delivered"),
            "Your order was delivered. Thank you.".to_owned(),
        ),
        Template::OrderCancelled => (
            format!("Your order {order} is cancelled"),
            "Your order is cancelled. Money that was taken for it goes back by itself.".to_owned(),
        ),
        Template::Refunded => (
            format!("Money of your order {order} was returned"),
            format!("We have returned {}.", moved(event).map(in_words).unwrap_or_default()),
        ),
    };
    let customer = plain(placement.customer.as_str());
    let text = format!("Hello {customer},\n\n{says}\n\nYour order: {order}\n");
    Some(Letter { subject, text })
}

fn goods(placement: &Placement) -> String {
    let mut list = String::new();
    for line in placement.lines.iter().take(LINES_MAX) {
        let (units, product) = (line.quantity.units(), plain(line.product.as_str()));
        // Writing to a string cannot fail.
        let _ = writeln!(list, "{units} x {product}, {} each", in_words(line.unit_price));
    }
    if let Some(more) = placement.lines.len().checked_sub(LINES_MAX).filter(|more| 0 < *more) {
        let _ = writeln!(list, "and {more} more");
    }
    let _ = write!(list, "Total: {}", in_words(placement.amounts.total));
    list
}

const fn moved(event: &OrderEvent) -> Option<Money> {
    match event {
        OrderEvent::PaymentCaptured { amount, .. }
        | OrderEvent::PaymentTaken { amount, .. }
        | OrderEvent::PaymentRefunded { amount }
        | OrderEvent::PaymentHandedBack { amount, .. }
        | OrderEvent::PartRefunded { amount, .. } => Some(*amount),
        OrderEvent::Placed(_)
        | OrderEvent::PaymentQueued { .. }
        | OrderEvent::HoldsExtended { .. }
        | OrderEvent::HoldLapsed
        | OrderEvent::PaymentDeclined { .. }
        | OrderEvent::PaymentAbandoned { .. }
        | OrderEvent::PaymentReconciled { .. }
        | OrderEvent::RefundPostponed { .. }
        | OrderEvent::StockCommitted
        | OrderEvent::StockReturned
        | OrderEvent::StatusChanged { .. }
        | OrderEvent::ReviewNoted { .. }
        | OrderEvent::ReviewApproved { .. }
        | OrderEvent::ReturnSetApart { .. }
        | OrderEvent::ReturnNarrowed { .. }
        | OrderEvent::PartRefundAsked { .. }
        | OrderEvent::PartRefundFailed { .. }
        | OrderEvent::Cancelled { .. } => None,
    }
}

/// An amount as people write it: exact, with as many digits as its currency has.
fn in_words(amount: Money) -> String {
    let digits = usize::from(amount.currency().exponent().unwrap_or_default());
    let sign = if amount.minor() < 0 { "-" } else { "" };
    let minor =
        format!("{:0>width$}", amount.minor().unsigned_abs(), width = digits.saturating_add(1));
    let (whole, part) = minor.split_at(minor.len().saturating_sub(digits));
    let point = if digits == 0 { "" } else { "." };
    format!("{sign}{whole}{point}{part} {}", amount.currency().code())
}

/// A word of somebody else's: one line, not long, with nothing unseen in it.
fn plain(word: &str) -> String {
    let visible = word.chars().map(|c| if c.is_control() { ' ' } else { c });
    visible.take(WORD_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values::Currency;

    #[test]
    fn amounts_have_the_digits_of_their_currency() {
        let words = |minor, currency| in_words(Money::new(minor, currency));
        assert_eq!(words(199_998, Currency::USD), "1999.98 USD");
        assert_eq!(words(5, Currency::USD), "0.05 USD");
        assert_eq!(words(-150, Currency::EUR), "-1.50 EUR");
        assert_eq!(words(500, Currency::JPY), "500 JPY");
        assert_eq!(words(1_234, Currency::KWD), "1.234 KWD");
        assert_eq!(words(i64::MIN, Currency::USD), "-92233720368547758.08 USD");
    }

    #[test]
    fn a_word_of_somebody_elses_stays_one_line() {
        assert_eq!(plain("a\r\nBcc: b"), "a  Bcc: b");
        assert_eq!(plain(&"x".repeat(500)).len(), WORD_MAX);
    }
}
