//! What holds for every route: problems, pages, entity tags, idempotency, and the document.

use super::support::{House, Is};
use axum::body::Body;
use burncloud_core::UnixMicros;
use futures_util::stream;
use http::header;
use serde_json::{Value, json};
use std::io;
use std::sync::Arc;
use std::time::Duration;

#[tokio::test]
async fn a_problem_names_the_field_and_the_request() {
    let house = House::new().await;
    let new = json!({ "name": " ", "provider": "openai" });
    for (method, path, body, status, field) in [
        ("POST", "/api/channels", Some(new), 422, "name"),
        ("POST", "/api/channels", Some(json!({ "name": "x" })), 422, "provider"),
        (
            "POST",
            "/api/keys",
            Some(json!({ "name": "x", "limits": { "concurrency": "y" } })),
            422,
            "limits.concurrency",
        ),
        ("POST", "/api/keys", Some(json!({ "name": "x", "colour": 1 })), 422, "colour"),
        ("PATCH", "/api/settings", Some(json!({ "house.colour": 1 })), 422, "house.colour"),
        ("PATCH", "/api/settings", Some(json!({ "routing.max_attempts": 0 })), 422, "routing.max_attempts"),
        ("GET", "/api/users?limit=201", None, 400, "limit"),
        ("GET", "/api/users?limit=x", None, 400, "limit"),
        ("GET", "/api/users?after=x", None, 400, "after"),
        ("GET", "/api/logs?after=12", None, 400, "after"),
        ("GET", "/api/users?colour=1", None, 400, "colour"),
        ("GET", "/api/usage?month=now", None, 400, "month"),
    ] {
        let answer = house.ask(Is::Owner, method, path, body.as_ref()).await;
        assert_eq!(
            (answer.status.as_u16(), answer.fields()),
            (status, vec![field.to_owned()]),
            "{path} {answer:?}"
        );
        let problem = answer.json();
        assert_eq!(problem["status"], status);
        assert_eq!(problem["request_id"], answer.header("x-request-id"));
        assert_eq!(answer.header("cache-control"), "no-store");
    }
}

#[tokio::test]
async fn what_is_not_there_or_cannot_be_read_is_a_problem_too() {
    let house = House::new().await;
    for (method, path, status) in [
        ("GET", "/api/nothing", 404),
        ("POST", "/api/nothing", 404),
        ("GET", "/api", 404),
        ("GET", "/api/users/x", 404),
        ("PUT", "/api/users", 405),
        ("GET", "/api/channels/import", 405),
        ("POST", "/api/users", 415),
    ] {
        let answer = house.ask(Is::Owner, method, path, None).await;
        assert_eq!(answer.status.as_u16(), status, "{method} {path} {answer:?}");
        assert_eq!(answer.json()["status"], status);
    }
    let wrong = house.ask(Is::Owner, "PUT", "/api/users", None).await;
    assert!(wrong.header("allow").contains("GET") && wrong.header("allow").contains("POST"), "{wrong:?}");
    let mut request = house.request(Is::Owner, "POST", "/api/users", Some(&json!({})));
    *request.body_mut() = Body::from("{\"name\":");
    assert_eq!(house.send(request).await.status, 400);
    let mut request = house.request(Is::Owner, "POST", "/api/users", Some(&json!({})));
    *request.body_mut() = Body::from(vec![b' '; (4 << 20) + 1]);
    assert_eq!(house.send(request).await.status, 413);
}

#[tokio::test]
async fn one_caller_has_so_many_large_bodies_read_at_a_time() {
    let house = Arc::new(House::new().await);
    let request = |is, body: Body| {
        let mut request = house.request(is, "POST", "/api/keys", Some(&json!({})));
        *request.body_mut() = body;
        request
    };
    let large = || Body::from(vec![b' '; 100 << 10]);
    tokio::time::pause();
    let slow = || {
        let trickle = stream::unfold((), |()| async {
            tokio::time::sleep(Duration::from_secs(5)).await;
            Some((Ok::<_, io::Error>(" "), ()))
        });
        let (house, request) = (house.clone(), request(Is::Owner, Body::from_stream(trickle)));
        tokio::spawn(async move { house.send(request).await.status })
    };
    let under_way = [slow(), slow()];
    tokio::time::sleep(Duration::from_secs(1)).await;
    let answer = house.send(request(Is::Owner, large())).await;
    assert_eq!((answer.status.as_u16(), answer.header("retry-after")), (503, "10"), "{answer:?}");
    assert_eq!(house.send(request(Is::Owner, Body::from("{"))).await.status, 400, "a small one");
    assert_eq!(house.send(request(Is::EndUser, large())).await.status, 400, "another's");
    for one in under_way {
        assert_eq!(one.await.unwrap(), 400, "it did not come in time");
    }
    assert_eq!(house.send(request(Is::Owner, large())).await.status, 400, "it is no JSON");
}

