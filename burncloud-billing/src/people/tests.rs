//! Who may do what, and what is refused.

use super::*;
use burncloud_core::ledger::{Account, EntryKind};
use burncloud_core::store::{EntryFilter, LedgerStore, MemoryStore, NewTenant, NewUser};
use burncloud_core::{
    AbortPolicy, Allowance, Budget, Enforcement, Nano, Period, Plan, Role, Scope, Status, TenantId, UserId,
};

/// The whole table, by hand: for each role where it may do that: own, below, above, elsewhere.
const TABLE: [(Action, [&str; 5]); 19] = [
    // owner, administrator, reseller, end user, accountant
    (Action::See, ["obae", "obae", "ob", "", "ob"]),
    (Action::SeeMoney, ["obae", "obae", "ob", "", "ob"]),
    (Action::CreateTenant, ["obae", "obae", "ob", "", ""]),
    (Action::ChangeTenant, ["obae", "obae", "b", "", ""]),
    (Action::FundTenant, ["obae", "obae", "b", "", ""]),
    (Action::CreditTenant, ["obae", "obae", "b", "", ""]),
    (Action::ManageUsers, ["obae", "obae", "ob", "", ""]),
    (Action::ManageKeys, ["obae", "obae", "ob", "", ""]),
    (Action::FundUser, ["obae", "obae", "ob", "", ""]),
    (Action::CreditUser, ["obae", "obae", "ob", "", ""]),
    (Action::SetRole, ["obae", "obae", "ob", "", ""]),
    (Action::SetPrices, ["obae", "obae", "o", "", ""]),
    (Action::MakeCodes, ["obae", "obae", "ob", "", ""]),
    (Action::ManageHouse, ["obae", "obae", "", "", ""]),
    (Action::ManageAdministrators, ["obae", "obae", "", "", ""]),
    (Action::ManageOwners, ["obae", "", "", "", ""]),
    (Action::SeeOwn, ["o", "o", "o", "o", "o"]),
    (Action::ManageOwnKeys, ["o", "o", "o", "o", ""]),
    (Action::RedeemOwn, ["o", "o", "o", "o", ""]),
];

#[test]
fn every_role_may_exactly_what_the_table_says() {
    assert_eq!(TABLE.map(|(action, _)| action), Action::ALL, "no action is forgotten");
    let columns = [Role::Owner, Role::Administrator, Role::Reseller, Role::EndUser, Role::Accountant];
    for (action, allowed) in TABLE {
        for (role, places) in columns.into_iter().zip(allowed) {
            for (place, letter) in Place::ALL.into_iter().zip(['o', 'b', 'a', 'e']) {
                assert_eq!(
                    may(role, action, place),
                    places.contains(letter),
                    "{role:?} {action:?} {place:?}"
                );
            }
        }
    }
}

/// house → reseller → sub → leaf, and `other` beside the reseller; each with a user of its own name.
struct World {
    store: MemoryStore,
}

impl World {
    async fn new() -> World {
        let world = World { store: MemoryStore::default() };
        for (name, parent) in
            [("reseller", "default"), ("sub", "reseller"), ("leaf", "sub"), ("other", "default")]
        {
            let parent = Some(world.tenant(parent).await.id);
            let new = NewTenant { name: name.into(), parent, ..NewTenant::default() };
            let tenant = create_tenant(&world.store, &owner(), new).await.unwrap().id;
            world.user_in(name, tenant, Role::EndUser).await;
        }
        world
    }

    async fn user_in(&self, name: &str, tenant: TenantId, role: Role) {
        let new = NewUser { name: name.into(), tenant, role, ..NewUser::default() };
        create_user(&self.store, &owner(), new).await.unwrap();
    }

    async fn tenant(&self, name: &str) -> burncloud_core::Tenant {
        find_tenant(&self.store, name).await.unwrap()
    }

    async fn user(&self, name: &str) -> burncloud_core::User {
        find_user(&self.store, name).await.unwrap()
    }

    async fn actor(&self, tenant: &str, role: Role) -> Actor {
        Actor {
            name: "who".into(),
            user: None,
            role,
            tenant: self.tenant(tenant).await.id,
            acting: None,
            ip: String::new(),
        }
    }
}

