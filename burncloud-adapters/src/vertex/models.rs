//! Whose models a channel serves, and how they stand in a path.

use burncloud_core::ChannelConfig;
use std::collections::HashMap;

/// Who publishes a model; each publisher's models speak its dialect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Publisher {
    Google,
    Anthropic,
}

/// The publishers of a channel's models, by the names callers use.
#[derive(Clone, Debug, Default)]
pub(super) struct Models(HashMap<String, Publisher>);

impl Models {
    pub(super) fn of(config: &ChannelConfig) -> Models {
        let plain = config.models.iter().map(|model| (model, model));
        let named = plain.chain(&config.model_mapping);
        Models(named.map(|(asked, sent)| (asked.clone(), publisher(sent))).collect())
    }

    /// Before a channel says which.
    pub(super) fn are_unknown(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether this model (`None`: any of the channel's) is of that publisher. Of unknown ones anything may be.
    pub(super) fn may_be(&self, publisher: Publisher, asked: Option<&str>) -> bool {
        match asked.and_then(|asked| self.0.get(asked)) {
            Some(known) => *known == publisher,
            None => self.0.is_empty() || self.0.values().any(|known| *known == publisher),
        }
    }
}

fn publisher(model: &str) -> Publisher {
    if split(model).0 == "anthropic" { Publisher::Anthropic } else { Publisher::Google }
}

/// Publisher and model.
pub(super) fn split(model: &str) -> (&str, &str) {
    let explicit = model.strip_prefix("publishers/").and_then(|rest| rest.split_once("/models/"));
    if let Some((publisher, model)) = explicit.filter(|(p, m)| !p.is_empty() && !m.is_empty()) {
        return (publisher, model);
    }
    let model = model.strip_prefix("models/").unwrap_or(model);
    let claude = model.as_bytes().windows(6).any(|six| six.eq_ignore_ascii_case(b"claude"));
    (if claude { "anthropic" } else { "google" }, model)
}

/// A name as one segment of a path. `@` stands before a model's version, and may stand in a path.
pub(super) fn segment(name: &str) -> String {
    crate::path::encoded(name).replace("%40", "@")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn publishers() {
        assert_eq!(split("gemini-2.5-pro"), ("google", "gemini-2.5-pro"));
        assert_eq!(split("claude-sonnet-4@20250514"), ("anthropic", "claude-sonnet-4@20250514"));
        assert_eq!(split("publishers/mistralai/models/mistral"), ("mistralai", "mistral"));
        assert_eq!(split("publishers/google/models/claude"), ("google", "claude"));
        assert_eq!(segment("claude@1/../x"), "claude@1%2F..%2Fx");
        let known = Models([("a".to_owned(), Publisher::Anthropic)].into());
        assert!(known.may_be(Publisher::Anthropic, Some("a")) && !known.may_be(Publisher::Google, None));
        assert!(Models::default().may_be(Publisher::Google, None));
    }
}
