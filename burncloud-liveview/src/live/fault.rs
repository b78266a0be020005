//! What went wrong, for whoever looks.

use burncloud_core::store::StoreError;
use burncloud_core::usecase::UseCaseError;
use std::fmt;

/// What went wrong, in words that hold no secret, and the field to blame where there is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The field at fault, as the use case names it.
    pub field: Option<String>,
    /// What is wrong and how to mend it.
    pub text: String,
}

impl Fault {
    /// A fault of no one field.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Fault {
        Fault { field: None, text: text.into() }
    }

    /// A fault of that field.
    #[must_use]
    pub fn field(field: impl Into<String>, text: impl Into<String>) -> Fault {
        Fault { field: Some(field.into()), text: text.into() }
    }

    /// The text, where that field is at fault.
    #[must_use]
    pub fn of(&self, field: &str) -> Option<&str> {
        (self.field.as_deref() == Some(field)).then_some(self.text.as_str())
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Fault {}

impl From<UseCaseError> for Fault {
    fn from(error: UseCaseError) -> Fault {
        match error {
            UseCaseError::Invalid { field, message } => Fault::field(field, message),
            other => Fault::new(other.to_string()),
        }
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Fault {
        Fault::new(error.to_string())
    }
}

impl From<String> for Fault {
    fn from(text: String) -> Fault {
        Fault::new(text)
    }
}

impl From<&str> for Fault {
    fn from(text: &str) -> Fault {
        Fault::new(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_rule_is_said_at_its_field() {
        let fault = Fault::from(UseCaseError::invalid("name", "give it a name"));
        assert_eq!((fault.of("name"), fault.of("email")), (Some("give it a name"), None));
        let fault = Fault::from(UseCaseError::Forbidden("may not".into()));
        assert_eq!(fault, Fault::new("may not"));
    }
}
