//! A request of one format for a provider of another, and its answer back.

use super::codec::{Caller, Profile, Target, codec};
use super::count::{adapt_count, counts};
use super::custom;
use super::invoke;
use super::rewrite::Translation;
use super::{Content, Conversation, Format, Notes, Part, QUIET, Role, Tool, Turn};
use burncloud_core::adapter::{AdaptAsk, Adapted, chain};
use burncloud_core::{Endpoint, Error, ErrorKind};
use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue};
use serde_json::{Map, Value};

/// Whether callers of an endpoint can be translated for a provider of this format.
pub(crate) fn translates(endpoint: &Endpoint, to: Format) -> bool {
    Format::of(endpoint).is_some_and(|from| from != to) || counts(endpoint, to) || invoke::takes(endpoint, to)
}

/// The request in the provider's format.
pub(crate) fn adapt(ask: &AdaptAsk<'_>, to: Format, profile: &Profile) -> Result<Adapted, Error> {
    if counts(ask.endpoint, to) {
        return adapt_count(ask, to, profile);
    }
    if invoke::takes(ask.endpoint, to) {
        return invoke::adapt_invoke(ask, to, profile);
    }
    let unknown =
        || Error::new(ErrorKind::NotImplemented, "this endpoint cannot be translated for this model");
    let from = Format::of(ask.endpoint).ok_or_else(unknown)?;
    let mut notes = Notes::new(from);
    let body = parse(ask.body)?;
    let echo = if from == Format::Responses { echo(&body) } else { Map::new() };
    let mut conversation = codec(from).read_request(body, &mut notes)?;
    conversation.from = Some(from);
    conversation.stream = ask.streamed;
    leave_out_foreign(&mut conversation, to, &mut notes)?;
    show_thoughts(&mut conversation, from, to);
    leading_instructions(&mut conversation);
    let custom = custom::plain(&mut conversation, to, profile);
    let caller = Caller {
        model: ask.model.to_owned(),
        include_usage: conversation.include_usage,
        as_list: from == Format::Gemini && !asks_for_events(ask.query),
        echo,
    };
    let profile = &Profile { include_usage: ask.include_usage, ..*profile };
    let target = Target { model: ask.upstream_model, streamed: ask.streamed, profile };
    let body = codec(to).write_request(conversation, &target, &mut notes);
    let body = body.map_err(|error| in_place(error, from))?;
    let body = serde_json::to_vec(&body).map_err(|e| {
        Error::new(ErrorKind::Internal, "a translated request cannot be written").with_context(e.to_string())
    })?;
    let mut headers = HeaderMap::with_capacity(4);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(ACCEPT, accept(to, ask.streamed));
    if to == Format::Messages {
        // The one under which every model takes sampling parameters.
        headers.insert("anthropic-version", HeaderValue::from_static("2023-06-01"));
    }
    let (path, query, endpoint) = address(to, ask.upstream_model, ask.streamed);
    Ok(Adapted {
        endpoint,
        path,
        query,
        headers,
        body: Bytes::from(body),
        dropped: notes.into_dropped(),
        answer: Some(Box::new(Translation::new(to, *profile, from, caller, ask.streamed, custom))),
    })
}

/// An error about what was said names at least the field where it was.
fn in_place(error: Error, from: Format) -> Error {
    if error.param().is_some() || error.kind() != ErrorKind::BadRequest {
        return error;
    }
    error.with_param(match from {
        Format::Chat | Format::Messages | Format::Cohere | Format::Converse => "messages",
        Format::Responses => "input",
        Format::Gemini => "contents",
    })
}

