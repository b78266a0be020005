//! AWS's signature (version 4), as a caller makes it with a key of this gateway.
//!
//! Keys are stored as hashes, so what AWS's SDKs sign with is derived from the hash: the access key id is its name,
//! the secret a code over it under a key that only the store has. Whoever reads the database alone can sign nothing.
//!
//! The canonical request is botocore's for every service but S3: the path as it stands on the wire, encoded once more.

use crate::KeyHash;
use crate::id::UnixMicros;
use hmac::{Hmac, KeyInit, Mac};
use http::header::{AUTHORIZATION, HOST};
use http::{HeaderMap, Request};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;

/// What an access key id of this gateway begins with.
const PREFIX: &str = "BC";
const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const ALGORITHM: &str = "AWS4-HMAC-SHA256";
/// How far a caller's clock may be off, in seconds: what AWS allows.
const SKEW_S: i64 = 300;
/// The longest list of signed headers that is looked at.
const HEADERS_LIMIT: usize = 64;

impl KeyHash {
    /// The AWS access key id that stands for the key: `BC` and 52 letters and digits. No secret.
    #[must_use]
    pub fn access_key_id(&self) -> String {
        let mut text = String::with_capacity(PREFIX.len() + 52);
        text.push_str(PREFIX);
        let (mut bits, mut count) = (0u32, 0);
        for byte in self.0 {
            bits = (bits << 8) | u32::from(byte);
            count += 8;
            while count >= 5 {
                count -= 5;
                text.push(char::from(BASE32[(bits >> count) as usize & 31]));
            }
        }
        text.push(char::from(BASE32[(bits << (5 - count)) as usize & 31]));
        text
    }

    /// The key that an access key id stands for; `None` for one that this gateway never made.
    #[must_use]
    pub fn from_access_key_id(text: &str) -> Option<KeyHash> {
        let (mut bits, mut count, mut at) = (0u32, 0, 0);
        let mut hash = KeyHash([0; 32]);
        for letter in text.strip_prefix(PREFIX)?.bytes() {
            let value = BASE32.iter().position(|known| *known == letter)?;
            bits = (bits << 5) | u32::try_from(value).ok()?;
            count += 5;
            if count >= 8 {
                count -= 8;
                *hash.0.get_mut(at)? = (bits >> count & 255) as u8;
                at += 1;
            }
        }
        // One hash has one name: the four bits left over are none.
        (at == 32 && hash.access_key_id() == text).then_some(hash)
    }

    /// The AWS secret access key that goes with it, in hexadecimal digits: for stores, from a key that only they
    /// have.
    #[must_use]
    pub fn signing_secret(&self, master: &[u8; 32]) -> SecretString {
        hex(&hmac(master, &[b"sigv4", self.0.as_slice()].concat())).into()
    }
}

fn hmac(key: &[u8], text: &[u8]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("any length is a key");
    mac.update(text);
    mac.finalize().into_bytes().into()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    let digits: Vec<u8> = text.chars().map(|c| c.to_digit(16)?.try_into().ok()).collect::<Option<_>>()?;
    let bytes: Vec<u8> =
        digits.chunks(2).map(|pair| pair.iter().fold(0, |n, digit| n << 4 | digit)).collect();
    (digits.len() == 64).then(|| bytes.try_into().ok())?
}

/// Why a signature is refused before it is computed, in AWS's words for the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// A part is missing or has no sense.
    Incomplete,
    /// The access key id is none of this gateway's.
    Unknown,
    /// The date is too far from now.
    Stale,
}

/// A signature that came with a request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Signature {
    pub(crate) key: KeyHash,
    /// `20260131T235959Z`.
    at: String,
    region: String,
    service: String,
    headers: Vec<String>,
    signature: [u8; 32],
}

/// Whether the request is signed at all.
pub(crate) fn is_signed(headers: &HeaderMap) -> bool {
    headers.get(AUTHORIZATION).is_some_and(|value| value.as_bytes().starts_with(ALGORITHM.as_bytes()))
}

impl Signature {
    /// What the headers say. The body is not needed for it.
    pub(crate) fn read(headers: &HeaderMap, now: UnixMicros) -> Result<Signature, Refusal> {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let fields = text("authorization").and_then(|value| value.strip_prefix(ALGORITHM));
        let fields = fields.ok_or(Refusal::Incomplete)?;
        let field = |name: &str| {
            let fields = fields.split(',').filter_map(|field| field.trim().split_once('='));
            fields.into_iter().find(|(key, _)| *key == name).map(|(_, value)| value)
        };
        let parts = field("Credential").zip(field("SignedHeaders")).zip(field("Signature"));
        let ((credential, names), signature) = parts.ok_or(Refusal::Incomplete)?;
        let [id, date, region, service, "aws4_request"] = credential.split('/').collect::<Vec<_>>()[..]
        else {
            return Err(Refusal::Incomplete);
        };
        // A session of AWS's own is none of ours.
        let key = KeyHash::from_access_key_id(id).filter(|_| text("x-amz-security-token").is_none());
        let key = key.ok_or(Refusal::Unknown)?;
        let at = text("x-amz-date").ok_or(Refusal::Incomplete)?;
        let seconds = seconds(at).filter(|_| at.starts_with(date)).ok_or(Refusal::Incomplete)?;
        if (now.0.div_euclid(1_000_000) - seconds).abs() > SKEW_S {
            return Err(Refusal::Stale);
        }
        let headers: Vec<String> = names.split(';').map(str::to_ascii_lowercase).collect();
        let holds = |name: &str| headers.iter().any(|header| header == name);
        if !holds("host") || !holds("x-amz-date") || headers.len() > HEADERS_LIMIT || service != "bedrock" {
            return Err(Refusal::Incomplete);
        }
        let signature = unhex(signature).ok_or(Refusal::Incomplete)?;
        Ok(Signature {
            key,
            at: at.into(),
            region: region.into(),
            service: service.into(),
            headers,
            signature,
        })
    }

