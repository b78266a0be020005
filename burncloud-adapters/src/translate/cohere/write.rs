//! Requests, written.

use super::write_citation;
use crate::translate::chat::{address, is_cloud};
use crate::translate::{
    CallKind, Citation, Content, Conversation, Format, FunctionTool, Media, MediaKind, Notes, Output, Part,
    Role, Setting, Source, Target, Thinking, Tool, ToolCall, ToolChoice, ToolResult, Turn,
};
use burncloud_core::Error;
use serde_json::{Map, Value, json};
use std::collections::HashSet;

/// The most texts to stop at.
const MOST_STOPS: usize = 5;

struct Writer<'a> {
    notes: &'a mut Notes,
    messages: Vec<Value>,
    documents: Vec<Value>,
}

pub(super) fn write(
    mut conversation: Conversation,
    to: &Target<'_>,
    notes: &mut Notes,
) -> Result<Value, Error> {
    let mut writer = Writer { notes, messages: Vec::new(), documents: Vec::new() };
    let system = std::mem::take(&mut conversation.system);
    writer.turn(Turn::new(Role::System, system))?;
    for turn in std::mem::take(&mut conversation.turns) {
        writer.turn(turn)?;
    }
    let mut body = Map::new();
    body.insert("model".to_owned(), to.model.into());
    body.insert("messages".to_owned(), std::mem::take(&mut writer.messages).into());
    body.insert("stream".to_owned(), to.streamed.into());
    if !writer.documents.is_empty() {
        body.insert("documents".to_owned(), std::mem::take(&mut writer.documents).into());
    }
    writer.tools(&mut conversation, &mut body);
    writer.sampling(&conversation, &mut body);
    writer.form(&mut conversation, &mut body);
    writer.leave_out(&conversation);
    for (name, value) in conversation.carry {
        body.entry(name).or_insert(value);
    }
    Ok(Value::Object(body))
}

/// What an answer says, as the members of a message.
#[derive(Default)]
pub(super) struct Answer {
    thoughts: Vec<String>,
    content: Vec<Value>,
    citations: Vec<(Citation, usize)>,
    calls: Vec<Value>,
}

impl Answer {
    pub(super) fn think(&mut self, thinking: Thinking) {
        if !thinking.text.is_empty() {
            self.thoughts.push(thinking.text);
        }
    }

    pub(super) fn say(&mut self, text: &str, citations: Vec<Citation>) {
        if !text.is_empty() {
            let at = self.content.len();
            self.citations.extend(citations.into_iter().map(|citation| (citation, at)));
            self.content.push(json!({ "type": "text", "text": text }));
        }
    }

    pub(super) fn call(&mut self, call: &ToolCall) {
        let arguments = match call.kind {
            CallKind::Custom => json!({ "input": call.arguments }).to_string(),
            CallKind::Function if call.arguments.trim().is_empty() => "{}".to_owned(),
            CallKind::Function => call.arguments.clone(),
        };
        let function = json!({ "name": call.name, "arguments": arguments });
        self.calls.push(json!({ "id": call.id, "type": "function", "function": function }));
    }

    /// With calls, thoughts are their plan; without, they stand before the texts.
    pub(super) fn write(self) -> Option<Map<String, Value>> {
        let Answer { thoughts, mut content, citations, calls } = self;
        let mut message = Map::from_iter([("role".to_owned(), Value::from("assistant"))]);
        let mut before = 0;
        if !calls.is_empty() {
            if !thoughts.is_empty() {
                message.insert("tool_plan".to_owned(), thoughts.join("\n\n").into());
            }
            message.insert("tool_calls".to_owned(), calls.into());
        } else {
            before = thoughts.len();
            let thoughts = thoughts.into_iter().map(|text| json!({ "type": "thinking", "thinking": text }));
            content.splice(0..0, thoughts);
        }
        if !content.is_empty() {
            message.insert("content".to_owned(), content.into());
        }
        if !citations.is_empty() {
            let citations = citations.iter().map(|(citation, at)| write_citation(citation, before + at));
            message.insert("citations".to_owned(), citations.collect());
        }
        (message.len() > 1).then_some(message)
    }
}

