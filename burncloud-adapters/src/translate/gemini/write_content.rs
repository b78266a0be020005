//! Writes turns and instructions for Google.

use super::super::{
    Content, Conversation, Format, Media, Notes, Origin, Part, Role, Setting, Signature, Thinking, ToolCall,
    ToolResult,
};
use super::model::Model;
use super::{media, part, sign};
use burncloud_core::{Error, ErrorKind};
use serde_json::{Map, Value, json};
use std::collections::HashMap;

/// Writes turns; what it learns on the way stays in it.
pub(super) struct Contents<'a> {
    /// Whoever asks speaks this very format.
    own: bool,
    model: Model<'a>,
    vertex: bool,
    notes: &'a mut Notes,
    /// The calls' names and order, by their ids.
    calls: HashMap<String, (String, usize)>,
    /// The closest look that is asked for at any picture.
    detail: Option<String>,
}

/// A part, and, of a tool's result, the place of its call.
struct Piece {
    place: Option<usize>,
    part: Map<String, Value>,
}

impl From<Map<String, Value>> for Piece {
    fn from(part: Map<String, Value>) -> Piece {
        Piece { place: None, part }
    }
}

/// One content: the model's or the user's.
struct Said {
    model: bool,
    pieces: Vec<Piece>,
    carry: Map<String, Value>,
}

