//! The parts of a message: texts, pictures, recordings, documents.

use crate::translate::{
    CacheMark, Citation, Content, Fields, Format, Media, MediaKind, Notes, Part, Source, Thinking,
};
use burncloud_core::Error;
use serde_json::{Map, Value, json};

/// A message's content: nothing, a text, or a list.
pub(super) fn read(content: Option<Value>, of: &Fields) -> Result<Vec<Part>, Error> {
    match content {
        None => Ok(Vec::new()),
        Some(Value::String(text)) if text.is_empty() => Ok(Vec::new()),
        Some(Value::String(text)) => Ok(vec![Part::text(text)]),
        Some(Value::Array(items)) => items.into_iter().map(|item| read_part(item, of)).collect(),
        Some(_) => Err(of.fault("content", "`content` must be a string or a list of parts")),
    }
}

fn read_part(item: Value, of: &Fields) -> Result<Part, Error> {
    let map = match item {
        Value::String(text) => return Ok(Part::text(text)),
        Value::Object(map) => map,
        _ => return Err(of.fault("content", "`content` must be a list of objects")),
    };
    let kind = match map.get("type") {
        Some(Value::String(kind)) => kind.clone(),
        None | Some(Value::Null) if map.contains_key("text") => "text".to_owned(),
        _ => return Err(of.fault("type", "a part of `content` must name its `type`")),
    };
    let known =
        ["text", "refusal", "image_url", "input_audio", "file", "document_url", "video_url", "thinking"];
    if !known.contains(&kind.as_str()) {
        return Ok(Part::new(Content::Other { format: Format::Chat, value: Value::Object(map) }));
    }
    let mut fields = of.inner(map);
    fields.take("type");
    let cache = read_cache(&mut fields)?;
    let content = match kind.as_str() {
        "text" => Content::text(fields.required("text")?),
        "refusal" => Content::Refusal(fields.required("refusal")?),
        "image_url" => read_url(&mut fields, "image_url", MediaKind::Image)?,
        "video_url" => read_url(&mut fields, "video_url", MediaKind::Video)?,
        "document_url" => read_url(&mut fields, "document_url", MediaKind::Document)?,
        "input_audio" => read_audio(&mut fields)?,
        "file" => read_file(&mut fields)?,
        // Mistral's thoughts.
        _ => Content::Thinking(Thinking { text: read_chunks(&mut fields)?, ..Thinking::default() }),
    };
    // Whether thoughts are complete, Mistral says and nobody asks.
    fields.take("closed");
    Ok(Part { content, cache, carry: fields.rest() })
}

/// The mark of OpenAI (`prompt_cache_breakpoint`), or of OpenRouter (`cache_control`).
pub(super) fn read_cache(fields: &mut Fields) -> Result<Option<CacheMark>, Error> {
    let openai = fields.object("prompt_cache_breakpoint")?;
    let openrouter = fields.object("cache_control")?;
    Ok(openai.or(openrouter).map(|mark| match mark.get("ttl").and_then(Value::as_str) {
        Some("1h" | "12h") => CacheMark::Hour,
        _ => CacheMark::Default,
    }))
}

/// Texts of `thinking`, which is a text or a list of text parts.
fn read_chunks(fields: &mut Fields) -> Result<String, Error> {
    match fields.take("thinking") {
        None => Ok(String::new()),
        Some(Value::String(text)) => Ok(text),
        Some(Value::Array(items)) => {
            Ok(items.iter().filter_map(|item| item.get("text").and_then(Value::as_str)).collect())
        }
        Some(_) => Err(fields.fault("thinking", "`thinking` must be a string or a list of parts")),
    }
}

fn read_url(fields: &mut Fields, name: &'static str, kind: MediaKind) -> Result<Content, Error> {
    let (url, detail, title) = match fields.take(name) {
        Some(Value::String(url)) => (url, None, fields.string("document_name")?),
        Some(Value::Object(inner)) => {
            let mut inner = fields.inner(inner);
            (inner.required("url")?, inner.string("detail")?, None)
        }
        _ => return Err(fields.fault(name, format!("`{name}` must hold a `url`"))),
    };
    let (mime, source) = source_of(url);
    let kind = mime.as_deref().map_or(kind, |mime| match MediaKind::of_mime(mime) {
        // What calls itself bytes of no kind is what its place says.
        MediaKind::Document => kind,
        known => known,
    });
    Ok(Content::Media(Media { kind, mime, source, name: title, detail }))
}

