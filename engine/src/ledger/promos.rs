//! What must hold for the history of a promo code. Its uses are counted as any stock's are.

use super::violation::{Found, holds};
use crate::promo::PromoEvent;

/// One promo code.
#[derive(Debug, Default)]
pub(super) struct PromoBook {
    is_made: bool,
    is_ended: bool,
}

impl PromoBook {
    pub(super) fn enter(&mut self, key: &str, event: &PromoEvent) -> Result<(), Found> {
        match event {
            PromoEvent::Created(made) => {
                holds("R12", !self.is_made, || "a promo code was made twice".to_owned())?;
                let code = made.code.as_str();
                holds("R12", code == key, || format!("the promo code {code} was made here"))?;
                self.is_made = true;
            }
            PromoEvent::Ended => {
                holds("R12", self.is_made && !self.is_ended, || {
                    "a promo code ended that was not open".to_owned()
                })?;
                self.is_ended = true;
            }
        }
        Ok(())
    }
}
