//! HTTP to others.

mod payment_provider;

pub use payment_provider::HttpProvider;
