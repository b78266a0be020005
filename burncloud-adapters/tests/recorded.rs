//! Every recorded answer that these readers understand, against an independent reading of its JSON.
//!
//! The recordings are no part of this repository; without them there is nothing to check here.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "helpers of tests are tests")]

use burncloud_adapters::testing::{endpoint, read};
use burncloud_core::adapter::{Adapter, Terminal};
use burncloud_core::{Picture, Quality, ServiceTier, Usage};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

fn corpus() -> Option<PathBuf> {
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/fixtures/corpus");
    if shared.is_dir() {
        return Some(shared);
    }
    let required = std::env::var("BURNCLOUD_REQUIRE_SERVICES").is_ok_and(|v| v == "1");
    assert!(!required, "no recordings at {}", shared.display());
    println!("skipped: no recordings at {}", shared.display());
    None
}

/// The adapter and the caller's path for a recording.
fn route(provider: &str, api: &str) -> Option<(&'static str, &'static str)> {
    let adapter = match provider {
        "openai" | "bedrock-mantle" => "openai",
        "anthropic" => "anthropic",
        "gemini" if api == "chat" => "gemini-openai",
        "vertex" if api.ends_with("awPredict") => "anthropic",
        "gemini" => "gemini",
        "vertex" => "vertex",
        "azure" => "azure",
        "zai" => "zhipu",
        "vercel-gateway" => "vercel",
        "deepseek" => "deepseek",
        "groq" => "groq",
        "mistral" => "mistral",
        "xai" => "xai",
        "openrouter" => "openrouter",
        "together" => "together",
        "perplexity" => "perplexity",
        "cerebras" => "cerebras",
        "ollama" => "ollama",
        "huggingface" => "huggingface",
        "crusoe" | "snowflake" | "heroku" | "voyage" => "openai-compatible",
        "cohere" if api == "rerank" => "openai-compatible",
        _ => return None,
    };
    let path = match api {
        "chat" => "/v1/chat/completions",
        "responses" => "/v1/responses",
        "completions" => "/v1/completions",
        "embeddings" => "/v1/embeddings",
        "images" => "/v1/images/generations",
        "audio" => "/v1/audio/transcriptions",
        "rerank" => "/v1/rerank",
        "messages" | "rawPredict" | "streamRawPredict" => "/v1/messages",
        "generateContent" => "/v1beta/models/m:generateContent",
        "streamGenerateContent" => "/v1beta/models/m:streamGenerateContent",
        "embedContent" => "/v1beta/models/m:embedContent",
        "count_tokens" if adapter == "anthropic" => "/v1/messages/count_tokens",
        "count_tokens" if adapter == "gemini" || adapter == "vertex" => "/v1beta/models/m:countTokens",
        "moderations" => "/v1/moderations",
        _ => return None,
    };
    Some((adapter, path))
}

fn documents(body: &str, streamed: bool) -> Vec<Value> {
    if streamed {
        let lines = body.lines().filter_map(|line| line.strip_prefix("data:"));
        return lines.filter_map(|json| serde_json::from_str(json.trim()).ok()).collect();
    }
    match serde_json::from_str(body) {
        Ok(Value::Array(list)) => list,
        Ok(one) => vec![one],
        Err(_) => vec![],
    }
}

fn number(value: &Value, pointer: &str) -> u64 {
    value.pointer(pointer).and_then(Value::as_u64).unwrap_or(0)
}

fn first(value: &Value, pointers: &[&str]) -> u64 {
    pointers.iter().map(|p| number(value, p)).find(|n| *n > 0).unwrap_or(0)
}

fn tier(value: Option<&Value>) -> ServiceTier {
    match value.and_then(Value::as_str).unwrap_or_default() {
        "flex" | "ON_DEMAND_FLEX" => ServiceTier::Flex,
        "priority" => ServiceTier::Priority,
        "batch" => ServiceTier::Batch,
        _ => ServiceTier::Standard,
    }
}

