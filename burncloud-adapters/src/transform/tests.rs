//! Transforms as a gateway uses them.

use super::*;
use burncloud_core::adapter::{About, Registry};
use burncloud_core::{Dialect, Endpoint, ErrorKind, Operation, ScriptFailure, ScriptSettings, SystemPrompt};
use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http::response::Parts;
use proptest::prelude::*;
use serde_json::{Value, json};

fn steps(document: &str) -> ChannelSettings {
    ChannelSettings { transforms: Some(document.to_owned()), ..ChannelSettings::default() }
}

fn compiled(document: &str) -> Compiled {
    compile(&steps(document)).unwrap_or_else(|error| panic!("{error}"))
}

fn fault(document: &str) -> TransformError {
    compile(&steps(document)).unwrap_err()
}

fn scripted(source: &str, on_error: ScriptFailure) -> ChannelSettings {
    let script = ScriptSettings { source: source.to_owned(), on_error };
    ChannelSettings { script: Some(script), ..ChannelSettings::default() }
}

fn endpoint(operation: Operation) -> Endpoint {
    Endpoint { operation, ..Endpoint::default() }
}

fn about(endpoint: &Endpoint) -> About<'_> {
    About {
        endpoint,
        caller_dialect: Dialect::Anthropic,
        model: "fast",
        upstream_model: "gpt-4o-mini",
        streamed: true,
        channel: "main",
    }
}

/// What a request's body becomes under `request:` steps.
#[track_caller]
fn edit(list: &str, body: Value) -> Value {
    let sample = Sample {
        body,
        model: "fast".into(),
        upstream_model: "gpt-4o-mini".into(),
        dialect: Dialect::Anthropic,
        ..Sample::default()
    };
    compiled(&format!("request:\n{list}")).dry_run(&sample).unwrap().after
}

#[test]
fn each_operation_does_what_it_says() {
    let chat = json!({"model": "m", "max_tokens": 5, "messages": [{"role": "developer", "text": "a"}, {"role": "user"}]});
    let cases = [
        (
            "- move: {from: max_tokens, to: limits.output}",
            json!({"model": "m", "messages": chat["messages"], "limits": {"output": 5}}),
        ),
        (
            "- copy: {from: model, to: meta.model}",
            json!({"model": "m", "max_tokens": 5, "messages": chat["messages"], "meta": {"model": "m"}}),
        ),
        (
            "- move: {from: \"messages[].text\", to: \"messages[].content\"}",
            json!({"model": "m", "max_tokens": 5, "messages": [{"role": "developer", "content": "a"}, {"role": "user"}]}),
        ),
        ("- rename: {at: max_tokens, to: n}", json!({"model": "m", "n": 5, "messages": chat["messages"]})),
        (
            "- set: {at: \"messages[].name\", value: x}\n- remove: [\"messages[0]\", max_tokens]",
            json!({"model": "m", "messages": [{"role": "user", "name": "x"}]}),
        ),
        (
            "- default: {at: max_tokens, value: 9}\n- default: {at: top_p, value: 0.5}",
            json!({"model": "m", "max_tokens": 5, "messages": chat["messages"], "top_p": 0.5}),
        ),
        (
            "- map_value: {at: \"messages[].role\", values: {developer: system}}",
            json!({"model": "m", "max_tokens": 5, "messages": [{"role": "system", "text": "a"}, {"role": "user"}]}),
        ),
        (
            "- map_value: {at: \"messages[].role\", values: {user: user}, otherwise: tool}",
            json!({"model": "m", "max_tokens": 5, "messages": [{"role": "tool", "text": "a"}, {"role": "user"}]}),
        ),
        (
            "- map_value: {at: max_tokens, values: {5: null}}",
            json!({"model": "m", "max_tokens": null, "messages": chat["messages"]}),
        ),
        (
            "- keep: [model, \"messages[].role\"]",
            json!({"model": "m", "messages": [{"role": "developer"}, {"role": "user"}]}),
        ),
        (
            "- keep: [\"messages[-1]\", \"messages[].text\"]",
            json!({"messages": [{"text": "a"}, {"role": "user"}]}),
        ),
    ];
    for (list, wanted) in cases {
        assert_eq!(edit(list, chat.clone()), wanted, "{list}");
    }
}

