//! How much a model shall think.

/// How much a model shall think.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reasoning {
    /// A level.
    pub effort: Option<Effort>,
    /// Most tokens for it. 0 is off.
    pub budget: Option<u64>,
    /// Whether the model decides by itself how much (Anthropic's `adaptive`, Gemini's budget of -1).
    pub adaptive: bool,
    /// Whether its thoughts, or a summary of them, shall be shown. `None` is up to the provider.
    pub show: Option<bool>,
}

/// A level of reasoning, in OpenAI's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum Effort {
    None,
    Minimal,
    Low,
    Medium,
    High,
    XHigh,
    Max,
}

impl Effort {
    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Effort::None => "none",
            Effort::Minimal => "minimal",
            Effort::Low => "low",
            Effort::Medium => "medium",
            Effort::High => "high",
            Effort::XHigh => "xhigh",
            Effort::Max => "max",
        }
    }

    /// The level of that name, in any letter case.
    #[must_use]
    pub fn parse(word: &str) -> Option<Effort> {
        use Effort as E;
        [E::None, E::Minimal, E::Low, E::Medium, E::High, E::XHigh, E::Max]
            .into_iter()
            .find(|effort| effort.as_str().eq_ignore_ascii_case(word))
    }

    /// The budget that Google's own compatible API takes for it; no SDK has an official table.
    #[must_use]
    pub fn budget(self) -> u64 {
        match self {
            Effort::None => 0,
            Effort::Minimal | Effort::Low => 1024,
            Effort::Medium => 8192,
            Effort::High => 24_576,
            Effort::XHigh | Effort::Max => 32_768,
        }
    }

    /// The level whose budget comes closest from above.
    #[must_use]
    pub fn of_budget(budget: u64) -> Effort {
        match budget {
            0 => Effort::None,
            1..=1024 => Effort::Low,
            1025..=8192 => Effort::Medium,
            _ => Effort::High,
        }
    }
}

impl Reasoning {
    /// Of this level.
    #[must_use]
    pub fn of_effort(effort: Effort) -> Reasoning {
        Reasoning { effort: Some(effort), ..Reasoning::default() }
    }

    /// Whether it is switched off.
    #[must_use]
    pub fn is_off(&self) -> bool {
        self.effort == Some(Effort::None) || (self.effort.is_none() && self.budget == Some(0))
    }

    /// The level, also where only a budget was given. `None`: up to the model.
    #[must_use]
    pub fn level(&self) -> Option<Effort> {
        self.effort.or(self.budget.map(Effort::of_budget))
    }

    /// The budget, also where only a level was given. `None`: up to the model.
    #[must_use]
    pub fn tokens(&self) -> Option<u64> {
        self.budget.or(self.effort.map(Effort::budget))
    }
}
