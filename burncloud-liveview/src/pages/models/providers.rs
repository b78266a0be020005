//! What the console knows of providers: how they are called, where one finds a key, and what each needs beside it.

use crate::kit::Tile;
use crate::lang::Lang;
use burncloud_core::adapter::Registry;
use dioxus::prelude::*;

/// A provider as the console shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Provider {
    /// Its name in the registry.
    pub(super) id: &'static str,
    pub(super) name: &'static str,
    mark: &'static str,
    hue: u16,
    /// Where its keys are made; empty for one's own servers.
    pub(super) keys: &'static str,
    pub(super) needs: &'static [Need],
    pub(super) address: Address,
}

/// Whether an account says where its provider is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Address {
    /// The provider has one; another may be given.
    Known,
    /// There is none without it. An example.
    Wanted(&'static str),
}

/// Something that a provider needs beside the credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Need {
    /// The option's name.
    pub(super) name: &'static str,
    pub(super) en: &'static str,
    pub(super) zh: &'static str,
    pub(super) example: &'static str,
}

impl Need {
    pub(super) fn label(&self, lang: Lang) -> &'static str {
        lang.t(self.en, self.zh)
    }
}

const fn need(name: &'static str, en: &'static str, zh: &'static str, example: &'static str) -> Need {
    Need { name, en, zh, example }
}

const AZURE: &[Need] = &[
    need("api_version", "API version", "API 版本", "v1"),
    need("tenant_id", "Entra tenant", "Entra 租户", ""),
    need("client_id", "Entra application", "Entra 应用", ""),
];
const BEDROCK: &[Need] = &[
    need("region", "Region", "区域", "us-east-1"),
    need("role_arn", "Role to assume", "要扮演的角色", "arn:aws:iam::…"),
    need("external_id", "External id", "外部 ID", ""),
];
const VERTEX: &[Need] =
    &[need("project", "Project", "项目", "my-project"), need("location", "Location", "区域", "us-central1")];
const API: &[Need] = &[need("api", "API", "API", "chat")];

const fn row(
    id: &'static str,
    name: &'static str,
    mark: &'static str,
    hue: u16,
    keys: &'static str,
) -> Provider {
    Provider { id, name, mark, hue, keys, needs: &[], address: Address::Known }
}

