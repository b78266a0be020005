//! Pictures, recordings, documents: `inlineData` and `fileData`.

use super::super::{Fields, Format, Media, MediaKind, Notes, Source};
use super::sign::standard;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use burncloud_core::Error;
use serde_json::{Map, Value, json};

/// Files that were uploaded to Google: nobody else can fetch them.
const FILES: &str = "https://generativelanguage.googleapis.com/";

/// `inlineData`; what it does not know stays in it.
pub(super) fn read_inline(blob: &mut Fields) -> Result<Media, Error> {
    let mime = blob.string("mimeType")?;
    let data = blob.required("data")?;
    let kind = MediaKind::of_mime(mime.as_deref().unwrap_or_default());
    let name = blob.string("displayName")?;
    Ok(Media { kind, mime, source: Source::Base64(standard(&data)), name, detail: None })
}

/// `fileData`; what it does not know stays in it.
pub(super) fn read_file(file: &mut Fields) -> Result<Media, Error> {
    let mime = file.string("mimeType")?;
    let uri = file.required("fileUri")?;
    let guessed = mime.as_deref().or_else(|| mime_of_name(&uri)).unwrap_or_default();
    let kind = MediaKind::of_mime(guessed);
    let name = file.string("displayName")?;
    let uploaded = uri.starts_with(FILES) || !uri.contains("://");
    let source = if uploaded { Source::File(uri) } else { Source::Url(uri) };
    Ok(Media { kind, mime, source, name, detail: None })
}

/// What a part's `mediaResolution` says in OpenAI's words; `None` for what they do not say.
pub(super) fn detail(resolution: &Value) -> Option<&'static str> {
    match resolution.get("level")?.as_str()? {
        "MEDIA_RESOLUTION_LOW" => Some("low"),
        "MEDIA_RESOLUTION_HIGH" => Some("high"),
        _ => None,
    }
}

/// The same back.
pub(super) fn resolution(detail: &str) -> Option<&'static str> {
    match detail {
        "low" => Some("MEDIA_RESOLUTION_LOW"),
        "high" | "original" => Some("MEDIA_RESOLUTION_HIGH"),
        _ => None,
    }
}

/// A part for a provider. Names of files are written for those who keep them.
pub(super) fn write(media: Media, named: bool, own_files: bool) -> Result<Map<String, Value>, Error> {
    let Media { kind, mime, source, name, .. } = media;
    let name = name.filter(|_| named);
    let (data, mut inner) = match source {
        Source::Base64(data) => {
            let Some(mime) = mime.or_else(|| sniffed(&data).map(str::to_owned)) else {
                let what = format!("{} of unknown type", kind.as_str());
                let fix = "say its media type, as in data:image/png;base64,…";
                return Err(Notes::cannot_say(&what, Format::Gemini, fix));
            };
            ("inlineData", json!({"mimeType": mime, "data": data}))
        }
        Source::Text(text) => {
            let mime = mime.unwrap_or_else(|| "text/plain".to_owned());
            ("inlineData", json!({"mimeType": mime, "data": STANDARD.encode(text)}))
        }
        Source::Url(uri) => ("fileData", file(uri, mime, kind)?),
        Source::File(id) if own_files || id.starts_with(FILES) || id.starts_with("files/") => {
            let uri = if id.starts_with("files/") && !own_files { format!("{FILES}v1beta/{id}") } else { id };
            let mut file = json!({"fileUri": uri});
            if let Some(mime) = mime {
                file["mimeType"] = mime.into();
            }
            ("fileData", file)
        }
        Source::File(_) => {
            let fix = "send the bytes as a data: URL, or upload the file to that provider";
            return Err(Notes::cannot_say("file id of another provider", Format::Gemini, fix));
        }
    };
    if let Some(name) = name {
        inner["displayName"] = name.into();
    }
    Ok(Map::from_iter([(data.to_owned(), inner)]))
}

fn file(uri: String, mime: Option<String>, kind: MediaKind) -> Result<Value, Error> {
    let scheme = uri.split("://").next().unwrap_or_default();
    if !matches!(scheme, "https" | "http" | "gs") {
        let what = format!("{} at a {scheme}: address", kind.as_str());
        let fix = "send it as a data: URL, or at an https: address";
        return Err(Notes::cannot_say(&what, Format::Gemini, fix));
    }
    let by_kind = match kind {
        MediaKind::Image => Some("image/jpeg"),
        MediaKind::Document => Some("application/pdf"),
        MediaKind::Audio | MediaKind::Video => None,
    };
    let mime = mime.or_else(|| mime_of_name(&uri).or(by_kind).map(str::to_owned));
    let mut file = json!({"fileUri": uri});
    if let Some(mime) = mime {
        file["mimeType"] = mime.into();
    }
    Ok(file)
}

/// The media type that an address' ending tells.
fn mime_of_name(uri: &str) -> Option<&'static str> {
    let path = uri.split(['?', '#']).next()?;
    let ending = path.rsplit('/').next()?.rsplit_once('.')?.1.to_ascii_lowercase();
    Some(match ending.as_str() {
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "webp" => "image/webp",
        "heic" => "image/heic",
        "pdf" => "application/pdf",
        "txt" => "text/plain",
        "html" => "text/html",
        "csv" => "text/csv",
        "mp3" => "audio/mpeg",
        "wav" => "audio/wav",
        "flac" => "audio/flac",
        "ogg" => "audio/ogg",
        "mp4" => "video/mp4",
        "mov" => "video/quicktime",
        "webm" => "video/webm",
        _ => return None,
    })
}

/// The media type that the first bytes tell.
fn sniffed(base64: &str) -> Option<&'static str> {
    let beginnings = [
        ("iVBORw0KGgo", "image/png"),
        ("/9j/", "image/jpeg"),
        ("R0lGOD", "image/gif"),
        ("JVBERi", "application/pdf"),
        ("SUQz", "audio/mpeg"),
    ];
    beginnings.into_iter().find(|(beginning, _)| base64.starts_with(beginning)).map(|(_, mime)| mime)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn media(source: Source) -> Media {
        Media { kind: MediaKind::Image, mime: None, source, name: Some("n".into()), detail: None }
    }

    fn written(source: Source) -> Result<Value, String> {
        write(media(source), false, false).map(Value::Object).map_err(|e| e.message().to_owned())
    }

    #[test]
    fn every_source_has_its_field() {
        assert_eq!(
            written(Source::Base64("iVBORw0KGgo=".into())).unwrap(),
            json!({"inlineData": {"mimeType": "image/png", "data": "iVBORw0KGgo="}})
        );
        assert_eq!(
            written(Source::Text("hi".into())).unwrap(),
            json!({"inlineData": {"mimeType": "text/plain", "data": "aGk="}})
        );
        assert_eq!(
            written(Source::Url("https://a/b.webp?c=.png".into())).unwrap(),
            json!({"fileData": {"fileUri": "https://a/b.webp?c=.png", "mimeType": "image/webp"}})
        );
        let named = write(media(Source::File("files/x".into())), true, false).unwrap();
        assert_eq!(
            Value::Object(named),
            json!({"fileData": {"fileUri": format!("{FILES}v1beta/files/x"), "displayName": "n"}})
        );
    }

    #[test]
    fn what_google_cannot_fetch_is_refused_with_the_fix() {
        for source in
            [Source::File("file-abc".into()), Source::Url("s3://a/b".into()), Source::Base64("AAAA".into())]
        {
            let text = written(source.clone()).unwrap_err();
            assert!(text.contains("data:"), "{source:?}: {text}");
        }
    }
}
