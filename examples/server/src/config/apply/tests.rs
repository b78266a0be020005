//! What applying a file does, once and again.

use super::*;
use crate::config::Config;
use burncloud_billing::people::{Wallet, adjust, set_balance};
use burncloud_core::store::{CallerStore, ChannelStore, KeyStore, MemoryStore, PriceStore};
use burncloud_core::store::{EntryFilter, LedgerStore, UserStore};
use burncloud_core::{Budget, User};
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
        group: None,
        apps: None,
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

/// House, reseller, sub-reseller, end user.
const RESALE: &str = r#"
allow_inline_secrets = true
[[plans]]
name = "gentle"
abort = "nothing"
[[tenants]]
name = "kiosk"
parent = "acme"
balance_usd = "20.00"
[[tenants]]
name = "acme"
parent = "default"
balance_usd = "100.00"
credit_usd = "50.00"
group = "partners"
plan = "gentle"
time_zone = "Europe/Berlin"
[[users]]
name = "ada"
tenant = "kiosk"
balance_usd = "5.00"
role = "end_user"
[[users]]
name = "rex"
tenant = "acme"
role = "reseller"
[[channels]]
name = "c"
provider = "openai"
credential = "upstream-1"
models = ["m"]
[[keys]]
name = "k"
user = "ada"
secret = "secret-one"
group = "batch"
[[budgets]]
name = "kiosk daily"
tenant = "kiosk"
per = "day"
usd = "10.00"
[[budgets]]
name = "acme tokens"
tenant = "acme"
per = "hour"
tokens = 1000000
soft = true
[[prices]]
model = "m"
channel = "c"
input = "1"
[[prices]]
model = "*"
markup = "1.5"
[[prices]]
model = "*"
tenant = "kiosk"
markup = "1.25"
[[price_groups]]
groups = { partners = "0.9" }
[[price_groups]]
tenant = "kiosk"
pairs = { vip = { batch = "0.5" } }
[[exchange_rates]]
rates = { CNY = "7.20" }
"#;

#[tokio::test]
async fn a_tree_of_three_levels_is_applied_once() {
    let mut bench = Bench::default();
    let first = bench.apply(RESALE).await;
    assert_eq!(first.made.len(), 14, "{first:?}");
    assert_eq!((first.changed.len(), first.disabled.len()), (0, 0));
    for _ in 0..2 {
        assert_eq!(bench.apply(RESALE).await, Changes::default());
    }
    let store = &bench.store;
    let (acme, kiosk) = (tenant(store, "acme").await, tenant(store, "kiosk").await);
    assert_eq!((acme.balance, acme.credit), (Nano(100_000_000_000), Nano(50_000_000_000)));
    assert_eq!((kiosk.parent, kiosk.balance), (Some(acme.id), Nano(20_000_000_000)));
    assert_eq!((acme.group.as_deref(), acme.plan.as_deref()), (Some("partners"), Some("gentle")));
    let ada = bench.ada().await;
    assert_eq!((ada.tenant, ada.balance, ada.unlimited), (kiosk.id, Nano(5_000_000_000), false));
    assert!(store.user_by_name("rex").await.unwrap().unwrap().unlimited, "no balance is named");
    let entries = store.entries(&EntryFilter::default()).await.unwrap();
    assert_eq!(entries.len(), 4, "three openings and a credit line");
    assert!(entries.iter().any(|e| e.reference.as_deref() == Some("opening:user:ada") && e.author == AUTHOR));
    let budgets = store.budgets().await.unwrap();
    assert_eq!((budgets[0].time_zone.as_str(), budgets[1].time_zone.as_str()), ("Europe/Berlin", "UTC"));
    assert_eq!(store.prices().await.unwrap().len(), 5, "groups and rates of one book are one row");
    assert_eq!(bench.caller("secret-one").await.unwrap().ancestors.len(), 2);
}

