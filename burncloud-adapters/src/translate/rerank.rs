//! Ranking documents, between the shape that most speak and Cohere's second version.
//!
//! | | asks | documents | beside |
//! |---|---|---|---|
//! | most | `/v1/rerank` | texts, or objects with a `text` | `top_n` (Voyage: `top_k`), `return_documents` |
//! | Cohere | `/v2/rerank` | texts | `top_n`, `max_tokens_per_doc` |
//!
//! Where a caller wants the documents back, they are put into the answer: Cohere no longer does it.

use super::whole::{Turn, Whole, adapted, unreadable};
use super::{Fields, Format, Notes, prefixed_id};
use burncloud_core::adapter::{AdaptAsk, Adapted};
use burncloud_core::{Dialect, Endpoint, Error, ErrorKind, Operation};
use bytes::{BufMut, BytesMut};
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// A wire format of rankings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RerankFormat {
    /// Jina's, Voyage's, Cohere's first.
    Common,
    /// Cohere's second version.
    Cohere,
}

impl RerankFormat {
    fn of(endpoint: &Endpoint) -> Option<RerankFormat> {
        match (endpoint.operation, endpoint.dialect) {
            (Operation::Rerank, Dialect::Cohere) => Some(RerankFormat::Cohere),
            (Operation::Rerank, _) => Some(RerankFormat::Common),
            _ => None,
        }
    }

    fn format(self) -> Format {
        match self {
            RerankFormat::Common => Format::Chat,
            RerankFormat::Cohere => Format::Cohere,
        }
    }

    fn address(self) -> (String, Endpoint) {
        let (path, dialect) = match self {
            RerankFormat::Common => ("/v1/rerank", Dialect::OpenAi),
            RerankFormat::Cohere => ("/v2/rerank", Dialect::Cohere),
        };
        (path.to_owned(), Endpoint { dialect, operation: Operation::Rerank, ..Endpoint::default() })
    }
}

/// Whether callers of an endpoint can be translated for a provider of this format.
pub(crate) fn reranks(endpoint: &Endpoint, to: RerankFormat) -> bool {
    RerankFormat::of(endpoint).is_some_and(|from| from != to)
}

/// The request in the provider's format.
///
/// # Errors
/// 400 for a body that cannot be read, or documents that are no texts.
pub(crate) fn adapt_rerank(ask: &AdaptAsk<'_>, to: RerankFormat) -> Result<Adapted, Error> {
    let from = RerankFormat::of(ask.endpoint).filter(|from| *from != to).ok_or_else(|| {
        Error::new(ErrorKind::NotImplemented, "rankings cannot be translated for this model's provider")
    })?;
    let mut notes = Notes::new(from.format());
    let mut fields = Fields::of_request(super::adapt::parse(ask.body)?);
    fields.take("model");
    let query = fields.required("query")?;
    let documents = documents(&mut fields)?;
    let mut top = fields.unsigned("top_n")?;
    if from == RerankFormat::Common {
        top = top.or(fields.unsigned("top_k")?);
    }
    let returned = from == RerankFormat::Common && fields.boolean("return_documents")? == Some(true);
    let most = if to == RerankFormat::Cohere { fields.take("max_tokens_per_doc") } else { None };
    fields.rest().into_iter().for_each(|(name, _)| notes.drop_named(name));
    let mut body = json!({ "model": ask.upstream_model, "query": query, "documents": documents });
    if let Some(top) = top {
        body["top_n"] = top.into();
    }
    if let Some(most) = most {
        body["max_tokens_per_doc"] = most;
    }
    let documents = if returned { documents } else { Vec::new() };
    let shape = Shape { to: from, model: ask.model.to_owned(), documents };
    let answer = Box::new(Whole::new(shape, from.format()));
    Ok(adapted(to.address(), &body, notes, answer))
}

fn documents(fields: &mut Fields) -> Result<Vec<String>, Error> {
    let items =
        fields.array("documents")?.ok_or_else(|| fields.fault("documents", "`documents` is missing"))?;
    let text = |item| match item {
        Value::String(text) => Some(text),
        Value::Object(mut object) => match object.shift_remove("text") {
            Some(Value::String(text)) => Some(text),
            _ => None,
        },
        _ => None,
    };
    let texts: Option<Vec<String>> = items.into_iter().map(text).collect();
    texts.ok_or_else(|| {
        fields.fault("documents", "`documents` must be texts, or objects with a `text`, for this model")
    })
}

/// How an answer is turned around.
#[derive(Debug)]
struct Shape {
    /// The caller's format.
    to: RerankFormat,
    model: String,
    /// What was ranked, if the caller wants it back.
    documents: Vec<String>,
}

