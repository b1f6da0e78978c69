//! What the edge reads in pages.

use actors::followers::streams::{EventPage, EventQuery};
use actors::reads::{List, OrderList};
use engine::Aggregate;
use engine::values::ProductId;
use persistence::followers::{Notice, NoticeQuery};
use persistence::journal::{Record, StreamId};
use persistence::read_models::{EntryQuery, OrderQuery, ProductRow};

use super::{Shop, unreadable};
use crate::problem::Problem;

impl Shop {
    /// A page of orders.
    ///
    /// # Errors
    ///
    /// `unavailable`.
    pub async fn list_orders(&self, query: &OrderQuery) -> Result<OrderList, Problem> {
        self.system.list_orders(query).await.map_err(|error| unreadable(&error))
    }

    /// A page of a listed kind.
    ///
    /// # Errors
    ///
    /// `unavailable`.
    pub async fn list<A: Aggregate>(&self, query: &EntryQuery) -> Result<List<A>, Problem> {
        self.system.list(query).await.map_err(|error| unreadable(&error))
    }

    /// What the journal says of one stream, the newest first.
    ///
    /// # Errors
    ///
    /// `unavailable`.
    pub async fn audit(
        &self,
        stream: &StreamId,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Vec<Record>, Problem> {
        self.system.audit(stream, before, limit).await.map_err(|error| unreadable(&error))
    }

    /// Products by id.
    ///
    /// # Errors
    ///
    /// `unavailable`.
    pub async fn list_products(
        &self,
        after: Option<&ProductId>,
        limit: u32,
    ) -> Result<Vec<ProductRow>, Problem> {
        self.system.list_products(after, limit).await.map_err(|error| unreadable(&error))
    }

    /// Messages to customers.
    ///
    /// # Errors
    ///
    /// `unavailable`.
    pub async fn list_notices(&self, query: &NoticeQuery) -> Result<Vec<Notice>, Problem> {
        self.system.list_notices(query).await.map_err(|error| unreadable(&error))
    }

    /// A page of public events.
    ///
    /// # Errors
    ///
    /// `unavailable`.
    pub async fn public_events(&self, query: &EventQuery) -> Result<EventPage, Problem> {
        self.system.public_events(query).await.map_err(|error| unreadable(&error))
    }
}
