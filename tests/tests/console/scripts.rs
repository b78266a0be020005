//! Whatever somebody calls a thing, it is shown as text: no page runs it, and none builds an element of it.

use crate::browser::Browser;
use crate::client::Client;
use crate::house::{House, MODEL, PASSWORD};
use crate::walk::PAGES;
use burncloud_tests::raw::Request;
use burncloud_tests::upstream::{Behaviour, Canned};
use serde_json::{Value, json};

/// Texts that would run where they are not taken as text.
const EVIL: [&str; 3] = [
    "<img src=x onerror=\"window.__hacked=1\">",
    "\"><script>window.__hacked=1</script>",
    "'-window.__hacked=1-'{{7*7}}<svg/onload=window.__hacked=1>",
];

/// Stores a name; what the console refuses as a name cannot be shown. Returns whether it took it.
async fn store(house: &mut House, method: &str, path: &str, body: Value) -> bool {
    let answer = house.owner.api(method, path, &body).await;
    assert!(matches!(answer.status, 200 | 201 | 422), "{method} {path}: {} {}", answer.status, answer.text());
    answer.status != 422
}

/// Puts the texts wherever somebody can leave one.
async fn poison(house: &mut House) -> Vec<&'static str> {
    let url = house.upstream.url();
    let mut taken = Vec::new();
    let mut note = |what, took: bool| {
        if took && !taken.contains(&what) {
            taken.push(what);
        }
    };
    for (index, evil) in EVIL.iter().enumerate() {
        let tenant = json!({"name": evil});
        note("tenant", store(house, "POST", "/tenants", tenant).await);
        note("user", store(house, "POST", "/users", json!({"name": format!("{evil}u")})).await);
        note("key", store(house, "POST", "/keys", json!({"name": evil})).await);
        let channel = json!({"name": evil, "provider": "openai", "base_url": url, "priority": -1,
            "credential": "sk-upstream-credential-0123456789", "models": [format!("{evil}m"), "gpt-4o"]});
        note("channel", store(house, "POST", "/channels", channel).await);
        let codes = json!({"name": evil, "count": 1, "amount": 1_000_000, "sold": false});
        note("batch", store(house, "POST", "/codes", codes).await);
        note("invitation", store(house, "POST", "/invitations", json!({"note": evil})).await);
        note("token", store(house, "POST", "/me/tokens", json!({"name": evil, "days": 1})).await);
        let money = json!({"kind": "top_up", "amount": 1_000_000, "reason": evil, "reference": format!("{evil}{index}")});
        let me = house.owner.read("/me").await["user"].clone();
        note("reason", store(house, "POST", &format!("/users/{me}/wallet/entries"), money).await);
        note("display", store(house, "PATCH", "/me", json!({"display": evil})).await);
    }
    taken
}

/// A provider's error text, and what a caller says of itself, end in receipts and sessions.
async fn speak_evil(house: &mut House) {
    house.add_channel("harbour-openai", &[MODEL]).await;
    house.unbind_owner().await;
    let key = house.owner.write("POST", "/keys", json!({"name": "caller"})).await;
    let secret = key["secret"].as_str().unwrap().to_owned();
    house.serves(&secret).await;
    let text = json!({"error": {"message": EVIL[0], "type": EVIL[1], "code": EVIL[2]}}).to_string();
    let canned = Canned {
        status: 400,
        headers: vec![("content-type".into(), "application/json".into())],
        frames: vec![text.into_bytes()],
        chunked: false,
    };
    house.upstream.always(Behaviour::Canned(Box::new(canned)));
    for evil in EVIL {
        let body = json!({"model": MODEL, "user": evil, "messages": [{"role": "user", "content": evil}]});
        let request = Request::json("/v1/chat/completions", &body).bearer(&secret).header("user-agent", evil);
        let asked = request.clone().header("x-title", evil).header("http-referer", "https://a.example/");
        assert_eq!(asked.send(house.gateway.addr()).await.status, 400);
        let unknown = json!({"model": evil, "messages": [{"role": "user", "content": "hi"}]});
        Request::json("/v1/chat/completions", &unknown).bearer(&secret).send(house.gateway.addr()).await;
    }
    house.gateway.receipts_when(2 * EVIL.len()).await;
    // A session whose browser calls itself so.
    let mut other = Client::new(house.gateway.addr());
    let page = other.page("/signin").await;
    let csrf = crate::client::hidden(&page.text(), "csrf");
    let fields = [("csrf", csrf.as_str()), ("name", crate::house::OWNER), ("password", PASSWORD)];
    let form = crate::client::form_of("/signin", &fields);
    let form = form.header("origin", crate::client::ORIGIN).header("user-agent", EVIL[0]);
    assert_eq!(other.send(form).await.status, 303);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_stored_text_runs_on_any_page() {
    let mut house = House::start().await;
    let taken = poison(&mut house).await;
    for what in ["key", "channel", "invitation", "token", "display"] {
        assert!(taken.contains(&what), "{what} takes no such name: test another way in; {taken:?}");
    }
    speak_evil(&mut house).await;
    let Some(browser) = Browser::open(&house.gateway.url()).await else { return };
    browser.become_(&house.owner).await;
    let receipts = house.owner.read("/logs").await;
    let first = receipts["items"][0]["id"].as_str().unwrap().to_owned();
    let mut paths: Vec<String> = PAGES.iter().map(|(_, path, _)| (*path).to_owned()).collect();
    paths.push(format!("/logs?open={first}"));
    paths.push("/account?q=%22%3E%3Cscript%3Ewindow.__hacked%3D1%3C%2Fscript%3E".into());
    paths.push("/logs?q=%3Cimg+src%3Dx+onerror%3Dwindow.__hacked%3D1%3E".into());
    for path in &paths {
        browser.visit(path).await;
        let hit = "[typeof window.__hacked, document.querySelectorAll('img[src=x], svg[onload], [onerror], [onload]').length, \
            [...document.scripts].filter((s) => !s.src).length]";
        assert_eq!(browser.js(hit).await, json!(["undefined", 0, 0]), "{path}");
        // A handler that the policy refused would be named here.
        browser.calm(path).await;
    }
    browser.visit("/account").await;
    let text = browser.js("document.body.innerText").await;
    let text = text.as_str().unwrap();
    assert!(text.contains(EVIL[0]) && text.contains(EVIL[2]), "shown as it was written: {text}");
}
