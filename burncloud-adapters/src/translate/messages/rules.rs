//! What Anthropic demands of thinking and sampling, in one plan before a request is written.

use super::model::{Model, Thinks};
use crate::translate::{Content, Conversation, Effort, Notes, Reasoning, Role, Sampling, Setting};
use serde_json::{Map, Value, json};

/// How a request asks a Claude to think and draw.
#[derive(Debug, Default, PartialEq)]
pub(in crate::translate) struct Plan {
    /// The field `thinking`.
    pub(in crate::translate) thinking: Option<Value>,
    /// `output_config.effort`.
    pub(in crate::translate) effort: Option<&'static str>,
    pub(in crate::translate) max_tokens: u64,
    pub(in crate::translate) temperature: Option<f64>,
    pub(in crate::translate) top_p: Option<f64>,
    pub(in crate::translate) top_k: Option<u64>,
    /// Thinks within a budget: then no tool can be forced.
    pub(in crate::translate) by_budget: bool,
}

/// The least budget that Anthropic takes.
const LEAST_BUDGET: u64 = 1024;

/// The plan for a request. One that was Anthropic's all along (`own`) is taken at its word.
pub(in crate::translate) fn plan(
    conversation: &Conversation,
    model: Model,
    own: bool,
    notes: &mut Notes,
) -> Plan {
    let mut plan = Plan::default();
    let longest = model.longest();
    plan.max_tokens = conversation.sampling.max_output.unwrap_or(longest);
    let Some(reasoning) = &conversation.reasoning else {
        plan.sampling(&conversation.sampling, model, own, notes);
        return plan;
    };
    if own {
        plan.as_said(reasoning);
    } else if reasoning.is_off() {
        if model.takes_disabled() {
            plan.thinking = Some(json!({"type": "disabled"}));
        } else if model.always_thinks() {
            notes.drop(Setting::Reasoning);
        }
    } else if reasoning.level().is_some() || reasoning.adaptive {
        match model.thinks() {
            Thinks::Never => notes.drop(Setting::Reasoning),
            Thinks::ByBudget if !may_begin_thinking(conversation) => notes.drop(Setting::Reasoning),
            Thinks::ByBudget => {
                if !plan.by_budget(reasoning, conversation.sampling.max_output, longest) {
                    notes.drop(Setting::Reasoning);
                }
            }
            Thinks::Adaptive => {
                plan.thinking = Some(json!({"type": "adaptive"}));
                plan.effort = reasoning.level().and_then(|level| model.effort(level));
            }
        }
        plan.show(reasoning, model, notes);
    }
    plan.sampling(&conversation.sampling, model, own, notes);
    plan
}

impl Plan {
    fn as_said(&mut self, reasoning: &Reasoning) {
        self.effort = reasoning.effort.and_then(|effort| match effort {
            Effort::None => None,
            other => Some(other.as_str()),
        });
        self.thinking = match reasoning.budget {
            Some(0) => Some(json!({"type": "disabled"})),
            Some(budget) => {
                self.by_budget = true;
                Some(json!({"type": "enabled", "budget_tokens": budget}))
            }
            None if reasoning.adaptive => Some(json!({"type": "adaptive"})),
            None => None,
        };
        if let (Some(Value::Object(thinking)), Some(show)) = (&mut self.thinking, reasoning.show) {
            thinking.insert("display".to_owned(), display(show));
        }
    }

    /// The budget leaves a quarter of the longest answer for the answer itself, and stays below the caller's own limit,
    /// which holds for thoughts too wherever they come from and is what money was held for. False where the limit has
    /// no room for the least budget.
    fn by_budget(&mut self, reasoning: &Reasoning, limit: Option<u64>, longest: u64) -> bool {
        let budget = reasoning.tokens().unwrap_or(Effort::Medium.budget());
        let mut budget = budget.min(longest / 4 * 3).max(LEAST_BUDGET);
        if let Some(limit) = limit.filter(|limit| *limit <= budget) {
            if limit <= LEAST_BUDGET {
                return false;
            }
            budget = (limit / 4 * 3).max(LEAST_BUDGET);
        }
        self.by_budget = true;
        self.thinking = Some(json!({"type": "enabled", "budget_tokens": budget}));
        true
    }

