//! Announcements within the process.

use async_trait::async_trait;
use tokio::sync::broadcast;

use super::{Announcement, PubSub};

/// How many announcements a slow listener may lag behind before it loses the oldest.
const LAG_MAX: usize = 1_024;

/// Announcements that do not leave the process.
pub struct MemoryPubSub {
    sender: broadcast::Sender<Announcement>,
}

impl Default for MemoryPubSub {
    fn default() -> Self {
        Self { sender: broadcast::channel(LAG_MAX).0 }
    }
}

#[async_trait]
impl PubSub for MemoryPubSub {
    async fn announce(&self, announcements: &[Announcement]) {
        for announcement in announcements {
            // Nobody may be listening, which is fine.
            let _ = self.sender.send(announcement.clone());
        }
    }

    async fn listen(&self) -> broadcast::Receiver<Announcement> {
        self.sender.subscribe()
    }
}
