//! The credential, and whatever else the provider needs; looked at before anything is kept.

use super::super::data::Overview;
use super::super::providers::{Address, known, name};
use super::super::read;
use super::{Draft, Frame, at};
use crate::kit::*;
use crate::lang::Lang;
use crate::live::*;
use burncloud_billing::desk::channels::Found;
use burncloud_core::ChannelSettings;
use dioxus::prelude::*;
use std::collections::BTreeMap;

/// A name that no account has yet: the provider's, with a number.
fn free_name(provider: &str, overview: &Overview) -> String {
    let taken = |name: &String| overview.accounts.iter().any(|account| account.view.name == *name);
    (1..).map(|n| format!("{provider}-{n:02}")).find(|name| !taken(name)).unwrap_or_default()
}

fn draft(provider: &str, form: &Form) -> Draft {
    let needs = known(provider).map_or(&[][..], |provider| provider.needs);
    Draft {
        provider: provider.to_owned(),
        name: form.text("name"),
        base_url: form.some("base_url"),
        credential: form.text("credential").into(),
        settings: ChannelSettings {
            options: read::options(form, needs),
            proxy: form.some("proxy"),
            ..ChannelSettings::default()
        },
        found: None,
    }
}

/// Whether whoever adds it may go on without another look.
fn may_go_on(found: &Found) -> bool {
    found.outcome != "credential_refused"
}

#[component]
pub(super) fn Credential(provider: String, draft: Signal<Option<Draft>>, overview: Overview) -> Element {
    let (lang, mut here, mut draft) = (use_lang(), use_here(), draft);
    let mut looking = use_act(|cx, draft: Draft| async move {
        let new = draft.channel(Vec::new(), BTreeMap::new());
        cx.console.desk().probe_new_channel(&cx.viewer.actor, new).await
    });
    let mut odd = use_signal(|| None::<Found>);
    let models = at(&provider).with("step", "models");
    let proposed =
        draft.read().as_ref().map_or_else(|| free_name(&provider, &overview), |draft| draft.name.clone());
    let mut wrong = use_signal(|| None::<Fault>);
    let fault = wrong().or_else(|| looking.fault());
    let title = match lang {
        Lang::En => format!("Paste the {} key", name(&provider)),
        Lang::Zh => format!("粘贴 {} 密钥", name(&provider)),
    };
    let id = provider.clone();
    let submit = {
        let models = models.clone();
        move |form: Form| {
            let mut next = self::draft(&id, &form);
            let taken = overview.accounts.iter().any(|account| account.view.name == next.name);
            wrong.set(taken.then(|| {
                Fault::field("name", lang.t("there is already an account of this name", "已有同名账号"))
            }));
            if taken {
                return;
            }
            odd.set(None);
            let models = models.clone();
            looking.then(next.clone(), move |found| {
                let works = found.outcome == "works";
                odd.set((!works).then(|| found.clone()));
                next.found = Some(found);
                draft.set(Some(next));
                if works {
                    here.go(models);
                }
            });
        }
    };
    let anyway = odd.read().as_ref().is_some_and(may_go_on);
    rsx! {
        Frame { n: 2, title, onsubmit: submit,
            sub: rsx! { {lang.t("It is locked away at once and never shown again.", "保存后立即加密，不再显示。")} WhereKeys { provider: provider.clone() } },
            foot: rsx! {
                LinkButton { kind: Kind::Ghost, href: here.href(&Place::at(["models", "add"])), {lang.t("Back", "返回")} }
                span { class: "flex gap-2",
                    if anyway { LinkButton { href: here.href(&models), {lang.t("Go on anyway", "仍然继续")} } }
                    Button { kind: Kind::Primary, submit: true, id: "add-next", busy: looking.busy(),
                        if looking.busy() { {lang.t("Checking", "检查中")} } else { {lang.t("Continue", "继续")} }
                    }
                }
            },
            Fields { provider: provider.clone(), name: proposed, fault }
            if looking.busy() || odd.read().is_some() { Outcome { busy: looking.busy(), found: odd() } }
        }
    }
}

#[component]
fn WhereKeys(provider: String) -> Element {
    let lang = use_lang();
    let keys = known(&provider).map_or("", |provider| provider.keys);
    if keys.is_empty() {
        return rsx! {};
    }
    rsx! {
        " "
        a { class: "link", href: keys, target: "_blank", rel: "noopener noreferrer", {lang.t("Where keys are made", "在哪里创建密钥")} }
    }
}

