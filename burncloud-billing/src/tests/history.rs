//! Random histories over a store and a fake provider: whatever happens in whatever order, the books are right.

use super::budgets::budget;
use super::support::*;
use crate::{Biller, BillerOptions, PriceBook, Shipper, reload_budgets};
use burncloud_core::billing::{Billing, Hold};
use burncloud_core::ledger::{Account, EntryKind, NewEntry, Posting, postings};
use burncloud_core::store::{
    BudgetStore, CallerStore, EntryFilter, KeyStore, LedgerStore, MemoryStore, NewKey, NewTenant, NewUser,
    PriceOverride, ReceiptFilter, ReceiptStore, SpendingStore, UserStore,
};
use burncloud_core::{
    Allowance, Attempt, Budget, Caller, ChannelId, End, KeyHash, KeyId, Limits, Nano, Period, Receipt,
    ReceiptId, Route, RouteTable, Scope, TenantId, UnixMicros, UserId,
};
use parking_lot::Mutex;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread;
use tempfile::TempDir;

/// One request of a thread: who, what it used, and how it ends.
#[derive(Clone, Debug)]
struct Ask {
    who: usize,
    input: u64,
    output: u64,
    fate: Fate,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Fate {
    Finished,
    /// The second channel served, after the first had failed.
    Retried,
    /// The caller went away before anything came.
    Gone,
    /// The provider's report had come when the caller went away.
    GoneLate,
    /// Settled in a later round, or left behind by a crash.
    Slow,
}

#[derive(Clone, Copy, Debug)]
enum Between {
    Nothing,
    Crash {
        recover: bool,
    },
    Price {
        input: i64,
        output: i64,
    },
    TopUp {
        wallet: usize,
        amount: i64,
    },
    /// The last top-up is undone, if the wallet still holds it.
    Refund,
    Budgets {
        allowance: i64,
    },
}

type Round = (Vec<Vec<Ask>>, Between);

fn ask() -> impl Strategy<Value = Ask> {
    let fate = prop_oneof![
        4 => Just(Fate::Finished),
        1 => Just(Fate::Retried),
        1 => Just(Fate::Gone),
        1 => Just(Fate::GoneLate),
        2 => Just(Fate::Slow),
    ];
    // Sometimes more than was held for: 1 000 tokens in and 100 out.
    (0usize..4, 0u64..1_200, 0u64..130, fate).prop_map(|(who, input, output, fate)| Ask {
        who,
        input,
        output,
        fate,
    })
}

fn round() -> impl Strategy<Value = Round> {
    let between = prop_oneof![
        Just(Between::Nothing),
        any::<bool>().prop_map(|recover| Between::Crash { recover }),
        (1i64..5, 1i64..20).prop_map(|(input, output)| Between::Price { input, output }),
        (0usize..5, 1i64..20_000_000).prop_map(|(wallet, amount)| Between::TopUp { wallet, amount }),
        Just(Between::Refund),
        (0i64..40_000_000).prop_map(|allowance| Between::Budgets { allowance }),
    ];
    (proptest::collection::vec(proptest::collection::vec(ask(), 1..12), 3), between)
}

/// What the fake provider knows of a request: what it served, and at which price.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Served {
    /// Refused, or nothing came.
    Nothing,
    /// What it comes to.
    Cost(i64),
    /// Still under way when the process was killed.
    Lost,
}