#[tokio::test]
async fn what_is_spent_is_not_paid_again_and_terms_stay_as_declared() {
    let mut bench = Bench::default();
    bench.apply(RESALE).await;
    let wallet = Wallet::User(bench.ada().await);
    set_balance(&bench.store, &Actor::operator("t"), &wallet, Nano(0), "spent").await.unwrap();
    let richer = RESALE.replace("balance_usd = \"5.00\"", "balance_usd = \"7.00\"");
    assert_eq!(bench.apply(&richer).await, Changes::default());
    assert_eq!(bench.ada().await.balance, Nano::ZERO);
    let changed = bench.apply(&RESALE.replace("\"50.00\"", "\"60.00\"")).await.changed;
    assert_eq!(
        (changed.as_slice(), tenant(&bench.store, "acme").await.credit),
        (&["tenant `acme`".to_owned()][..], Nano(60_000_000_000))
    );
    let registry = crate::providers();
    let moved = RESALE.replace("parent = \"acme\"", "parent = \"default\"");
    let config = Config::parse(Path::new("t.toml"), &moved, &registry).unwrap();
    let error = apply(&bench.store, &registry, &config.declared, &mut bench.managed).await.unwrap_err();
    assert!(error.to_string().starts_with("tenant `kiosk`: parent: "), "{error}");
}

#[tokio::test]
async fn budgets_go_with_the_file_and_others_stay() {
    let mut bench = Bench::default();
    bench.apply(RESALE).await;
    let other = Budget { name: "by hand".into(), ..bench.store.budgets().await.unwrap()[0].clone() };
    bench.store.set_budget(&other).await.unwrap();
    let at = RESALE.find("[[budgets]]\nname = \"acme tokens\"").unwrap();
    let end = RESALE.find("[[prices]]").unwrap();
    let without = format!("{}{}", &RESALE[..at], &RESALE[end..]);
    assert_eq!(bench.apply(&without).await.disabled, ["budget `acme tokens`"]);
    let names: Vec<_> = bench.store.budgets().await.unwrap().into_iter().map(|b| b.name).collect();
    assert_eq!(names, ["by hand", "kiosk daily"]);
}

async fn tenant(store: &MemoryStore, name: &str) -> burncloud_core::Tenant {
    store.tenant_by_name(name).await.unwrap().unwrap()
}

/// The numbers of `docs/resale.md`, from the file that stands in it.
#[tokio::test]
async fn the_worked_example_of_the_documentation_is_right() {
    const DOC: &str = include_str!("../../../../../docs/resale.md");
    let file = DOC.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    let file = file.replace("OPENAI_API_KEY", "PATH");
    let key = "[[keys]]\nname = \"k\"\nuser = \"ada\"\nsecret = \"secret-one\"\n";
    let mut bench = Bench::default();
    bench.apply(&format!("allow_inline_secrets = true\n{file}\n{key}")).await;
    let book = burncloud_billing::PriceBook::new();
    burncloud_billing::reload_prices(&bench.store, &book).await.unwrap();
    let caller = bench.caller("secret-one").await.unwrap();
    let channel = bench.store.channel_by_name("main").await.unwrap();
    let offer = burncloud_billing::Offer {
        model: "fast",
        channel: channel.unwrap().id,
        provider: "openai",
        upstream_model: "fast",
    };
    let quoted = burncloud_billing::quote(&book, &caller, &offer, &[], burncloud_core::UnixMicros::now());
    let table = quoted.table();
    let of = |kind| table.iter().find(|row| row.0 == kind).unwrap();
    let (input, output) = (of(burncloud_core::LineKind::Input), of(burncloud_core::LineKind::Output));
    let row = |who: &str, input: Nano, output: Nano| {
        let sum = input.for_units(10_000).plus(output.for_units(2_000));
        assert!(
            DOC.contains(&format!("| {who} | ${input} | ${output} | ${sum} |")),
            "{who} {input} {output} {sum}"
        );
        sum
    };
    let mut sums = vec![row("the house its provider", input.1.unwrap(), output.1.unwrap())];
    let paid = quoted.levels.iter().enumerate().filter(|(_, level)| level.paid).map(|(n, _)| n);
    for (who, n) in ["acme the house", "kiosk acme", "ada kiosk"].into_iter().zip(paid) {
        sums.push(row(who, input.2[n], output.2[n]));
    }
    let margins: Vec<Nano> = sums.windows(2).map(|pair| pair[1].minus(pair[0])).collect();
    let [house, acme, kiosk] = margins[..] else { panic!("three levels earn: {margins:?}") };
    let said = format!("the house earns ${house}, acme ${acme} and kiosk ${kiosk}");
    assert!(DOC.replace('\n', " ").contains(&said), "{said}");
}

