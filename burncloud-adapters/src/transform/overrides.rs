//! `body_override`: fields that are set whatever the caller says.

use super::TransformError;
use super::document::set;
use super::json::weight;
use super::path::{self, Path};
use burncloud_core::Operation;
use serde_json::Value;
use std::collections::BTreeMap;

/// Compiled `body_override`.
#[derive(Debug, Default)]
pub(super) struct BodyOverride(Vec<(Path, Value)>);

impl BodyOverride {
    pub(super) fn compile(settings: &BTreeMap<String, Value>) -> Result<BodyOverride, TransformError> {
        let entry = |(text, value): (&String, &Value)| {
            let fail = |message| TransformError::new(format!("body_override.{text}"), message);
            let path = Path::parse(text).map_err(fail)?;
            match text.as_str() {
                "model" => Err(fail("the model is what is paid for; use `model_mapping`".to_owned())),
                "stream" => {
                    Err(fail("the caller decides whether the answer is streamed; take it out".to_owned()))
                }
                _ => Ok((path, value.clone())),
            }
        };
        settings.iter().map(entry).collect::<Result<_, _>>().map(BodyOverride)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether there is anything to set in such a request. Counting tokens knows none of the fields that steer an
    /// answer, and providers refuse them there.
    pub(super) fn concerns(&self, operation: Operation) -> bool {
        !self.0.is_empty() && !operation.is_free()
    }

    pub(super) fn apply(&self, body: &mut Value) -> bool {
        // The settings themselves bound what is written, but for `[]`.
        let mut left = 32 << 20;
        let mut changed = 0;
        for (path, value) in &self.0 {
            changed += if value.is_null() {
                path::remove(body, path.segments())
            } else {
                path::make(body, path.segments(), &mut |place| set(place, value, weight(value), &mut left))
                    .unwrap_or_default()
            };
        }
        changed > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn fields_are_set_made_and_taken_out() {
        let settings =
            json!({"temperature": 0.5, "provider.order": ["a"], "user": null, "messages[].name": null});
        let Value::Object(settings) = settings else { unreachable!() };
        let compiled = BodyOverride::compile(&settings.into_iter().collect()).unwrap();
        let mut body =
            json!({"model": "m", "user": "u", "temperature": 1, "messages": [{"name": "n", "role": "user"}]});
        assert!(compiled.apply(&mut body));
        let wanted = json!({"model": "m", "temperature": 0.5, "messages": [{"role": "user"}], "provider": {"order": ["a"]}});
        assert_eq!(body, wanted);
        assert!(!compiled.apply(&mut body), "what is there already is no change");
    }

    #[test]
    fn the_model_and_the_stream_are_not_overridden() {
        for name in ["model", "stream", "a..b"] {
            let error = BodyOverride::compile(&[(name.to_owned(), json!(1))].into()).unwrap_err();
            assert_eq!(error.field, format!("body_override.{name}"));
        }
    }
}