fn owner() -> Actor {
    Actor::operator("boss")
}

fn refused<T: std::fmt::Debug>(result: Result<T, UseCaseError>) -> String {
    match result {
        Err(UseCaseError::Forbidden(why)) => why.to_string(),
        other => panic!("not refused: {other:?}"),
    }
}

#[tokio::test]
async fn places_follow_the_tree() {
    let world = World::new().await;
    let tree = Tree::load(&world.store).await.unwrap();
    let sub = world.actor("sub", Role::Reseller).await;
    for (name, place) in [
        ("sub", Place::Own),
        ("leaf", Place::Below),
        ("reseller", Place::Above),
        ("default", Place::Above),
        ("other", Place::Elsewhere),
    ] {
        assert_eq!(sub.place(&tree, world.tenant(name).await.id), place, "{name}");
    }
    let order: Vec<_> = tree.in_order().into_iter().map(|(level, tenant)| (level, &*tenant.name)).collect();
    assert_eq!(order, [(0, "default"), (1, "other"), (1, "reseller"), (2, "sub"), (3, "leaf")]);
}

#[tokio::test]
async fn a_reseller_moves_money_below_and_not_its_own() {
    let world = World::new().await;
    let (store, one) = (&world.store, Nano(1_000_000_000));
    let reseller = world.actor("reseller", Role::Reseller).await;
    for name in ["sub", "leaf"] {
        let wallet = Wallet::of_tenant(store, name).await.unwrap();
        top_up(store, &reseller, &wallet, one, None, "").await.unwrap();
        grant_credit(store, &reseller, &wallet, one, None, "trusted").await.unwrap();
    }
    for name in ["reseller", "other"] {
        let wallet = Wallet::of_tenant(store, name).await.unwrap();
        refused(top_up(store, &reseller, &wallet, one, None, "").await);
        refused(promote(store, &reseller, &wallet, one, None, "").await);
        refused(adjust(store, &reseller, &wallet, one, None, "x").await);
        refused(grant_credit(store, &reseller, &wallet, one, None, "").await);
        refused(open_wallet(store, &reseller, &wallet, one).await);
        let free = TenantChange { unlimited: Some(true), ..TenantChange::default() };
        refused(update_tenant(store, &reseller, name, free).await);
    }
    let own = Wallet::of_user(store, "reseller").await.unwrap();
    top_up(store, &reseller, &own, one, None, "").await.unwrap();
    assert_eq!(
        store.balance(Account::Cash(reseller.tenant)).await.unwrap(),
        Nano(-2_000_000_000),
        "sub and user"
    );
    let (sub, leaf) = (world.tenant("sub").await, world.tenant("leaf").await);
    assert_eq!((sub.balance, sub.credit, leaf.balance), (one, one, one));
    let entry = &store.entries(&EntryFilter::default()).await.unwrap()[0];
    assert_eq!((entry.author.as_str(), entry.kind), ("who", EntryKind::TopUp));
}

#[tokio::test]
async fn accountants_and_end_users_change_nothing() {
    let world = World::new().await;
    let store = &world.store;
    for role in [Role::Accountant, Role::EndUser] {
        let actor = world.actor("sub", role).await;
        let wallet = Wallet::of_user(store, "sub").await.unwrap();
        refused(top_up(store, &actor, &wallet, Nano(1), None, "").await);
        let new = NewUser { name: "n".into(), tenant: actor.tenant, ..NewUser::default() };
        refused(create_user(store, &actor, new).await);
        refused(update_user(store, &actor, "sub", UserChange::default()).await);
        refused(set_role(store, &actor, "sub", Role::Reseller).await);
        let new = NewTenant { name: "n".into(), parent: Some(actor.tenant), ..NewTenant::default() };
        refused(create_tenant(store, &actor, new).await);
        refused(set_plan(store, &actor, &Plan { name: "p".into(), ..Plan::default() }).await);
        refused(set_budget(store, &actor, &budget(Scope::Tenant(actor.tenant))).await);
    }
    let seen = list_tenants(store, &world.actor("sub", Role::Accountant).await).await.unwrap();
    assert_eq!(seen.iter().map(|(_, tenant)| &*tenant.name).collect::<Vec<_>>(), ["sub", "leaf"]);
    let me = Actor::of(&world.user("sub").await);
    assert!(list_tenants(store, &me).await.unwrap().is_empty());
    let seen = list_users(store, &me).await.unwrap();
    assert_eq!(seen.iter().map(|user| &*user.name).collect::<Vec<_>>(), ["sub"], "itself");
}

