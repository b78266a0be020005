//! `system_prompt`: the operator's instructions, wherever the provider's dialect has them.

use super::TransformError;
use burncloud_core::{Dialect, Endpoint, Operation, Surface, SystemPrompt, SystemPromptMode as Mode};
use serde_json::{Map, Value, json};

/// Between the caller's instructions and the operator's, where they share a text.
const BETWEEN: &str = "\n\n";

/// Compiled `system_prompt`.
#[derive(Debug)]
pub(super) struct Instructions {
    text: String,
    mode: Mode,
}

/// Where a dialect has its instructions.
#[derive(Clone, Copy, Debug)]
enum Shape {
    /// A message of the role `system` or `developer`.
    Message,
    /// `instructions`, a text.
    Instructions,
    /// `system`, a text or blocks.
    System,
    /// `systemInstruction.parts`.
    Gemini,
    /// `system`, blocks `{text}`.
    Converse,
}

impl Instructions {
    pub(super) fn compile(prompt: &SystemPrompt) -> Result<Instructions, TransformError> {
        if prompt.text.trim().is_empty() {
            return Err(TransformError::new(
                "system_prompt",
                "the text is empty; write one, or leave the setting out",
            ));
        }
        Ok(Instructions { text: prompt.text.clone(), mode: prompt.mode })
    }

    /// Whether requests of this kind have instructions.
    pub(super) fn concerns(&self, endpoint: &Endpoint) -> bool {
        shape(endpoint).is_some()
    }

    /// Whether anything changed.
    pub(super) fn apply(&self, endpoint: &Endpoint, body: &mut Value) -> bool {
        let Some(shape) = shape(endpoint) else { return false };
        let body = match body {
            // AI Studio counts with a whole request inside; the short form has no place for instructions.
            Value::Object(body) if counts_inside(endpoint) => match body.get_mut("generateContentRequest") {
                Some(Value::Object(inner)) => inner,
                _ => return false,
            },
            Value::Object(body) => body,
            _ => return false,
        };
        match shape {
            Shape::Message => self.message(body),
            Shape::Instructions => self.instructions(body),
            Shape::System if is_invoke(endpoint) && !body.contains_key("anthropic_version") => false,
            Shape::System => self.system(body),
            Shape::Gemini => self.gemini(body),
            Shape::Converse => self.blocks(body, "system", &json!({"text": self.text})),
        }
    }

    fn message(&self, body: &mut Map<String, Value>) -> bool {
        let Some(Value::Array(messages)) = body.get_mut("messages") else { return false };
        let leading = messages.iter().take_while(|message| instructs(message)).count();
        let own = match self.mode {
            Mode::Default if messages.iter().any(instructs) => return false,
            Mode::Replace => {
                messages.retain(|message| !instructs(message));
                None
            }
            Mode::Prepend => messages[..leading].first_mut(),
            Mode::Append => messages[..leading].last_mut(),
            Mode::Default => None,
        };
        // Some providers take one such message only: the caller's is added to.
        let joined = own.is_some_and(|message| {
            self.join(message.get_mut("content"), &json!({"type": "text", "text": self.text}))
        });
        if !joined {
            let at = if matches!(self.mode, Mode::Append) { leading } else { 0 };
            messages.insert(at, json!({"role": "system", "content": self.text}));
        }
        true
    }

    fn instructions(&self, body: &mut Map<String, Value>) -> bool {
        let items = body.get_mut("input").and_then(Value::as_array_mut);
        let in_input = items.as_ref().is_some_and(|items| items.iter().any(instructs));
        if let (Mode::Replace, Some(items)) = (self.mode, items) {
            items.retain(|item| !instructs(item));
        }
        if matches!(self.mode, Mode::Default) && in_input {
            return false;
        }
        self.text(body, "instructions")
    }

    fn system(&self, body: &mut Map<String, Value>) -> bool {
        let messages = body.get_mut("messages").and_then(Value::as_array_mut);
        if let Some(messages) = messages {
            match self.mode {
                Mode::Default if messages.iter().any(instructs) => return false,
                Mode::Replace => messages.retain(|message| !instructs(message)),
                _ => (),
            }
        }
        match body.get("system") {
            Some(Value::Array(_)) => self.blocks(body, "system", &json!({"type": "text", "text": self.text})),
            _ => self.text(body, "system"),
        }
    }

