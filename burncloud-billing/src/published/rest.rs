//! What of the published data samples do not show: whose price a name takes, prices of rare classes, prices to come.

use super::Change;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

const NAMES: &str = "names it matches";
const OTHER: &str = "another price or its conditions";
const PROVIDER: &str = "the provider's names and addresses";
const GONE: &str = "its entry is gone, which";
const CATCHES: &str = "new, takes names that had a price, so what they cost";

/// Texts for people, which price nothing; how usage is read from answers is not the data's affair here.
const TEXTS: [&str; 6] =
    ["name", "description", "price_comments", "pricing_urls", "extractors", "deprecated"];

/// From where on prices of large requests are sampled.
const LARGE: u64 = 300_000;

type Models = BTreeMap<String, Map<String, Value>>;

/// Everything that differs and was not sampled, one for each model and kind.
pub(super) fn differences(old: &str, new: &str) -> Vec<Change> {
    let (old, new) = (providers(old), providers(new));
    let mut all = Vec::new();
    for (provider, (was, models)) in &old {
        let mut tell = |model: &str, what| all.push(unsampled(provider, model, what));
        let Some((is, fresh)) = new.get(provider) else {
            tell("*", GONE);
            continue;
        };
        if was != is {
            tell("*", PROVIDER);
        }
        for (id, was) in models {
            match fresh.get(id) {
                None => tell(id, GONE),
                Some(is) if was.get("match") != is.get("match") => tell(id, NAMES),
                Some(is) if masked(was) != masked(is) => tell(id, OTHER),
                Some(_) => {}
            }
        }
        for (id, added) in fresh.iter().filter(|(id, _)| !models.contains_key(*id)) {
            if models.iter().any(|(known, model)| meet((known, model), (id, added))) {
                tell(id, CATCHES);
            }
        }
    }
    all
}

fn unsampled(provider: &str, model: &str, what: &'static str) -> Change {
    Change { provider: provider.to_owned(), model: model.to_owned(), what, from: None, to: None }
}

/// By id: what a provider says of itself, and its models.
fn providers(body: &str) -> BTreeMap<String, (Map<String, Value>, Models)> {
    let data: Vec<Map<String, Value>> = serde_json::from_str(body).unwrap_or_default();
    let id = |map: &Map<String, Value>| map.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
    let read = |mut provider: Map<String, Value>| {
        let models = match provider.remove("models") {
            Some(Value::Array(models)) => models,
            _ => Vec::new(),
        };
        let models = models.into_iter().filter_map(|model| match model {
            Value::Object(model) => Some((id(&model), model)),
            _ => None,
        });
        TEXTS.iter().for_each(|text| drop(provider.remove(*text)));
        (id(&provider), (provider, models.collect()))
    };
    data.into_iter().map(read).collect()
}

/// A model without what samples show, and without texts.
fn masked(model: &Map<String, Value>) -> Map<String, Value> {
    let mut model = model.clone();
    TEXTS.iter().for_each(|text| drop(model.remove(*text)));
    // A list is of prices for certain times: the samples show one of them.
    if let Some(Value::Object(prices)) = model.get_mut("prices") {
        for class in ["input_mtok", "output_mtok", "cache_read_mtok", "cache_write_mtok"] {
            mask(prices.get_mut(class), class == "input_mtok" || class == "output_mtok");
        }
    }
    model
}

fn mask(price: Option<&mut Value>, large: bool) {
    match price {
        Some(Value::Object(price)) => {
            mask(price.get_mut("base"), false);
            let tiers = price.get_mut("tiers").and_then(Value::as_array_mut);
            if let Some([Value::Object(tier)]) = tiers.filter(|_| large).map(Vec::as_mut_slice)
                && tier.get("start").and_then(Value::as_u64).is_some_and(|start| start <= LARGE)
            {
                mask(tier.get_mut("price"), false);
            }
        }
        Some(price) if price.is_number() => *price = Value::Null,
        _ => {}
    }
}

/// Whether a name may be both models', as far as that can be told: one takes what the other names.
fn meet(known: (&str, &Map<String, Value>), added: (&str, &Map<String, Value>)) -> bool {
    let takes = |one: &Map<String, Value>, other: (&str, &Map<String, Value>)| {
        let mut names = vec![other.0.to_lowercase()];
        literals(other.1.get("match"), &mut names);
        let rule = one.get("match");
        names.iter().any(|name| rule.is_some_and(|rule| catches(rule, name)))
    };
    takes(known.1, added) || takes(added.1, known)
}

/// The texts that a rule names, but for parts of names.
fn literals(rule: Option<&Value>, into: &mut Vec<String>) {
    for (how, what) in rule.and_then(Value::as_object).into_iter().flatten() {
        match (how.as_str(), what) {
            ("equals" | "starts_with", Value::String(text)) => into.push(text.to_lowercase()),
            ("regex", Value::String(pattern)) => into.extend(prefix(pattern)),
            (_, Value::Array(rules)) => rules.iter().for_each(|rule| literals(Some(rule), into)),
            _ => {}
        }
    }
}

