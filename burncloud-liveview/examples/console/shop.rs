//! A little shop: accounts, customers, a reseller, and a month of trade.

use burncloud_billing::people::{self, Actor, Wallet};
use burncloud_core::store::{ChannelStore, MemoryStore, NewTenant, NewUser, PriceOverride, PriceStore};
use burncloud_core::store::{ReceiptStore, UserStore};
use burncloud_core::usecase::keys::KeySpec;
use burncloud_core::{
    ApiKey, Attempt, ChannelConfig, ChannelId, ChannelSettings, Dialect, End, Leg, Limits, Line, LineKind,
    Nano, Operation, Receipt, ReceiptId, Role, Status, TenantId, TraceId, UnixMicros, Usage, UsageSource,
};
use secrecy::{ExposeSecret, SecretString};
use std::net::SocketAddr;
use std::sync::Arc;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

const MODELS: [(&str, i64, i64); 3] =
    [("gpt-4o-mini", 150, 600), ("gpt-4o", 2_500, 10_000), ("gpt-5-mini", 250, 2_000)];

pub(crate) struct Shop {
    pub(crate) keys: Vec<(ApiKey, SecretString, TenantId)>,
    pub(crate) channels: Vec<ChannelConfig>,
    reseller: TenantId,
}

/// Accounts, people, keys, prices.
pub(crate) async fn open(store: &MemoryStore, provider: SocketAddr) -> Result<Shop> {
    let owner = Actor::operator("example");
    let mut channels = Vec::new();
    for (name, credential, priority, weight) in
        [("harbour-01", "sk-one", 0, 40), ("harbour-02", "sk-moody", 0, 30), ("lagoon", "sk-three", -1, 10)]
    {
        let channel = ChannelConfig {
            id: ChannelId(0),
            name: name.into(),
            provider: "openai".into(),
            base_url: Some(format!("http://{provider}")),
            credential: credential.into(),
            models: MODELS.iter().map(|(model, ..)| (*model).to_owned()).collect(),
            model_mapping: [("fast".to_owned(), "gpt-4o-mini".to_owned())].into(),
            priority,
            weight,
            status: Status::Active,
            settings: ChannelSettings::default(),
        };
        channels.push(store.create_channel(channel).await?);
    }
    let house = store.tenant_by_name("default").await?.ok_or("no house")?.id;
    let delta = NewTenant {
        name: "Delta Cloud".into(),
        parent: Some(house),
        unlimited: true,
        ..NewTenant::default()
    };
    let reseller = people::create_tenant(store, &owner, delta).await?.id;
    let price = |book, model: &str, rates| PriceOverride {
        version: 0,
        book,
        channel: None,
        model: model.into(),
        effective_at: UnixMicros(0),
        rates,
    };
    store.add_price(price(None, "*", serde_json::json!({ "markup": "1.4" }))).await?;
    store.add_price(price(Some(reseller), "*", serde_json::json!({ "markup": "1.2" }))).await?;
    let mut keys = Vec::new();
    for (name, tenant, role, dollars) in [
        ("Pixel Tea", house, Role::EndUser, 1204),
        ("Northwind Robotics", house, Role::EndUser, 8460),
        ("Kepler Edu", reseller, Role::EndUser, 96),
        ("Mori Studio", house, Role::EndUser, 0),
        ("Delta Desk", reseller, Role::Reseller, 12_900),
        ("The books", house, Role::Accountant, 0),
        ("Second hand", house, Role::Administrator, 0),
    ] {
        let new = NewUser { name: name.into(), tenant, role, ..NewUser::default() };
        let user = people::create_user(store, &owner, new).await?;
        if dollars > 0 {
            let amount = Nano(dollars * 1_000_000_000);
            people::top_up(store, &owner, &Wallet::User(user.clone()), amount, None, "first payment").await?;
        }
        if matches!(role, Role::EndUser | Role::Reseller) {
            let spec = KeySpec {
                name: format!("{name} production"),
                user: user.id,
                quota: None,
                limits: Limits::default(),
                models: None,
                ips: None,
                expires_at: None,
                group: None,
                apps: None,
            };
            let made = people::create_key(store, &owner, spec, None).await?;
            keys.push((made.key, made.secret, tenant));
        }
    }
    Ok(Shop { keys, channels, reseller })
}

/// A month of receipts, `count` of them, as the gateway would have left them.
pub(crate) async fn history(store: &MemoryStore, shop: &Shop, count: u64) -> Result<()> {
    let now = UnixMicros::now().0;
    let span = 30 * 24 * 3600 * 1_000_000_i64;
    let mut batch = Vec::new();
    for n in 0..count {
        let i = i64::try_from(n)?;
        let at = UnixMicros(now - span + span / i64::try_from(count)? * i);
        batch.push(Arc::new(receipt(shop, n, at)?));
        if batch.len() == 1000 {
            store.record(&batch).await?;
            batch.clear();
        }
    }
    store.record(&batch).await?;
    Ok(())
}

