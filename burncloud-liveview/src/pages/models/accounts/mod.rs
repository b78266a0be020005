//! The list of accounts.

mod remove;
mod row;

pub(super) use remove::Remove;
pub(super) use row::Health;

use super::data::{Account, Overview, State};
use super::rests::{Rests, use_rests, wake};
use super::speed::{Speed, use_speed};
use super::{Part, Parts, home, many, providers};
use crate::kit::*;
use crate::lang::Lang;
use crate::live::*;
use burncloud_core::usecase::UseCaseResult;
use burncloud_core::{ChannelId, Status};
use dioxus::prelude::*;
use row::{Row, Wish};

/// Accounts on a page.
const PAGE: usize = 50;
/// From so many on they can be searched.
const MANY: usize = 12;

/// Switches an account on or off.
async fn switch(cx: Cx, id: ChannelId, on: bool) -> UseCaseResult<()> {
    let status = if on { Status::Active } else { Status::Disabled };
    cx.console.desk().set_channel_status(&cx.viewer.actor, id, status, None).await.map(drop)
}

#[component]
pub(super) fn Accounts(overview: Overview, data: Loaded<Overview>) -> Element {
    let (lang, here) = (use_lang(), use_here());
    let (rests, speed) = (use_rests(), use_speed());
    let mut toasts = use_toasts();
    let mut switching = use_act(|cx, (id, on): (ChannelId, bool)| switch(cx, id, on));
    let mut waking = use_act(wake);
    if overview.accounts.is_empty() {
        return rsx! { NoAccounts {} };
    }
    let shown = shown(&overview, &here.place());
    let onwish = {
        let (overview, mut data, mut speed) = (overview.clone(), data, speed);
        move |(id, wish): (ChannelId, Wish)| {
            let found = overview.accounts.iter().find(|account| account.view.id == id);
            let Some(name) = found.map(|account| account.view.name.clone()) else { return };
            match wish {
                Wish::Switch(on) => {
                    data.patch(|data| {
                        let account = data.accounts.iter_mut().find(|account| account.view.id == id);
                        let status = if on { Status::Active } else { Status::Disabled };
                        account.into_iter().for_each(|account| account.view.status = status);
                    });
                    switching.then((id, on), move |()| {
                        let text = match (lang, on) {
                            (Lang::En, true) => format!("{name} is on"),
                            (Lang::En, false) => format!("{name} is switched off"),
                            (Lang::Zh, true) => format!("{name} 已启用"),
                            (Lang::Zh, false) => format!("{name} 已停用"),
                        };
                        toasts.show(Toast::done(text).undo(move |cx| switch(cx, id, !on)));
                    });
                }
                Wish::Wake => waking.then(id, move |woken| {
                    let text = match lang {
                        _ if woken == 0 => lang.t("It does not rest", "它没有在休息").to_owned(),
                        Lang::En => format!("{name} is tried again at once"),
                        Lang::Zh => format!("{name} 已唤醒，马上恢复使用"),
                    };
                    toasts.show(Toast::done(text));
                }),
                Wish::Test => speed.start(vec![id]),
            }
        }
    };
    rsx! {
        Head { overview: overview.clone(), rests: rests(), speed, shown: shown.all.clone() }
        Parts { part: Part::Accounts, overview: overview.clone() }
        if let Some((done, of)) = speed.progress() {
            progress { class: "progress progress-accent h-[3px] w-full block -mt-[5px] mb-0.5 relative rounded-none",
                value: "{done}", max: "{of}",
                "aria-label": match lang { Lang::En => format!("{done} of {of} done"), Lang::Zh => format!("已完成 {done}/{of}") },
            }
        }
        if overview.accounts.len() > MANY { Search { value: here.get("q").unwrap_or_default() } }
        if shown.here.is_empty() {
            Empty { text: lang.t("No account looks like that.", "没有符合的账号。"), icon: "icon-[lucide--search]" }
        } else {
            Table { caption: lang.t("Accounts", "账号"), head: rsx! { Columns {} },
                for account in shown.here.clone() {
                    Row { key: "{account.view.id}", rest: rests.read().get(&account.view.id).cloned(),
                        test: speed.of(account.view.id), tier: overview.tier(account.view.priority),
                        most: shown.most, account, onwish: onwish.clone(),
                    }
                }
            }
        }
        Pager { before: shown.before.clone().map(|place| here.href(&place)), after: shown.after.clone().map(|place| here.href(&place)),
            words: shown.words(lang),
        }
        Foot { overview }
    }
}

