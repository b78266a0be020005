//! Custom tools, which take free text, for providers that only know functions.
//!
//! On the way to the provider such a tool is a function with one argument, `input`; its calls in the history are calls
//! of that function. On the way back the calls of these names are custom calls again, their text taken out of the
//! argument. So an agent that edits files by a custom tool works before any provider.

use super::codec::Profile;
use super::{Block, CallKind, Content, Conversation, Delta, Event, Format, Reply, Tool, ToolCall};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

const ARGUMENT: &str = "input";

/// Makes functions of the custom tools, where the provider has none. Returns their names.
pub(super) fn plain(conversation: &mut Conversation, to: Format, profile: &Profile) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    if to == Format::Responses || (to == Format::Chat && profile.genuine) {
        return names;
    }
    for tool in &mut conversation.tools {
        if let Tool::Function(function) = tool
            && function.kind == CallKind::Custom
        {
            function.kind = CallKind::Function;
            function.schema = Some(json!({
                "type": "object",
                "properties": { ARGUMENT: { "type": "string" } },
                "required": [ARGUMENT],
                "additionalProperties": false,
            }));
            names.insert(function.name.clone());
        }
    }
    for part in conversation.turns.iter_mut().flat_map(|turn| &mut turn.parts) {
        if let Content::ToolCall(call) = &mut part.content
            && call.kind == CallKind::Custom
        {
            call.kind = CallKind::Function;
            call.arguments = json!({ ARGUMENT: std::mem::take(&mut call.arguments) }).to_string();
        }
    }
    names
}

/// The text in a function's argument; what is no such object is the text itself.
fn text_of(arguments: String) -> String {
    match serde_json::from_str(&arguments) {
        Ok(Value::Object(mut object)) => match object.remove(ARGUMENT) {
            Some(Value::String(text)) => text,
            _ => arguments,
        },
        _ => arguments,
    }
}

/// Makes custom calls of the calls of `names` in a whole answer.
pub(super) fn restore(reply: &mut Reply, names: &BTreeSet<String>) {
    for part in reply.choices.iter_mut().flat_map(|choice| &mut choice.parts) {
        if let Content::ToolCall(call) = &mut part.content
            && names.contains(&call.name)
        {
            call.kind = CallKind::Custom;
            call.arguments = text_of(std::mem::take(&mut call.arguments));
        }
    }
}

/// The same in a stream. A custom call is held until it is complete: its text stands in JSON whose end must be known.
#[derive(Debug, Default)]
pub(super) struct Restorer {
    names: BTreeSet<String>,
    held: BTreeMap<u32, ToolCall>,
}

impl Restorer {
    pub(super) fn new(names: BTreeSet<String>) -> Restorer {
        Restorer { names, held: BTreeMap::new() }
    }

    /// Passes an event on.
    pub(super) fn pass(&mut self, event: Event, on: &mut dyn FnMut(Event)) {
        match event {
            Event::Open { choice, block: Block::ToolCall { id, name, signature, .. } }
                if self.names.contains(&name) =>
            {
                let call = ToolCall { id, name, signature, ..ToolCall::default() };
                self.held.insert(choice, call);
            }
            Event::Delta { choice, delta: Delta::Arguments(more) } if self.held.contains_key(&choice) => {
                if let Some(call) = self.held.get_mut(&choice) {
                    call.arguments.push_str(&more);
                }
            }
            Event::Close { choice } => {
                if let Some(ToolCall { id, name, signature, arguments, .. }) = self.held.remove(&choice) {
                    let block = Block::ToolCall { id, name, signature, kind: CallKind::Custom };
                    on(Event::Open { choice, block });
                    on(Event::Delta { choice, delta: Delta::Arguments(text_of(arguments)) });
                }
                on(Event::Close { choice });
            }
            other => on(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::translate::{FunctionTool, Part, Role, Turn};

    fn patch() -> ToolCall {
        let arguments = "*** Begin \"Patch\"\n".to_owned();
        ToolCall {
            id: "c1".into(),
            name: "apply_patch".into(),
            arguments,
            kind: CallKind::Custom,
            signature: None,
        }
    }

    #[test]
    fn a_custom_call_survives_a_provider_without_custom_tools() {
        let tool =
            FunctionTool { name: "apply_patch".into(), kind: CallKind::Custom, ..FunctionTool::default() };
        let turn = Turn::new(Role::Assistant, vec![Part::new(Content::ToolCall(patch()))]);
        let mut conversation =
            Conversation { tools: vec![Tool::Function(tool)], turns: vec![turn], ..Conversation::default() };
        let mut kept = conversation.clone();
        assert!(plain(&mut kept, Format::Responses, &Profile::GENUINE).is_empty());
        assert_eq!(kept, conversation);
        let names = plain(&mut conversation, Format::Messages, &Profile::GENUINE);
        assert!(names.contains("apply_patch"));
        let Content::ToolCall(call) = conversation.turns[0].parts[0].content.clone() else {
            panic!("no call")
        };
        assert_eq!(
            (call.kind, call.object()["input"].as_str()),
            (CallKind::Function, Some("*** Begin \"Patch\"\n"))
        );
        let choice = super::super::Choice {
            parts: vec![Part::new(Content::ToolCall(call.clone()))],
            ..super::super::Choice::default()
        };
        let mut reply = Reply { choices: vec![choice], ..Reply::default() };
        restore(&mut reply, &names);
        assert_eq!(reply.choices[0].parts[0].content, Content::ToolCall(patch()));

        let mut restorer = Restorer::new(names);
        let mut events = Vec::new();
        let (left, right) = call.arguments.split_at(9);
        let block = Block::ToolCall { id: call.id, name: call.name, kind: call.kind, signature: None };
        let arguments = |text: &str| Event::Delta { choice: 0, delta: Delta::Arguments(text.to_owned()) };
        for event in
            [Event::Open { choice: 0, block }, arguments(left), arguments(right), Event::Close { choice: 0 }]
        {
            restorer.pass(event, &mut |event| events.push(event));
        }
        assert_eq!(events[1], arguments(&patch().arguments));
        assert!(matches!(
            &events[0],
            Event::Open { block: Block::ToolCall { kind: CallKind::Custom, .. }, .. }
        ));
        assert_eq!(events.len(), 3);
    }
}