/// OpenAI's shape, from the last document that reports.
fn openai(documents: &[Value], provider: &str, api: &str) -> Option<Usage> {
    let at = |d: &Value| {
        ["/usage", "/response/usage", "/x_groq/usage"]
            .iter()
            .find_map(|p| d.pointer(p).filter(|u| u.is_object()).cloned())
    };
    let Some((document, usage)) = documents.iter().rev().find_map(|d| Some((d, at(d)?))) else {
        let pieces = documents.first()?.pointer("/data").and_then(Value::as_array).map_or(0, Vec::len) as u64;
        let units = number(documents.first()?, "/meta/billed_units/search_units");
        let images = if api == "images" { pieces } else { 0 };
        return (images + units > 0).then(|| Usage { pieces: images + units, ..Usage::default() });
    };
    let total = number(&usage, "/total_tokens");
    let mut prompt = first(&usage, &["/prompt_tokens", "/input_tokens"]);
    let mut completion = first(&usage, &["/completion_tokens", "/output_tokens"]);
    if prompt + completion == 0 {
        prompt = total;
    }
    let cached = first(
        &usage,
        &[
            "/prompt_tokens_details/cached_tokens",
            "/input_tokens_details/cached_tokens",
            "/cached_tokens",
            "/num_cached_tokens",
        ],
    );
    let written = first(
        &usage,
        &["/prompt_tokens_details/cache_write_tokens", "/input_tokens_details/cache_write_tokens"],
    );
    let audio = first(&usage, &["/prompt_tokens_details/audio_tokens", "/input_token_details/audio_tokens"]);
    let image = first(&usage, &["/prompt_tokens_details/image_tokens", "/input_tokens_details/image_tokens"]);
    let thought = first(
        &usage,
        &["/completion_tokens_details/reasoning_tokens", "/output_tokens_details/reasoning_tokens"],
    );
    if provider == "vercel-gateway" || (provider == "xai" && api == "chat") {
        completion += thought;
    }
    if provider == "mistral" {
        prompt += audio;
    }
    let cached = cached.min(prompt);
    let rest = prompt - cached - written;
    let (audio, image) = (audio.min(rest), image.min(rest - audio.min(rest)));
    let thought = thought.min(completion);
    let audio_out = number(&usage, "/completion_tokens_details/audio_tokens");
    let image_out = number(&usage, "/completion_tokens_details/image_tokens");
    Some(Usage {
        input: rest - audio - image,
        cached_read: cached,
        cache_write_5m: written,
        audio_in: audio,
        image_in: image,
        reasoning: thought,
        audio_out,
        image_out,
        output: completion - thought - audio_out - image_out,
        pieces: number(&usage, "/num_sources_used")
            + if api == "images" { document["data"].as_array().map_or(0, Vec::len) as u64 } else { 0 },
        picture: picture(document),
        tier: tier(document.get("service_tier").or_else(|| document.pointer("/response/service_tier"))),
        ..tools(documents, &usage)
    })
}

/// What the items of a response, and a provider's counts of its tools, come to.
fn tools(documents: &[Value], usage: &Value) -> Usage {
    let output = |d: &Value| d.pointer("/response/output").or_else(|| d.get("output")).cloned();
    let last = documents.iter().rev().find_map(output);
    let items: Vec<Value> = last.and_then(|list| list.as_array().cloned()).unwrap_or_default();
    let of = |kind: &str| -> Vec<&Value> { items.iter().filter(|item| item["type"] == kind).collect() };
    let searched = |item: &&&Value| item["action"].is_null() || item["action"]["type"] == "search";
    let containers: BTreeSet<&str> =
        of("code_interpreter_call").iter().filter_map(|item| item["container_id"].as_str()).collect();
    let counted = |name: &str| number(usage, &format!("/server_side_tool_usage_details/{name}"));
    let web = of("web_search_call").iter().filter(searched).count() as u64;
    Usage {
        web_searches: web
            .max(counted("web_search_calls") + counted("x_search_calls"))
            .max(number(usage, "/num_search_queries"))
            .max(number(usage, "/server_tool_use_details/web_search_requests")),
        file_searches: of("file_search_call").len() as u64,
        code_sessions: containers.len() as u64,
        ..Usage::default()
    }
}