#[tokio::test]
async fn nobody_is_raised_above_whoever_raises() {
    let world = World::new().await;
    let store = &world.store;
    let administrator = world.actor("default", Role::Administrator).await;
    let reseller = world.actor("reseller", Role::Reseller).await;
    refused(set_role(store, &reseller, "sub", Role::Administrator).await);
    refused(set_role(store, &reseller, "sub", Role::Owner).await);
    refused(set_role(store, &reseller, "other", Role::Reseller).await);
    set_role(store, &reseller, "sub", Role::Reseller).await.unwrap();
    refused(set_role(store, &administrator, "default", Role::Owner).await);
    set_role(store, &owner(), "default", Role::Owner).await.unwrap();
    refused(set_role(store, &administrator, "default", Role::EndUser).await);
    let off = UserChange { status: Some(Status::Disabled), ..UserChange::default() };
    refused(update_user(store, &administrator, "default", off).await);
    let misplaced = set_role(store, &owner(), "sub", Role::Administrator).await.unwrap_err().to_string();
    assert!(misplaced.starts_with("role: ") && misplaced.contains("house"), "{misplaced}");
    let new = NewUser { name: "n".into(), tenant: reseller.tenant, role: Role::Owner, ..NewUser::default() };
    refused(create_user(store, &reseller, new).await);
}

#[tokio::test]
async fn plans_are_given_by_the_house_alone() {
    let world = World::new().await;
    let store = &world.store;
    set_plan(store, &owner(), &Plan { name: "gentle".into(), abort: AbortPolicy::Nothing }).await.unwrap();
    let plan = || UserChange { plan: Some(Some("gentle".into())), ..UserChange::default() };
    let reseller = world.actor("reseller", Role::Reseller).await;
    refused(update_user(store, &reseller, "sub", plan()).await);
    assert_eq!(update_user(store, &owner(), "sub", plan()).await.unwrap().plan.as_deref(), Some("gentle"));
    let unknown = UserChange { plan: Some(Some("none".into())), ..UserChange::default() };
    let error = update_user(store, &owner(), "sub", unknown).await.unwrap_err();
    assert_eq!(error.to_string(), "there is no plan `none`");
    let long = Plan { name: "long".into(), abort: AbortPolicy::Reported { drain_ms: 600_001 } };
    assert!(set_plan(store, &owner(), &long).await.unwrap_err().to_string().starts_with("drain_ms: "));
}

#[tokio::test]
async fn the_tree_is_bounded_and_the_house_has_no_wallet() {
    let world = World::new().await;
    let store = &world.store;
    let mut parent = world.tenant("leaf").await.id;
    for level in 4..MAX_DEPTH {
        let new = NewTenant { name: format!("t{level}"), parent: Some(parent), ..NewTenant::default() };
        parent = create_tenant(store, &owner(), new).await.unwrap().id;
    }
    let new = NewTenant { name: "deeper".into(), parent: Some(parent), ..NewTenant::default() };
    let error = create_tenant(store, &owner(), new).await.unwrap_err().to_string();
    assert!(error.starts_with("parent: ") && error.contains("8 levels"), "{error}");
    let error = Wallet::of_tenant(store, "default").await.unwrap_err().to_string();
    assert!(error.starts_with("tenant: ") && error.contains("no wallet"), "{error}");
    let new = NewTenant { name: "free".into(), unlimited: true, ..NewTenant::default() };
    assert!(create_tenant(store, &owner(), new).await.unwrap_err().to_string().starts_with("unlimited: "));
}

