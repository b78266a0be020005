//! Providers that speak OpenAI's API: one row each.
//!
//! Addresses are those that the providers' documentation or their public clients name. What Cerebras,
//! DeepSeek, Groq, Hugging Face, Mistral, Ollama, OpenRouter, Perplexity, Together, Vercel, xAI and Zhipu (Z.ai)
//! report was checked against recorded traffic. `always_done` is set only where every recorded stream ended
//! so, and for local servers that do it by design.

use crate::openai::{Auth, OpenAiCompatible, Quirks, Reasoning};
use burncloud_core::Operation;

use Operation::{
    Chat, Completions, Embeddings, ImageEdit, ImageGeneration, Moderation, Rerank, Responses, Speech,
    Transcription, Translation,
};

/// Streams that always end with `[DONE]`.
const DONE: Quirks = Quirks { always_done: true, ..Quirks::STANDARD };

/// What most rows share.
const HOSTED: OpenAiCompatible = OpenAiCompatible {
    name: "",
    base_url: "",
    api_root: "/v1",
    auth: Auth::Bearer,
    operations: &[Chat],
    include_usage: true,
    quirks: DONE,
};

/// A server of the operator's own.
const LOCAL: OpenAiCompatible = OpenAiCompatible { auth: Auth::Optional, ..HOSTED };

/// The providers.
pub static TABLE: &[OpenAiCompatible] = &[
    OpenAiCompatible {
        name: "deepseek",
        base_url: "https://api.deepseek.com",
        api_root: "",
        operations: &[Chat, Responses],
        ..HOSTED
    },
    // Model Studio (DashScope) in compatible mode; accounts outside China set dashscope-intl as base URL. Its
    // responses lie under another root.
    OpenAiCompatible {
        name: "qwen",
        base_url: "https://dashscope.aliyuncs.com",
        api_root: "/compatible-mode/v1",
        operations: &[Chat, Completions, Embeddings],
        quirks: Quirks::STANDARD,
        ..HOSTED
    },
    OpenAiCompatible {
        name: "groq",
        base_url: "https://api.groq.com",
        api_root: "/openai/v1",
        operations: &[Chat, Responses, Transcription, Translation, Speech],
        ..HOSTED
    },
    // Refuses fields that it does not know, and always reports with the last chunk.
    OpenAiCompatible {
        name: "mistral",
        base_url: "https://api.mistral.ai",
        operations: &[Chat, Embeddings, Moderation, Transcription],
        include_usage: false,
        ..HOSTED
    },
    // The chat's `completion_tokens` leave reasoning out; the total tells.
    OpenAiCompatible {
        name: "xai",
        base_url: "https://api.x.ai",
        operations: &[Chat, Responses, Completions, ImageGeneration, ImageEdit],
        ..HOSTED
    },
    OpenAiCompatible {
        name: "openrouter",
        base_url: "https://openrouter.ai",
        api_root: "/api/v1",
        operations: &[Chat, Responses, Completions, Embeddings, Speech],
        ..HOSTED
    },
    OpenAiCompatible {
        name: "moonshot",
        base_url: "https://api.moonshot.cn",
        quirks: Quirks { usage_in_choices: true, ..Quirks::STANDARD },
        ..HOSTED
    },
    // Zhipu's GLM; accounts outside China set https://api.z.ai/api/paas/v4 as base URL.
    OpenAiCompatible {
        name: "zhipu",
        base_url: "https://open.bigmodel.cn",
        api_root: "/api/paas/v4",
        operations: &[Chat, Embeddings, ImageGeneration, Transcription, Speech, Rerank, Moderation],
        ..HOSTED
    },
    OpenAiCompatible {
        name: "siliconflow",
        base_url: "https://api.siliconflow.cn",
        operations: &[Chat, Embeddings, ImageGeneration, Speech, Transcription, Rerank],
        quirks: Quirks::STANDARD,
        ..HOSTED
    },
    OpenAiCompatible {
        name: "together",
        base_url: "https://api.together.xyz",
        operations: &[Chat, Completions, Embeddings, ImageGeneration, Speech, Transcription, Rerank],
        ..HOSTED
    },
    OpenAiCompatible {
        name: "fireworks",
        base_url: "https://api.fireworks.ai",
        api_root: "/inference/v1",
        operations: &[Chat, Responses, Completions, Embeddings, Rerank],
        quirks: Quirks::STANDARD,
        ..HOSTED
    },
    // Reports with every chunk; deep research counts its reasoning apart.
    OpenAiCompatible {
        name: "perplexity",
        base_url: "https://api.perplexity.ai",
        api_root: "",
        include_usage: false,
        quirks: Quirks { reasoning: Reasoning::Beside, ..Quirks::STANDARD },
        ..HOSTED
    },
    OpenAiCompatible {
        name: "cerebras",
        base_url: "https://api.cerebras.ai",
        operations: &[Chat, Completions],
        quirks: Quirks::STANDARD,
        ..HOSTED
    },
    OpenAiCompatible {
        name: "huggingface",
        base_url: "https://router.huggingface.co",
        operations: &[Chat, Responses],
        ..HOSTED
    },
    // Names reasoning, and counts it neither in the completion nor in the total.
    OpenAiCompatible {
        name: "vercel",
        base_url: "https://ai-gateway.vercel.sh",
        operations: &[Chat, Responses, Embeddings],
        quirks: Quirks { reasoning: Reasoning::Beside, ..DONE },
        ..HOSTED
    },
    // Gemini behind OpenAI's API: thoughts show only in the total.
    OpenAiCompatible {
        name: "gemini-openai",
        base_url: "https://generativelanguage.googleapis.com",
        api_root: "/v1beta/openai",
        operations: &[Chat, Embeddings, ImageGeneration],
        quirks: Quirks { reasoning: Reasoning::Hidden, ..Quirks::STANDARD },
        ..HOSTED
    },
    OpenAiCompatible {
        name: "ollama",
        base_url: "http://localhost:11434",
        operations: &[Chat, Responses, Completions, Embeddings],
        ..LOCAL
    },
    OpenAiCompatible {
        name: "vllm",
        base_url: "http://localhost:8000",
        operations: &[Chat, Responses, Completions, Embeddings, Rerank, Transcription, Translation],
        ..LOCAL
    },
    OpenAiCompatible {
        name: "llama-server",
        base_url: "http://localhost:8080",
        operations: &[Chat, Completions, Embeddings, Rerank],
        ..LOCAL
    },
    // Anyone else: the channel's `base_url` says where.
    OpenAiCompatible {
        name: "openai-compatible",
        base_url: "",
        operations: &[
            Chat,
            Responses,
            Completions,
            Embeddings,
            ImageGeneration,
            ImageEdit,
            Speech,
            Transcription,
            Translation,
            Moderation,
            Rerank,
        ],
        quirks: Quirks::STANDARD,
        ..LOCAL
    },
];
