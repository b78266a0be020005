//! What a browser may say.

use serde_json::Value;

/// A frame from the browser that is let in.
#[derive(Debug, PartialEq)]
pub(super) enum Inbound {
    /// It is still there.
    Ping,
    /// It moved to this path, which has the prefix.
    Move(String),
    /// An event, as dioxus reads it, without any files.
    Event(Vec<u8>),
}

/// The longest path that somebody may move to, in bytes.
const MAX_PATH: usize = 4096;

/// What a text frame says; nothing where it is not one of the three.
pub(super) fn inbound(text: &str) -> Option<Inbound> {
    if text == "__ping__" {
        return Some(Inbound::Ping);
    }
    let mut frame: Value = serde_json::from_str(text).ok()?;
    match frame.get("method")?.as_str()? {
        "nav" => {
            let path = frame.get("params")?.as_str()?;
            (path.len() <= MAX_PATH && path.starts_with('/')).then(|| Inbound::Move(path.to_owned()))
        }
        "user_event" => {
            // Read, stripped and written anew, always: a key may be spelled with escapes.
            strip_files(&mut frame);
            serde_json::to_vec(&frame).ok().map(Inbound::Event)
        }
        _ => None,
    }
}

/// dioxus would read the files that an event names from the server's own disk.
fn strip_files(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.retain(|key, _| key != "file" && key != "files");
            map.values_mut().for_each(strip_files);
        }
        Value::Array(items) => items.iter_mut().for_each(strip_files),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn event(text: &str) -> Value {
        match inbound(text) {
            Some(Inbound::Event(bytes)) => serde_json::from_slice(&bytes).unwrap(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn only_the_three_are_let_in() {
        assert_eq!(inbound("__ping__"), Some(Inbound::Ping));
        assert_eq!(
            inbound(r#"{"method":"nav","params":"/console/logs"}"#),
            Some(Inbound::Move("/console/logs".into()))
        );
        for refused in [
            "",
            "{",
            "[]",
            r#"{"method":"query","params":1}"#,
            r#"{"method":"nav","params":1}"#,
            r#"{"method":"nav","params":"//evil.example"#,
            r#"{"method":"nav","params":"javascript:alert(1)"}"#,
            r#"{"params":{}}"#,
        ] {
            assert_eq!(inbound(refused), None, "{refused}");
        }
        let long = format!(r#"{{"method":"nav","params":"/{}"}}"#, "a".repeat(MAX_PATH));
        assert_eq!(inbound(&long), None);
    }

    #[test]
    fn no_event_names_a_file_however_it_is_spelled() {
        let frame = r#"{"method":"user_event","params":{"data":{"values":[{"key":"a","text":"t",
            "file":{"path":"/etc/passwd"}},{"key":"b","\u0066ile":{"path":"/etc/passwd"}}],"f\u0069les":[1],"n":1}}}"#;
        let kept = serde_json::json!({"method":"user_event","params":{"data":
            {"values":[{"key":"a","text":"t"},{"key":"b"}],"n":1}}});
        assert_eq!(event(frame), kept);
    }

    fn tree() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            "\\PC{0,6}".prop_map(Value::from)
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            let key = prop_oneof![Just("file".to_owned()), Just("files".to_owned()), "[a-z]{1,4}"];
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::vec((key, inner), 0..4)
                    .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn whatever_comes_no_file_goes_on(params in tree()) {
            let frame = serde_json::json!({"method": "user_event", "params": params}).to_string();
            let Some(Inbound::Event(bytes)) = inbound(&frame) else { panic!() };
            let text = String::from_utf8(bytes).unwrap();
            prop_assert!(!text.contains("\"file\":") && !text.contains("\"files\":"));
        }
    }
}
