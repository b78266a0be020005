//! Requests, written.

use super::{parts, thoughts, tools};
use crate::openai;
use crate::translate::{
    CacheMark, CallKind, Content, Conversation, Format, MediaKind, Notes, Origin, Output, Part, Profile,
    Role, Setting, Source, Target, Thinking, Tool, ToolChoice, ToolResult, Turn,
};
use burncloud_core::{Error, ErrorKind};
use serde_json::{Map, Value, json};
use std::collections::HashSet;

/// What of a response's fields the chat does not have.
const NOT_IN_CHAT: [&str; 8] = [
    "include",
    "background",
    "truncation",
    "max_tool_calls",
    "reasoning",
    "text",
    // A choice that the hub does not know: of a built-in tool, or of none that there is.
    "tool_choice",
    "client_metadata",
];

/// What names something that OpenAI keeps.
const KEPT_THERE: [&str; 3] = ["previous_response_id", "conversation", "prompt"];

/// The longest name of an end user that OpenAI takes.
const USER_LIMIT: usize = 64;

struct Writer<'a> {
    profile: &'a Profile,
    from: Option<Format>,
    notes: &'a mut Notes,
    messages: Vec<Value>,
}

pub(super) fn write(
    mut conversation: Conversation,
    to: &Target<'_>,
    notes: &mut Notes,
) -> Result<Value, Error> {
    let mut body = Map::new();
    body.insert("model".to_owned(), to.model.into());
    let mut writer = Writer { profile: to.profile, from: conversation.from, notes, messages: Vec::new() };
    writer.system(std::mem::take(&mut conversation.system))?;
    for turn in std::mem::take(&mut conversation.turns) {
        writer.turn(turn)?;
    }
    body.insert("messages".to_owned(), std::mem::take(&mut writer.messages).into());
    writer.tools(&mut conversation, &mut body);
    writer.sampling(&conversation, &mut body);
    writer.output(std::mem::take(&mut conversation.output), &mut body);
    writer.reasoning(&conversation, &mut body);
    writer.labels(&mut conversation, &mut body);
    if to.streamed {
        body.insert("stream".to_owned(), true.into());
        if to.profile.include_usage {
            body.insert("stream_options".to_owned(), json!({ "include_usage": true }));
        }
    }
    writer.carry(conversation.carry, &mut body)?;
    Ok(Value::Object(body))
}

