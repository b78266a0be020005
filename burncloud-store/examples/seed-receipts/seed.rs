//! A house with three levels of tenants, 200 users, 12 channels and 30 models, and what they asked for in 60 days.

use burncloud_core::ledger::{Account, EntryKind, NewEntry, Posting};
use burncloud_core::store::{
    ChannelStore, KeyStore, LedgerStore, NewTenant, NewUser, ReceiptStore, StoreError, UserStore,
};
use burncloud_core::testing::new_key;
use burncloud_core::{
    ApiKey, Attempt, ChannelConfig, ChannelId, ChannelSettings, Dialect, End, Leg, Line, LineKind, Nano,
    Operation, Receipt, ReceiptId, Status, Tenant, TenantId, TraceId, UnixMicros, Usage, UsageSource, User,
};
use burncloud_store::{SecretBox, SqlStore};
use std::path::Path;
use std::sync::Arc;

/// Days that the receipts lie in; they end now.
pub(crate) const DAYS: i64 = 60;
const DAY: i64 = 86_400_000_000;
const USERS: usize = 200;
const CHANNELS: usize = 12;
const MODELS: usize = 30;
const PROVIDERS: [&str; 3] = ["openai", "anthropic", "deepseek"];

/// Numbers that look like chance, the same in every run.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % sides
    }

    /// One of so many, the first ones far more often than the last.
    fn skewed(&mut self, sides: usize) -> usize {
        let (a, b) = (self.roll(1_000), self.roll(1_000));
        (a * b) as usize * sides / 1_000_000
    }
}

/// The name of a model; the last are rarely asked for.
pub(crate) fn model(n: usize) -> String {
    format!("{}-model-{n:02}", PROVIDERS[n % PROVIDERS.len()])
}

struct House {
    keys: Vec<(ApiKey, Vec<Tenant>)>,
    channels: Vec<ChannelId>,
}

/// The tenants: the house, four below it, three below each of those.
async fn tenants(store: &SqlStore) -> Result<Vec<Vec<Tenant>>, StoreError> {
    let house = store.tenants().await?.remove(0);
    let mut paths = vec![vec![house.clone()]];
    for n in 0..4 {
        let new = NewTenant { name: format!("reseller-{n}"), parent: Some(house.id), ..NewTenant::default() };
        let reseller = store.create_tenant(NewTenant { unlimited: true, ..new }).await?;
        paths.push(vec![reseller.clone(), house.clone()]);
        for m in 0..3 {
            let new = NewTenant {
                name: format!("customer-{n}-{m}"),
                parent: Some(reseller.id),
                unlimited: true,
                ..NewTenant::default()
            };
            let customer = store.create_tenant(new).await?;
            paths.push(vec![customer, reseller.clone(), house.clone()]);
        }
    }
    Ok(paths)
}

async fn pay(store: &SqlStore, user: &User, amount: i64) -> Result<(), StoreError> {
    let side = |account, amount| Posting { account, amount: Nano(amount) };
    let postings = vec![side(Account::User(user.id), amount), side(Account::Cash(user.tenant), -amount)];
    let (author, reason) = ("seed-receipts".to_owned(), "top-up".to_owned());
    let entry =
        NewEntry { kind: EntryKind::TopUp, reference: None, author, reason, reverses: None, postings };
    store.post(entry).await.map(drop)
}

async fn furnish(store: &SqlStore) -> Result<House, StoreError> {
    let paths = tenants(store).await?;
    let mut keys = Vec::new();
    for n in 0..USERS {
        let path = &paths[n % paths.len()];
        let name = format!("user-{n:03}");
        let new = NewUser { name: name.clone(), tenant: path[0].id, ..NewUser::default() };
        let user = store.create_user(new).await?;
        pay(store, &user, 1_000_000_000_000).await?;
        keys.push((store.create_key(new_key(&format!("key-of-{name}"), user.id)).await?, path.clone()));
    }
    let mut channels = Vec::new();
    for n in 0..CHANNELS {
        let provider = PROVIDERS[n % PROVIDERS.len()];
        let channel = ChannelConfig {
            id: ChannelId(0),
            name: format!("{provider}-{n:02}"),
            provider: provider.into(),
            base_url: Some("http://127.0.0.1:9".into()),
            credential: "made-up".to_owned().into(),
            models: (0..MODELS).filter(|m| m % PROVIDERS.len() == n % PROVIDERS.len()).map(model).collect(),
            model_mapping: Default::default(),
            priority: 0,
            weight: 1,
            status: Status::Active,
            settings: ChannelSettings::default(),
        };
        channels.push(store.create_channel(channel).await?.id);
    }
    Ok(House { keys, channels })
}

fn legs(path: &[Tenant], charge: i64) -> Vec<Leg> {
    let mut left = charge;
    let leg = |pair: &[Tenant]| {
        left = left * 9 / 10;
        let (tenant, parent): (TenantId, TenantId) = (pair[0].id, pair[1].id);
        Leg { tenant, parent, charge: Nano(left), shortfall: Nano::ZERO }
    };
    path.windows(2).map(leg).collect()
}

