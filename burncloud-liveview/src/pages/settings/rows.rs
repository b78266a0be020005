//! A part of settings as a form.

use super::words::{Shape, WORDS, Words};
use super::{Part, Setting};
use crate::kit::{Button, Choice, Field, Form, Kind, Select, Text, Toast, use_toasts};
use crate::lang::Lang;
use crate::live::{use_act, use_lang};
use burncloud_billing::desk::settings::{SettingView, Values};
use dioxus::prelude::*;
use serde_json::{Value, json};

/// The settings of one part, a button that keeps them, and what else there is to say.
#[component]
pub(super) fn Group(id: &'static str, all: Vec<SettingView>, #[props(default)] children: Element) -> Element {
    let (lang, mut toasts) = (use_lang(), use_toasts());
    let mut save = use_act(|cx, wanted: Values| async move {
        let done = cx.console.desk().set_settings(&cx.viewer.actor, wanted).await?;
        cx.console.take_house().await;
        Ok::<_, crate::live::Fault>(done)
    });
    let rows: Vec<(&'static Words, SettingView)> = WORDS
        .iter()
        .filter(|words| words.part == id)
        .filter_map(|words| Some((words, all.iter().find(|setting| setting.name == words.name)?.clone())))
        .collect();
    let open: Vec<&'static Words> =
        rows.iter().filter(|(_, setting)| !setting.declared).map(|(words, _)| *words).collect();
    let editable = !open.is_empty();
    rsx! {
        Part { id,
            form {
                onsubmit: move |event| {
                    let form = Form::of(&event);
                    let wanted = open.iter().map(|words| (words.name.to_owned(), typed(words.shape, &form.text(words.name))));
                    save.then(wanted.collect(), move |_| toasts.show(Toast::done(lang.t("Saved.", "已保存。"))));
                },
                for (words, setting) in rows {
                    Setting { key: "{words.name}", name: words.title(lang), means: means(lang, words, &setting), waits: setting.waits,
                        declared: setting.declared,
                        Control { name: words.name, shape: words.shape, label: words.title(lang), value: shown(&setting.value),
                            fixed: setting.declared, error: save.error(words.name) }
                    }
                }
                if editable {
                    div { class: "flex justify-end py-4",
                        Button { kind: Kind::Quiet, submit: true, busy: save.busy(), {lang.t("Save", "保存")} }
                    }
                }
            }
            {children}
        }
    }
}

/// What it means, and when a change of it takes effect where that is not at once.
fn means(lang: Lang, words: &Words, setting: &SettingView) -> String {
    let means = words.means(lang);
    match (lang, setting.needs_restart && !setting.declared) {
        (_, false) => means.to_owned(),
        (Lang::En, true) => format!("{means} Takes effect at the next start."),
        (Lang::Zh, true) => format!("{means}重启后生效。"),
    }
}

#[component]
fn Control(
    name: &'static str,
    shape: Shape,
    label: String,
    value: String,
    fixed: bool,
    error: Option<String>,
) -> Element {
    let lang = use_lang();
    if fixed {
        let value = match shape {
            Shape::Days => term(lang, value.parse().unwrap_or_default()),
            _ if value.is_empty() => "—".to_owned(),
            _ => value,
        };
        return rsx! { span { class: "text-muted break-all whitespace-pre-line", "{value}" } };
    }
    match shape {
        Shape::Line => rsx! {
            div { class: "w-full sm:w-72", Field { id: name, label, hide_label: true, value, error } }
        },
        Shape::Number(en, zh) => rsx! {
            div { class: "w-full sm:w-40",
                Field { id: name, label, hide_label: true, value, error, inputmode: "numeric", after: lang.t(en, zh) }
            }
        },
        Shape::Days => rsx! {
            div { class: "w-full sm:w-40",
                Select { id: name, label, hide_label: true, value: value.clone(), error, choices: terms(lang, &value) }
            }
        },
        Shape::List => rsx! {
            div { class: "w-full sm:w-72", Text { id: name, label, hide_label: true, value, error, rows: 2 } }
        },
    }
}

/// How long requests are kept, in words.
fn term(lang: Lang, days: u64) -> String {
    match (days, lang) {
        (0, _) => lang.t("For ever", "永久").to_owned(),
        (365, _) => lang.t("1 year", "1 年").to_owned(),
        (182, _) => lang.t("6 months", "6 个月").to_owned(),
        (days, Lang::En) => format!("{days} days"),
        (days, Lang::Zh) => format!("{days} 天"),
    }
}

/// The terms that are offered, and the one that holds if it is another.
fn terms(lang: Lang, value: &str) -> Vec<Choice> {
    let mut days = vec![0, 365, 182, 90, 30];
    let now: u64 = value.parse().unwrap_or_default();
    if !days.contains(&now) {
        days.push(now);
    }
    days.into_iter().map(|days| Choice::new(days.to_string(), term(lang, days))).collect()
}

/// What is in the field.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(list) => list.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("\n"),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// What was typed, as the setting holds it. What is no number stays text, so that its check says what is wrong.
fn typed(shape: Shape, text: &str) -> Value {
    match shape {
        Shape::Line => json!(text),
        Shape::Number(..) | Shape::Days => {
            text.parse::<u64>().map_or_else(|_| json!(text), |number| json!(number))
        }
        Shape::List => {
            let lines = text.split([',', '\n']).map(str::trim).filter(|line| !line.is_empty());
            json!(lines.collect::<Vec<_>>())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_is_typed_back() {
        for (shape, value) in [
            (Shape::Line, json!("Harbour")),
            (Shape::Number("s", "s"), json!(7)),
            (Shape::List, json!(["https://a.example", "https://b.example"])),
            (Shape::List, json!([])),
            (Shape::Days, json!(90)),
        ] {
            assert_eq!(typed(shape, &shown(&value)), value);
        }
        let offered: Vec<_> = terms(Lang::En, "45").into_iter().map(|choice| choice.label).collect();
        assert_eq!(offered, ["For ever", "1 year", "6 months", "90 days", "30 days", "45 days"]);
        assert_eq!(terms(Lang::Zh, "30").len(), 5);
        assert_eq!(typed(Shape::Number("", ""), "seven"), json!("seven"), "its check names the field");
    }

    #[test]
    fn what_takes_effect_at_the_next_start_says_so() {
        use burncloud_billing::desk::settings::SETTINGS;
        for words in &WORDS {
            let known = SETTINGS.iter().find(|known| known.name == words.name).unwrap();
            let mut setting = SettingView {
                name: known.name,
                about: known.about,
                value: Value::Null,
                default: Value::Null,
                declared: false,
                needs_restart: known.needs_restart,
                waits: false,
            };
            let said =
                |setting: &SettingView| means(Lang::En, words, setting).ends_with("at the next start.");
            assert_eq!(said(&setting), known.needs_restart, "{}", known.name);
            setting.declared = true;
            assert!(!said(&setting), "{}: the file says when", known.name);
        }
    }
}