#[tokio::test]
async fn a_token_that_is_none_is_nobody_and_a_cookie_alone_writes_nothing() {
    let house = House::new().await;
    for token in ["Bearer bct_wrong", "Basic x", "Bearer", ""] {
        let mut request = house.request(Is::Nobody, "GET", "/api/me", None);
        request.headers_mut().insert(header::AUTHORIZATION, token.parse().unwrap());
        let answer = house.send(request).await;
        assert_eq!(answer.status, 401, "{token}");
        assert!(answer.header("www-authenticate").starts_with("Bearer"));
    }
    let mut request =
        house.request(Is::Nobody, "POST", "/api/me/tokens", Some(&json!({ "name": "x", "days": 1 })));
    let token = house.tokens[&Is::Owner].clone();
    request.headers_mut().insert(header::COOKIE, format!("bc-session={token}").parse().unwrap());
    assert_eq!(house.send(request).await.status, 401, "a token is no cookie");
}

#[tokio::test]
async fn of_two_who_change_the_same_the_second_is_told() {
    let house = House::new().await;
    let path = format!("/api/channels/{}", house.channel);
    let seen = house.get(Is::Owner, &path).await;
    let tag = seen.header("etag").to_owned();
    assert_eq!(tag, format!("\"{}\"", seen.json()["version"].as_str().unwrap()));
    let change = |weight: u32| {
        let mut request = house.request(Is::Owner, "PATCH", &path, Some(&json!({ "weight": weight })));
        request.headers_mut().insert(header::IF_MATCH, tag.parse().unwrap());
        request
    };
    let first = house.send(change(7)).await;
    assert_eq!((first.status.as_u16(), first.json()["weight"].clone()), (200, json!(7)));
    assert_ne!(first.header("etag"), tag);
    let second = house.send(change(9)).await;
    assert_eq!((second.status.as_u16(), second.fields()), (412, vec!["If-Match".to_owned()]));
    assert_eq!(house.get(Is::Owner, &path).await.json()["weight"], 7);
    let mut request = house.request(Is::Owner, "GET", &path, None);
    request.headers_mut().insert(header::IF_NONE_MATCH, first.headers[header::ETAG].clone());
    let known = house.send(request).await;
    assert_eq!((known.status.as_u16(), known.body.as_str()), (304, ""));
    let mut request = house.request(Is::Owner, "PATCH", &path, Some(&json!({ "weight": 1 })));
    request.headers_mut().insert(header::IF_MATCH, "a, b".parse().unwrap());
    assert_eq!(house.send(request).await.status, 400);
}

fn once(house: &House, is: Is, key: &str, body: &Value) -> http::Request<Body> {
    let mut request = house.request(is, "POST", "/api/keys", Some(body));
    request.headers_mut().insert("idempotency-key", key.parse().unwrap());
    request
}