#[test]
fn values_can_be_wrapped_and_unwrapped() {
    assert_eq!(edit("- move: {from: a, to: a.b}", json!({"a": 1})), json!({"a": {"b": 1}}));
    assert_eq!(edit("- move: {from: a.b, to: a}", json!({"a": {"b": 1, "c": 2}})), json!({"a": 1}));
    assert_eq!(
        edit("- copy: {from: a, to: a.b}", json!({"a": {"c": 1}})),
        json!({"a": {"c": 1, "b": {"c": 1}}})
    );
}

#[test]
fn a_place_of_another_shape_is_left_alone() {
    let body = json!({"z": 1, "a": "text", "b": [1], "y": 2});
    for list in [
        "- move: {from: z, to: a.b}",
        "- move: {from: \"b[0]\", to: a.b}",
        "- copy: {from: z, to: \"b[3].c\"}",
        "- set: {at: a.b.c, value: 1}",
        "- set: {at: \"a[].c\", value: 1}",
        "- remove: [a.b, \"b[7]\", \"z[]\", q]",
        "- rename: {at: \"b[].c\", to: d}",
        "- map_value: {at: q, values: {a: b}, otherwise: c}",
    ] {
        assert_eq!(edit(list, body.clone()).to_string(), body.to_string(), "{list}");
    }
}

#[test]
fn conditions_choose() {
    let took = |when: &str, body: &Value| {
        edit(&format!("- set: {{at: took, value: true}}\n  {when}"), body.clone())["took"] == true
    };
    let body = json!({"n": 1, "tools": [{"type": "a"}, {"type": "b"}]});
    for when in [
        "when: {model: fast}",
        "when: {model: [x, f*]}",
        "when: {upstream_model: gpt-*}",
        "when: {dialect: [openai, anthropic]}",
        "when: {operation: chat, streamed: false}",
        "when: {exists: \"tools[].type\"}",
        "when: {missing: x}",
        "when: {equals: {\"tools[].type\": b}}",
        "when: {equals: {n: [3, 1.0]}}",
        "unless: {model: slow}",
        "unless: {model: fast, exists: x}",
        "when: {}",
    ] {
        assert!(took(when, &body), "{when}");
    }
    for when in [
        "when: {model: slow}",
        "when: {dialect: openai}",
        "when: {streamed: true}",
        "when: {exists: x}",
        "when: {missing: n}",
        "when: {equals: {n: \"1\"}}",
        "when: {equals: {n: 1, \"tools[0].type\": b}}",
        "unless: {model: fast}",
        "unless: {exists: n}",
        "unless: {model: fast, exists: n}",
    ] {
        assert!(!took(when, &body), "{when}");
    }
}

