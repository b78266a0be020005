//! What of an account can be changed.

use super::super::data::Account;
use super::super::{providers, read};
use super::needs;
use crate::kit::*;
use crate::lang::Lang;
use crate::live::*;
use burncloud_billing::desk::channels::ChannelChange;
use burncloud_core::{ChannelId, SystemPromptMode};
use dioxus::prelude::*;
use std::collections::BTreeMap;

/// What the form asks for.
fn change(lang: Lang, form: &Form, account: &Account) -> Result<ChannelChange, Fault> {
    let view = &account.view;
    Ok(ChannelChange {
        name: Some(form.text("name")),
        base_url: Some(form.some("base_url")),
        credential: form.some("credential").map(Into::into),
        models: Some(read::list(form.raw("models"))),
        model_mapping: Some(read::pairs(lang, "model_mapping", form.raw("model_mapping"), '=')?),
        priority: Some(read::number(lang, form, "priority")?.unwrap_or(0)),
        weight: Some(read::number(lang, form, "weight")?.unwrap_or(0)),
        status: None,
        settings: Some(read::settings(lang, form, needs(account), &view.settings)?),
    })
}

/// The fields that faults stand at.
const FIELDS: [&str; 20] = [
    "name",
    "base_url",
    "credential",
    "models",
    "model_mapping",
    "priority",
    "weight",
    "groups",
    "concurrency",
    "proxy",
    "connect_ms",
    "first_byte_ms",
    "idle_ms",
    "total_ms",
    "timeouts",
    "options",
    "body_override",
    "header_override",
    "status_mapping",
    "system_prompt",
];

#[component]
pub(super) fn Settings(account: Account, groups: Vec<String>) -> Element {
    let (lang, mut toasts) = (use_lang(), use_toasts());
    let mut saving =
        use_act(|cx: Cx, (id, change, version): (ChannelId, ChannelChange, String)| async move {
            cx.console.desk().update_channel(&cx.viewer.actor, id, change, Some(&version)).await
        });
    let mut wrong = use_signal(|| None::<Fault>);
    let fault = wrong().or_else(|| saving.fault());
    let loose =
        fault.clone().filter(|fault| !FIELDS.iter().any(|field| read::at(Some(fault), field).is_some()));
    let submit = {
        let account = account.clone();
        move |event: FormEvent| match change(lang, &Form::of(&event), &account) {
            Err(fault) => wrong.set(Some(fault)),
            Ok(change) => {
                wrong.set(None);
                saving.then((account.view.id, change, account.view.version.clone()), move |saved| {
                    toasts.show(Toast::done(match lang {
                        Lang::En => format!("{} is saved", saved.name),
                        Lang::Zh => format!("{} 已保存", saved.name),
                    }));
                });
            }
        }
    };
    rsx! {
        form { id: "account-form", class: "mt-6 grid gap-8", onsubmit: submit,
            Basics { account: account.clone(), fault: fault.clone() }
            Traffic { account: account.clone(), groups, fault: fault.clone() }
            Line { account: account.clone(), fault: fault.clone() }
            Along { account: account.clone(), fault: fault.clone() }
            if let Some(fault) = loose {
                p { class: "text-sm text-error", role: "alert", "{fault.text}" }
            }
            div { class: "flex items-center gap-2",
                Button { kind: Kind::Primary, submit: true, busy: saving.busy(), id: "account-save", {lang.t("Save", "保存")} }
                if fault.is_some() { span { class: "text-sm text-error", {lang.t("Not saved: see above.", "没有保存，请看上面的提示。")} } }
            }
        }
    }
}

