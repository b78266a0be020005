//! What happened and what it came to, cut to what an actor may see: the books, the log, single receipts, findings.
//!
//! Each function decides first whose [`View`] it answers. The house sees everything. A reseller sees its own tenant and
//! those below: what came in from its users and from the tenants right below, what it paid its parent; no accounts, no
//! providers, no prices above its own. An end user sees its own keys, requests and charges. What is not for a view's eyes is
//! not read, or left out of the answer, never hidden by a page.
//!
//! Money is integers throughout; times are microseconds since the Unix epoch.

mod books;
mod export;
mod family;
mod fault;
mod findings;
mod forecast;
mod health;
mod keys;
mod logs;
mod margins;
mod names;
mod points;
mod receipt;
mod search;
mod span;
mod sums;
mod tally;
#[cfg(test)]
mod tests;
mod view;

pub use books::{Books, Point, Seen, Slice, Wallet};
pub use export::{Rows, cell};
pub use family::{Branch, Family, Leader};
pub use fault::{Fault, Reason, fault, reason, why};
pub use findings::{Finding, Kind, Live, RestingLane, Severity, Suggestion};
pub use forecast::{Ahead, Forecast, Method};
pub use health::{ChannelHealth, HealthHour};
pub use keys::{KeyDay, KeyList, KeyMay, KeyPage, KeyRow, KeyState};
pub use logs::{Hop, LogFilter, LogRow, Page};
pub use margins::ModelMargin;
pub use receipt::{ArchivedView, Bar, LegView, PriceRef, ReceiptView, Seal, Stage};
pub use search::Search;
pub use span::{Grain, Span, Window};
pub use sums::{AccountSums, ModelSums};
pub use tally::{By, Of, Sums};
pub use view::{Customer, View};
