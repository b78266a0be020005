//! Writes a request for Google.

use super::super::codec::Target;
use super::super::{Conversation, Format, Notes, QUIET, Setting};
use super::model::Model;
use super::write_content::Contents;
use super::{config, media, tool};
use burncloud_core::Error;
use serde_json::{Map, Value, json};

/// See the module.
pub(super) fn write(mut from: Conversation, to: &Target<'_>, notes: &mut Notes) -> Result<Value, Error> {
    let own = from.from == Some(Format::Gemini);
    let model = Model::new(to.model);
    let mut body = Map::new();
    let mut contents = Contents::new(&from, model, to.profile.vertex, notes);
    contents.write(&mut from, &mut body)?;
    let detail = contents.into_detail();
    let mut generation = config::write(&mut from, model, own, notes);
    if let Some(resolution) = detail.as_deref().and_then(media::resolution) {
        generation.insert("mediaResolution".to_owned(), resolution.into());
    }
    tools(&mut from, &mut body, own, notes);
    labels(&mut from, &mut body, own || to.profile.vertex, notes);
    service_tier(&mut from, &mut body, to.profile.vertex, notes);
    if from.cache_key.is_some() {
        notes.drop(Setting::CacheKey);
    }
    let carry = put_back(std::mem::take(&mut from.carry), &mut generation, &mut body);
    if !generation.is_empty() {
        body.insert("generationConfig".to_owned(), Value::Object(generation));
    }
    body.extend(carry);
    Ok(Value::Object(body))
}

/// Fields that stood inside others go back there; the rest is returned.
fn put_back(
    carry: Map<String, Value>,
    generation: &mut Map<String, Value>,
    body: &mut Map<String, Value>,
) -> Map<String, Value> {
    let mut rest = Map::new();
    for (name, value) in carry {
        if name == QUIET {
            continue;
        }
        if let Some(name) = name.strip_prefix("generationConfig.") {
            generation.insert(name.to_owned(), value);
        } else if let Some(path) = name.strip_prefix("toolConfig.") {
            let config = body.entry("toolConfig").or_insert_with(|| json!({}));
            match path.strip_prefix("functionCallingConfig.") {
                Some(name) => config["functionCallingConfig"][name] = value,
                None => config[path] = value,
            }
        } else {
            rest.insert(name, value);
        }
    }
    rest
}

fn tools(from: &mut Conversation, body: &mut Map<String, Value>, own: bool, notes: &mut Notes) {
    let any = from.functions().next().is_some();
    let tools = tool::write(std::mem::take(&mut from.tools), notes);
    if !tools.is_empty() {
        body.insert("tools".to_owned(), tools.into());
    }
    if let Some(choice) = from.tool_choice.take().filter(|_| any || own) {
        let calling = tool::write_choice(choice, &mut from.carry);
        body.insert("toolConfig".to_owned(), json!({ "functionCallingConfig": calling }));
    }
    if from.parallel_tools == Some(false) && any {
        notes.drop(Setting::ParallelTools);
    }
}

/// Vertex has labels for the caller's own accounting, of few letters; AI Studio has none.
fn labels(from: &mut Conversation, body: &mut Map<String, Value>, has_labels: bool, notes: &mut Notes) {
    let own = from.from == Some(Format::Gemini);
    let letters = |text: &str, most: usize| {
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '-');
        text.len() <= most && text.chars().all(fits)
    };
    let mut labels = Map::new();
    for (name, value) in from.metadata.take().unwrap_or_default() {
        let text = value.as_str().unwrap_or_default();
        let begins = name.starts_with(|c: char| c.is_ascii_lowercase());
        if own || (has_labels && begins && letters(&name, 63) && value.is_string() && letters(text, 63)) {
            labels.insert(name, value);
        } else {
            notes.drop(Setting::Metadata);
        }
    }
    if let Some(user) = from.user.take() {
        if has_labels && letters(&user, 63) {
            labels.entry("user").or_insert_with(|| user.into());
        } else {
            notes.drop(Setting::User);
        }
    }
    if !labels.is_empty() {
        body.insert("labels".to_owned(), Value::Object(labels));
    }
}

/// AI Studio takes it in the body. Vertex wants headers for it.
fn service_tier(from: &mut Conversation, body: &mut Map<String, Value>, vertex: bool, notes: &mut Notes) {
    let tier = match from.service_tier.take().as_deref() {
        None | Some("auto") => return,
        Some("default" | "standard") if vertex => return,
        Some("default" | "standard") => "standard",
        Some("flex") if !vertex => "flex",
        Some("priority") if !vertex => "priority",
        Some(_) => return notes.drop(Setting::ServiceTier),
    };
    body.insert("serviceTier".to_owned(), tier.into());
}
