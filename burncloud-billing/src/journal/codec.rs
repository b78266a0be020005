//! Records as bytes: a frame is a length and a CRC-32 (both `u32`, little endian) and that many bytes; those begin with
//! the record's kind. Numbers are variable in length (LEB128, signed ones zigzagged), texts are preceded by theirs.
//!
//! The format is append-only as the files are: a field is never removed or moved, a new one comes at the end under a
//! new kind. A record of an unknown kind stops recovery, since it may be money.

mod read;

pub(super) use read::{Frame, decode, frame, is_settle};

use burncloud_core::{
    AbortKind, Attempt, ChannelId, Dialect, End, KeyId, Leg, Line, LineKind, Nano, Operation, Picture,
    Quality, Receipt, ReceiptId, ServiceTier, TenantId, TraceId, UnixMicros, Usage, UsageSource, UserId,
};
use std::sync::Arc;

pub(super) const FRAME: usize = 8;
/// No record is longer: a length above it is not one.
const LONGEST: usize = 16 << 20;

const ADMIT: u8 = 1;
const SETTLE: u8 = 2;
const SHIPPED: u8 = 3;
/// As `ADMIT` and `SETTLE`, with what tenants pay and all that came with it at the end.
const ADMIT_2: u8 = 4;
const SETTLE_2: u8 = 5;

/// A request that is under way, with all that its receipt needs if it never comes back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Admit {
    pub(crate) id: ReceiptId,
    pub(crate) trace_id: TraceId,
    pub(crate) at: UnixMicros,
    pub(crate) key: KeyId,
    pub(crate) user: UserId,
    pub(crate) tenant: TenantId,
    pub(crate) dialect: Dialect,
    pub(crate) operation: Operation,
    pub(crate) model: Arc<str>,
    pub(crate) upstream_model: Arc<str>,
    /// The first candidate's.
    pub(crate) channel: Option<ChannelId>,
    pub(crate) reserved: Nano,
    /// The part of the estimate that sending the request costs; zero if nothing is charged.
    pub(crate) input: Nano,
    /// That part for each tenant on the path: who, whom, how much.
    pub(crate) legs: Vec<(TenantId, TenantId, Nano)>,
    pub(crate) price_version: u64,
    pub(crate) bytes_in: u64,
}

/// What a frame holds.
#[derive(Clone, Debug)]
pub(super) enum Record {
    Admit(Admit),
    Settle(Box<Receipt>),
    /// Everything before this position is in the store.
    Shipped(u64),
}

// === writing ===

const DIALECTS: [Dialect; 5] =
    [Dialect::OpenAi, Dialect::Anthropic, Dialect::Gemini, Dialect::Cohere, Dialect::Bedrock];
const TIERS: [ServiceTier; 4] =
    [ServiceTier::Standard, ServiceTier::Flex, ServiceTier::Priority, ServiceTier::Batch];
const SOURCES: [UsageSource; 3] = [UsageSource::None, UsageSource::Reported, UsageSource::Estimated];
/// Positions are codes: only ever append to these lists.
const KINDS: [LineKind; 17] = crate::rates::KINDS;
const ABORTS: [AbortKind; 3] = [AbortKind::Delivered, AbortKind::Reported, AbortKind::Nothing];
const QUALITIES: [Quality; 6] =
    [Quality::Unstated, Quality::Low, Quality::Medium, Quality::High, Quality::Standard, Quality::Hd];

fn code<T: PartialEq>(list: &[T], value: &T) -> u8 {
    list.iter().position(|v| v == value).and_then(|i| u8::try_from(i).ok()).unwrap_or(u8::MAX)
}

fn number(to: &mut Vec<u8>, mut n: u64) {
    while n >= 0x80 {
        to.push(n as u8 | 0x80);
        n >>= 7;
    }
    to.push(n as u8);
}

fn signed(to: &mut Vec<u8>, n: i64) {
    number(to, ((n << 1) ^ (n >> 63)) as u64);
}

fn text(to: &mut Vec<u8>, text: &str) {
    number(to, text.len() as u64);
    to.extend_from_slice(text.as_bytes());
}