    fn show(&mut self, reasoning: &Reasoning, model: Model, notes: &mut Notes) {
        let (Some(Value::Object(thinking)), Some(show)) = (&mut self.thinking, reasoning.show) else {
            return;
        };
        if model.takes_display() {
            thinking.insert("display".to_owned(), display(show));
        } else if !show {
            notes.drop(Setting::ShowReasoning);
        }
    }

    /// 2023-06-01 ends a temperature at 1. A thinking model takes no other temperature than 1, no `top_p` below 0.95
    /// and no `top_k`; newer models take one of temperature and `top_p`, the newest neither. A value that is the
    /// default anyway is no loss.
    fn sampling(&mut self, sampling: &Sampling, model: Model, own: bool, notes: &mut Notes) {
        self.temperature = sampling.temperature.map(|it| it.clamp(0.0, 1.0));
        (self.top_p, self.top_k) = (sampling.top_p, sampling.top_k);
        if own {
            return;
        }
        let thinks = self.thinking.as_ref().is_some_and(|thinking| thinking["type"] != "disabled");
        if thinks || !model.samples() {
            if self.temperature.take().is_some_and(|it| it < 1.0) {
                notes.drop(Setting::Temperature);
            }
            if self.top_k.take().is_some() {
                notes.drop(Setting::TopK);
            }
            if self.top_p.take_if(|it| *it < 0.95 || !model.samples()).is_some_and(|it| it < 1.0) {
                notes.drop(Setting::TopP);
            }
        }
        let both = self.temperature.is_some() && model.samples_by_one();
        if self.top_p.take_if(|_| both).is_some_and(|it| it < 1.0) {
            notes.drop(Setting::TopP);
        }
    }

    /// Sets `temperature` and the like by these names.
    pub(in crate::translate) fn write_sampling(&self, body: &mut Map<String, Value>, names: [&str; 2]) {
        let numbers = [(names[0], self.temperature), (names[1], self.top_p)];
        body.extend(numbers.into_iter().filter_map(|(name, it)| Some((name.to_owned(), json!(it?)))));
    }
}

fn display(show: bool) -> Value {
    json!(if show { "summarized" } else { "omitted" })
}

