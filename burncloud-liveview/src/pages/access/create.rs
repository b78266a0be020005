//! Making a key.

use super::fields::{self, Models, Speed};
use super::list::People;
use super::shown::{Made, example};
use crate::kit::*;
use crate::live::{Cx, Fault, use_act, use_conn, use_lang, use_load};
use burncloud_billing::desk::{BudgetDraft, KeyDraft};
use burncloud_billing::people::{Action, Place, may};
use burncloud_core::{Allowance, Enforcement, KeyId, Nano, Period, Scope, UserId};
use dioxus::prelude::*;
use jiff::tz::TimeZone;

/// The name of a key's budget for such a span of time: there is one of each.
pub(super) fn budget_name(id: KeyId, period: Period, tokens: bool) -> String {
    let period = match period {
        Period::Hour => "hour",
        Period::Day => "day",
        Period::Month => "month",
        Period::Total => "total",
    };
    format!("key-{id}-{period}{}", if tokens { "-tokens" } else { "" })
}

/// What a form says of a new key, and what it may spend a day.
fn read(cx: &Cx, form: &Form, zone: &TimeZone) -> Result<(KeyDraft, Option<Nano>), Fault> {
    let lang = cx.viewer.lang;
    let user = form.some("user").and_then(|id| id.parse().ok()).map(UserId);
    let draft = KeyDraft {
        name: form.text("name"),
        user,
        quota: fields::amount(lang, form, "quota", "quota")?,
        limits: fields::limits(lang, form)?,
        models: fields::models(form),
        ips: fields::ips(lang, form.raw("ips"))?,
        apps: fields::lines(form.raw("apps")),
        expires_at: fields::ends(lang, zone, form.raw("ends"))?,
        group: form.some("group"),
    };
    let day = fields::amount(lang, form, "day", "allowance")?;
    if day.is_some_and(|day| day < Nano::ZERO) {
        let wrong = lang.t("A budget is not negative.", "预算不能为负。");
        return Err(Fault::field("allowance", wrong));
    }
    Ok((draft, day))
}

/// Makes the key and its budget. The secret is shown also where the budget could not be set: the key is there.
pub(super) async fn make(cx: Cx, form: Form, zone: TimeZone, served: Vec<String>) -> Result<Made, Fault> {
    let (desk, actor) = (cx.console.desk(), &cx.viewer.actor);
    let (draft, day) = read(&cx, &form, &zone)?;
    let model = example(draft.models.as_deref(), &served);
    let made = desk.create_key(actor, draft).await?;
    let mut note = None;
    if let Some(amount) = day {
        let id = made.key.key.id;
        let budget = BudgetDraft {
            name: budget_name(id, Period::Day, false),
            scope: Scope::Key(id),
            period: Period::Day,
            allowance: Allowance::Money(amount),
            enforcement: Enforcement::Hard,
            time_zone: String::new(),
        };
        note = desk
            .set_budget(actor, budget, None)
            .await
            .err()
            .map(|error| cx.viewer.lang.said(&error.said()).to_owned());
    }
    Ok(Made { secret: made.secret.expose().to_owned(), model, note })
}

#[component]
pub(super) fn Create(people: People, onmade: EventHandler<Made>, onclose: EventHandler<()>) -> Element {
    let lang = use_lang();
    let served = use_load((), |cx, ()| async move { cx.console.desk().models_served().await });
    let body = match &*served.read() {
        None => rsx! { Loading { rows: 3, headline: false } },
        Some(Err(fault)) => rsx! { Broken { fault: fault.clone() } },
        Some(Ok(served)) => rsx! { Make { served: served.clone(), people, onmade, onclose } },
    };
    rsx! { Dialog { id: "create", title: lang.t("New key", "新建密钥"), class: "max-w-lg w-full", onclose, {body} } }
}

