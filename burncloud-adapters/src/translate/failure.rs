//! A provider's error, in no wire format.

use super::Format;
use http::StatusCode;
use serde_json::{Value, json};

/// What went wrong, as far as SDKs tell it apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FailureKind {
    /// 400, 422: the request.
    Invalid,
    /// 401: no or a wrong key.
    Unauthenticated,
    /// 402: nothing left to spend.
    Billing,
    /// 403: not allowed.
    Forbidden,
    /// 404.
    NotFound,
    /// 413.
    TooLarge,
    /// 429.
    RateLimited,
    /// 503, 529: full.
    Overloaded,
    /// 408, 504.
    Timeout,
    /// 500 and whatever else.
    #[default]
    Server,
}

/// A provider's error.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Failure {
    /// What went wrong.
    pub kind: FailureKind,
    /// In the provider's words.
    pub message: String,
    /// The provider's code, such as `context_length_exceeded`.
    pub code: Option<String>,
    /// The field at fault.
    pub param: Option<String>,
}

impl FailureKind {
    /// What a status means.
    #[must_use]
    pub fn of_status(status: StatusCode) -> FailureKind {
        match status.as_u16() {
            401 => FailureKind::Unauthenticated,
            402 => FailureKind::Billing,
            403 => FailureKind::Forbidden,
            404 => FailureKind::NotFound,
            413 => FailureKind::TooLarge,
            429 => FailureKind::RateLimited,
            503 | 529 => FailureKind::Overloaded,
            408 | 504 => FailureKind::Timeout,
            400..=499 => FailureKind::Invalid,
            _ => FailureKind::Server,
        }
    }

    /// What a type or status in an error's body means, in any provider's words; `None` for a word unknown.
    #[must_use]
    pub fn of_word(word: &str) -> Option<FailureKind> {
        use FailureKind as K;
        Some(match word {
            "invalid_request_error"
            | "INVALID_ARGUMENT"
            | "FAILED_PRECONDITION"
            | "OUT_OF_RANGE"
            | "ValidationException"
            | "validationException" => K::Invalid,
            "authentication_error" | "UNAUTHENTICATED" | "UnrecognizedClientException" => K::Unauthenticated,
            "billing_error" | "insufficient_quota" => K::Billing,
            "permission_error" | "PERMISSION_DENIED" | "AccessDeniedException" => K::Forbidden,
            "not_found_error" | "NOT_FOUND" | "ResourceNotFoundException" => K::NotFound,
            "request_too_large" => K::TooLarge,
            "rate_limit_error"
            | "rate_limit_exceeded"
            | "RESOURCE_EXHAUSTED"
            | "ThrottlingException"
            | "throttlingException"
            | "tokens"
            | "requests" => K::RateLimited,
            "overloaded_error"
            | "UNAVAILABLE"
            | "ServiceUnavailableException"
            | "serviceUnavailableException"
            | "ModelNotReadyException" => K::Overloaded,
            "timeout_error" | "DEADLINE_EXCEEDED" | "ModelTimeoutException" | "modelTimeoutException" => {
                K::Timeout
            }
            "api_error"
            | "server_error"
            | "INTERNAL"
            | "InternalServerException"
            | "internalServerException"
            | "ModelErrorException"
            | "modelStreamErrorException"
            | "ModelStreamErrorException" => K::Server,
            _ => return None,
        })
    }

    /// The status it goes out with in a format: 529 is Anthropic's own.
    #[must_use]
    pub fn status(self, format: Format) -> StatusCode {
        use FailureKind as K;
        let code = match self {
            K::Invalid => 400,
            K::Unauthenticated => 401,
            K::Billing => 402,
            K::Forbidden => 403,
            K::NotFound => 404,
            K::TooLarge => 413,
            K::RateLimited => 429,
            K::Overloaded if format == Format::Messages => 529,
            K::Overloaded => 503,
            K::Timeout => 504,
            K::Server => 500,
        };
        StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

impl Failure {
    /// Of a kind, with a text.
    pub fn new(kind: FailureKind, message: impl Into<String>) -> Failure {
        Failure { kind, message: message.into(), code: None, param: None }
    }

    /// Reads an error's body, in any provider's shape. What cannot be read at all is told by its status alone.
    #[must_use]
    pub fn read(status: StatusCode, error_type: Option<&str>, body: &[u8]) -> Failure {
        let by_status = FailureKind::of_status(status);
        let json: Value = serde_json::from_slice(body).unwrap_or_default();
        let json = match json {
            Value::Array(mut list) if !list.is_empty() => list.swap_remove(0),
            other => other,
        };
        let mut failure = Failure::of_json(&json, by_status);
        // The status tells most; where it tells little the words do.
        if !matches!(by_status, FailureKind::Invalid | FailureKind::Server) {
            failure.kind = by_status;
        }
        if let Some(kind) =
            error_type.and_then(|word| FailureKind::of_word(word.split(':').next().unwrap_or(word)))
        {
            failure.kind = kind;
        }
        if failure.message.is_empty() {
            failure.message = format!("the provider answered {}", status.as_u16());
        }
        failure
    }

    /// Reads the JSON of an error: `{"error":{…}}`, `{"message":…}`, or the inner object itself.
    #[must_use]
    pub fn of_json(json: &Value, default: FailureKind) -> Failure {
        let inner = match json.get("error") {
            Some(inner @ Value::Object(_)) => inner,
            Some(Value::String(text)) => {
                return Failure::new(default, text.clone());
            }
            _ => json,
        };
        let word = |name: &str| match inner.get(name) {
            Some(Value::String(text)) => Some(text.clone()),
            Some(Value::Number(number)) => Some(number.to_string()),
            _ => None,
        };
        let kind = ["type", "status", "code"].iter().find_map(|name| FailureKind::of_word(&word(name)?));
        let message = word("message").or_else(|| match inner.get("message") {
            Some(other @ (Value::Object(_) | Value::Array(_))) => Some(other.to_string()),
            _ => word("detail"),
        });
        Failure {
            kind: kind.unwrap_or(default),
            message: message.unwrap_or_default(),
            code: word("code").filter(|code| code.parse::<u16>().is_err()),
            param: word("param"),
        }
    }

    /// The body of an error answer, and the body of an error event, in a format.
    #[must_use]
    pub fn write(&self, format: Format) -> Value {
        let message = &self.message;
        match format {
            Format::Chat | Format::Responses => json!({ "error": {
                "message": message,
                "type": self.openai_type(),
                "param": self.param,
                "code": self.code.as_deref().or(self.openai_code()),
            }}),
            Format::Messages => json!({
                "type": "error",
                "error": { "type": self.anthropic_type(), "message": message },
            }),
            Format::Gemini => json!({ "error": {
                "code": self.kind.status(format).as_u16(),
                "message": message,
                "status": self.google_status(),
            }}),
            Format::Cohere | Format::Converse => json!({ "message": message }),
        }
    }

    fn openai_type(&self) -> &'static str {
        use FailureKind as K;
        match self.kind {
            K::Billing => "insufficient_quota",
            K::RateLimited => "rate_limit_error",
            K::Forbidden => "permission_error",
            K::Overloaded | K::Timeout | K::Server => "server_error",
            K::Invalid | K::Unauthenticated | K::NotFound | K::TooLarge => "invalid_request_error",
        }
    }

    fn openai_code(&self) -> Option<&'static str> {
        use FailureKind as K;
        match self.kind {
            K::Unauthenticated => Some("invalid_api_key"),
            K::Billing => Some("insufficient_quota"),
            K::RateLimited => Some("rate_limit_exceeded"),
            K::NotFound => Some("model_not_found"),
            K::Overloaded => Some("server_overloaded"),
            _ => None,
        }
    }

