//! What is seen and changed while requests go on.

use crate::support::*;
use burncloud_core::layers::failover::FailoverSettings;
use burncloud_core::routing::{BreakerSettings, Why};
use http::StatusCode;
use std::time::Duration;

const BODY: &str = r#"{"model":"m"}"#;

async fn ask(world: &World) -> StatusCode {
    world.gateway.answer(chat(BODY)).await.unwrap().status()
}

#[tokio::test]
async fn a_lane_that_rests_is_seen_and_woken() {
    let (broken, _) = always("503 x", "", "{}").await;
    let (sound, _) = always("200 OK", "", "{}").await;
    let world = world(vec![channel("broken", &broken), channel("sound", &sound)]).await;
    let handle = world.gateway.handle();
    handle.set_breakers(BreakerSettings { failures: 2, pause: Duration::from_secs(60), ..handle.breakers() });
    for _ in 0..3 {
        assert_eq!(ask(&world).await, StatusCode::OK);
    }
    let table = handle.table();
    let mut resting = table.lanes().filter_map(|(route, lane)| Some((route, lane, lane.breaker.resting()?)));
    let (route, lane, rest) = resting.next().unwrap();
    assert!(resting.next().is_none());
    assert_eq!((&*route.model, &*lane.channel.name), ("m", "broken"));
    assert_eq!((rest.failures, rest.trips, rest.why), (2, 1, Some(Why::Status(503))));
    assert_eq!(lane.channel.attempts(), (0, 2), "the third request did not try it");
    table.lane("m", lane.channel.id).unwrap().breaker.wake();
    assert_eq!(ask(&world).await, StatusCode::OK);
    assert_eq!(lane.channel.attempts(), (0, 3));
}

#[tokio::test]
async fn settings_outlive_the_table() {
    let (broken, _) = always("503 x", "", "{}").await;
    let channels = [channel("broken", &broken)];
    let world = world(channels.to_vec()).await;
    let handle = world.gateway.handle();
    handle.set_breakers(BreakerSettings { failures: 1, ..BreakerSettings::default() });
    handle.set_channels(&channels).unwrap();
    assert_eq!(handle.breakers().failures, 1);
    ask(&world).await;
    let table = handle.table();
    assert!(table.lanes().any(|(_, lane)| lane.breaker.resting().is_some()));
}

#[tokio::test]
async fn the_bounds_of_failover_change_at_once() {
    let (broken, _) = always("503 x", "", "{}").await;
    let (sound, _) = always("200 OK", "", "{}").await;
    let world = world(vec![channel("broken", &broken), channel("sound", &sound)]).await;
    let handle = world.gateway.handle();
    handle.set_failover(FailoverSettings { max_attempts: 1, ..handle.failover() });
    assert_eq!(ask(&world).await, StatusCode::SERVICE_UNAVAILABLE);
    handle.set_failover(FailoverSettings { max_attempts: 2, ..handle.failover() });
    assert_eq!(ask(&world).await, StatusCode::OK);
}

#[tokio::test]
async fn requests_are_counted_where_they_are_bounded() {
    let (base, _) = provider(|mut stream, _| async move {
        read_request(&mut stream).await;
        std::future::pending::<()>().await;
    })
    .await;
    let mut bounded = channel("bounded", &base);
    bounded.settings.concurrency = Some(2);
    let world = world(vec![bounded, channel("free", &base)]).await;
    let under_way = tokio::spawn(world.gateway.answer(chat(BODY)));
    let table = world.gateway.handle().table();
    let counts = || table.channels().iter().map(|channel| channel.in_flight()).collect::<Vec<_>>();
    while counts() != [Some(1), None] {
        tokio::task::yield_now().await;
    }
    under_way.abort();
    let _ = under_way.await;
    world.at_rest().await;
    assert_eq!(counts(), [Some(0), None]);
}