    fn gemini(&self, body: &mut Map<String, Value>) -> bool {
        let snake = body.contains_key("system_instruction");
        let key = if snake { "system_instruction" } else { "systemInstruction" };
        let part = json!({"text": self.text});
        match body.get_mut(key) {
            Some(Value::Object(content)) if content.get("parts").is_some_and(Value::is_array) => {
                self.blocks(content, "parts", &part)
            }
            // What cannot be read as instructions is not the operator's to correct; but it may be replaced.
            Some(value) if !value.is_null() && !matches!(self.mode, Mode::Replace) => false,
            _ => {
                body.insert(key.to_owned(), json!({"parts": [part]}));
                true
            }
        }
    }

    /// A text at `key`.
    fn text(&self, body: &mut Map<String, Value>, key: &str) -> bool {
        match body.get_mut(key) {
            Some(Value::String(own)) if !own.is_empty() => self.join_text(own),
            Some(own) if !own.is_null() && !own.is_string() && !matches!(self.mode, Mode::Replace) => false,
            _ => {
                body.insert(key.to_owned(), self.text.clone().into());
                true
            }
        }
    }

    /// A list of blocks at `key`.
    fn blocks(&self, body: &mut Map<String, Value>, key: &str, block: &Value) -> bool {
        match body.get_mut(key) {
            Some(Value::Array(own)) if !own.is_empty() => self.join_blocks(own, block),
            _ => {
                body.insert(key.to_owned(), Value::Array(vec![block.clone()]));
                true
            }
        }
    }

    /// Adds to a content, if it is one that can be added to.
    fn join(&self, content: Option<&mut Value>, block: &Value) -> bool {
        match content {
            Some(Value::String(own)) => self.join_text(own),
            Some(Value::Array(own)) => self.join_blocks(own, block),
            _ => false,
        }
    }

    fn join_text(&self, own: &mut String) -> bool {
        match self.mode {
            Mode::Prepend => own.insert_str(0, &format!("{}{BETWEEN}", self.text)),
            Mode::Append => own.push_str(&format!("{BETWEEN}{}", self.text)),
            Mode::Replace => own.clone_from(&self.text),
            Mode::Default => return false,
        }
        true
    }

    fn join_blocks(&self, own: &mut Vec<Value>, block: &Value) -> bool {
        match self.mode {
            Mode::Prepend => own.insert(0, block.clone()),
            Mode::Append => own.push(block.clone()),
            Mode::Replace => *own = vec![block.clone()],
            Mode::Default => return false,
        }
        true
    }
}

/// Whether a message is one of the caller's instructions.
fn instructs(message: &Value) -> bool {
    matches!(message.get("role").and_then(Value::as_str), Some("system" | "developer"))
}

fn shape(endpoint: &Endpoint) -> Option<Shape> {
    Some(match endpoint.operation {
        Operation::Chat | Operation::CohereChat => Shape::Message,
        Operation::Responses | Operation::ResponsesInputTokens => Shape::Instructions,
        Operation::Messages | Operation::Invoke | Operation::InvokeStream => Shape::System,
        Operation::GenerateContent | Operation::StreamGenerateContent => Shape::Gemini,
        Operation::Converse | Operation::ConverseStream => Shape::Converse,
        Operation::CountTokens if endpoint.dialect == Dialect::Anthropic => Shape::System,
        Operation::CountTokens if endpoint.dialect == Dialect::Gemini => Shape::Gemini,
        _ => return None,
    })
}

fn counts_inside(endpoint: &Endpoint) -> bool {
    endpoint.operation == Operation::CountTokens
        && endpoint.dialect == Dialect::Gemini
        && endpoint.surface != Surface::Vertex
}

