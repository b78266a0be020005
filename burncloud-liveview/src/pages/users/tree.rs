//! The tenants, each below the one it buys from, with what each branch brings in.

use super::roster::Actions;
use super::words::role_name;
use super::{Switch, View, dialog_href, person_href};
use crate::fmt::{basis_points, grouped, money, percent};
use crate::kit::*;
use crate::lang::Lang;
use crate::live::*;
use burncloud_billing::desk::Powers;
use burncloud_billing::desk::reports::{Branch, Family, Leader};
use burncloud_core::{Nano, Role, Status, TenantId};
use dioxus::prelude::*;
use std::collections::BTreeSet;

/// The tree, and what may be done where.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Grown {
    pub(super) family: Family,
    pub(super) powers: Vec<Powers>,
}

pub(super) async fn grown(cx: &Cx) -> Result<Grown, Fault> {
    let (desk, actor) = (cx.console.desk(), &cx.viewer.actor);
    Ok(Grown { family: desk.family(actor).await?, powers: desk.powers(actor).await? })
}

#[component]
pub(super) fn FamilyTree() -> Element {
    let mut read = use_load((), |cx, ()| async move { grown(&cx).await });
    match &*read.read() {
        None => rsx! { Loading { rows: 8 } },
        Some(Err(fault)) => rsx! { Broken { fault: fault.clone(), onretry: move |_| read.reload() } },
        Some(Ok(grown)) => rsx! { Seen { grown: grown.clone() } },
    }
}

impl Grown {
    /// Those with nobody above them whom one sees.
    fn roots(&self) -> Vec<&Branch> {
        let known: BTreeSet<TenantId> =
            self.family.branches.iter().map(|branch| branch.tenant.tenant.id).collect();
        let top =
            |branch: &&Branch| branch.tenant.tenant.parent.is_none_or(|parent| !known.contains(&parent));
        self.family.branches.iter().filter(top).collect()
    }

    fn under(&self, id: TenantId) -> Vec<&Branch> {
        self.family.branches.iter().filter(|branch| branch.tenant.tenant.parent == Some(id)).collect()
    }

    /// What came in altogether, and how much of it from those right below the tops.
    fn bring(&self) -> (usize, Nano, Nano) {
        let roots = self.roots();
        let sum = |all: &[&Branch]| all.iter().fold(Nano::ZERO, |sum, branch| sum.plus(branch.month));
        let below: Vec<&Branch> = roots.iter().flat_map(|root| self.under(root.tenant.tenant.id)).collect();
        (below.len(), sum(&roots), sum(&below))
    }
}

#[component]
pub(super) fn Seen(grown: Grown) -> Element {
    let (lang, here) = (use_lang(), use_here());
    let (below, whole, brought) = grown.bring();
    let share = basis_points(brought.0, whole.0).map(|share| percent((share + 50) / 100 * 100));
    let found = grown.powers.iter().any(|at| at.found);
    let closed: BTreeSet<i64> =
        here.get("closed").unwrap_or_default().split('.').filter_map(|id| id.parse().ok()).collect();
    let roots: Vec<Branch> = grown.roots().into_iter().cloned().collect();
    rsx! {
        Headline { actions: rsx! { Actions { may: found, reseller: true } }, class: "mb-5",
            match (lang, below, share) {
                (Lang::En, 0, _) => rsx! { strong { "Nobody" } " resells from here yet." },
                (Lang::Zh, 0, _) => rsx! { strong { "还没有" } "分销商。" },
                (Lang::En, 1, Some(share)) => rsx! { strong { "One reseller" } " brings {share} of the month." },
                (Lang::En, n, Some(share)) => rsx! { strong { "{n} resellers" } " bring {share} of the month." },
                (Lang::Zh, n, Some(share)) => rsx! { strong { "{n} 家分销商" } "带来本月 {share} 的收入。" },
                (Lang::En, n, None) => rsx! { strong { "{n} below" } ", and nothing came in this month yet." },
                (Lang::Zh, n, None) => rsx! { strong { "下属 {n} 家" } "，本月还没有收入。" },
            }
        }
        Switch { view: View::Tree }
        Tree { label: lang.t("Family tree", "家谱"),
            for branch in roots { Node { key: "{branch.tenant.tenant.id}", grown: grown.clone(), branch, whole, closed: closed.clone() } }
        }
    }
}

