//! The example of `docs/translation.md` is what happens.

use burncloud_adapters::registry;
use burncloud_core::adapter::AdaptAsk;
use burncloud_core::{Dialect, Endpoint, Operation};
use bytes::Bytes;
use serde_json::Value;

#[test]
fn the_example_is_true() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/translation.md");
    let Ok(text) = std::fs::read_to_string(file) else { return };
    let example = text.split("### An example").nth(1).expect("the page has an example");
    let mut blocks =
        example.split("```json\n").skip(1).map(|rest| rest.split("```").next().unwrap_or_default());
    let (asked, sent) = (blocks.next().expect("the request"), blocks.next().expect("what it becomes"));
    let registry = registry();
    let openai = registry.get("openai").expect("it is built in");
    let adapted = openai
        .adapt(&AdaptAsk {
            endpoint: &Endpoint {
                dialect: Dialect::Anthropic,
                operation: Operation::Messages,
                ..Endpoint::default()
            },
            path: "/v1/messages",
            query: None,
            headers: &http::HeaderMap::new(),
            body: &Bytes::copy_from_slice(asked.as_bytes()),
            upstream_model: "gpt-4o-mini",
            model: "fast",
            streamed: false,
            include_usage: true,
        })
        .expect("it can be translated");
    let have: Value = serde_json::from_slice(&adapted.body).expect("JSON");
    let want: Value = serde_json::from_str(sent).expect("JSON");
    assert_eq!(have, want);
    assert_eq!(adapted.dropped, ["top_k"]);
}
