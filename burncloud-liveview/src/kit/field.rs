//! Fields of a form. Each keeps what is typed across a lost connection, by its `id`.

use super::Icon;
use dioxus::prelude::*;

/// The line below a field: its fault, else its hint.
#[component]
pub fn Hint(
    id: String,
    #[props(default)] hint: Option<String>,
    #[props(default)] error: Option<String>,
) -> Element {
    rsx! {
        if let Some(error) = error {
            p { id: "{id}-error", role: "alert", class: "mt-1.5 text-sm text-error flex items-center gap-1.5",
                Icon { i: "icon-[lucide--circle-alert]", class: "size-3.5" }
                "{error}"
            }
        } else if let Some(hint) = hint {
            p { id: "{id}-hint", class: "field-hint mt-1.5", "{hint}" }
        }
    }
}

fn described(id: &str, hint: bool, error: bool) -> Option<String> {
    if error { Some(format!("{id}-error")) } else { hint.then(|| format!("{id}-hint")) }
}

/// One line of text. `name` is the `id` where it is not given; `before` and `after` stand within the field (`$`);
/// `debounce` holds `oninput` back by so many milliseconds of silence.
#[component]
pub fn Field(
    id: String,
    label: String,
    #[props(default)] name: Option<String>,
    #[props(default)] value: String,
    #[props(default = "text")] kind: &'static str,
    #[props(default)] hint: Option<String>,
    #[props(default)] error: Option<String>,
    #[props(default)] placeholder: String,
    #[props(default)] before: Option<String>,
    #[props(default)] after: Option<String>,
    #[props(default)] class: &'static str,
    #[props(default = "off")] autocomplete: &'static str,
    #[props(default)] inputmode: Option<&'static str>,
    #[props(default)] autofocus: bool,
    #[props(default)] required: bool,
    #[props(default)] disabled: bool,
    #[props(default)] hide_label: bool,
    #[props(default)] debounce: Option<u32>,
    #[props(default)] oninput: Option<EventHandler<FormEvent>>,
) -> Element {
    let described = described(&id, hint.is_some(), error.is_some());
    let wrong = if error.is_some() { "input-error" } else { "" };
    let name = name.unwrap_or_else(|| id.clone());
    rsx! {
        div { class: "block",
            label { r#for: "{id}", class: if hide_label { "sr-only" } else { "label-text block" }, "{label}" }
            span { class: "input w-full {wrong} {class}",
                if let Some(before) = before { span { class: "text-faint", "{before}" } }
                input { id: "{id}", name: "{name}", r#type: kind, initial_value: "{value}", placeholder: "{placeholder}",
                    autocomplete, inputmode, autofocus, required, disabled, spellcheck: "false",
                    "aria-invalid": if wrong.is_empty() { "false" } else { "true" }, "aria-describedby": described,
                    "data-debounce": debounce.map(|ms| ms.to_string()),
                    oninput: move |event| { if let Some(oninput) = oninput { oninput.call(event) } },
                }
                if let Some(after) = after { span { class: "text-faint", "{after}" } }
            }
            Hint { id: id.clone(), hint, error }
        }
    }
}

/// Several lines of text.
#[component]
pub fn Text(
    id: String,
    label: String,
    #[props(default)] name: Option<String>,
    #[props(default)] value: String,
    #[props(default = 4)] rows: u32,
    #[props(default)] hint: Option<String>,
    #[props(default)] error: Option<String>,
    #[props(default)] placeholder: String,
    #[props(default)] class: &'static str,
    #[props(default)] required: bool,
    #[props(default)] hide_label: bool,
) -> Element {
    let described = described(&id, hint.is_some(), error.is_some());
    let wrong = if error.is_some() { "textarea-error" } else { "" };
    let name = name.unwrap_or_else(|| id.clone());
    rsx! {
        div { class: "block",
            label { r#for: "{id}", class: if hide_label { "sr-only" } else { "label-text block" }, "{label}" }
            textarea { id: "{id}", name: "{name}", class: "textarea w-full {wrong} {class}", rows: "{rows}",
                placeholder: "{placeholder}", required, initial_value: "{value}", spellcheck: "false",
                "aria-invalid": if wrong.is_empty() { "false" } else { "true" }, "aria-describedby": described,
            }
            Hint { id: id.clone(), hint, error }
        }
    }
}

/// One of the things that a [`Select`] offers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// What the form holds.
    pub value: String,
    /// What is shown.
    pub label: String,
}

impl Choice {
    /// A choice.
    #[must_use]
    pub fn new(value: impl Into<String>, label: impl Into<String>) -> Choice {
        Choice { value: value.into(), label: label.into() }
    }
}

/// One of a few.
#[component]
pub fn Select(
    id: String,
    label: String,
    choices: Vec<Choice>,
    #[props(default)] name: Option<String>,
    #[props(default)] value: String,
    #[props(default)] hint: Option<String>,
    #[props(default)] error: Option<String>,
    #[props(default)] class: &'static str,
    #[props(default)] disabled: bool,
    #[props(default)] hide_label: bool,
    #[props(default)] onchange: Option<EventHandler<String>>,
) -> Element {
    let described = described(&id, hint.is_some(), error.is_some());
    let wrong = if error.is_some() { "select-error" } else { "" };
    let name = name.unwrap_or_else(|| id.clone());
    rsx! {
        div { class: "block",
            label { r#for: "{id}", class: if hide_label { "sr-only" } else { "label-text block" }, "{label}" }
            select { id: "{id}", name: "{name}", class: "select w-full {wrong} {class}", disabled,
                "aria-invalid": if wrong.is_empty() { "false" } else { "true" }, "aria-describedby": described,
                onchange: move |event| { if let Some(onchange) = onchange { onchange.call(event.value()) } },
                for choice in choices {
                    option { key: "{choice.value}", value: "{choice.value}", initial_selected: choice.value == value,
                        "{choice.label}"
                    }
                }
            }
            Hint { id: id.clone(), hint, error }
        }
    }
}

/// A check box with its words. Checked, the form holds `value` under its name.
#[component]
pub fn Check(
    id: String,
    #[props(default)] name: Option<String>,
    #[props(default = "on".to_owned())] value: String,
    #[props(default)] checked: bool,
    #[props(default)] disabled: bool,
    #[props(default)] onchange: Option<EventHandler<bool>>,
    children: Element,
) -> Element {
    let name = name.unwrap_or_else(|| id.clone());
    rsx! {
        label { class: "flex items-center gap-2.5 cursor-pointer", r#for: "{id}",
            input { id: "{id}", name: "{name}", r#type: "checkbox", class: "checkbox", value: "{value}", disabled,
                initial_checked: checked,
                onchange: move |event| { if let Some(onchange) = onchange { onchange.call(event.checked()) } },
            }
            span { {children} }
        }
    }
}

/// A switch, on or off at once. `label` is for screen readers: the words stand beside it.
#[component]
pub fn Toggle(
    id: String,
    label: String,
    on: bool,
    #[props(default)] name: Option<String>,
    #[props(default)] disabled: bool,
    #[props(default)] onchange: Option<EventHandler<bool>>,
) -> Element {
    let name = name.unwrap_or_else(|| id.clone());
    rsx! {
        input { id: "{id}", name: "{name}", r#type: "checkbox", role: "switch", class: "toggle", "aria-label": "{label}",
            initial_checked: on, disabled,
            onchange: move |event| { if let Some(onchange) = onchange { onchange.call(event.checked()) } },
        }
    }
}