/// What stands below the name of a tenant.
fn words(lang: Lang, branch: &Branch, own: bool) -> String {
    let tenant = &branch.tenant.tenant;
    let kind = match (own, tenant.parent) {
        (true, _) => lang.t("Yours", "你自己的"),
        (false, None) => lang.t("Of the house", "自营"),
        (false, Some(_)) => lang.t("Reseller", "分销商"),
    };
    let mut parts = vec![kind.to_owned()];
    parts.push(match (lang, branch.users) {
        (Lang::En, 1) => "one user".to_owned(),
        (Lang::En, n) => format!("{} users", grouped(n)),
        (Lang::Zh, n) => format!("{} 位用户", grouped(n)),
    });
    if branch.below > 0 {
        parts.push(match lang {
            Lang::En => format!("{} below", branch.below),
            Lang::Zh => format!("下属 {}", branch.below),
        });
    }
    if let Some(group) = &tenant.group {
        parts.push(format!("{}{group}", lang.t("group ", "分组 ")));
    }
    parts.join(lang.t(", ", "，"))
}

fn wallet(lang: Lang, branch: &Branch) -> Option<String> {
    let tenant = &branch.tenant.tenant;
    tenant.parent?;
    if tenant.unlimited {
        return Some(lang.t("no limit", "不限额度").to_owned());
    }
    let balance = money(tenant.balance);
    if tenant.credit == Nano::ZERO {
        return Some(balance);
    }
    Some(format!("{balance}{}{}", lang.t(", may owe ", "，可透支 "), money(tenant.credit)))
}

#[component]
fn Node(grown: Grown, branch: Branch, whole: Nano, closed: BTreeSet<i64>) -> Element {
    let (lang, here, conn) = (use_lang(), use_here(), use_conn());
    let tenant = &branch.tenant.tenant;
    let children: Vec<Branch> = grown.under(tenant.id).into_iter().cloned().collect();
    let leaders: Vec<Leader> =
        grown.family.leaders.iter().filter(|leader| leader.user.tenant == tenant.id).cloned().collect();
    let kids = !children.is_empty() || !leaders.is_empty();
    let open = kids && !closed.contains(&tenant.id.0);
    let mut next = closed.clone();
    if open {
        next.insert(tenant.id.0);
    } else {
        next.remove(&tenant.id.0);
    }
    let next: Vec<String> = next.iter().map(i64::to_string).collect();
    let chevron = if open { "icon-[lucide--chevron-down]" } else { "icon-[lucide--chevron-right]" };
    let own = tenant.id == conn.viewer.actor.tenant;
    let at = grown.powers.iter().find(|at| at.tenant == tenant.id).cloned().unwrap_or_default();
    rsx! {
        li {
            div { class: "tree-row flex items-center gap-3 h-14 border-b border-line/70",
                if kids {
                    a { href: here.with("closed", next.join(".")), class: "btn btn-ghost btn-xs btn-square -ms-1", role: "button", "aria-expanded": if open { "true" } else { "false" }, "aria-label": "{tenant.name}",
                        Icon { i: chevron, class: "size-3.5" }
                    }
                } else {
                    span { class: "w-6 -ms-1 shrink-0" }
                }
                Tile { name: tenant.name.clone(), round: true, class: "size-8! text-[0.6875rem]!" }
                span { class: "min-w-0",
                    a { class: "block font-medium truncate text-ink rounded", title: "{tenant.name}", href: here.href(&Place::at(["users"]).with("tenant", tenant.id)), "{tenant.name}" }
                    span { class: "block text-sm text-muted truncate",
                        if tenant.status != Status::Active { span { class: "text-error", {lang.t("Off", "已停用")} } {lang.t(", ", "，")} }
                        {words(lang, &branch, own)}
                    }
                }
                span { class: "ms-auto flex items-center gap-4 shrink-0",
                    if let Some(words) = wallet(lang, &branch) { span { class: "text-sm text-muted num max-lg:hidden", title: lang.t("Wallet", "钱包"), "{words}" } }
                    Share { month: branch.month, margin: branch.margin, whole }
                    span { class: "max-md:hidden", Acts { branch: branch.clone(), at } }
                }
            }
            if open {
                ul {
                    for child in children { Node { key: "t{child.tenant.tenant.id}", grown: grown.clone(), branch: child, whole, closed: closed.clone() } }
                    for leader in leaders { Leaf { key: "u{leader.user.id}", leader, whole } }
                }
            }
        }
    }
}