fn maybe(to: &mut Vec<u8>, n: Option<u64>) {
    // Zero is none; what is there is one more. A `u64` that does not fit is not a count of anything.
    number(to, n.map_or(0, |n| n.saturating_add(1)));
}

fn framed(to: &mut Vec<u8>, kind: u8, write: impl FnOnce(&mut Vec<u8>)) {
    let start = to.len();
    to.extend_from_slice(&[0; FRAME]);
    to.push(kind);
    write(to);
    let (length, crc) = ((to.len() - start - FRAME) as u32, crc32fast::hash(&to[start + FRAME..]));
    to[start..start + 4].copy_from_slice(&length.to_le_bytes());
    to[start + 4..start + FRAME].copy_from_slice(&crc.to_le_bytes());
}

struct Head<'a> {
    id: ReceiptId,
    trace_id: TraceId,
    at: UnixMicros,
    who: [i64; 3],
    dialect: Dialect,
    operation: Operation,
    models: [&'a str; 2],
    channel: Option<ChannelId>,
}

fn head(to: &mut Vec<u8>, head: &Head<'_>) {
    to.extend_from_slice(&head.id.0.to_le_bytes());
    to.extend_from_slice(&head.trace_id.0);
    signed(to, head.at.0);
    head.who.iter().for_each(|id| signed(to, *id));
    to.push(code(&DIALECTS, &head.dialect));
    text(to, head.operation.as_str());
    head.models.iter().for_each(|model| text(to, model));
    to.push(u8::from(head.channel.is_some()));
    signed(to, head.channel.unwrap_or_default().0);
}

pub(super) fn put_admit(to: &mut Vec<u8>, admit: &Admit) {
    framed(to, ADMIT_2, |to| {
        head(
            to,
            &Head {
                id: admit.id,
                trace_id: admit.trace_id,
                at: admit.at,
                who: [admit.key.0, admit.user.0, admit.tenant.0],
                dialect: admit.dialect,
                operation: admit.operation,
                models: [&admit.model, &admit.upstream_model],
                channel: admit.channel,
            },
        );
        [admit.reserved, admit.input].iter().for_each(|nano| signed(to, nano.0));
        [admit.price_version, admit.bytes_in].iter().for_each(|n| number(to, *n));
        number(to, admit.legs.len() as u64);
        admit
            .legs
            .iter()
            .for_each(|(who, whom, nano)| [who.0, whom.0, nano.0].iter().for_each(|n| signed(to, *n)));
    });
}

pub(super) fn put_shipped(to: &mut Vec<u8>, position: u64) {
    framed(to, SHIPPED, |to| number(to, position));
}

pub(super) fn put_settle(to: &mut Vec<u8>, receipt: &Receipt) {
    framed(to, SETTLE_2, |to| {
        head(
            to,
            &Head {
                id: receipt.id,
                trace_id: receipt.trace_id,
                at: receipt.at,
                who: [receipt.key.0, receipt.user.0, receipt.tenant.0],
                dialect: receipt.dialect,
                operation: receipt.operation,
                models: [&receipt.model, &receipt.upstream_model],
                channel: receipt.channel,
            },
        );
        to.push(u8::from(receipt.upstream_request_id.is_some()));
        text(to, receipt.upstream_request_id.as_deref().unwrap_or(""));
        to.push(u8::from(receipt.streamed));
        number(to, u64::from(receipt.status));
        text(to, receipt.end.as_str());
        number(to, receipt.attempts.len() as u64);
        receipt.attempts.iter().for_each(|attempt| put_attempt(to, attempt));
        put_usage(to, &receipt.usage);
        to.push(code(&SOURCES, &receipt.usage_source));
        number(to, receipt.price_version);
        number(to, receipt.lines.len() as u64);
        for line in &receipt.lines {
            to.push(code(&KINDS, &line.kind));
            number(to, line.units);
            signed(to, line.price.0);
            signed(to, line.amount.0);
        }
        let money = [receipt.reserved, receipt.charge, receipt.shortfall, receipt.upstream_cost];
        money.iter().for_each(|nano| signed(to, nano.0));
        maybe(to, receipt.first_byte_us.map(u64::from));
        [receipt.took_us, receipt.bytes_in, receipt.bytes_out].iter().for_each(|n| number(to, *n));
        number(to, receipt.legs.len() as u64);
        for leg in &receipt.legs {
            [leg.tenant.0, leg.parent.0, leg.charge.0, leg.shortfall.0].iter().for_each(|n| signed(to, *n));
        }
        to.push(receipt.abort.map_or(0, |kind| code(&ABORTS, &kind) + 1));
        put_more_usage(to, &receipt.usage);
    });
}

