//! Bedrock's callers of InvokeModel with Anthropic's bodies (the SDK's `AnthropicBedrock`) before any provider.
//!
//! Their request is a message in Bedrock's envelope. It is taken out of it, translated like any other, and the answer,
//! once it is Anthropic's, is put into Bedrock's frames. Bodies of other makers are refused: their shapes are their own.

use super::codec::Profile;
use super::{Format, adapt};
use crate::anthropic::bedrock as envelope;
use burncloud_core::adapter::{AdaptAsk, Adapted, chain};
use burncloud_core::{Endpoint, Error};

/// Whether these are such callers, and the provider needs their request translated.
pub(super) fn takes(endpoint: &Endpoint, to: Format) -> bool {
    envelope::takes(endpoint) && to != Format::Converse
}

/// The message in the provider's format.
pub(super) fn adapt_invoke(ask: &AdaptAsk<'_>, to: Format, profile: &Profile) -> Result<Adapted, Error> {
    let message = envelope::adapt(ask)?;
    if to == Format::Messages {
        return Ok(message);
    }
    let inner = AdaptAsk {
        endpoint: &message.endpoint,
        path: &message.path,
        query: None,
        headers: &message.headers,
        body: &message.body,
        ..*ask
    };
    let mut said = adapt(&inner, to, profile)?;
    said.answer = match (said.answer.take(), message.answer) {
        (Some(first), Some(then)) => Some(chain(first, then)),
        (one, other) => one.or(other),
    };
    Ok(said)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::endpoint;
    use crate::wire::event_stream::Decoder;
    use base64::Engine;
    use bytes::{Bytes, BytesMut};
    use http::{HeaderMap, Response};
    use serde_json::Value;

    const BODY: &str = r#"{"anthropic_version":"bedrock-2023-05-31","max_tokens":9,"messages":[{"role":"user","content":"hi"}]}"#;

    fn adapted(path: &str, streamed: bool, body: &'static str) -> Result<Adapted, Error> {
        let ask = AdaptAsk {
            endpoint: &endpoint(path),
            path,
            query: None,
            headers: &HeaderMap::new(),
            body: &Bytes::from_static(body.as_bytes()),
            upstream_model: "gpt-up",
            model: "m",
            streamed,
            include_usage: true,
        };
        adapt(&ask, Format::Chat, &Profile::GENUINE)
    }

    fn answered(adapted: Adapted, kind: &str, body: &str) -> (http::response::Parts, BytesMut) {
        let mut answer = adapted.answer.unwrap();
        let (mut head, ()) = Response::builder().header("content-type", kind).body(()).unwrap().into_parts();
        let mut out = BytesMut::new();
        answer.head(&mut head);
        answer.data(body.as_bytes(), &mut out).unwrap();
        answer.finish(&mut out).unwrap();
        (head, out)
    }

    #[test]
    fn a_message_in_bedrocks_envelope_reaches_openai_and_its_answer_comes_back_in_one() {
        let whole = adapted("/model/m/invoke", false, BODY).unwrap();
        let request: Value = serde_json::from_slice(&whole.body).unwrap();
        assert_eq!((&request["model"], &request["messages"][0]["content"]), (&"gpt-up".into(), &"hi".into()));
        assert!(whole.dropped.is_empty(), "{:?}", whole.dropped);
        let chat = r#"{"id":"c","object":"chat.completion","created":1,"model":"x","choices":[{"index":0,"message":{"role":"assistant","content":"ho"},"finish_reason":"stop"}]}"#;
        let (_, out) = answered(whole, "application/json", chat);
        let message: Value = serde_json::from_slice(&out).unwrap();
        assert_eq!((&message["type"], &message["content"][0]["text"]), (&"message".into(), &"ho".into()));
    }

    #[test]
    fn a_stream_comes_back_in_frames() {
        let stream = adapted("/model/m/invoke-with-response-stream", true, BODY).unwrap();
        let chunk = |delta: &str, end: &str| {
            format!(
                "data: {{\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"x\",\"choices\":[{{\"index\":0,\"delta\":{delta},\"finish_reason\":{end}}}]}}\n\n"
            )
        };
        let body = [
            chunk(r#"{"role":"assistant","content":"ho"}"#, "null"),
            chunk("{}", "\"stop\""),
            "data: [DONE]\n\n".to_owned(),
        ];
        let (head, out) = answered(stream, "text/event-stream", &body.concat());
        assert_eq!(head.headers["content-type"], "application/vnd.amazon.eventstream");
        let mut decoder = Decoder::default();
        decoder.push(&out);
        let mut types = Vec::new();
        while let Some(message) = decoder.next().unwrap() {
            assert_eq!(message.name, "chunk");
            let frame: Value = serde_json::from_slice(&message.payload).unwrap();
            let event =
                base64::engine::general_purpose::STANDARD.decode(frame["bytes"].as_str().unwrap()).unwrap();
            let event: Value = serde_json::from_slice(&event).unwrap();
            types.push(event["type"].as_str().unwrap().to_owned());
        }
        assert_eq!(
            (types.first().map(String::as_str), types.last().map(String::as_str)),
            (Some("message_start"), Some("message_stop"))
        );
    }

    #[test]
    fn bodies_of_other_makers_are_refused() {
        let error = adapted("/model/m/invoke", false, r#"{"inputText":"hi"}"#).unwrap_err();
        assert_eq!(error.status().as_u16(), 400);
        assert!(error.message().contains("anthropic_version"));
    }
}
