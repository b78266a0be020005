//! What a channel at Vertex may set.

use super::Vertex;
use super::account::{Credential, ServiceAccount};
use super::models::Models;
use crate::oauth;
use burncloud_core::ChannelConfig;
use burncloud_core::adapter::ConfigureError;
use secrecy::ExposeSecret;

const LOCATION: &str = "us-central1";

/// Where a location is served.
pub(super) fn host(location: &str) -> String {
    match location {
        "global" => "https://aiplatform.googleapis.com".to_owned(),
        "us" | "eu" => format!("https://aiplatform.{location}.rep.googleapis.com"),
        _ => format!("https://{location}-aiplatform.googleapis.com"),
    }
}

fn fault(field: &str, message: &str) -> ConfigureError {
    ConfigureError { field: field.to_owned(), message: message.to_owned() }
}

/// Whether a name may stand in a path and in a host's name.
fn plain(name: &str) -> bool {
    let ordinary = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    !name.is_empty() && name.bytes().all(ordinary)
}

/// The adapter that these settings ask for.
pub(super) fn read(config: &ChannelConfig) -> Result<Vertex, ConfigureError> {
    let options = &config.settings.options;
    let known = ["location", "project", "token_url"];
    if let Some(name) = options.keys().find(|name| !known.contains(&name.as_str())) {
        let text = format!("`vertex` has no such option; it knows {}", known.join(", "));
        return Err(fault(&format!("options.{name}"), &text));
    }
    let option = |name: &str| options.get(name).map(|value| value.trim()).filter(|value| !value.is_empty());
    let kind = Credential::of(config.credential.expose_secret());
    let account = match kind {
        Credential::ServiceAccount => Some(ServiceAccount::parse(&config.credential)?),
        _ => None,
    };
    let token_url = option("token_url").map(|url| oauth::address("options.token_url", url)).transpose()?;
    if token_url.is_some() && account.is_none() {
        return Err(fault("options.token_url", "of no use without a service account"));
    }
    let location = option("location").unwrap_or(LOCATION);
    if !plain(location) {
        return Err(fault("options.location", "no location: write one such as `us-central1` or `global`"));
    }
    let own = account.as_ref().and_then(|account| account.project_id.as_deref());
    let models = Models::of(config);
    let Some(project) = option("project").or(own) else {
        if kind != Credential::ApiKey {
            return Err(fault("options.project", "missing: name the project"));
        }
        if option("location").is_some_and(|location| location != "global") {
            let text = "an API key alone is used in express mode, which has no locations: name a project too";
            return Err(fault("options.location", text));
        }
        return Ok(Vertex { models, ..Vertex::default() });
    };
    // Older projects stand in a domain: `example.com:name`.
    if !project.split([':', '.']).all(plain) {
        return Err(fault("options.project", "no project: write its id"));
    }
    let parent = format!("/projects/{project}/locations/{location}");
    Ok(Vertex { host: host(location), parent, token_url, models, keyed: kind == Credential::ApiKey })
}

#[cfg(test)]
mod tests {
    use super::*;
    use burncloud_core::{ChannelId, ChannelSettings, Status};

    fn config(credential: &str, options: &[(&str, &str)]) -> ChannelConfig {
        let options = options.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        ChannelConfig {
            id: ChannelId(1),
            name: "c".into(),
            provider: "vertex".into(),
            base_url: None,
            credential: credential.into(),
            models: vec!["gemini-2.5-flash".into()],
            model_mapping: [].into(),
            priority: 0,
            weight: 1,
            status: Status::Active,
            settings: ChannelSettings { options, ..ChannelSettings::default() },
        }
    }

    #[test]
    fn where_a_channel_leads() {
        let read = |credential: &str, options: &[(&str, &str)]| {
            let vertex = read(&config(credential, options)).unwrap();
            (vertex.host, vertex.parent)
        };
        let (host, parent) = read("ya29.t", &[("project", "p-1")]);
        assert_eq!(host, "https://us-central1-aiplatform.googleapis.com");
        assert_eq!(parent, "/projects/p-1/locations/us-central1");
        let (host, parent) = read("key", &[("project", "example.com:p"), ("location", "global")]);
        assert_eq!(host, "https://aiplatform.googleapis.com");
        assert_eq!(parent, "/projects/example.com:p/locations/global");
        assert_eq!(
            read("key", &[("project", "p"), ("location", "eu")]).0,
            "https://aiplatform.eu.rep.googleapis.com"
        );
        assert_eq!(read("key", &[]), ("https://aiplatform.googleapis.com".into(), String::new()));
    }

    #[test]
    fn each_fault_names_its_option() {
        for (credential, options, field) in [
            ("ya29.hush", &[][..], "options.project"),
            ("hush", &[("region", "eu")], "options.region"),
            ("hush", &[("location", "eu-west1")], "options.location"),
            ("hush", &[("project", "p"), ("location", "a/b")], "options.location"),
            ("hush", &[("project", "../p")], "options.project"),
            ("hush", &[("project", "p"), ("token_url", "https://x/y")], "options.token_url"),
            ("{\"hush\":1}", &[], "credential"),
        ] {
            let error = read(&config(credential, options)).unwrap_err();
            assert_eq!(error.field, field);
            assert!(!error.message.contains("hush"), "{}", error.message);
        }
    }
}
