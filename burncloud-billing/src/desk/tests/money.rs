use super::*;
use crate::desk::{Actor, MoneyMove, MoveKind, StatementFilter, WalletId};
use burncloud_core::ledger::{Account, EntryKind};
use burncloud_core::store::{AlertStore, EntryFilter, LedgerStore};
use burncloud_core::{Alert, Nano, Role, UnixMicros};

fn order(kind: MoveKind, amount: i64) -> MoneyMove {
    MoneyMove { kind, amount: Nano(amount), reference: None, reason: "because".into() }
}

#[tokio::test]
async fn money_is_moved_below_and_written_down_twice() {
    let world = World::new().await;
    let seller = world.actor("reseller", Role::Reseller).await;
    let user = WalletId::User(world.user("reseller").await.id);
    let below = WalletId::Tenant(world.tenant("sub").await.id);
    for (n, (kind, action)) in [
        (MoveKind::TopUp, "money.top_up"),
        (MoveKind::Promotion, "money.promotion"),
        (MoveKind::Adjustment, "money.adjustment"),
        (MoveKind::CreditLine, "money.credit_line"),
    ]
    .into_iter()
    .enumerate()
    {
        let moved = world.desk.move_money(&seller, user, order(kind, 5)).await.unwrap();
        assert!(moved.new);
        let entry = world.noted(action, 2 * n + 1).await;
        assert_eq!((&entry.after["amount"], &entry.after["entry"]), (&5.into(), &moved.entry.into()));
        assert_eq!(entry.after["balance"], moved.wallet.balance.0);
        world.desk.move_money(&seller, below, order(kind, 7)).await.unwrap();
        assert_eq!(world.noted(action, 2 * n + 2).await.tenant, world.tenant("sub").await.id);
    }
    let wallet = world.desk.wallet(&seller, user).await.unwrap();
    assert_eq!((wallet.balance, wallet.credit, wallet.keeper), (Nano(15), Nano(5), seller.tenant));
    let wallet = world.desk.wallet(&seller, below).await.unwrap();
    assert_eq!((wallet.balance, wallet.credit, wallet.keeper), (Nano(21), Nano(7), seller.tenant));
    assert!(world.desk.set_credit(&seller, below, Nano(7), "same").await.unwrap().is_none());
    let moved = world.desk.set_credit(&seller, below, Nano(3), "less").await.unwrap().unwrap();
    assert_eq!(moved.wallet.credit, Nano(3));
    assert_eq!(world.noted("money.credit_line", 9).await.after["amount"], -4);
}

#[tokio::test]
async fn nobody_moves_money_of_their_own_or_of_strangers() {
    let world = World::new().await;
    let up = || order(MoveKind::TopUp, 5);
    let own = WalletId::Tenant(world.tenant("sub").await.id);
    let leaf = WalletId::User(world.user("leaf").await.id);
    let seller = world.actor("sub", Role::Reseller).await;
    let (looker, me) = (world.actor("sub", Role::Accountant).await, world.me("leaf").await);
    let stranger = world.actor("other", Role::Reseller).await;
    for kind in [MoveKind::TopUp, MoveKind::Promotion, MoveKind::Adjustment, MoveKind::CreditLine] {
        refused(world.desk.move_money(&seller, own, order(kind, 5)).await);
        refused(world.desk.move_money(&looker, leaf, order(kind, 5)).await);
        refused(world.desk.move_money(&me, leaf, order(kind, 5)).await);
        hidden(world.desk.move_money(&stranger, leaf, order(kind, 5)).await);
        hidden(world.desk.move_money(&me, own, order(kind, 5)).await);
    }
    refused(world.desk.set_credit(&seller, own, Nano(5), "x").await);
    hidden(world.desk.set_credit(&stranger, own, Nano(5), "x").await);
    hidden(world.desk.wallet(&stranger, leaf).await);
    hidden(world.desk.statement(&stranger, leaf, &StatementFilter::default()).await);
    assert_eq!(world.desk.wallet(&me, leaf).await.unwrap().balance, Nano::ZERO);
    assert!(world.audit().await.is_empty());
    assert!(world.store.entries(&EntryFilter::default()).await.unwrap().is_empty());
    let boss = Actor::operator("boss");
    invalid(world.desk.wallet(&boss, WalletId::Tenant(world.tenant("default").await.id)).await, "tenant");
    invalid(world.desk.move_money(&boss, leaf, order(MoveKind::TopUp, 0)).await, "amount");
    invalid(
        world
            .desk
            .move_money(&boss, leaf, MoneyMove { reason: " ".into(), ..order(MoveKind::Adjustment, 1) })
            .await,
        "reason",
    );
    let reference = Some("inv-1".to_owned());
    let line = MoneyMove { reference: reference.clone(), ..order(MoveKind::CreditLine, 1) };
    invalid(world.desk.move_money(&boss, leaf, line).await, "reference");
    let first =
        world.desk.move_money(&boss, leaf, MoneyMove { reference: reference.clone(), ..up() }).await.unwrap();
    let again = world.desk.move_money(&boss, leaf, MoneyMove { reference, ..up() }).await.unwrap();
    assert_eq!((again.entry, again.new, again.wallet.balance), (first.entry, false, Nano(5)));
    world.noted("money.top_up", 1).await;
}

