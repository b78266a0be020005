//! What scripts can do, and what stops them.

use super::*;
use burncloud_core::{Dialect, Operation};
use serde_json::json;

fn script(source: &str) -> Script {
    let settings = ScriptSettings { source: source.to_owned(), on_error: ScriptFailure::Refuse };
    Script::compile(&settings).unwrap_or_else(|error| panic!("{error}"))
}

fn fault(source: &str) -> TransformError {
    Script::compile(&ScriptSettings { source: source.to_owned(), ..ScriptSettings::default() }).unwrap_err()
}

fn context() -> Context<'static> {
    let facts = Facts {
        model: "fast",
        upstream_model: "gpt-4o",
        dialect: Dialect::Anthropic,
        operation: Operation::Chat,
        streamed: true,
        status: None,
    };
    Context { facts, dialect: "openai", channel: "main" }
}

fn request(source: &str, body: Value) -> Result<(Value, HeaderMap), Failure> {
    let mut body = body;
    let mut headers = HeaderMap::new();
    headers.insert("x-old", "1".parse().unwrap());
    headers.insert("authorization", "Bearer secret".parse().unwrap());
    script(source).request(&context(), &mut headers, &mut body)?;
    Ok((body, headers))
}

#[track_caller]
fn broken(source: &str) -> TransformError {
    match request(source, json!({"messages": [{"role": "user"}]})) {
        Err(Failure::Broken(error)) => error,
        other => panic!("{source}: {other:?}"),
    }
}

#[test]
fn requests_and_headers_are_edited() {
    let source = r#"
        if ctx.model == "fast" && ctx.streamed { req.temperature = 0.5; }
        for (message, i) in req.messages { if message.role == "user" { req.messages[i].name = "n"; } }
        req.messages = req.messages.map(|m| { m.seen = true; m });
        headers["x-new"] = ctx.operation + "-" + ctx.upstream_dialect;
        headers.remove("x-old");
    "#;
    let (body, headers) = request(source, json!({"z": 1, "messages": [{"role": "user"}]})).unwrap();
    assert_eq!(
        body.to_string(),
        r#"{"z":1,"messages":[{"role":"user","name":"n","seen":true}],"temperature":0.5}"#
    );
    assert_eq!(headers["x-new"], "chat-openai");
    assert!(!headers.contains_key("x-old"));
    assert_eq!(headers["authorization"], "Bearer secret");
}

#[test]
fn credentials_are_neither_seen_nor_set() {
    let (body, _) = request("req.seen = headers.keys();", json!({})).unwrap();
    assert_eq!(body, json!({"seen": ["x-old"]}));
    for name in ["authorization", "Authorization", "x-api-key", "host", "content-length", "a b"] {
        let error = broken(&format!("headers[\"{name}\"] = \"v\"; req.x = 1;"));
        assert!(error.message.contains(&name.to_lowercase()), "{error}");
    }
}

#[test]
fn answers_are_edited() {
    let script = script("if ctx.phase == \"event\" { res.event = true; } else { res.status = ctx.status; }");
    assert!(script.edits_answers() && !script.edits_requests());
    let mut body = json!({"a": 1});
    let mut context = context();
    context.facts.status = Some(404);
    assert!(script.answer(Phase::Response, &context, &BTreeMap::new(), &mut body).unwrap());
    assert_eq!(body, json!({"a": 1, "status": 404}));
    assert!(script.answer(Phase::Event, &context, &BTreeMap::new(), &mut body).unwrap());
    assert_eq!(body["event"], true);
}

#[test]
fn a_script_is_run_only_where_it_has_something_to_do() {
    for (source, requests, answers) in [
        ("req.a = 1;", true, false),
        ("headers.a = \"1\";", true, false),
        ("res.a = 1;", false, true),
        ("res.a = headers.b;", false, true),
        ("if req != () { req.a = 1 } else { res.a = 1 }", true, true),
        ("if ctx.model == \"x\" { refuse(\"no\") }", true, false),
    ] {
        let script = script(source);
        assert_eq!((script.edits_requests(), script.edits_answers()), (requests, answers), "{source}");
    }
}

