//! What each layer costs: the stack grows by one layer from row to row, over a service that answers at once, so
//! the difference between two rows is one layer. What stands below `reserve` needs a provider and is measured by
//! `gateway-bench`.

use burncloud_adapters::registry;
use burncloud_core::adapter::Registry;
use burncloud_core::billing::NoBilling;
use burncloud_core::layers::auth::AuthLayer;
use burncloud_core::layers::classify::ClassifyLayer;
use burncloud_core::layers::inspect::InspectLayer;
use burncloud_core::layers::limit::LimitLayer;
use burncloud_core::layers::meter::MeterLayer;
use burncloud_core::layers::rescue::RescueLayer;
use burncloud_core::layers::reserve::ReserveLayer;
use burncloud_core::layers::route::RouteLayer;
use burncloud_core::layers::shed::{ShedLayer, ShedSettings};
use burncloud_core::layers::trace::TraceLayer;
use burncloud_core::routing::Timeouts;
use burncloud_core::store::{KeyStore, MemoryStore, NewKey, UserStore};
use burncloud_core::{
    Body, ChannelConfig, ChannelId, ChannelSettings, Error, KeyHash, Limits, RouteTable, Stats, Status,
};
use bytes::Bytes;
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use http::{Request, Response};
use std::hint::black_box;
use std::sync::Arc;
use tower::{Layer, Service, ServiceExt, service_fn};

type Answer = Result<Response<Body>, Error>;

/// Where the stack ends.
fn end()
-> impl Service<Request<Body>, Response = Response<Body>, Error = Error, Future: Send> + Clone + Send + Sync {
    service_fn(|request: Request<Body>| async move {
        drop(request);
        Answer::Ok(Response::new(Body::empty()))
    })
}

/// A chat request of about 1 KB, as an SDK sends it.
fn request(body: &Bytes) -> Request<Body> {
    let mut request = Request::new(Body::from(body.clone()));
    *request.method_mut() = http::Method::POST;
    *request.uri_mut() = http::Uri::from_static("/v1/chat/completions");
    let headers = request.headers_mut();
    for (name, value) in [
        ("authorization", "Bearer sk-burn-layers"),
        ("content-type", "application/json"),
        ("accept", "application/json"),
        ("user-agent", "OpenAI/Python"),
        ("host", "127.0.0.1:3000"),
    ] {
        headers.insert(name, http::HeaderValue::from_static(value));
    }
    request
}

fn table(registry: &Registry) -> RouteTable {
    let channel = ChannelConfig {
        id: ChannelId(1),
        name: "a".into(),
        provider: "openai".into(),
        base_url: None,
        credential: "sk-provider".into(),
        models: vec!["gpt-4o-mini".into()],
        model_mapping: [("fast".to_owned(), "gpt-4o-mini".to_owned())].into(),
        priority: 0,
        weight: 1,
        status: Status::Active,
        settings: ChannelSettings::default(),
    };
    RouteTable::build(&[channel], registry, &Timeouts::default(), None).expect("the channel is right")
}

async fn callers() -> Arc<MemoryStore> {
    let store = Arc::new(MemoryStore::default());
    let user = store.user_by_name("default").await.expect("in memory").expect("always there").id;
    let limits = Limits {
        requests_per_minute: Some(u64::MAX >> 8),
        tokens_per_minute: Some(u64::MAX >> 8),
        concurrency: Some(1000),
    };
    let key = NewKey {
        name: "k".into(),
        hint: String::new(),
        hash: KeyHash::of(b"sk-burn-layers"),
        user,
        quota: None,
        limits,
        models: None,
        ips: None,
        expires_at: None,
        group: None,
        apps: None,
    };
    store.create_key(key).await.expect("a new key");
    store
}

fn layers(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let stats = Arc::new(Stats::default());
    let (trace, rescue) = (TraceLayer, RescueLayer::new(stats.clone()));
    let shed = ShedLayer::new(ShedSettings::default(), stats.clone());
    let classify = ClassifyLayer::new(Arc::new(arc_swap::ArcSwap::from_pointee(table(&registry()))));
    let auth = AuthLayer::new(runtime.block_on(callers()));
    let meter = MeterLayer::new(Arc::new(NoBilling), stats.clone());
    let inspect = InspectLayer::default();
    let limit = LimitLayer::new(Arc::default(), stats.clone());
    let (route, reserve) = (RouteLayer, ReserveLayer::new(Arc::new(NoBilling)));

    let text = "x".repeat(900);
    let body = Bytes::from(format!(
        r#"{{"model":"fast","temperature":0.2,"messages":[{{"role":"user","content":"{text}"}}]}}"#
    ));
    let mut group = criterion.benchmark_group("layers");
    let mut row = |name: &str, mut call: Box<dyn FnMut(Request<Body>)>| {
        group.bench_function(name, |b| b.iter_batched(|| request(&body), &mut call, BatchSize::SmallInput));
    };
    macro_rules! rows {
        ($($name:literal => $stack:expr),* $(,)?) => {$({
            let (stack, handle) = ($stack, runtime.handle().clone());
            row($name, Box::new(move |request| {
                black_box(handle.block_on(stack.clone().oneshot(request)).is_ok());
            }));
        })*};
    }
    rows! {
        "00 nothing" => end(),
        "01 trace" => trace.layer(end()),
        "02 rescue" => trace.layer(rescue.layer(end())),
        "03 shed" => trace.layer(rescue.layer(shed.layer(end()))),
        "04 classify" => trace.layer(rescue.layer(shed.layer(classify.layer(end())))),
        "05 auth" => trace.layer(rescue.layer(shed.layer(classify.layer(auth.layer(end()))))),
        "06 meter" => trace.layer(rescue.layer(shed.layer(classify.layer(auth.layer(meter.layer(end())))))),
        "07 inspect" => trace.layer(rescue.layer(shed.layer(classify.layer(auth.layer(meter.layer(
            inspect.layer(end()))))))),
        "08 limit" => trace.layer(rescue.layer(shed.layer(classify.layer(auth.layer(meter.layer(
            inspect.layer(limit.layer(end())))))))),
        "09 route" => trace.layer(rescue.layer(shed.layer(classify.layer(auth.layer(meter.layer(
            inspect.layer(limit.layer(route.layer(end()))))))))),
        "10 reserve" => trace.layer(rescue.layer(shed.layer(classify.layer(auth.layer(meter.layer(
            inspect.layer(limit.layer(route.layer(reserve.layer(end())))))))))),
    }
    group.finish();
}

criterion_group!(benches, layers);
criterion_main!(benches);
