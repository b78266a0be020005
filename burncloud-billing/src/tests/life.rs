//! What a request is charged, refused for, and leaves behind.

use super::support::*;
use crate::{Biller, BillerOptions, OrphanPolicy, PriceBook, Rates, Unpriced};
use burncloud_core::billing::{Billing, Outcome};
use burncloud_core::ledger::{Account, EntryKind, NewEntry, Posting};
use burncloud_core::store::{
    CallerStore, KeyStore, LedgerStore, MemoryStore, NewKey, NewTenant, NewUser, UserStore,
};
use burncloud_core::{Caller, End, ErrorKind, KeyHash, Limits, Nano, Operation, Receipt, Route, UsageSource};
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;
use tempfile::TempDir;

const PATIENCE: Duration = Duration::from_secs(20);

struct Bench {
    _dir: TempDir,
    store: Arc<MockStore>,
    biller: Arc<Biller>,
    shipper: crate::Shipper,
    route: Arc<Route>,
}

fn bench_with(asked: &str, upstream: &str, set: impl FnOnce(&mut BillerOptions)) -> Bench {
    let (dir, store) = (TempDir::new().unwrap(), Arc::new(MockStore::default()));
    let mut options = BillerOptions::new(dir.path());
    set(&mut options);
    let (biller, shipper) = Biller::open(options, store.clone(), book()).unwrap();
    let (route, _) = lane_route(asked, upstream);
    Bench { _dir: dir, store, biller, shipper, route }
}

fn bench() -> Bench {
    bench_with("m", "gpt-4o-mini", |_| ())
}

impl Bench {
    /// Reserves and settles one request, and reads its receipt from the store.
    async fn receipt(&mut self, request: &Request, set: impl FnOnce(&mut Outcome)) -> Receipt {
        let hold = request.reserve(&self.biller).unwrap();
        let mut outcome = request.outcome(None);
        set(&mut outcome);
        self.biller.settle(Some(hold), outcome);
        self.shipper.recover().await.unwrap();
        let found = self.store.receipts.lock().get(&request.id).cloned();
        Arc::unwrap_or_clone(found.unwrap())
    }
}

fn dollars(n: i64) -> Option<Nano> {
    Some(Nano(n * 1_000_000_000))
}

#[tokio::test]
async fn reserves_the_most_and_charges_what_was_used() {
    let mut bench = bench();
    let who = caller(dollars(1), dollars(2), 0, 0);
    let request = Request::new(&who, &bench.route);
    let hold = request.reserve(&bench.biller).unwrap();
    // 1000 bytes at a dollar a million, 100 tokens at ten.
    assert_eq!(hold.reserved, Nano(2_000_000));
    assert_eq!(bench.biller.reserved_total(), Nano(2_000_000));
    assert_eq!(bench.biller.left(&who), (Some(Nano(998_000_000)), Some(Nano(1_998_000_000))));
    bench.biller.settle(Some(hold), request.outcome(Some(tokens(200, 50))));
    assert_eq!(bench.biller.reserved_total(), Nano::ZERO);
    assert_eq!(bench.biller.left(&who), (Some(Nano(999_300_000)), Some(Nano(1_999_300_000))));
    assert_eq!(bench.shipper.recover().await.unwrap(), 1);
    let receipt = bench.store.receipts.lock()[&request.id].clone();
    assert_eq!(
        (receipt.charge, receipt.shortfall, receipt.reserved),
        (Nano(700_000), Nano(0), Nano(2_000_000))
    );
    assert_eq!(receipt.lines.iter().map(|l| l.amount.0).sum::<i64>(), 700_000);
    // gpt-4o-mini: 200 × 0.15 + 50 × 0.60
    assert_eq!(receipt.upstream_cost, Nano(60_000));
    assert_eq!((receipt.price_version, receipt.usage_source), (2, UsageSource::Reported));
    assert_eq!((&*receipt.model, &*receipt.upstream_model), ("m", "gpt-4o-mini"));
}

