//! Identifiers.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::{SystemTime, UNIX_EPOCH};

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}

ids! {
    /// A channel: one upstream account at one provider.
    ChannelId
    /// An API key.
    KeyId
    /// A user: whoever owns keys and pays from a balance.
    UserId
    /// A tenant: whoever users belong to.
    TenantId
}

/// Microseconds since the Unix epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UnixMicros(pub i64);

impl UnixMicros {
    /// The wall clock.
    #[must_use]
    pub fn now() -> UnixMicros {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        UnixMicros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
    }
}

/// A receipt's identity: unique in the world, increasing in time.
///
/// 48 bits of Unix milliseconds, 48 bits drawn once per process, 32 bits of a counter. It is never taken
/// from the caller (a trace id is), so that nobody can make two requests collide into one bill.
/// Shown as `rc_` and 32 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReceiptId(pub u128);

impl ReceiptId {
    /// A new one, for a request that arrived `at`.
    #[must_use]
    pub fn new(at: UnixMicros) -> ReceiptId {
        static COUNTER: AtomicU32 = AtomicU32::new(0);
        static PROCESS: std::sync::OnceLock<u64> = std::sync::OnceLock::new();
        let process = PROCESS.get_or_init(|| crate::random::u64() & 0xffff_ffff_ffff);
        let ms = u128::from((at.0 / 1000).unsigned_abs()) & 0xffff_ffff_ffff;
        ReceiptId((ms << 80) | (u128::from(*process) << 32) | u128::from(COUNTER.fetch_add(1, Relaxed)))
    }

    /// Reads the shown form back.
    #[must_use]
    pub fn parse(text: &str) -> Option<ReceiptId> {
        let hex = text.strip_prefix("rc_").filter(|h| h.len() == 32 && !h.starts_with('+'))?;
        u128::from_str_radix(hex, 16).ok().map(ReceiptId)
    }

    /// The shown form, without an allocation.
    #[must_use]
    pub fn text(self) -> [u8; 35] {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut out = *b"rc_00000000000000000000000000000000";
        for (pair, byte) in out[3..].chunks_exact_mut(2).zip(self.0.to_be_bytes()) {
            pair[0] = DIGITS[usize::from(byte >> 4)];
            pair[1] = DIGITS[usize::from(byte & 15)];
        }
        out
    }

    /// When the request arrived, to the millisecond.
    #[must_use]
    pub fn at(self) -> UnixMicros {
        let ms = i64::try_from(self.0 >> 80).unwrap_or(i64::MAX / 1000);
        UnixMicros(ms * 1000)
    }
}

impl fmt::Display for ReceiptId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(std::str::from_utf8(&self.text()).unwrap_or_default())
    }
}

impl fmt::Debug for ReceiptId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A W3C trace id, 16 bytes, shown as 32 hexadecimal digits.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct TraceId(pub [u8; 16]);

impl TraceId {
    /// A random one.
    #[must_use]
    pub fn random() -> TraceId {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&crate::random::u64().to_le_bytes());
        bytes[8..].copy_from_slice(&crate::random::u64().to_le_bytes());
        TraceId(bytes)
    }

    /// The 32 hexadecimal digits.
    #[must_use]
    pub fn hex(&self) -> [u8; 32] {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut out = [0; 32];
        for (i, byte) in self.0.iter().enumerate() {
            out[2 * i] = DIGITS[usize::from(byte >> 4)];
            out[2 * i + 1] = DIGITS[usize::from(byte & 15)];
        }
        out
    }

    /// Reads 32 hexadecimal digits; `None` for another shape or all zeros.
    #[must_use]
    pub fn from_hex(hex: &[u8]) -> Option<TraceId> {
        let text = std::str::from_utf8(hex).ok().filter(|t| t.len() == 32 && !t.starts_with('+'))?;
        let n = u128::from_str_radix(text, 16).ok().filter(|n| *n != 0)?;
        Some(TraceId(n.to_be_bytes()))
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(std::str::from_utf8(&self.hex()).unwrap_or_default())
    }
}

impl fmt::Debug for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for ReceiptId {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ReceiptId {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        ReceiptId::parse(&text).ok_or_else(|| serde::de::Error::custom("not a ReceiptId"))
    }
}

impl Serialize for TraceId {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(std::str::from_utf8(&self.hex()).unwrap_or_default())
    }
}

impl<'de> Deserialize<'de> for TraceId {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        TraceId::from_hex(text.as_bytes()).ok_or_else(|| serde::de::Error::custom("not a TraceId"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn receipt_ids_are_unique_ordered_and_read_back() {
        let a = ReceiptId::new(UnixMicros(1_000_000));
        let b = ReceiptId::new(UnixMicros(2_000_000));
        assert!(a < b && ReceiptId::new(UnixMicros(1_000_000)) != a);
        assert_eq!(ReceiptId::parse(&a.to_string()), Some(a));
        assert_eq!(ReceiptId::parse("rc_1"), None);
        assert_eq!(ReceiptId::parse("rc_+0000000000000000000000000000001"), None);
        assert_eq!(ReceiptId(0xab).to_string(), format!("rc_{:032x}", 0xab));
        assert_eq!((a.at(), b.at()), (UnixMicros(1_000_000), UnixMicros(2_000_000)));
    }

    #[test]
    fn trace_ids_read_back() {
        let id = TraceId::random();
        assert_eq!(TraceId::from_hex(&id.hex()), Some(id));
        assert_eq!(TraceId::from_hex(&[b'0'; 32]), None);
        assert_eq!(TraceId::from_hex(b"xyz"), None);
    }
}