/// Those that people look for first, first.
#[rustfmt::skip]
static KNOWN: &[Provider] = &[
    row("anthropic", "Anthropic", "A", 35, "https://console.anthropic.com/settings/keys"),
    row("openai", "OpenAI", "O", 165, "https://platform.openai.com/api-keys"),
    row("gemini", "Google AI", "G", 255, "https://aistudio.google.com/apikey"),
    Provider { needs: VERTEX, ..row("vertex", "Vertex AI", "V", 250, "https://console.cloud.google.com/iam-admin/serviceaccounts") },
    Provider { needs: AZURE, address: Address::Wanted("https://my-resource.openai.azure.com"), ..row("azure", "Azure", "Az", 235, "https://portal.azure.com/") },
    Provider { needs: BEDROCK, ..row("bedrock", "Bedrock", "B", 65, "https://console.aws.amazon.com/bedrock/home#/api-keys") },
    row("deepseek", "DeepSeek", "D", 272, "https://platform.deepseek.com/api_keys"),
    row("qwen", "Qwen", "Q", 300, "https://bailian.console.aliyun.com/?tab=model#/api-key"),
    row("groq", "Groq", "Gr", 15, "https://console.groq.com/keys"),
    row("cohere", "Cohere", "C", 190, "https://dashboard.cohere.com/api-keys"),
    row("mistral", "Mistral", "M", 50, "https://console.mistral.ai/api-keys"),
    row("moonshot", "Moonshot", "K", 225, "https://platform.moonshot.cn/console/api-keys"),
    row("xai", "xAI", "X", 210, "https://console.x.ai/"),
    row("openrouter", "OpenRouter", "Or", 285, "https://openrouter.ai/settings/keys"),
    row("zhipu", "Zhipu", "Z", 240, "https://open.bigmodel.cn/usercenter/apikeys"),
    row("siliconflow", "SiliconFlow", "Si", 310, "https://cloud.siliconflow.cn/account/ak"),
    row("together", "Together", "T", 220, "https://api.together.ai/settings/api-keys"),
    row("fireworks", "Fireworks", "F", 320, "https://fireworks.ai/account/api-keys"),
    row("perplexity", "Perplexity", "P", 185, "https://www.perplexity.ai/settings/api"),
    row("cerebras", "Cerebras", "Ce", 25, "https://cloud.cerebras.ai/"),
    row("huggingface", "Hugging Face", "H", 85, "https://huggingface.co/settings/tokens"),
    row("vercel", "Vercel", "Ve", 205, "https://vercel.com/dashboard"),
    row("gemini-openai", "Google AI, OpenAI style", "G", 245, "https://aistudio.google.com/apikey"),
    Provider { address: Address::Wanted("http://127.0.0.1:11434"), ..row("ollama", "Ollama", "Ol", 150, "") },
    Provider { address: Address::Wanted("http://127.0.0.1:8000"), ..row("vllm", "vLLM", "vL", 130, "") },
    Provider { address: Address::Wanted("http://127.0.0.1:8080"), ..row("llama-server", "llama.cpp", "L", 110, "") },
    Provider { needs: API, address: Address::Wanted("https://api.example.com/v1"), ..row(COMPATIBLE, "Compatible address", "…", 200, "") },
];

/// The provider that stands for whoever speaks OpenAI's dialect.
pub(super) const COMPATIBLE: &str = "openai-compatible";

/// What is known of a provider by its name in the registry.
pub(super) fn known(id: &str) -> Option<&'static Provider> {
    KNOWN.iter().find(|provider| provider.id == id)
}

/// As people call it; its own name where nothing is known of it.
pub(super) fn name(id: &str) -> &str {
    known(id).map_or(id, |provider| provider.name)
}

/// The providers that accounts can be of and whose names hold `query`, those that people look for first, first.
pub(super) fn choices(registry: &Registry, query: &str) -> Vec<String> {
    let (names, query) = (registry.names(), query.trim().to_lowercase());
    let listed = KNOWN.iter().map(|provider| provider.id).filter(|id| names.contains(id));
    let others = names.iter().copied().filter(|id| known(id).is_none());
    let fits = |id: &&str| id.contains(&query) || name(id).to_lowercase().contains(&query);
    listed.chain(others).filter(fits).map(str::to_owned).collect()
}

/// The tile of a provider.
#[component]
pub(super) fn ProviderTile(id: String, #[props(default)] class: &'static str) -> Element {
    let (text, hue) = known(&id).map_or((None, None), |it| (Some(it.mark.to_owned()), Some(it.hue)));
    rsx! { Tile { name: name(&id).to_owned(), text, hue, class } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_provider_is_known_and_every_known_one_is_there() {
        let registry = burncloud_adapters::registry();
        let names = registry.names();
        let unknown: Vec<_> = names.iter().filter(|id| known(id).is_none()).collect();
        assert!(unknown.is_empty(), "the console has no name for {unknown:?}");
        let gone: Vec<_> = KNOWN.iter().filter(|it| !names.contains(&it.id)).map(|it| it.id).collect();
        assert!(gone.is_empty(), "{gone:?} are in no registry");
        assert_eq!(choices(&registry, "").len(), names.len());
        assert_eq!(choices(&registry, "ANTHRO"), ["anthropic"]);
        assert!(choices(&registry, "google ai").contains(&"gemini".to_owned()));
        assert!(KNOWN.iter().all(|it| it.keys.is_empty() || it.keys.starts_with("https://")));
    }
}
