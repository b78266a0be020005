//! Reading lists of models.

use burncloud_core::adapter::{ModelsPage, ProbedModel};
use serde_json::Value;

/// The text of the first of these members that has one.
pub(crate) fn text(entry: &Value, names: &[&str]) -> Option<String> {
    let found = names.iter().find_map(|name| entry.get(name)?.as_str());
    found.map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
}

/// The number of the first of these pointers that leads to one above zero.
fn number(entry: &Value, pointers: &[&str]) -> Option<u64> {
    pointers.iter().find_map(|pointer| entry.pointer(pointer)?.as_u64().filter(|number| *number > 0))
}

/// OpenAI's list, and what others who speak its API add to it: `data` (or no more than its array), each with an `id`.
pub(crate) fn openai(body: &[u8]) -> Option<ModelsPage> {
    let json: Value = serde_json::from_slice(body).ok()?;
    let entries = json.get("data").unwrap_or(&json).as_array()?;
    let models = entries.iter().filter_map(|entry| {
        Some(ProbedModel {
            name: text(entry, &["id"])?,
            display: text(entry, &["display_name", "name"]),
            context_window: number(
                entry,
                &["/context_length", "/context_window", "/max_context_length", "/max_model_len"],
            ),
            max_output: number(
                entry,
                &[
                    "/max_output_tokens",
                    "/max_completion_tokens",
                    "/top_provider/max_completion_tokens",
                    "/max_tokens",
                ],
            ),
        })
    });
    Some(ModelsPage { models: models.collect(), next: None })
}

/// Anthropic's list: `has_more` and `last_id`.
#[cfg(feature = "anthropic")]
pub(crate) fn anthropic(body: &[u8]) -> Option<ModelsPage> {
    let json: Value = serde_json::from_slice(body).ok()?;
    let models = json.get("data")?.as_array()?.iter().filter_map(|entry| {
        Some(ProbedModel {
            name: text(entry, &["id"])?,
            display: text(entry, &["display_name"]),
            context_window: number(entry, &["/max_input_tokens", "/context_window"]),
            max_output: number(entry, &["/max_tokens", "/max_output_tokens"]),
        })
    });
    let more = json.get("has_more").and_then(Value::as_bool).unwrap_or_default();
    Some(ModelsPage { models: models.collect(), next: text(&json, &["last_id"]).filter(|_| more) })
}

/// AI Studio's list; what does not generate or embed (speech, say) is left out where the list tells.
#[cfg(feature = "gemini")]
pub(crate) fn gemini(body: &[u8]) -> Option<ModelsPage> {
    let json: Value = serde_json::from_slice(body).ok()?;
    let usable = |entry: &&Value| {
        let methods = entry.get("supportedGenerationMethods").and_then(Value::as_array);
        methods.is_none_or(|all| {
            all.iter().any(|m| matches!(m.as_str(), Some("generateContent" | "embedContent")))
        })
    };
    let models = json.get("models")?.as_array()?.iter().filter(usable).filter_map(|entry| {
        let name = text(entry, &["name"])?;
        Some(ProbedModel {
            name: name.strip_prefix("models/").unwrap_or(&name).to_owned(),
            display: text(entry, &["displayName"]),
            context_window: number(entry, &["/inputTokenLimit"]),
            max_output: number(entry, &["/outputTokenLimit"]),
        })
    });
    Some(ModelsPage { models: models.collect(), next: text(&json, &["nextPageToken"]) })
}

/// Vertex's list of what Google publishes there: `publishers/google/models/NAME`.
#[cfg(feature = "vertex")]
pub(crate) fn vertex(body: &[u8]) -> Option<ModelsPage> {
    let json: Value = serde_json::from_slice(body).ok()?;
    let models = json.get("publisherModels")?.as_array()?.iter().filter_map(|entry| {
        let name = text(entry, &["name"])?;
        let short = name.rsplit_once("/models/").map_or(&*name, |(_, short)| short);
        Some(ProbedModel { name: short.to_owned(), ..ProbedModel::default() })
    });
    Some(ModelsPage { models: models.collect(), next: text(&json, &["nextPageToken"]) })
}

/// Cohere's list, of which this gateway asks chat, reranking and embedding.
#[cfg(feature = "cohere")]
pub(crate) fn cohere(body: &[u8]) -> Option<ModelsPage> {
    let json: Value = serde_json::from_slice(body).ok()?;
    let usable = |entry: &&Value| {
        let endpoints = entry.get("endpoints").and_then(Value::as_array);
        endpoints
            .is_none_or(|all| all.iter().any(|e| matches!(e.as_str(), Some("chat" | "rerank" | "embed"))))
    };
    let models = json.get("models")?.as_array()?.iter().filter(usable).filter_map(|entry| {
        Some(ProbedModel {
            name: text(entry, &["name"])?,
            context_window: number(entry, &["/context_length"]),
            ..ProbedModel::default()
        })
    });
    Some(ModelsPage { models: models.collect(), next: text(&json, &["next_page_token"]) })
}