/// Bedrock's invoke takes the body of whoever made the model.
fn is_invoke(endpoint: &Endpoint) -> bool {
    matches!(endpoint.operation, Operation::Invoke | Operation::InvokeStream)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(dialect: Dialect, operation: Operation) -> Endpoint {
        Endpoint { dialect, operation, ..Endpoint::default() }
    }

    #[track_caller]
    fn check(mode: Mode, operation: Operation, before: Value, wanted: Value) {
        let compiled = Instructions::compile(&SystemPrompt { text: "OURS".into(), mode }).unwrap();
        let mut body = before.clone();
        let changed = compiled.apply(&endpoint(Dialect::OpenAi, operation), &mut body);
        assert_eq!(body, wanted, "{mode:?} {operation:?}");
        assert_eq!(changed, before != wanted);
    }

    #[test]
    fn messages() {
        let user = json!({"role": "user", "content": "hi"});
        let none = json!({"messages": [user]});
        let text = json!({"messages": [{"role": "developer", "content": "own"}, user]});
        let made = json!({"messages": [{"role": "system", "content": "OURS"}, user]});
        for mode in [Mode::Prepend, Mode::Append, Mode::Replace, Mode::Default] {
            check(mode, Operation::Chat, none.clone(), made.clone());
            check(mode, Operation::CohereChat, none.clone(), made.clone());
        }
        let joined = |content: Value| json!({"messages": [{"role": "developer", "content": content}, user]});
        check(Mode::Prepend, Operation::Chat, text.clone(), joined(json!("OURS\n\nown")));
        check(Mode::Append, Operation::Chat, text.clone(), joined(json!("own\n\nOURS")));
        check(Mode::Replace, Operation::Chat, text.clone(), made);
        check(Mode::Default, Operation::Chat, text.clone(), text);
        let block = |text| json!({"type": "text", "text": text});
        let blocks = joined(json!([block("own")]));
        check(Mode::Append, Operation::Chat, blocks, joined(json!([block("own"), block("OURS")])));
        check(Mode::Prepend, Operation::Chat, json!({"messages": 1}), json!({"messages": 1}));
    }

    #[test]
    fn responses() {
        check(
            Mode::Prepend,
            Operation::Responses,
            json!({"input": "x"}),
            json!({"input": "x", "instructions": "OURS"}),
        );
        let own = json!({"instructions": "own"});
        check(Mode::Prepend, Operation::Responses, own.clone(), json!({"instructions": "OURS\n\nown"}));
        check(Mode::Default, Operation::Responses, own.clone(), own);
        let item =
            json!({"input": [{"role": "developer", "content": "own"}, {"role": "user", "content": "x"}]});
        check(Mode::Default, Operation::Responses, item.clone(), item.clone());
        let replaced = json!({"input": [{"role": "user", "content": "x"}], "instructions": "OURS"});
        check(Mode::Replace, Operation::Responses, item, replaced);
    }

    #[test]
    fn anthropic_and_the_clouds() {
        check(Mode::Default, Operation::Messages, json!({}), json!({"system": "OURS"}));
        check(Mode::Append, Operation::Messages, json!({"system": "own"}), json!({"system": "own\n\nOURS"}));
        let cached = json!({"type": "text", "text": "own", "cache_control": {"type": "ephemeral"}});
        let both = json!({"system": [{"type": "text", "text": "OURS"}, cached]});
        check(Mode::Prepend, Operation::Messages, json!({"system": [cached]}), both);
        let invoke = json!({"anthropic_version": "v"});
        check(Mode::Prepend, Operation::Invoke, invoke, json!({"anthropic_version": "v", "system": "OURS"}));
        check(Mode::Prepend, Operation::Invoke, json!({"prompt": "x"}), json!({"prompt": "x"}));
        let own = json!({"system": [{"text": "own"}]});
        check(
            Mode::Append,
            Operation::Converse,
            own.clone(),
            json!({"system": [{"text": "own"}, {"text": "OURS"}]}),
        );
        check(Mode::Replace, Operation::Converse, own, json!({"system": [{"text": "OURS"}]}));
    }

    #[test]
    fn gemini() {
        let ours = json!({"systemInstruction": {"parts": [{"text": "OURS"}]}});
        check(Mode::Append, Operation::GenerateContent, json!({}), ours.clone());
        let own = json!({"system_instruction": {"parts": [{"text": "own"}], "role": "user"}});
        let both =
            json!({"system_instruction": {"parts": [{"text": "OURS"}, {"text": "own"}], "role": "user"}});
        check(Mode::Prepend, Operation::StreamGenerateContent, own.clone(), both);
        check(Mode::Default, Operation::GenerateContent, own.clone(), own);
        let compiled =
            Instructions::compile(&SystemPrompt { text: "OURS".into(), mode: Mode::Prepend }).unwrap();
        let count = endpoint(Dialect::Gemini, Operation::CountTokens);
        let mut body = json!({"generateContentRequest": {}});
        assert!(compiled.apply(&count, &mut body));
        assert_eq!(body, json!({"generateContentRequest": ours}));
        assert!(!compiled.apply(&count, &mut json!({"contents": []})));
    }

    #[test]
    fn what_has_no_instructions_is_left_alone() {
        for operation in
            [Operation::Embeddings, Operation::Completions, Operation::ImageGeneration, Operation::Rerank]
        {
            check(Mode::Prepend, operation, json!({"messages": []}), json!({"messages": []}));
        }
        assert!(Instructions::compile(&SystemPrompt { text: " \n".into(), mode: Mode::Prepend }).is_err());
    }
}
