//! The statement of a wallet.

use super::topups::statement_of;
use super::words::{csv_href, kind_name, moment, signed};
use super::{Parts, Side};
use crate::fmt::{money, now};
use crate::kit::{Broken, Button, Empty, Field, Form, Headline, Loading, Pager, Tab, Table, Tabs, use_fmt};
use crate::lang::Lang;
use crate::live::{Fault, Place, use_conn, use_here, use_lang, use_load};
use burncloud_billing::desk::{Page, StatementFilter, StatementLine, UserFilter, WalletId, WalletView};
use burncloud_billing::people::Actor;
use burncloud_core::usecase::UseCaseError;
use burncloud_core::{Nano, TenantId, UserId};
use dioxus::prelude::*;

/// As in a URL: `user-7`, `tenant-3`.
fn wallet_of(text: &str) -> Option<WalletId> {
    let (kind, id) = text.split_once('-')?;
    let id = id.parse().ok()?;
    match kind {
        "user" => Some(WalletId::User(UserId(id))),
        "tenant" => Some(WalletId::Tenant(TenantId(id))),
        _ => None,
    }
}

/// One's own: an end user's at its tenant, a reseller's at its parent. The house has none.
fn own_wallet(actor: &Actor) -> Option<WalletId> {
    match Side::of(actor) {
        Side::House => None,
        Side::Seller => Some(WalletId::Tenant(actor.tenant)),
        Side::Own => actor.user.map(WalletId::User),
    }
}

/// A wallet and a page of its statement.
type Read = (WalletView, Page<StatementLine>);

#[component]
pub(super) fn Statement() -> Element {
    let (conn, here) = (use_conn(), use_here());
    let actor = &conn.viewer.actor;
    let of = here.get("of");
    let wallet = match of.as_deref() {
        Some("choose") => None,
        of => of.and_then(wallet_of).or_else(|| own_wallet(actor)),
    };
    let filter = StatementFilter {
        credit_line: here.get("line").as_deref() == Some("credit"),
        before: here.parsed("before"),
        limit: 50,
    };
    let loaded = use_load((wallet, filter.clone()), |cx, (wallet, filter)| async move {
        let (Some(wallet), desk, actor) = (wallet, cx.console.desk(), &cx.viewer.actor) else {
            return Ok(None);
        };
        let view = match desk.wallet(actor, wallet).await {
            // A tenant of the house has no wallet: there is one to choose.
            Err(UseCaseError::Invalid { .. }) => return Ok(None),
            found => found.map_err(Fault::from)?,
        };
        Ok::<Option<Read>, Fault>(Some((view, desk.statement(actor, wallet, &filter).await?)))
    });
    let chooses = Side::of(actor) != Side::Own;
    let body = match &*loaded.read() {
        None => rsx! { Loading { rows: 8 } },
        Some(Err(fault)) => rsx! {
            Top { actor: actor.clone() }
            if chooses { Whose {} }
            Broken { fault: fault.clone() }
        },
        Some(Ok(None)) => rsx! {
            Top { actor: actor.clone() }
            Whose {}
        },
        Some(Ok(Some((view, page)))) => {
            rsx! { Shown { view: view.clone(), page: page.clone(), credit: filter.credit_line, chooses } }
        }
    };
    body
}

#[component]
fn Top(actor: Actor) -> Element {
    let lang = use_lang();
    rsx! {
        Headline { class: "mb-5",
            strong { {lang.t("Whose statement", "查看谁的对账单")} }
            {lang.t(" would you like to see?", "？")}
        }
        Parts { on: "statement" }
    }
}