#[tokio::test]
async fn an_opening_balance_is_paid_once() {
    let world = World::new().await;
    let (store, five) = (&world.store, Nano(5_000_000_000));
    let open = async |amount| {
        let wallet = Wallet::of_user(store, "sub").await.unwrap();
        open_wallet(store, &owner(), &wallet, amount).await.unwrap()
    };
    assert!(open(Nano::ZERO).await.is_none());
    assert!(open(five).await.is_some());
    assert!(open(five).await.is_none());
    let wallet = Wallet::of_user(store, "sub").await.unwrap();
    let back = set_balance(store, &owner(), &wallet, Nano::ZERO, "closed").await.unwrap();
    assert!(back.is_some(), "the difference");
    assert!(open(Nano(1)).await.is_none(), "the wallet was in use");
    assert_eq!(world.user("sub").await.balance, Nano::ZERO);
}

#[tokio::test]
async fn what_was_done_is_undone_by_whoever_could_have_done_it() {
    let world = World::new().await;
    let store = &world.store;
    let wallet = Wallet::of_tenant(store, "reseller").await.unwrap();
    let posted = top_up(store, &owner(), &wallet, Nano(7), Some("inv-1".into()), "").await.unwrap();
    let again = top_up(store, &owner(), &wallet, Nano(7), Some("inv-1".into()), "").await.unwrap();
    assert_eq!((again.id, again.new), (posted.id, false));
    let reseller = world.actor("reseller", Role::Reseller).await;
    refused(reverse(store, &reseller, posted.id, "mine").await);
    assert!(reverse(store, &owner(), posted.id, " ").await.unwrap_err().to_string().starts_with("reason: "));
    reverse(store, &owner(), posted.id, "a typing error").await.unwrap();
    assert_eq!(world.tenant("reseller").await.balance, Nano::ZERO);
    assert!(reverse(store, &owner(), posted.id, "again").await.is_err());
    let wallet = Wallet::of_tenant(store, "reseller").await.unwrap();
    let error = top_up(store, &owner(), &wallet, Nano(-1), None, "").await.unwrap_err().to_string();
    assert!(error.starts_with("amount: "), "{error}");
    let error = set_credit(store, &owner(), &wallet, Nano(-1), "").await.unwrap_err().to_string();
    assert!(error.starts_with("credit: "), "{error}");
    assert!(set_credit(store, &owner(), &wallet, Nano(9), "").await.unwrap().is_some());
    assert_eq!(world.tenant("reseller").await.credit, Nano(9));
}

#[tokio::test]
async fn codes_are_made_by_sellers_and_used_for_ones_own_wallet() {
    let world = World::new().await;
    let store = &world.store;
    let sub = world.tenant("sub").await.id;
    let batch = crate::codes::Batch {
        name: "spring".into(),
        count: 1,
        amount: Nano(3),
        expires_at: None,
        sold: false,
        tenant: sub,
    };
    let (user, other) = (world.user("sub").await, world.user("leaf").await);
    let me = Actor::of(&user);
    refused(generate_codes(store, &me, &batch).await);
    refused(generate_codes(store, &world.actor("other", Role::Reseller).await, &batch).await);
    let codes = generate_codes(store, &world.actor("reseller", Role::Reseller).await, &batch).await.unwrap();
    refused(redeem_code(store, &Actor::of(&other), &user, codes[0].expose()).await);
    refused(redeem_code(store, &world.actor("sub", Role::Accountant).await, &user, codes[0].expose()).await);
    assert_eq!(redeem_code(store, &me, &user, codes[0].expose()).await.unwrap().1, Nano(3));
    assert!(redeem_code(store, &me, &user, codes[0].expose()).await.is_err(), "used once");
}

fn budget(scope: Scope) -> Budget {
    Budget {
        name: scope.to_string(),
        scope,
        period: Period::Day,
        allowance: Allowance::Tokens(1000),
        enforcement: Enforcement::Hard,
        time_zone: String::new(),
    }
}

