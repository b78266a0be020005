//! The layers, in the order a request meets them.
//!
//! | layer | does | why it stands here |
//! |---|---|---|
//! | [`trace`] | one id for the whole life | everything below may log it |
//! | [`rescue`] | errors become answers in the caller's dialect, mid-stream too | below it everything may fail |
//! | [`shed`] | bounds requests and body bytes in flight | before anything is spent on a request |
//! | [`classify`] | path → endpoint | `auth` must know where the dialect puts keys |
//! | [`auth`] | key → caller | before a byte of the body is held for a stranger |
//! | [`meter`] | one receipt, whatever happens | from here on there is somebody to account to |
//! | [`inspect`] | looks at the body once | the layers below need the model |
//! | *the embedder's* | sees caller, envelope and body | may refuse before anything is counted |
//! | [`limit`] | requests, tokens, concurrency | before money is held |
//! | [`receipts`] | shows callers their receipts | leaves none itself, but is limited |
//! | [`route`] | model → candidates | prices depend on the candidates |
//! | [`reserve`] | holds an upper estimate | the last thing before a provider is asked |
//! | [`failover`] | one attempt after another until the head | |
//! | *the embedder's* | around each attempt | |
//! | [`passthrough`] | path, model name, `include_usage` | per channel |
//! | [`sign`] | the channel's credential | last, so that no layer above ever sees it |
//! | transport | pooled connections | |
//!
//! Each is an ordinary `tower::Layer`, and a feature of the crate of that name; the feature `gateway` (default) names them
//! all. [`Gateway`](crate::Gateway) stacks them; an embedder can stack them
//! otherwise, as long as each finds what it needs in the [`Context`](crate::Context).

#[cfg(feature = "auth")]
pub mod auth;
#[cfg(feature = "classify")]
pub mod classify;
#[cfg(feature = "failover")]
pub mod failover;
#[cfg(feature = "inspect")]
pub mod inspect;
#[cfg(feature = "limit")]
pub mod limit;
#[cfg(feature = "meter")]
pub mod meter;
#[cfg(feature = "passthrough")]
pub mod passthrough;
#[cfg(feature = "receipts")]
pub mod receipts;
mod reply;
#[cfg(feature = "rescue")]
pub mod rescue;
#[cfg(feature = "reserve")]
pub mod reserve;
#[cfg(feature = "route")]
pub mod route;
#[cfg(feature = "shed")]
pub mod shed;
#[cfg(feature = "sign")]
pub mod sign;
#[cfg(feature = "trace")]
pub mod trace;

pub(crate) use reply::{Reply, Stack};
