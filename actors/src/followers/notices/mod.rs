//! Messages to customers: booked by a follower of the journal, sent by a task of their own.
//!
//! The event is the queue entry: a message is due from the moment at which its event is durable. The
//! follower notes which messages there are and what became of them; words and address are made of the
//! journal when a message leaves. One that was handed over just before a crash may be sent twice.

mod book;
mod post;

use std::sync::Arc;

use async_trait::async_trait;
use persistence::StoreError;
use persistence::followers::{Notice, NoticeQuery};

use self::book::Booking;
use self::post::Post;
use crate::reads::ReadError;
use crate::system::OrderSystem;

/// The name under which the follower's place is kept.
const FOLLOWER: &str = "notices";

/// One message on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// Names it: the same however often it is tried.
    pub id: String,
    /// Where it goes.
    pub to: String,
    /// One line.
    pub subject: String,
    /// Plain text.
    pub text: String,
}

/// Why a message was not handed over, in words without its address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotSent {
    /// It may be later.
    Later(String),
    /// It never will be.
    Never(String),
}

/// Hands messages over.
#[async_trait]
pub trait Mailer: Send + Sync + 'static {
    /// Hands one message over, in bounded time.
    ///
    /// # Errors
    ///
    /// [`NotSent`]; after `Later` it may have been all the same.
    async fn send(&self, mail: &Mail) -> Result<(), NotSent>;
}

impl OrderSystem {
    /// Starts booking and sending messages.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when it cannot be read how far the messages are.
    pub async fn start_notices(&self, mailer: Arc<dyn Mailer>) -> Result<(), StoreError> {
        let booking = Arc::new(Booking::open(self).await?);
        self.background().keep("notices", move || Arc::clone(&booking).run());
        let post = Arc::new(Post::new(self, mailer));
        self.background().keep("post", move || Arc::clone(&post).run());
        Ok(())
    }

    /// Messages, newest first.
    ///
    /// # Errors
    ///
    /// [`ReadError`] when that cannot be told now.
    pub async fn list_notices(&self, query: &NoticeQuery) -> Result<Vec<Notice>, ReadError> {
        Ok(self.world.stores.followers.list_notices(query).await?)
    }
}
