//! What somebody typed wrong is said in Chinese too.

use super::World;
use crate::desk::channels::NewChannel;
use crate::desk::login::{InvitationSpec, check_password};
use crate::desk::{
    Actor, CodesDraft, KeyDraft, MoneyMove, MoveKind, PriceDraft, TenantDraft, UserDraft, WalletId,
};
use burncloud_core::usecase::UseCaseError;
use burncloud_core::{Limits, Nano, Role, UnixMicros};
use serde_json::{Value, json};

/// It is the field's fault, in English and in Chinese.
fn in_both<T: std::fmt::Debug>(result: Result<T, UseCaseError>, wanted: &str) {
    let error = result.expect_err(wanted);
    let UseCaseError::Invalid { field, message } = &error else { panic!("`{wanted}`: {error:?}") };
    assert_eq!(field, wanted, "{message}");
    assert_eq!(error.to_string(), format!("{field}: {message}"), "programs are told in English");
    let chinese = |text: &str| text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
    assert!(!chinese(message.en()) && chinese(message.zh()), "{message:?}");
}

#[tokio::test]
async fn keys_and_people() {
    let world = World::new().await;
    let (desk, boss) = (&world.desk, Actor::operator("boss"));
    let user = Some(world.user("leaf").await.id);
    let key = KeyDraft { name: "ci".into(), user, ..KeyDraft::default() };
    for (wrong, field) in [
        (KeyDraft { name: String::new(), ..key.clone() }, "name"),
        (KeyDraft { name: " ci".into(), ..key.clone() }, "name"),
        (KeyDraft { name: "x".repeat(129), ..key.clone() }, "name"),
        (KeyDraft { user: None, ..key.clone() }, "user"),
        (KeyDraft { quota: Some(Nano(-1)), ..key.clone() }, "quota"),
        (KeyDraft { models: Some(vec![]), ..key.clone() }, "models"),
        (KeyDraft { models: Some(vec![" ".into()]), ..key.clone() }, "models"),
        (KeyDraft { ips: Some(vec![]), ..key.clone() }, "ips"),
        (KeyDraft { apps: Some(vec![]), ..key.clone() }, "apps"),
        (KeyDraft { apps: Some(vec![String::new()]), ..key.clone() }, "apps"),
        (KeyDraft { expires_at: Some(UnixMicros(1)), ..key.clone() }, "expires_at"),
        (KeyDraft { limits: Limits { concurrency: Some(0), ..Limits::default() }, ..key.clone() }, "limits"),
    ] {
        in_both(desk.create_key(&boss, wrong).await, field);
    }
    let tenant = Some(world.tenant("default").await.id);
    let draft = |name: &str, role| UserDraft { name: name.into(), role, tenant, ..UserDraft::default() };
    in_both(desk.create_user(&boss, draft("", Role::EndUser)).await, "name");
    in_both(desk.create_user(&boss, draft("eve", Role::Reseller)).await, "role");
    in_both(
        desk.create_tenant(&boss, TenantDraft { name: "a\n".into(), ..TenantDraft::default() }).await,
        "name",
    );
    for password in ["short", "aaaaaaaaaaaaaaaa", "somebody@harbour.example", &"x".repeat(2000)] {
        in_both(check_password(&password.into(), &["somebody@harbour.example"]), "password");
    }
    let spec = InvitationSpec {
        tenant: world.tenant("reseller").await.id,
        role: Role::EndUser,
        gift: Nano::ZERO,
        expires_at: UnixMicros(UnixMicros::now().0 + 60_000_000),
        note: String::new(),
    };
    for (wrong, field) in [
        (InvitationSpec { note: "a\nb".into(), ..spec.clone() }, "note"),
        (InvitationSpec { gift: Nano(-1), ..spec.clone() }, "gift"),
        (InvitationSpec { expires_at: UnixMicros(1), ..spec }, "expires_at"),
    ] {
        in_both(desk.invite(&boss, wrong).await, field);
    }
}

