//! `additionalModelRequestFields`: what each maker's models take beyond what AWS has fields for.
//!
//! | models | thinking | `top_k` |
//! |---|---|---|
//! | Claude | `thinking` (or `reasoning_config`), `output_config.effort` | `top_k` |
//! | Amazon Nova | `reasoningConfig{type, maxReasoningEffort}` | `inferenceConfig.topK` |
//! | OpenAI's open weights | `reasoning_effort` | - |
//! | Qwen | `reasoning_config`, a word | - |
//! | others | - | - |
//!
//! Checked against recorded requests that were answered.

use crate::translate::messages::model::Model;
use crate::translate::messages::rules::Plan;
use crate::translate::{Conversation, Effort, Fields, Notes, Reasoning, Sampling, Setting};
use burncloud_core::Error;
use serde_json::{Map, Value, json};

/// Who made a model, as far as requests differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Maker {
    Anthropic,
    Nova,
    OpenAi,
    Qwen,
    Other,
}

impl Maker {
    pub(super) fn of(model: &str) -> Maker {
        let model_name = model.to_ascii_lowercase();
        if Model::of(model).is_claude() {
            return Maker::Anthropic;
        }
        let makers = [
            ("nova", Maker::Nova),
            ("gpt-oss", Maker::OpenAi),
            ("openai", Maker::OpenAi),
            ("qwen", Maker::Qwen),
        ];
        makers
            .into_iter()
            .find(|(word, _)| model_name.contains(word))
            .map_or(Maker::Other, |(_, maker)| maker)
    }
}

/// Takes what the hub has a place for; gives back the rest.
pub(super) fn read(mut fields: Fields, conversation: &mut Conversation) -> Result<Map<String, Value>, Error> {
    conversation.sampling.top_k =
        if fields.peek("top_k").is_some_and(Value::is_u64) { fields.unsigned("top_k")? } else { None };
    for name in ["thinking", "reasoning_config", "reasoningConfig", "reasoning_effort"] {
        if fields.peek(name).is_some_and(|value| read_thinking(value, conversation)) {
            fields.take(name);
        }
    }
    let mut rest = fields.rest();
    if let Some(Value::Object(config)) = rest.get_mut("output_config")
        && let Some(Value::String(effort)) = config.get("effort")
        && set_effort(&effort.clone(), conversation)
    {
        config.shift_remove("effort");
    }
    if let Some(Value::Object(config)) = rest.get_mut("inferenceConfig")
        && let Some(top_k) = config.get("topK").and_then(Value::as_u64)
    {
        conversation.sampling.top_k = Some(top_k);
        config.shift_remove("topK");
    }
    rest.retain(|_, value| *value != json!({}));
    Ok(rest)
}

/// Sets an effort by its word; false for a word unknown.
pub(super) fn set_effort(word: &str, conversation: &mut Conversation) -> bool {
    let Some(effort) = Effort::parse(word) else { return false };
    conversation.reasoning.get_or_insert_default().effort = Some(effort);
    true
}

/// Any maker's way to say it; false for one that is not understood.
fn read_thinking(value: &Value, conversation: &mut Conversation) -> bool {
    if let Value::String(word) = value {
        return set_effort(word, conversation);
    }
    let budget = value.get("budget_tokens").and_then(Value::as_u64);
    let effort = value.get("maxReasoningEffort").and_then(Value::as_str).and_then(Effort::parse);
    let show = value.get("display").and_then(Value::as_str).map(|display| display != "omitted");
    let reasoning = match value.get("type").and_then(Value::as_str) {
        Some("enabled") if budget.is_some() => Reasoning { budget, show, ..Reasoning::default() },
        Some("enabled") if effort.is_some() => Reasoning { effort, ..Reasoning::default() },
        Some("adaptive") => Reasoning { adaptive: true, show, ..Reasoning::default() },
        Some("disabled") => Reasoning { budget: Some(0), ..Reasoning::default() },
        _ => return false,
    };
    let effort = reasoning.effort.or(conversation.reasoning.take().and_then(|before| before.effort));
    conversation.reasoning = Some(Reasoning { effort, ..reasoning });
    true
}

/// What a Claude is told beyond AWS's own fields.
pub(super) fn of_claude(plan: &Plan) -> Map<String, Value> {
    let mut more = Map::new();
    more.extend(plan.thinking.clone().map(|thinking| ("thinking".to_owned(), thinking)));
    more.extend(plan.effort.map(|effort| ("output_config".to_owned(), json!({"effort": effort}))));
    more.extend(plan.top_k.map(|top_k| ("top_k".to_owned(), json!(top_k))));
    more
}

/// What others' models are told.
pub(super) fn of_others(
    maker: Maker,
    reasoning: Option<&Reasoning>,
    sampling: &Sampling,
    notes: &mut Notes,
) -> Map<String, Value> {
    let mut more = Map::new();
    match (maker, sampling.top_k) {
        (_, None) => {}
        (Maker::Nova, Some(top_k)) => drop(more.insert("inferenceConfig".to_owned(), json!({"topK": top_k}))),
        (_, Some(_)) => notes.drop(Setting::TopK),
    }
    let Some(reasoning) = reasoning else { return more };
    let off = reasoning.is_off();
    // Three levels, wherever there are any.
    let level = match reasoning.level() {
        Some(Effort::None) => return more,
        Some(Effort::Minimal | Effort::Low) => "low",
        Some(Effort::High | Effort::XHigh | Effort::Max) => "high",
        Some(Effort::Medium) => "medium",
        None if reasoning.adaptive => "medium",
        None => return more,
    };
    match maker {
        _ if off => {}
        Maker::Nova => {
            let config = json!({"type": "enabled", "maxReasoningEffort": level});
            more.insert("reasoningConfig".to_owned(), config);
        }
        Maker::OpenAi => drop(more.insert("reasoning_effort".to_owned(), json!(level))),
        Maker::Qwen => drop(more.insert("reasoning_config".to_owned(), json!(level))),
        Maker::Anthropic | Maker::Other => notes.drop(Setting::Reasoning),
    }
    more
}
