//! Which wire format a path speaks, and what it asks for.
//!
//! Paths and key places were checked against the official SDKs (OpenAI 3.x, Anthropic 2.x, google-genai
//! 3.x, boto3 1.44).

use http::{HeaderMap, Method};
use serde::{Deserialize, Serialize};

/// A wire format, as its SDK's types define it: bodies, events, errors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dialect {
    /// OpenAI's API, and whatever no other dialect claims.
    #[default]
    #[serde(rename = "openai")]
    OpenAi,
    /// Anthropic Messages.
    Anthropic,
    /// Google Gemini, on AI Studio or Vertex.
    Gemini,
    /// Cohere v2.
    Cohere,
    /// AWS Bedrock runtime.
    Bedrock,
}

impl Dialect {
    /// The name used in receipts, metrics and configuration.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Dialect::OpenAi => "openai",
            Dialect::Anthropic => "anthropic",
            Dialect::Gemini => "gemini",
            Dialect::Cohere => "cohere",
            Dialect::Bedrock => "bedrock",
        }
    }
}

/// Where a dialect is spoken: clouds serve the same bodies under other paths and credentials.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Surface {
    /// The provider's own API.
    #[default]
    Direct,
    /// Azure OpenAI.
    Azure,
    /// Google Vertex.
    Vertex,
    /// AWS Bedrock.
    Bedrock,
}

macro_rules! operations {
    ($($(#[$doc:meta])* $name:ident = $text:literal),* $(,)?) => {
        /// What a request asks for.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Operation { $($(#[$doc])* $name),* }

        impl Operation {
            /// The name used in receipts and metrics.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Operation::$name => $text),* }
            }

            /// The operation of that name.
            #[must_use]
            pub fn parse(name: &str) -> Option<Operation> {
                match name { $($text => Some(Operation::$name),)* _ => None }
            }
        }
    };
}

operations! {
    /// OpenAI chat completions.
    #[default]
    Chat = "chat",
    /// OpenAI responses.
    Responses = "responses",
    /// OpenAI: count the input of a response that is not made.
    ResponsesInputTokens = "responses_input_tokens",
    /// OpenAI legacy completions.
    Completions = "completions",
    /// Embeddings in OpenAI's shape.
    Embeddings = "embeddings",
    /// A picture from a prompt.
    ImageGeneration = "image_generation",
    /// A picture from pictures (multipart).
    ImageEdit = "image_edit",
    /// Variations of a picture (multipart).
    ImageVariation = "image_variation",
    /// Text to speech.
    Speech = "speech",
    /// Speech to text (multipart).
    Transcription = "transcription",
    /// Speech to English text (multipart).
    Translation = "translation",
    /// Moderation.
    Moderation = "moderation",
    /// Reranking.
    Rerank = "rerank",
    /// The models that the key may use.
    ListModels = "list_models",
    /// One model.
    GetModel = "get_model",
    /// Anthropic messages, also inside Vertex `rawPredict` and Bedrock `invoke`.
    Messages = "messages",
    /// How many tokens a request would have; made by the provider, free.
    CountTokens = "count_tokens",
    /// Gemini, whole.
    GenerateContent = "generate_content",
    /// Gemini, streamed.
    StreamGenerateContent = "stream_generate_content",
    /// Gemini embeddings.
    EmbedContent = "embed_content",
    /// Vertex `predict`.
    Predict = "predict",
    /// Bedrock invoke.
    Invoke = "invoke",
    /// Bedrock invoke, streamed.
    InvokeStream = "invoke_stream",
    /// Bedrock converse.
    Converse = "converse",
    /// Bedrock converse, streamed.
    ConverseStream = "converse_stream",
    /// Cohere v2 chat.
    CohereChat = "cohere_chat",
    /// A receipt of the caller's own; `x-burncloud-receipt-id` names it.
    Receipt = "receipt",
}

impl Operation {
    /// Answered by the gateway itself.
    #[must_use]
    pub fn is_local(self) -> bool {
        matches!(self, Operation::ListModels | Operation::GetModel | Operation::Receipt)
    }

    /// The path itself asks for a stream.
    #[must_use]
    pub fn is_stream(self) -> bool {
        use Operation as O;
        matches!(self, O::StreamGenerateContent | O::InvokeStream | O::ConverseStream)
    }

    /// Free at every provider: counted, never charged.
    #[must_use]
    pub fn is_free(self) -> bool {
        matches!(self, Operation::CountTokens | Operation::ResponsesInputTokens) || self.is_local()
    }

    /// The body may be `multipart/form-data`.
    #[must_use]
    pub fn is_multipart(self) -> bool {
        use Operation as O;
        matches!(self, O::ImageEdit | O::ImageVariation | O::Transcription | O::Translation)
    }
}

/// A path, understood.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Endpoint {
    /// Wire format of the request, the answer and the errors.
    pub dialect: Dialect,
    /// Whose paths these are.
    pub surface: Surface,
    /// What is asked.
    pub operation: Operation,
    /// The model, where the path names it (percent-decoded).
    pub path_model: Option<Box<str>>,
}