/// An address, or the bytes within a `data:` address.
pub(in crate::translate) fn source_of(url: String) -> (Option<String>, Source) {
    let data = url.get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case("data:"));
    let Some((head, bytes)) = url.get(5..).filter(|_| data).and_then(|rest| rest.split_once(',')) else {
        return (None, Source::Url(url));
    };
    match head.strip_suffix(";base64") {
        Some(mime) => {
            let mime = mime.split(';').next().unwrap_or_default();
            ((!mime.is_empty()).then(|| mime.to_owned()), Source::Base64(bytes.to_owned()))
        }
        None => (None, Source::Url(url)),
    }
}

fn read_audio(fields: &mut Fields) -> Result<Content, Error> {
    let (data, format) = match fields.take("input_audio") {
        // Mistral writes the bytes alone.
        Some(Value::String(data)) => (data, "mp3".to_owned()),
        Some(Value::Object(inner)) => {
            let mut inner = fields.inner(inner);
            (inner.required("data")?, inner.string("format")?.unwrap_or_else(|| "wav".to_owned()))
        }
        _ => return Err(fields.fault("input_audio", "`input_audio` must hold `data` and `format`")),
    };
    let (mime, source) = match source_of(data) {
        (None, Source::Url(data)) if !data.contains("://") => (None, Source::Base64(data)),
        known => known,
    };
    let mime = mime.unwrap_or_else(|| format!("audio/{format}"));
    Ok(Content::Media(Media { kind: MediaKind::Audio, mime: Some(mime), source, name: None, detail: None }))
}

fn read_file(fields: &mut Fields) -> Result<Content, Error> {
    let mut file = fields.fields("file")?;
    let name = file.string("filename")?;
    let (mime, source) = match (file.string("file_data")?, file.string("file_id")?) {
        (Some(data), _) => match source_of(data) {
            // Bytes without a `data:` before them.
            (None, Source::Url(data)) if !data.contains("://") => {
                (Some(mime_of_name(name.as_deref()).to_owned()), Source::Base64(data))
            }
            known => known,
        },
        (None, Some(id)) => (None, Source::File(id)),
        (None, None) => return Err(file.fault("file", "`file` must have `file_data` or `file_id`")),
    };
    let kind = mime.as_deref().map_or(MediaKind::Document, MediaKind::of_mime);
    Ok(Content::Media(Media { kind, mime, source, name, detail: None }))
}

fn mime_of_name(name: Option<&str>) -> &'static str {
    match name.and_then(|name| name.rsplit_once('.')).map(|(_, end)| end) {
        Some("txt" | "md") => "text/plain",
        Some("csv") => "text/csv",
        Some("html") => "text/html",
        Some("png") => "image/png",
        Some("jpg" | "jpeg") => "image/jpeg",
        _ => "application/pdf",
    }
}

/// A picture, a recording or a document in a user's message.
pub(super) fn write_media(media: &Media, genuine: bool) -> Result<Value, Error> {
    let refuse = |what: &str, fix: &str| Err(Notes::cannot_say(what, Format::Chat, fix));
    let address = address(media);
    if is_cloud(&media.source) {
        return refuse("address of a cloud's storage", "send an https: URL, or the bytes as a data: URL");
    }
    match (media.kind, &media.source) {
        (_, Source::Text(text)) => Ok(json!({ "type": "text", "text": named_text(media, text) })),
        (MediaKind::Image, Source::Url(_) | Source::Base64(_)) => {
            let mut image = json!({ "url": address });
            if let Some(detail) = &media.detail {
                image["detail"] = detail.as_str().into();
            }
            Ok(json!({ "type": "image_url", "image_url": image }))
        }
        (MediaKind::Image, Source::File(_)) => {
            refuse("picture by a file id", "send the picture as a data: URL or an https: URL")
        }
        (MediaKind::Audio, Source::Base64(data)) => match media.mime.as_deref().and_then(audio_format) {
            Some(format) => {
                Ok(json!({ "type": "input_audio", "input_audio": { "data": data, "format": format } }))
            }
            None => refuse("recording but WAV and MP3", "convert the recording"),
        },
        (MediaKind::Audio, _) => refuse("recording by its address", "send the recording inline, as Base64"),
        (MediaKind::Video, Source::Url(_) | Source::Base64(_)) if !genuine => {
            Ok(json!({ "type": "video_url", "video_url": { "url": address } }))
        }
        (MediaKind::Video, _) => refuse("film", "take it out, or send pictures of it"),
        (MediaKind::Document, Source::File(id)) => {
            Ok(json!({ "type": "file", "file": { "file_id": id, "filename": media.name } }))
        }
        (MediaKind::Document, Source::Base64(_)) => {
            let name = media.name.as_deref().unwrap_or("document.pdf");
            Ok(json!({ "type": "file", "file": { "filename": name, "file_data": address } }))
        }
        (MediaKind::Document, Source::Url(_)) => {
            refuse("document by its address", "send the document inline, as Base64")
        }
    }
}

