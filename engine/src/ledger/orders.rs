//! What must hold for the history of one order (R3, R4, R5, R12, R13).

use super::closing::{Closing, OpenCapture};
use super::violation::{Found, broken, holds};
use crate::order::{Amounts, OrderEvent, OrderStatus, Placement};
use crate::values::{Money, OrderId, ProductId, Quantity};

/// Where the units are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Units {
    Held,
    Sold,
    Returned,
}

/// One order, once it was placed.
#[derive(Debug, Default)]
pub(super) struct OrderBook(Option<Placed>);

#[derive(Debug)]
struct Placed {
    order: OrderId,
    fingerprint: crate::values::Fingerprint,
    total: Money,
    /// Emptied once the units went back.
    lines: Vec<(ProductId, Quantity)>,
    status: OrderStatus,
    units: Units,
    captured: bool,
    refunded: i64,
}

impl OrderBook {
    pub(super) fn enter(&mut self, key: &str, event: &OrderEvent) -> Result<(), Found> {
        match (&mut self.0, event) {
            (None, OrderEvent::Placed(placement)) => {
                let order = placement.order;
                holds("R3", key == order.to_string(), || format!("order {order} was placed here"))?;
                amounts_add_up(placement)?;
                self.0 = Some(Placed::new(placement));
                Ok(())
            }
            (Some(placed), OrderEvent::Placed(again)) => {
                let differs =
                    if placed.fingerprint == again.fingerprint { "" } else { "different " };
                broken("R3", format!("the order was placed again by a {differs}request"))
            }
            (None, _) => broken("R3", "something happened before the order was placed".to_owned()),
            (Some(placed), event) => placed.enter(event),
        }
    }

    pub(super) fn close(&self, closing: &mut Closing) {
        let Some(placed) = &self.0 else { return };
        closing.orders = closing.orders.saturating_add(1);
        if placed.captured {
            let takings = closing.takings.entry(placed.total.currency()).or_default();
            let captured = i128::from(placed.total.minor());
            takings.captured = takings.captured.saturating_add(captured);
            takings.refunded = takings.refunded.saturating_add(i128::from(placed.refunded));
            let kept = placed.total.minor().saturating_sub(placed.refunded);
            let fulfilled = placed.units == Units::Sold && placed.status != OrderStatus::Cancelled;
            if !fulfilled && kept != 0 {
                let amount = Money::new(kept, placed.total.currency());
                closing.open_captures.push(OpenCapture { order: placed.order, amount });
            }
        }
        if placed.units == Units::Sold {
            for (product, quantity) in &placed.lines {
                let units = closing.units.entry(product.clone()).or_default();
                units.ordered = units.ordered.saturating_add(u64::from(quantity.units()));
            }
        }
    }
}

impl Placed {
    fn new(placement: &Placement) -> Self {
        let lines = placement.lines.iter().map(|line| (line.product.clone(), line.quantity));
        Self {
            order: placement.order,
            fingerprint: placement.fingerprint,
            total: placement.amounts.total,
            lines: lines.collect(),
            status: OrderStatus::Pending,
            units: Units::Held,
            captured: false,
            refunded: 0,
        }
    }

    fn enter(&mut self, event: &OrderEvent) -> Result<(), Found> {
        match event {
            // Stands for the compiler; a second placement was judged before.
            OrderEvent::Placed(_) => Ok(()),
            OrderEvent::PaymentQueued { .. } => {
                holds("R12", self.status == OrderStatus::Pending && !self.captured, || {
                    "a payment was queued that nobody waits for".to_owned()
                })
            }
            OrderEvent::HoldsExtended { .. } | OrderEvent::HoldLapsed => {
                holds("R12", self.units == Units::Held, || {
                    "a hold changed after it had ended".to_owned()
                })
            }
            OrderEvent::PaymentCaptured { amount, .. } => self.capture(*amount),
            OrderEvent::PaymentDeclined { .. } | OrderEvent::PaymentAbandoned { .. } => {
                holds("R4", !self.captured, || "a captured payment was called failed".to_owned())?;
                self.step(OrderStatus::Cancelled)
            }
            OrderEvent::PaymentReconciled { .. } => {
                holds("R12", self.status == OrderStatus::Cancelled, || {
                    "a charge was given up on while the order lives".to_owned()
                })
            }
            OrderEvent::PaymentRefunded { amount } => self.refund(*amount),
            OrderEvent::RefundPostponed { .. } => {
                let owed = self.captured && self.refunded < self.total.minor();
                holds("R4", owed, || "a refund was put off that is not owed".to_owned())
            }
            OrderEvent::StockCommitted => {
                holds("R12", self.units == Units::Held, || "units were sold twice".to_owned())?;
                self.units = Units::Sold;
                Ok(())
            }
            OrderEvent::StockReturned => self.give_back(),
            OrderEvent::StatusChanged { status, .. } => self.step(*status),
            OrderEvent::Cancelled { .. } => self.step(OrderStatus::Cancelled),
        }
    }