fn picture(document: &Value) -> Picture {
    let sides = document["size"].as_str().and_then(|size| size.split_once('x'));
    let (width, height) = sides.map_or((0, 0), |(w, h)| (w.parse().unwrap(), h.parse().unwrap()));
    let quality = match document["quality"].as_str() {
        Some("low") => Quality::Low,
        Some("medium") => Quality::Medium,
        Some("high") => Quality::High,
        _ => Quality::Unstated,
    };
    Picture { width, height, quality }
}

fn anthropic(documents: &[Value]) -> Option<Usage> {
    let mut merged = serde_json::Map::new();
    for document in documents {
        for pointer in ["/message/usage", "/usage"] {
            let usage = document.pointer(pointer).and_then(Value::as_object);
            merged.extend(
                usage
                    .into_iter()
                    .flatten()
                    .filter(|(_, v)| !v.is_null())
                    .map(|(k, v)| (k.clone(), v.clone())),
            );
        }
    }
    if merged.is_empty() {
        return None;
    }
    let usage = Value::Object(merged);
    let others = |field: &str| -> u64 {
        let list = usage.get("iterations").and_then(Value::as_array);
        list.into_iter().flatten().filter(|i| i["type"] != "message").map(|i| number(i, field)).sum()
    };
    let thought = number(&usage, "/output_tokens_details/thinking_tokens");
    let hour = number(&usage, "/cache_creation/ephemeral_1h_input_tokens");
    Some(Usage {
        input: number(&usage, "/input_tokens") + others("/input_tokens"),
        cached_read: number(&usage, "/cache_read_input_tokens") + others("/cache_read_input_tokens"),
        cache_write_5m: number(&usage, "/cache_creation_input_tokens") - hour,
        cache_write_1h: hour,
        reasoning: thought,
        output: number(&usage, "/output_tokens") - thought + others("/output_tokens"),
        web_searches: number(&usage, "/server_tool_use/web_search_requests"),
        code_sessions: u64::from(documents.iter().any(|d| {
            ["/container/id", "/delta/container/id"]
                .iter()
                .any(|id| d.pointer(id).is_some_and(Value::is_string))
        })),
        tier: tier(usage.get("service_tier")),
        ..Usage::default()
    })
}

fn gemini(documents: &[Value]) -> Option<Usage> {
    let reports = || documents.iter().filter_map(|d| d.get("usageMetadata"));
    let full = reports().rev().find(|u| u.get("promptTokenCount").is_some());
    let any = |u: &&Value| u.get("candidatesTokenCount").is_some();
    let usage = full.or_else(|| reports().rev().find(any))?;
    let of = |list: &str, kind: &str| -> u64 {
        let list = usage.get(list).and_then(Value::as_array);
        list.into_iter().flatten().filter(|d| d["modality"] == kind).map(|d| number(d, "/tokenCount")).sum()
    };
    let prompt = |kind: &str| {
        // A document in the prompt may be pictures in the cache.
        let all = of("promptTokensDetails", kind) + of("promptTokenDetails", kind);
        all.saturating_sub(of("cacheTokensDetails", kind))
    };
    let cached = number(usage, "/cachedContentTokenCount");
    let image_out = of("candidatesTokensDetails", "IMAGE");
    Some(Usage {
        input: number(usage, "/promptTokenCount") - cached - prompt("AUDIO") - prompt("IMAGE")
            + number(usage, "/toolUsePromptTokenCount"),
        cached_read: cached,
        audio_in: prompt("AUDIO"),
        image_in: prompt("IMAGE"),
        output: number(usage, "/candidatesTokenCount") - image_out,
        image_out,
        reasoning: number(usage, "/thoughtsTokenCount"),
        web_searches: searches(documents),
        tier: tier(usage.get("serviceTier").or_else(|| usage.get("trafficType"))),
        ..Usage::default()
    })
}

