//! Documents of steps, in YAML or JSON; `docs/transforms.md` is their reference.

mod edit;
mod keep;
mod node;
mod step;
mod take;
mod when;

pub(super) use edit::set;
pub(super) use when::Facts;

use super::TransformError;
use super::path::TooMuch;
use node::{Kind, Node};
use serde_json::Value;
use step::Step;
use take::Fields;

/// Steps of a document, all three lists together.
const MAX_STEPS: usize = 256;
/// Levels that one list's steps may add to what they move.
const MAX_GROWTH: usize = 128;
/// What steps may add to one body, as [`weight`](super::json::weight) measures it.
const MAX_ADDED: usize = 32 << 20;

/// A compiled document.
#[derive(Debug, Default)]
pub(super) struct Document {
    pub(super) request: Steps,
    pub(super) response: Steps,
    pub(super) stream: Steps,
}

impl Document {
    pub(super) fn compile(text: &str) -> Result<Document, TransformError> {
        let root = Node::read(text)?;
        let mut fields = Fields::of(&root, "`request:`, `response:` or `stream:` with a list of steps")?;
        let mut document = Document::default();
        let lists = [
            ("request", &mut document.request),
            ("response", &mut document.response),
            ("stream", &mut document.stream),
        ];
        let mut left = MAX_STEPS;
        for (name, steps) in lists {
            if let Some(node) = fields.take(name) {
                *steps = Steps::read(name, node, &mut left)?;
            }
        }
        fields.finish("a list of steps", "request, response, stream")?;
        Ok(document)
    }
}

/// One list of steps.
#[derive(Debug, Default)]
pub(super) struct Steps(Vec<Step>);

/// The steps of a list that may be taken for a request, by their places.
#[derive(Clone, Debug, Default)]
pub(super) struct Chosen(Vec<Choice>);

#[derive(Clone, Copy, Debug)]
struct Choice {
    at: usize,
    /// What its `unless` asks beside the body holds, so that the body decides.
    unless: bool,
}

impl Chosen {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// What a step did, for the dry run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Did {
    pub(super) label: String,
    pub(super) what: String,
    /// Places changed; `None` where its condition did not hold.
    pub(super) changes: Option<usize>,
}

impl Steps {
    fn read(list: &str, node: &Node, left: &mut usize) -> Result<Steps, TransformError> {
        let Kind::List(items) = &node.kind else {
            if node.is_null() {
                return Ok(Steps::default());
            }
            return Err(
                node.error(format!("{} stands here; write a list of steps, each after a `-`", node.name()))
            );
        };
        let mut growth = 0;
        let mut steps = Vec::new();
        for (at, item) in items.iter().enumerate() {
            let label = format!("{list}[{at}]");
            let step = Step::read(label.clone(), item, list == "request").map_err(|e| e.in_step(&label))?;
            *left = left.checked_sub(1).ok_or_else(|| {
                item.error(format!("the document has more than {MAX_STEPS} steps")).in_step(&label)
            })?;
            growth += step.growth();
            if growth > MAX_GROWTH {
                let text = format!(
                    "the steps nest what they move more than {MAX_GROWTH} levels deeper; move to shorter paths"
                );
                return Err(item.error(text).in_step(&label));
            }
            steps.push(step);
        }
        Ok(Steps(steps))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The steps whose conditions can hold.
    pub(super) fn choose(&self, facts: &Facts<'_>) -> Chosen {
        let choice = |(at, step): (usize, &Step)| {
            step.may_hold(facts).then(|| Choice { at, unless: step.may_be_excepted(facts) })
        };
        Chosen(self.0.iter().enumerate().filter_map(choice).collect())
    }

    /// Takes the chosen steps; whether anything changed.
    pub(super) fn take(&self, chosen: &Chosen, body: &mut Value) -> Result<bool, TransformError> {
        let mut left = MAX_ADDED;
        let mut changed = false;
        for Choice { at, unless } in &chosen.0 {
            let Some(step) = self.0.get(*at) else { continue };
            if step.holds(*unless, body) {
                changed |= step.edit(body, &mut left).map_err(|TooMuch| step.too_much())? > 0;
            }
        }
        Ok(changed)
    }

    /// As [`Steps::take`], telling of each step what it did.
    pub(super) fn trace(&self, chosen: &Chosen, body: &mut Value) -> Result<Vec<Did>, TransformError> {
        let mut left = MAX_ADDED;
        let mut all = Vec::new();
        for (at, step) in self.0.iter().enumerate() {
            let choice = chosen.0.iter().find(|choice| choice.at == at);
            let changes = match choice.filter(|choice| step.holds(choice.unless, body)) {
                Some(_) => Some(step.edit(body, &mut left).map_err(|TooMuch| step.too_much())?),
                None => None,
            };
            all.push(Did { label: step.label().to_owned(), what: step.to_string(), changes });
        }
        Ok(all)
    }
}
