//! The rules of the scanner one by one, and its agreement with a full parser on random documents.

use bytes::Bytes;
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;

fn scan(body: &str) -> Result<Envelope, EnvelopeError> {
    Envelope::scan(body.as_bytes())
}

fn at(body: &str, what: &str) -> usize {
    body.find(what).unwrap()
}

#[test]
fn every_field_is_read() {
    let body = r#" { "model" : "gpt-x", "messages":[{"model":"no","n":9}], "n":2,"stream": true ,
        "stream_options":{"other":[1],"include_usage":false}, "max_tokens":null,
        "max_completion_tokens":70, "max_output_tokens":50,"generationConfig":{"a":1} } "#;
    let envelope = scan(body).unwrap();
    assert_eq!(envelope.model_name(body.as_bytes()).unwrap(), "gpt-x");
    assert_eq!(envelope.model.unwrap().of(body.as_bytes()), b"\"gpt-x\"");
    assert!(envelope.stream && !envelope.empty);
    assert_eq!((envelope.n, envelope.max_tokens), (Some(2), Some(70)));
    let (usage, value) = envelope.include_usage.unwrap();
    assert_eq!((usage.of(body.as_bytes()), value), (&b"false"[..], false));
    let options = envelope.stream_options.unwrap().of(body.as_bytes());
    assert_eq!(options, br#"{"other":[1],"include_usage":false}"#);
    assert_eq!(envelope.generation_config.unwrap().of(body.as_bytes()), br#"{"a":1}"#);
    assert_eq!(envelope.object_end, body.rfind('}').unwrap());
}

#[test]
fn an_empty_object_is_told() {
    let envelope = scan("\u{feff} {\n} ").unwrap();
    assert_eq!(envelope, Envelope { object_end: 6, empty: true, ..Envelope::default() });
    assert!(!scan(r#"{"a":1}"#).unwrap().empty);
}

#[test]
fn null_is_like_absent() {
    let body = r#"{"model":null,"stream":null,"n":null,"max_tokens":null,"generation_config":null}"#;
    let expected = Envelope { object_end: body.len() - 1, ..Envelope::default() };
    assert_eq!(scan(body), Ok(expected));
}

#[test]
fn escaped_names_count() {
    let body = r#"{"mod\u0065l":"a\u002fb\"\ud83d\ude00","\u0073tream":true}"#;
    let envelope = scan(body).unwrap();
    assert_eq!(envelope.model_name(body.as_bytes()).unwrap(), "a/b\"😀");
    assert!(envelope.stream);
    let long = format!(r#"{{"{}":1,"n":2}}"#, r"\u0061".repeat(500));
    assert_eq!(scan(&long).unwrap().n, Some(2));
}

#[test]
fn a_field_given_twice_in_any_spelling_is_refused() {
    for second in ["model", r"mod\u0065l", r"\u006dodel", "Model", "MODEL"] {
        for body in
            [format!(r#"{{"model":"a","{second}":"b"}}"#), format!(r#"{{"{second}":"a","model":"b"}}"#)]
        {
            let at = body.rfind(",").unwrap() + 1;
            assert_eq!(scan(&body), Err(EnvelopeError::Duplicate { field: "model", at }), "{body}");
        }
    }
    let twice = [
        r#"{"stream":true,"stream":false}"#,
        r#"{"stream_options":null,"stream_options":{}}"#,
        r#"{"stream_options":{"include_usage":true,"include_us\u0061ge":false}}"#,
        r#"{"max_tokens":1,"max_tokens":2}"#,
        r#"{"n":1,"n":1}"#,
        r#"{"generationConfig":{},"generation_config":{}}"#,
    ];
    for body in twice {
        assert!(matches!(scan(body), Err(EnvelopeError::Duplicate { .. })), "{body}");
    }
    assert_eq!(scan(r#"{"Model":"a"}"#).unwrap().model, None);
    assert!(scan(r#"{"max_tokens":1,"max_completion_tokens":2,"a":1,"a":2}"#).is_ok());
}

#[test]
fn wrong_types_are_refused() {
    let cases = [
        (r#"{"model":1}"#, "model"),
        (r#"{"model":""}"#, "model"),
        (r#"{"model":{"a":"b"}}"#, "model"),
        (r#"{"stream":"true"}"#, "stream"),
        (r#"{"stream":1}"#, "stream"),
        (r#"{"stream":tru}"#, "stream"),
        (r#"{"stream_options":{"include_usage":1}}"#, "include_usage"),
        (r#"{"max_tokens":"12"}"#, "max_tokens"),
        (r#"{"max_completion_tokens":[1]}"#, "max_completion_tokens"),
        (r#"{"max_output_tokens":true}"#, "max_output_tokens"),
        (r#"{"n":{}}"#, "n"),
    ];
    for (body, name) in cases {
        let position = body.rfind(':').unwrap() + 1;
        match scan(body) {
            Err(EnvelopeError::Type { field, at, .. }) => {
                assert_eq!(field, name);
                assert!(at == position || body.contains("{\"a\""), "{body}");
            }
            other => panic!("{body}: {other:?}"),
        }
    }
}

#[test]
fn numbers_are_read_or_left_to_the_provider() {
    let max_tokens = |number: &str| scan(&format!(r#"{{"max_tokens":{number}}}"#)).unwrap().max_tokens;
    assert_eq!(max_tokens("0"), Some(0));
    assert_eq!(max_tokens("18446744073709551615"), Some(u64::MAX));
    assert_eq!(max_tokens("99999999999999999999"), Some(u64::MAX));
    assert_eq!((max_tokens("1e5"), max_tokens("12.5")), (Some(100_000), Some(13)));
    assert_eq!(max_tokens("1e99"), Some(u64::MAX));
    for number in ["-1", "-1.5", "007", "-", "1e", "0.0"] {
        assert_eq!(max_tokens(number), None, "{number}");
    }
    assert_eq!(scan(r#"{"max_tokens":1.5,"max_output_tokens":3}"#).unwrap().max_tokens, Some(3));
    assert_eq!(scan(r#"{"max_tokens":4.5,"max_output_tokens":3}"#).unwrap().max_tokens, Some(5));
}

#[test]
fn the_models_name_must_be_readable() {
    let invalid: [&[u8]; 5] = [
        b"{\"model\":\"a\xff\"}",
        b"{\"model\":\"a\nb\"}",
        br#"{"model":"\q"}"#,
        br#"{"model":"\ud800"}"#,
        br#"{"\model":"a"}"#,
    ];
    for body in invalid {
        assert!(matches!(Envelope::scan(body), Err(EnvelopeError::Invalid { .. })), "{body:?}");
    }
    // Elsewhere, the provider judges.
    assert!(Envelope::scan(b"{\"a\nb\xff\":\"\xff\\q\",\"n\":1}").is_ok());
}

#[test]
fn bodies_that_are_no_object_are_refused() {
    for body in ["", "  ", "null", "[]", "\"{}\"", "\u{feff}"] {
        assert_eq!(scan(body), Err(EnvelopeError::NotObject), "{body}");
    }
    assert_eq!(scan("{} x"), Err(EnvelopeError::Trailing { at: 3 }));
    assert_eq!(scan("{}{}"), Err(EnvelopeError::Trailing { at: 2 }));
    let invalid = [
        r#"{"a":1,}"#,
        r#"{,"a":1}"#,
        r#"{"a"}"#,
        r#"{"a":}"#,
        r#"{"a":,}"#,
        r#"{a:1}"#,
        r#"{"a":1 "b":2}"#,
        r#"{"a":1/*"*/}"#,
        r#"{"a":'b'}"#,
        r#"{"a":1]"#,
        r#"{"stream_options":{"a" 1}}"#,
    ];
    for body in invalid {
        assert!(matches!(scan(body), Err(EnvelopeError::Invalid { .. })), "{body}: {:?}", scan(body));
    }
}

#[test]
fn deep_nesting_is_walked_without_recursion() {
    let deep = format!(r#"{{"a":{}{},"model":"m"}}"#, "[{".repeat(50_000), "}]".repeat(50_000));
    assert!(scan(&deep).unwrap().model.is_some());
    let body = format!(r#"{{"a":{}"#, "[".repeat(2_000_000));
    assert_eq!(scan(&body), Err(EnvelopeError::TooDeep { at: 5 }));
}

#[test]
fn brackets_and_quotes_inside_strings_do_not_count() {
    let body = r#"{"messages":[{"content":"\\\"}],\"model\":\"no\" {[ \\"}],"a\"b":"}","model":"yes"}"#;
    assert_eq!(scan(body).unwrap().model.unwrap().start, at(body, "\"yes"));
}

#[test]
fn geminis_limits_are_read() {
    let limits = |text: &str| max_output_tokens(text.as_bytes());
    assert_eq!(limits(r#"{"maxOutputTokens":5,"candidateCount":2}"#), (Some(5), Some(2)));
    assert_eq!(
        limits(r#"{"max_output_tokens":7,"candidate_count":1,"maxOutputTokens":9}"#),
        (Some(9), Some(1))
    );
    assert_eq!(limits(r#"{"maxOutputTokens":"5","nested":{"candidateCount":3}}"#), (None, None));
    assert_eq!(limits(r#"{"candidateCount":4,"#), (None, Some(4)));
    assert_eq!(limits("null"), (None, None));
}

#[test]
fn errors_name_the_field_and_the_fix() {
    let error = scan(r#"{"model":"a","model":"b"}"#).unwrap_err();
    assert_eq!(error.to_string(), "field `model` appears twice (byte 13): send it once");
    let error = scan(r#"{"stream":1}"#).unwrap_err();
    assert_eq!(error.to_string(), "field `stream` has the wrong type (byte 10): send true, false or null");
}

// === Random documents ===

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z]{0,8}",
        "[\\\\\"{}\\[\\],: a]{0,90}",
        "\\PC{0,12}",
        "[\\x00-\\x1f]{0,4}",
        Just("model".into())
    ]
}

fn document() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<i32>().prop_map(|eighths| Value::from(f64::from(eighths) / 8.0)),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 40, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Value::from),
            vec((text(), inner), 0..6).prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// What the scanner makes of a number.
fn limit(number: &Value) -> Option<u64> {
    number.as_u64().or(number.as_f64().filter(|n| *n > 0.0).map(|n| n.ceil() as u64))
}

fn number() -> impl Strategy<Value = Value> {
    prop_oneof![Just(Value::Null), any::<u64>().prop_map(Value::from), Just(json!(-1)), Just(json!(1.5))]
}

fn switch_value() -> impl Strategy<Value = Value> {
    prop_oneof![Just(Value::Null), any::<bool>().prop_map(Value::from)]
}

fn stream_options() -> impl Strategy<Value = Value> {
    let members = (vec((text(), document()), 0..4), proptest::option::of(switch_value()));
    prop_oneof![
        Just(Value::Null),
        text().prop_map(Value::from),
        members.prop_map(|(others, usage)| {
            let mut members: Map<String, Value> = others.into_iter().collect();
            members.extend(usage.map(|usage| ("include_usage".to_owned(), usage)));
            Value::Object(members)
        }),
    ]
}

/// A request's top-level object: any members, and some of those that matter, with values of their types.
fn request() -> impl Strategy<Value = Map<String, Value>> {
    let model = prop_oneof![
        Just(Value::Null),
        text().prop_filter("named", |name| !name.is_empty()).prop_map(Value::from)
    ];
    let interesting = (
        proptest::option::of(model),
        proptest::option::of(switch_value()),
        proptest::option::of(stream_options()),
        vec(number(), 0..5),
    );
    (vec((text(), document()), 0..6), interesting).prop_map(|(others, (model, stream, options, numbers))| {
        let names = ["n", "max_tokens", "max_completion_tokens", "max_output_tokens"];
        let mut members: Map<String, Value> = others
            .into_iter()
            .filter(|(name, _)| !name.eq_ignore_ascii_case("model") && !name.eq_ignore_ascii_case("n"))
            .collect();
        members.extend(model.map(|value| ("model".to_owned(), value)));
        members.extend(stream.map(|value| ("stream".to_owned(), value)));
        members.extend(options.map(|value| ("stream_options".to_owned(), value)));
        members.extend(names.map(str::to_owned).into_iter().zip(numbers));
        members
    })
}

/// Renders `value` with whitespace between tokens and with needless escapes, as `salt` has it.
fn render(value: &Value, salt: &mut u64, out: &mut String) {
    match value {
        Value::Object(members) => {
            out.push('{');
            for (index, (name, value)) in members.iter().enumerate() {
                out.push_str(if index > 0 { "," } else { "" });
                render_text(name, salt, out);
                space(salt, out);
                out.push(':');
                space(salt, out);
                render(value, salt, out);
            }
            space(salt, out);
            out.push('}');
        }
        Value::Array(values) => {
            out.push('[');
            for (index, value) in values.iter().enumerate() {
                out.push_str(if index > 0 { "," } else { "" });
                space(salt, out);
                render(value, salt, out);
            }
            out.push(']');
        }
        Value::String(text) => render_text(text, salt, out),
        plain => out.push_str(&plain.to_string()),
    }
}

fn space(salt: &mut u64, out: &mut String) {
    *salt = salt.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    out.push_str(["", "", "", " ", "\n\t", "\r\n  "][(*salt >> 33) as usize % 6]);
}

fn render_text(text: &str, salt: &mut u64, out: &mut String) {
    space(salt, out);
    if !(*salt >> 40).is_multiple_of(3) {
        return out.push_str(&Value::from(text).to_string());
    }
    out.push('"');
    for unit in text.encode_utf16() {
        out.push_str(&format!("\\u{unit:04x}"));
    }
    out.push('"');
}

fn rendered(members: &Map<String, Value>, mut salt: u64) -> String {
    let mut body = String::from(if salt.is_multiple_of(5) { "\u{feff}" } else { "" });
    render(&Value::Object(members.clone()), &mut salt, &mut body);
    space(&mut salt, &mut body);
    body
}

fn parsed(body: &[u8]) -> Value {
    serde_json::from_slice(body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body)).unwrap()
}

fn spliced(body: &str, edit: Option<Edit>) -> Bytes {
    let mut edits: Vec<Edit> = edit.into_iter().collect();
    splice(&Bytes::copy_from_slice(body.as_bytes()), &mut edits).to_bytes()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn a_full_parser_agrees(members in request(), salt in any::<u64>()) {
        let body = rendered(&members, salt);
        let bytes = body.as_bytes();
        let envelope = scan(&body).unwrap();
        let value = |name: &str| members.get(name).cloned().unwrap_or_default();
        let read = |span: Option<Span>| span.map(|span| parsed(span.of(bytes)));
        let model = value("model");
        let name = envelope.model_name(bytes);
        prop_assert_eq!(name.as_deref(), model.as_str());
        prop_assert_eq!(read(envelope.model).unwrap_or_default(), model);
        prop_assert_eq!(envelope.stream, value("stream") == json!(true));
        prop_assert_eq!(read(envelope.stream_options), members.get("stream_options").cloned());
        let usage = value("stream_options").get("include_usage").cloned();
        prop_assert_eq!(read(envelope.include_usage.map(|usage| usage.0)), usage.clone());
        prop_assert_eq!(envelope.include_usage.map(|usage| usage.1), usage.map(|usage| usage == json!(true)));
        let limits = ["max_tokens", "max_completion_tokens", "max_output_tokens"];
        prop_assert_eq!(envelope.max_tokens, limits.iter().filter_map(|name| limit(&value(name))).max());
        prop_assert_eq!(envelope.n, limit(&value("n")));
        prop_assert_eq!(envelope.empty, members.is_empty());
        prop_assert_eq!(envelope.object_end, body.rfind('}').unwrap());
    }

    #[test]
    fn every_truncation_is_an_error(members in request(), salt in any::<u64>(), cut in any::<prop::sample::Index>()) {
        let body = rendered(&members, salt);
        let end = scan(&body).unwrap().object_end;
        let error = Envelope::scan(&body.as_bytes()[..cut.index(end + 1)]).unwrap_err();
        prop_assert!(matches!(error, EnvelopeError::Truncated { .. } | EnvelopeError::NotObject), "{error}");
    }

    #[test]
    fn a_spliced_model_changes_nothing_else(members in request(), salt in any::<u64>(), name in text()) {
        let body = rendered(&members, salt);
        let model = scan(&body).unwrap().model;
        let edit = model.map(|at| Edit { at, with: json_string(&name) });
        let mut expected = members;
        if edit.is_some() {
            expected.insert("model".to_owned(), name.into());
        }
        prop_assert_eq!(parsed(&spliced(&body, edit)), Value::Object(expected));
    }

    #[test]
    fn asking_for_usage_changes_nothing_else(members in request(), salt in any::<u64>()) {
        let body = rendered(&members, salt);
        let spliced = spliced(&body, scan(&body).unwrap().include_usage_edit(body.as_bytes()));
        let mut expected = members;
        let options = expected.entry("stream_options").or_insert_with(|| json!({}));
        if !options.is_object() {
            *options = json!({});
        }
        options["include_usage"] = true.into();
        prop_assert_eq!(parsed(&spliced), Value::Object(expected));
        prop_assert_eq!(Envelope::scan(&spliced).unwrap().include_usage_edit(&spliced), None);
    }

    #[test]
    fn random_bytes_never_panic(
        body in prop_oneof![
            vec(any::<u8>(), 0..300),
            "\\{(\"|\\\\|[{}\\[\\]:, a]|model|\"model\":|\"stream_options\":|\"n\":|null|1|\"a\":){0,60}".prop_map(String::into_bytes),
        ],
    ) {
        if let Ok(envelope) = Envelope::scan(&body) {
            let _ = envelope.model_name(&body);
            let edit = envelope.include_usage_edit(&body);
            splice(&Bytes::copy_from_slice(&body), &mut edit.into_iter().collect::<Vec<_>>());
        }
        let _ = max_output_tokens(&body);
    }
}