#[test]
fn faults_name_line_column_step_and_mending() {
    let cases = [
        ("request:\n- remvoe: user\n", (2, 3), Some("request[0]"), "remove"),
        ("request:\n- remove: user\n- move: {from: a}\n", (3, 9), Some("request[1]"), "`to` is missing"),
        ("stream:\n- set: {at: a..b, value: 1}\n", (2, 13), Some("stream[0]"), "name is missing"),
        ("request:\n- set: {at: a, value: 1, vaule: 2}\n", (2, 26), Some("request[0]"), "`vaule`"),
        ("request:\n- remove: a\n  keep: b\n", (3, 3), Some("request[0]"), "one operation"),
        ("request:\n- remove: a\n  when: {modle: x}\n", (3, 10), Some("request[0]"), "upstream_model"),
        ("request:\n- remove: a\n  when: {status: 404}\n", (3, 18), Some("request[0]"), "no status"),
        ("request:\n- remove: a\n  when: {streamed: maybe}\n", (3, 20), Some("request[0]"), "true or false"),
        ("request:\n- remove: a\n  when: {dialect: cobol}\n", (3, 19), Some("request[0]"), "anthropic"),
        ("request:\n- copy: {from: \"a[].b\", to: \"c[].b\"}\n", (2, 29), Some("request[0]"), "different"),
        ("request:\n- rename: {at: \"a[0]\", to: b}\n", (2, 16), Some("request[0]"), "key"),
        ("request:\n- map_value: {at: a, values: {}}\n", (2, 30), Some("request[0]"), "pairs"),
        ("request:\n- {}\n", (2, 3), Some("request[0]"), "nothing"),
        ("request: {remove: a}\n", (1, 10), None, "list of steps"),
        ("requests: []\n", (1, 1), None, "request, response, stream"),
        ("{\"request\": [\n  {\"remove\": \"a\"},\n  {\"remove\": 5.}}\n]}", (3, 17), None, "not YAML"),
    ];
    for (document, (line, column), step, mending) in cases {
        let error = fault(document);
        let place = (error.line.unwrap(), error.column.unwrap());
        assert_eq!((place, error.step.as_deref()), ((line, column), step), "{document}: {error}");
        assert!(error.message.contains(mending), "{document}: {error}");
    }
}

#[test]
fn documents_are_bounded() {
    let many = |step: &str, n| format!("request:\n{}", format!("- {step}\n").repeat(n));
    assert!(fault(&many("remove: a", 257)).message.contains("256 steps"));
    let deeper = fault(&many("move: {from: a, to: a.b.c.d.e.f.g.h}", 100));
    assert!(deeper.message.contains("deeper") && deeper.step.is_some(), "{deeper}");
    // Each step doubles what is there.
    let doubling: String = (0..60).map(|i| format!("- copy: {{from: a, to: a.b{i}}}\n")).collect();
    let doubled = compiled(&format!("request:\n{doubling}"));
    let sample = Sample { body: json!({"a": {"c": "x".repeat(1000)}}), ..Sample::default() };
    let Err(error) = doubled.dry_run(&sample) else { panic!("it was not bounded") };
    assert!(error.message.contains("too large") && error.line.is_some(), "{error}");
}

