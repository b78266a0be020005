//! What the gateway passes over at the moment, with a count-down.

use super::actions::Wake;
use crate::kit::Section;
use crate::lang::Lang;
use crate::live::{use_lang, use_load, use_turns};
use crate::pages::reasons::reason;
use burncloud_billing::desk::reports::{Reason, RestingLane};
use burncloud_core::UnixMicros;
use burncloud_core::routing::Why;
use dioxus::prelude::*;
use std::time::{Duration, Instant};

/// Between two looks, and between two drawings of the count-down.
const LOOK: Duration = Duration::from_secs(3);
const SECOND: Duration = Duration::from_secs(1);

/// One that rests, and when that was so.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Asleep {
    pub(super) name: String,
    pub(super) lane: RestingLane,
    pub(super) seen: Instant,
}

#[component]
pub(super) fn Resting() -> Element {
    let turn = use_turns(LOOK);
    let lanes = use_load(turn(), |cx, _| async move {
        let Some(gateway) = cx.console.gateway() else { return Ok(Vec::new()) };
        let found = cx.console.desk().resting(&cx.viewer.actor, gateway.handle()).await?;
        let seen = Instant::now();
        let asleep = |(name, lane)| Asleep { name, lane, seen };
        Ok::<_, crate::live::Fault>(found.into_iter().map(asleep).collect::<Vec<_>>())
    });
    let lanes = lanes.get().unwrap_or_default();
    if lanes.is_empty() {
        return rsx! {};
    }
    rsx! { Lanes { lanes } }
}

#[component]
pub(super) fn Lanes(lanes: Vec<Asleep>) -> Element {
    let lang = use_lang();
    rsx! {
        Section { id: "resting", title: lang.t("Resting now", "正在休息"),
            div { class: "grid grid-cols-1 sm:grid-cols-2 lg:grid-cols-3 gap-4",
                for asleep in lanes {
                    Lane { key: "{asleep.lane.channel} {asleep.lane.model}", asleep }
                }
            }
        }
    }
}

#[component]
fn Lane(asleep: Asleep) -> Element {
    let lang = use_lang();
    let Asleep { name, lane, .. } = &asleep;
    let why = why(lang, lane);
    let label = match lang {
        Lang::En => format!("Wake {name} for {}", lane.model),
        Lang::Zh => format!("唤醒 {name}（{}）", lane.model),
    };
    rsx! {
        div { class: "panel p-4 flex items-center gap-4",
            Countdown { asleep: asleep.clone() }
            div { class: "min-w-0",
                p { class: "font-medium truncate", title: "{name} {lane.model}", "{name} " span { class: "text-muted font-normal", "{lane.model}" } }
                p { class: "text-sm text-muted", "{why}" }
            }
            Wake { channel: lane.channel, model: lane.model.clone(), label }
        }
    }
}

/// Seconds still, and of a hundred parts of the whole rest those that are left.
fn left(asleep: &Asleep, now: Instant, clock: UnixMicros) -> (u64, u64) {
    let rest = &asleep.lane.resting;
    let left = rest.back_in.saturating_sub(now.saturating_duration_since(asleep.seen));
    let gone = u64::try_from((clock.0 - rest.since.0).max(0) / 1_000).unwrap_or_default();
    let left_ms = u64::try_from(left.as_millis()).unwrap_or(u64::MAX);
    let share = left_ms.saturating_mul(100).checked_div(left_ms.saturating_add(gone));
    (left.as_secs() + u64::from(left.subsec_nanos() > 0), share.unwrap_or_default())
}

#[component]
fn Countdown(asleep: Asleep) -> Element {
    let turn = use_turns(SECOND);
    let _ = turn();
    let (seconds, share) = left(&asleep, Instant::now(), UnixMicros::now());
    let text = format!("{}:{:02}", seconds / 60, seconds % 60);
    rsx! {
        span { class: "relative grid place-items-center size-12 shrink-0",
            svg { view_box: "0 0 48 48", class: "absolute inset-0 -rotate-90", "aria-hidden": "true",
                circle { cx: "24", cy: "24", r: "21", fill: "none", stroke: "var(--color-base-300)", stroke_width: "3" }
                circle { cx: "24", cy: "24", r: "21", fill: "none", stroke: "var(--care)", stroke_width: "3", stroke_linecap: "round",
                    path_length: "100", stroke_dasharray: "{share} 100"
                }
            }
            span { class: "text-xs font-medium num", "{text}" }
        }
    }
}

/// Why it rests, in a few words.
fn why(lang: Lang, lane: &RestingLane) -> String {
    let rest = &lane.resting;
    let why = match &rest.why {
        Some(Why::Status(status)) => match lang {
            Lang::En => format!("{} ({status})", reason(lang, of_status(*status))),
            Lang::Zh => format!("{}（{status}）", reason(lang, of_status(*status))),
        },
        Some(Why::Error(text)) => text.to_string(),
        None if rest.failures == 0 => lang.t("The provider asked for a pause", "平台要求暂停").to_owned(),
        None => String::new(),
    };
    let times = match (lang, rest.failures) {
        (_, 0) => String::new(),
        (Lang::En, 1) => "1 error: ".to_owned(),
        (Lang::En, n) => format!("{n} errors: "),
        (Lang::Zh, n) => format!("{n} 次出错："),
    };
    let text = format!("{times}{why}");
    text.trim_end_matches([':', '：', ' ']).to_owned()
}

/// The same table as that of receipts.
fn of_status(status: u16) -> Reason {
    let attempt = burncloud_core::Attempt {
        channel: burncloud_core::ChannelId(0),
        status: Some(status),
        error: None,
        took_us: 0,
    };
    burncloud_billing::desk::reports::reason(&attempt).unwrap_or(Reason::Odd)
}

#[cfg(test)]
mod tests {
    use super::*;
    use burncloud_core::ChannelId;
    use burncloud_core::routing::Resting as Rest;

    fn asleep(seconds: u64, failures: u32, why: Option<Why>) -> Asleep {
        let resting = Rest {
            since: UnixMicros(1_000_000_000),
            back_in: Duration::from_secs(seconds),
            failures,
            trips: 1,
            why,
        };
        let lane = RestingLane { channel: ChannelId(1), model: "fast".into(), resting, alone: false };
        Asleep { name: "harbour".into(), lane, seen: Instant::now() }
    }

    #[test]
    fn a_rest_counts_down_to_nothing() {
        let asleep = asleep(60, 5, None);
        let clock = |seconds: i64| UnixMicros((1_000 + seconds) * 1_000_000);
        let later = |seconds| asleep.seen + Duration::from_secs(seconds);
        assert_eq!(left(&asleep, later(0), clock(0)), (60, 100));
        assert_eq!(left(&asleep, later(45), clock(45)), (15, 25));
        assert_eq!(left(&asleep, later(90), clock(90)), (0, 0));
        assert_eq!(left(&asleep, later(0), UnixMicros(0)), (60, 100), "clocks differ");
    }

    #[test]
    fn why_it_rests_is_said_with_its_status() {
        let text = |lang, failures, why| super::why(lang, &asleep(9, failures, why).lane);
        assert_eq!(text(Lang::En, 5, Some(Why::Status(429))), "5 errors: too busy (429)");
        assert_eq!(text(Lang::Zh, 2, Some(Why::Status(402))), "2 次出错：账号没钱了（402）");
        assert_eq!(text(Lang::En, 0, None), "The provider asked for a pause");
        assert_eq!(text(Lang::En, 3, None), "3 errors");
    }
}