#[tokio::test]
async fn what_is_sent_twice_is_done_once_and_its_secret_is_not_said_again() {
    let house = House::new().await;
    let body = json!({ "name": "twice" });
    let first = house.send(once(&house, Is::Owner, "k1", &body)).await;
    let again = house.send(once(&house, Is::Owner, "k1", &body)).await;
    assert_eq!((first.status.as_u16(), again.status.as_u16()), (201, 201), "{again:?}");
    assert_eq!((first.header("idempotent-replay"), again.header("idempotent-replay")), ("", "true"));
    let mut without = first.json();
    assert!(without["secret"].as_str().unwrap().starts_with("sk-burn-"));
    without.as_object_mut().unwrap().remove("secret");
    assert_eq!(again.json(), without);
    let other = house.send(once(&house, Is::Owner, "k1", &json!({ "name": "other" }))).await;
    assert_eq!((other.status.as_u16(), other.fields()), (422, vec!["Idempotency-Key".to_owned()]));
    let theirs = house.send(once(&house, Is::Administrator, "k1", &json!({ "name": "theirs" }))).await;
    assert_eq!(theirs.status, 201, "a key is of whoever sent it");
    // What was refused did nothing, and may be sent again.
    let bad = house.send(once(&house, Is::Owner, "k2", &json!({ "name": "" }))).await;
    let good = house.send(once(&house, Is::Owner, "k2", &json!({ "name": "good" }))).await;
    assert_eq!((bad.status.as_u16(), good.status.as_u16()), (422, 201));
    let keys = house.get(Is::Owner, "/api/keys?text=twice").await.json();
    assert_eq!(keys["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn money_that_moved_before_the_answer_was_kept_does_not_move_again() {
    let house = House::new().await;
    let path = format!("/api/users/{}/wallet/entries", house.users[&Is::OtherUser]);
    let order = |kind: &str, amount: i64, key: &str| {
        let body = json!({ "kind": kind, "amount": amount, "reason": "so" });
        let mut request = house.request(Is::Owner, "POST", &path, Some(&body));
        request.headers_mut().insert("idempotency-key", key.parse().unwrap());
        request
    };
    for (kind, amount) in [("top_up", 700), ("top_up", -700), ("credit_line", 5)] {
        let key = format!("{kind}{amount}");
        let first = house.send(order(kind, amount, &key)).await;
        assert_eq!((first.status.as_u16(), &first.json()["new"]), (201, &json!(true)), "{first:?}");
        // As after a crash: what moved is in the ledger, and nothing tells that this very request did it.
        let later = UnixMicros(UnixMicros::now().0 + 2 * 86_400_000_000);
        house.desk.store().begin_once("nobody", "nothing", &[0; 32], later).await.unwrap();
        let again = house.send(order(kind, amount, &key)).await;
        assert_eq!((again.status.as_u16(), again.header("idempotent-replay")), (201, ""), "{again:?}");
        let (was, is) = (first.json(), again.json());
        assert_eq!((&is["new"], &is["entry"]), (&json!(false), &was["entry"]));
        assert_eq!(is["wallet"], was["wallet"]);
    }
    let other = house.send(order("top_up", 700, "another")).await;
    assert_eq!(other.json()["new"], json!(true), "another key is another order");
}

#[tokio::test]
async fn of_many_at_once_one_is_done() {
    let house = House::new().await;
    let body = json!({ "name": "race" });
    let all: Vec<_> = (0..8).map(|_| house.send(once(&house, Is::Owner, "race", &body))).collect();
    let all = futures_util::future::join_all(all).await;
    let fresh = all.iter().filter(|a| a.status == 201 && a.header("idempotent-replay").is_empty()).count();
    assert_eq!(fresh, 1);
    assert!(all.iter().all(|a| [201, 409].contains(&a.status.as_u16())), "{all:?}");
}

#[tokio::test]
async fn an_import_is_all_or_nothing_and_an_export_holds_no_credential() {
    let house = House::new().await;
    let row =
        |name: &str| json!({ "name": name, "provider": "openai", "credential": "sk-x", "models": ["m"] });
    let wrong =
        json!({ "channels": [row("one"), row("main"), { "name": "three", "provider": "?", "models": [] }] });
    let answer = house.ask(Is::Owner, "POST", "/api/channels/import", Some(&wrong)).await;
    assert_eq!(answer.status, 422);
    assert_eq!(answer.fields(), ["rows[2].name", "rows[3].models"]);
    let right = json!({ "channels": [row("one"), row("two")] });
    let tried = house.ask(Is::Owner, "POST", "/api/channels/import?dry_run=true", Some(&right)).await.json();
    assert_eq!((tried["count"].clone(), tried["created"].clone()), (json!(2), json!([])));
    assert_eq!(house.get(Is::Owner, "/api/channels").await.json()["items"].as_array().unwrap().len(), 1);
    house.must(Is::Owner, "POST", "/api/channels/import", &right).await;
    for format in ["json", "csv"] {
        let export = house.get(Is::Owner, &format!("/api/channels/export?format={format}")).await;
        assert!(export.body.contains("two") && !export.body.contains("sk-"), "{export:?}");
    }
    let exported = house.get(Is::Owner, "/api/channels/export").await.json();
    for mut channel in exported["channels"].as_array().unwrap().clone() {
        channel["name"] = json!(format!("{} again", channel["name"].as_str().unwrap()));
        channel["credential"] = json!("sk-y");
        house.must(Is::Owner, "POST", "/api/channels", &channel).await;
    }
    let mut request = house.request(Is::Owner, "POST", "/api/channels/import", Some(&json!({})));
    request.headers_mut().insert(header::CONTENT_TYPE, "text/csv".parse().unwrap());
    *request.body_mut() = Body::from("name,provider,credential,models\nfrom-csv,openai,sk-z,a;b\n");
    let answer = house.send(request).await;
    assert_eq!(answer.json()["created"][0]["models"], json!(["a", "b"]), "{answer:?}");
    let audit = house.get(Is::Owner, "/api/audit").await;
    assert!(audit.body.contains("channel.import") && !audit.body.contains("sk-z"), "{audit:?}");
}

#[tokio::test]
async fn a_credential_does_not_follow_a_channel_elsewhere() {
    let house = House::new().await;
    let path = format!("/api/channels/{}", house.channel);
    let away = json!({ "base_url": "https://collector.example" });
    let answer = house.ask(Is::Owner, "PATCH", &path, Some(&away)).await;
    assert_eq!((answer.status.as_u16(), answer.fields()), (422, vec!["credential".to_owned()]));
    // It follows to whoever issues tokens and through a proxy too.
    let issuer = json!({ "settings": { "options": { "token_url": "https://collector.example/token" } } });
    let proxy = json!({ "settings": { "proxy": "http://collector.example:3128" } });
    for away in [issuer, proxy] {
        let answer = house.ask(Is::Owner, "PATCH", &path, Some(&away)).await;
        assert_eq!((answer.status.as_u16(), answer.fields()), (422, vec!["credential".to_owned()]), "{away}");
    }
    let with = json!({ "base_url": "https://collector.example", "credential": "sk-of-there" });
    assert_eq!(house.ask(Is::Owner, "PATCH", &path, Some(&with)).await.status, 200);
}

/// The paths that axum knows, as its own description names them.
fn registered(router: &axum::Router) -> Vec<String> {
    let text = format!("{router:?}");
    let mut all: Vec<String> =
        text.split('"').filter(|part| part.starts_with("/console/")).map(str::to_owned).collect();
    all.sort();
    all.dedup();
    all
}

#[tokio::test]
async fn every_route_is_in_the_document_and_nothing_else() {
    let house = House::new().await;
    let document = house.get(Is::Nobody, "/api/openapi.json").await.json();
    assert_eq!((&document["openapi"], &document["servers"][0]["url"]), (&json!("3.1.0"), &json!("/console")));
    let described = document["paths"].as_object().unwrap();
    let registered = registered(&house.app);
    assert!(registered.len() >= described.len(), "{registered:?}");
    for path in registered.iter().map(|path| path.strip_prefix("/console").unwrap()) {
        // What answers that there is nothing.
        let nothing = path.contains("{*rest}") || path.trim_end_matches('/') == "/api";
        assert!(nothing || described.contains_key(path), "{path} is not in the document");
    }
    for (path, item) in described {
        assert!(registered.contains(&format!("/console{path}")), "{path} is no route");
        let address = path.replace("{id}", "1").replace("{name}", "x");
        let refused = house.ask(Is::Owner, "TRACE", &address, None).await;
        let mut allowed: Vec<String> = refused.header("allow").split(',').map(str::to_lowercase).collect();
        allowed.retain(|method| method != "head");
        allowed.sort();
        let mut known: Vec<String> = item.as_object().unwrap().keys().cloned().collect();
        known.sort();
        assert_eq!(allowed, known, "{path} {refused:?}");
    }
    let mut ids: Vec<&str> = described
        .values()
        .flat_map(|item| item.as_object().unwrap().values())
        .map(|operation| operation["operationId"].as_str().unwrap())
        .collect();
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count, "two operations have one name");
}

#[tokio::test]
async fn the_document_holds_together_and_is_shown_as_a_page() {
    let house = House::new().await;
    let document = house.get(Is::Nobody, "/api/openapi.json").await;
    let text = document.body.clone();
    let document = document.json();
    for part in text.split("\"$ref\":\"#").skip(1) {
        let pointer = part.split('"').next().unwrap();
        assert!(document.pointer(pointer).is_some(), "{pointer} leads nowhere");
    }
    for operation in
        document["paths"].as_object().unwrap().values().flat_map(|i| i.as_object().unwrap().values())
    {
        let tag = &operation["tags"][0];
        assert!(document["tags"].as_array().unwrap().iter().any(|known| known["name"] == *tag), "{tag}");
        assert!(operation["summary"].is_string(), "{operation}");
    }
    let page = house.get(Is::Nobody, "/api/docs").await;
    assert!(page.header("content-security-policy").starts_with("default-src 'none'"));
    for id in ["create_key", "list_channels", "shape-Problem"] {
        assert!(page.body.contains(&format!("id=\"{id}\"")), "{id}");
    }
    assert!(
        !page.body.contains("<script") && !page.body.contains("src=") && !page.body.contains("href=\"http")
    );
}

#[tokio::test]
async fn it_stands_beside_the_pages() {
    let house = House::new().await;
    let console = crate::Console::builder(house.desk.clone()).build(tokio::runtime::Handle::current());
    let app = crate::console(console);
    let house = House { app, ..house };
    assert_eq!(house.get(Is::Owner, "/api/me").await.status, 200);
    assert_eq!(house.get(Is::Nobody, "/internal/health").await.json()["status"], "ok");
    let nothing = house.get(Is::Owner, "/api/nothing").await;
    assert_eq!((nothing.status.as_u16(), nothing.json()["status"].clone()), (404, json!(404)));
}
