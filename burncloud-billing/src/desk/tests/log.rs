use super::*;
use crate::desk::{
    Actor, AuditQuery, CodesDraft, KeyChange, KeyDraft, MoneyMove, MoveKind, TenantEdit, UserEdit, WalletId,
};
use burncloud_core::store::{Login, LoginStore};
use burncloud_core::{KeyHash, Nano, Role, UserId};

/// One change in each tenant, by the house.
async fn changes(world: &World) {
    let boss = Actor::operator("boss").from("203.0.113.9");
    for name in ["reseller", "sub", "leaf", "other"] {
        let id = world.tenant(name).await.id;
        let edit = TenantEdit { time_zone: Some("Asia/Tokyo".into()), ..TenantEdit::default() };
        world.desk.update_tenant(&boss, id, edit, None).await.unwrap();
    }
}

async fn names(world: &World, actor: &Actor, query: AuditQuery) -> Vec<String> {
    let page = world.desk.audit(actor, &query).await.unwrap();
    page.items.into_iter().map(|view| view.entry.name).collect()
}

#[tokio::test]
async fn one_reads_what_concerns_ones_branch() {
    let world = World::new().await;
    changes(&world).await;
    let all = AuditQuery::default;
    assert_eq!(names(&world, &Actor::operator("boss"), all()).await, ["other", "leaf", "sub", "reseller"]);
    assert_eq!(names(&world, &world.actor("default", Role::Administrator).await, all()).await.len(), 4);
    let leaf = world.tenant("leaf").await.id;
    for role in [Role::Reseller, Role::Accountant] {
        let actor = world.actor("sub", role).await;
        assert_eq!(names(&world, &actor, all()).await, ["leaf", "sub"]);
        let one = AuditQuery { tenant: Some(leaf), ..all() };
        assert_eq!(names(&world, &actor, one).await, ["leaf"]);
        let strange = AuditQuery { tenant: Some(world.tenant("other").await.id), ..all() };
        hidden(world.desk.audit(&actor, &strange).await);
        let page = world.desk.audit(&actor, &all()).await.unwrap();
        assert!(page.items.iter().all(|view| view.entry.ip.is_empty()), "from where is the house's to know");
    }
    let page = world.desk.audit(&Actor::operator("boss"), &all()).await.unwrap();
    assert_eq!(page.items[0].entry.ip, "203.0.113.9");
    let one = AuditQuery { limit: 1, before: Some(page.items[0].entry.id), ..all() };
    assert_eq!(names(&world, &Actor::operator("boss"), one).await, ["leaf"]);
}

#[tokio::test]
async fn an_end_user_reads_what_they_did_themselves() {
    let world = World::new().await;
    changes(&world).await;
    let me = world.me("leaf").await.from("192.0.2.1");
    let all = AuditQuery::default;
    assert!(names(&world, &me, all()).await.is_empty());
    let key = KeyDraft { name: "mine".into(), ..KeyDraft::default() };
    world.desk.create_key(&me, key).await.unwrap();
    assert_eq!(names(&world, &me, all()).await, ["mine"]);
    assert_eq!(world.desk.audit(&me, &all()).await.unwrap().items[0].entry.ip, "192.0.2.1");
    let theirs = AuditQuery { user: Some(world.user("sub").await.id), ..all() };
    hidden(world.desk.audit(&me, &theirs).await);
    hidden(world.desk.audit(&me, &AuditQuery { tenant: Some(me.tenant), ..all() }).await);
    hidden(world.desk.audit(&me, &AuditQuery { user: Some(UserId(9_999)), ..all() }).await);
    let nobody = Actor { user: None, ..me };
    assert!(names(&world, &nobody, all()).await.is_empty());
}

#[tokio::test]
async fn who_acts_as_another_is_written_down() {
    let world = World::new().await;
    let (me, real) = (world.me("leaf").await, world.user("default").await.id);
    let key = KeyDraft { name: "k".into(), ..KeyDraft::default() };
    world.desk.create_key(&me.acted_by(real), key).await.unwrap();
    let entry = world.noted("key.create", 1).await;
    assert_eq!((entry.user, entry.acting), (Some(world.user("leaf").await.id), Some(real)));
}

#[tokio::test]
async fn no_secret_of_anything_is_in_the_log() {
    let world = World::new().await;
    let (boss, me) = (Actor::operator("boss"), world.me("leaf").await);
    let (user, totp) = (me.user.unwrap(), "JBSWY3DPEHPK3PXP");
    let login = Login {
        user,
        name: "leaf@example.test".into(),
        password: Some("$argon2id$v=19$phc".into()),
        totp: Some(totp.to_owned().into()),
        ..Login::default()
    };
    world.store.set_login(&login).await.unwrap();
    let key = KeyDraft { name: "k".into(), ..KeyDraft::default() };
    let made = world.desk.create_key(&me, key).await.unwrap();
    let id = made.key.key.id;
    let rotated = world.desk.rotate_key(&me, id, 60, None).await.unwrap();
    let quota = KeyChange { quota: Some(Some(Nano(1))), ..KeyChange::default() };
    world.desk.update_key(&me, id, quota, None).await.unwrap();
    world.desk.revoke_key(&boss, id, None).await.unwrap();
    let free = UserEdit { unlimited: Some(true), ..UserEdit::default() };
    world.desk.update_user(&boss, user, free, None).await.unwrap();
    let batch = CodesDraft {
        name: "b".into(),
        count: 2,
        amount: Nano(5),
        expires_at: None,
        sold: false,
        tenant: Some(me.tenant),
    };
    let codes = world.desk.create_codes(&boss, batch).await.unwrap().codes;
    world.desk.redeem(&me, codes[0].expose()).await.unwrap();
    let entry = MoneyMove { kind: MoveKind::TopUp, amount: Nano(5), reference: None, reason: String::new() };
    let entry = world.desk.move_money(&boss, WalletId::User(user), entry).await.unwrap().entry;
    world.desk.reverse_entry(&boss, entry, "a slip").await.unwrap();
    world.desk.ban_user(&boss, user, None).await.unwrap();
    let mut secrets = vec![totp.to_owned(), "$argon2id$v=19$phc".to_owned()];
    for secret in [&made.secret, &rotated.secret, &codes[0], &codes[1]] {
        let text = secret.expose();
        secrets.push(text.to_owned());
        secrets.push(text.replace('-', ""));
        for text in [text.to_owned(), text.replace('-', "")] {
            secrets.push(crate::proof::hex(&KeyHash::of(text.as_bytes()).0));
        }
    }
    world.noted("user.ban", 10).await;
    world.no_secret_in_audit(&secrets.iter().map(String::as_str).collect::<Vec<_>>()).await;
}
