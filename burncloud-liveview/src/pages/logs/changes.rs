//! Who changed what: the audit log.

use super::Which;
use super::words::when;
use crate::fmt::{ms, now};
use crate::kit::{Broken, Empty, Headline, Icon, Loading, Pager, Tile, use_fmt};
use crate::lang::Lang;
use crate::live::{Place, use_here, use_lang, use_load};
use burncloud_billing::desk::{AuditQuery, AuditView};
use burncloud_core::{TenantId, UserId};
use dioxus::prelude::*;
use serde_json::Value;

/// Entries of a page.
const ROWS: u32 = 50;
/// How many pages back the URL remembers.
const TRAIL: usize = 40;

/// What a place asks for, and where the pages before began.
fn asked(place: &Place) -> (AuditQuery, Vec<i64>) {
    let trail: Vec<i64> =
        place.get("page").unwrap_or_default().split('.').filter_map(|id| id.parse().ok()).collect();
    let query = AuditQuery {
        tenant: place.parsed("tenant").map(TenantId),
        user: place.parsed("by").map(UserId),
        subject: place.get("subject").map(str::to_owned),
        before: trail.last().copied(),
        limit: ROWS,
    };
    (query, trail)
}

fn walk(place: Place, trail: &[i64]) -> Place {
    let from = trail.len().saturating_sub(TRAIL);
    let trail: Vec<String> = trail[from..].iter().map(i64::to_string).collect();
    place.with("page", trail.join(".")).with("open", "")
}

fn narrow(place: Place, name: &str, value: impl std::fmt::Display) -> Place {
    place.without(&["page", "open"]).with(name, value)
}

#[rustfmt::skip]
const DONE: &[(&str, &str, &str)] = &[
    ("access.set", "set who may use", "设置了可用范围："),
    ("account.display", "changed their name", "修改了自己的名字："),
    ("account.factor", "changed their second factor", "修改了自己的双重验证："),
    ("account.password", "changed their password", "修改了自己的密码："),
    ("account.provider", "changed how they sign in", "修改了自己的登录方式："),
    ("account.recovery", "made new recovery codes", "重新生成了恢复码："),
    ("budget.delete", "took away the budget of", "删除了预算："),
    ("budget.set", "set the budget of", "设置了预算："),
    ("channel.create", "added the account", "添加了账号"),
    ("channel.delete", "removed the account", "移除了账号"),
    ("channel.import", "imported the account", "导入了账号"),
    ("channel.status", "switched the account", "切换了账号状态："),
    ("channel.update", "changed the account", "修改了账号"),
    ("codes.create", "made codes", "生成了兑换码"),
    ("codes.redeem", "redeemed a code of", "兑换了"),
    ("codes.revoke", "revoked codes", "作废了兑换码"),
    ("invitation.create", "invited", "邀请了"),
    ("invitation.revoke", "withdrew the invitation of", "撤回了邀请："),
    ("invitation.use", "joined by the invitation", "通过邀请加入："),
    ("key.create", "made the key", "创建了密钥"),
    ("key.revoke", "revoked the key", "吊销了密钥"),
    ("key.rotate", "replaced the secret of the key", "更换了密钥"),
    ("key.update", "changed the key", "修改了密钥"),
    ("money.adjustment", "adjusted the balance of", "调整了余额："),
    ("money.credit_line", "set the credit line of", "设置了授信："),
    ("money.promotion", "gave a present to", "赠送给"),
    ("money.reverse", "reversed a payment of", "冲正了款项："),
    ("money.top_up", "topped up", "充值给"),
    ("owner.first", "became the first owner", "成为首位所有者："),
    ("plan.set", "set the plan", "设置了方案"),
    ("price.set", "set the price of", "设置了价格："),
    ("prices.approve", "took over published prices", "采纳了公布的价格："),
    ("prices.import", "imported prices", "导入了价格"),
    ("prices.reject", "turned down published prices", "否决了公布的价格："),
    ("setting.set", "set", "修改了设置"),
    ("tenant.create", "made the tenant", "创建了分销商"),
    ("tenant.off", "switched off the tenant", "停用了分销商"),
    ("tenant.on", "switched on the tenant", "启用了分销商"),
    ("tenant.update", "changed the tenant", "修改了分销商"),
    ("token.create", "made the token", "创建了令牌"),
    ("token.revoke", "revoked the token", "吊销了令牌"),
    ("user.act_as", "began to act as", "开始代表"),
    ("user.act_no_more", "stopped acting as", "不再代表"),
    ("user.ban", "banned", "封禁了"),
    ("user.create", "added the user", "添加了用户"),
    ("user.factor", "took away the second factor of", "移除了双重验证："),
    ("user.password", "set the password of", "设置了密码："),
    ("user.register", "signed up:", "注册："),
    ("user.role", "changed the role of", "修改了角色："),
    ("user.sign_out", "signed out", "登出了"),
    ("user.unban", "let back in", "解封了"),
    ("user.update", "changed the user", "修改了用户"),
    ("user.withdraw", "withdrew the user", "注销了用户"),
];

