//! BurnCloud's gateway: an LLM gateway made of composable Tower layers.

pub mod adapter;
pub mod billing;
mod channel;
mod dialect;
pub mod envelope;
mod error;
mod id;
mod key;
mod money;
mod random;
mod receipt;
pub mod routing;
pub mod store;
pub mod transport;
mod usage;

pub use channel::{ChannelConfig, ChannelSettings, TimeoutSettings};
pub use dialect::{Dialect, Endpoint, NoEndpoint, Operation, Surface};
pub use error::{BoxError, Error, ErrorKind, Fault};
pub use id::{ChannelId, KeyId, ReceiptId, TenantId, TraceId, UnixMicros, UserId};
pub use key::{ApiKey, Caller, KeyHash, Limits, Slot, Status, Tenant, User};
pub use money::{NANOS_PER_DOLLAR, Nano, ParseNanoError};
pub use receipt::{Attempt, End, Line, LineKind, Receipt};
pub use routing::{Route, RouteTable};
pub use usage::{ServiceTier, Usage, UsageSource};
