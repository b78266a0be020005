//! How well each account and each model does.

use crate::fmt::{NOTHING, micros, percent};
use crate::kit::{Heat, Section, Tile, use_fmt};
use crate::lang::Lang;
use crate::live::{Place, use_here, use_lang};
use burncloud_billing::desk::reports::{ChannelHealth, HealthHour, Slice};
use dioxus::prelude::*;

/// Of ten thousand attempts so many went well; `None` where there was none.
fn answered(hour: &HealthHour) -> Option<u64> {
    (hour.attempts.saturating_sub(hour.failed) * 10_000).checked_div(hour.attempts)
}

/// How hot an hour was, from 0 (nothing happened) to 4.
fn heat(hour: &HealthHour) -> u8 {
    match answered(hour) {
        None => 0,
        Some(9_900..) => 1,
        Some(9_500..) => 2,
        Some(8_000..) => 3,
        Some(_) => 4,
    }
}

fn share(answered: Option<u64>) -> String {
    let share = answered.and_then(|share| i64::try_from(share).ok());
    share.map_or_else(|| NOTHING.to_owned(), percent)
}

fn tone(answered: Option<u64>) -> &'static str {
    match answered {
        Some(..9_700) => "text-error",
        Some(..9_900) => "text-warning",
        _ => "",
    }
}

/// Those that do worst first; those that were not asked last.
fn ordered(mut health: Vec<ChannelHealth>) -> Vec<ChannelHealth> {
    health.retain(|one| one.name.is_some() || one.all.attempts > 0);
    health.sort_by_key(|one| (answered(&one.all).unwrap_or(u64::MAX), one.name.clone()));
    health
}

#[component]
pub(super) fn Accounts(health: Vec<ChannelHealth>) -> Element {
    let lang = use_lang();
    let health = ordered(health);
    if health.is_empty() {
        return rsx! {};
    }
    rsx! {
        Section { id: "accounts", title: lang.t("How good each account is", "每个账号有多好"),
            table { class: "table table-hover",
                caption { class: "sr-only", {lang.t("How much each account answered in the last 24 hours", "过去 24 小时各账号的应答情况")} }
                thead { tr {
                    th { scope: "col", {lang.t("Account", "账号")} }
                    th { scope: "col", class: "max-md:hidden w-[42%]",
                        span { class: "flex justify-between", span { {lang.t("24 hours ago", "24 小时前")} } span { {lang.t("now", "现在")} } }
                    }
                    th { scope: "col", class: "text-right max-sm:hidden", {lang.t("First word", "首字")} }
                    th { scope: "col", class: "text-right", {lang.t("Answered", "已应答")} }
                } }
                tbody {
                    for one in health { Account { key: "{one.channel}", one } }
                }
            }
        }
    }
}

#[component]
fn Account(one: ChannelHealth) -> Element {
    let (lang, here) = (use_lang(), use_here());
    let all = answered(&one.all);
    let name = one.name.clone().unwrap_or_else(|| lang.t("removed", "已移除").to_owned());
    let label = match lang {
        Lang::En => format!(
            "Errors by hour, last 24 hours: {} of {} attempts failed",
            one.all.failed, one.all.attempts
        ),
        Lang::Zh => {
            format!("过去 24 小时每小时出错：{} 次尝试中 {} 次失败", one.all.attempts, one.all.failed)
        }
    };
    let logs = Place::at(["logs"]).with("time", "24h").with("account", one.channel);
    let first = one.all.first_us.map_or_else(|| NOTHING.to_owned(), micros);
    let (tone, share) = (tone(all), share(all));
    rsx! {
        tr {
            th { scope: "row", class: "font-normal",
                span { class: "flex items-center gap-3",
                    Tile { name: name.clone(), class: "tile-sm" }
                    a { class: "font-medium truncate max-w-40 sm:max-w-none hover:underline", href: here.href(&logs), title: "{name}", "{name}" }
                }
            }
            td { class: "max-md:hidden", Heat { hours: one.hours.iter().map(heat).collect::<Vec<_>>(), label } }
            td { class: "text-right text-muted num max-sm:hidden", "{first}" }
            td { class: "text-right num {tone}", "{share}" }
        }
    }
}

#[component]
pub(super) fn Models(models: Vec<Slice>) -> Element {
    let (lang, f, here) = (use_lang(), use_fmt(), use_here());
    let row = |slice: Slice| {
        let name = slice.name.unwrap_or_default();
        let logs = Place::at(["logs"]).with("time", "24h").with("model", &name);
        let first = slice.sums.first_us.map_or_else(|| NOTHING.to_owned(), micros);
        let all = slice.sums.answered_permyriad;
        (here.href(&logs), name, f.compact(slice.sums.requests), first, tone(all), share(all))
    };
    let rows: Vec<_> = models.into_iter().map(row).collect();
    rsx! {
        Section { id: "models", title: lang.t("How good each model is", "每个模型有多好"),
            table { class: "table table-hover",
                caption { class: "sr-only", {lang.t("How many requests for each model were answered in the last 24 hours", "过去 24 小时各模型的应答情况")} }
                thead { tr {
                    th { scope: "col", {lang.t("Model", "模型")} }
                    th { scope: "col", class: "text-right max-md:hidden", {lang.t("Requests", "请求")} }
                    th { scope: "col", class: "text-right max-sm:hidden", {lang.t("First word", "首字")} }
                    th { scope: "col", class: "text-right", {lang.t("Answered", "已应答")} }
                } }
                tbody {
                    for (href, name, requests, first, tone, share) in rows {
                        tr { key: "{name}",
                            th { scope: "row", class: "font-normal",
                                a { class: "font-medium truncate block max-w-48 md:max-w-[24rem] hover:underline", href, title: "{name}", "{name}" }
                            }
                            td { class: "text-right num max-md:hidden", "{requests}" }
                            td { class: "text-right text-muted num max-sm:hidden", "{first}" }
                            td { class: "text-right num {tone}", "{share}" }
                        }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burncloud_core::{ChannelId, UnixMicros};

    fn hour(attempts: u64, failed: u64) -> HealthHour {
        HealthHour { at: UnixMicros(0), attempts, failed, first_us: None }
    }

    #[test]
    fn an_hour_is_as_hot_as_it_failed() {
        let all = [(0, 0), (100, 0), (100, 1), (100, 4), (100, 20), (100, 21), (1, 1)]
            .map(|(a, f)| heat(&hour(a, f)));
        assert_eq!(all, [0, 1, 1, 2, 3, 4, 4]);
        assert_eq!((share(None), share(Some(9_994))), (NOTHING.to_owned(), "99.94%".to_owned()));
        assert_eq!(
            (tone(None), tone(Some(9_990)), tone(Some(9_800)), tone(Some(1))),
            ("", "", "text-warning", "text-error")
        );
    }

    #[test]
    fn the_worst_comes_first_and_what_is_gone_and_idle_not_at_all() {
        let of = |id, name: Option<&str>, attempts, failed| ChannelHealth {
            channel: ChannelId(id),
            name: name.map(str::to_owned),
            provider: None,
            all: hour(attempts, failed),
            hours: vec![],
        };
        let all = ordered(vec![
            of(1, Some("idle"), 0, 0),
            of(2, Some("bad"), 10, 5),
            of(3, None, 0, 0),
            of(4, None, 9, 0),
        ]);
        assert_eq!(all.iter().map(|one| one.channel.0).collect::<Vec<_>>(), [2, 4, 1]);
    }
}
