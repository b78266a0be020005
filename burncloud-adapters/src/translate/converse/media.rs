//! Pictures, documents, films and recordings: AWS names formats where others have media types, and takes bytes or S3.

use crate::translate::messages::write_blocks::image_mime;
use crate::translate::{Fields, Format, Media, MediaKind, Notes, Source};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use burncloud_core::Error;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// Formats and their media types; of several, the first is written.
const FORMATS: [(MediaKind, &str, &str); 42] = {
    use MediaKind::{Audio, Document, Image, Video};
    [
        (Image, "png", "image/png"),
        (Image, "jpeg", "image/jpeg"),
        (Image, "jpeg", "image/jpg"),
        (Image, "gif", "image/gif"),
        (Image, "webp", "image/webp"),
        (Document, "pdf", "application/pdf"),
        (Document, "csv", "text/csv"),
        (Document, "doc", "application/msword"),
        (Document, "docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        (Document, "xls", "application/vnd.ms-excel"),
        (Document, "xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        (Document, "html", "text/html"),
        (Document, "txt", "text/plain"),
        (Document, "md", "text/markdown"),
        (Document, "txt", "application/json"),
        (Video, "mp4", "video/mp4"),
        (Video, "mov", "video/quicktime"),
        (Video, "mkv", "video/x-matroska"),
        (Video, "webm", "video/webm"),
        (Video, "flv", "video/x-flv"),
        (Video, "mpeg", "video/mpeg"),
        (Video, "mpg", "video/mpg"),
        (Video, "wmv", "video/x-ms-wmv"),
        (Video, "three_gp", "video/3gpp"),
        (Audio, "mp3", "audio/mp3"),
        (Audio, "mp3", "audio/mpeg"),
        (Audio, "wav", "audio/wav"),
        (Audio, "wav", "audio/x-wav"),
        (Audio, "opus", "audio/opus"),
        (Audio, "aac", "audio/aac"),
        (Audio, "x-aac", "audio/x-aac"),
        (Audio, "flac", "audio/flac"),
        (Audio, "ogg", "audio/ogg"),
        (Audio, "mp4", "audio/mp4"),
        (Audio, "m4a", "audio/m4a"),
        (Audio, "m4a", "audio/x-m4a"),
        (Audio, "mka", "audio/x-matroska"),
        (Audio, "mpga", "audio/mpga"),
        (Audio, "pcm", "audio/pcm"),
        (Audio, "pcm", "audio/l16"),
        (Audio, "webm", "audio/webm"),
        (Audio, "mkv", "audio/mkv"),
    ]
};

/// The media type of a format; one that AWS will know some day is passed on by its name.
fn mime(kind: MediaKind, format: &str) -> String {
    let known = FORMATS.iter().find(|(its, name, _)| *its == kind && *name == format);
    known.map_or_else(|| format!("{}/{format}", kind.as_str()), |(_, _, mime)| (*mime).to_owned())
}

/// The kinds of media among a block's names.
pub(super) const KINDS: [(&str, MediaKind); 4] = [
    ("image", MediaKind::Image),
    ("document", MediaKind::Document),
    ("video", MediaKind::Video),
    ("audio", MediaKind::Audio),
];

/// Reads `{format, source, name, …}`; what is left is the part's to carry. Nothing where the source is unknown.
pub(super) fn read(
    fields: &mut Fields,
    kind: MediaKind,
    carry: &mut Map<String, Value>,
) -> Result<Option<Media>, Error> {
    let mime = fields.string("format")?.map(|format| mime(kind, &format));
    let name = fields.string("name")?;
    let mut source = fields.fields("source")?;
    let source = if let Some(bytes) = source.string("bytes")? {
        Source::Base64(bytes)
    } else if let Some(text) = source.string("text")? {
        Source::Text(text)
    } else if source.has("s3Location") {
        let mut place = source.fields("s3Location")?;
        let uri = place.required("uri")?;
        let rest = place.rest();
        if !rest.is_empty() {
            carry.insert("s3Location".to_owned(), Value::Object(rest));
        }
        Source::Url(uri)
    } else if let Some(content) = source.take("content") {
        let text = texts(&content);
        carry.insert("content".to_owned(), content);
        Source::Text(text)
    } else {
        return Ok(None);
    };
    Ok(Some(Media { kind, mime, source, name, detail: None }))
}

/// The texts of a list of `{text}`, one per line.
pub(super) fn texts(content: &Value) -> String {
    let items = content.as_array().map(Vec::as_slice).unwrap_or_default();
    let texts: Vec<&str> = items.iter().filter_map(|item| item["text"].as_str()).collect();
    texts.join("\n")
}

/// Writes media; documents get names that no other has.
#[derive(Debug, Default)]
pub(super) struct MediaWriter {
    names: BTreeSet<String>,
}

fn cannot(what: &str, fix: &str) -> Error {
    Notes::cannot_say(what, Format::Converse, fix)
}

impl MediaWriter {
    /// `{"image": {…}}` and the like.
    pub(super) fn write(&mut self, media: Media, carry: &mut Map<String, Value>) -> Result<Value, Error> {
        let kind = media.kind.as_str();
        let fix = "send its bytes, or an S3 address";
        match &media.source {
            Source::Url(url) if !url.starts_with("s3://") => {
                return Err(cannot(&format!("{kind} at such an address"), fix));
            }
            Source::File(_) => {
                return Err(cannot(&format!("{kind} by the id of a file uploaded elsewhere"), fix));
            }
            _ => {}
        }
        let mut block = Map::new();
        if let Some(format) = format(&media)? {
            block.insert("format".to_owned(), json!(format));
        }
        if media.kind == MediaKind::Document {
            block.insert("name".to_owned(), Value::String(self.name(media.name)));
        }
        let source = match (media.source, carry.shift_remove("content")) {
            (_, Some(content)) => json!({"content": content}),
            (Source::Base64(bytes), _) => json!({"bytes": bytes}),
            (Source::Text(text), _) if carry.shift_remove("text").is_some() => json!({"text": text}),
            (Source::Text(text), _) => json!({"bytes": STANDARD.encode(text)}),
            (Source::Url(uri) | Source::File(uri), _) => {
                let mut place = Map::from_iter([("uri".to_owned(), Value::String(uri))]);
                if let Some(Value::Object(rest)) = carry.shift_remove("s3Location") {
                    place.extend(rest);
                }
                json!({"s3Location": place})
            }
        };
        block.insert("source".to_owned(), source);
        block.extend(std::mem::take(carry));
        Ok(json!({ kind: block }))
    }

    /// A name of the letters that AWS takes, single spaces between them, that no document of the request has yet.
    fn name(&mut self, name: Option<String>) -> String {
        let name = name.unwrap_or_default();
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '(' | ')' | '[' | ']');
        let name: String =
            name.chars().map(|c| if fits(c) || c == '_' { c } else { ' ' }).take(180).collect();
        let words: Vec<&str> = name.split_whitespace().collect();
        let base = if words.is_empty() { "document".to_owned() } else { words.join(" ") };
        let mut name = base.clone();
        let mut number = 1;
        while !self.names.insert(name.clone()) {
            number += 1;
            name = format!("{base} {number}");
        }
        name
    }
}

/// The format of media: by their type, else by their first bytes or their name's ending. Documents that are text may do
/// without.
fn format(media: &Media) -> Result<Option<&'static str>, Error> {
    let guessed = match (&media.source, media.kind) {
        (Source::Base64(data), MediaKind::Image) => image_mime(data),
        (Source::Base64(data), MediaKind::Document) if data.starts_with("JVBERi") => Some("application/pdf"),
        _ => None,
    };
    let mime = media.mime.as_deref().or(guessed).unwrap_or_default();
    let mime = mime.split(';').next().unwrap_or_default().trim();
    let named = media.name.as_deref().or(match &media.source {
        Source::Url(url) => Some(url.as_str()),
        _ => None,
    });
    let ending = named.and_then(|name| name.rsplit_once('.')).map(|(_, ending)| ending.to_ascii_lowercase());
    let of_kind = || FORMATS.iter().filter(|(kind, _, _)| *kind == media.kind);
    let by_mime = of_kind().find(|(_, _, its)| *its == mime).map(|(_, format, _)| *format);
    let by_name = || {
        let ending = ending.as_deref().map(|ending| if ending == "jpg" { "jpeg" } else { ending });
        of_kind().find(|(_, format, _)| Some(*format) == ending).map(|(_, format, _)| *format)
    };
    let is_text = matches!(media.source, Source::Text(_)) || mime.starts_with("text/");
    let as_text = || (media.kind == MediaKind::Document && is_text).then_some("txt");
    match by_mime.or_else(by_name).or_else(as_text) {
        Some(format) => Ok(Some(format)),
        None if media.kind == MediaKind::Document && mime.is_empty() => Ok(None),
        None => {
            let mime = if mime.is_empty() { "unknown" } else { mime };
            Err(cannot(&format!("{} of type {mime}", media.kind.as_str()), "convert it into a common format"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_have_names_of_their_own() {
        let mut writer = MediaWriter::default();
        let mut name = |name: &str| writer.name(Some(name.to_owned()));
        assert_eq!(name("my  report.v2.pdf"), "my report v2 pdf");
        assert_eq!(name("my report v2/pdf"), "my report v2 pdf 2");
        assert_eq!(name("???"), "document");
    }

    #[test]
    fn the_format_is_found_by_type_bytes_or_name() {
        let media = |kind, mime: Option<&str>, source, name: Option<&str>| {
            let (mime, name) = (mime.map(str::to_owned), name.map(str::to_owned));
            format(&Media { kind, mime, source, name, detail: None }).ok().flatten()
        };
        let bytes = |data: &str| Source::Base64(data.to_owned());
        assert_eq!(media(MediaKind::Image, None, bytes("/9j/4"), None), Some("jpeg"));
        assert_eq!(media(MediaKind::Document, None, bytes("UEsD"), Some("a.DOCX")), Some("docx"));
        assert_eq!(media(MediaKind::Document, Some("text/x-rust"), bytes("AA"), None), Some("txt"));
        assert_eq!(media(MediaKind::Audio, Some("audio/mpeg"), bytes("AA"), None), Some("mp3"));
        assert_eq!(media(MediaKind::Image, Some("image/tiff"), bytes("AA"), None), None);
    }
}
