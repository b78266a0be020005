//! What an operator does, each rule in one place: the command line, the configuration file, the management
//! API and the console are thin callers of these functions over the traits of [`crate::store`].
//!
//! Each function checks its input first and says which field is wrong and how to mend it; nothing is stored
//! unless all of it is right.

pub mod channels;
pub mod keys;
mod probing;
mod said;

pub use said::Said;

use crate::Limits;
use crate::routing::ChannelError;
use crate::store::StoreError;
use std::borrow::Cow;
use std::fmt;

/// Why an operator's wish was not carried out.
#[derive(Debug)]
#[non_exhaustive]
pub enum UseCaseError {
    /// A field breaks a rule.
    Invalid {
        /// The field at fault.
        field: Cow<'static, str>,
        /// What is wrong and how to mend it; holds no secret.
        message: Said,
    },
    /// Whoever asks may not do this; says what, and who could.
    Forbidden(Said),
    /// Somebody else changed it since it was looked at: what it is, by kind and name.
    Changed {
        /// What kind of thing.
        what: &'static str,
        /// Its name.
        name: String,
    },
    /// The store refused, or is away.
    Store(StoreError),
}

impl UseCaseError {
    /// A field that breaks a rule.
    pub fn invalid(field: impl Into<Cow<'static, str>>, message: impl Into<Said>) -> UseCaseError {
        UseCaseError::Invalid { field: field.into(), message: message.into() }
    }

    /// What whoever asks may not do.
    pub fn forbidden(message: impl Into<Said>) -> UseCaseError {
        UseCaseError::Forbidden(message.into())
    }

    /// What went wrong, for people: of a broken rule without the field.
    #[must_use]
    pub fn said(&self) -> Said {
        match self {
            UseCaseError::Invalid { message, .. } | UseCaseError::Forbidden(message) => message.clone(),
            UseCaseError::Changed { what, name } => {
                (self.to_string(), format!("{}「{name}」已被别人修改，请重新查看", said::noun(what))).into()
            }
            UseCaseError::Store(error) => error.said(),
        }
    }
}

impl fmt::Display for UseCaseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            UseCaseError::Invalid { field, message } => write!(f, "{field}: {message}"),
            UseCaseError::Forbidden(message) => message.fmt(f),
            UseCaseError::Changed { what, name } => {
                write!(f, "somebody else changed the {what} `{name}` in the meantime; look at it again")
            }
            UseCaseError::Store(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for UseCaseError {}

impl From<StoreError> for UseCaseError {
    fn from(error: StoreError) -> UseCaseError {
        UseCaseError::Store(error)
    }
}

impl From<ChannelError> for UseCaseError {
    fn from(error: ChannelError) -> UseCaseError {
        UseCaseError::Invalid { field: error.field, message: error.message }
    }
}

/// What a use case answers.
pub type UseCaseResult<T> = Result<T, UseCaseError>;

/// The longest name, in bytes.
pub const MAX_NAME: usize = 128;

/// Checks the name of a key, a channel, a user or a tenant: 1 to [`MAX_NAME`] bytes, no control characters,
/// no white space at either end.
///
/// # Errors
/// `Invalid` with the field `name`.
pub fn check_name(name: &str) -> UseCaseResult<()> {
    let fail = |message: (&'static str, &'static str)| Err(UseCaseError::invalid("name", message));
    if name.is_empty() {
        return fail(("give it a name", "请起个名字"));
    }
    if name.len() > MAX_NAME {
        return fail(("a name has at most 128 bytes", "名字最多 128 字节"));
    }
    if name.chars().any(char::is_control) || name.trim() != name {
        return fail((
            "a name has no control characters and no white space at its ends",
            "名字不能含控制字符，首尾不能有空白",
        ));
    }
    Ok(())
}

/// Checks limits: none is 0, which would let nothing through.
///
/// # Errors
/// `Invalid` with the field `limits`.
pub fn check_limits(limits: &Limits) -> UseCaseResult<()> {
    let Limits { requests_per_minute, tokens_per_minute, concurrency } = *limits;
    let all = [
        ("requests_per_minute", requests_per_minute),
        ("tokens_per_minute", tokens_per_minute),
        ("concurrency", concurrency),
    ];
    match all.into_iter().find(|(_, limit)| *limit == Some(0)) {
        Some((name, _)) => {
            let message = (
                format!("{name} is 0: nothing would pass; leave it out for no limit, or disable the key"),
                format!("{name} 为 0 会拒绝一切请求；不限请留空，停用请关闭密钥"),
            );
            Err(UseCaseError::invalid("limits", message))
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_would_confuse_are_refused() {
        for name in ["", " a", "a\n", &"x".repeat(MAX_NAME + 1)] {
            assert!(check_name(name).is_err(), "{name:?}");
        }
        for name in ["a", "kunde 7", "ключ", &"x".repeat(MAX_NAME)] {
            assert!(check_name(name).is_ok(), "{name:?}");
        }
    }

    #[test]
    fn a_limit_of_nothing_is_refused() {
        assert!(check_limits(&Limits::default()).is_ok());
        let one = Limits { requests_per_minute: Some(1), ..Limits::default() };
        assert!(check_limits(&one).is_ok());
        let none = Limits { tokens_per_minute: Some(0), ..one };
        assert!(check_limits(&none).unwrap_err().to_string().contains("tokens_per_minute is 0"));
    }
}
