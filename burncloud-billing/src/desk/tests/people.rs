use super::*;
use crate::desk::{Actor, Desk, TenantDraft, TenantEdit, UserDraft, UserEdit, UserFilter};
use burncloud_core::store::{Login, LoginStore, Session, SessionStore};
use burncloud_core::{Limits, Role, Status, UnixMicros, UserId};
use parking_lot::Mutex;
use std::sync::Arc;

fn draft(name: &str) -> UserDraft {
    UserDraft { name: name.into(), ..UserDraft::default() }
}

fn limited(n: u64) -> UserEdit {
    let limits = Limits { concurrency: Some(n), ..Limits::default() };
    UserEdit { limits: Some(limits), ..UserEdit::default() }
}

async fn signed_in(world: &World, user: UserId) {
    let now = UnixMicros::now();
    let login = Login {
        user,
        name: format!("u{user}"),
        password: Some("phc-secret-text".into()),
        ..Login::default()
    };
    world.store.set_login(&login).await.unwrap();
    let session = Session {
        hash: [u8::try_from(user.0).unwrap(); 32],
        user,
        acting: None,
        created_at: now,
        seen_at: now,
        expires_at: UnixMicros(i64::MAX),
        ip: String::new(),
        agent: String::new(),
    };
    world.store.create_session(&session).await.unwrap();
}

async fn names(desk: &Desk, actor: &Actor, filter: UserFilter) -> Vec<String> {
    let page = desk.users(actor, &filter).await.unwrap();
    assert_eq!(page.total, Some(page.items.len() as u64));
    page.items.into_iter().map(|user| user.user.name).collect()
}

#[tokio::test]
async fn one_sees_oneself_and_ones_branch() {
    let world = World::new().await;
    let all = UserFilter::default;
    let boss = Actor::operator("boss");
    assert_eq!(names(&world.desk, &boss, all()).await, ["default", "reseller", "sub", "leaf", "other"]);
    for role in [Role::Reseller, Role::Accountant] {
        let actor = world.actor("sub", role).await;
        assert_eq!(names(&world.desk, &actor, all()).await, ["sub", "leaf"]);
        hidden(world.desk.user(&actor, world.user("reseller").await.id).await);
        let other = UserFilter { tenant: Some(world.tenant("other").await.id), ..all() };
        hidden(world.desk.users(&actor, &other).await);
        let tenants = world.desk.tenants(&actor).await.unwrap();
        let seen: Vec<_> =
            tenants.iter().map(|t| (t.level, &*t.tenant.name, t.parent_name.as_deref(), t.users)).collect();
        assert_eq!(seen, [(2, "sub", None, 1), (3, "leaf", Some("sub"), 1)]);
        hidden(world.desk.tenant(&actor, world.tenant("reseller").await.id).await);
    }
    let me = world.me("leaf").await;
    assert_eq!(names(&world.desk, &me, all()).await, ["leaf"]);
    hidden(world.desk.user(&me, world.user("sub").await.id).await);
    hidden(world.desk.users(&me, &UserFilter { tenant: Some(me.tenant), ..all() }).await);
    assert!(world.desk.tenants(&me).await.unwrap().is_empty());
    signed_in(&world, world.user("sub").await.id).await;
    let online = || UserFilter { online: true, ..all() };
    assert_eq!(names(&world.desk, &boss, online()).await, ["sub"]);
    assert!(names(&world.desk, &me, online()).await.is_empty(), "oneself alone, if at all");
    let shown = world.desk.user(&boss, world.user("sub").await.id).await.unwrap();
    assert!(shown.online_at.is_some() && shown.login.is_some());
    assert!(!serde_json::to_string(&shown).unwrap().contains("phc-secret-text"));
}

#[tokio::test]
async fn users_are_made_and_changed_by_those_who_may() {
    let world = World::new().await;
    let seller = world.actor("reseller", Role::Reseller).await;
    let made = world.desk.create_user(&seller, draft("ada")).await.unwrap();
    assert_eq!((made.user.tenant, made.tenant_name.as_str()), (seller.tenant, "reseller"));
    world.noted("user.create", 1).await;
    let elsewhere = UserDraft { tenant: Some(world.tenant("other").await.id), ..draft("x") };
    hidden(world.desk.create_user(&seller, elsewhere).await);
    invalid(world.desk.create_user(&seller, draft(" ")).await, "name");
    for role in [Role::Owner, Role::Administrator] {
        refused(world.desk.create_user(&seller, UserDraft { role, ..draft("x") }).await);
    }
    let id = made.user.id;
    let (looker, me) = (world.actor("reseller", Role::Accountant).await, world.me("ada").await);
    for actor in [&looker, &me] {
        refused(world.desk.update_user(actor, id, limited(1), None).await);
        refused(world.desk.set_role(actor, id, Role::Reseller, None).await);
        refused(world.desk.ban_user(actor, id, None).await);
        refused(world.desk.withdraw_user(actor, id, None).await);
        assert!(world.desk.create_user(actor, draft("x")).await.is_err());
    }
    hidden(world.desk.update_user(&world.actor("sub", Role::Reseller).await, id, limited(1), None).await);
    let second = world.desk.update_user(&seller, id, limited(1), Some(&made.version)).await.unwrap();
    changed(world.desk.update_user(&seller, id, limited(2), Some(&made.version)).await);
    changed(world.desk.set_role(&seller, id, Role::Reseller, Some(&made.version)).await);
    changed(world.desk.ban_user(&seller, id, Some(&made.version)).await);
    let entry = world.noted("user.update", 2).await;
    assert_eq!(
        (&entry.before["limits"]["concurrency"], &entry.after["limits"]["concurrency"]),
        (&serde_json::Value::Null, &1.into())
    );
    world.desk.set_role(&seller, id, Role::Reseller, Some(&second.version)).await.unwrap();
    world.noted("user.role", 3).await;
    let promoted = world.me("ada").await;
    invalid(world.desk.set_role(&promoted, id, Role::EndUser, None).await, "role");
    invalid(world.desk.ban_user(&promoted, id, None).await, "status");
}