fn receipt(shop: &Shop, n: u64, at: UnixMicros) -> Result<Receipt> {
    let pick = |k: u64, of: usize| (n.wrapping_mul(2_654_435_761).wrapping_add(k * 97) >> 7) as usize % of;
    let (key, _, tenant) = &shop.keys[pick(1, 3)];
    let (model, price_in, price_out) = MODELS[pick(2, MODELS.len())];
    let channel = shop.channels[pick(3, 2)].id;
    let failed = n.is_multiple_of(53);
    let refused = n.is_multiple_of(41);
    let (input, output) = (300 + pick(4, 2400) as u64, 40 + pick(5, 900) as u64);
    let usage =
        if failed || refused { Usage::default() } else { Usage { input, output, ..Usage::default() } };
    let amount =
        |units: u64, price: i64| -> Result<Nano> { Ok(Nano(i64::try_from(units)? * price * 14 / 10)) };
    let lines = vec![
        Line {
            kind: LineKind::Input,
            units: usage.input,
            price: Nano(price_in * 1_400_000),
            amount: amount(usage.input, price_in)?,
        },
        Line {
            kind: LineKind::Output,
            units: usage.output,
            price: Nano(price_out * 1_400_000),
            amount: amount(usage.output, price_out)?,
        },
    ];
    let charge = lines.iter().fold(Nano::ZERO, |sum, line| sum.plus(line.amount));
    let house = store_house(shop);
    let legs = if *tenant == shop.reseller {
        vec![Leg { tenant: *tenant, parent: house, charge: Nano(charge.0 * 8 / 10), shortfall: Nano::ZERO }]
    } else {
        vec![]
    };
    let status = if failed {
        502
    } else if refused {
        429
    } else {
        200
    };
    let attempt = |channel, status, error: Option<&str>| Attempt {
        channel,
        status,
        error: error.map(str::to_owned),
        took_us: 210_000 + pick(6, 600_000) as u32,
    };
    let attempts = match (failed, refused) {
        (true, _) => vec![attempt(channel, None, Some("the connection was refused"))],
        (_, true) => vec![],
        _ if n.is_multiple_of(19) => vec![
            attempt(shop.channels[1].id, Some(429), Some("the provider is too busy")),
            attempt(channel, Some(200), None),
        ],
        _ => vec![attempt(channel, Some(200), None)],
    };
    let first = 250_000 + pick(7, 900_000) as u32;
    Ok(Receipt {
        id: ReceiptId::new(at),
        trace_id: TraceId::random(),
        at,
        key: key.id,
        user: key.user,
        tenant: *tenant,
        dialect: Dialect::OpenAi,
        operation: Operation::Chat,
        model: model.into(),
        upstream_model: if refused { "".into() } else { model.into() },
        channel: (!refused && !failed).then_some(channel),
        upstream_request_id: None,
        streamed: n.is_multiple_of(2),
        status,
        end: if failed {
            End::UpstreamFailed
        } else if refused {
            End::Refused
        } else {
            End::Finished
        },
        attempts,
        usage,
        usage_source: if failed || refused { UsageSource::None } else { UsageSource::Reported },
        price_version: 1,
        lines: if charge == Nano::ZERO { vec![] } else { lines },
        reserved: charge,
        charge,
        shortfall: Nano::ZERO,
        legs,
        abort: None,
        upstream_cost: Nano(charge.0 * 10 / 14),
        first_byte_us: (status == 200).then_some(first),
        took_us: u64::from(first) * 3,
        bytes_in: 900,
        bytes_out: 4000,
    })
}

fn store_house(shop: &Shop) -> TenantId {
    shop.keys[0].2
}

/// Callers who ask now and then, for ever.
pub(crate) fn trade(shop: &Shop, gateway: burncloud_core::Gateway) {
    for (n, (_, secret, _)) in shop.keys.iter().enumerate() {
        let (secret, gateway) = (secret.clone(), gateway.clone());
        tokio::spawn(async move {
            loop {
                let body = serde_json::json!({ "model": MODELS[n % MODELS.len()].0, "stream": n.is_multiple_of(2),
                    "messages": [{ "role": "user", "content": "hello" }] });
                let request = http::Request::post("/v1/chat/completions")
                    .header("content-type", "application/json")
                    .header("authorization", format!("Bearer {}", secret.expose_secret()))
                    .body(burncloud_core::Body::from(bytes::Bytes::from(body.to_string())));
                if let Ok(request) = request {
                    let Ok(answer) = gateway.answer(request).await;
                    let _ = http_body_util::BodyExt::collect(answer.into_body()).await;
                }
                tokio::time::sleep(std::time::Duration::from_millis(400 + 300 * n as u64)).await;
            }
        });
    }
}
