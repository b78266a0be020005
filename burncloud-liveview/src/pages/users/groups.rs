//! Customers' groups: their ratio in the price book, and who is in them.

use super::roster::Actions;
use super::{Switch, View, person_href};
use crate::fmt::{NOTHING, grouped};
use crate::kit::*;
use crate::lang::Lang;
use crate::live::*;
use burncloud_billing::desk::{GroupView, Members};
use burncloud_core::TenantId;
use dioxus::prelude::*;
use std::collections::BTreeMap;

/// The groups with their ratios, as far as one sees them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct All {
    pub(super) groups: Vec<GroupView>,
    /// By the tenant whose price book it is.
    pub(super) ratios: BTreeMap<(TenantId, String), String>,
    pub(super) may: bool,
    /// Whether more than one tenant is seen.
    pub(super) many: bool,
}

pub(super) async fn all(cx: &Cx) -> Result<All, Fault> {
    let (desk, actor) = (cx.console.desk(), &cx.viewer.actor);
    let (mut groups, powers) = (desk.groups(actor).await?, desk.powers(actor).await?);
    let mut ratios = BTreeMap::new();
    for at in &powers {
        // Whose book is not for these eyes has no ratio here.
        let book = (at.level > 0).then_some(at.tenant);
        let Ok(found) = desk.book_ratios(actor, book).await else { continue };
        for (group, ratio) in found.groups {
            let known = groups.iter().any(|one| one.tenant == at.tenant && one.group == group);
            if !known {
                let (tenant, tenant_name) = (at.tenant, at.name.clone());
                groups.push(GroupView { tenant, tenant_name, group: group.clone(), users: 0, tenants: 0 });
            }
            ratios.insert((at.tenant, group), ratio);
        }
    }
    groups.sort_by(|a, b| (a.tenant, &a.group).cmp(&(b.tenant, &b.group)));
    Ok(All { groups, ratios, may: powers.iter().any(|at| at.manage), many: powers.len() > 1 })
}

#[component]
pub(super) fn Groups() -> Element {
    let mut read = use_load((), |cx, ()| async move { all(&cx).await });
    match &*read.read() {
        None => rsx! { Loading { rows: 5 } },
        Some(Err(fault)) => rsx! { Broken { fault: fault.clone(), onretry: move |_| read.reload() } },
        Some(Ok(all)) => rsx! { Seen { all: all.clone() } },
    }
}

/// The group whose members are shown: `group=3.vip`.
fn chosen(here: &Here) -> Option<(TenantId, String)> {
    let text = here.get("group")?;
    let (tenant, group) = text.split_once('.')?;
    Some((TenantId(tenant.parse().ok()?), group.to_owned()))
}

#[component]
pub(super) fn Seen(all: All) -> Element {
    let (lang, here) = (use_lang(), use_here());
    let open = chosen(&here);
    let (count, members) =
        (all.groups.len(), all.groups.iter().map(|one| one.users + one.tenants).sum::<u64>());
    let members = grouped(members);
    rsx! {
        Headline { actions: rsx! { Actions { may: all.may } }, class: "mb-5",
            match (lang, count) {
                (Lang::En, 0) => rsx! { strong { "No groups" } ": everybody pays the same." },
                (Lang::En, 1) => rsx! { strong { "One group" } " with {members} in it." },
                (Lang::En, n) => rsx! { strong { "{n} groups" } " with {members} in them." },
                (Lang::Zh, 0) => rsx! { strong { "没有分组" } "，大家价格一样。" },
                (Lang::Zh, n) => rsx! { strong { "{n} 个分组" } "，共 {members} 位成员。" },
            }
        }
        Switch { view: View::Groups }
        if all.groups.is_empty() {
            Empty { text: lang.t("Put somebody into a group in their drawer, and give the group a ratio in the price book.", "在用户详情里填写分组，再到价目表给分组定倍率。"), icon: "icon-[lucide--layers]" }
        } else {
            List { all, open: open.clone() }
        }
        if let Some((tenant, group)) = open { MembersOf { key: "{tenant}.{group}", tenant, group } }
    }
}

