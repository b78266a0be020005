use super::super::test_kit::{asked, recordings, turned};
use super::*;
use base64::Engine as _;
use serde_json::{Value, json};

fn ask(path: &str, body: &Value, to: EmbedFormat) -> Result<Adapted, Error> {
    asked(path, body, |ask| adapt_embed(ask, to, &Profile::GENUINE))
}

fn sent(adapted: &Adapted) -> Value {
    serde_json::from_slice(&adapted.body).unwrap()
}

const OPENAI: &str = "/v1/embeddings";
const SINGLE: &str = "/v1beta/models/m:embedContent";
const BATCH: &str = "/v1beta/models/m:batchEmbedContents";

#[test]
fn openai_callers_reach_google_and_get_base64() {
    let body = json!({
        "model": "m", "input": ["a", "b"], "encoding_format": "base64", "dimensions": 2, "user": "u",
    });
    let adapted = ask(OPENAI, &body, EmbedFormat::Gemini).unwrap();
    assert_eq!(adapted.path, "/v1beta/models/upstream:batchEmbedContents");
    assert_eq!(adapted.dropped, ["user"]);
    let request = |text: &str| json!({"model": "models/upstream", "content": {"parts": [{"text": text}]}, "outputDimensionality": 2});
    assert_eq!(sent(&adapted), json!({"requests": [request("a"), request("b")]}));
    let answer = json!({
        "embeddings": [{"values": [0.5, -1.0]}, {"values": [2, 0.25]}], "usageMetadata": {"promptTokenCount": 3},
    });
    let (_, turned) = turned(adapted, 200, &answer);
    let floats = |index: usize| {
        let text = turned["data"][index]["embedding"].as_str().unwrap();
        let bytes = base64::engine::general_purpose::STANDARD.decode(text).unwrap();
        bytes.chunks(4).map(|it| f32::from_le_bytes(it.try_into().unwrap())).collect::<Vec<_>>()
    };
    assert_eq!((floats(0), floats(1)), (vec![0.5, -1.0], vec![2.0, 0.25]));
    assert_eq!(turned["usage"], json!({"prompt_tokens": 3, "total_tokens": 3}));
    assert_eq!((turned["model"].as_str(), turned["data"][1]["index"].as_u64()), (Some("asked"), Some(1)));
}

#[test]
fn openai_callers_reach_cohere() {
    let adapted = ask(OPENAI, &json!({"model": "m", "input": "a"}), EmbedFormat::Cohere).unwrap();
    assert_eq!(adapted.path, "/v2/embed");
    let wanted = json!({
        "model": "upstream", "texts": ["a"], "input_type": "search_document", "embedding_types": ["float"],
    });
    assert_eq!(sent(&adapted), wanted);
    let answer = json!({"embeddings": {"float": [[0.1]]}, "meta": {"billed_units": {"input_tokens": 7}}});
    let wanted = json!({
        "object": "list", "model": "asked", "usage": {"prompt_tokens": 7, "total_tokens": 7},
        "data": [{"object": "embedding", "index": 0, "embedding": [0.1]}],
    });
    assert_eq!(turned(adapted, 200, &answer).1, wanted);
}

#[test]
fn google_callers_reach_openai() {
    let content = json!({"parts": [{"text": "a"}]});
    let single = json!({"content": content, "output_dimensionality": 8, "taskType": "CLUSTERING"});
    let adapted = ask(SINGLE, &single, EmbedFormat::OpenAi).unwrap();
    assert_eq!(adapted.dropped, ["taskType"]);
    let wanted = json!({"model": "upstream", "input": ["a"], "encoding_format": "float", "dimensions": 8});
    assert_eq!(sent(&adapted), wanted);
    let item = |index: u64, value: f64| json!({"index": index, "embedding": [value]});
    let answer =
        json!({"data": [item(1, 0.2), item(0, 0.1)], "usage": {"prompt_tokens": 4, "total_tokens": 4}});
    let wanted = json!({"embedding": {"values": [0.1]}, "usageMetadata": {"promptTokenCount": 4}});
    assert_eq!(turned(adapted, 200, &answer).1, wanted);
    let adapted =
        ask(BATCH, &json!({"requests": [{"content": content}, {"content": content}]}), EmbedFormat::OpenAi);
    let (_, turned) = turned(adapted.unwrap(), 200, &answer);
    assert_eq!(turned["embeddings"], json!([{"values": [0.1]}, {"values": [0.2]}]));
}