impl Writer<'_> {
    fn turn(&mut self, turn: Turn) -> Result<(), Error> {
        if turn.name.is_some() {
            self.notes.drop(Setting::Name);
        }
        let (role, turn) = match turn.role {
            Role::Assistant => return self.assistant(turn),
            Role::User => ("user", turn),
            Role::System | Role::Developer => ("system", turn),
        };
        let (mut shown, mut said) = (Vec::new(), Vec::new());
        for part in turn.parts {
            match part.content {
                Content::ToolResult(result) => shown.extend(self.result(result)),
                _ => said.push(part),
            }
        }
        shown.extend(said);
        let mut items = Vec::with_capacity(shown.len());
        for part in shown {
            items.extend(self.part(part)?);
        }
        let content = match items.as_slice() {
            [] => return Ok(()),
            [one] if one["type"] == "text" => one["text"].clone(),
            _ => items.into(),
        };
        let mut message = Map::from_iter([("role".to_owned(), role.into()), ("content".to_owned(), content)]);
        message.extend(turn.carry);
        self.messages.push(Value::Object(message));
        Ok(())
    }

    fn part(&mut self, part: Part) -> Result<Option<Value>, Error> {
        if part.cache.is_some() {
            self.notes.drop(Setting::CacheMark);
        }
        Ok(match part.content {
            Content::Text { text, .. } | Content::Refusal(text) if text.is_empty() => None,
            Content::Text { text, .. } | Content::Refusal(text) => {
                Some(json!({ "type": "text", "text": text }))
            }
            Content::Media(media) => self.media(&media)?,
            Content::Other { format: Format::Cohere, value } => Some(value),
            Content::Other { value, .. } => {
                let kind = value.get("type").and_then(Value::as_str).unwrap_or("part of unknown kind");
                return Err(Notes::cannot_say(&format!("`{kind}`"), Format::Cohere, "take it out"));
            }
            Content::Thinking(_) | Content::ToolCall(_) | Content::ToolResult(_) => None,
        })
    }

    /// A picture stands where it is shown; a document of text, among the documents.
    fn media(&mut self, media: &Media) -> Result<Option<Value>, Error> {
        let what = match (media.kind, &media.source) {
            (_, Source::Text(text)) => {
                self.documents.push(document(media, text));
                return Ok(None);
            }
            (MediaKind::Image, source) if is_cloud(source) => "picture in a cloud's storage",
            (MediaKind::Image, _) => match address(media) {
                Some(url) => {
                    let mut image = json!({ "url": url });
                    if let Some(detail) = &media.detail {
                        image["detail"] = detail.as_str().into();
                    }
                    return Ok(Some(json!({ "type": "image_url", "image_url": image })));
                }
                None => "picture by a file id",
            },
            (MediaKind::Document, _) => "document but plain text",
            (MediaKind::Audio, _) => "recording",
            (MediaKind::Video, _) => "film",
        };
        Err(Notes::cannot_say(what, Format::Cohere, "send text, or a picture as a data: URL"))
    }

    /// Writes a result, and returns what else it shows.
    fn result(&mut self, result: ToolResult) -> Vec<Part> {
        let mut text = result.text();
        if result.is_error && !text.to_ascii_lowercase().starts_with("error") {
            text.insert_str(0, "Error: ");
        }
        let (mut documents, mut shown) = (Vec::new(), Vec::new());
        for part in result.content {
            match &part.content {
                Content::Media(media @ Media { source: Source::Text(text), .. }) => {
                    let document = document(media, text);
                    let document =
                        if document.is_string() { json!({ "data": { "text": text } }) } else { document };
                    documents.push(json!({ "type": "document", "document": document }));
                }
                Content::Media(_) | Content::Other { .. } => shown.push(part),
                _ => {}
            }
        }
        let content = if documents.is_empty() {
            Value::String(text)
        } else {
            if !text.is_empty() {
                documents.insert(0, json!({ "type": "text", "text": text }));
            }
            Value::Array(documents)
        };
        self.messages.push(json!({ "role": "tool", "tool_call_id": result.id, "content": content }));
        if !shown.is_empty() {
            shown.insert(0, Part::text(format!("Shown by the tool call {}:", result.id)));
        }
        shown
    }

    fn assistant(&mut self, turn: Turn) -> Result<(), Error> {
        let mut answer = Answer::default();
        for part in turn.parts {
            match part.content {
                Content::Text { text, citations, .. } => answer.say(&text, citations),
                Content::Refusal(text) => answer.say(&text, Vec::new()),
                Content::Thinking(thinking) if thinking.signature.is_none() => answer.think(thinking),
                Content::Thinking(_) => self.notes.drop(Setting::ForeignThinking),
                Content::ToolCall(call) => {
                    if call.signature.is_some() {
                        self.notes.drop(Setting::ForeignThinking);
                    }
                    answer.call(&call);
                }
                Content::Media(_) => {
                    let fix = "take it out of the assistant's turn, or show it in the user's";
                    return Err(Notes::cannot_say(
                        "picture or sound of the assistant's",
                        Format::Cohere,
                        fix,
                    ));
                }
                Content::Other { .. } | Content::ToolResult(_) => {}
            }
        }
        if let Some(mut message) = answer.write() {
            message.extend(turn.carry);
            self.messages.push(Value::Object(message));
        }
        Ok(())
    }

    fn tools(&mut self, conversation: &mut Conversation, body: &mut Map<String, Value>) {
        let mut tools = std::mem::take(&mut conversation.tools);
        let mut keep = |names: &[String]| {
            let names: HashSet<&str> = names.iter().map(String::as_str).collect();
            tools.retain(|tool| matches!(tool, Tool::Function(function) if names.contains(&*function.name)));
        };
        let choice = match conversation.tool_choice.take() {
            None | Some(ToolChoice::Auto) => None,
            Some(ToolChoice::Required) => Some("REQUIRED"),
            Some(ToolChoice::None) => Some("NONE"),
            Some(ToolChoice::Named(name)) => {
                keep(&[name]);
                Some("REQUIRED")
            }
            Some(ToolChoice::Allowed { names, required }) => {
                keep(&names);
                required.then_some("REQUIRED")
            }
        };
        let mut written = Vec::with_capacity(tools.len());
        let (mut strict, mut loose) = (false, false);
        for tool in tools {
            match tool {
                Tool::Function(function) => {
                    let it = function.strict == Some(true);
                    strict |= it;
                    loose |= !it;
                    if function.cache.is_some() {
                        self.notes.drop(Setting::CacheMark);
                    }
                    written.push(write_tool(function));
                }
                Tool::BuiltIn { format: Format::Cohere, value, .. } => written.push(value),
                Tool::BuiltIn { kind, .. } => self.notes.drop_named(format!("tools.{kind}")),
            }
        }
        if written.is_empty() {
            return;
        }
        body.insert("tools".to_owned(), written.into());
        body.extend(choice.map(|choice| ("tool_choice".to_owned(), choice.into())));
        // All tools are strict, or none.
        match (strict, loose) {
            (true, false) => {
                body.insert("strict_tools".to_owned(), true.into());
            }
            (true, true) => self.notes.drop(Setting::ToolStrict),
            _ => {}
        }
        if conversation.parallel_tools == Some(false) {
            self.notes.drop(Setting::ParallelTools);
        }
    }

    fn sampling(&mut self, conversation: &Conversation, body: &mut Map<String, Value>) {
        let sampling = &conversation.sampling;
        if sampling.stop.len() > MOST_STOPS {
            self.notes.drop(Setting::Stop);
        }
        let stop: Vec<&String> = sampling.stop.iter().take(MOST_STOPS).collect();
        for (name, value) in [
            ("max_tokens", sampling.max_output.map(Value::from)),
            ("temperature", sampling.temperature.and_then(number)),
            ("p", sampling.top_p.and_then(|p| number(p.clamp(0.01, 0.99)))),
            ("k", sampling.top_k.map(|k| k.min(500).into())),
            ("seed", sampling.seed.map(Value::from)),
            ("frequency_penalty", sampling.frequency_penalty.and_then(|p| number(p.clamp(0.0, 1.0)))),
            ("presence_penalty", sampling.presence_penalty.and_then(|p| number(p.clamp(0.0, 1.0)))),
            ("logprobs", sampling.logprobs.map(|_| true.into())),
            ("stop_sequences", (!stop.is_empty()).then(|| json!(stop))),
        ] {
            body.extend(value.map(|value| (name.to_owned(), value)));
        }
        // Of what was drawn only, not of what might have been.
        if sampling.logprobs.is_some_and(|alternatives| alternatives > 0) {
            self.notes.drop(Setting::Logprobs);
        }
        if sampling.answers.is_some_and(|answers| answers > 1) {
            self.notes.drop(Setting::Answers);
        }
    }

    fn form(&mut self, conversation: &mut Conversation, body: &mut Map<String, Value>) {
        let format = match std::mem::take(&mut conversation.output) {
            Output::Text => None,
            Output::Json => Some(json!({ "type": "json_object" })),
            Output::Schema { schema, .. } => Some(json!({ "type": "json_object", "json_schema": schema })),
        };
        body.extend(format.map(|format| ("response_format".to_owned(), format)));
        let Some(reasoning) = conversation.reasoning.take() else { return };
        let thinking = match reasoning.tokens().filter(|tokens| *tokens > 0) {
            _ if reasoning.is_off() => json!({ "type": "disabled" }),
            Some(budget) => json!({ "type": "enabled", "token_budget": budget }),
            None => json!({ "type": "enabled" }),
        };
        body.insert("thinking".to_owned(), thinking);
    }

    fn leave_out(&mut self, conversation: &Conversation) {
        for (present, setting) in [
            (conversation.user.is_some(), Setting::User),
            (conversation.metadata.is_some(), Setting::Metadata),
            (conversation.service_tier.is_some(), Setting::ServiceTier),
            (conversation.cache_key.is_some(), Setting::CacheKey),
            (conversation.verbosity.is_some(), Setting::Verbosity),
        ] {
            if present {
                self.notes.drop(setting);
            }
        }
    }
}