#[component]
fn Basics(account: Account, fault: Option<Fault>) -> Element {
    let lang = use_lang();
    let view = &account.view;
    let at = |field: &str| read::at(fault.as_ref(), field);
    let kept = match (&view.credential, lang) {
        (None, _) => lang.t("There is none", "没有密钥").to_owned(),
        (Some(shown), Lang::En) => format!("Kept locked away ({shown}); leave it empty to keep it"),
        (Some(shown), Lang::Zh) => format!("已加密保存（{shown}），留空则不变"),
    };
    let own: BTreeMap<_, _> = view
        .settings
        .options
        .iter()
        .filter(|(name, _)| !needs(&account).iter().any(|need| need.name == **name))
        .collect();
    let example = match providers::known(&view.provider).map(|provider| provider.address) {
        Some(providers::Address::Wanted(example)) => example,
        _ => "https://",
    };
    rsx! {
        fieldset { class: "grid gap-4",
            legend { class: "section-title mb-3", {lang.t("Where it is", "在哪里")} }
            Field { id: "name", label: lang.t("Name", "名字"), value: view.name.clone(), required: true, error: at("name") }
            Field { id: "credential", kind: "password", label: lang.t("Key", "密钥"), class: "mono", autocomplete: "new-password", hint: kept, error: at("credential") }
            Field { id: "base_url", label: lang.t("Address", "地址"), class: "mono", value: view.base_url.clone().unwrap_or_default(), placeholder: example, inputmode: "url",
                hint: lang.t("Give the key again with another address", "换地址时要重新填写密钥").to_owned(), error: at("base_url"),
            }
            div { class: "grid sm:grid-cols-2 gap-3",
                for need in needs(&account).iter().copied() {
                    Field { key: "{need.name}", id: "options.{need.name}", label: need.label(lang), placeholder: need.example,
                        value: view.settings.options.get(need.name).cloned().unwrap_or_default(), error: at(&format!("options.{}", need.name)),
                    }
                }
            }
            if !own.is_empty() || at("options").is_some() {
                Text { id: "options", rows: 2, class: "mono", label: lang.t("Other options, name = value", "其他选项，名字 = 值"),
                    value: read::lines(own, " ="), error: at("options"),
                }
            }
        }
    }
}

#[component]
fn Traffic(account: Account, groups: Vec<String>, fault: Option<Fault>) -> Element {
    let lang = use_lang();
    let view = &account.view;
    let at = |field: &str| read::at(fault.as_ref(), field);
    let rows = u32::try_from(view.models.len().clamp(2, 8)).unwrap_or(8);
    rsx! {
        fieldset { class: "grid gap-4",
            legend { class: "section-title mb-3", {lang.t("What it serves", "供应什么")} }
            Text { id: "models", rows, class: "mono", label: lang.t("Models, one in each line", "模型，每行一个"), value: view.models.join("\n"), error: at("models") }
            Text { id: "model_mapping", rows: 2, class: "mono", label: lang.t("Other names: what callers say = what the provider is asked", "别名：调用名 = 平台的模型名"),
                value: read::lines(&view.model_mapping, " ="), placeholder: "fast = gpt-4o-mini", error: at("model_mapping"),
            }
            div { class: "grid sm:grid-cols-3 gap-3",
                Field { id: "weight", label: lang.t("Share", "分量"), value: view.weight.to_string(), inputmode: "numeric", error: at("weight"),
                    hint: lang.t("0 takes none", "0 表示不分流量").to_owned(),
                }
                Field { id: "priority", label: lang.t("Order", "顺位"), value: view.priority.to_string(), error: at("priority"),
                    hint: lang.t("Higher is tried first", "数字大的先用").to_owned(),
                }
                Field { id: "concurrency", label: lang.t("At once", "并发"), value: written(view.settings.concurrency), inputmode: "numeric", error: at("concurrency"),
                    hint: lang.t("Empty is no limit", "留空不限").to_owned(),
                }
            }
            Field { id: "groups", label: lang.t("Only for callers of these groups", "只供这些分组的调用者"), value: view.settings.groups.join(", "),
                placeholder: groups.join(", "), hint: lang.t("With commas between; empty is everybody", "用逗号分隔，留空表示所有人").to_owned(), error: at("groups"),
            }
        }
    }
}