#[tokio::test]
async fn whoever_is_banned_is_signed_out() {
    let mut world = World::new().await;
    let ended = Arc::new(Mutex::new(Vec::new()));
    let told = ended.clone();
    world.desk = world.desk.on_sessions_ended(move |user| told.lock().push(user));
    let (leaf, boss) = (world.user("leaf").await.id, Actor::operator("boss"));
    signed_in(&world, leaf).await;
    world.desk.update_user(&boss, leaf, limited(1), None).await.unwrap();
    assert!(ended.lock().is_empty() && !world.store.sessions_of(leaf).await.unwrap().is_empty());
    world.desk.ban_user(&boss, leaf, None).await.unwrap();
    assert_eq!(*ended.lock(), [leaf]);
    assert!(world.store.sessions_of(leaf).await.unwrap().is_empty());
    assert_eq!(world.desk.unban_user(&boss, leaf, None).await.unwrap().user.status, Status::Active);
    signed_in(&world, leaf).await;
    world.desk.set_role(&boss, leaf, Role::Reseller, None).await.unwrap();
    assert!(world.store.sessions_of(leaf).await.unwrap().is_empty(), "an open page has the old role");
    world.desk.withdraw_user(&boss, leaf, None).await.unwrap();
    invalid(world.desk.unban_user(&boss, leaf, None).await, "status");
    world.noted("user.withdraw", 5).await;
    world.no_secret_in_audit(&["phc-secret-text"]).await;
}

#[tokio::test]
async fn tenants_are_made_and_changed_from_above() {
    let world = World::new().await;
    let seller = world.actor("reseller", Role::Reseller).await;
    let draft = |name: &str, parent| TenantDraft { name: name.into(), parent, ..TenantDraft::default() };
    let made = world.desk.create_tenant(&seller, draft("kiosk", Some(seller.tenant))).await.unwrap();
    assert_eq!((made.level, made.parent_name.as_deref()), (2, Some("reseller")));
    world.noted("tenant.create", 1).await;
    refused(world.desk.create_tenant(&seller, draft("house", None)).await);
    hidden(world.desk.create_tenant(&seller, draft("x", Some(world.tenant("other").await.id))).await);
    let vip = || TenantEdit { group: Some(Some("vip".into())), ..TenantEdit::default() };
    let id = made.tenant.id;
    refused(world.desk.update_tenant(&seller, seller.tenant, vip(), None).await);
    refused(world.desk.switch_tenant(&seller, seller.tenant, false, None).await);
    refused(
        world.desk.update_tenant(&world.actor("reseller", Role::Accountant).await, id, vip(), None).await,
    );
    hidden(world.desk.update_tenant(&world.me("reseller").await, id, vip(), None).await);
    hidden(world.desk.switch_tenant(&world.actor("sub", Role::Reseller).await, id, false, None).await);
    let zone = TenantEdit { time_zone: Some("Mars".into()), ..TenantEdit::default() };
    invalid(world.desk.update_tenant(&seller, id, zone, None).await, "time_zone");
    world.desk.update_tenant(&seller, id, vip(), Some(&made.version)).await.unwrap();
    changed(world.desk.switch_tenant(&seller, id, false, Some(&made.version)).await);
    let off = world.desk.switch_tenant(&seller, id, false, None).await.unwrap();
    assert_eq!(off.tenant.status, Status::Disabled);
    world.noted("tenant.off", 3).await;
    assert_eq!(
        world.desk.switch_tenant(&seller, id, true, None).await.unwrap().tenant.status,
        Status::Active
    );
}

#[tokio::test]
async fn groups_are_counted_where_their_prices_are() {
    let world = World::new().await;
    let boss = Actor::operator("boss");
    let vip = || Some("vip".to_owned());
    let sub = world.tenant("sub").await.id;
    let edit = TenantEdit { group: Some(vip()), ..TenantEdit::default() };
    world.desk.update_tenant(&boss, sub, edit, None).await.unwrap();
    for name in ["a", "b"] {
        let tenant = Some(world.tenant("reseller").await.id);
        world.desk.create_user(&boss, UserDraft { tenant, group: vip(), ..draft(name) }).await.unwrap();
    }
    for actor in [boss, world.actor("reseller", Role::Accountant).await] {
        let groups = world.desk.groups(&actor).await.unwrap();
        let counts: Vec<_> =
            groups.iter().map(|g| (&*g.tenant_name, &*g.group, g.users, g.tenants)).collect();
        assert_eq!(counts, [("reseller", "vip", 2, 1)]);
    }
    assert!(world.desk.groups(&world.actor("sub", Role::Reseller).await).await.unwrap().is_empty());
    assert!(world.desk.groups(&world.me("leaf").await).await.unwrap().is_empty());
}
