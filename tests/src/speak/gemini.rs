//! Google AI Studio: generateContent, streamGenerateContent, countTokens, embeddings, models.

use super::{PIECES, Spoken, calls_tool, usage};
use crate::upstream::Recorded;
use serde_json::{Value, json};

pub(super) fn answer(request: &Recorded, report: bool) -> Spoken {
    let body = request.json();
    match request.path().rsplit(':').next().unwrap_or_default() {
        "generateContent" => {
            Spoken::json(200, &chunk(request, &parts(&body, &PIECES.concat()), Some("STOP"), report))
        }
        "streamGenerateContent" => stream(request, &body, report),
        "countTokens" => Spoken::json(200, &json!({"totalTokens": 12})),
        "embedContent" => Spoken::json(200, &json!({"embedding": {"values": [0.5, -1.0]}})),
        "batchEmbedContents" => Spoken::json(200, &json!({"embeddings": [{"values": [0.5, -1.0]}]})),
        _ => super::error(request, 404),
    }
}

fn parts(body: &Value, text: &str) -> Value {
    if calls_tool(body) {
        let name = body["tools"].pointer("/0/functionDeclarations/0/name");
        json!([{"functionCall": {"name": name, "args": {"city": "Paris"}}, "thoughtSignature": "bWFkZSB1cA=="}])
    } else {
        json!([{"text": text}])
    }
}

fn chunk(request: &Recorded, parts: &Value, finish: Option<&str>, report: bool) -> Value {
    let mut candidate = json!({"content": {"parts": parts, "role": "model"}, "index": 0});
    if let Some(finish) = finish {
        candidate["finishReason"] = json!(finish);
    }
    let mut chunk = json!({"candidates": [candidate]});
    if report {
        chunk["usageMetadata"] = json!({
            "promptTokenCount": usage::INPUT + usage::CACHED,
            "cachedContentTokenCount": usage::CACHED,
            "candidatesTokenCount": usage::OUTPUT,
            "thoughtsTokenCount": usage::REASONING,
            "totalTokenCount": usage::INPUT + usage::CACHED + usage::OUTPUT + usage::REASONING,
            "promptTokensDetails": [{"modality": "TEXT", "tokenCount": usage::INPUT + usage::CACHED}],
        });
    }
    chunk["modelVersion"] = json!(request.model());
    chunk["responseId"] = json!("resp-made-up");
    chunk
}

fn stream(request: &Recorded, body: &Value, report: bool) -> Spoken {
    let chunks: Vec<Value> = if calls_tool(body) {
        vec![chunk(request, &parts(body, ""), Some("STOP"), report)]
    } else {
        let last = PIECES.len() - 1;
        let piece = |(index, text): (usize, &&str)| {
            chunk(request, &json!([{"text": text}]), (index == last).then_some("STOP"), report)
        };
        PIECES.iter().enumerate().map(piece).collect()
    };
    if request.target.contains("alt=sse") {
        return Spoken::events(chunks.iter().map(|chunk| format!("data: {chunk}\r\n\r\n")).collect());
    }
    // Without `alt=sse` the stream is one JSON array, cut between its elements.
    let mut spoken = Spoken::new(200, "application/json", Vec::new());
    let texts = chunks.iter().enumerate().map(|(index, chunk)| {
        let open = if index == 0 { "[" } else { ",\r\n" };
        let close = if index + 1 == chunks.len() { "\n]" } else { "" };
        format!("{open}{chunk}{close}").into_bytes()
    });
    spoken.frames = texts.collect();
    spoken.streamed = true;
    spoken
}
