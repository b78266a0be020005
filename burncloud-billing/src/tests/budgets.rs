//! Budgets and fuses as requests meet them.

use super::support::*;
use crate::{Biller, BillerOptions, BudgetState, LoadedBudget, check_budget, load_budgets, reload_budgets};
use burncloud_core::billing::Billing;
use burncloud_core::store::{BudgetStore, MemoryStore, PlanStore, ReceiptStore, SpendingStore};
use burncloud_core::{
    AbortPolicy, Allowance, Budget, Caller, ChannelId, Enforcement, ErrorKind, KeyId, Nano, Operation,
    Period, Plan, Scope, Spent, TenantId, UnixMicros, UserId,
};
use std::sync::Arc;
use tempfile::TempDir;

/// What a request of the support's may take at most, in money and tokens, and what it costs when it uses 100 + 50 tokens.
const MOST: (i64, u64) = (2_000_000, 1_100);
const COST: (i64, u64) = (600_000, 150);
/// What the provider takes for the latter.
const UPSTREAM: i64 = 45_000;

pub(crate) fn budget(name: &str, scope: Scope, allowance: Allowance) -> Budget {
    Budget {
        name: name.into(),
        scope,
        period: Period::Day,
        allowance,
        enforcement: Enforcement::Hard,
        time_zone: "Asia/Shanghai".into(),
    }
}

fn money(nano: i64) -> Allowance {
    Allowance::Money(Nano(nano))
}

fn some(money: i64, tokens: u64) -> Spent {
    Spent { money: Nano(money), tokens }
}

/// Midnight in Shanghai, today.
fn midnight() -> UnixMicros {
    let day = 86_400_000_000;
    UnixMicros((UnixMicros::now().0 + day / 3).div_euclid(day) * day - day / 3)
}

fn fresh(budgets: &[Budget]) -> Vec<LoadedBudget> {
    let loaded = |budget: &Budget| {
        let since = if budget.period == Period::Total { UnixMicros(0) } else { midnight() };
        LoadedBudget { budget: budget.clone(), since, spent: Spent::default() }
    };
    budgets.iter().map(loaded).collect()
}

struct World {
    biller: Arc<Biller>,
    who: Arc<Caller>,
    _dir: TempDir,
}

fn world(budgets: &[Budget]) -> World {
    world_of(2, budgets)
}

/// A world whose caller has so many paying tenants above.
fn world_of(levels: usize, budgets: &[Budget]) -> World {
    let (dir, store) = (TempDir::new().unwrap(), Arc::new(MockStore::default()));
    let (biller, _) = open(dir.path(), &store);
    biller.set_budgets(fresh(budgets));
    let who = Arc::new(under(&caller(None, None, 0, 0), levels));
    World { biller, who, _dir: dir }
}

impl World {
    fn request(&self) -> Request {
        Request::new(&self.who, &lane_route("m", "gpt-4o-mini").0)
    }

    fn state(&self, name: &str) -> BudgetState {
        self.biller.budgets().into_iter().find(|state| state.budget.name == name).unwrap()
    }
}

#[test]
fn every_scope_is_counted_in_money_and_tokens() {
    let scopes =
        [Scope::Key(KeyId(1)), Scope::User(UserId(2)), Scope::Tenant(TenantId(3)), Scope::Model("m".into())];
    for scope in scopes {
        for (allowance, most) in [(money(MOST.0), MOST.0), (Allowance::Tokens(MOST.1), MOST.1 as i64)] {
            let world = world_of(0, &[budget("b", scope.clone(), allowance)]);
            let request = world.request();
            let hold = request.reserve(&world.biller).unwrap();
            assert_eq!(world.state("b").held, some(MOST.0, MOST.1), "{scope} {most}");
            let refused = world.request().reserve(&world.biller).unwrap_err();
            assert_eq!(refused.code(), Some("budget_exceeded"), "{scope}: no room beside the first");
            world.biller.settle(Some(hold), request.outcome(Some(tokens(100, 50))));
            let state = world.state("b");
            assert_eq!((state.held, state.spent), (some(0, 0), some(COST.0, COST.1)), "{scope}");
        }
    }
    let other = world(&[
        budget("key", Scope::Key(KeyId(9)), money(0)),
        budget("model", Scope::Model("mm".into()), money(0)),
        budget("tenant", Scope::Tenant(TenantId(9)), money(0)),
    ]);
    assert!(other.request().reserve(&other.biller).is_ok(), "somebody else's budgets are not asked");
}

