//! Tools, the choice among them, and their calls.

use super::parts::read_cache;
use super::thoughts;
use crate::translate::{
    CacheMark, CallKind, Content, Fields, Format, FunctionTool, Part, Tool, ToolCall, ToolChoice, new_id,
};
use burncloud_core::Error;
use serde_json::{Map, Value, json};
use std::collections::HashSet;

/// Tools, also in the form that came before them (`functions`).
pub(super) fn read_tools(fields: &mut Fields) -> Result<Vec<Tool>, Error> {
    let mut tools = Vec::new();
    for mut tool in fields.objects("tools")? {
        let kind = tool.string("type")?.unwrap_or_else(|| "function".to_owned());
        match kind.as_str() {
            "function" => tools.push(Tool::Function(read_function(tool, "function")?)),
            "custom" => tools.push(Tool::Function(read_function(tool, "custom")?)),
            _ => {
                let mut value = tool.rest();
                value.insert("type".to_owned(), kind.clone().into());
                tools.push(Tool::BuiltIn { format: Format::Chat, kind, value: Value::Object(value) });
            }
        }
    }
    for function in fields.objects("functions")? {
        tools.push(Tool::Function(read_inner(function, CallKind::Function, None)?));
    }
    Ok(tools)
}

fn read_function(mut tool: Fields, name: &'static str) -> Result<FunctionTool, Error> {
    let cache = read_cache(&mut tool)?;
    let inner = tool.fields(name)?;
    let kind = if name == "custom" { CallKind::Custom } else { CallKind::Function };
    let mut function = read_inner(inner, kind, cache)?;
    function.carry.extend(tool.rest());
    Ok(function)
}

fn read_inner(mut fields: Fields, kind: CallKind, cache: Option<CacheMark>) -> Result<FunctionTool, Error> {
    Ok(FunctionTool {
        name: fields.required("name")?,
        description: fields.string("description")?,
        schema: fields.object("parameters")?.map(Value::Object),
        strict: fields.boolean("strict")?,
        kind,
        cache,
        carry: fields.rest(),
    })
}

/// The choice; what OpenAI does not know either is kept for the family.
pub(super) fn read_choice(
    fields: &mut Fields,
    carry: &mut Map<String, Value>,
) -> Result<Option<ToolChoice>, Error> {
    let choice = fields.take("tool_choice").or_else(|| fields.take("function_call"));
    let named = |value: &Value| value.get("name").and_then(Value::as_str).map(str::to_owned);
    Ok(match choice {
        None => None,
        Some(Value::String(word)) => Some(match word.as_str() {
            "auto" => ToolChoice::Auto,
            "none" => ToolChoice::None,
            "required" | "any" => ToolChoice::Required,
            _ => {
                let text = "`tool_choice` must be `auto`, `none`, `required` or name a tool";
                return Err(fields.fault("tool_choice", text));
            }
        }),
        Some(Value::Object(choice)) => {
            let inner = ["function", "custom"].into_iter().find_map(|kind| named(choice.get(kind)?));
            let legacy =
                || if choice.contains_key("type") { None } else { named(&Value::Object(choice.clone())) };
            if let Some(allowed) = choice.get("allowed_tools") {
                Some(read_allowed(allowed))
            } else if let Some(name) = inner.or_else(legacy) {
                Some(ToolChoice::Named(name))
            } else {
                carry.insert("tool_choice".to_owned(), Value::Object(choice));
                None
            }
        }
        Some(_) => return Err(fields.fault("tool_choice", "`tool_choice` must be a string or an object")),
    })
}

fn read_allowed(allowed: &Value) -> ToolChoice {
    let tools = allowed.get("tools").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let name = |tool: &Value| {
        let inner = tool.get("function").or_else(|| tool.get("custom")).unwrap_or(tool);
        inner.get("name").and_then(Value::as_str).map(str::to_owned)
    };
    ToolChoice::Allowed {
        names: tools.iter().filter_map(name).collect(),
        required: allowed.get("mode").and_then(Value::as_str) == Some("required"),
    }
}

/// A message's calls.
pub(super) fn read_calls(fields: &mut Fields) -> Result<Vec<Part>, Error> {
    let calls = fields.objects("tool_calls")?;
    calls.into_iter().map(read_call).collect()
}

