//! What Claude models differ in, as far as a request must know it, by their names.
//!
//! | model | longest answer | thinks | sampling | JSON schema |
//! |---|---|---|---|---|
//! | `claude-2`, `claude-instant`, `claude-3-{haiku,sonnet,opus}` | 4,096 | no | yes | no |
//! | `claude-3-5-*` | 8,192 | no | yes | no |
//! | `claude-3-7-*`, `claude-sonnet-4` | 64,000 | by budget | yes | no |
//! | `claude-opus-4` | 32,000 | by budget | yes | no |
//! | `claude-opus-4-1` | 32,000 | by budget | temperature or top_p | yes |
//! | `claude-*-4-5` | 64,000 | by budget | temperature or top_p | yes |
//! | `claude-*-4-6` | 64,000 | adaptive | temperature or top_p | yes |
//! | `claude-*-4-7`, `-4-8`, `-5` and later, Mythos, Fable | 64,000 | adaptive | no | yes |
//! | of somebody else, through Anthropic's API | 8,192 | by budget | yes | no |
//!
//! Sources: the model tables, migration guides and pages on thinking, effort and structured outputs in Anthropic's
//! documentation (platform.claude.com/docs); the cards of the same models at AWS; recorded answers (`xhigh` is refused by
//! Opus 4.6; `temperature` is "deprecated for this model" since Opus 4.7). The longest answer stands in for a
//! `max_tokens` that the caller left out; some models take up to twice as many when they are asked.

use crate::translate::Effort;

/// A model, as far as its name tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::translate) struct Model {
    /// `(4, 6)`; `None` where it is no Claude.
    version: Option<(u16, u16)>,
    opus: bool,
    /// One of those that can be told not to think (Opus, Sonnet, Haiku).
    ordinary: bool,
}

/// How a model is told to think.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::translate) enum Thinks {
    Never,
    /// For so many tokens at most.
    ByBudget,
    /// As much as it likes, guided by an effort.
    Adaptive,
}

/// Stands in for a version that a Claude's name does not tell: the newest.
const NEWEST: (u16, u16) = (u16::MAX, 0);

impl Model {
    /// By any name that clouds and routers give it: `claude-opus-4-6`, `us.anthropic.claude-3-5-haiku-20241022-v1:0`,
    /// `claude-sonnet-4@20250514`, `anthropic/claude-sonnet-4.5`.
    pub(in crate::translate) fn of(name: &str) -> Model {
        let name = name.to_ascii_lowercase();
        let Some(at) = name.rfind("claude") else {
            return Model { version: None, opus: false, ordinary: true };
        };
        let words = name[at + "claude".len()..].split(|c: char| !c.is_ascii_alphanumeric());
        let (mut family, mut numbers) = ("", Vec::new());
        for word in words.filter(|word| !word.is_empty()) {
            match word.parse::<u16>() {
                Ok(number) if word.len() <= 2 => numbers.push(number),
                _ if word.chars().all(|c| c.is_ascii_alphabetic()) && family.is_empty() => family = word,
                // A date or AWS's `v1`: what follows belongs to it.
                _ => {
                    if let Some(Ok(major)) = word.strip_prefix('v').map(str::parse)
                        && numbers.is_empty()
                        && family.is_empty()
                    {
                        numbers.push(major);
                    }
                    break;
                }
            }
        }
        let version = match (family, numbers.as_slice()) {
            ("instant", _) => (1, 0),
            (_, [major, minor, ..]) => (*major, *minor),
            (_, [major]) => (*major, 0),
            _ => NEWEST,
        };
        let ordinary = matches!(family, "opus" | "sonnet" | "haiku" | "");
        Model { version: Some(version), opus: family == "opus", ordinary }
    }

    /// Whether it is a Claude at all.
    pub(in crate::translate) fn is_claude(self) -> bool {
        self.version.is_some()
    }

    fn since(self, version: (u16, u16)) -> bool {
        self.version.is_some_and(|own| own >= version)
    }

    /// Most tokens of an answer, as far as every model of the kind takes them.
    pub(in crate::translate) fn longest(self) -> u64 {
        match self.version {
            None => 8192,
            Some(version) if version < (3, 5) => 4096,
            Some((3, 5)) => 8192,
            Some((4, 0 | 1)) if self.opus => 32_000,
            Some(_) => 64_000,
        }
    }

