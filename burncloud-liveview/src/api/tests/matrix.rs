//! Who may do what by each route: a table, and nothing that is not in it.

use super::support::{House, Is};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// By operation: what owner, administrator, reseller, end user and accountant are answered when they ask for things of the
/// end user's and of their tenant. `2` it is done; `3` 403; `4` 404: not for their eyes; `9` 409. The last two are
/// a reseller and an end user of another tenant. Nobody is answered 401, but by what is public (`-`).
const TABLE: &str = "
";

const ASKING: [Is; 7] = [
    Is::Owner,
    Is::Administrator,
    Is::Reseller,
    Is::EndUser,
    Is::Accountant,
    Is::OtherReseller,
    Is::OtherUser,
];

/// An operation of the document.
struct Operation {
    id: String,
    method: String,
    path: String,
    body: Option<Value>,
    public: bool,
}

async fn document() -> Value {
    let house = House::new().await;
    house.ask(Is::Nobody, "GET", "/api/openapi.json", None).await.json()
}

fn operations(document: &Value) -> Vec<Operation> {
    let mut all = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
            let example = schema["$ref"].as_str().map(|name| {
                let name = name.rsplit('/').next().unwrap();
                let schema = &document["components"]["schemas"][name];
                assert!(!schema["example"].is_null(), "the body {name} has no example");
                schema["example"].clone()
            });
            all.push(Operation {
                id: operation["operationId"].as_str().unwrap().to_owned(),
                method: method.clone(),
                path: path.clone(),
                body: example,
                public: operation["security"] == json!([{}]),
            });
        }
    }
    all
}

/// The path with what is there in the place of its parameters.
fn address(operation: &Operation, house: &House) -> String {
    let path = operation.path.as_str();
    let id = match path.split('/').nth(2).unwrap_or_default() {
        "users" => house.users[&Is::EndUser].to_string(),
        "tenants" => house.tenants[1].to_string(),
        "keys" => house.key.to_string(),
        "channels" => house.channel.to_string(),
        "entries" => house.entry.to_string(),
        "invitations" => house.invitation.clone(),
        "me" => house.session.clone(),
        "logs" => house.receipt.to_string(),
        _ => "1".to_owned(),
    };
    let name = match path.split('/').nth(2).unwrap_or_default() {
        "codes" => "autumn",
        "plans" => "gentle",
        _ => "emmas",
    };
    let query = match operation.id.as_str() {
        "get_quote" => "?model=gpt-4o-mini".to_owned(),
        "export_logs" => "?since=0&until=4102444800000000".to_owned(),
        "list_prices" | "list_price_rules" | "get_price_ratios" => format!("?book={}", house.tenants[1]),
        "import_channels" => "?dry_run=true".to_owned(),
        _ => String::new(),
    };
    format!("{}{query}", path.replace("{id}", &id).replace("{name}", name))
}

/// Bodies that mean something here.
fn body(operation: &Operation, house: &House) -> Option<Value> {
    let mut body = operation.body.clone();
    match (operation.id.as_str(), &mut body) {
        ("probe_new_channel", Some(body)) => body["base_url"] = json!("http://127.0.0.1:9"),
        ("create_tenant", Some(body)) => body["parent"] = json!(house.tenants[1]),
        ("create_user" | "create_invitation" | "create_codes", Some(body)) => {
            body["tenant"] = json!(house.tenants[1]);
        }
        ("create_key", Some(body)) => body["user"] = json!(house.users[&Is::EndUser]),
        ("set_price", Some(body)) => body["book"] = json!(house.tenants[1]),
        ("set_budget", Some(body)) => body["scope"] = json!({ "key": house.key }),
        _ => {}
    }
    body
}

/// What one is answered: a letter of the table.
async fn letter(operation: &Operation, is: Is) -> (char, String) {
    let house = House::new().await;
    let (path, body) = (address(operation, &house), body(operation, &house));
    let answer = house.ask(is, &operation.method, &path, body.as_ref()).await;
    let letter = match answer.status.as_u16() {
        200..=299 => '2',
        401 => '1',
        403 => '3',
        404 => '4',
        409 => '9',
        422 => 'v',
        _ => '?',
    };
    (letter, format!("{} {path} {body:?} as {is:?}: {answer:?}", operation.method))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_route_answers_every_role_as_the_table_says() {
    let operations = operations(&document().await);
    let table: BTreeMap<&str, &str> = TABLE
        .lines()
        .filter_map(|line| line.trim().split_once(' '))
        .map(|(id, row)| (id, row.trim()))
        .collect();
    let (mut wrong, mut found) = (Vec::new(), String::new());
    for operation in &operations {
        let (nobody, said) = letter(operation, Is::Nobody).await;
        let expected = if operation.public { '2' } else { '1' };
        if nobody != expected {
            wrong.push(said);
        }
        let mut row = String::new();
        for is in ASKING {
            let (letter, said) = letter(operation, is).await;
            let expected = table.get(operation.id.as_str()).and_then(|known| known.chars().nth(row.len()));
            row.push(letter);
            if expected != Some(letter) {
                wrong.push(format!("expected {expected:?}: {said}"));
            }
        }
        found.push_str(&format!("{} {row}\n", operation.id));
    }
    assert!(wrong.is_empty(), "{}\n\n{found}", wrong.join("\n"));
    let routes: BTreeSet<&str> = operations.iter().map(|operation| operation.id.as_str()).collect();
    assert_eq!(routes, table.keys().copied().collect(), "a row of the table without a route");
}
