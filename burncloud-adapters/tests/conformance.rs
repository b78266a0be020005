//! Every adapter of the registry, held to the suite; and readers under streams that are cut anywhere.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use burncloud_adapters::testing::{Answer, conforms, endpoint, read};
use burncloud_core::adapter::{Adapter, Reading, TargetAsk, Terminal};
use burncloud_core::{Picture, Quality, ServiceTier, Usage};
use proptest::prelude::*;

const CHAT: &str = concat!(
    "data: {\"choices\":[{\"delta\":{\"content\":\"\\\"usage\\\":{\\\"prompt_tokens\\\":9}\"}}],\"usage\":null}\n\n",
    ": a comment\r\n\r\n",
    "data: {\"choices\":[{\"delta\":{\"tool\":{\"usage\":{\"prompt_tokens\":8}}},\"finish_reason\":\"stop\"}]}\n\n",
    "data: {\"service_tier\":\"default\",\"choices\":[],\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":2,\"total_tokens\":7,\"prompt_tokens_details\":{\"cached_tokens\":3}}}\n\n",
    "data: [DONE]\n\n",
);
const CHAT_USAGE: Usage = Usage { input: 2, cached_read: 3, output: 2, ..NOTHING };

const MESSAGES: &str = concat!(
    "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"usage\":{\"input_tokens\":5,\"cache_read_input_tokens\":3,\"output_tokens\":1}}}\n\n",
    "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"content_block\":{\"input\":{\"usage\":{\"output_tokens\":9}}}}\n\n",
    "event: ping\ndata: {\"type\": \"ping\"}\n\n",
    "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{},\"usage\":{\"output_tokens\":6}  }\n\n",
    "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
);
const MESSAGES_USAGE: Usage = Usage { input: 5, cached_read: 3, output: 6, ..NOTHING };

const CONTENT: &str = concat!(
    "data: {\"candidates\": [{\"content\": {\"parts\": [{\"functionCall\": {\"args\": {\"usageMetadata\": {\"promptTokenCount\": 1}}}}]}}],\"usageMetadata\": {\"promptTokenCount\": 5}}\r\n\r\n",
    "data: {\"candidates\": [{\"finishReason\": \"STOP\"}],\"usageMetadata\": {\"promptTokenCount\": 5,\"candidatesTokenCount\": 2,\"thoughtsTokenCount\": 4}}\r\n\r\n",
);
const CONTENT_USAGE: Usage = Usage { input: 5, output: 2, reasoning: 4, ..NOTHING };

const COHERE: &str = concat!(
    "event: message-start\ndata: {\"id\":\"a\",\"type\":\"message-start\",\"delta\":{\"message\":{\"role\":\"assistant\"}}}\n\n",
    "event: content-delta\ndata: {\"type\":\"content-delta\",\"index\":0,\"delta\":{\"message\":{\"content\":{\"text\":\"\\\"usage\\\":{}\"}}}}\n\n",
    "event: message-end\ndata: {\"type\":\"message-end\",\"delta\":{\"finish_reason\":\"COMPLETE\",\"usage\":{\"billed_units\":{\"input_tokens\":4,\"output_tokens\":8},\"tokens\":{\"input_tokens\":64,\"output_tokens\":9},\"cached_tokens\":32}}}\n\n",
    "data: [DONE]\n\n",
);
const COHERE_USAGE: Usage = Usage { input: 4, output: 8, ..NOTHING };

const NOTHING: Usage = Usage {
    input: 0,
    cached_read: 0,
    cache_write_5m: 0,
    cache_write_1h: 0,
    output: 0,
    reasoning: 0,
    audio_in: 0,
    audio_out: 0,
    image_in: 0,
    image_out: 0,
    pieces: 0,
    audio_ms: 0,
    video_ms: 0,
    web_searches: 0,
    file_searches: 0,
    code_sessions: 0,
    picture: Picture { width: 0, height: 0, quality: Quality::Unstated },
    tier: ServiceTier::Standard,
};

fn answer(path: &'static str, body: &'static str, usage: Usage) -> Answer {
    let reading = Reading { usage: Some(usage), terminal: Terminal::Complete, ..Reading::default() };
    Answer { path, streamed: true, body: body.into(), reading }
}