/// Why a path leads nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoEndpoint {
    /// No dialect knows the path.
    Path,
    /// The path exists under another method.
    Method {
        /// The method it takes.
        allow: &'static str,
    },
}

/// An endpoint, or the dialect in which to say that there is none.
pub(crate) type Found = Result<Endpoint, (Dialect, NoEndpoint)>;

impl Endpoint {
    /// Understands a request line. `headers` decide only between the three dialects that share `/v1/models`.
    pub fn find(
        method: &Method,
        path: &str,
        query: Option<&str>,
        headers: &HeaderMap,
    ) -> Result<Endpoint, (Dialect, NoEndpoint)> {
        let endpoint =
            classify(path, query, headers).ok_or_else(|| (guess_dialect(path, headers), NoEndpoint::Path))?;
        let wanted = if endpoint.operation.is_local() { Method::GET } else { Method::POST };
        let action = endpoint.operation == Operation::GetModel && path.contains(':');
        if action && *method == Method::POST {
            // An action that is not known, not a model whose name has a colon.
            return Err((endpoint.dialect, NoEndpoint::Path));
        }
        if *method != wanted && !(wanted == Method::GET && *method == Method::HEAD) {
            let allow = if wanted == Method::GET { "GET" } else { "POST" };
            return Err((endpoint.dialect, NoEndpoint::Method { allow }));
        }
        Ok(endpoint)
    }

    /// What a request line asks for.
    pub(crate) fn of<B>(request: &http::Request<B>) -> Found {
        let uri = request.uri();
        Endpoint::find(request.method(), uri.path(), uri.query(), request.headers())
    }

    fn new(dialect: Dialect, operation: Operation) -> Endpoint {
        Endpoint { dialect, operation, ..Endpoint::default() }
    }

    fn on(mut self, surface: Surface) -> Endpoint {
        self.surface = surface;
        self
    }

    fn of_model(mut self, model: &str) -> Option<Endpoint> {
        self.path_model = Some(percent_decode(model).filter(|m| !m.is_empty())?.into());
        Some(self)
    }
}

fn guess_dialect(path: &str, headers: &HeaderMap) -> Dialect {
    if path.starts_with("/v1beta") || headers.contains_key("x-goog-api-key") {
        Dialect::Gemini
    } else if headers.contains_key("anthropic-version") {
        Dialect::Anthropic
    } else if path.starts_with("/model/") {
        Dialect::Bedrock
    } else {
        Dialect::OpenAi
    }
}

