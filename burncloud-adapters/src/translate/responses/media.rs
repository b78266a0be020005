//! Pictures, recordings and documents in a message.

use super::super::{Fields, Media, MediaKind, Notes, Source};
use super::OWN;
use burncloud_core::Error;
use serde_json::{Map, Value, json};

/// A `data:` URL taken apart; another address as it is.
fn source(address: String) -> (Option<String>, Source) {
    let inside = address.strip_prefix("data:").and_then(|rest| rest.split_once(','));
    match inside {
        Some((head, data)) if head.ends_with(";base64") => {
            let mime = head.split(';').next().unwrap_or_default();
            ((!mime.is_empty()).then(|| mime.to_owned()), Source::Base64(data.to_owned()))
        }
        _ => (None, Source::Url(address)),
    }
}

/// `input_image`.
pub(super) fn image(part: &mut Fields) -> Result<Media, Error> {
    let detail = part.string("detail")?;
    let (mime, source) = match (part.string("image_url")?, part.string("file_id")?) {
        (Some(url), _) => source(url),
        (None, Some(id)) => (None, Source::File(id)),
        (None, None) => return Err(part.fault("image_url", "an `input_image` needs an `image_url`")),
    };
    Ok(Media { kind: MediaKind::Image, mime, source, name: None, detail })
}

/// `input_file`.
pub(super) fn file(part: &mut Fields) -> Result<Media, Error> {
    let name = part.string("filename")?;
    let (data, url, id) = (part.string("file_data")?, part.string("file_url")?, part.string("file_id")?);
    let (mime, source) = match (data, url, id) {
        (Some(data), ..) => match source(data) {
            (mime, Source::Url(bare)) => (mime, Source::Base64(bare)),
            inside => inside,
        },
        (None, Some(url), _) => (None, Source::Url(url)),
        (None, None, Some(id)) => (None, Source::File(id)),
        _ => {
            return Err(
                part.fault("file_data", "an `input_file` needs `file_data`, a `file_url` or a `file_id`")
            );
        }
    };
    let kind = mime.as_deref().map_or(MediaKind::Document, MediaKind::of_mime);
    // What comes as a file goes on as one.
    let kind = if kind == MediaKind::Image { kind } else { MediaKind::Document };
    let mime = mime.or_else(|| name.as_deref().and_then(mime_of_name).map(str::to_owned));
    Ok(Media { kind, mime, source, name, detail: part.string("detail")? })
}

fn mime_of_name(name: &str) -> Option<&'static str> {
    match name.rsplit_once('.')?.1.to_ascii_lowercase().as_str() {
        "pdf" => Some("application/pdf"),
        "txt" => Some("text/plain"),
        _ => None,
    }
}

/// `input_audio`.
pub(super) fn audio(part: &mut Fields) -> Result<Media, Error> {
    let mut audio = part.fields("input_audio")?;
    let mime = audio.string("format")?.map(|format| format!("audio/{format}"));
    let source = Source::Base64(audio.required("data")?);
    Ok(Media { kind: MediaKind::Audio, mime, source, name: None, detail: None })
}

/// A part of a message for a provider. `own`: as a caller of this very format sent it.
pub(super) fn write(media: Media, own: bool, family: bool) -> Result<Map<String, Value>, Error> {
    if matches!(media.source, Source::File(_)) && !family {
        let what = format!("{} uploaded to another provider", media.kind.as_str());
        return Err(Notes::cannot_say(&what, OWN, "send it as a `data:` URL"));
    }
    let value = match media.kind {
        MediaKind::Image if media.name.is_none() => write_image(media)?,
        MediaKind::Image | MediaKind::Document => write_file(media, own)?,
        MediaKind::Audio if own => {
            let Source::Base64(data) = media.source else { return Err(unsayable("audio")) };
            let format = media.mime.as_deref().and_then(|mime| mime.strip_prefix("audio/"));
            json!({ "type": "input_audio", "input_audio": { "data": data, "format": format.unwrap_or("wav") } })
        }
        MediaKind::Audio => return Err(unsayable("audio")),
        MediaKind::Video => return Err(unsayable("video")),
    };
    match value {
        Value::Object(map) => Ok(map),
        _ => Ok(Map::new()),
    }
}

fn unsayable(what: &str) -> Error {
    Notes::cannot_say(what, OWN, "send its words as text, or ask a model whose provider takes it")
}

fn address(url: String) -> Result<String, Error> {
    if url.starts_with("http://") || url.starts_with("https://") {
        return Ok(url);
    }
    Err(Notes::cannot_say("content at an address that is not https:", OWN, "send it as a `data:` URL"))
}

fn write_image(media: Media) -> Result<Value, Error> {
    let mut image = json!({ "type": "input_image", "detail": media.detail.as_deref().unwrap_or("auto") });
    match media.source {
        Source::Base64(data) => {
            image["image_url"] = data_url(media.mime.as_deref(), "image/png", &data).into()
        }
        Source::Url(url) => image["image_url"] = address(url)?.into(),
        Source::File(id) => image["file_id"] = id.into(),
        Source::Text(_) => return Err(unsayable("image that is text")),
    }
    Ok(image)
}

fn write_file(media: Media, own: bool) -> Result<Value, Error> {
    let mut file = json!({ "type": "input_file" });
    let named = match (media.name, &media.source) {
        (Some(name), _) => Some(name),
        // Files that come as bytes need a name.
        (None, Source::Base64(_)) if !own => Some(default_name(media.mime.as_deref()).to_owned()),
        (None, Source::Text(_)) => Some("document.txt".to_owned()),
        _ => None,
    };
    if let Some(name) = named {
        file["filename"] = name.into();
    }
    match media.source {
        Source::Base64(data) if own && media.mime.is_none() => file["file_data"] = data.into(),
        Source::Base64(data) => {
            file["file_data"] = data_url(media.mime.as_deref(), "application/pdf", &data).into()
        }
        Source::Text(text) => {
            let data = aws_smithy_types::base64::encode(text);
            file["file_data"] = data_url(None, "text/plain", &data).into();
        }
        Source::Url(url) => file["file_url"] = address(url)?.into(),
        Source::File(id) => file["file_id"] = id.into(),
    }
    if own && let Some(detail) = media.detail {
        file["detail"] = detail.into();
    }
    Ok(file)
}

fn default_name(mime: Option<&str>) -> &'static str {
    match mime {
        Some("text/plain") => "document.txt",
        Some("text/csv") => "document.csv",
        Some("text/html") => "document.html",
        Some("text/markdown") => "document.md",
        Some("application/vnd.openxmlformats-officedocument.wordprocessingml.document") => "document.docx",
        Some("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet") => "document.xlsx",
        _ => "document.pdf",
    }
}

fn data_url(mime: Option<&str>, otherwise: &str, data: &str) -> String {
    format!("data:{};base64,{data}", mime.unwrap_or(otherwise))
}