    fn capture(&mut self, amount: Money) -> Result<(), Found> {
        holds("R4", !self.captured, || format!("{amount} were captured a second time"))?;
        holds("R5", amount == self.total, || {
            format!("{amount} were captured for a total of {}", self.total)
        })?;
        self.captured = true;
        Ok(())
    }

    fn refund(&mut self, amount: Money) -> Result<(), Found> {
        holds("R5", amount.currency() == self.total.currency() && 0 <= amount.minor(), || {
            format!("a refund of {amount} for a total of {}", self.total)
        })?;
        let refunded = self.refunded.saturating_add(amount.minor());
        let captured = if self.captured { self.total.minor() } else { 0 };
        holds("R13", self.captured && refunded <= captured, || {
            format!("{refunded} minor units were refunded of {captured} captured")
        })?;
        self.refunded = refunded;
        Ok(())
    }

    fn give_back(&mut self) -> Result<(), Found> {
        holds("R12", self.status == OrderStatus::Cancelled, || {
            "units went back from an order that was not called off".to_owned()
        })?;
        holds("R13", self.units != Units::Returned, || "units went back twice".to_owned())?;
        self.units = Units::Returned;
        self.lines = Vec::new();
        Ok(())
    }

    /// R12: the published edges, and no goods leave before they are sold.
    fn step(&mut self, to: OrderStatus) -> Result<(), Found> {
        let from = self.status;
        let is_edge = match (from, to) {
            (OrderStatus::Pending, OrderStatus::Processing | OrderStatus::Cancelled)
            | (OrderStatus::Processing, OrderStatus::Shipped | OrderStatus::Cancelled)
            | (OrderStatus::Shipped, OrderStatus::Delivered) => true,
            (
                OrderStatus::Pending
                | OrderStatus::Processing
                | OrderStatus::Shipped
                | OrderStatus::Delivered
                | OrderStatus::Cancelled,
                OrderStatus::Pending
                | OrderStatus::Processing
                | OrderStatus::Shipped
                | OrderStatus::Delivered
                | OrderStatus::Cancelled,
            ) => false,
        };
        holds("R12", is_edge, || {
            format!("the order went from {} to {}", from.as_str(), to.as_str())
        })?;
        holds("R12", to != OrderStatus::Shipped || self.units == Units::Sold, || {
            "the order was shipped before its units were sold".to_owned()
        })?;
        self.status = to;
        Ok(())
    }
}

/// R5, in one currency: the lines make the subtotal, and the parts make the total.
fn amounts_add_up(placement: &Placement) -> Result<(), Found> {
    let Amounts { subtotal, discount, shipping, duties, tax, total } = placement.amounts;
    let parts = [subtotal, discount, shipping, duties, tax, total];
    holds("R5", parts.iter().all(|part| part.currency() == total.currency()), || {
        "the amounts are in different currencies".to_owned()
    })?;
    holds("R5", parts.iter().all(|part| 0 <= part.minor()), || {
        "an amount is below zero".to_owned()
    })?;
    let mut lines = 0_i128;
    for line in &placement.lines {
        let price = line.unit_price;
        holds("R5", price.currency() == total.currency() && 0 <= price.minor(), || {
            format!("a unit of {} costs {price} in an order of {total}", line.product)
        })?;
        holds("R5", Quantity::ZERO < line.quantity, || {
            format!("the line of {} has no units", line.product)
        })?;
        let amount = i128::from(price.minor()).saturating_mul(i128::from(line.quantity.units()));
        lines = lines.saturating_add(amount);
    }
    holds("R5", lines == i128::from(subtotal.minor()), || {
        format!("the lines make {lines} minor units, the subtotal says {subtotal}")
    })?;
    let made = [shipping, duties, tax]
        .iter()
        .fold(lines.saturating_sub(i128::from(discount.minor())), |sum, part| {
            sum.saturating_add(i128::from(part.minor()))
        });
    holds("R5", made == i128::from(total.minor()), || {
        format!("the parts make {made} minor units, the total says {total}")
    })
}
