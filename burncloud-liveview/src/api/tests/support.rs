//! A small house with everything in it, and somebody of every role.

use crate::Console;
use axum::Router;
use axum::body::Body;
use burncloud_billing::Desk;
use burncloud_billing::desk::{KeyDraft, MoneyMove, TenantDraft, UserDraft, WalletId};
use burncloud_billing::people::Actor;
use burncloud_core::store::{Login, LoginStore, MemoryStore, UserStore};
use burncloud_core::{KeyId, Receipt, ReceiptId, Role, TenantId, UnixMicros, UserId};
use http::{Method, Request, StatusCode, header};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use tower::ServiceExt;

/// One of whom tests ask things.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Is {
    Nobody,
    Owner,
    Administrator,
    /// Of the tenant `a`, as the two that follow.
    Reseller,
    EndUser,
    Accountant,
    /// Of the tenant `b`, as the next one.
    OtherReseller,
    OtherUser,
}

pub(super) const PEOPLE: [(Is, &str, Role, usize); 7] = [
    (Is::Owner, "olga", Role::Owner, 0),
    (Is::Administrator, "adam", Role::Administrator, 0),
    (Is::Reseller, "rita", Role::Reseller, 1),
    (Is::EndUser, "emma", Role::EndUser, 1),
    (Is::Accountant, "anna", Role::Accountant, 1),
    (Is::OtherReseller, "rolf", Role::Reseller, 2),
    (Is::OtherUser, "erik", Role::EndUser, 2),
];

/// What is there, by the names of parameters and of things.
pub(super) struct House {
    pub(super) desk: Desk,
    pub(super) app: Router,
    pub(super) tokens: BTreeMap<Is, String>,
    pub(super) users: BTreeMap<Is, UserId>,
    pub(super) tenants: [TenantId; 3],
    pub(super) key: KeyId,
    pub(super) channel: i64,
    pub(super) entry: i64,
    pub(super) receipt: ReceiptId,
    pub(super) invitation: String,
    pub(super) session: String,
}

pub(super) fn actor(name: &str) -> Actor {
    Actor::operator(name)
}

impl House {
    pub(super) async fn new() -> House {
        let store = Arc::new(MemoryStore::default());
        let desk = Desk::new(store.clone(), burncloud_adapters::registry());
        let boss = actor("boss");
        let mut tenants = [TenantId::default(); 3];
        for (place, name) in ["house", "aster", "birch"].into_iter().enumerate() {
            let parent = (place > 0).then_some(tenants[0]);
            let draft =
                TenantDraft { name: name.into(), parent, unlimited: place > 0, ..TenantDraft::default() };
            tenants[place] = desk.create_tenant(&boss, draft).await.unwrap().tenant.id;
        }
        let (mut users, mut tokens) = (BTreeMap::new(), BTreeMap::new());
        let mut session = String::new();
        for (is, name, role, place) in PEOPLE {
            let draft =
                UserDraft { name: name.into(), tenant: Some(tenants[place]), role, ..UserDraft::default() };
            let user = desk.create_user(&boss, draft).await.unwrap().user;
            let login = Login { user: user.id, name: format!("{name}@example"), ..Login::default() };
            store.set_login(&login).await.unwrap();
            let actor = Actor::of(&user);
            let opened = desk.create_token(&actor, "test", 1).await.unwrap();
            tokens.insert(is, opened.secret.expose_secret().to_owned());
            users.insert(is, user.id);
            if is == Is::EndUser {
                session = desk.own_sessions(&actor).await.unwrap()[0].id.clone();
            }
        }
        let emma = users[&Is::EndUser];
        let draft = KeyDraft { name: "emmas".into(), user: Some(emma), ..KeyDraft::default() };
        let key = desk.create_key(&boss, draft).await.unwrap().key.key.id;
        let top_up: MoneyMove =
            serde_json::from_value(json!({ "kind": "top_up", "amount": 5_000_000_000_i64 })).unwrap();
        let entry = desk.move_money(&boss, WalletId::User(emma), top_up).await.unwrap().entry;
        let receipt = receipt(&store, emma, tenants[1], key).await;
        let console = Console::builder(desk.clone()).build(tokio::runtime::Handle::current());
        let app = crate::api::router(&console);
        let mut house = House {
            desk,
            app,
            tokens,
            users,
            tenants,
            key,
            channel: 0,
            entry,
            receipt,
            invitation: String::new(),
            session,
        };
        house.fill().await;
        house
    }

