//! One step: what it does, and when.

use super::keep::Kept;
use super::node::{Key, Kind, Mark, Node, fault, short};
use super::take::{Fields, list_of};
use super::when::{Facts, When, place};
use crate::transform::path::{Path, TooMuch};
use crate::transform::{TransformError, json};
use serde_json::Value;
use std::collections::HashMap;
use std::fmt;

/// Paths of one `keep` or `remove`, values of one `map_value`.
const MAX_ENTRIES: usize = 1024;

#[derive(Debug)]
pub(super) struct Step {
    label: String,
    mark: Mark,
    pub(super) operation: Operation,
    when: Option<When>,
    unless: Option<When>,
}

#[derive(Debug)]
pub(super) enum Operation {
    /// Takes a value from one place to another.
    Move { from: Path, to: Path },
    /// Sets a copy of a value at another place.
    Copy { from: Path, to: Path },
    /// Gives a key another name, in its place.
    Rename { at: Path, to: String },
    /// Sets a value.
    Set { at: Path, value: Value, weight: usize },
    /// Sets a value where there is none.
    Default { at: Path, value: Value, weight: usize },
    /// Takes values out.
    Remove(Vec<Path>),
    /// Replaces values by a table.
    MapValue { at: Path, values: HashMap<String, Value>, otherwise: Option<Value> },
    /// Takes out all else.
    Keep(Kept),
}

const OPERATIONS: &str = "move, copy, rename, set, default, remove, map_value, keep";

impl Step {
    pub(super) fn read(label: String, node: &Node, request: bool) -> Result<Step, TransformError> {
        let mut fields = Fields::of(node, "a step such as `remove: user`")?;
        let when = fields.map("when", |n| When::read(n, request))?;
        let unless = fields.map("unless", |n| When::read(n, request))?;
        let Some((key, body)) = fields.pop() else {
            return Err(node.error(format!("the step does nothing; name one of: {OPERATIONS}")));
        };
        let operation = operation(key, body)?;
        if let Some((second, _)) = fields.pop() {
            let text = format!(
                "`{}` stands beside `{}`: a step has one operation, `when` and `unless`; begin another with `-`",
                short(&second.text),
                key.text
            );
            return Err(fault(second.mark, text));
        }
        Ok(Step { label, mark: node.mark, operation, when, unless })
    }

    pub(super) fn label(&self) -> &str {
        &self.label
    }

    /// By how many levels it may nest a value deeper than it was.
    pub(super) fn growth(&self) -> usize {
        match &self.operation {
            Operation::Move { from, to } | Operation::Copy { from, to } => {
                to.segments().len().saturating_sub(from.segments().len())
            }
            _ => 0,
        }
    }

    pub(super) fn may_hold(&self, facts: &Facts<'_>) -> bool {
        self.when.as_ref().is_none_or(|when| when.may_hold(facts))
            && !self.unless.as_ref().is_some_and(|unless| unless.must_hold(facts))
    }

    /// Whether the conditions on the body hold, for a step that [may hold](Step::may_hold) with all facts known.
    pub(super) fn holds(&self, unless: bool, body: &Value) -> bool {
        self.when.as_ref().is_none_or(|when| when.holds(body))
            && !(unless && self.unless.as_ref().is_some_and(|unless| unless.holds(body)))
    }

    /// Whether the body may be one for which the step is not taken.
    pub(super) fn may_be_excepted(&self, facts: &Facts<'_>) -> bool {
        self.unless.as_ref().is_some_and(|unless| unless.may_hold(facts))
    }

    pub(super) fn edit(&self, body: &mut Value, left: &mut usize) -> Result<usize, TooMuch> {
        self.operation.edit(body, left)
    }

    pub(super) fn too_much(&self) -> TransformError {
        fault(self.mark, "the step would make the body too large").in_step(&self.label)
    }
}

fn operation(key: &Key, node: &Node) -> Result<Operation, TransformError> {
    Ok(match key.text.as_str() {
        "move" => from_to(node, |from, to| Operation::Move { from, to })?,
        "copy" => from_to(node, |from, to| Operation::Copy { from, to })?,
        "rename" => rename(node)?,
        "set" => at_value(node, |at, value, weight| Operation::Set { at, value, weight })?,
        "default" => at_value(node, |at, value, weight| Operation::Default { at, value, weight })?,
        "remove" => Operation::Remove(paths(node)?),
        "map_value" => map_value(node)?,
        "keep" => Operation::Keep(Kept::new(paths(node)?)),
        other => {
            return Err(fault(key.mark, format!("`{}` is no operation; one of: {OPERATIONS}", short(other))));
        }
    })
}

