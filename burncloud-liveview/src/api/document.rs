//! The OpenAPI document: what the routes say of themselves, and what holds for all of them.

use super::once::REPLAY;
use super::problem::{MEDIA_TYPE, ProblemBody};
use serde_json::{Map, Value, json};
use utoipa::openapi::{OpenApi, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// What is said of the whole.
const ABOUT: &str = "Everything that the console does. Amounts of money are integers in nano-dollars (10⁻⁹ dollars), \
times are integers in microseconds since the Unix epoch. Errors are `application/problem+json` (RFC 9457) and name \
the fields at fault. Lists come in pages: `limit` is at most 200, and `next` is what `after` takes. Answers have an \
entity tag; `If-Match` refuses a change of what somebody else has changed (412), `If-None-Match` saves reading \
again what is known. A write with `Idempotency-Key` is done once, however often it is sent within a day. Whoever \
may not see something is told that it is not there.";

const TAGS: [(&str, &str); 13] = [
    ("Me", "Whoever asks"),
    ("Users", "Users, their roles and how they get in"),
    ("Tenants", "Tenants, as a tree, and groups of customers"),
    ("Keys", "API keys"),
    ("Channels", "Accounts at providers"),
    ("Prices", "Price books"),
    ("Money", "Wallets, top-ups, redeem codes, statements"),
    ("Budgets", "Budgets and plans"),
    ("Logs", "Receipts: one for each request"),
    ("Usage", "Sums over requests, and what needs somebody"),
    ("Audit", "Who changed what"),
    ("Settings", "What is set for the whole house"),
    ("House", "What anybody may see"),
];

/// The document as it is served: with what all operations share.
pub(super) fn finish(document: OpenApi, prefix: &str) -> Value {
    let mut root = serde_json::to_value(document).unwrap_or_default();
    root["openapi"] = json!("3.1.0");
    root["info"] = json!({
        "title": "BurnCloud management API",
        "version": env!("CARGO_PKG_VERSION"),
        "description": ABOUT,
        "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
    });
    root["servers"] = json!([{ "url": if prefix.is_empty() { "/" } else { prefix } }]);
    root["security"] = json!([{ "token": [] }, { "session": [] }]);
    let components = &mut root["components"];
    components["securitySchemes"] = json!({
        "token": { "type": "http", "scheme": "bearer", "description": "A management token, made under `Me`" },
        "session": {
            "type": "apiKey", "in": "cookie", "name": "bc-session",
            "description": "A browser that signed in; its writes come from the console's own pages and carry the header `x-csrf`",
        },
    });
    problem_schemas(&mut components["schemas"]);
    components["responses"] = responses();
    if let Some(paths) = root["paths"].as_object_mut() {
        for (path, item) in paths {
            let Some(item) = item.as_object_mut() else { continue };
            for (method, operation) in item {
                complete(path, method, operation);
            }
        }
    }
    let used = tags_used(&root);
    let tags = TAGS.iter().filter(|(name, _)| used.iter().any(|tag| tag == name));
    root["tags"] = tags.map(|(name, about)| json!({ "name": name, "description": about })).collect();
    root
}

fn tags_used(root: &Value) -> Vec<String> {
    let items = root["paths"].as_object().into_iter().flat_map(Map::values);
    let operations = items.filter_map(Value::as_object).flat_map(Map::values);
    operations.filter_map(|operation| operation["tags"][0].as_str().map(str::to_owned)).collect()
}

fn problem_schemas(schemas: &mut Value) {
    let mut more: Vec<(String, RefOr<Schema>)> = Vec::new();
    ProblemBody::schemas(&mut more);
    more.push((ProblemBody::name().into_owned(), ProblemBody::schema()));
    for (name, schema) in more {
        schemas[name] = serde_json::to_value(schema).unwrap_or_default();
    }
}

fn responses() -> Value {
    let all = [
        ("Unreadable", "The request cannot be read; `errors` names the parameter"),
        ("Anonymous", "Nobody is signed in"),
        ("Forbidden", "Not yours to do"),
        ("NotFound", "Not there, or not for your eyes"),
        ("Conflict", "The name is taken, or the same request is under way"),
        ("Changed", "Somebody else changed it: read it again"),
        ("Invalid", "A field breaks a rule; `errors` names it"),
        ("Slower", "Too many changes at once; `retry-after` says how long to wait"),
        ("Away", "Not possible at the moment"),
    ];
    let problem = json!({ MEDIA_TYPE: { "schema": { "$ref": "#/components/schemas/Problem" } } });
    let all = all
        .into_iter()
        .map(|(name, about)| (name.to_owned(), json!({ "description": about, "content": problem })));
    Value::Object(all.collect())
}

/// Adds to an operation what follows from its method.
fn complete(path: &str, method: &str, operation: &mut Value) {
    if operation.get("security").is_some() {
        return;
    }
    let writes = method != "get";
    let mut problems =
        vec![("400", "Unreadable"), ("401", "Anonymous"), ("403", "Forbidden"), ("503", "Away")];
    if path.contains('{') || writes {
        problems.push(("404", "NotFound"));
    }
    if writes {
        problems.extend([("409", "Conflict"), ("422", "Invalid"), ("429", "Slower")]);
        push(
            operation,
            header("Idempotency-Key", "Done once under this key, however often it is sent within a day", 255),
        );
        replay(operation);
    }
    if writes && path.contains('{') {
        problems.push(("412", "Changed"));
        push(operation, header("If-Match", "The entity tag of what you have seen, in quotes", 64));
    }
    problems.sort_unstable();
    for (status, name) in problems {
        let known = &mut operation["responses"][status];
        if known.is_null() {
            *known = json!({ "$ref": format!("#/components/responses/{name}") });
        }
    }
}

fn header(name: &str, about: &str, longest: u32) -> Value {
    let schema = json!({ "type": "string", "maxLength": longest });
    json!({ "name": name, "in": "header", "required": false, "description": about, "schema": schema })
}

fn push(operation: &mut Value, parameter: Value) {
    match operation["parameters"].as_array_mut() {
        Some(parameters) => parameters.push(parameter),
        None => operation["parameters"] = json!([parameter]),
    }
}

fn replay(operation: &mut Value) {
    let Some(responses) = operation["responses"].as_object_mut() else { return };
    for (status, response) in responses {
        if status.starts_with('2') {
            let about = "`true` where this answer was given before";
            response["headers"][REPLAY.as_str()] =
                json!({ "description": about, "schema": { "type": "string" } });
        }
    }
}
