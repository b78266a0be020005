//! A receipt as a row: a column for what is listed or summed, JSON for the rest.

use crate::entity::receipt::{Column, Model};
use crate::error::Failure;
use crate::sql::{from_json, to_json};
use burncloud_core::store::StoreResult;
use burncloud_core::{
    AbortKind, Attempt, ChannelId, Dialect, End, KeyId, Leg, Line, LineKind, Nano, Operation, Picture,
    Receipt, ReceiptId, ServiceTier, TenantId, TraceId, UnixMicros, Usage, UsageSource, UserId,
};
use sea_orm::Value;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;

/// The columns, in the order in which [`write`] gives their values.
pub(super) const COLUMNS: [Column; 24] = [
    Column::Id,
    Column::At,
    Column::KeyId,
    Column::UserId,
    Column::TenantId,
    Column::ChannelId,
    Column::Model,
    Column::UpstreamModel,
    Column::Dialect,
    Column::Operation,
    Column::Status,
    Column::End,
    Column::Streamed,
    Column::Input,
    Column::CachedRead,
    Column::Output,
    Column::Reasoning,
    Column::Charge,
    Column::UpstreamCost,
    Column::FirstByteUs,
    Column::TookUs,
    Column::Entry,
    Column::Seal,
    Column::Rest,
];

/// The id as bytes whose order is its own.
pub(crate) fn id_bytes(id: ReceiptId) -> Vec<u8> {
    id.0.to_be_bytes().to_vec()
}

/// The values of one row, of a receipt that the entry of that number posts, in the link of that number.
pub(super) fn write(receipt: &Receipt, entry: Option<i64>, seal: Option<i64>) -> [Value; 24] {
    let usage = &receipt.usage;
    [
        id_bytes(receipt.id).into(),
        receipt.at.0.into(),
        receipt.key.0.into(),
        receipt.user.0.into(),
        receipt.tenant.0.into(),
        receipt.channel.map(|channel| channel.0).into(),
        (*receipt.model).into(),
        (*receipt.upstream_model).into(),
        receipt.dialect.as_str().into(),
        receipt.operation.as_str().into(),
        i32::from(receipt.status).into(),
        receipt.end.as_str().into(),
        receipt.streamed.into(),
        count(usage.input).into(),
        count(usage.cached_read).into(),
        count(usage.output).into(),
        count(usage.reasoning).into(),
        receipt.charge.0.into(),
        receipt.upstream_cost.0.into(),
        receipt.first_byte_us.map(i64::from).into(),
        count(receipt.took_us).into(),
        entry.into(),
        seal.into(),
        to_json(&Rest::of(receipt)).into(),
    ]
}

/// A count for a column; no provider counts 2⁶³ tokens, so one that says so is cut off there.
pub(super) fn count(units: u64) -> i64 {
    i64::try_from(units).unwrap_or(i64::MAX)
}

/// Reads a row back.
pub(crate) fn read(row: Model) -> StoreResult<Receipt> {
    let id = row.id.as_slice().try_into().map(u128::from_be_bytes).map(ReceiptId);
    let id = id.map_err(|_| damaged("?", "its id has not 16 bytes"))?;
    let name = id.to_string();
    let units = |stored: i64| u64::try_from(stored).map_err(|_| damaged(&name, "a count is negative"));
    let rest: Rest<'_> = from_json("receipt", &name, &row.rest)?;
    let usage = Usage {
        input: units(row.input)?,
        cached_read: units(row.cached_read)?,
        output: units(row.output)?,
        reasoning: units(row.reasoning)?,
        ..rest.usage.into()
    };
    let first_byte_us = row.first_byte_us.map(u32::try_from).transpose();
    Ok(Receipt {
        id,
        trace_id: rest.trace,
        at: UnixMicros(row.at),
        key: KeyId(row.key_id),
        user: UserId(row.user_id),
        tenant: TenantId(row.tenant_id),
        dialect: dialect(&row.dialect).ok_or_else(|| damaged(&name, "its dialect is unknown"))?,
        operation: Operation::parse(&row.operation)
            .ok_or_else(|| damaged(&name, "its operation is unknown"))?,
        model: row.model.into(),
        upstream_model: row.upstream_model.into(),
        channel: row.channel_id.map(ChannelId),
        upstream_request_id: rest.request.map(|id| id.into_owned().into_boxed_str()),
        streamed: row.streamed,
        status: u16::try_from(row.status).map_err(|_| damaged(&name, "its status is none"))?,
        end: End::parse(&row.end).ok_or_else(|| damaged(&name, "its end is unknown"))?,
        attempts: rest.tries.0.into_owned(),
        usage,
        usage_source: rest.source,
        price_version: rest.price,
        lines: rest.lines.0.into_owned(),
        reserved: rest.reserved,
        charge: Nano(row.charge),
        shortfall: rest.shortfall,
        legs: rest.legs.0.into_owned(),
        abort: rest.abort,
        upstream_cost: Nano(row.upstream_cost),
        first_byte_us: first_byte_us.map_err(|_| damaged(&name, "its first byte came at no time"))?,
        took_us: units(row.took_us)?,
        bytes_in: rest.bytes.0,
        bytes_out: rest.bytes.1,
    })
}

fn damaged(name: &str, why: &str) -> Failure {
    Failure::Damaged { what: "receipt", name: name.to_owned(), why: why.to_owned() }
}