#[test]
fn large_arrays_take_time_in_proportion() {
    let document = compiled(
        "request:\n- move: {from: \"m[].a\", to: \"m[].b\"}\n- set: {at: \"m[].c\", value: 1}\n\
         - remove: \"m[].d\"\n- keep: [\"m[].b\", \"m[].c\", \"m[5]\"]\n- rename: {at: \"m[].b\", to: e}\n",
    );
    let element = json!({"a": 1, "d": 2});
    let sample = Sample { body: json!({"m": vec![element; 200_000]}), ..Sample::default() };
    let about = endpoint(Operation::Chat);
    let mut body = Bytes::from(sample.body.to_string());
    document.request(&self::about(&about), &mut HeaderMap::new(), &mut body).unwrap();
    assert!(body.starts_with(br#"{"m":[{"e":1,"c":1},{"e":1,"c":1}"#));
}

fn request(settings: &ChannelSettings, body: &str) -> Result<(String, HeaderMap), burncloud_core::Error> {
    let endpoint = endpoint(Operation::Chat);
    let (mut bytes, mut headers) = (Bytes::from(body.to_owned()), HeaderMap::new());
    headers.insert("x-a", "1".parse().unwrap());
    compile(settings).unwrap().request(&about(&endpoint), &mut headers, &mut bytes)?;
    Ok((String::from_utf8(bytes.to_vec()).unwrap(), headers))
}

#[test]
fn the_order_is_prompt_override_steps_script_headers() {
    let settings = ChannelSettings {
        system_prompt: Some(SystemPrompt { text: "P".into(), ..SystemPrompt::default() }),
        body_override: [("t".to_owned(), json!(1))].into(),
        header_override: [("x-a".to_owned(), "3".to_owned())].into(),
        ..scripted(
            "req.seen = req.u + 1; headers[\"x-a\"] = \"2\"; headers[\"x-b\"] = \"2\";",
            ScriptFailure::Refuse,
        )
    };
    let settings =
        ChannelSettings { transforms: Some("request: [{move: {from: t, to: u}}]".into()), ..settings };
    let (body, headers) = request(&settings, r#"{"messages":[]}"#).unwrap();
    assert_eq!(body, r#"{"messages":[{"role":"system","content":"P"}],"u":1,"seen":2}"#);
    assert_eq!((headers["x-a"].as_bytes(), headers["x-b"].as_bytes()), (&b"3"[..], &b"2"[..]));
}

#[test]
fn what_is_not_changed_is_not_written_anew() {
    let spaced = "{ \"a\" :1.50,\n\"messages\": [ ] }";
    for document in [
        "request: [{remove: b}]",
        "request: [{remove: a, when: {model: x}}]",
        "request: [{set: {at: a, value: 1.5}}]",
    ] {
        assert_eq!(request(&steps(document), spaced).unwrap().0, spaced);
    }
    assert_eq!(request(&scripted("let x = req.a;", ScriptFailure::Refuse), spaced).unwrap().0, spaced);
    for body in ["", "no JSON", "--boundary\r\n{}"] {
        assert_eq!(request(&steps("request: [{set: {at: a, value: 1}}]"), body).unwrap().0, body);
    }
}

#[test]
fn nothing_gets_past_the_steps_by_being_odd() {
    let removes = steps("request: [{remove: tier}]");
    let twice = request(&removes, r#"{"tier":1,"a":2,"tier":3}"#).unwrap().0;
    assert_eq!(twice, r#"{"a":2}"#);
    assert_eq!(request(&removes, r#"{"a":1,"a":2}"#).unwrap().0, r#"{"a":2}"#);
    for body in [
        "{\"tier\":1,}",
        "{\"tier\":\"\\ud800\"}",
        &format!("{{\"tier\":1,\"a\":{}{}}}", "[".repeat(200), "]".repeat(200)),
    ] {
        let error = request(&removes, body).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BadRequest, "{body}");
    }
}

#[test]
fn a_failing_script_refuses_or_is_skipped() {
    let fails = "req.a = 1;\nreq.b.c.d = 1;";
    let error = request(&scripted(fails, ScriptFailure::Refuse), "{}").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Internal);
    assert!(!error.message().contains("main") && !error.message().contains("line"), "{error:?}");
    let context = error.context().unwrap();
    assert!(context.contains("`main`") && context.contains("line 2"), "{context}");
    assert_eq!(request(&scripted(fails, ScriptFailure::Skip), "{}").unwrap().0, "{}");
    for policy in [ScriptFailure::Refuse, ScriptFailure::Skip] {
        let error = request(&scripted("refuse(\"not today\");", policy), "{}").unwrap_err();
        assert_eq!((error.kind(), error.message()), (ErrorKind::BadRequest, "not today"));
    }
}

fn head(status: u16, content_type: &str) -> Parts {
    let response = http::Response::builder().status(status).header("content-type", content_type);
    response.header("content-length", "10").body(()).unwrap().into_parts().0
}

/// An answer's head and body after the transforms; `None` where they have nothing to do with answers.
fn answer(
    settings: &ChannelSettings,
    operation: Operation,
    mut head: Parts,
    body: &[u8],
) -> Option<(HeaderMap, Bytes)> {
    let endpoint = endpoint(operation);
    let mut rewrite = compile(settings).unwrap().answer(&about(&endpoint))?;
    let mut out = BytesMut::new();
    rewrite.head(&mut head);
    for chunk in body.chunks(7) {
        rewrite.data(chunk, &mut out).unwrap();
    }
    rewrite.finish(&mut out).unwrap();
    Some((head.headers, out.freeze()))
}

#[test]
fn whole_answers_and_errors_are_changed() {
    let settings = steps(
        "response:\n- remove: id\n- set: {at: error.message, value: busy}\n  when: {status: [429, 5xx]}\n- remove: a\n  unless: {status: 200-299}\n",
    );
    let ok = answer(
        &settings,
        Operation::Chat,
        head(200, "application/json; charset=utf-8"),
        br#"{"id":1,"a":2}"#,
    )
    .unwrap();
    assert_eq!(ok.1, r#"{"a":2}"#);
    assert!(!ok.0.contains_key("content-length"));
    let busy = answer(
        &settings,
        Operation::Chat,
        head(529, "application/json"),
        br#"{"error":{"message":"x"},"a":2}"#,
    )
    .unwrap();
    assert_eq!(busy.1, r#"{"error":{"message":"busy"}}"#);
    for (media, body) in [
        ("application/json", "{ \"a\": 2 }"),
        ("text/plain", "{\"id\":1}"),
        ("application/json", "{\"id\":1"),
        ("audio/mpeg", "x"),
    ] {
        assert_eq!(
            answer(&settings, Operation::Chat, head(200, media), body.as_bytes()).unwrap().1,
            body,
            "{media}"
        );
    }
    assert!(
        answer(&steps("request: [{remove: id}]"), Operation::Chat, head(200, "application/json"), b"{}")
            .is_none()
    );
    assert!(
        answer(&scripted("req.a = 1", ScriptFailure::Skip), Operation::Chat, head(200, "x/y"), b"").is_none()
    );
    let other_model = steps("response: [{remove: id, when: {model: other}}]");
    assert!(answer(&other_model, Operation::Chat, head(200, "application/json"), b"{}").is_none());
}

#[test]
fn compressed_answers_pass() {
    let settings = steps("response: [{remove: id}]\nstream: [{remove: id}]");
    let mut zipped = head(200, "application/json");
    zipped.headers.insert("content-encoding", "gzip".parse().unwrap());
    let (headers, body) = answer(&settings, Operation::Chat, zipped, br#"{"id":1}"#).unwrap();
    assert!(body == r#"{"id":1}"# && headers.contains_key("content-length"));
}

#[test]
fn streams_are_changed_event_by_event() {
    let settings = ChannelSettings {
        transforms: Some("stream: [{remove: id}]\nresponse: [{remove: whole}]".into()),
        ..scripted("if ctx.phase == \"event\" && \"n\" in res { res.n += 1; }", ScriptFailure::Refuse)
    };
    let stream =
        b": ping\n\nevent: a\ndata: {\"id\":1,\"n\":1}\n\ndata: { \"whole\": 1 }\n\ndata: [DONE]\n\n";
    let wanted = ": ping\n\nevent: a\ndata: {\"n\":2}\n\ndata: { \"whole\": 1 }\n\ndata: [DONE]\n\n";
    assert_eq!(answer(&settings, Operation::Chat, head(200, "text/event-stream"), stream).unwrap().1, wanted);
    let array = b"[{\"id\":1,\"n\":1}\n,{\"id\":2}]";
    let got =
        answer(&settings, Operation::StreamGenerateContent, head(200, "application/json"), array).unwrap();
    assert_eq!(got.1, "[{\"n\":2}\n,{}]");
    let error =
        answer(&settings, Operation::StreamGenerateContent, head(400, "application/json"), b"{\"whole\":1}")
            .unwrap();
    assert_eq!(error.1, "{}", "an error is a whole answer");
}

#[test]
fn a_dry_run_tells_what_happens() {
    let settings = ChannelSettings {
        header_override: [("x-team".to_owned(), "a".to_owned())].into(),
        ..steps("request:\n- remove: user\n- set: {at: a, value: 1}\n  when: {model: other}\n")
    };
    let mut headers = HeaderMap::new();
    headers.insert("authorization", "Bearer secret".parse().unwrap());
    let sample =
        Sample { body: json!({"user": "u", "b": 1}), headers, model: "m".into(), ..Sample::default() };
    let run = compile(&settings).unwrap().dry_run(&sample).unwrap();
    assert_eq!((run.after.clone(), run.changed.clone()), (json!({"b": 1}), vec!["user".to_owned()]));
    let step = |run: &StepRun| (run.step.clone(), run.what.clone(), run.changes);
    let wanted =
        [("request[0]".into(), "remove user".into(), Some(1)), ("request[1]".into(), "set a".into(), None)];
    assert_eq!(run.steps.iter().map(step).collect::<Vec<_>>(), wanted);
    assert_eq!(run.headers_after, [("x-team".to_owned(), "a".to_owned())].into());
    let diff = run.diff();
    assert!(diff.contains("+ x-team: a") && diff.contains("-   \"user\": \"u\","), "{diff}");
    assert!(!format!("{run:?}{diff}").contains("secret"));

    let refusing = compile(&scripted("req.a = 1; refuse(\"no\")", ScriptFailure::Skip)).unwrap();
    let run = refusing.dry_run(&sample).unwrap();
    assert_eq!((run.refused.as_deref(), run.changed.len()), (Some("no"), 0));
    let failing = compile(&scripted("req.x.y.z = 1", ScriptFailure::Skip)).unwrap();
    assert_eq!(failing.dry_run(&sample).unwrap_err().line, Some(1));
}

#[test]
fn channels_are_prepared_and_refused() {
    let mut config = burncloud_core::ChannelConfig {
        id: burncloud_core::ChannelId(0),
        name: "main".into(),
        provider: "openai".into(),
        base_url: None,
        credential: "k".to_owned().into(),
        models: vec!["m".into()],
        model_mapping: [].into(),
        priority: 0,
        weight: 1,
        status: burncloud_core::Status::Active,
        settings: ChannelSettings::default(),
    };
    let registry: Registry = crate::registry();
    assert!(registry.transform(&config).unwrap().is_none(), "nothing costs nothing");
    config.settings = steps("request: []");
    assert!(registry.transform(&config).unwrap().is_none());
    config.settings = steps("request: [{remove: a}]");
    assert!(registry.transform(&config).unwrap().is_some());
    let faults = [
        (steps("request:\n- x: y\n"), "transforms: line 2, column 3: request[0]: "),
        (scripted("let a = ;", ScriptFailure::Skip), "script: line 1, column 9: "),
        (
            ChannelSettings {
                header_override: [("Host".into(), "h".into())].into(),
                ..ChannelSettings::default()
            },
            "header_override.Host: ",
        ),
        (
            ChannelSettings {
                body_override: [("model".into(), json!("m"))].into(),
                ..ChannelSettings::default()
            },
            "body_override.model: ",
        ),
        (
            ChannelSettings { system_prompt: Some(SystemPrompt::default()), ..ChannelSettings::default() },
            "system_prompt: ",
        ),
    ];
    for (settings, wanted) in faults {
        config.settings = settings;
        let error =
            burncloud_core::usecase::channels::check_channel(&config, &registry).unwrap_err().to_string();
        assert!(error.starts_with(wanted), "{error}");
    }
}

fn yaml_step() -> impl Strategy<Value = String> {
    let path = testing::path;
    prop_oneof![
        (path(), path()).prop_map(|(a, b)| format!("move: {{from: '{a}', to: '{b}'}}")),
        (path(), path()).prop_map(|(a, b)| format!("copy: {{from: '{a}', to: '{b}'}}")),
        path().prop_map(|a| format!("rename: {{at: '{a}', to: d}}")),
        (path(), testing::json_text()).prop_map(|(a, v)| format!("set: {{at: '{a}', value: {v}}}")),
        (path(), testing::json_text()).prop_map(|(a, v)| format!("default: {{at: '{a}', value: {v}}}")),
        path().prop_map(|a| format!("remove: '{a}'")),
        path().prop_map(|a| format!("map_value: {{at: '{a}', values: {{a: b, 1: 2}}, otherwise: c}}")),
        (path(), path()).prop_map(|(a, b)| format!("keep: ['{a}', '{b}']")),
        (path(), path()).prop_map(|(a, b)| format!(
            "{{remove: '{a}', when: {{exists: '{b}'}}, unless: {{equals: {{'{a}': a}}}}}}"
        )),
    ]
}

proptest! {
    #[test]
    fn random_steps_on_random_bodies_end_well(body in testing::json(), list in proptest::collection::vec(yaml_step(), 1..6)) {
        let document = format!("request:\n{}", list.iter().map(|step| format!("- {step}\n")).collect::<String>());
        if let Ok(compiled) = compile(&steps(&document)) {
            let run = compiled.dry_run(&Sample { body: body.clone(), ..Sample::default() });
            if let Ok(run) = run {
                prop_assert_eq!(run.changed.is_empty(), run.after == body);
                let _ = run.diff();
            }
        }
    }

    #[test]
    fn random_documents_never_panic(text in "\\PC{0,40}|[\\[\\]{}:,\\-a-c \n\"'&*!|>#%@?~]{0,60}") {
        let _ = compile(&steps(&text));
        let _ = compile(&steps(&format!("request:\n- {text}")));
        let _ = compile(&scripted(&text, ScriptFailure::Skip));
    }

    #[test]
    fn keeping_everything_changes_nothing(body in testing::object()) {
        let Value::Object(members) = &body else { unreachable!() };
        prop_assume!(!members.is_empty());
        let paths: Vec<String> = members.keys().map(|key| path::show(&[path::Segment::Key(key.as_str().into())])).collect();
        let document = json!({"request": [{"keep": paths}]}).to_string();
        let run = compile(&steps(&document)).unwrap().dry_run(&Sample { body: body.clone(), ..Sample::default() }).unwrap();
        prop_assert_eq!(run.after.to_string(), body.to_string());
    }

    #[test]
    fn there_and_back_again(mut body in testing::object(), from in "[a-d](\\.[a-d]){0,2}") {
        let document = format!("request:\n- move: {{from: {from}, to: elsewhere.x}}\n- move: {{from: elsewhere.x, to: {from}}}\n- remove: elsewhere\n");
        body.as_object_mut().unwrap().remove("elsewhere");
        let run = compile(&steps(&document)).unwrap().dry_run(&Sample { body: body.clone(), ..Sample::default() }).unwrap();
        prop_assert_eq!(run.after, body);
    }

    #[test]
    fn random_answers_never_panic(body in proptest::collection::vec(any::<u8>(), 0..100), json in testing::json_text(), status in 200u16..600) {
        let settings = ChannelSettings {
            transforms: Some("response: [{set: {at: a.b, value: 1}}]\nstream: [{remove: \"a\"}]".into()),
            ..scripted("if res != () { res = [res]; }", ScriptFailure::Skip)
        };
        let framed = format!("data: {json}\n\n");
        for body in [&body[..], json.as_bytes(), framed.as_bytes()] {
            for media in ["application/json", "text/event-stream"] {
                for operation in [Operation::Chat, Operation::StreamGenerateContent] {
                    let endpoint = endpoint(operation);
                    let mut rewrite = compile(&settings).unwrap().answer(&about(&endpoint)).unwrap();
                    let mut out = BytesMut::new();
                    rewrite.head(&mut head(status, media));
                    let _ = rewrite.data(body, &mut out).and_then(|()| rewrite.finish(&mut out));
                }
            }
        }
    }
}
