//! Recorded requests for providers of every other format.

use super::essence::{essence, forgive};
use super::{Exchange, Tally, exchanges};
use crate::translate::test_kit::differences;
use crate::translate::{Conversation, Format, Notes, Profile, adapt, codec, leave_out_foreign};
use burncloud_core::adapter::{AdaptAsk, Adapted};
use burncloud_core::{Endpoint, Error};
use bytes::Bytes;
use http::HeaderMap;
use serde_json::{Map, Value};

/// A provider that requests are written for.
struct Provider {
    format: Format,
    model: &'static str,
    profile: Profile,
}

/// Those whose models differ in what they take.
fn providers() -> Vec<Provider> {
    let copy = Profile { genuine: false, ..Profile::GENUINE };
    let provider = |format, model, profile| Provider { format, model, profile };
    vec![
        provider(Format::Chat, "gpt-5.2", Profile::GENUINE),
        provider(Format::Chat, "llama-4", copy),
        provider(Format::Responses, "gpt-5.2", Profile::GENUINE),
        provider(Format::Messages, "claude-3-5-haiku-20241022", Profile::GENUINE),
        provider(Format::Messages, "claude-sonnet-4-5", Profile::GENUINE),
        provider(Format::Messages, "claude-opus-5", Profile::GENUINE),
        provider(Format::Gemini, "gemini-2.5-flash", Profile::GENUINE),
        provider(Format::Gemini, "gemini-3-flash", Profile::GENUINE),
        provider(Format::Cohere, "command-a-03-2025", Profile::GENUINE),
        provider(Format::Converse, "us.anthropic.claude-sonnet-4-5-20250929-v1:0", Profile::GENUINE),
        provider(Format::Converse, "amazon.nova-pro-v1:0", Profile::GENUINE),
    ]
}

fn adapted(exchange: &Exchange, body: &Map<String, Value>, to: &Provider) -> Result<Adapted, Error> {
    let streamed = exchange.recording.streamed;
    let endpoint = Endpoint {
        dialect: exchange.from.dialect(),
        operation: exchange.from.operation(streamed),
        ..Endpoint::default()
    };
    let ask = AdaptAsk {
        endpoint: &endpoint,
        path: "/",
        query: None,
        headers: &HeaderMap::new(),
        body: &Bytes::from(serde_json::to_vec(body).unwrap()),
        upstream_model: to.model,
        model: "asked",
        streamed,
    };
    adapt(&ask, to.format, &to.profile)
}

fn read(format: Format, body: Map<String, Value>) -> Conversation {
    codec(format).unwrap().read_request(body, &mut Notes::new(format)).unwrap()
}

/// The part of a refusal that says why.
fn reason(error: &Error) -> String {
    let text = error.message().to_owned();
    text
}

#[test]
fn recorded_requests_say_the_same_in_every_format() {
    let (mut made, mut refused, mut lost, mut wrong) = Default::default();
    let _: (&mut Tally, &mut Tally, &mut Tally, &mut Tally) = (&mut made, &mut refused, &mut lost, &mut wrong);
    for exchange in exchanges() {
        let Some(body) = &exchange.recording.request else { continue };
        for to in providers().iter().filter(|to| to.format != exchange.from) {
            let pair = format!("{} -> {}", exchange.from.as_str(), to.format.as_str());
            let adapted = match adapted(&exchange, body, to) {
                Ok(adapted) => adapted,
                Err(error) => {
                    assert_eq!(error.status(), 400, "{} {pair}: {error:?}", exchange.name());
                    refused.add(format!("{pair}: {}", reason(&error)));
                    continue;
                }
            };
            made.add(&pair);
            let dropped: Vec<String> = adapted.dropped.iter().map(|name| name.to_string()).collect();
            dropped.iter().for_each(|name| lost.add(format!("{pair}: {name}")));
            let mut notes = Notes::new(exchange.from);
            let mut before = codec(exchange.from).unwrap().read_request(body.clone(), &mut notes).unwrap();
            before.from = Some(exchange.from);
            leave_out_foreign(&mut before, to.format, &mut notes).unwrap();
            let written: Map<String, Value> = serde_json::from_slice(&adapted.body).unwrap();
            let after = read(to.format, written);
            let (mut before, mut after) = (essence(&before), essence(&after));
            forgive(&mut before, &mut after, &dropped, exchange.from);
            for found in differences(&before, &after) {
                wrong.add(format!("{pair} {}: {}: {found}", to.model, exchange.name()));
            }
        }
    }
    made.show("requests written");
    refused.show("refused");
    lost.show("recorded as left out");
    wrong.show("wrong");
    assert!(wrong.0.is_empty());
}