/// Distinct queries; before Gemini 3 one at most.
fn searches(documents: &[Value]) -> u64 {
    let grounding =
        documents.iter().filter_map(|d| d.pointer("/candidates/0/groundingMetadata/webSearchQueries"));
    let queries: BTreeSet<&str> =
        grounding.filter_map(Value::as_array).flatten().filter_map(Value::as_str).collect();
    let old = documents.iter().any(|d| d["modelVersion"].as_str().is_some_and(|m| m.starts_with("gemini-2")));
    if old { queries.len().min(1) as u64 } else { queries.len() as u64 }
}

fn terminal(body: &str, streamed: bool, adapter: &str, api: &str) -> Terminal {
    let failed = body.contains("event: error") || body.contains("\"error\":{\"");
    let complete = match adapter {
        "anthropic" => body.contains("\"message_stop\""),
        "gemini" | "vertex" => body.contains("\"finishReason\""),
        _ if api == "responses" => body.contains("\"response.completed\""),
        _ => body.contains("data: [DONE]"),
    };
    match (streamed, failed, complete) {
        (false, ..) => Terminal::Unknown,
        (true, true, _) => Terminal::Error,
        (true, false, true) => Terminal::Complete,
        (true, false, false) => Terminal::Missing,
    }
}

/// The total that the provider itself names, where it is one sum.
fn total(documents: &[Value]) -> Option<u64> {
    let pointers = ["/usage/total_tokens", "/response/usage/total_tokens", "/usageMetadata/totalTokenCount"];
    documents.iter().rev().find_map(|d| pointers.iter().find_map(|p| d.pointer(p)?.as_u64()))
}

fn check(file: &Path, counts: &mut BTreeMap<String, [usize; 4]>) {
    let recording: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    let text = |pointer: &str| recording.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let (provider, api, body) = (text("/provider"), text("/api"), text("/response/body"));
    if number(&recording, "/response/status") != 200 || recording.pointer("/response/body_encoding").is_some()
    {
        return;
    }
    let Some((name, path)) = route(provider, api) else { return };
    let streamed = recording["stream"] == true && !body.trim_start().starts_with('[');
    let registry = burncloud_adapters::registry();
    let adapter: &dyn Adapter = registry.get(name).unwrap().as_ref();
    let documents = documents(body, streamed);
    let usage = match (name, api) {
        (_, "count_tokens" | "moderations") => None,
        ("anthropic", _) => anthropic(&documents),
        ("gemini" | "vertex", _) => gemini(&documents),
        _ => openai(&documents, provider, api),
    };
    let endpoint = endpoint(path);
    let whole = read(adapter, &endpoint, streamed, [body.as_bytes()]);
    assert_eq!(whole.usage, usage, "{}", file.display());
    assert_eq!(whole.terminal, terminal(body, streamed, name, api), "{}", file.display());
    for size in [1, 7, 64, 1000, 4096] {
        let cut = read(adapter, &endpoint, streamed, body.as_bytes().chunks(size));
        assert_eq!(cut, whole, "{} in pieces of {size}", file.display());
    }
    let count = counts.entry(format!("{provider}/{api}")).or_default();
    count[0] += 1;
    count[1] += usize::from(streamed);
    count[2] += usize::from(whole.usage.is_some());
    if let (Some(usage), Some(total)) = (whole.usage, total(&documents)) {
        count[3] += usize::from(usage.total_input() + usage.total_output() == total);
    }
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|e| e == "json") {
            found.push(path);
        }
    }
}

#[test]
fn every_recorded_answer_is_read_as_its_json_says() {
    let Some(corpus) = corpus() else { return };
    let (mut found, mut counts) = (Vec::new(), BTreeMap::new());
    files(&corpus, &mut found);
    found.sort();
    for file in &found {
        check(file, &mut counts);
    }
    println!("{:40} {:>6} {:>8} {:>6} {:>12}", "", "read", "streams", "usage", "total agrees");
    for (api, [read, streams, usage, totals]) in &counts {
        println!("{api:40} {read:>6} {streams:>8} {usage:>6} {totals:>12}");
    }
    let sum = |at: usize| counts.values().map(|c| c[at]).sum::<usize>();
    println!("{:40} {:>6} {:>8} {:>6} {:>12}", "all", sum(0), sum(1), sum(2), sum(3));
    assert!(sum(0) > 500, "the recordings are not where they were");
}