/// What it brought in, beside the whole.
#[component]
fn Share(month: Nano, margin: Option<Nano>, whole: Nano) -> Element {
    let lang = use_lang();
    let share = basis_points(month.0, whole.0).unwrap_or_default().clamp(0, 10_000) / 100;
    let share = u32::try_from(share).unwrap_or_default();
    let label = match lang {
        Lang::En => format!("{share}% of the month"),
        Lang::Zh => format!("占本月 {share}%"),
    };
    rsx! {
        span { class: "w-24 max-md:hidden", Meter { percent: share, label, tone: Tone::Info } }
        span { class: "num text-right w-24",
            span { class: "block", {money(month)} }
            if let Some(margin) = margin { span { class: "block text-sm text-muted", {lang.t("keeps ", "净利 ")} {money(margin)} } }
        }
    }
}

#[component]
fn Leaf(leader: Leader, whole: Nano) -> Element {
    let (lang, here) = (use_lang(), use_here());
    let Leader { user, month } = leader;
    rsx! {
        li {
            div { class: "tree-row flex items-center gap-3 h-14 border-b border-line/70",
                span { class: "w-6 -ms-1 shrink-0" }
                Tile { name: user.name.clone(), round: true, class: "size-8! text-[0.6875rem]!" }
                span { class: "min-w-0",
                    a { class: "block font-medium truncate text-ink rounded", title: "{user.name}", href: person_href(&here, user.id), "{user.name}" }
                    span { class: "block text-sm text-muted truncate", {role_name(lang, user.role)} }
                }
                span { class: "ms-auto flex items-center gap-4 shrink-0", Share { month, margin: None, whole } span { class: "w-8 max-md:hidden" } }
            }
        }
    }
}

#[component]
fn Acts(branch: Branch, at: Powers) -> Element {
    let (lang, here, conn, mut toasts) = (use_lang(), use_here(), use_conn(), use_toasts());
    let id = branch.tenant.tenant.id;
    let (name, off) = (branch.tenant.tenant.name.clone(), branch.tenant.tenant.status != Status::Active);
    let mut turn = use_act(move |cx, on: bool| async move {
        cx.console.desk().switch_tenant(&cx.viewer.actor, id, on, None).await
    });
    let icon = if off { "icon-[lucide--power]" } else { "icon-[lucide--ban]" };
    let purse = at.fund_it || at.credit_it;
    let wallet = format!("t{id}");
    let label = match lang {
        Lang::En => format!("{name}: more"),
        Lang::Zh => format!("{name}：更多"),
    };
    let told = name.clone();
    let switch = move |_| {
        let (on, name) = (off, told.clone());
        turn.then(on, move |_| {
            let words = if on { lang.t(" is on", "已启用") } else { lang.t(" is off", "已停用") };
            toasts.show(Toast::done(format!("{name}{words}")).undo(move |cx| async move {
                cx.console.desk().switch_tenant(&cx.viewer.actor, id, !on, None).await.map(|_| ())
            }));
        });
    };
    rsx! {
        Menu { label,
            MenuLink { href: here.href(&Place::at(["users"]).with("tenant", id).with("below", "1")), icon: "icon-[lucide--users]", {lang.t("Its users", "查看用户")} }
            MenuLink { href: conn.href(&format!("/logs?customer=t{id}")), icon: "icon-[lucide--scroll-text]", {lang.t("Requests", "请求")} }
            if purse { MenuLink { href: dialog_href(&here, "topup", &wallet), icon: "icon-[lucide--wallet]", {lang.t("Top up", "充值")} } }
            if at.manage {
                MenuLink { href: here.href(&here.place().with("do", "invite").with("who", &wallet).with("role", Role::Reseller.as_str())), icon: "icon-[lucide--user-plus]", {lang.t("Invite to it", "邀请加入")} }
            }
            if at.change {
                MenuLink { href: dialog_href(&here, "terms", &wallet), icon: "icon-[lucide--settings-2]", {lang.t("Terms", "条款")} }
                MenuItem { onclick: switch, danger: !off, disabled: turn.busy(), icon,
                    if off { {lang.t("Switch on", "启用")} } else { {lang.t("Switch off", "停用")} }
                }
            }
        }
    }
}
