//! A `burncloud.toml` and the environment that its secrets refer to.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// One channel.
#[derive(Clone, Debug)]
pub struct Channel {
    name: String,
    provider: String,
    base_url: String,
    credential: String,
    credential_file: Option<PathBuf>,
    models: Vec<String>,
    lines: Vec<String>,
}

impl Channel {
    /// A channel of `provider` at `base_url`; its credential is made up from its name.
    #[must_use]
    pub fn new(name: &str, provider: &str, base_url: &str) -> Self {
        Self {
            name: name.into(),
            provider: provider.into(),
            base_url: base_url.into(),
            credential: format!("sk-upstream-credential-of-{name}"),
            credential_file: None,
            models: Vec::new(),
            lines: Vec::new(),
        }
    }

    /// Reads its credential from a file instead of the environment.
    #[must_use]
    pub fn credential_from(mut self, file: &Path) -> Self {
        self.credential_file = Some(file.to_owned());
        self
    }

    /// Serves these models.
    #[must_use]
    pub fn models<'a>(mut self, models: impl IntoIterator<Item = &'a str>) -> Self {
        self.models.extend(models.into_iter().map(str::to_owned));
        self
    }

    /// Adds a line of TOML, for example `priority = 1`.
    #[must_use]
    pub fn line(mut self, line: &str) -> Self {
        self.lines.push(line.into());
        self
    }

    /// The secret that it signs with.
    #[must_use]
    pub fn credential(&self) -> &str {
        &self.credential
    }
}

/// One key.
#[derive(Clone, Debug)]
pub struct Key {
    name: String,
    secret: String,
    lines: Vec<String>,
}

impl Key {
    /// A key with a secret made up from its name.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self { name: name.into(), secret: secret_of(name), lines: Vec::new() }
    }

    /// Adds a line of TOML, for example `quota_usd = "1.00"`.
    #[must_use]
    pub fn line(mut self, line: &str) -> Self {
        self.lines.push(line.into());
        self
    }
}

/// The secret of the key called `name`.
#[must_use]
pub fn secret_of(name: &str) -> String {
    format!("sk-burn-callers-secret-of-{name}-and-its-tail-{name}")
}

/// The whole file.
#[derive(Clone, Debug, Default)]
pub struct Config {
    server: Vec<String>,
    journal: Vec<String>,
    sections: Vec<String>,
    channels: Vec<Channel>,
    keys: Vec<Key>,
}

impl Config {
    /// An empty file.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a channel.
    #[must_use]
    pub fn channel(mut self, channel: Channel) -> Self {
        self.channels.push(channel);
        self
    }

    /// Adds a key.
    #[must_use]
    pub fn key(mut self, key: Key) -> Self {
        self.keys.push(key);
        self
    }

    /// Adds a line to `[server]`.
    #[must_use]
    pub fn server(mut self, line: &str) -> Self {
        self.server.push(line.into());
        self
    }

    /// Adds a line to `[journal]`.
    #[must_use]
    pub fn journal(mut self, line: &str) -> Self {
        self.journal.push(line.into());
        self
    }

    /// Adds a whole section.
    #[must_use]
    pub fn section(mut self, text: &str) -> Self {
        self.sections.push(text.into());
        self
    }

    /// The secrets of this file: callers' keys and providers' credentials.
    #[must_use]
    pub fn secrets(&self) -> Vec<String> {
        self.environment().into_iter().map(|(_, value)| value).collect()
    }

    /// The variables that hold the secrets.
    #[must_use]
    pub fn environment(&self) -> Vec<(String, String)> {
        let channels = self.channels.iter().map(|one| (variable("CRED", &one.name), one.credential.clone()));
        let keys = self.keys.iter().map(|one| (variable("KEY", &one.name), one.secret.clone()));
        channels.chain(keys).collect()
    }

    /// The file's text, listening at `listen`, with its data in `dir`.
    ///
    /// # Panics
    ///
    /// Never: writing to a string does not fail.
    #[must_use]
    pub fn render(&self, listen: &str, dir: &str) -> String {
        let mut out = format!("[server]\nlisten = \"{listen}\"\n");
        let lines = |out: &mut String, lines: &[String]| {
            for line in lines {
                writeln!(out, "{line}").unwrap();
            }
        };
        lines(&mut out, &self.server);
        write!(
            out,
            "\n[store]\nurl = \"sqlite://{dir}/burncloud.db\"\n\n[journal]\ndir = \"{dir}/journal\"\n"
        )
        .unwrap();
        lines(&mut out, &self.journal);
        lines(&mut out, &self.sections);
        // Most tests are about other things than prices, and some about models that nobody sells.
        if !self.sections.iter().any(|section| section.contains("[billing]")) {
            out.push_str("\n[billing]\nunpriced = \"free\"\n");
        }
        for channel in &self.channels {
            let Channel { name, provider, base_url, models, .. } = channel;
            let credential = match &channel.credential_file {
                Some(file) => format!("file = {file:?}"),
                None => format!("env = \"{}\"", variable("CRED", name)),
            };
            write!(
                out,
                "\n[[channels]]\nname = \"{name}\"\nprovider = \"{provider}\"\nbase_url = \"{base_url}\"\n\
                 credential = {{ {credential} }}\nmodels = {models:?}\n"
            )
            .unwrap();
            lines(&mut out, &channel.lines);
        }
        for key in &self.keys {
            let variable = variable("KEY", &key.name);
            write!(out, "\n[[keys]]\nname = \"{}\"\nsecret = {{ env = \"{variable}\" }}\n", key.name)
                .unwrap();
            lines(&mut out, &key.lines);
        }
        out
    }
}

fn variable(kind: &str, name: &str) -> String {
    format!("BURNCLOUD_TEST_{kind}_{}", name.to_uppercase().replace('-', "_"))
}
