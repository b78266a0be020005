//! When a step is taken.

use super::node::{Kind, Node, short};
use super::take::{Fields, flag, list_of};
use crate::transform::{TransformError, path, path::Path};
use burncloud_core::{Dialect, Operation};
use serde_json::Value;

/// Conditions that must all hold. Of a list, one is enough.
#[derive(Debug, Default)]
pub(super) struct When {
    model: Option<Vec<Glob>>,
    upstream_model: Option<Vec<Glob>>,
    dialect: Option<Vec<Dialect>>,
    operation: Option<Vec<Operation>>,
    streamed: Option<bool>,
    status: Option<Vec<(u16, u16)>>,
    exists: Vec<Path>,
    missing: Vec<Path>,
    equals: Vec<(Path, Vec<Value>)>,
}

/// What is known before a body is looked at.
#[derive(Clone, Copy, Debug)]
pub(in crate::transform) struct Facts<'a> {
    pub(in crate::transform) model: &'a str,
    pub(in crate::transform) upstream_model: &'a str,
    pub(in crate::transform) dialect: Dialect,
    pub(in crate::transform) operation: Operation,
    pub(in crate::transform) streamed: bool,
    /// Of the answer; none while there is none.
    pub(in crate::transform) status: Option<u16>,
}

const DIALECTS: [Dialect; 5] =
    [Dialect::OpenAi, Dialect::Anthropic, Dialect::Gemini, Dialect::Cohere, Dialect::Bedrock];

impl When {
    pub(super) fn read(node: &Node, request: bool) -> Result<When, TransformError> {
        let mut fields = Fields::of(node, "conditions such as `model: gpt-*`")?;
        let when = When {
            model: fields.map("model", |n| list_of(n, "a model", glob))?,
            upstream_model: fields.map("upstream_model", |n| list_of(n, "a model", glob))?,
            dialect: fields.map("dialect", |n| list_of(n, "a dialect", dialect))?,
            operation: fields.map("operation", |n| list_of(n, "an operation", operation))?,
            streamed: fields.map("streamed", flag)?,
            status: match fields.take("status") {
                Some(node) if request => {
                    return Err(node.error("a request has no status yet; take `status` out"));
                }
                Some(node) => Some(list_of(node, "a status", status)?),
                None => None,
            },
            exists: fields.map("exists", |n| list_of(n, "a path", place))?.unwrap_or_default(),
            missing: fields.map("missing", |n| list_of(n, "a path", place))?.unwrap_or_default(),
            equals: fields.map("equals", equals)?.unwrap_or_default(),
        };
        fields.finish(
            "a condition",
            "model, upstream_model, dialect, operation, streamed, status, exists, missing, equals",
        )?;
        Ok(when)
    }

    /// Whether it can hold, whatever the body is.
    pub(super) fn may_hold(&self, facts: &Facts<'_>) -> bool {
        let named =
            |globs: &Option<Vec<Glob>>, name| globs.as_ref().is_none_or(|g| g.iter().any(|g| g.is(name)));
        let within = |list: &Vec<(u16, u16)>| {
            facts.status.is_none_or(|status| list.iter().any(|(from, to)| (*from..=*to).contains(&status)))
        };
        named(&self.model, facts.model)
            && named(&self.upstream_model, facts.upstream_model)
            && self.dialect.as_ref().is_none_or(|list| list.contains(&facts.dialect))
            && self.operation.as_ref().is_none_or(|list| list.contains(&facts.operation))
            && self.streamed.is_none_or(|streamed| streamed == facts.streamed)
            && self.status.as_ref().is_none_or(within)
    }

    /// Whether it holds, whatever the body is.
    pub(super) fn must_hold(&self, facts: &Facts<'_>) -> bool {
        let looks = !(self.exists.is_empty() && self.missing.is_empty() && self.equals.is_empty());
        !looks && (self.status.is_none() || facts.status.is_some()) && self.may_hold(facts)
    }

    /// Whether what it asks about the body holds.
    pub(super) fn holds(&self, body: &Value) -> bool {
        let exists = |path: &Path| path::any(body, path.segments(), &mut |_| true);
        (self.exists.is_empty() || self.exists.iter().any(exists))
            && (self.missing.is_empty() || self.missing.iter().any(|path| !exists(path)))
            && self.equals.iter().all(|(path, wanted)| {
                path::any(body, path.segments(), &mut |value| wanted.iter().any(|w| same(w, value)))
            })
    }
}