fn written<T: ToString>(value: Option<T>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

/// A group of fields that is seldom needed; open where it holds a fault.
#[component]
fn Fold(id: &'static str, title: &'static str, open: bool, children: Element) -> Element {
    rsx! {
        details { id, class: "group", open,
            summary { class: "inline-flex items-center gap-1.5 section-title rounded cursor-pointer",
                Icon { i: "icon-[lucide--chevron-right]", class: "size-3.5 transition-transform group-open:rotate-90" }
                "{title}"
            }
            div { class: "mt-4 grid gap-4", {children} }
        }
    }
}

fn automatic(lang: Lang) -> Vec<Choice> {
    vec![
        Choice::new("", lang.t("What suits the provider", "按平台默认")),
        Choice::new("yes", lang.t("Yes", "是")),
        Choice::new("no", lang.t("No", "否")),
    ]
}

#[component]
fn Line(account: Account, fault: Option<Fault>) -> Element {
    let lang = use_lang();
    let settings = &account.view.settings;
    let at = |field: &str| read::at(fault.as_ref(), field);
    let limits = settings.timeouts;
    let all = [
        ("connect_ms", lang.t("To connect", "建立连接"), limits.connect_ms),
        ("first_byte_ms", lang.t("To the answer's head", "等到响应头"), limits.first_byte_ms),
        ("idle_ms", lang.t("Between two parts", "两段之间"), limits.idle_ms),
        ("total_ms", lang.t("A whole answer", "完整回答"), limits.total_ms),
    ];
    let wrong = at("timeouts").or_else(|| at("proxy")).or_else(|| all.iter().find_map(|(id, ..)| at(id)));
    rsx! {
        Fold { id: "account-line", title: lang.t("Proxy and time limits", "代理与超时"), open: wrong.is_some(),
            Field { id: "proxy", label: lang.t("Through proxy", "经由代理"), class: "mono", value: settings.proxy.clone().unwrap_or_default(),
                placeholder: "http://host:port", error: at("proxy"),
            }
            div { class: "grid grid-cols-2 gap-3",
                for (id, label, value) in all {
                    Field { key: "{id}", id, label, value: written(value), after: "ms".to_owned(), inputmode: "numeric", error: at(id) }
                }
            }
            if let Some(text) = at("timeouts") { p { class: "text-sm text-error", role: "alert", "{text}" } }
            p { class: "field-hint", {lang.t("Empty takes the gateway's own.", "留空则用网关的设置。")} }
            Select { id: "include_usage", label: lang.t("Ask streams for their usage", "流式请求索要用量"), choices: automatic(lang), value: read::of_three(settings.include_usage) }
            Select { id: "strict", label: lang.t("Refuse what cannot be translated without loss", "拒绝无法无损翻译的请求"), choices: automatic(lang), value: read::of_three(settings.strict) }
        }
    }
}

#[component]
fn Along(account: Account, fault: Option<Fault>) -> Element {
    let lang = use_lang();
    let settings = &account.view.settings;
    let at = |field: &str| read::at(fault.as_ref(), field);
    let ids = ["system_prompt", "body_override", "header_override", "status_mapping"];
    let body = if settings.body_override.is_empty() {
        String::new()
    } else {
        serde_json::to_string_pretty(&settings.body_override).unwrap_or_default()
    };
    let statuses: BTreeMap<String, String> =
        settings.status_mapping.iter().map(|(from, to)| (from.to_string(), to.to_string())).collect();
    let (text, mode) =
        settings.system_prompt.as_ref().map(|prompt| (prompt.text.clone(), prompt.mode)).unwrap_or_default();
    rsx! {
        Fold { id: "account-along", title: lang.t("What goes along with every request", "随请求附带"), open: ids.iter().any(|id| at(id).is_some()),
            Text { id: "system_prompt", rows: 3, label: lang.t("Instructions of yours", "系统提示"), value: text, error: at("system_prompt") }
            Select { id: "system_prompt_mode", label: lang.t("Where they go", "放在哪里"), value: mode_of(mode), choices: vec![
                Choice::new("prepend", lang.t("Before the caller's", "在调用者的之前")),
                Choice::new("append", lang.t("After the caller's", "在调用者的之后")),
                Choice::new("replace", lang.t("In their place", "替换调用者的")),
                Choice::new("default", lang.t("Where the caller gives none", "调用者没给时才用")),
            ] }
            Text { id: "body_override", rows: 4, class: "mono", label: lang.t("Fields of the request, as JSON; null takes one out", "请求字段，写成 JSON；null 表示去掉"),
                value: body, placeholder: "{{\"temperature\": 0.5}}", error: at("body_override"),
            }
            Text { id: "header_override", rows: 2, class: "mono", label: lang.t("Headers, name: value; an empty value takes one out", "请求头，名字: 值；空值表示去掉"),
                value: read::lines(&settings.header_override, ":"), placeholder: "x-team: research", error: at("header_override"),
            }
            Text { id: "status_mapping", rows: 2, class: "mono", label: lang.t("Statuses that count as another", "状态码映射"),
                value: read::lines(&statuses, " ="), placeholder: "404 = 503", error: at("status_mapping"),
            }
        }
    }
}

fn mode_of(mode: SystemPromptMode) -> &'static str {
    match mode {
        SystemPromptMode::Prepend => "prepend",
        SystemPromptMode::Append => "append",
        SystemPromptMode::Replace => "replace",
        SystemPromptMode::Default => "default",
    }
}