/// Finds a wallet by a name.
#[component]
fn Whose() -> Element {
    let (lang, here) = (use_lang(), use_here());
    let q = here.get("q").unwrap_or_default();
    let found = use_load(q.clone(), |cx, q| async move {
        if q.is_empty() {
            return Ok(Vec::new());
        }
        let (desk, actor) = (cx.console.desk(), &cx.viewer.actor);
        let filter = UserFilter { text: Some(q.clone()), limit: 20, ..UserFilter::default() };
        let users = desk.users(actor, &filter).await.map_err(Fault::from)?.items.into_iter();
        let mut all: Vec<(WalletId, String, String)> =
            users.map(|view| (WalletId::User(view.user.id), view.user.name, view.tenant_name)).collect();
        let below = desk.tenants(actor).await?.into_iter().filter(|view| view.tenant.parent.is_some());
        let low = q.to_lowercase();
        let named = below.filter(|view| view.tenant.name.to_lowercase().contains(&low));
        all.extend(named.map(|view| {
            (WalletId::Tenant(view.tenant.id), view.tenant.name, view.parent_name.unwrap_or_default())
        }));
        Ok::<_, Fault>(all)
    });
    let all = found.get().unwrap_or_default();
    let nobody = !q.is_empty() && all.is_empty() && matches!(&*found.read(), Some(Ok(_))) && !found.busy();
    rsx! {
        form { id: "statement-whose", role: "search", class: "flex flex-wrap items-end gap-3 mb-4",
            onsubmit: move |event| {
                let mut here = here;
                let place = Place::at(["finance", "statement"]).with("q", Form::of(&event).text("q"));
                here.go(place);
            },
            Field { id: "statement-q", name: "q", label: lang.t("User or reseller", "用户或分销商"), value: q, kind: "search", class: "sm:w-72" }
            Button { submit: true, busy: found.busy(), {lang.t("Find", "查找")} }
        }
        if let Some(Err(fault)) = &*found.read() { Broken { fault: fault.clone() } }
        if nobody { Empty { text: lang.t("Nobody is called that.", "没有这个名字。") } }
        ul { class: "rows",
            for (wallet, name, at) in all {
                li { key: "{wallet:?}", class: "py-3",
                    a { class: "flex items-baseline gap-3 hover:underline", href: here.href(&statement_of(wallet)),
                        span { class: "font-medium truncate", title: "{name}", "{name}" }
                        span { class: "text-sm text-muted truncate", "{at}" }
                    }
                }
            }
        }
    }
}

#[component]
pub(super) fn Shown(view: WalletView, page: Page<StatementLine>, credit: bool, chooses: bool) -> Element {
    let (lang, f, here) = (use_lang(), use_fmt(), use_here());
    let rows: Vec<Vec<String>> = page.items.iter().map(|line| csv_row(line, credit)).collect();
    let href = csv_href(
        &["entry", "time_unix_us", "kind", "amount_usd", "author", "reason", "reference", "undoes"],
        &rows,
    );
    let tabs = vec![
        Tab::new(here.href(&here.place().without(&["line", "before"])), lang.t("Balance", "余额"), !credit),
        Tab::new(
            here.href(&here.place().without(&["before"]).with("line", "credit")),
            lang.t("Credit line", "信用额度"),
            credit,
        ),
    ];
    let newest = here.parsed::<i64>("before").map(|_| here.with("before", ""));
    let older = page.next.map(|next| here.with("before", next));
    let sub = sub(&view, lang);
    rsx! {
        Headline { class: "mb-5", sub,
            actions: rsx! {
                if chooses {
                    a { class: "btn btn-quiet btn-sm", href: here.href(&Place::at(["finance", "statement"]).with("of", "choose")), {lang.t("Another wallet", "换一个钱包")} }
                }
                if !page.items.is_empty() { a { class: "btn btn-quiet btn-sm", href: "{href}", download: "statement.csv", "CSV" } }
            },
            Sentence { view: view.clone(), chooses }
        }
        Parts { on: "statement" }
        div { class: "mb-2", Tabs { label: lang.t("Of", "内容"), tabs } }
        if page.items.is_empty() {
            Empty { icon: "icon-[lucide--scroll-text]", text: lang.t("Nothing has happened in this wallet yet.", "这个钱包还没有任何变动。") }
        } else {
            Table { caption: lang.t("Statement", "对账单"),
                head: rsx! {
                    th { scope: "col", {lang.t("What", "类型")} }
                    th { scope: "col", class: "max-md:hidden", {lang.t("Why", "原因")} }
                    th { scope: "col", class: "max-lg:hidden", {lang.t("By", "操作人")} }
                    th { scope: "col", class: "max-md:hidden", {lang.t("When", "时间")} }
                    th { scope: "col", class: "text-right", {lang.t("Amount", "金额")} }
                },
                for line in page.items.iter() { Row { key: "{line.entry}", line: line.clone(), credit, when: moment(&f, line.at, now()) } }
            }
        }
        Pager { before: newest, after: older }
    }
}