/// The page after Bedrock's foundation models: its first of inference profiles.
#[cfg(feature = "bedrock")]
pub(crate) const PROFILES: &str = "profiles";

/// Bedrock's foundation models that can be called by their own id, or its inference profiles, by which the others are.
#[cfg(feature = "bedrock")]
pub(crate) fn bedrock(body: &[u8]) -> Option<ModelsPage> {
    let json: Value = serde_json::from_slice(body).ok()?;
    if let Some(models) = json.get("modelSummaries").and_then(Value::as_array) {
        let on_demand = |entry: &&Value| {
            let types = entry.get("inferenceTypesSupported").and_then(Value::as_array);
            types.is_none_or(|all| all.iter().any(|kind| kind == "ON_DEMAND"))
        };
        let models = models.iter().filter(on_demand);
        let models = models.filter_map(|entry| named(entry, "modelId", "modelName"));
        return Some(ModelsPage { models: models.collect(), next: Some(PROFILES.to_owned()) });
    }
    let profiles = json.get("inferenceProfileSummaries")?.as_array()?.iter();
    let active = profiles.filter(|entry| text(entry, &["status"]).is_none_or(|status| status == "ACTIVE"));
    let models = active.filter_map(|entry| named(entry, "inferenceProfileId", "inferenceProfileName"));
    Some(ModelsPage { models: models.collect(), next: text(&json, &["nextToken"]) })
}

#[cfg(feature = "bedrock")]
fn named(entry: &Value, id: &str, display: &str) -> Option<ProbedModel> {
    Some(ProbedModel {
        name: text(entry, &[id])?,
        display: text(entry, &[display]),
        ..ProbedModel::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(page: &ModelsPage) -> Vec<&str> {
        page.models.iter().map(|model| &*model.name).collect()
    }

    #[test]
    fn every_shape_of_openais_list() {
        let body = br#"{"object":"list","data":[{"id":"a","context_length":8192,"max_output_tokens":100},
            {"id":"b","name":"B","top_provider":{"max_completion_tokens":7},"context_length":null},{"id":""},{}]}"#;
        let page = openai(body).unwrap();
        assert_eq!(names(&page), ["a", "b"]);
        assert_eq!((page.models[0].context_window, page.models[0].max_output), (Some(8192), Some(100)));
        assert_eq!((page.models[1].display.as_deref(), page.models[1].max_output), (Some("B"), Some(7)));
        assert_eq!(names(&openai(br#"[{"id":"bare"}]"#).unwrap()), ["bare"]);
        for garbage in [&b"<html>"[..], b"{}", b"{\"data\":{}}", b"7", b""] {
            assert!(openai(garbage).is_none());
        }
    }

    #[test]
    fn googles_lists_leave_out_what_cannot_be_asked() {
        let body = br#"{"models":[{"name":"models/g","displayName":"G","inputTokenLimit":10,"outputTokenLimit":5,
            "supportedGenerationMethods":["generateContent"]},{"name":"models/aqa","supportedGenerationMethods":
            ["generateAnswer"]}],"nextPageToken":"t"}"#;
        let page = gemini(body).unwrap();
        assert_eq!((names(&page), page.next.as_deref()), (vec!["g"], Some("t")));
        assert_eq!((page.models[0].context_window, page.models[0].max_output), (Some(10), Some(5)));
        let page = vertex(br#"{"publisherModels":[{"name":"publishers/google/models/g","versionId":"1"}]}"#);
        assert_eq!(names(&page.unwrap()), ["g"]);
    }

    #[test]
    fn bedrocks_two_lists_are_one() {
        let first =
            br#"{"modelSummaries":[{"modelId":"x.y","modelName":"Y","inferenceTypesSupported":["ON_DEMAND"]},
            {"modelId":"x.z","inferenceTypesSupported":["INFERENCE_PROFILE"]}]}"#;
        let page = bedrock(first).unwrap();
        assert_eq!((names(&page), page.next.as_deref()), (vec!["x.y"], Some(PROFILES)));
        let second = br#"{"inferenceProfileSummaries":[{"inferenceProfileId":"eu.x.z","status":"ACTIVE"}]}"#;
        assert_eq!(names(&bedrock(second).unwrap()), ["eu.x.z"]);
        assert!(bedrock(b"{}").is_none());
    }
}
