//! The one error of the gateway.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

/// What went wrong, as the caller's dialect will say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// 400: the request cannot be routed.
    BadRequest,
    /// 401: no key, or one nobody knows.
    Unauthenticated,
    /// 402: quota or balance is spent.
    Payment,
    /// 403: the key may not do this.
    Forbidden,
    /// 404: no such path, or a model that no channel serves.
    NotFound,
    /// 405: the path exists, the method does not.
    MethodNotAllowed,
    /// 408: the caller's body did not arrive in time.
    RequestTimeout,
    /// 413: the body is over the limit.
    TooLarge,
    /// 429: a rate limit.
    RateLimited,
    /// 500: the gateway's own fault.
    Internal,
    /// 501: known, but not served by this build or these channels.
    NotImplemented,
    /// 502: the provider failed, or answered what cannot be passed on.
    BadGateway,
    /// 503: the gateway is full, or what it needs is away.
    Unavailable,
    /// 504: the provider did not answer in time.
    GatewayTimeout,
}

impl ErrorKind {
    /// The HTTP status.
    #[must_use]
    pub fn status(self) -> http::StatusCode {
        use http::StatusCode as S;
        match self {
            ErrorKind::BadRequest => S::BAD_REQUEST,
            ErrorKind::Unauthenticated => S::UNAUTHORIZED,
            ErrorKind::Payment => S::PAYMENT_REQUIRED,
            ErrorKind::Forbidden => S::FORBIDDEN,
            ErrorKind::NotFound => S::NOT_FOUND,
            ErrorKind::MethodNotAllowed => S::METHOD_NOT_ALLOWED,
            ErrorKind::RequestTimeout => S::REQUEST_TIMEOUT,
            ErrorKind::TooLarge => S::PAYLOAD_TOO_LARGE,
            ErrorKind::RateLimited => S::TOO_MANY_REQUESTS,
            ErrorKind::Internal => S::INTERNAL_SERVER_ERROR,
            ErrorKind::NotImplemented => S::NOT_IMPLEMENTED,
            ErrorKind::BadGateway => S::BAD_GATEWAY,
            ErrorKind::Unavailable => S::SERVICE_UNAVAILABLE,
            ErrorKind::GatewayTimeout => S::GATEWAY_TIMEOUT,
        }
    }
}

/// Whose fault an error is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    /// The caller's request.
    Caller,
    /// The gateway, or what it stands on (its store).
    Gateway,
    /// The provider.
    Upstream,
}

/// An error on a request's way: a kind, whose fault, a text that is safe to show the caller, and what
/// the caller can do about it.
///
/// The text names the field and the fix. It never holds a secret, a channel's name or an upstream's
/// address; those go to the log through [`Error::context`].
#[derive(Debug)]
pub struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    kind: ErrorKind,
    fault: Fault,
    message: Cow<'static, str>,
    code: Option<&'static str>,
    param: Option<&'static str>,
    retry_after: Option<Duration>,
    context: Option<Cow<'static, str>>,
    headers: Option<http::HeaderMap>,
}

impl Error {
    /// An error with a text for the caller.
    pub fn new(kind: ErrorKind, message: impl Into<Cow<'static, str>>) -> Error {
        let fault = match kind {
            ErrorKind::BadGateway | ErrorKind::GatewayTimeout => Fault::Upstream,
            ErrorKind::Internal | ErrorKind::Unavailable => Fault::Gateway,
            _ => Fault::Caller,
        };
        Error(Box::new(Inner {
            kind,
            fault,
            message: message.into(),
            code: None,
            param: None,
            retry_after: None,
            context: None,
            headers: None,
        }))
    }

    /// The machine-readable code, such as `model_not_found`.
    #[must_use]
    pub fn with_code(mut self, code: &'static str) -> Error {
        self.0.code = Some(code);
        self
    }

    /// The field at fault, such as `model`.
    #[must_use]
    pub fn with_param(mut self, param: &'static str) -> Error {
        self.0.param = Some(param);
        self
    }

    /// When trying again makes sense.
    #[must_use]
    pub fn with_retry_after(mut self, after: Duration) -> Error {
        self.0.retry_after = Some(after);
        self
    }

    /// For the log alone. Must not hold a secret.
    #[must_use]
    pub fn with_context(mut self, context: impl Into<Cow<'static, str>>) -> Error {
        self.0.context = Some(context.into());
        self
    }

    /// Headers that go out with the error (rate-limit state, for instance).
    #[must_use]
    pub fn with_headers(mut self, headers: http::HeaderMap) -> Error {
        self.0.headers = Some(headers);
        self
    }

    /// What went wrong.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Whose fault it is.
    #[must_use]
    pub fn fault(&self) -> Fault {
        self.0.fault
    }

    /// The HTTP status.
    #[must_use]
    pub fn status(&self) -> http::StatusCode {
        self.0.kind.status()
    }

    /// The text for the caller.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The machine-readable code.
    #[must_use]
    pub fn code(&self) -> Option<&'static str> {
        self.0.code
    }

    /// The field at fault.
    #[must_use]
    pub fn param(&self) -> Option<&'static str> {
        self.0.param
    }

    /// When trying again makes sense.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// What the log should say beyond the text.
    #[must_use]
    pub fn context(&self) -> Option<&str> {
        self.0.context.as_deref()
    }

    pub(crate) fn take_headers(&mut self) -> http::HeaderMap {
        self.0.headers.take().unwrap_or_default()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl std::error::Error for Error {}

/// An error of a layer that an embedder added, where types have to be erased.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

impl From<BoxError> for Error {
    /// Our own error passes through a user's layer unchanged; anything else is an internal error whose
    /// text goes to the log, not to the caller.
    fn from(error: BoxError) -> Error {
        match error.downcast::<Error>() {
            Ok(ours) => *ours,
            Err(other) => Error::new(ErrorKind::Internal, "the gateway failed on this request")
                .with_context(other.to_string()),
        }
    }
}