/// A document as its reader knows it.
fn document(media: &Media, text: &str) -> Value {
    let json = media.mime.as_deref() == Some("application/json");
    let data = serde_json::from_str(text).ok().filter(|data: &Value| json && data.is_object());
    match (data, &media.name) {
        (Some(data), Some(id)) => json!({ "id": id, "data": data }),
        (Some(data), None) => json!({ "data": data }),
        (None, Some(title)) => json!({ "data": { "title": title, "text": text } }),
        (None, None) => text.into(),
    }
}

fn write_tool(tool: FunctionTool) -> Value {
    let free = || json!({ "type": "object", "properties": { "input": { "type": "string" } }, "required": ["input"] });
    let none = || json!({ "type": "object", "properties": {} });
    let schema = match tool.kind {
        CallKind::Custom => free(),
        CallKind::Function => tool.schema.unwrap_or_else(none),
    };
    let mut function = json!({ "name": tool.name, "parameters": schema });
    if let Some(description) = tool.description {
        function["description"] = description.into();
    }
    if let (Value::Object(function), CallKind::Function) = (&mut function, tool.kind) {
        function.extend(tool.carry);
    }
    json!({ "type": "function", "function": function })
}

fn number(value: f64) -> Option<Value> {
    serde_json::Number::from_f64(value).map(Value::Number)
}
