//! Who may do what by each route: a table, and nothing that is not in it.

use super::support::{House, Is};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// By operation: what owner, administrator, reseller, end user and accountant are answered when they ask for things of the
/// end user's and of their tenant. `2` it is done; `3` 403; `4` 404: not for their eyes; `v` 422: they may, but the example
/// means nothing here. The last two are a reseller and an end user of another tenant. Nobody is answered 401, but by what is public (`-`).
const TABLE: &str = "
list_alerts 2233333
list_audit 2222222
list_budgets 2222222
set_budget 2223344
delete_budget 2223344
list_channels 2233333
create_channel 2233333
export_channels 2233333
import_channels 2233333
probe_new_channel 2233333
time_channels 2233333
get_channel 2233333
delete_channel 2233333
update_channel 2233333
probe_channel 2233333
time_channel 2233333
set_channel_status 2233333
list_code_batches 2223223
create_codes 2224344
revoke_codes 2224344
get_docs 2222222
reverse_entry 2223344
list_findings 2222222
list_groups 2222222
list_invitations 2222222
create_invitation 2224344
revoke_invitation 2224444
list_keys 2222222
create_key 2222344
get_key 2222244
revoke_key 2222344
update_key 2222344
rotate_key 2222344
list_logs 2222222
export_logs 2222222
get_receipt 2222244
get_me 2222222
update_me 2222222
redeem_code vvvv3vv
list_sessions 2222222
end_session 4442444
create_token 2222222
get_document 2222222
list_plans 2233333
set_plan 2233333
list_prices 2224244
export_price_tables 2233333
import_price_tables 2233333
get_quote 2222222
get_price_ratios 2224244
list_price_rules 2224244
set_price 2224344
get_waiting_prices 2233333
decide_waiting_prices 4433333
list_settings 2233333
set_settings 2233333
get_access 2233333
set_access 2233333
list_tenants 2222222
create_tenant 2224344
get_tenant 2224244
update_tenant 2234344
switch_tenant 2234344
get_tenant_wallet 2224244
set_tenant_credit 2234344
list_tenant_entries 2224244
move_tenant_money 2234344
get_usage 2222222
list_channel_health 2233333
list_usage_customers 2222222
export_usage 2222222
list_users 2222222
create_user 2224344
get_user 2222244
withdraw_user 2223344
update_user 2223344
ban_user 2223344
drop_user_factor 2223344
set_user_login 2223344
set_user_role 2223344
sign_out_user 2223344
unban_user 2223344
get_user_wallet 2222244
set_user_credit 2223344
list_user_entries 2222244
move_user_money 2223344
get_health 2222222
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
pub(super) fn filled(path: &str, house: &House) -> String {
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
    let query = match path {
        "/api/prices/quote" => "?model=gpt-4o-mini".to_owned(),
        "/api/logs/export" => "?since=0&until=4102444800000000".to_owned(),
        "/api/prices" | "/api/prices/ratios" => format!("?book={}", house.tenants[1]),
        "/api/channels/import" => "?dry_run=true".to_owned(),
        _ => String::new(),
    };
    format!("{}{query}", path.replace("{id}", &id).replace("{name}", name))
}

/// And with what an operation needs.
fn address(operation: &Operation, house: &House) -> String {
    let path = filled(&operation.path, house);
    match operation.id.as_str() {
        "list_price_rules" => format!("{path}?book={}", house.tenants[1]),
        _ => path,
    }
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

/// Names that one never reads, whatever one asks.
fn secret_from(is: Is) -> &'static [&'static str] {
    match is {
        Is::OtherReseller | Is::OtherUser => {
            &["emma", "rita", "anna", "aster", "autumn", "\"main\"", "a friend of astrid", "olga", "adam"]
        }
        Is::EndUser => &["rita", "anna", "rolf", "erik", "birch", "\"main\"", "autumn", "a friend of astrid"],
        Is::Reseller | Is::Accountant => &["rolf", "erik", "birch", "\"main\""],
        Is::Nobody => &["emma", "rita", "aster", "birch", "olga"],
        Is::Owner | Is::Administrator => &["sk-live-0123", "klmnop\\"],
    }
}

/// What one is answered: a letter of the table, and all of it.
async fn letter(house: &House, operation: &Operation, is: Is) -> (char, String) {
    let (path, body) = (address(operation, house), body(operation, house));
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
    let asked = body.map(|body| body.to_string()).unwrap_or_default();
    if !operation.public {
        for secret in secret_from(is).iter().filter(|secret| !asked.contains(&secret.replace('"', ""))) {
            let known = path.contains(secret);
            assert!(known || !answer.body.contains(secret), "{is:?} reads `{secret}`: {path} {answer:?}");
        }
    }
    let said: String = format!("{answer:?}").chars().take(600).collect();
    (letter, format!("{} {path} {asked} as {is:?}: {said}", operation.method))
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
    let mut house = House::new().await;
    for operation in &operations {
        let (nobody, said) = letter(&house, operation, Is::Nobody).await;
        let expected = if operation.public { '2' } else { '1' };
        if nobody != expected {
            wrong.push(said);
        }
        let mut row = String::new();
        for is in ASKING {
            let (letter, said) = letter(&house, operation, is).await;
            let expected = table.get(operation.id.as_str()).and_then(|known| known.chars().nth(row.len()));
            row.push(letter);
            if expected != Some(letter) {
                wrong.push(format!("expected {expected:?}: {said}"));
            }
            if letter == '2' && operation.method != "get" {
                house = House::new().await;
            }
        }
        found.push_str(&format!("{} {row}\n", operation.id));
    }
    assert!(wrong.is_empty(), "{}\n\n{found}", wrong.join("\n"));
    let routes: BTreeSet<&str> = operations.iter().map(|operation| operation.id.as_str()).collect();
    assert_eq!(routes, table.keys().copied().collect(), "a row of the table without a route");
}

#[tokio::test]
async fn a_filter_shows_nobody_what_they_do_not_see() {
    let house = House::new().await;
    let (emma, aster, key) = (house.users[&Is::EndUser], house.tenants[1], house.key);
    for is in [Is::OtherReseller, Is::OtherUser] {
        for path in [
            format!("/api/keys?user={emma}"),
            format!("/api/keys?tenant={aster}"),
            format!("/api/users?tenant={aster}"),
            format!("/api/audit?user={emma}"),
            format!("/api/audit?tenant={aster}"),
            format!("/api/audit?subject=key:{key}"),
            format!("/api/logs?key={key}"),
            format!("/api/logs?user={emma}"),
            format!("/api/logs?tenant={aster}"),
            format!("/api/logs?text={}", house.receipt),
            format!("/api/logs/export?format=ndjson&since=0&until=4102444800000000&key={key}"),
            format!("/api/prices/quote?model=gpt-4o-mini&key={key}"),
            format!("/api/prices/quote?model=gpt-4o-mini&user={emma}"),
        ] {
            let answer = house.get(is, &path).await;
            let nothing = match answer.status.as_u16() {
                403 | 404 => true,
                200 => answer.body.is_empty() || answer.json()["items"].as_array().is_some_and(Vec::is_empty),
                _ => false,
            };
            assert!(nothing, "{is:?} {path}: {answer:?}");
        }
    }
    let own = house.get(Is::EndUser, &format!("/api/logs?key={key}")).await.json();
    assert_eq!(own["items"][0]["id"], house.receipt.to_string(), "there is something to be found");
}
