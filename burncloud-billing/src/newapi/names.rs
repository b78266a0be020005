//! What New-API knows of completion ratios by a model's name. Facts of its releases of 2026.

use super::Decimal;

/// A ratio of whole numbers, and whether it wins over the table.
type Known = ((i128, i128), bool);

const LOCKED: bool = true;

fn of_gpt(name: &str) -> Known {
    if name.starts_with("gpt-4o") {
        return match name {
            "gpt-4o-2024-05-13" => ((3, 1), LOCKED),
            _ if name.starts_with("gpt-4o-mini-tts") => ((20, 1), !LOCKED),
            _ => ((4, 1), !LOCKED),
        };
    }
    if name.starts_with("gpt-5") {
        return match name {
            _ if !name.contains('.') => ((8, 1), LOCKED),
            _ if name.starts_with("gpt-5.4-nano") => ((25, 4), LOCKED),
            _ if name.starts_with("gpt-5.4") => ((6, 1), LOCKED),
            _ => ((6, 1), !LOCKED),
        };
    }
    if name.starts_with("gpt-4.5-preview") {
        return ((2, 1), LOCKED);
    }
    if name.starts_with("gpt-4-turbo") || name.ends_with("gpt-4-1106") || name.ends_with("gpt-4-1105") {
        return ((3, 1), LOCKED);
    }
    ((2, 1), !LOCKED)
}

fn of_gemini(name: &str) -> Known {
    let begins = |prefix: &str| name.starts_with(prefix);
    match name {
        _ if begins("gemini-1.5") || begins("gemini-2.0") => ((4, 1), LOCKED),
        _ if begins("gemini-2.5-pro") => ((8, 1), !LOCKED),
        _ if begins("gemini-2.5-flash-preview") && name.ends_with("-nothinking") => ((4, 1), !LOCKED),
        _ if begins("gemini-2.5-flash-preview") => ((70, 3), !LOCKED),
        _ if begins("gemini-2.5-flash-lite") => ((4, 1), !LOCKED),
        _ if begins("gemini-2.5-flash") || begins("gemini-robotics-er-1.5") => ((25, 3), !LOCKED),
        _ if begins("gemini-3-pro-image") => ((60, 1), !LOCKED),
        _ if begins("gemini-3-pro") => ((6, 1), !LOCKED),
        _ => ((4, 1), !LOCKED),
    }
}

fn is_claude(name: &str) -> bool {
    let lines = [
        "claude-3",
        "claude-sonnet-4",
        "claude-opus-4",
        "claude-haiku-4",
        "claude-sonnet-5",
        "claude-opus-5",
    ];
    lines.iter().any(|line| name.contains(line))
}

fn by_name(name: &str) -> Known {
    let begins = |prefix: &str| name.starts_with(prefix);
    match name {
        _ if name.ends_with("-all") || name.ends_with("-gizmo-*") => ((2, 1), !LOCKED),
        _ if begins("gpt-") => of_gpt(name),
        _ if begins("o1") || begins("o3") => ((4, 1), LOCKED),
        "chatgpt-4o-latest" => ((3, 1), LOCKED),
        _ if is_claude(name) => ((5, 1), LOCKED),
        _ if begins("mistral-") => ((3, 1), LOCKED),
        _ if begins("gemini-") => of_gemini(name),
        "command-r" => ((3, 1), LOCKED),
        "command-r-plus" => ((5, 1), LOCKED),
        "command-r-08-2024" | "command-r-plus-08-2024" => ((4, 1), LOCKED),
        _ if begins("command") => ((4, 1), !LOCKED),
        _ if ["ERNIE-Speed-", "ERNIE-Lite-", "ERNIE-Character", "ERNIE-Functions"]
            .iter()
            .any(|p| begins(p)) =>
        {
            ((2, 1), LOCKED)
        }
        "llama2-70b-4096" => ((5, 4), LOCKED),
        "llama3-8b-8192" => ((2, 1), LOCKED),
        "llama3-70b-8192" => ((79, 59), LOCKED),
        _ => ((1, 1), !LOCKED),
    }
}

/// The completion ratio that New-API charges a model by, as a fraction, where its table says `table`.
#[must_use]
pub fn completion_of(model: &str, table: Option<Decimal>) -> (i128, i128) {
    let (known, locked) = by_name(model);
    match table {
        // Names with a maker in them are the operator's own business.
        Some(ratio) if !locked || model.contains('/') => ratio.fraction(),
        _ => known,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_wins_where_new_api_says_so() {
        let table = Some(Decimal::new(7, 0));
        for (model, without, with) in [
            ("gpt-4o", (4, 1), (7, 1)),
            ("gpt-4o-2024-05-13", (3, 1), (3, 1)),
            ("gpt-5-mini", (8, 1), (8, 1)),
            ("gpt-5.4-nano-x", (25, 4), (25, 4)),
            ("gpt-5.9", (6, 1), (7, 1)),
            ("o3-mini", (4, 1), (4, 1)),
            ("claude-opus-4-1-20250805", (5, 1), (5, 1)),
            ("anthropic/claude-opus-4", (5, 1), (7, 1)),
            ("gemini-2.5-flash", (25, 3), (7, 1)),
            ("deepseek-chat", (1, 1), (7, 1)),
            ("llama3-70b-8192", (79, 59), (79, 59)),
        ] {
            assert_eq!(completion_of(model, None), without, "{model}");
            assert_eq!(completion_of(model, table), with, "{model}");
        }
    }
}
