//! Model → candidates.
//!
//! Reads `table`, `endpoint` and `inspected`; writes `route` and `candidates`. 404 for a model that no
//! channel serves (to the caller's group), 501 for one that is served, but not in the caller's dialect. Answers model lists itself,
//! in the dialect's own shape, with what the key may use and a channel serves.
//!
//! Stands above `reserve`, because what a request may cost depends on where it may go. Pure: nothing waits.

use crate::context::Context;
use crate::layers::Reply;
use crate::{Body, Caller, Dialect, Endpoint, Error, ErrorKind, Operation, Route};
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Request, Response};
use serde_json::{Value, json};
use std::task::{self, Poll};
use tower::{Layer, Service};

/// Makes [`Router`] services.
#[derive(Clone, Copy, Debug, Default)]
pub struct RouteLayer;

impl<S> Layer<S> for RouteLayer {
    type Service = Router<S>;

    fn layer(&self, inner: S) -> Router<S> {
        Router { inner }
    }
}

/// Finds where a model is served.
#[derive(Clone, Copy, Debug)]
pub struct Router<S> {
    inner: S,
}

fn unknown_model(model: &str) -> Error {
    Error::new(
        ErrorKind::NotFound,
        format!("the model `{model}` is not served here; the list of models says what is"),
    )
    .with_param("model")
    .with_code("model_not_found")
}

fn route(context: &mut Context) -> Result<(), Error> {
    let model = &context.inspected()?.model;
    let route = context.table.route(model).ok_or_else(|| unknown_model(model))?.clone();
    let group = if route.grouped { context.caller()?.group() } else { None };
    let candidates = route.candidates(&context.endpoint, group);
    if candidates.is_empty() {
        if !route.serves_group(group) {
            return Err(unknown_model(model));
        }
        let text = format!(
            "the model `{model}` is not served for {} requests in the {} dialect, and they cannot be translated for its \
             provider; ask in the provider's own dialect, or ask for another model",
            context.endpoint.operation.as_str(),
            context.endpoint.dialect.as_str()
        );
        return Err(Error::new(ErrorKind::NotImplemented, text).with_param("model"));
    }
    context.draft()?.note(|notes| {
        notes.model = Some(route.model.clone());
        notes.route = Some(route.clone());
    });
    context.route = Some(route);
    context.candidates = candidates;
    Ok(())
}

fn list(context: &Context) -> Result<Response<Body>, Error> {
    let caller = context.caller()?;
    let endpoint = &context.endpoint;
    let body = match (&endpoint.path_model, endpoint.operation) {
        (Some(model), Operation::GetModel) => {
            let route = context.table.route(model);
            let known =
                route.is_some_and(|r| speaks(r, endpoint.dialect, caller.group())) && caller.may_use(model);
            entry(endpoint.dialect, model).filter(|_| known).ok_or_else(|| unknown_model(model))?
        }
        _ => all(endpoint.dialect, &usable(context, caller)),
    };
    let mut response = Response::new(Body::from(body.to_string()));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}

/// The models that this key may use in this dialect.
fn usable<'a>(context: &'a Context, caller: &Caller) -> Vec<&'a str> {
    let (dialect, group) = (context.endpoint.dialect, caller.group());
    let models = context.table.models().into_iter();
    models
        .filter(|route| speaks(route, dialect, group) && caller.may_use(&route.model))
        .map(|r| &*r.model)
        .collect()
}

/// Whether a model can be asked for anything at all in a dialect, by callers of this group.
fn speaks(route: &Route, dialect: Dialect, group: Option<&str>) -> bool {
    use Operation as O;
    let operations: &[Operation] = match dialect {
        Dialect::Anthropic => &[O::Messages],
        Dialect::Gemini => &[O::GenerateContent, O::EmbedContent],
        Dialect::Cohere => &[O::CohereChat, O::Rerank],
        Dialect::Bedrock => &[O::Converse, O::Invoke],
        Dialect::OpenAi => &[
            O::Chat,
            O::Responses,
            O::Completions,
            O::Embeddings,
            O::ImageGeneration,
            O::Speech,
            O::Transcription,
            O::Moderation,
            O::Rerank,
        ],
    };
    let serves = |operation| route.serves(&Endpoint { dialect, operation, ..Endpoint::default() }, group);
    operations.iter().any(|operation| serves(*operation))
}

/// One model, with the fields that the dialect's SDK type demands. When a model was made is not known here;
/// a fixed date is better than one that changes with every call.
fn entry(dialect: Dialect, model: &str) -> Option<Value> {
    Some(match dialect {
        Dialect::Anthropic => json!({
            "type": "model", "id": model, "display_name": model, "created_at": "2024-01-01T00:00:00Z",
        }),
        Dialect::Gemini => json!({
            "name": format!("models/{model}"), "displayName": model,
            "supportedGenerationMethods": ["generateContent", "countTokens", "embedContent"],
        }),
        _ => json!({ "id": model, "object": "model", "created": 1_704_067_200, "owned_by": "burncloud" }),
    })
}

fn all(dialect: Dialect, models: &[&str]) -> Value {
    let entries: Vec<Value> = models.iter().filter_map(|model| entry(dialect, model)).collect();
    match dialect {
        Dialect::Anthropic => json!({
            "data": entries, "has_more": false, "first_id": models.first(), "last_id": models.last(),
        }),
        Dialect::Gemini => json!({ "models": entries }),
        _ => json!({ "object": "list", "data": entries }),
    }
}

impl<S> Service<Request<Body>> for Router<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Error>,
{
    type Response = Response<Body>;
    type Error = Error;
    type Future = Reply<S::Future>;

    fn poll_ready(&mut self, cx: &mut task::Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<Body>) -> Reply<S::Future> {
        let context = match Context::of_mut(&mut request) {
            Ok(context) => context,
            Err(error) => return Reply::now(Err(error)),
        };
        if context.endpoint.operation.is_local() {
            return Reply::now(list(context));
        }
        match route(context) {
            Ok(()) => Reply::below(self.inner.call(request)),
            Err(error) => Reply::now(Err(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_have_the_shape_of_their_dialect() {
        assert_eq!(all(Dialect::OpenAi, &["a"])["data"][0]["object"], "model");
        assert_eq!(all(Dialect::Anthropic, &["a", "b"])["last_id"], "b");
        assert_eq!(all(Dialect::Gemini, &["a"])["models"][0]["name"], "models/a");
    }
}
