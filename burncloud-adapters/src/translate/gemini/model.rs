//! What Google's models differ in, as far as requests must know it.

use super::super::{Effort, Notes, Reasoning, Setting};
use serde_json::{Map, Value};

/// A model, by the name it is asked for by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Model<'a>(&'a str);

impl<'a> Model<'a> {
    pub(super) fn new(name: &'a str) -> Model<'a> {
        Model(name.rsplit('/').next().unwrap_or(name))
    }

    fn generation(self) -> Option<u32> {
        let rest = self.0.strip_prefix("gemini-")?;
        rest[..rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len())].parse().ok()
    }

    /// Gemini 3 and later: checks signatures, has levels of thinking, takes media in the results of tools.
    pub(super) fn is_three(self) -> bool {
        self.generation().is_some_and(|generation| generation >= 3)
    }

    /// Before Gemini 2.5: refuses settings of thinking.
    fn thinks_not(self) -> bool {
        self.0.starts_with("gemini-1") || self.0.starts_with("gemini-2.0")
    }

    /// `thinkingConfig`. What the model cannot do exactly becomes the nearest that it can.
    pub(super) fn thinking(self, asked: &Reasoning, notes: &mut Notes) -> Option<Map<String, Value>> {
        let mut config = Map::new();
        if self.thinks_not() {
            if !asked.is_off() {
                notes.drop(Setting::Reasoning);
            }
            return None;
        }
        if self.is_three() {
            if let Some(level) = asked.level() {
                config.insert("thinkingLevel".to_owned(), self.level(level).into());
            }
        } else if let Some(budget) = asked.tokens() {
            config.insert("thinkingBudget".to_owned(), self.budget(budget).into());
        } else if asked.adaptive {
            config.insert("thinkingBudget".to_owned(), (-1).into());
        }
        if asked.show == Some(true) && !asked.is_off() {
            config.insert("includeThoughts".to_owned(), true.into());
        }
        Some(config).filter(|config| !config.is_empty())
    }

    /// Gemini 3 always thinks; Pro knows no `MINIMAL`, and its first one no `MEDIUM`.
    fn level(self, level: Effort) -> &'static str {
        let pro = self.0.contains("-pro");
        match level {
            Effort::None | Effort::Minimal if !pro => "MINIMAL",
            Effort::None | Effort::Minimal | Effort::Low => "LOW",
            Effort::Medium if self.0.starts_with("gemini-3-pro") => "HIGH",
            Effort::Medium => "MEDIUM",
            Effort::High | Effort::XHigh | Effort::Max => "HIGH",
        }
    }

    /// Within what the model takes.
    fn budget(self, budget: u64) -> u64 {
        if self.0.starts_with("gemini-2.5-pro") {
            budget.clamp(128, 32_768)
        } else if self.0.starts_with("gemini-2.5-flash-lite") && budget > 0 {
            budget.clamp(512, 24_576)
        } else {
            budget.min(24_576)
        }
    }
}

/// `thinkingConfig` for whoever asked in these very words.
pub(super) fn verbatim(asked: &Reasoning) -> Map<String, Value> {
    let mut config = Map::new();
    if let Some(show) = asked.show {
        config.insert("includeThoughts".to_owned(), show.into());
    }
    if let Some(effort) = asked.effort {
        config.insert("thinkingLevel".to_owned(), effort.as_str().to_ascii_uppercase().into());
    }
    if let Some(budget) = asked.budget {
        config.insert("thinkingBudget".to_owned(), budget.into());
    } else if asked.adaptive {
        config.insert("thinkingBudget".to_owned(), (-1).into());
    }
    config
}

#[cfg(test)]
mod tests {
    use super::super::super::Format;
    use super::*;
    use serde_json::json;

    fn config(model: &str, asked: &Reasoning) -> Value {
        let mut notes = Notes::new(Format::Chat);
        let config = Model::new(model).thinking(asked, &mut notes);
        config.map_or(json!({"dropped": notes.into_dropped()}), Value::Object)
    }

    #[test]
    fn thinking_is_asked_for_as_the_model_takes_it() {
        let high = Reasoning::of_effort(Effort::High);
        let off = Reasoning::of_effort(Effort::None);
        assert_eq!(config("gemini-2.5-flash", &high), json!({"thinkingBudget": 24_576}));
        assert_eq!(config("models/gemini-2.5-pro", &off), json!({"thinkingBudget": 128}));
        assert_eq!(config("gemini-2.5-flash", &off), json!({"thinkingBudget": 0}));
        assert_eq!(config("gemini-3-pro-preview", &off), json!({"thinkingLevel": "LOW"}));
        assert_eq!(config("gemini-3.5-flash", &off), json!({"thinkingLevel": "MINIMAL"}));
        let budget = Reasoning { budget: Some(2000), show: Some(true), ..Reasoning::default() };
        assert_eq!(
            config("gemini-3.1-pro", &budget),
            json!({"thinkingLevel": "MEDIUM", "includeThoughts": true})
        );
        assert_eq!(config("gemini-2.0-flash", &high), json!({"dropped": ["reasoning_effort"]}));
        let adaptive = Reasoning { adaptive: true, ..Reasoning::default() };
        assert_eq!(config("gemini-2.5-pro", &adaptive), json!({"thinkingBudget": -1}));
    }

    #[test]
    fn generations_are_told_apart() {
        for (name, three) in [
            ("gemini-3-flash", true),
            ("publishers/google/models/gemini-3.1-pro", true),
            ("gemini-10-pro", true),
            ("gemini-2.5-pro", false),
            ("gemini-flash-latest", false),
            ("gemma-3", false),
        ] {
            assert_eq!(Model::new(name).is_three(), three, "{name}");
        }
    }
}
