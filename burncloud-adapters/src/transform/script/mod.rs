//! Scripts in Rhai; `docs/transforms.md` is their reference.
//!
//! A script is compiled once and run for each request, answer and event on its own: a fresh scope, no files, no
//! network, no clock, no output. It is bounded in operations, depth, sizes and time.

mod engine;
mod value;

use super::document::Facts;
use super::error::Failure;
use super::{TransformError, headers};
use burncloud_core::{ScriptFailure, ScriptSettings};
use engine::{ENGINE, Refusal};
use http::HeaderMap;
use rhai::{AST, Dynamic, EvalAltResult, ParseError, Position, Scope};
use serde_json::Value;
use std::collections::BTreeMap;

/// Bytes of a script.
const MAX_SOURCE: usize = 64 * 1024;

/// A compiled script.
#[derive(Debug)]
pub(super) struct Script {
    ast: AST,
    on_request: bool,
    on_answer: bool,
    skips: bool,
}

/// What is being edited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Request,
    Response,
    Event,
}

/// What a script may know.
#[derive(Clone, Copy, Debug)]
pub(super) struct Context<'a> {
    pub(super) facts: Facts<'a>,
    /// The provider's.
    pub(super) dialect: &'a str,
    pub(super) channel: &'a str,
}

impl Script {
    /// # Errors
    /// The line and column at fault.
    pub(super) fn compile(settings: &ScriptSettings) -> Result<Script, TransformError> {
        if settings.source.len() > MAX_SOURCE {
            return Err(TransformError::new(
                "script",
                format!("the script is longer than {MAX_SOURCE} bytes"),
            ));
        }
        let ast = compile(&settings.source, &["req", "res", "headers", "ctx"]).map_err(|error| {
            place(TransformError::new("script", mended(&error.err_type().to_string())), error.position())
        })?;
        // A script that can do without a variable has nothing to do where that alone would be edited.
        let does_with = |names: &[&str]| compile(&settings.source, names).is_ok();
        let on_answer = !does_with(&["req", "headers", "ctx"]);
        let on_request = !on_answer || !does_with(&["res", "headers", "ctx"]);
        Ok(Script { ast, on_request, on_answer, skips: settings.on_error == ScriptFailure::Skip })
    }

    pub(super) fn edits_requests(&self) -> bool {
        self.on_request
    }

    pub(super) fn edits_answers(&self) -> bool {
        self.on_answer
    }

    /// Whether what it fails on goes on as if there were no script.
    pub(super) fn skips(&self) -> bool {
        self.skips
    }

    /// Whether the body changed.
    pub(super) fn request(
        &self,
        context: &Context<'_>,
        headers: &mut HeaderMap,
        body: &mut Value,
    ) -> Result<bool, Failure> {
        let before = headers::visible(headers);
        let (new, wanted) = self.run(Phase::Request, context, &before, body)?;
        // All or nothing: the body is changed once the headers are.
        let mut edited = headers.clone();
        headers::write_back(&mut edited, &before, wanted)
            .map_err(|why| TransformError::new("script", why))?;
        *headers = edited;
        Ok(replace(body, new))
    }

    /// Whether the body changed.
    pub(super) fn answer(
        &self,
        phase: Phase,
        context: &Context<'_>,
        headers: &BTreeMap<String, String>,
        body: &mut Value,
    ) -> Result<bool, Failure> {
        let (new, _) = self.run(phase, context, headers, body)?;
        Ok(replace(body, new))
    }

    fn run(
        &self,
        phase: Phase,
        context: &Context<'_>,
        headers: &BTreeMap<String, String>,
        body: &Value,
    ) -> Result<(Value, BTreeMap<String, String>), Failure> {
        engine::with_stack(|| {
            let mut scope = scope(phase, context, headers, body)?;
            let borders = scope.len();
            engine::with_deadline(|| ENGINE.run_ast_with_scope(&mut scope, &self.ast))
                .map_err(|e| failure(&e))?;
            scope.rewind(borders);
            let name = if phase == Phase::Request { "req" } else { "res" };
            let mut take = |name| scope.get_mut(name).map(std::mem::take).unwrap_or_default();
            let fail = |why: String| Failure::Broken(TransformError::new("script", why));
            let new = value::to_json(take(name), Some(body)).map_err(|why| fail(format!("{name}{why}")))?;
            let wanted = value::to_headers(take("headers")).map_err(fail)?;
            Ok((new, wanted))
        })
    }
}

