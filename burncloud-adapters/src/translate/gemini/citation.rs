//! Where texts come from: `groundingMetadata` and `citationMetadata`.

use super::super::{Citation, Content, Format, Part};
use serde_json::{Map, Value, json};

/// The sources that a candidate names, and for each the number of the part it stands in. Positions are in bytes.
pub(super) fn read(grounding: Option<&Value>, citations: Option<&Value>) -> Vec<(usize, Citation)> {
    let mut found = Vec::new();
    if let Some(grounding) = grounding {
        read_grounding(grounding, &mut found);
    }
    // AI Studio calls the list otherwise than Vertex.
    let list = citations.and_then(|it| it.get("citations").or_else(|| it.get("citationSources")));
    for source in list.and_then(Value::as_array).into_iter().flatten() {
        let citation = Citation {
            url: text(source, "uri"),
            title: text(source, "title"),
            quote: None,
            start: Some(number(source, "startIndex")),
            end: source.get("endIndex").and_then(Value::as_u64),
            raw: Some((Format::Gemini, source.clone())),
        };
        found.push((0, citation));
    }
    found
}

fn read_grounding(grounding: &Value, found: &mut Vec<(usize, Citation)>) {
    let list = |name: &str| grounding.get(name).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let chunks = list("groundingChunks");
    for support in list("groundingSupports") {
        let segment = support.get("segment").unwrap_or(&Value::Null);
        let indices = support.get("groundingChunkIndices").and_then(Value::as_array);
        let indices = indices.into_iter().flatten().filter_map(|at| usize::try_from(at.as_u64()?).ok());
        for chunk in indices.filter_map(|at| chunks.get(at)) {
            let citation = Citation {
                quote: text(segment, "text"),
                start: Some(number(segment, "startIndex")),
                end: segment.get("endIndex").and_then(Value::as_u64),
                ..of_chunk(chunk)
            };
            let part = usize::try_from(number(segment, "partIndex")).unwrap_or(0);
            found.push((part, citation));
        }
    }
    if found.is_empty() {
        found.extend(chunks.iter().map(|chunk| (0, of_chunk(chunk))));
    }
}

fn of_chunk(chunk: &Value) -> Citation {
    let source = chunk.as_object().and_then(|map| map.values().next()).unwrap_or(&Value::Null);
    Citation {
        url: text(source, "uri"),
        title: text(source, "title"),
        raw: Some((Format::Gemini, chunk.clone())),
        ..Citation::default()
    }
}

