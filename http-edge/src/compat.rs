//! Routes of older installations, mapped to the same commands. They take and give decimal numbers.

use axum::Router;

use crate::routes::Shared;

/// The routes.
pub(crate) fn router() -> Router<Shared> {
    Router::new()
}
