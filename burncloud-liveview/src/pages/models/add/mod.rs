//! The guided way to a new account: provider, credential, models, done.

mod credential;
mod done;
mod models;
mod provider;

pub(super) use credential::Outcome;

use super::data::Overview;
use super::{home, providers};
use crate::kit::*;
use crate::lang::Lang;
use crate::live::*;
use burncloud_billing::desk::channels::{Found, NewChannel};
use burncloud_core::{ChannelId, ChannelSettings, Status};
use dioxus::prelude::*;
use secrecy::SecretString;
use std::collections::BTreeMap;

/// An account on its way. It lives as long as the page: a credential is kept nowhere before the account is made.
#[derive(Clone, Debug)]
struct Draft {
    provider: String,
    name: String,
    base_url: Option<String>,
    credential: SecretString,
    settings: ChannelSettings,
    /// What a look at the account came to.
    found: Option<Found>,
}

impl Draft {
    /// As the desk takes it.
    fn channel(&self, models: Vec<String>, model_mapping: BTreeMap<String, String>) -> NewChannel {
        NewChannel {
            name: self.name.clone(),
            provider: self.provider.clone(),
            base_url: self.base_url.clone(),
            credential: self.credential.clone(),
            models,
            model_mapping,
            priority: 0,
            weight: 1,
            status: Status::Active,
            settings: self.settings.clone(),
        }
    }
}

/// Which step, by the place: one cannot come to the models without a credential.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Provider,
    Credential(String),
    Models,
    Done(ChannelId),
}

fn step(place: &Place, known: &[String], drafted: bool) -> Step {
    let provider = place.get("provider").filter(|id| known.iter().any(|name| name == id));
    match (place.parsed("done"), provider, place.get("step")) {
        (Some(id), ..) => Step::Done(ChannelId(id)),
        (None, None, _) => Step::Provider,
        (None, Some(_), Some("models")) if drafted => Step::Models,
        (None, Some(provider), _) => Step::Credential(provider.to_owned()),
    }
}

#[component]
pub(super) fn Add(overview: Overview) -> Element {
    let (conn, here) = (use_conn(), use_here());
    let draft = use_signal(|| None::<Draft>);
    let known = providers::choices(conn.console.desk().registry(), "");
    match step(&here.place(), &known, draft.read().is_some()) {
        Step::Provider => rsx! { provider::ChooseProvider {} },
        Step::Credential(provider) => {
            rsx! { credential::Credential { key: "{provider}", provider, draft, overview } }
        }
        Step::Models => rsx! { models::Models { draft, overview } },
        Step::Done(id) => {
            let account = overview.accounts.iter().find(|account| account.view.id == id).cloned();
            rsx! { done::Done { account, draft } }
        }
    }
}

/// The place of a step.
fn at(provider: &str) -> Place {
    Place::at(["models", "add"]).with("provider", provider)
}

/// A dialog with the steps above its title; a form, whose buttons stand in `foot`.
#[component]
fn Frame(
    n: usize,
    title: String,
    foot: Element,
    onsubmit: EventHandler<Form>,
    #[props(default)] sub: Option<Element>,
    children: Element,
) -> Element {
    let (lang, mut here) = (use_lang(), use_here());
    rsx! {
        x-dialog {
            dialog { id: "add", class: "modal", "aria-labelledby": "add-title",
                div { class: "modal-box max-w-[42rem] w-full flex flex-col max-sm:rounded-none max-sm:h-dvh max-sm:max-h-dvh max-sm:w-screen max-sm:max-w-none",
                    div { class: "flex items-center justify-between gap-4 px-6 pt-5",
                        Steps { n }
                        button { r#type: "button", "data-close": "1", class: "btn btn-ghost btn-sm btn-square -me-1.5",
                            "aria-label": lang.t("Close", "关闭"), onclick: move |_| here.go(home()),
                            Icon { i: "icon-[lucide--x]" }
                        }
                    }
                    form { class: "contents", onsubmit: move |event| onsubmit.call(Form::of(&event)),
                        div { class: "px-6 pt-6 pb-6 overflow-y-auto grow",
                            h2 { id: "add-title", class: "text-xl font-semibold tracking-[-0.015em] zh:tracking-normal", "{title}" }
                            if let Some(sub) = sub { p { class: "mt-1 text-muted", {sub} } }
                            div { class: "mt-5", {children} }
                        }
                        div { class: "flex items-center justify-between gap-2 px-6 py-4 border-t border-line", {foot} }
                    }
                }
                form { method: "dialog", class: "modal-backdrop",
                    button { "aria-label": lang.t("Close", "关闭"), tabindex: "-1" }
                }
            }
        }
    }
}

#[component]
fn Steps(n: usize) -> Element {
    let lang = use_lang();
    let names = [
        lang.t("Provider", "平台"),
        lang.t("Credential", "凭证"),
        lang.t("Models", "模型"),
        lang.t("Done", "完成"),
    ];
    let label = match lang {
        Lang::En => format!("Step {n} of 4"),
        Lang::Zh => format!("第 {n} 步，共 4 步"),
    };
    rsx! {
        ol { class: "flex items-center gap-2 text-sm", "aria-label": "{label}",
            for (k, name) in (1..).zip(names) {
                li { key: "{k}", class: if k == n { "flex items-center gap-2 text-ink font-medium" } else { "flex items-center gap-2 text-faint" },
                    "aria-current": if k == n { "step" },
                    if k > 1 { span { class: "w-3 sm:w-6 h-px bg-line" } }
                    span {
                        class: if k < n { "grid place-items-center size-5 rounded-full text-2xs font-semibold bg-success/15 text-success" }
                            else if k == n { "grid place-items-center size-5 rounded-full text-2xs font-semibold bg-primary text-primary-content" }
                            else { "grid place-items-center size-5 rounded-full text-2xs font-semibold bg-fill" },
                        if k < n { Icon { i: "icon-[lucide--check]", class: "size-3" } } else { "{k}" }
                    }
                    span { class: "max-sm:sr-only", "{name}" }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_needs_those_before_it() {
        let known = ["openai".to_owned()];
        let step = |path: &str, drafted| step(&Place::parse("", path), &known, drafted);
        assert_eq!(step("/models/add", false), Step::Provider);
        assert_eq!(step("/models/add?provider=%3Cscript%3E", true), Step::Provider);
        assert_eq!(step("/models/add?provider=openai&step=models", false), Step::Credential("openai".into()));
        assert_eq!(step("/models/add?provider=openai&step=models", true), Step::Models);
        assert_eq!(step("/models/add?done=7", false), Step::Done(ChannelId(7)));
    }

    #[test]
    fn a_draft_shows_no_credential() {
        let draft = Draft {
            provider: "openai".into(),
            name: "a".into(),
            base_url: None,
            credential: "sk-very-secret".to_owned().into(),
            settings: ChannelSettings::default(),
            found: None,
        };
        assert!(!format!("{draft:?}").contains("very-secret"));
    }
}