fn text(value: &Value, name: &str) -> Option<String> {
    value.get(name)?.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

fn number(value: &Value, name: &str) -> u64 {
    value.get(name).and_then(Value::as_u64).unwrap_or(0)
}

/// Puts sources into the texts that they belong to, their positions counted in characters.
pub(super) fn attach(parts: &mut [Part], found: Vec<(usize, Citation)>) {
    let is_text = |part: &Part| matches!(part.content, Content::Text { .. });
    let Some(last) = parts.iter().rposition(is_text) else { return };
    for (at, mut citation) in found {
        let at = if parts.get(at).is_some_and(is_text) { at } else { last };
        if let Some(Part { content: Content::Text { text, citations, .. }, .. }) = parts.get_mut(at) {
            citation.start = citation.start.and_then(|bytes| characters(text, bytes));
            citation.end = citation.end.and_then(|bytes| characters(text, bytes));
            citations.push(citation);
        }
    }
}

/// How many characters the first bytes of a text are; `None` where there are not so many.
fn characters(text: &str, bytes: u64) -> Option<u64> {
    let beginning = text.as_bytes().get(..usize::try_from(bytes).ok()?)?;
    // Bytes that go on with a character begin with 10.
    Some(beginning.iter().filter(|byte| **byte & 0xC0 != 0x80).count() as u64)
}

/// How many bytes the first characters are.
fn bytes(text: &str, characters: u64) -> Option<usize> {
    let characters = usize::try_from(characters).ok()?;
    text.char_indices().map(|(at, _)| at).chain([text.len()]).nth(characters)
}

/// `groundingMetadata`, made up source by source.
#[derive(Debug, Default)]
pub(super) struct Grounding {
    chunks: Vec<Value>,
    supports: Vec<Value>,
}

impl Grounding {
    /// Adds a source of the part of that number. `text` is the part's; where it is not at hand, positions are taken
    /// for bytes.
    pub(super) fn add(&mut self, citation: &Citation, part: usize, text: Option<&str>) {
        let chunk = match &citation.raw {
            Some((Format::Gemini, raw)) if raw.get("uri").is_none() => raw.clone(),
            _ => {
                let mut web = Map::new();
                web.extend(citation.url.as_deref().map(|url| ("uri".to_owned(), url.into())));
                web.extend(citation.title.as_deref().map(|title| ("title".to_owned(), title.into())));
                json!({ "web": web })
            }
        };
        let known = self.chunks.iter().rposition(|known| *known == chunk);
        let chunk = known.unwrap_or_else(|| {
            self.chunks.push(chunk);
            self.chunks.len() - 1
        });
        let in_bytes = |at: u64| match text {
            Some(text) => bytes(text, at).map(|at| at as u64),
            None => Some(at),
        };
        let (start, end) = (citation.start.and_then(in_bytes), citation.end.and_then(in_bytes));
        if start.is_none() && end.is_none() && citation.quote.is_none() {
            return;
        }
        let mut segment = Map::new();
        segment.extend((part > 0).then(|| ("partIndex".to_owned(), part.into())));
        segment.extend(start.filter(|at| *at > 0).map(|at| ("startIndex".to_owned(), at.into())));
        segment.extend(end.map(|at| ("endIndex".to_owned(), at.into())));
        segment.extend(citation.quote.as_deref().map(|quote| ("text".to_owned(), quote.into())));
        self.supports.push(json!({ "segment": segment, "groundingChunkIndices": [chunk] }));
    }

    /// What was added, if anything was.
    pub(super) fn into_value(self) -> Option<Value> {
        let Grounding { chunks, supports } = self;
        (!chunks.is_empty()).then(|| json!({ "groundingChunks": chunks, "groundingSupports": supports }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_characters_outside_and_bytes_inside() {
        let grounding = json!({
            "groundingChunks": [{"web": {"uri": "https://a", "title": "A"}}],
            "groundingSupports": [
                {"segment": {"startIndex": 3, "endIndex": 8, "text": "zwei"}, "groundingChunkIndices": [0]},
            ],
        });
        let mut parts = vec![Part::text("é zwei")];
        attach(&mut parts, read(Some(&grounding), None));
        let Content::Text { citations, text, .. } = &parts[0].content else { panic!() };
        assert_eq!((citations[0].start, citations[0].end), (Some(2), None));
        assert_eq!(citations[0].url.as_deref(), Some("https://a"));
        let mut again = Grounding::default();
        again.add(&Citation { end: Some(6), ..citations[0].clone() }, 0, Some(text));
        let again = again.into_value().unwrap();
        assert_eq!(
            again["groundingSupports"][0]["segment"],
            json!({"startIndex": 3, "endIndex": 7, "text": "zwei"})
        );
        assert_eq!(again["groundingChunks"], grounding["groundingChunks"]);
    }

    #[test]
    fn sources_of_recited_texts() {
        let metadata =
            json!({"citationSources": [{"startIndex": 1, "endIndex": 2, "uri": "u", "license": "MIT"}]});
        let mut parts = vec![Part::text("abc")];
        attach(&mut parts, read(None, Some(&metadata)));
        let Content::Text { citations, .. } = &parts[0].content else { panic!() };
        assert_eq!(
            (citations[0].start, citations[0].end, citations[0].url.as_deref()),
            (Some(1), Some(2), Some("u"))
        );
    }
}