const CONVERSE: &str = r#"{"metrics":{"latencyMs":5},"output":{"message":{"content":[{"toolUse":{"input":{"usage":{"inputTokens":9}}}}]}},"stopReason":"tool_use","usage":{"inputTokens":5,"outputTokens":2,"totalTokens":18,"cacheReadInputTokens":3,"cacheWriteInputTokens":8,"cacheDetails":[{"inputTokens":6,"ttl":"5m"},{"inputTokens":2,"ttl":"1h"}]},"serviceTier":{"type":"flex"}}"#;
const CONVERSE_USAGE: Usage = Usage {
    input: 5,
    cached_read: 3,
    cache_write_5m: 6,
    cache_write_1h: 2,
    output: 2,
    tier: ServiceTier::Flex,
    ..NOTHING
};

/// Azure's first event says what its filters found in the prompt.
const FILTERED: &str = concat!(
    "data: {\"choices\":[],\"created\":0,\"id\":\"\",\"prompt_filter_results\":[{\"prompt_index\":0,\"content_filter_results\":{}}]}\n\n",
    "data: {\"choices\":[{\"content_filter_results\":{},\"delta\":{\"content\":\"hi\"}}],\"usage\":null}\n\n",
    "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":2,\"total_tokens\":7,\"prompt_tokens_details\":{\"cached_tokens\":3}}}\n\n",
    "data: [DONE]\n\n",
);

fn samples(name: &str) -> Vec<Answer> {
    let chat = |path| answer(path, CHAT, CHAT_USAGE);
    let messages = |path| answer(path, MESSAGES, MESSAGES_USAGE);
    let content = |path| answer(path, CONTENT, CONTENT_USAGE);
    let deployment = "/openai/deployments/some-model/chat/completions";
    let vertex = "/v1beta1/projects/p/locations/r/publishers/google/models/m:streamGenerateContent";
    match name {
        "anthropic" => vec![messages("/v1/messages"), messages("/anthropic/v1/messages")],
        "cohere" => vec![answer("/v2/chat", COHERE, COHERE_USAGE)],
        "azure" => vec![
            chat("/v1/chat/completions"),
            answer(deployment, FILTERED, CHAT_USAGE),
            messages("/v1/messages"),
            messages("/anthropic/v1/messages"),
        ],
        "bedrock" => {
            let reading =
                Reading { usage: Some(CONVERSE_USAGE), terminal: Terminal::Unknown, ..Reading::default() };
            vec![Answer { path: "/model/m/converse", streamed: false, body: CONVERSE.into(), reading }]
        }
        "gemini" => vec![content("/v1beta/models/m:streamGenerateContent"), content(vertex)],
        "vertex" => vec![
            content("/v1beta/models/m:streamGenerateContent"),
            content(vertex),
            messages("/v1/projects/p/locations/r/publishers/anthropic/models/c:streamRawPredict"),
        ],
        _ => vec![chat("/v1/chat/completions"), chat(deployment)],
    }
}

#[test]
fn every_adapter_conforms() {
    let registry = burncloud_adapters::registry();
    for name in registry.names() {
        conforms(registry.get(name).unwrap().as_ref(), &samples(name));
    }
}

#[test]
fn the_registry_knows_the_families() {
    let registry = burncloud_adapters::registry();
    let names = registry.names();
    for name in
        ["openai", "anthropic", "bedrock", "gemini", "deepseek", "qwen", "zhipu", "vllm", "openai-compatible"]
    {
        assert!(names.contains(&name), "{name}");
    }
    let mut unique = names.clone();
    unique.dedup();
    assert_eq!(names, unique);
}

/// The target as text for the channel's root, the caller's path and query, and a mapped model if any.
fn target(
    provider: &str,
    root: Option<&str>,
    path: &str,
    query: Option<&str>,
    model: Option<&str>,
) -> String {
    let registry = burncloud_adapters::registry();
    let adapter = registry.get(provider).unwrap();
    let endpoint = endpoint(path);
    let root = root.unwrap_or_else(|| adapter.api_root());
    let upstream_model = model.unwrap_or("m");
    let mapped = model.is_some();
    adapter
        .target(&TargetAsk { root, endpoint: &endpoint, path, query, upstream_model, mapped })
        .unwrap()
        .to_string()
}