#[tokio::test]
async fn without_an_override_the_published_price_is_charged() {
    let mut bench = bench_with("mini", "gpt-4o-mini", |_| ());
    let request = Request::new(&caller(dollars(1), None, 0, 0), &bench.route);
    let receipt = bench.receipt(&request, |o| o.usage = Some(tokens(1_000, 1_000))).await;
    assert_eq!((receipt.charge, receipt.upstream_cost), (Nano(750_000), Nano(750_000)));
}

#[tokio::test]
async fn refuses_what_quota_or_balance_does_not_hold() {
    let bench = bench();
    for (quota, balance, what) in [
        (Some(Nano(1_999_999)), None, "this key's quota"),
        (dollars(1), Some(Nano(1_999_999)), "the balance"),
        (dollars(1), Some(Nano(-5)), "the balance"),
    ] {
        let who = caller_of(quota.map_or(9, |q| q.0), balance.map_or(9, |b| b.0), quota, balance, 0, 0);
        let refused = Request::new(&who, &bench.route).reserve(&bench.biller).unwrap_err();
        assert_eq!((refused.kind(), refused.code()), (ErrorKind::Payment, Some("insufficient_quota")));
        assert!(refused.message().starts_with(what), "{refused}");
        assert_eq!(bench.biller.left(&who), (quota, balance));
    }
    assert_eq!(bench.biller.reserved_total(), Nano::ZERO);
}

#[tokio::test]
async fn what_goes_beyond_the_reservation_is_taken_if_it_is_there() {
    let mut bench = bench();
    let who = caller(None, Some(Nano(3_000_000)), 0, 0);
    let request = Request::new(&who, &bench.route);
    let receipt = bench.receipt(&request, |o| o.usage = Some(tokens(1_000, 1_000))).await;
    assert_eq!((receipt.reserved, receipt.charge), (Nano(2_000_000), Nano(3_000_000)));
    assert_eq!(receipt.shortfall, Nano(8_000_000));
    assert_eq!(bench.biller.left(&who).1, Some(Nano::ZERO));
}