#[component]
pub(super) fn Make(
    served: Vec<String>,
    people: People,
    onmade: EventHandler<Made>,
    onclose: EventHandler<()>,
) -> Element {
    let (lang, conn, f) = (use_lang(), use_conn(), use_fmt());
    let actor = &conn.viewer.actor;
    let manages = may(actor.role, Action::ManageUsers, Place::Own);
    let own = actor.user.map(|id| id.0.to_string()).unwrap_or_default();
    let models = served.clone();
    let mut create = use_act(move |cx, form: Form| make(cx, form, f.zone.clone(), served.clone()));
    let choices: Vec<Choice> =
        people.iter().map(|(id, name)| Choice::new(id.to_string(), name.clone())).collect();
    let wrong = |names: &[&str]| names.iter().any(|name| create.error(name).is_some());
    let more = wrong(&["ips", "apps", "limits", "group"]) || (manages && wrong(&["quota"]));
    rsx! {
        form { class: "grid gap-5", onsubmit: move |event| create.then(Form::of(&event), move |made| onmade.call(made)),
            Field { id: "name", label: lang.t("What is it for?", "用在哪里？"), autofocus: true, required: true, error: create.error("name") }
            if choices.len() > 1 {
                Select { id: "user", label: lang.t("Customer", "客户"), choices, value: own, error: create.error("user") }
            }
            Models { served: models, error: create.error("models") }
            div { class: "grid sm:grid-cols-2 gap-5",
                if manages {
                    Field { id: "day", label: lang.t("Budget a day", "每日预算"), before: "$", inputmode: "decimal",
                        placeholder: lang.t("No limit", "不限"), error: create.error("allowance") }
                } else {
                    Quota { error: create.error("quota") }
                }
                Field { id: "ends", label: lang.t("Last day", "最后一天"), kind: "date", hint: lang.t("Empty: never ends.", "留空则不过期。"), error: create.error("expires_at") }
            }
            details { class: "group", open: more,
                summary { class: "inline-flex items-center gap-1 text-sm text-muted hover:text-ink rounded",
                    Icon { i: "icon-[lucide--chevron-right]", class: "size-3.5 transition-transform group-open:rotate-90" }
                    {lang.t("Addresses, apps, speed limits", "地址、应用、限速")}
                }
                div { class: "grid gap-5 mt-4",
                    Speed { error: create.error("limits") }
                    Ips { error: create.error("ips") }
                    Apps { error: create.error("apps") }
                    if manages {
                        div { class: "grid sm:grid-cols-2 gap-5",
                            Quota { error: create.error("quota") }
                            Field { id: "group", label: lang.t("Calls as group", "以分组身份调用"), placeholder: lang.t("Its customer's", "随客户"), error: create.error("group") }
                        }
                    }
                }
            }
            Buttons { onclose, busy: create.busy(), {lang.t("Make the key", "生成密钥")} }
        }
    }
}

/// What it may spend in its life.
#[component]
pub(super) fn Quota(#[props(default)] value: String, #[props(default)] error: Option<String>) -> Element {
    let lang = use_lang();
    rsx! {
        Field { id: "quota", label: lang.t("In its life, at most", "总额度"), before: "$", inputmode: "decimal", value,
            placeholder: lang.t("No limit", "不限"), error }
    }
}

#[component]
pub(super) fn Ips(#[props(default)] value: String, #[props(default)] error: Option<String>) -> Element {
    let lang = use_lang();
    rsx! {
        Text { id: "ips", label: lang.t("IP addresses", "IP 地址"), rows: 3, class: "mono", value, placeholder: "203.0.113.7",
            hint: lang.t("One a line. Empty: from anywhere.", "每行一个，留空则不限。"), error }
    }
}

#[component]
pub(super) fn Apps(#[props(default)] value: String, #[props(default)] error: Option<String>) -> Element {
    let lang = use_lang();
    rsx! {
        Text { id: "apps", label: lang.t("Apps", "应用"), rows: 2, value, placeholder: "chat.example.com",
            hint: lang.t("Hosts, or names sent as X-Title, one a line. Finds misuse; it is no lock.", "网站域名或 X-Title 名称，每行一个。用于发现误用，不能防冒充。"), error }
    }
}

/// The foot of a form in a dialog.
#[component]
pub(super) fn Buttons(onclose: EventHandler<()>, #[props(default)] busy: bool, children: Element) -> Element {
    let lang = use_lang();
    rsx! {
        div { class: "flex justify-end gap-2 -mx-6 -mb-5 px-6 py-4 border-t border-line",
            Button { kind: Kind::Ghost, onclick: move |_| onclose.call(()), {lang.t("Cancel", "取消")} }
            Button { kind: Kind::Primary, submit: true, busy, {children} }
        }
    }
}
