//! HTTP to others.

mod mailer;
mod payment_provider;
mod targets;
mod webhook_sender;

pub use mailer::{FileMailer, MailTls, SmtpConfig, SmtpMailer};
pub use payment_provider::HttpProvider;
pub use targets::Targets;
pub use webhook_sender::HttpWebhookSender;
pub(crate) use webhook_sender::mint_secret;