fn classify(path: &str, query: Option<&str>, headers: &HeaderMap) -> Option<Endpoint> {
    if let Some(rest) = path.strip_prefix("/v1/") {
        if let Some(operation) = openai(rest) {
            return Some(Endpoint::new(Dialect::OpenAi, operation));
        }
        return match rest {
            "messages" => Some(Endpoint::new(Dialect::Anthropic, Operation::Messages)),
            "messages/count_tokens" => Some(Endpoint::new(Dialect::Anthropic, Operation::CountTokens)),
            _ if rest.strip_prefix("receipts/").is_some_and(|id| !id.is_empty()) => {
                Some(Endpoint::new(Dialect::OpenAi, Operation::Receipt))
            }
            _ => models(rest, query, headers).or_else(|| vertex(rest)),
        };
    }
    if let Some(rest) = path.strip_prefix("/v1beta/") {
        return gemini_models(rest);
    }
    if let Some(rest) = path.strip_prefix("/v1beta1/") {
        return vertex(rest);
    }
    if let Some(rest) = path.strip_prefix("/openai/") {
        return azure(rest);
    }
    if let Some(rest) = path.strip_prefix("/model/") {
        return bedrock(rest);
    }
    match path {
        "/anthropic/v1/messages" => {
            Some(Endpoint::new(Dialect::Anthropic, Operation::Messages).on(Surface::Azure))
        }
        "/anthropic/v1/messages/count_tokens" => {
            Some(Endpoint::new(Dialect::Anthropic, Operation::CountTokens).on(Surface::Azure))
        }
        "/v2/chat" => Some(Endpoint::new(Dialect::Cohere, Operation::CohereChat)),
        "/v2/rerank" => Some(Endpoint::new(Dialect::Cohere, Operation::Rerank)),
        _ => None,
    }
}

/// What follows `/v1/` in OpenAI's API, but for models.
fn openai(rest: &str) -> Option<Operation> {
    Some(match rest {
        "chat/completions" => Operation::Chat,
        "responses" => Operation::Responses,
        "responses/input_tokens" => Operation::ResponsesInputTokens,
        "completions" => Operation::Completions,
        "embeddings" => Operation::Embeddings,
        "images/generations" => Operation::ImageGeneration,
        "images/edits" => Operation::ImageEdit,
        "images/variations" => Operation::ImageVariation,
        "audio/speech" => Operation::Speech,
        "audio/transcriptions" => Operation::Transcription,
        "audio/translations" => Operation::Translation,
        "moderations" => Operation::Moderation,
        "rerank" => Operation::Rerank,
        _ => return None,
    })
}

/// `/v1/models…`: three SDKs share this path and differ in their headers.
fn models(rest: &str, query: Option<&str>, headers: &HeaderMap) -> Option<Endpoint> {
    let name = rest.strip_prefix("models")?;
    let keyed = query.is_some_and(|q| q.split('&').any(|pair| pair.starts_with("key=")));
    // A colon begins an action of Gemini's, or stands in a name, as in Bedrock's.
    let action = name.rsplit_once(':').is_some_and(|(_, action)| gemini_action(action).is_some());
    if action || headers.contains_key("x-goog-api-key") || keyed {
        return gemini_models(rest);
    }
    let anthropic = headers.contains_key("anthropic-version");
    let dialect = if anthropic { Dialect::Anthropic } else { Dialect::OpenAi };
    match name.strip_prefix('/') {
        None if name.is_empty() => Some(Endpoint::new(dialect, Operation::ListModels)),
        Some(model) if !model.is_empty() => Endpoint::new(dialect, Operation::GetModel).of_model(model),
        _ => None,
    }
}

fn gemini_models(rest: &str) -> Option<Endpoint> {
    let name = rest.strip_prefix("models")?;
    if name.is_empty() {
        return Some(Endpoint::new(Dialect::Gemini, Operation::ListModels));
    }
    let name = name.strip_prefix('/')?;
    match name.rsplit_once(':') {
        Some((model, action)) if gemini_action(action).is_some() => {
            Endpoint::new(Dialect::Gemini, gemini_action(action)?).of_model(model)
        }
        _ => Endpoint::new(Dialect::Gemini, Operation::GetModel).of_model(name),
    }
}