#[test]
fn google_callers_reach_cohere_with_their_purpose() {
    for (task, kind, dropped) in
        [("RETRIEVAL_QUERY", "search_query", 0), ("SEMANTIC_SIMILARITY", "search_document", 1)]
    {
        let body = json!({"content": {"parts": [{"text": "a"}]}, "embedContentConfig": {"taskType": task}});
        let adapted = ask(SINGLE, &body, EmbedFormat::Cohere).unwrap();
        assert_eq!(sent(&adapted)["input_type"], kind);
        assert_eq!(adapted.dropped.len(), dropped);
    }
}

#[test]
fn what_another_model_cannot_know_is_refused() {
    let tokens = json!({"input": [[1, 2]]});
    let picture = json!({"content": {"parts": [{"inlineData": {"mimeType": "image/png", "data": "AA=="}}]}});
    let content = json!({"parts": [{"text": "a"}]});
    let mixed = json!({"requests": [{"content": content, "taskType": "CLUSTERING"}, {"content": content}]});
    for (path, body) in [
        (OPENAI, tokens),
        (OPENAI, json!({"input": [1, 2]})),
        (OPENAI, json!({})),
        (OPENAI, json!({"input": "a", "encoding_format": "int8"})),
        (SINGLE, picture),
        (SINGLE, json!({})),
        (BATCH, mixed),
    ] {
        let error = ask(path, &body, EmbedFormat::Cohere).unwrap_err();
        assert_eq!(error.status().as_u16(), 400, "{body}");
    }
    let vertex = Profile { vertex: true, ..Profile::GENUINE };
    let error = asked(OPENAI, &json!({"input": "a"}), |ask| adapt_embed(ask, EmbedFormat::Gemini, &vertex));
    assert_eq!(error.unwrap_err().status().as_u16(), 501);
}

#[test]
fn errors_and_damage_are_the_callers_shape() {
    let body = json!({"input": "a"});
    let error = json!({"error": {"code": 429, "message": "m", "status": "RESOURCE_EXHAUSTED"}});
    let (status, turned) = turned(ask(OPENAI, &body, EmbedFormat::Gemini).unwrap(), 429, &error);
    assert_eq!((status, turned["error"]["type"].as_str()), (429, Some("rate_limit_error")));
}

#[test]
fn recorded_answers_reach_openais_callers() {
    for (provider, api, to) in
        [("cohere", "embeddings", EmbedFormat::Cohere), ("gemini", "embedContent", EmbedFormat::Gemini)]
    {
        for recording in recordings(&[provider], &[api]).into_iter().filter(|it| it.status == 200) {
            let answer: Value = serde_json::from_slice(&recording.response).unwrap();
            let vectors = answer.pointer("/embeddings/float").or_else(|| answer.get("embeddings"));
            let Some(vectors) = vectors.and_then(Value::as_array) else { continue };
            let adapted = ask(OPENAI, &json!({"input": "a"}), to).unwrap();
            let (_, turned) = turned(adapted, 200, &answer);
            let data = turned["data"].as_array().unwrap();
            assert_eq!(data.len(), vectors.len(), "{}", recording.name);
            for (written, vector) in data.iter().zip(vectors) {
                assert_eq!(
                    &written["embedding"],
                    vector.get("values").unwrap_or(vector),
                    "{}",
                    recording.name
                );
            }
        }
    }
}
