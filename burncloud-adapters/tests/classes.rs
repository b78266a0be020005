//! Every class and tier as providers report it, whole and however it is cut; and nothing of what the caller asked for.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use burncloud_adapters::testing::{endpoint, read};
use burncloud_core::{Picture, Quality, ServiceTier, Usage};

/// What an adapter reads from this body, cut in every way.
fn usage(adapter: &str, path: &str, streamed: bool, body: &str) -> Option<Usage> {
    let registry = burncloud_adapters::registry();
    let (adapter, endpoint) = (registry.get(adapter).unwrap().as_ref(), endpoint(path));
    let whole = read(adapter, &endpoint, streamed, [body.as_bytes()]);
    for size in [1, 2, 3, 7, 61, 1000, 65_537] {
        let cut = read(adapter, &endpoint, streamed, body.as_bytes().chunks(size));
        assert_eq!(cut, whole, "in pieces of {size}: {body:.300}");
    }
    for at in 0..body.len().min(1500) {
        let (head, tail) = body.as_bytes().split_at(at);
        assert_eq!(read(adapter, &endpoint, streamed, [head, tail]), whole, "cut at {at}: {body:.300}");
    }
    whole.usage
}

fn tools(usage: Option<Usage>) -> [u64; 3] {
    let usage = usage.unwrap_or_default();
    [usage.web_searches, usage.file_searches, usage.code_sessions]
}

/// Eleven items: three searches, one look into a page, one failed search, one search of a file, three runs of code in
/// two containers, a message that speaks of searches, and a call of the caller's own.
const OUTPUT: &str = r#"[
    {"id":"ws_1","type":"web_search_call","status":"completed","action":{"type":"search","query":"a"}},
    {"type":"web_search_call","id":"ws_2","status":"completed"},
    {"id":"ws_3","action":{"sources":[{"type":"url","url":"https://e.com"}],"type":"search"},"type":"web_search_call"},
    {"id":"ws_4","type":"web_search_call","status":"completed","action":{"type":"open_page","url":"https://e.com"}},
    {"id":"ws_5","type":"web_search_call","status":"failed","action":{"type":"search","query":"b"}},
    {"id":"fs_1","type":"file_search_call","status":"completed","queries":["a","b"],"results":[{"type":"web_search_call"}]},
    {"id":"ci_1","type":"code_interpreter_call","container_id":"cntr_1","code":"print(\"web_search_call\")"},
    {"id":"ci_2","type":"code_interpreter_call","container_id":"cntr_1","outputs":[{"type":"logs","logs":"1"}]},
    {"id":"ci_3","container_id":"cntr_2","type":"code_interpreter_call"},
    {"type":"function_call","name":"f","arguments":"{\"type\":\"file_search_call\"}"},
    {"type":"message","content":[{"type":"output_text","text":"{\"type\":\"web_search_call\"}","annotations":[]}]}]"#;

fn response(output: &str) -> String {
    format!(
        r#"{{"id":"resp_1","object":"response","instructions":"say \"type\":\"web_search_call\"","metadata":{{"type":"web_search_call"}},
        "model":"m","output":{output},"service_tier":"default","tool_choice":"auto","tools":[{{"type":"web_search"}}],
        "usage":{{"input_tokens":5,"output_tokens":7,"total_tokens":12}}}}"#
    )
}

fn event(json: &str) -> String {
    format!("event: x\ndata: {}\n\n", json.replace('\n', " "))
}

