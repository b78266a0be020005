//! Receipts, and what each is expected to add to sums.

use crate::store::{ReceiptStore, Step, Who};
use crate::testing::receipt;
use crate::{
    Attempt, ChannelId, End, KeyId, Leg, Nano, Operation, QUARTER_US, Receipt, ReceiptId, TenantId, TraceId,
    UnixMicros, Usage, UserId,
};
use std::sync::Arc;

pub(super) const HOUR: i64 = 4 * QUARTER_US;
pub(super) const DAY: i64 = 24 * HOUR;
/// A midnight of UTC.
pub(super) const MIDNIGHT: i64 = 20_000 * DAY;
pub(super) const MODELS: [&str; 3] = ["gpt-5", "claude-ü", "gemini \"3\" %_'"];

/// What a receipt is expected to add: by channel (0 is none) requests, failed, refused, begun, attempts, attempts failed.
pub(super) type Expected = Vec<(i64, [u64; 6])>;

/// One way in which requests end.
fn ending(kind: usize, channel: i64) -> (u16, End, Option<i64>, Vec<Attempt>, Expected) {
    let try_at = |channel, status: u16| Attempt {
        channel: ChannelId(channel),
        status: (status != 0).then_some(status),
        error: (status == 0).then(|| "it did not answer".to_owned()),
        took_us: 5,
    };
    let (here, there) = (channel, channel % 3 + 1);
    let served = Some(here);
    match kind {
        0 => (200, End::Finished, served, vec![try_at(here, 200)], vec![(here, [1, 0, 0, 1, 1, 0])]),
        1 => (
            200,
            End::Finished,
            served,
            vec![try_at(there, 503), try_at(there, 0), try_at(here, 200)],
            vec![(here, [1, 0, 0, 1, 1, 0]), (there, [0, 0, 0, 0, 2, 2])],
        ),
        2 => (429, End::Refused, None, vec![], vec![(0, [1, 0, 1, 0, 0, 0])]),
        3 => (
            502,
            End::UpstreamFailed,
            None,
            vec![try_at(here, 0), try_at(there, 401)],
            vec![(0, [1, 1, 0, 0, 0, 0]), (here, [0, 0, 0, 0, 1, 1]), (there, [0, 0, 0, 0, 1, 1])],
        ),
        4 => (200, End::CallerGone, served, vec![try_at(here, 200)], vec![(here, [1, 0, 1, 1, 1, 0])]),
        5 => (400, End::Finished, served, vec![try_at(here, 400)], vec![(here, [1, 0, 1, 1, 1, 0])]),
        6 => (
            200,
            End::Finished,
            served,
            vec![try_at(here, 429), try_at(here, 200)],
            vec![(here, [1, 0, 0, 1, 2, 1])],
        ),
        7 => (200, End::UpstreamCut, served, vec![try_at(here, 200)], vec![(here, [1, 1, 0, 1, 1, 0])]),
        _ => (503, End::Finished, served, vec![try_at(here, 503)], vec![(here, [1, 1, 0, 1, 1, 1])]),
    }
}

/// A receipt, and what it is expected to add.
pub(super) struct Case {
    pub(super) receipt: Arc<Receipt>,
    pub(super) expected: Expected,
    /// Of the house, in nano-dollars.
    pub(super) revenue: i64,
}

/// The `n`th request, that arrived at `at`. Tenant 3 is below 2, which is below the house, 1.
pub(super) fn case(n: u64, at: i64) -> Case {
    // Digits of a number without a pattern.
    let mut dice = n.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut roll = |sides: u64| {
        dice = (dice ^ (dice >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        (dice >> 33) % sides
    };
    let key = 1 + roll(6).cast_signed();
    let user = 1 + (key - 1) / 2;
    let (status, end, channel, attempts, expected) = ending(roll(9) as usize, 1 + roll(3).cast_signed());
    let free = roll(7) == 0;
    let charge = if free { 0 } else { 100 + roll(900).cast_signed() };
    let leg = |tenant, charge| Leg {
        tenant: TenantId(tenant),
        parent: TenantId(tenant - 1),
        charge: Nano(charge),
        shortfall: Nano::ZERO,
    };
    let (legs, revenue) = match user {
        1 => (vec![], charge),
        2 => (vec![leg(2, charge / 2)], charge / 2),
        _ => (vec![leg(3, charge / 2), leg(2, charge / 3)], charge / 3),
    };
    let at = UnixMicros(at);
    let began = expected[0].1[3] == 1;
    let receipt = Receipt {
        id: ReceiptId((u128::from(at.0.unsigned_abs() / 1_000) << 80) | u128::from(n)),
        trace_id: TraceId(u128::from(n + 1).to_be_bytes()),
        at,
        key: KeyId(key),
        user: UserId(user),
        tenant: TenantId(user),
        operation: if free { Operation::CountTokens } else { Operation::Messages },
        model: MODELS[roll(3) as usize].into(),
        channel: channel.map(ChannelId),
        status,
        end,
        attempts,
        usage: Usage { input: roll(50), cached_read: 3, output: roll(70), ..Usage::default() },
        charge: Nano(charge),
        legs,
        upstream_cost: Nano(roll(80).cast_signed()),
        first_byte_us: began.then(|| 1_000 + roll(9_000) as u32),
        ..receipt(n)
    };
    Case { receipt: Arc::new(receipt), expected, revenue }
}

/// Requests of three days, some of them on the very ends of quarters, hours and days.
pub(super) fn cases() -> Vec<Case> {
    let at = |n: u64| {
        let n = n.cast_signed();
        let quarter = MIDNIGHT - DAY + (n * 37 % 288) * QUARTER_US;
        quarter + [0, QUARTER_US - 1, 123_456_789 + n, 450_000_000][n as usize % 4]
    };
    (0..400).map(|n| case(n, at(n))).collect()
}

pub(super) async fn record<S: ReceiptStore>(store: &S, cases: &[Case]) {
    let all: Vec<_> = cases.iter().map(|case| case.receipt.clone()).collect();
    for batch in all.chunks(90) {
        assert_eq!(store.record(batch).await.expect("record records"), batch.len());
    }
}

pub(super) fn is_of(who: &Who, receipt: &Receipt) -> bool {
    match who {
        Who::All => true,
        Who::Tenants(tenants) => tenants.contains(&receipt.tenant),
        Who::User(user) => receipt.user == *user,
        Who::Key(key) => receipt.key == *key,
    }
}

/// The span that holds a moment, by the clock alone.
pub(super) fn span(step: Step, at: i64) -> i64 {
    match step {
        Step::Whole => 0,
        Step::Quarter => at - at % QUARTER_US,
        Step::Hour => at - at % HOUR,
        Step::Day { offset } => at - (at + offset) % DAY,
    }
}
