//! How a key is used: lines that can be pasted, for the SDKs that callers have.

use crate::kit::Copy;
use crate::live::use_lang;
use dioxus::prelude::*;

/// Whose API a caller speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sdk {
    OpenAi,
    Anthropic,
    Google,
    Aws,
}

/// In what it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tongue {
    Python,
    Node,
    Curl,
}

const SDKS: [(Sdk, &str); 4] =
    [(Sdk::OpenAi, "OpenAI"), (Sdk::Anthropic, "Anthropic"), (Sdk::Google, "Google"), (Sdk::Aws, "AWS")];
const TONGUES: [(Tongue, &str); 3] =
    [(Tongue::Python, "Python"), (Tongue::Node, "Node"), (Tongue::Curl, "curl")];

/// Base URL, key, and a call of `model`.
#[component]
pub(super) fn Snippets(base: String, secret: String, model: String) -> Element {
    let lang = use_lang();
    let (mut sdk, mut tongue) = (use_signal(|| Sdk::OpenAi), use_signal(|| Tongue::Python));
    let code = snippet(sdk(), tongue(), &base, &secret, &model);
    let choice = |on: bool| if on { "tab tab-active" } else { "tab" };
    let pressed = |on: bool| if on { "true" } else { "false" };
    rsx! {
        div { class: "flex flex-wrap items-center gap-2",
            div { class: "tabs tabs-box", role: "group", "aria-label": "SDK",
                for (each , name) in SDKS {
                    button { key: "{name}", r#type: "button", class: choice(sdk() == each), "aria-pressed": pressed(sdk() == each),
                        onclick: move |_| sdk.set(each), "{name}" }
                }
            }
            div { class: "tabs tabs-box", role: "group", "aria-label": lang.t("Language", "语言"),
                for (each , name) in TONGUES {
                    button { key: "{name}", r#type: "button", class: choice(tongue() == each), "aria-pressed": pressed(tongue() == each),
                        onclick: move |_| tongue.set(each), "{name}" }
                }
            }
            span { class: "ms-auto", Copy { value: code.clone(), label: lang.t("Copy the lines", "复制代码") } }
        }
        pre { class: "mono mt-3 rounded-xl border border-line p-4 overflow-x-auto leading-5", tabindex: "0", "{code}" }
        if sdk() == Sdk::Aws && !base.starts_with("https://") {
            p { class: "mt-2 text-sm text-muted text-pretty",
                {lang.t("AWS's SDKs send a key over https alone. Over plain http sign with the pair of the key.", "AWS SDK 只通过 https 发送密钥；在 http 下请用这把密钥的签名对。")}
            }
        }
        p { class: "mt-2 text-sm text-muted",
            {lang.t("The list of models: ", "模型列表：")}
            code { class: "mono break-all", "{base}/v1/models" }
        }
    }
}

