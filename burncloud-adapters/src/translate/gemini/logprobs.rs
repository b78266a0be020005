//! Log probabilities, as Google and as OpenAI's chat write them.

use serde_json::{Map, Value, json};

/// `logprobsResult` as OpenAI's chat writes it.
pub(super) fn read(result: &Value) -> Option<Value> {
    let chosen = result.get("chosenCandidates")?.as_array()?;
    let tops = result.get("topCandidates").and_then(Value::as_array);
    let content: Vec<Value> = chosen
        .iter()
        .enumerate()
        .map(|(at, one)| {
            let top = tops.and_then(|tops| tops.get(at)?.get("candidates")?.as_array());
            let mut token = openai(one);
            token["top_logprobs"] = top.into_iter().flatten().map(openai).collect();
            token
        })
        .collect();
    Some(json!({ "content": content, "refusal": null }))
}

fn openai(candidate: &Value) -> Value {
    let token = candidate.get("token").and_then(Value::as_str).unwrap_or_default();
    json!({ "token": token, "logprob": candidate.get("logProbability"), "bytes": token.as_bytes() })
}

/// The same back.
pub(super) fn write(logprobs: &Value) -> Option<Value> {
    let content = logprobs.get("content")?.as_array()?;
    let chosen: Vec<Value> = content.iter().map(google).collect();
    let tops: Vec<Value> = content
        .iter()
        .map(|token| {
            let top = token.get("top_logprobs").and_then(Value::as_array);
            json!({ "candidates": top.into_iter().flatten().map(google).collect::<Vec<_>>() })
        })
        .collect();
    Some(json!({ "chosenCandidates": chosen, "topCandidates": tops }))
}

fn google(token: &Value) -> Value {
    let mut out = Map::new();
    for (to, from) in [("token", "token"), ("logProbability", "logprob")] {
        out.extend(token.get(from).map(|value| (to.to_owned(), value.clone())));
    }
    Value::Object(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        let google = json!({
            "chosenCandidates": [{"token": "a", "logProbability": -0.5}],
            "topCandidates": [{"candidates": [{"token": "a", "logProbability": -0.5}, {"token": "é", "logProbability": -1.0}]}],
        });
        let openai = read(&google).unwrap();
        assert_eq!(openai["content"][0]["top_logprobs"][1]["bytes"], json!([195, 169]));
        assert_eq!(write(&openai), Some(google));
        assert_eq!(read(&json!({})), None);
    }
}
