//! Signatures in a field that Google's SDKs take for bytes.

use super::super::{Origin, Signature, Thinking};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// What Gemini 3 takes instead of the signature of a call that it did not make.
pub(super) const UNSIGNED: &str = "skip_thought_signature_validator";

/// Another provider's encrypted thoughts, rather than the signature of thoughts.
const REDACTED: &str = "redacted.";

/// Base64 in the standard alphabet, padded, of Base64 in either.
pub(super) fn standard(text: &str) -> String {
    let mut out: String = text
        .chars()
        .map(|letter| match letter {
            '-' => '+',
            '_' => '/',
            other => other,
        })
        .collect();
    let odd = out.trim_end_matches('=').len() % 4;
    if !out.ends_with('=') && odd > 1 {
        out.extend(std::iter::repeat_n('=', 4 - odd));
    }
    out
}

/// What stands in `thoughtSignature`, and whether it is encrypted thoughts.
pub(super) fn read(text: &str) -> (Signature, bool) {
    // Words that Google takes in the place of a signature are no Base64.
    if matches!(text, UNSIGNED | "context_engineering_is_the_way_to_go") {
        return (Signature::new(Origin::Google, text), false);
    }
    let text = standard(text);
    let marked = STANDARD.decode(&text).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    if let Some(marked) = marked {
        let (field, redacted) = match marked.strip_prefix(REDACTED) {
            Some(field) => (field, true),
            None => (marked.as_str(), false),
        };
        let signature = Signature::from_field(field, Origin::Google);
        if signature.origin != Origin::Google {
            return (signature, redacted);
        }
    }
    (Signature::new(Origin::Google, text), false)
}

/// A caller's `thoughtSignature`.
pub(super) fn write(signature: &Signature, redacted: bool) -> String {
    if signature.origin == Origin::Google {
        return signature.value.clone();
    }
    let mark = if redacted { REDACTED } else { "" };
    STANDARD.encode(format!("{mark}{}", signature.to_field(Origin::Google)))
}

/// The same for thoughts.
pub(super) fn write_thinking(thinking: &Thinking) -> Option<String> {
    thinking.signature.as_ref().map(|signature| write(signature, thinking.redacted))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn googles_own_stay_and_others_come_back() {
        let own = read("_-8").0;
        assert_eq!((own.origin, own.value.as_str()), (Origin::Google, "/+8="));
        assert_eq!(write(&own, false), "/+8=");
        assert_eq!(read(UNSIGNED).0.value, UNSIGNED);
        for redacted in [false, true] {
            let foreign =
                Signature { origin: Origin::OpenAi, id: Some("rs_1".into()), value: "gAAA_-".into() };
            let field = write(&foreign, redacted);
            assert!(STANDARD.decode(&field).is_ok());
            assert_eq!(read(&field), (foreign.clone(), redacted));
            // The SDK sends bytes back in the other alphabet.
            let sent = field.replace('+', "-").replace('/', "_");
            assert_eq!(read(&sent), (foreign, redacted));
        }
    }
}