#[tokio::test]
async fn what_failed_without_an_answer_costs_nothing() {
    let mut bench = bench();
    let who = caller(dollars(1), dollars(1), 0, 0);
    let body = r#"{"error":{"message":"no such thing"}}"#;
    type Set = fn(&mut Outcome);
    let cases: [Set; 4] = [
        |o| (o.status, o.end) = (500, End::Finished),
        |o| (o.status, o.end, o.served) = (502, End::UpstreamFailed, None),
        |o| (o.status, o.end) = (200, End::CallerGone),
        |o| (o.status, o.end, o.served, o.route) = (429, End::Refused, None, None),
    ];
    for set in cases {
        let receipt = bench
            .receipt(&Request::new(&who, &bench.route.clone()), |o| {
                o.request_sample = sample(r#"{"messages":[{"content":"hello"}]}"#);
                set(o);
                if o.status >= 400 {
                    o.response_sample = sample(body);
                }
            })
            .await;
        assert_eq!((receipt.charge, receipt.usage_source), (Nano::ZERO, UsageSource::None));
        assert_eq!((receipt.lines.len(), receipt.price_version), (0, 0));
    }
    assert_eq!(bench.biller.left(&who), (dollars(1), dollars(1)));
    let reported = |o: &mut Outcome| (o.status, o.usage) = (500, Some(tokens(100, 0)));
    let receipt = bench.receipt(&Request::new(&who, &bench.route.clone()), reported).await;
    assert_eq!(receipt.charge, Nano(100_000), "unless the provider reports that something was used");
}

#[tokio::test]
async fn an_answer_without_usage_is_estimated_from_what_arrived() {
    let mut bench = bench();
    let who = caller(dollars(1), None, 0, 0);
    let receipt = bench
        .receipt(&Request::new(&who, &bench.route.clone()), |o| {
            o.end = End::CallerGone;
            o.request_sample = sample(r#"{"messages":[{"content":"hello world"}]}"#);
            o.response_sample = sample("data: {\"choices\":[{\"delta\":{\"content\":\"hello world\"}}]}\n\n");
        })
        .await;
    assert_eq!((receipt.usage, receipt.usage_source), (tokens(2, 2), UsageSource::Estimated));
    assert_eq!(receipt.charge, Nano(22_000));
    let mut embed = Request::new(&who, &bench.route);
    embed.endpoint = endpoint(Operation::Embeddings);
    let receipt = bench
        .receipt(&embed, |o| {
            o.request_sample = sample(r#"{"input":"hello world"}"#);
            o.response_sample = sample(r#"{"data":[{"embedding":[0.1],"text":"hello"}]}"#);
        })
        .await;
    assert_eq!(receipt.usage, tokens(2, 0));
}

#[tokio::test]
async fn free_operations_are_counted_and_cost_nothing() {
    let mut bench = bench();
    let who = caller(Some(Nano(1)), Some(Nano(1)), 0, 0);
    let mut request = Request::new(&who, &bench.route);
    request.endpoint = endpoint(Operation::CountTokens);
    let receipt = bench.receipt(&request, |o| o.usage = Some(tokens(1_000, 0))).await;
    assert_eq!((receipt.charge, receipt.usage.input, receipt.upstream_cost), (Nano(0), 1_000, Nano(0)));
}

#[tokio::test]
async fn models_without_a_price() {
    let mut bench = bench_with("odd", "no-such-model", |_| ());
    let (poor, rich) = (caller(dollars(1), None, 0, 0), caller_of(5, 6, None, None, 0, 0));
    let refused = Request::new(&poor, &bench.route).reserve(&bench.biller).unwrap_err();
    assert_eq!((refused.kind(), refused.code()), (ErrorKind::Forbidden, Some("model_not_priced")));
    assert!(refused.message().contains("`odd`"), "{refused}");
    let refused = Request::new(&rich, &bench.route).reserve(&bench.biller).unwrap_err();
    assert_eq!(refused.code(), Some("model_not_priced"), "whether they are limited or not");
    let mut counting = Request::new(&rich, &bench.route);
    counting.endpoint = endpoint(Operation::CountTokens);
    let receipt = bench.receipt(&counting, |o| o.usage = Some(tokens(5, 0))).await;
    assert_eq!((receipt.charge, receipt.lines.len(), receipt.price_version), (Nano(0), 0, 0));
    assert_eq!(receipt.usage, tokens(5, 0));

    let mut bench = bench_with("odd", "no-such-model", |o| o.unpriced = Unpriced::Free);
    let receipt =
        bench.receipt(&Request::new(&poor, &bench.route.clone()), |o| o.usage = Some(tokens(5, 5))).await;
    assert_eq!((receipt.charge, receipt.shortfall), (Nano(0), Nano(0)));

    let rates = Rates::from_json(&serde_json::json!({"input": "1", "output": "2"})).unwrap();
    let mut bench = bench_with("odd", "no-such-model", |o| o.unpriced = Unpriced::At(Arc::new(rates)));
    for who in [poor, rich] {
        let request = Request::new(&who, &bench.route);
        let receipt = bench.receipt(&request, |o| o.usage = Some(tokens(5, 5))).await;
        assert_eq!((receipt.charge, receipt.upstream_cost), (Nano(15_000), Nano(0)));
    }
}

#[tokio::test]
async fn unlimited_callers_are_charged_but_nothing_is_held() {
    let mut bench = bench();
    let request = Request::new(&caller(None, None, 0, 0), &bench.route);
    let receipt = bench.receipt(&request, |o| o.usage = Some(tokens(200, 50))).await;
    assert_eq!((receipt.reserved, receipt.charge, receipt.shortfall), (Nano(0), Nano(700_000), Nano(0)));
}

#[tokio::test]
async fn a_lane_without_a_price_is_charged_like_one_that_has_one() {
    let (dir, store) = (TempDir::new().unwrap(), Arc::new(MockStore::default()));
    let book = Arc::new(PriceBook::new());
    let (biller, mut shipper) = Biller::open(BillerOptions::new(dir.path()), store.clone(), book).unwrap();
    let table = table("x", &[("openai", "no-such-model"), ("openai", "gpt-4o-mini")]);
    biller.warm(&table);
    let request = Request::new(&caller(dollars(1), None, 0, 0), table.route("x").unwrap());
    let hold = request.reserve(&biller).unwrap();
    assert!(hold.reserved > Nano::ZERO);
    biller.settle(Some(hold), request.outcome(Some(tokens(1_000, 0))));
    shipper.recover().await.unwrap();
    let receipt = store.receipts.lock()[&request.id].clone();
    assert_eq!((receipt.charge, receipt.upstream_cost), (Nano(150_000), Nano(0)));
}

#[tokio::test]
async fn a_refused_request_leaves_a_receipt_too() {
    let mut bench = bench();
    let request = Request::new(&caller(Some(Nano(1)), None, 0, 0), &bench.route);
    assert!(request.reserve(&bench.biller).is_err());
    let mut outcome = request.outcome(None);
    (outcome.served, outcome.status, outcome.end) = (None, 402, End::Refused);
    bench.biller.settle(None, outcome);
    assert_eq!(bench.shipper.recover().await.unwrap(), 1);
    assert_eq!(bench.store.receipts.lock()[&request.id].end, End::Refused);
}

#[tokio::test]
async fn a_price_changes_from_its_moment_on() {
    let mut bench = bench();
    let store = MockStore::default();
    let who = caller(dollars(1), None, 0, 0);
    let (before, mut after) = (Request::new(&who, &bench.route), Request::new(&who, &bench.route));
    after.at.0 += 60_000_000;
    let old = serde_json::json!({"input": "1", "output": "10"});
    let new = serde_json::json!({"input": "2", "output": "20"});
    let book = bench.biller.book().clone();
    crate::set_price(&store, &book, rule(None, "m", 0, old)).await.unwrap();
    crate::set_price(&store, &book, rule(None, "m", after.at.0, new)).await.unwrap();
    let first = bench.receipt(&before, |o| o.usage = Some(tokens(100, 0))).await;
    let second = bench.receipt(&after, |o| o.usage = Some(tokens(100, 0))).await;
    assert_eq!((first.charge, second.charge), (Nano(100_000), Nano(200_000)));
    assert_eq!((first.price_version, second.price_version), (3, 3));
}

#[tokio::test]
async fn a_store_that_is_away_costs_nothing_but_time() {
    let bench = bench();
    let who = caller(dollars(1), dollars(1), 0, 0);
    bench.store.away.store(true, SeqCst);
    let running = tokio::spawn(bench.shipper.run());
    for _ in 0..50 {
        let request = Request::new(&who, &bench.route);
        let hold = request.reserve(&bench.biller).unwrap();
        bench.biller.settle(Some(hold), request.outcome(Some(tokens(100, 0))));
    }
    // The journal's thread may take them in more than one commit.
    until(|| bench.store.calls.load(SeqCst) > 0 && bench.biller.unshipped() == (50, false)).await;
    assert!(bench.biller.journal_bytes() > 0 && bench.biller.store_lag() > Duration::ZERO);
    bench.store.away.store(false, SeqCst);
    until(|| bench.biller.unshipped() == (0, false)).await;
    assert_eq!((bench.store.sum(), bench.biller.shipped()), ((50, 5_000_000), 50));
    bench.biller.close();
    tokio::time::timeout(PATIENCE, running).await.unwrap().unwrap();
}

#[tokio::test]
async fn closing_ships_what_is_there() {
    let bench = bench();
    let running = tokio::spawn(bench.shipper.run());
    let request = Request::new(&caller(None, None, 0, 0), &bench.route);
    let hold = request.reserve(&bench.biller).unwrap();
    bench.biller.settle(Some(hold), request.outcome(Some(tokens(100, 0))));
    bench.biller.close();
    tokio::time::timeout(PATIENCE, running).await.unwrap().unwrap();
    assert_eq!(bench.store.sum(), (1, 100_000));
}

#[tokio::test]
async fn a_full_journal_refuses_and_recovers() {
    let mut bench = bench_with("m", "gpt-4o-mini", |o| {
        (o.journal.max_bytes, o.journal.segment_bytes) = (20_000, 4_000);
    });
    let who: Arc<Caller> = caller(None, None, 0, 0);
    bench.store.away.store(true, SeqCst);
    let mut taken = 0;
    let refused = loop {
        let request = Request::new(&who, &bench.route);
        match request.reserve(&bench.biller) {
            Ok(hold) => bench.biller.settle(Some(hold), request.outcome(Some(tokens(100, 0)))),
            Err(error) => break error,
        }
        taken += 1;
        assert!(taken < 1_000, "the bound is never reached");
    };
    assert_eq!(refused.kind(), ErrorKind::Unavailable);
    assert!(refused.retry_after().is_some() && refused.context().unwrap().contains("bound"));
    for _ in 0..1_000 {
        let mut outcome = Request::new(&who, &bench.route).outcome(None);
        (outcome.status, outcome.end, outcome.served) = (503, End::Refused, None);
        bench.biller.settle(None, outcome);
    }
    assert!(bench.biller.dropped() > 0, "a flood of refusals is not written for ever");
    assert!(bench.shipper.recover().await.is_err());
    bench.store.away.store(false, SeqCst);
    bench.shipper.recover().await.unwrap();
    assert_eq!(bench.store.sum().1, taken * 100_000);
    assert!(Request::new(&who, &bench.route).reserve(&bench.biller).is_ok());
}

#[tokio::test]
async fn a_long_outage_is_kept_on_disk_not_in_memory() {
    let mut bench = bench_with("m", "gpt-4o-mini", |o| o.journal.segment_bytes = 200_000);
    let who = caller(dollars(1_000), None, 0, 0);
    let open = Request::new(&who, &bench.route);
    let _under_way = open.reserve(&bench.biller).unwrap();
    for _ in 0..40 {
        for _ in 0..500 {
            let request = Request::new(&who, &bench.route);
            let hold = request.reserve(&bench.biller).unwrap();
            bench.biller.settle(Some(hold), request.outcome(Some(tokens(100, 0))));
        }
        assert!(bench.biller.flush(PATIENCE));
    }
    let (kept, more) = bench.biller.unshipped();
    assert!(kept < 10_000 && more, "{kept}");
    assert_eq!(bench.shipper.recover().await.unwrap(), 20_000);
    assert_eq!(bench.store.sum(), (20_000, 2_000_000_000));
    let request = Request::new(&who, &bench.route);
    let receipt = bench.receipt(&request, |o| o.usage = Some(tokens(1, 0))).await;
    assert_eq!(receipt.charge, Nano(1_000), "and from memory again");
    let files = || std::fs::read_dir(bench._dir.path()).unwrap().count();
    for _ in 0..50 {
        assert!(bench.biller.flush(PATIENCE));
        if files() <= 3 {
            break;
        }
        // Shipped segments are deleted as something is written.
        bench.biller.settle(None, Request::new(&who, &bench.route).outcome(None));
        bench.shipper.recover().await.unwrap();
    }
    assert!(files() <= 3, "the lock, what is written to and what is carried over");
    // The request that was under way all the time is still known.
    drop((bench.biller, bench.shipper));
    let store = Arc::new(MockStore::default());
    let (biller, mut shipper) = super::support::open(bench._dir.path(), &store);
    assert_eq!(biller.orphans_recovered(), 1);
    shipper.recover().await.unwrap();
    assert_eq!(store.receipts.lock()[&open.id].end, End::Orphaned);
}

#[tokio::test]
async fn orphans_are_settled_by_policy() {
    for (policy, charge) in [(OrphanPolicy::Release, 0), (OrphanPolicy::Charge, 1_000_000)] {
        let (dir, store) = (TempDir::new().unwrap(), Arc::new(MockStore::default()));
        let (route, _) = lane_route("m", "gpt-4o-mini");
        let who = caller(dollars(1), dollars(1), 0, 0);
        let request = Request::new(&who, &route);
        {
            let (biller, _shipper) = open(dir.path(), &store);
            let _ = request.reserve(&biller).unwrap();
        }
        let mut options = BillerOptions::new(dir.path());
        options.orphans = policy;
        let (biller, mut shipper) = Biller::open(options, store.clone(), book()).unwrap();
        assert_eq!(biller.orphans_recovered(), 1);
        let fresh = caller(dollars(1), dollars(1), 0, 0);
        assert_eq!(biller.left(&fresh).0, Some(Nano(1_000_000_000 - charge)), "counts before it is shipped");
        shipper.recover().await.unwrap();
        let receipt = store.receipts.lock()[&request.id].clone();
        assert_eq!((receipt.end, receipt.charge), (End::Orphaned, Nano(charge)));
        assert_eq!((receipt.key, receipt.user, &*receipt.model), (who.key.id, who.user.id, "m"));
        drop((biller, shipper));
        let (biller, mut shipper) = open(dir.path(), &store);
        assert_eq!((biller.orphans_recovered(), shipper.recover().await.unwrap()), (0, 0), "once");
    }
}

#[tokio::test]
async fn a_disk_that_fails_refuses_requests_and_loses_none() {
    let mut bench = bench_with("m", "gpt-4o-mini", |o| o.journal.segment_bytes = 1);
    let who = caller(None, None, 0, 0);
    let dir = bench._dir.path().to_owned();
    let moved = dir.with_extension("moved");
    let under_way: Vec<_> = (0..10)
        .map(|_| {
            let request = Request::new(&who, &bench.route);
            let hold = request.reserve(&bench.biller).unwrap();
            (request, hold)
        })
        .collect();
    assert!(bench.biller.flush(PATIENCE));
    // Every commit begins a new segment here, which cannot be made where there is no directory.
    std::fs::rename(&dir, &moved).unwrap();
    for (request, hold) in under_way {
        bench.biller.settle(Some(hold), request.outcome(Some(tokens(100, 0))));
    }
    until(|| bench.biller.failures().1 > 0).await;
    let refused = Request::new(&who, &bench.route).reserve(&bench.biller).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Unavailable);
    std::fs::rename(&moved, &dir).unwrap();
    assert!(bench.biller.flush(PATIENCE));
    assert!(Request::new(&who, &bench.route).reserve(&bench.biller).is_ok());
    assert_eq!(bench.shipper.recover().await.unwrap(), 10);
    assert_eq!(bench.store.sum(), (10, 1_000_000));
}

#[test]
fn a_journal_is_one_processes_own() {
    let (dir, store) = (TempDir::new().unwrap(), Arc::new(MockStore::default()));
    let first = open(dir.path(), &store);
    let second = Biller::open(BillerOptions::new(dir.path()), store.clone(), book());
    assert!(second.unwrap_err().to_string().contains("in use by another process"));
    drop(first);
    assert!(Biller::open(BillerOptions::new(dir.path()), store, book()).is_ok());
}

#[cfg(unix)]
#[test]
fn the_journal_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let (dir, store) = (TempDir::new().unwrap(), Arc::new(MockStore::default()));
    let inner = dir.path().join("journal");
    let _open = open(&inner, &store);
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&inner), 0o700);
    for entry in std::fs::read_dir(&inner).unwrap() {
        assert_eq!(mode(&entry.unwrap().path()), 0o600);
    }
}