#[component]
fn List(all: All, open: Option<(TenantId, String)>) -> Element {
    let (lang, here) = (use_lang(), use_here());
    let head = rsx! {
        th { scope: "col", {lang.t("Group", "分组")} }
        if all.many { th { scope: "col", class: "max-md:hidden", {lang.t("Of whose customers", "谁的客户")} } }
        th { scope: "col", class: "text-right max-md:hidden", {lang.t("Ratio", "倍率")} }
        th { scope: "col", class: "text-right max-md:hidden", {lang.t("Tenants", "租户")} }
        th { scope: "col", class: "text-right", {lang.t("Users", "用户")} }
    };
    let ratio = |one: &GroupView| {
        all.ratios
            .get(&(one.tenant, one.group.clone()))
            .map_or_else(|| NOTHING.to_owned(), |ratio| format!("×{ratio}"))
    };
    let is_open = |one: &GroupView| {
        open.as_ref().is_some_and(|(tenant, group)| *tenant == one.tenant && *group == one.group)
    };
    let toggle = |one: &GroupView| {
        let value = if is_open(one) { String::new() } else { format!("{}.{}", one.tenant, one.group) };
        here.with("group", value)
    };
    rsx! {
        Table { caption: lang.t("Groups", "分组"), head,
            for one in all.groups.iter() {
                tr { key: "{one.tenant}.{one.group}",
                    th { scope: "row", class: "font-normal",
                        a { class: "font-medium text-ink block truncate max-w-[42vw] md:max-w-60 rounded", title: "{one.group}", href: toggle(one), "aria-current": if is_open(one) { "true" }, "{one.group}" }
                    }
                    if all.many { td { class: "max-md:hidden text-muted", "{one.tenant_name}" } }
                    td { class: "text-right num max-md:hidden", {ratio(one)} }
                    td { class: "text-right num max-md:hidden", {grouped(one.tenants)} }
                    td { class: "text-right num", {grouped(one.users)} }
                }
            }
        }
    }
}

#[component]
fn MembersOf(tenant: TenantId, group: String) -> Element {
    let lang = use_lang();
    let read = use_load((tenant, group.clone()), |cx, (tenant, group): (TenantId, String)| async move {
        cx.console.desk().group_members(&cx.viewer.actor, tenant, &group).await
    });
    let body = match &*read.read() {
        None => rsx! { Loading { rows: 2, headline: false } },
        Some(Err(fault)) => rsx! { Broken { fault: fault.clone() } },
        Some(Ok(members)) => rsx! { Names { members: members.clone() } },
    };
    let title = match lang {
        Lang::En => format!("In {group}"),
        Lang::Zh => format!("「{group}」的成员"),
    };
    rsx! { Section { id: "members-title", title, {body} } }
}

#[component]
pub(super) fn Names(members: Members) -> Element {
    let (lang, here) = (use_lang(), use_here());
    if members.users.is_empty() && members.tenants.is_empty() {
        return rsx! { p { class: "text-muted", {lang.t("Nobody yet.", "还没有成员。")} } };
    }
    rsx! {
        ul { class: "rows",
            for tenant in members.tenants.iter() {
                li { key: "t{tenant.id}", class: "flex items-center gap-3 py-3",
                    Tile { name: tenant.name.clone(), round: true, class: "size-8! text-[0.6875rem]!" }
                    span { class: "min-w-0",
                        a { class: "block truncate text-ink rounded", href: here.href(&Place::at(["users"]).with("tenant", tenant.id)), "{tenant.name}" }
                        span { class: "block text-sm text-muted", {lang.t("Tenant", "租户")} }
                    }
                }
            }
            for user in members.users.iter() {
                li { key: "u{user.id}", class: "flex items-center gap-3 py-3",
                    Tile { name: user.name.clone(), round: true, class: "size-8! text-[0.6875rem]!" }
                    a { class: "truncate text-ink rounded", href: person_href(&here, user.id), "{user.name}" }
                }
            }
        }
        if members.users.len() >= 100 {
            p { class: "text-sm text-muted mt-4", {lang.t("The first hundred.", "仅列出前一百位。")} }
        }
    }
}