#[test]
fn a_response_lists_the_calls_of_tools() {
    let read = |body: &str| usage("openai", "/v1/responses", false, body);
    let expect = Usage {
        input: 5,
        output: 7,
        web_searches: 3,
        file_searches: 1,
        code_sessions: 2,
        ..Usage::default()
    };
    assert_eq!(read(&response(OUTPUT)), Some(expect));
    assert_eq!(usage("azure", "/v1/responses", false, &response(OUTPUT)), Some(expect));
    assert_eq!(tools(read(&response("[]"))), [0, 0, 0]);
    // A body longer than what is kept of it.
    let long = "word ".repeat(40_000);
    let text = format!(r#"[{{"type":"message","content":"{long}"}},{{"type":"file_search_call"}}]"#);
    assert_eq!(tools(usage("openai", "/v1/responses", false, &response(&text))), [0, 1, 0]);
    // The provider's own count, where it tells one.
    let told = response(OUTPUT)
        .replace("\"tools\"", "\"tool_usage\":{\"web_search\":{\"num_requests\":4}},\"tools\"");
    assert_eq!(tools(read(&told)), [4, 1, 2]);
}

/// The items of [`OUTPUT`], each as its own event.
fn done_events() -> Vec<String> {
    let items: Vec<serde_json::Value> = serde_json::from_str(OUTPUT).unwrap();
    let done = |item: &serde_json::Value| {
        let added = format!(r#"{{"type":"response.output_item.added","output_index":0,"item":{item}}}"#);
        let done = format!(r#"{{"type":"response.output_item.done","output_index":0,"item":{item}}}"#);
        [
            event(&added),
            event(r#"{"type":"response.web_search_call.searching","item_id":"ws_1"}"#),
            event(&done),
        ]
        .concat()
    };
    items.iter().map(done).collect()
}

#[test]
fn a_streamed_response_tells_by_items_and_at_the_end() {
    let read = |events: &[String]| usage("openai", "/v1/responses", true, &events.concat());
    for end in ["completed", "incomplete"] {
        let last = event(&format!(r#"{{"type":"response.{end}","response":{}}}"#, response(OUTPUT)));
        let full = read(&[done_events(), vec![last.clone()]].concat());
        assert_eq!(tools(full), [3, 1, 2], "items and end are the same calls");
        assert_eq!(full.unwrap().total_input(), 5);
        assert_eq!(tools(read(&[last])), [3, 1, 2]);
    }
    // It broke before its end: what was done is done.
    assert_eq!(tools(read(&done_events())), [3, 1, 2]);
    assert_eq!(tools(read(&done_events()[..1])), [1, 0, 0]);
    let begun = done_events()[0].split_inclusive("\n\n").next().unwrap().to_owned();
    assert_eq!(read(&[begun]), None, "what was begun is not done");
    // An item too long to keep.
    let long = "x".repeat(200_000);
    let item = format!(
        r#"{{"type":"response.output_item.done","item":{{"type":"code_interpreter_call","outputs":["{long}"],"container_id":"c"}}}}"#
    );
    assert_eq!(tools(read(&[event(&item)])), [0, 0, 1]);
}

#[test]
fn chats_search_models_cite_what_they_found() {
    let body = |model: &str, annotations: &str| {
        format!(
            r#"{{"id":"c","object":"chat.completion","model":"{model}","choices":[{{"message":{{"content":"\"url_citation\"",
            "annotations":{annotations}}}}}],"usage":{{"prompt_tokens":3,"completion_tokens":2}}}}"#
        )
    };
    let cited =
        r#"[{"type":"url_citation","url_citation":{"url":"a"}},{"type":"url_citation","url_citation":{}}]"#;
    let read = |adapter: &str, body: &str| tools(usage(adapter, "/v1/chat/completions", false, body))[0];
    let model = "gpt-4o-search-preview-2025-03-11";
    assert_eq!(read("openai", &body(model, cited)), 1);
    assert_eq!(read("openai", &body(model, "[]")), 0);
    assert_eq!(read("openai", &body("gpt-4o", cited)), 0);
    assert_eq!(read("openai-compatible", &body(model, cited)), 0, "another's citations are not charged so");
    let chunk = |model: &str, delta: &str| {
        event(&format!(r#"{{"id":"c","model":"{model}","choices":[{{"delta":{delta}}}]}}"#))
    };
    let streamed = |events: String| tools(usage("openai", "/v1/chat/completions", true, &events))[0];
    let text = chunk(model, r#"{"content":"\"url_citation\""}"#);
    let found = chunk(model, &format!(r#"{{"annotations":{cited}}}"#));
    assert_eq!(streamed([text.clone(), found.clone(), found.clone()].concat()), 1);
    assert_eq!(streamed(text), 0);
    assert_eq!(streamed([chunk("gpt-4o", "{}"), found].concat()), 0);
}

#[test]
fn other_providers_count_their_searches() {
    let chat = |adapter: &str, usage_fields: &str| {
        let body = format!(
            r#"{{"choices":[],"usage":{{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5,{usage_fields}}}}}"#
        );
        usage(adapter, "/v1/chat/completions", false, &body).unwrap()
    };
    assert_eq!(chat("openrouter", r#""server_tool_use_details":{"web_search_requests":2}"#).web_searches, 2);
    assert_eq!(chat("openrouter", r#""server_tool_use":{"web_search_requests":2}"#).web_searches, 2);
    assert_eq!(chat("perplexity", r#""num_search_queries":3"#).web_searches, 3);
    let told = r#""num_server_side_tools_used":9,"server_side_tool_usage_details":{"web_search_calls":2,"x_search_calls":1,
        "code_interpreter_calls":3,"file_search_calls":1,"document_search_calls":1,"mcp_calls":4}"#;
    let told = chat("xai", told);
    assert_eq!((tools(Some(told)), told.pieces), ([3, 2, 3], 0));
    let untold = chat("xai", r#""num_sources_used":7,"num_server_side_tools_used":2"#);
    assert_eq!((tools(Some(untold)), untold.pieces), ([0, 0, 0], 9));
}

#[test]
fn anthropic_counts_searches_and_names_its_container() {
    let read = |streamed, body: &str| usage("anthropic", "/v1/messages", streamed, body).unwrap();
    let body = |more: &str, used: &str| {
        format!(
            r#"{{{more}"content":[{{"type":"server_tool_use","input":{{"container":{{"id":"no"}}}}}}],
            "usage":{{"input_tokens":5,"output_tokens":2,"server_tool_use":{{{used}}}}}}}"#
        )
    };
    let searched = read(false, &body("", r#""web_search_requests":2,"web_fetch_requests":3"#));
    assert_eq!((tools(Some(searched)), searched.pieces), ([2, 0, 0], 0));
    assert_eq!(tools(Some(read(false, &body("", r#""code_execution_requests":3"#)))), [0, 0, 1]);
    let container = r#""container":{"id":"container_1","expires_at":"2026-01-01"},"#;
    assert_eq!(tools(Some(read(false, &body(container, "")))), [0, 0, 1]);
    assert_eq!(tools(Some(read(false, &body("\"container\":null,", "")))), [0, 0, 0]);
    let stream = [
        r#"{"type":"message_start","message":{"container":null,"usage":{"input_tokens":5,"output_tokens":1,"server_tool_use":{"web_search_requests":0}}}}"#,
        r#"{"type":"content_block_start","content_block":{"input":{"container":{"id":"no"}}}}"#,
        r#"{"type":"message_delta","delta":{"container":{"id":"container_1"}},"usage":{"output_tokens":9,"server_tool_use":{"web_search_requests":2}}}"#,
        r#"{"type":"message_stop"}"#,
    ];
    let stream = stream.map(event);
    assert_eq!(tools(Some(read(true, &stream.concat()))), [2, 0, 1]);
    assert_eq!(tools(Some(read(true, &stream[..2].concat()))), [0, 0, 0]);
}

#[test]
fn cache_writes_without_a_split_live_five_minutes() {
    let read = |fields: &str| {
        let body = format!(r#"{{"usage":{{"input_tokens":1,"output_tokens":1,{fields}}}}}"#);
        let usage = usage("anthropic", "/v1/messages", false, &body).unwrap();
        (usage.cache_write_5m, usage.cache_write_1h)
    };
    assert_eq!(read(r#""cache_creation_input_tokens":70"#), (70, 0));
    let both = r#"{"ephemeral_5m_input_tokens":30,"ephemeral_1h_input_tokens":40}"#;
    assert_eq!(read(&format!(r#""cache_creation":{both}"#)), (30, 40));
    assert_eq!(read(&format!(r#""cache_creation_input_tokens":70,"cache_creation":{both}"#)), (30, 40));
    // They disagree: whatever is more than the parts is of five minutes, and of two sums the larger counts.
    assert_eq!(read(&format!(r#""cache_creation_input_tokens":100,"cache_creation":{both}"#)), (60, 40));
    assert_eq!(read(&format!(r#""cache_creation_input_tokens":50,"cache_creation":{both}"#)), (30, 40));
    assert_eq!(
        read(r#""cache_creation_input_tokens":9,"cache_creation":{"ephemeral_1h_input_tokens":4}"#),
        (5, 4)
    );
    let converse = |written: u64, details: &str| {
        let body = format!(
            r#"{{"usage":{{"inputTokens":1,"outputTokens":1,"cacheWriteInputTokens":{written},"cacheDetails":[{details}]}}}}"#
        );
        let usage = usage("bedrock", "/model/m/converse", false, &body).unwrap();
        (usage.cache_write_5m, usage.cache_write_1h)
    };
    assert_eq!(converse(8, ""), (8, 0));
    assert_eq!(converse(8, r#"{"inputTokens":2,"ttl":"1h"}"#), (6, 2));
    assert_eq!(converse(8, r#"{"inputTokens":6,"ttl":"5m"},{"inputTokens":4,"ttl":"1h"}"#), (6, 4));
}

#[test]
fn gemini_is_charged_by_the_prompt_or_by_the_query() {
    let body = |model: &str, queries: &str| {
        format!(
            r#"{{"candidates":[{{"content":{{"parts":[{{"functionCall":{{"args":{{"webSearchQueries":["x"]}}}}}}]}},
            "groundingMetadata":{{"searchEntryPoint":{{"renderedContent":"<b>"}},"webSearchQueries":{queries}}}}}],
            "usageMetadata":{{"promptTokenCount":5,"candidatesTokenCount":2}},"modelVersion":"{model}"}}"#
        )
    };
    let path = "/v1beta/models/m:generateContent";
    let read = |model: &str, queries: &str| tools(usage("gemini", path, false, &body(model, queries)))[0];
    let queries = r#"["a","b","a",""," ","c"]"#;
    for (model, count) in [
        ("gemini-2.5-flash", 1),
        ("gemini-2.0-flash-001", 1),
        ("gemini-1.5-pro", 1),
        ("publishers/google/models/gemini-2.5-pro", 1),
        ("gemini-3-pro-preview", 3),
        ("gemini-3.5-flash", 3),
        ("gemini-4-argon", 3),
    ] {
        assert_eq!(read(model, queries), count, "{model}");
        assert_eq!(read(model, "[]"), 0, "{model}");
        assert_eq!(read(model, r#"[""]"#), 0, "{model}");
    }
    // Each event of a stream may repeat what was asked.
    let events =
        [body("gemini-3-flash", r#"["a"]"#), body("gemini-3-flash", queries)].map(|json| event(&json));
    let stream = "/v1beta/models/m:streamGenerateContent";
    assert_eq!(tools(usage("vertex", stream, true, &events.concat()))[0], 3);
    let list = format!("[{},\n{}]", body("gemini-3-flash", r#"["d"]"#), body("gemini-3-flash", queries));
    assert_eq!(tools(usage("gemini", stream, false, &list))[0], 4);
    let file = r#"{"candidates":[{"groundingMetadata":{"groundingChunks":[{"retrievedContext":{"text":"a"}}]}}],
        "usageMetadata":{"promptTokenCount":5},"modelVersion":"gemini-3-pro"}"#;
    assert_eq!(tools(usage("gemini", path, false, file)), [0, 0, 0]);
}

#[test]
fn pictures_come_with_their_size_and_quality() {
    let path = "/v1/images/generations";
    let body = |fields: &str| {
        format!(r#"{{"created":1,{fields}"data":[{{"b64_json":"AAAA"}},{{"b64_json":"AA=="}}]}}"#)
    };
    let read = |fields: &str| usage("openai", path, false, &body(fields)).unwrap();
    let served = |width, height, quality| Picture { width, height, quality };
    let high = read(r#""size":"1024x1536","quality":"high","usage":{"input_tokens":9,"output_tokens":8},"#);
    let expect = Usage {
        input: 9,
        image_out: 8,
        pieces: 2,
        picture: served(1024, 1536, Quality::High),
        ..Usage::default()
    };
    assert_eq!(high, expect);
    for (word, quality) in [
        ("low", Quality::Low),
        ("medium", Quality::Medium),
        ("standard", Quality::Standard),
        ("hd", Quality::Hd),
        ("auto", Quality::Unstated),
    ] {
        let fields = format!(r#""size":"512x512","quality":"{word}","#);
        assert_eq!(
            read(&fields),
            Usage { pieces: 2, picture: served(512, 512, quality), ..Usage::default() }
        );
    }
    assert_eq!(read(""), Usage { pieces: 2, ..Usage::default() });
    assert_eq!(read(r#""size":"auto","quality":3,"#), Usage { pieces: 2, ..Usage::default() });
    let done = event(
        r#"{"type":"image_generation.completed","b64_json":"AA==","size":"1024x1024","quality":"low","usage":{"input_tokens":2,"output_tokens":9}}"#,
    );
    let partial = event(r#"{"type":"image_generation.partial_image","b64_json":"AA==","size":"1024x1024"}"#);
    let one = Usage {
        input: 2,
        image_out: 9,
        pieces: 1,
        picture: served(1024, 1024, Quality::Low),
        ..Usage::default()
    };
    assert_eq!(usage("openai", path, true, &[partial, done].concat()), Some(one));
}

#[test]
fn vertex_predicts_pictures_and_embeddings() {
    let path = "/v1/projects/p/locations/r/publishers/google/models/m:predict";
    let read = |body: &str| usage("vertex", path, false, body);
    let imagen = r#"{"predictions":[{"bytesBase64Encoded":"AAAA","mimeType":"image/png"},
        {"raiFilteredReason":"no"},{"mimeType":"image/png","gcsUri":"gs://a/b"},{"bytesBase64Encoded":""}]}"#;
    assert_eq!(read(imagen), Some(Usage { pieces: 2, ..Usage::default() }));
    let spoken = r#"{"predictions":[{"bytesBase64Encoded":"AAAA","mimeType":"audio/wav"}]}"#;
    assert_eq!(read(spoken), None);
    let embedded = r#"{"predictions":[{"embeddings":{"values":[0.1],"statistics":{"token_count":6}}},
        {"embeddings":{"statistics":{"token_count":3}}}],"metadata":{"billableCharacterCount":30}}"#;
    assert_eq!(read(embedded), Some(Usage { input: 9, ..Usage::default() }));
}

/// Readers see nothing of a request; what an answer echoes of one says nothing either.
#[test]
fn tiers_are_those_that_were_served() {
    use ServiceTier::{Batch, Flex, Priority, Standard};
    let tier =
        |adapter: &str, path: &str, streamed, body: &str| usage(adapter, path, streamed, body).unwrap().tier;
    let chat = "/v1/chat/completions";
    for (word, expect) in [
        ("default", Standard),
        ("auto", Standard),
        ("scale", Standard),
        ("flex", Flex),
        ("priority", Priority),
        ("fast", Priority),
        ("batch", Batch),
    ] {
        let whole = format!(
            r#"{{"metadata":{{"service_tier":"flex"}},"choices":[],"service_tier":"{word}","usage":{{"prompt_tokens":1,"completion_tokens":1}}}}"#
        );
        assert_eq!(tier("openai", chat, false, &whole), expect);
        assert_eq!(tier("openai", chat, true, &event(&whole)), expect);
        let created = event(r#"{"type":"response.created","response":{"service_tier":"flex","usage":null}}"#);
        let done = format!(
            r#"{{"type":"response.completed","response":{{"service_tier":"{word}","usage":{{"input_tokens":1,"output_tokens":1}}}}}}"#
        );
        assert_eq!(tier("openai", "/v1/responses", true, &[created, event(&done)].concat()), expect);
        let message = format!(
            r#"{{"content":[{{"service_tier":"batch"}}],"usage":{{"input_tokens":1,"output_tokens":1,"service_tier":"{word}"}}}}"#
        );
        assert_eq!(tier("anthropic", "/v1/messages", false, &message), expect);
        let converse =
            format!(r#"{{"usage":{{"inputTokens":1,"outputTokens":1}},"serviceTier":{{"type":"{word}"}}}}"#);
        assert_eq!(tier("bedrock", "/model/m/converse", false, &converse), expect);
    }
    for (field, word, expect) in [
        ("trafficType", "ON_DEMAND", Standard),
        ("trafficType", "PROVISIONED_THROUGHPUT", Standard),
        ("trafficType", "ON_DEMAND_FLEX", Flex),
        ("trafficType", "ON_DEMAND_PRIORITY", Priority),
        ("serviceTier", "standard", Standard),
        ("serviceTier", "flex", Flex),
        ("serviceTier", "priority", Priority),
        ("serviceTier", "BATCH", Batch),
    ] {
        let body = format!(r#"{{"usageMetadata":{{"promptTokenCount":1,"{field}":"{word}"}}}}"#);
        assert_eq!(tier("vertex", "/v1beta/models/m:generateContent", false, &body), expect, "{word}");
    }
}