#[tokio::test]
async fn a_reseller_holds_those_below_and_not_itself() {
    let world = World::new().await;
    let store = &world.store;
    let reseller = world.actor("reseller", Role::Reseller).await;
    let (sub, leaf) = (world.tenant("sub").await.id, world.user("leaf").await.id);
    let own = budget(Scope::Tenant(reseller.tenant));
    set_budget(store, &owner(), &own).await.unwrap();
    refused(delete_budget(store, &reseller, &own.name).await);
    let hijacked = Budget { name: own.name.clone(), ..budget(Scope::Tenant(sub)) };
    refused(set_budget(store, &reseller, &hijacked).await);
    for scope in [Scope::Tenant(sub), Scope::User(leaf)] {
        set_budget(store, &reseller, &budget(scope.clone())).await.unwrap();
    }
    for scope in
        [Scope::Model("m".into()), Scope::Channel(burncloud_core::ChannelId(1)), Scope::User(UserId(1))]
    {
        refused(set_budget(store, &reseller, &budget(scope)).await);
    }
    assert_eq!(list_budgets(store, &reseller).await.unwrap().len(), 3);
    assert_eq!(list_budgets(store, &world.actor("sub", Role::Reseller).await).await.unwrap().len(), 2);
    let me = Actor::of(&world.user("leaf").await);
    assert_eq!(list_budgets(store, &me).await.unwrap().len(), 1);
    delete_budget(store, &reseller, &format!("tenant:{sub}")).await.unwrap();
}

#[tokio::test]
async fn users_make_keys_of_their_own_in_no_other_group() {
    let world = World::new().await;
    let store = &world.store;
    let user = world.user("leaf").await;
    let spec = |name: &str, user, group: Option<&str>| burncloud_core::usecase::keys::KeySpec {
        group: group.map(str::to_owned),
        ..key_of(user, name)
    };
    let me = Actor::of(&user);
    create_key(store, &me, spec("mine", user.id, None), None).await.unwrap();
    refused(create_key(store, &me, spec("vip", user.id, Some("vip")), None).await);
    refused(create_key(store, &me, spec("theirs", world.user("sub").await.id, None), None).await);
    let reseller = world.actor("reseller", Role::Reseller).await;
    create_key(store, &reseller, spec("vip", user.id, Some("vip")), None).await.unwrap();
}

#[tokio::test]
async fn what_belongs_to_an_office_is_changed_by_those_who_give_it() {
    let world = World::new().await;
    let store = &world.store;
    let house = world.tenant("default").await.id;
    for (name, role) in [("o", Role::Owner), ("a", Role::Administrator), ("u", Role::EndUser)] {
        world.user_in(name, house, role).await;
    }
    // A reseller of the house cannot be made any more; one that an earlier version made is held down here as well.
    let columns = [Role::Owner, Role::Administrator, Role::Reseller];
    for (name, may) in [("o", [true, false, false]), ("a", [true, true, false]), ("u", [true, true, true])] {
        for (role, may) in columns.into_iter().zip(may) {
            let actor = world.actor("default", role).await;
            let user = world.user(name).await;
            let limits = burncloud_core::Limits { concurrency: Some(1), ..burncloud_core::Limits::default() };
            for change in [
                UserChange { limits: Some(limits), ..UserChange::default() },
                UserChange { unlimited: Some(true), ..UserChange::default() },
                UserChange { status: Some(Status::Disabled), ..UserChange::default() },
            ] {
                let done = update_user(store, &actor, name, change.clone()).await;
                assert_eq!(done.is_ok(), may, "{role:?} {name} {change:?}");
            }
            let made = create_key(store, &actor, key_of(user.id, &format!("{name}-{role:?}")), None).await;
            assert_eq!(made.is_ok(), may, "{role:?} a key of {name}");
        }
    }
    let own = Actor::of(&world.user("o").await);
    create_key(store, &own, key_of(own.user.unwrap(), "own"), None).await.unwrap();
}

#[tokio::test]
async fn nobody_resells_what_is_the_houses() {
    let world = World::new().await;
    let store = &world.store;
    let house = world.tenant("default").await.id;
    world.user_in("clerk", house, Role::EndUser).await;
    let wrong = set_role(store, &owner(), "clerk", Role::Reseller).await.unwrap_err().to_string();
    assert!(wrong.starts_with("role: ") && wrong.contains("with a parent"), "{wrong}");
    let new = NewUser { name: "n".into(), tenant: house, role: Role::Reseller, ..NewUser::default() };
    assert!(create_user(store, &owner(), new).await.is_err());
    set_role(store, &owner(), "clerk", Role::Accountant).await.unwrap();
    set_role(store, &owner(), "reseller", Role::Reseller).await.unwrap();
}