#[tokio::test]
async fn a_receipt_that_the_store_refuses_holds_up_no_other() {
    let mut bench = bench();
    let who = caller(None, None, 0, 0);
    let requests: Vec<Request> = (0..5).map(|_| Request::new(&who, &bench.route)).collect();
    *bench.store.refused.lock() = Some(requests[2].id);
    for request in &requests {
        let hold = request.reserve(&bench.biller).unwrap();
        bench.biller.settle(Some(hold), request.outcome(Some(tokens(100, 0))));
    }
    assert_eq!(bench.shipper.recover().await.unwrap(), 4);
    assert_eq!((bench.store.sum(), bench.biller.rejected()), ((4, 400_000), 1));
    let aside = std::fs::read_to_string(bench._dir.path().join("rejected.jsonl")).unwrap();
    let receipt: Receipt = serde_json::from_str(aside.trim()).unwrap();
    assert_eq!((receipt.id, receipt.charge), (requests[2].id, Nano(100_000)));
}

#[tokio::test]
async fn receipts_quota_and_balance_agree_with_the_store() {
    let store = Arc::new(MemoryStore::default());
    let tenant = store.create_tenant(NewTenant { name: "t".into(), ..NewTenant::default() }).await.unwrap();
    let user = NewUser { name: "u".into(), tenant: tenant.id, ..NewUser::default() };
    let user = store.create_user(user).await.unwrap();
    let top_up = async |amount: i64| {
        let side = |account, amount| Posting { account, amount: Nano(amount) };
        let postings = vec![side(Account::User(user.id), amount), side(Account::Cash(tenant.id), -amount)];
        let (author, reason) = (String::new(), String::new());
        let entry =
            NewEntry { kind: EntryKind::TopUp, reference: None, author, reason, reverses: None, postings };
        store.post(entry).await.unwrap();
    };
    top_up(1_000_000_000).await;
    let hash = KeyHash::of(b"sk-1");
    let new = NewKey {
        name: "k".into(),
        hint: "sk-…".into(),
        hash,
        user: user.id,
        quota: dollars(2),
        limits: Limits::default(),
        models: None,
        ips: None,
        expires_at: None,
        group: None,
        apps: None,
    };
    store.create_key(new).await.unwrap();
    let dir = TempDir::new().unwrap();
    let (biller, mut shipper) = Biller::open(BillerOptions::new(dir.path()), store.clone(), book()).unwrap();
    let (route, _) = lane_route("m", "gpt-4o-mini");
    for round in 1..=3i64 {
        let who = store.caller(&hash).await.unwrap().unwrap();
        for _ in 0..10 {
            let request = Request::new(&who, &route);
            let hold = request.reserve(&biller).unwrap();
            biller.settle(Some(hold), request.outcome(Some(tokens(1_000, 0))));
        }
        shipper.recover().await.unwrap();
        // Ten dollars more each round, while the process runs.
        top_up(10_000_000_000).await;
        let (stored, who) =
            (store.user(user.id).await.unwrap().unwrap(), store.caller(&hash).await.unwrap().unwrap());
        assert_eq!(stored.balance, Nano((1 + 10 * round) * 1_000_000_000 - round * 10_000_000));
        assert_eq!(biller.left(&who), (Some(Nano(2_000_000_000 - round * 10_000_000)), Some(stored.balance)));
    }
}

async fn until(mut done: impl FnMut() -> bool) {
    let waiting = async {
        while !done() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.unwrap();
}

#[tokio::test]
async fn the_feed_tells_of_what_the_store_took_and_of_nothing_else() {
    let mut bench = bench();
    let mut feed = bench.biller.feed().subscribe();
    let request = Request::new(&caller(None, None, 0, 0), &bench.route);
    bench.store.away.store(true, SeqCst);
    let hold = request.reserve(&bench.biller).unwrap();
    bench.biller.settle(Some(hold), request.outcome(None));
    bench.shipper.recover().await.unwrap_err();
    feed.try_recv().unwrap_err();
    bench.store.away.store(false, SeqCst);
    bench.shipper.recover().await.unwrap();
    let batch = feed.try_recv().unwrap();
    assert_eq!(batch.iter().map(|receipt| receipt.id).collect::<Vec<_>>(), [request.id]);
    bench.shipper.recover().await.unwrap();
    feed.try_recv().unwrap_err();
}