/// Whether media lie where only their cloud finds them.
pub(in crate::translate) fn is_cloud(source: &Source) -> bool {
    matches!(source, Source::Url(url) if url.starts_with("gs:") || url.starts_with("s3:"))
}

/// Where media are, as an address of the web or of the bytes themselves.
pub(in crate::translate) fn address(media: &Media) -> Option<String> {
    match &media.source {
        Source::Url(url) => Some(url.clone()),
        Source::Base64(data) => {
            Some(format!("data:{};base64,{data}", media.mime.as_deref().unwrap_or(default_mime(media.kind))))
        }
        Source::Text(_) | Source::File(_) => None,
    }
}

fn default_mime(kind: MediaKind) -> &'static str {
    match kind {
        MediaKind::Image => "image/png",
        MediaKind::Audio => "audio/wav",
        MediaKind::Video => "video/mp4",
        MediaKind::Document => "application/pdf",
    }
}

fn audio_format(mime: &str) -> Option<&'static str> {
    match mime {
        "audio/wav" | "audio/x-wav" | "audio/wave" => Some("wav"),
        "audio/mp3" | "audio/mpeg" => Some("mp3"),
        _ => None,
    }
}

fn named_text(media: &Media, text: &str) -> String {
    match &media.name {
        Some(name) => format!("{name}:\n{text}"),
        None => text.to_owned(),
    }
}

/// The sources that a message names.
pub(super) fn read_annotations(items: Vec<Value>) -> impl Iterator<Item = Citation> {
    items.into_iter().filter_map(|item| {
        let inner = item.get("url_citation").filter(|_| item["type"] == "url_citation")?;
        let text = |name: &str| inner.get(name).and_then(Value::as_str).map(str::to_owned);
        let number = |name: &str| inner.get(name).and_then(Value::as_u64);
        Some(Citation {
            url: text("url"),
            title: text("title"),
            quote: text("content"),
            start: number("start_index"),
            end: number("end_index"),
            raw: Some((Format::Chat, item.clone())),
        })
    })
}

/// A source in a text that begins after so many characters of the answer; only pages have a place.
pub(super) fn write_annotation(citation: &Citation, before: u64) -> Option<Map<String, Value>> {
    let mut annotation = match &citation.raw {
        Some((Format::Chat, Value::Object(raw))) => raw.clone(),
        _ => Map::from_iter([("type".to_owned(), Value::from("url_citation"))]),
    };
    let url = citation.url.as_deref()?;
    let start = citation.start.unwrap_or(0);
    let cited = json!({
        "url": url,
        "title": citation.title.as_deref().unwrap_or(url),
        "start_index": before.saturating_add(start),
        "end_index": before.saturating_add(citation.end.unwrap_or(start)),
    });
    match annotation.get_mut("url_citation") {
        Some(Value::Object(known)) => known.extend(cited.as_object().cloned().unwrap_or_default()),
        _ => {
            annotation.insert("url_citation".to_owned(), cited);
        }
    }
    Some(annotation)
}

/// A picture that a model made, as OpenRouter writes it.
pub(super) fn write_picture(media: &Media) -> Option<Value> {
    let picture = media.kind == MediaKind::Image && !matches!(media.source, Source::Text(_));
    if picture { write_media(media, true).ok() } else { None }
}
