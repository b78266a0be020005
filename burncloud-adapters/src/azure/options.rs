//! What a channel at Azure may set.

use super::Azure;
use super::entra::Entra;
use crate::oauth;
use burncloud_core::ChannelConfig;
use burncloud_core::adapter::ConfigureError;
use secrecy::ExposeSecret;
use std::collections::BTreeMap;

const SCOPE: &str = "https://cognitiveservices.azure.com/.default";
/// The first version that knows `stream_options`.
const INCLUDE_USAGE_SINCE: &str = "2024-09-01";

/// Which of Azure's two ways of writing paths, and the version that goes with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Api {
    /// `/openai/v1/…`, with `api-version=preview` or without a version.
    V1(bool),
    /// `/openai/deployments/…` with a date.
    Dated(String),
}

impl Default for Api {
    fn default() -> Api {
        Api::V1(false)
    }
}

impl Api {
    fn parse(text: &str) -> Option<Api> {
        match text {
            "v1" => return Some(Api::V1(false)),
            "preview" => return Some(Api::V1(true)),
            _ => {}
        }
        let date = text.strip_suffix("-preview").unwrap_or(text);
        let number = |part: &str, most: u8| {
            part.len() == 2
                && part.bytes().all(|b| b.is_ascii_digit())
                && part.parse().is_ok_and(|n: u8| (1..=most).contains(&n))
        };
        let mut parts = date.split('-');
        let year = parts.next().is_some_and(|y| y.len() == 4 && y.bytes().all(|b| b.is_ascii_digit()));
        let month = parts.next().is_some_and(|m| number(m, 12));
        let day = parts.next().is_some_and(|d| number(d, 31));
        (year && month && day && parts.next().is_none()).then(|| Api::Dated(text.to_owned()))
    }

    /// The caller's query and the version.
    pub(super) fn query(&self, rest: Option<&str>) -> Option<String> {
        let version = match self {
            Api::V1(false) => return rest.map(str::to_owned),
            Api::V1(true) => "preview",
            Api::Dated(date) => date,
        };
        Some(match rest {
            Some(rest) => format!("api-version={version}&{rest}"),
            None => format!("api-version={version}"),
        })
    }

    pub(super) fn takes_include_usage(&self) -> bool {
        match self {
            Api::V1(_) => true,
            Api::Dated(date) => date.as_str() >= INCLUDE_USAGE_SINCE,
        }
    }
}

/// Whose models a channel deploys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Models {
    pub(super) openai: bool,
    pub(super) anthropic: bool,
}

impl Default for Models {
    fn default() -> Models {
        Models { openai: true, anthropic: true }
    }
}

/// Whose a deployment is, by its name.
pub(super) fn is_claude(deployment: &str) -> bool {
    deployment.to_ascii_lowercase().contains("claude")
}

fn fault(field: &str, message: impl Into<String>) -> ConfigureError {
    ConfigureError { field: field.to_owned(), message: message.into() }
}

impl Models {
    fn read(config: &ChannelConfig) -> Result<Models, ConfigureError> {
        let names = config.models.iter().chain(config.model_mapping.values());
        let claude = |name: &String| is_claude(name);
        match config.settings.options.get("api").map(String::as_str) {
            Some("openai") => Ok(Models { openai: true, anthropic: false }),
            Some("anthropic") => Ok(Models { openai: false, anthropic: true }),
            Some(_) => Err(fault("options.api", "write `openai` or `anthropic`")),
            None => Ok(Models {
                openai: names.clone().any(|name| !claude(name)),
                anthropic: names.clone().any(claude),
            }),
        }
    }
}

/// The adapter that these settings ask for.
pub(super) fn read(config: &ChannelConfig) -> Result<Azure, ConfigureError> {
    let options = &config.settings.options;
    let known = ["api", "api_version", "client_id", "scope", "tenant_id", "token_url"];
    if let Some(name) = options.keys().find(|name| !known.contains(&name.as_str())) {
        let text = format!("`azure` has no such option; it knows {}", known.join(", "));
        return Err(fault(&format!("options.{name}"), text));
    }
    if config
        .base_url
        .as_deref()
        .is_some_and(|url| url.contains("/deployments") || url.contains("api-version="))
    {
        return Err(fault(
            "base_url",
            "write the resource's address alone; deployments belong into `models` or `model_mapping`, the version \
             into the option `api_version`",
        ));
    }
    let api = match options.get("api_version") {
        None => Api::default(),
        Some(text) => Api::parse(text).ok_or_else(|| {
            fault("options.api_version", "no version; write `v1`, `preview`, or a date such as `2024-10-21`")
        })?,
    };
    let entra = entra(options)?;
    if entra.is_some() && config.credential.expose_secret().trim().is_empty() {
        return Err(fault(
            "credential",
            "it is empty; with `client_id` it is the application's client secret",
        ));
    }
    Ok(Azure { api, models: Models::read(config)?, entra })
}

