//! A lean HTTP/1 client: calls, replies and a bounded pool of kept connections.

mod pool;
mod request;

pub use pool::Pool;
pub use request::{BadUrl, Call, Endpoint, Fault, Reply};
