//! A provider's words, made fit to be shown: short, on one line, without any secret.

use http::HeaderValue;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use std::fmt;

/// How much of a provider's own text is shown, in characters.
const QUOTE: usize = 300;
/// So many bytes of a secret in a row are taken for it; a shorter secret must be there whole.
const WINDOW: usize = 8;
/// Shorter texts are no secret: to mask them would mask words.
const LEAST: usize = 4;

/// What must not be shown.
pub(super) struct Secrets(Vec<Vec<u8>>);

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secrets")
    }
}

impl Secrets {
    /// A credential's. Of one in JSON the members whose names say so, of any other all of it.
    pub(super) fn of(credential: &SecretString) -> Secrets {
        let text = credential.expose_secret().trim();
        let mut secrets = Secrets(Vec::new());
        match serde_json::from_str::<Value>(text) {
            Ok(Value::Object(members)) => {
                let secret = |name: &str| {
                    let name = name.to_ascii_lowercase();
                    ["key", "secret", "token", "password"].iter().any(|word| name.contains(word))
                        && !name.ends_with("uri")
                        && !name.ends_with("url")
                };
                let found = members.iter().filter(|(name, _)| secret(name));
                found
                    .filter_map(|(_, value)| value.as_str())
                    .for_each(|value| secrets.push(value.as_bytes()));
            }
            _ => secrets.push(text.as_bytes()),
        }
        secrets
    }

    /// And what was sent.
    pub(super) fn add(&mut self, value: &HeaderValue) {
        let bytes = value.as_bytes();
        let scheme = bytes.get(..7).is_some_and(|start| start.eq_ignore_ascii_case(b"bearer "));
        self.push(if scheme { &bytes[7..] } else { bytes });
    }

    fn push(&mut self, secret: &[u8]) {
        if secret.len() >= LEAST && !self.0.iter().any(|known| known == secret) {
            self.0.push(secret.to_vec());
        }
    }

    /// The bytes of `text` that are part of a secret.
    fn marks(&self, text: &[u8]) -> Vec<bool> {
        let mut marks = vec![false; text.len()];
        for secret in &self.0 {
            let length = secret.len().min(WINDOW);
            for (at, window) in text.windows(length).enumerate() {
                if secret.windows(length).any(|part| part == window) {
                    marks[at..at + length].fill(true);
                }
            }
        }
        marks
    }

    /// Whether a whole one stands there. Short ones do not count: they may be words.
    pub(super) fn is_in(&self, text: &str) -> bool {
        let long = |secret: &&Vec<u8>| secret.len() >= WINDOW;
        self.0
            .iter()
            .filter(long)
            .any(|secret| text.as_bytes().windows(secret.len()).any(|w| w == &secret[..]))
    }

    /// On one line, secrets masked, cut to so many characters.
    pub(super) fn tidy(&self, text: &str, most: usize) -> String {
        let words: Vec<&str> =
            text.split(|c: char| c.is_whitespace() || is_invisible(c)).filter(|w| !w.is_empty()).collect();
        // Enough to mask whatever begins within what is shown.
        let line: String = words.join(" ").chars().take(most * 4).collect();
        let marks = self.marks(line.as_bytes());
        let mut out = String::new();
        let mut masking = false;
        for (at, letter) in line.char_indices() {
            let masked = marks[at];
            if !masked {
                out.push(letter);
            } else if !masking {
                out.push('…');
            }
            masking = masked;
        }
        match out.char_indices().nth(most) {
            Some((end, _)) => format!("{}…", out[..end].trim_end().trim_end_matches('…')),
            None => out,
        }
    }

    /// What an answer says; nothing where it is a page for a browser, or empty.
    pub(super) fn quote(&self, body: &[u8]) -> Option<String> {
        let said = match serde_json::from_slice::<Value>(body) {
            Ok(json) => said(&json)?,
            Err(_) => {
                let text = String::from_utf8_lossy(&body[..body.len().min(8 * QUOTE)]).into_owned();
                Some(text).filter(|text| !text.trim_start().starts_with('<'))?
            }
        };
        Some(self.tidy(&said, QUOTE - 1)).filter(|text| !text.is_empty())
    }
}

/// Control characters, and those that turn the writing around or hide it.
fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// The text of an error, wherever providers put it.
fn said(json: &Value) -> Option<String> {
    let json = json.as_array().and_then(|all| all.first()).unwrap_or(json);
    let pointers = [
        "/error/message",
        "/message",
        "/Message",
        "/error_description",
        "/error",
        "/detail",
        "/errors/0/message",
    ];
    pointers.iter().find_map(|pointer| json.pointer(pointer)?.as_str()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secrets(text: &str) -> Secrets {
        Secrets::of(&SecretString::from(text))
    }

    #[test]
    fn no_part_of_a_credential_is_quoted() {
        let secrets = secrets("sk-proj-0123456789abcdef");
        for said in [
            "bad key sk-proj-0123456789abcdef!",
            "bad key sk-proj-01234!",
            "bad key 89abcdef!",
            "bad key\u{1b}[31m  sk-proj-0123456789abcdef!\r\n",
        ] {
            let shown = secrets.tidy(said, 100);
            assert!(shown.starts_with("bad key") && shown.ends_with("…!"), "{shown}");
            assert!(
                !shown.contains("0123") && !shown.contains("89ab") && !shown.contains('\u{1b}'),
                "{shown}"
            );
        }
        assert_eq!(secrets.tidy("sk-proj is no key", 100), "sk-proj is no key");
    }

    #[test]
    fn a_credential_across_the_cut_does_not_show() {
        let secrets = secrets("sk-proj-0123456789abcdef");
        let shown = secrets.tidy(&format!("{}sk-proj-0123456789abcdef and more", "x".repeat(90)), 95);
        assert!(!shown.contains("sk-p") && shown.chars().count() <= 96, "{shown}");
    }

    #[test]
    fn of_json_only_what_is_secret() {
        let secrets = secrets(
            r#"{"private_key":"-----BEGIN KEY-----\nABCDEFGHIJ","token_uri":"https://oauth2.example/token","project_id":"p"}"#,
        );
        assert_eq!(secrets.tidy("https://oauth2.example/token", 100), "https://oauth2.example/token");
        assert_eq!(secrets.tidy("it was ABCDEFGHIJ", 100), "it was …");
    }

    #[test]
    fn what_was_sent_is_masked_too() {
        let mut secrets = secrets("{}");
        secrets.add(&HeaderValue::from_static("Bearer ya29.minted-token"));
        assert_eq!(secrets.tidy("no: ya29.minted-token", 100), "no: …");
        assert!(secrets.is_in("ya29.minted-token") && !secrets.is_in("gpt-5"));
    }

    #[test]
    fn errors_are_found_wherever_they_stand() {
        let secrets = secrets("");
        for body in [
            r#"{"error":{"message":"no"}}"#,
            r#"[{"error":{"message":"no"}}]"#,
            r#"{"message":"no"}"#,
            r#"{"error":"no"}"#,
            "no\n",
        ] {
            assert_eq!(secrets.quote(body.as_bytes()).as_deref(), Some("no"), "{body}");
        }
        for body in ["<html>no", "{\"a\":1}", "", "\n"] {
            assert_eq!(secrets.quote(body.as_bytes()), None, "{body}");
        }
        let long = secrets.quote("é".repeat(10_000).as_bytes()).unwrap();
        assert_eq!(long.chars().count(), 300);
    }
}