impl Writer<'_> {
    /// Whether fields that only OpenAI itself is sure to know may be sent.
    fn newest(&self) -> bool {
        self.profile.genuine || self.from == Some(Format::Chat)
    }

    fn family(&self) -> bool {
        self.from.is_none_or(|from| from.family(Format::Chat))
    }

    fn push(&mut self, role: &str, content: Value, name: Option<String>, carry: Map<String, Value>) {
        let mut message = Map::new();
        message.insert("role".to_owned(), role.into());
        message.insert("content".to_owned(), content);
        message.extend(name.map(|name| ("name".to_owned(), name.into())));
        self.carry_inside(carry, &mut message);
        self.messages.push(Value::Object(message));
    }

    fn carry_inside(&mut self, carry: Map<String, Value>, into: &mut Map<String, Value>) {
        if self.from == Some(Format::Chat) {
            into.extend(carry);
        }
    }

    fn system(&mut self, parts: Vec<Part>) -> Result<(), Error> {
        if parts.is_empty() {
            return Ok(());
        }
        let content = self.content(parts, Some("\n\n"))?;
        if !content.is_null() {
            self.push("system", content, None, Map::new());
        }
        Ok(())
    }

    fn turn(&mut self, turn: Turn) -> Result<(), Error> {
        match turn.role {
            Role::User => self.user(turn),
            Role::Assistant => self.assistant(turn),
            Role::System | Role::Developer => {
                let newest = turn.role == Role::Developer && self.profile.genuine;
                let content = self.content(turn.parts, Some("\n\n"))?;
                if !content.is_null() {
                    let role = if newest { "developer" } else { "system" };
                    self.push(role, content, turn.name, turn.carry);
                }
                Ok(())
            }
        }
    }

    /// A text where there is one, else a list; null where there is nothing. With a `border` texts are joined for those
    /// who take no lists there: instructions are paragraphs, an answer's blocks may break within a sentence.
    fn content(&mut self, parts: Vec<Part>, border: Option<&str>) -> Result<Value, Error> {
        let mut items = Vec::with_capacity(parts.len());
        for part in parts {
            items.extend(self.part(part)?);
        }
        let plain = |item: &Value| item["type"] == "text" && item.as_object().is_some_and(|o| o.len() == 2);
        let all_plain = items.iter().all(plain);
        if items.is_empty() {
            return Ok(Value::Null);
        }
        if all_plain && (items.len() == 1 || (border.is_some() && !self.profile.genuine)) {
            let texts: Vec<&str> = items.iter().filter_map(|item| item["text"].as_str()).collect();
            return Ok(texts.join(border.unwrap_or_default()).into());
        }
        Ok(items.into())
    }

    fn part(&mut self, part: Part) -> Result<Option<Value>, Error> {
        let mut value = match part.content {
            Content::Text { text, .. } if text.is_empty() => return Ok(None),
            Content::Text { text, .. } => json!({ "type": "text", "text": text }),
            Content::Refusal(refusal) => json!({ "type": "refusal", "refusal": refusal }),
            Content::Media(media) => {
                if media.detail.is_some() && media.kind != MediaKind::Image {
                    self.notes.drop(Setting::Detail);
                }
                if matches!(media.source, Source::File(_)) && !self.family() {
                    let fix = "send it inline, as Base64";
                    return Err(Notes::cannot_say("file id of another provider", Format::Chat, fix));
                }
                parts::write_media(&media, self.profile.genuine)?
            }
            Content::Other { format: Format::Chat, value } => value,
            Content::Other { value, .. } => {
                let kind = value.get("type").and_then(Value::as_str).unwrap_or("part of unknown kind");
                return Err(Notes::cannot_say(&format!("`{kind}`"), Format::Chat, "take it out"));
            }
            Content::Thinking(_) => {
                self.notes.drop(Setting::ForeignThinking);
                return Ok(None);
            }
            Content::ToolCall(_) | Content::ToolResult(_) => return Ok(None),
        };
        if let Value::Object(map) = &mut value {
            self.mark(part.cache, map);
            self.carry_inside(part.carry, map);
        }
        Ok(Some(value))
    }

    /// Only newer models take marks, and all of them cache without.
    fn mark(&mut self, cache: Option<CacheMark>, map: &mut Map<String, Value>) {
        let Some(cache) = cache else { return };
        if !(self.profile.genuine && self.family()) {
            self.notes.drop(Setting::CacheMark);
            return;
        }
        let mark = match cache {
            CacheMark::Default => json!({ "mode": "explicit" }),
            CacheMark::Hour => json!({ "mode": "explicit", "ttl": "12h" }),
        };
        map.insert("prompt_cache_breakpoint".to_owned(), mark);
    }

    /// Results first, one message each; then what tools cannot say; then what the user said.
    fn user(&mut self, turn: Turn) -> Result<(), Error> {
        let (mut shown, mut said) = (Vec::new(), Vec::new());
        for part in turn.parts {
            match part.content {
                Content::ToolResult(result) => shown.extend(self.result(result, part.carry)),
                _ => said.push(part),
            }
        }
        shown.extend(said);
        let content = self.content(shown, None)?;
        if !content.is_null() {
            self.push("user", content, turn.name, turn.carry);
        }
        Ok(())
    }

    /// Writes a result, and returns what it shows.
    fn result(&mut self, result: ToolResult, carry: Map<String, Value>) -> Vec<Part> {
        let mut text = result.text();
        if result.is_error && !text.to_ascii_lowercase().starts_with("error") {
            text.insert_str(0, "Error: ");
        }
        let mut message = Map::from_iter([
            ("role".to_owned(), Value::from("tool")),
            ("tool_call_id".to_owned(), result.id.as_str().into()),
            ("content".to_owned(), text.into()),
        ]);
        if let Some(name) = result.name.filter(|_| self.from == Some(Format::Chat)) {
            message.insert("name".to_owned(), name.into());
        }
        self.carry_inside(carry, &mut message);
        self.messages.push(Value::Object(message));
        let shows = |part: &Part| matches!(part.content, Content::Media(_) | Content::Other { .. });
        let mut shown: Vec<Part> = result.content.into_iter().filter(shows).collect();
        if !shown.is_empty() {
            shown.insert(0, Part::text(format!("Shown by the tool call {}:", result.id)));
        }
        shown
    }

    fn assistant(&mut self, turn: Turn) -> Result<(), Error> {
        let (mut said, mut calls, mut thinking) = (Vec::new(), Vec::new(), Vec::new());
        for part in turn.parts {
            match part.content {
                Content::ToolCall(call) => {
                    let mut value = tools::write_call(&call, self.profile.genuine);
                    if let Some(signature) = call.signature {
                        if self.is_google() && signature.origin == Origin::Google {
                            value["extra_content"] = thoughts::write_extra(&signature);
                        } else {
                            self.notes.drop(Setting::ForeignThinking);
                        }
                    }
                    calls.push(value);
                }
                Content::Thinking(it) if self.takes(&it) => thinking.push((it, part.carry)),
                Content::Thinking(_) => self.notes.drop(Setting::ForeignThinking),
                Content::Media(_) => {
                    let fix = "take it out of the assistant's turn, or show it in the user's";
                    return Err(Notes::cannot_say("picture or sound of the assistant's", Format::Chat, fix));
                }
                _ => said.push(part),
            }
        }
        let mut message = Map::from_iter([("role".to_owned(), Value::from("assistant"))]);
        let audio = turn.carry.contains_key("audio") && self.from == Some(Format::Chat);
        let content = self.content(said, Some(""))?;
        if content.is_null() && calls.is_empty() && !audio {
            return Ok(());
        }
        message.insert("content".to_owned(), content);
        message.extend(turn.name.map(|name| ("name".to_owned(), name.into())));
        if !calls.is_empty() {
            message.insert("tool_calls".to_owned(), calls.into());
        }
        thoughts::write(&thinking, &mut message);
        self.carry_inside(turn.carry, &mut message);
        self.messages.push(Value::Object(message));
        Ok(())
    }

    /// Only Google's compatible endpoint hides reasoning in the total.
    fn is_google(&self) -> bool {
        self.profile.reasoning == openai::Reasoning::Hidden
    }

    fn takes(&self, thinking: &Thinking) -> bool {
        let own = thinking.signature.as_ref().is_none_or(|signature| signature.origin == Origin::Other);
        own && !self.profile.genuine && self.profile.include_usage && !self.is_google()
    }

    fn tools(&mut self, conversation: &mut Conversation, body: &mut Map<String, Value>) {
        let genuine = self.profile.genuine;
        let mut choice = conversation.tool_choice.take();
        let mut tools = std::mem::take(&mut conversation.tools);
        if let (Some(ToolChoice::Allowed { names, required }), false) = (&choice, genuine) {
            let names: HashSet<&str> = names.iter().map(String::as_str).collect();
            tools.retain(|tool| match tool {
                Tool::Function(function) => names.contains(&*function.name),
                Tool::BuiltIn { .. } => false,
            });
            choice = Some(if *required { ToolChoice::Required } else { ToolChoice::Auto });
        }
        if tools.is_empty() {
            return;
        }
        let custom: HashSet<String> = conversation
            .tools
            .iter()
            .chain(&tools)
            .filter_map(|tool| match tool {
                Tool::Function(f) if f.kind == CallKind::Custom && genuine => Some(f.name.clone()),
                _ => None,
            })
            .collect();
        let mut written = Vec::with_capacity(tools.len());
        for tool in tools {
            match tool {
                Tool::Function(mut function) => {
                    if function.cache.is_some() {
                        self.notes.drop(Setting::CacheMark);
                    }
                    if self.from == Some(Format::Responses) && function.kind == CallKind::Function {
                        function.carry.clear();
                    }
                    written.push(tools::write_function(function, genuine));
                }
                Tool::BuiltIn { format: Format::Chat, value, .. } => written.push(value),
                Tool::BuiltIn { kind, .. } => self.notes.drop_named(format!("tools.{kind}")),
            }
        }
        if written.is_empty() {
            return;
        }
        body.insert("tools".to_owned(), written.into());
        body.extend(choice.map(|choice| ("tool_choice".to_owned(), tools::write_choice(&choice, &custom))));
        let parallel = conversation.parallel_tools;
        body.extend(parallel.map(|parallel| ("parallel_tool_calls".to_owned(), parallel.into())));
    }

    fn sampling(&mut self, conversation: &Conversation, body: &mut Map<String, Value>) {
        let sampling = &conversation.sampling;
        let most = if self.profile.genuine { "max_completion_tokens" } else { "max_tokens" };
        let mut put = |name: &str, value: Option<Value>| {
            body.extend(value.map(|value| (name.to_owned(), value)));
        };
        put(most, sampling.max_output.map(Value::from));
        put("temperature", sampling.temperature.map(|t| number(t.min(2.0))));
        put("top_p", sampling.top_p.map(number));
        put("seed", sampling.seed.map(Value::from));
        put("frequency_penalty", sampling.frequency_penalty.map(number));
        put("presence_penalty", sampling.presence_penalty.map(number));
        put("n", sampling.answers.map(Value::from));
        if let Some(alternatives) = sampling.logprobs {
            put("logprobs", Some(true.into()));
            put("top_logprobs", (alternatives > 0).then(|| alternatives.into()));
        }
        match sampling.top_k {
            Some(k) if self.from == Some(Format::Chat) => put("top_k", Some(k.into())),
            Some(_) => self.notes.drop(Setting::TopK),
            None => {}
        }
        let most = if self.profile.genuine { 4 } else { usize::MAX };
        if sampling.stop.len() > most {
            self.notes.drop(Setting::Stop);
        }
        let stop: Vec<&String> = sampling.stop.iter().take(most).collect();
        put("stop", (!stop.is_empty()).then(|| json!(stop)));
    }

    fn output(&mut self, output: Output, body: &mut Map<String, Value>) {
        let format = match output {
            Output::Text => return,
            Output::Json => json!({ "type": "json_object" }),
            Output::Schema { name, description, schema, strict } => {
                let mut inner = json!({ "name": name.as_deref().unwrap_or("answer"), "schema": schema });
                if let Some(description) = description {
                    inner["description"] = description.into();
                }
                if let Some(strict) = strict {
                    inner["strict"] = strict.into();
                }
                json!({ "type": "json_schema", "json_schema": inner })
            }
        };
        body.insert("response_format".to_owned(), format);
    }

    fn reasoning(&mut self, conversation: &Conversation, body: &mut Map<String, Value>) {
        let Some(reasoning) = &conversation.reasoning else { return };
        if reasoning.is_off() && !self.family() {
            self.notes.drop(Setting::Reasoning);
            return;
        }
        if reasoning.show == Some(true) && self.profile.genuine {
            self.notes.drop(Setting::ShowReasoning);
        }
        if let Some(level) = reasoning.level() {
            body.insert("reasoning_effort".to_owned(), level.as_str().into());
        }
    }

    /// What OpenAI writes beside a question.
    fn labels(&mut self, conversation: &mut Conversation, body: &mut Map<String, Value>) {
        match conversation.user.take() {
            Some(user) if self.profile.genuine && user.chars().count() > USER_LIMIT => {
                self.notes.drop(Setting::User);
            }
            Some(user) => {
                body.insert("user".to_owned(), user.into());
            }
            None => {}
        }
        let family = self.family();
        let newest = self.newest();
        for (name, setting, value, known) in [
            (
                "metadata",
                Setting::Metadata,
                conversation.metadata.take().map(Value::Object),
                newest && family,
            ),
            ("service_tier", Setting::ServiceTier, conversation.service_tier.take().map(Value::from), newest),
            ("prompt_cache_key", Setting::CacheKey, conversation.cache_key.take().map(Value::from), newest),
            ("verbosity", Setting::Verbosity, conversation.verbosity.take().map(Value::from), newest),
        ] {
            match value {
                Some(value) if known => {
                    body.insert(name.to_owned(), value);
                }
                Some(_) => self.notes.drop(setting),
                None => {}
            }
        }
    }

    /// What only the family knows. Those who copy OpenAI's chat are not held to know a response's fields.
    fn carry(&mut self, carry: Map<String, Value>, body: &mut Map<String, Value>) -> Result<(), Error> {
        let responses = self.from == Some(Format::Responses);
        for (name, value) in carry {
            if responses && let Some(name) = KEPT_THERE.into_iter().find(|kept| *kept == name) {
                let text = format!("`{name}` names what another provider keeps: send the whole conversation");
                let error = Error::new(ErrorKind::BadRequest, text).with_param(name);
                return Err(error.with_code("unsupported_parameter"));
            }
            if responses && (NOT_IN_CHAT.contains(&name.as_str()) || !self.profile.genuine) {
                self.notes.drop_named(name);
            } else if !body.contains_key(&name) {
                body.insert(name, value);
            }
        }
        Ok(())
    }
}

fn number(value: f64) -> Value {
    serde_json::Number::from_f64(value).map_or(Value::Null, Value::Number)
}