    pub(in crate::translate) fn thinks(self) -> Thinks {
        match self.version {
            Some(version) if version < (3, 7) => Thinks::Never,
            Some(version) if version >= (4, 6) => Thinks::Adaptive,
            _ => Thinks::ByBudget,
        }
    }

    /// Whether it can be told not to think. Before Claude 5 models do not unless told to, and some refuse to be told.
    pub(in crate::translate) fn takes_disabled(self) -> bool {
        (self.since((5, 0)) && self.ordinary) || self.version.is_none()
    }

    /// Whether it thinks whatever it is told.
    pub(in crate::translate) fn always_thinks(self) -> bool {
        !self.ordinary && self.thinks() == Thinks::Adaptive
    }

    /// Whether `thinking.display` is known to it.
    pub(in crate::translate) fn takes_display(self) -> bool {
        self.since((4, 5))
    }

    /// The word for an effort; the next lower one where the model has not got it.
    pub(in crate::translate) fn effort(self, effort: Effort) -> Option<&'static str> {
        Some(match effort {
            Effort::None => return None,
            Effort::Minimal | Effort::Low => "low",
            Effort::Medium => "medium",
            Effort::High => "high",
            Effort::XHigh if !self.since((4, 7)) => "high",
            Effort::XHigh => "xhigh",
            Effort::Max => "max",
        })
    }

    /// Whether it can be sampled at all.
    pub(in crate::translate) fn samples(self) -> bool {
        !self.since((4, 7))
    }

    /// Whether it takes a temperature or a `top_p`, but not both.
    pub(in crate::translate) fn samples_by_one(self) -> bool {
        self.since((4, 1))
    }

    /// Whether it keeps to a JSON schema.
    pub(in crate::translate) fn structured(self) -> bool {
        self.since((4, 1))
    }

    /// Whether instructions may stand between its turns.
    pub(in crate::translate) fn system_turns(self) -> bool {
        self.since((4, 8))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_every_house_are_understood() {
        for (name, version, longest, thinks) in [
            ("claude-3-haiku-20240307", (3, 0), 4096, Thinks::Never),
            ("us.anthropic.claude-3-5-haiku-20241022-v1:0", (3, 5), 8192, Thinks::Never),
            ("anthropic.claude-3-5-sonnet-20241022-v2:0", (3, 5), 8192, Thinks::Never),
            ("claude-3-7-sonnet-latest", (3, 7), 64_000, Thinks::ByBudget),
            ("claude-opus-4-20250514", (4, 0), 32_000, Thinks::ByBudget),
            ("claude-4-opus-20250514", (4, 0), 32_000, Thinks::ByBudget),
            ("claude-opus-4-1@20250805", (4, 1), 32_000, Thinks::ByBudget),
            ("claude-sonnet-4@20250514", (4, 0), 64_000, Thinks::ByBudget),
            ("anthropic/claude-sonnet-4.5", (4, 5), 64_000, Thinks::ByBudget),
            ("global.anthropic.claude-opus-4-6-v1", (4, 6), 64_000, Thinks::Adaptive),
            ("claude-haiku-5-5", (5, 5), 64_000, Thinks::Adaptive),
            ("claude-mythos-preview", NEWEST, 64_000, Thinks::Adaptive),
            ("anthropic.claude-v2:1", (2, 0), 4096, Thinks::Never),
            ("anthropic.claude-instant-v1", (1, 0), 4096, Thinks::Never),
        ] {
            let model = Model::of(name);
            assert_eq!(
                (model.version, model.longest(), model.thinks()),
                (Some(version), longest, thinks),
                "{name}"
            );
        }
        let other = Model::of("deepseek-chat");
        assert_eq!((other.version, other.longest(), other.thinks()), (None, 8192, Thinks::ByBudget));
    }

    #[test]
    fn an_effort_that_a_model_has_not_got_becomes_the_next_lower() {
        assert_eq!(Model::of("claude-opus-4-6").effort(Effort::XHigh), Some("high"));
        assert_eq!(Model::of("claude-opus-4-7").effort(Effort::XHigh), Some("xhigh"));
        assert_eq!(Model::of("claude-opus-5").effort(Effort::Minimal), Some("low"));
    }
}