/// What of the list is on this page.
#[derive(Clone, Debug, PartialEq)]
struct Shown {
    /// The accounts that fit the search, for "test speed".
    all: Vec<ChannelId>,
    here: Vec<Account>,
    first: usize,
    of: usize,
    /// The largest share, which fills its meter.
    most: u32,
    before: Option<Place>,
    after: Option<Place>,
}

impl Shown {
    fn words(&self, lang: Lang) -> String {
        let last = self.first + self.here.len();
        match lang {
            Lang::En => format!("{} to {last} of {}", self.first + 1, self.of),
            Lang::Zh => format!("第 {}–{last} 个，共 {} 个", self.first + 1, self.of),
        }
    }
}

fn shown(overview: &Overview, place: &Place) -> Shown {
    let withdrawn = place.get("withdrawn").is_some();
    let query = place.get("q").unwrap_or_default().to_lowercase();
    let fits = |account: &&Account| {
        let is = account.view.status == Status::Revoked;
        let provider = providers::name(&account.view.provider).to_lowercase();
        let found = account.view.name.to_lowercase().contains(&query) || provider.contains(&query);
        let served = || account.names().any(|model| model.to_lowercase().contains(&query));
        is == withdrawn && (found || served())
    };
    let all: Vec<&Account> = overview.accounts.iter().filter(fits).collect();
    let last = all.len().saturating_sub(1) / PAGE;
    let page = place.parsed::<usize>("page").unwrap_or(0).min(last);
    let at =
        |page: usize| place.clone().with("page", if page == 0 { String::new() } else { page.to_string() });
    let active = all.iter().filter(|account| account.view.status == Status::Active);
    Shown {
        here: all.iter().skip(page * PAGE).take(PAGE).map(|account| (*account).clone()).collect(),
        first: page * PAGE,
        of: all.len(),
        most: overview.in_use().map(|account| account.view.weight).max().unwrap_or(1).max(1),
        before: (page > 0).then(|| at(page.saturating_sub(1))),
        after: (page < last).then(|| at(page + 1)),
        all: active.map(|account| account.view.id).collect(),
    }
}

#[component]
fn Columns() -> Element {
    let lang = use_lang();
    rsx! {
        th { scope: "col", {lang.t("Account", "账号")} }
        th { scope: "col", span { class: "max-md:sr-only", {lang.t("Health", "健康")} } }
        th { scope: "col", class: "text-right max-md:pe-0", {lang.t("First word", "首字")} }
        th { scope: "col", class: "hidden md:table-cell text-right",
            span { class: "tooltip tooltip-bottom",
                "data-tip": lang.t("What you paid per million tokens, on average over the last week", "最近一周每百万 token 的平均进价"),
                {lang.t("Buys at", "进价")}
            }
        }
        th { scope: "col", class: "hidden lg:table-cell text-right", {lang.t("Share", "分量")} }
        th { scope: "col", class: "hidden md:table-cell text-right", {lang.t("Spent today", "今日花费")} }
        th { scope: "col", span { class: "sr-only", {lang.t("More", "更多")} } }
    }
}

/// How many of what is wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Ill {
    healthy: usize,
    resting: usize,
    failing: usize,
    credit: usize,
    refused: usize,
    off: usize,
}