/// As a string of Python or JavaScript: both read JSON's.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// As one word of a shell.
fn word(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

/// As a part of a path.
fn part(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:".contains(&byte);
    text.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

pub(super) fn snippet(sdk: Sdk, tongue: Tongue, base: &str, secret: &str, model: &str) -> String {
    match tongue {
        Tongue::Python => python(sdk, base, secret, model),
        Tongue::Node => node(sdk, base, secret, model),
        Tongue::Curl => curl(sdk, base, secret, model),
    }
}

fn python(sdk: Sdk, base: &str, secret: &str, model: &str) -> String {
    let (v1, base, secret, model) =
        (quoted(&format!("{base}/v1")), quoted(base), quoted(secret), quoted(model));
    match sdk {
        Sdk::OpenAi => format!(
            "from openai import OpenAI\n\n\
             client = OpenAI(base_url={v1}, api_key={secret})\n\
             answer = client.chat.completions.create(\n    model={model},\n    \
             messages=[{{\"role\": \"user\", \"content\": \"Hello\"}}],\n)\n\
             print(answer.choices[0].message.content)"
        ),
        Sdk::Anthropic => format!(
            "from anthropic import Anthropic\n\n\
             client = Anthropic(base_url={base}, api_key={secret})\n\
             answer = client.messages.create(\n    model={model},\n    max_tokens=256,\n    \
             messages=[{{\"role\": \"user\", \"content\": \"Hello\"}}],\n)\n\
             print(answer.content[0].text)"
        ),
        Sdk::Google => format!(
            "from google import genai\nfrom google.genai import types\n\n\
             client = genai.Client(\n    api_key={secret},\n    \
             http_options=types.HttpOptions(base_url={base}),\n)\n\
             answer = client.models.generate_content(model={model}, contents=\"Hello\")\n\
             print(answer.text)"
        ),
        Sdk::Aws => format!(
            "import os\nimport boto3\n\n\
             os.environ[\"AWS_BEARER_TOKEN_BEDROCK\"] = {secret}\n\
             client = boto3.client(\n    \"bedrock-runtime\",\n    region_name=\"us-east-1\",\n    endpoint_url={base},\n)\n\
             answer = client.converse(\n    modelId={model},\n    \
             messages=[{{\"role\": \"user\", \"content\": [{{\"text\": \"Hello\"}}]}}],\n)\n\
             print(answer[\"output\"][\"message\"][\"content\"][0][\"text\"])"
        ),
    }
}

fn node(sdk: Sdk, base: &str, secret: &str, model: &str) -> String {
    let (v1, base, secret, model) =
        (quoted(&format!("{base}/v1")), quoted(base), quoted(secret), quoted(model));
    match sdk {
        Sdk::OpenAi => format!(
            "import OpenAI from \"openai\";\n\n\
             const client = new OpenAI({{ baseURL: {v1}, apiKey: {secret} }});\n\
             const answer = await client.chat.completions.create({{\n  model: {model},\n  \
             messages: [{{ role: \"user\", content: \"Hello\" }}],\n}});\n\
             console.log(answer.choices[0].message.content);"
        ),
        Sdk::Anthropic => format!(
            "import Anthropic from \"@anthropic-ai/sdk\";\n\n\
             const client = new Anthropic({{ baseURL: {base}, apiKey: {secret} }});\n\
             const answer = await client.messages.create({{\n  model: {model},\n  max_tokens: 256,\n  \
             messages: [{{ role: \"user\", content: \"Hello\" }}],\n}});\n\
             console.log(answer.content[0].text);"
        ),
        Sdk::Google => format!(
            "import {{ GoogleGenAI }} from \"@google/genai\";\n\n\
             const client = new GoogleGenAI({{ apiKey: {secret}, httpOptions: {{ baseUrl: {base} }} }});\n\
             const answer = await client.models.generateContent({{ model: {model}, contents: \"Hello\" }});\n\
             console.log(answer.text);"
        ),
        Sdk::Aws => format!(
            "import {{ BedrockRuntimeClient, ConverseCommand }} from \"@aws-sdk/client-bedrock-runtime\";\n\n\
             const client = new BedrockRuntimeClient({{\n  region: \"us-east-1\",\n  endpoint: {base},\n  \
             token: {{ token: {secret} }},\n  authSchemePreference: [\"httpBearerAuth\"],\n}});\n\
             const answer = await client.send(new ConverseCommand({{\n  modelId: {model},\n  \
             messages: [{{ role: \"user\", content: [{{ text: \"Hello\" }}] }}],\n}}));\n\
             console.log(answer.output.message.content[0].text);"
        ),
    }
}

fn curl(sdk: Sdk, base: &str, secret: &str, model: &str) -> String {
    let say = serde_json::json!([{ "role": "user", "content": "Hello" }]);
    let (path, header, body) = match sdk {
        Sdk::OpenAi => (
            "/v1/chat/completions".to_owned(),
            format!("Authorization: Bearer {secret}"),
            serde_json::json!({ "model": model, "messages": say }),
        ),
        Sdk::Anthropic => (
            "/v1/messages".to_owned(),
            format!("x-api-key: {secret}"),
            serde_json::json!({ "model": model, "max_tokens": 256, "messages": say }),
        ),
        Sdk::Google => (
            format!("/v1beta/models/{}:generateContent", part(model)),
            format!("x-goog-api-key: {secret}"),
            serde_json::json!({ "contents": [{ "parts": [{ "text": "Hello" }] }] }),
        ),
        Sdk::Aws => (
            format!("/model/{}/converse", part(model)),
            format!("Authorization: Bearer {secret}"),
            serde_json::json!({ "messages": [{ "role": "user", "content": [{ "text": "Hello" }] }] }),
        ),
    };
    let version = if sdk == Sdk::Anthropic { " \\\n  -H 'anthropic-version: 2023-06-01'" } else { "" };
    format!(
        "curl {} \\\n  -H {} \\\n  -H 'Content-Type: application/json'{version} \\\n  -d {}",
        word(&format!("{base}{path}")),
        word(&header),
        word(&body.to_string())
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(base: &str, secret: &str, model: &str) -> Vec<String> {
        let of = |sdk| TONGUES.map(|(tongue, _)| snippet(sdk, tongue, base, secret, model));
        SDKS.into_iter().flat_map(|(sdk, _)| of(sdk)).collect()
    }

    #[test]
    fn every_one_has_the_address_the_key_and_the_model() {
        for code in all("https://gate.example", "sk-burn-x", "gpt-5-mini") {
            for part in ["https://gate.example", "sk-burn-x", "gpt-5-mini", "Hello"] {
                assert!(code.contains(part), "{part} is missing in\n{code}");
            }
        }
    }

    #[test]
    fn a_name_cannot_leave_its_string() {
        let name = "a'; rm -rf / #\"\\\n";
        for code in all("https://gate.example", "sk-burn-x", name) {
            assert!(!code.contains(name), "{code}");
        }
        let code = snippet(Sdk::OpenAi, Tongue::Curl, "https://gate.example", "k", "it's");
        assert!(code.contains(r"it'\''s"), "{code}");
        let code = snippet(Sdk::Google, Tongue::Curl, "https://gate.example", "k", "a/b c");
        assert!(code.contains("/models/a%2Fb%20c:generateContent"), "{code}");
        let code = snippet(Sdk::OpenAi, Tongue::Python, "https://gate.example", "k", "a\"b");
        assert!(code.contains(r#"model="a\"b""#), "{code}");
    }
}