#[test]
fn paths_at_the_providers() {
    let chat = "/v1/chat/completions";
    assert_eq!(target("openai", None, chat, None, None), "/v1/chat/completions");
    assert_eq!(target("groq", None, chat, Some("a=b"), None), "/openai/v1/chat/completions?a=b");
    assert_eq!(target("zhipu", None, chat, None, None), "/api/paas/v4/chat/completions");
    assert_eq!(target("deepseek", None, chat, None, None), "/chat/completions");
    assert_eq!(target("openai", Some("/proxy/v9"), chat, None, Some("x")), "/proxy/v9/chat/completions");
    let messages = "/v1/messages";
    assert_eq!(target("anthropic", None, messages, Some("beta=true"), None), "/v1/messages?beta=true");
    assert_eq!(target("anthropic", Some("/anthropic"), messages, None, None), "/anthropic/v1/messages");
    assert_eq!(
        target("anthropic", Some("/v1"), "/v1/messages/count_tokens", None, None),
        "/v1/messages/count_tokens"
    );
    let stream = "/v1beta/models/g%2D1:streamGenerateContent";
    assert_eq!(target("gemini", None, stream, Some("alt=sse"), None), format!("{stream}?alt=sse"));
    let content = "/v1/models/g-1:generateContent";
    assert_eq!(
        target("gemini", None, content, None, Some("models/g 2:x")),
        "/v1/models/g%202%3Ax:generateContent"
    );
    let converse = "/model/anthropic.claude-v2:1/converse";
    assert_eq!(target("bedrock", None, converse, None, Some("us.a/b:0")), "/model/us.a%2Fb%3A0/converse");
    assert_eq!(
        target("gemini", Some("/p/v1beta"), content, None, None),
        "/p/v1beta/models/g-1:generateContent"
    );
}

#[test]
fn credentials_stand_where_the_provider_looks() {
    let registry = burncloud_adapters::registry();
    let headers = |provider: &str, key: &str| {
        let headers = registry.get(provider).unwrap().authorize(&key.to_owned().into());
        headers.map(|list| {
            list.into_iter().map(|(n, v)| format!("{n}: {}", v.to_str().unwrap())).collect::<Vec<_>>()
        })
    };
    assert_eq!(headers("openai", "k").unwrap(), ["authorization: Bearer k"]);
    assert_eq!(headers("anthropic", "k").unwrap(), ["x-api-key: k"]);
    assert_eq!(headers("gemini", "k").unwrap(), ["x-goog-api-key: k"]);
    assert_eq!(headers("ollama", "").unwrap(), Vec::<String>::new());
    assert_eq!(headers("ollama", "k").unwrap(), ["authorization: Bearer k"]);
    assert!(headers("openai", " ").is_err());
    let version = registry.get("anthropic").unwrap().default_headers();
    assert_eq!(version, [("anthropic-version".parse().unwrap(), "2023-06-01".parse().unwrap())]);
}

#[test]
fn callers_of_clouds_are_served_by_whoever_speaks_their_dialect() {
    let registry = burncloud_adapters::registry();
    let cases: [(&str, &[&str], &[&str]); 8] = [
        ("/openai/deployments/m/chat/completions", &["azure", "groq", "openai"], &["anthropic", "gemini"]),
        ("/openai/v1/responses", &["azure", "openai"], &["mistral", "vertex"]),
        ("/anthropic/v1/messages", &["anthropic", "azure"], &["openai", "vertex"]),
        (
            "/v1/projects/p/locations/r/publishers/anthropic/models/c:rawPredict",
            &["vertex"],
            &["anthropic", "gemini", "azure"],
        ),
        (
            "/v1beta1/projects/p/locations/r/publishers/google/models/m:generateContent",
            &["gemini", "vertex"],
            &["anthropic", "openai"],
        ),
        ("/v1/projects/p/locations/r/publishers/google/models/m:predict", &["vertex"], &["gemini"]),
        ("/model/m/converse", &["bedrock"], &["anthropic", "azure", "gemini", "openai", "vertex"]),
        ("/v2/chat", &["cohere"], &["anthropic", "azure", "gemini", "openai", "vertex"]),
    ];
    for (path, served, not_served) in cases {
        let endpoint = endpoint(path);
        for (names, expected) in [(served, true), (not_served, false)] {
            for name in names {
                assert_eq!(registry.get(name).unwrap().serves(&endpoint), expected, "{name} {path}");
            }
        }
    }
    let translates = |name: &str, path| registry.get(name).unwrap().translates(&endpoint(path));
    assert!(translates("vertex", "/v1/messages") && translates("vertex", "/anthropic/v1/messages"));
    assert!(translates("anthropic", "/v1/projects/p/locations/r/publishers/anthropic/models/c:rawPredict"));
    assert!(translates("bedrock", "/v1/messages") && translates("anthropic", "/model/m/invoke"));
}