/// Whether thinking within a budget can be switched on for this conversation: not in the middle of a tool loop whose
/// turn did not begin with thoughts of Anthropic's, nor to go on from an answer begun by the caller.
fn may_begin_thinking(conversation: &Conversation) -> bool {
    let mut turns = conversation.turns.iter().rev();
    let Some(last) = turns.next() else { return true };
    if last.role == Role::Assistant {
        return false;
    }
    let after_tool = |part: &crate::translate::Part| matches!(part.content, Content::ToolResult(_));
    let results = std::iter::once(last).chain(turns.clone()).take_while(|turn| turn.role != Role::Assistant);
    if !results.flat_map(|turn| &turn.parts).any(after_tool) {
        return true;
    }
    let mut asked =
        turns.skip_while(|turn| turn.role != Role::Assistant).take_while(|turn| turn.role == Role::Assistant);
    asked.any(|turn| {
        turn.parts.iter().any(|part| match &part.content {
            Content::Thinking(thinking) => super::write_blocks::is_own(thinking),
            _ => false,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::translate::{Format, Part, ToolResult, Turn};

    fn ask(model: &str, change: impl FnOnce(&mut Conversation)) -> (Plan, Vec<String>) {
        let mut conversation = Conversation::default();
        conversation.turns.push(Turn::new(Role::User, vec![Part::text("Hi")]));
        change(&mut conversation);
        let mut notes = Notes::new(Format::Chat);
        let plan = plan(&conversation, Model::of(model), false, &mut notes);
        (plan, notes.into_dropped().into_iter().map(Into::into).collect())
    }

    #[test]
    fn an_effort_becomes_a_budget_below_the_limit() {
        let (plan, dropped) = ask("claude-sonnet-4-5", |it| {
            it.reasoning = Some(Reasoning::of_effort(Effort::High));
            it.sampling.max_output = Some(4000);
            it.sampling.temperature = Some(0.3);
            it.sampling.top_p = Some(0.97);
            it.sampling.top_k = Some(4);
        });
        assert_eq!(plan.thinking, Some(json!({"type": "enabled", "budget_tokens": 3000})));
        assert_eq!((plan.max_tokens, plan.temperature, plan.top_p), (4000, None, Some(0.97)));
        assert_eq!(dropped, ["temperature", "top_k"]);
        let (plan, _) = ask("claude-opus-4-1", |it| it.reasoning = Some(Reasoning::of_effort(Effort::Max)));
        assert_eq!(plan.thinking, Some(json!({"type": "enabled", "budget_tokens": 24000})));
        assert_eq!(plan.max_tokens, 32000);
    }

    #[test]
    fn a_limit_is_never_raised() {
        for limit in [1, 1024, 1025, 1500, 24_576, 24_577, 64_000] {
            let (plan, dropped) = ask("claude-sonnet-4-5", |it| {
                it.reasoning = Some(Reasoning::of_effort(Effort::High));
                it.sampling.max_output = Some(limit);
            });
            assert_eq!(plan.max_tokens, limit);
            let budget = plan.thinking.as_ref().and_then(|thinking| thinking["budget_tokens"].as_u64());
            assert!(budget.is_none_or(|budget| (1024..limit).contains(&budget)), "{limit}: {budget:?}");
            assert_eq!(dropped.is_empty(), budget.is_some(), "{limit}");
            assert_eq!(budget.is_some(), limit > 1024);
        }
    }

    #[test]
    fn newer_models_are_guided_by_effort_and_take_no_sampling() {
        let (plan, dropped) = ask("claude-opus-5", |it| {
            it.reasoning = Some(Reasoning { show: Some(true), ..Reasoning::of_effort(Effort::Minimal) });
            it.sampling.temperature = Some(1.0);
            it.sampling.top_p = Some(0.5);
        });
        assert_eq!(plan.thinking, Some(json!({"type": "adaptive", "display": "summarized"})));
        assert_eq!((plan.effort, plan.temperature, plan.top_p), (Some("low"), None, None));
        assert_eq!(dropped, ["top_p"]);
    }

    #[test]
    fn older_models_are_asked_for_one_of_two_and_without_thinking() {
        let both = |it: &mut Conversation| {
            it.sampling.temperature = Some(1.4);
            it.sampling.top_p = Some(0.5);
            it.reasoning = Some(Reasoning::of_effort(Effort::None));
        };
        let (plan, dropped) = ask("claude-haiku-4-5", both);
        assert_eq!((plan.temperature, plan.top_p, plan.thinking), (Some(1.0), None, None));
        assert_eq!(dropped, ["top_p"]);
        let (plan, dropped) = ask("claude-3-haiku-20240307", both);
        assert_eq!((plan.temperature, plan.top_p, dropped.len()), (Some(1.0), Some(0.5), 0));
        let (plan, dropped) =
            ask("claude-3-haiku-20240307", |it| it.reasoning = Some(Reasoning::of_effort(Effort::Low)));
        assert_eq!((plan.thinking, dropped), (None, vec!["reasoning_effort".to_owned()]));
    }

    #[test]
    fn a_tool_loop_without_thoughts_goes_on_without_thinking() {
        let (plan, dropped) = ask("claude-sonnet-4-5", |it| {
            it.reasoning = Some(Reasoning::of_effort(Effort::High));
            let result = Content::ToolResult(ToolResult { id: "1".into(), ..ToolResult::default() });
            it.turns.push(Turn::new(Role::Assistant, vec![Part::text("calls")]));
            it.turns.push(Turn::new(Role::User, vec![Part::new(result)]));
        });
        assert_eq!((plan.thinking, dropped), (None, vec!["reasoning_effort".to_owned()]));
    }
}