/// The same for a provider's cloud, which takes its format in another envelope: `edit` puts it there, and undoes it on
/// the way back.
pub(crate) fn adapt_through(
    ask: &AdaptAsk<'_>,
    to: Format,
    profile: &Profile,
    edit: impl FnOnce(&AdaptAsk<'_>) -> Result<Adapted, Error>,
) -> Result<Adapted, Error> {
    let said = adapt(ask, to, profile)?;
    let inner = AdaptAsk {
        endpoint: &said.endpoint,
        path: &said.path,
        query: said.query.as_deref(),
        headers: &said.headers,
        body: &said.body,
        ..*ask
    };
    let mut put = edit(&inner)?;
    put.dropped.splice(0..0, said.dropped);
    put.answer = match (put.answer.take(), said.answer) {
        (Some(first), Some(then)) => Some(chain(first, then)),
        (one, other) => one.or(other),
    };
    Ok(put)
}

/// A body as an object.
pub(crate) fn parse(body: &[u8]) -> Result<Map<String, Value>, Error> {
    let body = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body);
    match serde_json::from_slice(body) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => {
            Err(Error::new(ErrorKind::BadRequest, "the body must be a JSON object").with_code("invalid_json"))
        }
        Err(error) => Err(Error::new(ErrorKind::BadRequest, format!("the body is not JSON: {error}"))
            .with_code("invalid_json")),
    }
}

fn asks_for_events(query: Option<&str>) -> bool {
    query.is_some_and(|query| {
        query.split('&').any(|pair| pair == "alt=sse" || pair == "$alt=sse" || pair == "%24alt=sse")
    })
}

fn accept(to: Format, streamed: bool) -> HeaderValue {
    HeaderValue::from_static(match (to, streamed) {
        (_, false) => "application/json",
        (Format::Converse, true) => "application/vnd.amazon.eventstream",
        (_, true) => "text/event-stream",
    })
}

/// Where a caller of a format would send such a request.
fn address(to: Format, model: &str, streamed: bool) -> (String, Option<String>, Endpoint) {
    let mut endpoint =
        Endpoint { dialect: to.dialect(), operation: to.operation(streamed), ..Endpoint::default() };
    let mut query = None;
    let path = match to {
        Format::Chat => "/v1/chat/completions".to_owned(),
        Format::Responses => "/v1/responses".to_owned(),
        Format::Messages => "/v1/messages".to_owned(),
        Format::Cohere => "/v2/chat".to_owned(),
        Format::Gemini => {
            endpoint.path_model = Some(model.into());
            query = streamed.then(|| "alt=sse".to_owned());
            let action = if streamed { "streamGenerateContent" } else { "generateContent" };
            let model = model.strip_prefix("models/").unwrap_or(model);
            format!("/v1beta/models/{}:{action}", crate::path::encoded(model))
        }
        Format::Converse => {
            endpoint.path_model = Some(model.into());
            endpoint.surface = burncloud_core::Surface::Bedrock;
            let action = if streamed { "converse-stream" } else { "converse" };
            format!("/model/{}/{action}", crate::path::encoded(model))
        }
    };
    (path, query, endpoint)
}

/// Where a format cannot ask for thoughts apart from thinking, thoughts are shown: the caller needs their signature to
/// go on from them. Chat has no word for it: asked for there, it would count as left out, though no caller said it.
fn show_thoughts(conversation: &mut Conversation, from: Format, to: Format) {
    let apart = matches!(from, Format::Responses | Format::Gemini);
    let shows = !apart && to != Format::Chat;
    if let Some(reasoning) = conversation.reasoning.as_mut().filter(|reasoning| shows && !reasoning.is_off())
    {
        reasoning.show.get_or_insert(true);
    }
}

/// Instructions that stand before all else are instructions, in whatever place the caller's format puts them.
fn leading_instructions(conversation: &mut Conversation) {
    let instructs = |turn: &Turn| matches!(turn.role, Role::System | Role::Developer);
    let leading = conversation.turns.iter().take_while(|turn| instructs(turn)).count();
    for turn in conversation.turns.drain(..leading) {
        conversation.system.extend(turn.parts);
    }
}