impl Ill {
    pub(super) fn of(overview: &Overview, rests: &Rests) -> Ill {
        let mut ill = Ill::default();
        for account in overview.in_use() {
            let count = match account.state(rests.get(&account.view.id)) {
                State::Healthy => &mut ill.healthy,
                State::Resting { .. } => &mut ill.resting,
                State::Failing => &mut ill.failing,
                State::OutOfCredit => &mut ill.credit,
                State::CredentialRefused => &mut ill.refused,
                State::Off | State::Withdrawn => &mut ill.off,
            };
            *count += 1;
        }
        ill
    }

    /// What is wrong, in a few sentences.
    pub(super) fn words(self, lang: Lang) -> Option<String> {
        let one = |n: usize, one: &'static str, more: &'static str, zh: &'static str| {
            let text = match lang {
                Lang::En => format!("{} {}.", many(lang, n), if n == 1 { one } else { more }),
                Lang::Zh => format!("{}个{zh}", many(lang, n)),
            };
            (n > 0).then_some(text)
        };
        let all = [
            one(
                self.resting,
                "rests and comes back by itself",
                "rest and come back by themselves",
                "在休息，会自己回来",
            ),
            one(self.failing, "keeps failing", "keep failing", "一直失败"),
            one(self.credit, "is out of credit", "are out of credit", "欠费"),
            one(self.refused, "needs a new key", "need a new key", "需要换密钥"),
            one(self.off, "is switched off", "are switched off", "已停用"),
        ];
        let all: Vec<String> = all.into_iter().flatten().collect();
        match lang {
            _ if all.is_empty() => None,
            Lang::En => Some(all.join(" ")),
            Lang::Zh => Some(format!("{}。", all.join("；"))),
        }
    }
}

#[component]
fn Head(overview: Overview, rests: Rests, speed: Speed, shown: Vec<ChannelId>) -> Element {
    let (lang, here) = (use_lang(), use_here());
    let mut speed = speed;
    let all = overview.in_use().count();
    let ill = Ill::of(&overview, &rests);
    let asking = speed.progress();
    let sub = match asking {
        Some(_) => {
            Some(lang.t("One question each. It costs nothing.", "每个账号只问一句，不花钱。").to_owned())
        }
        None => ill.words(lang),
    };
    let headline = match asking {
        Some((done, of)) => {
            let n = (done + 1).min(of);
            rsx! {
                {lang.t("Asking ", "正在测速，")}
                strong { {match lang { Lang::En => format!("{n} of {of}"), Lang::Zh => format!("第 {n} 个") }} }
                {match lang { Lang::En => " for a first word…".to_owned(), Lang::Zh => format!("，共 {of} 个…") }}
            }
        }
        None => healthy(lang, ill.healthy, all),
    };
    let add = here.href(&Place::at(["models", "add"]));
    rsx! {
        Headline { sub,
            actions: rsx! {
                if asking.is_some() {
                    Button { small: true, icon: "icon-[lucide--x]", id: "test-stop", onclick: move |_| speed.stop(), {lang.t("Stop", "停止")} }
                } else {
                    Button { small: true, icon: "icon-[lucide--gauge]", id: "test-speed", disabled: shown.is_empty(),
                        onclick: move |_| speed.start(shown.clone()), {lang.t("Test speed", "测速")}
                    }
                }
                LinkButton { small: true, kind: Kind::Primary, icon: "icon-[lucide--plus]", href: add, {lang.t("Add account", "添加账号")} }
            },
            {headline}
        }
    }
}