fn gemini_action(action: &str) -> Option<Operation> {
    Some(match action {
        "generateContent" => Operation::GenerateContent,
        "streamGenerateContent" => Operation::StreamGenerateContent,
        "countTokens" => Operation::CountTokens,
        "embedContent" | "batchEmbedContents" => Operation::EmbedContent,
        _ => return None,
    })
}

/// `projects/P/locations/R/publishers/PUB/models/M:action`, or the express form that starts at `publishers`.
fn vertex(rest: &str) -> Option<Endpoint> {
    let rest = match rest.strip_prefix("projects/") {
        Some(rest) => {
            let (_project, rest) = rest.split_once("/locations/")?;
            rest.split_once('/')?.1
        }
        None => rest,
    };
    let (publisher, rest) = rest.strip_prefix("publishers/")?.split_once("/models/")?;
    let (model, action) = rest.rsplit_once(':')?;
    let endpoint = match (publisher, action) {
        ("anthropic", "rawPredict" | "streamRawPredict") if model == "count-tokens" => {
            return Some(Endpoint::new(Dialect::Anthropic, Operation::CountTokens).on(Surface::Vertex));
        }
        ("anthropic", "rawPredict" | "streamRawPredict") => {
            Endpoint::new(Dialect::Anthropic, Operation::Messages)
        }
        (_, "predict") => Endpoint::new(Dialect::Gemini, Operation::Predict),
        _ => Endpoint::new(Dialect::Gemini, gemini_action(action)?),
    };
    endpoint.on(Surface::Vertex).of_model(model)
}

/// `deployments/{id}/{operation}` and the newer `v1/{operation}`.
fn azure(rest: &str) -> Option<Endpoint> {
    if let Some(rest) = rest.strip_prefix("deployments/") {
        let (model, operation) = rest.split_once('/')?;
        return Endpoint::new(Dialect::OpenAi, openai(operation)?).on(Surface::Azure).of_model(model);
    }
    let operation = openai(rest.strip_prefix("v1/").unwrap_or(rest))?;
    Some(Endpoint::new(Dialect::OpenAi, operation).on(Surface::Azure))
}

fn bedrock(rest: &str) -> Option<Endpoint> {
    let (model, action) = rest.rsplit_once('/')?;
    let operation = match action {
        "invoke" => Operation::Invoke,
        "invoke-with-response-stream" => Operation::InvokeStream,
        "converse" => Operation::Converse,
        "converse-stream" => Operation::ConverseStream,
        "count-tokens" => Operation::CountTokens,
        _ => return None,
    };
    Endpoint::new(Dialect::Bedrock, operation).on(Surface::Bedrock).of_model(model)
}