fn key_of(user: UserId, name: &str) -> burncloud_core::usecase::keys::KeySpec {
    burncloud_core::usecase::keys::KeySpec {
        name: name.into(),
        user,
        quota: None,
        limits: burncloud_core::Limits::default(),
        models: None,
        ips: None,
        expires_at: None,
        group: None,
        apps: None,
    }
}

#[tokio::test]
async fn of_two_who_set_a_balance_one_looks_again() {
    let world = std::sync::Arc::new(World::new().await);
    let start = Wallet::of_user(&world.store, "sub").await.unwrap();
    top_up(&world.store, &owner(), &start, Nano(10), None, "").await.unwrap();
    let tasks: Vec<_> = (1..=6)
        .map(|n| {
            let (world, start) = (world.clone(), start.clone());
            tokio::spawn(async move {
                set_balance(&world.store, &owner(), &start, Nano(n * 100), "set").await.unwrap();
                set_credit(&world.store, &owner(), &start, Nano(n * 100), "set").await.unwrap();
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let user = world.user("sub").await;
    for (what, amount) in [("balance", user.balance), ("credit", user.credit)] {
        assert!(amount.0 % 100 == 0 && (100..=600).contains(&amount.0), "one of them: {what} {amount:?}");
    }
    set_balance(&world.store, &owner(), &start, Nano(10), "set").await.unwrap();
    assert_eq!(world.user("sub").await.balance, Nano(10), "from what it is, not what was read");
}

#[tokio::test]
async fn an_entry_computed_from_what_was_seen_is_posted_once() {
    let world = World::new().await;
    let store = &world.store;
    let wallet = Wallet::of_user(store, "sub").await.unwrap();
    top_up(store, &owner(), &wallet, Nano(10), None, "").await.unwrap();
    let wallet = Wallet::of_user(store, "sub").await.unwrap();
    // Both have seen the ten.
    top_up(store, &owner(), &wallet, Nano(-10), None, "").await.unwrap();
    let error = top_up(store, &owner(), &wallet, Nano(-10), None, "").await.unwrap_err().to_string();
    assert!(error.starts_with("amount: ") && error.contains("has $0"), "{error}");
    assert_eq!(world.user("sub").await.balance, Nano::ZERO);
}

#[tokio::test]
async fn references_are_each_tenants_own() {
    let world = World::new().await;
    let (store, inv) = (&world.store, || Some("inv-1".to_owned()));
    for name in ["sub", "other"] {
        let wallet = Wallet::of_user(store, name).await.unwrap();
        assert!(top_up(store, &owner(), &wallet, Nano(5), inv(), "").await.unwrap().new, "{name}");
        assert!(
            promote(store, &owner(), &wallet, Nano(5), inv(), "").await.unwrap().new,
            "{name}: another kind"
        );
        assert!(!top_up(store, &owner(), &wallet, Nano(5), inv(), "").await.unwrap().new, "{name}: again");
    }
    let wallet = Wallet::of_user(store, "leaf").await.unwrap();
    for bad in ["opening:user:leaf", "", " "] {
        let error = top_up(store, &owner(), &wallet, Nano(5), Some(bad.into()), "").await.unwrap_err();
        assert!(error.to_string().starts_with("reference: "), "{bad}: {error}");
    }
    // Somebody else's entry in the place of an opening balance is not passed over in silence.
    let (user, cash) = (world.user("sub").await.id, Account::Cash(world.tenant("sub").await.id));
    let posting = |account, amount| burncloud_core::ledger::Posting { account, amount: Nano(amount) };
    let squatter = burncloud_core::ledger::NewEntry {
        kind: EntryKind::TopUp,
        reference: Some("opening:user:leaf".into()),
        author: "x".into(),
        reason: String::new(),
        reverses: None,
        postings: vec![posting(Account::User(user), 1), posting(cash, -1)],
    };
    store.post(squatter).await.unwrap();
    assert!(open_wallet(store, &owner(), &wallet, Nano(5)).await.is_err());
}