fn entra(options: &BTreeMap<String, String>) -> Result<Option<Entra>, ConfigureError> {
    let option = |name: &str| options.get(name).map(|value| value.trim()).filter(|value| !value.is_empty());
    let (tenant, client_id) = match (option("tenant_id"), option("client_id")) {
        (Some(tenant), Some(client)) => (tenant, client),
        (Some(_), None) => {
            return Err(fault("options.client_id", "missing: name the application in that tenant"));
        }
        (None, Some(_)) => return Err(fault("options.tenant_id", "missing: name the application's tenant")),
        (None, None) => {
            let alone = ["scope", "token_url"].into_iter().find(|name| options.contains_key(*name));
            return match alone {
                Some(name) => {
                    Err(fault(&format!("options.{name}"), "of no use without `tenant_id` and `client_id`"))
                }
                None => Ok(None),
            };
        }
    };
    if !tenant.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.') {
        return Err(fault("options.tenant_id", "no tenant: write its id or its domain"));
    }
    let default = format!("https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token");
    let token_url = oauth::address("options.token_url", option("token_url").unwrap_or(&default))?;
    let scope = option("scope").unwrap_or(SCOPE).to_owned();
    Ok(Some(Entra { client_id: client_id.to_owned(), token_url, scope }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use burncloud_core::{ChannelId, ChannelSettings, Status};

    fn config(models: &[&str], options: &[(&str, &str)]) -> ChannelConfig {
        let options = options.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        ChannelConfig {
            id: ChannelId(1),
            name: "c".into(),
            provider: "azure".into(),
            base_url: Some("https://x.openai.azure.com".into()),
            credential: "secret-value".into(),
            models: models.iter().map(|m| (*m).into()).collect(),
            model_mapping: [].into(),
            priority: 0,
            weight: 1,
            status: Status::Active,
            settings: ChannelSettings { options, ..ChannelSettings::default() },
        }
    }

    #[test]
    fn versions() {
        for (text, api) in [
            ("v1", Api::V1(false)),
            ("preview", Api::V1(true)),
            ("2024-10-21", Api::Dated("2024-10-21".into())),
            ("2025-03-01-preview", Api::Dated("2025-03-01-preview".into())),
        ] {
            assert_eq!(Api::parse(text), Some(api), "{text}");
        }
        for text in [
            "",
            "v2",
            "2024",
            "2024-13-01",
            "2024-10-32",
            "2024-10-21-beta",
            "2024-10-21-preview-x",
            "2024-1-1",
            "2024-+1-01",
        ] {
            assert_eq!(Api::parse(text), None, "{text}");
        }
        let dated = |date: &str| Api::Dated(date.into());
        assert!(dated("2024-10-21").takes_include_usage() && !dated("2024-06-01").takes_include_usage());
        assert_eq!(dated("2024-10-21").query(Some("a=1")).as_deref(), Some("api-version=2024-10-21&a=1"));
        assert_eq!(Api::V1(true).query(None).as_deref(), Some("api-version=preview"));
    }

    #[test]
    fn whose_models_they_are() {
        let models = |names: &[&str], options: &[(&str, &str)]| {
            let read = read(&config(names, options)).unwrap().models;
            (read.openai, read.anthropic)
        };
        assert_eq!(models(&["gpt-4o"], &[]), (true, false));
        assert_eq!(models(&["gpt-4o", "Claude-sonnet"], &[]), (true, true));
        assert_eq!(models(&["my-sonnet"], &[("api", "anthropic")]), (false, true));
    }

    #[test]
    fn an_address_ends_before_the_deployment() {
        for url in [
            "https://x.openai.azure.com/openai/deployments/d/chat/completions?api-version=2024-10-21",
            "https://x.openai.azure.com/openai?api-version=2024-10-21",
        ] {
            let config = ChannelConfig { base_url: Some(url.into()), ..config(&["m"], &[]) };
            assert_eq!(read(&config).unwrap_err().field, "base_url");
        }
    }

    #[test]
    fn each_fault_names_its_option() {
        for (options, field) in [
            (&[("api_version", "yesterday")][..], "options.api_version"),
            (&[("region", "eu")], "options.region"),
            (&[("api", "google")], "options.api"),
            (&[("tenant_id", "t")], "options.client_id"),
            (&[("client_id", "c")], "options.tenant_id"),
            (&[("scope", "s")], "options.scope"),
            (&[("tenant_id", "../t"), ("client_id", "c")], "options.tenant_id"),
            (&[("tenant_id", "t"), ("client_id", "c"), ("token_url", "no")], "options.token_url"),
        ] {
            let error = read(&config(&["m"], options)).unwrap_err();
            assert_eq!(error.field, field);
            assert!(!error.message.contains("secret-value"));
        }
        let entra =
            read(&config(&["m"], &[("tenant_id", "t.onmicrosoft.com"), ("client_id", "c")])).unwrap().entra;
        let url = entra.unwrap().token_url;
        assert_eq!(url, "https://login.microsoftonline.com/t.onmicrosoft.com/oauth2/v2.0/token");
    }
}