fn read_call(mut fields: Fields) -> Result<Part, Error> {
    let cache = read_cache(&mut fields)?;
    let signature = thoughts::read_extra(fields.take("extra_content").as_ref());
    let custom = fields.has("custom");
    let mut inner = fields.fields(if custom { "custom" } else { "function" })?;
    let call = ToolCall {
        id: fields.string("id")?.filter(|id| !id.is_empty()).unwrap_or_else(|| new_id("call_")),
        name: inner.required("name")?,
        arguments: if custom { inner.string("input")?.unwrap_or_default() } else { arguments(&mut inner)? },
        kind: if custom { CallKind::Custom } else { CallKind::Function },
        signature,
    };
    Ok(Part { content: Content::ToolCall(call), cache, carry: Map::new() })
}

/// Arguments are a text of JSON; some write the JSON itself.
fn arguments(fields: &mut Fields) -> Result<String, Error> {
    match fields.take("arguments") {
        None => Ok(String::new()),
        Some(Value::String(text)) => Ok(text),
        Some(value @ Value::Object(_)) => Ok(value.to_string()),
        Some(_) => Err(fields.fault("arguments", "`arguments` must be a string")),
    }
}

/// The form of calls before tools: one, without an id.
pub(super) fn read_legacy_call(fields: &mut Fields, id: String) -> Result<Option<Part>, Error> {
    let Some(call) = fields.object("function_call")? else { return Ok(None) };
    let mut inner = fields.inner(call);
    let name = inner.string("name")?.unwrap_or_default();
    if name.is_empty() {
        return Ok(None);
    }
    let arguments = arguments(&mut inner)?;
    Ok(Some(Part::new(Content::ToolCall(ToolCall { id, name, arguments, ..ToolCall::default() }))))
}

/// A call. Where free text is not known it is an argument of the name that [`ToolCall::object`] gives it.
pub(super) fn write_call(call: &ToolCall, custom: bool) -> Value {
    if call.kind == CallKind::Custom && custom {
        let inner = json!({ "name": call.name, "input": call.arguments });
        return json!({ "id": call.id, "type": "custom", "custom": inner });
    }
    let arguments = match call.kind {
        CallKind::Custom => json!({ "input": call.arguments }).to_string(),
        CallKind::Function if call.arguments.trim().is_empty() => "{}".to_owned(),
        CallKind::Function => call.arguments.clone(),
    };
    json!({
        "id": call.id,
        "type": "function",
        "function": { "name": call.name, "arguments": arguments },
    })
}

/// A tool.
pub(super) fn write_function(tool: FunctionTool, custom: bool) -> Value {
    let mut inner = Map::from_iter([("name".to_owned(), Value::String(tool.name))]);
    if let Some(description) = tool.description {
        inner.insert("description".to_owned(), description.into());
    }
    let kind = if tool.kind == CallKind::Custom && custom { "custom" } else { "function" };
    if tool.kind == CallKind::Custom && !custom {
        let schema = json!({
            "type": "object",
            "properties": { "input": { "type": "string" } },
            "required": ["input"],
        });
        inner.insert("parameters".to_owned(), schema);
    } else {
        inner.extend(tool.schema.map(|schema| ("parameters".to_owned(), schema)));
        inner.extend(tool.strict.map(|strict| ("strict".to_owned(), strict.into())));
        inner.extend(tool.carry);
        if kind == "custom" {
            wrap_grammar(&mut inner);
        }
    }
    json!({ "type": kind, kind: inner })
}

/// Responses write the grammar of free text without a layer that the chat has.
fn wrap_grammar(tool: &mut Map<String, Value>) {
    let Some(Value::Object(format)) = tool.get_mut("format") else { return };
    if format.get("type").and_then(Value::as_str) == Some("grammar") && !format.contains_key("grammar") {
        format.shift_remove("type");
        let grammar = std::mem::take(format);
        *format = Map::from_iter([
            ("type".to_owned(), Value::from("grammar")),
            ("grammar".to_owned(), Value::Object(grammar)),
        ]);
    }
}

/// The choice. `custom` are the names of tools that take free text, where those are known.
pub(super) fn write_choice(choice: &ToolChoice, custom: &HashSet<String>) -> Value {
    let one = |name: &String| {
        let kind = if custom.contains(name) { "custom" } else { "function" };
        json!({ "type": kind, kind: { "name": name } })
    };
    match choice {
        ToolChoice::Auto => "auto".into(),
        ToolChoice::Required => "required".into(),
        ToolChoice::None => "none".into(),
        ToolChoice::Named(name) => one(name),
        ToolChoice::Allowed { names, required } => {
            let tools: Vec<Value> = names.iter().map(one).collect();
            let mode = if *required { "required" } else { "auto" };
            json!({ "type": "allowed_tools", "allowed_tools": { "mode": mode, "tools": tools } })
        }
    }
}