struct World {
    dir: TempDir,
    store: Arc<MemoryStore>,
    book: Arc<PriceBook>,
    route: Arc<Route>,
    _table: RouteTable,
    secrets: Vec<KeyHash>,
    wallets: Vec<(Account, TenantId)>,
    /// From when on, in nano-dollars for a token in and out.
    prices: Vec<(UnixMicros, i64, i64)>,
    served: Mutex<BTreeMap<ReceiptId, Served>>,
    open: Mutex<Vec<(Request, Hold, usize, Ask)>>,
    paid_in: Vec<(usize, i64, i64)>,
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

async fn people(store: &MemoryStore) -> (Vec<KeyHash>, Vec<(Account, TenantId)>) {
    let house = store.tenant_by_name("default").await.unwrap().unwrap().id;
    let mut parent = house;
    let mut resellers = Vec::new();
    for name in ["reseller", "sub"] {
        let new = NewTenant { name: name.into(), parent: Some(parent), ..NewTenant::default() };
        resellers.push((store.create_tenant(new).await.unwrap().id, parent));
        parent = resellers[resellers.len() - 1].0;
    }
    let (mut secrets, mut wallets) = (Vec::new(), Vec::new());
    for (name, tenant) in [("ann", house), ("bob", parent), ("cid", resellers[0].0)] {
        let new = NewUser { name: name.into(), tenant, ..NewUser::default() };
        let user = store.create_user(new).await.unwrap().id;
        wallets.push((Account::User(user), tenant));
        for n in 0..if name == "ann" { 2 } else { 1 } {
            let key = NewKey {
                name: format!("{name} {n}"),
                hint: String::new(),
                hash: KeyHash::of(format!("{name} {n}").as_bytes()),
                user,
                quota: (n == 1).then_some(Nano(9_000_000)),
                limits: Limits::default(),
                models: None,
                ips: None,
                expires_at: None,
                group: None,
                apps: None,
            };
            secrets.push(store.create_key(key).await.unwrap());
        }
    }
    wallets.extend(resellers.iter().map(|(id, parent)| (Account::Tenant(*id), *parent)));
    (secrets.iter().map(|key| KeyHash::of(key.name.as_bytes())).collect(), wallets)
}

impl World {
    fn new() -> World {
        let store = Arc::new(MemoryStore::default());
        let (secrets, wallets) = wait(people(&store));
        let table = table("m", &[("openai", "gpt-4o-mini"), ("openai", "gpt-4o")]);
        let mut world = World {
            dir: TempDir::new().unwrap(),
            store,
            book: Arc::new(PriceBook::new()),
            route: table.route("m").unwrap().clone(),
            _table: table,
            secrets,
            wallets,
            prices: Vec::new(),
            served: Mutex::default(),
            open: Mutex::default(),
            paid_in: Vec::new(),
        };
        world.set_price(1, 10);
        (0..5).for_each(|wallet| world.top_up(wallet, 12_000_000));
        world.set_budgets(30_000_000);
        world
    }

    fn set_price(&mut self, input: i64, output: i64) {
        self.prices.push((UnixMicros::now(), input * 1_000, output * 1_000));
        let price = |(n, (at, input, output)): (usize, &(UnixMicros, i64, i64))| PriceOverride {
            version: n as u64 + 1,
            book: None,
            channel: None,
            model: "m".into(),
            effective_at: if n == 0 { UnixMicros(0) } else { *at },
            rates: serde_json::json!({"input": (input / 1_000).to_string(), "output": (output / 1_000).to_string()}),
        };
        self.book.set_overrides(self.prices.iter().enumerate().map(price).collect()).unwrap();
        thread::sleep(std::time::Duration::from_micros(50));
    }

    fn cost(&self, at: UnixMicros, ask: &Ask) -> i64 {
        let (_, input, output) = self.prices.iter().rev().find(|(from, ..)| *from <= at).unwrap();
        ask.input as i64 * input + ask.output as i64 * output
    }

    fn post(&self, wallet: usize, amount: i64, kind: EntryKind, reverses: Option<i64>) -> i64 {
        let (account, cash) = self.wallets[wallet];
        let side = |account, amount| Posting { account, amount: Nano(amount) };
        let postings = vec![side(account, amount), side(Account::Cash(cash), -amount)];
        let (author, reason) = ("test".to_owned(), "test".to_owned());
        let entry = NewEntry { kind, reference: None, author, reason, reverses, postings };
        wait(self.store.post(entry)).unwrap().id
    }

    fn top_up(&mut self, wallet: usize, amount: i64) {
        let entry = self.post(wallet, amount, EntryKind::TopUp, None);
        self.paid_in.push((wallet, amount, entry));
    }

    fn refund(&mut self) {
        let Some((wallet, amount, entry)) = self.paid_in.pop() else { return };
        // What is held for requests under way is theirs.
        let held = self.open.lock().len() as i64 * 20_000_000;
        if wait(self.store.balance(self.wallets[wallet].0)).unwrap().0 >= amount + held {
            self.post(wallet, -amount, EntryKind::Reversal, Some(entry));
        }
    }

    fn set_budgets(&self, allowance: i64) {
        let all = [
            budget("key", Scope::Key(KeyId(6)), Allowance::Tokens(allowance as u64 / 1_000)),
            Budget {
                period: Period::Total,
                ..budget("model", Scope::Model("m".into()), Allowance::Money(Nano(allowance)))
            },
            budget("tenant", Scope::Tenant(TenantId(1)), Allowance::Money(Nano(allowance))),
            budget("channel", Scope::Channel(ChannelId(1)), Allowance::Money(Nano(allowance / 4))),
        ];
        all.iter().for_each(|budget| wait(self.store.set_budget(budget)).unwrap());
    }

