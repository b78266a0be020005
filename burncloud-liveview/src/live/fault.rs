//! What went wrong, for whoever looks.

use crate::lang::Lang;
use burncloud_core::store::StoreError;
use burncloud_core::usecase::{Said, UseCaseError};
use std::fmt;

/// What went wrong, in words that hold no secret, and the field to blame where there is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The field at fault, as the use case names it.
    pub field: Option<String>,
    /// What is wrong and how to mend it: in the language of whoever looks, once [`use_act`](super::use_act) or
    /// [`use_load`](super::use_load) gave it to a page.
    pub text: String,
    /// The same in Chinese, where it is not in that language yet.
    zh: Option<String>,
}

impl Fault {
    /// A fault of no one field.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Fault {
        Fault { field: None, text: text.into(), zh: None }
    }

    /// A fault of that field.
    #[must_use]
    pub fn field(field: impl Into<String>, text: impl Into<String>) -> Fault {
        Fault { field: Some(field.into()), text: text.into(), zh: None }
    }

    /// In that language, as far as it is known in it.
    #[must_use]
    pub fn in_lang(self, lang: Lang) -> Fault {
        let Fault { field, text, zh } = self;
        let text = zh.filter(|_| lang == Lang::Zh).unwrap_or(text);
        Fault { field, text, zh: None }
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

impl From<Said> for Fault {
    fn from(said: Said) -> Fault {
        let zh = Some(said.zh().to_owned()).filter(|zh| zh != said.en());
        Fault { field: None, text: said.to_string(), zh }
    }
}

impl From<UseCaseError> for Fault {
    fn from(error: UseCaseError) -> Fault {
        let said = Fault::from(error.said());
        match error {
            UseCaseError::Invalid { field, .. } => Fault { field: Some(field.into_owned()), ..said },
            _ => said,
        }
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Fault {
        Fault::from(error.said())
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
    fn a_broken_rule_is_said_at_its_field_in_the_language_of_whoever_looks() {
        let fault = || Fault::from(UseCaseError::invalid("name", ("give it a name", "请起个名字")));
        assert_eq!((fault().of("name"), fault().of("email")), (Some("give it a name"), None));
        assert_eq!(fault().in_lang(Lang::En).of("name"), Some("give it a name"));
        assert_eq!(fault().in_lang(Lang::Zh).of("name"), Some("请起个名字"));
        let missing = StoreError::NotFound { what: "key", name: "ci".into() };
        assert_eq!(Fault::from(missing).in_lang(Lang::Zh), Fault::new("没有密钥「ci」"));
        let fault = Fault::from(UseCaseError::forbidden(Said::plain("may not")));
        assert_eq!(fault.in_lang(Lang::Zh), Fault::new("may not"));
    }
}
