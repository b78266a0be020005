//! One person, in a drawer: money, keys, how they sign in, their terms.

use super::words::{State, called, role_name};
use super::{View, dialog_href, keeping, statement, terms};
use crate::fmt::{money, ms, now};
use crate::kit::*;
use crate::live::*;
use burncloud_billing::desk::login::Place as Seat;
use burncloud_billing::desk::{KeyFilter, KeyView, UserPowers, UserView};
use burncloud_core::{Nano, Status, UserId};
use dioxus::prelude::*;

/// A person, as far as one may see them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) view: UserView,
    pub(super) over: UserPowers,
    pub(super) month: Nano,
    /// The first of their keys, and how many there are.
    pub(super) keys: Vec<KeyView>,
    pub(super) key_count: u64,
    /// Where they are signed in; `None` where that is not for whoever looks.
    pub(super) seats: Option<Vec<Seat>>,
}

pub(super) async fn known(cx: &Cx, id: UserId) -> Result<Known, Fault> {
    let (desk, actor) = (cx.console.desk(), &cx.viewer.actor);
    let view = desk.user(actor, id).await?;
    let over = desk.powers_over(actor, id).await?;
    let month = desk.charged_this_month(actor, &[id]).await?.get(&id).copied().unwrap_or_default();
    let keys = desk.keys(actor, &KeyFilter { user: Some(id), limit: 5, ..KeyFilter::default() }).await?;
    let seats = if over.login { Some(desk.sessions_of_user(actor, id).await?) } else { None };
    let key_count = keys.total.unwrap_or_default();
    Ok(Known { view, over, month, keys: keys.items, key_count, seats })
}

fn shut(mut here: Here) {
    let place = keeping(&here, View::People.place());
    here.go(place);
}

#[component]
pub(super) fn Person(id: UserId) -> Element {
    let (lang, here) = (use_lang(), use_here());
    let mut read = use_load(id, |cx, id| async move { known(&cx, id).await });
    match &*read.read() {
        Some(Ok(known)) => rsx! { Seen { known: known.clone() } },
        other => rsx! {
            Drawer { id: "person", title: lang.t("User", "用户"), onclose: move |()| shut(here),
                match other {
                    Some(Err(fault)) => rsx! { Broken { fault: fault.clone(), onretry: move |_| read.reload() } },
                    _ => rsx! { Loading { rows: 5, headline: false } },
                }
            }
        },
    }
}

#[component]
pub(super) fn Seen(known: Known) -> Element {
    let (lang, here) = (use_lang(), use_here());
    let Known { view, over, month, .. } = known.clone();
    let (user, state, id) = (view.user.clone(), State::of(&view), view.user.id);
    let name = called(&view);
    let bar = rsx! {
        Tile { name: name.clone(), round: true, class: "size-8! text-[0.6875rem]!" }
        span { class: "flex items-center gap-2 text-sm", Dot { tone: state.tone() } span { class: state.class(), {state.word(lang)} } }
    };
    let since = use_fmt().date(ms(user.created_at), now());
    let role = role_name(lang, user.role);
    rsx! {
        Drawer { id: "person", title: name.clone(), bar, onclose: move |()| shut(here),
            p { class: "mt-1 text-muted",
                "{role}" {lang.t(" of ", "，属于")} "{view.tenant_name}" {lang.t(", since ", "，加入于 ")} span { class: "num", "{since}" }
            }
            if name != user.name { p { class: "text-sm text-muted", {lang.t("Known as ", "账户名 ")} "{user.name}" } }
            Sums { view: view.clone(), month }
            div { class: "flex flex-wrap gap-2 mt-5",
                if (over.fund || over.credit) && user.status != Status::Revoked {
                    LinkButton { small: true, kind: Kind::Primary, icon: "icon-[lucide--plus]", href: dialog_href(&here, "topup", &format!("u{id}")), {lang.t("Top up", "充值")} }
                }
                ActAs { id, may: over.act_as && user.status == Status::Active }
                Logs { id }
            }
            statement::Statement { id }
            Keys { keys: known.keys, count: known.key_count, id }
            if let Some(seats) = known.seats { SignIn { view: view.clone(), seats } }
            terms::Terms { view, over }
        }
    }
}

#[component]
fn Sums(view: UserView, month: Nano) -> Element {
    let lang = use_lang();
    let user = view.user;
    let limit = if user.unlimited { lang.t("No limit", "不限").to_owned() } else { money(user.credit) };
    rsx! {
        dl { class: "grid grid-cols-2 gap-x-6 gap-y-4 mt-6",
            div { dt { class: "text-sm text-muted", {lang.t("Balance", "余额")} } dd { class: "num text-lg font-medium", {money(user.balance)} } }
            div { dt { class: "text-sm text-muted", {lang.t("May owe", "可透支")} } dd { class: "num text-lg", "{limit}" } }
            div { dt { class: "text-sm text-muted", {lang.t("Used this month", "本月用量")} } dd { class: "num", {money(month)} } }
            div { dt { class: "text-sm text-muted", {lang.t("Used in all", "累计用量")} } dd { class: "num", {money(user.used)} } }
        }
    }
}