fn dialect(name: &str) -> Option<Dialect> {
    use Dialect as D;
    [D::OpenAi, D::Anthropic, D::Gemini, D::Cohere, D::Bedrock].into_iter().find(|d| d.as_str() == name)
}

/// What has no column, under short names: bytes are what a row costs. What is missing is zero, empty or none.
#[derive(Serialize, Deserialize)]
struct Rest<'a> {
    trace: TraceId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    request: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Attempts::is_empty")]
    tries: Attempts<'a>,
    #[serde(flatten)]
    usage: OtherUsage,
    #[serde(default, skip_serializing_if = "is_default")]
    source: UsageSource,
    #[serde(default, skip_serializing_if = "is_default")]
    price: u64,
    #[serde(default, skip_serializing_if = "Lines::is_empty")]
    lines: Lines<'a>,
    #[serde(default, skip_serializing_if = "is_default")]
    reserved: Nano,
    #[serde(default, skip_serializing_if = "is_default")]
    shortfall: Nano,
    #[serde(default, skip_serializing_if = "Legs::is_empty")]
    legs: Legs<'a>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    abort: Option<AbortKind>,
    /// In, and out.
    bytes: (u64, u64),
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl<'a> Rest<'a> {
    fn of(receipt: &'a Receipt) -> Rest<'a> {
        Rest {
            trace: receipt.trace_id,
            request: receipt.upstream_request_id.as_deref().map(Cow::Borrowed),
            tries: Attempts(Cow::Borrowed(&receipt.attempts)),
            usage: receipt.usage.into(),
            source: receipt.usage_source,
            price: receipt.price_version,
            lines: Lines(Cow::Borrowed(&receipt.lines)),
            reserved: receipt.reserved,
            shortfall: receipt.shortfall,
            legs: Legs(Cow::Borrowed(&receipt.legs)),
            abort: receipt.abort,
            bytes: (receipt.bytes_in, receipt.bytes_out),
        }
    }
}

macro_rules! other_usage {
    ($($field:ident: $type:ty),* $(,)?) => {
        /// The classes of [`Usage`] without a column.
        #[derive(Serialize, Deserialize)]
        struct OtherUsage {
            $(#[serde(default, skip_serializing_if = "is_default")] $field: $type),*
        }

        impl From<Usage> for OtherUsage {
            fn from(usage: Usage) -> OtherUsage {
                OtherUsage { $($field: usage.$field),* }
            }
        }

        impl From<OtherUsage> for Usage {
            fn from(other: OtherUsage) -> Usage {
                Usage { $($field: other.$field,)* ..Usage::default() }
            }
        }
    };
}

other_usage! {
    cache_write_5m: u64,
    cache_write_1h: u64,
    audio_in: u64,
    audio_out: u64,
    image_in: u64,
    image_out: u64,
    pieces: u64,
    audio_ms: u64,
    video_ms: u64,
    web_searches: u64,
    file_searches: u64,
    code_sessions: u64,
    picture: Picture,
    tier: ServiceTier,
}

/// A list of `$item` as rows of values: a third of the bytes that names would take.
macro_rules! rows {
    ($(#[$doc:meta])* $list:ident of $item:ident { $($field:ident: $type:ty),* }) => {
        $(#[$doc])*
        #[derive(Default)]
        struct $list<'a>(Cow<'a, [$item]>);

        impl $list<'_> {
            fn is_empty(&self) -> bool {
                self.0.is_empty()
            }
        }

        impl Serialize for $list<'_> {
            fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.collect_seq(self.0.iter().map(|item| ($(&item.$field),*)))
            }
        }

        impl<'de> Deserialize<'de> for $list<'_> {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let rows = Vec::<($($type),*)>::deserialize(from)?;
                Ok($list(rows.into_iter().map(|($($field),*)| $item { $($field),* }).collect()))
            }
        }
    };
}

rows! {
    /// `[channel, status, took_us, error]`
    Attempts of Attempt { channel: ChannelId, status: Option<u16>, took_us: u32, error: Option<String> }
}
rows! {
    /// `[tenant, parent, charge, shortfall]`
    Legs of Leg { tenant: TenantId, parent: TenantId, charge: Nano, shortfall: Nano }
}
rows! {
    /// `[kind, units, price, amount]`
    Lines of Line { kind: LineKind, units: u64, price: Nano, amount: Nano }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burncloud_core::testing::receipt;

    #[test]
    fn ids_lie_in_the_order_of_time() {
        let mut ids = [u128::MAX, 1 << 80, 255, 256, 0].map(ReceiptId);
        ids.sort_by_key(|id| id_bytes(*id));
        assert!(ids.is_sorted());
    }

    #[test]
    fn a_plain_receipt_has_little_rest() {
        let plain = Receipt {
            attempts: vec![],
            lines: vec![],
            usage: Usage { input: 5, ..Usage::default() },
            upstream_request_id: None,
            price_version: 0,
            reserved: Nano(0),
            shortfall: Nano(0),
            legs: vec![],
            abort: None,
            ..receipt(1)
        };
        let rest = to_json(&Rest::of(&plain));
        let expected = concat!(
            r#"{"trace":"09090909090909090909090909090909","source":"estimated","#,
            r#""bytes":[77,6000000000]}"#
        );
        assert_eq!(rest, expected);
    }

    #[test]
    fn a_count_beyond_a_column_is_cut_off() {
        assert_eq!(count(u64::MAX), i64::MAX);
    }
}
