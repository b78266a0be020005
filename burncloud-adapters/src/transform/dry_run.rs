//! What a channel's transforms do to a sample, without sending anything.

use super::compiled::{Compiled, Inner, context, facts};
use super::document::Did;
use super::error::Failure;
use super::{TransformError, diff, headers};
use crate::transform::script::Phase;
use burncloud_core::adapter::About;
use burncloud_core::{Dialect, Endpoint, Operation, Surface};
use http::HeaderMap;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// What a sample is of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SampleKind {
    /// A request, as it would go out without the transforms.
    #[default]
    Request,
    /// A whole answer of the provider's.
    Response,
    /// The JSON of one event of a stream.
    Event,
}

/// Something to try transforms on. The default is an empty chat request of an OpenAI caller.
#[derive(Clone, Debug)]
pub struct Sample {
    /// What it is.
    pub kind: SampleKind,
    /// The body, in the provider's dialect.
    pub body: Value,
    /// The headers it comes with.
    pub headers: HeaderMap,
    /// What the provider is asked.
    pub endpoint: Endpoint,
    /// The caller's dialect.
    pub dialect: Dialect,
    /// The model the caller asks for.
    pub model: String,
    /// The model the provider is asked for.
    pub upstream_model: String,
    /// Whether a stream is asked for.
    pub streamed: bool,
    /// The status of an answer.
    pub status: u16,
    /// The channel's name.
    pub channel: String,
}

impl Default for Sample {
    fn default() -> Sample {
        Sample {
            kind: SampleKind::Request,
            body: Value::Object(serde_json::Map::new()),
            headers: HeaderMap::new(),
            endpoint: Endpoint::default(),
            dialect: Dialect::OpenAi,
            model: String::new(),
            upstream_model: String::new(),
            streamed: false,
            status: 200,
            channel: "test".to_owned(),
        }
    }
}

impl Sample {
    /// The endpoint that callers of a dialect ask most.
    #[must_use]
    pub fn endpoint_of(dialect: Dialect) -> Endpoint {
        let (operation, surface) = match dialect {
            Dialect::OpenAi => (Operation::Chat, Surface::Direct),
            Dialect::Anthropic => (Operation::Messages, Surface::Direct),
            Dialect::Gemini => (Operation::GenerateContent, Surface::Direct),
            Dialect::Cohere => (Operation::CohereChat, Surface::Direct),
            Dialect::Bedrock => (Operation::Converse, Surface::Bedrock),
        };
        Endpoint { dialect, surface, operation, path_model: None }
    }

    fn about(&self) -> About<'_> {
        About {
            endpoint: &self.endpoint,
            caller_dialect: self.dialect,
            model: &self.model,
            upstream_model: &self.upstream_model,
            streamed: self.streamed,
            channel: &self.channel,
        }
    }

    fn status(&self) -> Option<u16> {
        (self.kind != SampleKind::Request).then_some(self.status)
    }
}

/// A step of a dry run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StepRun {
    /// Its place, such as `request[2]`.
    pub step: String,
    /// What it is, such as `remove user`.
    pub what: String,
    /// How many places it changed; `None` where its condition did not hold.
    pub changes: Option<usize>,
}

/// What transforms did to a sample.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DryRun {
    /// The body as it was.
    pub before: Value,
    /// The body as it would go on.
    pub after: Value,
    /// The headers as they were, without credentials.
    pub headers_before: BTreeMap<String, String>,
    /// The headers as they would go on, without credentials.
    pub headers_after: BTreeMap<String, String>,
    /// Paths that differ between the two bodies; at most 1000.
    pub changed: Vec<String>,
    /// The steps of the list that applies, in order.
    pub steps: Vec<StepRun>,
    /// With what text a script refused the request, if it did.
    pub refused: Option<String>,
}

impl DryRun {
    /// The two bodies and the headers, line by line: what goes with `-`, what comes with `+`.
    #[must_use]
    pub fn diff(&self) -> String {
        let headers =
            |map: &BTreeMap<String, String>| map.iter().map(|(k, v)| format!("{k}: {v}")).collect::<Vec<_>>();
        let body = |value: &Value| format!("{value:#}").lines().map(str::to_owned).collect::<Vec<_>>();
        let mut out = String::new();
        if self.headers_before != self.headers_after {
            out.push_str(&diff::lines(&headers(&self.headers_before), &headers(&self.headers_after)));
            out.push('\n');
        }
        out.push_str(&diff::lines(&body(&self.before), &body(&self.after)));
        out
    }
}

impl Compiled {
    /// Transforms a sample. A script that fails is an error here whatever its policy is.
    ///
    /// # Errors
    /// What fails, with line and column.
    pub fn dry_run(&self, sample: &Sample) -> Result<DryRun, TransformError> {
        let (mut body, mut headers) = (sample.body.clone(), sample.headers.clone());
        let (steps, refused) = match self.0.rehearse(sample, &mut body, &mut headers) {
            Ok(steps) => (steps, None),
            Err(Failure::Refused(text)) => (Vec::new(), Some(text)),
            Err(Failure::Broken(error)) => return Err(error),
            Err(Failure::Unreadable(why)) => return Err(TransformError::new("transforms", why)),
        };
        if refused.is_some() {
            (body, headers) = (sample.body.clone(), sample.headers.clone());
        } else if sample.kind == SampleKind::Request {
            self.0.headers.apply(&mut headers);
        }
        let step = |did: Did| StepRun { step: did.label, what: did.what, changes: did.changes };
        Ok(DryRun {
            changed: diff::paths(&sample.body, &body),
            before: sample.body.clone(),
            after: body,
            headers_before: headers::visible(&sample.headers),
            headers_after: headers::visible(&headers),
            steps: steps.into_iter().map(step).collect(),
            refused,
        })
    }
}

impl Inner {
    fn rehearse(
        &self,
        sample: &Sample,
        body: &mut Value,
        headers: &mut HeaderMap,
    ) -> Result<Vec<Did>, Failure> {
        let about = sample.about();
        let (steps, phase) = match sample.kind {
            SampleKind::Request => (&self.document.request, None),
            SampleKind::Response => (&self.document.response, Some(Phase::Response)),
            SampleKind::Event => (&self.document.stream, Some(Phase::Event)),
        };
        if phase.is_none() {
            self.prepare_request(&sample.endpoint, body);
        }
        let did = steps.trace(&steps.choose(&facts(&about, sample.status())), body)?;
        let context = context(&about, sample.status());
        match (&self.script, phase) {
            (Some(script), None) if script.edits_requests() => drop(script.request(&context, headers, body)?),
            (Some(script), Some(phase)) if script.edits_answers() => {
                script.answer(phase, &context, &headers::visible(headers), body)?;
            }
            _ => (),
        }
        Ok(did)
    }
}
