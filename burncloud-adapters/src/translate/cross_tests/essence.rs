//! What a conversation says, in words that do not depend on the format it was read from.

use crate::translate::{
    CallKind, Content, Conversation, Format, Media, Output, Part, Role, Setting, Source, Tool, ToolChoice, Turn,
};
use serde_json::{Map, Value, json};

/// What it says, as JSON.
pub(super) fn essence(conversation: &Conversation) -> Value {
    let it = conversation;
    let mut ids = Ids::default();
    let system = texts(&it.system);
    json!({
        "system": system,
        "turns": turns(&it.turns, &mut ids),
        "tools": it.tools.iter().map(tool).collect::<Vec<_>>(),
        "tool_choice": it.tool_choice.as_ref().map(choice),
        "parallel_tools": it.parallel_tools,
        "max_output": it.sampling.max_output,
        "temperature": it.sampling.temperature,
        "top_p": it.sampling.top_p,
        "top_k": it.sampling.top_k,
        "stop": it.sampling.stop,
        "seed": it.sampling.seed,
        "frequency_penalty": it.sampling.frequency_penalty,
        "presence_penalty": it.sampling.presence_penalty,
        "answers": it.sampling.answers.filter(|answers| *answers != 1),
        "logprobs": it.sampling.logprobs,
        "output": output(&it.output),
        "reasoning": it.reasoning.as_ref().map(|r| json!([r.is_off(), r.level().map(|l| l.as_str()), r.adaptive])),
        "user": it.user,
        "metadata": it.metadata,
        "service_tier": it.service_tier,
        "cache_key": it.cache_key,
        "verbosity": it.verbosity,
        "carry": it.carry,
    })
}

/// Ids of calls by their order, where a format has none of its own.
#[derive(Default)]
struct Ids(Vec<String>);

impl Ids {
    fn number(&mut self, id: &str) -> usize {
        // From the end: ids may come again in a later turn.
        self.0.iter().position(|known| known == id).unwrap_or_else(|| {
            self.0.push(id.to_owned());
            self.0.len() - 1
        })
    }
}

fn texts(parts: &[Part]) -> String {
    let texts: Vec<&str> = parts.iter().filter_map(Part::as_text).filter(|text| !text.is_empty()).collect();
    texts.join("\n\n")
}

fn turns(turns: &[Turn], ids: &mut Ids) -> Vec<Value> {
    let mut merged: Vec<(Role, Vec<Value>)> = Vec::new();
    for turn in turns {
        let role = if turn.role == Role::Developer { Role::System } else { turn.role };
        let said: Vec<Value> = turn.parts.iter().filter_map(|it| part(it, ids)).collect();
        if said.is_empty() {
            continue;
        }
        match merged.last_mut() {
            Some((last, before)) if *last == role => before.extend(said),
            _ => merged.push((role, said)),
        }
    }
    let turn = |(role, mut said): (Role, Vec<Value>)| {
        if role == Role::User {
            said.sort_by_key(|it| it.get("result").is_none());
        }
        json!({ "role": format!("{role:?}"), "said": said })
    };
    merged.into_iter().map(turn).collect()
}

fn part(part: &Part, ids: &mut Ids) -> Option<Value> {
    Some(match &part.content {
        Content::Text { text, .. } if text.trim().is_empty() => return None,
        Content::Text { text, .. } | Content::Refusal(text) => json!(text),
        Content::Media(media) => self::media(media),
        Content::Thinking(_) => return None,
        Content::ToolCall(call) => {
            json!({ "call": ids.number(&call.id), "name": call.name, "arguments": call.object() })
        }
        Content::ToolResult(result) => {
            let said: Vec<Value> = result.content.iter().filter_map(|it| self::part(it, ids)).collect();
            json!({ "result": ids.number(&result.id), "said": said, "error": result.is_error })
        }
        Content::Other { format, value } => json!({ "other": format.as_str(), "value": value }),
    })
}

fn media(media: &Media) -> Value {
    let source = match &media.source {
        Source::Base64(data) => json!(["base64", data]),
        Source::Text(text) => json!(["text", text]),
        Source::Url(url) => json!(["url", url]),
        Source::File(id) => json!(["file", id]),
    };
    json!({ "media": media.kind.as_str(), "mime": media.mime, "source": source })
}

fn tool(tool: &Tool) -> Value {
    match tool {
        Tool::Function(it) => json!({
            "name": it.name, "description": it.description, "schema": it.schema, "strict": it.strict,
            "custom": it.kind == CallKind::Custom, "carry": it.carry,
        }),
        Tool::BuiltIn { kind, .. } => json!({ "built_in": kind }),
    }
}

fn choice(choice: &ToolChoice) -> Value {
    match choice {
        ToolChoice::Auto => json!("auto"),
        ToolChoice::Required => json!("required"),
        ToolChoice::None => json!("none"),
        ToolChoice::Named(name) => json!({ "named": name }),
        ToolChoice::Allowed { names, required } => json!({ "allowed": names, "required": required }),
    }
}

fn output(output: &Output) -> Value {
    match output {
        Output::Text => Value::Null,
        Output::Json => json!("json"),
        Output::Schema { name, description, schema, strict } => {
            json!({ "name": name, "description": description, "schema": schema, "strict": strict })
        }
    }
}

/// What a record takes out of the comparison: the names in an [`essence`], by the setting.
const RECORDED: [(Setting, &[&str]); 17] = [
    (Setting::Temperature, &["temperature"]),
    (Setting::TopP, &["top_p"]),
    (Setting::TopK, &["top_k"]),
    (Setting::Stop, &["stop"]),
    (Setting::Seed, &["seed"]),
    (Setting::FrequencyPenalty, &["frequency_penalty"]),
    (Setting::PresencePenalty, &["presence_penalty"]),
    (Setting::Answers, &["answers"]),
    (Setting::Logprobs, &["logprobs"]),
    (Setting::Reasoning, &["reasoning"]),
    (Setting::ToolChoice, &["tool_choice"]),
    (Setting::ParallelTools, &["parallel_tools"]),
    (Setting::User, &["user"]),
    (Setting::Metadata, &["metadata"]),
    (Setting::ServiceTier, &["service_tier"]),
    (Setting::CacheKey, &["cache_key"]),
    (Setting::Verbosity, &["verbosity"]),
];

/// Takes out of both what is recorded as left out.
pub(super) fn forgive(before: &mut Value, after: &mut Value, dropped: &[String], caller: Format) {
    let (Value::Object(before), Value::Object(after)) = (before, after) else { return };
    let recorded = |setting: Setting| dropped.iter().any(|name| name == setting.name(caller));
    for (_, names) in RECORDED.iter().filter(|(setting, _)| recorded(*setting)) {
        for name in *names {
            before.shift_remove(*name);
            after.shift_remove(*name);
        }
    }
    if recorded(Setting::ToolStrict) {
        for tools in [&mut *before, &mut *after] {
            each_tool(tools, |tool| drop(tool.shift_remove("strict")));
        }
    }
}

/// Every tool of an [`essence`].
pub(super) fn each_tool(essence: &mut Map<String, Value>, mut change: impl FnMut(&mut Map<String, Value>)) {
    let tools = essence.get_mut("tools").and_then(Value::as_array_mut);
    tools.into_iter().flatten().filter_map(Value::as_object_mut).for_each(&mut change);
}
