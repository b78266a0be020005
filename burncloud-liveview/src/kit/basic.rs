//! The smallest parts.

use crate::live::use_lang;
use dioxus::prelude::*;

/// What a colour says. Never a decoration.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tone {
    /// Nothing.
    #[default]
    Plain,
    /// Money flows; it worked.
    Good,
    /// Keep an eye on it.
    Care,
    /// Act.
    Bad,
    /// Data, a change.
    Info,
}

/// The state of the margin, which the logo shows on every page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PulseState {
    /// Nothing flows yet, or nothing is known.
    #[default]
    Rest,
    /// Money flows.
    Flow,
    /// Something needs somebody now.
    Hurt,
}

/// An icon of lucide, by its whole class so that the CSS build finds it: `Icon { i: "icon-[lucide--plus]" }`. Hidden from
/// screen readers: what it stands for is said beside it.
#[component]
pub fn Icon(i: &'static str, #[props(default = "size-4")] class: &'static str) -> Element {
    rsx! { span { class: "{i} {class} shrink-0", "aria-hidden": "true" } }
}

/// The hue of the tile of a name, in degrees; the same name always has the same.
#[must_use]
pub fn hue(name: &str) -> u16 {
    let hash =
        name.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    u16::try_from(hash % 360).unwrap_or_default()
}

/// At most two letters of a name: `Northwind Robotics` is `NR`, `pixel` is `Pi`, `蓝鲸翻译` is `蓝`.
#[must_use]
pub fn initials(name: &str) -> String {
    let mut words = name.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let (Some(first), second) = (words.next(), words.next()) else { return "?".to_owned() };
    let mut letters = first.chars();
    let head = letters.next().unwrap_or('?');
    if !head.is_ascii() {
        return head.to_string();
    }
    let head = head.to_ascii_uppercase();
    match second.and_then(|word| word.chars().next()).or_else(|| letters.next()) {
        Some(next) if next.is_ascii() => {
            let next = if second.is_some() { next.to_ascii_uppercase() } else { next.to_ascii_lowercase() };
            format!("{head}{next}")
        }
        _ => head.to_string(),
    }
}

/// The tile of a name: its initials on a tint of its own. `round` for people, square for providers and accounts.
#[component]
pub fn Tile(
    name: String,
    #[props(default)] text: Option<String>,
    #[props(default)] hue: Option<u16>,
    #[props(default)] round: bool,
    #[props(default)] class: &'static str,
) -> Element {
    let text = text.unwrap_or_else(|| initials(&name));
    let hue = hue.unwrap_or_else(|| self::hue(&name));
    let round = if round { "tile-round" } else { "" };
    rsx! { span { class: "tile {round} {class}", style: "--h:{hue}", "aria-hidden": "true", "{text}" } }
}

/// A dot of a state. Pair it with a word.
#[component]
pub fn Dot(#[props(default)] tone: Tone) -> Element {
    let class = match tone {
        Tone::Plain => "status",
        Tone::Good => "status status-success",
        Tone::Care => "status status-warning",
        Tone::Bad => "status status-error",
        Tone::Info => "status status-info",
    };
    rsx! { span { class, "aria-hidden": "true" } }
}

/// A short word in a tinted box.
#[component]
pub fn Badge(
    #[props(default)] tone: Tone,
    #[props(default)] icon: Option<&'static str>,
    children: Element,
) -> Element {
    let class = match tone {
        Tone::Plain => "badge badge-plain",
        Tone::Good => "badge badge-soft badge-success",
        Tone::Care => "badge badge-soft badge-warning",
        Tone::Bad => "badge badge-soft badge-error",
        Tone::Info => "badge badge-soft badge-info",
    };
    rsx! { span { class,
        if let Some(i) = icon { Icon { i, class: "size-3.5" } }
        {children}
    } }
}

/// The breathing dot of the margin's state.
#[component]
pub fn Pulse(#[props(default)] state: PulseState, #[props(default)] class: &'static str) -> Element {
    let kind = pulse_class(state);
    rsx! { span { class: "pulse {kind} {class}", "aria-hidden": "true" } }
}

fn pulse_class(state: PulseState) -> &'static str {
    match state {
        PulseState::Rest => "pulse-rest",
        PulseState::Flow => "",
        PulseState::Hurt => "pulse-hurt",
    }
}

/// The logo; its pilot light is the pulse.
#[component]
pub fn Brand(#[props(default)] state: PulseState) -> Element {
    let kind = pulse_class(state);
    rsx! {
        span { class: "relative grid place-items-center size-6 shrink-0",
            svg { view_box: "0 0 24 24", class: "size-6", "aria-hidden": "true",
                path { fill: "currentColor", d: "M12.6 1.6c.5 3.5 6.9 6.3 6.9 13a7.5 7.5 0 0 1-15 0c0-3.1 1.5-5.2 3.2-7 .1 1.7.7 3 1.8 3.8 1.3-2.6 1.3-6.2 3.1-9.8Z" }
            }
            span { class: "pulse {kind} absolute! left-[8.5px] top-[12.5px] size-[7px]!" }
        }
    }
}

/// A button that copies `value` and shows a tick for a moment.
#[component]
pub fn Copy(
    value: String,
    #[props(default)] label: Option<String>,
    #[props(default = "btn btn-ghost btn-xs btn-square")] class: &'static str,
    #[props(default)] children: Element,
) -> Element {
    let label = label.unwrap_or_else(|| use_lang().t("Copy", "复制").to_owned());
    rsx! {
        x-copy { "data-value": "{value}",
            button { r#type: "button", class, "aria-label": "{label}",
                Icon { i: "icon-[lucide--copy]", class: "size-3.5" }
                {children}
            }
        }
    }
}

/// A key (`press: "k"`) that presses the button inside, from anywhere on the page: `ctrl` for Ctrl or Command with it. Without `ctrl`
/// it does not while somebody types.
#[component]
pub fn Hotkey(press: String, #[props(default)] ctrl: bool, children: Element) -> Element {
    rsx! { x-hotkey { "data-key": "{press}", "data-ctrl": if ctrl { "1" }, {children} } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn initials_are_two_letters_or_one_character() {
        let all =
            ["Northwind Robotics", "pixel", "蓝鲸翻译", "aurora-02", "", "  ", "Ünal", "x"].map(initials);
        assert_eq!(all, ["NR", "Pi", "蓝", "A0", "?", "?", "Ü", "X"]);
    }

    #[test]
    fn a_name_keeps_its_hue() {
        assert_eq!(hue("Pixel Tea"), hue("Pixel Tea"));
        assert_ne!(hue("Pixel Tea"), hue("Northwind"));
        assert!(hue("") < 360);
    }
}
