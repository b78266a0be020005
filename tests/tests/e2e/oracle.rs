//! Token counts of a recorded answer, worked out from its JSON independently of the gateway's own readers.

use burncloud_tests::replay::Fixture;
use serde_json::Value;

/// The classes of a receipt's `usage` that are tokens, in the order of [`Tokens`].
pub(crate) const CLASSES: [&str; 10] = [
    "input",
    "cached_read",
    "cache_write_5m",
    "cache_write_1h",
    "output",
    "reasoning",
    "audio_in",
    "audio_out",
    "image_in",
    "image_out",
];

/// Tokens by class, disjoint.
pub(crate) type Tokens = [u64; 10];

/// The tokens that a receipt holds.
pub(crate) fn of_receipt(receipt: &Value) -> Tokens {
    CLASSES.map(|class| receipt["usage"][class].as_u64().unwrap_or_default())
}

/// What is charged by the piece beside tokens, in the order of [`Pieces`].
pub(crate) const BY_PIECE: [&str; 4] = ["pieces", "web_searches", "file_searches", "code_sessions"];

/// Pictures, searches of the web and of files, sessions of code.
pub(crate) type Pieces = [u64; 4];

/// The pieces that a receipt holds.
pub(crate) fn pieces_of_receipt(receipt: &Value) -> Pieces {
    BY_PIECE.map(|class| receipt["usage"][class].as_u64().unwrap_or_default())
}

/// What the answer of `fixture` tells of pieces, in counts and by what tools left in it.
pub(crate) fn pieces(fixture: &Fixture) -> Pieces {
    if fixture.status() >= 400 || fixture.api() == "count_tokens" {
        return [0; 4];
    }
    let documents = fixture.documents();
    let all =
        |pointer: &str| documents.iter().filter_map(|document| document.pointer(pointer)).collect::<Vec<_>>();
    let most =
        |pointer: &str| all(pointer).iter().filter_map(|value| value.as_u64()).max().unwrap_or_default();
    let outputs = [all("/output"), all("/response/output")].concat();
    let items: Vec<&Value> = outputs.last().and_then(|list| list.as_array()).into_iter().flatten().collect();
    let calls = |kind: &str| items.iter().filter(|item| item["type"] == kind).copied().collect::<Vec<_>>();
    let looked = |item: &&Value| item["action"]["type"].as_str().is_some_and(|action| action != "search");
    let web = calls("web_search_call").into_iter().filter(|item| !looked(item)).count() as u64;
    let mut containers: Vec<&str> =
        calls("code_interpreter_call").iter().filter_map(|item| item["container_id"].as_str()).collect();
    containers.sort_unstable();
    containers.dedup();
    let claude =
        ["/container/id", "/delta/container/id"].iter().any(|at| all(at).iter().any(|id| id.is_string()));
    let queries = all("/candidates/0/groundingMetadata/webSearchQueries");
    let grounded = queries.iter().any(|list| list.as_array().is_some_and(|list| !list.is_empty()));
    let counted = [
        "/usage/server_tool_use/web_search_requests",
        "/usage/server_tool_use_details/web_search_requests",
        "/usage/server_side_tool_usage_details/web_search_calls",
        "/usage/num_search_queries",
    ];
    let counted = counted.iter().map(|at| most(at)).max().unwrap_or_default();
    let made = if fixture.api() == "images" {
        all("/data").iter().filter_map(|d| d.as_array()).map(Vec::len).sum()
    } else {
        0
    };
    [
        made as u64 + most("/meta/billed_units/search_units") + most("/usage/num_sources_used"),
        web.max(counted).max(u64::from(grounded)),
        calls("file_search_call").len() as u64,
        containers.len() as u64 + u64::from(claude),
    ]
}

fn count(value: &Value, pointer: &str) -> u64 {
    value.pointer(pointer).and_then(Value::as_u64).unwrap_or_default()
}

fn first(value: &Value, pointers: &[&str]) -> u64 {
    pointers.iter().map(|pointer| count(value, pointer)).find(|found| *found > 0).unwrap_or_default()
}

/// What the answer of `fixture` reports; `None` when it reports nothing.
pub(crate) fn reported(fixture: &Fixture) -> Option<Tokens> {
    if fixture.status() >= 400 {
        return None;
    }
    let documents = fixture.documents();
    if fixture.path().contains("/messages") {
        anthropic(&documents)
    } else if documents.iter().any(|document| document.get("usageMetadata").is_some()) {
        let last = documents.iter().rev().find_map(|document| document.get("usageMetadata"))?;
        Some(gemini(last))
    } else {
        let last = documents.iter().rev().find_map(|document| {
            let usage = document.get("usage").or_else(|| document.pointer("/response/usage"));
            usage.or_else(|| document.pointer("/x_groq/usage")).filter(|usage| usage.is_object())
        })?;
        Some(openai(last, fixture.provider()))
    }
}

/// Providers that count reasoning beside the completion, in the total or not even there.
const BESIDE: [&str; 2] = ["vercel-gateway", "perplexity"];