#[tokio::test]
async fn money_and_prices() {
    let world = World::new().await;
    let (desk, boss) = (&world.desk, Actor::operator("boss"));
    let tenant = Some(world.tenant("default").await.id);
    let codes = CodesDraft {
        name: "spring".into(),
        count: 1,
        amount: Nano(1),
        expires_at: None,
        sold: false,
        tenant,
    };
    for (wrong, field) in [
        (CodesDraft { name: String::new(), ..codes.clone() }, "name"),
        (CodesDraft { count: 0, ..codes.clone() }, "count"),
        (CodesDraft { amount: Nano(0), ..codes.clone() }, "amount"),
        (CodesDraft { expires_at: Some(UnixMicros(1)), ..codes }, "expires_at"),
    ] {
        in_both(desk.create_codes(&boss, wrong).await, field);
    }
    let me = world.me("leaf").await;
    in_both(desk.redeem(&me, "no such code").await, "code");
    let wallet = WalletId::User(world.user("leaf").await.id);
    let order = |kind, amount| MoneyMove { kind, amount: Nano(amount), reference: None, reason: "so".into() };
    in_both(desk.move_money(&boss, wallet, order(MoveKind::TopUp, 0)).await, "amount");
    in_both(desk.move_money(&boss, wallet, order(MoveKind::Promotion, -1)).await, "amount");
    let silent = MoneyMove { reason: " ".into(), ..order(MoveKind::Adjustment, 1) };
    in_both(desk.move_money(&boss, wallet, silent).await, "reason");
    let named = MoneyMove { reference: Some(String::new()), ..order(MoveKind::TopUp, 1) };
    in_both(desk.move_money(&boss, wallet, named).await, "reference");
    in_both(desk.set_credit(&boss, wallet, Nano(-1), "so").await, "credit");
    let price = |model: &str, rates: Value| PriceDraft {
        book: None,
        channel: None,
        model: model.into(),
        effective_at: None,
        rates,
    };
    for (model, rates, field) in [
        ("fast", json!({ "input": "-1" }), "input"),
        ("fast", json!({ "input": "a lot" }), "input"),
        ("fast", json!({ "markup": "twice" }), "markup"),
        ("fast", json!({ "input": "1", "currency": "yuan" }), "currency"),
        ("fast", json!({ "input": "1", "currency": "CNY" }), "currency"),
        ("", json!({ "groups": { "": "1" } }), "groups."),
        ("", json!({ "fx": { "CNY": "0" } }), "fx.CNY"),
    ] {
        in_both(desk.set_price(&boss, price(model, rates), None).await, field);
    }
}

#[tokio::test]
async fn accounts_and_settings() {
    let world = World::new().await;
    let (desk, boss) = (&world.desk, Actor::operator("boss"));
    let new = |change: fn(&mut NewChannel)| {
        let mut new = NewChannel {
            name: "main".into(),
            provider: "openai".into(),
            base_url: None,
            credential: "sk-0123456789abcdef".to_owned().into(),
            models: vec!["fast".into()],
            model_mapping: Default::default(),
            priority: 0,
            weight: 1,
            status: burncloud_core::Status::Active,
            settings: burncloud_core::ChannelSettings::default(),
        };
        change(&mut new);
        new
    };
    for (wrong, field) in [
        (new(|new| new.name = String::new()), "name"),
        (new(|new| new.models = vec![]), "models"),
        (new(|new| new.models = vec!["a".into(), "a".into()]), "models"),
        (new(|new| new.model_mapping = [("a".to_owned(), "a".to_owned())].into()), "model_mapping"),
        (new(|new| new.settings.concurrency = Some(0)), "concurrency"),
        (new(|new| new.settings.groups = vec!["a ".into()]), "groups"),
        (new(|new| new.settings.timeouts.idle_ms = Some(0)), "timeouts"),
        // The desk of this test knows no provider.
        (new(|_| ()), "provider"),
    ] {
        in_both(desk.create_channel(&boss, wrong).await, field);
    }
    for (name, value) in [
        ("house.name", json!("")),
        ("routing.max_attempts", json!(0)),
        ("cors.origins", json!(["*"])),
        ("upstream.proxy", json!("proxy")),
        ("server.listen", json!("3000")),
        ("server.trusted_proxies", json!(["proxy"])),
        ("no.such", json!(1)),
    ] {
        in_both(desk.set_settings(&boss, [(name.to_owned(), value)].into()).await, name);
    }
}
