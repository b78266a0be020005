//! What applying a file does, once and again.

use super::*;
use crate::config::Config;
use burncloud_billing::people::{Wallet, adjust};
use burncloud_core::User;
use burncloud_core::store::{ChannelStore, KeyStore, MemoryStore, PriceStore};
use burncloud_core::{Caller, Limits, Nano};
use std::sync::Arc;

const FILE: &str = r#"
allow_inline_secrets = true
[[tenants]]
name = "acme"
[[users]]
name = "ada"
tenant = "acme"
balance_usd = "5.00"
[[channels]]
name = "c"
provider = "openai"
credential = "upstream-1"
models = ["m"]
[[keys]]
name = "k"
user = "ada"
secret = "secret-one"
[[keys]]
name = "l"
secret = "secret-two"
[[prices]]
model = "m"
input = "1"
"#;

#[derive(Default)]
struct Bench {
    store: MemoryStore,
    managed: Managed,
}

impl Bench {
    async fn applied() -> Bench {
        let mut bench = Bench::default();
        bench.apply(FILE).await;
        bench
    }

    async fn apply(&mut self, text: &str) -> Changes {
        let registry = crate::providers();
        let config = Config::parse(Path::new("t.toml"), text, &registry).unwrap();
        apply(&self.store, &registry, &config.declared, &mut self.managed).await.unwrap()
    }

    async fn key(&self, name: &str) -> ApiKey {
        self.store.key_by_name(name).await.unwrap().unwrap()
    }

    async fn ada(&self) -> User {
        self.store.user_by_name("ada").await.unwrap().unwrap()
    }

    async fn caller(&self, secret: &str) -> Option<Arc<Caller>> {
        self.store.caller(&KeyHash::of(secret.as_bytes())).await.unwrap()
    }
}

#[tokio::test]
async fn applying_twice_changes_nothing() {
    let mut bench = Bench::default();
    let first = bench.apply(FILE).await;
    assert_eq!(first.made.len(), 6, "{first:?}");
    assert_eq!(bench.apply(FILE).await, Changes::default());
    assert_eq!(bench.store.prices().await.unwrap().len(), 1);
    let ada = bench.ada().await;
    assert_eq!((bench.key("k").await.user, ada.balance), (ada.id, Nano(5_000_000_000)));
    let default = bench.store.user_by_name("default").await.unwrap().unwrap();
    assert_eq!(bench.key("l").await.user, default.id);
}

#[tokio::test]
async fn what_the_file_declares_wins_and_balances_stay() {
    let mut bench = Bench::applied().await;
    let wallet = Wallet::User(bench.ada().await);
    let actor = Actor::operator("t");
    adjust(&bench.store, &actor, &wallet, Nano(-1_000_000_000), None, "a test").await.unwrap();
    let key = bench.key("k").await;
    bench.store.update_key(&ApiKey { quota: Some(Nano(1)), ..key }, None).await.unwrap();
    let changes = bench.apply(&FILE.replace("upstream-1", "upstream-2")).await;
    assert_eq!(changes.changed, ["channel `c`", "key `k`"]);
    assert_eq!(bench.key("k").await.quota, None);
    let channel = bench.store.channel_by_name("c").await.unwrap().unwrap();
    assert_eq!(channel.credential.expose_secret(), "upstream-2");
    assert_eq!(bench.ada().await.balance, Nano(4_000_000_000));
}

#[tokio::test]
async fn a_new_secret_replaces_the_old_one() {
    let mut bench = Bench::applied().await;
    bench.apply(&FILE.replace("secret-one", "secret-new")).await;
    assert!(bench.caller("secret-one").await.is_none());
    assert_eq!(bench.caller("secret-new").await.unwrap().key.name, "k");
}

#[tokio::test]
async fn what_left_the_file_is_switched_off_and_comes_back() {
    let mut bench = Bench::applied().await;
    let user = bench.ada().await.id;
    let by_hand = keys::KeySpec {
        name: "by-hand".into(),
        user,
        quota: None,
        limits: Limits::default(),
        models: None,
        ips: None,
        expires_at: None,
    };
    keys::create_key(&bench.store, by_hand, None).await.unwrap();
    let without = FILE.replace("[[keys]]\nname = \"l\"\nsecret = \"secret-two\"\n", "");
    assert_eq!(bench.apply(&without).await.disabled, ["key `l`"]);
    assert_eq!(bench.key("l").await.status, Status::Disabled);
    assert_eq!(bench.key("by-hand").await.status, Status::Active);
    assert_eq!(bench.apply(&without).await, Changes::default());
    assert_eq!(bench.apply(FILE).await.changed, ["key `l`"]);
    assert_eq!(bench.key("l").await.status, Status::Active);
}

#[tokio::test]
async fn what_was_revoked_stays_revoked() {
    let mut bench = Bench::applied().await;
    keys::revoke_key(&bench.store, "k").await.unwrap();
    channels::revoke_channel(&bench.store, "c").await.unwrap();
    assert_eq!(bench.apply(FILE).await.revoked, ["channel `c`", "key `k`"]);
    assert_eq!(bench.key("k").await.status, Status::Revoked);
    assert!(channels::disable_channel(&bench.store, "c").await.unwrap().status == Status::Revoked);
}

#[test]
fn managed_names_are_remembered() {
    let dir = tempfile::tempdir().unwrap();
    let path = Managed::path(&dir.path().join("journal"));
    assert_eq!(Managed::load(&path).unwrap(), Managed::default());
    let managed = Managed {
        channels: ["c".to_owned()].into(),
        keys: ["k".to_owned()].into(),
        budgets: ["b".to_owned()].into(),
    };
    managed.save(&path).unwrap();
    assert_eq!(Managed::load(&path).unwrap(), managed);
}