    /// Whether it was made with this secret over this request. Takes as long whatever differs.
    pub(crate) fn fits<B>(&self, secret: &SecretString, request: &Request<B>, body: &[u8]) -> bool {
        let date = &self.at[..8];
        let scope = format!("{date}/{}/{}/aws4_request", self.region, self.service);
        let hashed = hex(&Sha256::digest(self.canonical(request, body)));
        let mut key = format!("AWS4{}", secret.expose_secret()).into_bytes();
        for part in [date, &self.region, &self.service, "aws4_request"] {
            key = hmac(&key, part.as_bytes()).to_vec();
        }
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).expect("any length is a key");
        mac.update(format!("{ALGORITHM}\n{}\n{scope}\n{hashed}", self.at).as_bytes());
        let body_is_named = request
            .headers()
            .get("x-amz-content-sha256")
            .is_none_or(|value| value.as_bytes() == hex(&Sha256::digest(body)).as_bytes());
        mac.verify_slice(&self.signature).is_ok() && body_is_named
    }

    fn canonical<B>(&self, request: &Request<B>, body: &[u8]) -> String {
        let uri = request.uri();
        let mut text = format!("{}\n", request.method());
        encode(uri.path(), &mut text);
        text.push('\n');
        let mut query: Vec<(&str, &str)> = uri
            .query()
            .unwrap_or_default()
            .split('&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
            .collect();
        query.sort_unstable();
        for (index, (name, value)) in query.into_iter().enumerate() {
            let _ = write!(text, "{}{name}={value}", if index > 0 { "&" } else { "" });
        }
        text.push('\n');
        for name in &self.headers {
            let _ = writeln!(text, "{name}:{}", value(request, name));
        }
        let _ = write!(text, "\n{}\n{}", self.headers.join(";"), hex(&Sha256::digest(body)));
        text
    }
}

/// A header's values as they are signed: trimmed, inner runs of spaces as one.
fn value<B>(request: &Request<B>, name: &str) -> String {
    let values = request.headers().get_all(name).iter();
    let values: Vec<String> = values
        .map(|value| {
            String::from_utf8_lossy(value.as_bytes()).split_whitespace().collect::<Vec<_>>().join(" ")
        })
        .collect();
    match request.uri().authority() {
        // HTTP/2 names the host beside the headers.
        Some(authority) if values.is_empty() && name == HOST => authority.as_str().to_owned(),
        _ => values.join(","),
    }
}

fn encode(path: &str, out: &mut String) {
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
}

