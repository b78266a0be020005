//! Channels that whoever keeps the money takes out.

use super::support::*;
use super::{HI, text};
use burncloud_core::{ChannelId, End};
use std::sync::atomic::Ordering::SeqCst;

#[tokio::test]
async fn a_channel_that_may_not_be_used_is_left_out() {
    let (left_out, asked) = always("200 OK", "", "dear").await;
    let (first, _) = always("500 Internal Server Error", "", "down").await;
    let (second, _) = always("200 OK", "", "good").await;
    let channels = vec![channel("a", &left_out), channel("b", &first), channel("c", &second)];
    let world = world(channels).await;
    world.billing.2.lock().unwrap().push(ChannelId(1));
    for _ in 0..3 {
        assert_eq!(text(world.gateway.answer(chat(HI)).await.unwrap()).await, "good");
    }
    world.at_rest().await;
    assert_eq!(asked.load(SeqCst), 0, "nobody called it");
    assert_eq!(
        world.billing.settled()[0],
        (End::Finished, 200, 3, true),
        "the one left out is on the receipt"
    );
}

#[tokio::test]
async fn channels_left_out_use_up_no_attempt() {
    let (good, _) = always("200 OK", "", "good").await;
    let dead = || channel("x", "http://127.0.0.1:9");
    let mut channels: Vec<_> = (0..6).map(|_| dead()).collect();
    channels.push(channel("good", &good));
    channels.iter_mut().enumerate().for_each(|(n, channel)| channel.name = format!("c{n}"));
    let world = world(channels).await;
    world.billing.2.lock().unwrap().extend((1..=6).map(ChannelId));
    assert_eq!(text(world.gateway.answer(chat(HI)).await.unwrap()).await, "good");
    world.at_rest().await;
    assert_eq!(world.billing.settled(), [(End::Finished, 200, 7, true)]);
}

#[tokio::test]
async fn when_none_is_left_the_caller_is_told_and_nobody_was_asked() {
    let (good, asked) = always("200 OK", "", "good").await;
    let world = world(vec![channel("a", &good), channel("b", &good)]).await;
    world.billing.2.lock().unwrap().extend([ChannelId(1), ChannelId(2)]);
    let response = world.gateway.answer(chat(HI)).await.unwrap();
    assert_eq!(response.status(), 503);
    let json: serde_json::Value = serde_json::from_str(&text(response).await).unwrap();
    assert_eq!(json["error"]["code"], "channel_budget");
    world.at_rest().await;
    assert_eq!(asked.load(SeqCst), 0);
    assert_eq!(world.billing.settled(), [(End::Refused, 503, 2, true)], "refused, not failed");
}
