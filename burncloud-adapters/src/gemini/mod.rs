//! Google's Gemini API at AI Studio.
//!
//! Facts were checked against its SDK (google-genai 2.34 and 3.x) and recorded traffic.

mod grounding;
mod predict;
mod usage;

#[cfg(feature = "translate")]
pub(crate) use usage::{Meter, usage_of};

#[cfg(feature = "translate")]
use crate::translate::{self, EmbedFormat, Format, Profile};
use crate::{auth, listing, path, reader};
#[cfg(feature = "translate")]
use burncloud_core::adapter::{AdaptAsk, Adapted};
use burncloud_core::adapter::{
    Adapter, AnswerHead, ListAsk, ListAt, Listing, ModelsPage, NoUsage, TargetAsk, UsageReader,
};
use burncloud_core::{Dialect, Endpoint, Error, Operation, Surface};
use http::uri::PathAndQuery;
use http::{HeaderName, HeaderValue, StatusCode};
use memchr::memmem;
use secrecy::SecretString;

/// Google AI Studio.
#[derive(Clone, Copy, Debug, Default)]
pub struct Gemini(());

impl Gemini {
    /// The adapter.
    #[must_use]
    pub fn new() -> Gemini {
        Gemini(())
    }
}

impl Adapter for Gemini {
    fn name(&self) -> &str {
        "gemini"
    }

    fn default_base_url(&self) -> &str {
        "https://generativelanguage.googleapis.com"
    }

    /// Empty: the caller's path names the version.
    fn api_root(&self) -> &str {
        ""
    }

    fn serves(&self, endpoint: &Endpoint) -> bool {
        use Operation as O;
        endpoint.dialect == Dialect::Gemini
            && matches!(endpoint.surface, Surface::Direct | Surface::Vertex)
            && matches!(
                endpoint.operation,
                O::GenerateContent | O::StreamGenerateContent | O::CountTokens | O::EmbedContent
            )
    }

    /// The caller's path, with another model where it is mapped. A root that names a version takes the place
    /// of the path's. A path at Vertex is made anew, in the version that knows every field.
    fn target(&self, ask: &TargetAsk<'_>) -> Result<PathAndQuery, Error> {
        if ask.endpoint.surface == Surface::Vertex {
            let version = if root_has_version(ask.root) { "" } else { "/v1beta" };
            return at_model(ask, version);
        }
        let (version, rest) = split(ask.path).ok_or_else(|| path::unknown(ask.path))?;
        let version = if root_has_version(ask.root) { "" } else { version };
        if !ask.mapped {
            return path::join(&[ask.root, version, "/models/", rest], ask.query);
        }
        at_model(ask, version)
    }

    fn authorize(&self, credential: &SecretString) -> Result<Vec<(HeaderName, HeaderValue)>, Error> {
        auth::plain(HeaderName::from_static("x-goog-api-key"), credential)
    }

    /// AI Studio says 400 to a key it does not know, with this reason in the error's details.
    fn blames_credential(&self, status: StatusCode, beginning: &[u8]) -> bool {
        status == StatusCode::BAD_REQUEST && memmem::find(beginning, b"\"API_KEY_INVALID\"").is_some()
    }

    #[cfg(feature = "translate")]
    fn translates(&self, endpoint: &Endpoint) -> bool {
        translate::translates(endpoint, Format::Gemini) || translate::embeds(endpoint, EmbedFormat::Gemini)
    }

    #[cfg(feature = "translate")]
    fn adapt(&self, ask: &AdaptAsk<'_>) -> Result<Adapted, Error> {
        if translate::embeds(ask.endpoint, EmbedFormat::Gemini) {
            return translate::adapt_embed(ask, EmbedFormat::Gemini, &Profile::GENUINE);
        }
        translate::adapt(ask, Format::Gemini, &Profile::GENUINE)
    }

    /// `models`, a thousand at a time.
    fn listing(&self, ask: &ListAsk<'_>) -> Result<Listing, Error> {
        let version = if root_has_version(ask.root) { "" } else { "/v1beta" };
        let after = ask.after.map(|token| format!("&pageToken={}", path::encoded(token))).unwrap_or_default();
        let query = format!("pageSize=1000{after}");
        Ok(Listing::At(ListAt::new(path::join(&[ask.root, version, "/models"], Some(&query))?)))
    }

    fn listed(&self, body: &[u8]) -> Option<ModelsPage> {
        listing::gemini(body)
    }

    fn usage_reader(&self, endpoint: &Endpoint, head: &AnswerHead<'_>) -> Box<dyn UsageReader> {
        usage_reader(endpoint.operation, head)
    }
}

/// The reader for an answer in Gemini's shape.
pub(crate) fn usage_reader(operation: Operation, head: &AnswerHead<'_>) -> Box<dyn UsageReader> {
    use Operation as O;
    match operation {
        O::GenerateContent | O::StreamGenerateContent | O::EmbedContent => {
            reader::reader(usage::Content, head)
        }
        O::Predict if head.status.is_success() => Box::new(predict::Predict::default()),
        _ => Box::new(NoUsage),
    }
}

/// The caller's action on the upstream model.
fn at_model(ask: &TargetAsk<'_>, version: &str) -> Result<PathAndQuery, Error> {
    let action = ask.path.rsplit_once(':').ok_or_else(|| path::unknown(ask.path))?.1;
    let model = ask.upstream_model.strip_prefix("models/").unwrap_or(ask.upstream_model);
    path::join(&[ask.root, version, "/models/", &path::encoded(model), ":", action], ask.query)
}

/// `/v1beta` and what follows `/models/`.
fn split(path: &str) -> Option<(&str, &str)> {
    let (version, rest) = path.split_once("/models/")?;
    matches!(version, "/v1" | "/v1beta").then_some((version, rest))
}

fn root_has_version(root: &str) -> bool {
    let last = root.rsplit('/').next().unwrap_or_default();
    matches!(last, "v1" | "v1beta" | "v1alpha")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_key_is_the_channels_fault_though_it_is_400() {
        let body = br#"{"error":{"code":400,"details":[{"reason": "API_KEY_INVALID"}]}}"#;
        assert!(Gemini(()).blames_credential(StatusCode::BAD_REQUEST, body));
        assert!(!Gemini(()).blames_credential(StatusCode::BAD_REQUEST, b"{\"error\":{\"code\":400}}"));
    }
}
