//! What must hold for the history of one buyer.

use super::violation::{Found, holds};
use crate::buyer::BuyerEvent;

/// A buyer: whether trust was given.
#[derive(Debug, Default)]
pub(super) struct BuyerBook {
    is_trusted: bool,
}

impl BuyerBook {
    pub(super) fn enter(&mut self, event: &BuyerEvent) -> Result<(), Found> {
        let gives = match event {
            BuyerEvent::Trusted(_) => true,
            BuyerEvent::Distrusted { .. } => false,
            BuyerEvent::Ordered { .. } => return Ok(()),
        };
        holds("R12", gives != self.is_trusted, || "trust was given or taken twice".to_owned())?;
        self.is_trusted = gives;
        Ok(())
    }
}
