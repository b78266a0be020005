//! Signatures and encrypted thoughts, carried through formats that are not their own.

/// Who can verify a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Origin {
    /// Anthropic, on any cloud.
    Anthropic,
    /// OpenAI's encrypted reasoning.
    OpenAi,
    /// Google's thought signatures.
    Google,
    /// Somebody else, through an API of theirs.
    Other,
}

impl Origin {
    fn word(self) -> &'static str {
        match self {
            Origin::Anthropic => "anthropic",
            Origin::OpenAi => "openai",
            Origin::Google => "google",
            Origin::Other => "other",
        }
    }
}

/// What a provider wants back, unchanged, to go on from thoughts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// Who can verify it.
    pub origin: Origin,
    /// The id of OpenAI's reasoning item.
    pub id: Option<String>,
    /// The signature or the encrypted thoughts.
    pub value: String,
}

/// Begins every signature in a foreign field. A dot is in no alphabet of Base64.
const MARK: &str = "bc1.";

impl Signature {
    /// Of this origin.
    pub fn new(origin: Origin, value: impl Into<String>) -> Signature {
        Signature { origin, id: None, value: value.into() }
    }

    /// As it is written into a field where `native`'s signatures stand: as it is if it is of that origin, else with a
    /// mark of where it comes from.
    #[must_use]
    pub fn to_field(&self, native: Origin) -> String {
        if self.origin == native && native != Origin::OpenAi {
            return self.value.clone();
        }
        let id = self.id.as_deref().unwrap_or_default();
        format!("{MARK}{}.{id}.{}", self.origin.word(), self.value)
    }

    /// What stands in a field for `native`'s signatures.
    #[must_use]
    pub fn from_field(text: &str, native: Origin) -> Signature {
        let marked = text.strip_prefix(MARK).and_then(|rest| {
            let (word, rest) = rest.split_once('.')?;
            let (id, value) = rest.split_once('.')?;
            let origin = [Origin::Anthropic, Origin::OpenAi, Origin::Google, Origin::Other];
            let origin = origin.into_iter().find(|origin| origin.word() == word)?;
            let id = (!id.is_empty()).then(|| id.to_owned());
            Some(Signature { origin, id, value: value.to_owned() })
        });
        marked.unwrap_or_else(|| Signature::new(native, text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comes_back_from_a_foreign_field_as_it_went_in() {
        let google = Signature::new(Origin::Google, "AbC+/=");
        assert_eq!(Signature::from_field(&google.to_field(Origin::Anthropic), Origin::Anthropic), google);
        let openai = Signature { origin: Origin::OpenAi, id: Some("rs_1".into()), value: "gAAA".into() };
        assert_eq!(Signature::from_field(&openai.to_field(Origin::Anthropic), Origin::Anthropic), openai);
    }

    #[test]
    fn is_unchanged_at_home() {
        let own = Signature::new(Origin::Anthropic, "EqQB");
        assert_eq!(own.to_field(Origin::Anthropic), "EqQB");
        assert_eq!(Signature::from_field("EqQB", Origin::Anthropic), own);
    }
}