    /// What is made through the API itself.
    async fn fill(&mut self) {
        let channel = json!({
            "name": "main", "provider": "openai", "base_url": "http://127.0.0.1:9",
            "credential": "sk-live-0123456789abcdefghijklmnop", "models": ["gpt-4o-mini"],
        });
        let made = self.must(Is::Owner, "POST", "/api/channels", &channel).await;
        self.channel = made["id"].as_i64().unwrap();
        let invitation = json!({ "tenant": self.tenants[1], "note": "for a friend of astrid" });
        let made = self.must(Is::Owner, "POST", "/api/invitations", &invitation).await;
        self.invitation = made["id"].as_str().unwrap().to_owned();
        let codes =
            json!({ "name": "autumn", "count": 2, "amount": 1_000_000_000, "tenant": self.tenants[1] });
        self.must(Is::Owner, "POST", "/api/codes", &codes).await;
        let scope =
            json!({ "scope": { "key": self.key }, "period": "day", "allowance": { "tokens": 1_000 } });
        self.must(Is::Owner, "PUT", "/api/budgets/emmas", &scope).await;
        let plan = json!({ "abort": { "charge": "nothing" } });
        self.must(Is::Owner, "PUT", "/api/plans/gentle", &plan).await;
    }

    pub(super) async fn must(&self, is: Is, method: &str, path: &str, body: &Value) -> Value {
        let answer = self.ask(is, method, path, Some(body)).await;
        assert!(answer.status.is_success(), "{method} {path}: {answer:?}");
        answer.json()
    }

    pub(super) async fn get(&self, is: Is, path: &str) -> Answered {
        self.ask(is, "GET", path, None).await
    }

    pub(super) fn request(&self, is: Is, method: &str, path: &str, body: Option<&Value>) -> Request<Body> {
        let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
        let mut request = Request::builder().method(method).uri(format!("/console{path}"));
        if let Some(token) = self.tokens.get(&is) {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        match body {
            Some(body) => request
                .header(header::CONTENT_TYPE, "application/json")
                .body(Body::from(body.to_string()))
                .unwrap(),
            None => request.body(Body::empty()).unwrap(),
        }
    }

    pub(super) async fn ask(&self, is: Is, method: &str, path: &str, body: Option<&Value>) -> Answered {
        self.send(self.request(is, method, path, body)).await
    }

    pub(super) async fn send(&self, request: Request<Body>) -> Answered {
        let response = self.app.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, 32 << 20).await.unwrap();
        Answered {
            status: parts.status,
            headers: parts.headers,
            body: String::from_utf8(body.to_vec()).unwrap(),
        }
    }
}

#[derive(Debug)]
pub(super) struct Answered {
    pub(super) status: StatusCode,
    pub(super) headers: http::HeaderMap,
    pub(super) body: String,
}

impl Answered {
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The fields that a problem names.
    pub(super) fn fields(&self) -> Vec<String> {
        assert_eq!(self.header("content-type"), "application/problem+json", "{self:?}");
        let errors = self.json()["errors"].as_array().unwrap().clone();
        errors.iter().map(|error| error["field"].as_str().unwrap().to_owned()).collect()
    }
}

async fn receipt(store: &Arc<MemoryStore>, user: UserId, tenant: TenantId, key: KeyId) -> ReceiptId {
    use burncloud_core::store::ReceiptStore;
    let at = UnixMicros::now();
    let id = ReceiptId::new(at);
    let receipt = Receipt { id, at, user, tenant, key, ..burncloud_core::testing::receipt(1) };
    assert_eq!(store.record(&[Arc::new(receipt)]).await.unwrap(), 1);
    assert!(store.user(user).await.unwrap().is_some());
    id
}