/// Equal as JSON; 1 and 1.0 are.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => {
            a == b || (a.is_f64() || b.is_f64()) && a.as_f64() == b.as_f64()
        }
        _ => a == b,
    }
}

/// A name in which `*` stands for anything.
#[derive(Debug)]
struct Glob(String);

impl Glob {
    /// The parts between the stars are found one after another: a name is walked through once.
    fn is(&self, name: &str) -> bool {
        let Some((start, rest)) = self.0.split_once('*') else { return self.0 == name };
        let Some(mut name) = name.strip_prefix(start) else { return false };
        let (middle, end) = rest.rsplit_once('*').unwrap_or(("", rest));
        for part in middle.split('*').filter(|part| !part.is_empty()) {
            match name.find(part) {
                Some(at) => name = &name[at + part.len()..],
                None => return false,
            }
        }
        name.ends_with(end)
    }
}

fn glob(node: &Node) -> Result<Glob, TransformError> {
    Ok(Glob(node.text("a model's name; `*` stands for anything")?.to_owned()))
}

fn dialect(node: &Node) -> Result<Dialect, TransformError> {
    let name = node.text("a dialect's name")?;
    DIALECTS.into_iter().find(|d| d.as_str() == name).ok_or_else(|| {
        let known = DIALECTS.map(Dialect::as_str).join(", ");
        node.error(format!("`{}` is no dialect; one of: {known}", short(name)))
    })
}

fn operation(node: &Node) -> Result<Operation, TransformError> {
    let name = node.text("an operation's name")?;
    Operation::parse(name).ok_or_else(|| {
        node.error(format!(
            "`{}` is no operation; such are chat, responses, messages, generate_content, converse, cohere_chat, \
             embeddings",
            short(name)
        ))
    })
}

fn status(node: &Node) -> Result<(u16, u16), TransformError> {
    let text = node.text("a status such as 404, 4xx or 500-599")?;
    let code = |text: &str| text.parse().ok().filter(|code| (100..=599).contains(code));
    let range = match text.split_once('-') {
        Some((from, to)) => code(from).zip(code(to)).filter(|(from, to)| from <= to),
        None => match text.strip_suffix("xx") {
            Some(class) => code(&format!("{class}00")).map(|from| (from, from + 99)),
            None => code(text).map(|code| (code, code)),
        },
    };
    range.ok_or_else(|| node.error(format!("`{}` is no status; write 404, 4xx or 500-599", short(text))))
}

pub(super) fn place(node: &Node) -> Result<Path, TransformError> {
    Path::parse(node.text("a path such as `messages[].role`")?).map_err(|message| node.error(message))
}

fn equals(node: &Node) -> Result<Vec<(Path, Vec<Value>)>, TransformError> {
    let Kind::Map(entries) = &node.kind else {
        return Err(node.error(format!("{} stands here; write `path: value`", node.name())));
    };
    let entry = |(key, wanted): &(super::node::Key, Node)| {
        let path = Path::parse(&key.text).map_err(|message| super::node::fault(key.mark, message))?;
        let wanted = match &wanted.kind {
            Kind::List(items) => items.iter().map(Node::value).collect::<Result<_, _>>()?,
            _ => vec![wanted.value()?],
        };
        Ok((path, wanted))
    };
    entries.iter().map(entry).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs() {
        let is = |glob: &str, name| Glob(glob.to_owned()).is(name);
        for (glob, name) in
            [("a", "a"), ("*", ""), ("gpt-*", "gpt-4o"), ("*o*", "gpt-4o"), ("a*b*c", "axxbyyc"), ("**", "x")]
        {
            assert!(is(glob, name), "{glob} {name}");
        }
        for (glob, name) in
            [("a", "ab"), ("gpt-*", "gp"), ("a*a", "a"), ("a*b*c", "axxc"), ("*ab*ab", "ab"), ("", "x")]
        {
            assert!(!is(glob, name), "{glob} {name}");
        }
    }
}