/// Whether a rule takes a name; where that cannot be told it does.
fn catches(rule: &Value, name: &str) -> bool {
    let Some(rule) = rule.as_object() else { return true };
    rule.iter().any(|(how, what)| match (how.as_str(), what) {
        ("equals", Value::String(text)) => name == text.to_lowercase(),
        ("starts_with", Value::String(text)) => name.starts_with(&text.to_lowercase()),
        ("ends_with", Value::String(text)) => name.ends_with(&text.to_lowercase()),
        ("contains", Value::String(text)) => name.contains(&text.to_lowercase()),
        ("regex", Value::String(pattern)) => prefix(pattern).is_none_or(|start| name.starts_with(&start)),
        ("or", Value::Array(rules)) => rules.iter().any(|rule| catches(rule, name)),
        ("and", Value::Array(rules)) => rules.iter().all(|rule| catches(rule, name)),
        _ => true,
    })
}

/// What everything begins with that the pattern matches, where it says so in plain letters.
fn prefix(pattern: &str) -> Option<String> {
    let rest = pattern.strip_prefix('^').filter(|rest| !rest.contains('|'))?;
    let plain = |c: &char| c.is_ascii_alphanumeric() || *c == '-' || *c == '_' || *c == '/' || *c == ':';
    let mut start: String = rest.chars().take_while(plain).collect();
    // The last letter may be one that need not be there.
    if rest[start.len()..].starts_with(['?', '*', '{']) {
        start.pop();
    }
    (!start.is_empty()).then(|| start.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn body(models: &Value) -> String {
        json!([{ "id": "p", "name": "P", "api_pattern": "x", "models": models }]).to_string()
    }

    fn model(id: &str, rule: Value, prices: Value) -> Value {
        json!({ "id": id, "name": "N", "match": rule, "prices": prices })
    }

    #[test]
    fn what_samples_show_and_texts_are_no_difference() {
        let prices = |n: i32| {
            let tiered = json!({ "base": n, "tiers": [{ "start": 200_000, "price": 2 * n }] });
            json!({ "input_mtok": tiered, "output_mtok": n, "cache_read_mtok": n, "requests_kcount": 3 })
        };
        let old = body(&json!([model("a", json!({ "equals": "a" }), prices(1))]));
        let new = old.replace("\"N\"", "\"Another\"");
        assert_eq!(differences(&old, &new), []);
        assert_eq!(differences(&old, &body(&json!([model("a", json!({ "equals": "a" }), prices(2))]))), []);
        for (was, is, what) in [
            ("\"requests_kcount\":3", "\"requests_kcount\":9", OTHER),
            ("\"start\":200000", "\"start\":1000", OTHER),
            ("\"output_mtok\"", "\"input_audio_mtok\":1,\"output_mtok\"", OTHER),
            ("\"equals\":\"a\"", "\"starts_with\":\"a\"", NAMES),
            ("\"id\":\"a\"", "\"id\":\"z\"", GONE),
            ("\"api_pattern\":\"x\"", "\"api_pattern\":\"y\"", PROVIDER),
        ] {
            let new = old.replace(was, is);
            assert_ne!(old, new, "{was}");
            let found = differences(&old, &new);
            assert!(found.iter().any(|change| change.what == what), "{is}: {found:?}");
        }
    }

    #[test]
    fn a_new_model_waits_where_it_takes_names_of_others() {
        let price = || json!({ "input_mtok": 1 });
        let known = model(
            "gpt-4o",
            json!({ "or": [{ "equals": "gpt-4o" }, { "starts_with": "gpt-4o-2" }] }),
            price(),
        );
        let old = body(&json!([known]));
        for (rule, waits) in [
            (json!({ "equals": "gpt-5" }), false),
            (json!({ "regex": "^gpt-5-\\d{8}$" }), false),
            (json!({ "starts_with": "gpt-5" }), false),
            (json!({ "starts_with": "GPT-4" }), true),
            (json!({ "equals": "gpt-4o-2027-01-01" }), true),
            (json!({ "contains": "4o" }), true),
            (json!({ "regex": "4o" }), true),
            (json!({ "regex": "^gpt-4o-2\\d+$" }), true),
            (json!({ "regex": "^gpt-5|gpt-4" }), true),
            (json!({ "and": [{ "starts_with": "gpt-4" }, { "contains": "mini" }] }), false),
        ] {
            let new = body(&json!([known, model("gpt-5", rule.clone(), price())]));
            let found = differences(&old, &new);
            assert_eq!(!found.is_empty(), waits, "{rule}: {found:?}");
        }
    }
}