#[tokio::test]
async fn a_price_that_could_not_be_loaded_is_not_stored() {
    let bench = Bench::applied().await;
    let registry = crate::providers();
    let foreign = "[[prices]]\nmodel = \"x\"\ninput = \"1\"\n[[prices]]\nmodel = \"y\"\ncurrency = \"CNY\"\ninput = \"7\"\n";
    let config = Config::parse(Path::new("t.toml"), &format!("{FILE}{foreign}"), &registry).unwrap();
    let mut managed = bench.managed.clone();
    let error = apply(&bench.store, &registry, &config.declared, &mut managed).await.unwrap_err().to_string();
    assert!(error.starts_with("price of `y`: currency: no rate of exchange for CNY"), "{error}");
    assert_eq!(bench.store.prices().await.unwrap().len(), 1, "none of them");
    let rates = format!("{FILE}{foreign}[[exchange_rates]]\nrates = {{ CNY = \"7.20\" }}\n");
    let config = Config::parse(Path::new("t.toml"), &rates, &registry).unwrap();
    apply(&bench.store, &registry, &config.declared, &mut managed).await.unwrap();
    assert_eq!(bench.store.prices().await.unwrap().len(), 4, "a rate further down counts");
}

#[tokio::test]
async fn a_user_who_was_switched_off_by_command_stays_so() {
    let mut bench = Bench::applied().await;
    let off = User { status: Status::Disabled, ..bench.ada().await };
    bench.store.update_user(&off).await.unwrap();
    assert_eq!(bench.apply(FILE).await, Changes::default());
    assert_eq!(bench.ada().await.status, Status::Disabled);
    let on = FILE.replace("balance_usd", "enabled = true\nbalance_usd");
    bench.apply(&on).await;
    assert_eq!(bench.ada().await.status, Status::Active, "the file says so");
}

/// Against a database, whose calls do wait for each other.
#[tokio::test]
async fn of_many_who_set_a_balance_at_once_each_counts_from_what_there_is() {
    use burncloud_store::{SecretBox, SqlStore};
    let dir = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}?mode=rwc", dir.path().join("b.db").display());
    let store = Arc::new(SqlStore::connect(&url, SecretBox::generate().unwrap()).await.unwrap());
    let boss = Actor::operator("t");
    let wallet = Wallet::of_user(&*store, "default").await.unwrap();
    burncloud_billing::people::top_up(&*store, &boss, &wallet, Nano(7), None, "").await.unwrap();
    let tasks: Vec<_> = (1..=4)
        .map(|n| {
            let (store, wallet, boss) = (store.clone(), wallet.clone(), boss.clone());
            tokio::spawn(async move {
                set_balance(&*store, &boss, &wallet, Nano(n * 100), "set").await.unwrap();
                set_balance(&*store, &boss, &wallet, Nano(n * 100), "set").await.unwrap();
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let balance = Wallet::of_user(&*store, "default").await.unwrap().balance();
    assert!(balance.0 % 100 == 0 && (100..=400).contains(&balance.0), "one of them: {balance:?}");
}