    fn anthropic_type(&self) -> &'static str {
        use FailureKind as K;
        match self.kind {
            K::Invalid => "invalid_request_error",
            K::Unauthenticated => "authentication_error",
            K::Billing => "billing_error",
            K::Forbidden => "permission_error",
            K::NotFound => "not_found_error",
            K::TooLarge => "request_too_large",
            K::RateLimited => "rate_limit_error",
            K::Overloaded => "overloaded_error",
            K::Timeout => "timeout_error",
            K::Server => "api_error",
        }
    }

    fn google_status(&self) -> &'static str {
        use FailureKind as K;
        match self.kind {
            K::Invalid | K::TooLarge => "INVALID_ARGUMENT",
            K::Unauthenticated => "UNAUTHENTICATED",
            K::Billing | K::Forbidden => "PERMISSION_DENIED",
            K::NotFound => "NOT_FOUND",
            K::RateLimited => "RESOURCE_EXHAUSTED",
            K::Overloaded => "UNAVAILABLE",
            K::Timeout => "DEADLINE_EXCEEDED",
            K::Server => "INTERNAL",
        }
    }

    /// The exception that AWS SDKs raise for it.
    #[must_use]
    pub fn bedrock_type(&self) -> &'static str {
        use FailureKind as K;
        match self.kind {
            K::Invalid | K::TooLarge => "ValidationException",
            K::Unauthenticated => "UnrecognizedClientException",
            K::Billing | K::Forbidden => "AccessDeniedException",
            K::NotFound => "ResourceNotFoundException",
            K::RateLimited => "ThrottlingException",
            K::Overloaded => "ServiceUnavailableException",
            K::Timeout => "ModelTimeoutException",
            K::Server => "InternalServerException",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(status: u16, body: &str) -> Failure {
        Failure::read(StatusCode::from_u16(status).unwrap(), None, body.as_bytes())
    }

    #[test]
    fn every_providers_shape_is_read() {
        let openai = r#"{"error":{"message":"m","type":"invalid_request_error","param":"p","code":"c"}}"#;
        let openai = read(400, openai);
        assert_eq!(
            (openai.kind, openai.param.as_deref(), openai.code.as_deref()),
            (FailureKind::Invalid, Some("p"), Some("c"))
        );
        let anthropic = read(529, r#"{"type":"error","error":{"type":"overloaded_error","message":"m"}}"#);
        assert_eq!(anthropic.kind, FailureKind::Overloaded);
        let google = read(400, r#"[{"error":{"code":400,"message":"m","status":"FAILED_PRECONDITION"}}]"#);
        assert_eq!((google.kind, google.message.as_str(), google.code), (FailureKind::Invalid, "m", None));
        assert_eq!(read(429, r#"{"message":"m"}"#).kind, FailureKind::RateLimited);
        assert_eq!(read(500, "<html>").message, "the provider answered 500");
    }

    #[test]
    fn what_one_writes_the_other_reads() {
        for format in Format::ALL {
            for kind in [
                FailureKind::Invalid,
                FailureKind::RateLimited,
                FailureKind::Overloaded,
                FailureKind::NotFound,
            ] {
                let failure = Failure::new(kind, "m");
                let body = failure.write(format).to_string();
                let again = Failure::read(kind.status(format), None, body.as_bytes());
                assert_eq!((again.kind, again.message.as_str()), (kind, "m"), "{format:?}");
            }
        }
    }
}
