//! The page as it is drawn, for each pair of eyes.

use burncloud_billing::desk::reports::{Customer, LogRow};
use burncloud_core::store::Outcome;
use burncloud_core::{End, KeyId, Nano, ReceiptId, TenantId, TraceId, UnixMicros, UserId};

/// An answered request without names.
pub(super) fn row(id: u128) -> LogRow {
    LogRow {
        id: ReceiptId(id),
        trace: TraceId(id.to_be_bytes()),
        at: UnixMicros(1_795_181_400_000_000 + i64::try_from(id).unwrap()),
        customer: Customer::User(UserId(1)),
        customer_name: None,
        user: UserId(1),
        user_name: None,
        tenant: TenantId(1),
        key: KeyId(1),
        key_name: None,
        model: String::new(),
        status: 200,
        outcome: Outcome::Answered,
        end: End::Finished,
        reason: None,
        fault: None,
        streamed: false,
        first_us: None,
        took_us: 1_000,
        tokens_in: 0,
        tokens_out: 0,
        charge: Nano::ZERO,
        revenue: None,
        cost: None,
        margin: None,
        channel: None,
        switches: None,
        road: vec![],
    }
}