impl<'a> Contents<'a> {
    pub(super) fn new(
        from: &Conversation,
        model: Model<'a>,
        vertex: bool,
        notes: &'a mut Notes,
    ) -> Contents<'a> {
        let mut calls = HashMap::new();
        for part in from.turns.iter().flat_map(|turn| &turn.parts) {
            if let Content::ToolCall(call) = &part.content {
                let place = calls.len();
                calls.entry(call.id.clone()).or_insert_with(|| (call.name.clone(), place));
            }
        }
        Contents { own: from.from == Some(Format::Gemini), model, vertex, notes, calls, detail: None }
    }

    /// How closely pictures are to be looked at.
    pub(super) fn into_detail(self) -> Option<String> {
        self.detail
    }

    /// Writes `systemInstruction` and `contents`.
    pub(super) fn write(
        &mut self,
        from: &mut Conversation,
        body: &mut Map<String, Value>,
    ) -> Result<(), Error> {
        let system = self.parts(Role::System, std::mem::take(&mut from.system))?;
        let mut contents: Vec<Said> = Vec::new();
        for turn in std::mem::take(&mut from.turns) {
            if turn.name.is_some() {
                self.notes.drop(Setting::Name);
            }
            let (model, carry) = (turn.role == Role::Assistant, turn.carry);
            let pieces = self.parts(turn.role, turn.parts)?;
            match contents.last_mut() {
                _ if pieces.is_empty() && carry.is_empty() => {}
                Some(last) if last.model == model => {
                    last.pieces.extend(pieces);
                    last.carry.extend(carry);
                }
                _ => contents.push(Said { model, pieces, carry }),
            }
        }
        if contents.is_empty() && !self.own && !system.is_empty() {
            // There is no asking without a content.
            let pieces = vec![part::text("", false, None).into()];
            contents.push(Said { model: false, pieces, carry: Map::new() });
        }
        if !system.is_empty() {
            let parts: Value = system.into_iter().map(|piece| piece.part).collect();
            body.insert("systemInstruction".to_owned(), json!({ "parts": parts }));
        }
        let contents: Value = contents.into_iter().map(|said| self.content(said)).collect();
        body.insert("contents".to_owned(), contents);
        Ok(())
    }

    fn content(&self, said: Said) -> Value {
        let Said { model, mut pieces, carry } = said;
        if model && self.model.is_three() {
            // It refuses calls in the history that it did not sign, unless this stands there.
            let first = pieces.iter_mut().find(|piece| piece.part.contains_key("functionCall"));
            if let Some(first) = first {
                first.part.entry("thoughtSignature").or_insert_with(|| sign::UNSIGNED.into());
            }
        }
        if !model && !self.own {
            // Results first, in the order of their calls.
            pieces.sort_by_key(|piece| piece.place.unwrap_or(usize::MAX));
        }
        let parts: Value = pieces.into_iter().map(|piece| piece.part).collect();
        let mut content = Map::new();
        content.insert("role".to_owned(), if model { "model" } else { "user" }.into());
        content.insert("parts".to_owned(), parts);
        content.extend(carry);
        Value::Object(content)
    }

    fn parts(&mut self, role: Role, parts: Vec<Part>) -> Result<Vec<Piece>, Error> {
        let mut out = Vec::with_capacity(parts.len());
        // A signature that another format kept apart from what it signs.
        let mut waiting: Option<String> = None;
        for Part { content, cache, carry } in parts {
            if cache.is_some() {
                self.notes.drop(Setting::CacheMark);
            }
            let before = out.len();
            match content {
                Content::Text { text, signature, .. } => {
                    let signature = self.google(signature).or_else(|| waiting.take());
                    if !text.is_empty() || signature.is_some() || self.own {
                        out.push(part::text(&text, false, signature).into());
                    }
                }
                Content::Refusal(text) if text.is_empty() => {}
                Content::Refusal(text) => out.push(part::text(&text, false, None).into()),
                Content::Thinking(thinking) => self.thinking(thinking, &mut waiting, &mut out),
                Content::ToolCall(call) => out.push(self.call(call, &mut waiting).into()),
                Content::ToolResult(result) => self.result(result, &mut out)?,
                Content::Media(media) => out.push(self.media(media)?.into()),
                Content::Other { format: Format::Gemini, value: Value::Object(part) } => {
                    out.push(part.into())
                }
                Content::Other { .. } if role == Role::Assistant => {
                    self.notes.drop_named("messages.content");
                }
                Content::Other { .. } => {
                    let fix = "take it out, or ask a model whose provider has it";
                    return Err(Notes::cannot_say("part of this kind", Format::Gemini, fix));
                }
            }
            if let Some(written) = out.get_mut(before) {
                part::put_back(&mut written.part, carry);
            }
        }
        if let Some(signature) = waiting {
            out.push(part::text("", false, Some(signature)).into());
        }
        Ok(out)
    }

    /// Google's own signature; another's is left out.
    fn google(&mut self, signature: Option<Signature>) -> Option<String> {
        let signature = signature?;
        if signature.origin == Origin::Google {
            return Some(signature.value);
        }
        self.notes.drop(Setting::ForeignThinking);
        None
    }

    fn thinking(&mut self, thinking: Thinking, waiting: &mut Option<String>, out: &mut Vec<Piece>) {
        let foreign = thinking.signature.as_ref().is_some_and(|s| s.origin != Origin::Google);
        let signature = self.google(thinking.signature);
        if foreign {
            return;
        }
        if thinking.text.is_empty() {
            *waiting = signature.or(waiting.take());
        } else {
            out.push(part::text(&thinking.text, true, signature).into());
        }
    }

    fn call(&mut self, call: ToolCall, waiting: &mut Option<String>) -> Map<String, Value> {
        let signature = self.google(call.signature.clone()).or_else(|| waiting.take());
        let id = self.id(&call.id);
        part::call(&call, id.as_deref(), signature)
    }

    /// Ids go to Google only where it issued them, or a Gemini caller wrote them.
    fn id(&self, id: &str) -> Option<String> {
        let made = |id: &str| {
            let place = id.strip_prefix("call_").and_then(|rest| rest.split_once('_'));
            place.is_some_and(|(a, b)| a.parse::<usize>().is_ok() && b.parse::<usize>().is_ok())
        };
        let given = self.own && !made(id);
        part::issued(id).or(given.then_some(id)).map(str::to_owned)
    }

    fn media(&mut self, media: Media) -> Result<Map<String, Value>, Error> {
        let detail = media.detail.clone().filter(|detail| detail != "auto");
        if media.name.is_some() && !self.own && !self.vertex {
            self.notes.drop_named("filename");
        }
        let mut part = media::write(media, self.own || self.vertex, self.own)?;
        match (detail, self.own) {
            (None, _) => {}
            (Some(detail), true) => {
                let level = media::resolution(&detail).map(|level| json!({ "level": level }));
                part.extend(level.map(|level| ("mediaResolution".to_owned(), level)));
            }
            // One for all pictures; the closest look anybody asks for.
            (Some(detail), false) => {
                if self.detail.as_ref().is_some_and(|before| *before != detail) {
                    self.notes.drop(Setting::Detail);
                }
                if self.detail.as_deref() != Some("high") {
                    self.detail = Some(detail);
                }
            }
        }
        Ok(part)
    }

    fn result(&mut self, result: ToolResult, out: &mut Vec<Piece>) -> Result<(), Error> {
        let (text, id) = (result.text(), self.id(&result.id));
        let call = self.calls.get(&result.id);
        let place = Some(call.map_or(usize::MAX - 1, |(_, place)| *place));
        let Some(name) = result.name.or_else(|| call.map(|(name, _)| name.clone())) else {
            let text =
                format!("the tool result for `{}` answers no call among the turns before it", result.id);
            return Err(Error::new(ErrorKind::BadRequest, text).with_code("invalid_value"));
        };
        let mut inside = Vec::new();
        for part in result.content {
            match part.content {
                Content::Media(media) => {
                    let mut media = self.media(media)?;
                    part::put_back(&mut media, part.carry);
                    inside.push(media);
                }
                Content::Other { format: Format::Gemini, value: Value::Object(part) } => inside.push(part),
                _ => {}
            }
        }
        let mut response = Map::new();
        response.extend(id.map(|id| ("id".to_owned(), id.into())));
        response.insert("name".to_owned(), name.into());
        response.insert("response".to_owned(), part::response(text, result.is_error));
        // Media within results are for Gemini 3; for others they follow.
        if (self.own || self.model.is_three()) && !inside.is_empty() {
            let inside: Value = std::mem::take(&mut inside).into_iter().collect();
            response.insert("parts".to_owned(), inside);
        }
        let part = Map::from_iter([("functionResponse".to_owned(), Value::Object(response))]);
        out.push(Piece { place, part });
        out.extend(inside.into_iter().map(Piece::from));
        Ok(())
    }
}
