//! What is measured: the cells of the table and the bodies that they send.

use std::fmt::Write;

use serde::Serialize;

/// The model that callers ask for; the gateway maps it, so that the name is spliced into every body.
pub(crate) const MODEL: &str = "fast";
/// The model of the paced stream as callers name it.
pub(crate) const PACED_MODEL: &str = "fast-paced";
/// How the upstream knows that the paced stream is asked for: by the caller's name or by the one it is mapped to.
pub(crate) const PACED_MARKS: [&str; 2] = ["\"fast-paced\"", "\"gpt-4o\""];

/// One row of the table.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Cell {
    /// Its name on the command line.
    pub(crate) id: &'static str,
    /// Its name in the table.
    pub(crate) title: &'static str,
    /// Connections, each with one request at a time.
    pub(crate) connections: usize,
    /// Bytes of the request's body.
    pub(crate) body_bytes: usize,
    /// Whether a stream is asked for.
    pub(crate) stream: bool,
    /// Whether the stream comes paced, so that latency per chunk is measured.
    pub(crate) paced: bool,
    /// Whether the gateway's callers speak Anthropic's dialect, so that it must translate. The floor cannot, and gets the
    /// same conversation in the upstream's own.
    pub(crate) translated: bool,
    /// CPU per request, at most so many times the floor's; for a paced stream: added microseconds per chunk.
    pub(crate) goal: f64,
}

/// Every cell, in the order of the table.
pub(crate) const CELLS: [Cell; 6] = [
    Cell {
        id: "chat",
        title: "chat, 1 KB × 16",
        connections: 16,
        body_bytes: 1024,
        stream: false,
        paced: false,
        translated: false,
        goal: 1.5,
    },
    Cell {
        id: "stream",
        title: "stream of 64 chunks × 16",
        connections: 16,
        body_bytes: 1024,
        stream: true,
        paced: false,
        translated: false,
        goal: 0.5,
    },
    Cell {
        id: "large",
        title: "chat, 100 KB × 8",
        connections: 8,
        body_bytes: 100 * 1024,
        stream: false,
        paced: false,
        translated: false,
        goal: 1.5,
    },
    Cell {
        id: "paced",
        title: "paced stream × 16",
        connections: 16,
        body_bytes: 1024,
        stream: true,
        paced: true,
        translated: false,
        goal: 50.0,
    },
    Cell {
        id: "translated-chat",
        title: "chat, 1 KB × 16, translated",
        connections: 16,
        body_bytes: 1024,
        stream: false,
        paced: false,
        translated: true,
        goal: 2.0,
    },
    Cell {
        id: "translated-stream",
        title: "stream of 64 chunks × 16, translated",
        connections: 16,
        body_bytes: 1024,
        stream: true,
        paced: false,
        translated: true,
        goal: 1.0,
    },
];

impl Cell {
    /// The model that the cell asks for.
    pub(crate) fn model(&self) -> &'static str {
        if self.paced { PACED_MODEL } else { MODEL }
    }
}

/// A chat request of exactly `bytes` bytes (or the least that a request takes): a conversation in turns, with line
/// breaks and quotes in its text.
pub(crate) fn chat_body(bytes: usize, model: &str, stream: bool) -> Vec<u8> {
    let options = if stream { r#""stream":true,"stream_options":{"include_usage":true},"# } else { "" };
    let head = format!(
        r#"{{"model":"{model}",{options}"temperature":0.7,"max_tokens":256,"messages":[{{"role":"system","content":"You are a terse engineer."}},"#
    );
    conversation(head, bytes)
}

/// The same in Anthropic's dialect.
pub(crate) fn messages_body(bytes: usize, model: &str, stream: bool) -> Vec<u8> {
    let options = if stream { r#""stream":true,"# } else { "" };
    let head = format!(
        r#"{{"model":"{model}",{options}"temperature":0.7,"max_tokens":256,"system":"You are a terse engineer.","messages":["#
    );
    conversation(head, bytes)
}

fn conversation(head: String, bytes: usize) -> Vec<u8> {
    const TURN: &str = r#"Write a function that splits a line at \"commas\", but not inside quotes.\nKeep it short, name each part for what it is, and say in one sentence what happens to an empty field. "#;
    const TURNS_OF: usize = 1500;
    let mut body = head;
    let mut role = "user";
    loop {
        let frame = format!(r#"{{"role":"{role}","content":""}}]}}"#).len();
        let left = bytes.saturating_sub(body.len() + frame);
        // The last turn takes what is left, so that the length is exact.
        let last = left < 2 * TURNS_OF;
        let mut text = String::new();
        let wanted = if last { left } else { TURNS_OF };
        while text.len() + TURN.len() <= wanted {
            text.push_str(TURN);
        }
        text.extend(std::iter::repeat_n('.', wanted - text.len()));
        let _ = write!(body, r#"{{"role":"{role}","content":"{text}"}}"#);
        if last {
            body.push_str("]}");
            return body.into_bytes();
        }
        body.push(',');
        role = if role == "user" { "assistant" } else { "user" };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_are_json_of_the_length_asked_for() {
        for cell in CELLS {
            for make in [chat_body, messages_body] {
                let body = make(cell.body_bytes, cell.model(), cell.stream);
                assert_eq!(body.len(), cell.body_bytes, "{}", cell.id);
                let value: serde_json::Value = serde_json::from_slice(&body).unwrap();
                assert_eq!(value["model"], cell.model());
                assert_eq!(value["stream"].as_bool().unwrap_or(false), cell.stream);
                assert!(value["messages"].as_array().is_some_and(|m| !m.is_empty()));
            }
        }
    }
}