fn put_attempt(to: &mut Vec<u8>, attempt: &Attempt) {
    signed(to, attempt.channel.0);
    maybe(to, attempt.status.map(u64::from));
    to.push(u8::from(attempt.error.is_some()));
    text(to, attempt.error.as_deref().unwrap_or(""));
    number(to, u64::from(attempt.took_us));
}

fn put_usage(to: &mut Vec<u8>, u: &Usage) {
    let counts = [
        u.input,
        u.cached_read,
        u.cache_write_5m,
        u.cache_write_1h,
        u.output,
        u.reasoning,
        u.audio_in,
        u.audio_out,
        u.image_in,
        u.image_out,
        u.pieces,
        u.audio_ms,
    ];
    counts.iter().for_each(|n| number(to, *n));
    to.push(code(&TIERS, &u.tier));
}

/// What came later; a byte where there is none of it, as nearly always.
fn put_more_usage(to: &mut Vec<u8>, u: &Usage) {
    let counts = [u.video_ms, u.web_searches, u.file_searches, u.code_sessions];
    let picture = u.picture;
    let any = counts.iter().any(|n| *n > 0) || picture != Picture::default();
    to.push(u8::from(any));
    if any {
        counts.iter().for_each(|n| number(to, *n));
        number(to, u64::from(picture.width));
        number(to, u64::from(picture.height));
        to.push(code(&QUALITIES, &picture.quality));
    }
}

#[cfg(test)]
mod tests {
    use super::read::Reader;
    use super::*;
    use crate::tests::support::{admit, receipt};
    use proptest::prelude::*;

    fn read_back(bytes: &[u8]) -> Record {
        let Frame::Whole(payload, taken) = frame(bytes) else { panic!("not a frame") };
        assert_eq!(taken, bytes.len());
        decode(payload).unwrap()
    }

    proptest! {
        #[test]
        fn numbers_read_back(n in any::<u64>(), s in any::<i64>()) {
            let mut bytes = Vec::new();
            number(&mut bytes, n);
            signed(&mut bytes, s);
            let mut reader = Reader(&bytes);
            prop_assert_eq!((reader.number(), reader.signed(), reader.0.len()), (Some(n), Some(s), 0));
        }

        #[test]
        fn receipts_read_back(seed in any::<u64>()) {
            let whole = receipt(seed);
            let mut bytes = Vec::new();
            put_settle(&mut bytes, &whole);
            let Record::Settle(back) = read_back(&bytes) else { panic!() };
            prop_assert_eq!(*back, whole);
        }

        #[test]
        fn damage_is_seen(seed in any::<u64>(), at in any::<prop::sample::Index>(), bit in 0u8..8) {
            let mut bytes = Vec::new();
            put_settle(&mut bytes, &receipt(seed));
            let at = at.index(bytes.len());
            prop_assert!(matches!(frame(&bytes[..at]), Frame::Cut));
            bytes[at] ^= 1 << bit;
            prop_assert!(!matches!(frame(&bytes), Frame::Whole(..)));
        }
    }

    #[test]
    fn admits_and_checkpoints_read_back() {
        let mut bytes = Vec::new();
        put_admit(&mut bytes, &admit(7));
        let Record::Admit(back) = read_back(&bytes) else { panic!() };
        assert_eq!(back, admit(7));
        assert!(bytes.len() < 128, "{}", bytes.len());
        bytes.clear();
        put_shipped(&mut bytes, 1 << 40);
        assert!(matches!(read_back(&bytes), Record::Shipped(at) if at == 1 << 40));
    }

    #[test]
    fn zeros_and_strangers_are_no_records() {
        assert!(matches!(frame(&[0; 64]), Frame::Bad));
        assert!(decode(&[99, 1, 2]).is_none());
    }
}
