//! Where goods go; personal, so it travels in the part of an event that can be sealed.

use serde::{Deserialize, Serialize};

/// A postal address as the customer wrote it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PostalAddress {
    /// Who receives.
    pub name: String,
    /// Street and house, one line each.
    pub lines: Vec<String>,
    /// Town.
    pub city: String,
    /// Postal code, where the country has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub postal_code: Option<String>,
    /// ISO 3166 alpha-2 country.
    pub country: String,
    /// Phone in E.164 form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
}
