//! A channel's transforms at work: system prompt, body override, steps, script, header override, in this order.

use super::answer::Answer;
use super::document::{Chosen, Document, Facts};
use super::error::Failure;
use super::headers::{self, HeaderOverride};
use super::instructions::Instructions;
use super::overrides::BodyOverride;
use super::script::{Context, Phase, Script};
use super::throttle::Throttle;
use super::{TransformError, json};
use burncloud_core::adapter::{About, Rewrite, Transform};
use burncloud_core::{ChannelSettings, Dialect, Endpoint, Error, Operation};
use bytes::Bytes;
use http::HeaderMap;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a channel wants changed, ready to be used. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Compiled(pub(super) Arc<Inner>);

#[derive(Debug, Default)]
pub(super) struct Inner {
    pub(super) instructions: Option<Instructions>,
    pub(super) overrides: BodyOverride,
    pub(super) document: Document,
    pub(super) script: Option<Script>,
    pub(super) headers: HeaderOverride,
    failures: Throttle,
    #[cfg(not(feature = "event-stream"))]
    frames: Throttle,
}

impl Compiled {
    pub(super) fn new(settings: &ChannelSettings) -> Result<Compiled, TransformError> {
        let document = settings.transforms.as_deref().map(Document::compile).transpose()?;
        Ok(Compiled(Arc::new(Inner {
            instructions: settings.system_prompt.as_ref().map(Instructions::compile).transpose()?,
            overrides: BodyOverride::compile(&settings.body_override)?,
            document: document.unwrap_or_default(),
            script: settings.script.as_ref().map(Script::compile).transpose()?,
            headers: HeaderOverride::compile(&settings.header_override)?,
            ..Inner::default()
        })))
    }

    /// Whether there is nothing to change: an empty document alone.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        let Document { request, response, stream } = &self.0.document;
        [request, response, stream].iter().all(|steps| steps.is_empty())
            && self.0.instructions.is_none()
            && self.0.overrides.is_empty()
            && self.0.script.is_none()
            && self.0.headers.is_empty()
    }
}

impl Transform for Compiled {
    fn request(&self, about: &About<'_>, headers: &mut HeaderMap, body: &mut Bytes) -> Result<(), Error> {
        let changed = self.0.edit_request(about, headers, body).map_err(|f| f.into_error(about.channel))?;
        if let Some(changed) = changed {
            *body = changed.into();
        }
        self.0.headers.apply(headers);
        Ok(())
    }

    fn answer(&self, about: &About<'_>) -> Option<Box<dyn Rewrite>> {
        let inner = &self.0;
        let facts = facts(about, None);
        let scripted = inner.script.as_ref().is_some_and(Script::edits_answers);
        let steps = [&inner.document.response, &inner.document.stream];
        let idle = !scripted && steps.iter().all(|steps| steps.choose(&facts).is_empty());
        if idle { None } else { Some(Box::new(Answer::new(inner.clone(), AnswerWork::new(about)))) }
    }
}

/// What conditions may ask.
pub(super) fn facts<'a>(about: &About<'a>, status: Option<u16>) -> Facts<'a> {
    Facts {
        model: about.model,
        upstream_model: about.upstream_model,
        dialect: about.caller_dialect,
        operation: about.endpoint.operation,
        streamed: about.streamed,
        status,
    }
}

impl Inner {
    /// The body as it goes out, where it is another.
    fn edit_request(
        &self,
        about: &About<'_>,
        headers: &mut HeaderMap,
        body: &[u8],
    ) -> Result<Option<Vec<u8>>, Failure> {
        let steps = self.document.request.choose(&facts(about, None));
        let idle = steps.is_empty() && !self.edits_request(about.endpoint);
        if idle || !json::looks_like_json(body) {
            return Ok(None);
        }
        // Passed on as it is, such a body could carry what the steps take out past them.
        let parsed = json::parse(body).map_err(|error| Failure::Unreadable(error.to_string()))?;
        let mut value = parsed.value;
        let changed = self.prepare_request(about.endpoint, &mut value)
            | self.document.request.take(&steps, &mut value)?
            | self.script_request(about, headers, &mut value)?;
        Ok((changed || parsed.repeated).then(|| json::write(&value)))
    }

    /// Whether there is more to do than steps.
    fn edits_request(&self, endpoint: &Endpoint) -> bool {
        self.instructions.as_ref().is_some_and(|i| i.concerns(endpoint))
            || self.overrides.concerns(endpoint.operation)
            || self.script.as_ref().is_some_and(Script::edits_requests)
    }

    /// System prompt and body override; whether anything changed.
    pub(super) fn prepare_request(&self, endpoint: &Endpoint, body: &mut Value) -> bool {
        let mut changed = self.instructions.as_ref().is_some_and(|i| i.apply(endpoint, body));
        if self.overrides.concerns(endpoint.operation) {
            changed |= self.overrides.apply(body);
        }
        changed
    }

