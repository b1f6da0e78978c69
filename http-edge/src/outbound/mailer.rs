//! Messages to customers by e-mail: over SMTP, or into files for those who have no server.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use actors::followers::notices::{Mail, Mailer, NotSent};
use async_trait::async_trait;
use lettre::message::Mailbox;
use lettre::message::header::ContentType;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};

/// Longest time for each step of a conversation with the server.
const STEP_WITHIN: Duration = Duration::from_secs(15);
/// Longest time for one message.
const SEND_WITHIN: Duration = Duration::from_secs(45);
/// Files that may lie in the folder: nobody takes them away by himself.
const FILES_MAX: usize = 10_000;
/// What stands behind the name of a message.
const ID_DOMAIN: &str = "millrace.invalid";

/// How the conversation is kept secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum MailTls {
    /// By STARTTLS, which the server must know.
    Starttls,
    /// From the first byte on.
    Tls,
    /// Not at all: for a server on this machine.
    None,
}

/// How a server is reached.
#[derive(Clone, Debug)]
pub struct SmtpConfig {
    /// Its name.
    pub server: String,
    /// Its port.
    pub port: u16,
    /// User and password.
    pub credentials: Option<(String, String)>,
    /// How the conversation is kept secret.
    pub tls: MailTls,
}

/// A message with its head.
fn message(from: &Mailbox, mail: &Mail) -> Result<Message, NotSent> {
    let to: Mailbox = mail.to.parse().map_err(|_| NotSent::Never("not an address".to_owned()))?;
    Message::builder()
        .from(from.clone())
        .to(to)
        .subject(&mail.subject)
        .message_id(Some(format!("<{}@{ID_DOMAIN}>", mail.id)))
        .header(ContentType::TEXT_PLAIN)
        .body(mail.text.clone())
        .map_err(|_| NotSent::Never("the message has no form".to_owned()))
}

/// Hands messages to a server.
#[derive(Debug)]
pub struct SmtpMailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

impl SmtpMailer {
    /// Sends in the name of `from`.
    ///
    /// # Errors
    ///
    /// When TLS cannot be set up.
    pub fn new(config: &SmtpConfig, from: Mailbox) -> anyhow::Result<Self> {
        let tls = match config.tls {
            MailTls::Starttls => Tls::Required(TlsParameters::new(config.server.clone())?),
            MailTls::Tls => Tls::Wrapper(TlsParameters::new(config.server.clone())?),
            MailTls::None => Tls::None,
        };
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&config.server)
            .port(config.port)
            .tls(tls)
            .timeout(Some(STEP_WITHIN));
        if let Some((user, password)) = &config.credentials {
            builder = builder.credentials(Credentials::new(user.clone(), password.clone()));
        }
        Ok(Self { transport: builder.build(), from })
    }
}

#[async_trait]
impl Mailer for SmtpMailer {
    async fn send(&self, mail: &Mail) -> Result<(), NotSent> {
        let sending = self.transport.send(message(&self.from, mail)?);
        let sent = tokio::time::timeout(SEND_WITHIN, sending).await;
        match sent {
            Ok(Ok(_)) => Ok(()),
            // The words of the server may repeat the address; its number says enough.
            Ok(Err(error)) => {
                let code = error.status().map(|code| code.to_string());
                let words = match &code {
                    Some(code) => format!("the server answered {code}"),
                    None => "the server cannot be reached".to_owned(),
                };
                Err(if error.is_permanent() {
                    NotSent::Never(words)
                } else {
                    NotSent::Later(words)
                })
            }
            Err(_) => Err(NotSent::Later("no answer in time".to_owned())),
        }
    }
}

/// Puts messages into files, for trying out and for shops whose mail is taken from there.
#[derive(Debug)]
pub struct FileMailer {
    folder: PathBuf,
    from: Mailbox,
    files: AtomicUsize,
}

impl FileMailer {
    /// Writes into `folder`, which is made with the first message.
    pub fn new(folder: PathBuf, from: Mailbox) -> Self {
        let files = AtomicUsize::new(count(&folder));
        Self { folder, from, files }
    }

    /// Whether there is room for one more. Somebody may have taken messages away, so a folder that
    /// seems full is looked into again.
    async fn has_room(&self) -> bool {
        if self.files.load(Ordering::Relaxed) < FILES_MAX {
            return true;
        }
        let folder = self.folder.clone();
        let counted = tokio::task::spawn_blocking(move || count(&folder)).await;
        let files = counted.unwrap_or(FILES_MAX);
        self.files.store(files, Ordering::Relaxed);
        files < FILES_MAX
    }
}

/// Files in a folder; none where there is no folder.
fn count(folder: &Path) -> usize {
    std::fs::read_dir(folder).map(Iterator::count).unwrap_or_default()
}