#[test]
fn every_operation_is_counted() {
    use Operation as O;
    let world = world(&[budget("spent \"it\"", Scope::User(UserId(2)), Allowance::Tokens(0))]);
    for operation in [
        O::Chat,
        O::Completions,
        O::Embeddings,
        O::Moderation,
        O::ImageGeneration,
        O::Transcription,
        O::Speech,
        O::Responses,
        O::Messages,
        O::GenerateContent,
        O::StreamGenerateContent,
        O::EmbedContent,
        O::Rerank,
        O::CohereChat,
        O::Converse,
    ] {
        let request = Request { endpoint: endpoint(operation), ..world.request() };
        let refused = request.reserve(&world.biller).unwrap_err();
        assert_eq!(
            (refused.kind(), refused.code()),
            (ErrorKind::Payment, Some("budget_exceeded")),
            "{operation:?}"
        );
        let text = refused.message();
        assert!(text.contains("`spent \"it\"`") && text.contains("begins anew with the day at 20"), "{text}");
        assert!(text.contains("T00:00:00+08:00[Asia/Shanghai]"), "{text}");
        assert!(refused.retry_after().unwrap().as_secs() <= 86_400);
    }
    let free = Request { endpoint: endpoint(O::CountTokens), ..world.request() };
    let hold = free.reserve(&world.biller).unwrap();
    world.biller.settle(Some(hold), free.outcome(Some(tokens(100, 0))));
    assert_eq!(world.state("spent \"it\"").spent, some(0, 0), "counting tokens spends none");
    let total = Budget { period: Period::Total, ..budget("t", Scope::Key(KeyId(1)), money(0)) };
    let world = self::world(&[total]);
    let refused = world.request().reserve(&world.biller).unwrap_err();
    assert!(
        refused.message().ends_with("does not begin anew") && refused.retry_after().is_none(),
        "{refused}"
    );
}

#[test]
fn a_request_is_held_at_all_budgets_or_at_none() {
    let world = world(&[
        budget("a", Scope::Key(KeyId(1)), money(MOST.0 * 10)),
        budget("b", Scope::Tenant(TenantId(4)), money(MOST.0 * 10)),
        budget("c", Scope::Model("m".into()), money(MOST.0 - 1)),
    ]);
    assert!(world.request().reserve(&world.biller).is_err());
    assert!(world.biller.budgets().iter().all(|state| state.held == some(0, 0)));
    assert_eq!(world.biller.reserved_total(), Nano::ZERO);
    let wallet = Arc::new(under(&caller_of(1, 2, None, Some(Nano(MOST.0)), 0, 0), 1));
    let request = Request::new(&wallet, &lane_route("m", "gpt-4o-mini").0);
    assert!(request.reserve(&world.biller).is_err());
    assert_eq!(world.biller.left(&wallet).1, Some(Nano(MOST.0)), "the wallet has it back");
}

#[test]
fn a_hold_belongs_to_its_day() {
    let world = world(&[budget("day", Scope::Key(KeyId(1)), money(MOST.0))]);
    let (today, tomorrow) =
        (world.request(), Request { at: UnixMicros(midnight().0 + 86_400_000_000), ..world.request() });
    let old = today.reserve(&world.biller).unwrap();
    assert!(world.request().reserve(&world.biller).is_err());
    let new = tomorrow.reserve(&world.biller).unwrap();
    world.biller.settle(Some(old), today.outcome(Some(tokens(100, 50))));
    assert_eq!(world.state("day").spent, some(0, 0), "yesterday's cost is yesterday's");
    world.biller.settle(Some(new), tomorrow.outcome(Some(tokens(100, 50))));
    assert_eq!((world.state("day").spent, world.state("day").held), (some(COST.0, COST.1), some(0, 0)));
}

#[test]
fn somebody_is_told_once() {
    let soft =
        Budget { enforcement: Enforcement::Soft, ..budget("soft", Scope::Key(KeyId(1)), money(COST.0 * 2)) };
    let world = world(&[soft, budget("hard", Scope::User(UserId(2)), money(MOST.0 + COST.0 * 3))]);
    for n in 0..4 {
        let request = world.request();
        let hold = request.reserve(&world.biller).unwrap();
        world.biller.settle(Some(hold), request.outcome(Some(tokens(100, 50))));
        assert_eq!(
            world.biller.alerts().take().len(),
            usize::from(n == 1),
            "the second uses the soft one up"
        );
    }
    for _ in 0..3 {
        assert!(world.request().reserve(&world.biller).is_err());
    }
    let alerts = world.biller.alerts().take();
    assert_eq!(alerts.len(), 1);
    assert_eq!((&*alerts[0].kind, &*alerts[0].subject), ("budget_hard", "hard"));
    assert!(alerts[0].text.contains("user:2"), "{}", alerts[0].text);
}

