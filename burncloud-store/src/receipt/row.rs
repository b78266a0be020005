//! A receipt as a row: a column for what is listed or summed, JSON for the rest.

use crate::entity::receipt::{Column, Model};
use crate::error::Failure;
use crate::sql::{from_json, to_json};
use burncloud_core::store::StoreResult;
use burncloud_core::{
    Attempt, ChannelId, Dialect, End, KeyId, Line, LineKind, Nano, Operation, Receipt, ReceiptId,
    ServiceTier, TenantId, TraceId, UnixMicros, Usage, UsageSource, UserId,
};
use sea_orm::Value;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;

/// The columns, in the order in which [`write`] gives their values.
pub(super) const COLUMNS: [Column; 22] = [
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
    Column::Rest,
];

/// The id as bytes whose order is its own.
pub(super) fn id_bytes(id: ReceiptId) -> Vec<u8> {
    id.0.to_be_bytes().to_vec()
}

/// The values of one row.
pub(super) fn write(receipt: &Receipt) -> [Value; 22] {
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
        to_json(&Rest::of(receipt)).into(),
    ]
}

/// A count for a column; no provider counts 2⁶³ tokens, so one that says so is cut off there.
fn count(units: u64) -> i64 {
    i64::try_from(units).unwrap_or(i64::MAX)
}

/// Reads a row back.
pub(super) fn read(row: Model) -> StoreResult<Receipt> {
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
        trace_id: rest.trace_id,
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
        upstream_request_id: rest.upstream_request_id.map(|id| id.into_owned().into_boxed_str()),
        streamed: row.streamed,
        status: u16::try_from(row.status).map_err(|_| damaged(&name, "its status is none"))?,
        end: End::parse(&row.end).ok_or_else(|| damaged(&name, "its end is unknown"))?,
        attempts: rest.attempts.into_owned(),
        usage,
        usage_source: rest.usage_source,
        price_version: rest.price_version,
        lines: rest.lines.0.into_owned(),
        reserved: rest.reserved,
        charge: Nano(row.charge),
        shortfall: rest.shortfall,
        upstream_cost: Nano(row.upstream_cost),
        first_byte_us: first_byte_us.map_err(|_| damaged(&name, "its first byte came at no time"))?,
        took_us: units(row.took_us)?,
        bytes_in: rest.bytes_in,
        bytes_out: rest.bytes_out,
    })
}

fn damaged(name: &str, why: &str) -> Failure {
    Failure::Damaged { what: "receipt", name: name.to_owned(), why: why.to_owned() }
}

fn dialect(name: &str) -> Option<Dialect> {
    use Dialect as D;
    [D::OpenAi, D::Anthropic, D::Gemini, D::Cohere, D::Bedrock].into_iter().find(|d| d.as_str() == name)
}

/// What has no column. What is missing is zero, empty or none: most receipts have little of it.
#[derive(Serialize, Deserialize)]
struct Rest<'a> {
    trace_id: TraceId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    upstream_request_id: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "is_empty")]
    attempts: Cow<'a, [Attempt]>,
    #[serde(flatten)]
    usage: OtherUsage,
    usage_source: UsageSource,
    #[serde(default, skip_serializing_if = "is_default")]
    price_version: u64,
    #[serde(default, skip_serializing_if = "Lines::is_empty")]
    lines: Lines<'a>,
    #[serde(default, skip_serializing_if = "is_default")]
    reserved: Nano,
    #[serde(default, skip_serializing_if = "is_default")]
    shortfall: Nano,
    bytes_in: u64,
    bytes_out: u64,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

fn is_empty(attempts: &Cow<'_, [Attempt]>) -> bool {
    attempts.is_empty()
}

impl<'a> Rest<'a> {
    fn of(receipt: &'a Receipt) -> Rest<'a> {
        Rest {
            trace_id: receipt.trace_id,
            upstream_request_id: receipt.upstream_request_id.as_deref().map(Cow::Borrowed),
            attempts: Cow::Borrowed(&receipt.attempts),
            usage: receipt.usage.into(),
            usage_source: receipt.usage_source,
            price_version: receipt.price_version,
            lines: Lines(Cow::Borrowed(&receipt.lines)),
            reserved: receipt.reserved,
            shortfall: receipt.shortfall,
            bytes_in: receipt.bytes_in,
            bytes_out: receipt.bytes_out,
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
    tier: ServiceTier,
}

/// Lines as `[kind, units, price, amount]`: a third of the bytes that names would take.
#[derive(Default)]
struct Lines<'a>(Cow<'a, [Line]>);

impl Lines<'_> {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Serialize for Lines<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(self.0.iter().map(|line| (line.kind, line.units, line.price, line.amount)))
    }
}

impl<'de> Deserialize<'de> for Lines<'_> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let lines = Vec::<(LineKind, u64, Nano, Nano)>::deserialize(from)?;
        let line = |(kind, units, price, amount)| Line { kind, units, price, amount };
        Ok(Lines(lines.into_iter().map(line).collect()))
    }
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
            ..receipt(1)
        };
        let rest = to_json(&Rest::of(&plain));
        let expected = concat!(
            r#"{"trace_id":"09090909090909090909090909090909","usage_source":"estimated","#,
            r#""bytes_in":77,"bytes_out":6000000000}"#
        );
        assert_eq!(rest, expected);
    }

    #[test]
    fn a_count_beyond_a_column_is_cut_off() {
        assert_eq!(count(u64::MAX), i64::MAX);
    }
}