#[async_trait]
impl Mailer for FileMailer {
    async fn send(&self, mail: &Mail) -> Result<(), NotSent> {
        if !self.has_room().await {
            return Err(NotSent::Later(format!("{FILES_MAX} messages lie in the folder")));
        }
        let bytes = message(&self.from, mail)?.formatted();
        let trouble = |_| NotSent::Later("the file cannot be written".to_owned());
        tokio::fs::create_dir_all(&self.folder).await.map_err(trouble)?;
        let (part, whole) = (format!("{}.part", mail.id), format!("{}.eml", mail.id));
        // Whoever reads the folder sees whole messages only.
        tokio::fs::write(self.folder.join(&part), bytes).await.map_err(trouble)?;
        let renamed = tokio::fs::rename(self.folder.join(part), self.folder.join(whole)).await;
        renamed.map_err(trouble)?;
        self.files.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use actors::runtime::spawn_light;
    use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
    use tokio::net::{TcpListener, TcpStream};
    use tokio::sync::mpsc;

    use super::*;

    fn mail(to: &str) -> Mail {
        Mail {
            id: "7.order_paid".to_owned(),
            to: to.to_owned(),
            subject: "Größe: your order is paid".to_owned(),
            text: "Hello,\n.\nit is paid.\n".to_owned(),
        }
    }

    fn from() -> Mailbox {
        "Shop <shop@example.com>".parse().unwrap()
    }

    /// One conversation: what was said, line by line.
    async fn converse(stream: TcpStream, refuse: &'static str, said: mpsc::Sender<String>) {
        let (reader, mut writer) = stream.into_split();
        let mut lines = BufReader::new(reader).lines();
        writer.write_all(b"220 here\r\n").await.unwrap();
        let mut in_data = false;
        while let Ok(Some(line)) = lines.next_line().await {
            let _ = said.send(line.clone()).await;
            let answer = match line.split([' ', ':']).next().unwrap_or_default() {
                _ if in_data && line != "." => continue,
                "EHLO" => "250-here\r\n250 8BITMIME",
                "RCPT" => refuse,
                "DATA" => "354 go on",
                "QUIT" => "221 bye",
                _ => "250 ok",
            };
            in_data = answer.starts_with("354");
            writer.write_all(format!("{answer}\r\n").as_bytes()).await.unwrap();
        }
    }

    /// A server that answers recipients like this.
    async fn server(answer: &'static str) -> (SmtpMailer, mpsc::Receiver<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (said, heard) = mpsc::channel(256);
        spawn_light(async move {
            while let Ok((stream, _)) = listener.accept().await {
                spawn_light(converse(stream, answer, said.clone()));
            }
        });
        let config = SmtpConfig {
            server: "127.0.0.1".to_owned(),
            port,
            credentials: None,
            tls: MailTls::None,
        };
        (SmtpMailer::new(&config, from()).unwrap(), heard)
    }

    #[tokio::test]
    async fn a_message_is_handed_to_the_server_with_a_name_of_its_own() {
        let (mailer, mut heard) = server("250 ok").await;
        assert_eq!(mailer.send(&mail("alice@example.com")).await, Ok(()));
        let mut said = Vec::new();
        while let Ok(line) = heard.try_recv() {
            said.push(line);
        }
        assert!(said.contains(&"RCPT TO:<alice@example.com>".to_owned()), "{said:?}");
        assert!(
            said.contains(&"Message-ID: <7.order_paid@millrace.invalid>".to_owned()),
            "{said:?}"
        );
        // A line that would end the message is not one.
        assert_eq!(said.iter().filter(|line| *line == ".").count(), 1, "{said:?}");
    }

    #[tokio::test]
    async fn what_the_server_puts_off_is_tried_later_and_what_it_refuses_never() {
        let (busy, _heard) = server("451 later").await;
        let later = busy.send(&mail("alice@example.com")).await;
        assert_eq!(later, Err(NotSent::Later("the server answered 451".to_owned())));
        let (strict, _heard) = server("550 nobody").await;
        let never = strict.send(&mail("alice@example.com")).await;
        assert_eq!(never, Err(NotSent::Never("the server answered 550".to_owned())));
        let nobody = strict.send(&mail("no address")).await;
        assert!(matches!(nobody, Err(NotSent::Never(_))), "{nobody:?}");
    }

    #[tokio::test]
    async fn a_server_that_is_gone_is_asked_again_later() {
        let config = SmtpConfig {
            server: "127.0.0.1".to_owned(),
            port: 1,
            credentials: None,
            tls: MailTls::None,
        };
        let mailer = SmtpMailer::new(&config, from()).unwrap();
        let sent = mailer.send(&mail("alice@example.com")).await;
        assert_eq!(sent, Err(NotSent::Later("the server cannot be reached".to_owned())));
    }
}
