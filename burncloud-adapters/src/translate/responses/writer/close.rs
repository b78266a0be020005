//! How the writer's items end.

use super::super::OWN;
use super::super::reply::call_words;
use super::{Open, Out, Writer};
use crate::translate::{CallKind, Content, MediaKind, Origin, Part, Signature, Source, new_id};
use serde_json::{Value, json};

impl Writer {
    /// A part of a message is complete, or an item that is no message.
    pub(super) fn close_block(&mut self, out: &mut Out<'_>) {
        let Open::Message { id, content, part } = &mut self.open else { return self.close_item(out) };
        let Some(part) = part.take() else { return };
        let place =
            json!({ "item_id": id, "output_index": self.output.len(), "content_index": content.len() });
        let value = part.value();
        content.push(value.clone());
        if out.is_none() {
            return;
        }
        let with = |more: Value| {
            let mut fields = place.clone();
            if let (Value::Object(fields), Value::Object(more)) = (&mut fields, more) {
                fields.extend(more);
            }
            fields
        };
        if part.refusal {
            self.emit(out, "response.refusal.done", with(json!({ "refusal": part.text })));
        } else {
            let done = with(json!({ "text": part.text, "logprobs": part.logprobs }));
            self.emit(out, "response.output_text.done", done);
        }
        self.emit(out, "response.content_part.done", with(json!({ "part": value })));
    }

    /// The open item is complete.
    pub(super) fn close_item(&mut self, out: &mut Out<'_>) {
        if matches!(self.open, Open::Message { part: Some(_), .. }) {
            self.close_block(out);
        }
        match &self.open {
            Open::Reasoning { text, redacted: false, begun: false, signature: Some(_), .. }
                if text.is_empty() =>
            {
                // A summary without words tells thoughts that are not shown from thoughts that are withheld.
                self.begin_summary(out);
            }
            Open::Call { kind: CallKind::Function, arguments, .. } if arguments.is_empty() => {
                self.arguments("{}", out);
            }
            _ => {}
        }
        match std::mem::replace(&mut self.open, Open::Nothing) {
            Open::Nothing => {}
            Open::Message { id, content, .. } => {
                let status = if self.incomplete().is_some() { "incomplete" } else { "completed" };
                let item = json!({
                    "id": id, "type": "message", "status": status, "content": content, "role": "assistant",
                });
                self.done(item, out);
            }
            Open::Reasoning { id, text, begun, signature, .. } => {
                self.close_reasoning(id, text, begun, signature, out);
            }
            Open::Call { id, call_id, name, kind, arguments } => {
                self.close_call(id, call_id, name, kind, arguments, out);
            }
        }
        if let Some(signature) = self.signature.take() {
            self.lone_signature(signature, out);
        }
    }

    pub(super) fn close_reasoning(
        &mut self,
        id: String,
        text: String,
        begun: bool,
        signature: Option<Signature>,
        out: &mut Out<'_>,
    ) {
        let mut summary = json!([]);
        if begun {
            let part = json!({ "type": "summary_text", "text": text });
            let index = self.output.len();
            let done = json!({ "item_id": id, "output_index": index, "summary_index": 0, "text": text });
            self.emit(out, "response.reasoning_summary_text.done", done);
            let done = json!({ "item_id": id, "output_index": index, "summary_index": 0, "part": part });
            self.emit(out, "response.reasoning_summary_part.done", done);
            summary = json!([part]);
        }
        let mut item = json!({ "id": id, "type": "reasoning", "summary": summary });
        if let Some(signature) = signature {
            item["encrypted_content"] = signature.to_field(Origin::OpenAi).into();
        }
        self.done(item, out);
    }

    pub(super) fn close_call(
        &mut self,
        id: String,
        call_id: String,
        name: String,
        kind: CallKind,
        arguments: String,
        out: &mut Out<'_>,
    ) {
        let (item, field, _) = call_words(kind);
        let event = match kind {
            CallKind::Function => "response.function_call_arguments.done",
            CallKind::Custom => "response.custom_tool_call_input.done",
        };
        let done =
            json!({ "item_id": id, "output_index": self.output.len(), "name": name, field: arguments });
        self.emit(out, event, done);
        let item = json!({
            "id": id, "type": item, "status": "completed", "call_id": call_id, "name": name, field: arguments,
        });
        self.done(item, out);
    }

    /// Google signs calls and texts: here that is reasoning without words.
    pub(super) fn lone_signature(&mut self, signature: Signature, out: &mut Out<'_>) {
        let id = new_id("rs_");
        self.added(json!({ "id": id, "type": "reasoning", "summary": [] }), out);
        self.close_reasoning(id, String::new(), false, Some(signature), out);
    }

    /// Items that come whole: those of this very format, and pictures. What has no place here is left out.
    pub(super) fn whole(&mut self, part: Part, out: &mut Out<'_>) {
        let item = match part.content {
            Content::Other { format: OWN, value } => value,
            Content::Media(media) if media.kind == MediaKind::Image => match media.source {
                Source::Base64(data) => json!({
                    "id": new_id("ig_"), "type": "image_generation_call", "status": "completed", "result": data,
                }),
                _ => return,
            },
            _ => return,
        };
        self.close_item(out);
        if out.is_some() {
            self.added(item.clone(), out);
        }
        self.done(item, out);
    }
}