    /// A process that starts has no copies of callers from before.
    async fn forget_callers(&self) {
        for user in self.store.users(None, 100).await.unwrap() {
            self.store.update_user(&user).await.unwrap();
        }
    }

    fn open_biller(&self, recover: bool) -> (Arc<Biller>, Shipper) {
        let (biller, mut shipper) =
            Biller::open(BillerOptions::new(self.dir.path()), self.store.clone(), self.book.clone()).unwrap();
        if recover {
            wait(shipper.recover()).unwrap();
        }
        wait(reload_budgets(&*self.store, &biller)).unwrap();
        (biller, shipper)
    }

    fn caller(&self, who: usize) -> Arc<Caller> {
        self.store.peek(&self.secrets[who]).flatten().unwrap()
    }

    /// One request from its beginning to where it is settled or left open.
    fn run(&self, biller: &Biller, ask: &Ask) {
        let request = Request::new(&self.caller(ask.who), &self.route);
        let mut hold = match request.reserve(biller) {
            Ok(hold) => hold,
            Err(error) => {
                let mut outcome = request.outcome(None);
                (outcome.end, outcome.status, outcome.served) = (End::Refused, error.status().as_u16(), None);
                self.served.lock().insert(request.id, Served::Nothing);
                return biller.settle(None, outcome);
            }
        };
        // The first channel's budget may be used up; the second has none.
        let first = biller.attempt(&mut hold, &self.route.lanes[0], request.at);
        let lane = usize::from(ask.fate == Fate::Retried || first.is_err());
        if lane == 1 {
            biller.attempt(&mut hold, &self.route.lanes[1], request.at).unwrap();
        }
        if ask.fate == Fate::Slow {
            self.served.lock().insert(request.id, Served::Lost);
            return self.open.lock().push((request, hold, lane, ask.clone()));
        }
        self.settle(biller, request, hold, lane, ask);
    }

    fn settle(&self, biller: &Biller, request: Request, hold: Hold, lane: usize, ask: &Ask) {
        let nothing = ask.fate == Fate::Gone;
        let mut outcome = request.outcome((!nothing).then(|| tokens(ask.input, ask.output)));
        outcome.served = Some(self.route.lanes[lane].clone());
        match ask.fate {
            Fate::Gone => (outcome.end, outcome.status, outcome.served) = (End::CallerGone, 499, None),
            Fate::GoneLate => (outcome.end, outcome.streamed) = (End::CallerGone, true),
            Fate::Retried => {
                let failed = Attempt { channel: ChannelId(1), status: Some(500), error: None, took_us: 1 };
                outcome.attempts = vec![failed];
            }
            Fate::Finished | Fate::Slow => {}
        }
        let served = if nothing { Served::Nothing } else { Served::Cost(self.cost(request.at, ask)) };
        self.served.lock().insert(request.id, served);
        biller.settle(Some(hold), outcome);
    }

    fn settle_some(&self, biller: &Biller) {
        let open = std::mem::take(&mut *self.open.lock());
        for (n, (request, hold, lane, ask)) in open.into_iter().enumerate() {
            if n % 2 == 0 {
                self.settle(biller, request, hold, lane, &ask);
            } else {
                self.open.lock().push((request, hold, lane, ask));
            }
        }
    }

    fn within_limits(&self, biller: &Biller) {
        for who in 0..self.secrets.len() {
            let (quota, wallet) = biller.left(&self.caller(who));
            assert!(quota.is_none_or(|left| left >= Nano::ZERO), "quota of {who}: {quota:?}");
            assert!(wallet.unwrap() >= Nano::ZERO, "wallet of {who}: {wallet:?}");
        }
    }

    fn play(&mut self, rounds: &[Round]) {
        let (mut biller, mut shipper) = self.open_biller(true);
        for (threads, between) in rounds {
            let world = &*self;
            thread::scope(|scope| {
                for asks in threads {
                    let biller = &biller;
                    scope.spawn(move || {
                        asks.iter().for_each(|ask| world.run(biller, ask));
                        world.within_limits(biller);
                    });
                }
                let shipper = &mut shipper;
                scope.spawn(move || wait(shipper.recover()).unwrap());
            });
            self.settle_some(&biller);
            match *between {
                Between::Nothing => {}
                Between::Crash { recover } => {
                    drop((biller, shipper));
                    self.open.lock().clear();
                    wait(self.forget_callers());
                    (biller, shipper) = self.open_biller(recover);
                }
                Between::Price { input, output } => self.set_price(input, output),
                Between::TopUp { wallet, amount } => self.top_up(wallet, amount),
                Between::Refund => {
                    wait(shipper.recover()).unwrap();
                    self.refund();
                }
                Between::Budgets { allowance } => {
                    self.set_budgets(allowance);
                    wait(reload_budgets(&*self.store, &biller)).unwrap();
                }
            }
            self.within_limits(&biller);
        }
        let open = std::mem::take(&mut *self.open.lock());
        open.into_iter()
            .for_each(|(request, hold, lane, ask)| self.settle(&biller, request, hold, lane, &ask));
        wait(shipper.recover()).unwrap();
        assert_eq!(biller.reserved_total(), Nano::ZERO, "nothing is held");
        wait(self.check(&biller));
    }

