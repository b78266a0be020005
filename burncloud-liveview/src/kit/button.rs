//! Buttons.

use super::Icon;
use dioxus::prelude::*;

/// How much a button matters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// The one that matters; at most one in a view.
    Primary,
    /// Any other.
    #[default]
    Quiet,
    /// One that stays out of the way.
    Ghost,
    /// The first step to something that hurts.
    Danger,
    /// The last step.
    Destroy,
}

impl Kind {
    fn class(self) -> &'static str {
        match self {
            Kind::Primary => "btn btn-primary",
            Kind::Quiet => "btn btn-quiet",
            Kind::Ghost => "btn btn-ghost",
            Kind::Danger => "btn btn-danger",
            Kind::Destroy => "btn btn-error",
        }
    }
}

/// A button. While `busy` it turns and cannot be pressed. `submit` sends the form around it. One that shows only an icon
/// needs a `label`.
#[component]
pub fn Button(
    #[props(default)] kind: Kind,
    #[props(default)] icon: Option<&'static str>,
    #[props(default)] small: bool,
    #[props(default)] square: bool,
    #[props(default)] submit: bool,
    #[props(default)] busy: bool,
    #[props(default)] disabled: bool,
    #[props(default)] pressed: Option<bool>,
    #[props(default)] id: Option<String>,
    #[props(default)] label: Option<String>,
    #[props(default)] title: Option<String>,
    #[props(default)] class: &'static str,
    #[props(default)] onclick: Option<EventHandler<MouseEvent>>,
    #[props(default)] children: Element,
) -> Element {
    let (look, size, shape) =
        (kind.class(), if small { "btn-sm" } else { "" }, if square { "btn-square" } else { "" });
    rsx! {
        button { r#type: if submit { "submit" } else { "button" }, class: "{look} {size} {shape} {class}", id,
            disabled: busy || disabled, "aria-label": label, title,
            "aria-pressed": pressed.map(|pressed| if pressed { "true" } else { "false" }),
            "aria-busy": if busy { "true" },
            onclick: move |event| { if let Some(onclick) = onclick { onclick.call(event) } },
            if busy { span { class: "loading loading-spinner size-4", "aria-hidden": "true" } }
            else if let Some(i) = icon { Icon { i } }
            {children}
        }
    }
}

/// A link that looks like a button. `full` leaves the live page: downloads, posts.
#[component]
pub fn LinkButton(
    href: String,
    #[props(default)] kind: Kind,
    #[props(default)] icon: Option<&'static str>,
    #[props(default)] small: bool,
    #[props(default)] full: bool,
    #[props(default)] class: &'static str,
    children: Element,
) -> Element {
    let (look, size) = (kind.class(), if small { "btn-sm" } else { "" });
    rsx! {
        a { class: "{look} {size} {class}", href, "data-full": if full { "1" },
            if let Some(i) = icon { Icon { i } }
            {children}
        }
    }
}