/// What an account of that provider is asked for.
#[component]
fn Fields(provider: String, name: String, fault: Option<Fault>) -> Element {
    let lang = use_lang();
    let info = known(&provider);
    let at = |field: &str| read::at(fault.as_ref(), field);
    let needs = info.map_or(&[][..], |info| info.needs);
    let wanted = match info.map(|info| info.address) {
        Some(Address::Wanted(example)) => Some(example),
        _ => None,
    };
    let local = info.is_some_and(|info| info.keys.is_empty());
    let hint = match provider.as_str() {
        "bedrock" => Some(lang.t(
            "A Bedrock API key, or ACCESS_KEY_ID:SECRET_ACCESS_KEY",
            "Bedrock API 密钥，或 ACCESS_KEY_ID:SECRET_ACCESS_KEY",
        )),
        "vertex" => {
            Some(lang.t("The JSON of a service account, or an API key", "服务账号的 JSON，或 API 密钥"))
        }
        "azure" => Some(lang.t(
            "The resource's key; with Entra the application's secret",
            "资源密钥；用 Entra 时填应用的密码",
        )),
        _ if local => Some(lang.t("Leave it empty if your server wants none", "服务器不需要时留空")),
        _ => None,
    };
    rsx! {
        div { class: "grid gap-4",
            Field { id: "credential", kind: "password", label: lang.t("Key", "密钥"), class: "mono", autofocus: true, autocomplete: "new-password",
                hint: hint.map(str::to_owned), error: at("credential"),
            }
            if let Some(example) = wanted { Url { example, error: at("base_url") } }
            if !needs.is_empty() {
                div { class: "grid sm:grid-cols-2 gap-3",
                    for need in needs.iter().copied() {
                        Field { key: "{need.name}", id: "options.{need.name}", label: need.label(lang), placeholder: need.example,
                            error: at(&format!("options.{}", need.name)),
                        }
                    }
                }
            }
            Field { id: "name", label: lang.t("Name it", "起个名字"), value: name, required: true, error: at("name") }
            details { id: "add-more", class: "group", open: wanted.is_none() && at("base_url").is_some() || at("proxy").is_some(),
                summary { class: "inline-flex items-center gap-1 text-sm text-muted hover:text-ink rounded cursor-pointer",
                    Icon { i: "icon-[lucide--chevron-right]", class: "size-3.5 transition-transform group-open:rotate-90" }
                    if wanted.is_none() { {lang.t("Address, proxy", "地址、代理")} } else { {lang.t("Proxy", "代理")} }
                }
                div { class: "mt-3 grid sm:grid-cols-2 gap-3",
                    if wanted.is_none() { Url { example: "https://", error: at("base_url") } }
                    Field { id: "proxy", label: lang.t("Through proxy", "经由代理"), class: "mono", placeholder: "http://host:port", error: at("proxy") }
                }
            }
            if let Some(fault) = fault.clone().filter(|fault| fault.field.as_deref().is_some_and(|field| !placed(field, needs.iter().map(|n| n.name)))) {
                p { class: "text-sm text-error", role: "alert", "{fault.text}" }
            }
        }
    }
}

/// Whether a fault stands at a field of this form.
fn placed<'a>(field: &str, mut needs: impl Iterator<Item = &'a str>) -> bool {
    ["credential", "base_url", "name", "proxy"].contains(&field)
        || field.strip_prefix("options.").is_some_and(|name| needs.any(|need| need == name))
}

#[component]
fn Url(example: &'static str, error: Option<String>) -> Element {
    let lang = use_lang();
    rsx! { Field { id: "base_url", label: lang.t("Address", "地址"), class: "mono", placeholder: example, inputmode: "url", error } }
}

/// What the look came to, in plain words.
#[component]
pub(in super::super) fn Outcome(busy: bool, found: Option<Found>) -> Element {
    let lang = use_lang();
    let found = found.filter(|_| !busy);
    rsx! {
        div { class: "mt-4 rounded-xl border border-line rows", role: "status", id: "probe",
            match found {
                None => rsx! {
                    div { class: "flex items-center gap-3 px-4 min-h-11 py-2",
                        span { class: "loading loading-spinner size-4 text-muted", "aria-hidden": "true" }
                        span { class: "text-muted", {lang.t("Trying the key, at no cost", "正在试用密钥，不花钱")} }
                    }
                },
                Some(found) => rsx! {
                    div { class: "flex items-start gap-3 px-4 min-h-11 py-2.5",
                        Icon { i: said(&found).2, class: said(&found).3 }
                        span { class: "min-w-0",
                            span { class: "block", {lang.t(said(&found).0, said(&found).1)} }
                            span { class: "block text-sm text-muted wrap-anywhere", "{found.message}" }
                        }
                        span { class: "ms-auto text-muted num whitespace-nowrap", {crate::fmt::micros(found.took_us)} }
                    }
                    if !found.models.is_empty() {
                        div { class: "flex items-center gap-3 px-4 h-11",
                            Icon { i: "icon-[lucide--check]", class: "size-4 text-success" }
                            {match lang {
                                Lang::En => format!("{} models found", found.models.len()),
                                Lang::Zh => format!("发现 {} 个模型", found.models.len()),
                            }}
                        }
                    }
                },
            }
        }
    }
}

/// In both languages, with its icon and colour.
fn said(found: &Found) -> (&'static str, &'static str, &'static str, &'static str) {
    let (bad, care) = ("size-4 text-error mt-0.5", "size-4 text-warning mt-0.5");
    let x = "icon-[lucide--circle-alert]";
    match found.outcome {
        "works" => ("The key works", "密钥有效", "icon-[lucide--check]", "size-4 text-success mt-0.5"),
        "credential_refused" => ("The provider refuses this key", "平台拒绝了这把密钥", x, bad),
        "unreachable" => ("The provider cannot be reached", "连不上平台", x, bad),
        "out_of_credit" => ("The key is good, the account is out of credit", "密钥有效，但账号欠费", x, care),
        "rate_limited" => {
            ("The provider asks to wait; the key was not checked", "平台要求稍后再试，密钥未检查", x, care)
        }
        "uncheckable" => (
            "This cannot be checked at no cost",
            "无法免费检查",
            "icon-[lucide--info]",
            "size-4 text-muted mt-0.5",
        ),
        _ => ("The provider gave an odd answer", "平台的回答有些奇怪", x, care),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draft_is_read_from_its_form() {
        let fields = [
            ("credential", " sk-abc "),
            ("name", "n"),
            ("options.region", "eu-west-1"),
            ("proxy", ""),
            ("base_url", ""),
        ];
        let form: Form = fields.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let draft = draft("bedrock", &form);
        assert_eq!(draft.settings.options, [("region".to_owned(), "eu-west-1".to_owned())].into());
        assert_eq!((draft.base_url, draft.settings.proxy), (None, None));
        assert!(
            placed("options.region", ["region"].into_iter()) && !placed("options.x", ["region"].into_iter())
        );
        assert_eq!(free_name("openai", &Overview::default()), "openai-01");
    }
}