    fn script_request(
        &self,
        about: &About<'_>,
        headers: &mut HeaderMap,
        body: &mut Value,
    ) -> Result<bool, Failure> {
        let Some(script) = self.script.as_ref().filter(|script| script.edits_requests()) else {
            return Ok(false);
        };
        let context = context(about, None);
        let result = script.request(&context, headers, body);
        self.or_skip(script, about.channel, result)
    }

    /// A failure, unless it is the operator's policy to go on.
    fn or_skip(
        &self,
        script: &Script,
        channel: &str,
        result: Result<bool, Failure>,
    ) -> Result<bool, Failure> {
        match result {
            Err(Failure::Broken(error)) if script.skips() => {
                if let Some(unsaid) = self.failures.pass() {
                    tracing::warn!(channel, %error, unsaid, "a script failed and was skipped");
                }
                Ok(false)
            }
            other => other,
        }
    }

    /// An event or a whole answer as it goes on, where it is another.
    pub(super) fn edit_answer(
        &self,
        work: &AnswerWork,
        body: &[u8],
        event: bool,
    ) -> Result<Option<Vec<u8>>, Error> {
        self.try_edit_answer(work, body, event).map_err(|failure| failure.into_error(&work.channel))
    }

    fn try_edit_answer(
        &self,
        work: &AnswerWork,
        body: &[u8],
        event: bool,
    ) -> Result<Option<Vec<u8>>, Failure> {
        let (steps, chosen, phase) = if event {
            (&self.document.stream, &work.events, Phase::Event)
        } else {
            (&self.document.response, &work.whole, Phase::Response)
        };
        if chosen.is_empty() && !work.scripted || !json::looks_like_json(body) {
            return Ok(None);
        }
        let Ok(parsed) = json::parse(body) else { return Ok(None) };
        let mut value = parsed.value;
        let mut changed = steps.take(chosen, &mut value)?;
        if let Some(script) = self.script.as_ref().filter(|_| work.scripted) {
            let about = work.about();
            let result = script.answer(phase, &context(&about, work.status), &work.headers, &mut value);
            changed |= self.or_skip(script, &work.channel, result)?;
        }
        Ok(changed.then(|| json::write(&value)))
    }

    #[cfg(not(feature = "event-stream"))]
    /// Says now and then that a stream came in a form that is not transformed.
    pub(super) fn warn_of_frames(&self) {
        if let Some(unsaid) = self.frames.pass() {
            tracing::warn!(unsaid, "a stream in AWS event-stream frames passed without its stream steps");
        }
    }
}

pub(super) fn context<'a>(about: &About<'a>, status: Option<u16>) -> Context<'a> {
    Context { facts: facts(about, status), dialect: about.endpoint.dialect.as_str(), channel: about.channel }
}

/// What an answer's transforms need to know for as long as it comes.
#[derive(Debug)]
pub(super) struct AnswerWork {
    endpoint: Endpoint,
    caller_dialect: Dialect,
    model: Box<str>,
    upstream_model: Box<str>,
    streamed: bool,
    channel: Box<str>,
    status: Option<u16>,
    headers: BTreeMap<String, String>,
    scripted: bool,
    whole: Chosen,
    events: Chosen,
}

impl AnswerWork {
    pub(super) fn new(about: &About<'_>) -> AnswerWork {
        AnswerWork {
            endpoint: about.endpoint.clone(),
            caller_dialect: about.caller_dialect,
            model: about.model.into(),
            upstream_model: about.upstream_model.into(),
            streamed: about.streamed,
            channel: about.channel.into(),
            status: None,
            headers: BTreeMap::new(),
            scripted: false,
            whole: Chosen::default(),
            events: Chosen::default(),
        }
    }

    fn about(&self) -> About<'_> {
        About {
            endpoint: &self.endpoint,
            caller_dialect: self.caller_dialect,
            model: &self.model,
            upstream_model: &self.upstream_model,
            streamed: self.streamed,
            channel: &self.channel,
        }
    }

    /// Chooses what is to be done, now that the head is here.
    pub(super) fn head(&mut self, inner: &Inner, status: u16, headers: &HeaderMap) {
        self.status = Some(status);
        self.scripted = inner.script.as_ref().is_some_and(Script::edits_answers);
        if self.scripted {
            self.headers = headers::visible(headers);
        }
        let facts = facts(&self.about(), self.status);
        let chosen = (inner.document.response.choose(&facts), inner.document.stream.choose(&facts));
        (self.whole, self.events) = chosen;
    }

    pub(super) fn edits_whole(&self) -> bool {
        self.scripted || !self.whole.is_empty()
    }

    pub(super) fn edits_events(&self) -> bool {
        self.scripted || !self.events.is_empty()
    }

    /// Gemini streams an array where no server-sent events were asked for.
    pub(super) fn comes_as_array(&self) -> bool {
        let ok = self.status.is_some_and(|status| (200..300).contains(&status));
        ok && self.endpoint.operation == Operation::StreamGenerateContent
    }
}
