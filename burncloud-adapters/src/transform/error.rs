//! What is wrong with a transform.

use burncloud_core::{Error, ErrorKind};
use std::fmt;

/// What is wrong with a channel's transforms: which setting, where in it, and how to mend it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TransformError {
    /// The setting at fault: `transforms`, `script`, `system_prompt`, `body_override.` or `header_override.` and a name.
    pub field: String,
    /// The line in the document or script, from 1.
    pub line: Option<usize>,
    /// The column, from 1, in characters.
    pub column: Option<usize>,
    /// The step, such as `request[2]` (from 0).
    pub step: Option<String>,
    /// What is wrong, and how to mend it.
    pub message: String,
}

impl TransformError {
    pub(super) fn new(field: impl Into<String>, message: impl Into<String>) -> TransformError {
        TransformError { field: field.into(), line: None, column: None, step: None, message: message.into() }
    }

    pub(super) fn at(mut self, (line, column): (usize, usize)) -> TransformError {
        (self.line, self.column) = (Some(line), Some(column));
        self
    }

    /// The step it happened in, unless that is known.
    pub(super) fn in_step(mut self, step: &str) -> TransformError {
        self.step.get_or_insert_with(|| step.to_owned());
        self
    }

    /// Place, step and message, without the setting.
    #[must_use]
    pub fn text(&self) -> String {
        let mut out = String::new();
        if let (Some(line), Some(column)) = (self.line, self.column) {
            out.push_str(&format!("line {line}, column {column}: "));
        }
        if let Some(step) = &self.step {
            out.push_str(&format!("{step}: "));
        }
        out.push_str(&self.message);
        out
    }
}

impl fmt::Display for TransformError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.text())
    }
}

impl std::error::Error for TransformError {}

/// Why a request or an answer could not be transformed.
#[derive(Debug)]
pub(super) enum Failure {
    /// A script said so, with this text for the caller.
    #[cfg_attr(not(feature = "script"), allow(dead_code))]
    Refused(String),
    /// The body claims to be JSON and is not, so that nobody can tell what a provider would read.
    Unreadable(String),
    /// The transforms themselves fail.
    Broken(TransformError),
}

impl From<TransformError> for Failure {
    fn from(error: TransformError) -> Failure {
        Failure::Broken(error)
    }
}

impl Failure {
    /// As the caller gets to know it; the place in the document or script is for the log.
    pub(super) fn into_error(self, channel: &str) -> Error {
        match self {
            Failure::Refused(text) => Error::new(ErrorKind::BadRequest, text),
            Failure::Unreadable(why) => Error::new(
                ErrorKind::BadRequest,
                format!("the body is not valid JSON: {why}; correct it and send it again"),
            ),
            Failure::Broken(error) => {
                Error::new(ErrorKind::Internal, "the gateway failed to transform this request or its answer")
                    .with_code("transform_failed")
                    .with_context(format!("channel `{channel}`: {error}"))
            }
        }
    }
}