#[tokio::test]
async fn what_is_asked_for_twice_under_one_name_is_one_entry() {
    let world = World::new().await;
    let boss = Actor::operator("boss");
    let wallet = WalletId::User(world.user("leaf").await.id);
    let ask = async |kind, amount, once: &str| {
        world.desk.move_money_once(&boss, wallet, order(kind, amount), Some(once)).await
    };
    for (n, (kind, amount, balance, credit)) in [
        (MoveKind::TopUp, 9, 9, 0),
        (MoveKind::Promotion, 2, 11, 0),
        (MoveKind::Adjustment, -1, 10, 0),
        (MoveKind::CreditLine, 5, 10, 5),
        // All that there is: a second time there would be nothing left to pay back.
        (MoveKind::TopUp, -10, 0, 5),
    ]
    .into_iter()
    .enumerate()
    {
        let once = format!("request-{n}");
        let first = ask(kind, amount, &once).await.unwrap();
        let again = ask(kind, amount, &once).await.unwrap();
        assert_eq!((first.new, again.new, again.entry), (true, false, first.entry), "{kind:?}");
        let now = (again.wallet.balance, again.wallet.credit);
        assert_eq!(now, (Nano(balance), Nano(credit)), "{kind:?}");
    }
    let other = ask(MoveKind::TopUp, 9, "another").await.unwrap();
    assert_eq!((other.new, other.wallet.balance), (true, Nano(9)));
    // A reference of one's own goes before.
    let named = MoneyMove { reference: Some("inv-7".into()), ..order(MoveKind::TopUp, 1) };
    for (once, new) in [("one", true), ("two", false)] {
        let moved = world.desk.move_money_once(&boss, wallet, named.clone(), Some(once)).await.unwrap();
        assert_eq!(moved.new, new);
    }
    for credit_line in [false, true] {
        let filter = StatementFilter { credit_line, ..StatementFilter::default() };
        let lines = world.desk.statement(&boss, wallet, &filter).await.unwrap().items;
        let shown: Vec<_> = lines.iter().filter_map(|line| line.reference.as_deref()).collect();
        assert!(shown.iter().all(|reference| reference.ends_with(":inv-7")), "{shown:?}");
    }
}

#[tokio::test]
async fn a_statement_names_what_happened_and_no_one_else() {
    let world = World::new().await;
    let seller = world.actor("sub", Role::Reseller).await;
    let me = world.me("sub").await;
    let wallet = WalletId::User(me.user.unwrap());
    for n in 1..=3 {
        world.desk.move_money(&seller, wallet, order(MoveKind::TopUp, n)).await.unwrap();
    }
    world.desk.move_money(&seller, wallet, order(MoveKind::CreditLine, 9)).await.unwrap();
    let two = StatementFilter { limit: 2, ..StatementFilter::default() };
    let page = world.desk.statement(&me, wallet, &two).await.unwrap();
    let amounts: Vec<_> = page.items.iter().map(|line| (line.amount, line.credit, line.against)).collect();
    assert_eq!(amounts, [(Nano(3), Nano(0), None), (Nano(2), Nano(0), None)]);
    assert_eq!((page.items[0].author.as_str(), page.items[0].kind), ("who", EntryKind::TopUp));
    let rest =
        world.desk.statement(&me, wallet, &StatementFilter { before: page.next, ..two }).await.unwrap();
    assert_eq!((rest.items.len(), rest.items[0].amount, rest.next), (1, Nano(1), None));
    let lines = StatementFilter { credit_line: true, ..StatementFilter::default() };
    let page = world.desk.statement(&seller, wallet, &lines).await.unwrap();
    assert_eq!(
        (page.items[0].credit, page.items[0].against),
        (Nano(9), Some(Account::Granted(seller.tenant)))
    );
}

#[tokio::test]
async fn what_was_done_is_undone_by_whoever_could_have_done_it() {
    let world = World::new().await;
    let seller = world.actor("reseller", Role::Reseller).await;
    let wallet = WalletId::Tenant(world.tenant("sub").await.id);
    let entry = world.desk.move_money(&seller, wallet, order(MoveKind::TopUp, 5)).await.unwrap().entry;
    for (role, tenant) in [(Role::Reseller, "other"), (Role::EndUser, "sub")] {
        hidden(world.desk.reverse_entry(&world.actor(tenant, role).await, entry, "x").await);
    }
    refused(world.desk.reverse_entry(&world.actor("sub", Role::Reseller).await, entry, "x").await);
    refused(world.desk.reverse_entry(&world.actor("reseller", Role::Accountant).await, entry, "x").await);
    invalid(world.desk.reverse_entry(&seller, entry, " ").await, "reason");
    hidden(world.desk.reverse_entry(&seller, 9_999, "x").await);
    let undone = world.desk.reverse_entry(&seller, entry, "a slip").await.unwrap();
    let noted = world.noted("money.reverse", 2).await;
    assert_eq!((&noted.after["entry"], noted.tenant), (&undone.into(), world.tenant("sub").await.id));
    assert_eq!(world.desk.wallet(&seller, wallet).await.unwrap().balance, Nano::ZERO);
    assert!(world.desk.reverse_entry(&seller, entry, "twice").await.is_err());
}

#[tokio::test]
async fn alerts_are_for_the_house() {
    let world = World::new().await;
    let alert = Alert { at: UnixMicros(1), kind: "fuse".into(), subject: "m".into(), text: "t".into() };
    world.store.add_alert(&alert).await.unwrap();
    assert_eq!(world.desk.alerts(&Actor::operator("boss"), 0).await.unwrap(), [alert]);
    for role in [Role::Reseller, Role::Accountant, Role::EndUser] {
        refused(world.desk.alerts(&world.actor("reseller", role).await, 0).await);
    }
}
