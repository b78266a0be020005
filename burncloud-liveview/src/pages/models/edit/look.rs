//! A look at an account: whether its key is good, and which models it could serve besides.

use super::super::add::Outcome;
use super::super::data::Account;
use crate::kit::*;
use crate::lang::Lang;
use crate::live::*;
use burncloud_billing::desk::channels::{ChannelChange, Found};
use burncloud_core::ChannelId;
use burncloud_core::usecase::UseCaseResult;
use dioxus::prelude::*;

/// Models that the provider lists and the account does not serve, under no name.
fn others(account: &Account, found: &Found) -> Vec<String> {
    let view = &account.view;
    let known =
        |name: &String| view.models.contains(name) || view.model_mapping.values().any(|sent| sent == name);
    found.models.iter().map(|model| model.name.clone()).filter(|name| !known(name)).collect()
}

async fn add(cx: Cx, id: ChannelId, models: Vec<String>, version: String) -> UseCaseResult<()> {
    let change = ChannelChange { models: Some(models), ..ChannelChange::default() };
    cx.console.desk().update_channel(&cx.viewer.actor, id, change, Some(&version)).await.map(drop)
}

#[component]
pub(super) fn Look(account: Account) -> Element {
    let (lang, mut toasts) = (use_lang(), use_toasts());
    let mut found = use_signal(|| None::<Found>);
    let id = account.view.id;
    let mut looking = use_act(|cx: Cx, id: ChannelId| async move {
        cx.console.desk().probe_channel(&cx.viewer.actor, id).await
    });
    let mut adding =
        use_act(|cx, (id, models, version): (ChannelId, Vec<String>, String)| add(cx, id, models, version));
    let more = found.read().as_ref().map(|found| others(&account, found)).unwrap_or_default();
    let (all, version) = (account.view.models.clone(), account.view.version.clone());
    rsx! {
        div { class: "mt-5 flex flex-wrap items-center gap-3",
            Button { small: true, icon: "icon-[lucide--key-round]", id: "account-check", busy: looking.busy(),
                onclick: move |_| { found.set(None); looking.then(id, move |it| found.set(Some(it))); },
                {lang.t("Check the key and its models", "检查密钥和模型")}
            }
            span { class: "text-sm text-muted", {lang.t("It costs nothing.", "不花钱。")} }
        }
        if looking.busy() || found.read().is_some() { Outcome { busy: looking.busy(), found: found() } }
        if !more.is_empty() {
            details { id: "account-others", class: "mt-3 group",
                summary { class: "inline-flex items-center gap-1 text-sm text-muted hover:text-ink rounded cursor-pointer num",
                    Icon { i: "icon-[lucide--chevron-right]", class: "size-3.5 transition-transform group-open:rotate-90" }
                    {match lang { Lang::En => format!("{} that it does not serve", more.len()), Lang::Zh => format!("还有 {} 个未供应", more.len()) }}
                }
                ul { class: "mt-2 flex flex-wrap gap-2",
                    for model in more {
                        li { key: "{model}",
                            button { r#type: "button", class: "btn btn-quiet btn-xs", disabled: adding.busy(),
                                onclick: {
                                    let (model, mut all, version) = (model.clone(), all.clone(), version.clone());
                                    move |_| {
                                        all.push(model.clone());
                                        let model = model.clone();
                                        adding.then((id, all.clone(), version.clone()), move |()| {
                                            toasts.show(Toast::done(match lang { Lang::En => format!("{model} is served"), Lang::Zh => format!("已开始供应 {model}") }));
                                        });
                                    }
                                },
                                Icon { i: "icon-[lucide--plus]", class: "size-3.5" }
                                "{model}"
                            }
                        }
                    }
                }
            }
        }
    }
}
