//! The request.

use super::super::codec::Profile;
use super::super::gemini::{camel, object, objects};
use super::super::{Fields, Format, Notes, Setting};
use super::EmbedFormat;
use super::answer::{Kind, Shape};
use burncloud_core::Error;
use serde_json::{Map, Value, json};

/// What embeddings are asked for.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Asked {
    texts: Vec<String>,
    dimensions: Option<u64>,
    /// What for, in Google's words.
    task: Option<String>,
}

/// `/v1/embeddings`.
pub(super) fn read_openai(
    body: Map<String, Value>,
    shape: &mut Shape,
    notes: &mut Notes,
) -> Result<Asked, Error> {
    let mut fields = Fields::of_request(body);
    fields.take("model");
    shape.kind = match fields.string("encoding_format")?.as_deref() {
        None | Some("float") => Kind::Floats,
        Some("base64") => Kind::Base64,
        Some(_) => return Err(fields.fault("encoding_format", "`encoding_format` must be float or base64")),
    };
    let texts = match fields.take("input") {
        Some(Value::String(text)) => vec![text],
        Some(Value::Array(items)) => texts(items).ok_or_else(|| {
            let text = "`input` holds tokens, which mean something else to this model; send texts";
            fields.fault("input", text)
        })?,
        _ => return Err(fields.fault("input", "`input` must be a text or a list of texts")),
    };
    let dimensions = fields.unsigned("dimensions")?;
    if fields.take("user").is_some() {
        notes.drop(Setting::User);
    }
    fields.rest().into_iter().for_each(|(name, _)| notes.drop_named(name));
    Ok(Asked { texts, dimensions, task: None })
}

fn texts(items: Vec<Value>) -> Option<Vec<String>> {
    let text = |item| match item {
        Value::String(text) => Some(text),
        _ => None,
    };
    items.into_iter().map(text).collect()
}

/// `:embedContent` and `:batchEmbedContents`, told apart by what they hold.
pub(super) fn read_gemini(
    body: Map<String, Value>,
    shape: &mut Shape,
    notes: &mut Notes,
) -> Result<Asked, Error> {
    let mut fields = Fields::of_request(camel(body));
    let batch = fields.has("requests");
    shape.kind = if batch { Kind::Batch } else { Kind::Single };
    let requests = if batch { objects(&mut fields, "requests")? } else { vec![fields] };
    let mut asked = Asked::default();
    for (number, mut request) in requests.into_iter().enumerate() {
        request.take("model");
        let text = content(&mut request)?;
        if let Some(config) = object(&mut request, "embedContentConfig")? {
            let mut rest = request.rest();
            rest.extend(config.rest());
            request = Fields::of_request(rest);
        }
        let dimensions = request.unsigned("outputDimensionality")?;
        let task = request.string("taskType")?.filter(|task| task != "TASK_TYPE_UNSPECIFIED");
        if number > 0 && (dimensions != asked.dimensions || task != asked.task) {
            let text =
                "`outputDimensionality` and `taskType` must be the same in all requests for this model";
            return Err(request.fault("requests", text));
        }
        asked.texts.push(text);
        asked.dimensions = dimensions;
        asked.task = task;
        request.rest().into_iter().for_each(|(name, _)| notes.drop_named(name));
    }
    Ok(asked)
}

/// A content's text. Its parts are one text to Google.
fn content(request: &mut Fields) -> Result<String, Error> {
    let Some(mut content) = object(request, "content")? else {
        return Err(request.fault("content", "`content` is missing"));
    };
    let mut texts = Vec::new();
    for mut part in objects(&mut content, "parts")? {
        match part.string("text")? {
            Some(text) => texts.push(text),
            None => {
                let fix = "send texts only, or ask a model whose provider embeds them";
                return Err(Notes::cannot_say("media to embed", Format::Chat, fix));
            }
        }
    }
    Ok(texts.join("\n"))
}

impl Asked {
    /// The body for a provider.
    pub(super) fn write(self, to: EmbedFormat, model: &str, profile: &Profile, notes: &mut Notes) -> Value {
        let Asked { texts, dimensions, task } = self;
        match to {
            EmbedFormat::OpenAi => {
                if task.is_some() {
                    notes.drop_named("taskType");
                }
                let mut body = json!({ "model": model, "input": texts });
                // Others always send floats, and some refuse to be asked for them.
                if profile.genuine {
                    body["encoding_format"] = "float".into();
                }
                put(&mut body, "dimensions", dimensions);
                body
            }
            EmbedFormat::Gemini => {
                let name = model.strip_prefix("models/").unwrap_or(model);
                let name = format!("models/{name}");
                let request = |text: String| {
                    let mut request = json!({ "model": name, "content": { "parts": [{ "text": text }] } });
                    put(&mut request, "outputDimensionality", dimensions);
                    request
                };
                json!({ "requests": texts.into_iter().map(request).collect::<Vec<_>>() })
            }
            EmbedFormat::Cohere => {
                let kind = task.as_deref().map_or("search_document", |task| input_type(task, notes));
                let mut body = json!({
                    "model": model, "texts": texts, "input_type": kind, "embedding_types": ["float"],
                });
                put(&mut body, "output_dimension", dimensions);
                body
            }
        }
    }
}

fn put(body: &mut Value, name: &str, value: Option<u64>) {
    if let Some(value) = value {
        body[name] = value.into();
    }
}

/// Cohere's word for Google's purpose of an embedding.
fn input_type(task: &str, notes: &mut Notes) -> &'static str {
    match task {
        "RETRIEVAL_DOCUMENT" => "search_document",
        "RETRIEVAL_QUERY" | "QUESTION_ANSWERING" | "FACT_VERIFICATION" | "CODE_RETRIEVAL_QUERY" => {
            "search_query"
        }
        "CLASSIFICATION" => "classification",
        "CLUSTERING" => "clustering",
        _ => {
            notes.drop_named("taskType");
            "search_document"
        }
    }
}