/// Undoes `%XX`; `None` for a broken escape or what is not UTF-8.
fn percent_decode(text: &str) -> Option<String> {
    if !text.contains('%') {
        return Some(text.to_owned());
    }
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        let mut digit = || char::from(bytes.next()?).to_digit(16);
        let (high, low) = (digit()?, digit()?);
        out.push(u8::try_from(high * 16 + low).ok()?);
    }
    String::from_utf8(out).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn post(path: &str) -> Result<Endpoint, (Dialect, NoEndpoint)> {
        Endpoint::find(&Method::POST, path, None, &HeaderMap::new())
    }

    #[test]
    fn every_documented_path_is_known() {
        let cases = [
            ("/v1/chat/completions", Dialect::OpenAi, Surface::Direct, "chat", None),
            ("/v1/messages", Dialect::Anthropic, Surface::Direct, "messages", None),
            ("/v1/messages/count_tokens", Dialect::Anthropic, Surface::Direct, "count_tokens", None),
            (
                "/v1/models/g-1:generateContent",
                Dialect::Gemini,
                Surface::Direct,
                "generate_content",
                Some("g-1"),
            ),
            (
                "/v1beta/models/g-1:streamGenerateContent",
                Dialect::Gemini,
                Surface::Direct,
                "stream_generate_content",
                Some("g-1"),
            ),
            (
                "/v1beta1/projects/p/locations/r/publishers/google/models/m:generateContent",
                Dialect::Gemini,
                Surface::Vertex,
                "generate_content",
                Some("m"),
            ),
            (
                "/v1/projects/p/locations/r/publishers/anthropic/models/c:rawPredict",
                Dialect::Anthropic,
                Surface::Vertex,
                "messages",
                Some("c"),
            ),
            ("/openai/deployments/d/chat/completions", Dialect::OpenAi, Surface::Azure, "chat", Some("d")),
            ("/openai/v1/responses", Dialect::OpenAi, Surface::Azure, "responses", None),
            ("/model/a.b%3A0/converse", Dialect::Bedrock, Surface::Bedrock, "converse", Some("a.b:0")),
            ("/v2/chat", Dialect::Cohere, Surface::Direct, "cohere_chat", None),
        ];
        for (path, dialect, surface, operation, model) in cases {
            let found = post(path).unwrap();
            assert_eq!((found.dialect, found.surface), (dialect, surface), "{path}");
            assert_eq!((found.operation.as_str(), found.path_model.as_deref()), (operation, model), "{path}");
        }
    }

    #[test]
    fn three_dialects_share_the_models_path() {
        let find =
            |headers: &HeaderMap, query| Endpoint::find(&Method::GET, "/v1/models", query, headers).unwrap();
        let mut headers = HeaderMap::new();
        assert_eq!(find(&headers, None).dialect, Dialect::OpenAi);
        assert_eq!(find(&headers, Some("key=x")).dialect, Dialect::Gemini);
        headers.insert("anthropic-version", "2023-06-01".parse().unwrap());
        assert_eq!(find(&headers, None).dialect, Dialect::Anthropic);
        for path in ["/v1/models/a.b-v1:0", "/v1beta/models/a.b-v1%3A0", "/v1beta/models/a.b-v1:0"] {
            let found = Endpoint::find(&Method::GET, path, None, &headers).unwrap();
            assert_eq!(
                (found.operation, found.path_model.as_deref()),
                (Operation::GetModel, Some("a.b-v1:0"))
            );
        }
    }

    #[test]
    fn a_receipt_is_only_read() {
        let ask = |method| Endpoint::find(&method, "/v1/receipts/rc_1", None, &HeaderMap::new());
        let found = ask(Method::GET).unwrap();
        assert_eq!((found.operation, found.dialect), (Operation::Receipt, Dialect::OpenAi));
        assert!(found.operation.is_local() && found.operation.is_free() && found.path_model.is_none());
        assert_eq!(ask(Method::POST), Err((Dialect::OpenAi, NoEndpoint::Method { allow: "GET" })));
        let none = Endpoint::find(&Method::GET, "/v1/receipts/", None, &HeaderMap::new());
        assert_eq!(none, Err((Dialect::OpenAi, NoEndpoint::Path)));
    }

    #[test]
    fn refuses_what_it_does_not_know() {
        for path in
            ["/", "/v1/chat", "/v1/models/m:fly", "/v1beta/models/:generateContent", "/model/%zz/invoke"]
        {
            assert_eq!(post(path).unwrap_err().1, NoEndpoint::Path, "{path}");
        }
        let get = Endpoint::find(&Method::GET, "/v1/messages", None, &HeaderMap::new());
        assert_eq!(get, Err((Dialect::Anthropic, NoEndpoint::Method { allow: "POST" })));
    }

    proptest::proptest! {
        #[test]
        fn any_path_is_answered(path in "/[ -~]{0,60}") {
            let _ = post(&path);
        }
    }
}