#[test]
fn counts_survive_a_change_of_budgets() {
    let world = world(&[budget("b", Scope::Key(KeyId(1)), money(MOST.0 * 2))]);
    let request = world.request();
    let hold = request.reserve(&world.biller).unwrap();
    world.biller.set_budgets(fresh(&[budget("b", Scope::Key(KeyId(1)), money(MOST.0))]));
    assert!(world.request().reserve(&world.biller).is_err(), "a smaller one, with what is held");
    world.biller.settle(Some(hold), request.outcome(Some(tokens(100, 50))));
    world.biller.set_budgets(fresh(&[budget("b", Scope::Key(KeyId(1)), Allowance::Tokens(COST.1 + MOST.1))]));
    assert_eq!(world.state("b").spent, some(COST.0, COST.1), "in tokens now");
    let again = world.request().reserve(&world.biller).unwrap();
    world.biller.set_budgets(Vec::new());
    assert!(world.request().reserve(&world.biller).is_ok(), "no budget, no bound");
    world.biller.settle(Some(again), world.request().outcome(None));
    let bad = |change: fn(&mut Budget)| {
        let mut bad = budget("b", Scope::Key(KeyId(1)), money(1));
        change(&mut bad);
        check_budget(&bad).unwrap_err().to_string()
    };
    assert!(bad(|b| b.time_zone = "Mars/Olympus".into()).contains("`Mars/Olympus` is no time zone"));
    assert!(bad(|b| b.name.clear()).contains("1 to 255"));
    assert!(bad(|b| b.allowance = money(-1)).contains("negative"));
}

#[test]
fn plans_say_what_an_abort_costs() {
    let world = world(&[]);
    let hold = world.request().reserve(&world.biller).unwrap();
    assert_eq!(hold.abort, AbortPolicy::Delivered);
    assert!(hold.state.is_none(), "nothing is allocated for a plain caller");
    let mut planned = under(&world.who, 1);
    planned.tenant.plan = Some("kind".into());
    let request = Request::new(&Arc::new(planned), &world.request().route);
    assert_eq!(request.reserve(&world.biller).unwrap().abort, AbortPolicy::Delivered, "no such plan yet");
    world.biller.set_plans(vec![Plan { name: "kind".into(), abort: AbortPolicy::Nothing }]);
    assert_eq!(request.reserve(&world.biller).unwrap().abort, AbortPolicy::Nothing, "seen at once");
    assert_eq!(world.request().reserve(&world.biller).unwrap().abort, AbortPolicy::Delivered);
}

#[test]
fn a_fuse_holds_what_each_attempt_may_cost() {
    let table = table("m", &[("openai", "gpt-4o-mini"), ("openai", "gpt-4o-mini")]);
    let route = table.route("m").unwrap().clone();
    let fuse =
        |channel, nano| budget(&format!("fuse {channel}"), Scope::Channel(ChannelId(channel)), money(nano));
    let most = {
        let wide = world(&[fuse(1, i64::MAX)]);
        let request = Request::new(&wide.who, &route);
        let mut hold = request.reserve(&wide.biller).unwrap();
        wide.biller.attempt(&mut hold, &route.lanes[0], request.at).unwrap();
        wide.state("fuse 1").held.money.0
    };
    assert!(most >= 1_000 * 150 + 100 * 600, "1 000 tokens in at 0.15, 100 out at 0.60, or more: {most}");
    let world = world(&[fuse(1, most + UPSTREAM), fuse(2, most)]);
    let ask = || Request::new(&world.who, &route);
    let held = |n: i64| world.state(&format!("fuse {n}")).held.money.0;
    let (first, second) = (ask(), ask());
    let mut hold = first.reserve(&world.biller).unwrap();
    assert_eq!((held(1), held(2)), (0, 0), "nothing before an attempt");
    world.biller.attempt(&mut hold, &route.lanes[0], first.at).unwrap();
    assert_eq!((held(1), held(2)), (most, 0));
    world.biller.attempt(&mut hold, &route.lanes[1], first.at).unwrap();
    assert_eq!((held(1), held(2)), (0, most), "moved with the attempt");
    let mut other = second.reserve(&world.biller).unwrap();
    world.biller.attempt(&mut other, &route.lanes[0], second.at).unwrap();
    let blown = world.biller.attempt(&mut other, &route.lanes[1], second.at).unwrap_err();
    assert_eq!((blown.status().as_u16(), blown.code()), (503, Some("channel_budget")));
    assert!(!blown.message().contains("fuse 2") && blown.retry_after().is_some(), "{blown}");
    assert_eq!((held(1), held(2)), (0, most));
    let mut served = first.outcome(Some(tokens(100, 50)));
    served.served = Some(route.lanes[1].clone());
    world.biller.settle(Some(hold), served);
    assert_eq!(
        (world.state("fuse 1").spent, world.state("fuse 2").spent),
        (some(0, 0), some(UPSTREAM, COST.1))
    );
    world.biller.settle(Some(other), second.outcome(None));
    assert_eq!((held(1), held(2)), (0, 0));
    let alerts = world.biller.alerts().take();
    assert_eq!(alerts.iter().map(|a| (&*a.kind, &*a.subject)).collect::<Vec<_>>(), [("fuse", "fuse 2")]);
}

