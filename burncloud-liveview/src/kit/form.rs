//! What a form holds when it is submitted.

use dioxus::html::FormValue;
use dioxus::prelude::*;

/// What a form held when it was submitted: `onsubmit: move |event| { let form = Form::of(&event); … }`. Every input
/// needs a `name`. It does not show what it holds, which may be a password.
#[derive(Clone, PartialEq)]
pub struct Form(Vec<(String, String)>);

impl Form {
    /// What the form of an event holds.
    #[must_use]
    pub fn of(event: &FormEvent) -> Form {
        let text = |(name, value)| match value {
            FormValue::Text(text) => Some((name, text)),
            FormValue::File(_) => None,
        };
        Form(event.values().into_iter().filter_map(text).collect())
    }

    /// A form that holds these.
    #[cfg(test)]
    pub(crate) fn test(pairs: &[(&str, &str)]) -> Form {
        Form(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    /// The text of an input, without white space around it; empty where there is none.
    #[must_use]
    pub fn text(&self, name: &str) -> String {
        self.raw(name).trim().to_owned()
    }

    /// The text of an input as it is: a password, a prompt.
    #[must_use]
    pub fn raw(&self, name: &str) -> &str {
        self.0.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }

    /// The text of an input, where there is any.
    #[must_use]
    pub fn some(&self, name: &str) -> Option<String> {
        Some(self.text(name)).filter(|text| !text.is_empty())
    }

    /// All values of inputs of that name: the checked boxes of a group.
    #[must_use]
    pub fn all(&self, name: &str) -> Vec<String> {
        self.0.iter().filter(|(key, _)| key == name).map(|(_, value)| value.clone()).collect()
    }

    /// Whether a check box or a toggle is on.
    #[must_use]
    pub fn on(&self, name: &str) -> bool {
        matches!(self.raw(name), "on" | "true" | "1")
    }
}

impl FromIterator<(String, String)> for Form {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(fields: I) -> Form {
        Form(fields.into_iter().collect())
    }
}

impl std::fmt::Debug for Form {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_read_by_name_and_shows_no_value() {
        let pair = |(a, b): (&str, &str)| (a.to_owned(), b.to_owned());
        let form = Form(
            [("name", " a b "), ("pass", "s3cret"), ("m", "x"), ("m", "y"), ("on", "on")].map(pair).into(),
        );
        assert_eq!((form.text("name").as_str(), form.raw("name"), form.some("none")), ("a b", " a b ", None));
        assert_eq!(
            (form.all("m"), form.on("on"), form.on("name")),
            (vec!["x".into(), "y".into()], true, false)
        );
        assert!(!format!("{form:?}").contains("s3cret"));
    }
}
