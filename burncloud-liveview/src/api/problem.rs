//! Errors as `application/problem+json` (RFC 9457), naming the field at fault.

use axum::response::{IntoResponse, Response};
use burncloud_core::store::StoreError;
use burncloud_core::usecase::UseCaseError;
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use utoipa::ToSchema;

/// What media type errors have.
pub(super) const MEDIA_TYPE: &str = "application/problem+json";

/// A field that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = FieldError, example = json!({ "field": "models", "message": "a model's name is empty" }))]
pub(super) struct FieldError {
    /// Which: a path such as `limits.concurrency`, a query parameter, or a header.
    pub(super) field: String,
    /// What is wrong and how to mend it.
    pub(super) message: String,
}

/// An error as it goes out.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Problem, example = json!({
    "type": "urn:burncloud:problem:invalid",
    "title": "A field breaks a rule",
    "status": 422,
    "detail": "name: give it a name",
    "errors": [{ "field": "name", "message": "give it a name" }],
    "request_id": "4bf92f3577b34da6a3ce929d0e0e4736"
}))]
pub(super) struct ProblemBody {
    /// What kind of problem: `urn:burncloud:problem:` and a word.
    pub(super) r#type: String,
    /// That in words.
    pub(super) title: String,
    /// The HTTP status.
    #[schema(minimum = 400, maximum = 599)]
    pub(super) status: u16,
    /// What happened this time.
    pub(super) detail: String,
    /// Which fields are wrong; empty where none is.
    pub(super) errors: Vec<FieldError>,
    /// The request, as the answer's header `x-request-id` names it too.
    pub(super) request_id: String,
}

/// Why a request was not answered with what was asked.
#[derive(Clone, Debug)]
pub(super) struct Problem {
    status: StatusCode,
    word: &'static str,
    title: &'static str,
    detail: String,
    errors: Vec<FieldError>,
    retry_after: Option<u32>,
}

impl Problem {
    fn new(
        status: StatusCode,
        word: &'static str,
        title: &'static str,
        detail: impl Into<String>,
    ) -> Problem {
        Problem { status, word, title, detail: detail.into(), errors: Vec::new(), retry_after: None }
    }

    /// What happened this time.
    pub(super) fn detail(&self) -> &str {
        &self.detail
    }

    fn at(mut self, field: impl Into<String>, message: impl Into<String>) -> Problem {
        self.errors.push(FieldError { field: field.into(), message: message.into() });
        self
    }

    fn of_field(
        status: StatusCode,
        word: &'static str,
        title: &'static str,
        field: &str,
        message: &str,
    ) -> Problem {
        Problem::new(status, word, title, format!("{field}: {message}")).at(field, message)
    }

    /// 400: what cannot be read; `field` is a parameter or a header.
    pub(super) fn unreadable(field: &str, message: &str) -> Problem {
        let title = "The request cannot be read";
        Problem::of_field(StatusCode::BAD_REQUEST, "unreadable", title, field, message)
    }

    /// 400: a body that is no JSON.
    pub(super) fn no_json(message: &str) -> Problem {
        Problem::new(StatusCode::BAD_REQUEST, "unreadable", "The request cannot be read", message)
    }

    /// 422: a field that breaks a rule.
    pub(super) fn invalid(field: &str, message: &str) -> Problem {
        let title = "A field breaks a rule";
        Problem::of_field(StatusCode::UNPROCESSABLE_ENTITY, "invalid", title, field, message)
    }

    /// 422: several fields that break rules.
    pub(super) fn many(detail: &str, errors: Vec<FieldError>) -> Problem {
        let title = "Fields break rules";
        let mut problem = Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", title, detail);
        problem.errors = errors;
        problem
    }

    /// 401.
    pub(super) fn anonymous() -> Problem {
        let detail = "sign in, or send `Authorization: Bearer` and a management token";
        Problem::new(StatusCode::UNAUTHORIZED, "anonymous", "Nobody is signed in", detail)
    }

    /// 403.
    pub(super) fn forbidden(detail: impl Into<String>) -> Problem {
        Problem::new(StatusCode::FORBIDDEN, "forbidden", "This is not yours to do", detail)
    }