fn reopen(dir: &TempDir, store: &Arc<MemoryStore>) -> (Arc<Biller>, crate::Shipper) {
    Biller::open(BillerOptions::new(dir.path()), store.clone(), book()).unwrap()
}

fn serve(biller: &Biller, who: &Arc<Caller>) {
    let request = Request::new(who, &lane_route("m", "gpt-4o-mini").0);
    let hold = request.reserve(biller).unwrap();
    biller.settle(Some(hold), request.outcome(Some(tokens(100, 50))));
}

#[tokio::test]
async fn a_restart_forgets_nothing_and_counts_nothing_twice() {
    let (dir, store) = (TempDir::new().unwrap(), Arc::new(MemoryStore::default()));
    for (name, scope) in [("key", Scope::Key(KeyId(1))), ("model", Scope::Model("m".into()))] {
        store.set_budget(&budget(name, scope, money(MOST.0 * 100))).await.unwrap();
    }
    let who = caller(None, None, 0, 0);
    let (biller, mut shipper) = reopen(&dir, &store);
    reload_budgets(&*store, &biller).await.unwrap();
    let spent = |biller: &Biller| biller.budgets().iter().map(|state| state.spent).collect::<Vec<_>>();
    (0..3).for_each(|_| serve(&biller, &who));
    shipper.recover().await.unwrap();
    serve(&biller, &who);
    assert_eq!(spent(&biller), [some(4 * COST.0, 4 * COST.1); 2]);
    let left_open = Request::new(&who, &lane_route("m", "gpt-4o-mini").0).reserve(&biller).unwrap();
    drop((biller, shipper, left_open));
    // Three are in the store, one in the journal alone, and one was under way.
    let (biller, mut shipper) = reopen(&dir, &store);
    reload_budgets(&*store, &biller).await.unwrap();
    assert_eq!(spent(&biller), [some(4 * COST.0, 4 * COST.1); 2], "before it is shipped");
    shipper.recover().await.unwrap();
    reload_budgets(&*store, &biller).await.unwrap();
    assert_eq!(spent(&biller), [some(4 * COST.0, 4 * COST.1); 2], "and after");
    assert_eq!(
        store.spent(&Scope::Key(KeyId(1)), UnixMicros(0)).await.unwrap(),
        some(4 * COST.0, 4 * COST.1)
    );
    drop((biller, shipper));
    let (biller, _shipper) = reopen(&dir, &store);
    reload_budgets(&*store, &biller).await.unwrap();
    assert_eq!(spent(&biller), [some(4 * COST.0, 4 * COST.1); 2]);
}

#[tokio::test]
async fn what_another_process_spends_is_taken_over() {
    let store = Arc::new(MemoryStore::default());
    let of_key = budget("key", Scope::Key(KeyId(1)), money(MOST.0 + COST.0));
    let soft =
        Budget { enforcement: Enforcement::Soft, ..budget("soft", Scope::User(UserId(2)), money(COST.0)) };
    store.set_budget(&of_key).await.unwrap();
    store.set_budget(&soft).await.unwrap();
    store.set_plan(&Plan { name: "p".into(), abort: AbortPolicy::Nothing }).await.unwrap();
    let (ours, theirs) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let (biller, _shipper) = reopen(&ours, &store);
    let (other, mut shipper) = reopen(&theirs, &store);
    reload_budgets(&*store, &biller).await.unwrap();
    let who = caller(None, None, 0, 0);
    (0..2).for_each(|_| serve(&other, &who));
    shipper.recover().await.unwrap();
    assert_eq!(biller.budgets()[0].spent, some(0, 0));
    reload_budgets(&*store, &biller).await.unwrap();
    assert_eq!(biller.budgets()[0].spent, some(2 * COST.0, 2 * COST.1));
    let request = Request::new(&who, &lane_route("m", "gpt-4o-mini").0);
    assert_eq!(request.reserve(&biller).unwrap_err().code(), Some("budget_exceeded"));
    let kinds: Vec<String> = biller.alerts().take().into_iter().map(|alert| alert.kind).collect();
    assert_eq!(kinds, ["budget_soft", "budget_hard"]);
    let loaded = load_budgets(&*store, UnixMicros::now()).await.unwrap();
    assert_eq!(
        loaded[0],
        LoadedBudget { budget: of_key, since: midnight(), spent: some(2 * COST.0, 2 * COST.1) }
    );
    assert_eq!(store.receipts(&Default::default()).await.unwrap().len(), 2);
}