#[test]
fn a_refusal_reaches_the_caller_and_cannot_be_caught() {
    for source in [
        "refuse(\"no pictures\")",
        "try { refuse(\"no pictures\") } catch { }",
        "fn f() { refuse(\"no pictures\") } f();",
    ] {
        match request(source, json!({})) {
            Err(Failure::Refused(text)) => assert_eq!(text, "no pictures"),
            other => panic!("{source}: {other:?}"),
        }
    }
}

#[test]
fn faults_name_their_place() {
    for (source, at) in [("req.a = 1;\nreq.b = ;", (2, 9)), ("req.a = 1;\n  reg.b = 2;", (2, 3))] {
        let error = fault(source);
        assert_eq!((error.line.unwrap(), error.column.unwrap()), at, "{error}");
        assert_eq!(error.field, "script");
    }
    let error = broken("\n\n  req.messages[7].role = 1;");
    assert_eq!(error.line, Some(3), "{error}");
    let error = broken("fn f(x) {\n x.y.z }\nf(req);");
    assert_eq!(error.line, Some(2), "{error}");
    let error = broken("fn f() {\n req.a = 1; }\nf();");
    assert!(error.line == Some(2) && error.message.contains("a function what it is given"), "{error}");
    let error = broken("throw req.messages[0].role;");
    assert!(!error.message.contains("user"), "{error}");
    let error = broken("req.f = || 1;");
    assert!(error.message.starts_with("req.f: "), "{error}");
}

#[test]
fn what_reaches_out_is_not_there() {
    for source in [
        "import \"x\" as y;",
        "eval(\"1\");",
        "print(1);",
        "debug(1);",
        "sleep(1);",
        "export let x = 1;",
        "let f = Fn(\"eval\"); f.call(\"1\");",
        "read_file(\"x\");",
        "timestamp();",
    ] {
        let settings = ScriptSettings { source: source.to_owned(), on_error: ScriptFailure::Refuse };
        let Ok(script) = Script::compile(&settings) else { continue };
        let result = script.request(&context(), &mut HeaderMap::new(), &mut json!({}));
        assert!(matches!(result, Err(Failure::Broken(_))), "{source}");
    }
    assert!(fault("eval(\"1\");").line.is_some());
    assert!(fault("import \"x\" as y;").line.is_some());
}

/// Each would take forever, or all memory; that it ends is the test.
#[test]
fn nothing_is_without_bound() {
    for source in [
        "loop { }",
        "while true { req.a = 1; }",
        "fn f(n) { f(n + 1) } f(0);",
        "let s = \"x\"; loop { s += s; }",
        "let s = \"x\"; s.pad(1000000000, 'x');",
        "let a = [0]; loop { a += a; }",
        "let a = []; a.pad(1000000000, 0);",
        "let a = [1]; loop { a = [a]; }",
        "let a = []; loop { let b = []; b.push(a); a = b; }",
        "let x = [[]]; loop { let y = []; y.push(x.pop()); x.push(y); }",
        "let a = #{}; loop { a = #{a: a, b: a}; }",
        "let i = 0; let a = #{}; loop { i += 1; a[`k${i}`] = i; }",
        "for i in 0..1000000000 { req.a = i; }",
        "let a = []; for i in 0..100000 { a.push(i); } loop { a.sort(); a.reverse(); }",
        "let b = blob(1000000000);",
        "let f = |n, f| f.call(n + 1, f); f.call(0, f);",
    ] {
        let error = broken(source);
        assert_eq!(error.field, "script", "{source}: {error}");
    }
    assert!(fault(&format!("req.a = {}1{};", "(".repeat(500), ")".repeat(500))).line.is_some());
    assert!(fault(&"1;".repeat(MAX_SOURCE)).message.contains("longer"));
    let many: String = (0..200).map(|i| format!("let v{i} = 1;")).collect();
    broken(&many);
}

#[test]
fn a_failed_script_changes_nothing() {
    let mut body = json!({"a": 1});
    let mut headers = HeaderMap::new();
    let result = script("req.a = 2; headers.x = \"1\"; headers.host = \"h\";").request(
        &context(),
        &mut headers,
        &mut body,
    );
    assert!(result.is_err());
    assert_eq!((body, headers.len()), (json!({"a": 1}), 0));
}