fn paths(node: &Node) -> Result<Vec<Path>, TransformError> {
    let paths = list_of(node, "a path", place)?;
    if paths.len() > MAX_ENTRIES {
        return Err(node.error(format!("more than {MAX_ENTRIES} paths")));
    }
    Ok(paths)
}

fn from_to(node: &Node, make: impl FnOnce(Path, Path) -> Operation) -> Result<Operation, TransformError> {
    let example = "{from: max_tokens, to: max_completion_tokens}";
    let mut fields = Fields::of(node, example)?;
    let from = place(fields.need(node, "from", example)?)?;
    let target = fields.need(node, "to", example)?;
    let to = place(target)?;
    fields.finish("expected here", "from, to")?;
    if from == to {
        return Err(target.error("`from` and `to` are the same place"));
    }
    if from.split_at_each().0 != to.split_at_each().0 {
        return Err(target.error(format!(
            "`{from}` and `{to}` go through different `[]`: both must begin alike up to the last `[]`, as in \
             {{from: \"messages[].a\", to: \"messages[].b\"}}"
        )));
    }
    if to.split_at_each().1.is_empty() || from.split_at_each().1.is_empty() {
        return Err(
            target.error("a path of `move` and `copy` does not end in `[]`: name what is in the element")
        );
    }
    Ok(make(from, to))
}

fn rename(node: &Node) -> Result<Operation, TransformError> {
    let example = "{at: \"messages[].name\", to: author}";
    let mut fields = Fields::of(node, example)?;
    let source = fields.need(node, "at", example)?;
    let at = place(source)?;
    let to = fields.need(node, "to", example)?.text("the new name of the key, not a path")?.to_owned();
    fields.finish("expected here", "at, to")?;
    match at.last_key() {
        None => Err(source.error(format!("`{at}` does not end in a key; only keys have names"))),
        Some(key) if key == to => Err(source.error(format!("the key is called `{key}` already"))),
        Some(_) => Ok(Operation::Rename { at, to }),
    }
}

fn at_value(
    node: &Node,
    make: impl FnOnce(Path, Value, usize) -> Operation,
) -> Result<Operation, TransformError> {
    let example = "{at: temperature, value: 0.7}";
    let mut fields = Fields::of(node, example)?;
    let at = place(fields.need(node, "at", example)?)?;
    let value = fields.need(node, "value", example)?.value()?;
    fields.finish("expected here", "at, value")?;
    let weight = json::weight(&value);
    Ok(make(at, value, weight))
}

fn map_value(node: &Node) -> Result<Operation, TransformError> {
    let example = "{at: \"messages[].role\", values: {developer: system}}";
    let mut fields = Fields::of(node, example)?;
    let at = place(fields.need(node, "at", example)?)?;
    let table = fields.need(node, "values", example)?;
    let Kind::Map(entries) = &table.kind else {
        return Err(table.error(format!("{} stands here; write `old: new` pairs", table.name())));
    };
    if entries.is_empty() || entries.len() > MAX_ENTRIES {
        return Err(table.error(format!("write from 1 to {MAX_ENTRIES} pairs `old: new`")));
    }
    let pair = |(key, node): &(Key, Node)| Ok((key.text.clone(), node.value()?));
    let values = entries.iter().map(pair).collect::<Result<_, TransformError>>()?;
    let otherwise = fields.map("otherwise", Node::value)?;
    fields.finish("expected here", "at, values, otherwise")?;
    Ok(Operation::MapValue { at, values, otherwise })
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |paths: &[Path]| paths.iter().map(Path::to_string).collect::<Vec<_>>().join(", ");
        match &self.operation {
            Operation::Move { from, to } => write!(f, "move {from} to {to}"),
            Operation::Copy { from, to } => write!(f, "copy {from} to {to}"),
            Operation::Rename { at, to } => write!(f, "rename {at} to {to}"),
            Operation::Set { at, .. } => write!(f, "set {at}"),
            Operation::Default { at, .. } => write!(f, "default {at}"),
            Operation::Remove(paths) => write!(f, "remove {}", list(paths)),
            Operation::MapValue { at, .. } => write!(f, "map_value {at}"),
            Operation::Keep(kept) => write!(f, "keep {}", list(kept.paths())),
        }
    }
}
