use std::fmt;

/// Why a request body was refused. Every `at` is a byte position in the body, from 0.
///
/// The text names the field and what to do about it, and never quotes the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum EnvelopeError {
    /// The body is empty or is something else than a JSON object.
    NotObject,
    /// The body ends before what it began is complete.
    Truncated {
        /// Where more was expected.
        at: usize,
    },
    /// The body breaks the rules of its format.
    Invalid {
        /// Where it does.
        at: usize,
        /// What is wrong there.
        what: &'static str,
    },
    /// A field is given more than once.
    Duplicate {
        /// Its name.
        field: &'static str,
        /// Where it appears for the second time.
        at: usize,
    },
    /// A field's value has the wrong type.
    Type {
        /// Its name.
        field: &'static str,
        /// The types that it may have, in words.
        expected: &'static str,
        /// Where the value starts.
        at: usize,
    },
    /// Arrays and objects are nested beyond about a million levels.
    TooDeep {
        /// Where the value starts.
        at: usize,
    },
    /// Something follows the JSON object.
    Trailing {
        /// Where it starts.
        at: usize,
    },
}

impl fmt::Display for EnvelopeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotObject => {
                f.write_str("the request body is not a JSON object: send one, such as {\"model\": \"…\"}")
            }
            Self::Truncated { at } => {
                write!(f, "the request body ends too early (byte {at}): send it in full")
            }
            Self::Invalid { at, what } => write!(f, "the request body is malformed (byte {at}): {what}"),
            Self::Duplicate { field, at } => {
                write!(f, "field `{field}` appears twice (byte {at}): send it once")
            }
            Self::Type { field, expected, at } => {
                write!(f, "field `{field}` has the wrong type (byte {at}): send {expected}")
            }
            Self::TooDeep { at } => write!(f, "the value at byte {at} is nested too deeply: flatten it"),
            Self::Trailing { at } => {
                write!(f, "the JSON object is followed by something else (byte {at}): send one object alone")
            }
        }
    }
}

impl std::error::Error for EnvelopeError {}
