//! Errors in the words of each dialect. Types and codes are those the official SDKs map to exceptions.

use crate::{Body, Dialect, Error, ErrorKind};
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderName, HeaderValue, Response};
use serde_json::{Value, json};

/// A whole answer.
pub(super) fn response(mut error: Error, dialect: Dialect, trace: &str) -> Response<Body> {
    let body = body(&error, dialect, trace);
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = error.status();
    let extra = error.take_headers();
    let headers = response.headers_mut();
    headers.extend(extra);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Some(after) = error.retry_after() {
        // Whole seconds, rounded up: never sooner than is useful.
        let seconds = after.as_millis().div_ceil(1000);
        if let Ok(value) = HeaderValue::from_str(&seconds.to_string()) {
            headers.insert(RETRY_AFTER, value);
        }
    }
    if error.kind() == ErrorKind::NotImplemented {
        // It is a 5xx, which SDKs try again; this one stays what it is.
        headers.insert(HeaderName::from_static("x-should-retry"), HeaderValue::from_static("false"));
    }
    if error.kind() == ErrorKind::Unauthenticated && dialect == Dialect::OpenAi {
        headers.insert(http::header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    if dialect == Dialect::Bedrock {
        // Without it boto3 raises its generic error.
        let kind = HeaderName::from_static("x-amzn-errortype");
        // A refused signature names its own.
        let own = error.code().filter(|code| code.ends_with("Exception"));
        headers.insert(kind, HeaderValue::from_static(own.unwrap_or(bedrock_type(error.kind()))));
    }
    response
}

/// The JSON of an error.
pub(super) fn body(error: &Error, dialect: Dialect, trace: &str) -> Value {
    let message = error.message();
    match dialect {
        Dialect::OpenAi => json!({ "error": {
            "message": message,
            "type": openai_type(error.kind()),
            "param": error.param(),
            "code": error.code().or_else(|| openai_code(error.kind())),
        }}),
        Dialect::Anthropic => json!({
            "type": "error",
            "error": { "type": anthropic_type(error.kind()), "message": message },
            "request_id": trace,
        }),
        Dialect::Gemini => json!({ "error": {
            "code": error.status().as_u16(),
            "message": message,
            "status": google_status(error.kind()),
        }}),
        Dialect::Cohere | Dialect::Bedrock => json!({ "message": message }),
    }
}

fn openai_type(kind: ErrorKind) -> &'static str {
    use ErrorKind as E;
    match kind {
        E::Payment => "insufficient_quota",
        E::RateLimited => "rate_limit_error",
        E::Forbidden => "permission_error",
        E::Internal | E::BadGateway | E::Unavailable | E::GatewayTimeout | E::NotImplemented => {
            "server_error"
        }
        _ => "invalid_request_error",
    }
}

fn openai_code(kind: ErrorKind) -> Option<&'static str> {
    use ErrorKind as E;
    Some(match kind {
        E::Unauthenticated => "invalid_api_key",
        E::Payment => "insufficient_quota",
        E::RateLimited => "rate_limit_exceeded",
        E::NotImplemented => "not_implemented",
        _ => return None,
    })
}

fn anthropic_type(kind: ErrorKind) -> &'static str {
    use ErrorKind as E;
    match kind {
        E::Unauthenticated => "authentication_error",
        E::Payment => "billing_error",
        E::Forbidden => "permission_error",
        E::NotFound => "not_found_error",
        E::TooLarge => "request_too_large",
        E::RateLimited => "rate_limit_error",
        E::RequestTimeout | E::GatewayTimeout => "timeout_error",
        E::Internal | E::BadGateway | E::Unavailable | E::NotImplemented => "api_error",
        _ => "invalid_request_error",
    }
}

fn google_status(kind: ErrorKind) -> &'static str {
    use ErrorKind as E;
    match kind {
        E::Unauthenticated => "UNAUTHENTICATED",
        E::Payment | E::Forbidden => "PERMISSION_DENIED",
        E::NotFound => "NOT_FOUND",
        E::RateLimited => "RESOURCE_EXHAUSTED",
        E::NotImplemented => "UNIMPLEMENTED",
        E::BadGateway | E::Unavailable => "UNAVAILABLE",
        E::RequestTimeout | E::GatewayTimeout => "DEADLINE_EXCEEDED",
        E::Internal => "INTERNAL",
        _ => "INVALID_ARGUMENT",
    }
}

/// What a stream's exception is called: the few that every stream of Bedrock's knows.
pub(super) fn bedrock_exception(kind: ErrorKind) -> &'static str {
    use ErrorKind as E;
    match kind {
        E::BadGateway | E::GatewayTimeout => "modelStreamErrorException",
        E::RateLimited | E::Payment => "throttlingException",
        E::Unavailable => "serviceUnavailableException",
        E::Internal | E::NotImplemented => "internalServerException",
        _ => "validationException",
    }
}

fn bedrock_type(kind: ErrorKind) -> &'static str {
    use ErrorKind as E;
    match kind {
        E::Unauthenticated => "UnrecognizedClientException",
        E::Payment | E::Forbidden => "AccessDeniedException",
        E::NotFound => "ResourceNotFoundException",
        E::RateLimited => "ThrottlingException",
        E::RequestTimeout | E::GatewayTimeout => "ModelTimeoutException",
        E::BadGateway | E::Unavailable => "ServiceUnavailableException",
        E::Internal | E::NotImplemented => "InternalServerException",
        _ => "ValidationException",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt;

    const ALL: [Dialect; 5] =
        [Dialect::OpenAi, Dialect::Anthropic, Dialect::Gemini, Dialect::Cohere, Dialect::Bedrock];

    #[tokio::test]
    async fn each_dialect_gets_its_shape_and_the_text() {
        for dialect in ALL {
            let error = Error::new(ErrorKind::RateLimited, "too many requests")
                .with_retry_after(std::time::Duration::from_millis(1200));
            let response = response(error, dialect, "t");
            assert_eq!(response.status(), 429);
            assert_eq!(response.headers()[RETRY_AFTER], "2");
            let bytes = response.into_body().collect().await.unwrap().to_bytes();
            let json: Value = serde_json::from_slice(&bytes).unwrap();
            let message = json.pointer("/error/message").or(json.get("message"));
            assert_eq!(message, Some(&json!("too many requests")), "{dialect:?}");
        }
    }

    #[test]
    fn what_goes_to_the_log_does_not_go_to_the_caller() {
        let error = Error::new(ErrorKind::BadGateway, "failed").with_context("10.0.0.1 refused");
        for dialect in ALL {
            assert!(!body(&error, dialect, "t").to_string().contains("10.0.0.1"));
        }
    }
}