    /// 404.
    pub(super) fn missing(detail: impl Into<String>) -> Problem {
        Problem::new(StatusCode::NOT_FOUND, "not_found", "There is nothing here", detail)
    }

    /// 410: it was here, and is in a file now.
    pub(super) fn archived(detail: impl Into<String>) -> Problem {
        Problem::new(StatusCode::GONE, "archived", "It was moved into the archive", detail)
    }

    /// 405.
    pub(super) fn method() -> Problem {
        let detail = "this address knows other methods; the header `allow` names them";
        Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method", "Not by this method", detail)
    }

    /// 409.
    pub(super) fn conflict(detail: impl Into<String>) -> Problem {
        Problem::new(StatusCode::CONFLICT, "conflict", "It is taken or under way", detail)
    }

    /// 412.
    pub(super) fn changed(detail: impl Into<String>) -> Problem {
        let title = "Somebody else changed it";
        Problem::new(StatusCode::PRECONDITION_FAILED, "changed", title, detail)
            .at("If-Match", "read it again")
    }

    /// 413.
    pub(super) fn too_large(most: usize) -> Problem {
        let detail = format!("a body has at most {most} bytes");
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", "The body is too large", detail)
    }

    /// 415.
    pub(super) fn media(expected: &str) -> Problem {
        let detail = format!("send `content-type: {expected}`");
        Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "media_type", "Not this kind of body", detail)
            .at("Content-Type", format!("it is {expected}"))
    }

    /// 429.
    pub(super) fn slower(seconds: u32) -> Problem {
        let detail = format!("too many changes at once; go on in {seconds} s");
        let mut problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, "slower", "Slower, please", detail);
        problem.retry_after = Some(seconds);
        problem
    }

    /// 503.
    pub(super) fn away(detail: impl Into<String>) -> Problem {
        let title = "Not possible at the moment";
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "away", title, detail)
    }

    /// 503 with how long to wait: others are served first.
    pub(super) fn crowded(seconds: u32) -> Problem {
        let mut problem = Problem::away(format!("too many large bodies are read; come back in {seconds} s"));
        problem.retry_after = Some(seconds);
        problem
    }

    /// How it goes out.
    pub(super) fn render(&self, request_id: &str) -> Response {
        let body = ProblemBody {
            r#type: format!("urn:burncloud:problem:{}", self.word),
            title: self.title.to_owned(),
            status: self.status.as_u16(),
            detail: self.detail.clone(),
            errors: self.errors.clone(),
            request_id: request_id.to_owned(),
        };
        let text = serde_json::to_vec(&body).unwrap_or_default();
        let kind = (header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        let mut response = (self.status, [kind], text).into_response();
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        if self.status == StatusCode::UNAUTHORIZED {
            let ask = HeaderValue::from_static("Bearer realm=\"burncloud\"");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, ask);
        }
        response
    }
}

impl IntoResponse for Problem {
    /// A status that carries the problem along: the outermost layer writes it down, with the request's id.
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl From<UseCaseError> for Problem {
    fn from(error: UseCaseError) -> Problem {
        match error {
            UseCaseError::Invalid { field, message } => Problem::invalid(&field, message.en()),
            UseCaseError::Forbidden(message) => Problem::forbidden(message.en()),
            UseCaseError::Changed { .. } => Problem::changed(error.to_string()),
            UseCaseError::Store(error) => Problem::from(error),
            other => Problem::away(other.to_string()),
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Problem {
        match &error {
            StoreError::NotFound { .. } => Problem::missing(error.to_string()),
            StoreError::Conflict { .. } => Problem::conflict(error.to_string()),
            StoreError::Invalid(_) => {
                let (title, status) = ("A field breaks a rule", StatusCode::UNPROCESSABLE_ENTITY);
                Problem::new(status, "invalid", title, error.to_string())
            }
            // What the store says is for the operator's log, not for whoever asks.
            _ => {
                tracing::error!(%error, "the management API cannot reach its store");
                Problem::away("the store is away; try again")
            }
        }
    }
}
