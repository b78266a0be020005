//! Random JSON for property tests.

use proptest::prelude::*;
use serde_json::{Map, Value};

/// A few keys, so that paths meet something.
pub(super) fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_filter("finite", |f| f.is_finite()).prop_map(Value::from),
        "[a-c]{0,3}|\\PC{0,6}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 5, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::Array),
            members(inner).prop_map(Value::Object),
        ]
    })
}

/// An object.
pub(super) fn object() -> impl Strategy<Value = Value> {
    members(json()).prop_map(Value::Object)
}

/// The text of a document.
pub(super) fn json_text() -> impl Strategy<Value = String> {
    json().prop_map(|value| value.to_string())
}

fn members(inner: impl Strategy<Value = Value>) -> impl Strategy<Value = Map<String, Value>> {
    proptest::collection::vec(("[a-d]|\\PC{0,3}", inner), 0..6)
        .prop_map(|members| members.into_iter().collect())
}

/// A path over the same keys.
pub(super) fn path() -> impl Strategy<Value = String> {
    "[a-d](\\.[a-d]|\\[\\]|\\[-?[0-2]\\]){0,4}"
}