fn healthy(lang: Lang, healthy: usize, all: usize) -> Element {
    match lang {
        Lang::En if all == 0 => rsx! { strong { "No account" } " is in use." },
        Lang::Zh if all == 0 => rsx! { strong { "没有账号" } "在用。" },
        Lang::En if healthy == all && all == 1 => rsx! { strong { "Your account" } " is healthy." },
        Lang::En if healthy == all => rsx! { strong { "All {all}" } " accounts are healthy." },
        Lang::En => rsx! { strong { "{healthy} of {all}" } " accounts are healthy." },
        Lang::Zh if healthy == all => rsx! { "{all} 个账号，" strong { "全部健康" } "。" },
        Lang::Zh => rsx! { "{all} 个账号，" strong { "{healthy} 个健康" } "。" },
    }
}

#[component]
fn Search(value: String) -> Element {
    let (lang, mut here) = (use_lang(), use_here());
    rsx! {
        div { class: "w-full sm:w-72 mt-4",
            Field { id: "accounts-q", kind: "search", label: lang.t("Find an account", "查找账号"), hide_label: true, value, debounce: 250,
                placeholder: lang.t("Find an account", "查找账号"),
                oninput: move |event: FormEvent| {
                    let place = here.place().without(&["page"]).with("q", event.value().trim());
                    here.replace(place);
                },
            }
        }
    }
}

/// Many at once, and what was withdrawn.
#[component]
fn Foot(overview: Overview) -> Element {
    let (lang, here, conn) = (use_lang(), use_here(), use_conn());
    let gone = overview.accounts.len() - overview.in_use().count();
    let place = here.place();
    let looking = place.get("withdrawn").is_some();
    let export = |format: &str| conn.href(&format!("/api/channels/export?format={format}"));
    rsx! {
        div { class: "mt-6 flex flex-wrap items-center gap-x-4 gap-y-2 text-sm text-muted",
            a { class: "link", href: here.href(&Place::at(["models", "import"])), {lang.t("Import a list", "批量导入")} }
            span { {lang.t("Export without keys:", "导出（不含密钥）：")} " "
                a { class: "link", href: export("json"), "download": "accounts.json", "JSON" } " "
                a { class: "link", href: export("csv"), "download": "accounts.csv", "CSV" }
            }
            if looking {
                a { class: "link ms-auto", href: here.href(&home()), {lang.t("Back to the accounts in use", "回到在用的账号")} }
            } else if gone > 0 {
                a { class: "link ms-auto num", href: here.href(&home().with("withdrawn", 1)),
                    {match lang { Lang::En => format!("Show {gone} withdrawn"), Lang::Zh => format!("查看 {gone} 个已撤下的") }}
                }
            }
        }
    }
}

#[component]
fn NoAccounts() -> Element {
    let (lang, here) = (use_lang(), use_here());
    rsx! {
        div { class: "grow grid place-items-center",
            div { class: "text-center max-w-sm py-16",
                span { class: "inline-grid place-items-center size-14 rounded-2xl bg-fill text-muted", Icon { i: "icon-[lucide--plug]", class: "size-6" } }
                h1 { class: "headline mt-6", strong { {lang.t("No accounts yet", "还没有账号")} } }
                p { class: "mt-2 text-muted",
                    {lang.t("An account at OpenAI, Anthropic or another provider is where your tokens come from.", "在 OpenAI、Anthropic 等平台的账号，就是你的货源。")}
                }
                div { class: "mt-6 flex justify-center gap-2",
                    LinkButton { kind: Kind::Primary, href: here.href(&Place::at(["models", "add"])), {lang.t("Add account", "添加账号")} }
                    LinkButton { href: here.href(&Place::at(["models", "import"])), {lang.t("Import a list", "批量导入")} }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_said_in_both_languages() {
        let ill = Ill { healthy: 9, resting: 2, credit: 1, ..Ill::default() };
        let said = "Two rest and come back by themselves. One is out of credit.";
        assert_eq!(ill.words(Lang::En).as_deref(), Some(said));
        assert_eq!(ill.words(Lang::Zh).as_deref(), Some("两个在休息，会自己回来；一个欠费。"));
        assert_eq!(Ill { healthy: 3, ..Ill::default() }.words(Lang::En), None);
    }
}
