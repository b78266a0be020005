//! The sea: tokens, at the moment where that is theirs to see, by the hour where it is not.

use super::figures::Glance;
use crate::Pulse;
use crate::fmt::grouped;
use crate::kit::{Horizon, PulseState, use_fmt};
use crate::live::{use_lang, use_watch};
use dioxus::prelude::*;
use std::sync::Arc;
use tokio::sync::watch;

/// Points of five seconds that are one of the curve: what is drawn anew is small, and the sea is calm.
const CALM: usize = 3;

fn calm(points: &[u32]) -> Vec<u64> {
    let mean = |some: &[u32]| some.iter().map(|n| u64::from(*n)).sum::<u64>() / some.len().max(1) as u64;
    points.rchunks(CALM).rev().map(mean).collect()
}

/// What happens at the moment; changes once a second at most.
#[component]
pub(super) fn Now(state: PulseState) -> Element {
    let lang = use_lang();
    let pulse = use_watch(|cx| match cx.console.watch() {
        Some(watch) => watch.pulses(),
        None => watch::Sender::new(Arc::<Pulse>::default()).subscribe(),
    });
    let values = use_memo(move || calm(&pulse.read().tokens_per_second));
    let tokens = use_memo(move || pulse.read().now_tokens);
    rsx! {
        Horizon { id: "now", values: values(), state, label: lang.t("Tokens per second, last 15 minutes", "每秒 token，最近 15 分钟"),
            Rate { tokens }
        }
    }
}

/// Apart from the curve: it changes more often.
#[component]
fn Rate(tokens: Memo<u32>) -> Element {
    let lang = use_lang();
    let tokens = grouped(u64::from(tokens()));
    rsx! {
        span { id: "tokens-now", class: "text-base-content font-medium", "{tokens}" }
        " "
        span { class: "max-md:hidden", {lang.t("tokens a second", "token/秒")} }
        span { class: "md:hidden", {lang.t("a second", "token/秒")} }
    }
}

/// The tokens of the last 24 hours.
#[component]
pub(super) fn Hours(glance: Arc<Glance>, state: PulseState) -> Element {
    let (lang, f) = (use_lang(), use_fmt());
    let tokens = glance.tokens();
    let all = f.compact(tokens.iter().sum());
    rsx! {
        Horizon { id: "hours", values: tokens, state, label: lang.t("Tokens by the hour, last 24 hours", "每小时 token，最近 24 小时"),
            span { class: "text-base-content font-medium", "{all}" }
            " "
            span { class: "max-md:hidden", {lang.t("tokens in 24 hours", "token（24 小时）")} }
            span { class: "md:hidden", {lang.t("in 24 hours", "token/24 小时")} }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_points_are_whole_means() {
        assert_eq!(calm(&[9, 1, 2, 3, 4, 5, 6]), [9, 2, 5]);
        assert_eq!(calm(&[]), [] as [u64; 0]);
        assert_eq!(calm(&[u32::MAX; 180]), vec![u64::from(u32::MAX); 60]);
    }
}
