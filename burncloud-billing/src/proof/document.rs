//! The two documents of a receipt, written straight into a buffer that is used again.
//!
//! The structs declare their fields in the order of their names, which is what makes the text canonical. What is zero or
//! missing is left out, so a later version can add fields and leave old documents as they are. Numbers above 2⁶³ − 1 are
//! cut off there, as they are by stores.

use super::{Hash, VERSION, sha256};
use burncloud_core::{
    AbortKind, Attempt, ChannelId, Dialect, End, KeyId, Leg, Line, LineKind, Nano, Operation, Quality,
    Receipt, ServiceTier, TenantId, UnixMicros, Usage, UsageSource, UserId,
};
use serde::{Serialize, Serializer};

/// Writes documents, with buffers of its own that are used again.
#[derive(Debug, Default)]
pub struct Documents {
    public: Vec<u8>,
    private: Vec<u8>,
}

impl Documents {
    /// Writes both documents of a receipt; `salt` goes into the private one.
    pub fn write(&mut self, receipt: &Receipt, salt: &[u8; 16]) {
        write(&mut self.public, &Public::of(receipt));
        write(&mut self.private, &Private::of(receipt, salt));
    }

    /// What its owner may see, as written last: UTF-8.
    #[must_use]
    pub fn public(&self) -> &[u8] {
        &self.public
    }

    /// What only the operator may see, as written last: UTF-8.
    #[must_use]
    pub fn private(&self) -> &[u8] {
        &self.private
    }

    /// The [`leaf`](super::leaf) of both.
    #[must_use]
    pub fn leaf(&self) -> Hash {
        super::leaf(&sha256(&[&self.public]), &sha256(&[&self.private]))
    }

    /// SHA-256 of the private one.
    #[must_use]
    pub fn private_hash(&self) -> Hash {
        sha256(&[&self.private])
    }
}

fn write(buffer: &mut Vec<u8>, document: &impl Serialize) {
    buffer.clear();
    serde_json::to_writer(buffer, document).expect("plain structs go into memory");
}

/// Hexadecimal digits on the stack.
struct Text<const N: usize>([u8; N]);

impl<const N: usize> Serialize for Text<N> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(std::str::from_utf8(&self.0).unwrap_or_default())
    }
}

/// Cut off at what every language and database holds.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn count<S: Serializer>(units: &u64, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_u64((*units).min(i64::MAX.unsigned_abs()))
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn zero(units: &u64) -> bool {
    *units == 0
}

#[derive(Serialize)]
struct Public<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    abort: Option<AbortKind>,
    at: UnixMicros,
    #[serde(serialize_with = "count")]
    bytes_in: u64,
    #[serde(serialize_with = "count")]
    bytes_out: u64,
    charge: Nano,
    dialect: Dialect,
    end: End,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_byte_us: Option<u32>,
    id: Text<35>,
    key: KeyId,
    lines: Items<'a, Line>,
    model: &'a str,
    operation: Operation,
    price_version: u64,
    reserved: Nano,
    shortfall: Nano,
    status: u16,
    streamed: bool,
    tenant: TenantId,
    #[serde(serialize_with = "count")]
    took_us: u64,
    trace_id: Text<32>,
    usage: Used,
    usage_source: UsageSource,
    user: UserId,
    version: u32,
}

impl<'a> Public<'a> {
    fn of(receipt: &'a Receipt) -> Public<'a> {
        Public {
            abort: receipt.abort,
            at: receipt.at,
            bytes_in: receipt.bytes_in,
            bytes_out: receipt.bytes_out,
            charge: receipt.charge,
            dialect: receipt.dialect,
            end: receipt.end,
            first_byte_us: receipt.first_byte_us,
            id: Text(receipt.id.text()),
            key: receipt.key,
            lines: Items(&receipt.lines),
            model: &receipt.model,
            operation: receipt.operation,
            price_version: receipt.price_version,
            reserved: receipt.reserved,
            shortfall: receipt.shortfall,
            status: receipt.status,
            streamed: receipt.streamed,
            tenant: receipt.tenant,
            took_us: receipt.took_us,
            trace_id: Text(receipt.trace_id.hex()),
            usage: Used::of(&receipt.usage),
            usage_source: receipt.usage_source,
            user: receipt.user,
            version: VERSION,
        }
    }
}

#[derive(Serialize)]
struct Private<'a> {
    attempts: Items<'a, Attempt>,
    #[serde(skip_serializing_if = "Option::is_none")]
    channel: Option<ChannelId>,
    id: Text<35>,
    legs: Items<'a, Leg>,
    salt: Text<32>,
    upstream_cost: Nano,
    upstream_model: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    upstream_request_id: Option<&'a str>,
}