/// A form of its own: the answer is another cookie.
#[component]
fn ActAs(id: UserId, may: bool) -> Element {
    let (lang, conn) = (use_lang(), use_conn());
    if !may {
        return rsx! {};
    }
    rsx! {
        form { method: "post", action: conn.href("/impersonate"),
            input { r#type: "hidden", name: "csrf", value: "{conn.viewer.csrf}" }
            input { r#type: "hidden", name: "user", value: "{id}" }
            Button { small: true, submit: true, id: "act-as", icon: "icon-[lucide--user-round-check]", {lang.t("Act as them", "以其身份操作")} }
        }
    }
}

#[component]
fn Logs(id: UserId) -> Element {
    let (lang, conn) = (use_lang(), use_conn());
    rsx! { LinkButton { small: true, icon: "icon-[lucide--scroll-text]", href: conn.href(&format!("/logs?customer=u{id}")), {lang.t("Requests", "请求")} } }
}

#[component]
fn Keys(keys: Vec<KeyView>, count: u64, id: UserId) -> Element {
    let (lang, conn) = (use_lang(), use_conn());
    let all = conn.href(&format!("/access?user={id}"));
    rsx! {
        Section { id: "keys-title", title: lang.t("Keys", "密钥"), class: "mt-10",
            actions: rsx! { if count > 0 { a { class: "text-sm text-accent rounded num", href: "{all}", {lang.t("All ", "全部 ")} "{count}" } } },
            if keys.is_empty() { p { class: "text-muted", {lang.t("None yet.", "还没有密钥。")} } }
            ul { class: "rows",
                for key in keys {
                    li { key: "{key.key.id}", class: "flex items-center gap-3 py-2.5",
                        span { class: "min-w-0 grow",
                            span { class: "block truncate", title: "{key.key.name}", "{key.key.name}" }
                            span { class: "block text-sm text-muted mono truncate", "{key.key.hint}" }
                        }
                        span { class: "text-sm text-muted num",
                            match key.key.status {
                                Status::Active => rsx! { {money(key.key.used)} },
                                Status::Disabled => rsx! { {lang.t("Off", "已停用")} },
                                Status::Revoked => rsx! { {lang.t("Withdrawn", "已吊销")} },
                            }
                        }
                    }
                }
            }
        }
    }
}

#[component]
fn SignIn(view: UserView, seats: Vec<Seat>) -> Element {
    let (lang, here, f, mut toasts) = (use_lang(), use_here(), use_fmt(), use_toasts());
    let id = view.user.id;
    let mut out =
        use_act(move |cx, ()| async move { cx.console.desk().sign_out_user(&cx.viewer.actor, id).await });
    let mut drop_it =
        use_act(move |cx, ()| async move { cx.console.desk().drop_factor_of(&cx.viewer.actor, id).await });
    let last = view.signed_in_at.map(|at| f.ago(ms(at), now()));
    let (known, some) = (view.login.is_some(), !seats.is_empty());
    rsx! {
        Section { id: "sign-in-title", title: lang.t("Signing in", "登录"), class: "mt-10",
            p { class: "text-muted",
                match &view.login {
                    None => rsx! { {lang.t("They cannot sign in: there is no password.", "还不能登录：没有密码。")} },
                    Some(login) => rsx! {
                        {lang.t("Signs in by ", "登录名 ")} span { class: "text-ink", "{login}" }
                        if let Some(last) = last { {lang.t(", last ", "，上次登录 ")} span { class: "num", "{last}" } }
                    },
                }
            }
            ul { class: "rows mt-3",
                for seat in seats {
                    li { key: "{seat.id}", class: "py-2.5",
                        span { class: "block truncate", match (&seat.token, seat.session.agent.is_empty()) {
                            (Some(token), _) => rsx! { {lang.t("Token ", "令牌 ")} "{token}" },
                            (None, true) => rsx! { {lang.t("A browser", "浏览器")} },
                            (None, false) => rsx! { "{seat.session.agent}" },
                        } }
                        span { class: "block text-sm text-muted num", "{seat.session.ip} · " {f.ago(ms(seat.session.seen_at), now())} }
                    }
                }
            }
            div { class: "flex flex-wrap gap-2 mt-4",
                LinkButton { small: true, icon: "icon-[lucide--key-round]", href: dialog_href(&here, "password", &format!("u{id}")), {lang.t("One-time password", "一次性密码")} }
                if some {
                    Button { small: true, busy: out.busy(), id: "sign-out", onclick: move |_| out.then((), move |_| toasts.show(Toast::done(lang.t("Signed out everywhere", "已在所有地方退出")))), {lang.t("Sign out everywhere", "全部退出")} }
                }
                if known {
                    Button { small: true, busy: drop_it.busy(), id: "drop-factor", onclick: move |_| drop_it.then((), move |()| toasts.show(Toast::done(lang.t("They sign in with the password alone now", "现在仅凭密码登录")))), {lang.t("Drop the second factor", "取消双重验证")} }
                }
            }
        }
    }
}
