//! Before the first cent: what to do next.

use super::figures::Begun;
use super::margin::State;
use crate::kit::{Horizon, Icon, Kind, LinkButton, PulseState, Sun};
use crate::live::{Conn, use_conn, use_lang};
use burncloud_billing::people::{Action, Place, may};
use dioxus::prelude::*;

/// A step, whether it was taken, and where it is taken.
struct Step {
    icon: &'static str,
    name: &'static str,
    words: &'static str,
    done: bool,
    href: Option<String>,
}

/// The steps of whoever looks: the house begins with an account, a reseller with a customer.
fn steps(conn: &Conn, begun: Begun) -> Vec<Step> {
    let (lang, actor) = (conn.viewer.lang, &conn.viewer.actor);
    let first = if actor.may_in_house(Action::SeeMoney) {
        Step {
            icon: "icon-[lucide--plug]",
            name: lang.t("Add an account", "添加账号"),
            words: lang.t("Where the tokens come from.", "token 从这里来。"),
            done: begun.accounts,
            href: actor.may_in_house(Action::ManageHouse).then(|| conn.href("/models/add")),
        }
    } else {
        Step {
            icon: "icon-[lucide--users]",
            name: lang.t("Add a customer", "添加客户"),
            words: lang.t("Whoever will call.", "谁来调用。"),
            done: begun.customers,
            href: may(actor.role, Action::ManageUsers, Place::Own).then(|| conn.href("/users")),
        }
    };
    let keys = may(actor.role, Action::ManageOwnKeys, Place::Own);
    vec![
        first,
        Step {
            icon: "icon-[lucide--key-round]",
            name: lang.t("Hand out a key", "发一把密钥"),
            words: lang.t("What your customer holds.", "交到客户手里。"),
            done: begun.keys,
            href: keys.then(|| conn.href("/access/new")),
        },
        Step {
            icon: "icon-[lucide--send]",
            name: lang.t("Make the first call", "打出第一个请求"),
            words: lang.t("Then the sun comes up.", "然后，太阳升起。"),
            done: false,
            href: keys.then(|| conn.href("/playground")),
        },
    ]
}

#[component]
pub(super) fn First(begun: Begun) -> Element {
    let (lang, conn) = (use_lang(), use_conn());
    let steps = steps(&conn, begun);
    let next = steps.iter().position(|step| !step.done);
    let state = PulseState::Rest;
    rsx! {
        div { class: "grow flex flex-col is-rest",
            div { class: "relative grow flex flex-col overflow-hidden isolate",
                Sun { state }
                div { class: "flex items-center px-4 md:px-8 xl:px-10 pt-1 md:pt-4 h-9 md:h-12", State { state } }
                div { class: "grow flex flex-col justify-center py-10",
                    h1 { class: "text-center text-2xl md:text-[2.75rem] md:leading-[3.25rem] font-[580] tracking-[-0.03em] zh:tracking-normal zh:font-semibold text-balance px-4",
                        {lang.t("Three steps to the first cent", "三步，赚到第一分钱")}
                    }
                    ol { class: "mt-10 md:mt-14 grid md:grid-cols-3 gap-8 md:gap-0 w-full max-w-[54rem] mx-auto px-6",
                        for (at, step) in steps.into_iter().enumerate() {
                            li { key: "{at}", "aria-current": if next == Some(at) { "step" },
                                class: "relative flex md:flex-col gap-4 md:gap-0 md:text-center md:items-center md:px-6 md:not-last:after:content-[''] md:after:absolute md:after:top-[1.375rem] md:after:left-[calc(50%+2.25rem)] md:after:right-[calc(-50%+2.25rem)] md:after:h-px md:after:bg-line",
                                Mark { icon: step.icon, done: step.done, next: next == Some(at) }
                                div {
                                    h2 { class: if next == Some(at) { "md:mt-4 text-lg font-semibold" } else { "md:mt-4 text-lg font-semibold text-muted" },
                                        "{step.name}"
                                        if step.done { span { class: "sr-only", {lang.t(" (done)", "（已完成）")} } }
                                    }
                                    p { class: "mt-1 text-muted max-w-60", "{step.words}" }
                                    if let Some(href) = step.href.filter(|_| next == Some(at)) {
                                        div { class: "mt-4", LinkButton { kind: Kind::Primary, href, "{step.name}" } }
                                    }
                                }
                            }
                        }
                    }
                }
                Horizon { id: "first", values: vec![0; 12], state, label: lang.t("No traffic yet", "还没有流量") }
            }
        }
    }
}

#[component]
fn Mark(icon: &'static str, done: bool, next: bool) -> Element {
    let look = if next {
        "grid place-items-center size-11 rounded-full shrink-0 bg-primary text-primary-content"
    } else if done {
        "grid place-items-center size-11 rounded-full shrink-0 bg-base-100 text-success ring-1 ring-line"
    } else {
        "grid place-items-center size-11 rounded-full shrink-0 bg-base-100 text-faint ring-1 ring-line"
    };
    rsx! { span { class: look, Icon { i: if done { "icon-[lucide--check]" } else { icon }, class: "size-5" } } }
}