fn replace(body: &mut Value, new: Value) -> bool {
    let changed = *body != new;
    if changed {
        *body = new;
    }
    changed
}

fn compile(source: &str, names: &[&str]) -> Result<AST, ParseError> {
    let mut scope = Scope::new();
    for name in names {
        scope.push_dynamic(*name, Dynamic::UNIT);
    }
    ENGINE.compile_with_scope(&scope, source)
}

fn scope(
    phase: Phase,
    context: &Context<'_>,
    headers: &BTreeMap<String, String>,
    body: &Value,
) -> Result<Scope<'static>, TransformError> {
    let body = value::from_json(body).map_err(|why| TransformError::new("script", why))?;
    let (req, res) = if phase == Phase::Request { (body, Dynamic::UNIT) } else { (Dynamic::UNIT, body) };
    let headers: rhai::Map = headers.iter().map(|(k, v)| (k.into(), v.clone().into())).collect();
    let mut scope = Scope::new();
    scope.push_dynamic("req", req).push_dynamic("res", res);
    scope.push_dynamic("headers", headers.into()).push_dynamic("ctx", known(phase, context).into());
    Ok(scope)
}

fn known(phase: Phase, context: &Context<'_>) -> rhai::Map {
    let facts = &context.facts;
    let phase = match phase {
        Phase::Request => "request",
        Phase::Response => "response",
        Phase::Event => "event",
    };
    let texts = [
        ("phase", phase),
        ("model", facts.model),
        ("upstream_model", facts.upstream_model),
        ("dialect", facts.dialect.as_str()),
        ("upstream_dialect", context.dialect),
        ("operation", facts.operation.as_str()),
        ("channel", context.channel),
    ];
    let mut map: rhai::Map = texts.into_iter().map(|(key, text)| (key.into(), text.into())).collect();
    map.insert("streamed".into(), facts.streamed.into());
    map.insert("status".into(), facts.status.map_or(Dynamic::UNIT, |status| i64::from(status).into()));
    map
}

fn failure(error: &EvalAltResult) -> Failure {
    let (mut inner, mut position) = (error, error.position());
    while let EvalAltResult::ErrorInFunctionCall(_, _, error, _) = inner {
        inner = error;
        position = if error.position().is_none() { position } else { error.position() };
    }
    if let EvalAltResult::ErrorTerminated(token, _) = inner {
        return match token.clone().try_cast::<Refusal>() {
            Some(Refusal(text)) => Failure::Refused(text),
            None => broken("it takes too long; do less", position),
        };
    }
    let message = match inner {
        EvalAltResult::ErrorTooManyOperations(_) => {
            "it does too much; do less, or check its loops".to_owned()
        }
        // What a script throws may be the caller's words.
        EvalAltResult::ErrorRuntime(..) => {
            "it threw an error; use refuse(\"text\") to refuse a request".to_owned()
        }
        other => {
            let mut text = other.to_string();
            if let Some(at) = text.rfind(" (line ") {
                text.truncate(at);
            }
            mended(&text.chars().take(300).collect::<String>())
        }
    };
    broken(&message, position)
}

fn broken(message: &str, position: Position) -> Failure {
    Failure::Broken(place(TransformError::new("script", message), position))
}

fn place(error: TransformError, position: Position) -> TransformError {
    match (position.line(), position.position()) {
        (Some(line), column) => error.at((line, column.unwrap_or(1))),
        _ => error,
    }
}

/// What a script gets wrong, and how to mend it where the message alone does not tell.
fn mended(message: &str) -> String {
    let undefined = ["Undefined variable: ", "Variable not found: "];
    match undefined.iter().find_map(|prefix| message.strip_prefix(prefix)) {
        Some(name) => format!(
            "there is no variable {name}; a script has `req`, `res`, `headers` and `ctx`, and a function what it is given"
        ),
        None => message.to_owned(),
    }
}

#[cfg(test)]
mod tests;