#[test]
fn callers_of_clouds_reach_other_providers_paths() {
    let version = Some("api-version=2024-10-21&x=1");
    let chat = "/openai/deployments/d/chat/completions";
    assert_eq!(target("openai", None, chat, version, None), "/v1/chat/completions?x=1");
    assert_eq!(target("groq", None, "/openai/v1/responses", None, None), "/openai/v1/responses");
    assert_eq!(target("anthropic", None, "/anthropic/v1/messages", None, None), "/v1/messages");
    let stream = "/v1beta1/projects/p/locations/r/publishers/google/models/g:streamGenerateContent";
    assert_eq!(
        target("gemini", None, stream, Some("alt=sse"), Some("g-2")),
        "/v1beta/models/g-2:streamGenerateContent?alt=sse"
    );
    // Azure, whose own channel decides the version.
    assert_eq!(target("azure", None, chat, version, None), "/openai/v1/chat/completions?x=1");
    for root in ["/openai/v1", "/openai"] {
        assert_eq!(target("azure", Some(root), chat, None, None), "/openai/v1/chat/completions");
    }
    assert_eq!(target("azure", Some("/anthropic"), "/v1/messages", None, None), "/anthropic/v1/messages");
    // Vertex in express mode.
    assert_eq!(
        target("vertex", None, "/v1beta/models/g:countTokens", None, Some("publishers/google/models/g-2")),
        "/v1beta1/publishers/google/models/g-2:countTokens"
    );
}

fn adapter(name: &str) -> std::sync::Arc<dyn Adapter> {
    burncloud_adapters::registry().get(name).unwrap().clone()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn borders_do_not_matter(
        name in prop_oneof![Just("openai"), Just("anthropic"), Just("gemini")],
        cuts in proptest::collection::vec(0usize..1200, 0..40),
    ) {
        let answer = samples(name).swap_remove(0);
        let mut cuts: Vec<usize> = cuts.into_iter().filter(|c| *c < answer.body.len()).collect();
        cuts.extend([0, answer.body.len()]);
        cuts.sort_unstable();
        let pieces = cuts.windows(2).map(|pair| &answer.body[pair[0]..pair[1]]);
        prop_assert_eq!(read(adapter(name).as_ref(), &endpoint(answer.path), true, pieces), answer.reading);
    }

    /// Streams and bodies that were damaged anywhere are read without harm, and the same in pieces.
    #[test]
    fn damage_does_no_harm(
        name in prop_oneof![Just("openai"), Just("anthropic"), Just("gemini")],
        streamed: bool,
        damage in proptest::collection::vec((0usize..1200, any::<u8>()), 0..6),
        cut in 0usize..1200,
        size in 1usize..40,
    ) {
        let answer = samples(name).swap_remove(0);
        let mut body = answer.body.to_vec();
        body.truncate(cut.max(1));
        for (at, byte) in damage {
            let at = at % body.len();
            body[at] = byte;
        }
        let (adapter, endpoint) = (adapter(name), endpoint(answer.path));
        let whole = read(adapter.as_ref(), &endpoint, streamed, [body.as_slice()]);
        prop_assert_eq!(read(adapter.as_ref(), &endpoint, streamed, body.chunks(size)), whole);
    }

    #[test]
    fn random_bytes_do_no_harm(bytes in proptest::collection::vec(any::<u8>(), 0..600), size in 1usize..40) {
        for name in ["openai", "anthropic", "gemini"] {
            let (adapter, endpoint) = (adapter(name), endpoint(samples(name)[0].path));
            for streamed in [false, true] {
                let whole = read(adapter.as_ref(), &endpoint, streamed, [bytes.as_slice()]);
                prop_assert_eq!(read(adapter.as_ref(), &endpoint, streamed, bytes.chunks(size)), whole);
            }
        }
    }
}

/// Some fifty megabytes, streamed and whole.
#[test]
fn large_answers_are_read_to_the_end() {
    let filler = "data: {\"choices\":[{\"delta\":{\"content\":\"word\"}}],\"usage\":null}\n\n".repeat(1000);
    let pieces = (0..800).map(|_| filler.as_bytes()).chain([CHAT.as_bytes()]);
    let reading = read(adapter("openai").as_ref(), &endpoint("/v1/chat/completions"), true, pieces);
    assert_eq!(reading.usage, Some(CHAT_USAGE));
    let text = "A \\\"word\\\". ".repeat(10_000);
    let tail = "\"}}],\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":2,\"prompt_tokens_details\":{\"cached_tokens\":3}}}";
    let pieces = ["{\"choices\":[{\"message\":{\"content\":\""].into_iter();
    let pieces = pieces.chain((0..500).map(|_| text.as_str())).chain([tail]).map(str::as_bytes);
    let reading = read(adapter("openai").as_ref(), &endpoint("/v1/chat/completions"), false, pieces);
    assert_eq!(reading.usage, Some(CHAT_USAGE));
}
