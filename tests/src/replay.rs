//! Reads recorded traffic of real providers from `../shared/fixtures`, where a checkout has it beside it.

use crate::http1::sse_frames;
use crate::upstream::{Behaviour, Canned};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// One recorded exchange.
#[derive(Clone, Debug)]
pub struct Fixture {
    /// The file, relative to the corpus.
    pub name: String,
    /// The whole file.
    pub data: Value,
}

impl Fixture {
    fn text(&self, pointer: &str) -> &str {
        self.data.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
    }

    /// Who was asked.
    #[must_use]
    pub fn provider(&self) -> &str {
        self.text("/provider")
    }

    /// The kind of endpoint, such as `chat`.
    #[must_use]
    pub fn api(&self) -> &str {
        self.text("/api")
    }

    /// The method.
    #[must_use]
    pub fn method(&self) -> &str {
        self.text("/endpoint").split(' ').next().unwrap_or_default()
    }

    /// The path without its query.
    #[must_use]
    pub fn path(&self) -> &str {
        self.text("/endpoint").split(' ').nth(1).unwrap_or_default()
    }

    /// The query without keys.
    #[must_use]
    pub fn query(&self) -> &str {
        self.text("/query")
    }

    /// Whether the answer was streamed.
    #[must_use]
    pub fn streamed(&self) -> bool {
        self.data["stream"] == true
    }

    /// The answer's status.
    ///
    /// # Panics
    ///
    /// When the file is not of its documented form.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.data["response"]["status"].as_u64().and_then(|status| status.try_into().ok()).expect("a status")
    }

    /// The request's headers that were kept.
    #[must_use]
    pub fn request_headers(&self) -> Vec<(String, String)> {
        headers(&self.data["request"]["headers"])
    }

    /// The answer's headers that were kept, without those of the transport.
    #[must_use]
    pub fn response_headers(&self) -> Vec<(String, String)> {
        let mut kept = headers(&self.data["response"]["headers"]);
        kept.retain(|(name, _)| {
            !["transfer-encoding", "content-length", "connection"].contains(&name.as_str())
        });
        kept
    }

    /// The request's body, as one serialisation of what was recorded parsed; `None` when there was none.
    ///
    /// # Panics
    ///
    /// When the file is not of its documented form.
    #[must_use]
    pub fn request_body(&self) -> Option<Vec<u8>> {
        match &self.data["request"]["body"] {
            Value::Null => None,
            Value::String(text) if self.data["request"]["body_encoding"] == "base64" => Some(unbase64(text)),
            Value::String(text) => Some(text.clone().into_bytes()),
            parsed => Some(parsed.to_string().into_bytes()),
        }
    }

    /// The answer's body, byte for byte.
    #[must_use]
    pub fn response_body(&self) -> Vec<u8> {
        let text = self.text("/response/body");
        if self.data["response"]["body_encoding"] == "base64" {
            unbase64(text)
        } else {
            text.as_bytes().to_vec()
        }
    }

    /// The recorded answer for [`crate::upstream::Upstream`], streams cut at their events.
    #[must_use]
    pub fn answer(&self) -> Behaviour {
        let body = self.response_body();
        let frames = if self.streamed() { sse_frames(&body) } else { vec![body] };
        Behaviour::Canned(Box::new(Canned {
            status: self.status(),
            headers: self.response_headers(),
            frames,
            chunked: self.streamed(),
        }))
    }

    /// The model asked for, in the body, in a multipart field, or in the path; empty when none is named.
    #[must_use]
    pub fn model(&self) -> String {
        if let Some(model) = self.data.pointer("/request/body/model").and_then(Value::as_str) {
            return model.to_owned();
        }
        if let Some((_, tail)) = self.path().split_once("/models/") {
            return tail.split(':').next().unwrap_or_default().to_owned();
        }
        let body = self.request_body().unwrap_or_default();
        let text = String::from_utf8_lossy(&body);
        text.split_once("name=\"model\"\r\n\r\n")
            .map_or_else(String::new, |(_, tail)| tail.split("\r\n").next().unwrap_or_default().to_owned())
    }

    /// Every JSON document of the answer: the body itself, the elements of a streamed array, or each event's data.
    #[must_use]
    pub fn documents(&self) -> Vec<Value> {
        let body = self.response_body();
        match serde_json::from_slice(&body) {
            Ok(Value::Array(elements)) => return elements,
            Ok(document) => return vec![document],
            Err(_) => {}
        }
        let text = String::from_utf8_lossy(&body);
        let data = text.lines().filter_map(|line| line.strip_prefix("data:"));
        data.filter_map(|data| serde_json::from_str(data.trim()).ok()).collect()
    }
}

fn headers(map: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let pairs = map.as_object().into_iter().flatten();
    pairs.map(|(name, value)| (name.to_ascii_lowercase(), text(value))).collect()
}

fn unbase64(text: &str) -> Vec<u8> {
    let value = |byte: u8| -> Option<u32> {
        Some(match byte {
            b'A'..=b'Z' => u32::from(byte - b'A'),
            b'a'..=b'z' => u32::from(byte - b'a') + 26,
            b'0'..=b'9' => u32::from(byte - b'0') + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        })
    };
    let mut out = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut held) = (0u32, 0);
    for digit in text.bytes().filter_map(value) {
        bits = (bits << 6) | digit;
        held += 6;
        if held >= 8 {
            held -= 8;
            out.push(u8::try_from((bits >> held) & 0xff).expect("masked to a byte"));
        }
    }
    out
}

/// Where the corpus lies, if it does.
#[must_use]
pub fn corpus() -> Option<PathBuf> {
    let path = crate::root().parent()?.join("shared/fixtures/corpus");
    path.is_dir().then_some(path)
}

/// Every exchange of the corpus, in the order of their names.
///
/// # Panics
///
/// When a file cannot be read or is not JSON.
#[must_use]
pub fn read(corpus: &Path) -> Vec<Fixture> {
    let mut files = Vec::new();
    let mut folders = vec![corpus.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("the corpus is readable") {
            let path = entry.expect("the corpus is readable").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "json") {
                files.push(path);
            }
        }
    }
    files.sort();
    let fixture = |path: &PathBuf| {
        let name = path.strip_prefix(corpus).expect("found below it").display().to_string();
        let bytes = std::fs::read(path).expect("the corpus is readable");
        Fixture {
            data: serde_json::from_slice(&bytes).unwrap_or_else(|error| panic!("{name}: {error}")),
            name,
        }
    };
    files.iter().map(fixture).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_alphabets_of_base64_are_read() {
        assert_eq!(unbase64("aGk/"), b"hi?");
        assert_eq!(unbase64("aGk_"), b"hi?");
        assert_eq!(unbase64("aGk="), b"hi");
    }
}