/// What providers answer.
#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    id: Option<String>,
    /// Voyage calls them `data`.
    #[serde(alias = "data")]
    results: Vec<Ranked>,
    #[serde(default)]
    meta: Option<Map<String, Value>>,
    #[serde(default)]
    usage: Option<Map<String, Value>>,
}

#[derive(Deserialize)]
struct Ranked {
    index: usize,
    #[serde(alias = "score")]
    relevance_score: Value,
}

impl Turn for Shape {
    fn turn(&self, body: &[u8], out: &mut BytesMut) -> Result<(), Error> {
        let answer: Answer = serde_json::from_slice(body).map_err(|e| unreadable(&e))?;
        let result = |ranked: Ranked| {
            let mut result = json!({ "index": ranked.index, "relevance_score": ranked.relevance_score });
            if let Some(text) = self.documents.get(ranked.index) {
                result["document"] = json!({ "text": text });
            }
            result
        };
        let results: Vec<Value> = answer.results.into_iter().map(result).collect();
        let id = prefixed_id("", answer.id.as_deref());
        let written = match self.to {
            RerankFormat::Common => {
                let mut written =
                    json!({ "id": id, "object": "list", "model": self.model, "results": results });
                if let Some(meta) = answer.meta {
                    written["meta"] = meta.into();
                }
                written
            }
            RerankFormat::Cohere => {
                let mut meta = answer.meta.unwrap_or_default();
                meta.entry("api_version").or_insert_with(|| json!({ "version": "2" }));
                let tokens = answer.usage.as_ref().and_then(|usage| usage.get("total_tokens"));
                if let Some(tokens) = tokens {
                    meta.entry("tokens").or_insert_with(|| json!({ "input_tokens": tokens }));
                }
                json!({ "id": id, "results": results, "meta": meta })
            }
        };
        serde_json::to_writer(out.writer(), &written).map_err(|e| unreadable(&e))
    }
}

#[cfg(test)]
mod tests {
    use super::super::test_kit::{asked, turned};
    use super::*;

    #[test]
    fn most_callers_reach_cohere() {
        let body = json!({
            "model": "m", "query": "q", "documents": ["a", {"text": "b", "x": 1}], "top_n": 2,
            "return_documents": true, "rank_fields": ["text"],
        });
        let adapted = asked("/v1/rerank", &body, |ask| adapt_rerank(ask, RerankFormat::Cohere)).unwrap();
        assert_eq!(adapted.path, "/v2/rerank");
        assert_eq!(adapted.dropped, ["rank_fields"]);
        let sent: Value = serde_json::from_slice(&adapted.body).unwrap();
        let wanted = json!({"model": "upstream", "query": "q", "documents": ["a", "b"], "top_n": 2});
        assert_eq!(sent, wanted);
        let meta = json!({"billed_units": {"search_units": 1}});
        let answer = json!({"id": "x", "results": [{"index": 1, "relevance_score": 0.5}], "meta": meta});
        assert_eq!(
            turned(adapted, 200, &answer).1,
            json!({
                "id": "x", "object": "list", "model": "asked", "meta": meta,
                "results": [{"index": 1, "relevance_score": 0.5, "document": {"text": "b"}}],
            })
        );
    }

    #[test]
    fn cohere_callers_reach_others() {
        let body = json!({"model": "m", "query": "q", "documents": ["a"], "max_tokens_per_doc": 9});
        let ask = |ask: &AdaptAsk<'_>| adapt_rerank(ask, RerankFormat::Common);
        let adapted = asked("/v2/rerank", &body, ask).unwrap();
        assert_eq!(
            (adapted.path.as_str(), &adapted.dropped[..]),
            ("/v1/rerank", &["max_tokens_per_doc".into()][..])
        );
        let answer = json!({"data": [{"index": 0, "relevance_score": 1}], "usage": {"total_tokens": 7}});
        let (_, turned) = turned(adapted, 200, &answer);
        assert_eq!(turned["results"], json!([{"index": 0, "relevance_score": 1}]));
        assert_eq!(turned["meta"], json!({"api_version": {"version": "2"}, "tokens": {"input_tokens": 7}}));
        let failed = asked("/v2/rerank", &body, ask).unwrap();
        let error = json!({"error": {"message": "m", "type": "rate_limit_error"}});
        assert_eq!(super::super::test_kit::turned(failed, 429, &error), (429, json!({"message": "m"})));
    }

    #[test]
    fn documents_must_be_texts() {
        let body = json!({"query": "q", "documents": [{"title": "a"}]});
        let error = asked("/v1/rerank", &body, |ask| adapt_rerank(ask, RerankFormat::Cohere)).unwrap_err();
        assert_eq!((error.status().as_u16(), error.param()), (400, Some("documents")));
    }
}