    async fn check(&self, biller: &Biller) {
        let store = &*self.store;
        let all = ReceiptFilter { limit: u32::MAX, ..ReceiptFilter::default() };
        let receipts = store.receipts(&all).await.unwrap();
        self.check_receipts(&receipts);
        self.check_ledger(&receipts).await;
        for (user, key) in receipts.iter().map(|receipt| (receipt.user, receipt.key)) {
            let (user, key): (UserId, KeyId) = (user, key);
            let user = store.user(user).await.unwrap().unwrap();
            let key = store.key(key).await.unwrap().unwrap();
            assert!(user.balance.plus(user.credit) >= Nano::ZERO, "{user:?}");
            assert!(key.quota.is_none_or(|quota| key.used <= quota), "{key:?}");
        }
        for tenant in store.tenants().await.unwrap() {
            assert!(
                tenant.parent.is_none() || tenant.balance.plus(tenant.credit) >= Nano::ZERO,
                "{tenant:?}"
            );
        }
        for state in biller.budgets() {
            let stored = store.spent(&state.budget.scope, UnixMicros(0)).await.unwrap();
            assert_eq!((state.spent, state.held), (stored, Default::default()), "{}", state.budget.name);
        }
    }

    /// Every request left one receipt, for what was served.
    fn check_receipts(&self, receipts: &[Receipt]) {
        let served = self.served.lock();
        assert_eq!(receipts.len(), served.len(), "each request settles once");
        for receipt in receipts {
            let comes_to = receipt.charge.plus(receipt.shortfall);
            let (expected, end) = match served[&receipt.id] {
                Served::Cost(cost) => (cost, receipt.end),
                Served::Nothing => (0, receipt.end),
                Served::Lost => (0, End::Orphaned),
            };
            assert_eq!((comes_to, receipt.end), (Nano(expected), end), "{receipt:?}");
            let lines: i64 = receipt.lines.iter().map(|line| line.amount.0).sum();
            assert_eq!(comes_to.0, lines);
            assert!(receipt.charge >= Nano::ZERO && receipt.shortfall >= Nano::ZERO);
        }
    }

    /// The ledger is what was paid in and what the receipts come to, and nothing else.
    async fn check_ledger(&self, receipts: &[Receipt]) {
        let store = &*self.store;
        let all = EntryFilter { limit: u32::MAX, ..EntryFilter::default() };
        let mut sums: BTreeMap<Account, i64> = BTreeMap::new();
        let mut posted: BTreeMap<Account, i64> = BTreeMap::new();
        for entry in store.entries(&all).await.unwrap() {
            assert_eq!(entry.postings.iter().map(|posting| posting.amount.0).sum::<i64>(), 0, "{entry:?}");
            for Posting { account, amount } in entry.postings {
                *sums.entry(account).or_default() += amount.0;
                if entry.kind == EntryKind::Receipts {
                    *posted.entry(account).or_default() += amount.0;
                }
            }
        }
        let balances = store.balances(None, u32::MAX).await.unwrap();
        assert_eq!(balances.iter().map(|(_, nano)| nano.0).sum::<i64>(), 0, "all accounts together");
        let balances: BTreeMap<Account, i64> =
            balances.into_iter().map(|(account, nano)| (account, nano.0)).collect();
        assert_eq!(balances, sums, "balances are the sums of postings");
        posted.retain(|_, sum| *sum != 0);
        let expected: BTreeMap<Account, i64> =
            postings(receipts).iter().map(|p| (p.account, p.amount.0)).collect();
        assert_eq!(posted, expected, "receipts are posted once each");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 40, ..ProptestConfig::default() })]

    #[test]
    fn any_history_leaves_the_books_right(rounds in proptest::collection::vec(round(), 1..7)) {
        World::new().play(&rounds);
    }
}
