//! Connections to providers: HTTP/1.1, driven inside the request that uses them.
//!
//! No task runs per connection. Whoever uses a connection drives it: the request's future until the head
//! is there, then the answer's body. That saves the wake-ups between a connection's task and a request's,
//! and is the largest single saving of the hot path. What makes it safe:
//!
//! - a connection goes back to the pool only from the end of an answer, when hyper says that it is idle; a
//!   request or an answer dropped earlier takes its connection along, so a half-read connection is never
//!   reused and the provider sees the cancellation at once;
//! - an idle connection is polled once before use: one that the provider closed, or wrote to, is dropped;
//! - an answer is read only when the caller asks for more, at most [`JOIN_LIMIT`] bytes ahead, so a slow
//!   caller slows the provider down and memory stays bounded.

mod body;
mod client;
mod conn;
mod connect;
mod origin;
mod service;
mod stream;
#[cfg(feature = "tls")]
mod tls;
mod upstream;

pub use body::{JOIN_LIMIT, UpstreamBody};
pub use client::Client;
pub use connect::ConnectError;
pub use origin::Origin;
pub use service::Transport;
#[cfg(feature = "tls")]
pub use tls::trust;
pub use upstream::{SendError, Upstream};