/// What a Responses answer repeats of its request.
fn echo(body: &Map<String, Value>) -> Map<String, Value> {
    const NAMES: [&str; 14] = [
        "instructions",
        "max_output_tokens",
        "max_tool_calls",
        "metadata",
        "parallel_tool_calls",
        "previous_response_id",
        "reasoning",
        "service_tier",
        "temperature",
        "text",
        "tool_choice",
        "tools",
        "top_p",
        "truncation",
    ];
    let named = NAMES.iter().filter_map(|name| Some(((*name).to_owned(), body.get(*name)?.clone())));
    named.collect()
}

/// Takes out what only another format knows, with a record of it. Content that a user sent is refused instead.
pub(crate) fn leave_out_foreign(
    conversation: &mut Conversation,
    to: Format,
    notes: &mut Notes,
) -> Result<(), Error> {
    let from = notes.caller();
    let foreign = !from.family(to);
    refuse_state(&conversation.carry, to)?;
    leave_out(&mut conversation.carry, foreign, None, notes);
    let mut tools = Vec::with_capacity(conversation.tools.len());
    for tool in std::mem::take(&mut conversation.tools) {
        match tool {
            Tool::BuiltIn { format, kind, .. } if format != to => notes.drop_named(format!("tools.{kind}")),
            Tool::Function(mut function) => {
                leave_out(&mut function.carry, foreign, Some("tools"), notes);
                tools.push(Tool::Function(function));
            }
            other => tools.push(other),
        }
    }
    conversation.tools = tools;
    foreign_parts(&mut conversation.system, Role::System, to, foreign, notes)?;
    for turn in &mut conversation.turns {
        leave_out(&mut turn.carry, foreign, Some("messages"), notes);
        foreign_parts(&mut turn.parts, turn.role, to, foreign, notes)?;
    }
    conversation.turns.retain(|turn| !turn.parts.is_empty());
    Ok(())
}

fn foreign_parts(
    parts: &mut Vec<Part>,
    role: Role,
    to: Format,
    foreign: bool,
    notes: &mut Notes,
) -> Result<(), Error> {
    let mut refused = None;
    parts.retain_mut(|part| {
        leave_out(&mut part.carry, foreign, Some("messages.content"), notes);
        if let Content::ToolResult(result) = &mut part.content {
            refused =
                foreign_parts(&mut result.content, Role::User, to, foreign, notes).err().or(refused.take());
        }
        let Content::Other { format, value } = &part.content else { return true };
        if *format == to {
            return true;
        }
        let kind = value.get("type").and_then(Value::as_str).unwrap_or("a part of unknown kind");
        if role == Role::Assistant {
            notes.drop_named(format!("messages.content.{kind}"));
        } else {
            refused = Some(Notes::cannot_say(
                &format!("`{kind}`"),
                to,
                "take it out, or ask a model whose provider has it",
            ));
        }
        false
    });
    refused.map_or(Ok(()), Err)
}

/// Takes out what means nothing to the provider: always what is quiet, in foreign formats the rest too, with a record
/// of all but switches that are off.
fn leave_out(carry: &mut Map<String, Value>, foreign: bool, place: Option<&str>, notes: &mut Notes) {
    carry.shift_remove(QUIET);
    if !foreign {
        return;
    }
    for (name, value) in std::mem::take(carry) {
        match place {
            // A tilde begins what only keeps how something was spelt.
            _ if value == Value::Bool(false) || name.starts_with('~') => {}
            Some(place) => notes.drop_named(format!("{place}.{name}")),
            None => notes.drop_named(name),
        }
    }
}

/// Refuses what stands for content that only the caller's own provider holds.
fn refuse_state(carry: &Map<String, Value>, to: Format) -> Result<(), Error> {
    const STATE: [&str; 5] =
        ["previous_response_id", "conversation", "prompt", "background", "cachedContent"];
    let named = STATE.into_iter().find(|name| carry.get(*name).is_some_and(|v| *v != Value::Bool(false)));
    named.map_or(Ok(()), |name| {
        let text = format!(
            "`{name}` refers to what another provider keeps; this model's provider ({} format) cannot: send the whole \
             conversation instead",
            to.as_str()
        );
        Err(Error::new(ErrorKind::BadRequest, text).with_param(name).with_code("unsupported_parameter"))
    })
}