/// What was done, in words; the code itself where there are none.
fn done(lang: Lang, action: &str) -> &str {
    DONE.iter().find(|(code, ..)| *code == action).map_or(action, |(_, en, zh)| lang.t(en, zh))
}

/// A field that is not as it was.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Differs {
    field: String,
    before: Option<String>,
    after: Option<String>,
}

fn written(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

/// What differs, field by field; fields within fields by their path.
fn differs(before: &Value, after: &Value) -> Vec<Differs> {
    let mut out = Vec::new();
    compare("", before, after, &mut out);
    out
}

fn compare(path: &str, before: &Value, after: &Value, out: &mut Vec<Differs>) {
    if before == after {
        return;
    }
    let empty = serde_json::Map::new();
    let (left, right) = match (before, after) {
        (Value::Object(left), Value::Object(right)) => (left, right),
        (Value::Object(left), Value::Null) => (left, &empty),
        (Value::Null, Value::Object(right)) => (&empty, right),
        _ => {
            out.push(Differs { field: path.to_owned(), before: written(before), after: written(after) });
            return;
        }
    };
    let mut names: Vec<&String> = left.keys().chain(right.keys()).collect();
    names.sort();
    names.dedup();
    for name in names {
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        let of = |map: &serde_json::Map<String, Value>| map.get(name).cloned().unwrap_or_default();
        compare(&path, &of(left), &of(right), out);
    }
}

#[component]
pub(super) fn Changes() -> Element {
    let (lang, here) = (use_lang(), use_here());
    let place = here.place();
    let (query, trail) = asked(&place);
    let narrowed = query.tenant.is_some() || query.user.is_some() || query.subject.is_some();
    let mut page = use_load(query.clone(), |cx, query| async move {
        cx.console.desk().audit(&cx.viewer.actor, &query).await
    });
    let open: Option<i64> = place.parsed("open");
    let read = page.read();
    let newest = read.as_ref().and_then(|read| read.as_ref().ok()).and_then(|page| page.items.first());
    let newest = newest.filter(|_| !narrowed && trail.is_empty()).map(|item| item.entry.at);
    let body = match &*read {
        None => rsx! { Loading { rows: 8, headline: false } },
        Some(Err(fault)) => rsx! { Broken { fault: fault.clone(), onretry: move |_| page.reload() } },
        Some(Ok(page)) if page.items.is_empty() => rsx! {
            Empty { text: if narrowed || !trail.is_empty() { lang.t("Nothing was changed that fits.", "没有符合的变更。") } else { lang.t("What is changed from now on stands here.", "今后的变更都会记在这里。") } }
        },
        Some(Ok(page)) => rsx! { List { items: page.items.clone(), open } },
    };
    let next = read.as_ref().and_then(|read| read.as_ref().ok()).and_then(|page| page.next);
    let older = next.map(|next| {
        let mut trail = trail.clone();
        trail.push(next);
        here.href(&walk(place.clone(), &trail))
    });
    let newer = trail.split_last().map(|(_, rest)| here.href(&walk(place.clone(), rest)));
    rsx! {
        Headline { class: "mb-6", Said { newest, narrowed } }
        Which { changes: true }
        Chips { query: query.clone() }
        {body}
        Pager { before: newer, after: older }
    }
}

#[component]
fn Said(newest: Option<burncloud_core::UnixMicros>, narrowed: bool) -> Element {
    let (lang, f) = (use_lang(), use_fmt());
    let ago = newest.map(|at| f.ago(ms(at), now()));
    match (ago, lang) {
        (Some(ago), Lang::En) => rsx! { strong { "Last changed" } " {ago}." },
        (Some(ago), Lang::Zh) => rsx! { strong { "最近变更" } "：{ago}。" },
        (None, _) => {
            rsx! { strong { {lang.t("Changes", "变更")} } if narrowed { {lang.t(" that fit.", "，按条件。")} } }
        }
    }
}

/// What was chosen, each to be taken away.
#[component]
fn Chips(query: AuditQuery) -> Element {
    let (lang, here) = (use_lang(), use_here());
    let place = here.place();
    let chips = [
        ("by", lang.t("By", "操作者"), query.user.map(|id| format!("user:{}", id.0))),
        ("subject", lang.t("Of", "对象"), query.subject),
        ("tenant", lang.t("Tenant", "分销商"), query.tenant.map(|id| id.0.to_string())),
    ];
    let chips = chips.into_iter().filter_map(|(name, label, value)| Some((name, label, value?)));
    let chips: Vec<_> = chips.collect();
    if chips.is_empty() {
        return rsx! {};
    }
    rsx! {
        div { class: "flex flex-wrap items-center gap-2 mb-2",
            for (name, label, value) in chips {
                a { key: "{name}", class: "btn btn-quiet btn-sm font-normal gap-1.5 bg-fill!", href: here.href(&narrow(place.clone(), name, "")),
                    span { class: "text-muted", "{label}" }
                    span { class: "font-medium truncate max-w-40", title: "{value}", "{value}" }
                    Icon { i: "icon-[lucide--x]", class: "size-3.5 text-faint" }
                    span { class: "sr-only", {lang.t("Take away", "去掉")} }
                }
            }
        }
    }
}

#[component]
pub(super) fn List(items: Vec<AuditView>, open: Option<i64>) -> Element {
    let lang = use_lang();
    rsx! {
        ol { class: "rows border-t border-line", "aria-label": lang.t("Changes", "变更"),
            for item in items { Entry { key: "{item.entry.id}", open: open == Some(item.entry.id), item } }
        }
    }
}

#[component]
fn Entry(item: AuditView, open: bool) -> Element {
    let (lang, here, f) = (use_lang(), use_here(), use_fmt());
    let entry = &item.entry;
    let place = here.place();
    let at = when(&f, entry.at, now());
    let toggle = here.with("open", if open { String::new() } else { entry.id.to_string() });
    let by = entry.user.map(|id| here.href(&narrow(place.clone(), "by", id.0)));
    let of = here.href(&narrow(place, "subject", &entry.subject));
    let fields = if open { differs(&entry.before, &entry.after) } else { Vec::new() };
    let more = !(entry.before.is_null() && entry.after.is_null());
    let acting = entry.acting.map(|id| format!("{}user:{}", lang.t("really ", "实际操作者 "), id.0));
    let ip = (!entry.ip.is_empty()).then(|| entry.ip.clone());
    let what = done(lang, &entry.action);
    let arrow = if open { "icon-[lucide--chevron-up]" } else { "icon-[lucide--chevron-down]" };
    let link = "hover:underline underline-offset-4 rounded";
    rsx! {
        li { class: "py-3",
            div { class: "flex items-start gap-3",
                Tile { name: entry.author.clone(), round: true, class: "size-6! text-[0.5625rem]! mt-0.5" }
                div { class: "min-w-0 grow",
                    p { class: "text-pretty wrap-anywhere",
                        if let Some(by) = by { a { class: "font-medium {link}", href: by, "{entry.author}" } } else { span { class: "font-medium", "{entry.author}" } }
                        " {what} "
                        span { class: "font-medium", "{entry.name}" }
                    }
                    p { class: "text-sm text-muted num flex flex-wrap gap-x-3",
                        time { "{at}" }
                        a { class: "mono text-xs! py-1 {link}", href: of, title: lang.t("Everything about it", "与它有关的全部"), "{entry.subject}" }
                        if let Some(acting) = acting { span { "{acting}" } }
                        if let Some(ip) = ip { span { "{ip}" } }
                    }
                }
                if more {
                    a { id: "change-{entry.id}", class: "btn btn-ghost btn-sm btn-square", href: toggle, role: "button", "aria-expanded": if open { "true" } else { "false" },
                        "aria-label": lang.t("Before and after", "变更前后"),
                        Icon { i: arrow }
                    }
                }
            }
            if open { Fields { fields } }
        }
    }
}

#[component]
fn Fields(fields: Vec<Differs>) -> Element {
    let lang = use_lang();
    if fields.is_empty() {
        return rsx! { p { class: "ms-9 mt-2 text-sm text-muted", {lang.t("No field differs.", "没有字段不同。")} } };
    }
    rsx! {
        table { class: "table text-sm ms-9 mt-2 w-auto! max-w-[calc(100%-2.25rem)]",
            caption { class: "sr-only", {lang.t("Before and after", "变更前后")} }
            thead { tr {
                th { scope: "col", {lang.t("Field", "字段")} }
                th { scope: "col", {lang.t("Before", "之前")} }
                th { scope: "col", {lang.t("After", "之后")} }
            } }
            tbody {
                for row in fields {
                    tr { key: "{row.field}",
                        th { scope: "row", class: "font-normal mono text-xs! text-muted wrap-anywhere", "{row.field}" }
                        td { class: "wrap-anywhere text-muted", {row.before.as_deref().unwrap_or(crate::fmt::NOTHING)} }
                        td { class: "wrap-anywhere", {row.after.as_deref().unwrap_or(crate::fmt::NOTHING)} }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_place_asks_for_entries() {
        let (query, trail) = asked(&Place::parse("", "/logs/changes?by=4&subject=key%3A12&page=90.40"));
        assert_eq!((query.user, query.subject.as_deref()), (Some(UserId(4)), Some("key:12")));
        assert_eq!((query.before, trail), (Some(40), vec![90, 40]));
        assert_eq!(
            asked(&Place::parse("", "/logs/changes?by=x&page=..")).0,
            AuditQuery { limit: ROWS, ..AuditQuery::default() }
        );
        let place = walk(Place::parse("", "/logs/changes?by=4&open=1"), &[9, 8]);
        assert_eq!(place.to_string(), "/logs/changes?by=4&page=9.8");
        assert_eq!(narrow(place, "by", "").to_string(), "/logs/changes");
    }

    #[test]
    fn only_what_differs_is_listed() {
        let before = json!({ "name": "a", "limits": { "rpm": 1, "tpm": 2 }, "same": [1] });
        let after = json!({ "name": "b", "limits": { "rpm": 1, "tpm": 5 }, "same": [1], "new": true });
        let found = differs(&before, &after);
        let text: Vec<_> = found
            .iter()
            .map(|d| {
                format!(
                    "{} {} {}",
                    d.field,
                    d.before.as_deref().unwrap_or("-"),
                    d.after.as_deref().unwrap_or("-")
                )
            })
            .collect();
        assert_eq!(text, ["limits.tpm 2 5", "name a b", "new - true"]);
        assert!(differs(&after, &after).is_empty());
        assert_eq!(differs(&Value::Null, &json!({ "a": 1 })).len(), 1);
        assert_eq!(differs(&json!(1), &json!("x"))[0].after.as_deref(), Some("x"));
    }

    #[test]
    fn what_was_done_is_said_in_both_languages() {
        assert_eq!(
            (done(Lang::En, "key.create"), done(Lang::Zh, "key.create")),
            ("made the key", "创建了密钥")
        );
        assert_eq!(done(Lang::En, "odd.thing"), "odd.thing");
        assert!(DONE.windows(2).all(|pair| pair[0].0 < pair[1].0), "in order, each once");
    }
}
