//! BurnCloud's gateway: an LLM gateway made of composable Tower layers.

pub mod adapter;
mod admission;
mod answer;
pub mod billing;
mod body;
mod channel;
mod context;
mod dialect;
pub mod envelope;
mod error;
mod gateway;
mod headers;
mod id;
mod inspected;
mod key;
pub mod layers;
mod meter;
mod money;
mod quiet;
mod random;
mod receipt;
pub mod routing;
mod seam;
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
pub use channel::{ChannelConfig, ChannelSettings, TimeoutSettings};
pub use context::Context;
pub use dialect::{Dialect, Endpoint, NoEndpoint, Operation, Surface};
pub use error::{BoxError, Error, ErrorKind, Fault};
pub use gateway::{Answering, Gateway, GatewayBuilder, Handle, UserLayer, UserService};
pub use id::{ChannelId, KeyId, ReceiptId, TenantId, TraceId, UnixMicros, UserId};
pub use inspected::Inspected;
pub use key::{ApiKey, Caller, KeyHash, Limits, Slot, Status, Tenant, User};
pub use money::{NANOS_PER_DOLLAR, Nano, ParseNanoError};
pub use receipt::{Attempt, End, Line, LineKind, Receipt};
pub use routing::{Route, RouteTable};
pub use seam::InnerService;
pub use stats::{Counter, DURATION_BUCKETS_MS, Gauge, Stats};
pub use usage::{ServiceTier, Usage, UsageSource};