impl<'a> Private<'a> {
    fn of(receipt: &'a Receipt, salt: &[u8; 16]) -> Private<'a> {
        Private {
            attempts: Items(&receipt.attempts),
            channel: receipt.channel,
            id: Text(receipt.id.text()),
            legs: Items(&receipt.legs),
            salt: Text(burncloud_core::TraceId(*salt).hex()),
            upstream_cost: receipt.upstream_cost,
            upstream_model: &receipt.upstream_model,
            upstream_request_id: receipt.upstream_request_id.as_deref(),
        }
    }
}

/// A list whose items have a document of their own.
struct Items<'a, T>(&'a [T]);

trait Item {
    type Document<'a>: Serialize
    where
        Self: 'a;
    fn document(&self) -> Self::Document<'_>;
}

impl<T: Item> Serialize for Items<'_, T> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(self.0.iter().map(T::document))
    }
}

#[derive(Serialize)]
struct LineDocument {
    amount: Nano,
    kind: LineKind,
    price: Nano,
    #[serde(serialize_with = "count")]
    units: u64,
}

impl Item for Line {
    type Document<'a> = LineDocument;

    fn document(&self) -> LineDocument {
        let Line { kind, units, price, amount } = *self;
        LineDocument { amount, kind, price, units }
    }
}

#[derive(Serialize)]
struct LegDocument {
    charge: Nano,
    parent: TenantId,
    shortfall: Nano,
    tenant: TenantId,
}

impl Item for Leg {
    type Document<'a> = LegDocument;

    fn document(&self) -> LegDocument {
        let Leg { tenant, parent, charge, shortfall } = *self;
        LegDocument { charge, parent, shortfall, tenant }
    }
}

#[derive(Serialize)]
struct AttemptDocument<'a> {
    channel: ChannelId,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    took_us: u32,
}

impl Item for Attempt {
    type Document<'a> = AttemptDocument<'a>;

    fn document(&self) -> AttemptDocument<'_> {
        let Attempt { channel, status, error, took_us } = self;
        AttemptDocument { channel: *channel, error: error.as_deref(), status: *status, took_us: *took_us }
    }
}

macro_rules! used {
    ($($name:ident: $type:ty = $skip:literal),* $(,)?) => {
        /// The classes that are not zero.
        #[derive(Serialize)]
        struct Used {
            $(#[serde(skip_serializing_if = $skip)] $name: $type),*
        }
    };
}

/// A count of one class.
#[derive(Clone, Copy)]
struct Units(u64);

impl Serialize for Units {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        count(&self.0, to)
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn none(units: &Units) -> bool {
    zero(&units.0)
}

fn plain<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

#[derive(Default, PartialEq, Serialize)]
struct Picture {
    height: u16,
    quality: Quality,
    width: u16,
}

used! {
    audio_in: Units = "none",
    audio_ms: Units = "none",
    audio_out: Units = "none",
    cache_write_1h: Units = "none",
    cache_write_5m: Units = "none",
    cached_read: Units = "none",
    code_sessions: Units = "none",
    file_searches: Units = "none",
    image_in: Units = "none",
    image_out: Units = "none",
    input: Units = "none",
    output: Units = "none",
    picture: Picture = "plain",
    pieces: Units = "none",
    reasoning: Units = "none",
    tier: ServiceTier = "plain",
    video_ms: Units = "none",
    web_searches: Units = "none",
}

impl Used {
    /// Names every field, so that a class that is added is not forgotten here.
    fn of(usage: &Usage) -> Used {
        let Usage {
            input,
            cached_read,
            cache_write_5m,
            cache_write_1h,
            output,
            reasoning,
            audio_in,
            audio_out,
            image_in,
            image_out,
            pieces,
            audio_ms,
            video_ms,
            web_searches,
            file_searches,
            code_sessions,
            picture: burncloud_core::Picture { width, height, quality },
            tier,
        } = *usage;
        Used {
            audio_in: Units(audio_in),
            audio_ms: Units(audio_ms),
            audio_out: Units(audio_out),
            cache_write_1h: Units(cache_write_1h),
            cache_write_5m: Units(cache_write_5m),
            cached_read: Units(cached_read),
            code_sessions: Units(code_sessions),
            file_searches: Units(file_searches),
            image_in: Units(image_in),
            image_out: Units(image_out),
            input: Units(input),
            output: Units(output),
            picture: Picture { height, quality, width },
            pieces: Units(pieces),
            reasoning: Units(reasoning),
            tier,
            video_ms: Units(video_ms),
            web_searches: Units(web_searches),
        }
    }
}