fn sub(view: &WalletView, lang: Lang) -> Option<String> {
    let used = money(view.used);
    let mut text = match lang {
        Lang::En => format!("{used} used in all."),
        Lang::Zh => format!("累计已用 {used}。"),
    };
    if view.credit > Nano::ZERO {
        let line = money(view.credit);
        text.push_str(&match lang {
            Lang::En => format!(" Credit line {line}."),
            Lang::Zh => format!("信用额度 {line}。"),
        });
    }
    Some(text)
}

#[component]
fn Sentence(view: WalletView, chooses: bool) -> Element {
    let lang = use_lang();
    let sum = money(Nano(view.balance.0.saturating_abs()));
    let owes = view.balance < Nano::ZERO;
    match (lang, chooses, owes) {
        (Lang::En, true, false) => rsx! { strong { "{view.name}" } " has " strong { "{sum}" } "." },
        (Lang::En, true, true) => rsx! { strong { "{view.name}" } " owes " strong { "{sum}" } "." },
        (Lang::En, false, false) => rsx! { strong { "{sum}" } " in your wallet." },
        (Lang::En, false, true) => rsx! { "You owe " strong { "{sum}" } "." },
        (Lang::Zh, true, false) => rsx! { strong { "{view.name}" } " 余额 " strong { "{sum}" } "。" },
        (Lang::Zh, true, true) => rsx! { strong { "{view.name}" } " 欠 " strong { "{sum}" } "。" },
        (Lang::Zh, false, false) => rsx! { "你的钱包里有 " strong { "{sum}" } "。" },
        (Lang::Zh, false, true) => rsx! { "你欠 " strong { "{sum}" } "。" },
    }
}

fn csv_row(line: &StatementLine, credit: bool) -> Vec<String> {
    vec![
        line.entry.to_string(),
        line.at.0.to_string(),
        line.kind.as_str().to_owned(),
        if credit { line.credit } else { line.amount }.to_string(),
        line.author.clone(),
        line.reason.clone(),
        line.reference.clone().unwrap_or_default(),
        line.reverses.map(|entry| entry.to_string()).unwrap_or_default(),
    ]
}

#[component]
fn Row(line: StatementLine, credit: bool, when: String) -> Element {
    let lang = use_lang();
    let kind = kind_name(line.kind, lang);
    let amount = if credit { line.credit } else { line.amount };
    let reference = line.reference.clone().unwrap_or_default();
    let undoes = line.reverses.map(|entry| match lang {
        Lang::En => format!("undoes entry {entry}"),
        Lang::Zh => format!("冲正分录 {entry}"),
    });
    rsx! {
        tr {
            th { scope: "row", class: "font-normal",
                span { class: "font-medium block", "{kind}" }
                span { class: "md:hidden block text-sm text-muted num", "{when}" }
                if let Some(undoes) = undoes { span { class: "block text-sm text-muted num", "{undoes}" } }
            }
            td { class: "max-md:hidden",
                span { class: "block truncate max-w-72", title: "{line.reason}", "{line.reason}" }
                if !reference.is_empty() { span { class: "block mono text-sm text-muted truncate max-w-72", title: "{reference}", "{reference}" } }
            }
            td { class: "max-lg:hidden text-muted truncate max-w-40", title: "{line.author}", "{line.author}" }
            td { class: "max-md:hidden text-muted num whitespace-nowrap", "{when}" }
            td { class: "text-right num whitespace-nowrap", {signed(amount)} }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wallet_in_a_url_is_read_or_none() {
        assert_eq!(wallet_of("user-7"), Some(WalletId::User(UserId(7))));
        assert_eq!(wallet_of("tenant-3"), Some(WalletId::Tenant(TenantId(3))));
        assert!(["", "user", "user-x", "house-1"].iter().all(|text| wallet_of(text).is_none()));
    }
}
