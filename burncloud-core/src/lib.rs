//! BurnCloud's gateway: an LLM gateway made of composable Tower layers.
//!
//! Start with [`Gateway::builder`](crate::Gateway::builder); the layers and the reason for their order stand in [`layers`].
//! The parts that meet there: [`adapter`] (what a provider is), [`billing`] (who keeps the money), [`store`] (who knows
//! the callers), [`routing`] (which channels serve a model), [`transport`] (how a provider is reached).
//!
//! # Features
//!
//! | feature | |
//! |---|---|
//! | `gateway` (default) | [`Gateway`] and every layer |
//! | `trace`, `rescue`, `shed`, `classify`, `auth`, `meter`, `inspect`, `limit`, `route`, `reserve`, `failover`, `passthrough`, `sign` | one layer each, for a stack of your own |
//! | `tls` (default) | providers over TLS (rustls) |
//! | `testing` | the conformance suite for stores |

// A layer that is not compiled leaves what it alone uses unused.
#![cfg_attr(not(feature = "gateway"), allow(dead_code, unused_imports, unreachable_pub))]

mod adapted;
pub mod adapter;
mod admission;
mod answer;
pub mod billing;
mod body;
mod budget;
mod channel;
mod collect;
mod context;
mod dialect;
pub mod envelope;
mod error;
mod event_stream;
#[cfg(feature = "gateway")]
mod gateway;
mod headers;
mod id;
mod inspected;
mod key;
pub mod layers;
pub mod ledger;
mod meter;
mod money;
mod people;
mod plan;
mod quiet;
mod random;
mod receipt;
pub mod routing;
#[cfg(feature = "gateway")]
mod seam;
mod sigv4;
mod sse;
mod stats;
pub mod store;
#[cfg(test)]
mod test_support;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod transport;
mod usage;
pub mod usecase;

pub use body::Body;
pub use budget::{Alert, Allowance, Budget, Enforcement, Period, QUARTER_US, Scope, Spent, spending};
pub use channel::{
    ChannelConfig, ChannelSettings, ScriptFailure, ScriptSettings, SystemPrompt, SystemPromptMode,
    TimeoutSettings,
};
pub use context::Context;
pub use dialect::{Dialect, Endpoint, NoEndpoint, Operation, Surface};
pub use error::{BoxError, Error, ErrorKind, Fault};
#[cfg(feature = "gateway")]
pub use gateway::{Answering, Gateway, GatewayBuilder, Handle, UserLayer, UserService};
pub use id::{ChannelId, KeyId, ReceiptId, TenantId, TraceId, UnixMicros, UserId};
pub use inspected::Inspected;
pub use key::{ApiKey, Caller, KeyHash, Limits, Slot, Status};
pub use money::{NANOS_PER_DOLLAR, Nano, ParseNanoError};
pub use people::{Role, Tenant, User};
pub use plan::{AbortKind, AbortPolicy, Plan};
pub use receipt::{Attempt, End, Leg, Line, LineKind, Receipt};
pub use routing::{Route, RouteTable};
#[cfg(feature = "gateway")]
pub use seam::InnerService;
pub use stats::{Counter, DURATION_BUCKETS_MS, Gauge, Stats};
pub use usage::{Picture, Quality, ServiceTier, Usage, UsageSource};
