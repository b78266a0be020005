//! What the tests stand on.

use crate::journal::Admit;
use crate::{Biller, BillerOptions, PriceBook, Shipper};
use async_trait::async_trait;
use burncloud_core::adapter::{Adapter, AnswerHead, NoUsage, Registry, Sample, TargetAsk, UsageReader};
use burncloud_core::billing::{Ask, Billing, Hold, Outcome};
use burncloud_core::routing::{Candidate, Timeouts};
use burncloud_core::store::{
    PriceOverride, PriceStore, ReceiptFilter, ReceiptStore, StoreError, StoreResult,
};
use burncloud_core::{
    AbortKind, ApiKey, Attempt, Caller, ChannelConfig, ChannelId, ChannelSettings, Dialect, End, Endpoint,
    Error, KeyId, Leg, Line, LineKind, Nano, Operation, Picture, Quality, Receipt, ReceiptId, Route,
    RouteTable, ServiceTier, Status, Tenant, TenantId, TraceId, UnixMicros, Usage, UsageSource, User, UserId,
};
use bytes::Bytes;
use http::uri::PathAndQuery;
use http::{HeaderName, HeaderValue};
use parking_lot::Mutex;
use secrecy::SecretString;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};

pub(crate) struct TestAdapter(pub(crate) &'static str);

impl Adapter for TestAdapter {
    fn name(&self) -> &str {
        self.0
    }
    fn default_base_url(&self) -> &str {
        "http://127.0.0.1:1"
    }
    fn api_root(&self) -> &str {
        "/v1"
    }
    fn serves(&self, _: &Endpoint) -> bool {
        true
    }
    fn target(&self, ask: &TargetAsk<'_>) -> Result<PathAndQuery, Error> {
        Ok(ask.path.parse().unwrap())
    }
    fn authorize(&self, _: &SecretString) -> Result<Vec<(HeaderName, HeaderValue)>, Error> {
        Ok(Vec::new())
    }
    fn usage_reader(&self, _: &Endpoint, _: &AnswerHead<'_>) -> Box<dyn UsageReader> {
        Box::new(NoUsage)
    }
}

/// A table of one model at several lanes: provider and upstream model.
pub(crate) fn table(asked: &str, lanes: &[(&'static str, &str)]) -> RouteTable {
    let registry = lanes.iter().fold(Registry::new(), |r, (provider, _)| r.with(TestAdapter(provider)));
    let configs: Vec<ChannelConfig> = lanes
        .iter()
        .enumerate()
        .map(|(i, (provider, upstream))| ChannelConfig {
            id: ChannelId(i as i64 + 1),
            name: format!("c{i}"),
            provider: (*provider).into(),
            base_url: None,
            credential: SecretString::from("x"),
            models: vec![asked.into()],
            model_mapping: BTreeMap::from([(asked.into(), (*upstream).into())]),
            priority: 100 - i as i32,
            weight: 1,
            status: Status::Active,
            settings: ChannelSettings::default(),
        })
        .collect();
    RouteTable::build(&configs, &registry, &Timeouts::default(), None).unwrap()
}

pub(crate) fn lane_route(asked: &str, upstream: &str) -> (Arc<Route>, Candidate) {
    let table = table(asked, &[("openai", upstream)]);
    let route = table.route(asked).unwrap().clone();
    let lane = route.lanes[0].clone();
    (route, lane)
}

/// Key 1 of user 2 of tenant 3.
pub(crate) fn caller(quota: Option<Nano>, balance: Option<Nano>, key_used: i64, used: i64) -> Arc<Caller> {
    caller_of(1, 2, quota, balance, key_used, used)
}

pub(crate) fn caller_of(
    key: i64,
    user: i64,
    quota: Option<Nano>,
    balance: Option<Nano>,
    key_used: i64,
    used: i64,
) -> Arc<Caller> {
    let tenant = Tenant { id: TenantId(3), name: "t".into(), ..Tenant::default() };
    let user = User {
        id: UserId(user),
        name: "u".into(),
        tenant: tenant.id,
        balance: balance.unwrap_or_default(),
        unlimited: balance.is_none(),
        used: Nano(used),
        ..User::default()
    };
    let key = ApiKey {
        id: KeyId(key),
        name: "k".into(),
        hint: "sk-…".into(),
        user: user.id,
        quota,
        used: Nano(key_used),
        ..ApiKey::default()
    };
    Arc::new(Caller::new(key, user, tenant))
}

/// The same with `levels` tenants above its own, of which all but the last pay their parent: tenant 3, then 4, 5…, each
/// with a wallet of its own that has no bound.
pub(crate) fn under(caller: &Caller, levels: usize) -> Caller {
    let last = levels as i64 + 3;
    let tenant = |id: i64| Tenant {
        id: TenantId(id),
        name: format!("t{id}"),
        parent: (id < last).then_some(TenantId(id + 1)),
        unlimited: true,
        ..Tenant::default()
    };
    let made = Caller::new(caller.key.clone(), caller.user.clone(), tenant(3));
    made.under((4..=last).map(tenant).collect())
}

pub(crate) fn endpoint(operation: Operation) -> Endpoint {
    Endpoint { operation, ..Endpoint::default() }
}

/// One request as the layers would make it.
pub(crate) struct Request {
    pub(crate) id: ReceiptId,
    pub(crate) at: UnixMicros,
    pub(crate) caller: Arc<Caller>,
    pub(crate) endpoint: Endpoint,
    pub(crate) route: Arc<Route>,
    pub(crate) body_len: u64,
    pub(crate) max_output: Option<u64>,
    pub(crate) tools: &'static str,
}

impl Request {
    pub(crate) fn new(caller: &Arc<Caller>, route: &Arc<Route>) -> Request {
        let at = UnixMicros::now();
        Request {
            id: ReceiptId::new(at),
            at,
            caller: caller.clone(),
            endpoint: endpoint(Operation::Chat),
            route: route.clone(),
            body_len: 1_000,
            max_output: Some(100),
            tools: "",
        }
    }

    pub(crate) fn reserve(&self, biller: &Biller) -> Result<Hold, Error> {
        biller.reserve(&Ask {
            id: self.id,
            trace_id: TraceId([7; 16]),
            at: self.at,
            caller: &self.caller,
            endpoint: &self.endpoint,
            route: &self.route,
            candidates: &self.route.lanes,
            body_len: self.body_len,
            max_output: self.max_output,
            answers: 1,
            tools: self.tools.as_bytes(),
        })
    }

    pub(crate) fn outcome(&self, usage: Option<Usage>) -> Outcome {
        Outcome {
            id: self.id,
            trace_id: TraceId([7; 16]),
            at: self.at,
            caller: self.caller.clone(),
            drained: false,
            provisional: true,
            endpoint: self.endpoint.clone(),
            model: self.route.model.clone(),
            route: Some(self.route.clone()),
            served: self.route.lanes.first().cloned(),
            attempts: Vec::new(),
            upstream_request_id: None,
            streamed: false,
            status: 200,
            end: End::Finished,
            usage,
            request_sample: Sample::default(),
            response_sample: Sample::default(),
            first_byte_us: Some(1_000),
            took_us: 2_000,
            bytes_in: self.body_len,
            bytes_out: 10,
        }
    }
}

pub(crate) fn tokens(input: u64, output: u64) -> Usage {
    Usage { input, output, ..Usage::default() }
}

pub(crate) fn sample(text: &str) -> Sample {
    Sample::of(&Bytes::copy_from_slice(text.as_bytes()))
}

/// A store that can be switched off, and that behaves as the trait says.
#[derive(Default)]
pub(crate) struct MockStore {
    pub(crate) away: AtomicBool,
    pub(crate) calls: AtomicUsize,
    /// Never taken.
    pub(crate) refused: Mutex<Option<ReceiptId>>,
    pub(crate) receipts: Mutex<HashMap<ReceiptId, Arc<Receipt>>>,
    prices: Mutex<Vec<PriceOverride>>,
}

impl MockStore {
    /// How many receipts, and the sum of their charges.
    pub(crate) fn sum(&self) -> (usize, i64) {
        let receipts = self.receipts.lock();
        (receipts.len(), receipts.values().map(|r| r.charge.0).sum())
    }
}

#[async_trait]
impl ReceiptStore for MockStore {
    async fn record(&self, receipts: &[Arc<Receipt>]) -> StoreResult<usize> {
        self.calls.fetch_add(1, SeqCst);
        if self.away.load(SeqCst) {
            return Err(StoreError::Unavailable("switched off".into()));
        }
        if receipts.iter().any(|r| Some(r.id) == *self.refused.lock()) {
            return Err(StoreError::Invalid("does not fit".into()));
        }
        let mut all = self.receipts.lock();
        Ok(receipts.iter().filter(|r| all.insert(r.id, (*r).clone()).is_none()).count())
    }
    async fn receipt(&self, id: ReceiptId) -> StoreResult<Option<Receipt>> {
        Ok(self.receipts.lock().get(&id).map(|r| (**r).clone()))
    }
    async fn receipts(&self, _: &ReceiptFilter) -> StoreResult<Vec<Receipt>> {
        Ok(self.receipts.lock().values().map(|r| (**r).clone()).collect())
    }
}

#[async_trait]
impl PriceStore for MockStore {
    async fn add_price(&self, mut price: PriceOverride) -> StoreResult<u64> {
        let mut prices = self.prices.lock();
        price.version = prices.len() as u64 + 1;
        prices.push(price);
        Ok(prices.len() as u64)
    }
    async fn prices(&self) -> StoreResult<Vec<PriceOverride>> {
        Ok(self.prices.lock().clone())
    }
}

/// A selling rule in a tenant's book, or the house's.
pub(crate) fn rule(book: Option<i64>, model: &str, from: i64, rates: serde_json::Value) -> PriceOverride {
    let (book, effective_at) = (book.map(TenantId), UnixMicros(from));
    PriceOverride { version: 0, book, channel: None, model: model.into(), effective_at, rates }
}

/// A book in which `m` costs a dollar per million tokens in and ten out.
pub(crate) fn book() -> Arc<PriceBook> {
    let book = PriceBook::new();
    let rates = serde_json::json!({"input": "1", "output": "10"});
    book.set_overrides(vec![PriceOverride { version: 1, ..rule(None, "m", 0, rates) }]).unwrap();
    Arc::new(book)
}

pub(crate) fn open(dir: &Path, store: &Arc<MockStore>) -> (Arc<Biller>, Shipper) {
    Biller::open(BillerOptions::new(dir), store.clone(), book()).unwrap()
}

pub(crate) fn admit(n: u64) -> Admit {
    Admit {
        id: ReceiptId(u128::from(n)),
        trace_id: TraceId([n as u8; 16]),
        at: UnixMicros(1_793_534_400_000_000),
        key: KeyId(1),
        user: UserId(2),
        tenant: TenantId(3),
        dialect: Dialect::Anthropic,
        operation: Operation::Messages,
        model: "m".into(),
        upstream_model: "claude-sonnet-4-5".into(),
        channel: Some(ChannelId(4)),
        reserved: Nano(1_000),
        input: Nano(400),
        legs: Vec::new(),
        price_version: 2,
        bytes_in: 321,
    }
}

/// A receipt in which everything that varies is drawn from the seed.
pub(crate) fn receipt(seed: u64) -> Receipt {
    let bit = |n: u32| seed.rotate_right(n) & 1 == 1;
    let some = |n: u32| seed.rotate_left(n) % 1_000_000;
    Receipt {
        id: ReceiptId(u128::from(seed)),
        trace_id: TraceId([seed as u8; 16]),
        at: UnixMicros(some(1) as i64 + 1),
        key: KeyId(1),
        user: UserId(2),
        tenant: TenantId(-3),
        dialect: [Dialect::OpenAi, Dialect::Gemini, Dialect::Bedrock][some(2) as usize % 3],
        operation: [Operation::Chat, Operation::CohereChat, Operation::Embeddings][some(3) as usize % 3],
        model: if bit(1) { "".into() } else { "gpt-4o-mini".into() },
        upstream_model: "模型".into(),
        channel: bit(2).then_some(ChannelId(some(4) as i64)),
        upstream_request_id: bit(3).then(|| "req_1".into()),
        streamed: bit(4),
        status: (some(5) % 600) as u16,
        end: [End::Finished, End::CallerGone, End::Orphaned][some(6) as usize % 3],
        attempts: (0..some(7) % 3)
            .map(|n| Attempt {
                channel: ChannelId(n as i64),
                status: bit(5).then_some(429),
                error: bit(6).then(|| "timed out".into()),
                took_us: some(8) as u32,
            })
            .collect(),
        usage: Usage {
            input: seed,
            cached_read: some(9),
            reasoning: some(10),
            audio_ms: some(11),
            web_searches: if bit(11) { some(25) } else { 0 },
            picture: if bit(12) {
                Picture { width: 1024, height: 9, quality: Quality::Hd }
            } else {
                Picture::default()
            },
            tier: [ServiceTier::Standard, ServiceTier::Batch][usize::from(bit(7))],
            ..Usage::default()
        },
        usage_source: [UsageSource::Reported, UsageSource::Estimated][usize::from(bit(8))],
        price_version: some(12),
        lines: (0..some(13) % 4)
            .map(|n| Line { kind: LineKind::Piece, units: n, price: Nano(some(14) as i64), amount: Nano(-1) })
            .collect(),
        reserved: Nano(some(15) as i64),
        charge: Nano(some(16) as i64),
        shortfall: Nano(some(17) as i64),
        legs: (0..some(22) % 3)
            .map(|n| Leg {
                tenant: TenantId(n as i64),
                parent: TenantId(-1),
                charge: Nano(some(23) as i64),
                shortfall: Nano(some(24) as i64),
            })
            .collect(),
        abort: bit(10).then_some(AbortKind::Reported),
        upstream_cost: Nano(some(18) as i64),
        first_byte_us: bit(9).then_some(some(19) as u32),
        took_us: some(20),
        bytes_in: some(21),
        bytes_out: u64::MAX,
    }
}