/// `20260131T235959Z` in seconds since 1970.
fn seconds(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    if bytes.len() != 16 || bytes[8] != b'T' || bytes[15] != b'Z' {
        return None;
    }
    let number = |from: usize, to: usize| {
        let digits = &bytes[from..to];
        digits
            .iter()
            .all(u8::is_ascii_digit)
            .then(|| digits.iter().fold(0, |n, d| n * 10 + i64::from(d - b'0')))
    };
    let (year, month, day) = (number(0, 4)?, number(4, 6)?, number(6, 8)?);
    let (hour, minute, second) = (number(9, 11)?, number(11, 13)?, number(13, 15)?);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    // Days since 1970, counted in years that begin in March.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = year * 365 + year.div_euclid(4) - year.div_euclid(100)
        + year.div_euclid(400)
        + (153 * month + 2) / 5
        + day
        - 719_469;
    Some(days * 86_400 + hour * 3600 + minute * 60 + second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_access_key_id_is_the_hash() {
        for hash in [KeyHash::of(b"sk-1"), KeyHash([0; 32]), KeyHash([255; 32])] {
            let id = hash.access_key_id();
            assert!(id.len() == 54 && id.starts_with("BC"), "{id}");
            assert_eq!(KeyHash::from_access_key_id(&id), Some(hash));
            for wrong in
                [&id[2..], &id[..53], &format!("{id}A"), &id.to_lowercase(), &format!("{}B", &id[..53])]
            {
                assert_eq!(KeyHash::from_access_key_id(wrong), None, "{wrong}");
            }
        }
        let secrets: Vec<String> =
            [(KeyHash([1; 32]), [1; 32]), (KeyHash([1; 32]), [2; 32]), (KeyHash([2; 32]), [1; 32])]
                .map(|(hash, master)| hash.signing_secret(&master).expose_secret().to_owned())
                .into();
        assert!(secrets[0].len() == 64 && secrets[0] != secrets[1] && secrets[0] != secrets[2]);
    }

    #[test]
    fn moments() {
        assert_eq!(seconds("19700101T000000Z"), Some(0));
        assert_eq!(seconds("20240229T123456Z"), Some(1_709_210_096));
        assert_eq!(seconds("21000301T000000Z"), Some(4_107_542_400));
        for wrong in ["", "20240229T1234560", "2024-02-29T12:34", "20241301T000000Z", "２0240101T0000Z"] {
            assert_eq!(seconds(wrong), None, "{wrong}");
        }
    }

    /// `get-vanilla-query-order-key` of AWS's published test suite, its service and key replaced by ours: the parts
    /// that do not depend on them are compared with the published canonical request.
    #[test]
    fn the_canonical_request_is_the_published_one() {
        let request = Request::get("/?Param-3=Value3&Param=Value2&%E1%88%B4=Value1")
            .header("host", "example.amazonaws.com")
            .header("x-amz-date", "20150830T123600Z")
            .header("my-header1", " a   b  c ")
            .body(())
            .unwrap();
        let signature = Signature {
            key: KeyHash([0; 32]),
            at: "20150830T123600Z".into(),
            region: "us-east-1".into(),
            service: "bedrock".into(),
            headers: ["host", "my-header1", "x-amz-date"].map(Into::into).into(),
            signature: [0; 32],
        };
        let expect = "GET\n/\n%E1%88%B4=Value1&Param=Value2&Param-3=Value3\nhost:example.amazonaws.com\n\
                      my-header1:a b c\nx-amz-date:20150830T123600Z\n\nhost;my-header1;x-amz-date\n\
                      e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(signature.canonical(&request, b""), expect);
        let model = Request::get("/model/a%3A0/converse").body(()).unwrap();
        assert!(signature.canonical(&model, b"").starts_with("GET\n/model/a%253A0/converse\n"));
    }

    /// `get-vanilla` of AWS's published test suite, with the key and signature given there.
    #[test]
    fn the_signature_is_the_published_one() {
        let request = Request::get("/")
            .header("host", "example.amazonaws.com")
            .header("x-amz-date", "20150830T123600Z")
            .body(())
            .unwrap();
        let mut signature = Signature {
            key: KeyHash([0; 32]),
            at: "20150830T123600Z".into(),
            region: "us-east-1".into(),
            service: "service".into(),
            headers: ["host", "x-amz-date"].map(Into::into).into(),
            signature: unhex("5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31").unwrap(),
        };
        let secret = SecretString::from("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
        assert!(signature.fits(&secret, &request, b""));
        assert!(!signature.fits(&secret, &request, b"x"));
        assert!(!signature.fits(&SecretString::from("other"), &request, b""));
        signature.region = "us-west-2".into();
        assert!(!signature.fits(&secret, &request, b""));
    }

    #[test]
    fn what_has_no_sense_is_refused() {
        let id = KeyHash::of(b"sk-1").access_key_id();
        let now = UnixMicros(seconds("20260101T000000Z").unwrap() * 1_000_000);
        let read = |credential: &str, date: &str, extra: &str| {
            let text = format!(
                "{ALGORITHM} Credential={credential}, SignedHeaders={extra}, Signature={}",
                "ab".repeat(32)
            );
            let mut headers = HeaderMap::new();
            headers.insert(AUTHORIZATION, text.parse().unwrap());
            headers.insert("x-amz-date", date.parse().unwrap());
            Signature::read(&headers, now).map(|s| s.key)
        };
        let scope = |service: &str| format!("{id}/20260101/us-east-1/{service}/aws4_request");
        let signed = "host;x-amz-date";
        assert_eq!(read(&scope("bedrock"), "20260101T000459Z", signed), Ok(KeyHash::of(b"sk-1")));
        assert_eq!(read(&scope("bedrock"), "20260101T000501Z", signed), Err(Refusal::Stale));
        assert_eq!(read(&scope("s3"), "20260101T000000Z", signed), Err(Refusal::Incomplete));
        assert_eq!(read(&scope("bedrock"), "20260101T000000Z", "x-amz-date"), Err(Refusal::Incomplete));
        assert_eq!(read(&scope("bedrock"), "20260102T000000Z", signed), Err(Refusal::Incomplete));
        let aws = "AKIAIOSFODNN7EXAMPLE/20260101/us-east-1/bedrock/aws4_request";
        assert_eq!(read(aws, "20260101T000000Z", signed), Err(Refusal::Unknown));
        assert_eq!(read("x", "20260101T000000Z", signed), Err(Refusal::Incomplete));
    }
}