/// How a request ended: one in fifty failed, as many were refused.
fn ending(
    dice: &mut Dice,
    served: ChannelId,
    other: ChannelId,
) -> (u16, End, Option<ChannelId>, Vec<Attempt>) {
    let attempt = |channel, status: Option<u16>| Attempt {
        channel,
        status,
        error: status.is_none().then(|| "the connection was refused".to_owned()),
        took_us: 412_345,
    };
    match dice.roll(100) {
        0 => (502, End::UpstreamFailed, None, vec![attempt(served, None), attempt(other, Some(503))]),
        1 => (200, End::UpstreamCut, Some(served), vec![attempt(served, Some(200))]),
        2 => (429, End::Refused, None, vec![]),
        3 => (400, End::Finished, Some(served), vec![attempt(served, Some(400))]),
        4..=6 => {
            (200, End::Finished, Some(served), vec![attempt(other, Some(529)), attempt(served, Some(200))])
        }
        _ => (200, End::Finished, Some(served), vec![attempt(served, Some(200))]),
    }
}

fn receipt(n: u64, at: i64, house: &House, dice: &mut Dice) -> Receipt {
    let (key, path) = &house.keys[dice.skewed(USERS)];
    let model_of = dice.skewed(MODELS);
    // Channels of a provider are every third.
    let of_provider = |n: u64| house.channels[n as usize % (CHANNELS / 3) * 3 + model_of % 3];
    let (served, other) = (of_provider(dice.roll(4)), of_provider(dice.roll(4) + 1));
    let (status, end, channel, attempts) = ending(dice, served, other);
    let paid = channel.is_some() && status == 200;
    let (input, output) = (200 + dice.roll(6_000), 20 + dice.roll(1_500));
    let (in_price, out_price) =
        (2_500_000_000 / (1 + model_of as i64), 10_000_000_000 / (1 + model_of as i64));
    let line = |kind, units: u64, price: i64| Line {
        kind,
        units,
        price: Nano(price),
        amount: Nano(units.cast_signed() * price / 1_000_000),
    };
    let lines = [line(LineKind::Input, input, in_price), line(LineKind::Output, output, out_price)];
    let charge: i64 = if paid { lines.iter().map(|line| line.amount.0).sum() } else { 0 };
    let first_byte_us = (status == 200).then(|| 150_000 + dice.roll(900_000) as u32);
    let at = UnixMicros(at);
    Receipt {
        id: ReceiptId((u128::from(at.0.unsigned_abs() / 1_000) << 80) | u128::from(n)),
        trace_id: TraceId(((u128::from(dice.roll(u64::MAX)) << 64) | u128::from(n + 1)).to_be_bytes()),
        at,
        key: key.id,
        user: key.user,
        tenant: path[0].id,
        dialect: Dialect::OpenAi,
        operation: Operation::Chat,
        model: model(model_of).into(),
        upstream_model: if attempts.is_empty() { "".into() } else { model(model_of).into() },
        channel,
        upstream_request_id: channel.map(|_| format!("req_{n:032x}").into()),
        streamed: !n.is_multiple_of(3),
        status,
        end,
        attempts,
        usage: if paid { Usage { input, output, ..Usage::default() } } else { Usage::default() },
        usage_source: if paid { UsageSource::Reported } else { UsageSource::None },
        price_version: 1,
        lines: if paid { lines.to_vec() } else { Vec::new() },
        reserved: Nano(charge * 2),
        charge: Nano(charge),
        shortfall: Nano::ZERO,
        legs: if paid { legs(path, charge) } else { Vec::new() },
        abort: None,
        upstream_cost: Nano(charge * 6 / 10),
        first_byte_us,
        took_us: 900_000 + output * 9_000,
        bytes_in: input * 4,
        bytes_out: output * 5,
    }
}

/// Makes a database at `path` and records `count` receipts, the last of which arrived just now.
///
/// # Errors
/// The store's, and those of the file of its key.
pub(crate) async fn make(path: &Path, count: u64) -> Result<SqlStore, Box<dyn std::error::Error>> {
    let secrets = SecretBox::load_or_create(Path::new(&format!("{}.key", path.display())))?;
    let store = SqlStore::connect(&format!("sqlite://{}", path.display()), secrets).await?;
    let house = furnish(&store).await?;
    let (mut dice, now) = (Dice(7), UnixMicros::now().0);
    let begin = now - DAYS * DAY;
    let every = DAYS * DAY / i64::try_from(count.max(1))?;
    let mut batch = Vec::with_capacity(1_000);
    for n in 0..count {
        let jitter = dice.roll(every.unsigned_abs().max(1)).cast_signed();
        let at = begin + n.cast_signed() * every + jitter;
        batch.push(Arc::new(receipt(n, at, &house, &mut dice)));
        if batch.len() == 1_000 || n + 1 == count {
            store.record(&batch).await?;
            batch.clear();
        }
    }
    Ok(store)
}