fn openai(usage: &Value, provider: &str) -> Tokens {
    let total_in = first(usage, &["/prompt_tokens", "/input_tokens"]);
    let total_out = first(usage, &["/completion_tokens", "/output_tokens"]);
    let inside = |detail: &str| {
        let groups = ["prompt_tokens_details", "input_tokens_details", "input_token_details"];
        first(usage, &groups.map(|group| format!("/{group}/{detail}")).each_ref().map(String::as_str))
    };
    let outside = |detail: &str| {
        let groups = ["completion_tokens_details", "output_tokens_details", "output_token_details"];
        first(usage, &groups.map(|group| format!("/{group}/{detail}")).each_ref().map(String::as_str))
    };
    let cached = inside("cached_tokens")
        .max(first(usage, &["/prompt_cache_hit_tokens", "/num_cached_tokens"]))
        .min(total_in);
    let written = inside("cache_write_tokens").min(total_in - cached);
    let total = count(usage, "/total_tokens");
    let (audio_in, image_in) = (inside("audio_tokens"), inside("image_tokens"));
    // Mistral counts audio beside the prompt: only the total tells.
    let heard = if provider == "mistral" { total.saturating_sub(total_in + total_out) } else { 0 };
    let total_in = total_in + heard;
    let audio_in = audio_in.max(heard);
    let reasoning = outside("reasoning_tokens").max(count(usage, "/reasoning_tokens"));
    let (audio_out, image_out) = (outside("audio_tokens"), outside("image_tokens"));
    // xAI counts reasoning beside the completion, all others inside it, where it cannot be more; the total tells.
    let beside = BESIDE.contains(&provider) || total == total_in + total_out + reasoning;
    let reasoning = if beside { reasoning } else { reasoning.min(total_out) };
    let inner = if beside { 0 } else { reasoning };
    [
        total_in.saturating_sub(cached + written + audio_in + image_in),
        cached,
        written,
        0,
        total_out.saturating_sub(inner + audio_out + image_out),
        reasoning,
        audio_in,
        audio_out,
        image_in,
        image_out,
    ]
}

/// Anthropic's usage is cumulative over events: a later field replaces an earlier one.
fn anthropic(documents: &[Value]) -> Option<Tokens> {
    let mut merged = serde_json::Map::new();
    for document in documents {
        for pointer in ["/usage", "/message/usage"] {
            if let Some(Value::Object(usage)) = document.pointer(pointer) {
                merged.extend(usage.clone().into_iter().filter(|(_, value)| !value.is_null()));
            }
        }
    }
    if let Some(input) = documents.iter().find_map(|document| document.get("input_tokens")?.as_u64()) {
        // count_tokens: free, but what it counted is on the receipt or not; see the caller.
        return Some([input, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    }
    if merged.is_empty() {
        return None;
    }
    let usage = Value::Object(merged);
    // An advisor's turns are another model's, and listed beside the sums.
    let turns =
        usage["iterations"].as_array().into_iter().flatten().filter(|turn| turn["type"] == "advisor_message");
    let (advice_in, advice_out) = turns.fold((0, 0), |(input, output), turn| {
        (input + count(turn, "/input_tokens"), output + count(turn, "/output_tokens"))
    });
    let long = count(&usage, "/cache_creation/ephemeral_1h_input_tokens");
    let written = count(&usage, "/cache_creation_input_tokens");
    let reasoning = count(&usage, "/output_tokens_details/thinking_tokens");
    Some([
        count(&usage, "/input_tokens") + advice_in,
        count(&usage, "/cache_read_input_tokens"),
        written.saturating_sub(long),
        long,
        (count(&usage, "/output_tokens") + advice_out).saturating_sub(reasoning),
        reasoning,
        0,
        0,
        0,
        0,
    ])
}

fn gemini(usage: &Value) -> Tokens {
    let of = |group: &str, modality: &str| -> u64 {
        let entries = usage.get(group).and_then(Value::as_array).into_iter().flatten();
        entries.filter(|entry| entry["modality"] == modality).map(|entry| count(entry, "/tokenCount")).sum()
    };
    let cached = count(usage, "/cachedContentTokenCount");
    let cached_of = |modality: &str| of("cacheTokensDetails", modality);
    // Embeddings name it in the singular.
    let asked_of = |modality: &str| of("promptTokensDetails", modality) + of("promptTokenDetails", modality);
    let audio_in = asked_of("AUDIO").saturating_sub(cached_of("AUDIO"));
    let image_in = asked_of("IMAGE").saturating_sub(cached_of("IMAGE"));
    let (audio_out, image_out) =
        (of("candidatesTokensDetails", "AUDIO"), of("candidatesTokensDetails", "IMAGE"));
    let total_in = count(usage, "/promptTokenCount") + count(usage, "/toolUsePromptTokenCount");
    [
        total_in.saturating_sub(cached + audio_in + image_in),
        cached,
        0,
        0,
        count(usage, "/candidatesTokenCount").saturating_sub(audio_out + image_out),
        count(usage, "/thoughtsTokenCount"),
        audio_in,
        audio_out,
        image_in,
        image_out,
    ]
}
