//! How messages reach customers, as the arguments describe it.

use std::path::Path;
use std::sync::Arc;

use actors::followers::notices::Mailer;
use lettre::message::Mailbox;

use super::Failure;
use crate::cli::MailArgs;
use crate::outbound::{FileMailer, MailTls, SmtpConfig, SmtpMailer};

/// The folder of the data folder in which messages become files.
const OUTBOX: &str = "outbox";

/// The server that was named, or the folder.
pub(super) fn mailer(args: &MailArgs, data_dir: &Path) -> Result<Arc<dyn Mailer>, Failure> {
    let from: Mailbox = args.mail_from.parse().map_err(|_| {
        Failure::Misused("MAIL_FROM is not an address: set it to shop@example.com or alike".into())
    })?;
    let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    let Some(server) = given(&args.mail_server) else {
        return Ok(Arc::new(FileMailer::new(data_dir.join(OUTBOX), from)));
    };
    let credentials = given(&args.mail_username).zip(given(&args.mail_password));
    if credentials.is_some() && args.mail_tls == MailTls::None {
        let words = "MAIL_PASSWORD would be sent in clear: set MAIL_TLS to starttls or tls.";
        return Err(Failure::Misused(words.to_owned()));
    }
    let config = SmtpConfig { server, port: args.mail_port, credentials, tls: args.mail_tls };
    Ok(Arc::new(SmtpMailer::new(&config, from)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args() -> MailArgs {
        MailArgs {
            mail_server: Some("127.0.0.1".to_owned()),
            mail_port: 587,
            mail_username: Some("shop".to_owned()),
            mail_password: Some("hunter2".to_owned()),
            mail_from: "Shop <shop@example.com>".to_owned(),
            mail_tls: MailTls::Starttls,
        }
    }

    #[test]
    fn a_password_does_not_leave_in_clear() {
        let folder = Path::new("data");
        assert!(mailer(&args(), folder).is_ok());
        let clear = MailArgs { mail_tls: MailTls::None, ..args() };
        let Err(Failure::Misused(words)) = mailer(&clear, folder) else { panic!("it was sent") };
        assert!(!words.contains("hunter2"), "{words}");
        let bad = MailArgs { mail_from: "nobody".to_owned(), ..args() };
        assert!(matches!(mailer(&bad, folder), Err(Failure::Misused(_))));
    }
}
